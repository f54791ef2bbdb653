"""`check --suggest` shows what was true of a run and adds nothing; `check --take` adds what a person names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jupyter_selfcode.commands import parse_line
from jupyter_selfcode.config import SelfCode
from jupyter_selfcode.plugins.deployers.memory import MemoryDeployer
from jupyter_selfcode.plugins.sandboxes.scripted import ScriptedSandbox
from jupyter_selfcode.plugins.stores.sql import SqlStore
from jupyter_selfcode.selfcode import Workspace, make_engine
from jupyter_selfcode.values.errors import BadInput
from jupyter_selfcode.values.notebook import Cell, Notebook

CELL = '%%selfcode\n"""The shares of each store.\n\n>>> len(parts)\n2\n"""\ntotal = a + b\nparts = [a / total, b / total]\nlow = min(parts)'


@pytest.fixture
def workspace(tmp_path):
    settings = SelfCode()
    store = SqlStore(f"sqlite:///{tmp_path / 'history.sqlite'}")
    engine = replace(make_engine(settings, store), sandbox=ScriptedSandbox(), mutant_seconds=60.0)
    nb = Notebook((Cell("c0", "code", "a, b = 3.0, 5.0"), Cell("c1", "code", CELL), Cell("c2", "code", "1 / 0")))
    made = Workspace(settings, tmp_path, "nb.ipynb", [MemoryDeployer(nb)], store, engine)
    yield made
    made.close()


def say(workspace: Workspace, line: str) -> Any:
    command, args = parse_line(line)
    return command.run(workspace, args, lambda event: None)


def test_suggestions_are_numbered_with_reasons_and_nothing_changes(workspace):
    before = workspace.notebook()
    reply = say(workspace, "check --suggest --cell c1")
    data = reply.data
    assert workspace.notebook() == before
    assert workspace.lineage() == []
    assert [s["number"] for s in data["suggestions"]] == [*range(1, len(data["suggestions"]) + 1)]
    low = next(s for s in data["suggestions"] if "low" in s["expression"])
    assert low["catches"] > 0
    assert data["caught_now"] < data["caught_with"] <= data["mistakes"]
    shown = reply.view.text(width=120)
    assert low["expression"] in shown
    assert "nothing is promised yet" in shown
    assert "jupyter selfcode check nb.ipynb --take 1,2 --cell c1" in shown


def test_what_is_taken_is_part_of_the_contract_and_a_version_by_a_person(workspace):
    first = say(workspace, "check --suggest --cell c1").data["suggestions"][0]["expression"]
    reply = say(workspace, "check --take 1 --cell c1")
    assert reply.data["kind"] == "check"
    assert (workspace.lineage()[-1].version.by, workspace.lineage()[-1].version.words) == ("person", f"check {first}")
    source = workspace.notebook().cell("c1").source
    assert f">>> {first}\nTrue\n" in source
    assert source.endswith("low = min(parts)")


def test_what_is_in_the_contract_already_is_not_suggested_again(workspace):
    first = say(workspace, "check --suggest --cell c1").data["suggestions"][0]["expression"]
    say(workspace, "check --take 1 --cell c1")
    again = say(workspace, "check --suggest --cell c1").data["suggestions"]
    assert first not in [s["expression"] for s in again]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["check --take 1 --cell c1"], "Nothing was suggested for cell c1 yet"),
        (["check --suggest --cell c1", "check --take 9 --cell c1"], "by their numbers, 1 to"),
        (["check --suggest --cell c1", "check --take x --cell c1"], "by their numbers, 1 to"),
        (["check --suggest --cell c1", "check total > 1 --cell c1", "check --take 1 --cell c1"], "has changed since"),
        (["check --suggest total > 1 --cell c1"], "Say one of both"),
        (["check --suggest --cell c2"], r"Cell c2 does not run \(ZeroDivisionError: division by zero\)"),
    ],
)
def test_what_cannot_be_is_one_clear_line(workspace, lines, said):
    *first, last = lines
    for line in first:
        say(workspace, line)
    with pytest.raises(BadInput, match=said):
        say(workspace, last)


def test_a_cell_with_nothing_to_say_something_about_says_so(workspace):
    surface = workspace.surfaces[0]
    workspace.surfaces = [MemoryDeployer(Notebook((Cell("c0", "code", "print('hello')"),)))]
    assert surface is not workspace.surfaces[0]
    reply = say(workspace, "check --suggest --cell c0")
    assert reply.data["suggestions"] == []
    assert "Nothing to suggest for cell c0" in reply.view.text(width=100)


def test_nothing_is_measured_where_nothing_is_set_aside(workspace):
    workspace.engine = replace(workspace.engine, mutant_seconds=0.0)
    data = say(workspace, "check --suggest --cell c1").data
    assert data["suggestions"]
    assert data["mistakes"] is None
    assert all(s["catches"] is None for s in data["suggestions"])


def test_no_mistake_is_made_without_a_cage(workspace):
    workspace.engine.sandbox.tier = "C"
    data = say(workspace, "check --suggest --cell c1").data
    assert (data["mistakes"], workspace.engine.sandbox.opened) == (None, 1)
    assert data["suggestions"]


def test_no_secret_becomes_a_promise_or_is_told(workspace, monkeypatch):
    monkeypatch.setenv("SALES_TOKEN", "a-value-that-nobody-may-see")
    cells = (Cell("c0", "code", "key = 'a-value-that-nobody-may-see'\nplace = 'York'"), Cell("c1", "code", "raise ValueError(key)"))
    workspace.surfaces = [MemoryDeployer(Notebook(cells))]
    found = [s["expression"] for s in say(workspace, "check --suggest --cell c0").data["suggestions"]]
    assert found == ["place == 'York'"]
    with pytest.raises(BadInput, match="Cell c1 does not run") as told:
        say(workspace, "check --suggest --cell c1")
    assert "nobody-may-see" not in str(told.value)


def test_no_trial_folder_or_file_is_left(workspace, tmp_path):
    say(workspace, "check --suggest --cell c1")
    assert {p.name for p in Path(tmp_path).iterdir()} <= {"history.sqlite", "history.sqlite-wal", "history.sqlite-shm"}
