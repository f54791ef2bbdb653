"""How large a change is, and what it does to the code that people have to read.

Lines are those that hold code: blank lines, comments and docstrings are free. Branches are the decisions of McCabe's measure
(A complexity measure, IEEE TSE 2 (4), 1976): every `if`, loop, `except`, `case`, condition of a comprehension, and each
further operand of `and` and `or`. Counted on the tree here, since a cell is no module that a linter reads by itself.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from difflib import SequenceMatcher

from ..values.notebook import Notebook
from ..values.size import Size
from .contract import executable
from .magics import mask, parse_masked


def branches(source: str) -> int:
    """Decisions in a cell; 0 where it is no Python."""
    masked = mask(executable(source))
    tree = None if masked.opaque else parse_masked(masked)
    return sum(map(_decisions, ast.walk(tree))) if tree else 0


def _decisions(node: ast.AST) -> int:
    match node:
        case ast.If() | ast.IfExp() | ast.For() | ast.AsyncFor() | ast.While() | ast.ExceptHandler() | ast.match_case() | ast.Assert():
            return 1
        case ast.BoolOp(values=values):
            return len(values) - 1
        case ast.comprehension(ifs=ifs):
            return 1 + len(ifs)
        case _:
            return 0


def code_lines(source: str) -> tuple[str, ...]:
    """The lines of a cell that hold code, without white space around them; all that are not blank where it is no Python."""
    masked = mask(executable(source))
    tree = None if masked.opaque else parse_masked(masked)
    lines = executable(source).split("\n")
    free = set(_docstrings(tree)) if tree else set()
    return tuple(
        text for number, line in enumerate(lines, 1) if (text := line.strip()) and not text.startswith("#") and number not in free
    )


def _docstrings(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(node, (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and body:
            first = body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
                yield from range(first.lineno, (first.end_lineno or first.lineno) + 1)


def size_of(before: Notebook, after: Notebook) -> Size:
    """What changes between two notebooks, over all code cells that differ. A line that only moves in or out is the same."""
    old, new = ({c.id: c.source for c in n.code_cells} for n in (before, after))
    added = removed = more = characters = 0
    for cell_id in dict.fromkeys([*old, *new]):
        a, b = old.get(cell_id, ""), new.get(cell_id, "")
        if a == b:
            continue
        was, now = code_lines(a), code_lines(b)
        for tag, i, j, k, m in SequenceMatcher(None, was, now, autojunk=False).get_opcodes():
            if tag != "equal":
                removed += j - i
                added += m - k
                characters += sum(map(len, now[k:m]))
        more += branches(b) - branches(a)
    return Size(added, removed, more, characters)
