"""Versions form a hash chain; undo and redo lead where a person expects."""

from dataclasses import fields, replace

import pytest
from hypothesis import assume, given

from jupyter_selfcode.values.patch import DeleteCell, Patch
from jupyter_selfcode.values.prompt import Cost
from jupyter_selfcode.values.strength import Strength
from jupyter_selfcode.values.version import (
    Recorded,
    Version,
    head,
    identity,
    in_force,
    make_version,
    redo_target,
    total_cost,
    undo_target,
)
from tests.strategies import lineages, recorded

FIRST = make_version(parents=(), patch=Patch("n"), notebook="n", kind="initial", by="person", at="2026-01-01T00:00:00Z")
OTHER = {
    "parents": ("p",), "patch": Patch("n", (DeleteCell("a"),)), "notebook": "m", "kind": "edit", "by": "policy",
    "at": "2027-01-01T00:00:00Z", "words": "w", "trigger": "t", "triage": "t", "options": ("o",), "proposer": "p",
    "model": "m", "prompt_hash": "h", "context_hash": "h", "rationale": "r", "level": 2, "assumptions": ("a",),
    "findings": ("f",), "tried": ("t",), "trial_kind": "fresh", "cost": Cost(1.0), "seconds": 1.0, "restores": "r",
    "mutants": Strength((), 1.0),
}  # fmt: skip


@pytest.mark.parametrize("name", [f.name for f in fields(Version) if f.name != "id"])
def test_every_field_is_part_of_the_id(name: str):
    assert identity(replace(FIRST, **{name: OTHER[name]})) != FIRST.id


def test_the_id_is_the_digest_of_the_rest():
    assert FIRST.id == identity(FIRST)
    assert make_version(**{f.name: getattr(FIRST, f.name) for f in fields(Version) if f.name != "id"}) == FIRST


def state(lineage: list[Recorded]) -> str | None:
    newest = head(lineage)
    return newest.version.state if newest else None


@given(lineages())
def test_undo_then_redo_is_where_it_began(lineage: list[Recorded]):
    before = state(lineage)
    back = undo_target(lineage)
    assume(back is not None)
    undone = [*lineage, recorded(lineage, "undo", back)]
    assert redo_target(undone) == before
    redone = [*undone, recorded(undone, "redo", redo_target(undone))]
    assert state(redone) == before
    assert undo_target(redone) == back


@given(lineages())
def test_undo_leads_through_every_state_to_the_first(lineage: list[Recorded]):
    states = [state(lineage)]
    while (back := undo_target(lineage)) is not None:
        lineage = [*lineage, recorded(lineage, "undo", back)]
        states.append(state(lineage))
        assert len(states) <= 20
    if lineage:
        assert states[-1] == lineage[0].version.id


@given(lineages())
def test_redo_after_all_undone_is_back_at_the_top(lineage: list[Recorded]):
    while (forth := redo_target(lineage)) is not None:
        lineage = [*lineage, recorded(lineage, "redo", forth)]
    top = state(lineage)
    while (back := undo_target(lineage)) is not None:
        lineage = [*lineage, recorded(lineage, "undo", back)]
    while (forth := redo_target(lineage)) is not None:
        lineage = [*lineage, recorded(lineage, "redo", forth)]
    assert state(lineage) == top


@given(lineages())
def test_a_change_after_undo_forgets_what_was_undone(lineage: list[Recorded]):
    assume(lineage)
    before = state(lineage)
    changed = [*lineage, recorded(lineage, "adapt")]
    assert redo_target(changed) is None
    assert undo_target(changed) == before


@given(lineages())
def test_what_was_not_deployed_leads_nowhere(lineage: list[Recorded]):
    deployed = [r for r in lineage if r.outcome == "deployed"]
    assert undo_target(lineage) == undo_target(deployed)
    assert redo_target(lineage) == redo_target(deployed)
    assert head(lineage) == (deployed[-1] if deployed else None)


@given(lineages())
def test_a_target_is_never_a_version_that_only_restores(lineage: list[Recorded]):
    restoring = {r.version.id for r in lineage if r.version.restores}
    assert undo_target(lineage) not in restoring
    assert redo_target(lineage) not in restoring


def test_a_rollback_can_be_undone():
    lineage: list[Recorded] = []
    for kind in ("initial", "adapt", "adapt"):
        lineage.append(recorded(lineage, kind))
    first, _, third = (r.version.id for r in lineage)
    lineage.append(recorded(lineage, "rollback", first))
    assert state(lineage) == first
    assert undo_target(lineage) == third


def test_hand_edits_that_stay_through_undo_are_no_step_of_their_own():
    lineage: list[Recorded] = []
    for kind in ("initial", "adapt", "edit"):
        lineage.append(recorded(lineage, kind))
    first, second, _ = (r.version.id for r in lineage)
    lineage.append(recorded(lineage, "undo", first))
    assert in_force(lineage) == first
    assert redo_target(lineage) == second
    lineage.append(recorded(lineage, "redo", second))
    assert in_force(lineage) == second
    assert undo_target(lineage) == first


def test_costs_add_up_and_an_unknown_price_stays_unknown():
    paid = replace(FIRST, cost=Cost(0.5, 10, 5, 1, 2.0))
    assert total_cost([paid, paid]) == Cost(1.0, 20, 10, 2, 4.0)
    assert total_cost([paid, replace(FIRST, cost=Cost(None, 1))]).usd is None
    assert total_cost([]) == Cost()
