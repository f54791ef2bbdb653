"""A change reaches the open notebook by the comm, in a real ipykernel; the front end is one that keeps to the protocol."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest

from jupyter_selfcode.plugins.stores.sql import SqlStore, beside

spec = importlib.util.spec_from_file_location("journey_kernels", Path(__file__).with_name("kernels.py"))
kernels = importlib.util.module_from_spec(spec)
sys.modules.setdefault("journey_kernels", kernels)
spec.loader.exec_module(kernels)

pytestmark = pytest.mark.timeout(240)

WORDS = "The mean of stock."
CELL = f"%%selfcode\n{WORDS}"


def started(tmp_path, ids=True):
    """A front end whose kernel has our extension; without `ids`, what it asks for does not say which cell it is."""
    model = kernels.recorded(tmp_path / "answers.jsonl", (WORDS, kernels.edit("w", "mean = sum(stock) / len(stock)")))
    made = kernels.Lab(tmp_path, ("s", "stock = [1, 2, 3]"), ("w", CELL), ("n", "never = 'run'"))
    assert made.run("%load_ext jupyter_selfcode", "load" if ids else None).status == "ok"
    settings = f"%config SelfCode.model = {model!r}\n%config SelfCode.proposers = ['llm']"
    assert made.run(settings, "set" if ids else None).status == "ok"
    return made


@pytest.fixture
def lab(tmp_path):
    made = started(tmp_path)
    made.run_cell("s")
    yield made
    made.close()


def said(lab, kind):
    return [m for m in lab.heard if m["type"] == kind]


def test_accepting_edits_the_cell_and_one_line_says_so(lab):
    assert "Proposed" in lab.run_cell("w").text
    answer = lab.click("accept")
    assert answer.status == "ok", answer.text
    assert "Changed in the open notebook: cell 2." in answer.text
    assert answer.payload == []
    assert lab.cells["w"]["source"].endswith("mean = sum(stock) / len(stock)")
    assert lab.cells["w"]["metadata"]["jupyter_selfcode"]["by"] == "person"
    assert lab.value("mean") == "2.0"
    assert answer.data["data"]["status"] == "deployed"
    assert answer.data["view"]["blocks"][0]["block"] == "title"

    back = lab.click("rollback")
    assert back.status == "ok", back.text
    assert lab.cells["w"]["source"] == CELL
    assert "jupyter_selfcode" not in lab.cells["w"]["metadata"]


def test_what_is_typed_and_never_run_nor_saved_is_part_of_the_notebook(lab):
    lab.type_in("n", "never = 'typed'")
    lab.run_cell("w")
    lab.click("accept")
    edits = said(lab, "edit")
    assert {op["cell_id"] for op in edits[-1]["ops"]} == {"w", None}
    shown = lab.click("show").data["data"]
    assert shown["number"] == 2
    assert lab.cells["n"]["source"] == "never = 'typed'"


def test_text_that_was_typed_meanwhile_wins_and_the_change_waits_again(lab):
    lab.run_cell("w")
    asking = {"client": lab.name, "notebook": lab.document, "seen": lab.seen}
    request = lab.send("%selfcode accept", jupyter_selfcode=asking)
    lab.type_in("w", "mean = 'mine'")
    assert lab.receive(request).status == "ok"
    assert lab.cells["w"]["source"] == "mean = 'mine'"
    waits = lab.click("").data["data"]["waiting"]
    assert len(waits) == 1
    again = lab.click(f"accept {waits[0]}")
    assert again.status == "ok", again.text
    assert lab.cells["w"]["source"].endswith("mean = sum(stock) / len(stock)")
    history = lab.click("history").data["data"]["versions"]
    assert [r["kind"] for r in history] == ["initial", "adapt", "edit", "adapt"]


def test_a_client_that_does_not_answer_is_gone_and_the_next_change_goes_another_way(lab):
    lab.run_cell("w")
    lab.answers = False
    lab.click("accept")
    assert said(lab, "edit")
    before = len(said(lab, "edit"))
    back = lab.click("undo")
    assert len(said(lab, "edit")) == before
    assert "open notebook" not in back.text
    assert "paste" in back.text.lower() or "once more" in back.text


def test_a_notebook_from_before_the_newest_edit_is_not_what_is_shown(lab):
    lab.run_cell("w")
    old, seen = [dict(c) for c in lab.document["cells"]], lab.seen
    lab.click("accept")
    lab.say(type="document", notebook={"cells": old, "metadata": {}}, seen=seen)
    assert lab.run("%selfcode diff", "x").text.count("no difference") == 1


def test_what_is_at_work_is_told_while_it_works_and_what_changed_after(lab):
    lab.run_cell("w")
    stages = [m["working"]["stage"] for m in said(lab, "working")]
    assert {"describe", "gather", "propose", "screen", "validate", "decide"} <= set(stages)
    assert said(lab, "rest")
    assert said(lab, "changed")[-1]["waiting"]
    assert said(lab, "welcome")[0]["settings"]["policy"] == "propose"


def test_what_a_cell_prints_when_it_runs_again_is_bracketed(lab):
    lab.run_cell("w")
    lab.click("accept")
    kinds = [(m["type"], m.get("cell_id")) for m in lab.heard if m["type"] in ("running", "ran", "edit")]
    assert kinds == [("running", "w"), ("ran", "w"), ("edit", None)]


def test_where_a_server_runs_the_cells_and_does_not_say_which_all_is_as_ever(tmp_path):
    lab = started(tmp_path, ids=False)
    (tmp_path / "nb.ipynb").write_text(json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    try:
        for cell in ("s", "w"):
            lab.tell()
            lab.run(lab.cells[cell]["source"])
        assert lab.click("accept").data["data"]["status"] == "deployed"
        assert lab.cells["w"]["source"].endswith("mean = sum(stock) / len(stock)")
        assert lab.value("mean") == "2.0"
    finally:
        lab.close()
    assert [r.version.kind for r in SqlStore(beside(tmp_path)).lineage("nb.ipynb")] == ["initial", "adapt"]
