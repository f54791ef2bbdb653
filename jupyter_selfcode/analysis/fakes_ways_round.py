"""Fake fixes by a way round: what fails is left out of the formula, cut to fit, given a stand-in or corrected by hand."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from ..values.trial import Finding, Severity
from .edits import TOLERATE, Edit, Marked, brief, constant, finding, written
from .fakes_control import call_name
from .fakes_data import text_of

STAND_INS = (
    "Mock",
    "MagicMock",
    "AsyncMock",
    "SimpleNamespace",
    "ModuleType",
    "create_autospec",
    "DummyClassifier",
    "DummyRegressor",
)
ANSWERS = ("__repr__", "__str__", "_repr_html_", "__format__")
_SHAPE = re.compile(
    r"(?i)shape|length|broadcast|\bsize|mismatch|inconsistent|number of (samples|rows|values)|dimension"
)
_NUMBER = r"(-?\d+(?:\.\d+)?)"
_GAVE = re.compile(rf" gave {_NUMBER}, the contract says {_NUMBER}\s*$")


def _stand_ins(tree: ast.Module) -> Marked:
    for node in ast.walk(tree):
        if call_name(node) in STAND_INS:
            yield call_name(node), node


def stand_ins(edit: Edit) -> Iterator[Finding]:
    """A mock for a thing that is missing; a constant for a name that is not defined."""
    for node in edit.added(_stand_ins):
        severity: Severity = "block" if edit.repair else "ask"
        yield from finding("stand-in", severity, f"{brief(node)} stands in for a real thing.")
    if edit.failure is None or edit.failure.ename not in ("NameError", "UnboundLocalError"):
        return
    # what the cell adds up, or counts, begins somewhere: `total = 0` before `total += x`
    counted = {written(n.target) for n in ast.walk(edit.before) if isinstance(n, ast.AugAssign)}
    for node in ast.walk(edit.after):
        if not isinstance(node, ast.Assign) or not constant(node.value) or written(node) in edit.old_statements:
            continue
        names = ({t.id for t in node.targets if isinstance(t, ast.Name)} & edit.subjects) - counted
        if names:
            held = [n.value for n in ast.walk(node.value) if isinstance(n, ast.Constant)]
            plain = not any(held) or isinstance(node.value, ast.Call)
            message = f"{', '.join(sorted(names))} was not defined, and is given {brief(node.value, 40)}."
            yield from finding("stand-in", "block" if plain and not TOLERATE.search(edit.words) else "ask", message)


def _or_defaults(tree: ast.Module) -> Marked:
    tests = {id(n) for t in ast.walk(tree) if isinstance(t, (ast.If, ast.While, ast.Assert)) for n in ast.walk(t.test)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.BoolOp) or id(node) in tests:
            continue
        if isinstance(node.op, ast.Or) and constant(node.values[-1]):
            yield written(node), node


def or_defaults(edit: Edit) -> Iterator[Finding]:
    """`value or 0` where a value is missing."""
    if edit.repair:
        for node in edit.added(_or_defaults):
            yield from finding(
                "invented", edit.weigh(TOLERATE), f"{brief(node)} gives a default where data is missing."
            )


def _cuts(tree: ast.Module) -> Marked:
    for node in ast.walk(tree):
        if (
            (
                isinstance(node, ast.Subscript)
                and isinstance(node.slice, ast.Slice)
                and (node.slice.lower or node.slice.upper)
            )
            or call_name(node) in ("head", "tail", "truncate", "zip", "islice")
            or (
                call_name(node) == "min"
                and isinstance(node, ast.Call)
                and all(call_name(a) == "len" for a in node.args)
            )
        ):
            yield "cut", node


def cut_to_fit(edit: Edit) -> Iterator[Finding]:
    """Data cut so that lengths agree; duplicates dropped so that keys do."""
    if not edit.repair:
        return
    if edit.failure and _SHAPE.search(edit.failure.evalue):
        for node in edit.added(_cuts):
            yield from finding("left-out", "ask", f"{brief(node)} cuts data so that lengths agree.")
    for node in edit.added(_unique):
        yield from finding("left-out", "ask", f"{brief(node)} leaves rows out so that the code runs.")


SUMMARIES = ("mean", "median", "max", "min", "sum", "std")


def _unique(tree: ast.Module) -> Marked:
    for node in ast.walk(tree):
        if call_name(node) in ("drop_duplicates", "nodups", "pivot_table"):
            yield "unique", node


def _by_position(tree: ast.Module) -> Marked:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Subscript) or not isinstance(node.value, ast.Attribute):
            continue
        if node.value.attr in ("iloc", "iat", "columns", "values") and "'" not in written(node.slice):
            yield "position", node


def _texts(tree: ast.Module) -> set[str]:
    return {text_of(n) or "" for n in ast.walk(tree)} - {""}


def left_out_of_formula(edit: Edit) -> Iterator[Finding]:
    """The missing column is no longer used: dropped from the formula, or read by its place."""
    if not edit.repair or not edit.failure or edit.failure.ename not in ("KeyError", "ValueError", "IndexError"):
        return
    gone = sorted((_used_keys(edit.before) & edit.subjects) - _texts(edit.after))
    if not gone:
        return
    for node in edit.added(_by_position):
        yield from finding(
            "renamed", "ask", f"{gone[0]!r} is now read by its place, {brief(node)}; is that the same column?"
        )
    if _texts(edit.after) <= _texts(edit.before):
        yield from finding(
            "left-out", "ask", f"The missing {gone[0]!r} is no longer used, and nothing has taken its place."
        )


def _used_keys(tree: ast.Module) -> set[str]:
    return {
        t for n in ast.walk(tree) if isinstance(n, ast.Subscript) for t in _texts(ast.Module([ast.Expr(n.slice)], []))
    }


def corrected(edit: Edit) -> Iterator[Finding]:
    """A computed value moved to the wanted one by a constant; a term multiplied by zero; text that answers for a value."""
    for node in edit.added(_zeros):
        yield from finding("invented", "block" if edit.repair else "ask", f"{brief(node)} is always zero.")
    for node in edit.added(_answers):
        yield from finding("hard-coded", "block", f"{brief(node)} answers with a fixed text.")
    if not edit.failure or edit.failure.ename not in ("ContractBroken", "AssertionError"):
        return
    for node in edit.added(_scaled):
        yield from finding("hard-coded", "ask", f"{brief(node)} moves what was computed to a constant.")
    was = {written(n.value) for n in ast.walk(edit.before) if isinstance(n, (ast.Assign, ast.Return)) and n.value}
    gave = _GAVE.search(edit.failure.evalue)
    for node in ast.walk(edit.after):
        value = node.value if isinstance(node, (ast.Assign, ast.Return)) else None
        if not isinstance(value, ast.BinOp) or written(value) in was:
            continue
        for kept, by in ((value.left, value.right), (value.right, value.left)):
            if written(kept) in was and isinstance(by, ast.Constant) and isinstance(by.value, (int, float)):
                exact = bool(gave) and _makes_up(float(gave[1]), float(gave[2]), by.value)  # type: ignore[index]
                message = f"{brief(value)} corrects what was computed by the constant {by.value}."
                yield from finding("hard-coded", "block" if exact and abs(by.value) > 1 else "ask", message)


def _makes_up(got: float, want: float, by: float) -> bool:
    return abs(abs(want - got) - abs(by)) < 1e-9 or (got != 0 and abs(want / got - by) < 1e-9)


def _scaled(tree: ast.Module) -> Marked:
    """A value changed in place by a constant, or by a constant and its own mean, sum or largest."""
    for node in ast.walk(tree):
        if isinstance(node, ast.AugAssign) and isinstance(node.op, (ast.Mult, ast.Div, ast.Add, ast.Sub)):
            if isinstance(node.target, (ast.Subscript, ast.Attribute)) and _numbers(node.value):
                yield written(node), node
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.BinOp) and _numbers(node.value):
            changed = {written(t) for t in node.targets}
            for call in ast.walk(node.value):
                own = isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in SUMMARIES
                if own and written(call.func.value) in changed:  # type: ignore[attr-defined]
                    yield written(node), node
                    break


def _numbers(node: ast.expr) -> bool:
    """Whether a number stands in the arithmetic of an expression, as no index and no argument."""
    if isinstance(node, ast.BinOp):
        return _numbers(node.left) or _numbers(node.right)
    return isinstance(node, ast.Constant) and type(node.value) in (int, float)


def _zeros(tree: ast.Module) -> Marked:
    for node in ast.walk(tree):
        if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Mult):
            continue
        if any(isinstance(s, ast.Constant) and s.value in (0, 0.0) for s in (node.left, node.right)):
            yield written(node), node


def _answers(tree: ast.Module) -> Marked:
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef) or node.name not in ANSWERS:
            continue
        if all(isinstance(s, ast.Return) and constant(s.value) for s in node.body):
            yield written(node), node


RULES = (stand_ins, or_defaults, cut_to_fit, left_out_of_formula, corrected)
