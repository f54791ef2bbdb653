"""Changes, hand edits, rollback, undo and redo of a notebook file, with the real store: what comes back is what was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jupyter_selfcode.engine import Engine, settle
from jupyter_selfcode.plugins.deployers.file import FileDeployer
from jupyter_selfcode.plugins.deployers.memory import MemoryDeployer
from jupyter_selfcode.plugins.stores.sql import SqlStore, beside
from jupyter_selfcode.stages import record
from jupyter_selfcode.stages.deploy import with_pointers
from jupyter_selfcode.values.canonical import same
from jupyter_selfcode.values.errors import DeployError, Locked, StalePatch
from jupyter_selfcode.values.notebook import POINTER, Cell, Notebook
from jupyter_selfcode.values.patch import DeleteCell, InsertCell, MoveCell, ReplaceSource, SetMetadata
from jupyter_selfcode.values.version import head, redo_target, undo_target
from tests.changes import accept, engine_with, proposal
from tests.histories import NB
from tests.notebook_files import jupyter, raw_notebook


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / NB
    file.write_bytes(jupyter(raw_notebook()))
    return file


@pytest.fixture
def engine(path: Path) -> Iterator[Engine]:
    store = SqlStore(beside(path.parent))
    yield engine_with(store)
    assert store.verify() == []
    store.close()


def on_disk(path: Path) -> dict[str, Any]:
    """What the author wrote, as the file has it: no outputs, none of our metadata."""
    raw: dict[str, Any] = json.loads(path.read_bytes())
    for held in (raw, *raw["cells"]):
        held["metadata"].pop(POINTER, None)
        held.pop("outputs", None)
        held.pop("execution_count", None)
    return raw


def go(engine: Engine, surface: FileDeployer, kind: Any) -> None:
    lineage = engine.store.lineage(NB)
    wanted = redo_target(lineage) if kind == "redo" else undo_target(lineage)
    target = next(r.version for r in lineage if r.version.id == wanted)
    engine.restore(target, kind, [surface], NB, "person")


def test_rollback_brings_back_sources_ids_order_metadata_and_attachments_exactly(engine: Engine, path: Path):
    surface, at_first = FileDeployer(path), on_disk(path)
    accept(
        engine, surface, ReplaceSource("load", "x = 2"), DeleteCell("top"), MoveCell("raw"), SetMetadata("use", {"k": 1.0}),
        InsertCell(Cell("new", "code", "1"), "use"), SetMetadata(None, {"other": True}),
    )  # fmt: skip
    changed = on_disk(path)
    assert changed != at_first
    first, second = engine.store.lineage(NB)
    engine.restore(first.version, "rollback", [surface], NB, "person")
    assert on_disk(path) == at_first
    assert list(on_disk(path)["cells"][1]["metadata"]["vendor"]) == list(at_first["cells"][1]["metadata"]["vendor"])
    engine.restore(second.version, "rollback", [surface], NB, "person")
    assert on_disk(path) == changed
    assert [r.version.kind for r in engine.store.lineage(NB)] == ["initial", "adapt", "rollback", "rollback"]


def test_undo_and_redo_walk_through_the_states(engine: Engine, path: Path):
    surface = FileDeployer(path)
    states = [on_disk(path)]
    for i in range(3):
        accept(engine, surface, ReplaceSource("use", f"x + {i + 10}"))
        states.append(on_disk(path))
    for i in (2, 1, 0):
        go(engine, surface, "undo")
        assert on_disk(path) == states[i]
    for i in (1, 2, 3):
        go(engine, surface, "redo")
        assert on_disk(path) == states[i]
    assert undo_target(engine.store.lineage(NB)) is not None
    assert redo_target(engine.store.lineage(NB)) is None


def test_what_front_ends_write_by_themselves_is_no_edit_and_stays_through_changes_and_back(engine: Engine, path: Path):
    def run_in_a_front_end(at: str) -> None:
        raw = json.loads(path.read_bytes())
        raw["metadata"]["language_info"] = {"name": "python", "version": at}
        raw["cells"][1]["metadata"] |= {"execution": {"iopub.execute_input": at}, "collapsed": True}
        path.write_bytes(jupyter(raw))

    surface, at_first = FileDeployer(path), on_disk(path)
    accept(engine, surface, ReplaceSource("load", "x = 2"), SetMetadata("use", {"k": 1}))
    run_in_a_front_end("one")
    accept(engine, surface, ReplaceSource("load", "x = 3"))
    run_in_a_front_end("two")
    first = engine.store.lineage(NB)[0].version
    engine.restore(first, "rollback", [surface], NB, "person")
    assert [r.version.kind for r in engine.store.lineage(NB)] == ["initial", "adapt", "adapt", "rollback"]
    found = on_disk(path)
    assert found["metadata"].pop("language_info")["version"] == "two"
    assert found["cells"][1]["metadata"].pop("execution") == {"iopub.execute_input": "two"}
    assert found["cells"][1]["metadata"].pop("collapsed") is True
    at_first["metadata"].pop("language_info", None)
    assert found == at_first


def test_outputs_of_cells_that_a_rollback_leaves_alone_stay(engine: Engine, path: Path):
    surface = FileDeployer(path)
    accept(engine, surface, ReplaceSource("use", "x + 2"))
    go(engine, surface, "undo")
    assert json.loads(path.read_bytes())["cells"][1] == raw_notebook()["cells"][1]


def test_pointers_name_the_version_that_changed_a_cell(engine: Engine, path: Path):
    surface = FileDeployer(path)
    one = accept(engine, surface, ReplaceSource("use", "x + 2"))
    two = accept(engine, surface, ReplaceSource("load", "x = 2"))
    assert surface.read().cell("use").metadata[POINTER]["version"] == one.id
    assert surface.read().cell("load").metadata[POINTER]["version"] == two.id
    go(engine, surface, "undo")
    held = surface.read()
    assert held.cell("use").metadata[POINTER]["version"] == one.id
    assert POINTER not in held.cell("load").metadata
    assert held.metadata[POINTER]["version"] == engine.store.lineage(NB)[-1].version.id


def test_what_a_person_changed_in_between_is_a_version_of_the_persons_own(engine: Engine, path: Path):
    surface = FileDeployer(path)
    accept(engine, surface, ReplaceSource("use", "x + 2"))
    go(engine, surface, "undo")
    path.write_bytes(path.read_bytes().replace("# Été".encode(), b"# Summer"))
    accept(engine, surface, ReplaceSource("use", "x + 3"))
    *_, edit, last = engine.store.lineage(NB)
    assert (edit.version.kind, edit.version.by) == ("edit", "person")
    assert edit.version.patch.cells == ("top",)
    assert [op.op for op in edit.version.patch.ops] == ["replace"]
    assert last.version.parents == (edit.version.id,)
    go(engine, surface, "undo")
    assert surface.read().cell("top").source.startswith("# Summer")


def test_a_failing_surface_leaves_the_file_and_a_version_that_says_undone(engine: Engine, path: Path):
    file = FileDeployer(path)
    old = path.read_bytes()
    decided = proposal(file.read(), ReplaceSource("use", "x + 2"))
    surfaces = [file, MemoryDeployer(file.read(), "after commit")]
    with pytest.raises(DeployError):
        engine.accept(decided, decided.decision.trial, surfaces, NB, "person")
    assert path.read_bytes() == old
    assert [r.outcome for r in engine.store.lineage(NB)] == ["deployed", "undone"]
    assert undo_target(engine.store.lineage(NB)) is None


def test_a_change_for_an_older_state_is_refused_and_nothing_is_recorded(engine: Engine, path: Path):
    surface = FileDeployer(path)
    decided = proposal(surface.read(), ReplaceSource("use", "x + 2"))
    path.write_bytes(path.read_bytes().replace(b"x + 1", b"x + 9"))
    now = path.read_bytes()
    with pytest.raises(StalePatch):
        engine.accept(decided, decided.decision.trial, [surface], NB, "person")
    assert path.read_bytes() == now
    assert engine.store.lineage(NB) == []


def test_a_rollback_does_not_change_what_the_author_locked_since(engine: Engine, path: Path):
    surface = FileDeployer(path)
    accept(engine, surface, ReplaceSource("use", "x + 2"))
    raw = json.loads(path.read_bytes())
    raw["cells"][2]["metadata"]["editable"] = False
    path.write_bytes(jupyter(raw))
    old = path.read_bytes()
    with pytest.raises(Locked, match="editable: false"):
        engine.restore(engine.store.lineage(NB)[0].version, "rollback", [surface], NB, "person")
    assert path.read_bytes() == old


@pytest.mark.parametrize("reached", ["not reached", "reached", "reached and edited since"])
def test_an_interrupted_version_is_finished_or_undone_by_what_the_notebook_holds(
    engine: Engine, path: Path, reached: str
):
    surface = FileDeployer(path)
    accept(engine, surface, ReplaceSource("use", "x + 2"))
    before = surface.read()
    after = Notebook(tuple(replace(c, source="x + 3") if c.id == "use" else c for c in before.cells), before.metadata)
    decided = proposal(before, ReplaceSource("use", "x + 3"))
    version = record.adapted(engine.store.lineage(NB), decided, decided.decision.trial, after, "person")
    pointed = with_pointers(after, version, {})
    engine.store.begin(NB, version, pointed)
    if reached != "not reached":
        surface.prepare(before, pointed, version).commit()
    if reached == "reached and edited since":
        path.write_bytes(path.read_bytes().replace(b"x + 3", b"x + 33"))
    (line,) = settle(engine.store, NB, surface.read())
    outcome = engine.store.lineage(NB)[-1].outcome
    assert outcome == ("undone" if reached == "not reached" else "deployed")
    assert line.startswith("Version 3 was interrupted")
    assert settle(engine.store, NB, surface.read()) == []
    newest = head(engine.store.lineage(NB))
    assert newest is not None
    assert (newest.version.id == version.id) == (reached != "not reached")


def test_a_notebook_without_ids_can_be_changed_and_brought_back(engine: Engine, path: Path):
    raw = raw_notebook()
    for cell in raw["cells"]:
        del cell["id"]
    path.write_bytes(jupyter({**raw, "nbformat_minor": 2}))
    surface = FileDeployer(path)
    before = surface.read()
    accept(engine, surface, ReplaceSource(before.cells[2].id, "x + 2"))
    go(engine, surface, "undo")
    assert same(surface.read().bare(), before)
