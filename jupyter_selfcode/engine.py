"""THE ORDER. Read this first.

    describe ▶ gather ▶ propose ▶ screen ▶ validate ▶ decide ┃ deploy ▶ record ▶ (watch) ▶ a new Request
    └──── Engine.propose: a stream of events, no side effect ┛ └ Engine.accept ┘   └ the only way round

`propose` tries; it never touches the notebook, the live namespace or the history. `accept` and `restore` are the one door
by which anything changes: intent to the store, everywhere or nowhere to the surfaces, outcome to the store.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from .analysis.censoring import censored
from .analysis.claims import claims_of
from .analysis.contract import intent_of
from .analysis.effects import slice_below
from .analysis.evidence import asserted
from .analysis.secrets import Redactor
from .protocols import Check, Deployer, ForkingSandbox, Limits, Proposer, Prover, Retriever, Sandbox, Situation, Store
from .stages import record
from .stages.behave import behave, keep, worth_recording
from .stages.compare import compare, watched, watched_again
from .stages.decide import DISAGREES, confirmed, decide, nothing_passed, weighed
from .stages.deploy import deploy, with_pointers
from .stages.describe import triage
from .stages.gather import gather
from .stages.judge import judge
from .stages.mutate import measured
from .stages.pace import aimed, timed, too_quick
from .stages.propose import Spending, propose
from .stages.prove import proved
from .stages.screen import screen
from .stages.translate import translated
from .stages.validate import Evidence, further, sparing, together, until, validate, why_spared, within
from .values.canonical import digest
from .values.decision import Accept, Policy, Reject
from .values.errors import BudgetSpent, ModelError, StalePatch, StoreError
from .values.events import Asked, Decided, Event, Proposed, Said, Spent, StageStarted, Triaged, Tried
from .values.merge import stepped
from .values.notebook import POINTER, Notebook
from .values.patch import apply, apply_ops, diff, refuse_locked
from .values.request import Option, Request
from .values.trial import Candidate, Run, Served, Trial
from .values.version import Kind, Lineage, Version, head

DISAGREED = "disagreed"
"""Notes of this kind say from which states a copy gave another result than a clean kernel: `state_above` and the reason."""

SENT = "sent"
"""Notes of this kind are the log of what was sent to models: `sent_line`."""


@dataclass(frozen=True)
class Engine:
    """The stages in their order, with what is swapped in. Holds no state of its own between requests."""

    proposers: Sequence[Proposer]
    sandbox: Sandbox
    checks: Sequence[Check]
    store: Store
    retrievers: Sequence[Retriever] = ()
    policy: Policy = Policy()
    limits: Limits = Limits()
    level: str = "summary"
    masked: Sequence[str] = ()
    """Columns whose values are in no prompt, besides those that tell of people."""
    record: bool = True
    """Whether small calls of the notebook's functions are kept in the history, to hold repairs to them."""
    mutant_seconds: float = 0.0
    """Seconds that may go into measuring the contract of a change that passed; 0: it is not measured."""
    prover: Prover | None = None

    # ---- no side effect -------------------------------------------------------------------------------------------

    async def propose(
        self, request: Request, notebook: Notebook, folder: Path, path: str, *, before: Run | None = None,
        recorded: dict[str, tuple[object, ...]] | None = None, ran: Sequence[str] | None = None,
    ) -> AsyncGenerator[Event, None]:
        """Everything up to the decision, as it happens. The last event is `Decided`.

        `before` is the run that the change is compared with (None: the notebook is run as it is, in a trial kernel);
        `recorded` are the outputs that the notebook file carries, by cell id; `ran` the cells that have run in a live
        session (None: all), so that cells which nobody has run yet are not run to compare with. Cancelling the iteration stops the trial
        kernel and the model call.

        No text in an event holds a secret that is known here, but for the sources of cells, which stay exact. Every call of
        a model is entered in the log of what was sent, before it is made.
        """
        redactor = Redactor.for_folder(folder)
        working = self._propose(request, notebook, folder, path, before=before, recorded=recorded, ran=ran)
        async with aclosing(working) as events:
            async for event in events:
                yield censored(event, redactor)
                if isinstance(event, Asked):  # whoever listens goes on, so the call is made
                    try:
                        self.store.put_note(path, SENT, *sent_line(event))
                    except StoreError as e:
                        yield Said(f"What is sent could not be logged: {e}")

    async def _propose(
        self, request: Request, notebook: Notebook, folder: Path, path: str, *, before: Run | None = None,
        recorded: dict[str, tuple[object, ...]] | None = None, ran: Sequence[str] | None = None,
    ) -> AsyncGenerator[Event, None]:
        start, spending, trials = time.monotonic(), Spending(request.budget), list[Trial]()
        was = Evidence({}, watched=watched(notebook), recorded=worth_recording(notebook) if self.record else {})

        yield StageStarted("describe", "what kind of trouble it is" if request.failure else "what is wished")
        if before is None:
            runs: list[Run] = []
            yield StageStarted("validate", "the notebook as it is, to compare with")
            count = reach(notebook, request, ran)
            async with aclosing(validate(notebook, count, self.sandbox, folder, self.limits, runs, was, notebook)) as ran_so_far:
                async for event in ran_so_far:
                    yield event
            before = runs[0]
        was.calls = keep(self.store, path, was.calls, Redactor.for_folder(folder))
        request = aimed(request, notebook, before)
        weighed = triage(request, notebook, before, folder)
        yield Triaged(weighed)

        def decided(decision: object, context_hash: str = "") -> Decided:
            return Decided(
                request, decision, weighed, tuple(trials), spending.spent, context_hash,  # type: ignore[arg-type]
                time.monotonic() - start,
            )

        if weighed.kind in ("transient", "environment"):
            yield decided(Reject(weighed.reason, weighed.kind))
            return
        if request.trigger == "slow" and (why := too_quick(request, before)):
            yield decided(Reject(why))
            return
        if self.policy.mode == "report":
            yield decided(Reject(f"{weighed.reason} Policy is report: nothing was proposed.", "reported"))
            return

        yield StageStarted("gather", "cells, variables, signatures, lessons")
        context = await gather(request, notebook, before, folder, self.retrievers, self.lessons(path), self.level, self.masked)
        context_hash = digest(context)
        situation = Situation(request, notebook, before, context, trials, spending, folder)

        reason: Reject | None = None
        said = ""
        try:
            async with aclosing(propose(self.proposers, situation)) as proposed:
                async for event in proposed:
                    yield event
                    if isinstance(event, Said):
                        said = event.text
                    if not isinstance(event, Proposed):
                        continue
                    fresh: list[Trial] = []
                    doubts = self.store.notes(path, DISAGREED)
                    above = [state_above(notebook, c.patch.cells) for c in event.candidates]
                    works = [
                        self.try_out(c, request, notebook, folder, before, recorded or {}, doubts.get(state, ""), was)
                        for c, state in zip(event.candidates, above, strict=True)
                    ]
                    async with aclosing(together(works, self.at_once)) as tried:
                        async for told in tried:
                            yield told
                            if not isinstance(told, Tried):
                                continue
                            fresh.append(told.trial)
                            for finding in told.trial.findings:
                                if finding.code == DISAGREES:
                                    state = above[event.candidates.index(told.trial.candidate)]
                                    self.store.put_note(path, DISAGREED, state, finding.message)
                            if self.policy.cheapest and told.trial.passed and not told.trial.asks:
                                break
                    trials += sorted(fresh, key=lambda t: event.candidates.index(t.candidate))
                    yield StageStarted("decide")
                    if decision := decide(fresh, self.policy):
                        place = notebook, self.sandbox, folder, self.limits
                        for look, by in ((measured, (self.mutant_seconds,)), (proved, (self.prover, request))):
                            async with aclosing(look(decision, *place, *by)) as looking:
                                async for told in looking:
                                    yield told
                                    if isinstance(told, Tried):
                                        passed = decision.trial  # type: ignore[union-attr]
                                        trials[:] = [told.trial if t is passed else t for t in trials]
                                        fresh = [told.trial if t is passed else t for t in fresh]
                                        decision = decide(fresh, self.policy) or decision
                        yield decided(decision, context_hash)
                        return
        except BudgetSpent as e:
            yield Said(str(e))
            reason = Reject(str(e), "budget")
        except ModelError as e:
            yield Said(str(e))
            reason = Reject(str(e), "transient" if e.transient else "environment")
        yield Spent(spending.spent)
        yield decided(reason or nothing_passed(trials, said, model=any(p.price for p in self.proposers)), context_hash)

    async def try_out(
        self, candidate: Candidate, request: Request, notebook: Notebook, folder: Path, before: Run,
        recorded: dict[str, tuple[object, ...]], doubt: str = "", was: Evidence | None = None,
    ) -> AsyncGenerator[Event, None]:
        """Screen a candidate and, where nothing blocks it, run it. The last event is `Tried`.

        What ran in a copy and would be deployed unasked runs in a clean kernel too; `doubt` is why no copy is to be made.
        `was` is what the run before told of its variables, where that is known.
        """
        start = time.monotonic()
        yield StageStarted("screen", candidate.proposer)
        after, findings = screen(candidate, request, notebook, self.checks)
        trial = Trial(candidate, None, before, findings, seconds=time.monotonic() - start)
        if after is None or trial.blocks:
            yield Tried(trial)
            return
        touched = [i for i in candidate.patch.cells if i in after]
        count = until(request, touched, before, after)
        reach = further(after, touched, count)
        left_out = sparing(notebook, after, candidate.patch.cells, reach, before, request.target)
        yield StageStarted("validate", "in a trial kernel" + why_spared(left_out))
        affected = {i for cell_id in touched for i in slice_below(after, cell_id)}
        promised = {a for c in notebook.code_cells for a in asserted(c.source)}
        told = was.told if was else {}
        names = watched_again(notebook, after, touched, told)
        evidence = Evidence(claims_of(notebook, after, touched, {*touched, *affected}, promised), watched=names)
        screened, forked = trial, None
        for base in (None,) if doubt or request.trigger == "slow" else (notebook, None):
            runs: list[Run] = []
            evidence = replace(evidence, carried={}, told={})
            left_out = () if forked is not None else left_out  # what confirms runs all of it
            running = validate(after, reach, self.sandbox, folder, self.limits, runs, evidence, base, left_out)
            async with aclosing(running) as events:
                async for event in events:
                    yield event
            required = [c.id for c in after.cells[:count] if c.type == "code" and c.id not in left_out]
            run, below = within(runs[0], required, affected)
            if doubt:
                run = replace(run, served=Served("fresh", doubt))
            trial = replace(screened, run=run, findings=findings + below, kind=run.served.kind)
            trial = replace(trial, alike=compare(names, told, evidence.told))
            for check in self.checks:
                trial = replace(trial, findings=trial.findings + tuple(check.judge(trial, request, notebook, after)))
            if trial.passed and not candidate.warrant:  # what a rule documents as the same was written by nobody hostile
                judged, found = await judge(
                    run, evidence.claims, evidence.carried, self.sandbox, notebook, folder, self.limits
                )
                trial = replace(trial, judged=judged, findings=trial.findings + found)
            beside = {"slow": timed, "translate": translated}.get(request.trigger)
            if trial.passed and beside:
                yield StageStarted("validate", "both versions, from one state")
                trial = await beside(trial, request, notebook, after, self.sandbox, folder, self.limits)
            if trial.passed and was is not None and not candidate.warrant:
                trial = await behave(trial, request, notebook, after, was.calls, self.sandbox, folder, self.limits)
            trial = weighed(trial, notebook, after, recorded)
            if forked is not None:
                trial = confirmed(forked, trial, after)
            elif trial.kind == "forked" and not run.served.goes_on and isinstance(decide([trial], self.policy), Accept):
                forked = trial
                yield StageStarted("validate", "again in a clean kernel, since it may be deployed unasked")
                continue
            break
        yield Tried(replace(trial, seconds=time.monotonic() - start))

    @property
    def at_once(self) -> int:
        """How many candidates are tried at the same time: more than one where they share the state above."""
        return self.sandbox.at_once if isinstance(self.sandbox, ForkingSandbox) else 1

    def lessons(self, path: str) -> Sequence[str]:
        """What people said when they rejected earlier changes to this notebook, oldest first."""
        return tuple(self.store.notes(path, "lesson").values())

    # ---- the one door ---------------------------------------------------------------------------------------------

    def accept(
        self, decided: Decided, trial: Trial, surfaces: Sequence[Deployer], path: str, by: str
    ) -> Version:
        """Deploy what a trial proved, and record it. Raises `StalePatch`, `Locked`, `DeployError`, `StoreError`."""
        before = surfaces[0].read()
        after = apply(trial.candidate.patch, before)
        refuse_locked(trial.candidate.patch, before)
        return self._change(
            surfaces, path, before, after, lambda lineage: record.adapted(lineage, decided, trial, after, by)
        )

    def restore(
        self, target: Version, kind: Kind, surfaces: Sequence[Deployer], path: str, by: str, words: str = "",
        *, leaving: Version | None = None, options: tuple[Option, ...] = (),
    ) -> Version:
        """Bring back the state of an earlier version, as a new version. Raises as `accept` does.

        With `leaving` only what differs between that version and the target changes: what a person has edited since it stays
        (`BadInput` where both are the same cell). Without it the whole notebook becomes what it was.
        """
        before, there = surfaces[0].read(), self.store.notebook(target.notebook)
        here = self.store.notebook(leaving.notebook) if leaving else before
        after = (there if before.digest == here.digest else stepped(before, here, there)).over(before)
        refuse_locked(diff(before.bare(), after.bare()), before.bare())
        return self._change(
            surfaces, path, before, after,
            lambda lineage: record.restored(lineage, kind, target, before, after, by, words, options),
        )

    def amend(self, after: Notebook, surfaces: Sequence[Deployer], path: str, by: str, words: str) -> Version:
        """Deploy a change that a person made through us (a contract added to a cell), without a trial."""
        before = surfaces[0].read()
        refuse_locked(diff(before.bare(), after.bare()), before.bare())
        return self._change(
            surfaces, path, before, after, lambda lineage: record.contracted(lineage, before, after, by, words)
        )

    def _change(
        self, surfaces: Sequence[Deployer], path: str, before: Notebook, after: Notebook,
        describe: Callable[[Lineage], Version],
    ) -> Version:
        self._catch_up(path, before)
        version = describe(self.store.lineage(path))
        intents = {c.id: intent_of(c.source) for c in after.cells if c.type == "code"}
        pointed = with_pointers(after, version, intents)
        self.store.begin(path, version, pointed)
        try:
            deploy(surfaces, before, pointed, version)
        except BaseException as e:
            with suppress(StoreError):  # it stays interrupted then, and is settled at the next start
                self.store.finish(version.id, "undone")
            if isinstance(e, StalePatch):
                raise StalePatch(f"{e} Nothing was changed.") from e
            raise
        self.store.finish(version.id, "deployed")
        return version

    def _catch_up(self, path: str, found: Notebook) -> None:
        """Settle what was interrupted; then record the notebook as it was found, or what a person changed since our last
        version."""
        settle(self.store, path, found)
        lineage = self.store.lineage(path)
        newest = head(lineage)
        if newest is None:
            version = record.first(found)
        elif newest.version.notebook != found.digest:
            version = record.by_hand(lineage, self.store.notebook(newest.version.notebook), found)
        else:
            return
        self.store.begin(path, version, found)
        self.store.finish(version.id, "deployed")


def sent_line(asked: Asked) -> tuple[str, str]:
    """A line of the log of what was sent, and its key: when, to which model, how much, at which level. No text of it."""
    at, prompt = record.now(), asked.prompt
    line = {
        "at": at, "model": asked.model, "level": asked.level, "hash": asked.prompt_hash,
        "characters": prompt.characters if prompt else 0, "tokens": asked.tokens, "redacted": dict(asked.redacted),
    }  # fmt: skip
    return f"{at} {asked.prompt_hash[:8]}", json.dumps(line)


def reach(notebook: Notebook, request: Request, ran: Sequence[str] | None) -> int:
    """How many cells, from the top, the run that a change is compared with goes: for a failure through its cell, in a
    live session through the last cell that has run there, else the whole notebook."""
    if request.failure and request.target:
        return notebook.index(request.target) + 1
    if ran is None:
        return len(notebook.cells)
    wanted = {*ran, request.target}
    return max((i + 1 for i, c in enumerate(notebook.cells) if c.id in wanted), default=0)


def state_above(notebook: Notebook, touched: Sequence[str]) -> str:
    """What tells one state above a change from another: the cells that made it."""
    first = min((notebook.index(i) for i in touched if i in notebook), default=0)
    return digest([c.source for c in notebook.cells[:first] if c.type == "code"])


def settle(store: Store, path: str, found: Notebook) -> list[str]:
    """Finish or undo what was interrupted (killed between intent and outcome), by what the notebook on disk holds.

    The notebook is whole in either case: it is written by an atomic rename. It holds the version where its content is
    that version's, or where its metadata names it (a person has edited since). Returns a line for each.
    """
    pointer = found.metadata.get(POINTER)
    named = pointer.get("version") if isinstance(pointer, Mapping) else None
    lines = []
    for r in store.lineage(path):
        if r.outcome is None:
            reached = r.version.notebook == found.digest or r.version.id == named
            store.finish(r.version.id, "deployed" if reached else "undone")
            lines.append(
                f"Version {r.number} was interrupted; the notebook "
                + ("holds it, so it was finished." if reached else "does not hold it, so it was undone.")
            )
    return lines


def preview(decided: Decided, trial: Trial, notebook: Notebook) -> Notebook:
    """The notebook as it would be, for showing a diff; `notebook` is the one that the proposal was made for."""
    return apply_ops(trial.candidate.patch.ops, notebook)
