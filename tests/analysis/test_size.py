"""How large a change is: what a person has to compare, and how many more ways through the code there are."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from jupyter_selfcode.analysis.size import branches, size_of
from jupyter_selfcode.values.notebook import Cell, Notebook
from jupyter_selfcode.values.size import Size, told
from tests.strategies import notebooks


def one(source: str) -> Notebook:
    return Notebook((Cell("c", "code", source),))


@pytest.mark.parametrize(
    ("before", "after", "size"),
    [
        ("x = 1", "x = 2", Size(1, 1, 0)),
        ("x = 1", "# why\nx = 1\n\n", Size()),
        ("x = 1", '"""Words.\n\n>>> x\n1\n"""\nx = 1', Size()),
        ("x = 1", "%%selfcode\nx = 1", Size()),
        ("a\nb\nc", "a\nc", Size(0, 1, 0)),
        ("x = 1", "if a and b:\n    x = 1", Size(1, 0, 2)),
        ("try:\n    f()\nexcept E:\n    g()", "f()", Size(0, 3, -1)),
        ("%%bash\nls", "%%bash\nls -l", Size(1, 1, 0)),
        ("def f(:", "def f():\n    pass", Size(2, 1, 0)),
    ],
)
def test_code_counts_and_what_is_said_about_it_does_not(before, after, size):
    assert replace(size_of(one(before), one(after)), characters=0) == size


def test_cells_that_come_and_go_count_whole():
    two = Notebook((Cell("a", "code", "x = 1"), Cell("b", "code", "for i in x:\n    y = i")))
    assert size_of(Notebook(two.cells[:1]), two) == Size(2, 0, 1, 16)
    assert size_of(two, Notebook(two.cells[:1])) == Size(0, 2, -1)


@given(notebooks(), notebooks())
def test_the_way_back_is_as_long(a, b):
    there, back = size_of(a, b), size_of(b, a)
    assert there.branches == -back.branches
    assert size_of(a, a) == Size()


@pytest.mark.parametrize(
    ("source", "count"),
    [("x = 1", 0), ("[a for a in b if c if d]", 3), ("a or b or c", 2), ("match x:\n    case 1: y\n    case _: z", 2), ("x if y else z", 1)],
)
def test_every_decision_is_a_branch(source, count):
    assert branches(source) == count


def test_the_size_is_told_in_words():
    assert told(Size(1, 0, 0)) == "1 line of code added, 0 removed"
    assert told(Size(3, 2, 1)) == "3 lines of code added, 2 removed; 1 more branch"
    assert told(Size(0, 4, -2)) == "0 lines of code added, 4 removed; 2 fewer branches"
    assert told(Size()) == "no line of code changes"
