"""One run on its way: what has run, what was mended, and how it goes on."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import ExitStack, aclosing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..analysis.forms import is_intent
from ..analysis.parameters import inject
from ..protocols import Kernel
from ..stages.validate import execute
from ..values.decision import Accept, Ask, Reject
from ..values.errors import SelfcodeError
from ..values.events import (
    CellRan,
    CellStarted,
    Decided,
    Deployed,
    Event,
    Resumed,
    Retrying,
    Said,
    Spent,
    Triaged,
)
from ..values.notebook import Cell, Notebook
from ..values.patch import apply_ops
from ..values.prompt import Cost
from ..values.report import EXIT_CODES, DeployedVersion, FailedCell, RunReport, RunStatus, TriedCandidate
from ..values.request import Failure, Request
from ..values.trial import CellResult, Example, Run, Tier, Trial
from ..values.version import Version
from . import executed, proposals
from .asking import request_for
from .confirming import Confirming, confirming
from .job import Bench, Job, OpenBench, OpenKernel, containment, live_kernel
from .rails import RunRails
from .resuming import beside, resumes

if TYPE_CHECKING:
    from ..config import SelfCode

Then = Literal["stop", "again", "resume", "restart"]
PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""Seconds before each new try of a cell that met passing trouble; the last one stays."""


class Course:
    """One run: what has run, what was mended, and how it goes on."""

    def __init__(
        self,
        job: Job,
        settings: SelfCode,
        source: Notebook,
        open_bench: OpenBench,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self.job, self.settings, self.source, self.sleep = job, settings.tightened(source.metadata), source, sleep
        notebook, self.warnings = inject(source, job.parameters)
        self._take(notebook)
        self.resources = ExitStack()
        self._open_bench = open_bench
        self._opened: Bench | None = None
        self.rails = RunRails(job.source, self.settings, self.resources)
        self.since: tuple[str, ...] = ()
        self.status: RunStatus | None = None
        self.message = ""
        self.then: Then = "stop"
        self.kernels = self.executed = self.heals = 0
        self.tries: dict[str, int] = {}
        self.seen: dict[tuple[str, str, str], bool] = {}
        self.results: dict[str, CellResult] = {}
        self.metadata: Mapping[str, Any] = {}
        """What a run adds to the metadata of the executed notebook: the language of its kernel, the state of its widgets."""
        self.examples: list[Example] = []
        self.failures: list[FailedCell] = []
        self.versions: list[DeployedVersion] = []
        self.trials: list[TriedCandidate] = []
        self.cost = Cost()
        self.confirming = Confirming()
        self.waiting = ""
        self.patch_file: Path | None = None
        self.written: Path | None = None
        self.started = time.monotonic()
        self.kernel_started = self.started
        self.tier: Tier | None = None
        """The cage that this run's own kernel is in, if it is in one."""

    def _take(self, notebook: Notebook) -> None:
        """This is the notebook that runs now. `places` counts the cells that run, from 1."""
        self.notebook = notebook
        running = (c.id for c in notebook.cells if c.runs)
        self.places = {cell_id: n for n, cell_id in enumerate(running, 1)}
        self.total = len(self.places)

    def stop(self, status: RunStatus, message: str) -> None:
        """End the run."""
        self.status, self.message, self.then = status, message, "stop"

    def begin(self) -> None:
        """A new kernel: nothing has run in it."""
        self.kernels += 1
        self.results.clear()
        self.examples.clear()
        self.kernel_started = time.monotonic()

    def contained(self) -> OpenKernel:
        """How this run's own kernel is opened. Raises `KernelUnavailable` where it must be contained and cannot be."""
        cage, said = containment(self.settings)
        if cage is not None:
            self.tier = cage.tier
        if said:
            self.warnings += (said,)
        return partial(live_kernel, cage=cage)

    # ---- the cells, in order ---------------------------------------------------------------------------------------

    async def through(self, kernel: Kernel) -> AsyncIterator[Event]:
        """Run the cells from the top until all ran, the run stops, or a new kernel is needed."""
        i = 0
        while i < len(self.notebook.cells):
            cell = self.notebook.cells[i]
            place = self.places.get(cell.id, 0)
            failure: Failure | None = None
            if cell.runs:
                yield CellStarted(cell.id, place, self.total)
            if cell.runs and is_intent(cell.source):
                failure = Failure(cell.id, "Intent", "The cell holds words and no code yet.")
            else:
                async for result, held in execute(kernel, (cell,)):
                    self.results[cell.id] = result
                    self.examples = [e for e in self.examples if e.cell_id != cell.id] + list(held)
                    if result.status == "skipped":
                        continue
                    self.executed += 1
                    yield CellRan(result, place, self.total)
                    if said := self.confirming.differs(result):
                        yield self._disagrees(result, said)
                        return
                    if result.status in ("error", "stopped"):
                        failure = result.failure or Failure(cell.id, kernel.state, kernel.detail)
            if failure is None:
                i += 1
                continue
            async for event in self._mend(kernel, cell, failure):
                yield event
            if self.then in ("stop", "restart"):
                return
            for later in self.notebook.cells[i:]:
                self.results.pop(later.id, None)
        if said := await self.rails.went_well(kernel, self.notebook, self.results.values()):
            self.warnings += (said,)
        changed = "1 version was" if len(self.versions) == 1 else f"{len(self.versions)} versions were"
        self.stop("healed", f"Healed: {changed} deployed.") if self.versions else self.stop("ok", "Ran as it was.")

    async def _mend(self, kernel: Kernel, cell: Cell, failure: Failure) -> AsyncIterator[Event]:
        """What is done about a failure; sets how the run goes on."""
        from ..stages.describe import triage

        before = await self._so_far(kernel)
        request = await self._since(kernel, request_for(cell, failure, self.settings, self.cost))
        weighed = triage(request, self.notebook, before, self.job.source.parent)
        yield Triaged(weighed)
        if weighed.kind == "transient" and kernel.state == "complete" and self.tries.get(cell.id, 0) < self.job.retries:
            count = self.tries[cell.id] = self.tries.get(cell.id, 0) + 1
            pause = PAUSES[min(count, len(PAUSES)) - 1]
            yield Retrying(cell.id, count, pause, weighed.reason)
            await self.sleep(pause)
            self.then = "again"
            return
        self.failures.append(FailedCell(cell.id, failure.ename, failure.evalue, weighed.kind, weighed.reason))
        if weighed.kind in ("transient", "environment"):
            self.stop(weighed.kind, weighed.reason)
        elif (mode := self.settings.policy) in ("report", "suggest"):
            ask = f" To have a change proposed: jupyter selfcode fix {self.job.source}" if mode == "suggest" else ""
            self.stop("failed", f"{weighed.reason} Policy is {mode}: nothing was proposed.{ask}")
        elif self.heals >= self.job.heals:
            self.stop("failed", f"The limit of changes in one run is reached: {self.heals} (--heals).")
        elif (again := self._met_before(failure)) is not None:
            if again == "restart":
                self.then = "restart"
            else:
                self.stop("failed", f"The same failure came back after it was mended: {failure.ename} in {cell.id}.")
        else:
            try:
                async for event in self._guarded(kernel, failure, request, before):
                    yield event
            except SelfcodeError as e:
                yield Said(str(e))
                ends: dict[int, RunStatus] = {30: "budget", 21: "environment"}
                self.stop(ends.get(e.exit_code, "failed"), str(e))

    async def _since(self, kernel: Kernel, request: Request) -> Request:
        """The request with what has changed since the notebook last ran well."""
        try:
            well = [i for i, r in self.results.items() if r.status == "ok"]
            self.since = await self.rails.since(kernel, self.notebook, well)
        except SelfcodeError as e:
            self.warnings += (f"What has changed since it last ran well is not known: {e}",)
        return replace(request, since=self.since)

    def _met_before(self, failure: Failure) -> Literal["restart", "stop"] | None:
        """Whether this very failure was mended in this run already. Met again after going on in the same kernel, the
        cells above deserve to run anew once; met again after that, the change does not help."""
        key = (failure.cell_id, failure.ename, failure.evalue)
        resumed = self.seen.get(key)
        if resumed is None:
            return None
        self.seen[key] = False
        return "restart" if resumed else "stop"

    async def _so_far(self, kernel: Kernel) -> Run:
        """The run up to here, which a change is compared with."""
        from ..analysis.variables import PROBE, read_variables

        reply = await kernel.evaluate(PROBE) if kernel.state == "complete" else {}
        ran = tuple(self.results[c.id] for c in self.notebook.cells if c.id in self.results)
        failed = any(r.status in ("error", "stopped") for r in ran)
        state = "error" if kernel.state == "complete" and failed else kernel.state
        return Run(
            ran,
            state,  # type: ignore[arg-type]
            kernel.detail,
            time.monotonic() - self.kernel_started,
            tuple(self.examples),
            read_variables(reply),
            "the run's own kernel",
            self.tier,
        )

    # ---- the change ------------------------------------------------------------------------------------------------

    def _bench(self) -> Bench:
        """Engine, history and file; opened once, with the notebook's lock."""
        if self._opened is None:
            self._opened = self.resources.enter_context(self._open_bench(self.job.source, self.settings))
        return self._opened

    async def _guarded(
        self, kernel: Kernel, failure: Failure, request: Request, before: Run
    ) -> AsyncIterator[Event]:
        """What earlier runs have to say; then the change itself, entered in the ledger."""
        bench = self._bench()
        self.rails.ledger(bench)
        if blamed := self.rails.blamed(failure, self.notebook):
            said = f"Version {blamed.number} is on probation, and this failure is of what it made."
            taken = self.rails.take_back(bench, blamed, failure) if self.settings.policy == "deploy" else None
            if taken is not None:
                yield Said(f"{said} It is taken back; version {taken[1].number} is in force again.")
                yield self._took(bench, taken[0], taken[1].number)
                self._take(inject(self.source, self.job.parameters)[0])
                self.then = "restart"
                return
            said += f" To take it back: jupyter selfcode rollback {self.job.source} {blamed.number - 1}"
            self.warnings += (said,)
            yield Said(said)
        mark = self.rails.fingerprint(bench, failure, self.notebook, before)
        said, self.waiting = self.rails.refusal(failure, self.notebook, mark)
        if said:
            self._await_decision(bench, said) if self.waiting else self.stop("failed", said)
            return
        engine, spared = self.rails.spared(bench.engine)
        if spared:
            yield Said(spared)
        notebook, made = self.notebook, len(self.versions)
        async for event in self._heal(replace(bench, engine=engine), kernel, request, before):
            yield event
            if isinstance(event, Decided):
                decided = event
        name = self.versions[-1].id if len(self.versions) > made else self.waiting
        self.rails.enter(failure, notebook, mark, decided, name)

    async def _heal(self, bench: Bench, kernel: Kernel, request: Request, before: Run) -> AsyncIterator[Event]:
        """Propose, and deploy or leave for a person."""
        self.heals += 1
        decided: Decided | None = None
        recorded: dict[str, tuple[object, ...]] = {**bench.file.outputs()}
        folder = self.job.source.parent
        engine = replace(bench.engine, sandbox=await beside(kernel, request, self.notebook, bench.engine.sandbox))
        events = engine.propose(request, self.notebook, folder, bench.path, before=before, recorded=recorded)
        async with aclosing(events):
            async for event in events:
                if not isinstance(event, Triaged):  # that has been said
                    yield event
                if isinstance(event, Decided):
                    decided = event
        assert decided is not None, "a proposal ends with Decided"
        self.cost = self.cost + decided.cost
        self.trials += [_told(t) for t in decided.trials]
        yield Spent(self.cost)
        match decided.decision:
            case Reject(reason, status):
                outcome: dict[str, RunStatus] = {
                    "environment": "environment",
                    "transient": "transient",
                    "budget": "budget",
                }
                self.stop(outcome.get(status, "failed"), reason)
            case Ask(trial, reason):
                self._leave(bench, proposals.for_file(decided, trial, self.notebook, self.source), reason)
            case Accept(trial):
                deployed = self._deploy(bench, proposals.for_file(decided, trial, self.notebook, self.source))
                yield deployed
                await self._go_on(kernel, request, trial, deployed.version.id)
                if self.then == "resume" and request.target:
                    yield Resumed(request.target)

    def _deploy(self, bench: Bench, decided: Decided) -> Deployed:
        """Deploy to the notebook's file. Raises `StalePatch`, `Locked`, `DeployError`, `StoreError`."""
        trial = decided.decision.trial  # type: ignore[union-attr]
        version = bench.engine.accept(decided, trial, [bench.file], bench.path, by="policy")
        return self._took(bench, version)

    def _took(self, bench: Bench, version: Version, restores: int | None = None) -> Deployed:
        """The notebook's file holds this version now."""
        number = next(r.number for r in reversed(bench.store.lineage(bench.path)) if r.version.id == version.id)
        self.versions.append(
            DeployedVersion(
                version.id, number, version.patch.cells, version.level, version.by, version.proposer, version.kind, restores
            )
        )
        self.failures[-1:] = [replace(f, healed=True) for f in self.failures[-1:]]
        self.source = bench.file.read()
        return Deployed(version, number, (bench.file.report(),))

    async def _go_on(self, kernel: Kernel, request: Request, trial: Trial, version: str) -> None:
        """Take the change into the run: in the same kernel where that is the same as from the top, else in a new one."""
        old = self.notebook
        self._take(apply_ops(trial.candidate.patch.ops, old))
        self.confirming = confirming(trial, old, self.notebook, request.target or "", version)
        resume = await resumes(kernel, request, old, self.notebook)
        self.then = "resume" if resume else "restart"
        if request.failure is not None:
            self.seen[request.failure.cell_id, request.failure.ename, request.failure.evalue] = resume

    def _disagrees(self, result: CellResult, said: str) -> Event:
        """The run gives something else than its copy did: what was deployed on the copy's word is taken back."""
        bench, unconfirmed, self.confirming = self._bench(), self.confirming, Confirming()
        made, taken = self.rails.disagrees(bench, unconfirmed, result, said)
        if taken is None:
            self.stop("failed", f"{said} Version {made} stays, since the notebook was changed after it.")
            return Said(said)
        event = self._took(bench, taken[0], taken[1].number)
        self.failures[-1:] = [replace(f, healed=False) for f in self.failures[-1:]]
        self.stop("failed", f"{said} Version {made}, which was deployed for what the copy gave, is taken back.")
        return event

    def _leave(self, bench: Bench, decided: Decided, reason: str) -> None:
        """Keep a proposal for a person: in the history, and as a patch file beside the notebook."""
        self.waiting = proposals.keep(bench, self.job.source, decided, self.notebook)
        self._await_decision(bench, f"A change waits for a decision: {reason}")

    def _await_decision(self, bench: Bench, said: str) -> None:
        self.patch_file, unwritten = proposals.patch_file(bench, self.job.source, self.waiting)
        self.warnings += unwritten
        self.stop("proposed", said)

    # ---- the end ---------------------------------------------------------------------------------------------------

    def save(self) -> None:
        """Write the executed notebook, outputs and error included, where one was asked for and anything ran. Where it
        cannot be written the report says so, beside all that happened before."""
        if self.job.output is None or not self.results:
            return
        try:
            executed.write(
                self.job.source, self.job.output, self.source, self.notebook, self.metadata, self.results.values()
            )
            self.written = self.job.output
        except SelfcodeError as e:
            self.warnings += (str(e),)
            if self.status in ("ok", "healed"):
                self.stop("environment", f"All cells ran, and {self.job.output} could not be written.")

    def report(self) -> RunReport:
        """What the run says at its end."""
        status = self.status or "failed"
        return RunReport(
            status, EXIT_CODES[status], str(self.job.source), str(self.written) if self.written else None,
            tuple(self.failures), tuple(self.versions), tuple(self.trials), self.cost.calls, self.cost.tokens,
            self.cost.usd, self.cost.replayed, time.monotonic() - self.started, self.executed, self.waiting or None,
            str(self.patch_file) if self.patch_file else None, self.message, self.warnings,
            self.tier, tuple(self.rails.heals), self.rails.probation(), self.since, self.rails.notices,
        )  # fmt: skip


def _told(trial: Trial) -> TriedCandidate:
    c, run = trial.candidate, trial.run or Run()
    return TriedCandidate(
        trial.kind, trial.seconds, trial.passed, c.proposer, trial.level, trial.findings, run.effects, run.unseen,
        trial.strength, run.peak,
    )
