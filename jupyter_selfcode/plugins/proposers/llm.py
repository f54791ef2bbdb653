"""The proposer that asks a language model.

One call; at most two repairs, in the same conversation, with what was wrong as evidence; then up to three fresh and
different candidates in one round, told apart by execution; then it stops. (Repairs in one conversation soon go in
circles, and independent samples do not: hence the order.) Every call is asked of the meter before it is made, and what
it has cost is booked even where it broke off.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from ...analysis.secrets import Redactor
from ...protocols import EditFormat, Model, Situation
from ...values.canonical import digest
from ...values.errors import BudgetSpent, Declined, FormatError, ModelError, PatchError
from ...values.events import Asked, Event, Proposed, Said, Spent, Streamed
from ...values.patch import CellOp, InsertCell, Patch, ReplaceSource, apply
from ...values.prompt import Completion, Message, Prompt
from ...values.trial import Candidate, Trial
from . import prompts
from .style import in_style

MAX_TOKENS = 8_000
FRESH_TEMPERATURE = 1.0
WAITS = (1.0, 4.0, 15.0)
"""Seconds before asking again where a provider is busy or out of reach, unless it names a time itself."""
LONGEST_WAIT = 120.0
STREAMED_SECONDS = 0.2


@dataclass
class _Talk:
    """One request's calls: how many, what was said, what did not pass."""

    situation: Situation
    redactor: Redactor
    brief: prompts.Brief
    calls: int = 0
    completion: Completion | None = None
    prompt_hash: str = ""
    failed: list[tuple[str, str]] = field(default_factory=list)


class LlmProposer:
    """Candidates from a model, in an edit format."""

    name = "llm"
    price = 1.0

    def __init__(
        self,
        model: Model,
        format: EditFormat,
        *,
        repairs: int = 2,
        fresh: int = 3,
        max_tokens: int = MAX_TOKENS,
        waits: Sequence[float] = WAITS,
    ) -> None:
        self.model = model
        self.format = format
        self._repairs, self._fresh = repairs, fresh
        self._max_tokens, self._waits = max_tokens, tuple(waits)

    async def propose(self, situation: Situation) -> AsyncIterator[Event]:
        """Rounds of candidates. Raises `BudgetSpent` and `ModelError`."""
        redactor = Redactor.for_folder(situation.folder)
        first = prompts.brief(
            situation.request, situation.notebook, situation.context, tuple(situation.trials), self.format.instructions,
            redactor,
        )  # fmt: skip
        talk = _Talk(situation, redactor, first)
        try:
            async for event in self._converse(talk):
                yield event
            async for event in self._start_afresh(talk):
                yield event
        except Declined as e:
            yield Said(f"{self.model.name} made no edit: {e}")
        finally:
            await self.model.aclose()

    async def _converse(self, talk: _Talk) -> AsyncIterator[Event]:
        messages = talk.brief.messages
        for _ in range(1 + self._repairs):
            async for event in self._ask(talk, messages):
                yield event
            assert talk.completion is not None
            try:
                candidate = self._candidate(talk)
            except FormatError as e:
                why = str(e)
                yield Said(f"Attempt {talk.calls}: {why}")
                talk.failed.append(("(the answer could not be read)", why))
            else:
                same = self._same(talk.situation.trials, candidate)
                if same is None:
                    yield Proposed((candidate,))
                    same = self._same(talk.situation.trials, candidate)
                    why = self._wrong(talk, same)
                else:
                    yield Said(
                        f"Attempt {talk.calls}: the same change as one that did not pass; it is not tried again."
                    )
                    why = "This is the same change as one that did not pass:\n" + self._wrong(talk, same)
                talk.failed.append((candidate.rationale, why))
            messages = (
                *messages, Message("assistant", talk.completion.text or "(nothing)"), prompts.repair(why, talk.redactor)
            )  # fmt: skip

    async def _start_afresh(self, talk: _Talk) -> AsyncIterator[Event]:
        round_: list[Candidate] = []
        stopped: BudgetSpent | ModelError | None = None
        failed = list(talk.failed)
        for _ in range(self._fresh):
            try:
                messages = prompts.afresh(talk.brief, failed, talk.redactor)
                async for event in self._ask(talk, messages, FRESH_TEMPERATURE):
                    yield event
                candidate = self._candidate(talk)
            except (BudgetSpent, ModelError) as e:
                stopped = e
                break
            except (FormatError, Declined) as e:
                yield Said(f"Attempt {talk.calls}: {e}")
                continue
            failed.append((candidate.rationale, "- being tried"))
            known = self._same(talk.situation.trials, candidate) or any(c.patch == candidate.patch for c in round_)
            if known:
                yield Said(f"Attempt {talk.calls}: the same change as an earlier one; it is not tried again.")
            else:
                round_.append(candidate)
        if round_:
            yield Proposed(tuple(round_))
        if stopped is not None:
            raise stopped

    # ---- one call --------------------------------------------------------------------------------------------------

    async def _ask(
        self, talk: _Talk, messages: tuple[Message, ...], temperature: float | None = None
    ) -> AsyncIterator[Event]:
        """One answer, asked for again where the provider is busy. It is left in `talk.completion`."""
        meter, context = talk.situation.meter, talk.situation.context
        talk.completion = None
        talk.calls += 1
        messages = prompts.capped(messages)
        talk.prompt_hash = digest(messages)
        for wait in (*self._waits, None):
            prompt = Prompt(
                messages, talk.calls, self._max_tokens, temperature, prompts.words_of(talk.situation.request),
                meter.seconds_left,
            )  # fmt: skip
            estimate = self.model.estimate(prompt)
            meter.allow(estimate)
            taken = Counter(dict(context.redacted)) + talk.redactor.taken
            yield Asked(
                talk.calls, self.model.name, estimate.prompt_tokens, prompt, context.level, talk.prompt_hash,
                tuple(sorted(taken.items())),
            )  # fmt: skip
            try:
                async for event in self._stream(talk, prompt):
                    yield event
                return
            except ModelError as e:
                if e.cost.calls:
                    meter.add(e.cost)
                    yield Spent(meter.spent)
                pause = max(wait or 0.0, e.retry_after or 0.0)
                left = meter.seconds_left
                if not e.transient or wait is None or pause > LONGEST_WAIT or (left is not None and pause >= left):
                    raise
                yield Said(f"{e} Asking again in {pause:.0f} s.")
                await asyncio.sleep(pause)

    async def _stream(self, talk: _Talk, prompt: Prompt) -> AsyncIterator[Event]:
        characters, told = 0, time.monotonic()
        async with contextlib.aclosing(self.model.complete(prompt)) as pieces:  # type: ignore[type-var]
            async for piece in pieces:
                if isinstance(piece, Completion):
                    talk.completion = piece
                    break
                characters += len(piece)
                if time.monotonic() - told >= STREAMED_SECONDS:
                    told = time.monotonic()
                    yield Streamed(characters)
        if talk.completion is None:
            raise ModelError(f"{self.model.name} ended without an answer.", transient=True)
        talk.situation.meter.add(talk.completion.cost)
        yield Streamed(characters)
        yield Spent(talk.situation.meter.spent)

    # ---- what an answer means --------------------------------------------------------------------------------------

    def _candidate(self, talk: _Talk) -> Candidate:
        """The answer as a candidate. Raises `FormatError` with what to tell the model, and `Declined`."""
        completion, notebook = talk.completion, talk.situation.notebook
        assert completion is not None
        if completion.finish_reason in ("length", "max_tokens"):
            raise FormatError(
                f"The answer was cut off at {self._max_tokens} tokens. Think less at length and edit fewer cells, each whole."
            )
        ops, rationale = self.format.parse(completion.text, notebook)
        for op in ops:
            if isinstance(op, ReplaceSource) and op.cell_id not in talk.brief.whole:
                raise FormatError(
                    f"Cell {op.cell_id} was not shown whole, so it cannot be replaced. Edit a cell that is, or insert one."
                )
        ops = in_style(tuple(self._restored(op, talk.redactor) for op in ops), notebook, talk.situation.folder)
        patch = Patch(notebook.digest, ops)
        try:
            apply(patch, notebook)
        except PatchError as e:
            raise FormatError(str(e)) from e
        return Candidate(
            patch, rationale, self.name, cost=completion.cost, model=completion.model, prompt_hash=talk.prompt_hash
        )

    @staticmethod
    def _restored(op: CellOp, redactor: Redactor) -> CellOp:
        if isinstance(op, ReplaceSource):
            return ReplaceSource(op.cell_id, redactor.restore(op.source))
        if isinstance(op, InsertCell):
            return InsertCell(type(op.cell)(op.cell.id, op.cell.type, redactor.restore(op.cell.source)), op.after)
        return op

    @staticmethod
    def _same(trials: Sequence[Trial], candidate: Candidate) -> Trial | None:
        return next((t for t in trials if t.candidate.patch == candidate.patch), None)

    @staticmethod
    def _wrong(talk: _Talk, trial: Trial | None) -> str:
        if trial is None:
            return "- it was not accepted"
        return prompts.wrong(trial, talk.situation.notebook, talk.situation.context.level, talk.redactor)
