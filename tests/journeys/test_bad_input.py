"""Bad input, each with one clear line and nothing lost: notebooks, kernels, folders, cells that misbehave."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys

import nbformat
import pytest

from jupyter_selfcode.plugins.deployers.lock import lock

DRIFTED = ("import numpy as np", '"""A product.\n\n>>> int(p)\n6\n"""\np = np.product([2, 3])')
WORDS = ("run", "fix", "history")
"""A word that runs, one that tries, one that only reads."""


def one_line(answer, code, said):
    assert answer.code == code, answer
    assert said in answer.err
    assert answer.err.count("\n") == 1, answer.err


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "There is no notebook nb.ipynb"),
        (b"", "nb.ipynb is empty"),
        (b"{]", "is not JSON (line 1"),
        (b"\xff\xfe{}", "not UTF-8"),
        (b"[1, 2]", "is JSON and not a notebook"),
        (b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}}', "no cells"),
        (
            b'{"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": []}',
            "upgrade it with: jupyter nbconvert",
        ),
        (
            b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "code"}]}',
            "not a valid notebook",
        ),
    ],
)
def test_what_is_no_notebook_is_said_in_one_line_and_left_as_it_is(cli, tmp_path, word, content, said):
    path = tmp_path / "nb.ipynb"
    if content is not None:
        path.write_bytes(content)
    one_line(cli(word, "nb.ipynb"), 2, said)
    assert [p.name for p in tmp_path.iterdir()] == ([] if content is None else ["nb.ipynb"])
    assert content is None or path.read_bytes() == content


def test_a_folder_is_no_notebook(cli, tmp_path):
    (tmp_path / "nb.ipynb").mkdir()
    one_line(cli("run", "nb.ipynb"), 2, "is a folder")


@pytest.mark.parametrize("minor", [0, 2, 4])
def test_notebooks_without_cell_ids_run_and_heal(cli, tmp_path, minor):
    cells = [
        {"cell_type": "code", "metadata": {}, "source": s, "outputs": [], "execution_count": None} for s in DRIFTED
    ]
    path = tmp_path / "nb.ipynb"
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": minor, "metadata": {"mine": 1}, "cells": cells}))
    assert cli("run", "nb.ipynb", "--policy", "report").code == 20
    assert json.loads(path.read_text())["nbformat_minor"] == minor
    assert cli("run", "nb.ipynb", "--policy", "deploy").code == 10
    after = nbformat.read(path, 4)
    nbformat.validate(after)
    assert (after.nbformat_minor, after.metadata["mine"]) == (5, 1)
    assert after.cells[1].source.endswith("np.prod([2, 3])")


@pytest.mark.parametrize("word", ["run", "fix"])
@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"name": "no-such-kernel", "display_name": "?", "language": "python"}, "'no-such-kernel' is not installed"),
        ({"name": "ir", "display_name": "R", "language": "R"}, "notebooks with a Python kernel are supported"),
    ],
)
def test_a_kernel_that_is_not_here_or_not_python_is_said(cli, notebook, word, spec, said):
    path = notebook("x = 1", kernelspec=spec)
    before = path.read_bytes()
    answer = cli(word, "nb.ipynb")
    assert answer.code == 21
    assert said in " ".join((answer.out + answer.err).split())
    assert path.read_bytes() == before


def test_two_runs_that_heal_one_notebook_are_kept_apart(cli, notebook):
    path = notebook(*DRIFTED)
    before = path.read_bytes()
    with lock(path):
        answer = cli("run", "nb.ipynb", "--policy", "deploy", "--json")
    assert (answer.code, answer.json["status"]) == (20, "failed")
    assert "Another run is working on" in answer.json["message"]
    assert path.read_bytes() == before
    assert cli("run", "nb.ipynb", "--policy", "deploy").code == 10


def bound_by_modes():
    """Root may write anywhere; without CAP_DAC_OVERRIDE (1), dropped by PR_CAPBSET_DROP (24), it may not."""
    ctypes.CDLL(None).prctl(24, 1, 0, 0, 0)


def test_a_folder_that_cannot_be_written_is_said_and_the_notebook_stays(notebook, tmp_path):
    if os.geteuid() == 0 and not sys.platform.startswith("linux"):
        pytest.skip("root may write anywhere")
    path = notebook(*DRIFTED)
    before = path.read_bytes()
    tmp_path.chmod(0o555)
    # such a root cannot become somebody else either, as in some containers
    allowed = ["--sandbox-as-root", "true"] if os.geteuid() == 0 else []
    try:
        done = subprocess.run(
            [sys.executable, "-m", "jupyter_selfcode", "run", "nb.ipynb", "--policy", "deploy", *allowed], cwd=tmp_path,
            text=True, capture_output=True, check=False, preexec_fn=bound_by_modes if os.geteuid() == 0 else None,
        )  # fmt: skip
        said = " ".join((done.stdout + done.stderr).split())
        assert done.returncode in (2, 20), said
        assert "writ" in said
        assert "Traceback" not in said
        assert path.read_bytes() == before
        assert [p.name for p in tmp_path.iterdir()] == ["nb.ipynb"]
    finally:
        tmp_path.chmod(0o755)


def test_an_output_in_a_folder_that_is_not_there_is_said_before_anything_runs(cli, notebook, tmp_path):
    notebook("open('ran', 'w').close()")
    one_line(cli("run", "nb.ipynb", "none/out.ipynb"), 2, "There is no folder none")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "the kernel died"),
        ("import os\nos._exit(3)", "the kernel died"),
        ("import sys\nsys.exit(3)", "asked to stop"),
        ("quit()", "ends the kernel"),
        ("name = input('Who? ')", "keyboard input"),
        ("x = bytearray(1 << 60)", "memory"),
        ("raise KeyboardInterrupt", "interrupted"),
    ],
)
def test_a_cell_that_ends_its_kernel_or_waits_for_one_is_trouble_of_the_environment(cli, notebook, source, said):
    path = notebook("x = 1", source, "x = 2")
    before = path.read_bytes()
    answer = cli("run", "nb.ipynb", "--policy", "deploy", "--json")
    assert (answer.code, answer.json["failures"][0]["cell_id"]) == (21, "c1")
    assert said in answer.json["message"]
    assert path.read_bytes() == before


def test_a_cell_of_a_megabyte_runs_and_heals(cli, notebook):
    path = notebook(f"big = '{'x' * 2**20}'", *DRIFTED, "assert len(big) == 2 ** 20")
    assert cli("run", "nb.ipynb", "--policy", "deploy").code == 10
    assert len(nbformat.read(path, 4).cells[0].source) > 2**20


@pytest.mark.parametrize("word", ["run", "fix"])
def test_a_flood_of_output_ends_with_a_clear_line_or_with_the_output(cli, notebook, word):
    path = notebook("for _ in range(100):\n    print('x' * 2 ** 20)")
    before = path.read_bytes()
    answer = cli(word, "nb.ipynb", "--json")
    assert answer.code in (0, 21)
    assert word == "run" or "output" in answer.out
    assert path.read_bytes() == before


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_five_thousand_cells_run_and_heal(cli, notebook):
    path = notebook(*["x = 1"] * 5000, *DRIFTED)
    answer = cli("run", "nb.ipynb", "--policy", "deploy", "--json")
    assert (answer.code, answer.json["executed"]) == (10, 5003)
    assert nbformat.read(path, 4).cells[-1].source.endswith("np.prod([2, 3])")
    assert cli("diff", "nb.ipynb", "1", "--json").json["cells"][0]["cell"] == "c5001"
