"""Reading the history: the newest of it, and who made which line, however long it is."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import pytest

from jupyter_selfcode import reading
from jupyter_selfcode.commands import COMMANDS, NEWEST
from jupyter_selfcode.config import SelfCode
from jupyter_selfcode.plugins.deployers.memory import MemoryDeployer
from jupyter_selfcode.plugins.stores.sql import SqlStore
from jupyter_selfcode.selfcode import Workspace, make_engine
from jupyter_selfcode.values.notebook import Cell, Notebook
from jupyter_selfcode.values.patch import diff
from tests.histories import NB, adaptation, extend


class CountingStore(SqlStore):
    """A history that knows how many notebooks were taken out of it."""

    taken = 0

    def notebook(self, digest: str) -> Notebook:
        self.taken += 1
        return super().notebook(digest)


@pytest.fixture
def store(tmp_path):
    made = CountingStore(tmp_path / "history.sqlite")
    yield made
    made.close()


def workspace(store: SqlStore, now: Notebook) -> Workspace:
    settings = SelfCode()
    return Workspace(settings, Path(), NB, [MemoryDeployer(now)], store, make_engine(settings, store))


def asked(workspace: Workspace, word: str, **given: object):
    return COMMANDS[word].run(workspace, Namespace(**given), lambda event: None)


def record(store: SqlStore, states: list[tuple[Cell, ...]], **given: object) -> Notebook:
    """A history of these states, one after the other."""
    before, parents = Notebook(), tuple[str, ...]()
    for cells in states:
        after = Notebook(cells)
        patch = replace(diff(before, after), ops=()) if not parents else diff(before, after)
        version = adaptation(parents, after, patch, **given)
        store.begin(NB, version, after)
        store.finish(version.id, "deployed")
        before, parents = after, (version.id,)
    return before


def test_history_shows_the_newest_versions_and_says_how_many_more_there_are(store):
    extend(store, NEWEST + 7)
    reply = asked(workspace(store, Notebook()), "history", graph=False, all=False)
    numbers = [row["number"] for row in reply.data["versions"]]
    assert numbers == list(range(8, NEWEST + 8))
    assert reply.data["total"] == NEWEST + 7
    text = reply.view.text(width=100)
    assert "57 versions" in text
    assert "7 older versions not shown: jupyter selfcode history nb.ipynb --all" in text


@pytest.mark.parametrize("count", [1, NEWEST])
def test_history_that_is_whole_says_nothing_of_more(store, count):
    extend(store, count)
    assert "not shown" not in asked(workspace(store, Notebook()), "history", graph=False, all=False).view.text()


def test_history_all_shows_all(store):
    extend(store, NEWEST + 7)
    reply = asked(workspace(store, Notebook()), "history", graph=False, all=True)
    assert len(reply.data["versions"]) == reply.data["total"] == NEWEST + 7
    assert "not shown" not in reply.view.text()


def test_a_way_back_beyond_the_versions_shown_leaves_all_between_behind(store):
    made = extend(store, NEWEST + 2)
    target = made[0]
    now = store.notebook(target.notebook)
    patch = diff(store.notebook(made[-1].notebook), now)
    back = adaptation((made[-1].id,), now, patch, kind="rollback", restores=target.id, words="")
    store.begin(NB, back, now)
    store.finish(back.id, "deployed")
    text = asked(workspace(store, now), "history", graph=True, all=False).view.text(width=100)
    assert "rollback to an older one" in text
    assert text.count("○") == NEWEST - 1


def test_blame_names_the_version_of_every_line_through_edits_deletion_and_return(store):
    def one(source: str) -> tuple[Cell, ...]:
        return (Cell("a", "code", source), Cell("b", "code", "y = 1"))

    states = [
        one("first\nsecond"),
        one("first\nsecond\nthird"),
        (Cell("b", "code", "y = 2"),),
        one("first\nTHIRD"),
        (Cell("b", "code", "y = 1"), Cell("a", "code", "first\nTHIRD")),
    ]
    now = record(store, states)
    at_work = workspace(store, now)
    rows = reading.blame(at_work, Cell("a", "code", "first\nTHIRD\nunsaved"))
    assert [(r["line"], r["version"]) for r in rows] == [("first", 1), ("THIRD", 4), ("unsaved", None)]
    assert rows[-1]["kind"] == "not recorded"


def test_blame_does_not_load_a_long_history_notebook_by_notebook(store):
    made = extend(store, 60, cells=2)
    now = store.notebook(made[-1].notebook)
    store.taken = 0
    rows = reading.blame(workspace(store, now), now.cells[1])
    assert rows[0]["version"] == 60
    assert store.taken == 1


def test_cost_adds_up_all_adaptations_and_lists_the_newest(store):
    made = extend(store, 53)
    reply = asked(workspace(store, store.notebook(made[-1].notebook)), "cost")
    assert len(reply.data["by_version"]) == 53
    text = reply.view.text(width=100)
    assert "$13.25" in text
    assert "3 older adaptations not shown one by one" in text
    assert sum("plot 'revenue'" in line for line in text.splitlines()) == 50


def restored(store: SqlStore, parent: str, target: str, before: Notebook, after: Notebook) -> str:
    """A version that restores another one; its id."""
    made = adaptation((parent,), after, diff(before, after), kind="rollback", restores=target, words="")
    store.begin(NB, made, after)
    store.finish(made.id, "deployed")
    return made.id


def test_why_follows_what_was_brought_back_to_the_version_that_made_it(store):
    one, two, three = extend(store, 3, cells=1)
    first, second, third = (store.notebook(v.notebook) for v in (one, two, three))
    back = restored(store, three.id, two.id, third, second)
    reply = asked(workspace(store, second), "why", cell="cell-0")
    assert (reply.data["number"], reply.data["brought_back_by"]) == (2, 4)
    assert "brought back by version 4, rollback" in reply.view.text(width=100)
    restored(store, back, one.id, second, first)
    said = " ".join(asked(workspace(store, first), "why", cell="cell-0").view.text(width=100).split())
    assert "Cell cell-0 is as it was found, brought back by version 5, rollback." in said


def test_history_says_why_where_nobody_said_words(store):
    extend(store, 1)
    now = store.notebook(store.lineage(NB)[0].version.notebook)
    made = adaptation((store.lineage(NB)[0].version.id,), now, words="", rationale="append is gone, concat does it")
    store.begin(NB, made, now)
    store.finish(made.id, "deployed")
    text = asked(workspace(store, now), "history", graph=False, all=False).view.text(width=120)
    assert "adapt  append is gone, concat does it" in text
