"""What every store keeps to, run over every store of the package."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from jupyter_selfcode.plugins.stores.sql import SqlStore, beside
from jupyter_selfcode.protocols import Store
from jupyter_selfcode.values.canonical import same
from jupyter_selfcode.values.errors import StoreError
from jupyter_selfcode.values.notebook import Notebook
from tests.histories import NB, adaptation, extend, first
from tests.strategies import notebooks


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made = SqlStore(beside(tmp_path)) if request.param == "file" else SqlStore("sqlite://")
    assert isinstance(made, Store)
    yield made
    made.close()


def test_a_version_has_no_outcome_until_it_is_finished(store: Store):
    version = adaptation((), first())
    assert store.begin(NB, version, first()).number == 1
    assert store.lineage(NB)[0].outcome is None
    store.finish(version.id, "deployed")
    assert store.lineage(NB)[0].outcome == "deployed"


def test_an_outcome_is_written_once(store: Store):
    version = adaptation((), first())
    store.begin(NB, version, first())
    store.finish(version.id, "undone")
    store.finish(version.id, "undone")
    with pytest.raises(StoreError, match="recorded as undone"):
        store.finish(version.id, "deployed")
    with pytest.raises(StoreError, match="not in the history"):
        store.finish("0" * 64, "deployed")
    assert [r.outcome for r in store.lineage(NB)] == ["undone"]


def test_history_only_grows(store: Store):
    seen: list[object] = []
    parents: tuple[str, ...] = ()
    for i in range(5):
        (version,) = extend(store, 1, salt=str(i), parents=parents)
        parents = (version.id,)
        lineage = [(r.number, r.version, r.outcome) for r in store.lineage(NB)]
        assert lineage[: len(seen)] == seen
        assert len(lineage) == len(seen) + 1
        seen = list(lineage)


def test_versions_are_numbered_for_each_notebook_and_the_oldest_comes_first(store: Store):
    extend(store, 3, path="a.ipynb", salt="a")
    extend(store, 2, path="b.ipynb", salt="b")
    assert [r.number for r in store.lineage("a.ipynb")] == [1, 2, 3]
    assert [r.number for r in store.lineage("b.ipynb")] == [1, 2]
    assert [r.number for r in store.lineage("a.ipynb", 2)] == [2, 3]
    assert store.lineage("a.ipynb", 0) == []
    assert store.lineage("c.ipynb") == []
    assert store.verify() == []


def test_a_history_that_is_moved_is_whole_under_its_new_name(store: Store):
    (version,) = extend(store, 1, path="a.ipynb", salt="a")
    store.put_note("a.ipynb", "lesson", "k", "body")
    (other,) = extend(store, 1, path="b.ipynb", salt="b")
    store.put_note("b.ipynb", "lesson", "k", "of the other")
    assert store.holder(version.id) == "a.ipynb"
    store.move("a.ipynb", "b.ipynb")
    store.move("a.ipynb", "b.ipynb")  # said twice: there is nothing there any more
    assert store.holder(version.id) == "b.ipynb"
    assert [r.version.id for r in store.lineage("b.ipynb")] == [version.id]
    assert store.lineage("a.ipynb") == []
    assert dict(store.notes("b.ipynb", "lesson")) == {"k": "body"}
    aside = store.holder(other.id)
    assert aside is not None
    assert aside.startswith("b.ipynb until ")
    assert dict(store.notes(aside, "lesson")) == {"k": "of the other"}
    extend(store, 1, path="b.ipynb", salt="c", parents=(version.id,))
    assert [r.number for r in store.lineage("b.ipynb")] == [1, 2]
    assert store.holder("0" * 64) is None
    assert store.verify() == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(notebook=notebooks())
def test_every_notebook_comes_back_as_it_was(store: Store, notebook: Notebook):
    digest = notebook.digest
    known = any(r.version.notebook == digest for r in store.lineage(NB))
    version = adaptation((), notebook, words=str(len(store.lineage(NB))))
    store.begin(NB, version, notebook)
    back = store.notebook(digest)
    assert back.digest == digest
    assert same(back.bare().over(notebook.bare()), notebook.bare())
    assert known or (
        same(back, notebook) and [list(c.metadata) for c in back.cells] == [list(c.metadata) for c in notebook.cells]
    )


def test_a_notebook_that_is_kept_again_keeps_its_first_pointers(store: Store):
    def pointed(name: str) -> Notebook:
        return Notebook(first().cells, {**first().metadata, "jupyter_selfcode": {"version": name}})

    for name in ("one", "two"):
        store.begin(NB, adaptation((), pointed(name), words=name), pointed(name))
    assert store.notebook(first().digest).metadata["jupyter_selfcode"] == {"version": "one"}


def test_a_notebook_of_many_cells_is_kept(store: Store):
    big = first(cells=5_000)
    store.begin(NB, adaptation((), big), big)
    assert same(store.notebook(big.digest), big)


def test_an_unknown_notebook_is_told(store: Store):
    extend(store, 1)
    with pytest.raises(StoreError, match="does not hold the notebook"):
        store.notebook("0" * 64)


def test_notes_are_kept_replaced_and_dropped_oldest_first(store: Store):
    for key, body in (("a", "1"), ("b", "2\ud800\x00é"), ("a", "3")):
        store.put_note(NB, "waiting", key, body)
    store.put_note(NB, "lesson", "a", "other kind")
    store.put_note("other.ipynb", "waiting", "a", "other notebook")
    assert list(store.notes(NB, "waiting").items()) == [("b", "2\ud800\x00é"), ("a", "3")]
    store.drop_note(NB, "waiting", "b")
    store.drop_note(NB, "waiting", "never there")
    assert store.notes(NB, "waiting") == {"a": "3"}
    assert store.notes(NB, "lesson") == {"a": "other kind"}


def test_a_store_that_was_closed_opens_again(store: Store, request: pytest.FixtureRequest):
    store.put_note(NB, "k", "k", "b")
    store.close()
    kept = "memory" not in request.node.name
    assert store.notes(NB, "k") == ({"k": "b"} if kept else {})
