"""The request that a failure of a run makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ..analysis.forms import intent_of
from ..values.notebook import Cell
from ..values.prompt import Cost
from ..values.request import Budget, Failure, Request

if TYPE_CHECKING:
    from ..config import SelfCode


def request_for(cell: Cell, failure: Failure, settings: SelfCode, spent: Cost) -> Request:
    """The request, with what is left of the run's budget."""
    s = settings
    left = Budget(
        None if s.budget_usd is None else max(0.0, s.budget_usd - (spent.usd or 0.0)),
        None if s.budget_tokens is None else max(0, s.budget_tokens - spent.tokens),
        s.budget_attempts, s.budget_seconds,
    )  # fmt: skip
    words = intent_of(cell.source)
    if failure.ename == "Intent":
        return Request(words, "intent", cell.id, (cell.id,), None, left)
    trigger: Literal["contract", "exception"] = "contract" if failure.ename == "ContractBroken" else "exception"
    return Request(words if trigger == "contract" else "", trigger, cell.id, (), failure, left)
