"""A step between two states is made on a notebook that a person has edited since, and takes no edit with it."""

import pytest
from hypothesis import assume, given

from jupyter_selfcode.values.errors import BadInput
from jupyter_selfcode.values.merge import stepped
from jupyter_selfcode.values.notebook import Cell, Notebook
from tests.strategies import notebooks


def notebook(**sources: str) -> Notebook:
    return Notebook(tuple(Cell(i, "code", s) for i, s in sources.items()))


def told(made: Notebook) -> dict[str, str]:
    return {c.id: c.source for c in made.cells}


@given(notebooks(), notebooks())
def test_on_a_notebook_that_nobody_edited_the_step_is_the_whole_step(here: Notebook, there: Notebook):
    assert stepped(here, here, there).digest == there.digest


@given(notebooks(), notebooks())
def test_where_there_is_no_step_the_edits_are_all(now: Notebook, here: Notebook):
    assert stepped(now, here, here) == now


@given(notebooks(), notebooks(), notebooks())
def test_cells_that_the_step_does_not_know_stay_as_they_are(now: Notebook, here: Notebook, there: Notebook):
    try:
        made = stepped(now, here, there)
    except BadInput:
        assume(False)
    mine = [c for c in now.cells if c.id not in here and c.id not in there]
    assert [c for c in made.cells if c in mine] == mine


def test_edits_of_other_cells_stay_and_an_edit_of_the_same_cell_is_not_taken():
    here, there = notebook(a="n = 1", b="m = 1"), notebook(a="n = 2", b="m = 1")
    assert told(stepped(notebook(a="n = 1", b="m = 9", c="k"), here, there)) == {"a": "n = 2", "b": "m = 9", "c": "k"}
    assert told(stepped(notebook(b="m = 1"), here, there)) == {"b": "m = 1"}
    with pytest.raises(BadInput, match="Cell a was edited since"):
        stepped(notebook(a="n = 5", b="m = 1"), here, there)


def test_a_tag_that_was_given_since_stays():
    here, there = Notebook((Cell("a", "code", "1", {"k": 1}),)), Notebook((Cell("a", "code", "2", {}),))
    now = Notebook((Cell("a", "code", "1", {"k": 1, "tags": ["mine"]}),))
    assert stepped(now, here, there).cell("a") == Cell("a", "code", "2", {"k": 1, "tags": ["mine"]})
