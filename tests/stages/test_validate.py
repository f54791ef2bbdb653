"""How far a trial runs, and what a failure further down says."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from jupyter_selfcode.stages.validate import further, together, until, within
from jupyter_selfcode.values.errors import KernelUnavailable
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


async def test_several_works_are_told_as_they_come_no_more_at_once_than_are_allowed_and_all_end_when_nobody_listens():
    at_work, most, ended = set(), [], []

    async def work(n):
        at_work.add(n)
        most.append(len(at_work))
        try:
            for _ in range(3):
                await asyncio.sleep(0)
                yield n
        finally:
            at_work.discard(n)
            ended.append(n)

    told = [n async for n in together([work(n) for n in range(5)], 2)]
    assert sorted(told) == sorted([*range(5)] * 3)
    assert max(most) == 2
    assert [n async for n in together([work(n) for n in range(3)], 1)] == [0, 0, 0, 1, 1, 1, 2, 2, 2]

    ended.clear()
    async with aclosing(together([work(n) for n in range(5)], 2)) as events:
        await anext(events)
    assert not at_work
    assert set(ended) <= {0, 1}


async def test_what_one_of_several_works_raises_is_raised_and_the_others_end():
    ended = []

    async def work(n):
        try:
            yield n
            if n:
                raise KernelUnavailable("none")
            await asyncio.sleep(3600)
        finally:
            ended.append(n)

    with pytest.raises(KernelUnavailable, match="none"):
        async for _ in together([work(0), work(1)], 2):
            pass
    assert sorted(ended) == [0, 1]
