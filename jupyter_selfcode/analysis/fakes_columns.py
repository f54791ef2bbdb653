"""Fake fixes by column: one that was missing is given a constant, another one's values, or what was there before."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from ..values.trial import Finding, Severity
from .edits import TOLERATE, Edit, Marked, alike, brief, constant, finding, written
from .fakes_control import call_name
from .fakes_data import text_of


def _columns_made(tree: ast.Module) -> Iterator[tuple[str, ast.expr, ast.AST]]:
    """Columns (keys) that the code gives a value: name, value, where."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Subscript):
                    key = (
                        target.slice.elts[-1]
                        if isinstance(target.slice, ast.Tuple) and target.slice.elts
                        else target.slice
                    )
                    if (name := text_of(key)) is not None:
                        yield name, node.value, node
        elif isinstance(node, ast.Call) and call_name(node) == "assign":
            for k in node.keywords:
                if k.arg:
                    yield k.arg, k.value, node
                elif isinstance(k.value, ast.Dict):
                    held = zip(k.value.keys, k.value.values, strict=True)
                    yield from ((text_of(name) or "", value, node) for name, value in held)
        elif isinstance(node, ast.Call) and call_name(node) == "insert" and len(node.args) > 2:
            if (name := text_of(node.args[1])) is not None:
                yield name, node.args[2], node
        elif isinstance(node, ast.Call) and call_name(node) == "setdefault" and len(node.args) == 2:
            yield text_of(node.args[0]) or "", node.args[1], node


def _made(tree: ast.Module) -> Marked:
    for name, value, _ in _columns_made(tree):
        yield f"{name} = {written(value)}", ast.Tuple([ast.Constant(name), value], ast.Load())


def columns_invented(edit: Edit) -> Iterator[Finding]:
    """A column that was missing and is now given a constant, or another column's values."""
    for pair in edit.added(_made):
        assert isinstance(pair, ast.Tuple)
        assert isinstance(pair.elts[0], ast.Constant)
        name, value = str(pair.elts[0].value), pair.elts[1]
        missing = name in edit.subjects
        if constant(value) and edit.repair:
            severity: Severity = "block" if missing and not TOLERATE.search(edit.words) else "ask"
            yield from finding(
                "invented", severity, f"The column {name!r} is given {brief(value, 40)}: data is made up."
            )
        elif isinstance(value, ast.Subscript) and missing and edit.repair:
            other = text_of(value.slice)
            if other is not None and not alike(name, other):
                yield from finding("invented", "block", f"The missing column {name!r} is a copy of {other!r}.")
            elif other is not None and "".join(other.split()).lower() != "".join(name.split()).lower():
                yield from finding("renamed", "ask", f"The missing column {name!r} is taken from {other!r}.")
        elif missing and edit.repair and edit.around and not _names_news(value, edit.around):
            yield from finding(
                "invented", "ask", f"The missing column {name!r} is made from what was there before: {brief(value, 40)}."
            )


def _names_news(value: ast.expr, around: str) -> bool:
    """Whether an expression reads something that the notebook did not name before, as the new name of a column is; or
    is one that the notebook had somewhere."""
    if written(value) in around:
        return True
    called = {id(n.func) for n in ast.walk(value) if isinstance(n, ast.Call)}
    for node in ast.walk(value):
        if (text := text_of(node)) is not None and repr(text) not in around:
            return True
        if isinstance(node, ast.Attribute) and id(node) not in called and f".{node.attr}" not in around:
            return True
        if isinstance(node, ast.Name) and not re.search(rf"\b{node.id}\b", around):
            return True
    return False


def _keys(tree: ast.Module) -> Marked:
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript):
            parts = node.slice.elts if isinstance(node.slice, (ast.List, ast.Tuple)) else [node.slice]
            for part in parts:
                if (name := text_of(part)) is not None:
                    yield name, part


def column_replaced(edit: Edit) -> Iterator[Finding]:
    """A missing column whose place another one has taken, with a name that is not alike."""
    if not edit.repair:
        return
    gone = {text_of(n) or "" for n in edit.removed(_keys)} & edit.subjects
    came = sorted({text_of(n) or "" for n in edit.added(_keys)} - {""})
    for name in sorted(gone):
        if came and not any(alike(name, other) for other in came):
            yield from finding("renamed", "ask", f"{name!r} was replaced by {came[0]!r}, whose name is not alike.")
    for node in edit.added(_renames):
        assert isinstance(node, ast.Tuple)
        old, new = (text_of(e) or "" for e in node.elts)
        if new in edit.subjects and not alike(old, new):
            yield from finding(
                "renamed", "ask", f"{old!r} is renamed to the missing {new!r}, and the names are not alike."
            )


def _renames(tree: ast.Module) -> Marked:
    for node in ast.walk(tree):
        if call_name(node) == "rename" and isinstance(node, ast.Call):
            for held in [*node.args, *(k.value for k in node.keywords)]:
                for k, v in zip(held.keys, held.values, strict=True) if isinstance(held, ast.Dict) else ():
                    if text_of(k) is not None and text_of(v) is not None:
                        yield f"{text_of(k)}>{text_of(v)}", ast.Tuple([k or v, v], ast.Load())


RULES = (columns_invented, column_replaced)
