"""The order: propose changes nothing, accept and restore change everything or nothing, and the history tells the truth."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from pathlib import Path

import pytest

from jupyter_selfcode.config import plugin, plugins
from jupyter_selfcode.engine import DISAGREED, Engine, settle
from jupyter_selfcode.plugins.deployers.memory import MemoryDeployer
from jupyter_selfcode.plugins.formats.cells import CellsFormat
from jupyter_selfcode.plugins.models.scripted import Hang, ScriptedModel
from jupyter_selfcode.plugins.proposers.llm import LlmProposer
from jupyter_selfcode.plugins.sandboxes.scripted import ScriptedForks, ScriptedSandbox
from jupyter_selfcode.plugins.stores.sql import SqlStore
from jupyter_selfcode.stages import record
from jupyter_selfcode.values.decision import Accept, Ask, Policy, Reject
from jupyter_selfcode.values.errors import DeployError, ModelError, StalePatch
from jupyter_selfcode.values.events import Decided, Event, Proposed, StageStarted, Tried
from jupyter_selfcode.values.notebook import Cell, Notebook
from jupyter_selfcode.values.patch import Patch, ReplaceSource
from jupyter_selfcode.values.request import Budget, Failure, Request
from jupyter_selfcode.values.trial import Candidate, CellResult, Run, Served

PATH = "case.ipynb"
CONTRACTED = '"""Twice x.\n\n>>> y\n6\n"""\ny = x + 2'


def notebook(*sources: str) -> Notebook:
    return Notebook(tuple(Cell(f"c{i}", "code", s) for i, s in enumerate(sources)))


def replacing(cell_id: str, source: str) -> str:
    return f'<rationale>\nBecause.\n</rationale>\n<cell id="{cell_id}" action="replace">\n{source}\n</cell>'


@pytest.fixture
def store(tmp_path):
    made = SqlStore(f"sqlite:///{tmp_path / 'history.sqlite'}")
    yield made
    made.close()


def engine(store: SqlStore, *answers: object, mode: str = "deploy", usd: float | None = 0.0) -> Engine:
    model = ScriptedModel(answers, usd=usd)  # type: ignore[arg-type]
    return Engine(
        [LlmProposer(model, CellsFormat(), waits=())], ScriptedSandbox(),
        [plugin("checks", name)() for name in plugins("checks")], store, policy=Policy(mode),  # type: ignore[arg-type]
    )  # fmt: skip


async def decide(made: Engine, request: Request, nb: Notebook, folder: Path, events: list[Event] | None = None) -> Decided:
    last: Event | None = None
    async for event in made.propose(request, nb, folder, PATH):
        last = event
        if events is not None:
            events.append(event)
    assert isinstance(last, Decided), "a proposal ends with Decided"
    return last


BROKEN = Request("", "contract", "c1", (), Failure("c1", "ContractBroken", "y gave 5, the contract says 6"))


async def test_a_right_change_is_accepted_at_the_level_of_its_contract_and_recorded(store, tmp_path):
    made, nb = engine(store, replacing("c1", "y = x * 2")), notebook("x = 3", CONTRACTED)
    events: list[Event] = []
    decided = await decide(made, BROKEN, nb, tmp_path, events)
    assert isinstance(decided.decision, Accept)
    assert decided.decision.trial.level == 2
    stages = [e.stage for e in events if isinstance(e, StageStarted)]
    assert stages == ["describe", "validate", "gather", "propose", "screen", "validate", "decide"]
    assert not store.lineage(PATH), "a proposal leaves no trace"

    surface = MemoryDeployer(nb)
    version = made.accept(decided, decided.decision.trial, [surface], PATH, "policy")
    assert surface.notebook.cell("c1").source == '"""Twice x.\n\n>>> y\n6\n"""\ny = x * 2'
    assert [(r.version.kind, r.outcome) for r in store.lineage(PATH)] == [("initial", "deployed"), ("adapt", "deployed")]
    assert (version.by, version.level, version.proposer, version.cost.calls) == ("policy", 2, "llm", 1)
    assert surface.notebook.cell("c1").metadata["jupyter_selfcode"]["version"] == version.id
    assert not store.verify()


async def test_a_wrong_answer_is_evidence_for_the_next_and_is_never_accepted(store, tmp_path):
    made = engine(store, replacing("c1", "y = x * 3"), replacing("c1", "y = x * 2"))
    decided = await decide(made, BROKEN, notebook("x = 3", CONTRACTED), tmp_path)
    assert [t.passed for t in decided.trials] == [False, True]
    second = made.proposers[0].model.asked[1]  # type: ignore[attr-defined]
    assert "9" in second.messages[-1].content, "what the first gave is told"


async def test_a_result_written_down_in_place_of_computed_is_refused(store, tmp_path):
    made = engine(store, *[replacing("c1", "y = 6")] * 6)
    decided = await decide(made, BROKEN, notebook("x = 3", CONTRACTED), tmp_path)
    assert isinstance(decided.decision, Reject)
    assert not any(t.passed for t in decided.trials)


async def test_what_no_contract_covers_is_asked_about(store, tmp_path):
    made = engine(store, replacing("c1", "z = x * 2"))
    decided = await decide(made, Request("Let z be twice x.", scope=("c1",)), notebook("x = 3", "z = x"), tmp_path)
    assert isinstance(decided.decision, Ask)
    assert "no contract" in decided.decision.reason


async def test_under_policy_propose_even_the_best_change_waits(store, tmp_path):
    made = engine(store, replacing("c1", "y = x * 2"), mode="propose")
    decided = await decide(made, BROKEN, notebook("x = 3", CONTRACTED), tmp_path)
    assert isinstance(decided.decision, Ask)


async def test_under_policy_report_no_model_is_asked(store, tmp_path):
    made = engine(store, replacing("c1", "y = x * 2"), mode="report")
    decided = await decide(made, BROKEN, notebook("x = 3", CONTRACTED), tmp_path)
    assert decided.decision == Reject(decided.decision.reason, "reported")
    assert made.proposers[0].model.asked == []  # type: ignore[attr-defined]


async def test_a_missing_file_is_reported_and_no_model_is_asked(store, tmp_path):
    made, nb = engine(store, replacing("c0", "x = 1")), notebook("x = open('sales.csv').read()")
    failure = Failure("c0", "FileNotFoundError", "[Errno 2] No such file or directory: 'sales.csv'")
    decided = await decide(made, Request("", "exception", "c0", (), failure), nb, tmp_path)
    assert isinstance(decided.decision, Reject)
    assert decided.decision.status == "environment"
    assert decided.cost.calls == 0
    assert [o.name for o in decided.triage.options], "the options weighed are told"


@pytest.mark.parametrize(
    ("budget", "limit"), [(Budget(attempts=0), "attempts"), (Budget(tokens=10), "tokens"), (Budget(usd=0.01), "cost")]
)
async def test_the_call_that_would_pass_a_limit_is_not_made(store, tmp_path, budget, limit):
    made = engine(store, replacing("c1", "y = x * 2"), usd=0.5)
    request = Request("", "contract", "c1", (), BROKEN.failure, budget)
    decided = await decide(made, request, notebook("x = 3", CONTRACTED), tmp_path)
    assert isinstance(decided.decision, Reject)
    assert (decided.decision.status, limit in decided.decision.reason) == ("budget", True)
    assert made.proposers[0].model.asked == []  # type: ignore[attr-defined]


async def test_a_model_that_fails_is_the_environments_trouble_and_its_message_is_told(store, tmp_path):
    made = engine(store, ModelError("The key in OPENAI_API_KEY was refused (401)."))
    decided = await decide(made, BROKEN, notebook("x = 3", CONTRACTED), tmp_path)
    assert isinstance(decided.decision, Reject)
    assert (decided.decision.status, decided.decision.reason) == ("environment", "The key in OPENAI_API_KEY was refused (401).")


async def test_an_interrupt_stops_a_model_that_never_answers(store, tmp_path):
    made = engine(store, Hang())
    task = asyncio.ensure_future(decide(made, BROKEN, notebook("x = 3", CONTRACTED), tmp_path))
    model = made.proposers[0].model  # type: ignore[attr-defined]
    while not model.asked:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert model.open == 0


async def accepted(store: SqlStore, tmp_path: Path) -> tuple[Engine, Notebook, MemoryDeployer]:
    made, nb = engine(store, replacing("c1", "y = x * 2")), notebook("x = 3", CONTRACTED)
    decided = await decide(made, BROKEN, nb, tmp_path)
    surface = MemoryDeployer(nb)
    made.accept(decided, decided.decision.trial, [surface], PATH, "person")  # type: ignore[union-attr]
    return made, nb, surface


async def test_a_change_for_a_notebook_that_a_person_has_edited_since_is_refused(store, tmp_path):
    made, nb = engine(store, replacing("c1", "y = x * 2")), notebook("x = 3", CONTRACTED)
    decided = await decide(made, BROKEN, nb, tmp_path)
    edited = MemoryDeployer(notebook("x = 4", CONTRACTED))
    with pytest.raises(StalePatch):
        made.accept(decided, decided.decision.trial, [edited], PATH, "person")  # type: ignore[union-attr]
    assert edited.notebook.cell("c0").source == "x = 4"


async def test_where_one_surface_fails_all_hold_the_old_and_the_history_says_undone(store, tmp_path):
    made, nb = engine(store, replacing("c1", "y = x * 2")), notebook("x = 3", CONTRACTED)
    decided = await decide(made, BROKEN, nb, tmp_path)
    first, second = MemoryDeployer(nb), MemoryDeployer(nb, fails_at="commit")
    with pytest.raises(DeployError):
        made.accept(decided, decided.decision.trial, [first, second], PATH, "person")  # type: ignore[union-attr]
    assert (first.notebook, second.notebook) == (nb, nb)
    assert store.lineage(PATH)[-1].outcome == "undone"


async def test_a_rollback_restores_everything_and_is_itself_a_version(store, tmp_path):
    made, nb, surface = await accepted(store, tmp_path)
    made.restore(store.lineage(PATH)[0].version, "rollback", [surface], PATH, "person")
    assert surface.notebook.cells == nb.cells
    assert [r.version.kind for r in store.lineage(PATH)] == ["initial", "adapt", "rollback"]
    assert not store.verify()


async def test_what_a_person_edits_between_versions_is_the_persons(store, tmp_path):
    made, _, surface = await accepted(store, tmp_path)
    by_hand = Notebook((Cell("c0", "code", "x = 30"), *surface.notebook.cells[1:]), surface.notebook.metadata)
    surface.notebook = by_hand
    made.restore(store.lineage(PATH)[0].version, "rollback", [surface], PATH, "person")
    kinds = [(r.version.kind, r.version.by) for r in store.lineage(PATH)]
    assert kinds == [("initial", "person"), ("adapt", "person"), ("edit", "person"), ("rollback", "person")]


def test_a_version_that_was_interrupted_is_settled_by_what_the_notebook_holds(store):
    old, new = notebook("x = 1"), notebook("x = 2")
    for found, outcome in ((old, "undone"), (new, "deployed")):
        version = record.first(new) if not store.lineage(PATH) else record.by_hand(store.lineage(PATH), old, new)
        store.begin(PATH, version, new)
        assert store.lineage(PATH)[-1].outcome is None
        assert len(settle(store, PATH, found)) == 1
        assert store.lineage(PATH)[-1].outcome == outcome


async def test_a_request_that_changes_nothing_is_not_a_version(store, tmp_path):
    made = engine(store, *[replacing("c0", "x = 3")] * 6)
    nb = notebook("x = 3")
    decided = await decide(made, Request("Leave it as it is."), nb, tmp_path)
    assert isinstance(decided.decision, Reject)
    assert Patch(nb.digest) not in [t.candidate.patch for t in decided.trials if t.passed]


# ---- copies -----------------------------------------------------------------------------------------------------------


def in_copies(store: SqlStore, sandbox: ScriptedForks, *answers: str, mode: str = "deploy") -> Engine:
    return replace(engine(store, *answers, mode=mode), sandbox=sandbox)


def otherwise(source: str) -> CellResult | None:
    """What a copy gives that is not what a clean kernel gives: the changed cell shows something else."""
    shown = {"output_type": "stream", "name": "stdout", "text": "another result\n"}
    return CellResult("", "ok", (shown,)) if "x * 2" in source else None


async def test_what_passed_in_a_copy_runs_in_a_clean_kernel_too_before_it_is_deployed_unasked(store, tmp_path):
    events: list[Event] = []
    made = in_copies(store, ScriptedForks(), replacing("c1", "y = x * 2"))
    decided = await decide(made, BROKEN, notebook("x = 3", CONTRACTED), tmp_path, events)
    assert isinstance(decided.decision, Accept)
    assert (decided.decision.trial.kind, made.sandbox.copied) == ("fresh", 1)
    assert "tried in a copy first, which agreed" in decided.decision.trial.assumptions
    assert [e.detail for e in events if isinstance(e, StageStarted) and "unasked" in e.detail]


async def test_what_a_person_is_asked_about_was_tried_in_a_copy_alone(store, tmp_path):
    made = in_copies(store, ScriptedForks(), replacing("c1", "y = x * 2"), mode="propose")
    decided = await decide(made, BROKEN, notebook("x = 3", CONTRACTED), tmp_path)
    assert isinstance(decided.decision, Ask)
    assert [t.kind for t in decided.trials] == ["forked"]
    assert any("copy of a kernel" in a for a in decided.trials[0].assumptions)


async def test_where_a_copy_and_a_clean_kernel_disagree_a_person_is_asked_and_no_copy_is_made_of_that_state_again(store, tmp_path):
    nb = notebook("x = 3", CONTRACTED.replace("y = x + 2", "y = x + 2\nprint(y)"))
    change = replacing("c1", "y = x * 2\nprint(y)")

    def copies(source: str) -> CellResult | None:
        if "x * 2" in source:
            exec(source, sandbox.last.namespace)
        return otherwise(source)

    class Kept(ScriptedForks):
        @contextlib.asynccontextmanager
        async def open_from(self, *args):
            async with super().open_from(*args) as self.last:
                yield self.last

    sandbox = Kept(copies)
    decided = await decide(in_copies(store, sandbox, change), BROKEN, nb, tmp_path)
    assert isinstance(decided.decision, Ask)
    assert [f.code for f in decided.trials[0].asks] == ["runs:fork"]
    assert "c1" in decided.trials[0].asks[0].message

    copied = sandbox.copied
    decided = await decide(in_copies(store, sandbox, change), BROKEN, nb, tmp_path)
    assert sandbox.copied == copied
    assert decided.trials[0].run.served == Served("fresh", next(iter(store.notes(PATH, DISAGREED).values())))


async def test_where_a_clean_kernel_is_refused_what_cells_above_need_nothing_is_deployed_unasked_and_a_person_decides(store, tmp_path):
    def refused(source: str) -> CellResult | None:
        return CellResult("", "error", failure=Failure("c0", "ConnectionError", "no network")) if source == "x = 3" else None

    class Offline(ScriptedForks):
        @contextlib.asynccontextmanager
        async def open_from(self, base, notebook, *args):
            async with super().open_from(base, notebook, *args) as kernel:
                yield kernel
            self._script = refused if notebook != base else self._script

    decided = await decide(in_copies(store, Offline(), replacing("c1", "y = x * 2")), BROKEN, notebook("x = 3", CONTRACTED), tmp_path)
    assert isinstance(decided.decision, Ask)
    assert decided.decision.trial.kind == "forked"
    assert "could not be confirmed: from the top cell c0" in decided.decision.reason
    assert not store.notes(PATH, DISAGREED)


async def test_why_no_copy_was_made_is_in_the_verdict(store, tmp_path):
    made = in_copies(store, ScriptedForks(hazard="a connection is open"), replacing("c1", "y = x * 2"))
    decided = await decide(made, BROKEN, notebook("x = 3", CONTRACTED), tmp_path)
    assert decided.trials[0].kind == "fresh"
    assert "not in a copy: a connection is open" in decided.trials[0].assumptions


async def test_a_dear_cell_that_the_change_cannot_reach_is_not_run_again_and_that_is_said(store, tmp_path):
    dear = {"import time\nz = 2": 5.0, "print(z)": 5.0, "w = [y]": 5.0}

    def seconds(source):
        return None if source not in dear else CellResult("", "ok", ({"output_type": "stream", "name": "stdout", "text": source},), seconds=dear[source])

    made = replace(engine(store, replacing("c1", "y = x * 2")), sandbox=ScriptedSandbox(seconds))
    nb = notebook("x = 3", "y = x + 2", "import time\nz = 2", "print(z)", "w = [y]")
    events: list[Event] = []
    decided = await decide(made, Request("Let y be twice x.", scope=("c1",)), nb, tmp_path, events)
    (trial,) = decided.trials
    assert trial.run.spared == ("c2", "c3")
    assert [r.cell_id for r in trial.run.results] == ["c0", "c1", "c4"]
    assert [e.detail for e in events if isinstance(e, StageStarted) and "not run again" in e.detail and e.detail.endswith("c2, c3")]
    assert any(a.startswith("not run again") and "2 cells (c2, c3)" in a for a in trial.assumptions)
    assert any(a.startswith("proved") and "c2, c3" in a for a in trial.assumptions)


async def test_what_confirms_a_copy_leaves_no_cell_out(store, tmp_path):
    def seconds(source):
        return CellResult("", "ok", (), seconds=5.0) if source == "print(7)" else None

    made = replace(engine(store, replacing("c1", "y = x * 2")), sandbox=ScriptedForks(seconds))
    before = notebook("x = 3", CONTRACTED, "print(7)")
    run = Run((CellResult("c0", "ok"), CellResult("c1", "error", failure=BROKEN.failure), CellResult("c2", "ok", seconds=5.0)), "error")
    trials = [e.trial async for e in made.propose(BROKEN, before, tmp_path, PATH, before=run) if isinstance(e, Tried)]
    assert [(t.kind, t.run.spared, len(t.run.results)) for t in trials] == [("fresh", (), 3)]


# ---- several at once --------------------------------------------------------------------------------------------------


class Several:
    """Proposes these sources for c1, all in one round."""

    name, price = "several", 0

    def __init__(self, *sources: str) -> None:
        self.sources = sources

    async def propose(self, situation):
        digest = situation.notebook.digest
        yield Proposed(tuple(Candidate(Patch(digest, (ReplaceSource("c1", s),)), "", "several") for s in self.sources))


TWICE = CONTRACTED.replace("x + 2", "x * 2")
PLUS = CONTRACTED.replace("x + 2", "x + 3")


async def test_candidates_of_one_round_are_told_in_their_order(store, tmp_path):
    made = replace(in_copies(store, ScriptedForks(), mode="propose"), proposers=[Several(CONTRACTED.replace("+ 2", "+ 1"), TWICE, PLUS)])
    decided = await decide(made, BROKEN, notebook("x = 3", CONTRACTED), tmp_path)
    assert [t.passed for t in decided.trials] == [False, True, True]


@pytest.mark.parametrize("cheapest", [True, False])
async def test_the_first_that_passes_ends_the_trials_of_the_others_where_the_policy_is_the_cheapest(store, tmp_path, cheapest):
    policy = Policy("propose", cheapest=cheapest)
    made = replace(in_copies(store, ScriptedForks()), proposers=[Several(TWICE, PLUS)], policy=policy)
    decided = await decide(made, BROKEN, notebook("x = 3", CONTRACTED), tmp_path)
    assert isinstance(decided.decision, Ask)
    assert len(decided.trials) == (1 if cheapest else 2)
    assert made.sandbox.opened == made.sandbox.closed


# ---- the strength of a contract ------------------------------------------------------------------------------------


async def test_a_change_is_told_with_what_its_contract_catches_and_the_version_keeps_it(store, tmp_path):
    made = replace(engine(store, replacing("c1", "y = x * 2")), mutant_seconds=60.0)
    nb, events = notebook("x = 3", CONTRACTED), list[Event]()
    decided = await decide(made, BROKEN, nb, tmp_path, events)
    assert isinstance(decided.decision, Accept)
    strength = decided.decision.trial.strength
    assert strength is not None
    assert (strength.caught, strength.counted) == (3, 3)
    assert decided.trials == (decided.decision.trial,)
    version = made.accept(decided, decided.decision.trial, [MemoryDeployer(nb)], PATH, "policy")
    assert version.mutants == strength
    assert store.lineage(PATH)[-1].version == version
    assert store.verify() == []


async def test_a_contract_that_catches_too_little_does_not_deploy_unasked(store, tmp_path):
    made = engine(store, replacing("c1", "y = x * 2\na = x - 1\nb = a - 1\nc = b * 2"))
    made = replace(made, mutant_seconds=60.0, policy=Policy("deploy", min_strength=0.5))
    decided = await decide(made, BROKEN, notebook("x = 3", CONTRACTED), tmp_path)
    assert isinstance(decided.decision, Ask)
    assert decided.decision.reason.startswith("Its contract would have caught 3 of ")
    assert decided.decision.reason.endswith(", too few to decide by; no promise looks at a, b, c.")


async def test_a_contract_is_not_measured_where_nothing_is_set_aside_for_it(store, tmp_path):
    made = engine(store, replacing("c1", "y = x * 2"))
    decided = await decide(made, BROKEN, notebook("x = 3", CONTRACTED), tmp_path)
    assert isinstance(decided.decision, Accept)
    assert decided.decision.trial.strength is None
