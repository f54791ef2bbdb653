"""What a rule is given, and what it gives."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Protocol

from ....analysis import trees
from ....analysis.magics import Masked, mask, parse
from ....values.notebook import Cell, Notebook
from ....values.request import Failure, Variable
from .spans import Text


@dataclass(frozen=True, slots=True)
class Step:
    """One change of the broken cell: its new source, what was done in plain words, and the source of a replacement that
    is documented as equivalent (`warrant`; empty where the meaning may differ)."""

    source: str
    said: str
    warrant: str = ""


@dataclass(frozen=True)
class Broken:
    """A cell that fails, as it is after the steps so far, and what is known around it.

    `line` counts from 1 in the cell. `text` is the cell with IPython's syntax masked.
    """

    notebook: Notebook
    cell: Cell
    failure: Failure
    variables: tuple[Variable, ...] = ()
    line: int | None = None
    folder: Path = field(default_factory=Path)

    @property
    def error(self) -> str:
        """`type: message`, as error patterns are written for."""
        return f"{self.failure.ename}: {self.failure.evalue}"

    @cached_property
    def masked(self) -> Masked:
        """The cell with IPython's syntax masked."""
        return mask(self.cell.source)

    @cached_property
    def text(self) -> Text:
        """The masked cell and its tree."""
        return Text(self.masked.text)

    @cached_property
    def focus(self) -> tuple[int, int] | None:
        """First and last line of the failing statement."""
        return self.text.focus(self.line)

    def focused(self, node: ast.AST) -> bool:
        """Whether a node belongs to the failing statement; True where that is not known."""
        line = getattr(node, "lineno", 0)
        return self.focus is None or self.focus[0] <= line <= self.focus[1]

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """The code cells above, in order; the broken one is not among them."""
        place = self.notebook.index(self.cell.id)
        return tuple(c for c in self.notebook.cells[:place] if c.runs)

    @cached_property
    def above(self) -> dict[str, str]:
        """Names that the cells above bind, with the full name of what was imported; empty where it was no import."""
        found: dict[str, str] = {}
        for cell in self.cells:
            if (tree := parse(cell.source)) is not None:
                found |= bound(tree)
        return found

    @cached_property
    def taken(self) -> frozenset[str]:
        """All names that the notebook binds at its top level, in any cell."""
        others = (parse(c.source) for c in self.notebook.cells if c.type == "code" and c.id != self.cell.id)
        return frozenset(n for t in (*others, self.text.tree) if t is not None for n in bound(t))

    def kind(self, name: str) -> str:
        """The type of a global name when the cell failed, without its module; empty where it is not known."""
        return next((v.type.rpartition(".")[2] for v in self.variables if v.name == name), "")

    def used_elsewhere(self, name: str) -> bool:
        """Whether another cell of the notebook uses this name."""
        for cell in self.notebook.cells:
            tree = parse(cell.source) if cell.id != self.cell.id and cell.type == "code" else None
            if tree is not None and any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(tree)):
                return True
        return False

    def step(self, text: str | None, said: str, warrant: str = "") -> Step | None:
        """A step to this new masked text; None where it is the same, is no Python, or would lose a magic."""
        if text is None or text == self.masked.text or Text(text).tree is None:
            return None
        try:
            return Step(self.masked.restore(text), said, warrant)
        except ValueError:
            return None


class Rule(Protocol):
    """A rule looks at what is broken and offers steps, the best first. It changes nothing itself."""

    def __call__(self, broken: Broken) -> Iterator[Step | None]: ...


def bound(tree: ast.Module) -> dict[str, str]:
    """All names that a tree binds at its top level, with the full name of what was imported, else empty."""
    return dict.fromkeys(trees.stored(tree.body), "") | trees.imported(ast.walk(tree))
