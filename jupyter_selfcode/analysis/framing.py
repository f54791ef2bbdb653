"""Framing: which other cells a change cannot affect. Level 1, in the words `proved` and `unknown`.

`proved` says: when the notebook runs from the top, this cell computes and shows the same with the change and without it.
It is told from the code alone (`strict`), by going down the notebook with the names, objects and resources that may differ.
A cell that can read one of these may differ itself, and so may all that it changes. Whatever leaves a doubt ends the
proof there: below a cell that may do anything, nothing is proved.

It is assumed, and printed, that libraries do what they document (`trusted`), that two files whose names end differently
are two files, and that a figure is closed with its cell. Text on standard error, and what code reads of time, addresses or
its own memory, is not spoken of.

marimo follows names alone and leaves mutation to the author; ipyflow follows objects while they run, down to single
elements, and so knows only what has run. A proof about code that has not run can do neither.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ..values.notebook import Notebook
from .contract import examples_of, executable
from .magics import mask, parse_masked
from .standing import Body, names_of
from .strict import StrictReader
from .strict_values import BUILTINS, CONSTANT, GIVEN, LOCAL, OTHER

Frame = Literal["proved", "observed", "unknown"]
"""`observed` is what a trial adds: the cell ran again, and showed the same (`stages.decide`)."""
ASSUMED = "libraries do what they document, and a file is known by the end of its name"
_ALWAYS = ("@display", "@warnings")
"""Resources that whatever a cell shows may depend on."""


@dataclass(frozen=True, slots=True)
class _Cell:
    body: Body
    bound: frozenset[str]


class Framing:
    """The code of a notebook, all of its versions that are spoken of, as one: what its names and functions stand for."""

    def __init__(self, sources: Iterable[str]) -> None:
        unique = dict.fromkeys(sources)
        masked = {s: mask(s) for s in unique}
        trees = {s: None if m.opaque else parse_masked(m) for s, m in masked.items()}
        self.names = names_of([t for t in trees.values() if t])
        self._functions = dict[str, Body]()
        self._kinds = dict[str, set[str]]()
        self._above = dict[str, str]()
        self._cells = dict[str, _Cell]()
        self._whole = dict[str, Body]()
        self._steady = dict[str, bool]()
        aliases = set[tuple[str, str]]()
        for source, tree in trees.items():
            cell, more = self._read(tree, {m.placeholder: m.text for m in masked[source].magics})
            self._cells[source] = cell
            aliases |= more
        self._settle_kinds()
        self._join(aliases)

    def _read(self, tree: ast.Module | None, magics: Mapping[str, str]) -> tuple[_Cell, set[tuple[str, str]]]:
        if tree is None:
            return _Cell(Body(doubts=["no Python that can be read"]), frozenset()), set()
        reader = StrictReader(magics, self.names)
        try:
            reader.read(list(tree.body))
        except RecursionError:
            reader.body.doubts.append("it is nested too deeply")
        for name, body in reader.functions.items():
            self._functions.setdefault(name, Body()).take(body)
        for name, kinds in reader.kinds.items():
            self._kinds.setdefault(name, set()).update(kinds)
        return _Cell(reader.body, reader.bound), reader.aliases

    # ---- kinds -----------------------------------------------------------------------------------------------------

    def _settle_kinds(self) -> None:
        """What names hold: kinds flow along names until nothing changes."""
        changed = True
        while changed:
            changed = False
            for kinds in self._kinds.values():
                more = set[str]()
                for kind in kinds:
                    more |= self._known(kind)
                if not more <= kinds:
                    kinds |= more
                    changed = True

    def _known(self, kind: str) -> set[str]:
        if kind.startswith("="):
            return {kind}
        if kind.endswith(GIVEN):
            body = self._function(kind.removesuffix(GIVEN))
            if body.pours or body.doubts:
                return {OTHER}
            return set[str]().union(
                *(self._known(n) for n in body.reads if not n.startswith("@") and n not in BUILTINS)
            )
        if kind in self.names.functions:
            return set()
        return {k for k in self._kinds.get(kind, {OTHER}) if k.startswith("=")}

    def _holds(self, name: str) -> set[str]:
        return {k for k in self._kinds.get(name, {OTHER}) if k.startswith("=")}

    def _constant(self, name: str) -> bool:
        return self._holds(name) == {CONSTANT}

    def _plain(self, name: str) -> bool:
        return OTHER not in self._holds(name)

    # ---- functions ---------------------------------------------------------------------------------------------------

    def _function(self, name: str) -> Body:
        """All that calling a function does, with what it calls in turn."""
        if name not in self._whole:
            whole, left, done = Body(), [name], set[str]()
            while left:
                called = left.pop()
                if called in done:
                    continue
                done.add(called)
                if called not in self._functions:
                    whole.doubts.append(f"it calls {called}")
                    continue
                whole.take(self._functions[called])
                left += self._functions[called].invokes
            self._whole[name] = whole
        return self._whole[name]

    def _data(self, body: Body) -> set[str]:
        """Names of the notebook's own objects that a function uses."""
        return {
            n for n in body.reads | body.mutates | body.rebinds
            if not n.startswith("@") and n not in self.names.functions and not n.endswith(GIVEN) and not self._constant(n)
        }  # fmt: skip

    # ---- objects -----------------------------------------------------------------------------------------------------

    def _first(self, name: str) -> str:
        while (above := self._above.get(name, name)) != name:
            self._above[name] = self._above.get(above, above)
            name = above
        return name

    def _union(self, names: Sequence[str]) -> None:
        for other in names[1:]:
            self._above[self._first(names[0])] = self._first(other)

    def _join(self, aliases: Iterable[tuple[str, str]]) -> None:
        """Names that may lead to one object stand for each other. What cannot be changed joins nothing."""
        for a, b in aliases:
            found = [n for name in (a, b) for n in self._expand(name)]
            self._union([n for n in found if not self._constant(n)])
        bodies = [c.body for c in self._cells.values()] + list(self._functions.values())
        for body in bodies:
            for function, argument in body.handed:
                called = self._function(function)
                if called.mutates or called.rebinds:
                    found = [n for n in self._expand(argument) if not self._constant(n)]
                    self._union([*found, *self._data(called)])

    def _expand(self, name: str) -> set[str]:
        """What a name stands for: itself; for what a function gives, all that the function may give."""
        if not name.endswith(GIVEN):
            return {name}
        function = name.removesuffix(GIVEN)
        body = self._function(function)
        return self._data(body) | ({function} if function in body.mutates or body.pours else set())

    def objects(self, names: Iterable[str]) -> set[str]:
        """The groups of names that may lead to the same objects, by one name each; resources stand for themselves."""
        found = set[str]()
        for name in names:
            if name.startswith("@"):
                found.add(name)
            elif name != LOCAL:
                found |= {self._first(n) for n in self._expand(name)}
        return found

    # ---- cells -------------------------------------------------------------------------------------------------------

    def whole(self, source: str) -> tuple[Body, frozenset[str]]:
        """All that running this code may do, calls included, with the names that it binds whatever happens."""
        cell, total = self._cells[source], Body()
        total.take(cell.body)
        for name in cell.body.invokes:
            total.take(self._function(name))
        if total.own:
            total.mutates |= self._data(total)
        consumed = set(total.consumes)
        if LOCAL in consumed:
            consumed |= {n for n in total.reads if not n.startswith("@") and n not in self.names.functions}
        for name in consumed - {LOCAL}:
            total.mutates |= {n for n in self._expand(name) if not self._plain(n) and n not in self.names.functions}
        for name in total.shaped - {LOCAL}:
            if any(not self._plain(n) for n in self._expand(name)) or name in self.names.functions:
                total.doubts.append(f"it sets an attribute of {name}")
        total.doubts += [f"it hands on {name}, which may be a function" for name in total.held if not self._plain(name)]
        foreign = {self._first(n) for n in self.names.imports}
        if self.objects(total.mutates) & foreign:
            total.doubts.append("it changes what was imported")
        return total, cell.bound


def _overlap(used: set[str], changed: set[str]) -> bool:
    """Whether resources or names meet; `@fs` is every file."""
    if used & changed:
        return True
    files = {r for r in used if r.startswith("@fs")}, {r for r in changed if r.startswith("@fs")}
    return bool(files[0] and files[1] and ("@fs" in files[0] or "@fs" in files[1]))


def source_of(source: str) -> str:
    """The code that a cell runs: its own, and the examples of its contract after it."""
    return "\n".join([executable(source), *(e.source.rstrip("\n") for e in examples_of(source))])


def framed(before: Notebook, after: Notebook, touched: Iterable[str]) -> dict[str, Frame]:
    """For every code cell of `after` that the change does not touch: whether it is proved that it cannot be affected."""
    touched = set(touched)
    old = {c.id: source_of(c.source) for c in before.code_cells if c.runs}
    new = {c.id: source_of(c.source) for c in after.code_cells if c.runs}
    steps = _steps(before, after, touched)
    if steps is None:
        return {i: "unknown" for i in new if i not in touched}
    framing = Framing([*old.values(), *new.values()])
    bound, objects = set[str](), set[str]()
    doubtful, found = False, dict[str, Frame]()
    for cell_id in steps:
        versions = [framing.whole(m[cell_id]) for m in (old, new) if cell_id in m]
        doubtful = doubtful or any(body.doubts for body, _ in versions)
        changed = cell_id in touched
        if not changed:
            (body, certain) = versions[-1]
            # a doubt above the change matters too: it may have tied names together in ways that are not seen
            reads = body.reads | body.mutates
            reached = doubtful and bool(bound or objects)
            reached = reached or _overlap(set(reads), bound) or _overlap(framing.objects(reads) | set(_ALWAYS), objects)
            found[cell_id] = "unknown" if reached else "proved"
            changed = reached
            if not reached:
                bound -= certain
        if changed:
            for body, _ in versions:
                bound |= body.rebinds
                objects |= framing.objects(body.mutates)
            objects.add("@changed")
    return found


def _steps(before: Notebook, after: Notebook, touched: set[str]) -> list[str] | None:
    """The cells of both notebooks in the order in which they run; None where cells that stay have changed places."""
    stay = [c.id for c in after.code_cells if c.runs and c.id in before]
    if [c.id for c in before.code_cells if c.id in stay] != stay:
        return None
    steps = [c.id for c in after.code_cells if c.runs]
    order = [c.id for c in before.code_cells if c.runs]
    for i, cell_id in enumerate(order):
        if cell_id not in steps:
            following = next((n for n in order[i + 1 :] if n in steps), None)
            steps.insert(steps.index(following) if following else len(steps), cell_id)
            touched.add(cell_id)
    return steps
