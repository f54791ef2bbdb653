"""A change is alive while something of it is still so."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jupyter_selfcode.analysis.surviving import alive
from jupyter_selfcode.values.notebook import Cell, Notebook
from jupyter_selfcode.values.patch import Patch, diff
from jupyter_selfcode.values.version import Recorded, Version, make_version

from ..histories import adaptation


def notebook(**cells):
    return Notebook(tuple(Cell(name, "code", source) for name, source in cells.items()))


class History:
    """A notebook that is changed step by step, and what is recorded of it."""

    def __init__(self, **cells):
        self.first = self.now = notebook(**cells)
        self.lineage: list[Recorded] = []
        self.put(make_version(parents=(), patch=Patch(self.first.digest), notebook=self.first.digest, kind="initial", by="person", at="2026"))

    def put(self, version: Version) -> str:
        self.lineage.append(Recorded(version, "deployed", len(self.lineage) + 1))
        return version.id

    def to(self, kind="adapt", restores=None, **cells):
        after = notebook(**cells)
        made = adaptation(
            (self.lineage[-1].version.id,), after, diff(self.now, after), kind=kind, restores=restores, words=str(len(self.lineage))
        )
        self.now = after
        return self.put(made)

    def alive(self, now=None):
        return alive(self.lineage, self.first, now or self.now)


def test_a_change_is_alive_while_one_line_of_it_stands():
    history = History(a="x = 1\ny = 2")
    made = history.to(a="x = 10\ny = 20")
    assert made in history.alive()
    assert made in history.alive(notebook(a="x = 10"))
    assert made not in history.alive(notebook(a="x = 3"))


def test_a_change_whose_lines_another_rewrote_is_gone_and_the_other_alive():
    history = History(a="x = 1\ny = 2")
    first = history.to(a="x = 10\ny = 2")
    second = history.to(a="x = 100\ny = 2")
    assert first not in history.alive()
    assert second in history.alive()


def test_a_line_that_was_there_before_is_not_the_change_s():
    history = History(a="x = 1\ny = 2")
    made = history.to(a="x = 10\ny = 2")
    assert made not in history.alive(notebook(a="y = 2"))


def test_what_was_undone_is_gone_and_what_is_redone_lives_again():
    history = History(a="x = 1")
    made = history.to(a="x = 2")
    history.to("undo", restores=history.lineage[0].version.id, a="x = 1")
    assert made not in history.alive()
    history.to("redo", restores=made, a="x = 2")
    assert made in history.alive()


def test_the_change_before_the_one_that_was_undone_is_alive_again():
    history = History(a="x = 1")
    first = history.to(a="x = 2")
    second = history.to(a="x = 3")
    assert first not in history.alive()
    history.to("undo", restores=first, a="x = 2")
    assert first in history.alive()
    assert second not in history.alive()


def test_a_line_that_a_person_wrote_again_is_the_person_s():
    history = History(a="x = 1")
    made = history.to(a="x = 2")
    history.to("edit", a="x = 3")
    history.to("edit", a="x = 2")
    assert made not in history.alive()


def test_a_change_that_only_took_lines_away_is_alive_until_they_are_back():
    history = History(a="x = 1\nwarn()", b="y = 2")
    lines = history.to(a="x = 1", b="y = 2")
    cell = history.to(a="x = 1")
    assert {lines, cell} <= history.alive()
    back = notebook(a="x = 1\nwarn()", b="y = 2")
    assert not {lines, cell} & history.alive(back)


def test_a_change_that_only_moved_a_cell_is_alive_while_the_cell_is_there():
    history = History(a="x = 1", b="y = 2")
    made = history.to(b="y = 2", a="x = 1")
    assert made in history.alive()
    assert made not in history.alive(notebook())


def test_a_version_that_was_not_deployed_is_not_alive():
    history = History(a="x = 1")
    failed = adaptation((), notebook(a="x = 2"), diff(history.first, notebook(a="x = 2")))
    history.lineage.append(Recorded(failed, "failed", 2))
    assert failed.id not in history.alive(notebook(a="x = 2"))


SOURCES = st.lists(st.sampled_from(["x = 1", "y = 2", "z = x", "", "    z = 3"]), max_size=4).map("\n".join)


STEPS = st.lists(st.dictionaries(st.sampled_from("abc"), SOURCES), max_size=6)


@given(STEPS, SOURCES)
def test_right_after_it_was_made_a_change_is_alive(steps, start):
    history = History(a=start)
    for cells in steps:
        if notebook(**cells) != history.now:
            made = history.to(**cells)
            assert made in history.alive()


@given(STEPS, SOURCES)
def test_what_is_back_at_the_beginning_has_no_change_alive(steps, start):
    history = History(a=start)
    made = {history.to(**cells) for cells in steps if notebook(**cells) != history.now}
    history.to("rollback", restores=history.lineage[0].version.id, a=start)
    assert not made & history.alive()
