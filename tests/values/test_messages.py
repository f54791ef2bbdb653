"""An edit of a front end's document leads where the patch leads, and names what it expects to find."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from jupyter_selfcode.codec import from_json, to_json
from jupyter_selfcode.values.canonical import canonical_json, same
from jupyter_selfcode.values.messages import Applied, Edit, FromFrontEnd, MetadataEdit, Removal, SourceEdit, edit_ops
from jupyter_selfcode.values.notebook import Cell, Notebook
from jupyter_selfcode.values.patch import InsertCell, MoveCell
from tests.strategies import notebooks


def speakable(notebook):
    """Whether a notebook can go over a wire: half a surrogate pair is no text in UTF-8."""
    return not any("\ud800" <= c <= "\udfff" for c in canonical_json(notebook))


told: st.SearchStrategy[Notebook] = notebooks().filter(speakable)


def applied(ops, notebook):
    """What a front end makes of its document."""
    cells, metadata = list(notebook.cells), notebook.metadata

    def at(cell_id):
        return next(i for i, c in enumerate(cells) if c.id == cell_id)

    def below(after):
        return 0 if after is None else at(after) + 1

    for op in ops:
        match op:
            case SourceEdit(cell_id, expect, source):
                assert cells[at(cell_id)].source == expect
                cells[at(cell_id)] = replace(cells[at(cell_id)], source=source)
            case Removal(cell_id, expect):
                assert cells[at(cell_id)].source == expect
                del cells[at(cell_id)]
            case InsertCell(cell, after):
                cells.insert(below(after), cell)
            case MoveCell(cell_id, after):
                cell = cells.pop(at(cell_id))
                cells.insert(below(after), cell)
            case MetadataEdit(cell_id, given_keys, gone):
                held = metadata if cell_id is None else cells[at(cell_id)].metadata
                new = {k: v for k, v in {**held, **given_keys}.items() if k not in gone}
                if cell_id is None:
                    metadata = new
                else:
                    cells[at(cell_id)] = replace(cells[at(cell_id)], metadata=new)
    return Notebook(tuple(cells), metadata)


@given(notebooks(), notebooks())
def test_the_operations_lead_to_the_other_notebook_with_all_metadata(before, after):
    assert same(applied(edit_ops(before, after), before), after)


@given(told, told)
def test_an_edit_survives_the_wire(before, after):
    edit = Edit("e", "c", "v", "adapt", edit_ops(before, after))
    assert same(from_json(Edit, to_json(edit)), edit)


@given(told)
def test_a_refusal_brings_the_notebook_that_stands(notebook):
    answer = Applied("c", "e", False, "changed", "w", "typed meanwhile", notebook)
    assert same(from_json(FromFrontEnd, to_json(answer)), answer)


def test_only_the_keys_that_differ_are_set_so_that_what_a_front_end_wrote_meanwhile_stays():
    before = Notebook((Cell("a", "code", "x = 1", {"tags": ["t"], "editable": True}),))
    after = Notebook((Cell("a", "code", "x = 2", {"tags": ["t"], "jupyter_selfcode": {"version": "v"}}),))
    assert edit_ops(before, after) == (
        SourceEdit("a", "x = 1", "x = 2"),
        MetadataEdit("a", {"jupyter_selfcode": {"version": "v"}}, ("editable",)),
    )
