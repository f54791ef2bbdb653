"""How far a trial runs, and what a failure further down says."""

from __future__ import annotations

import pytest

from jupyter_selfcode.stages.validate import further, until, within
from jupyter_selfcode.values.notebook import Cell, Notebook
from jupyter_selfcode.values.request import Failure, Request
from jupyter_selfcode.values.trial import CellResult, Example, Run

NB = Notebook(
    tuple(
        Cell(i, "code", s)
        for i, s in {
            "load": "df = 1",
            "other": '"""Other.\n\n>>> z\n0\n"""\nz = 0',
            "use": "u = df + 1",
            "promise": '"""More.\n\n>>> v\n3\n"""\nv = u + 1',
            "end": "w = v",
        }.items()
    )
)


def ok(*ids: str) -> tuple[CellResult, ...]:
    return tuple(CellResult(i, "ok") for i in ids)


def failed(cell_id: str, ename: str = "KeyError") -> CellResult:
    return CellResult(cell_id, "error", failure=Failure(cell_id, ename, "x"))


def test_a_trial_runs_through_what_is_touched_asked_about_and_ran_before():
    assert until(Request("", target="use"), ["load"], Run(ok("load")), NB) == 3
    assert until(Request(""), ["load"], Run(ok("load", "other", "use", "promise")), NB) == 4
    assert until(Request(""), ["load"], None, NB) == 5


def test_it_goes_on_to_the_nearest_promise_that_the_change_can_affect():
    assert further(NB, ["load"], 1) == 4
    assert further(NB, ["other"], 2) == 2, "the touched cell promises itself"
    assert further(NB, ["end"], 5) == 5
    assert further(NB, ["load"], 5) == 5


def test_another_failure_further_down_is_only_noted():
    run = Run((*ok("load", "other"), failed("use")), "error")
    kept, (finding,) = within(run, ["load"], {"use", "promise", "end"})
    assert (kept.state, [r.cell_id for r in kept.results]) == ("complete", ["load", "other"])
    assert (finding.severity, finding.cell_id) == ("note", "use")


def test_a_promise_further_down_that_the_change_breaks_is_for_a_person():
    examples = (Example("promise", "v\n", "3\n", "4\n", False),)
    run = Run((*ok("load", "other", "use"), failed("promise", "ContractBroken")), "error", examples=examples)
    kept, (finding,) = within(run, ["load"], {"use", "promise", "end"})
    assert finding.severity == "ask"
    assert kept.examples == ()


@pytest.mark.parametrize("required", [["load", "other", "use"], ["end"]])
def test_a_failure_of_what_had_to_run_stays(required):
    run = Run((*ok("load", "other"), failed("use")), "error")
    assert within(run, required, {"use"}) == (run, ())


def test_a_run_that_ended_well_stays_as_it_is():
    run = Run(ok("load", "other"))
    assert within(run, ["load"], ()) == (run, ())
