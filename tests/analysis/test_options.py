"""The options say what each brings, takes and risks; the one that was taken is marked, and nobody's guess is a figure."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jupyter_selfcode.analysis.options import rolled_back, settled, weigh
from jupyter_selfcode.values.request import Budget, Failure, Request
from jupyter_selfcode.values.trial import Run

FAILED = Request("", "exception", "c", (), Failure("c", "KeyError", "'a'"), Budget(attempts=4, seconds=60.0))
KINDS = ("transient", "environment", "stale", "code")


def chosen(options):
    return {o.name for o in options if o.chosen}


@given(st.sampled_from(KINDS), st.floats(0, 1e6))
def test_every_kind_of_trouble_has_one_way_and_each_option_a_reason_and_a_risk(kind, seconds):
    options = weigh(kind, FAILED, Run(seconds=seconds))
    assert [o.name for o in options] == ["do nothing", "re-run", "roll back", "ask", "rules", "model"]
    assert len(chosen(options)) == 1
    assert all(o.reason and o.brings and o.risk for o in options)
    assert next(o for o in options if o.name == "re-run").seconds == seconds


def test_what_no_edit_can_mend_brings_nothing_by_an_edit():
    for kind in ("transient", "environment", "stale"):
        edits = [o for o in weigh(kind, FAILED, None) if o.name in ("rules", "model")]
        assert {o.brings for o in edits} == {"nothing"}


def test_a_model_takes_at_most_the_budget_and_rules_take_no_call():
    by = {o.name: o for o in weigh("code", FAILED, Run(seconds=3.0))}
    assert (by["model"].calls, by["model"].seconds) == (4, 60.0)
    assert (by["rules"].calls, by["rules"].seconds) == (0, 3.0)


def test_what_made_the_change_is_what_was_chosen_and_that_a_person_was_asked_is_told():
    options = weigh("code", FAILED, None)
    assert chosen(options) == {"rules"}
    assert chosen(settled(options, "llm", asked=False)) == {"model"}
    assert chosen(settled(options, "rules", asked=True)) == {"rules", "ask"}


def test_a_rollback_says_so():
    assert chosen(rolled_back("it failed")) == {"roll back"}
