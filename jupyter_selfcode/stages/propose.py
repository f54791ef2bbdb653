"""propose: proposers in order of price, under a budget that stops."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from ..protocols import Proposer, Situation
from ..values.errors import BudgetSpent
from ..values.events import Event, Said, StageStarted
from ..values.prompt import Cost
from ..values.request import Budget


class Spending:
    """What a request has spent, against its budget. A limit is hard: the call that would pass it is not made."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self._spent = Cost()
        self._start = time.monotonic()

    @property
    def spent(self) -> Cost:
        """All calls so far."""
        return self._spent

    @property
    def seconds(self) -> float:
        """Wall time since the request began."""
        return time.monotonic() - self._start

    @property
    def seconds_left(self) -> float | None:
        """Wall time that is left; None where there is no such limit."""
        return None if self.budget.seconds is None else max(0.0, self.budget.seconds - self.seconds)

    def allow(self, estimate: Cost) -> None:
        """Raises `BudgetSpent` where a call of this estimated cost would pass a limit.

        A call of unknown price passes the money limit only where the limit is None or the model is known to be
        free: an unknown price is not zero.
        """
        b, spent = self.budget, self._spent
        if b.attempts is not None and spent.calls + 1 > b.attempts:
            raise BudgetSpent(f"{spent.calls} of {b.attempts} attempts are spent.", limit="attempts")
        if b.tokens is not None and spent.tokens + estimate.tokens > b.tokens:
            raise BudgetSpent(
                f"The next call may take {estimate.tokens:,} tokens; {spent.tokens:,} of {b.tokens:,} are spent.",
                limit="tokens",
            )
        if b.usd is not None:
            if estimate.usd is None or spent.usd is None:
                raise BudgetSpent(
                    f"The price of this model is not known, so the limit of ${b.usd:g} cannot be kept. "
                    "Set budget_usd to None to go by tokens and attempts alone.",
                    limit="usd",
                )
            if spent.usd + estimate.usd > b.usd:
                raise BudgetSpent(
                    f"The next call may cost ${estimate.usd:.4f}; ${spent.usd:.4f} of ${b.usd:g} are spent.",
                    limit="usd",
                )
        if b.seconds is not None and self.seconds >= b.seconds:
            raise BudgetSpent(f"{self.seconds:.0f} s of {b.seconds:.0f} s are spent.", limit="seconds")

    def add(self, cost: Cost) -> None:
        """Book what a call did cost."""
        self._spent = self._spent + cost


async def propose(proposers: Sequence[Proposer], situation: Situation) -> AsyncGenerator[Event, None]:
    """Every proposer in order of price. Ends when all have nothing more; raises `BudgetSpent` from a proposer."""
    for proposer in sorted(proposers, key=lambda p: p.price):
        yield StageStarted("propose", proposer.name)
        try:
            async with aclosing(proposer.propose(situation)) as told:
                async for event in told:
                    yield event
        except BudgetSpent:
            raise
        except NotImplementedError as e:  # a plug-in that cannot serve this kind of request says so
            yield Said(f"{proposer.name}: {e}")
