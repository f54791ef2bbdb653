"""Fake fixes by changing the judge: a check removed or weakened, a contract edited, a builtin or library shadowed."""

from __future__ import annotations

import ast
import builtins
from collections import Counter
from collections.abc import Iterator

from ..values.trial import Finding, Severity
from .contract import examples_of
from .edits import CHECKS, Edit, Marked, brief, finding, written
from .effects import imported_names
from .fakes_control import call_name
from .known_calls import ALIASES
from .trees import dotted, root

CHECKERS = (
    "raise_for_status",
    "validate",
    "assert_frame_equal",
    "assert_series_equal",
    "assert_allclose",
    "assert_equal",
)
COMMON = frozenset(
    (
        *("id", "type", "input", "sum", "min", "max", "list", "dict", "set", "filter", "format", "hash", "dir", "vars"),
        *("iter", "next", "all", "any", "range", "map", "object", "zip"),
    )
)
"""Builtins that people use as names of data, by habit."""
SETTINGS = (
    "options",
    "rcParams",
    "config",
    "display",
    "argv",
    "path",
    "settings",
    "max_columns",
    "defaults",
    "renderers",
)


DRIFT = ("AttributeError", "TypeError", "ImportError", "ModuleNotFoundError")
"""Errors of calls that a library no longer has."""
STRICT = ("validate", "verify_integrity", "check", "strict", "raise_on_error", "assert_all_finite")
"""Keywords by which a call checks what it is given."""


def _strict(tree: ast.Module) -> Marked:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            for k in node.keywords:
                on = not (isinstance(k.value, ast.Constant) and k.value.value in (False, None))
                if (k.arg in STRICT and on) or (k.arg == "errors" and written(k.value) == "'raise'"):
                    yield f"{k.arg}={written(k.value)}", k


def _conditions(tree: ast.AST, depth: int = 0) -> Iterator[tuple[str, int]]:
    """Every check with the number of conditions that it stands under."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Assert):
            yield written(node), depth
        more = isinstance(node, (ast.If, ast.Try, ast.While, ast.ExceptHandler))
        yield from _conditions(node, depth + more)


def checks(tree: ast.AST) -> Marked:
    """Asserts, raises and calls of checkers, as written."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            yield "assert " + written(node.test), node
        elif isinstance(node, ast.Raise) and node.exc is not None:
            yield "raise " + written(node.exc), node
        elif (name := call_name(node)) in CHECKERS or name.startswith("assert_"):
            yield written(node), node


def _shape(node: ast.AST) -> tuple[list[str], list[str]]:
    """A check without its names: node types, operators and numbers in order; and the names and texts in order."""
    kinds, names = [], []
    for n in ast.walk(node.test if isinstance(node, ast.Assert) else node):
        if isinstance(n, ast.Constant) and isinstance(n.value, str):
            names.append(n.value)
            kinds.append("text")
        elif isinstance(n, ast.Constant):
            kinds.append(f"{type(n.value).__name__} {n.value!r}")
        elif isinstance(n, (ast.Name, ast.Attribute)):
            names.append(n.id if isinstance(n, ast.Name) else n.attr)
            kinds.append(type(n).__name__)
        else:
            kinds.append(type(n).__name__)
    return kinds, names


def _renamed(old: ast.AST, new: ast.AST) -> bool:
    """Whether two checks differ only by names, each renamed in one way to a name of its own."""
    (kinds, names), (kinds_now, names_now) = _shape(old), _shape(new)
    if isinstance(old, ast.Raise) and isinstance(new, ast.Raise):
        return kinds[:4] == kinds_now[:4] and names[:1] == names_now[:1]
    if kinds != kinds_now or len(names) != len(names_now):
        return False
    pairs = set(zip(names, names_now, strict=True))
    known = set(names)
    one_way = len({a for a, _ in pairs}) == len(pairs) == len({b for _, b in pairs})
    return one_way and not any(a != b and (b in known or hasattr(builtins, b)) for a, b in pairs)


def _demands(node: ast.AST) -> Counter[str]:
    """What makes a check strict: its comparisons and its numbers."""
    return Counter(
        written(n) if isinstance(n, ast.Constant) else type(n).__name__
        for n in ast.walk(node)
        if isinstance(n, (ast.cmpop, ast.And)) or (isinstance(n, ast.Constant) and isinstance(n.value, (int, float)))
    )


def _compares(node: ast.AST) -> list[str]:
    return [type(n).__name__ for n in ast.walk(node) if isinstance(n, (ast.cmpop, ast.boolop, ast.Not))]


def checks_kept(edit: Edit) -> Iterator[Finding]:
    """Asserts, raises and calls of checkers that are gone, or ask for less."""
    severity: Severity
    for node in edit.removed(_strict):
        assert isinstance(node, ast.keyword)
        severity = "ask" if CHECKS.search(edit.words) and not edit.repair else "block"
        yield from finding("check-removed", severity, f"{node.arg}={written(node.value)} no longer checks the data.")
    was = dict(_conditions(edit.before))
    for check, depth in _conditions(edit.after):
        if depth > was.get(check, depth):
            severity = "block" if edit.repair else "ask"
            yield from finding("check-weakened", severity, f"{brief(check)} now stands under a condition.")
    came = edit.added(checks)
    for old in edit.removed(checks):
        if isinstance(old, ast.Raise) and not edit.repair and not edit.after.body:
            continue
        if written(old) in edit.moved:
            continue
        kin = [n for n in came if type(n) is type(old)]
        if any(_renamed(old, n) for n in kin):
            continue
        wanted = CHECKS.search(edit.words)
        severity = "ask" if wanted and not edit.repair else "block"
        if isinstance(old, ast.Raise) and edit.failure and f"{edit.failure.ename}(" not in written(old):
            severity = "ask"
        if any(not (_demands(old) - _demands(n)) and _says_something(old, n) for n in kin):
            yield from finding("check-changed", "ask", f"The check {brief(old)} was written in another way.")
        elif kin:
            if edit.failure and edit.failure.ename in DRIFT and any(_compares(old) == _compares(n) for n in kin):
                severity = "ask"  # what the check calls is gone: another call in it, compared as before
            yield from finding("check-weakened", severity, f"The check {brief(old)} asks for less than before.")
        else:
            yield from finding("check-removed", severity, f"The check {brief(old)} was taken out.")


def _says_something(old: ast.AST, new: ast.AST) -> bool:
    """Whether a rewritten check can still fail: it looks at names, not at a thing and itself, nor at fewer things."""
    for n in ast.walk(new):
        if isinstance(n, ast.Compare) and written(n.left) in {written(c) for c in n.comparators}:
            return False
        if (
            isinstance(n, ast.BoolOp)
            and isinstance(n.op, ast.Or)
            and any(isinstance(v, ast.Constant) for v in n.values)
        ):
            return False
    if _shape(old)[0] == _shape(new)[0]:  # the same but for names, and `_renamed` did not agree
        return False
    return any(isinstance(n, ast.Name) for n in ast.walk(new))


def contract_kept(edit: Edit) -> Iterator[Finding]:
    """Doctest examples are immutable; a generated cell may only propose them, and its own are no evidence for it."""
    old = Counter((e.source.strip(), e.want.strip()) for e in examples_of(edit.old))
    new = Counter((e.source.strip(), e.want.strip()) for e in examples_of(edit.new))
    for source, _ in (old - new) if edit.new.strip() else ():
        yield from finding(
            "contract", "block", f"The example >>> {brief(source)} of the contract was changed or removed."
        )
    if not edit.old.strip():
        if new:
            yield from finding(
                "contract", "note", "The new cell brings examples of its own; they are no evidence for it."
            )
        return
    for source, _ in new - old:
        if source in {s for s, _ in old}:
            continue
        severity: Severity = "block" if edit.repair and old else "ask"
        yield from finding("contract", severity, f"The change adds an example to its own contract: >>> {brief(source)}")


def _shadows(tree: ast.Module) -> Marked:
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name, node
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node
        elif isinstance(node, ast.alias) and node.asname:
            yield node.asname, node


def _methods(tree: ast.Module) -> set[int]:
    return {id(s) for c in ast.walk(tree) if isinstance(c, ast.ClassDef) for s in ast.walk(c) if s is not c}


def shadowed(edit: Edit) -> Iterator[Finding]:
    """A builtin, a library or another cell's function that means something else from here on."""
    inside = _methods(edit.after)
    modules = {**{k: v for k, v in ALIASES.items() if k in edit.old}, **imported_names(edit.old)}
    for node in edit.added(_shadows):
        name = str(getattr(node, "asname", None) or getattr(node, "name", None) or getattr(node, "id", ""))
        if id(node) in inside:
            continue
        defines = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.alias))
        if (hasattr(builtins, name) and not name.startswith("_")) or name == "display":
            if isinstance(node, ast.alias) and name == node.name:
                continue
            if defines or name not in COMMON:
                yield from finding("shadowed", "block", f"The name {name} is a builtin, and would mean something else.")
            elif edit.repair:
                yield from finding("shadowed", "ask", f"The name {name} is a builtin, and would mean something else.")
        elif name.startswith("_selfcode"):
            yield from finding(
                "shadowed", "block", f"The name {name} belongs to the machinery that judges this change."
            )
        elif name in modules and not isinstance(node, ast.alias):
            yield from finding("shadowed", "block", f"The library {name} would be replaced by something else.")
        elif edit.repair and name in edit.defined and isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield from finding(
                "shadowed", "ask", f"{name} is defined in another cell too, and would mean this from here on."
            )
    was, now = imported_names(edit.old), imported_names(edit.new)
    for name in was.keys() & now.keys():
        a, b = was[name].partition(".")[0], now[name].partition(".")[0]
        same = was[name].rpartition(".")[2] == now[name].rpartition(".")[2]  # the same thing from another place
        if a != b and not same:
            yield from finding("shadowed", "ask", f"{name} was {was[name]}, and would be {now[name]}.")
    yield from _patched(edit)


def _attributes(tree: ast.Module) -> Marked:
    for node in ast.walk(tree):
        if (
            (isinstance(node, ast.Attribute) and isinstance(node.ctx, (ast.Store, ast.Del)))
            or (
                isinstance(node, ast.Subscript)
                and isinstance(node.ctx, ast.Store)
                and dotted(node.value) == "sys.modules"
            )
            or (call_name(node) in ("setattr", "patch", "delattr") and isinstance(node, ast.Call) and node.args)
        ):
            yield written(node), node


def _patched(edit: Edit) -> Iterator[Finding]:
    modules = {**ALIASES, **imported_names(edit.new), "builtins": "builtins", "__builtins__": "builtins"}
    for node in edit.added(_attributes):
        target = node.args[0] if isinstance(node, ast.Call) else node
        name, path = root(target), dotted(target) or written(target)
        if isinstance(node, ast.Call) and call_name(node) != "patch" and name not in modules:
            continue
        if any(part in SETTINGS for part in path.split(".")):
            continue
        if name in modules or isinstance(node, ast.Call):
            yield from finding("shadowed", "block", f"{brief(node)} changes a library instead of the code.")


RULES = (checks_kept, contract_kept, shadowed)
