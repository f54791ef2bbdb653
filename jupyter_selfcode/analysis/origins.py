"""Where what a failing statement reads was made: the cells in which the cause may be.

The statement is followed backwards within its cell, by names, and from there to the nearest cell above that binds or changes
each name that it needs. One step: what these cells read in turn stands in them.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping

from ..values.notebook import Notebook
from ..values.request import Failure
from .bearing import statements_of
from .contract import executable
from .effects import effects_of


def needed(source: str, line: int | None) -> frozenset[str]:
    """The names from elsewhere that the statement at this line needs (None: that any needs)."""
    body = statements_of(executable(source))
    through = [s for s in body if line is None or s.lineno <= line]
    if not through:
        return frozenset()
    names = set(effects_of(ast.unparse(through[-1])).reads)
    for statement in reversed(through[:-1]):
        effects = effects_of(ast.unparse(statement))
        if effects.changes & names or line is None:
            names = (names - (effects.writes - effects.reads)) | effects.reads
    return frozenset(name for name in names if not name.startswith("@"))


def makers(failure: Failure, notebook: Notebook) -> Mapping[str, tuple[str, ...]]:
    """By cell, the names that it makes and the failing statement needs; the nearest cell above for each name."""
    if failure.cell_id not in notebook:
        return {}
    place = notebook.index(failure.cell_id)
    left, found = set(needed(notebook.cells[place].source, failure.line)), dict[str, tuple[str, ...]]()
    for cell in reversed(notebook.cells[:place]):
        if cell.runs and (made := effects_of(cell.source).changes & left):
            found[cell.id] = tuple(sorted(made))
            left -= effects_of(cell.source).writes
    return found
