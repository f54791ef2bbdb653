"""A session is compared with a run from the top: what differs is out of date, and nothing else is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jupyter_selfcode.analysis.effects import bound_names, names_undefined
from jupyter_selfcode.analysis.staleness import Ran, stale_cells, told
from jupyter_selfcode.values.notebook import Cell, Notebook


def notebook(**sources):
    return Notebook(tuple(Cell(i, "code", s) for i, s in sources.items()))


BOOK = notebook(a="x = 1", b="y = x + 1", c="z = y * 2", d="other = 1")


def ran(book, *ids, **edited):
    return [Ran(i, edited.get(i) or book.cell(i).source) for i in ids]


def kinds(book, runs):
    return {s.cell_id: s.kind for s in stale_cells(book, runs)}


def test_a_run_from_the_top_leaves_nothing_out_of_date():
    assert stale_cells(BOOK, ran(BOOK, *"abcd")) == ()
    assert stale_cells(BOOK, ran(BOOK, *"dabc")) == (), "what depends on nothing may run at any time"
    assert stale_cells(BOOK, ran(BOOK, "a", "b", "b", "c", "c")) == (), "running twice changes nothing here"


def test_a_cell_whose_input_was_made_anew_is_out_of_date_and_so_is_what_is_below():
    runs = [*ran(BOOK, *"abcd", a="x = 5"), Ran("a", "x = 1")]
    found = stale_cells(BOOK, runs)
    assert {s.cell_id: s.kind for s in found} == {"b": "inputs changed", "c": "inputs changed"}
    assert found[0].reason == "cell 1 (a) has made x anew since it ran"
    assert found[1].reason == "cell 2 (b), which makes y, is itself out of date"


def test_running_what_is_out_of_date_in_order_mends_it():
    runs = [*ran(BOOK, *"abcd", a="x = 5"), Ran("a", "x = 1"), *ran(BOOK, "b", "c")]
    assert stale_cells(BOOK, runs) == ()


def test_an_edited_cell_is_told_and_what_it_feeds():
    assert kinds(BOOK, ran(BOOK, *"abcd", b="y = x")) == {"b": "edited", "c": "inputs changed"}


def test_a_cell_that_read_what_a_cell_further_down_had_made_ran_out_of_order():
    book = notebook(a="x = 1", b="y = x + 1", c="x = 7")
    (found,) = stale_cells(book, ran(book, "a", "c", "b"))
    assert (found.cell_id, found.kind, found.name, found.maker) == ("b", "out of order", "x", "c")


def test_a_name_that_only_a_cell_further_down_makes_would_not_be_there_from_the_top():
    book = notebook(b="y = x + 1", c="x = 7")
    (found,) = stale_cells(book, ran(book, "c", "b"))
    assert (found.cell_id, found.kind) == ("b", "out of order")


def test_a_name_that_no_cell_makes_any_more_is_gone():
    book = notebook(b="y = x + 1")
    (found,) = stale_cells(book, [Ran("a", "x = 1"), *ran(book, "b")])
    assert (found.kind, found.name) == ("gone", "x")
    assert "no cell above makes x any more" in found.reason


def test_what_changes_in_place_and_ran_twice_is_told():
    book = notebook(a="seen = []", b="seen.append(1)", c="n = len(seen)")
    assert kinds(book, ran(book, *"abbc")) == {"b": "again", "c": "inputs changed"}
    assert kinds(book, ran(book, *"abbabc")) == {}


def test_a_name_bound_from_another_is_not_changed_with_it_and_a_call_that_is_not_known_changes_nothing():
    book = notebook(a="x = load()", b="y = x", c="report(x)", d="z = y")
    assert kinds(book, ran(book, *"abbccbd")) == {}


def test_what_is_changed_under_another_name_is_changed():
    book = notebook(a="x = []", b="y = x", c="n = len(x)", d="y.append(1)")
    assert kinds(book, [*ran(book, *"abdc")]) == {"c": "out of order"}


def test_a_function_is_followed_to_what_it_reads():
    book = notebook(a="rate = 1", f="def f(v):\n    return v * rate", u="w = f(2)")
    runs = [*ran(book, "a", "f", "u", a="rate = 9"), Ran("a", "rate = 1")]
    assert kinds(book, runs)["u"] == "inputs changed"


def test_what_failed_or_has_not_run_is_not_called_out_of_date():
    assert kinds(BOOK, [Ran("a", "x = 1"), Ran("b", "y = x + 1", False)]) == {}


def test_code_that_cannot_be_read_is_passed_over():
    book = notebook(a="x = 1", m="exec(code)", b="y = x")
    assert kinds(book, ran(book, "a", "m", "b", "m")) == {}


def test_it_is_told_with_the_place_of_the_cell_and_not_without_end():
    book = Notebook((Cell("a", "code", "x = 1"), *(Cell(f"c{i}", "code", f"y{i} = x") for i in range(9))))
    runs = [Ran("a", "x = 0"), *(Ran(c.id, c.source) for c in book.cells[1:]), Ran("a", "x = 1")]
    lines = told(stale_cells(book, runs), book)
    assert lines[0] == "Cell 2 (c0) is out of date: cell 1 (a) has made x anew since it ran."
    assert lines[-1] == "3 more are."


SOURCES = ("x = 1", "y = x + 1", "z = y", "x = z", "s = []", "s.append(x)", "y = 3", "t = len(s)")


@given(st.lists(st.sampled_from(SOURCES), min_size=1, max_size=6), st.data())
def test_a_run_from_the_top_mends_all_whatever_ran_before_where_each_name_is_made_above(sources, data):
    book = Notebook(tuple(Cell(f"c{i}", "code", s) for i, s in enumerate(sources)))
    before = data.draw(st.lists(st.sampled_from(book.cells), max_size=6))
    fresh = [Ran(c.id, c.source) for c in book.cells]
    assert stale_cells(book, fresh) == ()
    made = {name for c in book.cells for name in bound_names(c.source)}
    if all(names_undefined(c.source) <= _above(book, i) for i, c in enumerate(book.cells)) and made:
        assert stale_cells(book, [*(Ran(c.id, c.source) for c in before), *fresh]) == ()


def _above(book, place):
    return {name for c in book.cells[:place] for name in bound_names(c.source)}
