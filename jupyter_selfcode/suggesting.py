"""Checks that an observed run of a cell suggests, for a person to take or leave.

The notebook runs in a trial kernel through the cell; what is then true of its results becomes expressions
(`analysis.promising`), each is asked again, and of those that hold few are chosen: by the small mistakes in the cell that
they catch and nothing caught before (`stages.mutate`). They gate nothing until they are taken.
"""

from __future__ import annotations

import doctest
import json
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .analysis import contract, promising
from .analysis.censoring import censored
from .analysis.effects import effects_of
from .analysis.mutants import columns_named, slips
from .analysis.secrets import Redactor
from .selfcode import Workspace
from .stages.mutate import Course, mutate, watched
from .stages.validate import execute
from .values.canonical import digest, plain
from .values.errors import BadInput
from .values.events import CellRan, Event, StageStarted
from .values.notebook import Cell, Notebook
from .values.strength import Strength
from .values.suggestion import Suggestion
from .values.trial import CAGES
from .values.version import Version

SUGGESTED = "suggested"
"""Notes of this kind hold what was suggested last for a cell, by its id."""


@dataclass(slots=True)
class Suggested:
    """What was found for one cell: the few that are shown, and what the contract is worth without and with them."""

    cell: Cell
    few: tuple[Suggestion, ...] = ()
    considered: int = 0
    strength: Strength | None = None
    already: frozenset[str] = frozenset()
    failed: str = ""

    def caught(self, promises: Collection[str]) -> int:
        """How many of the small mistakes these promises catch."""
        mutants = self.strength.mutants if self.strength else ()
        return sum(m.verdict == "caught" and not set(promises).isdisjoint(m.by) for m in mutants)


def suggest(workspace: Workspace, cell: Cell, tell: Callable[[Event], None]) -> Suggested:
    """Observe a cell and keep what is suggested, so that `take` finds it by its number. Raises `BadInput` where the cell,
    or one above it, does not run."""
    found = Suggested(cell)
    notebook, redactor = workspace.notebook(), Redactor.for_folder(workspace.folder)
    for event in workspace.bridge.iterate(
        lambda: _observed(workspace, notebook, found, redactor), tick=getattr(tell, "tick", None)
    ):
        tell(censored(event, redactor))
    if found.failed:
        raise BadInput(redactor.text(found.failed))
    body = {"source": digest(cell.source), "expressions": [s.expression for s in found.few]}
    workspace.store.put_note(workspace.path, SUGGESTED, cell.id, json.dumps(body))
    return found


def take(workspace: Workspace, cell: Cell, numbers: str) -> tuple[Version, Notebook]:
    """Add suggestions to the cell's contract by their numbers (`1,3`); the version, and the notebook before. Raises
    `BadInput` where nothing was suggested for the cell as it is."""
    kept = json.loads(workspace.store.notes(workspace.path, SUGGESTED).get(cell.id, "{}"))
    expressions: list[str] = kept.get("expressions", [])
    if not expressions:
        raise BadInput(f"Nothing was suggested for cell {cell.id} yet: check --suggest shows what can be taken.")
    if kept.get("source") != digest(cell.source):
        raise BadInput(f"Cell {cell.id} has changed since the suggestions were made: check --suggest makes new ones.")
    wanted = [part.strip() for part in numbers.split(",") if part.strip()]
    if not wanted or not all(w.isdigit() and 0 < int(w) <= len(expressions) for w in wanted):
        raise BadInput(f"Take suggestions by their numbers, 1 to {len(expressions)}: check --take 1,2")
    taken = [expressions[int(w) - 1] for w in dict.fromkeys(wanted)]
    before = workspace.notebook()
    source = with_all(cell.source, taken)
    cells = tuple(replace(c, source=source) if c.id == cell.id else c for c in before.cells)
    version = workspace.amend(Notebook(cells, before.metadata), "check " + "; ".join(taken))
    workspace.store.drop_note(workspace.path, SUGGESTED, cell.id)
    return version, before


def with_all(source: str, expressions: Sequence[str]) -> str:
    """The cell with these expressions at the end of its contract, in order."""
    for expression in expressions:
        source = contract.with_example(source, expression)
    return source


def told(found: Suggested) -> dict[str, Any]:
    """What was found, for people and for `--json`."""
    new = {s.expression for s in found.few}
    strength = found.strength
    return {
        "status": "suggested", "cell": found.cell.id, "considered": found.considered,
        "suggestions": [{"number": i, **plain(s)} for i, s in enumerate(found.few, 1)],
        "mistakes": strength.counted if strength else None,
        "caught_now": found.caught(found.already) if strength else None,
        "caught_with": found.caught(found.already | new) if strength else None,
        "said": strength.said if strength else "",
    }  # fmt: skip


async def _observed(
    workspace: Workspace, notebook: Notebook, found: Suggested, redactor: Redactor
) -> AsyncIterator[Event]:
    engine, cell = workspace.engine, found.cell
    place = notebook.index(cell.id)
    made = watched((cell,))
    given = {n for n in effects_of(contract.executable(cell.source)).reads if not n.startswith(("@", "_"))}
    above = 0.0
    yield StageStarted("validate", f"the notebook through cell {place + 1}, to see what is true of it")
    async with engine.sandbox.open(notebook, workspace.folder, engine.limits) as kernel:
        cells = notebook.cells[: place + 1]
        total = sum(c.runs for c in cells)
        count = 0
        async for result, _ in execute(kernel, cells):
            if result.status == "skipped":
                continue
            count += 1
            yield CellRan(result, count, total)
            above += result.seconds if result.cell_id != cell.id else 0.0
            if result.status != "ok":
                said = f"{result.failure.ename}: {result.failure.evalue}" if result.failure else kernel.detail
                found.failed = f"Cell {result.cell_id} does not run ({' '.join(said.split())[:200]}), so nothing can be observed: fix it first."
                return
        facts = promising.facts_of(await kernel.evaluate(promising.noticing_code({*made, *given})))
        own = {n: f for n, f in facts.items() if n in made}
        considered = promising.suggestions(
            own, {n: f for n, f in facts.items() if n in given}, contract.intent_of(cell.source), engine.masked
        )
        asked = [doctest.Example(s.expression + "\n", "True\n") for s in considered]
        held = contract.judge_examples(cell.id, asked, await kernel.evaluate(contract.probe(asked)))
    examples = contract.examples_of(cell.source)
    found.already = frozenset(e.source.strip() for e in examples)
    true = {e.source.strip() for e in held if e.passed} - found.already
    considered = tuple(s for s in considered if s.expression in true and redactor.text(s.expression) == s.expression)
    found.considered = len(considered)
    caught = None
    if considered and engine.mutant_seconds and engine.sandbox.tier in CAGES:  # mistakes are made in a cage only
        yield StageStarted("validate", "small mistakes in the cell, to see which suggestion tells them")
        found.strength = await _measured(workspace, notebook, cell, [s.expression for s in considered], above)
        if found.strength.mutants:
            caught = [m.by for m in found.strength.mutants if m.verdict == "caught"]
    found.few = promising.chosen(considered, caught, found.already)


async def _measured(
    workspace: Workspace, notebook: Notebook, cell: Cell, expressions: Sequence[str], above: float
) -> Strength:
    engine = workspace.engine
    full = replace(cell, source=with_all(cell.source, expressions))
    changed = Notebook(tuple(full if c.id == cell.id else c for c in notebook.cells), notebook.metadata)
    promised = frozenset(e.source for e in contract.examples_of(full.source))
    course = Course((full,), {cell.id: promised}, frozenset(), watched((cell,)))
    return await mutate(
        course, tuple(slips(cell.id, full.source, "", columns_named(c.source for c in notebook.code_cells))), changed, engine.sandbox, workspace.folder, engine.limits,
        engine.mutant_seconds, above,
    )  # fmt: skip
