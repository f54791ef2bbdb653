"""Promises that are to be judged where the candidate never ran: what they read, and how that gets there.

Names that imports bind are imported anew, from what the notebook's source says; functions of cells that the change did not
touch are defined anew; everything else is carried as data (`carrying`). A promise that reads files, the network, random
numbers or the like would not find there what it found here, and stays where it was judged.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..values.notebook import Notebook
from . import carrying, probing
from .contract import examples_of, executable, in_kernel
from .effects import effects_of
from .magics import mask, parse_masked
from .trees import imported, stored

PLAIN = frozenset((
    "math", "cmath", "statistics", "decimal", "fractions", "datetime", "collections", "itertools", "functools", "operator",
    "re", "string", "json", "textwrap", "numpy", "pandas", "scipy",
))  # fmt: skip
"""Modules that answer alike in every process."""


DEPENDS = "it depends on one that has to stay"


@dataclass(frozen=True, slots=True)
class Claim:
    """One example, or one assertion (`want` None). `inside`: why it cannot be judged elsewhere; empty where it can.
    `needs`: names of values that are carried for it."""

    source: str
    want: str | None
    inside: str = ""
    needs: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Claims:
    """The promises of one cell, in order, and what they need: names to carry, imports, definitions.

    `assigned`: names that are there when the cell has run to its end. `plain`: only modules that answer alike are used.
    """

    cell_id: str
    claims: tuple[Claim, ...] = ()
    names: frozenset[str] = frozenset()
    imports: Mapping[str, str] = field(default_factory=dict)
    defines: tuple[str, ...] = ()
    assigned: tuple[str, ...] = ()

    @property
    def plain(self) -> bool:
        """Whether another answer elsewhere can only come of other values."""
        return not self.defines and all(what.partition(".")[0] in PLAIN for what in self.imports.values())

    @property
    def probe(self) -> str:
        """Code for `Kernel.evaluate` in the candidate's kernel: what is to be carried."""
        return in_kernel(inspect.getsource(carrying), f"export({sorted(self.names)!r}, {list(self.assigned)!r}, namespace)")

    def open(self, carried: Mapping[str, Any]) -> tuple[Claim, ...]:
        """The claims, those that need what could not be carried among those that stay inside."""
        values, refused = carried.get("values"), carried.get("refused")
        have = set(values) if isinstance(values, Mapping) else set()
        why = refused if isinstance(refused, Mapping) else {}
        found, lost = [], set[str]()
        for claim in self.claims:
            needed = sorted(claim.needs - have)
            if not claim.inside and needed:
                said = " ".join(str(why.get(needed[0], "the kernel did not say")).split())[:80]
                claim = replace(claim, inside=f"{needed[0]} could not be carried: {said}")
            elif not claim.inside and effects_of(claim.source).reads & lost:
                claim = replace(claim, inside=DEPENDS)
            if claim.inside:
                lost |= effects_of(claim.source).changes
            found.append(claim)
        return tuple(found)

    def trial(self, carried: Mapping[str, Any], sources: Iterable[str]) -> str:
        """Code for `Kernel.evaluate` in a clean kernel: what the sources give on what was carried."""
        payload = {
            "imports": dict(self.imports), "defines": list(self.defines), "sources": list(sources),
            "values": _mapping(carried, "values"), "options": _mapping(carried, "options"),
        }  # fmt: skip
        text = inspect.getsource(probing) + "\n\n" + inspect.getsource(carrying)
        return in_kernel(text, f"hold({_literal(payload)}, run_examples)")


def _mapping(carried: Mapping[str, Any], key: str) -> dict[str, Any]:
    found = carried.get(key)
    return dict(found) if isinstance(found, Mapping) else {}


def _literal(payload: Mapping[str, Any]) -> str:
    import json

    return f"__import__('json').loads({json.dumps(payload)!r})"


def _reads(source: str) -> frozenset[str]:
    return effects_of(source).reads


@dataclass(slots=True)
class _Binders:
    """Who binds a name: imports, functions of untouched cells, or anything else (a value)."""

    imports: dict[str, str] = field(default_factory=dict)
    functions: dict[str, str] = field(default_factory=dict)

    def take(self, source: str, touched: bool) -> None:
        masked = mask(executable(source))
        tree = None if masked.opaque else parse_masked(masked)
        if tree is None:
            return
        brought = imported(ast.walk(tree))
        functions = {s.name: ast.unparse(s) for s in tree.body if isinstance(s, ast.FunctionDef)}
        plain = [s for s in tree.body if not isinstance(s, (ast.Import, ast.ImportFrom, ast.FunctionDef))]
        self.imports |= brought
        self.functions |= functions
        rebound = {n.id for s in plain for n in ast.walk(s) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        for name in set(stored(plain)) - (brought.keys() - rebound):
            self.imports.pop(name, None)
            self.functions.pop(name, None)
        for name in functions:
            self.imports.pop(name, None)
            if touched:
                self.functions.pop(name, None)


def _judgeable(source: str, lost: Collection[str]) -> str:
    """Why an example has to stay where it was judged; empty where it does not."""
    effects = effects_of(source)
    if effects.unknown:
        return "what it reads cannot be told from its text"
    found = sorted(n for n in effects.reads | effects.mutates if n.startswith("@"))
    if found:
        what = {"@fs": "files", "@net": "the network", "@rng": "random numbers", "@env": "the environment", "@plt": "a figure"}
        return f"it depends on {what.get(found[0], 'its process')}"
    if effects.reads & set(lost):
        return DEPENDS
    return ""


def _unconditional(source: str) -> tuple[str, ...]:
    """Names that a cell binds at its top level, whatever its values are, and does not take away."""
    masked = mask(executable(source))
    tree = None if masked.opaque else parse_masked(masked)
    if tree is None or any(m.text.strip().startswith(("%reset", "%xdel")) for m in masked.magics):
        return ()
    found: list[str] = []
    for s in tree.body:
        if isinstance(s, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.append(s.name)
        elif isinstance(s, (ast.Assign, ast.AugAssign)) or (isinstance(s, ast.AnnAssign) and s.value):
            found += stored([s])
        elif isinstance(s, (ast.Import, ast.ImportFrom)):
            found += [name for name in stored([s]) if name != "*"]
    gone = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Del)}
    gone |= {n.name for n in ast.walk(tree) if isinstance(n, ast.ExceptHandler) and n.name}
    return tuple(dict.fromkeys(n for n in found if n not in gone))


def _asserts(source: str, promised: Collection[str]) -> list[Claim]:
    """The assertions of a cell that were promised; one whose names the cell changes further down stays inside."""
    masked = mask(executable(source))
    tree = None if masked.opaque else parse_masked(masked)
    body = tree.body if tree else []
    found = []
    for i, s in enumerate(body):
        if not isinstance(s, ast.Assert) or ast.unparse(s.test) not in promised:
            continue
        test = ast.unparse(s.test)
        later = effects_of("\n".join(map(ast.unparse, body[i + 1 :])))
        moved = later.unknown or bool(later.changes & _reads(test))
        why = "what it looks at is changed further down" if moved else _judgeable(test, ())
        found.append(Claim(f"assert {test}\n", None, why))
    return found


def claims_of(
    before: Notebook, after: Notebook, touched: Collection[str], affected: Collection[str], promised: Collection[str]
) -> Mapping[str, Claims]:
    """By cell: what is to be judged elsewhere, and which names must be there. `promised`: assertions of the notebook as it
    was; examples that the change brought itself are judged with the others, since later ones may need what they bind."""
    binders, found = _Binders(), dict[str, Claims]()
    for cell in after.code_cells:
        binders.take(cell.source, cell.id in touched)
        if cell.id not in affected or not cell.runs or "raises-exception" in cell.tags:
            continue
        claims, lost = _asserts(cell.source, promised), set[str]()
        for example in examples_of(cell.source):
            why = "it is skipped" if any(example.options.values()) and example.options.get(16) else _judgeable(example.source, lost)
            if why:
                lost |= effects_of(example.source).changes
            claims.append(Claim(example.source, example.want, why))
        assigned = _unconditional(cell.source) if cell.id in touched else ()
        needs = _Needs(binders)
        claims = [claim if claim.inside else replace(claim, needs=needs.of(claim.source)) for claim in claims]
        if claims or assigned:
            found[cell.id] = Claims(
                cell.id, tuple(claims), frozenset(needs.names), needs.imports, tuple(needs.defines.values()), assigned
            )
    return found


class _Needs:
    """What sources read, followed through functions that are defined anew."""

    def __init__(self, binders: _Binders) -> None:
        self._binders = binders
        self._bound = set[str]()
        self.names = set[str]()
        self.imports: dict[str, str] = {}
        self.defines: dict[str, str] = {}

    def of(self, source: str) -> frozenset[str]:
        """Values that one more source needs; what sources before it have bound need not be carried."""
        effects = effects_of(source)
        values = self._followed(effects.reads - self._bound)
        self._bound |= effects.writes
        self.names |= values
        return frozenset(values)

    def _followed(self, names: Iterable[str]) -> set[str]:
        values, left, done = set[str](), list(names), set[str]()
        while left:
            name = left.pop()
            if name in done or name.startswith("@"):
                continue
            done.add(name)
            if name in self._binders.functions:
                text = self.defines[name] = self._binders.functions[name]
                effects = effects_of(text)
                left += effects.reads.union(*effects.carries.values())
            elif name in self._binders.imports:
                self.imports[name] = self._binders.imports[name]
            else:
                values.add(name)
        return values
