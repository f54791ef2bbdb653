"""Fake fixes by value: a repair may not make values from constants or places where they came from the data.

A constant is a stand-in wherever the code chooses between it and a computed value: a branch, a default, a bound, a
replacement. A value that knows of the data only how much there is (`range(len(df))`, `df.index`) is one as well, and so is
one that is read from what the cell itself, or an earlier run, has written.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator

from ..values.trial import Finding
from .edits import Edit, Marked, brief, constant, finding, written
from .fakes_control import call_name
from .fakes_data import text_of

BOUNDS = ("max", "min", "maximum", "minimum", "fmax", "fmin", "clip", "clip_lower", "clip_upper")
CHOOSERS = {"where": 1, "mask": 1, "select": 1, "putmask": 2, "place": 2, "copyto": 1, "when": 1, "otherwise": 0}
"""Calls that choose between values, with the place from which on an argument is a value."""
DEFAULTS = {
    "get": 1,
    "getattr": 2,
    "next": 1,
    "pop": 1,
    "setdefault": 1,
    "nan_to_num": 0,
    "coalesce": 1,
    "fill_null": 0,
}
PLACES = (
    "range",
    "arange",
    "linspace",
    "len",
    "count",
    "cumcount",
    "ngroup",
    "date_range",
    "period_range",
    "RangeIndex",
)
SIZES = ("index", "shape", "size", "ndim")
WRITES = (
    "write",
    "write_text",
    "write_bytes",
    "writelines",
    "touch",
    "savetxt",
    "save",
    "dump",
    "savez",
    "writerow",
    "writerows",
)
NAMESPACES = ("globals", "locals", "vars", "eval", "exec", "__import__")


def _number(node: ast.AST | None) -> bool:
    inner = node.operand if isinstance(node, ast.UnaryOp) else node
    return (
        isinstance(inner, ast.Constant) and isinstance(inner.value, (int, float)) and not isinstance(inner.value, bool)
    )


def _sentence(node: ast.AST) -> bool:
    """Whether a choice is only about what is shown: it is inside of a text, or both its ends are texts."""
    return isinstance(node, ast.IfExp) and text_of(node.body) is not None and text_of(node.orelse) is not None


def _choices(tree: ast.Module) -> Marked:
    """Places where the code chooses between a constant and a computed value; the key leaves the names out."""
    shown = {id(n) for f in ast.walk(tree) if isinstance(f, ast.JoinedStr) for n in ast.walk(f)}
    for node in ast.walk(tree):
        if id(node) in shown:
            continue
        if isinstance(node, ast.IfExp) and constant(node.body) != constant(node.orelse) and not _sentence(node):
            yield "branch", node
        elif isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or) and _number(node.values[-1]):
            yield "or", node
        elif isinstance(node, ast.Call):
            name, method = call_name(node), isinstance(node.func, ast.Attribute)
            given = [
                *node.args,
                *(k.value for k in node.keywords if k.arg in ("other", "default", "fill_value", "choicelist")),
            ]
            if name in BOUNDS:
                bounds = [
                    *node.args,
                    *(k.value for k in node.keywords if k.arg in ("lower", "upper", "a_min", "a_max", "min", "max")),
                ]
                if any(_number(a) for a in bounds) and (name not in ("min", "max") or not method):
                    yield "bound", node
            elif name in CHOOSERS and method:
                values = given[CHOOSERS[name] :]
                if any(constant(v) or _summary(v) for v in values):
                    yield "choice", node
            elif name == "defaultdict" and len(node.args) > 1:
                yield "default", node
            elif (
                name == "replace"
                and method
                and len(node.args) == 2
                and constant(node.args[1])
                and text_of(node.args[0]) is None
            ):
                yield "replace", node
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name in ("__missing__", "__getattr__"):
            yield "default", node


def _summary(node: ast.AST) -> bool:
    """Whether a value is one number for all rows."""
    return call_name(node) in ("mean", "median", "mode", "min", "max", "nanmean", "nanmedian", "quantile")


def _nudged(tree: ast.Module) -> Marked:
    """Denominators moved away from zero by a constant."""
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Div, ast.FloorDiv, ast.Mod)):
            inner = node.right
            if (
                isinstance(inner, ast.BinOp)
                and isinstance(inner.op, ast.Add)
                and (_number(inner.left) or _number(inner.right))
            ):
                yield "nudged", node


def stand_in_constants(edit: Edit) -> Iterator[Finding]:
    """A constant, or one number for all rows, chosen where a computed value was."""
    if not edit.repair:
        return
    for node in edit.added(_choices):
        yield from finding("invented", "ask", f"{brief(node)} may put a fixed value in the place of a computed one.")
    broke = edit.failure.ename if edit.failure else ""
    if broke in ("ZeroDivisionError", "FloatingPointError", "RuntimeWarning", "AssertionError", "ValueError"):
        for node in edit.added(_nudged):
            yield from finding("invented", "ask", f"{brief(node)} moves the denominator by a constant.")


def _placed(value: ast.AST) -> bool:
    """Whether a value says of the data only how much there is: places, lengths, the index."""
    names = [n for n in ast.walk(value) if isinstance(n, ast.Name)]
    sized = {id(n.value) for n in ast.walk(value) if isinstance(n, ast.Attribute) and n.attr in SIZES}
    sized |= {id(a) for n in ast.walk(value) if call_name(n) == "len" and isinstance(n, ast.Call) for a in n.args}
    calls = {call_name(n) for n in ast.walk(value)} - {""}
    made = bool(calls & set(PLACES)) or any(isinstance(n, ast.Attribute) and n.attr == "index" for n in ast.walk(value))
    called = {
        id(n) for c in ast.walk(value) if isinstance(c, ast.Call) for n in ast.walk(c.func) if isinstance(n, ast.Name)
    }
    return made and all(id(n) in sized or id(n) in called for n in names)


def _from_places(tree: ast.Module) -> Marked:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and _placed(node.value):
            for target in node.targets:
                if isinstance(target, (ast.Subscript, ast.Attribute)):
                    yield written(node), node
        elif isinstance(node, ast.Call) and call_name(node) in (
            "assign",
            "insert",
            "set_index",
            "with_columns",
            "set_axis",
        ):
            for value in [*node.args, *(k.value for k in node.keywords)]:
                if _placed(value):
                    yield written(value), value


def from_places(edit: Edit) -> Iterator[Finding]:
    """A column or an index numbered through, where the data had one."""
    if not edit.repair:
        return
    for node in edit.added(_from_places):
        made = {text_of(n) for n in ast.walk(node)} | {
            k.arg for n in ast.walk(node) if isinstance(n, ast.Call) for k in n.keywords
        }
        plain = bool(made & edit.subjects)
        yield from finding(
            "invented", "block" if plain else "ask", f"{brief(node)} is made from places and not from the data."
        )


def _writes(tree: ast.Module) -> Marked:
    for node in ast.walk(tree):
        name = call_name(node)
        if name in WRITES or (
            name.startswith("to_")
            and name[3:] in ("csv", "parquet", "pickle", "json", "excel", "feather", "hdf", "sql")
        ):
            assert isinstance(node, ast.Call)
            if isinstance(node.func, ast.Attribute) and written(node.func.value) not in ("sys.stdout", "sys.stderr"):
                yield written(node.func), node
        elif (
            name == "open"
            and isinstance(node, ast.Call)
            and len(node.args) > 1
            and (text_of(node.args[1]) or "r")[0] in "wax"
        ):
            yield "open", node


def _whence(tree: ast.Module) -> Marked:
    """Reads of data, counted by the kind of reader."""
    for node in ast.walk(tree):
        name = call_name(node)
        if name.startswith(("read_", "fetch_", "load_")) or name in (
            "open",
            "load",
            "loadtxt",
            "genfromtxt",
            "read_text",
            "read_bytes",
        ):
            yield "read", node


def _namespaces(tree: ast.Module) -> Marked:
    for node in ast.walk(tree):
        if call_name(node) in NAMESPACES and isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield call_name(node), node


def _parameters(tree: ast.Module) -> dict[str, ast.expr]:
    """Parameters with a constant default."""
    found: dict[str, ast.expr] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.arguments):
            places = [*node.posonlyargs, *node.args]
            with_default = zip(reversed(places), reversed(node.defaults), strict=False)
            keyword = zip(node.kwonlyargs, node.kw_defaults, strict=True)
            found |= {a.arg: d for a, d in [*with_default, *keyword] if d is not None and constant(d)}
    return found


def from_elsewhere(edit: Edit) -> Iterator[Finding]:
    """Data that the cell has written itself or finds from an earlier run; an undefined name looked up with a default."""
    if not edit.repair:
        return
    missing = edit.failure is not None and edit.failure.ename in ("FileNotFoundError", "OSError")
    for node in edit.added(_writes):
        yield from finding(
            "invented", "block" if missing else "ask", f"{brief(node)} writes a file that was not written before."
        )
    for node in edit.added(_whence):
        yield from finding("other-data", "ask", f"{brief(node)} reads where nothing was read; is that the same data?")
    for node in edit.added(_namespaces):
        yield from finding("stand-in", "ask", f"{brief(node)} goes round the names of the notebook.")
    if edit.failure and edit.failure.ename in ("NameError", "UnboundLocalError"):
        had = _parameters(edit.before)
        for name, default in _parameters(edit.after).items():
            if name in edit.subjects and name not in had:
                yield from finding("stand-in", "block", f"{name} was not defined, and is given {brief(default, 40)}.")


REPEATS = ("resize", "tile", "repeat", "pad", "broadcast_to", "cycle", "zip_longest")
CODES = ("factorize", "hash", "ord", "LabelEncoder", "crc32", "rank")
DRIFT = ("AttributeError", "TypeError", "ImportError", "ModuleNotFoundError", "NameError")
_LABELS = re.compile(r"(?i)duplicate (labels|entries)|uniquely valued|reindex|identically-labeled")
_MISFIT = re.compile(r"(?i)broadcast|not aligned|length|shape mismatch|inconsistent")
_NO_NUMBER = re.compile(r"(?i)could not convert|invalid literal")


def _calls(*names: str) -> Callable[[ast.Module], Marked]:
    def marked(tree: ast.Module) -> Marked:
        return ((call_name(n), n) for n in ast.walk(tree) if call_name(n) in names)

    return marked


def _unlabelled(tree: ast.Module) -> Marked:
    for node in ast.walk(tree):
        values = isinstance(node, ast.Attribute) and node.attr in ("values", "codes", "array")
        if values or call_name(node) in ("to_numpy", "reset_index", "tolist"):
            yield "unlabelled", node


def _made(tree: ast.Module) -> Marked:
    """Objects that are made, by the class."""
    for node in ast.walk(tree):
        if re.match(r"[A-Z][a-z]+\w*[A-Z]", call_name(node)):
            yield call_name(node), node


def by_place(edit: Edit) -> Iterator[Finding]:
    """Labels thrown away so that places fit; data repeated to a length; names numbered; another model in place of one."""
    if not edit.repair or not edit.failure:
        return
    said = edit.failure.evalue
    for pattern, marks, why in (
        (_LABELS, _unlabelled, "puts together by place what was put together by label"),
        (_MISFIT, _calls(*REPEATS), "repeats data so that lengths agree"),
        (_NO_NUMBER, _calls(*CODES), "makes numbers that say nothing of the values"),
    ):
        for node in edit.added(marks) if pattern.search(said) else ():
            yield from finding("invented", "ask", f"{brief(node)} {why}.")
    lost, came = edit.removed(_made), edit.added(_made)
    if lost and came and edit.failure.ename not in DRIFT:
        yield from finding("other-model", "ask", f"{brief(came[0])} takes the place of {brief(lost[0])}.")


RULES = (stand_in_constants, from_places, from_elsewhere, by_place)
