"""Fake fixes by flow: a repair may not make fewer of the cell's statements count.

Whatever the spelling, there are four ways: control leaves before them (`return` in `finally`, code after `break`), the
loop round them has nothing to do, they stand in a function that nobody calls, or a guard gives up before they are reached.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterable, Iterator

from ..values.trial import Finding
from .edits import TOLERATE, Edit, Marked, brief, finding, written
from .fakes_checks import checks
from .fakes_control import call_name, gives_up

LEAVES = (ast.Return, ast.Break, ast.Continue, ast.Raise)
BLOCKS = ("body", "orelse", "finalbody")


def _finals(tree: ast.Module) -> Marked:
    for node in ast.walk(tree):
        if isinstance(node, (ast.Try, ast.TryStar)):
            for inner in (n for s in node.finalbody for n in ast.walk(s)):
                if isinstance(inner, (ast.Return, ast.Break, ast.Continue)):
                    yield type(inner).__name__, inner


def _unreached(tree: ast.Module) -> Marked:
    for node in ast.walk(tree):
        for field in BLOCKS:
            block = getattr(node, field, None)
            if isinstance(block, list):
                for first, after in itertools.pairwise(block):
                    if isinstance(first, LEAVES):
                        yield written(after), after
                        break


def nothing(node: ast.AST | None) -> bool:
    """Whether an expression is empty whatever the data: `[]`, `range(0)`, `rows[:0]`, `df.head(0)`, `iter(())`."""
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return not node.elts
    if isinstance(node, ast.Dict):
        return not node.keys
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        return isinstance(node.slice.upper, ast.Constant) and node.slice.upper.value == 0
    if isinstance(node, ast.Call):
        name, first = call_name(node), node.args[0] if node.args else None
        if name in ("head", "tail", "sample", "islice", "range", "limit", "nlargest", "nsmallest"):
            last = node.args[-1] if name == "islice" and node.args else first
            return isinstance(last, ast.Constant) and last.value == 0 and (name == "islice" or len(node.args) == 1)
        if name in ("iter", "list", "tuple", "set", "dict", "sorted", "enumerate", "items", "iterrows", "itertuples"):
            inner = first if node.args else node.func.value if isinstance(node.func, ast.Attribute) else None
            return nothing(inner)
    return False


def _empty(tree: ast.Module) -> Marked:
    for node in ast.walk(tree):
        over = node.iter if isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)) else None
        if over is not None and nothing(over):
            yield "loop", over
        elif isinstance(node, (ast.Subscript, ast.Call)) and nothing(node):
            yield "nothing", node


def _swallowers(tree: ast.Module) -> Marked:
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name in ("__exit__", "__aexit__"):
            given = [n.value for n in ast.walk(node) if isinstance(n, ast.Return) and n.value is not None]
            if any(not (isinstance(v, ast.Constant) and not v.value) for v in given):
                yield node.name, node


def left_before(edit: Edit) -> Iterator[Finding]:
    """Control that leaves before the work, a loop over nothing, a context that swallows."""
    for node in edit.added(_finals):
        yield from finding("swallowed", "block", f"{brief(node)} in a finally swallows whatever was raised.")
    if not edit.fresh:
        for node in edit.added(_unreached):
            yield from finding("dead-code", "block", f"{brief(node)} can no longer be reached.")
    for node in edit.added(_empty):
        yield from finding("dead-code", "block" if edit.repair else "ask", f"{brief(node)} has nothing in it.")
    for node in edit.added(_swallowers):
        yield from finding("swallowed", edit.weigh(TOLERATE, "ask"), f"{brief(node)} swallows exceptions.")


def _reached(tree: ast.Module) -> set[str]:
    """Calls and checks that are made when the cell runs, as far as names say: functions count where they are named."""
    functions: dict[str, list[ast.AST]] = {}
    found: set[str] = set()
    names: set[str] = set()
    left: list[ast.AST] = [tree]
    done: set[int] = set()
    while left:
        node = left.pop()
        if id(node) in done:
            continue
        done.add(id(node))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            functions.setdefault(node.name, []).extend(node.body)
            left += [*node.decorator_list]
            left += node.body if node.decorator_list or node.name in names else []
            continue
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
            for target in node.targets:
                functions.setdefault(written(target), []).append(node.value.body)
                left += [node.value.body] if written(target) in names else []
            continue
        if isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Load):
            name = node.id if isinstance(node, ast.Name) else node.attr
            if name not in names:
                names.add(name)
                left += functions.get(name, [])
        if isinstance(node, ast.Call):
            found.add(written(node.func))
        elif isinstance(node, (ast.Assert, ast.Raise)):
            found.add(written(node))
        left += ast.iter_child_nodes(node)
    return found


def _mentioned(nodes: Iterable[ast.AST]) -> set[str]:
    """Calls and checks that are written, whether they are made or not."""
    return {written(n.func if isinstance(n, ast.Call) else n) for n in nodes if isinstance(n, (ast.Call, ast.Assert, ast.Raise))}


def _functions(tree: ast.Module) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    return {ast.dump(n): n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))}


def put_off(edit: Edit) -> Iterator[Finding]:
    """What was done when the cell ran, and now stands in a function that nobody calls. A function that stands as it was and
    is used no more may have been replaced by something better: then that is asked about, unless it had checked something.
    """
    defined = {n.name for n in ast.walk(edit.after) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))}
    if not edit.repair or defined & set(edit.needed):
        return
    before, after = _functions(edit.before), _functions(edit.after)
    kept = [after[same] for same in before.keys() & after.keys()]
    inside = {id(n) for f in kept for n in ast.walk(f)}
    moved = _mentioned(n for n in ast.walk(edit.after) if id(n) not in inside)
    for what in sorted(_reached(edit.before) & (_mentioned(ast.walk(edit.after)) - _reached(edit.after))):
        unused = [f for f in kept if what in _mentioned(ast.walk(f))]
        if what in moved or any(True for f in unused for _ in checks(f)):
            yield from finding("emptied", "block", f"{brief(what)} is only written down now: nothing calls it.")
        else:
            names = ", ".join(sorted(f.name for f in unused))
            yield from finding("emptied", "ask", f"Nothing uses {names} any more, and with it {brief(what)}.")


def _guards(tree: ast.Module) -> Marked:
    """Tests under which nothing is computed: a branch of a condition, or a case, that only gives up."""
    for node in ast.walk(tree):
        if isinstance(node, ast.If):
            for block in (node.body, node.orelse):
                if block and all(gives_up(s) for s in block) and not _speaks(block):
                    yield written(node.test), node.test


def _speaks(block: Iterable[ast.stmt]) -> bool:
    """Whether a branch only prints: a remark of the cell, not a way out."""
    return all(isinstance(s, ast.Expr) for s in block)


def guarded(edit: Edit) -> Iterator[Finding]:
    """A new condition under which a constant is given, or the next round begun, instead of computing."""
    if not edit.repair or (edit.failure and edit.failure.ename == "RecursionError"):  # a recursion must end somewhere
        return
    for node in edit.added(_guards):
        yield from finding("skipped", "ask", f"if {brief(node)}: gives up instead of computing.")


RULES = (left_before, put_off, guarded)
