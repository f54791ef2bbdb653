"""The command line answers at once, in one line where something is wrong, and loads only what is needed."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from jupyter_selfcode import __version__
from jupyter_selfcode.commands import COMMANDS
from jupyter_selfcode.hosts.cli.main import main


def test_version_and_help_name_what_there_is(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"jupyter_selfcode {__version__}\n"
    assert main([]) == main(["--help"]) == main(["help"]) == 0
    said = capsys.readouterr().out
    assert all(f"  {name} " in said for name in (*COMMANDS, "run", "demo") if name)


@pytest.mark.parametrize("word", [*(n for n in COMMANDS if n), "run", "demo"])
def test_every_word_has_help(word, capsys):
    with pytest.raises(SystemExit) as ended:
        main([word, "--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert f"usage: jupyter selfcode {word}" in said
    assert word == "demo" or "--json" in said


def test_a_model_may_be_named_without_a_notebook_and_how_to_keep_it_is_said(capsys):
    assert main(["model", "openai/some-model"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "in use openai/some-model" in said
    assert "c.SelfCode.model = 'openai/some-model'" in said


def test_the_schema_of_the_report_names_its_fields(capsys):
    assert main(["schema"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert {"status", "exit_code", "failures", "versions", "trials", "cost_usd"} <= set(said["properties"])


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["--version"]])
def test_help_loads_nothing_heavy(words):
    heavy = ("litellm", "pandas", "numpy", "libcst", "sqlalchemy", "nbclient", "nbformat", "pydantic", "IPython")
    code = (
        "import sys\nfrom jupyter_selfcode.hosts.cli.main import main\n"
        f"try: main({words!r})\nexcept SystemExit: pass\n"
        f"bad = [m for m in {heavy!r} if m in sys.modules]\nassert not bad, bad"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["history", "nb.ipynb", "--store-url", "nosuch://x"], "not a database URL"),
        (["adapt", "nb.ipynb", "words", "--proposers", "none-such"], "no proposer named 'none-such'"),
        (["adapt", "nb.ipynb"], "Say in words what to change"),
        (["adapt", "nb.ipynb", "plot it"], "Words need a model, and none is set: --model NAME"),
        (["adapt", "nb.ipynb", "plot it", "--model", "m", "--proposers", "rules"], "the proposers are rules"),
        (["blame", "nb.ipynb", "none-such"], "none-such"),
        (["run", "nb.ipynb", "--timeout", "-1"], "--timeout -1 leaves a cell no time"),
        (["accept", "nb.ipynb"], "Nothing waits for a decision"),
        (["show", "nb.ipynb", "7"], "no history yet"),
        (["undo", "nb.ipynb"], "nothing to undo"),
    ],
)
def test_what_cannot_be_done_is_one_line(tmp_path, monkeypatch, capsys, words, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nb.ipynb").write_text('{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}')
    assert main(words) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


def test_a_command_on_a_notebook_that_nothing_was_done_to_writes_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nb.ipynb").write_text('{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}')
    for words in (["history"], ["cost"], ["verify"], ["diff"], ["export"]):
        assert main([*words, "nb.ipynb"]) == 0, capsys.readouterr().err
    assert main(["nb.ipynb", "--json"]) == 0
    assert main(["doctor"]) == 0
    assert [p.name for p in tmp_path.iterdir()] == ["nb.ipynb"]
