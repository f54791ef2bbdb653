"""What a reader sees of two notebooks: the cells that differ and their lines."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jupyter_selfcode.analysis.changes import CellChange, cell_changes
from jupyter_selfcode.values.notebook import POINTER, Cell, Notebook

LINES = st.lists(st.sampled_from(["a", "b", "  c", "", "d # e"]), max_size=12).map("\n".join)


@given(LINES, LINES)
def test_the_lines_of_a_diff_with_all_context_are_both_sources(before, after):
    change = CellChange("a", "changed", "code", 1, before, after)
    if before == after:
        assert list(change.lines()) == []
        return
    old, new = before.splitlines(), after.splitlines()
    lines = [line for line in change.lines(context=100) if line.sign != "@"]
    assert [old[line.old] for line in lines if line.old is not None] in (old, [])
    assert [new[line.new] for line in lines if line.new is not None] in (new, [])


def test_inserted_deleted_moved_and_changed_cells_are_told_apart():
    def cell(cell_id, source=""):
        return Cell(cell_id, "code", source or cell_id)

    a = Notebook((cell("one"), cell("two"), cell("three"), cell("gone")))
    b = Notebook((cell("three"), cell("one"), cell("two", "2"), cell("new")))
    assert {c.cell_id: c.change for c in cell_changes(a, b)} == {
        "three": "moved",
        "two": "changed",
        "new": "inserted",
        "gone": "deleted",
    }


def test_our_own_pointer_is_no_change():
    a = Notebook((Cell("one", "code", "1"),))
    b = Notebook((Cell("one", "code", "1", {POINTER: {"version": "x"}}),))
    assert cell_changes(a, b) == ()
    assert [c.change for c in cell_changes(a, Notebook((Cell("one", "code", "1", {"tags": ["x"]}),)))] == ["metadata"]


def test_a_gap_is_marked():
    before = "\n".join(str(i) for i in range(20))
    text = CellChange("a", "changed", "code", 1, before, before.replace("10", "ten")).unified(1)
    assert text == "@@ line 10 @@\n 9\n-10\n+ten\n 11"
