"""Changes carried to a notebook that is not the one that they were made for: what a person did since stays."""

from __future__ import annotations

from .canonical import canonical_json
from .errors import BadInput
from .notebook import Cell, Notebook, meant, without_pointer
from .patch import CellOp, DeleteCell, InsertCell, MoveCell, ReplaceSource, SetMetadata, apply_ops, diff


def merged(notebook: Notebook, ops: tuple[CellOp, ...], saved: Notebook) -> Notebook:
    """The notebook with operations that lead to `saved`, as far as it has their cells; cells that `saved` does not have stay
    where they are."""
    for op in ops:
        if isinstance(op, InsertCell):
            if op.cell.id in notebook:  # run before it was saved: `saved` knows its place and metadata
                notebook = apply_ops((DeleteCell(op.cell.id),), notebook)
            op = InsertCell(op.cell, _anchor(op.after, notebook, saved))
        elif isinstance(op, MoveCell):
            op = MoveCell(op.cell_id, _anchor(op.after, notebook, saved))
        elif op.cell_id is not None and op.cell_id not in notebook:
            continue
        if isinstance(op, MoveCell) and op.cell_id not in notebook:
            continue
        notebook = apply_ops((op,), notebook)
    return notebook


def _anchor(after: str | None, notebook: Notebook, saved: Notebook) -> str | None:
    """The nearest cell above in `saved` that the notebook has too."""
    while after is not None and after not in notebook:
        place = saved.index(after) if after in saved else 0
        after = saved.cells[place - 1].id if place else None
    return after


def stepped(now: Notebook, here: Notebook, there: Notebook) -> Notebook:
    """The step from `here` to `there`, made on `now`: a notebook that was `here` and that a person has edited since.

    Raises `BadInput` where the step would take an edit with it.
    """
    ops: list[CellOp] = []
    for op in diff(here, there).ops:
        name = op.cell.id if isinstance(op, InsertCell) else op.cell_id
        if name is None:
            if _meant(now) == _meant(here):
                ops.append(op)
            continue
        was = here.cell(name) if name in here else None
        edited = name in now and was is not None and now.cell(name).source != was.source
        if edited and isinstance(op, (ReplaceSource, DeleteCell)):
            raise BadInput(
                f"Cell {name} was edited since, and this would take the edit with it. Bring the whole notebook back with "
                "rollback and a number of the history (your edits become a version too), or change the cell by hand."
            )
        if isinstance(op, SetMetadata) and was is not None and name in now and _meant(now.cell(name)) != _meant(was):
            continue
        ops.append(op)
    return merged(now, tuple(ops), there)


def _meant(held: Notebook | Cell) -> str:
    return canonical_json(meant(without_pointer(held.metadata)))
