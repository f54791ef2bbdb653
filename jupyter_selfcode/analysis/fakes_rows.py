"""Fake fixes by selection: a repair may not take fewer rows, or other things, than the cell took.

Rows go by a selection that was not there, by another way of joining, by fewer of them being read. Other things are taken
where a name of another unit, sample or end of a range stands for the one that is missing, or only its place.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator

from ..values.trial import Finding
from .edits import Edit, Marked, brief, finding, written
from .fakes_control import call_name
from .fakes_data import text_of
from .opposites import opposed, qualified

MASKS = (
    *(
        "isin",
        "notna",
        "isna",
        "notnull",
        "isnull",
        "between",
        "duplicated",
        "contains",
        "startswith",
        "isfinite",
        "isnan",
    ),
    *(
        "isnumeric",
        "isdigit",
        "str_contains",
        "is_not_null",
        "logical_and",
        "logical_not",
        "eq",
        "ne",
        "gt",
        "lt",
        "ge",
        "le",
    ),
)
FEWER = (
    *(
        "query",
        "filter",
        "head",
        "tail",
        "sample",
        "nlargest",
        "nsmallest",
        "select_dtypes",
        "truncate",
        "first",
        "last",
        "nth",
    ),
    *("drop_nulls", "unique", "islice", "takewhile", "dropwhile", "compress", "intersection", "limit", "sample_n"),
)
JOINS = ("how", "join")
AMOUNTS = (
    "nrows",
    "n_rows",
    "frac",
    "sample_size",
    "max_rows",
    "stop_after",
    "n_samples",
    "chunksize",
    "limit",
    "min_count",
    "skipna",
)


def _mask(node: ast.AST | None, masks: frozenset[str]) -> bool:
    if isinstance(node, ast.Compare):
        return True
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Invert, ast.Not)):
        return True
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.BitAnd, ast.BitOr)):
        return _mask(node.left, masks) or _mask(node.right, masks)
    if isinstance(node, ast.BoolOp):
        return any(_mask(v, masks) for v in node.values)
    if isinstance(node, ast.Tuple) and node.elts:
        return _mask(node.elts[0], masks)
    if isinstance(node, ast.Name):
        return node.id in masks
    return call_name(node) in MASKS if node is not None else False


def _masks(tree: ast.Module) -> frozenset[str]:
    return frozenset(
        t.id
        for n in ast.walk(tree)
        if isinstance(n, ast.Assign) and not isinstance(n.value, ast.Name) and _mask(n.value, frozenset())
        for t in n.targets
        if isinstance(t, ast.Name)
    )


def _of_columns(call: ast.Call) -> bool:
    return any(
        k.arg == "columns" or (k.arg == "axis" and written(k.value) in ("1", "'columns'")) for k in call.keywords
    )


def _selections(tree: ast.Module) -> Marked:
    """What takes a part of the rows; the key is the kind, so that another condition alone is no finding."""
    masks = _masks(tree)
    checks = {id(n) for c in ast.walk(tree) if isinstance(c, (ast.Assert, ast.Raise)) for n in ast.walk(c)}
    checks |= {
        id(n)
        for c in ast.walk(tree)
        if isinstance(c, ast.If) and all(isinstance(s, ast.Raise) for s in c.body)
        for n in ast.walk(c)
    }
    for node in ast.walk(tree):
        if id(node) in checks:
            continue
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and _mask(node.slice, masks):
            yield "rows", node
        elif isinstance(node, ast.comprehension):
            yield from (("rows", test) for test in node.ifs)
        elif isinstance(node, ast.Call) and call_name(node) in FEWER:
            if not (
                isinstance(node.func, ast.Attribute) and written(node.func.value) in ("warnings", "re", "np", "numpy")
            ):
                yield "rows", node
        elif isinstance(node, ast.Call) and call_name(node) == "drop" and not _of_columns(node):
            yield "rows", node


def keywords(tree: ast.Module, names: tuple[str, ...]) -> Marked:
    for node in ast.walk(tree):
        for k in node.keywords if isinstance(node, ast.Call) else ():
            if k.arg in names:
                yield f"{k.arg}={written(k.value)}", k


def _past_gaps(tree: ast.Module) -> Marked:
    for node in ast.walk(tree):
        if re.match(r"nan(?!_to_num)\w", call_name(node)):
            yield "gaps", node


def rows_dropped(edit: Edit) -> Iterator[Finding]:
    """A selection that was not there; another way of joining; fewer rows taken."""
    if not edit.repair:
        return
    for node in edit.added(_selections):
        yield from finding("left-out", "ask", f"{brief(node)} takes only a part of the data.")
    for node in edit.added(_past_gaps):
        yield from finding("left-out", "ask", f"{brief(node)} passes over what is missing.")
    joined = [*edit.added(lambda t: keywords(t, JOINS)), *edit.removed(lambda t: keywords(t, JOINS))]
    for node in joined[:1]:
        assert isinstance(node, ast.keyword)
        if not (
            edit.failure and edit.failure.ename == "ContractBroken" and written(node.value) in ("'left'", "'outer'")
        ):
            yield from finding(
                "left-out", "ask", f"{node.arg}={written(node.value)}: the rows of a join are not the same."
            )
    for node in edit.added(lambda t: keywords(t, AMOUNTS)):
        assert isinstance(node, ast.keyword)
        yield from finding(
            "left-out", "ask", f"{node.arg}={brief(node.value, 30)} decides how much of the data counts."
        )


def _names(tree: ast.Module) -> Counter[str]:
    """Variables and columns as often as they are read; what is called is none."""
    called = {id(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}
    nodes = [n for n in ast.walk(tree) if id(n) not in called]
    names = (n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load))
    columns = (t for s in nodes if isinstance(s, ast.Subscript) for n in ast.walk(s.slice) if (t := text_of(n)))
    attributes = (n.attr for n in nodes if isinstance(n, ast.Attribute) and len(n.attr) > 1)
    return Counter([*names, *columns, *attributes])


def taken_for_another(edit: Edit) -> Iterator[Finding]:
    """A name of another unit, sample, number or end of a range in the place of one that was read."""
    if not edit.repair:
        return
    before, after = _names(edit.before), _names(edit.after)
    gone, came = before - after, after - before
    for old in sorted(gone):
        for new in sorted(came):
            if opposed(old, new):
                yield from finding("renamed", "ask", f"{old!r} was replaced by {new!r}, which says something else.")
            elif old in edit.subjects and qualified(old, new):
                yield from finding("renamed", "ask", f"{old!r} was replaced by {new!r}; is that the same thing?")


def _said(tree: ast.Module) -> set[str]:
    """Texts and names of keywords: all by which a cell may name a column."""
    return {t for n in ast.walk(tree) if (t := text_of(n))} | {
        k.arg for n in ast.walk(tree) if isinstance(n, ast.Call) for k in n.keywords if k.arg
    }


def _by_place(tree: ast.Module) -> Marked:
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Slice):
            of = node.value
            placed = isinstance(of, ast.Attribute) and of.attr in ("iloc", "iat", "columns", "values")
            if placed or call_name(of) == "list":
                yield "place", node


def no_longer_used(edit: Edit) -> Iterator[Finding]:
    """A missing column that the cell no longer names, with nothing new, or only a place, instead."""
    if (
        not edit.repair
        or not edit.failure
        or edit.failure.ename not in ("KeyError", "ValueError", "IndexError", "AttributeError")
    ):
        return
    gone = sorted((_said(edit.before) & edit.subjects) - _said(edit.after))
    if not gone:
        return
    placed = edit.added(_by_place)
    if placed:
        yield from finding(
            "renamed", "ask", f"{gone[0]!r} is now read by its place, {brief(placed[0])}; is that the same column?"
        )
    elif edit.failure.ename == "KeyError" and _said(edit.after) <= _said(edit.before) and edit.after.body:
        yield from finding(
            "left-out", "ask", f"The missing {gone[0]!r} is no longer used, and nothing has taken its place."
        )


RULES = (rows_dropped, taken_for_another, no_longer_used)
