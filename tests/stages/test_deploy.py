"""Everywhere or nowhere: all surfaces hold the new notebook, or all hold the old."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_selfcode.plugins.deployers.file import FileDeployer
from jupyter_selfcode.plugins.deployers.memory import MemoryDeployer, Step
from jupyter_selfcode.stages.deploy import deploy, with_pointers
from jupyter_selfcode.values.errors import DeployError, StalePatch
from jupyter_selfcode.values.notebook import POINTER, Cell, Notebook
from jupyter_selfcode.values.patch import InsertCell, Patch, ReplaceSource
from jupyter_selfcode.values.version import make_version
from tests.notebook_files import jupyter, raw_notebook

OLD = Notebook((Cell("a", "code", "1"), Cell("b", "code", "2")))
NEW = Notebook((Cell("a", "code", "10"), Cell("b", "code", "2")))
PATCH = Patch(OLD.digest, (ReplaceSource("a", "10"),))
VERSION = make_version(
    parents=(), patch=PATCH, notebook=NEW.digest, kind="adapt", by="person", at="2026-01-01", level=2
)
STEPS: list[Step | None] = [None, "prepare", "commit", "after commit"]


@given(
    st.lists(st.sampled_from(STEPS), min_size=1, max_size=5),
    st.sampled_from([DeployError("told"), OSError("gone"), KeyboardInterrupt()]),
)
def test_all_surfaces_hold_the_new_notebook_or_all_hold_the_old(fails: list[Step | None], error: BaseException):
    surfaces = [MemoryDeployer(OLD, step, error) for step in fails]
    if any(fails):
        expected = KeyboardInterrupt if isinstance(error, KeyboardInterrupt) else (DeployError, OSError)
        with pytest.raises(expected):
            deploy(surfaces, OLD, NEW, VERSION)
        assert [s.read() for s in surfaces] == [OLD] * len(fails)
    else:
        deploy(surfaces, OLD, NEW, VERSION)
        assert [s.read() for s in surfaces] == [NEW] * len(fails)


def test_nothing_is_committed_before_all_are_prepared():
    one, two = MemoryDeployer(OLD), MemoryDeployer(OLD, "prepare")
    with pytest.raises(DeployError):
        deploy([one, two], OLD, NEW, VERSION)
    assert one.steps == ["prepare", "discard"]


def test_a_surface_that_fails_half_way_is_reverted_first_and_the_rest_discarded():
    one, two, three = MemoryDeployer(OLD), MemoryDeployer(OLD, "after commit"), MemoryDeployer(OLD)
    with pytest.raises(DeployError):
        deploy([one, two, three], OLD, NEW, VERSION)
    assert one.steps == ["prepare", "commit", "after commit", "revert"]
    assert two.steps == ["prepare", "commit", "after commit", "revert"]
    assert three.steps == ["prepare", "discard"]


def test_a_surface_that_holds_another_notebook_stops_all():
    surfaces = [MemoryDeployer(OLD), MemoryDeployer(NEW)]
    with pytest.raises(StalePatch):
        deploy(surfaces, OLD, NEW, VERSION)
    assert [s.read() for s in surfaces] == [OLD, NEW]


def test_a_surface_that_cannot_be_put_back_is_told_and_does_not_keep_the_others():
    class Stuck(MemoryDeployer):
        def reach(self, step: str) -> None:
            super().reach(step)
            if step == "revert":
                raise DeployError("it is stuck")

    first, stuck, last = MemoryDeployer(OLD), Stuck(OLD), MemoryDeployer(OLD, "commit")
    with pytest.raises(DeployError, match="not all could be put back: it is stuck"):
        deploy([first, stuck, last], OLD, NEW, VERSION)
    assert [s.read() for s in (first, stuck, last)] == [OLD, NEW, OLD]


def test_a_file_goes_back_when_a_later_surface_fails(tmp_path: Path):
    path = tmp_path / "nb.ipynb"
    path.write_bytes(jupyter(raw_notebook()))
    file = FileDeployer(path)
    before = file.read()
    cells = (replace(before.cells[0], source="other"), *before.cells[1:])
    surfaces = [file, MemoryDeployer(before, "after commit")]
    with pytest.raises(DeployError):
        deploy(surfaces, before, Notebook(cells, before.metadata), VERSION)
    assert path.read_bytes() == jupyter(raw_notebook())
    assert list(tmp_path.iterdir()) == [path]


def test_the_cells_that_a_version_changed_name_it_and_the_notebook_names_it():
    after = Notebook((*NEW.cells, Cell("n", "code", "3", {"tags": ["t"]})), {"mine": 1, POINTER: {"kept": True}})
    patch = Patch(OLD.digest, (*PATCH.ops, InsertCell(after.cells[2], "b")))
    version = make_version(
        parents=(), patch=patch, notebook=after.digest, kind="adapt", by="policy", at="2026-01-01", level=0
    )
    pointed = with_pointers(after, version, {"n": "its words"})
    a, b, n = pointed.cells
    assert a.metadata == {POINTER: {"version": version.id, "level": 0, "by": "policy"}}
    assert b.metadata == {}
    assert n.metadata["tags"] == ["t"]
    assert len(n.metadata[POINTER]["intent_hash"]) == 64
    assert pointed.metadata == {"mine": 1, POINTER: {"kept": True, "version": version.id}}
    assert pointed.digest == after.digest


def test_a_restored_cell_keeps_the_pointer_it_had():
    earlier = Notebook((Cell("a", "code", "1", {POINTER: {"version": "v1"}}), OLD.cells[1]))
    back = make_version(
        parents=(), patch=Patch(NEW.digest, (ReplaceSource("a", "1"),)), notebook=earlier.digest, kind="rollback",
        by="person", at="2026-01-01", restores="v1",
    )  # fmt: skip
    pointed = with_pointers(earlier, back, {})
    assert pointed.cells == earlier.cells
    assert pointed.metadata[POINTER]["version"] == back.id
