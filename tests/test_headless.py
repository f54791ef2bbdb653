"""A run from the top, on the interpreter of the scripted sandbox: the real engine, history and file, no kernels."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import nbformat
import pytest

from jupyter_selfcode.config import SelfCode
from jupyter_selfcode.engine import Engine
from jupyter_selfcode.headless import Bench, Job, open_bench, run
from jupyter_selfcode.plugins.deployers.file import FileDeployer
from jupyter_selfcode.plugins.deployers.lock import lock
from jupyter_selfcode.plugins.sandboxes.scripted import ScriptedKernel, ScriptedSandbox
from jupyter_selfcode.plugins.stores.sql import SqlStore
from jupyter_selfcode.protocols import Situation
from jupyter_selfcode.values.errors import BadInput
from jupyter_selfcode.values.events import CellRan, Event, Proposed, Resumed, Retrying
from jupyter_selfcode.values.notebook import Cell
from jupyter_selfcode.values.patch import InsertCell, Patch, ReplaceSource
from jupyter_selfcode.values.trial import Candidate, Finding


@dataclass
class Mends:
    """A proposer that knows a source for a cell, or a cell to insert after another."""

    sources: dict[str, str] = field(default_factory=dict)
    inserted: dict[str, Cell] = field(default_factory=dict)
    name: str = "mends"
    price: float = 0.0
    asked: list[Situation] = field(default_factory=list)
    warrant: str = "it says so"
    meddle: Path | None = None

    async def propose(self, situation: Situation) -> AsyncIterator[Event]:
        """One candidate with everything that is known and not there yet."""
        self.asked.append(situation)
        notebook = situation.notebook
        ops = [ReplaceSource(i, s) for i, s in self.sources.items() if i in notebook and notebook.cell(i).source != s]
        ops += [InsertCell(c, after) for after, c in self.inserted.items() if c.id not in notebook]
        if self.meddle:
            raw = json.loads(self.meddle.read_text())
            raw["cells"][0]["source"] = "# a person was here"
            self.meddle.write_text(json.dumps(raw))
        if ops:
            patch = Patch(notebook.digest, tuple(ops))
            yield Proposed((Candidate(patch, "as it is known", self.name, warrant=self.warrant),))


class Runs:
    """Blocks what does not run to its end."""

    name = "runs"

    def screen(self, candidate, request, before, after):
        return ()

    def judge(self, trial, request, before, after):
        failure = trial.run.failure
        return (Finding("runs", f"{failure.ename}: {failure.evalue}", "block", failure.cell_id),) if failure else ()


@dataclass
class World:
    """A notebook in a folder, and what was opened for its runs."""

    folder: Path
    mends: Mends = field(default_factory=Mends)
    kernels: int = 0
    benches: int = 0
    slept: list[float] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    settings: SelfCode = field(default_factory=lambda: SelfCode(policy="deploy"))

    @property
    def path(self) -> Path:
        return self.folder / "nb.ipynb"

    def write(self, *cells: str, tags: dict[int, list[str]] | None = None) -> Path:
        made = [nbformat.v4.new_code_cell(s, id=f"c{i}") for i, s in enumerate(cells)]
        for i, given in (tags or {}).items():
            made[i].metadata["tags"] = given
        nbformat.write(nbformat.v4.new_notebook(cells=made), self.path)
        return self.path

    @asynccontextmanager
    async def kernel(self, notebook, folder, limits):
        self.kernels += 1
        yield ScriptedKernel(folder)

    @contextmanager
    def bench(self, source, settings):
        self.benches += 1
        store = SqlStore(f"sqlite:///{source.parent / '.selfcode' / 'history.sqlite'}")
        engine = Engine([self.mends], ScriptedSandbox(), (Runs(),), store, policy=settings.decisions())
        yield Bench(engine, store, FileDeployer(source), source.name)
        store.close()

    async def sleep(self, seconds):
        self.slept.append(seconds)

    async def run(self, bench=None, **job):
        self.events = [
            e
            async for e in run(
                Job(self.path, **job),
                self.settings,
                open_kernel=self.kernel,
                bench=bench or self.bench,
                sleep=self.sleep,
            )
        ]
        return self.events[-1].report

    def sources(self, path: Path | None = None) -> dict[str, str]:
        return {c.id: c.source for c in nbformat.read(path or self.path, 4).cells}


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


# ---- a run in which nothing fails ----------------------------------------------------------------------------------


async def test_a_run_in_which_nothing_fails_opens_no_engine_and_no_history(world):
    before = world.write("x = 1", "print(x + 1)").read_bytes()
    report = await world.run()
    assert (report.status, report.exit_code, report.executed, report.output) == ("ok", 0, 2, None)
    assert (world.kernels, world.benches) == (1, 0)
    assert world.path.read_bytes() == before
    assert [p.name for p in world.folder.iterdir()] == ["nb.ipynb"]


async def test_the_executed_notebook_holds_the_outputs(world):
    world.write("x = 1", "print(x + 1)")
    report = await world.run(output=world.folder / "out.ipynb")
    cells = nbformat.read(report.output, 4).cells
    assert cells[1].outputs[0].text == "2\n"
    assert [c.execution_count for c in cells] == [1, 2]


async def test_an_output_that_cannot_be_written_does_not_hide_what_happened(world):
    world.write("x = 1", "x.nope")
    world.mends.sources = {"c1": "x.real"}
    (world.folder / "out.ipynb").mkdir()
    report = await world.run(output=world.folder / "out.ipynb")
    assert (report.status, report.exit_code, report.output) == ("environment", 21, None)
    assert [v.cells for v in report.versions] == [("c1",)]
    assert "out.ipynb could not be written" in report.message
    assert "out.ipynb could not be" in report.warnings[0]


async def test_parameters_come_after_the_cell_that_is_tagged_and_not_into_the_source(world):
    before = world.write("y = 0", "x = 1", "print(x, y)", tags={1: ["parameters"]}).read_bytes()
    report = await world.run(output=world.folder / "out.ipynb", parameters={"x": [1, "two"]})
    cells = nbformat.read(world.folder / "out.ipynb", 4).cells
    assert [c.id for c in cells] == ["c0", "c1", "injected-parameters", "c2"]
    assert cells[2].metadata == {"tags": ["injected-parameters"]}
    assert cells[3].outputs[0].text == "[1, 'two'] 0\n"
    assert report.warnings == ()
    assert world.path.read_bytes() == before


async def test_parameters_of_an_earlier_run_are_replaced(world):
    world.write("x = 1", "print(x)", tags={0: ["parameters"]})
    await world.run(output=world.folder / "out.ipynb", parameters={"x": 2})
    world.path.write_bytes((world.folder / "out.ipynb").read_bytes())
    await world.run(output=world.folder / "out.ipynb", parameters={"x": 3})
    cells = nbformat.read(world.folder / "out.ipynb", 4).cells
    assert [c.id for c in cells] == ["c0", "injected-parameters", "c1"]
    assert cells[2].outputs[0].text == "3\n"


async def test_an_unknown_parameter_and_a_missing_tag_are_said(world):
    world.write("x = 1", tags={0: ["parameters"]})
    assert (await world.run(parameters={"z": 3})).warnings == ("Passed unknown parameter: z",)
    world.write("print(x)")
    report = await world.run(parameters={"x": 3})
    assert "at its top" in report.warnings[0]
    assert report.status == "ok"


async def test_tags_mean_what_they_mean_to_nbclient(world):
    world.write("1 / 0", "raise SystemError", "x = 1", tags={0: ["raises-exception"], 1: ["skip-execution"]})
    report = await world.run()
    assert (report.status, report.executed) == ("ok", 2)


# ---- triage --------------------------------------------------------------------------------------------------------


async def test_passing_trouble_is_tried_again_with_longer_pauses_and_no_edit(world):
    world.write(
        "tries = []",
        "tries.append(1)\nif len(tries) < 3:\n    raise ConnectionResetError('Connection reset by peer')",
        "done = len(tries)",
    )
    report = await world.run()
    assert (report.status, report.exit_code) == ("ok", 0)
    assert world.slept == [1.0, 2.0]
    assert [e.attempt for e in world.events if isinstance(e, Retrying)] == [1, 2]
    assert world.benches == 0


async def test_trouble_that_does_not_pass_ends_the_run_with_21(world):
    before = world.write("raise ConnectionResetError('Connection reset by peer')").read_bytes()
    report = await world.run(retries=2)
    assert (report.status, report.exit_code, report.executed) == ("transient", 21, 3)
    assert report.failures[0].triage == "transient"
    assert (world.path.read_bytes(), world.benches) == (before, 0)


async def test_a_missing_file_ends_the_run_with_21_and_asks_nobody(world):
    before = world.write("open('not-there.csv')").read_bytes()
    report = await world.run()
    assert (report.status, report.exit_code, report.failures[0].triage) == ("environment", 21, "environment")
    assert "not-there.csv" in report.message
    assert (world.path.read_bytes(), world.benches) == (before, 0)


async def test_report_proposes_nothing_and_says_what_it_is(world):
    before = world.write("x = 1", "x.y").read_bytes()
    world.settings = SelfCode(policy="report")
    report = await world.run(output=world.folder / "out.ipynb")
    assert (report.status, report.exit_code, world.benches) == ("failed", 20, 0)
    assert (report.failures[0].cell_id, report.failures[0].ename) == ("c1", "AttributeError")
    assert world.path.read_bytes() == before
    assert nbformat.read(world.folder / "out.ipynb", 4).cells[1].outputs[-1].ename == "AttributeError"


async def test_metadata_of_the_notebook_may_forbid_what_the_settings_allow(world):
    world.write("x = 1", "x.y")
    raw = json.loads(world.path.read_text())
    raw["metadata"]["jupyter_selfcode"] = {"policy": "report"}
    world.path.write_text(json.dumps(raw))
    world.mends.sources = {"c1": "x"}
    assert (await world.run()).exit_code == 20
    assert world.benches == 0


# ---- a change ------------------------------------------------------------------------------------------------------


async def test_a_healed_run_goes_on_at_the_failed_cell_in_the_same_kernel(world):
    world.write("x = 1", "y = x.real.nope", "print(x, y)")
    world.mends.sources = {"c1": "y = x.real"}
    report = await world.run(output=world.folder / "out.ipynb")
    assert (report.status, report.exit_code) == ("healed", 10)
    assert (world.kernels, report.executed) == (1, 4)
    assert [e.cell_id for e in world.events if isinstance(e, Resumed)] == ["c1"]
    assert world.sources()["c1"] == "y = x.real"
    assert nbformat.read(report.output, 4).cells[2].outputs[0].text == "1 1\n"
    assert [(v.cells, v.by, v.proposer) for v in report.versions] == [(("c1",), "policy", "mends")]
    assert report.failures[0].healed


async def test_a_change_above_the_failed_cell_starts_a_new_kernel(world):
    world.write("x = '1'", "y = 2", "print(x + y)")
    world.mends.sources = {"c0": "x = 1"}
    report = await world.run()
    assert (report.status, world.kernels, report.executed) == ("healed", 2, 6)
    assert not [e for e in world.events if isinstance(e, Resumed)]


async def test_a_cell_that_had_changed_what_was_there_starts_a_new_kernel(world):
    world.write("data = [1]", "data.append(2)\ndata.nope", "print(data)")
    world.mends.sources = {"c1": "data.append(2)"}
    report = await world.run(output=world.folder / "out.ipynb")
    assert (report.status, world.kernels) == ("healed", 2)
    assert nbformat.read(report.output, 4).cells[2].outputs[0].text == "[1, 2]\n"


async def test_a_cell_that_had_used_up_what_was_there_starts_a_new_kernel(world):
    world.write("lines = iter([1, 2])", "total = sum(lines)\ntotal.nope", "print(total)")
    world.mends.sources = {"c1": "total = sum(lines)"}
    report = await world.run(output=world.folder / "out.ipynb")
    assert (report.status, world.kernels) == ("healed", 2)
    assert nbformat.read(report.output, 4).cells[2].outputs[0].text == "3\n"


async def test_a_broken_contract_is_a_failure_of_its_cell(world):
    contract = '"""Half.\n\n>>> half\n2\n"""\n'
    world.write("x = 4", contract + "half = x / 2")
    world.mends.sources = {"c1": contract + "half = x // 2"}
    report = await world.run()
    assert (report.status, report.failures[0].ename) == ("healed", "ContractBroken")
    assert world.mends.asked[0].request.trigger == "contract"
    assert world.mends.asked[0].request.text == "Half."
    assert report.versions[0].level == 2


async def test_a_change_that_breaks_the_contract_is_not_deployed(world):
    contract = '"""Half.\n\n>>> half\n2\n"""\n'
    before = world.write("x = 4", contract + "half = x / 2").read_bytes()
    world.mends.sources = {"c1": contract + "half = x"}
    report = await world.run()
    assert (report.status, report.exit_code, report.versions) == ("failed", 20, ())
    assert world.path.read_bytes() == before


async def test_words_without_code_ask_for_code(world):
    world.write("x = 4", "%%selfcode\nHalf of x, as half.")
    world.mends.sources = {"c1": '%%selfcode\n"""Half of x, as half.\n\n>>> half\n2\n"""\nhalf = x // 2'}
    report = await world.run()
    asked = world.mends.asked[0].request
    assert (asked.trigger, asked.text, asked.scope) == ("intent", "Half of x, as half.", ("c1",))
    assert (report.status, world.kernels, report.executed) == ("healed", 1, 2)


async def test_several_failures_are_mended_one_after_the_other(world):
    world.write("a = [1].nope", "b = {}.nope", "print(a, b)")
    world.mends.sources = {"c0": "a = [1]"}
    world.mends.propose = several({"c0": "a = [1]", "c1": "b = {}"})
    report = await world.run()
    assert (report.status, [v.cells for v in report.versions]) == ("healed", [("c0",), ("c1",)])
    assert [v.number for v in report.versions] == [2, 3]


def several(known):
    async def propose(situation):
        target = situation.request.target
        if situation.notebook.cell(target).source != known[target]:
            patch = Patch(situation.notebook.digest, (ReplaceSource(target, known[target]),))
            yield Proposed((Candidate(patch, "known", "mends", warrant="it says so"),))

    return propose


async def test_a_run_makes_no_more_changes_than_it_may(world):
    world.write("a = [1].nope", "b = {}.nope")
    world.mends.propose = several({"c0": "a = [1]", "c1": "b = {}"})
    report = await world.run(heals=1)
    assert (report.status, len(report.versions)) == ("failed", 1)
    assert "limit" in report.message


async def test_the_same_failure_is_mended_once(world):
    """The trial's copy of the folder is whole, the live folder loses the file that the change needs."""
    world.write("import pathlib", "x = 1\nx.nope")
    world.mends.sources = {"c1": "x = 1\nif 'selfcode-scripted' not in str(pathlib.Path().resolve()): x.nope"}
    report = await world.run()
    assert (report.status, len(report.versions)) == ("failed", 1)
    assert "came back" in report.message


async def test_parameters_are_kept_out_of_what_is_deployed(world):
    world.write("x = 1", "print(nope)", tags={0: ["parameters"]})
    world.mends.inserted = {"injected-parameters": Cell("new", "code", "nope = x")}
    report = await world.run(parameters={"x": 5}, output=world.folder / "out.ipynb")
    assert report.status == "healed"
    assert list(world.sources()) == ["c0", "new", "c1"]
    assert list(world.sources(world.folder / "out.ipynb")) == ["c0", "injected-parameters", "new", "c1"]


async def test_a_change_of_the_parameters_themselves_is_refused(world):
    before = world.write("x = 1", "print(x.nope)", tags={0: ["parameters"]}).read_bytes()
    world.mends.sources = {"injected-parameters": "class x: nope = 1"}
    report = await world.run(parameters={"x": 5})
    assert report.status == "failed"
    assert [f.code for f in report.trials[0].findings] == ["locked"]
    assert world.path.read_bytes() == before


async def test_a_notebook_that_changed_meanwhile_is_left_as_it_is(world):
    world.write("x = 1", "x.nope")
    world.mends.sources, world.mends.meddle = {"c1": "x"}, world.path
    report = await world.run()
    assert (report.status, report.versions) == ("failed", ())
    assert world.sources() == {"c0": "# a person was here", "c1": "x.nope"}


async def test_another_run_that_heals_the_notebook_is_waited_for_by_nobody(world):
    before = world.write("x = 1", "x.nope").read_bytes()
    with lock(world.path):
        report = await world.run(bench=open_bench)
    assert report.status == "failed"
    assert "Another run is working on" in report.message
    assert world.path.read_bytes() == before


async def test_the_budget_of_a_run_is_for_all_its_changes(world):
    world.write("x = 1", "x.nope")
    world.settings = SelfCode(policy="deploy", budget_usd=0.5, budget_tokens=None)
    await world.run()
    budget = world.mends.asked[0].request.budget
    assert (budget.usd, budget.tokens, budget.attempts) == (0.5, None, 6)


# ---- a proposal ----------------------------------------------------------------------------------------------------


async def proposed(world):
    world.write("x = 1", "é = 'tøp'\nx.nope", "print(x)", tags={0: ["parameters"]})
    world.settings = SelfCode()
    world.mends.sources = {"c1": "é = 'tøp'\nx.real"}
    return await world.run(parameters={"x": 3})


async def test_a_proposal_changes_nothing_and_waits_beside_the_notebook(world):
    report = await proposed(world)
    assert (report.status, report.exit_code, report.versions) == ("proposed", 11, ())
    assert world.sources()["c1"].endswith("x.nope")
    patch = Path(report.patch_file)
    assert patch.name == f"nb.selfcode-{report.waiting}.patch"
    text = patch.read_text()
    for said in (
        "AttributeError",
        "as it is known",
        "level reached: 1",
        f"jupyter selfcode accept nb.ipynb {report.waiting}",
    ):
        assert said in text


@pytest.mark.parametrize("tool", [["patch", "-p1", "-i"], ["git", "apply"]])
async def test_the_patch_file_is_one_that_common_tools_take(world, tool):
    report = await proposed(world)
    done = subprocess.run(
        [*tool, Path(report.patch_file).name], cwd=world.folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert world.sources() == {"c0": "x = 1", "c1": "é = 'tøp'\nx.real", "c2": "print(x)"}


async def test_what_waits_is_not_told_as_another_candidate_that_was_tried(world):
    report = await proposed(world)
    from jupyter_selfcode.selfcode import open_notebook

    workspace = open_notebook(world.path, world.settings)
    _, decided = workspace.waiting.pick(report.waiting)
    workspace.close()
    assert [t.candidate.patch for t in decided.trials] == [decided.decision.trial.candidate.patch]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
async def test_where_the_disk_is_full_no_half_of_a_patch_file_is_left_and_the_proposal_waits(world):
    report = await proposed(world)
    patch = Path(report.patch_file)
    patch.unlink()
    patch.symlink_to("/dev/full")
    again = await world.run(parameters={"x": 3})
    assert (again.status, again.waiting, again.patch_file) == ("proposed", report.waiting, None)
    assert "No space left" in again.warnings[0]
    assert not patch.is_symlink()


async def test_what_waits_can_be_accepted_from_the_history(world):
    report = await proposed(world)
    from jupyter_selfcode.selfcode import open_notebook

    workspace = open_notebook(world.path, world.settings)
    name, decided = workspace.waiting.pick()
    assert name == report.waiting
    workspace.accept(decided)
    workspace.close()
    assert world.sources()["c1"] == "é = 'tøp'\nx.real"


# ---- what cannot run, and an end before the end -----------------------------------------------------------------------


async def test_there_must_be_a_notebook(world):
    with pytest.raises(BadInput, match="no notebook"):
        await world.run()


async def test_a_run_that_is_cancelled_leaves_the_notebook_and_writes_what_ran(world):
    before = world.write("print(1)", "print(2)").read_bytes()
    job = replace(Job(world.path), output=world.folder / "out.ipynb")
    events = run(job, world.settings, open_kernel=world.kernel, bench=world.bench, sleep=asyncio.sleep)
    async for event in events:
        if isinstance(event, CellRan):
            break
    await events.aclose()
    assert world.path.read_bytes() == before
    cells = nbformat.read(world.folder / "out.ipynb", 4).cells
    assert [len(c.outputs) for c in cells] == [1, 0]
