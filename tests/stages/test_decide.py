"""What a trial proved, and what may be deployed because of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jupyter_selfcode.analysis.evidence import asserted
from jupyter_selfcode.stages.decide import decide, nothing_passed, weighed
from jupyter_selfcode.values.decision import Accept, Ask, Policy
from jupyter_selfcode.values.notebook import Cell, Notebook
from jupyter_selfcode.values.patch import Patch, ReplaceSource, apply
from jupyter_selfcode.values.request import Failure
from jupyter_selfcode.values.strength import Mutant, Strength
from jupyter_selfcode.values.trial import Candidate, CellResult, Example, Finding, Run, Trial

DEPLOY, PROPOSE = Policy("deploy"), Policy("propose")
BEFORE = Notebook(
    (
        Cell("a", "code", "x = 1"),
        Cell("b", "code", '"""More than x.\n\n>>> y\n2\n"""\ny = x + 1\nassert y == x + 1'),
        Cell("z", "code", "other = 3"),
    )
)


def text(value: str) -> tuple[dict, ...]:
    return ({"output_type": "execute_result", "data": {"text/plain": value}, "metadata": {}, "execution_count": 1},)


def ran(*ids: str, failed: str | None = None, examples: tuple[Example, ...] = (), outputs: dict | None = None) -> Run:
    results = tuple(CellResult(i, "error" if i == failed else "ok", (outputs or {}).get(i, ())) for i in ids)
    return Run(results, "error" if failed else "complete", examples=examples, sandbox="test", tier="A")


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
    assert "was broken before and holds now" in decision.reason


def test_promises_of_cells_that_the_change_cannot_affect_count_for_nothing():
    made = trial("z", "other = 4", ran("a", "b", "z", examples=(example("b"),)), ran("a", failed="a"))
    assert (made.level, made.decisive) == (1, 0)
    assert isinstance(decide([made], DEPLOY), Ask)


def test_an_assertion_that_the_candidate_brought_itself_is_no_promise():
    made = trial("z", "other = 4\nassert other == 4", ran("a", "b", "z"), ran("a", "b", "z", failed="z"))
    assert (made.level, made.decisive) == (1, 0)


def test_an_example_that_the_candidate_brought_itself_is_no_promise():
    own = Example("z", "other\n", "4\n", "4\n", True)
    made = trial("z", '"""Four.\n\n>>> other\n4\n"""\nother = 4', ran("a", "b", "z", examples=(own,)), ran("a", "b", "z", failed="z"))
    assert (made.level, made.decisive) == (1, 0)
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


def test_a_gain_is_asked_about_even_where_a_library_documents_the_replacement():
    made = trial("z", "other = 4", ran("a", "b", "z"), ran("a", "b", "z", failed="z"), warrant="numpy 2.0 (link)")
    gain = Finding("capability:write", "Line 1 could write files.", "ask", "z")
    asking = Trial(**{f: getattr(made, f) for f in made.__slots__} | {"findings": (gain,)})
    assert decide([asking], DEPLOY) == Ask(asking, "Line 1 could write files.")


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
    assert nothing_passed([failed]).reason == "The one candidate did not pass: Cell b fails."


def test_where_a_cell_fails_above_what_was_promised_the_end_says_so_and_not_what_follows_from_it():
    follows = Finding("contract:not-run", "The example >>> x was not run.", "block")
    failed = Trial(Candidate(Patch("x"), "", "test"), findings=(follows, Finding("runs:fails", "Cell a fails.", "block")))
    assert nothing_passed([failed]).reason == "The one candidate did not pass: Cell a fails."


def test_where_nothing_was_tried_the_end_says_why_and_what_to_do():
    assert nothing_passed([], "The model declined: no region is known.").reason == "The model declined: no region is known."
    assert "--model" in nothing_passed([], model=False).reason


def weak(cell: str, new: str, *examples: str, got: str | None = None) -> Trial:
    """A repair of cell `a` that failed, with examples of cell `b` that hold now; `got`: what they gave before."""
    text = "\n".join(f">>> {e}\nTrue" for e in examples)
    nb = Notebook((Cell("a", "code", cell), Cell("b", "code", f'"""B.\n\n{text}\n"""\nz = x')))
    now = tuple(Example("b", e + "\n", "True\n", "True\n", True) for e in examples)
    was = () if got is None else tuple(Example("b", e + "\n", "True\n", got, False) for e in examples)
    candidate = Candidate(Patch(nb.digest, (ReplaceSource("a", new),)), "", "test")
    made = Trial(candidate, ran("a", "b", examples=now), ran("a", failed="a", examples=was), kind="fresh")
    return weighed(made, nb, apply(candidate.patch, nb), {})


@pytest.mark.parametrize(
    "example", ["True", "1 + 1 == 2", "x == x", "x == 3 or True", "k == 7", "len(k) == 3", "(lambda: 5)() == 5"]
)
def test_examples_that_do_not_look_at_the_change_are_no_evidence_at_all(example):
    made = weak("k = 7\nx = bad", "k = 7\nx = 3", example)
    assert (made.level, made.decisive) == (0, 0)
    assert isinstance(decide([made], DEPLOY), Ask)


@pytest.mark.parametrize(
    "example", ["x is not None", "len(x) == 3", "x > 0", "isinstance(x, list)", "'a' in x", "x.shape == (3, 2)", "bool(x)"]
)
def test_examples_that_hold_for_nearly_any_result_are_not_decisive(example):
    made = weak("k = 7\nx = bad", "k = 7\nx = 3", example)
    assert (made.level, made.decisive) == (2, 0)
    assert isinstance(decide([made], DEPLOY), Ask)


@pytest.mark.parametrize("example", ["x == 3", "z == 3", "0 < x < 9", "abs(x - 3) < 0.1", "np.isclose(z, 3)", "x.sum() == k"])
def test_examples_that_say_which_result_is_right_are_decisive(example):
    made = weak("k = 7\nx = bad", "k = 7\nx = 3", example)
    assert (made.level, made.decisive) == (2, 1)


def test_a_weak_example_that_gave_a_wrong_value_before_is_what_was_to_be_mended():
    assert weak("x = 2", "x = 3", "x > 2", got="False\n").decisive == 1
    assert weak("x = 2", "x = 3", "x > 2", got="NameError: name 'x' is not defined").decisive == 0


@pytest.mark.parametrize("example", ["len(x) == 3", "x.shape == (3, 2)", "x.nunique()", "isinstance(x, list)", "0 < len(x) < 9"])
def test_that_there_are_as_many_as_promised_now_does_not_say_that_they_are_the_right_ones(example):
    assert weak("x = 2", "x = 3", example, got="False\n").decisive == 0


def test_what_is_bound_anew_below_the_change_is_free_of_it():
    nb = Notebook((Cell("a", "code", "x = bad"), Cell("b", "code", '"""B.\n\n>>> x\n1\n"""\nx = 1\nz = 2')))
    candidate = Candidate(Patch(nb.digest, (ReplaceSource("a", "x = 3"),)), "", "test")
    run = ran("a", "b", examples=(Example("b", "x\n", "1\n", "1\n", True),))
    made = weighed(Trial(candidate, run, ran("a", failed="a"), kind="fresh"), nb, apply(candidate.patch, nb), {})
    assert made.decisive == 0


def test_a_recorded_output_that_shows_nothing_of_the_change_is_not_decisive():
    recorded = {"z": text("'done'")}
    nb = "other = bad\n'done'"
    before = Notebook((Cell("z", "code", nb),))
    candidate = Candidate(Patch(before.digest, (ReplaceSource("z", "other = 4\n'done'"),)), "", "test")
    made = weighed(
        Trial(candidate, ran("z", outputs=recorded), ran("z", failed="z"), kind="fresh"),
        before, apply(candidate.patch, before), recorded,
    )  # fmt: skip
    assert (made.level, made.decisive) == (0, 0)


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


@pytest.mark.parametrize("tier", ["C", None])
def test_what_was_tried_without_a_cage_is_never_deployed_unasked(tier):
    run = replace(ran("a", "b", examples=(example("b"),)), tier=tier)
    before = ran("a", "b", failed="b", examples=(example("b", False),))
    decision = decide([trial("a", "x = 2", run, before)], DEPLOY)
    assert isinstance(decision, Ask)
    assert "without a cage" in decision.reason
    warranted = decide([trial("a", "x = 2", run, before, warrant="documented as the same")], DEPLOY)
    assert isinstance(warranted, Ask)


def test_a_change_whose_reach_is_known_from_the_code_is_framed():
    made = trial("z", "other = 4", ran("a", "b", "z"), ran("a", "b", "z"))
    assert made.level == 1
    assert any(a.startswith("proved from the code") and "(a, b)" in a for a in made.assumptions)


def test_a_cell_that_may_be_affected_and_showed_nothing_is_named_as_unknown():
    made = trial("a", "x = 2", ran("a", "b", "z"), ran("a", "b", "z"))
    assert any(a.startswith("may be affected, unknown: 1 cell (b)") for a in made.assumptions)


def test_a_cell_that_may_be_affected_and_showed_the_same_again_was_observed():
    shown = {"b": text("2")}
    made = trial("a", "x = 2", ran("a", "b", "z", outputs=shown), ran("a", "b", "z", outputs=shown))
    assert any(a.startswith("observed to give the same again: 1 cell (b)") for a in made.assumptions)


@pytest.mark.parametrize(
    ("caught", "counted", "least", "asked"),
    [(1, 4, 0.5, True), (2, 4, 0.5, False), (0, 1, 0.5, False), (0, 8, 0.0, False), (None, 0, 0.5, False)],
)
def test_a_contract_that_catches_too_few_small_mistakes_does_not_decide_alone(caught, counted, least, asked):
    made = trial("a", "x = 2", ran("a", "b", examples=(example("b"),)), ran("a", "b", failed="b", examples=(example("b", False),)))
    if caught is not None:
        mutants = [Mutant("a", 1, "constant", "2 → 3", "caught" if i < caught else "survived") for i in range(counted)]
        made = replace(made, strength=Strength(tuple(mutants), missing="no promise looks at x"))
    decision = decide([made], Policy("deploy", min_strength=least))
    assert isinstance(decision, Ask if asked else Accept)
    if asked:
        assert decision.reason == "Its contract would have caught 1 of 4 small mistakes, too few to decide by; no promise looks at x."


@pytest.mark.parametrize(
    ("caught", "counted", "least", "asked"),
    [(2, 4, 0.1, False), (1, 3, 0.1, True), (1, 1, 0.1, True), (0, 0, 0.1, True), (0, 0, 0.0, False), (3, 4, 0.9, True)],
)
def test_where_only_a_promise_was_broken_it_has_to_catch_half_of_the_mistakes(caught, counted, least, asked):
    before = ran("a", "b", failed="b", examples=(example("b", False),))
    broken = Failure("b", "ContractBroken", "y gave 3, the contract says 2")
    results = tuple(replace(r, failure=broken) if r.status == "error" else r for r in before.results)
    made = trial("a", "x = 2", ran("a", "b", examples=(example("b"),)), replace(before, results=results))
    mutants = [Mutant("a", 1, "constant", "2 → 3", "caught" if i < caught else "survived") for i in range(counted)]
    made = replace(made, strength=Strength(tuple(mutants)))
    assert isinstance(decide([made], Policy("deploy", min_strength=least)), Ask if asked else Accept)
