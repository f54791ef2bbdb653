"""A live cell that fails again as it did is left alone; what was deployed and fails again is taken back."""

from __future__ import annotations

import re

CELL = '%%selfcode\n"""Sorted stock.\n\n>>> things\n[1, 2, 3]\n"""\nthings = sorted({})'


def told(person):
    return re.sub(r"\s+", " ", person.told())


def deployed(person):
    """A change that the policy deployed."""
    person.set("policy = 'deploy'")
    person.run("stock = [3, 1, 2]", "s")
    person.model_says(person.edit("g", "things = sorted(stock)"))
    assert person.run(CELL.format("stok"), "g").success, person.told()
    person.told()


def test_the_very_same_failure_is_left_alone_and_a_person_may_ask_all_the_same(person):
    person.run("stock = [3, 1, 2]", "s")
    person.model_says(person.edit("g", "things = sorted(stok)"), *[person.edit("g", "things = sorted(stok) ")] * 5)
    person.run(CELL.format("stok"), "g")
    calls = len(person.model.asked)
    assert calls
    person.told()
    person.run(CELL.format("stok"), "g")
    assert len(person.model.asked) == calls
    said = told(person)
    assert "This very failure was tried on" in said
    assert "%selfcode fix tries it all the same." in said
    person.run("%selfcode fix", "x")
    assert len(person.model.asked) > calls


def test_what_was_tried_unasked_is_told_with_the_cost(person):
    deployed(person)
    person.run("%selfcode cost", "x")
    said = told(person)
    assert "tried unasked: 1 attempt" in said
    assert "NameError in g" in said


def test_a_new_failure_of_what_was_deployed_takes_it_back_by_itself(person):
    deployed(person)
    person.run("stok = [3, 1, 2]\nstock = [None, 'x']", "s")
    person.run(person.notebook().cell("g").source, "g")
    said = told(person)
    assert "is on probation, and this failure is of what it made. It was taken back" in said
    assert person.notebook().cell("g").source == CELL.format("stok")
    version = person.extension.workspace().lineage()[-1].version
    assert (version.kind, version.by) == ("rollback", "policy")
    assert person.shell.user_ns["things"] == [1, 2, 3]


def test_with_the_policy_propose_it_is_only_said_how(person):
    deployed(person)
    person.set("policy = 'propose'")
    person.run("stock = [None, 'x']", "s")
    person.model_says()
    source = person.notebook().cell("g").source
    person.run(source, "g")
    assert "To take it back: %selfcode rollback" in told(person)
    assert person.notebook().cell("g").source == source


def test_a_plain_cell_below_that_reads_it_takes_it_back_and_another_does_not(person):
    deployed(person)
    person.run("nobody.knows", "o")
    assert "probation" not in told(person)
    person.run("assert things == [3, 2, 1]", "b")
    assert "It was taken back" in told(person)


def test_after_enough_good_runs_of_the_cell_it_stays(person):
    person.set("probation_runs = 2")
    deployed(person)
    source = person.notebook().cell("g").source
    for _ in range(2):
        assert person.run(source, "g").success
    person.run("stock = [None, 'x']", "s")
    person.model_says()
    person.run(source, "g")
    assert "probation" not in told(person)
