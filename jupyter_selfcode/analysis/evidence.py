"""How much an answer says when it holds: a value, or next to nothing.

`total > 0` holds for nearly every total, of another column and in another currency too; `x is not None` and `len(df)`
hold for nearly every result made of the same rows. That they hold once a cell runs again is no reason to deploy a change
which nobody has looked at. What names a value, or both ends of a range, is one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from typing import Any

from .contract import executable
from .magics import parse

_COUNTS = ("len", "type", "isinstance", "issubclass", "hasattr", "callable", "bool", "nunique", "count", "id", "dir")
_FACETS = ("shape", "size", "ndim", "dtype", "dtypes", "empty", "columns", "__name__", "__class__")
_EQUALITIES = (
    *("isclose", "allclose", "array_equal", "equals", "between"),
    *("assert_frame_equal", "assert_series_equal", "assert_allclose"),
)
_BLANK = ("", "True", "False", "None")


def _called(node: ast.AST) -> str:
    if not isinstance(node, ast.Call):
        return ""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _counts(node: ast.AST) -> bool:
    """Whether an expression is about how much there is, or of what type, and not about what it is."""
    if isinstance(node, ast.Constant):
        return True
    if isinstance(node, (ast.Tuple, ast.List)):
        return all(_counts(e) for e in node.elts)
    if isinstance(node, ast.Attribute):
        return node.attr in _FACETS
    if isinstance(node, ast.Subscript):
        return _counts(node.value)
    if isinstance(node, ast.BinOp):
        return _counts(node.left) and _counts(node.right)
    if isinstance(node, ast.Call):
        made = _called(node) in ("int", "tuple", "list", "sorted", "set", "str") and bool(node.args)
        return _called(node) in _COUNTS or (made and _counts(node.args[0]))
    return False


def counting(source: str) -> bool:
    """Whether an example or the test of an assertion only says how much there is, or of what type: whatever is of that size
    keeps it, so that it was broken before and holds now does not say that what is there is right."""
    try:
        tree = ast.parse(source.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return False
    return all(_counts(s) for s in (tree.left, *tree.comparators)) if isinstance(tree, ast.Compare) else _counts(tree)


def foregone(node: ast.AST) -> bool:
    """Whether an answer is known before it is asked: a thing is compared with itself, or with `or True`."""
    for n in ast.walk(node):
        if isinstance(n, ast.Compare):
            sides = [ast.unparse(s) for s in (n.left, *n.comparators)]
            if len(set(sides)) < len(sides):
                return True
        if isinstance(n, ast.BoolOp) and any(isinstance(v, ast.Constant) for v in n.values):
            return True
    return False


def _compares(node: ast.AST) -> bool:
    """Whether a part of a condition is an equality, a distance or a range with two ends, and not only of counts."""
    if _called(node) in _EQUALITIES:
        return True
    if not isinstance(node, ast.Compare) or all(_counts(s) for s in (node.left, *node.comparators)):
        return False
    ranged, distance = (
        len(node.ops) > 1,
        _called(node.left) in ("abs", "max") and isinstance(node.ops[0], (ast.Lt, ast.LtE)),
    )
    blank = any(isinstance(s, ast.Constant) and s.value is None for s in node.comparators)
    return not blank and (ranged or distance or isinstance(node.ops[0], ast.Eq))


def asserted(source: str) -> frozenset[str]:
    """The assertions that a cell makes whenever it runs: at its top level, about something that has a name."""
    tree = parse(executable(source))
    return frozenset(
        ast.unparse(s.test)
        for s in (tree.body if tree else ())
        if isinstance(s, ast.Assert) and any(isinstance(n, ast.Name) for n in ast.walk(s.test))
    )


def pins(source: str, want: str | None = None) -> bool:
    """Whether a doctest example (`want`: what it shows) or the test of an assertion says which result is right."""
    shown = None if want is None else want.replace("...", "").strip()
    try:
        tree = ast.parse(source.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return shown is not None and shown not in _BLANK
    if foregone(tree):
        return False
    if shown is not None and shown not in _BLANK:
        return not _counts(tree)
    return (shown is None or bool(shown)) and any(_compares(node) for node in ast.walk(tree))


def tells(outputs: Iterable[Mapping[str, Any]]) -> bool:
    """Whether recorded outputs say more than a truth value."""
    for output in outputs:
        data = output.get("data") or {}
        if any(not kind.startswith("text/plain") for kind in data):
            return True
        text = output.get("text", data.get("text/plain", ""))
        text = text if isinstance(text, str) else "".join(map(str, text))
        if text.strip().removeprefix("np.").removesuffix("_") not in _BLANK:
            return True
    return False
