"""A run of a notebook from the top, as papermill does it, healed under guard.

    cell by cell ─▶ all ran: ok, or healed
        │ fails
        ▼
    triage ─▶ transient: the cell again, after a pause · environment: stop · report: stop, and say what it is
        │ code, stale
        ▼
    Engine.propose, compared with the run so far ─▶ Reject: stop · Ask: a patch file waits beside the notebook
        │ Accept
        ▼
    Engine.accept on the notebook's file ─▶ go on at the failed cell, in the same kernel where that is the same as
                                            running from the top, else from the top in a new one

A run in which nothing fails opens no engine and no history and loads neither: it costs what nbclient costs.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import cache
from typing import TYPE_CHECKING

from ..analysis.censoring import censored
from ..analysis.secrets import Redactor
from ..values.errors import BadInput, KernelUnavailable
from ..values.events import CellRan, CellStarted, Event, RunEnded, RunStarted
from .course import Course
from .job import Bench, Job, OpenBench, OpenKernel, containment, live_kernel, open_bench

if TYPE_CHECKING:
    from ..config import SelfCode

__all__ = ["Bench", "Job", "containment", "live_kernel", "open_bench", "run"]


async def run(
    job: Job,
    settings: SelfCode,
    *,
    open_kernel: OpenKernel | None = None,
    bench: OpenBench = open_bench,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncIterator[Event]:
    """Run the notebook; events as it goes, `RunEnded` with the report last.

    Raises `BadInput` where there is no notebook to run. What was executed is written to `job.output` however it ends, with
    the outputs as they were; the events of what failed, and the report, hold no secret that is known here.
    """
    from ..plugins.deployers.file import read_file

    source = read_file(job.source)[0].notebook
    if job.output is not None and not job.output.parent.is_dir():
        raise BadInput(f"There is no folder {job.output.parent} to write {job.output.name} in; create it first.")
    course = Course(job, settings, source, bench, sleep)
    redactor = cache(lambda: Redactor.for_folder(job.source.parent))

    def told(event: Event) -> Event:
        """Without secrets; what a cell gave that went well is nobody's to show, and is not looked through."""
        if isinstance(event, CellStarted) or (isinstance(event, CellRan) and event.result.failure is None):
            return event
        return censored(event, redactor())

    with course.resources:
        try:
            if open_kernel is None:
                try:
                    open_kernel = course.contained()
                except KernelUnavailable as e:
                    course.stop("environment", str(e))
            while course.status is None:
                assert open_kernel is not None
                course.begin()
                yield RunStarted(str(job.source), course.total, course.kernels > 1)
                try:
                    async with open_kernel(course.notebook, job.source.parent, job.limits) as kernel:
                        try:
                            async for event in course.through(kernel):
                                yield told(event)
                        finally:
                            course.metadata = getattr(kernel, "metadata", {})
                except KernelUnavailable as e:
                    course.stop("environment", str(e))
        finally:
            course.save()
        yield told(RunEnded(course.report()))
