"""Small mistakes that people make in data code, made on purpose: each is one edit of a cell, and the cell still parses.

The operators are those of mutation testing (comparison, boundary, arithmetic, constant, negation, statement: Offutt et al.,
An experimental determination of sufficient mutant operators, TOSEM 5 (2), 1996) and the slips of data code beside them:
another aggregate, another column, another join, another axis, another order, a step left out (`dropna`, `fillna`, `drop_duplicates`).
The well-kept libraries (mutmut, cosmic-ray) mutate installed modules and run a test suite for each; a cell is neither, so
the edits are made here, on the text: comments, magics and layout stay as they are.

Nothing is made of a contract (docstring, `assert`), of imports, or of what is only shown.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby

from .contract import executable, is_intent
from .effects import effects_of
from .forms import split
from .magics import Masked, mask, parse_masked
from .mutant_tables import AGGREGATES, ARITHMETIC, BY_COLUMN, BY_NAME, COLUMNS, COMPARE, KINDS, SIGNS, STEPS, WORDS

SHOWN = 40
"""Characters of a piece of code in a message."""


@dataclass(frozen=True, slots=True)
class Slip:
    """One mistake in one cell: its whole source with it. `line` counts from 1, `said` tells it in words or as was → is;
    `new`: the change brought this statement."""

    cell_id: str
    line: int
    kind: str
    said: str
    source: str
    new: bool = True


@dataclass(frozen=True, slots=True)
class _Edit:
    """A piece of a text to be replaced."""

    start: int
    end: int
    now: str
    kind: str
    said: str = ""
    """How it is told, where that is not `was → is`."""


class _Places:
    """Where nodes stand in a text, in characters (`ast` counts columns in UTF-8 bytes)."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._lines = re.split(r"(?<=\n)", text)
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line))

    def at(self, line: int, column: int) -> int:
        return self._starts[line - 1] + len(self._lines[line - 1].encode()[:column].decode())

    def span(self, node: ast.expr | ast.stmt | ast.keyword) -> tuple[int, int]:
        return self.at(node.lineno, node.col_offset), self.at(node.end_lineno or node.lineno, node.end_col_offset or 0)

    def of(self, node: ast.expr | ast.stmt | ast.keyword) -> str:
        start, end = self.span(node)
        return self.text[start:end]


def columns_named(sources: Iterable[str]) -> tuple[str, ...]:
    """Names of columns, as far as sources tell: texts in brackets, and those that calls about columns are given."""
    found: dict[str, None] = {}
    for source in sources:
        for statement in _body(source):
            found |= dict.fromkeys(str(c.value) for node in ast.walk(statement) for c in _columns(node))
    return tuple(found)


def slips(cell_id: str, source: str, before: str = "", columns: Sequence[str] = ()) -> Iterator[Slip]:
    """Every small mistake of one cell, those in what the change brought first, and then by turns from every statement.

    `before` is the cell's source before the change, `columns` are named elsewhere in the notebook. Each result parses, and
    differs from the source in what Python reads.
    """
    _, _, body = split(source)
    above = source[: len(source) - len(body)]
    masked = mask(body)
    tree = None if masked.opaque or is_intent(source) else parse_masked(masked)
    if tree is None:
        return
    now = [s for s in tree.body if s.lineno > masked.head]
    fresh = _fresh([ast.unparse(s) for s in _body(before)], [ast.unparse(s) for s in now])
    places, seen = _Places(masked.text), {ast.dump(tree)}
    by_statement = []
    named = tuple(dict.fromkeys((*columns_named([source]), *columns)))
    for i, statement in enumerate(now):
        if _made(statement, first=i == 0):
            edits = [*_edits(statement, places, _bound(now[:i])), *_other_columns(statement, places, named)]
            by_statement.append(_by_turns([(edit, i in fresh) for edit in edits]))
    for new in (True, False):
        for edit, _ in _round_robin([[row for row in rows if row[1] is new] for rows in by_statement]):
            changed = _applied(edit, masked, places)
            if changed is None or changed[1] in seen:
                continue
            seen.add(changed[1])
            line = above.count("\n") + places.text.count("\n", 0, edit.start) + 1
            said = edit.said or f"{_short(places.text[edit.start : edit.end])} → {_short(edit.now)}"
            yield Slip(cell_id, line, edit.kind, said, above + changed[0], new)


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def _body(source: str) -> list[ast.stmt]:
    masked = mask(executable(source))
    tree = None if masked.opaque else parse_masked(masked)
    return list(tree.body) if tree else []


def _fresh(was: Sequence[str], now: Sequence[str]) -> set[int]:
    matcher = SequenceMatcher(None, was, now, autojunk=False)
    return {i for tag, _, _, k, m in matcher.get_opcodes() if tag != "equal" for i in range(k, m)}


def _applied(edit: _Edit, masked: Masked, places: _Places) -> tuple[str, str] | None:
    """The text with the edit, magics put back, and its tree; None where that is no Python, or would touch a magic."""
    text = places.text[: edit.start] + edit.now + places.text[edit.end :]
    tree = parse_masked(Masked(text))
    if tree is None:
        return None
    try:
        return masked.restore(text), ast.dump(tree)
    except ValueError:
        return None


def _made(statement: ast.stmt, *, first: bool) -> bool:
    """Whether a statement makes something that a promise could be about."""
    if isinstance(statement, (ast.Assert, ast.Import, ast.ImportFrom, ast.Pass, ast.Global, ast.Nonlocal)):
        return False
    if isinstance(statement, ast.Expr):
        if first and isinstance(statement.value, ast.Constant):
            return False
        effects = effects_of(ast.unparse(statement))
        return any(not name.startswith("@") for name in effects.changes)
    return True


def _bound(statements: Sequence[ast.stmt]) -> frozenset[str]:
    return frozenset[str]().union(*(effects_of(ast.unparse(s)).writes for s in statements))


def _by_turns(rows: Sequence[tuple[_Edit, bool]]) -> list[tuple[_Edit, bool]]:
    """By turns from every kind, so that a bounded number holds many kinds."""
    kinds = [list(found) for _, found in groupby(sorted(rows, key=lambda r: r[0].kind), key=lambda r: r[0].kind)]
    return _round_robin(kinds)


def _round_robin(lists: Sequence[Sequence[tuple[_Edit, bool]]]) -> list[tuple[_Edit, bool]]:
    longest = max(map(len, lists), default=0)
    return [found[i] for i in range(longest) for found in lists if i < len(found)]


# ---- the operators -------------------------------------------------------------------------------------------------


def _edits(statement: ast.stmt, places: _Places, bound: Collection[str]) -> Iterator[_Edit]:
    yield from _dropped(statement, places, bound)
    left: list[ast.AST] = [statement]
    while left:
        node = left.pop(0)
        if isinstance(node, (ast.Assert, ast.Import, ast.ImportFrom, ast.JoinedStr, ast.Raise)):
            continue
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            left += node.body[ast.get_docstring(node, clean=False) is not None :]
            continue
        if isinstance(node, ast.AnnAssign):
            left += [node.value] if node.value else []
            continue
        yield from _expression(node, places)
        left += ast.iter_child_nodes(node)


def _expression(node: ast.AST, places: _Places) -> Iterator[_Edit]:
    match node:
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            kind = "boundary" if isinstance(op, (ast.Lt, ast.LtE, ast.Gt, ast.GtE)) else "comparison"
            yield from _operator(left, right, op, COMPARE, places, kind)
        case ast.BinOp(left=left, op=op, right=right) if not _texts(left, right):
            kind = "logic" if isinstance(op, (ast.BitAnd, ast.BitOr)) else "arithmetic"
            yield from _operator(left, right, op, ARITHMETIC, places, kind)
        case ast.BoolOp(op=op, values=[left, right, *_]):
            yield from _operator(left, right, op, {"And": "or", "Or": "and"}, places, "logic")
        case ast.UnaryOp(op=ast.Not() | ast.Invert() | ast.USub(), operand=operand):
            start, end = places.span(node)
            yield _Edit(start, end, f"({places.of(operand)})", "logic" if not isinstance(node.op, ast.USub) else "arithmetic")
        case ast.AugAssign(op=op) if (now := ARITHMETIC.get(type(op).__name__)):
            start, end = places.span(node.target)[1], places.span(node.value)[0]
            yield _Edit(start, end, f" {now}= ", "arithmetic", f"{SIGNS[type(op).__name__]}= → {now}=")
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test) if isinstance(test, (ast.Name, ast.Call)):
            start, end = places.span(test)
            yield _Edit(start, end, f"(not ({places.of(test)}))", "logic")
        case ast.Call():
            yield from _call(node, places)
        case ast.Constant(value=bool() | int() | float()):
            yield from _constant(node, places)


def _texts(*nodes: ast.expr) -> bool:
    """Whether one of them is text, so that another operator only fails."""
    return any(isinstance(n, ast.JoinedStr) or (isinstance(n, ast.Constant) and isinstance(n.value, str)) for n in nodes)


def _operator(
    left: ast.expr, right: ast.expr, op: ast.AST, table: Mapping[str, str], places: _Places, kind: str
) -> Iterator[_Edit]:
    name = type(op).__name__
    if name not in table:
        return
    start, end = places.span(left)[1], places.span(right)[0]
    between = places.text[start:end]
    sign = r"\s+".join(map(re.escape, SIGNS[name].split()))
    found = re.search(sign, re.sub(r"#[^\n]*", lambda m: " " * len(m[0]), between))
    if found:
        yield _Edit(start + found.start(), start + found.end(), table[name], kind)


def _constant(node: ast.Constant, places: _Places) -> Iterator[_Edit]:
    start, end = places.span(node)
    value = node.value
    if isinstance(value, bool):
        yield _Edit(start, end, str(not value), "flag")
    elif isinstance(value, int):
        yield _Edit(start, end, str(value + 1), "constant")
        if value:
            yield _Edit(start, end, str(value - 1), "constant")
    elif isinstance(value, float):
        yield _Edit(start, end, repr(value * 1.1 if value else 1.0), "constant")


def _call(node: ast.Call, places: _Places) -> Iterator[_Edit]:
    func = node.func
    name = func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
    end = places.span(func)[1]
    if name in AGGREGATES and (isinstance(func, ast.Attribute) or name in ("min", "max", "any", "all")):
        yield _Edit(end - len(name), end, AGGREGATES[name], "aggregate")
    if isinstance(func, ast.Attribute) and name in STEPS and not any(k.arg == "inplace" for k in node.keywords):
        start = places.span(func.value)[1]
        stop = places.span(node)[1]
        yield _Edit(start, stop, "", "step", f"{_short(places.text[start:stop])} left out")
    if isinstance(func, ast.Name) and name in ("abs", "sorted", "round") and node.args:
        start, stop = places.span(node)
        inner = places.of(node.args[0])
        yield _Edit(start, stop, f"list({inner})" if name == "sorted" else f"({inner})", "step", f"{name}() left out")
    if name in BY_NAME:
        for value in _named(node):
            start, stop = places.span(value)
            yield _Edit(start, stop, repr(AGGREGATES[str(value.value)]), "aggregate")
    given = {k.arg for k in node.keywords}
    for keyword in node.keywords:
        yield from _keyword(keyword, places)
    stop = places.span(node)[1] - 1
    comma = "" if not (node.args or node.keywords) or places.text[:stop].rstrip().endswith(",") else ", "
    if name == "merge" and "how" not in given and "on" in " ".join(map(str, given)):
        yield _Edit(stop, stop, f"{comma}how='left'", "join", "how='left' added")
    if name in ("sort_values", "sort_index") and "ascending" not in given and "inplace" not in given:
        yield _Edit(stop, stop, f"{comma}ascending=False", "order", "ascending=False added")
    if name == "sorted" and "reverse" not in given:
        yield _Edit(stop, stop, f"{comma}reverse=True", "order", "reverse=True added")


def _named(node: ast.Call) -> Iterator[ast.Constant]:
    """The names of aggregates that a call is given as text, also as values of a dictionary, a list or a tuple."""
    left: list[ast.AST] = [*node.args, *(k.value for k in node.keywords if k.arg not in WORDS)]
    while left:
        value = left.pop(0)
        if isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value in AGGREGATES:
            yield value
        elif isinstance(value, (ast.Dict, ast.List, ast.Tuple)):
            left += value.values if isinstance(value, ast.Dict) else value.elts


def _columns(node: ast.AST) -> Iterator[ast.Constant]:
    """Names of columns that one node is given as text."""
    left: list[ast.AST] = []
    if isinstance(node, ast.Subscript):
        left = [node.slice]
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in BY_COLUMN:
        left = [*node.args, *(k.value for k in node.keywords if k.arg in ("by", "on", "left_on", "right_on", "subset", "columns", "values"))]
    while left:
        value = left.pop(0)
        if isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value not in AGGREGATES:
            yield value
        elif isinstance(value, (ast.List, ast.Tuple)):
            left += value.elts


def _other_columns(statement: ast.stmt, places: _Places, named: Sequence[str]) -> Iterator[_Edit]:
    """Another column in place of each that is read: those that are named next in the notebook."""
    if isinstance(statement, (ast.Import, ast.ImportFrom)) or len(named) < 2:
        return
    for node in ast.walk(statement):
        if isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
            continue
        for constant in _columns(node):
            start, end = places.span(constant)
            at = named.index(str(constant.value)) if constant.value in named else -1
            for other in (*named[at + 1 :], *named[: max(at, 0)])[:COLUMNS]:
                yield _Edit(start, end, repr(other), "column")


def _keyword(keyword: ast.keyword, places: _Places) -> Iterator[_Edit]:
    value, name = keyword.value, keyword.arg or ""
    if not isinstance(value, ast.Constant):
        return
    start, end = places.span(value)
    if isinstance(value.value, str) and (now := WORDS.get(name, {}).get(value.value)):
        yield _Edit(start, end, repr(now), KINDS[name])
    elif name == "axis" and value.value in (0, 1, "index", "columns"):
        yield _Edit(start, end, "0" if value.value in (1, "columns") else "1", "axis")
    elif name == "ascending" and isinstance(value.value, bool):
        yield _Edit(start, end, str(not value.value), "order")


def _dropped(statement: ast.stmt, places: _Places, bound: Collection[str]) -> Iterator[_Edit]:
    """A statement left out: one that changes what is there already, so that what follows still finds its names."""
    match statement:
        case ast.AugAssign() | ast.Delete() | ast.Expr():
            pass
        case ast.Assign(targets=[ast.Subscript() | ast.Attribute()]):
            pass
        case ast.Assign(targets=[ast.Name(id=name)]) if name in bound or name in effects_of(ast.unparse(statement)).reads:
            pass
        case ast.If(orelse=[]):
            pass
        case _:
            return
    start, end = places.span(statement)
    yield _Edit(start, end, "pass", "statement", _short(places.of(statement)) + " left out")
