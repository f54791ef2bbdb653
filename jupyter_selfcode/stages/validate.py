"""validate: run a notebook in a trial kernel, cell by cell, and hold it to its contracts."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

from ..analysis.contract import examples_of, is_intent, judge_examples, probe
from ..analysis.variables import PROBE as VARIABLES
from ..analysis.variables import read_variables
from ..protocols import Kernel, Limits, Sandbox
from ..values.events import CellRan, Event
from ..values.notebook import Cell, Notebook
from ..values.request import Failure, Request
from ..values.trial import CellResult, Example, Run


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


async def execute(kernel: Kernel, cells: Iterable[Cell]) -> AsyncGenerator[tuple[CellResult, tuple[Example, ...]], None]:
    """Run cells in order until one fails (its exception, its contract, a limit); tags are honoured as nbclient does.
    A cell that holds only words has nothing to run yet, and is skipped.

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


async def validate(
    notebook: Notebook, count: int, sandbox: Sandbox, folder: Path, limits: Limits, done: list[Run]
) -> AsyncGenerator[Event, None]:
    """Run the first `count` cells in a clean trial kernel; events as cells finish, and the `Run` appended to `done`."""
    cells = notebook.cells[:count]
    total = sum(c.runs for c in cells)
    results: list[CellResult] = []
    examples: list[Example] = []
    start = time.monotonic()
    async with sandbox.open(notebook, folder, limits) as kernel:
        async with aclosing(execute(kernel, cells)) as running:
            async for result, held in running:
                results.append(result)
                examples += held
                if result.status != "skipped":
                    yield CellRan(result, sum(r.status != "skipped" for r in results), total)
        reply: Mapping[str, object] = {}
        if kernel.state == "complete":
            reply = await kernel.evaluate(VARIABLES)
        state, detail = kernel.state, kernel.detail
    failed = any(r.status in ("error", "stopped") for r in results)
    done.append(
        Run(
            tuple(results),
            "error" if state == "complete" and failed else state,  # type: ignore[arg-type]
            detail,
            time.monotonic() - start,
            tuple(examples),
            read_variables(reply),
            sandbox.name,
        )
    )
