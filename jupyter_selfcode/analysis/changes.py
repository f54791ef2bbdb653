"""What differs between two notebooks, cell by cell and line by line: for people to read.

`values.patch.diff` says how to make one notebook of the other; this says what a reader sees. It is computed here once and
drawn by every host.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from ..values.notebook import Cell, Notebook, meant, without_pointer
from ..values.patch import MoveCell, diff

ChangeKind = Literal["changed", "inserted", "deleted", "moved", "metadata"]
Sign = Literal["+", "-", " ", "@"]


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line of a diff: its sign and its place in the old and in the new source, from 0. `@` is a gap left out."""

    sign: Sign
    old: int | None = None
    new: int | None = None


@dataclass(frozen=True, slots=True)
class CellChange:
    """One cell that differs. `place` is its place in the notebook from 1 (a deleted cell: in the old one)."""

    cell_id: str
    change: ChangeKind
    type: str
    place: int
    before: str
    after: str

    def lines(self, context: int = 3) -> Iterator[DiffLine]:
        """The lines of the diff, with `context` unchanged lines around each change."""
        old, new = self.before.splitlines(), self.after.splitlines()
        ended = 0
        for group in SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(context):
            if group[0][1] > ended:
                yield DiffLine("@", group[0][1], group[0][3])
            ended = group[-1][2]
            for tag, i1, i2, j1, j2 in group:
                if tag == "equal":
                    yield from (DiffLine(" ", i1 + k, j1 + k) for k in range(i2 - i1))
                    continue
                yield from (DiffLine("-", i, None) for i in range(i1, i2))
                yield from (DiffLine("+", None, j) for j in range(j1, j2))

    def unified(self, context: int = 3) -> str:
        """The diff as text: each line after its sign, gaps as `@@`."""
        old, new = self.before.splitlines(), self.after.splitlines()
        text = []
        for line in self.lines(context):
            if line.sign == "@":
                text.append(f"@@ line {line.new + 1 if line.new is not None else '?'} @@")
            else:
                text.append(line.sign + (new[line.new] if line.new is not None else old[line.old or 0]))
        return "\n".join(text)


def _meant(cell: Cell) -> tuple[object, object]:
    return meant(without_pointer(cell.metadata)), cell.attachments


def cell_changes(a: Notebook, b: Notebook) -> tuple[CellChange, ...]:
    """The cells that differ, in the order of `b`, deleted ones last."""
    old, new = {c.id: c for c in a.cells}, {c.id: c for c in b.cells}
    moved = {op.cell_id for op in diff(a, b).ops if isinstance(op, MoveCell)}
    found = []
    for place, cell in enumerate(b.cells, 1):
        was = old.get(cell.id)
        kind: ChangeKind
        if was is None:
            kind = "inserted"
        elif was.source != cell.source or was.type != cell.type:
            kind = "changed"
        elif cell.id in moved:
            kind = "moved"
        elif _meant(was) != _meant(cell):
            kind = "metadata"
        else:
            continue
        found.append(CellChange(cell.id, kind, cell.type, place, was.source if was else "", cell.source))
    for place, cell in enumerate(a.cells, 1):
        if cell.id not in new:
            found.append(CellChange(cell.id, "deleted", cell.type, place, cell.source, ""))
    return tuple(found)
