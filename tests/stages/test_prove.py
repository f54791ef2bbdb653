"""What a prover says of a change, and what it is worth: level 4 where a contract holds too, a question where something differs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jupyter_selfcode.plugins.provers.crosshair import CrossHairProver
from jupyter_selfcode.plugins.provers.scripted import ScriptedProver
from jupyter_selfcode.plugins.sandboxes.contained import ContainedSandbox
from jupyter_selfcode.plugins.sandboxes.scripted import ScriptedSandbox
from jupyter_selfcode.plugins.stores.sql import SqlStore
from jupyter_selfcode.protocols import Limits, Prover
from jupyter_selfcode.stages.prove import proved
from jupyter_selfcode.values.decision import Accept, Ask, Reject
from jupyter_selfcode.values.events import StageStarted, Tried
from jupyter_selfcode.values.notebook import Cell, Notebook
from jupyter_selfcode.values.patch import diff
from jupyter_selfcode.values.request import Failure, Request
from jupyter_selfcode.values.trial import Candidate, Run, Trial
from tests.stages.test_behave import asked

OLD = "def share(part: int, whole: int) -> int:\n    return part * 100 // whole"
NEW = "def share(part: int, whole: int) -> int:\n    return -1 if whole == 0 else part * 100 // whole"
USE = '"""Shares.\n\n>>> shares\n[25, -1]\n"""\nshares = [share(a, b) for a, b in pairs]'
FAILS = Request("", "exception", "c1", failure=Failure("c1", "ZeroDivisionError", "integer division or modulo by zero"))
WISH = Request("no share of nothing", "words", "c0")


def book(source: str) -> Notebook:
    return Notebook((Cell("c", "code", "pairs = [(1, 4), (3, 0)]"), Cell("c0", "code", source), Cell("c1", "code", USE)))


def trial(new: str = NEW, **options: object) -> Trial:
    candidate = Candidate(diff(book(OLD), book(new)), "", "test")
    return replace(Trial(candidate, Run(tier="A"), level=2, seconds=1.0), **options)  # type: ignore[arg-type]


async def looked(tmp_path, of: object, prover: object, request: Request = FAILS) -> list[object]:
    looking = proved(of, book(OLD), ScriptedSandbox(), tmp_path, Limits(), prover, request)  # type: ignore[arg-type]
    return [event async for event in looking]


async def after(tmp_path, of: Trial, prover: ScriptedProver, request: Request = FAILS) -> Trial:
    started, tried = await looked(tmp_path, Ask(of, ""), prover, request)
    assert isinstance(started, StageStarted)
    assert isinstance(tried, Tried)
    return tried.trial


def test_the_fake_is_a_prover():
    assert isinstance(ScriptedProver(), Prover)


@pytest.mark.parametrize(("level", "reached"), [(0, 0), (1, 1), (2, 4), (3, 4)])
async def test_a_proof_is_level_4_where_a_contract_holds(tmp_path, level, reached):
    found = await after(tmp_path, trial(level=level), ScriptedProver())
    assert found.level == reached
    assert "proved that share gives what it gave, wherever it gave a value, if the script is right (0.1 s)" in found.assumptions
    assert found.seconds > 1.0


async def test_nothing_known_takes_nothing_away(tmp_path):
    found = await after(tmp_path, trial(level=3), ScriptedProver("open", "too long"))
    assert (found.level, found.findings) == (3, ())
    assert found.assumptions == ("not proved that share gives what it gave, wherever it gave a value: too long (0.1 s)",)


async def test_the_rest_of_a_cell_is_not_proved_with_its_function(tmp_path):
    of = trial(NEW + "\npairs = []")
    assert (await after(tmp_path, of, ScriptedProver())).level == 2


@pytest.mark.parametrize(
    ("request_", "severity"),
    [(FAILS, "ask"), (WISH, "note"), (Request("", "slow", "c0"), "ask"), (Request("", "translate", "c0"), "ask")],
)
async def test_a_call_that_differs_is_for_a_person_where_the_same_was_promised(tmp_path, request_, severity):
    found = await after(tmp_path, trial(), ScriptedProver("differs", "share(1, 0): it gives -1"), request_)
    (finding,) = found.findings
    assert (finding.code, finding.severity, finding.cell_id) == ("proof:differs", severity, "c0")
    assert "share(1, 0): it gives -1" in finding.message
    assert found.level == 2


@pytest.mark.parametrize(
    "of",
    [
        Reject(""), Ask(trial(run=None), ""), Ask(trial(run=Run(tier="C")), ""), Ask(trial("z = 1"), ""),
        Ask(trial(candidate=replace(trial().candidate, warrant="a rule")), ""),
    ],
)  # fmt: skip
async def test_nothing_is_asked_without_a_cage_a_function_or_a_need(tmp_path, of):
    prover = ScriptedProver()
    assert await looked(tmp_path, of, prover) == []
    assert prover.asked == []


async def test_nobody_is_asked_where_nobody_is_there(tmp_path):
    assert await looked(tmp_path, Accept(trial(), ""), None) == []
    assert await looked(tmp_path, Accept(trial(), ""), ScriptedProver(missing="not installed")) == []


@pytest.fixture
def store(tmp_path):
    made = SqlStore(f"sqlite:///{tmp_path / 'history.sqlite'}")
    yield made
    made.close()


@pytest.mark.parametrize("sandbox", [pytest.param(ContainedSandbox, marks=pytest.mark.slow), ScriptedSandbox])
async def test_a_repair_is_proved_to_keep_what_worked(store, tmp_path, sandbox):
    fails = replace(FAILS, target="c2", failure=replace(FAILS.failure, cell_id="c2"))  # type: ignore[arg-type]
    notebook = Notebook(tuple(replace(c, id=f"c{i}") for i, c in enumerate(book(OLD).cells)))
    decided = await asked(store, tmp_path, notebook, fails, NEW, sandbox(), prover=CrossHairProver(5.0))
    assert not isinstance(decided.decision, Reject)
    found = decided.decision.trial
    assert found is decided.trials[-1]
    assert (found.level, [p.outcome for p in found.proofs]) == (4, ["proved"])


async def test_what_generated_inputs_miss_the_prover_finds_and_a_person_is_asked(store, tmp_path):
    wrong = NEW.replace("whole == 0", "whole in (0, 70001)")
    fails = replace(FAILS, target="c2", failure=replace(FAILS.failure, cell_id="c2"))  # type: ignore[arg-type]
    notebook = Notebook(tuple(replace(c, id=f"c{i}") for i, c in enumerate(book(OLD).cells)))
    decided = await asked(store, tmp_path, notebook, fails, wrong, prover=CrossHairProver(5.0))
    assert isinstance(decided.decision, Ask)
    assert {f.code for f in decided.decision.trial.findings if f.severity == "ask"} >= {"proof:differs"}
    assert "70001" in next(f.message for f in decided.decision.trial.findings if f.code == "proof:differs")
