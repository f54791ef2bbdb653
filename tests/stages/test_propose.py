"""A budget stops before the call that would pass it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_selfcode.protocols import Situation
from jupyter_selfcode.stages.propose import Spending, propose
from jupyter_selfcode.values.errors import BudgetSpent
from jupyter_selfcode.values.events import Event, Said, StageStarted
from jupyter_selfcode.values.notebook import Notebook
from jupyter_selfcode.values.prompt import Cost
from jupyter_selfcode.values.request import Budget, Context, Request
from jupyter_selfcode.values.trial import Run

costs = st.builds(
    Cost,
    usd=st.floats(0, 2),
    prompt_tokens=st.integers(0, 50_000),
    completion_tokens=st.integers(0, 8_000),
    calls=st.just(1),
)


@given(st.lists(costs, max_size=20), st.floats(0, 5), st.integers(0, 200_000), st.integers(0, 8))
def test_no_order_of_calls_spends_more_than_any_limit(calls, usd, tokens, attempts):
    spending = Spending(Budget(usd=usd, tokens=tokens, attempts=attempts, seconds=None))
    for cost in calls:
        try:
            spending.allow(cost)
        except BudgetSpent:
            continue
        spending.add(cost)
    assert spending.spent.usd <= usd
    assert spending.spent.tokens <= tokens
    assert spending.spent.calls <= attempts


def test_a_call_of_unknown_price_is_not_made_under_a_money_limit():
    with pytest.raises(BudgetSpent, match="price of this model is not known"):
        Spending(Budget(usd=1.0)).allow(Cost(usd=None, prompt_tokens=1))


def test_a_call_of_unknown_price_is_made_where_only_tokens_are_limited():
    spending = Spending(Budget(usd=None, tokens=100))
    spending.allow(Cost(usd=None, prompt_tokens=10, calls=1))
    spending.add(Cost(usd=None, prompt_tokens=10, calls=1))
    with pytest.raises(BudgetSpent, match="100") as spent:
        spending.allow(Cost(usd=None, prompt_tokens=91, calls=1))
    assert spent.value.limit == "tokens"


def test_no_call_is_made_when_the_seconds_are_spent():
    with pytest.raises(BudgetSpent) as spent:
        Spending(Budget(seconds=0)).allow(Cost())
    assert spent.value.limit == "seconds"


class Telling:
    """A proposer that only tells that it was asked."""

    def __init__(self, name: str, price: float) -> None:
        self.name, self.price = name, price

    async def propose(self, situation: Situation) -> AsyncIterator[Event]:
        yield Said(self.name)


async def test_proposers_go_in_order_of_price():
    situation = Situation(
        Request("x"), Notebook(), Run(), Context(), [], Spending(Budget()), Path()
    )
    told = [e async for e in propose([Telling("model", 1), Telling("rules", 0), Telling("small model", 0.5)], situation)]
    assert [e.text for e in told if isinstance(e, Said)] == ["rules", "small model", "model"]
    assert [e.detail for e in told if isinstance(e, StageStarted)] == ["rules", "small model", "model"]
