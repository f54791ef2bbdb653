"""Which changes are still alive: of what they wrote a line still stands, or of what they took away something is still gone.

A line stands for the newest change that added it and was not taken back. The changes are walked once, by the lines that
each added and removed, and no two sources are aligned: a first look at a long history asks this too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..values.notebook import Notebook
from ..values.patch import DeleteCell, InsertCell, Patch, ReplaceSource
from ..values.version import Lineage, left_behind


@dataclass(slots=True)
class _Made:
    """What one change did to lines, by cell, and the cells that it deleted. Of a line that it `removed`, how often it was there."""

    version: str
    cells: tuple[str, ...]
    added: dict[str, Counter[str]] = field(default_factory=dict)
    removed: dict[str, Counter[str]] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)


def _lines(source: str) -> Counter[str]:
    return Counter(line for line in source.splitlines() if line.strip())


def _made(version: str, patch: Patch, sources: dict[str, Counter[str]]) -> _Made:
    """What a change did; `sources` is brought forward."""
    made = _Made(version, patch.cells)
    for op in patch.ops:
        match op:
            case ReplaceSource(cell, source):
                old, new = sources.get(cell, Counter()), _lines(source)
            case InsertCell(inserted):
                cell, old, new = inserted.id, Counter[str](), _lines(inserted.source)
            case DeleteCell(cell):
                made.deleted.append(cell)
                sources.pop(cell, None)
                continue
            case _:
                continue
        made.added[cell], made.removed[cell] = new - old, Counter({line: old[line] for line in old - new})
        sources[cell] = new
    return made


def _stands(made: _Made, now: Notebook, left: Mapping[str, Counter[str]]) -> bool:
    """Whether something of a change is still so. `left` are the lines, by cell, that no newer change stands for."""
    added = {cell: lines for cell, lines in made.added.items() if lines}
    if added:
        return any(left[cell] & lines for cell, lines in added.items() if cell in left)
    removed = {cell: lines for cell, lines in made.removed.items() if lines}
    if removed or made.deleted:
        return any(cell not in now for cell in made.deleted) or any(
            cell in now and lines - _lines(now.cell(cell).source) for cell, lines in removed.items()
        )
    return any(cell in now for cell in made.cells)


def alive(lineage: Lineage, first: Notebook, now: Notebook) -> frozenset[str]:
    """The ids of the versions, of any kind, that are still alive in the notebook as it is `now`. `first` is the notebook of
    the first version."""
    deployed = [r.version for r in lineage if r.outcome == "deployed"]
    behind = left_behind((v.id, v.restores, v.kind) for v in deployed)
    sources = {c.id: _lines(c.source) for c in first.cells}
    done: Sequence[_Made] = [_made(v.id, v.patch, sources) for v in deployed if v.id not in behind and not v.restores]
    left = {c.id: _lines(c.source) for c in now.cells}
    found = set()
    for made in reversed(done):
        if _stands(made, now, left):
            found.add(made.version)
        for cell, lines in made.added.items():
            if cell in left:
                left[cell] -= lines
    return frozenset(found)
