"""What a prover can be asked of a change: functions that it made another, where all they do can be followed.

A proof holds for the text that was explored, so the text has to say everything: parameters of Python's own plain types, a body of
plain statements, calls of builtins, of methods of plain values and of functions of the same cell, and no name that anything
else in the notebook could bind. What is not listed here is left out, and nothing is asked. For the same reason code that passes can
reach nothing of the process that explores it, and so cannot forge the answer. Left out is also what a prover models otherwise than
Python does it: the order of sets, which objects are one (`is`, but for None), and the words of an exception.

What is asked first is whether the new function extends the old one (`extension`); the second question is about the assertions of the
function itself, those at its beginning being what callers promise.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice

from ..values.notebook import Notebook
from ..values.proof import Question
from .contract import executable
from .effects import bound_names, effects_of
from .extension import changed_functions
from .known_calls import words
from .magics import binds_unseen, parse
from .mutants import slips

MISTAKES = 4
"""Small mistakes that are put in, at most, to see that the prover finds one: those of people (`mutants`), which may change nothing,
and then a last statement that gives something else."""

LOOKED_AT = 60
"""Mistakes of a cell that are looked at for some in the function."""

_BUILTINS = words(
    "len sum min max sorted range enumerate zip list dict tuple str int float bool abs round isinstance any all map "
    "filter reversed divmod pow ord chr"
)
_RAISED = words("ValueError KeyError IndexError ZeroDivisionError OverflowError ArithmeticError LookupError AssertionError")
"""Exceptions that may be raised and caught. A prover speaks to itself in others, so a wider `except` would hear what is not meant for it."""

_METHODS = words(
    "append extend insert pop remove clear index count sort reverse copy get values setdefault update join split rsplit splitlines "
    "strip lstrip rstrip upper lower title capitalize swapcase casefold startswith endswith replace find rfind rindex isdigit isalpha "
    "isalnum isspace isupper islower isdecimal isnumeric zfill ljust rjust center partition rpartition removeprefix removesuffix bit_length"
)
_STATEMENTS = (
    ast.Return, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.If, ast.For, ast.While, ast.Pass, ast.Expr, ast.Assert, ast.Raise,
    ast.Break, ast.Continue, ast.Try, ast.Delete,
)  # fmt: skip
_EXPRESSIONS = (
    ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.Compare, ast.IfExp, ast.Call, ast.Constant, ast.Name, ast.Attribute, ast.Subscript,
    ast.Slice, ast.Starred, ast.List, ast.Tuple, ast.Dict, ast.ListComp, ast.DictComp, ast.GeneratorExp,
    ast.Lambda, ast.JoinedStr, ast.FormattedValue, ast.NamedExpr,
)  # fmt: skip
_PARTS = (
    ast.arguments, ast.arg, ast.keyword, ast.comprehension, ast.ExceptHandler, ast.expr_context, ast.operator, ast.unaryop,
    ast.boolop, ast.cmpop,
)  # fmt: skip
_OLDER = {"List": "list", "Dict": "dict", "Tuple": "tuple"}


def questions(before: Notebook, after: Notebook, touched: Collection[str]) -> tuple[Question, ...]:
    """What can be asked of this change, in the order of the notebook."""
    free, found = _Names(before, after), list[Question]()
    for cell in after.code_cells:
        if cell.id not in touched or cell.id not in before or before.cell(cell.id).type != "code" or not free.known:
            continue
        old, new = before.cell(cell.id).source, cell.source
        names, whole = changed_functions(old, new)
        was, now = _Module(old, cell.id, free), _Module(new, cell.id, free)
        asked = [(n, types, one, other) for n in names if (types := _parameters(was.functions[n], now.functions[n]))
                 and (one := was.text(n)) is not None and (other := now.text(n)) is not None]  # fmt: skip
        whole = whole and len(asked) == len(names)
        for name, types, one, other in asked:
            mistakes = tuple(islice(_mistaken(cell.id, old, new, name, other, free), MISTAKES))
            found.append(Question(name, cell.id, "kept", types, one, other, (*mistakes, _wrong(other)), whole))
            if was.asserted(name) & now.asserted(name):
                found.append(Question(name, cell.id, "asserted", types, was.beginning(name), other, mistakes, whole))
    return tuple(found)


class _Names:
    """Which names mean what they seem to: what every cell of both notebooks binds."""

    def __init__(self, before: Notebook, after: Notebook) -> None:
        self._bound: dict[str, set[str]] = {}
        self._constants: dict[str, set[str]] = {}
        self.known = True
        """Whether every cell tells what it binds."""
        for cell in (*before.code_cells, *after.code_cells):
            tree = parse(executable(cell.source))
            stars = any(isinstance(n, ast.ImportFrom) and n.names[0].name == "*" for n in ast.walk(tree)) if tree else True
            self.known = self.known and not (stars or effects_of(cell.source).unknown or binds_unseen(cell.source))
            for name in bound_names(cell.source):
                self._bound.setdefault(name, set()).add(cell.id)
            for node in ast.walk(tree) if tree else ():
                if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                    self._constants.setdefault(node.id, set()).add(f"{cell.id}:{node.lineno}")
        was = {n: ast.dump(v) for n, v in _constants(before)}
        self._values = {n: v for n, v in _constants(after) if was.get(n) == ast.dump(v)}

    def free(self, name: str) -> bool:
        """Whether nothing in the notebook binds it."""
        return name not in self._bound

    def only(self, name: str, cell_id: str) -> bool:
        """Whether this cell alone binds it."""
        return self._bound.get(name) == {cell_id}

    def constant(self, name: str) -> ast.expr | None:
        """The plain value of a name that is bound once in the whole notebook, as a statement at the top."""
        return self._values.get(name) if len(self._constants.get(name, ())) == 1 and len(self._bound.get(name, ())) == 1 else None


def _constants(notebook: Notebook) -> Iterator[tuple[str, ast.expr]]:
    for cell in notebook.code_cells:
        tree = parse(executable(cell.source))
        for s in tree.body if tree else ():
            if isinstance(s, ast.Assign) and len(s.targets) == 1 and isinstance(s.targets[0], ast.Name):
                value = s.value.operand if isinstance(s.value, ast.UnaryOp) and isinstance(s.value.op, ast.USub) else s.value
                if isinstance(value, ast.Constant) and (value.value is None or isinstance(value.value, (int, str, bool, float))):
                    yield s.targets[0].id, s.value


class _Module:
    """The functions of a cell, each to be put with what it needs of the others into a module by itself."""

    def __init__(self, source: str, cell_id: str, names: _Names) -> None:
        tree = parse(executable(source))
        found = [s for s in (tree.body if tree else ()) if isinstance(s, ast.FunctionDef)]
        self.functions = {s.name: s for s in found}
        self._twice = {s.name for s in found if self.functions[s.name] is not s}
        self._cell_id, self._names = cell_id, names

    def text(self, name: str) -> str | None:
        """The module of this function; None where something in it cannot be followed."""
        wanted, constants, todo = dict[str, ast.FunctionDef](), dict[str, ast.expr](), [name]
        while todo:
            one = todo.pop()
            if one in wanted:
                continue
            function = self.functions.get(one)
            if function is None or function.decorator_list or one in self._twice or not self._names.only(one, self._cell_id):
                return None
            reading = _Reader(function)
            if reading.strange:
                return None
            wanted[one] = function
            for used in reading.global_names:
                if used in self.functions:
                    todo.append(used)
                elif used not in _BUILTINS | _RAISED and (value := self._names.constant(used)) is not None:
                    constants[used] = value
                elif used not in _BUILTINS | _RAISED or not self._names.free(used):
                    return None
        lines = [f"{n} = {ast.unparse(v)}" for n, v in sorted(constants.items())]
        return "\n\n".join([*lines, *(_bare(f) for f in wanted.values())])

    def asserted(self, name: str) -> set[str]:
        """The assertions of a function but for those at its beginning."""
        function = self.functions[name]
        first = _beginning(function)
        return {ast.unparse(n.test) for n in ast.walk(function) if isinstance(n, ast.Assert) and n not in first}

    def beginning(self, name: str) -> str:
        """A module in which the function only asserts what it does at its beginning."""
        function = self.functions[name]
        body = [*_beginning(function), ast.Pass()]
        return _bare(ast.FunctionDef(name, function.args, list(body), [], lineno=1))


def _beginning(function: ast.FunctionDef) -> list[ast.Assert]:
    """The assertions that a function begins with, where they look at what it is given alone."""
    found, names = [], {a.arg for a in function.args.args} | _BUILTINS
    for s in function.body:
        if isinstance(s, ast.Assert) and {n.id for n in ast.walk(s) if isinstance(n, ast.Name)} <= names:
            found.append(s)
        elif not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant)):
            break
    return found


class _Reader:
    """What a function is made of: names that it takes from outside, and whether anything of it is `strange`."""

    def __init__(self, function: ast.FunctionDef) -> None:
        own = {a.arg for n in ast.walk(function) if isinstance(n, ast.arguments) for a in (*n.posonlyargs, *n.args, *n.kwonlyargs)}
        own |= {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
        own |= {n.name for n in ast.walk(function) if isinstance(n, ast.ExceptHandler) and n.name}
        bare = ast.parse(_bare(function)).body[0]
        assert isinstance(bare, ast.FunctionDef)
        inside = [n for s in (*bare.body, *bare.args.defaults) for n in ast.walk(s)]
        called = {id(n.func) for n in inside if isinstance(n, ast.Call)}
        self.global_names = {n.id for n in inside if isinstance(n, ast.Name) and n.id not in own}
        self.strange = (
            bool(own & (_BUILTINS | _RAISED)) or any("__" in n for n in own) or any(not isinstance(d, ast.Constant) for d in bare.args.defaults)
            or any(self._strange(n, called) for n in inside)
        )  # fmt: skip

    @staticmethod
    def _strange(node: ast.AST, called: Collection[int]) -> bool:
        if isinstance(node, ast.Attribute):
            return node.attr not in _METHODS or id(node) not in called
        if isinstance(node, ast.ExceptHandler):
            kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            return bool(node.name) or any(not isinstance(k, ast.Name) or k.id not in _RAISED for k in kinds)
        if isinstance(node, ast.Compare) and any(isinstance(o, (ast.Is, ast.IsNot)) for o in node.ops):
            return not (isinstance(node.comparators[-1], ast.Constant) and node.comparators[-1].value is None and len(node.ops) == 1)
        if isinstance(node, ast.BinOp):
            return isinstance(node.op, ast.MatMult)
        if isinstance(node, ast.arguments):
            return bool(node.vararg or node.kwarg)
        return not isinstance(node, (*_STATEMENTS, *_EXPRESSIONS, *_PARTS))


class _Bare(ast.NodeTransformer):
    """Takes out what is said and not done: docstrings, in which a prover may read conditions, and annotations."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        kept = [s for s in node.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
        args = ast.arguments(
            [ast.arg(a.arg) for a in node.args.posonlyargs], [ast.arg(a.arg) for a in node.args.args], node.args.vararg,
            [ast.arg(a.arg) for a in node.args.kwonlyargs], node.args.kw_defaults, node.args.kwarg, node.args.defaults,
        )  # fmt: skip
        done = [self.visit(s) for s in kept]
        return ast.FunctionDef(node.name, args, done or [ast.Pass()], list(node.decorator_list), lineno=1)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        return ast.Assign([node.target], node.value, lineno=1) if node.value else ast.Pass()


def _bare(function: ast.FunctionDef) -> str:
    tree: ast.FunctionDef = ast.parse(ast.unparse(function)).body[0]  # type: ignore[assignment]
    return ast.unparse(ast.fix_missing_locations(_Bare().visit(tree)))


def _parameters(old: ast.FunctionDef, new: ast.FunctionDef) -> tuple[tuple[str, str], ...] | None:
    """Names and types of what the old function takes, where the new one can be called alike."""
    for f in (old, new):
        if f.args.posonlyargs or f.args.kwonlyargs or f.args.vararg or f.args.kwarg:
            return None
    taken, given = old.args.args, new.args.args
    further = given[len(taken) :]
    if [a.arg for a in given[: len(taken)]] != [a.arg for a in taken] or len(further) > len(new.args.defaults):
        return None
    pairs = [(a.arg, plain_type(a.annotation or b.annotation)) for a, b in zip(taken, given, strict=False)]
    return tuple((n, t) for n, t in pairs if t) if pairs and all(t for _, t in pairs) else None


def plain_type(node: ast.expr | None) -> str:
    """An annotation in Python's own words, where it is made of plain types that say what they hold; else empty."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        try:
            return plain_type(ast.parse(node.value, mode="eval").body)
        except SyntaxError:
            return ""
    if isinstance(node, ast.Constant) and node.value is None:
        return "None"
    if isinstance(node, ast.Name):
        return node.id if node.id in ("int", "bool", "str", "float") else ""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _joined((node.left, node.right), " | ")
    if not isinstance(node, ast.Subscript):
        return ""
    holder = node.value.attr if isinstance(node.value, ast.Attribute) else node.value.id if isinstance(node.value, ast.Name) else ""
    inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if holder == "Optional":
        return _joined((*inner, ast.Constant(None)), " | ")
    if holder == "Union":
        return _joined(inner, " | ")
    holder = _OLDER.get(holder, holder)
    counts: Mapping[str, int] = {"list": 1, "dict": 2}
    open_ended = holder == "tuple" and len(inner) == 2 and isinstance(inner[1], ast.Constant) and inner[1].value is Ellipsis
    held = _joined(inner[:1] if open_ended else inner, ", ")
    fits = holder == "tuple" or counts.get(holder) == len(inner)
    return f"{holder}[{held}{', ...' if open_ended else ''}]" if held and fits else ""


def _joined(nodes: Sequence[ast.expr], by: str) -> str:
    kinds = [plain_type(n) for n in nodes]
    return by.join(kinds) if all(kinds) else ""


class _Wrong(ast.NodeTransformer):
    """Every value that is given becomes another."""

    def visit_Return(self, node: ast.Return) -> ast.Return:
        return ast.Return(ast.List([node.value or ast.Constant(None)], ast.Load()))


def _wrong(text: str) -> str:
    """A module whose functions give something else wherever they give a value by a statement."""
    return ast.unparse(ast.fix_missing_locations(_Wrong().visit(ast.parse(text))))


def _mistaken(cell_id: str, old: str, new: str, name: str, right: str, names: _Names) -> Iterator[str]:
    """Modules of the function, each with one small mistake in what it does."""
    for slip in islice(slips(cell_id, new, old), LOOKED_AT):
        module = _Module(slip.source, cell_id, names)
        text = module.text(name) if name in module.functions else None
        if text is not None and text != right:
            yield text
