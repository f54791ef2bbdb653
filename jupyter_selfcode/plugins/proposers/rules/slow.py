"""Rules for a cell that is to be faster: patterns of which it is well known that they are slow, and what says the same.

Each is offered only where its form is as simple as it looks; that it gives the same and is faster here is measured afterwards, as
it is of every candidate. pandas' own guide names them (Enhancing performance; Essential basics, Iteration; Merge, join, concatenate:
"avoid repeatedly appending").
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ....analysis.magics import mask
from ....analysis.trees import dotted, stored
from ....values.notebook import Cell, Notebook
from ....values.request import Variable
from .broken import Step
from .spans import Edit, Text, edited

_LOOPS = (ast.For, ast.While, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Lambda, ast.FunctionDef)
_READING = ("len", "set", "sorted", "sum", "min", "max", "enumerate")
_ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div)


@dataclass(frozen=True)
class Slow:
    """A cell to be made faster, masked; the types of the variables after it ran, by name; all names of the notebook."""

    text: Text
    kinds: Mapping[str, str]
    taken: Collection[str]

    def free(self, name: str) -> str:
        """A name like this one that nobody uses."""
        while name in self.taken:
            name += "_"
        return name


@dataclass(frozen=True, slots=True)
class Rewrite:
    """Edits that belong together, and what they do in words."""

    edits: tuple[Edit, ...]
    said: str


def steps(notebook: Notebook, cell: Cell, variables: Sequence[Variable]) -> Iterator[Step]:
    """All rewrites together; then each by itself, where there are several."""
    masked = mask(cell.source)
    if masked.opaque:
        return
    names = {n.id for c in notebook.code_cells for n in ast.walk(_tree(c)) if isinstance(n, ast.Name)}
    slow = Slow(Text(masked.text), {v.name: v.type.rpartition(".")[2] for v in variables}, names)
    found = [r for rule in RULES for r in rule(slow)] if slow.text.tree else []
    for group in [found, *([r] for r in found if len(found) > 1)]:
        new = edited(slow.text.text, [e for r in group for e in r.edits])
        if group and new is not None and Text(new).tree is not None:
            yield Step(masked.restore(new), " ".join(dict.fromkeys(r.said for r in group)))


def _tree(cell: Cell) -> ast.AST:
    return Text(mask(cell.source).text).tree or ast.Module([], [])


def _uses(node: ast.AST, name: str) -> list[ast.Name]:
    return [n for n in ast.walk(node) if isinstance(n, ast.Name) and n.id == name]


def _column(node: ast.AST, name: str) -> str | None:
    """`c` of `name["c"]`, where it is read."""
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == name and isinstance(node.ctx, ast.Load):
        return node.slice.value if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str) else None
    return None


# ---- apply with arithmetic ---------------------------------------------------------------------------------------------


def apply_arithmetic(slow: Slow) -> Iterator[Rewrite]:
    """`d.apply(lambda r: r["a"] * r["b"], axis=1)` and `s.apply(lambda x: 2 * x)`: the same on whole columns."""
    alone = {id(n.value) for n in slow.text.nodes if isinstance(n, (ast.Assign, ast.AnnAssign, ast.Expr))}
    for node in slow.text.nodes:
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("apply", "map")):
            continue
        owner = node.func.value
        if len(node.args) != 1 or not isinstance(node.args[0], ast.Lambda) or not slow.text.true(node):
            continue
        given = [(k.arg, k.value.value) for k in node.keywords if isinstance(k.value, ast.Constant)]
        arguments, body = node.args[0].args, node.args[0].body
        if len(arguments.args) != 1 or arguments.defaults or arguments.vararg or arguments.kwarg:
            continue
        name = arguments.args[0].arg
        rows = len(given) == len(node.keywords) == 1 and given[0][0] == "axis" and given[0][1] in (1, "columns")
        series = isinstance(owner, ast.Name) or (isinstance(owner, ast.Subscript) and _column(owner, dotted(owner.value)))
        if not (rows and isinstance(owner, ast.Name) and node.func.attr == "apply") and not (series and not node.keywords):
            continue
        if not _plain(body, name, rows) or not _uses(body, name) or isinstance(body, (ast.Name, ast.Subscript)):
            continue
        start, end = slow.text.span(body)
        places = [slow.text.span(n) for n in _uses(body, name)]
        inner = edited(slow.text.text, [Edit(a, b, slow.text.of(owner)) for a, b in places])
        if inner is None:
            continue
        shift = len(inner) - len(slow.text.text)
        new = inner[start : end + shift]
        new = new if id(node) in alone else f"({new})"
        yield Rewrite((Edit(*slow.text.span(node), new),), "It computes on whole columns in place of calling a function for each row.")


def _plain(node: ast.AST, name: str, rows: bool) -> bool:
    """Whether an expression is arithmetic on columns (`rows`: of `name["c"]`; else of `name`) and plain numbers or names: no
    calls, no choices."""
    if rows and _column(node, name) is not None:
        return True
    if isinstance(node, ast.Constant):
        return isinstance(node.value, (int, float)) and not isinstance(node.value, bool)
    if isinstance(node, ast.Name):
        return not rows or node.id != name
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.USub) and _plain(node.operand, name, rows)
    both = isinstance(node, ast.BinOp) and isinstance(node.op, _ARITHMETIC)
    return both and _plain(node.left, name, rows) and _plain(node.right, name, rows)  # type: ignore[attr-defined]


# ---- rows one by one ---------------------------------------------------------------------------------------------------


def iterrows(slow: Slow) -> Iterator[Rewrite]:
    """`for i, row in d.iterrows()` that only reads `row["c"]`: the columns in step, without a Series for each row."""
    for loop in slow.text.nodes:
        if not (isinstance(loop, ast.For) and isinstance(loop.iter, ast.Call) and isinstance(loop.iter.func, ast.Attribute)):
            continue
        func, target = loop.iter.func, loop.target
        if func.attr != "iterrows" or not isinstance(func.value, ast.Name) or not isinstance(target, ast.Tuple):
            continue
        frame = func.value.id
        if len(target.elts) != 2 or not all(isinstance(e, ast.Name) for e in target.elts):
            continue
        index, row = (e.id for e in target.elts if isinstance(e, ast.Name))
        inside = [n for s in loop.body for n in ast.walk(s)]
        reads = [n for n in inside if _column(n, row) is not None and slow.text.true(n)]  # type: ignore[arg-type]
        if not reads or sum(len(_uses(s, row)) for s in loop.body) != len(reads) or row in _after(slow, loop):
            continue
        if any(isinstance(n, ast.Name) and n.id == frame for n in inside):
            continue
        names: dict[str, str] = {}
        for n in sorted(reads, key=lambda n: slow.text.span(n)):
            column = str(_column(n, row))
            names.setdefault(column, slow.free(f"{row}_{re.sub(r'[^0-9a-zA-Z_]+', '_', column).strip('_') or len(names)}"))
        if len(set(names.values())) < len(names):
            continue
        columns = ", ".join([f"{frame}.index", *(f"{frame}[{c!r}]" for c in names)])
        head = f"{', '.join([index, *names.values()])} in zip({columns})"
        start, end = slow.text.span(target)[0], slow.text.span(loop.iter)[1]
        edits = [Edit(start, end, head), *(Edit(*slow.text.span(n), names[str(_column(n, row))]) for n in reads)]
        yield Rewrite(tuple(edits), "It goes through the columns in step in place of building a Series for each row.")


def _after(slow: Slow, loop: ast.For) -> set[str]:
    """Names that are read outside of the loop."""
    inside = {id(n) for n in ast.walk(loop)}
    return {n.id for n in slow.text.nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load) and id(n) not in inside}


# ---- tables that grow ----------------------------------------------------------------------------------------------------


def growing(slow: Slow) -> Iterator[Rewrite]:
    """`d = pd.concat([d, part])` in a loop copies all of `d` each time: the parts are collected, and joined once."""
    body = slow.text.tree.body if slow.text.tree else []
    for place, loop in enumerate(body):
        if not isinstance(loop, ast.For) or loop.orelse:
            continue
        for statement in loop.body:
            found = _grows(statement)
            if found is None:
                continue
            name, part, call = found
            own = {id(n) for n in ast.walk(statement)}
            others = [n for n in _uses(loop, name) if id(n) not in own]
            first = next((s for s in reversed(body[:place]) if name in stored([s])), None)
            if others or not (isinstance(first, ast.Assign) and isinstance(first.value, ast.Call) and dotted(first.value.func).endswith("DataFrame")):
                continue
            parts = slow.free(f"{name}_parts")
            given = "".join(f", {k.arg}={slow.text.of(k.value)}" for k in call.keywords if k.arg)
            start, end = slow.text.span(loop)
            yield Rewrite(
                (
                    Edit(start, start, f"{parts} = [{name}]\n"),
                    Edit(*slow.text.span(statement), f"{parts}.append({slow.text.of(part)})"),
                    Edit(end, end, f"\n{name} = {slow.text.of(call.func)}({parts}{given})"),
                ),
                "It joins the parts once in place of copying the whole table for each.",
            )
            break


def _grows(node: ast.stmt) -> tuple[str, ast.expr, ast.Call] | None:
    """Name, part and call of `name = pd.concat([name, part], …)`."""
    if not (isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)):
        return None
    call, name = node.value, node.targets[0].id
    if not (isinstance(call, ast.Call) and dotted(call.func).rpartition(".")[2] == "concat" and len(call.args) == 1):
        return None
    joined = call.args[0]
    if any(k.arg not in ("ignore_index", "sort") for k in call.keywords) or not isinstance(joined, (ast.List, ast.Tuple)):
        return None
    if len(joined.elts) != 2 or not isinstance(joined.elts[0], ast.Name) or joined.elts[0].id != name or _uses(joined.elts[1], name):
        return None
    return name, joined.elts[1], call


# ---- is it in the list -----------------------------------------------------------------------------------------------------


def membership(slow: Slow) -> Iterator[Rewrite]:
    """`x in items`, again and again, where `items` is a list that nobody changes: a set of them, made once."""
    tree = slow.text.tree
    found: dict[str, list[ast.Name]] = {}
    places: dict[str, int] = {}
    for place, statement in enumerate(tree.body if tree else ()):
        for outer in ast.walk(statement):
            if not isinstance(outer, _LOOPS) or isinstance(outer, ast.FunctionDef):
                continue
            for n in ast.walk(outer):
                if isinstance(n, ast.Compare) and len(n.ops) == 1 and isinstance(n.ops[0], (ast.In, ast.NotIn)):
                    items = n.comparators[0]
                    if isinstance(items, ast.Name) and slow.kinds.get(items.id) == "list" and slow.text.true(items):
                        found.setdefault(items.id, []).append(items)
                        places.setdefault(items.id, place)
    for name, uses in found.items():
        body = tree.body if tree else []
        later = [n for s in body[places[name] :] for n in _uses(s, name)]
        if any(not isinstance(n.ctx, ast.Load) for n in later) or any(_changes(s, name) for s in body[places[name] :]):
            continue
        made = slow.free(f"{name}_set")
        start = slow.text.span(body[places[name]])[0]
        edits = [Edit(start, start, f"{made} = set({name})\n"), *(Edit(*slow.text.span(n), made) for n in {id(u): u for u in uses}.values())]
        yield Rewrite(tuple(edits), f"It looks things up in a set in place of going through the list {name} each time.")


def _changes(node: ast.AST, name: str) -> bool:
    """Whether something is done to `name` that may change it: a method of it, an item, or handing it on."""
    for n in ast.walk(node):
        own = isinstance(n, (ast.Attribute, ast.Subscript)) and isinstance(n.value, ast.Name) and n.value.id == name
        if own and (isinstance(n, ast.Attribute) or not isinstance(n.ctx, ast.Load)):  # type: ignore[attr-defined]
            return True
        if isinstance(n, ast.Call) and dotted(n.func) not in _READING:
            given = [*n.args, *(k.value for k in n.keywords)]
            if any(isinstance(a, ast.Name) and a.id == name for a in given):
                return True
        if isinstance(n, ast.AugAssign) and isinstance(n.target, ast.Name) and n.target.id == name:
            return True
    return False


RULES: Sequence[Callable[[Slow], Iterator[Rewrite]]] = (apply_arithmetic, iterrows, growing, membership)
