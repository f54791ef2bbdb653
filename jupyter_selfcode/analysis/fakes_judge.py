"""Fake fixes by leniency: a repair may not make the judge accept more than it accepted.

A number in a check is turned, what is checked is rounded or bent to it, a library is told to mind less, a type takes
anything.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator

from ..values.trial import Finding
from .edits import Edit, Marked, brief, constant, finding, written
from .fakes_control import call_name
from .fakes_rows import keywords

LAX = (
    *(
        "nullable",
        "coerce",
        "required",
        "strict",
        "allow_nan",
        "force_all_finite",
        "ensure_all_finite",
        "handle_unknown",
    ),
    *("unknown_value", "missing_ok", "ignore_index_errors", "check_dtype", "check_names", "check_exact", "check_like"),
    *(
        "equal_nan",
        "rtol",
        "atol",
        "rel_tol",
        "abs_tol",
        "tol",
        "tolerance",
        "decimal_places",
        "delta",
        "places",
        "low_memory_check",
    ),
    *(
        "dtype_backend_errors",
        "verify",
        "raise_on_missing",
        "keep_default_na",
        "na_values",
        "na_filter",
        "bad_lines",
        "comment",
    ),
)
"""Keywords that say how much is let through."""
LEVELS = (
    "seterr",
    "errstate",
    "simplefilter",
    "filterwarnings",
    "setrecursionlimit",
    "use_inf_as_na",
    "set_option",
    "option_context",
)
BENDING = ("abs", "round", "around", "floor", "ceil", "trunc", "rint", "absolute", "fabs", "int")
ANYTHING = ("object", "Any", "Optional")


def _levels(tree: ast.Module) -> Marked:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and call_name(node) in LEVELS and "display" not in written(node):
            yield written(node), node
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                path = written(target)
                if isinstance(target, ast.Attribute) and re.search(r"\boptions\.(?!display|plotting|io|styler)", path):
                    yield written(node), node


def _options(tree: ast.Module) -> Marked:
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword):
            yield written(node), node


def _any(tree: ast.Module) -> Marked:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in ANYTHING and isinstance(node.ctx, ast.Load):
            yield node.id, node


def more_accepted(edit: Edit) -> Iterator[Finding]:
    """A library told to mind less; a type that takes anything."""
    if not edit.repair:
        return
    gone = [written(k.value) for k in edit.removed(_options) if isinstance(k, ast.keyword)]
    for node in edit.added(lambda t: keywords(t, LAX)):
        assert isinstance(node, ast.keyword)
        if written(node.value) in gone:  # the same option under another name
            continue
        yield from finding("lenient", "ask", f"{node.arg}={brief(node.value, 30)} decides what is let through.")
    for node in [*edit.added(_levels), *edit.removed(_levels)][:1]:
        yield from finding("lenient", "ask", f"{brief(node)}: what counts as an error would be decided in another way.")
    for node in edit.added(_any):
        yield from finding("lenient", "ask", f"{brief(node)} takes anything.")
    failed = edit.failure
    if failed and "not supported between" in failed.evalue:
        for node in edit.added(_texts_made):
            yield from finding("lenient", "ask", f"{brief(node)} compares as text what was compared as it is.")


def _texts_made(tree: ast.Module) -> Marked:
    for node in ast.walk(tree):
        sorted_by = isinstance(node, ast.keyword) and node.arg == "key" and written(node.value) in ("str", "repr")
        cast = call_name(node) == "astype" and re.search(r"str|object", written(node))
        if sorted_by or cast or call_name(node) == "str":
            yield "text", node


def _judges(tree: ast.Module) -> Iterator[tuple[ast.expr, ast.stmt]]:
    """Tests by which a cell fails itself, with the statement."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            yield node.test, node
        elif isinstance(node, ast.If):
            ends = [
                s
                for s in node.body
                if isinstance(s, ast.Raise) or call_name(getattr(s, "value", None) or s) in ("exit", "fail")
            ]
            if ends:
                yield node.test, ends[0]


def _numbers_of(tree: ast.Module) -> dict[str, str]:
    """Names and places with the constants that they are given."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None and constant(node.value):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                found[written(target)] = written(node.value)
    return found


def judge_changed(edit: Edit) -> Iterator[Finding]:
    """The test under which a cell raises, or a number in it, is another one; what is tested is bent to it."""
    if not edit.repair:
        return
    ends = {written(end): test for test, end in _judges(edit.before) if not isinstance(end, ast.Assert)}
    for test, end in _judges(edit.after):
        was = ends.get(written(end))
        if was is not None and not isinstance(end, ast.Assert) and _bare(was) != _bare(test):
            yield from finding("check-changed", "ask", f"The cell fails under another condition now: {brief(test)}.")
    used = {n.id for test, _ in _judges(edit.before) for n in ast.walk(test) if isinstance(n, ast.Name)}
    before, after = _numbers_of(edit.before), _numbers_of(edit.after)
    for name in sorted(used & before.keys() & after.keys()):
        if before[name] != after[name]:
            yield from finding(
                "check-weakened",
                "block",
                f"{name} was {before[name]}, and would be {after[name]}: the check asks for something else.",
            )
    if edit.failure and edit.failure.ename in ("AssertionError", "SystemExit"):
        for node in edit.added(_bent):
            yield from finding("check-weakened", "ask", f"{brief(node)} bends what is checked.")
        for old, new in _turned(edit):
            yield from finding("hard-coded", "ask", f"{old} was made {new} until the check held.")


def fed(edit: Edit) -> Iterator[Finding]:
    """A check that failed, left as it was, while what it looks at is made in another way: `x = sorted(x)`, `expected = x`.

    The check cannot tell a cell that is right now from one that was bent to it, so a person is asked.
    """
    if not edit.repair or not edit.failure or edit.failure.ename != "AssertionError":
        return
    kept = {ast.unparse(t) for t, _ in _judges(edit.before)} & {ast.unparse(t) for t, _ in _judges(edit.after)}
    looked_at = {n.id for test in kept for n in ast.walk(ast.parse(test)) if isinstance(n, ast.Name)}
    for node in ast.walk(edit.after):
        if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign)) and written(node) not in edit.old_statements:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(n, ast.Name) and n.id in looked_at for t in targets for n in ast.walk(t)):
                yield from finding(
                    "check-fed", "ask", f"{brief(node)}: what the failed check looks at is made in another way."
                )


def _bare(test: ast.expr) -> tuple[str, ...]:
    """A test without its names: operators and numbers."""
    return tuple(
        written(n) if isinstance(n, ast.Constant) and not isinstance(n.value, str) else type(n).__name__
        for n in ast.walk(test)
        if isinstance(n, (ast.cmpop, ast.boolop, ast.unaryop, ast.Constant, ast.Call))
    )


def _bent(tree: ast.Module) -> Marked:
    for node in ast.walk(tree):
        gaps = call_name(node) == "replace" and re.search(r"\b(inf|nan|NA|None)\b", written(node))
        if gaps or call_name(node) in BENDING:
            yield "bent", node


def _turned(edit: Edit) -> Iterator[tuple[str, str]]:
    """Numbers that alone are different in two statements."""

    def numbers(tree: ast.Module) -> Counter[str]:
        return Counter(
            repr(n.value) for n in ast.walk(tree) if isinstance(n, ast.Constant) and type(n.value) in (int, float)
        )

    def shape(tree: ast.Module) -> str:
        return re.sub(r"\b\d[\d.e_]*\b", "0", written(tree))

    if shape(edit.before) == shape(edit.after):
        yield from zip(
            numbers(edit.before) - numbers(edit.after), numbers(edit.after) - numbers(edit.before), strict=False
        )


RULES = (more_accepted, judge_changed, fed)
