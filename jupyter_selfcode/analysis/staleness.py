"""Which cells of a live session do not hold what a run from the top would give, and why.

A session is replayed: every run of a cell gets a mark made of its source and of the marks of all that it read, and gives
its mark to what it may have changed. The notebook as it is now is replayed in the same way, from the top. A cell whose last
run has the mark that the run from the top gives it is as it should be; for another one the first name whose maker differs
says why. What code reads and changes is told by `effects`, names alone; a cell that they cannot tell of is passed over, and
what an unknown call may change is not followed: this is a notice for people, and a proof of nothing.

marimo and ipyflow find stale cells by what follows from the newest run. That does not find a cell that ran twice on what it
changes in place, nor one that read what a cell below, or one that is gone, had made: here both have another mark.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from ..values.notebook import Notebook
from .bearing import statements_of
from .contract import executable
from .effects import BUILTINS, Effects, effects_of

Kind = Literal["edited", "inputs changed", "out of order", "gone", "again"]


@dataclass(frozen=True, slots=True)
class Ran:
    """One run of a cell: its source then, and whether it went well."""

    cell_id: str
    source: str
    ok: bool = True


@dataclass(frozen=True, slots=True)
class Stale:
    """A cell that is not what a run from the top would make it. `name` is the first input that differs, `maker` the cell
    that made what it read (empty: none that the notebook still has)."""

    cell_id: str
    kind: Kind
    reason: str
    name: str = ""
    maker: str = ""


@dataclass(slots=True)
class _Made:
    """Who made a name, in which state of its source, and with which mark."""

    cell_id: str
    source: str
    mark: str


@dataclass(frozen=True, slots=True)
class _Code:
    """What one source reads, binds and surely changes in place, and what its functions carry."""

    reads: frozenset[str]
    writes: frozenset[str]
    mutates: frozenset[str]
    effects: Effects


@lru_cache(maxsize=2048)
def _code(source: str) -> _Code:
    text = executable(source)
    whole = effects_of(text)
    sure = frozenset[str]()
    for statement in statements_of(text):
        own = effects_of(ast.unparse(statement))
        if not own.calls:  # what an unknown call may change is not held against a cell: most change nothing
            sure |= own.mutates
    return _Code(_names((whole.reads | sure) - BUILTINS), _names(whole.writes), _names(sure), whole)


def _names(found: Iterable[str]) -> frozenset[str]:
    return frozenset(name for name in found if not name.startswith("@"))


class _Replay:
    """The names of a session as cells run, one after the other."""

    def __init__(self, sources: Iterable[str]) -> None:
        self.made: dict[str, _Made] = {}
        self.last: dict[str, tuple[str, dict[str, _Made], str]] = {}
        """By cell, of its last run: its mark, the makers of what it read, its source."""
        self._carries: dict[str, set[str]] = {}
        self._does: dict[str, set[str]] = {}
        self._same: dict[str, set[str]] = {}
        for effects in (_code(s).effects for s in sources):
            for name, found in effects.carries.items():
                self._carries.setdefault(name, set()).update(found)
            for name, found in effects.does.items():
                self._does.setdefault(name, set()).update(found)
            for a, b in effects.aliases:
                self._same.setdefault(a, set()).add(b)
                self._same.setdefault(b, set()).add(a)

    def run(self, cell_id: str, source: str, ok: bool = True) -> None:
        """A cell runs."""
        code = _code(source)
        if code.effects.unknown:
            return
        reads = _names(_closed(code.reads, self._carries))
        read = {name: self.made[name] for name in sorted(reads) if name in self.made}
        mark = _digest(source, str(ok), *(f"{name}={made.mark}" for name, made in read.items()))
        self.last[cell_id] = (mark, read, source)
        called = _closed(code.effects.invokes, self._carries)
        inside = code.mutates.union(*(self._does.get(name, ()) for name in called))
        for name in code.writes | _names(_closed(inside, self._same)):
            if name in code.writes or name in self.made:
                self.made[name] = _Made(cell_id, source, mark)


def _closed(names: Iterable[str], more: Mapping[str, Iterable[str]]) -> set[str]:
    done, left = set[str](), list(names)
    while left:
        name = left.pop()
        if name not in done:
            done.add(name)
            left += more.get(name, ())
    return done


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def stale_cells(notebook: Notebook, runs: Sequence[Ran]) -> tuple[Stale, ...]:
    """The cells of the notebook that ran well, and do not hold what a run from the top would give, in order."""
    cells = [c for c in notebook.cells if c.runs]
    sources = {r.source for r in runs} | {c.source for c in cells}
    live, top = _Replay(sources), _Replay(sources)
    well: dict[str, bool] = {}
    for r in runs:
        live.run(r.cell_id, r.source, r.ok)
        well[r.cell_id] = r.ok
    for c in cells:
        top.run(c.id, c.source)
    places = {c.id: n for n, c in enumerate(notebook.cells, 1)}
    found = (_judged(c.id, places, live, top) for c in cells if well.get(c.id))
    return tuple(s for s in found if s is not None)


def _judged(cell_id: str, places: dict[str, int], live: _Replay, top: _Replay) -> Stale | None:
    if cell_id not in live.last or cell_id not in top.last:
        return None
    (mark, read, source), (wanted, expected, now) = live.last[cell_id], top.last[cell_id]
    if mark == wanted:
        return None
    if source != now:
        return Stale(cell_id, "edited", "its code was changed after it ran")
    for name in [*expected, *(n for n in read if n not in expected)]:
        was, should = read.get(name), expected.get(name)
        if was is None or should is None or was.mark != should.mark:
            return _why(cell_id, name, was, should, places, live)
    return None


def _why(
    cell_id: str, name: str, was: _Made | None, should: _Made | None, places: dict[str, int], live: _Replay
) -> Stale:
    def cell(of: str) -> str:
        return f"cell {places[of]} ({of})" if of in places else "a cell that is gone"

    if was is None:
        maker = should.cell_id if should else ""
        return Stale(cell_id, "inputs changed", f"{name} was not made by {cell(maker)} when it ran", name, maker)
    if should is None and was.cell_id == cell_id:
        return Stale(cell_id, "again", f"it changes {name} in place and ran more than once", name, cell_id)
    if should is None or was.cell_id not in places:
        if was.cell_id in places and places[was.cell_id] > places[cell_id]:
            return Stale(cell_id, "out of order", f"it read {name} as {cell(was.cell_id)}, further down, had made it", name, was.cell_id)
        return Stale(cell_id, "gone", f"no cell above makes {name} any more; {cell(was.cell_id)} had made it", name)
    newest = live.made.get(name)
    if was.cell_id != should.cell_id:
        if places[was.cell_id] > places[cell_id]:
            return Stale(cell_id, "out of order", f"it read {name} as {cell(was.cell_id)}, further down, had made it", name, was.cell_id)
        if was.cell_id == cell_id:
            return Stale(cell_id, "again", f"it changes {name} in place and ran more than once", name, cell_id)
        return Stale(cell_id, "out of order", f"{name} comes from {cell(should.cell_id)}, and was read as {cell(was.cell_id)} had made it", name, should.cell_id)
    if newest is not None and newest.cell_id == was.cell_id and newest.mark != was.mark:
        return Stale(cell_id, "inputs changed", f"{cell(was.cell_id)} has made {name} anew since it ran", name, was.cell_id)
    return Stale(cell_id, "inputs changed", f"{cell(was.cell_id)}, which makes {name}, is itself out of date", name, was.cell_id)


def told(stale: Sequence[Stale], notebook: Notebook, most: int = 6) -> tuple[str, ...]:
    """A line for each, with the place of the cell; the rest in one."""
    lines = [f"Cell {notebook.index(s.cell_id) + 1} ({s.cell_id}) is out of date: {s.reason}." for s in stale[:most]]
    return (*lines, f"{len(stale) - most} more are.") if len(stale) > most else tuple(lines)
