"""Calls that a run of the notebook leaves standing: what a function took and what it gave are both still bound at the end.

In a trial functions are put behind ones that record (`recording`). In a run of the notebook itself that would be another program: a
compiler or a fit that looks at the function would see another one, and every call would cost. So there only what the namespace tells at
the end is read: `y = f(a, b=2)` and `ys = [f(a) for a in xs]`, as statements at the top of a cell, where every name is bound once in the
whole notebook and nothing that may be the same object is changed anywhere.
"""

from __future__ import annotations

import ast
import inspect
from collections import Counter
from collections.abc import Collection, Iterator, Set

from ..values.notebook import Notebook
from . import carrying, rereading
from .contract import executable, in_kernel
from .effects import BUILTINS, Effects, effects_of
from .extension import pure_functions
from .magics import binds_unseen, parse

ROWS = 40
"""Calls that are looked at, at most."""

Row = tuple[str, str, list[list[str]], list[list[str]], str]
"""A function, the name of what it gave, its arguments by position and by name, and the name of what it went through (or empty)."""


def reading(notebook: Notebook) -> str:
    """Code for `Kernel.evaluate`, once all has run; its reply is for `extension.read_calls`. Empty where there is nothing to read."""
    rows = list(_rows(notebook))[:ROWS]
    if not rows:
        return ""
    packing = inspect.getsource(carrying).partition("\ndef _library(")[0]  # half of it: what unpacks is for other kernels
    text = f"{packing}\n\n{inspect.getsource(rereading)}"
    return in_kernel(text, f"reread({rows!r}, namespace, lambda value, budget: Packer(budget).pack(value))")


def _rows(notebook: Notebook) -> Iterator[Row]:
    pure, reads, bound, trees = dict[str, ast.FunctionDef](), dict[str, frozenset[str]](), Counter[str](), list[tuple[ast.Module, Effects]]()
    for cell in notebook.code_cells:
        if not cell.runs:
            continue
        tree, found = parse(executable(cell.source)), effects_of(cell.source)
        if tree is None or found.unknown or binds_unseen(cell.source):
            return
        trees.append((tree, found))
        pure |= pure_functions(cell.source)
        reads |= found.carries
        bound.update(_bound(tree))
    if bound["*"]:
        return
    once = {n for n, count in bound.items() if count == 1}
    functions = {n for n in pure if n in once}
    assigned = [(s.targets[0].id, s.value) for tree, _ in trees for s in tree.body
                if isinstance(s, ast.Assign) and len(s.targets) == 1 and isinstance(s.targets[0], ast.Name)]  # fmt: skip
    assigned = [(name, value) for name, value in assigned if _row(name, value, functions, once)]
    if not assigned:
        return
    steady = once - _changed(trees, functions)
    same = (steady - pure.keys()) | (BUILTINS - bound.keys())
    while loose := {n for n in functions if _changes_given(pure[n], functions) or not reads.get(n, frozenset()) <= same | functions}:
        functions -= loose  # what they took, or what they read besides, may not be what it was when they were called
    steady = once - _changed(trees, functions)
    for name, value in assigned:
        if name in steady and (row := _row(name, value, functions, steady)):
            yield row


def _row(name: str, value: ast.expr, functions: Collection[str], steady: Collection[str]) -> Row | None:
    through, over = "", ""
    if isinstance(value, ast.ListComp) and len(value.generators) == 1:
        (part,) = value.generators
        if part.ifs or part.is_async or not isinstance(part.target, ast.Name) or not isinstance(part.iter, ast.Name) or part.iter.id not in steady:
            return None
        value, through, over = value.elt, part.iter.id, part.target.id
    if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Name) or value.func.id not in functions:
        return None
    by_position = [_argument(a, steady, over) for a in value.args]
    by_name = [(k.arg, _argument(k.value, steady, over)) for k in value.keywords]
    if not all(by_position) or any(n is None or not a for n, a in by_name):
        return None
    return value.func.id, name, [a for a in by_position if a], [[n, *a] for n, a in by_name if n and a], through


def _argument(node: ast.expr, steady: Collection[str], over: str) -> list[str] | None:
    """What is given: each of what is gone through, a name, or a plain value."""
    if isinstance(node, ast.Name) and over and node.id == over:
        return ["each", ""]
    if isinstance(node, ast.Name) and node.id in steady:
        return ["name", node.id]
    return ["value", repr(node.value)] if isinstance(node, ast.Constant) and isinstance(node.value, (str, int, float, bool, type(None))) else None


def _bound(tree: ast.Module) -> Iterator[str]:
    """Every binding of a name, wherever it stands; `*` for what a star brings."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (a.asname or a.name.partition(".")[0] for a in node.names)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            yield from node.names


class _Given(ast.NodeTransformer):
    """A call of a function that changes nothing is what it is given, as far as changes go."""

    def __init__(self, functions: Collection[str]) -> None:
        self._functions = functions

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id in self._functions:
            return ast.Tuple([*node.args, *(k.value for k in node.keywords)], ast.Load())
        return node


def _changes_given(function: ast.FunctionDef, functions: Set[str]) -> bool:
    """Whether a function may change what it is given."""
    given = {n.arg for n in ast.walk(function.args) if isinstance(n, ast.arg)}
    return bool(given & _changed([(ast.Module(function.body, []), None)], functions))


def _changed(trees: Collection[tuple[ast.Module, Effects | None]], functions: Set[str]) -> set[str]:
    """Names whose object any cell may change, and those that may be the same object."""
    changed, same = set[str](), set[tuple[str, str]]()
    for tree, known in trees:
        found = known
        if found is None or functions & {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}:
            found = effects_of(ast.unparse(ast.fix_missing_locations(_Given(functions).visit(ast.parse(ast.unparse(tree))))))
        changed |= found.mutates
        same |= found.aliases
    while more := {n for pair in same for n in pair if changed & set(pair)} - changed:
        changed |= more
    return changed
