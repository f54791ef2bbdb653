"""What a trial proved, and what may be deployed because of it."""

from __future__ import annotations

import pytest

from jupyter_selfcode.stages.decide import asserted, decide, nothing_passed, weighed
from jupyter_selfcode.values.decision import Accept, Ask, Policy
from jupyter_selfcode.values.notebook import Cell, Notebook
from jupyter_selfcode.values.patch import Patch, ReplaceSource, apply
from jupyter_selfcode.values.trial import Candidate, CellResult, Example, Finding, Run, Trial

DEPLOY, PROPOSE = Policy("deploy"), Policy("propose")
BEFORE = Notebook(
    (
        Cell("a", "code", "x = 1"),
        Cell("b", "code", '"""More than x.\n\n>>> y\n2\n"""\ny = x + 1\nassert y > 0'),
        Cell("z", "code", "other = 3"),
    )
)


def text(value: str) -> tuple[dict, ...]:
    return ({"output_type": "execute_result", "data": {"text/plain": value}, "metadata": {}, "execution_count": 1},)


def ran(*ids: str, failed: str | None = None, examples: tuple[Example, ...] = (), outputs: dict | None = None) -> Run:
    results = tuple(CellResult(i, "error" if i == failed else "ok", (outputs or {}).get(i, ())) for i in ids)
    return Run(results, "error" if failed else "complete", examples=examples, sandbox="test")


def trial(cell_id: str, source: str, run: Run, before: Run, recorded: dict | None = None, **given) -> Trial:
    candidate = Candidate(Patch(BEFORE.digest, (ReplaceSource(cell_id, source),)), "", "test", **given)
    made = Trial(candidate, run, before, kind="fresh")
    return weighed(made, BEFORE, apply(candidate.patch, BEFORE), recorded or {})


def example(cell_id: str, passed: bool = True) -> Example:
    return Example(cell_id, "y\n", "2\n", "2\n" if passed else "3\n", passed)


def test_a_promise_that_did_not_hold_before_and_holds_now_is_accepted():
    made = trial("a", "x = 2", ran("a", "b", examples=(example("b"),)), ran("a", "b", failed="b", examples=(example("b", False),)))
    assert (made.level, made.decisive) == (2, 2)  # the example, and the assertion of the cell that failed
    assert isinstance(decide([made], DEPLOY), Accept)


def test_a_promise_that_held_before_too_lets_a_person_decide():
    made = trial("a", "x = 2", ran("a", "b", examples=(example("b"),)), ran("a", "b", examples=(example("b"),)))
    assert (made.level, made.decisive) == (2, 0)
    decision = decide([made], DEPLOY)
    assert isinstance(decision, Ask)
    assert "held before" in decision.reason


def test_promises_of_cells_that_the_change_cannot_affect_count_for_nothing():
    made = trial("z", "other = 4", ran("a", "b", "z", examples=(example("b"),)), ran("a", failed="a"))
    assert (made.level, made.decisive) == (0, 0)
    assert isinstance(decide([made], DEPLOY), Ask)


def test_an_assertion_that_the_candidate_brought_itself_is_no_promise():
    made = trial("z", "other = 4\nassert other == 4", ran("a", "b", "z"), ran("a", "b", "z", failed="z"))
    assert (made.level, made.decisive) == (0, 0)


def test_an_example_that_the_candidate_brought_itself_is_no_promise():
    own = Example("z", "other\n", "4\n", "4\n", True)
    made = trial("z", '"""Four.\n\n>>> other\n4\n"""\nother = 4', ran("a", "b", "z", examples=(own,)), ran("a", "b", "z", failed="z"))
    assert (made.level, made.decisive) == (0, 0)
    assert any("brought itself" in a for a in made.assumptions)


def test_an_assertion_of_the_notebook_that_is_reached_again_is_decisive():
    made = trial("a", "x = 5", ran("a", "b"), ran("a", failed="a"))
    assert (made.level, made.decisive) == (2, 1)


def test_the_output_that_the_notebook_had_recorded_is_decisive_for_a_cell_that_failed():
    recorded = {"z": text("3")}
    made = trial("z", "other = 1 + 2\nother", ran("a", "b", "z", outputs=recorded), ran("a", "b", "z", failed="z"), recorded)
    assert (made.level, made.decisive) == (2, 1)
    unchanged = trial("z", "other = 1 + 2\nother", ran("a", "b", "z", outputs=recorded), ran("a", "b", "z"), recorded)
    assert (unchanged.level, unchanged.decisive) == (2, 0)


def test_a_documented_replacement_needs_no_contract():
    made = trial("z", "other = 4", ran("a", "b", "z"), ran("a", "b", "z", failed="z"), warrant="numpy 2.0 (link)")
    assert decide([made], DEPLOY) == Accept(made, "numpy 2.0 (link)")


def test_an_open_question_is_asked_whatever_the_policy_and_the_level():
    made = trial("a", "x = 2", ran("a", "b", examples=(example("b"),)), ran("a", failed="a"))
    asking = Trial(**{f: getattr(made, f) for f in made.__slots__} | {"findings": (Finding("x", "Is this meant?", "ask"),)})
    assert decide([asking], DEPLOY) == Ask(asking, "Is this meant?")


def test_under_policy_propose_a_person_decides():
    made = trial("a", "x = 2", ran("a", "b", examples=(example("b"),)), ran("a", failed="a"))
    assert isinstance(decide([made], PROPOSE), Ask)


def test_candidates_that_ran_and_disagree_are_asked_about():
    one = trial("z", "other = 4\nother", ran("a", "b", "z", outputs={"z": text("4")}), ran("a", failed="a"))
    two = trial("z", "other = 5\nother", ran("a", "b", "z", outputs={"z": text("5")}), ran("a", failed="a"))
    decision = decide([one, two], DEPLOY)
    assert isinstance(decision, Ask)
    assert "different results" in decision.reason


def test_the_smaller_of_two_that_prove_the_same_is_chosen():
    run, before = ran("a", "b", examples=(example("b"),)), ran("a", failed="a")
    long, short = trial("a", "x = 1 + 1 + 0 * 3", run, before), trial("a", "x = 2", run, before)
    assert decide([long, short], DEPLOY).trial is short


def test_where_none_passed_the_next_round_may_try_and_the_end_says_what_stopped_the_last():
    failed = Trial(Candidate(Patch("x"), "", "test"), findings=(Finding("runs", "Cell b fails.", "block"),))
    assert decide([failed], DEPLOY) is None
    assert nothing_passed([failed]).reason == "None of 1 candidates passed. The last: Cell b fails."


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("assert x > 0", {"x > 0"}),
        ("%%selfcode\nassert x, 'must be'", {"x"}),
        ("assert True", set()),
        ("if False:\n    assert x", set()),
        ("def f():\n    assert x", set()),
        ("!ls\nassert len(x) == 3", {"len(x) == 3"}),
    ],
)
def test_only_assertions_that_run_and_say_something_count(source, expected):
    assert asserted(source) == expected
