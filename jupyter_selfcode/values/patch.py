"""A change of a notebook as a value: which notebook it is for, and tagged operations on cells by id.

Laws (held by Hypothesis in `tests/values/test_patch.py`):
`apply(diff(a, b), a) == b` · `apply(invert(p, a), apply(p, a)) == a` · a patch for another notebook raises.
In the first, `b` holds what front ends wrote by themselves as `a` has it (`notebook.BY_FRONT_ENDS`): that is no difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from typing import Any, Literal

from .canonical import digest, same
from .errors import Locked, PatchError, StalePatch
from .notebook import Cell, Notebook, carried, lasting, meant, without_pointer


@dataclass(frozen=True, slots=True)
class ReplaceSource:
    """The cell keeps its id, place and metadata; its source becomes `source`."""

    cell_id: str
    source: str
    op: Literal["replace"] = "replace"


@dataclass(frozen=True, slots=True)
class InsertCell:
    """A new cell comes after the cell `after` (None: at the top)."""

    cell: Cell
    after: str | None = None
    op: Literal["insert"] = "insert"


@dataclass(frozen=True, slots=True)
class DeleteCell:
    """The cell goes."""

    cell_id: str
    op: Literal["delete"] = "delete"


@dataclass(frozen=True, slots=True)
class MoveCell:
    """The cell goes to the place after the cell `after` (None: to the top)."""

    cell_id: str
    after: str | None = None
    op: Literal["move"] = "move"


@dataclass(frozen=True, slots=True)
class SetMetadata:
    """The metadata of a cell (None: of the notebook) becomes `metadata`; what front ends write by themselves stays."""

    cell_id: str | None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    op: Literal["metadata"] = "metadata"


CellOp = ReplaceSource | InsertCell | DeleteCell | MoveCell | SetMetadata


@dataclass(frozen=True, slots=True)
class Patch:
    """Operations in order, for the notebook whose digest is `base` and for no other."""

    base: str
    ops: tuple[CellOp, ...] = ()

    @property
    def cells(self) -> tuple[str, ...]:
        """Ids of the cells that it touches, each once, in the order of the operations."""
        ids = (op.cell.id if isinstance(op, InsertCell) else op.cell_id for op in self.ops)
        return tuple(dict.fromkeys(i for i in ids if i is not None))

    def __bool__(self) -> bool:
        return bool(self.ops)


def _place(cells: list[Cell], after: str | None) -> int:
    if after is None:
        return 0
    for i, c in enumerate(cells):
        if c.id == after:
            return i + 1
    raise PatchError(f"The patch puts a cell after {after!r}, and there is no such cell.")


def _take(cells: list[Cell], cell_id: str) -> int:
    for i, c in enumerate(cells):
        if c.id == cell_id:
            return i
    raise PatchError(f"The patch names the cell {cell_id!r}, and there is no such cell.")


def apply_ops(ops: Iterable[CellOp], notebook: Notebook) -> Notebook:
    """The notebook after the operations, whatever it was before. Raises `PatchError`."""
    cells, metadata = list(notebook.cells), notebook.metadata
    for op in ops:
        match op:
            case ReplaceSource(cell_id, source):
                i = _take(cells, cell_id)
                cells[i] = replace(cells[i], source=source)
            case InsertCell(cell, after):
                if any(c.id == cell.id for c in cells):
                    raise PatchError(f"The patch inserts a cell {cell.id!r}, and there is one already.")
                cells.insert(_place(cells, after), cell)
            case DeleteCell(cell_id):
                del cells[_take(cells, cell_id)]
            case MoveCell(cell_id, after):
                if after == cell_id:
                    raise PatchError(f"The patch moves the cell {cell_id!r} after itself.")
                cell = cells.pop(_take(cells, cell_id))
                cells.insert(_place(cells, after), cell)
            case SetMetadata(None, new):
                metadata = carried(new, metadata)
            case SetMetadata(str() as cell_id, new):
                i = _take(cells, cell_id)
                cells[i] = replace(cells[i], metadata=carried(new, cells[i].metadata))
    return Notebook(tuple(cells), metadata)


def apply(patch: Patch, notebook: Notebook) -> Notebook:
    """The notebook after the patch. Raises `StalePatch` where it was made for another notebook."""
    if patch.base != notebook.digest:
        raise StalePatch("The notebook has changed since this change was prepared, so it was not applied. Ask again.")
    return apply_ops(patch.ops, notebook)


def diff(a: Notebook, b: Notebook) -> Patch:
    """The patch that makes `b` of `a`. A cell whose type or attachments differ is deleted and inserted anew."""
    old = {c.id: c for c in a.cells}
    new = {c.id: c for c in b.cells}

    def kept(cell_id: str) -> bool:
        x, y = old.get(cell_id), new.get(cell_id)
        return bool(x and y and x.type == y.type and same(x.attachments, y.attachments))

    ops: list[CellOp] = [DeleteCell(c.id) for c in a.cells if not kept(c.id)]
    before = [c.id for c in a.cells if kept(c.id)]
    after = [c.id for c in b.cells if kept(c.id)]
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    still = {before[m.a + k] for m in matcher.get_matching_blocks() for k in range(m.size)}
    previous: str | None = None
    for cell in b.cells:
        if not kept(cell.id):
            ops.append(InsertCell(cell, previous))
        else:
            if cell.id not in still:
                ops.append(MoveCell(cell.id, previous))
            if old[cell.id].source != cell.source:
                ops.append(ReplaceSource(cell.id, cell.source))
            if not same(meant(old[cell.id].metadata), meant(cell.metadata)):
                ops.append(SetMetadata(cell.id, lasting(cell.metadata)))
        previous = cell.id
    if not same(meant(a.metadata), meant(b.metadata)):
        ops.append(SetMetadata(None, lasting(b.metadata)))
    return Patch(a.digest, tuple(ops))


def invert(patch: Patch, before: Notebook) -> Patch:
    """The patch that takes `apply(patch, before)` back to `before`."""
    return diff(apply(patch, before), before)


def rebase(patch: Patch, notebook: Notebook) -> Patch:
    """The same operations for a notebook in which the touched cells are known to be the same (the caller knows)."""
    return Patch(notebook.digest, patch.ops)


def locked(patch: Patch, notebook: Notebook) -> str | None:
    """Why the author's locks forbid this patch (`editable`, `deletable`), or None. Told by what the patch leads to, so that
    to delete a cell and to insert it anew is to edit it. Raises `PatchError`."""
    after = {c.id: c for c in apply_ops(patch.ops, notebook).cells}
    for cell in notebook.cells:
        new = after.get(cell.id)
        if new is None and not cell.deletable:
            return f"Cell {cell.id} is marked deletable: false, so it was not deleted."
        if new is not None and not cell.editable and not _unedited(cell, new):
            return f"Cell {cell.id} is marked editable: false, so it was not changed."
    return None


def _unedited(a: Cell, b: Cell) -> bool:
    return (
        (a.type, a.source) == (b.type, b.source)
        and same(a.attachments, b.attachments)
        and same(meant(without_pointer(a.metadata)), meant(without_pointer(b.metadata)))
    )


def refuse_locked(patch: Patch, notebook: Notebook) -> None:
    """Raises `Locked` where the author's locks forbid this patch."""
    if reason := locked(patch, notebook):
        raise Locked(reason)


def patch_id(patch: Patch) -> str:
    """A short name for a change, the same for the same change."""
    return digest(patch)[:12]
