"""`jupyter selfcode run` with real kernels: exit codes, parameters, tags, the report, an interrupt."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import nbformat
import pytest

from jupyter_selfcode.codec import from_json
from jupyter_selfcode.values.report import RunReport

CONTRACT = '"""The product of three numbers.\n\n>>> int(p)\n24\n"""\n'
DRIFTED = (
    "import numpy as np\nnumbers = [2, 3, 4]",
    CONTRACT + "p = np.product(numbers)",
    "print(int(p))",
)


def sources(path: Path) -> dict[str, str]:
    return {c.id: c.source for c in nbformat.read(path, 4).cells}


def test_a_notebook_that_runs_is_run_and_0_is_answered(cli, notebook, tmp_path):
    notebook("x = 1", "print(x + 1)")
    answer = cli("run", "nb.ipynb", "out.ipynb")
    assert answer.code == 0
    assert answer.out.startswith("✓ Ran as it was.")
    assert answer.err == ""
    assert nbformat.read(tmp_path / "out.ipynb", 4).cells[1].outputs[0].text == "2\n"
    assert not (tmp_path / ".selfcode").exists()


def test_a_drifted_notebook_is_healed_deployed_and_10_is_answered(cli, notebook, tmp_path):
    path = notebook(*DRIFTED)
    answer = cli("run", "nb.ipynb", "out.ipynb", "--policy", "deploy", "--json")
    assert answer.code == 10, answer.err
    report = from_json(RunReport, answer.out)
    assert (report.status, report.exit_code, report.calls) == ("healed", 10, 0)
    assert sources(path)["c1"] == CONTRACT + "p = np.prod(numbers)"
    assert nbformat.read(tmp_path / "out.ipynb", 4).cells[2].outputs[0].text == "24\n"
    assert [(v.cells, v.level, v.by, v.proposer) for v in report.versions] == [(("c1",), 2, "policy", "rules")]
    assert [(f.cell_id, f.ename, f.triage, f.healed) for f in report.failures] == [
        ("c1", "AttributeError", "code", True)
    ]
    assert report.executed == 4, "only the failed cell ran again"
    assert cli("run", "nb.ipynb").code == 0


def test_the_report_holds_what_scripts_rely_on(cli, notebook):
    notebook(*DRIFTED)
    said = cli("run", "nb.ipynb", "--policy", "deploy", "--json").json
    assert {
        "status",
        "exit_code",
        "notebook",
        "output",
        "failures",
        "versions",
        "trials",
        "calls",
        "tokens",
        "cost_usd",
        "seconds",
    } <= set(said)
    assert {"cell_id", "ename", "triage"} <= set(said["failures"][0])
    assert {"id", "cells", "level", "by", "proposer"} <= set(said["versions"][0])
    assert {"kind", "seconds", "passed", "findings"} <= set(said["trials"][0])


def test_a_fix_that_waits_is_written_beside_the_notebook_and_11_is_answered(cli, notebook, tmp_path):
    path = notebook(*DRIFTED)
    before = path.read_bytes()
    answer = cli("run", "nb.ipynb", "--json")
    assert answer.code == 11, answer.err
    assert path.read_bytes() == before
    waiting = answer.json["waiting"]
    patch = tmp_path / f"nb.selfcode-{waiting}.patch"
    done = subprocess.run(
        ["patch", "-p1", "--dry-run", "-i", patch.name], cwd=tmp_path, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert cli("accept", "nb.ipynb").code == 0
    assert not patch.exists(), "it is out of date now"
    assert sources(path)["c1"].endswith("p = np.prod(numbers)")
    assert cli("undo", "nb.ipynb").code == 0
    assert sources(path)["c1"].endswith("p = np.product(numbers)")


def test_what_no_rule_can_mend_is_left_and_20_is_answered(cli, notebook, tmp_path):
    path = notebook("x = 1", "print(x.wobble_it())")
    before = path.read_bytes()
    answer = cli("run", "nb.ipynb", "out.ipynb", "--policy", "deploy", "--json")
    assert answer.code == 20
    assert answer.json["failures"][0]["triage"] == "code"
    assert path.read_bytes() == before
    assert nbformat.read(tmp_path / "out.ipynb", 4).cells[1].outputs[0].ename == "AttributeError"


def test_a_missing_file_is_21_and_a_missing_module_too(cli, notebook):
    notebook("open('gone.csv')")
    assert cli("run", "nb.ipynb", "--policy", "deploy").code == 21
    notebook("import a_module_that_nobody_has_written")
    answer = cli("run", "nb.ipynb", "--policy", "deploy", "--json")
    assert (answer.code, answer.json["status"]) == (21, "environment")
    assert "a_module_that_nobody_has_written" in answer.json["message"]


def test_a_call_that_would_pass_the_budget_is_not_made_and_30_is_answered(cli, notebook, tmp_path):
    path = notebook("x = 1", "print(x.wobble_it())")
    before = path.read_bytes()
    (tmp_path / "answers.jsonl").write_text("")
    answer = cli(
        "run", "nb.ipynb", "--policy", "deploy", "--model", "replay:answers.jsonl", "--budget-attempts", "0", "--json"
    )
    assert (answer.code, answer.json["status"], answer.json["calls"]) == (30, "budget", 0)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run"], "required: notebook"),
        (["run", "nb.ipynb", "--policy", "hope"], "invalid choice: 'hope'"),
        (["run", "nb.ipynb", "-p", "2x", "3"], "not a Python name"),
        (["run", "nb.ipynb", "--budget-usd", "much"], "'much' cannot be used"),
        (["run", "nb.ipynb", "--config", "none.py"], "no config file none.py"),
        (["dance", "nb.ipynb"], "does not know the word 'dance'"),
        (["--json", "run"], "Say first what to do"),
        (["history", "other.ipynb"], "no notebook other.ipynb"),
    ],
)
def test_a_command_line_that_cannot_be_used_is_one_line_and_2(cli, notebook, words, said):
    notebook("x = 1")
    answer = cli(*words)
    assert answer.code == 2
    assert said in answer.err
    assert answer.err.count("\n") == 1


def test_parameters_are_read_as_papermill_reads_them(cli, notebook, tmp_path):
    notebook("a = b = c = d = e = f = 0", "print(repr((a, b, c, d, e, f)))", tags={0: ["parameters"]})
    answer = cli(
        "run", "nb.ipynb", "out.ipynb", "-p", "a", "3", "-p", "b", "1.5", "-p", "c", "True", "-p", "d", "None",
        "-p", "e", "[1, 'x']", "-r", "f", "007",
    )  # fmt: skip
    assert answer.code == 0, answer.err
    cells = nbformat.read(tmp_path / "out.ipynb", 4).cells
    assert cells[2].outputs[0].text == "(3, 1.5, True, None, [1, 'x'], '007')\n"


def test_tags_are_honoured(cli, notebook, tmp_path):
    notebook("1 / 0", "raise SystemError", "x = 1", tags={0: ["raises-exception"], 1: ["skip-execution"]})
    assert cli("run", "nb.ipynb", "out.ipynb").code == 0
    cells = nbformat.read(tmp_path / "out.ipynb", 4).cells
    assert cells[0].outputs[0].ename == "ZeroDivisionError"
    assert cells[1].execution_count is None


def test_a_cell_that_takes_longer_than_the_limit_is_stopped(cli, notebook):
    notebook("while True: pass", "x = 1")
    answer = cli("run", "nb.ipynb", "--timeout", "1", "--json")
    assert (answer.code, answer.json["failures"][0]["cell_id"]) == (21, "c0")
    assert "1 s" in answer.json["message"]


def children(pid: int) -> list[int]:
    told = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = [tuple(map(int, line.split())) for line in told.splitlines()]
    found = [p for p, parent in pairs if parent == pid]
    return found + [deeper for p in found for deeper in children(p)]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_stops_at_once_and_leaves_no_kernel(shell, notebook, tmp_path, sign):
    path = notebook("open('begun', 'w').close()", "import time\ntime.sleep(600)")
    before = path.read_bytes()
    running = shell("run", "nb.ipynb")
    while not (tmp_path / "begun").exists():
        assert running.poll() is None, running.communicate()
        time.sleep(0.05)
    kernels = children(running.pid)
    assert kernels
    running.send_signal(sign)
    _, err = running.communicate(timeout=20)
    assert (running.returncode, err.strip().splitlines()[-1]) == (130, "Stopped; nothing was changed.")
    end = time.monotonic() + 10
    while any(map(alive, kernels)) and time.monotonic() < end:
        time.sleep(0.05)
    assert not [k for k in kernels if alive(k)]
    assert path.read_bytes() == before


def test_a_reader_that_goes_away_is_no_error(shell, notebook):
    notebook("x = 1")
    shell_line = shell("run", "nb.ipynb", "--json")
    shell_line.stdout.close()
    assert shell_line.wait(30) == 0
    assert "Traceback" not in shell_line.stderr.read()


def test_progress_is_quiet_where_standard_error_is_no_terminal(cli, notebook):
    notebook(*DRIFTED)
    answer = cli("run", "nb.ipynb", "--policy", "deploy")
    assert answer.code == 10
    assert answer.err == ""
    assert "version 2" in answer.out


def test_errors_are_a_document_too_where_json_is_asked_for(cli):
    answer = cli("run", "none.ipynb", "--json")
    assert json.loads(answer.out) == {"status": "error", "message": answer.err.strip(), "exit_code": 2}
