"""Small questions about syntax trees that more than one reader asks."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator


def root(node: ast.AST | None) -> str | None:
    """The name at the bottom of `a.b[c].d()`, or None."""
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Starred, ast.Call, ast.Await)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None


def dotted(node: ast.AST) -> str:
    """`a.b.c` as text; empty where it is anything else."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def stored(body: Iterable[ast.AST]) -> Iterator[str]:
    """Names that statements bind in their own scope."""
    left = list(body)
    while left:
        node = left.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
            continue
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]
        elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
            yield node.name
        elif isinstance(node, ast.MatchMapping) and node.rest:
            yield node.rest
        if not isinstance(node, (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            left += ast.iter_child_nodes(node)


def imports(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, str]]:
    """What the imports among nodes bind, each with its full name: `("pd", "pandas")`, `("*", "os")`."""
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                yield alias.asname or top, alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                if alias.name == "*":
                    yield "*", node.module
                else:
                    yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def imported(nodes: Iterable[ast.AST]) -> dict[str, str]:
    """The same, the last of each name: `{"pd": "pandas", "xml": "xml", "read_csv": "pandas.read_csv"}`."""
    return dict(imports(nodes))
