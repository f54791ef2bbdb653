"""What a cell reads, binds and may change, over names and a few resources, and what follows for other cells.

Conservative: what is not known to be harmless may change everything that it can reach, and a cell with dynamic code is
`unknown`, never unaffected. Resources: `@fs` files, `@net` network, `@rng` random numbers, `@env` environment, `@plt`
plot settings, `@cwd` working directory.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from ..values.notebook import Notebook
from .magics import mask, parse, parse_masked
from .reach import Reader
from .trees import imported

BUILTINS = frozenset(dir(builtins)) | {"display", "get_ipython", "In", "Out", "_", "__", "___", "__name__", "__file__"}


@dataclass(frozen=True, slots=True)
class Effects:
    """`reads`: names that must exist before. `writes`: names that it binds. `mutates`: names whose object may change.

    `aliases`: pairs of names that may be one object. `carries`: by function, the names that calling it reads or changes;
    `does`: those that it changes. `invokes`: names that it calls, or hands on to be called.
    `calls`: it calls what is in no table. `unknown`: dynamic code, an opaque magic, or no Python at all.
    """

    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    mutates: frozenset[str] = frozenset()
    aliases: frozenset[tuple[str, str]] = frozenset()
    carries: Mapping[str, frozenset[str]] = field(default_factory=dict)
    does: Mapping[str, frozenset[str]] = field(default_factory=dict)
    invokes: frozenset[str] = frozenset()
    calls: bool = False
    unknown: bool = False

    @property
    def changes(self) -> frozenset[str]:
        """All that may be different after it."""
        return self.writes | self.mutates


UNKNOWN = Effects(unknown=True)


@lru_cache(maxsize=4096)
def effects_of(source: str) -> Effects:
    """The effects of one cell."""
    masked = mask(source)
    if masked.opaque:
        return UNKNOWN
    tree = parse_masked(masked)
    if tree is None:
        return UNKNOWN
    return _read(tree.body, {m.placeholder: m.text for m in masked.magics})


def _read(body: Iterable[ast.stmt], magics: Mapping[str, str]) -> Effects:
    reader = Reader(magics)
    try:
        reader.read(list(body))
    except RecursionError:
        return UNKNOWN
    return Effects(
        frozenset(reader.reads) - BUILTINS,
        frozenset(reader.writes),
        frozenset(reader.mutates),
        frozenset(reader.aliases),
        {name: frozenset(found) for name, found in reader.carries.items()},
        {name: frozenset(found) for name, found in reader.does.items()},
        frozenset(reader.invokes),
        reader.calls,
        reader.unknown,
    )


def names_undefined(source: str) -> frozenset[str]:
    """Names that a cell needs from elsewhere (resources and builtins left out). Empty where it cannot be read.

    A name that the cell binds only in some branch, and then reads, is among them.
    """
    return frozenset(name for name in effects_of(source).reads if not name.startswith("@"))


# ---- slices --------------------------------------------------------------------------------------------------------


def _effects(notebook: Notebook) -> dict[str, Effects]:
    return {c.id: effects_of(c.source) for c in notebook.cells if c.runs}


class Whole:
    """Aliases and carried names of a whole notebook. Names that may be one object stand for each other, so a set of names
    is closed to a set of representatives, which are compared."""

    def __init__(self, effects: Iterable[Effects]) -> None:
        self._above: dict[str, str] = {}
        self._carries: dict[str, set[str]] = {}
        self._does: dict[str, set[str]] = {}
        effects = list(effects)
        for e in effects:
            for a, b in e.aliases:
                self._above[self.first(a)] = self.first(b)
        for e in effects:
            for name, found in e.carries.items():
                self._carries.setdefault(self.first(name), set()).update(found)
            for name, found in e.does.items():
                self._does.setdefault(self.first(name), set()).update(found)

    def first(self, name: str) -> str:
        """The representative of a name; paths are shortened on the way (union-find)."""
        while (above := self._above.get(name, name)) != name:
            self._above[name] = self._above.get(above, above)
            name = above
        return name

    def reached(self, names: Iterable[str]) -> set[str]:
        """Representatives of the names, and of what calling them reaches."""
        done, left = set[str](), [self.first(name) for name in names]
        while left:
            name = left.pop()
            if name not in done:
                done.add(name)
                left += [self.first(found) for found in self._carries.get(name, ())]
        return done

    def changed(self, effects: Effects) -> set[str]:
        """Representatives of what a cell may change, itself or through the functions that it calls."""
        return self.reached(self._done(effects))

    def touched(self, effects: Effects) -> set[str]:
        """Representatives of the names whose value a cell may change: as `changed`, without what the functions that it defines
        go on to reach when they are called."""
        return {self.first(name) for name in self._done(effects)}

    def _done(self, effects: Effects) -> set[str]:
        found = set(effects.changes)
        for name in self.reached(effects.invokes):
            found |= self._does.get(name, set())
        return found


def slice_above(notebook: Notebook, cell_id: str) -> tuple[str, ...]:
    """The code cells above that this cell may depend on, in order. All of them where its code is unknown."""
    effects = _effects(notebook.up_to(cell_id))
    own = effects.pop(cell_id, Effects())
    if own.unknown:
        return tuple(effects)
    whole = Whole([*effects.values(), own])
    needed, taken = whole.reached(own.reads | own.mutates), set[str]()
    left = [(i, e, whole.changed(e)) for i, e in reversed(effects.items())]  # nearest first: few rounds
    while True:
        before = len(taken)
        for i, e, changed in left:
            if i not in taken and (e.unknown or not changed.isdisjoint(needed)):
                taken.add(i)
                needed |= whole.reached(e.reads | e.mutates)
        if len(taken) == before:
            return tuple(i for i in effects if i in taken)


def slice_below(notebook: Notebook, cell_id: str) -> tuple[str, ...]:
    """The code cells below that a change of this cell may affect, in order; unknown ones among them, always."""
    place = notebook.index(cell_id)
    effects = _effects(notebook)
    whole = Whole(effects.values())
    below = [c.id for c in notebook.cells[place + 1 :] if c.id in effects]
    own = effects.get(cell_id, Effects())
    if own.unknown:
        return tuple(below)
    changed, taken = whole.changed(own), set[str]()
    left = [(i, effects[i], whole.reached(effects[i].reads | effects[i].mutates)) for i in below]
    while True:
        before = len(taken)
        for i, e, used in left:
            if i not in taken and (e.unknown or not used.isdisjoint(changed)):
                taken.add(i)
                changed |= whole.changed(e)
        if len(taken) == before:
            return tuple(i for i in below if i in taken)


# ---- resuming ------------------------------------------------------------------------------------------------------


def resumable(source: str, line: int | None, unsteady: Collection[str] = ()) -> bool:
    """Whether a cell that failed at this line can run again in the same kernel as if it had not run.

    True only where nothing through the failing statement can have changed what existed before: names may be bound that
    the cell does not read first, and objects may be changed that it has just made. Unknown calls, magics, files and
    random numbers say no, and so does reading what is `unsteady`: iterators and the like, which the source does not show
    (`surveying.unsteady`). The failing statement's own assignment did not happen, so only its value counts.
    """
    found = effects_through(source, line)
    if found is None or found.unknown or found.calls or found.reads & found.writes or not found.reads.isdisjoint(unsteady):
        return False
    old = set(found.reads)
    for a, b in [*found.aliases, *found.aliases, *found.aliases]:  # short chains of aliases
        if a in old or b in old:
            old |= {a, b}
    return not any(name.startswith("@") for name in found.changes) and not found.mutates & old


def effects_through(source: str, line: int | None) -> Effects | None:
    """The effects of a cell that failed at this line; None where they cannot be told. The failing statement's own assignment did
    not happen, so only its value counts."""
    masked = mask(source)
    tree = None if masked.opaque else parse_masked(masked)
    if tree is None or line is None:
        return None
    if any(m.kind != "cell" and m.line <= line for m in masked.magics):
        return None
    if any(m.kind == "cell" and not m.text.startswith("%%selfcode") for m in masked.magics):
        line = source.count("\n") + 1  # below a cell magic lines may be counted from there, so all may have run
    body = [s for s in tree.body if s.lineno <= line and s.lineno > masked.head]
    if not body:
        return Effects()
    failing = body[-1]
    if isinstance(failing, (ast.Assign, ast.AnnAssign)) and failing.value is not None:
        body[-1] = ast.copy_location(ast.Expr(failing.value), failing)
    return _read(body, {})


def bound_names(source: str) -> frozenset[str]:
    """Names that a cell binds, whatever else it does."""
    return effects_of(source).writes


def imported_names(source: str) -> Mapping[str, str]:
    """Names that a cell's imports bind, with what is imported (`pandas`, `math.sqrt`)."""
    return imported(ast.walk(parse(source) or ast.Module([], [])))
