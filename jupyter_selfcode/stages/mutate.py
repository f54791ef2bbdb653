"""mutate: make small mistakes in the new code, and see which of them the notebook's promises tell.

One clean kernel of the same sandbox runs the cells above the change, and every mistake runs in a fork of it
(`analysis.offshoots`): what is above runs once. The code without a mistake runs first and last. Where it does not keep its
promises there nothing is measured, and what differs between the two (times, random numbers, files that stay) is no evidence
of a difference.

Only promises of the notebook as it was count: a candidate does not write its own contract. A mistake that raises needs no
contract to be seen and is not counted, nor is one that changes no value (an equivalent mutant).
"""

from __future__ import annotations

import ast
import inspect
import time
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from doctest import SKIP
from itertools import islice
from pathlib import Path
from typing import Any

from ..analysis import offshoots, probing
from ..analysis.contract import examples_of, executable, in_kernel, is_intent, judge_examples
from ..analysis.effects import effects_of, slice_below
from ..analysis.evidence import asserted
from ..analysis.magics import parse
from ..analysis.mutants import Slip, columns_named, slips
from ..analysis.trees import stored
from ..protocols import ForkingSandbox, Kernel, Limits, Sandbox
from ..values.decision import Decision, Reject
from ..values.errors import SelfcodeError
from ..values.events import Event, StageStarted, Tried
from ..values.notebook import Cell, Notebook
from ..values.patch import apply_ops
from ..values.strength import Mutant, MutantVerdict, Strength
from ..values.trial import CAGES, Trial

MUTANTS = 20
"""Mistakes that are made at most, by turns of every kind and statement."""

PATIENCE = 3.0
"""How many times as long as the code without a mistake one with a mistake may run, and a second more."""


@dataclass(frozen=True, slots=True)
class Course:
    """The cells that run in each fork, in order, and what is promised. `promised`: by cell, sources of examples that count;
    `asserting`: cells whose assertions count. `watched`: names that these cells bind or change."""

    cells: tuple[Cell, ...]
    promised: Mapping[str, frozenset[str]]
    asserting: frozenset[str] = frozenset()
    watched: tuple[str, ...] = ()

    @property
    def reads(self) -> frozenset[str]:
        """Names that the promises look at."""
        texts = [e for found in self.promised.values() for e in found]
        for cell in self.cells:
            if cell.id in self.asserting:
                tree = parse(executable(cell.source))
                texts += [ast.unparse(s.test) for s in (tree.body if tree else ()) if isinstance(s, ast.Assert)]
        return frozenset[str]().union(*(effects_of(t).reads for t in texts))

    @property
    def outward(self) -> bool:
        """Whether a cell uses the network, as far as its text tells."""
        effects = [effects_of(executable(c.source)) for c in self.cells]
        return any("@net" in e.reads | e.changes for e in effects)

    def code(self, slip: Slip | None, seconds: float) -> str:
        """Code for `Kernel.evaluate`: one fork, with one mistake or without."""
        steps = [
            [
                executable(slip.source if slip and slip.cell_id == c.id else c.source),
                [None if e.options.get(SKIP) else e.source for e in examples_of(c.source)],
                "raises-exception" in c.tags,
            ]
            for c in self.cells
        ]
        text = "\n\n".join(inspect.getsource(m) for m in (probing, offshoots))
        call = f"offshoot({steps!r}, {list(self.watched)!r}, namespace, {seconds!r}, run_examples, Capture)"
        return in_kernel(text, call)


def course_of(trial: Trial, before: Notebook, after: Notebook) -> tuple[Course | None, float]:
    """What is to run for a trial that passed, from the first cell that was touched through the last one with a promise that
    the change can affect and that held; None where there is none. And the seconds that the cells above took."""
    ran = {r.cell_id: r for r in (trial.run.results if trial.run else ()) if r.status == "ok"}
    touched = [i for i in trial.candidate.patch.cells if i in after]
    affected = set(touched).union(*(slice_below(after, i) for i in touched)) & ran.keys()
    written = {(c.id, e.source) for c in before.code_cells for e in examples_of(c.source)}
    assertions = {a for c in before.code_cells for a in asserted(c.source)}
    promised: dict[str, set[str]] = {}
    for e in trial.run.examples if trial.run else ():
        if e.passed and e.cell_id in affected and (e.cell_id, e.source) in written:
            promised.setdefault(e.cell_id, set()).add(e.source)
    asserting = {i for i in affected if asserted(after.cell(i).source) & assertions}
    left_out = trial.run.spared if trial.run else ()
    code = [c for c in after.code_cells if c.runs and not is_intent(c.source) and c.id not in left_out]
    places = [i for i, c in enumerate(code) if c.id in touched]
    last = max((i for i, c in enumerate(code) if c.id in promised or c.id in asserting), default=-1)
    if not places or last < places[0] or not all(c.id in ran for c in code[places[0] : last + 1]):
        return None, 0.0
    cells = tuple(code[places[0] : last + 1])
    above = sum(ran[c.id].seconds for c in code[: places[0]] if c.id in ran)
    return Course(cells, {i: frozenset(found) for i, found in promised.items()}, frozenset(asserting), watched(cells)), above


def watched(cells: Sequence[Cell]) -> tuple[str, ...]:
    """Names that cells bind or change."""
    found: dict[str, None] = {}
    for cell in cells:
        effects = effects_of(executable(cell.source))
        tree = parse(executable(cell.source))
        names = [*effects.changes, *(stored(tree.body) if tree and effects.unknown else ())]
        found |= dict.fromkeys(sorted(n for n in names if n != "*" and not n.startswith(("@", "_"))))
    return tuple(found)


@dataclass(slots=True)
class _Measuring:
    """One kernel in which the cells above have run."""

    kernel: Kernel
    course: Course
    deadline: float
    each: float = 0.0
    plain: list[Mapping[str, Any]] = field(default_factory=list)
    replies: list[tuple[Slip, Mapping[str, Any]]] = field(default_factory=list)

    async def all(self, mistakes: Sequence[Slip]) -> str:
        """Run the code as it is, with each mistake while there is time, and as it is again; why that cannot serve, or empty."""
        if said := await self.without():
            return said
        for slip in mistakes[:MUTANTS]:
            if self.left < 2 * self.each:
                break
            self.replies.append((slip, await self.run(slip)))
        self.deadline = max(self.deadline, time.monotonic() + PATIENCE * self.each + 1.0)
        said = await self.without()
        return f"runs leave traces, so they cannot be compared ({said})" if said else ""

    @property
    def left(self) -> float:
        return self.deadline - time.monotonic()

    async def run(self, slip: Slip | None) -> Mapping[str, Any]:
        seconds = max(0.1, min(self.left, PATIENCE * self.each + 1.0) if slip else self.left)
        return await self.kernel.evaluate(self.course.code(slip, seconds), seconds=seconds + 5.0)

    async def without(self) -> str:
        """Run the code as it is; why that cannot serve, or empty."""
        start = time.monotonic()
        reply = await self.run(None)
        self.each = time.monotonic() - start
        self.plain.append(reply)
        state = reply.get("state")
        if state != "done":
            why = {"late": "it did not end in its time", "none": "this system has none"}.get(str(state), "it ended early")
            return f"the code could not run in a copy of the kernel: {why}"
        raised, broken = self.outcome(reply)
        if raised or broken or len(_steps(reply)) != len(self.course.cells):
            return f"in a copy of the kernel the code does not do what it did: {raised or next(iter(broken), 'it ended early')}"
        return ""

    def outcome(self, reply: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
        """The exception that ended it where that is no promise, and the promises that did not hold."""
        for cell, (raised, _, got) in zip(self.course.cells, _steps(reply), strict=False):
            wanted = self.course.promised.get(cell.id, frozenset())
            judged = judge_examples(cell.id, examples_of(cell.source), {"got": got}) if wanted and got else ()
            if broken := tuple(e.source.strip() for e in judged if not e.passed and e.source in wanted):
                return "", broken
            if raised and "raises-exception" not in cell.tags:
                if cell.id in self.course.asserting and str(raised).startswith("AssertionError"):
                    return "", ("assert",)
                return str(raised), ()
        return "", ()

    def mutant(self, slip: Slip, reply: Mapping[str, Any]) -> Mutant:
        """What became of one mistake."""

        def verdict(v: MutantVerdict, by: tuple[str, ...] = (), differs: tuple[str, ...] = ()) -> Mutant:
            return Mutant(slip.cell_id, slip.line, slip.kind, slip.said, v, slip.new, by, differs)

        if reply.get("state") != "done":
            return verdict("untold" if reply.get("state") != "died" else "failed")
        raised, broken = self.outcome(reply)
        if broken:
            return verdict("caught", broken)
        if raised:
            return verdict("failed")
        first, last, now = (_values(r) for r in (self.plain[0], self.plain[-1], reply))
        steady = [n for n in self.course.watched if first.get(n) == last.get(n) and first.get(n) is not None]
        if differs := tuple(n for n in steady if now.get(n) != first[n]):
            return verdict("survived", (), differs)
        a, b, c = ([s[1] for s in _steps(r)] for r in (self.plain[0], self.plain[-1], reply))
        if any(x == y != z for x, y, z in zip(a, b, c, strict=False)):
            return verdict("shown")
        return verdict("same" if len(steady) == len(self.course.watched) else "untold")


def _steps(reply: Mapping[str, Any]) -> list[tuple[Any, Any, Any]]:
    rows = reply.get("steps")
    rows = rows if isinstance(rows, (list, tuple)) else ()
    return [(r[0], r[1], r[2]) for r in rows if isinstance(r, (list, tuple)) and len(r) == 3]


def _values(reply: Mapping[str, Any]) -> Mapping[str, Any]:
    found = reply.get("values")
    return found if isinstance(found, Mapping) else {}


async def measured(
    decision: Decision, before: Notebook, sandbox: Sandbox, folder: Path, limits: Limits, seconds: float
) -> AsyncGenerator[Event, None]:
    """How much the contract of what was chosen says. The last event is `Tried`; none where no time is set aside, there is no
    contract, a library documents the change, or it was tried without a cage."""
    trial = None if isinstance(decision, Reject) else decision.trial
    if not seconds or trial is None or trial.run is None or (trial.level or 0) < 2 or trial.pace:
        return
    patch = trial.candidate.patch
    if not patch or trial.candidate.warrant or trial.run.tier not in CAGES:
        return
    after = apply_ops(patch.ops, before)
    course, above = course_of(trial, before, after)
    if course is None:
        return
    yield StageStarted("validate", "small mistakes in the new code, to see which of them the contract tells")
    mistakes = mistakes_in(before, after, patch.cells)
    strength = await mutate(course, mistakes, after, sandbox, folder, limits, seconds, above, before)
    yield Tried(replace(trial, strength=strength, seconds=trial.seconds + strength.seconds))


async def mutate(
    course: Course, mistakes: Sequence[Slip], notebook: Notebook, sandbox: Sandbox, folder: Path, limits: Limits,
    seconds: float, above: float = 0.0, base: Notebook | None = None,
) -> Strength:
    """How many of the first `MUTANTS` mistakes are caught, in at most about so many seconds. `above`: seconds that the cells
    above the course took when they ran.

    With `base`, the notebook as it is, a sandbox that can goes on from a copy in which the cells above have run; where the
    code does not do there what it did (a copy may write nothing), a clean kernel is asked.
    """
    start = time.monotonic()

    def ended(said: str, mutants: Sequence[Mutant] = (), missing: str = "") -> Strength:
        return Strength(tuple(mutants), time.monotonic() - start, said, missing)

    if not mistakes:
        return ended("no small mistake could be made in the new code")
    if course.outward:
        return ended("not measured: the cells use the network, where a mistake made on purpose may do harm")
    said = ""
    for copied in (True, False) if base is not None and isinstance(sandbox, ForkingSandbox) else (False,):
        if not copied and above > seconds / 2:
            return ended(said or f"not measured: the cells above take {above:.0f} s, and {seconds:g} s are set aside")
        try:
            async with (
                sandbox.open_from(base, notebook, folder, limits)
                if copied and base is not None and isinstance(sandbox, ForkingSandbox)
                else sandbox.open(notebook, folder, limits)
            ) as kernel:
                measuring = _Measuring(kernel, course, start + seconds)
                said = await _above(kernel, notebook, course) or await measuring.all(mistakes)
        except SelfcodeError as e:
            return ended(f"not measured: {e}"[:200])
        if not said:
            break
    if said:
        return ended(f"not measured: {said}")
    mutants = [measuring.mutant(slip, reply) for slip, reply in measuring.replies]
    short = len(mutants) < min(len(mistakes), MUTANTS)
    strength = ended(f"the {seconds:g} s set aside were enough for {len(mutants)}" if short else "", mutants)
    return ended(strength.said, mutants, _missing(strength.survivor, course.reads))


async def _above(kernel: Kernel, notebook: Notebook, course: Course) -> str:
    """Run the cells above the course; why that failed, or empty."""
    for cell in notebook.cells[: notebook.index(course.cells[0].id)]:
        if cell.type == "code" and cell.runs and not is_intent(cell.source):
            result = await kernel.execute(cell)
            if result.status not in ("ok", "skipped") and "raises-exception" not in cell.tags:
                return f"cell {cell.id} did not run again"
    return ""


def _missing(survivor: Mutant | None, reads: Collection[str]) -> str:
    if survivor is None:
        return ""
    unseen = [n for n in survivor.differs if n not in reads]
    if unseen and len(unseen) == len(survivor.differs):
        return f"no promise looks at {', '.join(unseen[:3])}"
    return f"no promise that looks at {next(n for n in survivor.differs if n in reads)} tells"


def mistakes_in(before: Notebook, after: Notebook, touched: Sequence[str]) -> tuple[Slip, ...]:
    """Mistakes in the touched cells, those in what the change brought first, by turns from every cell."""
    columns = columns_named(c.source for c in after.code_cells)
    found = [
        list(islice(slips(i, after.cell(i).source, before.cell(i).source if i in before else "", columns), 4 * MUTANTS))
        for i in touched
        if i in after and after.cell(i).type == "code"
    ]
    longest = max(map(len, found), default=0)
    turns = [rows[k] for k in range(longest) for rows in found if k < len(rows)]
    return tuple(sorted(turns, key=lambda s: not s.new))
