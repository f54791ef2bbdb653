"""Edits of text at the places of syntax nodes, so that all that is not edited stays byte for byte.

libcst would keep the text too. These edits are spans over `ast` because a pattern (see `patterns`) is matched on `ast`
anyway, because only the tokens that change are touched, and because it costs no import.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple


class Edit(NamedTuple):
    """The characters from `start` to `end` become `new`."""

    start: int
    end: int
    new: str


def edited(text: str, edits: Iterable[Edit]) -> str | None:
    """The text after the edits, or None where two of them overlap."""
    done = sorted(set(edits))
    if any(a.end > b.start for a, b in pairwise(done)):
        return None
    for edit in reversed(done):
        text = text[: edit.start] + edit.new + text[edit.end :]
    return text


def parsed(text: str) -> ast.Module | None:
    """The tree of a text, or None where it is no Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


class Text:
    """A text of Python and its tree."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._starts = [0, *(m.end() for m in re.finditer(r"\r\n|\r|\n", text))]

    @cached_property
    def tree(self) -> ast.Module | None:
        """The tree, or None where it is no Python."""
        return parsed(self.text)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """All nodes of the tree, outer before inner; none where it is no Python."""
        return tuple(ast.walk(self.tree)) if self.tree is not None else ()

    def at(self, line: int, column: int) -> int:
        """The index of a place, given as `ast` does: line from 1, column in UTF-8 bytes."""
        start = self._starts[line - 1]
        end = self._starts[line] if line < len(self._starts) else len(self.text)
        return start + len(self.text[start:end].encode()[:column].decode("utf-8", "ignore"))

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Where a node begins and ends."""
        return (
            self.at(node.lineno, node.col_offset),  # type: ignore[attr-defined]
            self.at(node.end_lineno, node.end_col_offset),  # type: ignore[attr-defined]
        )

    def of(self, node: ast.AST) -> str:
        """The text of a node."""
        start, end = self.span(node)
        return self.text[start:end]

    def true(self, node: ast.expr) -> bool:
        """Whether the node stands where its position says: inside f-strings, Python before 3.12 misplaces nodes."""
        found = parsed(f"({self.of(node)}\n)")
        return (
            found is not None
            and len(found.body) == 1
            and isinstance(found.body[0], ast.Expr)
            and ast.dump(found.body[0].value) == ast.dump(node).replace("ctx=Store()", "ctx=Load()")
        )

    def statements(self) -> Iterator[ast.stmt]:
        """All statements, outer before inner."""
        yield from (node for node in self.nodes if isinstance(node, ast.stmt))

    def focus(self, line: int | None) -> tuple[int, int] | None:
        """First and last line of the statement that a line belongs to (of a compound one: of its head)."""
        best: tuple[int, int] | None = None
        for node in self.statements() if line else ():
            body = getattr(node, "body", None)
            last = node.end_lineno or node.lineno
            if isinstance(body, list) and body and body[0].lineno > node.lineno:
                last = body[0].lineno - 1
            if node.lineno <= (line or 0) <= last and (best is None or last - node.lineno <= best[1] - best[0]):
                best = (node.lineno, last)
        return best
