"""What in a change could reach the judge: make evidence look right that is gathered in the change's own process.

Where a change gains nothing of this kind, what was judged in its own process counts as evidence too. `capabilities` knows
the code that reaches into the interpreter, other modules or the kernel; what is added here is about objects: those that
answer for themselves when they are compared, shown or thrown away, and attributes set on what is not plainly data. It is
read from the text, so in doubt it says that the judge could be reached.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Collection, Iterable, Iterator

from ..values.notebook import Notebook
from .capabilities import capabilities, names_bound
from .capability_names import Names
from .contract import executable
from .magics import parse
from .trees import root

DATA = frozenset((
    "columns", "index", "name", "names", "dtype", "shape", "freq", "values", "loc", "iloc", "at", "iat", "attrs", "title",
))  # fmt: skip
"""Attributes that analyses set on their own data."""

METHODS = frozenset(("__init__", "__post_init__", "__call__", "__enter__", "__exit__", "__len__", "__iter__", "__getitem__"))
"""Special methods by which an object does not answer for itself when it is compared, shown, copied or thrown away."""


def _set(target: ast.expr) -> Iterator[str]:
    if isinstance(target, ast.Attribute):
        if root(target) != "self" and not (isinstance(target.value, ast.Name) and target.attr in DATA):
            yield f"sets the attribute {ast.unparse(target)}"
    elif isinstance(target, (ast.Tuple, ast.List)):
        for element in target.elts:
            yield from _set(element)
    elif isinstance(target, ast.Starred):
        yield from _set(target.value)


def _objects(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.ClassDef):
        special = [s.name for s in node.body if isinstance(s, ast.FunctionDef) and s.name not in METHODS]
        special += [
            n.id for s in node.body if isinstance(s, (ast.Assign, ast.AnnAssign)) for n in ast.walk(s) if isinstance(n, ast.Name)
        ]
        dressed = any("dataclass" not in ast.unparse(d) for d in node.decorator_list)
        if node.bases or node.keywords or dressed or any(name.startswith("__") for name in special):
            yield f"defines how {node.name} answers for itself"
    elif isinstance(node, (ast.Assign, ast.Delete)):
        for target in node.targets:
            yield from _set(target)
    elif isinstance(node, (ast.AugAssign, ast.AnnAssign, ast.For, ast.AsyncFor)):
        yield from _set(node.target)
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id.startswith("__"):
        yield f"binds {node.id}"


def reaches(source: str, names: Names = frozenset()) -> Counter[str]:
    """In words, all in a source that could reach the judge. `names`: what the notebook's imports bind (`names_bound`)."""
    found = Counter(f"could {c.reason}" for c in capabilities(source, names) if c.judge)
    tree = parse(executable(source))
    for node in ast.walk(tree) if tree else ():
        found.update(_objects(node))
    return found


def gained(before: Notebook, after: Notebook, touched: Collection[str]) -> tuple[str, ...]:
    """What a change gains that could reach the judge, in words; what another cell lost by the same change is no gain."""
    names = names_bound(c.source for notebook in (before, after) for c in notebook.code_cells)

    def count(notebook: Notebook) -> Counter[str]:
        cells: Iterable[str] = (notebook.cell(i).source for i in set(touched) if i in notebook and notebook.cell(i).type == "code")
        return sum((reaches(source, names) for source in cells), Counter[str]())

    return tuple(sorted(count(after) - count(before)))
