"""Which variables are to be compared between two runs of a notebook, and the code that brings them out of the kernel.

Compared are the names that a cell binds and that something could read later, in the cell's own moment. Loop variables and other
names that only the cell itself reads are its own affair.
"""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterable

from ..values.notebook import Notebook
from . import carrying, outlining
from .contract import examples_of, in_kernel
from .effects import bound_names, effects_of, imported_names

MOST = 60
"""Names of one cell, at most."""


def watching(names: Iterable[str]) -> str:
    """Code for `Kernel.evaluate`: what the variables are; its reply is for `likeness.compared`."""
    text = inspect.getsource(carrying) + "\n\n" + inspect.getsource(outlining)
    return in_kernel(text, f"observe({list(names)!r}, namespace, lambda value, budget: Packer(budget).pack(value), Refused)")


def bound(notebook: Notebook, cell_id: str) -> tuple[str, ...]:
    """The names that a cell binds itself, or whose objects it may change: no imports, no names of one's own (`_x`)."""
    source = notebook.cell(cell_id).source
    effects = effects_of(source)
    own = bound_names(source) - imported_names(source).keys()
    return tuple(sorted(n for n in own | effects.mutates if not n.startswith(("_", "@"))))[:MOST]


def wanted(notebook: Notebook, cell_id: str) -> frozenset[str]:
    """Names that other cells, or examples of any cell, read."""
    found = set[str]()
    for cell in notebook.code_cells:
        if cell.id != cell_id:
            found |= effects_of(cell.source).reads
        for example in examples_of(cell.source):
            found |= effects_of(example.source).reads
    return frozenset(n for n in found if not n.startswith("@"))


def missing(notebook: Notebook, cell_id: str, gone: Collection[str]) -> tuple[str, ...]:
    """Of names that a cell no longer binds, those that somebody reads."""
    return tuple(sorted(set(gone) & wanted(notebook, cell_id)))
