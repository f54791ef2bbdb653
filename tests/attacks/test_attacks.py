"""The attack corpus: each row against each tier of the cage, as an ordinary user and as root, with its control.

No screen reads the code before it runs: only what the cage itself does is seen. An attack counts as stopped only where
the same kernel has answered before it, and where it succeeds on a plain kernel in the same run of the tests.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from jupyter_selfcode.plugins.sandboxes.plan import CONTAINED, Contained
from jupyter_selfcode.plugins.sandboxes.tiers import PROMISES
from tests.attacks.arena import Arena, beyond
from tests.attacks.attacks import ATTACKS, Attack
from tests.attacks.users import ROOT, User, why_not

Arenas = Callable[[User], Arena]
Score = Counter[tuple[str, str]]

ROWS = [pytest.param(a, id=a.id, marks=[pytest.mark.slow] if a.slow else []) for a in ATTACKS]


def controlled(attack: Attack, user: User, arenas: Arenas) -> bool:
    """Whether it succeeded on a plain kernel; False where the row says why it has no control. Fails where it should."""
    root = None if user == ROOT or why_not(ROOT) else arenas(ROOT)
    control = arenas(user).control(attack, root)
    if control is None:
        return False
    assert control.answer.get("alive"), f"the plain kernel is not well: {control.refused or control.answer}"
    if attack.oracle not in control.through and attack.absent:
        return False
    assert attack.oracle in control.through, f"it does not succeed on a plain kernel either: {control}"
    return True


ELSEWHERE = {
    39: "stages/test_judge.py::test_a_cell_that_raises_and_is_reported_as_finished_is_found_by_what_it_should_have_left",
    40: "stages/test_judge.py::test_a_comparison_that_was_bent_is_straight_outside",
    41: "stages/test_judge.py::test_objects_that_run_code_where_they_are_read_run_nothing_outside_of_the_cage",
    43: "plugins/sandboxes/test_hostile_outputs.py::test_active_content_is_named_and_never_drawn",
    44: "plugins/sandboxes/test_hostile_outputs.py::test_what_a_trial_asks_of_a_front_end_is_ignored",
    48: "plugins/checks/test_checks.py::scope:hidden",
    49: "plugins/proposers/test_prompts.py::test_an_order_in_a_header_or_a_printed_line_stays_inside_of_its_fence_in_every_part",
    50: "journeys/test_no_secret_leaves.py::test_no_secret_is_sent_stored_written_or_shown",
    51: "stages/test_judge.py::test_a_cell_that_raises_and_is_reported_as_finished_is_found_by_what_it_should_have_left",
    53: "plugins/sandboxes/test_forked.py::test_a_candidate_reaches_nothing_of_what_it_was_copied_from_and_stays_no_longer_than_its_trial",
    55: "plugins/sandboxes/test_tiers.py::test_a_tier_falls_visibly_where_a_part_of_it_is_missing",
}
"""Rows of the corpus that are no attack on a cage, and where each is tested."""

OPEN = {
    52: "a result that depends on the time or the order of threads: a second run would double what every trial costs",
}
"""Rows that are not tested, and why."""


def test_no_row_of_the_corpus_is_forgotten():
    told = {a.row for a in ATTACKS}, set(ELSEWHERE), set(OPEN)
    assert sorted(row for rows in told for row in rows) == list(range(1, 56))
    for place in ELSEWHERE.values():
        file, _, what = place.partition("::")
        assert what in Path(__file__).parents[1].joinpath(file).read_text("utf-8")


def test_every_row_has_a_name_of_its_own():
    assert [name for name, n in Counter(a.id for a in ATTACKS).items() if n > 1] == []


@pytest.mark.timeout(180)
@pytest.mark.parametrize("attack", ROWS)
def test_it_succeeds_on_a_plain_kernel(attack: Attack, user: User, arenas: Arenas, score: Score):
    if not controlled(attack, user, arenas):
        pytest.skip(attack.bare or attack.absent or attack.bare_as_root or "only root can do it on a plain kernel")
    score[f"plain kernel, {user.name}", "controls that succeeded"] += 1


@pytest.mark.timeout(180)
@pytest.mark.parametrize("attack", ROWS)
@pytest.mark.parametrize("tier", CONTAINED)
def test_it_does_not_get_through(attack: Attack, tier: Contained, user: User, arenas: Arenas, score: Score):
    arena, place = arenas(user), f"tier {tier}, {user.name}"
    if reason := arena.why_no_cage(tier):
        pytest.skip(f"tier {tier} is not there for the {user.name} user: {reason}")
    controlled(attack, user, arenas)
    outcome = arena.run(attack, tier, attack.cells)
    assert outcome.answer.get("alive"), f"the kernel was not well before the attack: {outcome}"
    score[place, "attacks"] += 1
    if attack.stated.get(tier):
        assert attack.stated[tier] in PROMISES[tier]
        score[place, "left open by the promise"] += bool(outcome.through)
    score[place, "got through"] += bool(found := beyond(outcome, attack, tier))
    assert not found, f"{attack.tries}: {found}"
    if attack.ends:
        assert outcome.state in attack.ends, outcome.answer
    if attack.never_ok or attack.ends:
        assert outcome.answer["statuses"][-1] != "ok", outcome.answer
