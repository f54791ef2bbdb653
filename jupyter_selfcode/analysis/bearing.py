"""What a promise says about a change: whether it looks, along the flow of names, at something that the change makes.

An example that held because nothing it reads was touched is no evidence, nor is one whose answer is known before it is
asked (`>>> True`, `>>> x == x`); how much an answer says is weighed by `evidence`. So names are followed statement by statement: what a changed
statement binds or changes, what is computed from that, and what is bound anew from elsewhere and is free again. Where
that cannot be followed (dynamic code), nothing is taken to bear on the change.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from ..values.notebook import Notebook
from .contract import executable
from .effects import Effects, effects_of
from .evidence import foregone
from .magics import parse

SHOWS = ("print", "display", "show", "pprint")


@dataclass(slots=True)
class Flow:
    """Names that a change has reached, as statements are followed in order. `shown`: a statement showed one of them."""

    reached: set[str] = field(default_factory=set)
    carries: dict[str, frozenset[str]] = field(default_factory=dict)
    shown: bool = False

    def copy(self) -> Flow:
        """A flow of its own that begins here."""
        return Flow(set(self.reached), dict(self.carries), self.shown)

    def lose(self, statements: Iterable[ast.stmt]) -> None:
        """Statements that the change took away: what they made is another thing, or not there."""
        for statement in statements:
            self.reached |= {n for n in effects_of(_text(statement)).changes if not n.startswith("@")}

    def follow(self, statements: Iterable[ast.stmt], new: bool = False) -> None:
        """Go through statements; `new`: they are what the change brought."""
        for statement in statements:
            text = _text(statement)
            effects = effects_of(text)
            self.carries |= effects.carries
            reads = self._used(effects)
            if (new or reads & self.reached) and not effects.unknown:
                self._reach(effects)
                shows = isinstance(statement, ast.Expr) or any(_called(n) in SHOWS for n in ast.walk(statement))
                self.shown |= shows and bool(reads) and not isinstance(getattr(statement, "value", None), ast.Constant)
            elif isinstance(statement, (ast.Assign, ast.AnnAssign, ast.FunctionDef, ast.Import, ast.ImportFrom)):
                self.reached -= effects.writes

    def _used(self, effects: Effects) -> set[str]:
        found, left = set[str](), list(effects.reads)
        while left:
            name = left.pop()
            if name not in found:
                found.add(name)
                left += self.carries.get(name, ())
        return found

    def _reach(self, effects: Effects) -> None:
        self.reached |= {n for n in effects.changes if not n.startswith("@")}
        for a, b in effects.aliases:
            if effects.mutates & {a, b}:
                self.reached |= {a, b}

    def bears(self, statement: ast.AST) -> bool:
        """Whether code reads something that the change has reached."""
        return bool(self._used(effects_of(_text(statement))) & self.reached)


def _called(node: ast.AST) -> str:
    if not isinstance(node, ast.Call):
        return ""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _text(node: ast.AST) -> str:
    try:
        return ast.unparse(node)
    except (RecursionError, ValueError):
        return ""


def statements_of(source: str) -> list[ast.stmt]:
    """The statements of a cell or an example, magics masked; none where it cannot be read."""
    tree = parse(source)
    return list(tree.body) if tree else []


def flows(
    before: Notebook, after: Notebook, touched: Iterable[str], wanted: Collection[str] | None = None
) -> Mapping[str, Flow]:
    """For each wanted code cell of `after` (None: all): the names that the change has reached when the cell has run."""
    touched = set(touched)
    lost: dict[str | None, list[ast.stmt]] = {}  # what a deleted cell did counts where the next one begins
    for cell_id, following in _gone(before, after):
        lost.setdefault(following, []).extend(statements_of(executable(before.cell(cell_id).source)))
    flow, found = Flow(), dict[str, Flow]()
    for cell in after.code_cells:
        flow.shown = False
        flow.lose(lost.get(cell.id, ()))
        now = statements_of(executable(cell.source))
        was = now
        if cell.id in touched:
            was = statements_of(executable(before.cell(cell.id).source)) if cell.id in before else []
        matched = SequenceMatcher(None, [*map(_text, was)], [*map(_text, now)], autojunk=False)
        for tag, i, j, k, m in matched.get_opcodes():
            if tag != "equal":
                flow.lose(was[i:j])
            flow.follow(now[k:m], new=tag != "equal")
        if wanted is None or cell.id in wanted:
            found[cell.id] = flow.copy()
    return found


def _gone(before: Notebook, after: Notebook) -> Iterator[tuple[str, str | None]]:
    """Cells that were deleted, each with the next one that is still there."""
    following: str | None = None
    for cell in reversed(before.code_cells):
        if cell.id in after:
            following = cell.id
        else:
            yield cell.id, following


def looks(flow: Flow, example: str) -> bool:
    """Whether an example looks at what was changed, and may fail. Names that examples bind themselves are followed too,
    so `flow` is to be a copy that all examples of a cell share, in order."""
    body = statements_of(example)
    found = any(flow.bears(s) for s in body) and not any(foregone(s) for s in body)
    flow.follow(body)
    return found
