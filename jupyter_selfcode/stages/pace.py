"""pace: whether a change that is to be faster is, with the same results: both versions in turn, on copies of one state.

Two runs of a whole notebook differ by chance in time, and by random numbers in results. So the cells above run once, in a kernel of
their own or, where the sandbox keeps one that has run them, in a copy of it, and then both versions of the cell in turn from the very same state (`analysis.pacing`): what they bind is compared by
meaning here (`analysis.likeness`), and their times as pairs (`analysis.interval`). Refused is what gives another result, and what is
neither faster nor smaller with an interval that excludes 1.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..analysis.alike import missing, wanted
from ..analysis.effects import imported_names
from ..analysis.forging import gained
from ..analysis.forms import is_intent
from ..analysis.likeness import compared
from ..analysis.outputs import difference
from ..analysis.paces import better, both_bind, loops, read_paces, timing, unfit
from ..protocols import ForkingSandbox, Limits, Sandbox
from ..values.behaviour import Likeness, Pace
from ..values.notebook import Notebook
from ..values.request import Request
from ..values.trial import CellResult, Finding, Run, Trial

SECONDS = 10.0
"""Of timing, where the cell is quick enough; a slow one gets what its pairs need."""

MOST = 240.0
"""Seconds of timing, at most."""

QUICK = 0.005
"""Seconds of a cell in which there is nothing to win."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of it."""

    pace: tuple[Pace, ...] = ()
    alike: tuple[Likeness, ...] = ()
    findings: tuple[Finding, ...] = ()


def slowest(run: Run, notebook: Notebook) -> str | None:
    """The cell that took longest and can be timed apart; None where none takes long enough to matter. Cells without a loop come
    after those with one, and cells that import last: their time is a library's, often that of loading it, which is spent once."""
    slow = [r for r in run.results if r.status == "ok" and r.seconds > QUICK and r.cell_id in notebook]
    slow = [r for r in slow if not unfit(notebook.cell(r.cell_id).source) and notebook.cell(r.cell_id).editable]

    def key(result: CellResult) -> tuple[bool, bool, float]:
        source = notebook.cell(result.cell_id).source
        return not imported_names(source), loops(source), result.seconds

    return max(slow, key=key).cell_id if slow else None


def aimed(request: Request, notebook: Notebook, before: Run) -> Request:
    """The request with its cell: a wish for speed that names none is about the slowest."""
    if request.trigger != "slow" or request.target:
        return request
    target = slowest(before, notebook)
    return replace(request, target=target, scope=(target,)) if target else request


def too_quick(request: Request, before: Run) -> str:
    """Why no cell can be made faster; empty where one may be."""
    if request.target and before.result(request.target):
        return ""
    if before.failure:
        return f"The notebook fails ({before.failure.ename} in cell {before.failure.cell_id}): mend that first, with fix."
    return "There is nothing to win: no cell that can be timed by itself takes more than a few milliseconds."


async def timed(
    trial: Trial, request: Request, before: Notebook, after: Notebook, sandbox: Sandbox, folder: Path, limits: Limits
) -> Trial:
    """The trial with what was measured of the cell that the request is about."""
    if request.target is None:
        return trial
    measured = await pace(trial, request.target, before, after, sandbox, folder, limits)
    alike = (*(v for v in trial.alike if v.cell_id != request.target), *measured.alike)
    return replace(trial, pace=measured.pace, alike=alike, findings=trial.findings + measured.findings)


async def pace(
    trial: Trial, cell_id: str, before: Notebook, after: Notebook, sandbox: Sandbox, folder: Path, limits: Limits
) -> Measured:
    """Both versions of a cell, measured and compared. The change has run in the whole notebook already."""

    def refused(code: str, said: str) -> Measured:
        return Measured(findings=(Finding(code, said, "block", cell_id),))

    for notebook in (before, after):
        if why := unfit(notebook.cell(cell_id).source):
            return refused("pace:unfit", f"Nothing says that it is faster: {why}.")
    names, gone = both_bind(before, after, cell_id)
    if lost := missing(after, cell_id, gone):
        return refused("pace:missing", f"It no longer binds {lost[0]}, which other cells read.")
    was, now = (r.result(cell_id) if r else None for r in (trial.before, trial.run))
    if was and now and (said := difference(was.outputs, now.outputs)):
        return refused("pace:output", f"It shows something else: {said}")
    took = was.seconds if was else 0.0
    seconds = min(MOST, max(SECONDS, 14 * took), (limits.seconds or MOST) / 2)
    for copied in (True, False) if isinstance(sandbox, ForkingSandbox) else (False,):
        async with (
            sandbox.open_from(before, after, folder, limits)
            if copied and isinstance(sandbox, ForkingSandbox)
            else sandbox.open(after, folder, limits)
        ) as kernel:
            for cell in after.cells[: after.index(cell_id)]:
                if cell.runs and not is_intent(cell.source):
                    result = await kernel.execute(cell)
                    if result.status != "ok" and "raises-exception" not in cell.tags:
                        return refused("pace:above", f"The cells above did not run again: cell {cell.id} failed.")
            if copied:  # what differs from the notebook as it is runs in the copy; what is evaluated before, in what is kept
                await kernel.execute(replace(after.cell(cell_id), source="pass"))
            begun = time.monotonic()
            reply = await kernel.evaluate(timing(before, after, cell_id, names, seconds), seconds=3 * seconds + 30)
            watched = time.monotonic() - begun
        if reply.get("times"):
            break  # else it did something that a copy may not, or its memory was too much beside the others'
    if failed := reply.get("failed"):
        return refused("pace:unfit", f"Nothing says that it is faster: {' '.join(str(failed).split())[:200]}.")
    told = reply.get("told")
    sides = [t for t in told if isinstance(t, Mapping)] if isinstance(told, (list, tuple)) else []
    paces = read_paces(reply)
    if len(sides) != 2 or not paces:
        return refused("pace:unfit", "Nothing says that it is faster: the kernel ended before both versions were timed.")
    alike = compared(cell_id, names, sides[0], sides[1])
    findings = (*_values(alike, cell_id, wanted(after, cell_id)), *_times(paces, reply, watched, cell_id))
    return Measured(paces, alike, (*findings, *_forgeable(before, after, cell_id)))


def _values(alike: tuple[Likeness, ...], cell_id: str, read: frozenset[str]) -> Iterator[Finding]:
    """What is not equal is refused, what nobody could compare is asked about."""
    for v in alike:
        if v.verdict == "differs":
            yield Finding("pace:differs", f"From the same state it gives another {v.name}: {v.said}", "block", cell_id)
        elif v.verdict == "unknown" and v.name in read:
            yield Finding("pace:unknown", f"Whether {v.name} is the same was not compared: {v.said}.", "ask", cell_id)
        elif v.verdict == "close" and v.sampled:
            yield Finding("pace:sampled", f"{v.name} is too large to be compared whole: {v.said}.", "ask", cell_id)


def _times(paces: tuple[Pace, ...], reply: Mapping[str, Any], watched: float, cell_id: str) -> Iterator[Finding]:
    by = {p.of: p for p in paces}
    found, memory = better(paces), by.get("memory")
    told = sum(sum(side) for side in reply.get("times", ()))
    if found is None:
        yield Finding("pace:no-gain", f"It is not measurably faster: {by['time'].said if 'time' in by else 'it was not timed'}.", "block", cell_id)
    elif found.of == "time" and memory is not None and memory.worse and memory.after > 2 * memory.before + 2**26:
        grown = f"from {memory.before / 2**20:,.0f} to {memory.after / 2**20:,.0f} MiB"
        yield Finding("pace:memory", f"It is faster and needs more memory at its peak: {grown}.", "ask", cell_id)
    if told > watched:
        yield Finding("pace:forged", f"The times add up to {told:.1f} s, and {watched:.1f} s had passed.", "block", cell_id)


def _forgeable(before: Notebook, after: Notebook, cell_id: str) -> Iterator[Finding]:
    if reach := gained(before, after, (cell_id,)):
        yield Finding("pace:reach", f"Both versions are timed in one process, and this one gains what could reach the clock: it {reach[0]}.", "ask", cell_id)
