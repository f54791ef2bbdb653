"""A patch takes one notebook to another, back again, and is for no other."""

from dataclasses import replace

import pytest
from hypothesis import assume, given

from jupyter_selfcode.values.canonical import same
from jupyter_selfcode.values.errors import BadInput, Locked, PatchError, StalePatch
from jupyter_selfcode.values.notebook import POINTER, Cell, Notebook, meant
from jupyter_selfcode.values.patch import (
    DeleteCell,
    InsertCell,
    MoveCell,
    Patch,
    ReplaceSource,
    SetMetadata,
    apply,
    apply_ops,
    diff,
    invert,
    locked,
    patch_id,
    rebase,
    refuse_locked,
)
from tests.strategies import edits, notebooks

A, B, C = (Cell(i, "code", f"{i} = 1\n") for i in "abc")
ABC = Notebook((A, B, C), {"kernelspec": {"name": "python3"}})


def ids(notebook: Notebook) -> str:
    return "".join(c.id for c in notebook.cells)


@given(notebooks(), notebooks())
def test_the_difference_of_two_notebooks_makes_the_second_of_the_first(a: Notebook, b: Notebook):
    made = apply(diff(a, b), a)
    assert made.digest == b.digest
    known = [
        c.id for c in a.cells if c.id in b and (c.type, c.attachments) == (b.cell(c.id).type, b.cell(c.id).attachments)
    ]
    assert same(made, b.over(Notebook(tuple(a.cell(i) for i in known), a.metadata)))


@given(edits())
def test_the_inverse_of_a_patch_takes_it_back(edit: tuple[Notebook, Patch]):
    before, patch = edit
    assert same(apply(invert(patch, before), apply(patch, before)), before)


@given(notebooks())
def test_a_notebook_does_not_differ_from_itself(a: Notebook):
    assert not diff(a, a)


@given(edits(), notebooks())
def test_a_patch_for_another_notebook_is_refused(edit: tuple[Notebook, Patch], other: Notebook):
    before, patch = edit
    assume(other.digest != before.digest)
    with pytest.raises(StalePatch, match="has changed"):
        apply(patch, other)


@given(notebooks(), notebooks())
def test_a_difference_names_exactly_the_cells_that_differ_or_moved(a: Notebook, b: Notebook):
    touched = set(diff(a, b).cells)
    old, new = {c.id: c for c in a.cells}, {c.id: c for c in b.cells}

    def alike(cell: Cell | None) -> Cell | None:
        return replace(cell, metadata=meant(cell.metadata)) if cell else None

    differ = {i for i in old.keys() | new.keys() if not same(alike(old.get(i)), alike(new.get(i)))}
    assert differ <= touched
    stay = [c.id for c in a.cells if c.id not in touched]
    assert stay == [c.id for c in b.cells if c.id not in touched]


@given(notebooks())
def test_our_own_metadata_is_no_part_of_what_a_notebook_is(a: Notebook):
    assert a.bare().digest == a.digest
    assert not any(POINTER in c.metadata for c in a.bare().cells)


@given(notebooks(), notebooks())
def test_what_front_ends_write_by_themselves_makes_no_other_notebook(a: Notebook, b: Notebook):
    ran = a.over(b)
    assert ran.digest == a.digest
    assert not diff(a, ran)
    assert same(ran.over(a), a)
    assert same(apply(Patch(a.digest), ran), ran)


def test_a_cell_that_ran_or_was_folded_is_the_same_and_one_that_was_tagged_is_not():
    def with_metadata(**metadata: object) -> Notebook:
        return Notebook((Cell("a", "code", "1", {"tags": ["t"], **metadata}),))

    written = {"execution": {"iopub.execute_input": "2026"}, "collapsed": True, "jupyter": {"source_hidden": True}}
    assert with_metadata(**written).digest == with_metadata().digest
    assert (
        with_metadata(jupyter={"kept": 1, "outputs_hidden": True}).digest == with_metadata(jupyter={"kept": 1}).digest
    )
    for mattering in ({"tags": ["u"]}, {"jupyter": {"kept": 1}}, {"editable": False}, {"slideshow": {}}):
        assert with_metadata(**mattering).digest != with_metadata().digest


def test_a_kernel_of_the_same_name_is_the_same_however_it_is_called_here():
    def on(**spec: str) -> Notebook:
        return Notebook((A,), {"kernelspec": spec})

    mine, here = on(name="python3", display_name="Python 3"), on(name="python3", display_name="Python 3 (ipykernel)")
    other = on(name="conda", display_name="Conda")
    assert mine.digest == here.digest != other.digest
    assert apply(diff(mine, other), mine).metadata == other.metadata
    assert mine.over(here).metadata == here.metadata
    assert other.over(here).metadata == other.metadata


def test_metadata_that_is_set_leaves_what_front_ends_wrote():
    cell = Cell("a", "code", "1", {"old": 1, "scrolled": True, "jupyter": {"source_hidden": True, "x": 1}})
    op = SetMetadata("a", {"new": 1, "scrolled": False, "jupyter": {"x": 2}})
    made = apply_ops([op], Notebook((cell,))).cell("a").metadata
    assert made == {"new": 1, "scrolled": True, "jupyter": {"x": 2, "source_hidden": True}}


def test_one_and_true_are_two_values():
    a, b = (Notebook((Cell("a", "code", "", {"folded": v}),)) for v in (1, True))
    assert a.digest != b.digest
    assert apply(diff(a, b), a).digest == b.digest


def test_each_operation_does_what_it_says():
    new = Cell("n", "markdown", "# new")
    assert ids(apply_ops([InsertCell(new)], ABC)) == "nabc"
    assert ids(apply_ops([InsertCell(new, "b")], ABC)) == "abnc"
    assert ids(apply_ops([DeleteCell("b")], ABC)) == "ac"
    assert ids(apply_ops([MoveCell("c")], ABC)) == "cab"
    assert ids(apply_ops([MoveCell("a", "b")], ABC)) == "bac"
    assert apply_ops([ReplaceSource("b", "2")], ABC).cell("b") == Cell("b", "code", "2")
    assert apply_ops([SetMetadata("b", {"tags": ["t"]})], ABC).cell("b").tags == {"t"}
    assert apply_ops([SetMetadata(None, {})], ABC).metadata == {}


@pytest.mark.parametrize(
    "op", [ReplaceSource("z", ""), DeleteCell("z"), MoveCell("z"), MoveCell("a", "z"), InsertCell(Cell("n", "code", ""), "z"),
           SetMetadata("z"), InsertCell(A), MoveCell("a", "a")],
)  # fmt: skip
def test_an_operation_on_a_cell_that_is_not_there_is_refused(op):
    with pytest.raises(PatchError):
        apply_ops([op], ABC)


def test_operations_apply_in_order_and_leave_the_first_notebook_alone():
    ops = (ReplaceSource("a", "2"), InsertCell(Cell("n", "code", "3"), "a"), MoveCell("n", "c"), DeleteCell("b"))
    assert ids(apply(Patch(ABC.digest, ops), ABC)) == "acn"
    assert ids(ABC) == "abc"


def test_a_patch_can_be_carried_to_a_notebook_whose_touched_cells_are_the_same():
    other = Notebook((A, B), ABC.metadata)
    patch = Patch(ABC.digest, (ReplaceSource("a", "2"),))
    assert apply(rebase(patch, other), other).cell("a").source == "2"


def test_a_patch_has_one_short_name():
    assert patch_id(Patch("x", (DeleteCell("a"),))) == patch_id(Patch("x", (DeleteCell("a"),)))
    assert patch_id(Patch("x", (DeleteCell("a"),))) != patch_id(Patch("x", (DeleteCell("b"),)))


def test_two_cells_with_one_id_are_no_notebook():
    with pytest.raises(BadInput, match="same id"):
        Notebook((A, A))


FIXED = Cell("a", "code", "1", {"editable": False, "deletable": False})
HELD = Notebook((FIXED, B))


@pytest.mark.parametrize(
    ("ops", "said"),
    [
        ((ReplaceSource("a", "2"),), "editable: false"),
        ((SetMetadata("a", {}),), "editable: false"),
        ((DeleteCell("a"),), "deletable: false"),
        ((DeleteCell("a"), InsertCell(Cell("a", "code", "2", FIXED.metadata))), "editable: false"),
    ],
)  # fmt: skip
def test_what_the_author_locked_is_neither_changed_nor_deleted(ops, said):
    with pytest.raises(Locked, match=said):
        refuse_locked(Patch(HELD.digest, ops), HELD)


@pytest.mark.parametrize(
    "ops",
    [
        (MoveCell("a", "b"),),
        (ReplaceSource("a", "1"), ReplaceSource("b", "2")),
        (SetMetadata("a", {**FIXED.metadata, POINTER: {"version": "v"}}),),
    ],
)
def test_a_locked_cell_may_move_and_carry_our_pointer(ops):
    assert locked(Patch(HELD.digest, ops), HELD) is None
