"""What the names of a whole notebook stand for, and what a piece of code may do to them: the values of a proof."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .trees import imported


@dataclass(slots=True)
class Body:
    """What running a cell, or calling a function, does itself; names, and resources as `@fs`.

    `invokes` are functions of the notebook that it may call, `handed` what it gives them. `consumes` are names that it
    goes through, which uses up an iterator; `shaped` names whose attributes it sets, `held` names that must hold plain
    data: what these hold only the whole notebook can say. `doubts` are reasons why more may happen than is noted.
    """

    reads: set[str] = field(default_factory=set)
    rebinds: set[str] = field(default_factory=set)
    mutates: set[str] = field(default_factory=set)
    consumes: set[str] = field(default_factory=set)
    invokes: set[str] = field(default_factory=set)
    handed: set[tuple[str, str]] = field(default_factory=set)
    shaped: set[str] = field(default_factory=set)
    held: set[str] = field(default_factory=set)
    doubts: list[str] = field(default_factory=list)
    own: bool = False
    """It changes something through a name of its own, which may be what it was given, or something of the notebook's."""
    pours: bool = False
    """It makes iterators, or what else is no plain data."""

    def take(self, other: Body) -> None:
        """All that the other does, too."""
        for mine, its in (
            (self.reads, other.reads), (self.rebinds, other.rebinds), (self.mutates, other.mutates), (self.held, other.held),
            (self.consumes, other.consumes), (self.invokes, other.invokes), (self.shaped, other.shaped),
        ):  # fmt: skip
            mine |= its
        self.handed |= other.handed
        self.doubts += other.doubts
        self.own |= other.own
        self.pours |= other.pours


@dataclass(frozen=True, slots=True)
class Names:
    """Names that stand for one thing in the whole notebook: modules and imports (with full names), functions. `bound` are
    all that anything binds, so that what is not among them is a builtin."""

    modules: Mapping[str, str]
    imports: Mapping[str, str]
    functions: frozenset[str]
    bound: frozenset[str]


def named_lambda(node: ast.AST) -> str | None:
    """The name of `name = lambda …`, which is a function by another spelling."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.value, ast.Lambda):
        return node.targets[0].id if isinstance(node.targets[0], ast.Name) else None
    return None


def names_of(trees: Iterable[ast.Module]) -> Names:
    """What names stand for: one that is bound in two ways, anywhere and in any scope, stands for nothing in particular."""
    kinds = dict[str, set[tuple[str, str]]]()

    def note(name: str | None, kind: str, full: str = "") -> None:
        if name:
            kinds.setdefault(name, set()).add((kind, full))

    for tree in trees:
        lambdas = {id(n.targets[0]) for n in ast.walk(tree) if isinstance(n, ast.Assign) and named_lambda(n)}
        for node in ast.walk(tree):
            match node:
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    note(name, "function")
                case ast.ClassDef(name=name) | ast.MatchAs(name=name) | ast.MatchStar(name=name):
                    note(name, "value")
                case ast.ExceptHandler(name=name) | ast.MatchMapping(rest=name):
                    note(name, "value")
                case ast.arg(arg=name):
                    note(name, "value")
                case ast.Import() | ast.ImportFrom():
                    for bound, full in imported([node]).items():
                        note(bound, "module" if isinstance(node, ast.Import) else "import", full)
                    for alias in node.names if isinstance(node, ast.ImportFrom) and node.level else ():
                        note(alias.asname or alias.name, "value")
                case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                    note(name, "function" if id(node) in lambdas else "value")

    def only(kind: str) -> dict[str, str]:
        return {n: next(iter(k))[1] for n, k in kinds.items() if len(k) == 1 and next(iter(k))[0] == kind}

    return Names(only("module"), only("import"), frozenset(only("function")), frozenset(kinds))
