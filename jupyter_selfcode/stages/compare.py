"""compare: the variables of two runs, by what their kernels told of them, outside of both.

Compared are, from the first cell that a change touches on, the names that a cell binds in both versions of the notebook, in the
moment when that cell has run. What the candidate's process told it could have forged; that is a lie about what it computed,
which no comparison finds out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ..analysis.alike import bound
from ..analysis.likeness import compared
from ..values.behaviour import Likeness
from ..values.notebook import Notebook

Told = Mapping[str, Mapping[str, Any]]
"""By cell, what a kernel told of the cell's variables."""


def watched(notebook: Notebook) -> Mapping[str, tuple[str, ...]]:
    """By cell, the names to bring out of a run of the notebook as it is."""
    return {c.id: names for c in notebook.code_cells if c.runs and (names := bound(notebook, c.id))}


def watched_again(before: Notebook, after: Notebook, touched: Collection[str], told: Told) -> Mapping[str, tuple[str, ...]]:
    """By cell, the names to bring out of a run with the change, for what was told of the run before it."""
    places = [i for i, c in enumerate(after.cells) if c.id in touched or c.id not in before]
    gone = [i for i, c in enumerate(before.cells) if c.id not in after]
    first = min([*places, *gone], default=len(after.cells))
    found = {}
    for cell in after.cells[first:]:
        if cell.runs and cell.id in told and cell.id in before:
            names = [n for n in bound(before, cell.id) if n in bound(after, cell.id)]
            if names:
                found[cell.id] = tuple(names)
    return found


def compare(names: Mapping[str, tuple[str, ...]], before: Told, after: Told) -> tuple[Likeness, ...]:
    """Each variable of each cell that both runs told of, in the order of the cells."""
    return tuple(
        likeness
        for cell_id, wanted in names.items()
        if cell_id in before and cell_id in after
        for likeness in compared(cell_id, wanted, before[cell_id], after[cell_id])
    )
