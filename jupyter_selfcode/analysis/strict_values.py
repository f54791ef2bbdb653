"""What code notes of names and objects for a proof, and what a value shares and is: the ground under `strict`.

Objects are told apart by the names that may lead to them, as Kishu's co-variables are (Li et al., VLDB 2024): what is not
known to be new shares with everything that it was made of.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Mapping

from . import trusted
from .reach import Reader
from .standing import Body, Names
from .trees import dotted

LOCAL = "<local>"
"""What a function's own names lead to: its arguments, or what it has made."""
CONSTANT, STEADY, OTHER = "=constant", "=steady", "=other"
"""Kinds of value: it cannot be changed; plain data that reading leaves alone; anything else, as iterators and functions."""
GIVEN = "()"
"""After a function's name: what calling it may give."""
BUILTINS = frozenset(dir(builtins))
_HISTORY = ("_", "__", "___", "In", "Out", "_oh", "_ih", "_dh", "exit", "quit", "get_ipython")
_DUNDERS = ("__name__", "__file__", "__doc__", "__version__")


class ValueReader(Reader):
    """`body` is what running the cell does, `functions` what calling those that it defines does; `kinds` are the kinds of
    value that names are bound to, or that are put into them."""

    def __init__(self, magics: Mapping[str, str], names: Names) -> None:
        super().__init__(magics)
        self._modules = dict(names.modules)
        self.names = names
        self.body = Body()
        self.functions = dict[str, Body]()
        self.kinds = dict[str, set[str]]()
        self._bodies: list[Body] = []
        self._sources = dict[str, set[str]]()
        self._binding: set[str] = {OTHER}
        self._direct = set[int]()
        self._open = set[str]()

    @property
    def bound(self) -> frozenset[str]:
        """Names that the cell binds whatever happens, if it ends."""
        return frozenset(self._bound)

    # ---- what is noted ---------------------------------------------------------------------------------------------

    @property
    def _here(self) -> list[Body]:
        """The bodies of the functions that are being read, else the cell's."""
        return self._bodies or [self.body]

    def doubt(self, reason: str) -> None:
        """More may happen here than can be told."""
        for body in self._here:
            body.doubts.append(reason)

    def _use(self, name: str) -> None:
        if self._is_local(name):
            return
        if name in _HISTORY or (name.startswith("_") and name[1:].lstrip("i").isdigit()):
            self.doubt(f"it reads {name}")
        if name.startswith("__") and name not in _DUNDERS:
            self.doubt(f"it uses {name}")
        if self._bodies or name not in self._bound:
            for body in self._here:
                body.reads.add(name)

    def _bind(self, name: str) -> None:
        if self._is_local(name):
            return
        for body in self._here:
            body.rebinds.add(name)
        if not self._bodies:
            self._bound.add(name)
        if name not in self.names.functions:
            self.kinds.setdefault(name, set()).update(self._binding)

    def _mutate(self, name: str | None) -> None:
        if name is None or name == LOCAL or self._is_local(name):
            if self._bodies:
                for body in self._bodies:
                    body.own = True
            elif name != LOCAL or name is None:
                self._change_local(name)
            else:
                self.doubt("it changes what a function without a name was given")
            return
        if name in self._modules:
            self.doubt(f"it changes the module {name}")
        if not name.endswith(GIVEN):
            self._use(name)
        for body in self._here:
            body.mutates.add(name)

    def _change_local(self, name: str | None) -> None:
        if name is None or name not in self._sources:
            self.doubt("it changes what a function without a name was given")
            return
        for source in self._sources[name]:
            self._mutate(source)

    def _change(self, node: ast.AST) -> None:
        """The object that an expression gives is changed."""
        for name in self._shares(node):
            self._mutate(name)

    def _consume(self, node: ast.AST) -> None:
        """The expression's value is gone through."""
        self._direct.add(id(node))
        for name in self._shares(node):
            for body in self._here:
                body.consumes.add(name)

    def _touch(self, resource: str, *, write: bool) -> None:
        for body in self._here:
            body.reads.add(resource)
            if write:
                body.mutates.add(resource)

    def _file(self, path: ast.expr | None, *, write: bool) -> None:
        """A file is used: told apart from others by the last part of its name, where that is written out."""
        if isinstance(path, ast.Constant) and isinstance(path.value, str):
            if "://" in path.value:
                self._touch("@net", write=True)
                return
            self._touch("@cwd", write=False)
            self._touch("@fs:" + path.value.replace("\\", "/").rpartition("/")[2].casefold(), write=write)
        else:
            self._touch("@cwd", write=False)
            self._touch("@fs", write=write)

    # ---- what a value shares, and its kind ---------------------------------------------------------------------------

    def _shares(self, node: ast.AST | None) -> set[str]:
        if node is None or isinstance(node, (ast.Constant, ast.Compare, ast.JoinedStr)):
            return set()
        if isinstance(node, ast.Name):
            if self._is_local(node.id):
                return self._sources.get(node.id, {LOCAL})
            return set() if node.id in self._modules else {node.id}
        if isinstance(node, ast.Call):
            inner = set[str]().union(*(self._shares(a) for a in [*node.args, *(k.value for k in node.keywords)]))
            func = node.func
            if isinstance(func, ast.Name) and not self._is_local(func.id):
                if func.id in self.names.functions:
                    return inner | {func.id + GIVEN}
                if func.id in trusted.FRESH and self._builtin(func.id):
                    return set()
                return inner if self._builtin(func.id) or func.id in self.names.imports else inner | {func.id}
            if isinstance(func, ast.Attribute):
                if self._full(func):
                    return set() if self._full(func) in ("copy.deepcopy", "json.dumps") else inner
                return set() if func.attr in trusted.FRESH_METHODS else inner | self._shares(func.value)
            return inner | self._shares(func)
        found = set[str]()
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, (ast.expr_context, ast.operator, ast.unaryop, ast.boolop)):
                found |= self._shares(child)
        return found

    def _kind(self, node: ast.AST | None) -> set[str]:
        """Kinds that a value may have: of `CONSTANT`, `STEADY`, `OTHER`, and names whose kind it shares."""
        match node:
            case ast.Constant() | ast.JoinedStr():
                return {CONSTANT}
            case ast.Name(id=name):
                if self._is_local(name):
                    return self._sources.get(name, {OTHER}) - {LOCAL} or {OTHER}
                return {OTHER} if name in self._modules or name in self.names.functions else {name}
            case ast.BinOp(left=a, right=b):
                return self._kind(a) | self._kind(b)
            case ast.UnaryOp(operand=a):
                return self._kind(a)
            case ast.Compare():
                return {STEADY}.union(*(self._kind(c) for c in [node.left, *node.comparators]))
            case ast.Tuple(elts=elements):
                return {CONSTANT}.union(*map(self._kind, elements))
            case ast.List(elts=elements) | ast.Set(elts=elements):
                return {STEADY}.union(*map(self._kind, elements))
            case ast.Dict(values=values):
                return {STEADY}.union(*map(self._kind, values))
            case ast.BoolOp(values=values):
                return set[str]().union(*map(self._kind, values))
            case ast.IfExp(body=a, orelse=b):
                return self._kind(a) | self._kind(b)
            case ast.ListComp(elt=a) | ast.SetComp(elt=a) | ast.DictComp(value=a):
                return {STEADY} | self._kind_inside(node, a)
            case ast.Attribute():
                full = self._full(node)
                return ({CONSTANT} if full in trusted.CONSTANTS else {OTHER}) if full else self._kind(node.value)
            case ast.Subscript(value=a) | ast.NamedExpr(value=a) | ast.Starred(value=a):
                return self._kind(a)
            case ast.Call():
                return self._kind_of_call(node)
        return {OTHER}

    def _kind_inside(self, node: ast.ListComp | ast.SetComp | ast.DictComp, element: ast.expr) -> set[str]:
        with_targets = dict(self._sources)
        self._enter(node.generators)
        found = self._kind(element)
        self._local.pop()
        self._sources = with_targets
        return found

    def _kind_of_call(self, node: ast.Call) -> set[str]:
        func, arguments = node.func, [*node.args, *(k.value for k in node.keywords)]
        inner = set[str]().union(*map(self._kind, arguments))
        if isinstance(func, ast.Name) and not self._is_local(func.id):
            if func.id in self.names.functions:
                return {func.id + GIVEN} | inner
            if self._builtin(func.id):
                if func.id in trusted.IMMUTABLE:
                    return {CONSTANT}
                if func.id == "range":
                    return {CONSTANT}
                lazy = func.id in trusted.LAZY and id(node) not in self._direct
                return {OTHER} if lazy or func.id not in trusted.PURE_BUILTINS else {STEADY} | inner
            full = self.names.imports.get(func.id, "")
        elif isinstance(func, ast.Attribute):
            full = self._full(func)
            if not full:
                own = func.attr in trusted.READING or func.attr in trusted.FRESH_METHODS or func.attr in trusted.HIGHER
                lazy = func.attr in trusted.LAZY_METHODS and id(node) not in self._direct
                return (
                    {STEADY} | self._kind(func.value) | inner
                    if own or (func.attr in ("items",) and not lazy)
                    else {OTHER}
                )
        else:
            return {OTHER}
        if any(k.arg in ("chunksize", "iterator") for k in node.keywords):
            return {OTHER}
        steady = trusted.allowed(full) or full.rpartition(".")[2] in trusted.READS_FILES or full.startswith("sklearn.")
        return {STEADY} | inner if steady else {OTHER}

    def _builtin(self, name: str) -> bool:
        return name in BUILTINS | {"display"} and name not in self.names.bound

    def _full(self, node: ast.expr) -> str:
        """The full name of a module's attribute; empty where the expression is something else."""
        name = dotted(node)
        first, _, rest = name.partition(".")
        if not rest or self._is_local(first):
            return ""
        if first in self._modules:
            return f"{self._modules[first]}.{rest}"
        return f"{self.names.imports[first]}.{rest}" if first in self.names.imports else ""

    def _enter(self, generators: Iterable[ast.comprehension]) -> None:
        """The targets of a comprehension, which lead to what it goes through."""
        self._local.append(set())
        for g in generators:
            shared = self._shares(g.iter)
            targets = {n.id for n in ast.walk(g.target) if isinstance(n, ast.Name)}
            self._local[-1] |= targets
            for name in targets:
                self._sources[name] = shared
