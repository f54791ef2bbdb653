"""Whole trips in a real ipykernel, as any front end makes them: words, proposal, decision, live variables, and back."""

from __future__ import annotations

import importlib.util
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

spec = importlib.util.spec_from_file_location("journey_kernels", Path(__file__).with_name("kernels.py"))
kernels = importlib.util.module_from_spec(spec)
sys.modules["journey_kernels"] = kernels
spec.loader.exec_module(kernels)
edit, recorded = kernels.edit, kernels.recorded

pytestmark = pytest.mark.timeout(240)

WORDS = 'Don\'t use {braces}: the mean of "stock", at 100 % for $5.'


@pytest.fixture
def open_front_end(tmp_path):
    """Starts kernels in the test's folder, and ends them."""
    opened = []

    def start(*answers, policy="propose", **environment):
        model = recorded(tmp_path / "answers.jsonl", *answers)
        front_end = kernels.FrontEnd(tmp_path, **environment)
        opened.append(front_end)
        assert front_end.run("%load_ext jupyter_selfcode", "load").status == "ok"
        settings = f"%config SelfCode.model = {model!r}\n%config SelfCode.proposers = ['llm']\n%config SelfCode.policy = {policy!r}"
        assert front_end.run(settings, "set").status == "ok"
        return front_end

    yield start
    for front_end in opened:
        front_end.close()


def test_words_become_a_proposal_and_then_the_cell_and_its_variables(open_front_end):
    at = open_front_end((WORDS, edit("w", "average = sum(stock) / len(stock)\naverage")))
    assert at.run("stock = [1, 2, 3]", "s").status == "ok"
    asked = at.run(f"%%selfcode\n{WORDS}", "w")
    assert "Proposed: 1 cell would change" in asked.text
    assert "%selfcode accept" in asked.text
    assert "<code" in asked.html
    assert "{braces}" in asked.text
    assert asked.status == "error"  # quietly: "Run All" stops here
    assert "waits for your decision" in asked.evalue
    assert not any("ename" in o for o in asked.outputs)
    assert at.value("'average' in globals()") == "False"

    accepted = at.run("%selfcode accept", "x")
    assert accepted.status == "ok", accepted.text
    assert at.value("average") == "2.0"
    assert "Run cell 3 (w) once more and it takes its new content" in " ".join(accepted.text.split())
    assert "average = sum(stock) / len(stock)" in accepted.text

    taken = at.run(f"%%selfcode\n{WORDS}", "w")
    assert taken.status == "ok"
    assert taken.replaced.startswith("%%selfcode\n")
    assert "100 % for $5" in taken.replaced
    assert taken.outputs[-1]["data"]["text/plain"] or taken.outputs

    back = at.run("%selfcode undo", "x")
    assert back.status == "ok", back.text
    assert at.value("'average' in globals()") == "False"
    assert at.run("%selfcode redo", "x").status == "ok"
    assert at.value("average") == "2.0"
    for line in ("", "history --graph", "why w", "blame w", "cost", "verify", "doctor"):
        shown = at.run(f"%selfcode {line}", "x")
        assert shown.status == "ok", shown.text
        assert shown.html


def test_accepting_in_the_words_own_cell_replaces_its_content(open_front_end):
    at = open_front_end((WORDS, edit("w", "m = 1")))
    at.run(f"%%selfcode\n{WORDS}", "w")
    accepted = at.run("%selfcode accept", "w")
    assert accepted.status == "ok", accepted.text
    assert accepted.replaced.endswith("m = 1")
    assert "This cell's content was replaced." in accepted.text


def test_a_cell_that_fails_is_mended_by_the_policy_and_has_then_succeeded(open_front_end):
    words = "The shares, adding up to one.\n\n>>> round(sum(shares), 6)\n1.0"
    at = open_front_end(
        ("The shares, adding up to one.", edit("g", "shares = [x / sum(stock) for x in stock]\nshares")),
        policy="deploy",
    )
    at.run("stock = [1, 3]", "s")
    mended = at.run(f'%%selfcode\n"""{words}\n"""\nshares = [x / total for x in stock]\nshares', "g")
    assert mended.status == "ok", mended.text
    assert mended.replaced.endswith("shares = [x / sum(stock) for x in stock]\nshares")
    assert "NameError: name 'total' is not defined\n" not in mended.text.split("Deployed")[0]
    assert "[0.25, 0.75]" in mended.text
    assert at.value("shares") == "[0.25, 0.75]"


def test_a_mended_cell_takes_its_new_code_when_it_is_run_again_and_the_old_after_undo(open_front_end):
    at = open_front_end(("In order.", edit("g", "ordered = sorted(stock)")))
    old = '%%selfcode\n"""In order.\n\n>>> ordered\n[1, 3]\n"""\nordered = list(stock)'
    at.run("stock = [3, 1]", "s")
    assert "Proposed" in at.run(old, "g").text
    accepted = at.run("%selfcode accept", "x")
    assert "Run cell 3 (g) once more and it takes its new content" in " ".join(accepted.text.split()), accepted.text
    again = at.run(old, "g")
    assert again.status == "ok", again.text
    assert again.replaced.endswith("ordered = sorted(stock)")
    assert "Proposed" not in again.text
    assert at.run(again.replaced, "g").replaced is None

    undone = at.run("%selfcode undo", "x")
    assert "Run cell 3 (g) once more" in " ".join(undone.text.split()), undone.text
    redone = at.run("%selfcode redo", "x")
    assert "Cell 3 (g) shows this still" in redone.text, redone.text
    assert at.value("ordered") == "[1, 3]"


def test_words_that_undo_brought_back_are_taken_and_not_run(open_front_end):
    words = WORDS + "\n\n>>> m\n1"
    at = open_front_end((WORDS, edit("w", "m = len([0])")))
    at.run(f"%%selfcode\n{words}", "w")
    accepted = at.run("%selfcode accept", "w")
    at.run(accepted.replaced, "w")
    at.run("%selfcode undo", "x")
    back = at.run(accepted.replaced, "w")
    assert back.status == "ok", back.text
    assert back.replaced == f"%%selfcode\n{words}"
    assert "Run it once more to have code for these words." in " ".join(back.text.split())
    assert at.value("'m' in globals()") == "False"


def test_a_broken_contract_is_an_error_with_a_proposal_under_it(open_front_end):
    at = open_front_end(("In order.", edit("g", "ordered = sorted(stock)")))
    at.run("stock = [3, 1]", "s")
    broken = at.run('%%selfcode\n"""In order.\n\n>>> ordered\n[1, 3]\n"""\nordered = list(stock)', "g")
    assert broken.status == "error"
    assert broken.ename == "ContractBroken"
    assert "the contract says [1, 3]" in broken.text
    assert "Proposed" in broken.text
    assert at.run("%selfcode accept", "g").replaced.endswith("ordered = sorted(stock)")
    assert at.value("ordered") == "[1, 3]"


def test_fix_mends_the_cause_above_and_rollback_restores(open_front_end):
    at = open_front_end(("it's the {rate}", edit("a", "rate = float('0.5')")))
    at.run("rate = '0.5'", "a")
    assert at.run("total = 2 * rate + 1", "b").status == "error"
    fixed = at.run("%selfcode fix it's the {rate}", "x")
    assert "Proposed" in fixed.text, fixed.text
    assert at.run("%selfcode accept", "x").status == "ok"
    assert at.value("total") == "2.0"
    assert at.run("%selfcode rollback 1", "x").status in ("ok", "error")
    assert at.value("rate") in ("'0.5'", "0.5")


def test_an_interrupt_stops_at_once_and_leaves_no_kernel_behind(open_front_end):
    at = open_front_end((WORDS, edit("w", "m = 1")))
    at.run("import time\ntime.sleep(0.01)\nslow = 30", "s")
    at.run("import os\nif os.environ.get('JUPYTER_SELFCODE_HOST'):\n    time.sleep(slow)", "t")
    before = {p.pid for p in at.children()}
    request = at.send(f"%%selfcode\n{WORDS}", "w")
    end = time.monotonic() + 60
    while not (started := [p for p in at.children() if p.pid not in before]) and time.monotonic() < end:
        time.sleep(0.1)
    assert started
    time.sleep(2)
    at.interrupt()
    stopped = at.receive(request)
    assert stopped.status == "error"
    assert "Stopped; nothing was changed." in stopped.text
    end = time.monotonic() + 20
    while [p for p in at.children() if p.pid not in before] and time.monotonic() < end:
        time.sleep(0.1)
    left = [p.cmdline() for p in at.children() if p.pid not in before and p.status() != psutil.STATUS_ZOMBIE]
    assert not left
    assert at.value("slow") == "30"


def test_cells_queued_behind_words_that_wait_are_not_run(open_front_end):
    at = open_front_end((WORDS, edit("w", "m = 1")))
    first, second = at.send(f"%%selfcode\n{WORDS}", "w"), at.send("behind = 1", "b")
    assert at.receive(first).status == "error"
    assert at.receive(second).status in ("error", "aborted")
    assert at.value("'behind' in globals()") == "False"


def test_the_file_behind_the_kernel_gives_the_cells_that_were_never_run(open_front_end, tmp_path):
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [
        nbformat.v4.new_code_cell(s, id=i) for i, s in (("a", "n = 1"), ("b", "n += 1"), ("c", "never = n"))
    ]
    nbformat.write(notebook, tmp_path / "nb.ipynb")
    at = open_front_end(("ten", edit("a", "n = 10")), JPY_SESSION_NAME=str(tmp_path / "nb.ipynb"))
    at.run("n = 1", "a")
    at.run("n += 1", "b")
    proposed = at.run("%selfcode adapt --cell a ten", "x")
    assert "Proposed" in proposed.text, proposed.text
    assert at.run("%selfcode accept", "x").status == "ok"
    assert at.value("n") == "11"
    assert at.value("'never' in globals()") == "False"
    assert (tmp_path / ".selfcode").is_dir()
    assert "nb.ipynb" in at.run("%selfcode history", "x").text


def test_in_plain_nbclient_a_kept_cell_runs_and_words_stop_the_notebook(tmp_path):
    model = recorded(tmp_path / "answers.jsonl", (WORDS, edit("in-4", "m = 1")))
    sources = [
        "%load_ext jupyter_selfcode", f"%config SelfCode.model = {model!r}\n%config SelfCode.proposers = ['llm']",
        '%%selfcode\n"""Three.\n\n>>> n\n3\n"""\nn = 3\nn', f"%%selfcode\n{WORDS}", "behind = 1",
    ]  # fmt: skip
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in sources])
    client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}})
    with pytest.raises(CellExecutionError, match="waits for your decision"):
        client.execute()
    assert notebook.cells[2].outputs[0]["data"]["text/plain"] == "3"
    assert any("Proposed" in o.get("data", {}).get("text/plain", "") for o in notebook.cells[3].outputs)
    assert notebook.cells[4].execution_count is None


def test_a_command_that_cannot_be_done_fails_its_cell_in_one_line(open_front_end):
    at = open_front_end()
    for line in ("accept", "nonsense", "show 9"):
        answer = at.run(f"%selfcode {line}", "x")
        assert answer.status == "error"
        assert len(answer.outputs) == 1
        assert len(answer.outputs[0]["traceback"]) == 1
