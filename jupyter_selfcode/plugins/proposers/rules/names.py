"""Names that are not there: imports that are missing, and names that are misspelt when exactly one is near."""

from __future__ import annotations

import ast
import builtins
import re
import sys
from collections.abc import Iterable, Iterator

from ....analysis import modules, near, trees
from ....analysis.magics import parse
from .broken import Broken, Step, bound
from .columns import columns_of
from .imports import with_imports
from .introspect import names_in
from .spans import Edit, edited

_CLASSES = {
    "DataFrame": "pandas.DataFrame", "Series": "pandas.Series", "DataFrameGroupBy": "pandas.api.typing.DataFrameGroupBy",
    "SeriesGroupBy": "pandas.api.typing.SeriesGroupBy", "ndarray": "numpy.ndarray", "numpy.ndarray": "numpy.ndarray",
    "Axes": "matplotlib.axes.Axes", "Figure": "matplotlib.figure.Figure", "DatetimeIndex": "pandas.DatetimeIndex",
    "Timestamp": "pandas.Timestamp", "DatetimeProperties": "pandas.core.indexes.accessors.DatetimeProperties",
    "StringMethods": "pandas.core.strings.accessor.StringMethods",
}  # fmt: skip
"""Classes that messages name without their module."""


def missing_import(broken: Broken) -> Iterator[Step | None]:
    """The import that nearly everybody means by an undefined name, at the top of the cell."""
    m = re.search(r"name '(\w+)' is not defined", broken.failure.evalue)
    if broken.failure.ename != "NameError" or not m or broken.text.tree is None:
        return
    name = m.group(1)
    line = _import_line(name, broken.text.tree)
    if line is None:
        return
    meant = {full for full in _later(broken).values() if full}
    if name in _later(broken) and not meant & {_full(line)}:
        return  # a later cell gives the name another meaning
    text = with_imports(broken.text.text, [line], broken.masked.head)
    yield broken.step(text, f"{name} was used without its import; `{line}` is what nearly everybody means by it.")


def _import_line(name: str, tree: ast.Module) -> str | None:
    """The import that the uses of a name in a cell ask for; None where they do not fit one.

    Modules are only used for what they have: a forgotten variable `string` is not the module `string`.
    """
    line = modules.import_of(name)
    uses = [n for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id == name]
    taken = [n for n in ast.walk(tree) if isinstance(n, ast.Attribute) and n.value in uses]
    attributes = {n.attr for n in taken}
    if line is None or not uses:
        return None
    if line.startswith("from "):
        return line
    module = line.split()[1]
    whole = len(taken) == len(uses)
    if module not in sys.stdlib_module_names:
        return line if whole else None
    if whole and attributes <= names_in(module):
        return line
    if name in modules.SAME_NAMED and attributes <= names_in(f"{module}.{module}"):
        called = {n.func for n in ast.walk(tree) if isinstance(n, ast.Call)}
        if all(u in called or any(t.value is u for t in taken) for u in uses):
            return f"from {module} import {module}"
    return None


def _full(line: str) -> str:
    return next(iter(trees.imported(ast.walk(ast.parse(line))).values()))


def _later(broken: Broken) -> dict[str, str]:
    """What cells below bind."""
    place = broken.notebook.index(broken.cell.id)
    found: dict[str, str] = {}
    for cell in broken.notebook.cells[place + 1 :]:
        if cell.type == "code" and (tree := parse(cell.source)) is not None:
            found |= bound(tree)
    return found


def _replaced(broken: Broken, nodes: Iterable[ast.expr], new: str) -> str | None:
    """The text with names, or the attributes of chains, replaced."""
    edits = []
    for node in nodes:
        if broken.text.true(node):
            start, end = broken.text.span(node)
            old = node.attr if isinstance(node, ast.Attribute) else broken.text.of(node)
            edits.append(Edit(end - len(old) if isinstance(node, ast.Attribute) else start, end, new))
    return edited(broken.text.text, edits)


def misspelt_name(broken: Broken) -> Iterator[Step | None]:
    """An undefined name, where exactly one name that is defined above, in the cell or in Python is near."""
    m = re.search(r"name '(\w+)' is not defined|local variable '(\w+)' referenced", broken.failure.evalue)
    tree = broken.text.tree
    if broken.failure.ename not in ("NameError", "UnboundLocalError") or not m or tree is None:
        return
    name = m.group(1) or m.group(2)
    inside = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
    inside |= {a.arg for a in ast.walk(tree) if isinstance(a, ast.arg)} | set(bound(tree))
    if name in inside or name in _later(broken) or modules.import_of(name):
        return
    nodes = [n for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id == name]
    known = set(broken.above) | inside | {v.name for v in broken.variables}
    called = {c.func for c in ast.walk(tree) if isinstance(c, ast.Call)}
    if nodes and all(n in called for n in nodes):
        known |= {b for b in dir(builtins) if not b.startswith("_")}
    if nodes and (meant := near.nearest(name, known)):
        yield broken.step(_replaced(broken, nodes, meant), f"{name} is not defined; {meant} is the only name near it.")


def _owner(broken: Broken, said: str) -> frozenset[str]:
    """The names of a class, by what a message calls it."""
    kind = getattr(builtins, said, None)
    if isinstance(kind, type):
        return frozenset(dir(kind))
    types = {v.type for v in broken.variables if v.type == said or v.type.endswith("." + said)}
    full = next(iter(types)) if len(types) == 1 else _CLASSES.get(said, "")
    return names_in(full) if full and not full.startswith("__main__") else frozenset()


def misspelt_attribute(broken: Broken) -> Iterator[Step | None]:
    """An attribute that a module or a class does not have, where exactly one that it has is near."""
    said = broken.failure.evalue
    tree = broken.text.tree
    if broken.failure.ename != "AttributeError" or tree is None:
        return
    if m := re.search(r"module '([\w.]+)' has no attribute '(\w+)'", said):
        owner, name = m.groups()
        known: frozenset[str] = names_in(owner)
    elif m := re.search(r"(?:type object )?'([\w.]+)'(?: object)? has no attribute '(\w+)'", said):
        owner, name = m.groups()
        known = _owner(broken, owner)
    else:
        return
    nodes = [
        n for n in ast.walk(tree) if isinstance(n, ast.Attribute) and n.attr == name and isinstance(n.ctx, ast.Load)
    ]
    nodes = [n for n in nodes if broken.focused(n)] and nodes
    roots = {trees.root(n) for n in nodes if broken.focused(n)}
    nodes = [n for n in nodes if broken.focused(n) or trees.root(n) in roots - {None}]
    public = {k for k in known if not k.startswith("_")}
    if "DataFrame" in owner:
        public |= {c for columns in columns_of(broken).values() for c in columns}
    meant = near.nearest(name, public) if nodes else None
    if meant and meant in known:
        yield broken.step(_replaced(broken, nodes, meant), f"{owner} has no {name}; {meant} is the only name near it.")


def misspelt_import(broken: Broken) -> Iterator[Step | None]:
    """A module, or a name that is imported from one, where exactly one that exists here is near."""
    said = broken.failure.evalue
    tree = broken.text.tree
    if tree is None:
        return
    if m := re.search(r"cannot import name '(\w+)' from '([\w.]+)'", said):
        name, module = m.groups()
        meant = near.nearest(name, {k for k in names_in(module) if not k.startswith("_")})
        if meant:
            yield broken.step(
                _imported(broken, module, name, meant), f"{module} has no {name}; {meant} is the only name near it."
            )
        return
    m = re.search(r"No module named '([\w.]+)'", said)
    if broken.failure.ename != "ModuleNotFoundError" or not m:
        return
    module = m.group(1)
    parent, _, last = module.rpartition(".")
    near_one = (
        near.nearest(last, {k for k in names_in(parent) if not k.startswith("_")})
        if parent
        else modules.misspelt(module)
    )
    if near_one:
        new = f"{parent}.{near_one}" if parent else near_one
        yield broken.step(_module(broken, module, new), f"There is no module {module}; {new} is the only one near it.")


def _imported(broken: Broken, module: str, name: str, meant: str) -> str | None:
    """`from module import name` with the name as it is meant, and its uses in this cell."""
    assert broken.text.tree is not None
    edits: list[Edit] = []
    for node in ast.walk(broken.text.tree):
        if isinstance(node, ast.ImportFrom) and node.module == module:
            for alias in node.names:
                if alias.name == name:
                    kept = f" as {name}" if not alias.asname and broken.used_elsewhere(name) else ""
                    start, _ = broken.text.span(alias)
                    edits.append(Edit(start, start + len(name), meant + kept))
                    if not alias.asname and not kept:
                        uses = (n for n in ast.walk(broken.text.tree) if isinstance(n, ast.Name) and n.id == name)
                        edits += [Edit(*broken.text.span(n), meant) for n in uses if broken.text.true(n)]
    return edited(broken.text.text, edits)


def _module(broken: Broken, old: str, new: str) -> str | None:
    """Import statements of a module with its name as it is meant, and its uses in this cell."""
    assert broken.text.tree is not None
    edits: list[Edit] = []
    for node in ast.walk(broken.text.tree):
        if isinstance(node, ast.ImportFrom) and node.module and (node.module + ".").startswith(old + "."):
            start, end = broken.text.span(node)
            place = broken.text.text.index(old, start + len("from"), end)
            edits.append(Edit(place, place + len(old), new))
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if (alias.name + ".").startswith(old + "."):
                    start, _ = broken.text.span(alias)
                    top, meant = old.partition(".")[0], new.partition(".")[0]
                    keep = not alias.asname and top != meant and "." not in alias.name and broken.used_elsewhere(top)
                    edits.append(Edit(start, start + len(old), new + (f" as {old}" if keep else "")))
                    if not alias.asname and top != meant and not keep:
                        uses = (n for n in ast.walk(broken.text.tree) if isinstance(n, ast.Name) and n.id == top)
                        edits += [Edit(*broken.text.span(n), meant) for n in uses if broken.text.true(n)]
    if not edits:
        return None
    for node in ast.walk(broken.text.tree):  # uses by the full name: `sklearn.model_selecton.KFold`
        if isinstance(node, ast.Attribute) and trees.dotted(node) == old and broken.text.true(node):
            edits.append(Edit(*broken.text.span(node), new))
    return edited(broken.text.text, edits)
