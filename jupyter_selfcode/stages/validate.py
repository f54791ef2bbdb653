"""validate: run a notebook in a trial kernel, cell by cell, and hold it to its contracts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Collection, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..analysis.alike import watching
from ..analysis.claims import Claims
from ..analysis.contract import examples_of, is_intent, judge_examples, probe
from ..analysis.effects import slice_below
from ..analysis.extension import COLLECT, Calls, begin, read_calls
from ..analysis.sparing import spared
from ..analysis.variables import PROBE as VARIABLES
from ..analysis.variables import read_variables
from ..protocols import ForkingSandbox, Kernel, Limits, Sandbox
from ..values.events import CellRan, Event
from ..values.notebook import Cell, Notebook
from ..values.request import Failure, Request
from ..values.trial import CellResult, Example, Finding, Run, Served

DEAR_SECONDS = 0.1
"""Seconds from which on it is worth a proof that a cell need not run again."""

MISSING = "EvidenceMissing"
"""The name of the failure of a cell that was reported as finished and is not."""


async def hold_contract(kernel: Kernel, cell: Cell) -> tuple[Example, ...]:
    """Run the doctest examples of a cell's docstring; printed text comes out and is compared here, not in the kernel."""
    examples = examples_of(cell.source)
    if not examples:
        return ()
    reply = await kernel.evaluate(probe(examples))
    return judge_examples(cell.id, examples, reply)


def broken(examples: Iterable[Example]) -> Failure | None:
    """The first example that did not hold, as a failure of its cell."""
    for e in examples:
        if not e.passed:
            said = f"{e.source.strip()} gave {e.got.strip() or 'nothing'}, the contract says {e.want.strip() or 'nothing'}"
            return Failure(e.cell_id, "ContractBroken", said)
    return None


@dataclass(slots=True)
class Evidence:
    """What is to come out of the kernel besides, by cell: `claims` and `watched` (names of variables) say what, `carried` and
    `told` take it in; calls of functions that are `recorded`, by cell, come to `calls`."""

    claims: Mapping[str, Claims]
    carried: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    watched: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    told: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    recorded: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    calls: Calls = field(default_factory=dict)

    async def gather(self, kernel: Kernel, cell_id: str) -> Failure | None:
        """What the promises of a cell read, and its variables, as data. A failure where the cell was reported as run to its end
        and names are not there that it then must have bound."""
        if names := self.watched.get(cell_id):
            self.told[cell_id] = await kernel.evaluate(watching(names))
        if functions := self.recorded.get(cell_id):
            await kernel.evaluate(begin(functions))
        claims = self.claims.get(cell_id)
        if claims is None:
            return None
        reply = self.carried[cell_id] = await kernel.evaluate(claims.probe)
        absent = [n for n in map(str, reply.get("absent") or ()) if n in claims.assigned]
        if not absent:
            return None
        said = f"it was reported as run to its end, but {absent[0]}, which it assigns, is not there"
        return Failure(cell_id, MISSING, said)


async def execute(
    kernel: Kernel, cells: Iterable[Cell], evidence: Evidence | None = None
) -> AsyncGenerator[tuple[CellResult, tuple[Example, ...]], None]:
    """Run cells in order until one fails (its exception, its contract, a limit); tags are honoured as nbclient does.
    A cell that holds only words has nothing to run yet, and is skipped. `evidence` is gathered before the examples run.

    Shared by trials and by headless runs, so that both mean the same by "it ran".
    """
    for cell in cells:
        if cell.type != "code":
            continue
        if not cell.runs or is_intent(cell.source):
            yield CellResult(cell.id, "skipped"), ()
            continue
        result = await kernel.execute(cell)
        if result.status == "error" and "raises-exception" in cell.tags:
            result = replace(result, status="ok")
        examples: tuple[Example, ...] = ()
        if evidence and result.status == "ok" and (missing := await evidence.gather(kernel, cell.id)):
            result = replace(result, status="error", failure=missing)
        if result.status == "ok":
            examples = await hold_contract(kernel, cell)
            if failure := broken(examples):
                result = replace(result, status="error", failure=failure)
        yield result, examples
        if result.status in ("error", "stopped"):
            return


def until(request: Request, touched: Iterable[str], before: Run | None, after: Notebook) -> int:
    """How many cells, from the top, a trial of this change runs: through the last that was touched, is asked about, or
    ran before (its output is to be compared)."""
    wanted = set(touched) | ({request.target} if request.target else set())
    wanted |= {r.cell_id for r in before.results} if before else {c.id for c in after.cells}
    return max((i + 1 for i, c in enumerate(after.cells) if c.id in wanted), default=0)


def further(after: Notebook, touched: Iterable[str], count: int) -> int:
    """How many cells a trial runs at most: `count`, or through the nearest cell below that the change can affect and that
    promises something, where none of the first `count` does. What has to run says only that the change runs; the next
    promise down the dataflow may say that it is right."""
    changed = [i for i in touched if i in after]
    affected = set(changed).union(*(slice_below(after, i) for i in changed))
    for i, cell in enumerate(after.cells):
        if cell.id in affected and cell.runs and (examples_of(cell.source) or "assert " in cell.source):
            return max(count, i + 1)
    return count


def sparing(
    notebook: Notebook, after: Notebook, touched: Collection[str], count: int, before: Run, target: str | None
) -> tuple[str, ...]:
    """The cells below the change that a trial of the first `count` cells leaves out: they ran well and for long in the run
    `before`, the change cannot reach them, and nothing that runs needs them. Never the one that the request is about."""
    dear = {r.cell_id for r in before.results if r.status == "ok" and r.seconds >= DEAR_SECONDS}
    return spared(notebook, after, touched, count, {i for i in dear if i != target})


def why_spared(cells: Sequence[str]) -> str:
    """What is said of cells that are not run again, and why; empty where there are none."""
    if not cells:
        return ""
    named = ", ".join(cells[:8]) + (f" and {len(cells) - 8} more" if len(cells) > 8 else "")
    return f"; not run again, since the change is proved not to reach them and nothing that runs needs them: {named}"


def within(run: Run, required: Iterable[str], affected: Collection[str]) -> tuple[Run, tuple[Finding, ...]]:
    """The run without a failure below the cells that had to run, and that failure as a finding: another trouble may wait
    there (`note`); a promise that this change can affect and that does not hold is for a person (`ask`)."""
    must = set(required)
    ran = {x.cell_id for x in run.results if x.status in ("ok", "skipped")}
    failed = next((x for x in run.results if x.status in ("error", "stopped")), None)
    if failed is None or failed.cell_id in must or not must <= ran:
        return run, ()
    said = " ".join(f"{failed.failure.ename}: {failed.failure.evalue}".split())[:200] if failed.failure else run.detail
    broken_promise = bool(failed.failure and failed.failure.ename == "ContractBroken" and failed.cell_id in affected)
    finding = Finding(
        "runs:below", f"Cell {failed.cell_id}, further down, does not pass with it: {said}",
        "ask" if broken_promise else "note", failed.cell_id,
    )  # fmt: skip
    kept = tuple(x for x in run.results if x is not failed)
    examples = tuple(e for e in run.examples if e.cell_id != failed.cell_id)
    return replace(run, results=kept, examples=examples, state="complete", detail=""), (finding,)


async def validate(
    notebook: Notebook, count: int, sandbox: Sandbox, folder: Path, limits: Limits, done: list[Run],
    evidence: Evidence | None = None, base: Notebook | None = None, left_out: Collection[str] = (),
) -> AsyncGenerator[Event, None]:
    """Run the first `count` cells in a clean trial kernel; events as cells finish, and the `Run` appended to `done`.

    With `base`, the notebook as it is, a sandbox that can may go on from where this one begins to differ from it. The cells
    that are `left_out` need not run (`analysis.sparing`). The variables are asked for of `base`, and where a cell failed: with
    them the next change is sought, and where a change runs there is none.
    """
    cells = [c for c in notebook.cells[:count] if c.id not in left_out]
    total = sum(c.runs for c in cells)
    results: list[CellResult] = []
    examples: list[Example] = []
    start = time.monotonic()
    async with (
        sandbox.open_from(base, notebook, folder, limits)
        if base is not None and isinstance(sandbox, ForkingSandbox)
        else sandbox.open(notebook, folder, limits)
    ) as kernel:
        async with aclosing(execute(kernel, cells, evidence)) as running:
            async for result, held in running:
                results.append(result)
                examples += held
                if result.status != "skipped":
                    yield CellRan(result, sum(r.status != "skipped" for r in results), total)
        if evidence is not None and evidence.recorded and kernel.state == "complete":
            evidence.calls = read_calls(await kernel.evaluate(COLLECT))
        failed = any(r.status in ("error", "stopped") for r in results)
        reply: Mapping[str, object] = {}
        if kernel.state == "complete" and (failed or base in (None, notebook)):
            reply = await kernel.evaluate(VARIABLES)
        effects, unseen = await kernel.effects()
        state, detail, peak = kernel.state, kernel.detail, kernel.peak
    done.append(
        Run(
            tuple(results),
            "error" if state == "complete" and failed else state,  # type: ignore[arg-type]
            detail,
            time.monotonic() - start,
            tuple(examples),
            read_variables(reply),
            sandbox.name,
            sandbox.tier,
            tuple(effects),
            unseen,
            getattr(kernel, "served", Served()),
            peak,
            tuple(left_out),
        )
    )


async def together(works: Sequence[AsyncGenerator[Event, None]], most: int) -> AsyncGenerator[Event, None]:
    """The events of all as they come; `most` of them are at work at once, in their order. Closing it ends them all."""
    told: asyncio.Queue[Event | None] = asyncio.Queue()
    free = asyncio.Semaphore(most)

    async def listen(work: AsyncGenerator[Event, None]) -> None:
        async with free, aclosing(work) as events:
            async for event in events:
                told.put_nowait(event)

    async def listen_to_all() -> None:
        listening = [asyncio.ensure_future(listen(work)) for work in works]
        try:
            await asyncio.gather(*listening)
        finally:
            for task in listening:
                task.cancel()
            await asyncio.gather(*listening, return_exceptions=True)
            told.put_nowait(None)

    whole = asyncio.ensure_future(listen_to_all())
    try:
        while (event := await told.get()) is not None:
            yield event
        await whole
    finally:
        whole.cancel()
        await asyncio.gather(whole, return_exceptions=True)
