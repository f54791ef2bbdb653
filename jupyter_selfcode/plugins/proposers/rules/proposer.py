"""The free proposer: rules, the same every time, without a network.

Rules mend one thing at a time, and a cell often has several broken things of which the first hides the next. So what a
step leads to is looked at: where the cell now fails in another way, the next step goes on from there, up to `DEPTH`
steps; where it fails as before, the next offer is tried in its place (a search in depth, `ROUNDS` trials at most).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ....analysis import effects
from ....analysis.magics import mask
from ....protocols import Situation
from ....values.events import Event, Proposed
from ....values.notebook import Cell, Notebook
from ....values.patch import Patch, ReplaceSource
from ....values.request import Failure, Request, Variable
from ....values.trial import Candidate, Run, Trial
from .broken import Broken, Rule, Step
from .columns import renamed_column
from .names import missing_import, misspelt_attribute, misspelt_import, misspelt_name
from .python2 import python2
from .readings import renamed_in_the_data
from .removed import library_says, removed_apis
from .slow import steps
from .written import another_encoding, another_separator

RULES: Sequence[Rule] = (
    python2,
    removed_apis,
    library_says,
    another_encoding,
    renamed_column,
    missing_import,
    misspelt_name,
    misspelt_attribute,
    misspelt_import,
)
"""In the order in which they are asked: what is documented before what is guessed."""

DEPTH = 6
ROUNDS = 16
LARGEST = 100_000
"""Characters of a cell that rules still look at; data pasted into a cell is not what they are for."""

_FRAME = re.compile(r"(?:Cell|Input) In ?\[(\d+)\], (?:line |in <cell line: )(\d+)")
_TIMED = re.compile(r"<timed (?:exec|eval)>(?:, line |:)(\d+)")


@dataclass(frozen=True)
class _State:
    """The notebook after some steps, and how it fails then."""

    notebook: Notebook
    failure: Failure
    run: Run | None
    variables: tuple[Variable, ...]
    steps: tuple[tuple[str, Step], ...] = ()

    @property
    def error(self) -> tuple[str, str, str]:
        return self.failure.cell_id, self.failure.ename, self.failure.evalue


class RulesProposer:
    """Proposes what rules offer for a failure, or for a cell that is to be faster. For a wish in words it has nothing."""

    name = "rules"
    price = 0.0

    async def propose(self, situation: Situation) -> AsyncIterator[Event]:
        """Rounds of one candidate each, best first."""
        request, before = situation.request, situation.before
        if request.trigger == "slow":
            for rewritten in await asyncio.to_thread(_faster, situation):
                yield Proposed((rewritten,))
            return
        if request.failure is None:
            return
        if candidate := _again(request, situation.notebook, before):
            yield Proposed((candidate,))
            return
        failure = before.failure or request.failure
        if failure.cell_id not in situation.notebook:
            return
        start = _State(situation.notebook, failure, before, before.variables)
        seen = {_sources(start.notebook)}
        stack: list[tuple[_State, Iterator[tuple[str, Step]]]] = [(start, _offers(start, request, situation.folder))]
        for _ in range(ROUNDS):
            offer = None
            while stack and (offer := await asyncio.to_thread(next, stack[-1][1], None)) is None:
                stack.pop()
            if offer is None:
                return
            state = _after(stack[-1][0], *offer)
            if _sources(state.notebook) in seen:
                continue
            seen.add(_sources(state.notebook))
            candidate = _candidate(situation.notebook, state)
            yield Proposed((candidate,))
            trial = next((t for t in reversed(situation.trials) if t.candidate is candidate), None)
            if trial is None or trial.passed:
                return
            if (onward := _onward(state, trial, {s.error for s, _ in stack})) and len(state.steps) < DEPTH:
                stack.append((onward, _offers(onward, request, situation.folder)))


def _faster(situation: Situation) -> list[Candidate]:
    """The cell that is to be faster, as the rules for that rewrite it."""
    notebook, target = situation.notebook, situation.request.target
    if target is None or target not in notebook:
        return []
    cell = notebook.cell(target)
    if not cell.editable or len(cell.source) > LARGEST:
        return []
    return [
        Candidate(Patch(notebook.digest, (ReplaceSource(target, step.source),)), step.said, RulesProposer.name)
        for step in steps(notebook, cell, situation.before.variables)
    ]


def _again(request: Request, notebook: Notebook, before: Run) -> Candidate | None:
    """Running the cells again that the failing one depends on, where the notebook does not fail from the top."""
    failure = request.failure
    if failure is None or before.failure is not None or before.state != "complete" or failure.cell_id not in notebook:
        return None
    result = before.result(failure.cell_id)
    if result is None or result.status != "ok":
        return None
    cells = (*effects.slice_above(notebook, failure.cell_id), failure.cell_id)
    said = "The notebook runs from the top as it is, so what ran before is out of date: run the cells again, in order."
    return Candidate(Patch(notebook.digest), said, RulesProposer.name, rerun=cells)


def _sources(notebook: Notebook) -> tuple[str, ...]:
    return tuple(c.source for c in notebook.cells)


def _after(state: _State, cell_id: str, step: Step) -> _State:
    cells = tuple(replace(c, source=step.source) if c.id == cell_id else c for c in state.notebook.cells)
    return replace(state, notebook=Notebook(cells, state.notebook.metadata), steps=(*state.steps, (cell_id, step)))


def _candidate(base: Notebook, state: _State) -> Candidate:
    changed = dict.fromkeys(cell_id for cell_id, _ in state.steps)
    ops = tuple(ReplaceSource(cell_id, state.notebook.cell(cell_id).source) for cell_id in changed)
    warrants = [step.warrant for _, step in state.steps]
    return Candidate(
        Patch(base.digest, ops),
        " ".join(dict.fromkeys(step.said for _, step in state.steps)),
        RulesProposer.name,
        warrant="; ".join(dict.fromkeys(warrants)) if all(warrants) else "",
    )


def _onward(state: _State, trial: Trial, known: set[tuple[str, str, str]]) -> _State | None:
    """Where to go on from, if the trial failed in a way that was not seen on this path, and no earlier than before."""
    failure = trial.run.failure if trial.run else None
    if failure is None or failure.cell_id not in state.notebook:
        return None
    new = replace(state, failure=failure, run=trial.run, variables=trial.run.variables if trial.run else ())
    earlier = state.notebook.index(failure.cell_id) < state.notebook.index(state.failure.cell_id)
    return None if new.error in known or earlier else new


def _places(state: _State) -> list[tuple[str, int | None]]:
    """Cells and lines at which the failure may be mended: where it was raised, then the cells that called it."""
    failure, text = state.failure, state.failure.traceback
    numbers = {str(r.execution_count): r.cell_id for r in (state.run.results if state.run else ()) if r.execution_count}
    frames = [(numbers[n], int(line)) for n, line in _FRAME.findall(text) if n in numbers]
    places = dict[str, int | None]()
    for cell_id, line in reversed(frames):
        places.setdefault(cell_id, line)
    if failure.line is not None or failure.cell_id not in places:
        places[failure.cell_id] = failure.line
    head = mask(state.notebook.cell(failure.cell_id).source).head
    if head and (places[failure.cell_id] or 0) <= head:
        # Below a cell magic IPython counts lines anew: as `<timed exec>`, or under a number that no cell has.
        inside = _TIMED.findall(text) or [line for n, line in _FRAME.findall(text) if n not in numbers]
        places[failure.cell_id] = head + int(inside[-1]) if inside else None
    return list(places.items())


def _offers(state: _State, request: Request, folder: Path) -> Iterator[tuple[str, Step]]:
    """What the rules offer, cell by cell; cells that must not change are left out."""
    for cell_id, line in _places(state):
        if cell_id not in state.notebook or not _open(state.notebook.cell(cell_id), request):
            continue
        broken = Broken(state.notebook, state.notebook.cell(cell_id), state.failure, state.variables, line, folder)
        for reading, changed in (*another_separator(broken), *renamed_in_the_data(broken)):
            if _open(state.notebook.cell(reading), request):
                yield reading, changed
        for rule in RULES:
            for step in rule(broken):
                if step is not None:
                    yield cell_id, step


def _open(cell: Cell, request: Request) -> bool:
    """Whether rules may change this cell."""
    return cell.editable and len(cell.source) <= LARGEST and (not request.scope or cell.id in request.scope)
