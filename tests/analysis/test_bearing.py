"""How far a change reaches, along names, statement by statement."""

from __future__ import annotations

import pytest

from jupyter_selfcode.analysis.bearing import flows, looks
from jupyter_selfcode.values.notebook import Cell, Notebook


def reached(before: tuple[str, ...], after: tuple[str, ...], *touched: str) -> dict[str, set[str]]:
    def book(sources: tuple[str, ...]) -> Notebook:
        return Notebook(tuple(Cell("abcd"[i], "code", s) for i, s in enumerate(sources) if s))

    return {cell: flow.reached for cell, flow in flows(book(before), book(after), touched or ("a",)).items()}


@pytest.mark.parametrize(
    ("before", "after", "below", "names"),
    [
        ("x = 1\ny = 2", "x = 1\ny = 3", "z = y", {"y", "z"}),
        ("x = 1\ny = x", "x = 3\ny = x", "z = 5", {"x", "y"}),
        ("df = read()\ndf['a'] = 1", "df = read()\ndf['a'] = 2", "n = df.a.sum()", {"df", "n"}),
        ("def f(v):\n    return v", "def f(v):\n    return v + 1", "z = f(2)", {"f", "z"}),
        ("k = 1", "k = 2", "def g():\n    return k\nz = g()", {"k", "g", "z"}),
        ("x = 1", "x = 2", "x = 5", set()),
        ("x = 1\nx += 1", "x = 1", "z = 3", {"x"}),
        ("x = 1", "# said otherwise\nx = 1", "z = x", set()),
        ("x = 1", "exec(text)", "z = x", {"x", "z"}),
    ],
)
def test_what_a_changed_statement_makes_is_followed_and_nothing_else(before, after, below, names):
    assert reached((before, below), (after, below))["b"] == names


def test_what_a_deleted_cell_made_counts_from_where_it_stood():
    assert reached(("x = 1", "x = 2", "z = x"), ("x = 1", "", "z = x"), "b")["c"] == {"x", "z"}


def test_names_that_examples_bind_are_followed_too():
    notebook, changed = Notebook((Cell("a", "code", "x = 1"),)), Notebook((Cell("a", "code", "x = 2"),))
    flow = flows(notebook, changed, ("a",))["a"]
    assert not looks(flow, "y + 1")
    assert looks(flow, "y = x")
    assert looks(flow, "y + 1")
    assert not looks(flow, "y == y")
