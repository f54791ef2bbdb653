"""Faster is what is measured to be faster and gives the same; all else is refused, with the reason."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jupyter_selfcode.config import plugin, plugins
from jupyter_selfcode.engine import Engine
from jupyter_selfcode.plugins.formats.cells import CellsFormat
from jupyter_selfcode.plugins.models.scripted import ScriptedModel
from jupyter_selfcode.plugins.proposers.llm import LlmProposer
from jupyter_selfcode.plugins.proposers.rules import RulesProposer
from jupyter_selfcode.plugins.sandboxes.contained import ContainedSandbox
from jupyter_selfcode.plugins.sandboxes.forked import ForkedSandbox
from jupyter_selfcode.plugins.sandboxes.scripted import ScriptedSandbox
from jupyter_selfcode.plugins.stores.sql import SqlStore
from jupyter_selfcode.protocols import Limits
from jupyter_selfcode.stages.pace import Measured, pace, slowest
from jupyter_selfcode.values.decision import Accept, Ask, Policy, Reject
from jupyter_selfcode.values.events import Decided
from jupyter_selfcode.values.notebook import Cell, Notebook
from jupyter_selfcode.values.patch import Patch, ReplaceSource
from jupyter_selfcode.values.request import Request
from jupyter_selfcode.values.trial import Candidate, CellResult, Run, Trial
from tests.test_engine import replacing

SLOW = "squares = []\nfor i in range(60_000):\n    squares = squares if i else []\n    squares.append(sum([i, i]))"
FAST = "squares = [2 * i for i in range(60_000)]"


def book(*sources: str) -> Notebook:
    return Notebook(tuple(Cell(f"c{i}", "code", s) for i, s in enumerate(sources)))


async def optimized(
    folder: Path, notebook: Notebook, *answers: str, sandbox: object = None, cell: str | None = "c1", mode: str = "deploy"
) -> Decided:
    store = SqlStore(f"sqlite:///{folder / 'history.sqlite'}")
    proposers = [LlmProposer(ScriptedModel([replacing("c1", a) for a in answers], usd=0.0), CellsFormat(), waits=(), repairs=0, fresh=0)]
    engine = Engine(
        proposers if answers else [RulesProposer()], sandbox or ScriptedSandbox(),  # type: ignore[arg-type]
        [plugin("checks", name)() for name in plugins("checks")], store, policy=Policy(mode),  # type: ignore[arg-type]
    )  # fmt: skip
    scope = (cell,) if cell else ()
    last = None
    async for event in engine.propose(Request("", "slow", cell, scope), notebook, folder, "case.ipynb"):
        last = event
    store.close()
    assert isinstance(last, Decided)
    return last


def codes(decided: Decided) -> set[str]:
    return {f.code for t in decided.trials for f in t.findings if f.severity == "block"}


async def test_what_gives_the_same_and_is_faster_is_accepted_at_level_3_with_its_interval(tmp_path):
    decided = await optimized(tmp_path, book("x = 1", SLOW, "n = len(squares)"), FAST)
    assert isinstance(decided.decision, Accept), decided.decision
    trial = decided.decision.trial
    assert trial.level == 3
    (time,) = [p for p in trial.pace if p.of == "time"]
    assert time.better
    assert decided.decision.reason == f"{time.said} faster"
    assert trial.assumptions[0].startswith(f"{time.said} faster, ")
    assert any("1 of 1 names that the cell binds are equal from the same state" in a for a in trial.assumptions)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("squares = [2 * i for i in range(59_999)]", "pace:differs"),
        ("squares = [2.0 * i for i in range(60_000)]", "pace:differs"),
        ("rest = [2 * i for i in range(60_000)]", "fake-fix:emptied"),
        (SLOW.replace("sum([i, i])", "sum([i, i], 0)"), "pace:no-gain"),
        (f"{FAST}\nprint('done')", "pace:output"),
    ],
    ids=["another result", "another type", "no result", "as slow", "shows more"],
)
async def test_what_gives_another_result_or_is_not_faster_is_refused(tmp_path, change, code):
    decided = await optimized(tmp_path, book("x = 1", SLOW, "n = len(squares)"), change)
    assert isinstance(decided.decision, Reject)
    assert code in codes(decided)


@pytest.mark.slow
async def test_a_name_that_others_read_must_still_be_bound_and_a_loop_variable_need_not(tmp_path):
    loop = "total = 0\nfor i in range(60_000):\n    total += i * 2"
    decided = await optimized(tmp_path, book("i = 5", loop, "print(i)"), "total = 2 * sum(range(60_000))")
    assert codes(decided) == {"fake-fix:emptied"}
    decided = await optimized(tmp_path, book("x = 5", loop, "print(x)"), "total = 2 * sum(range(60_000))")
    assert isinstance(decided.decision, Accept)


@pytest.mark.slow
async def test_a_cell_that_changes_what_it_reads_is_timed_on_copies(tmp_path):
    slow = "for i in range(20_000):\n    if i not in items:\n        items = items + [i] if i < 300 else items"
    fast = "items = items + [i for i in range(300) if i not in set(items)]\ni = 19_999"
    decided = await optimized(tmp_path, book("items = [0, 2]", slow, "len(items)"), fast)
    assert isinstance(decided.decision, Accept), codes(decided)


async def test_without_a_named_cell_the_slowest_is_meant(tmp_path):
    real = ScriptedSandbox()
    notebook = book("x = 1", "y = 2")
    decided = await optimized(tmp_path, notebook, "y = 1 + 1", cell=None, sandbox=real)
    assert isinstance(decided.decision, Reject)
    assert "nothing to win" in decided.decision.reason
    assert real.opened == 1, "nothing was proposed"


async def test_a_notebook_that_fails_is_to_be_mended_first(tmp_path):
    decided = await optimized(tmp_path, book("x = 1 / 0", SLOW), FAST)
    assert isinstance(decided.decision, Reject)
    assert "mend that first" in decided.decision.reason


async def test_what_could_reach_the_clock_is_asked_about(tmp_path):
    cheat = f"import time\n_was = time.perf_counter\ntime.perf_counter = _was\n{FAST}"
    decided = await optimized(tmp_path, book("x = 1", SLOW, "n = len(squares)"), cheat)
    assert not isinstance(decided.decision, Accept)


async def test_a_rule_makes_a_real_cell_faster_in_the_cage(tmp_path):
    load = "import pandas as pd\ndf = pd.DataFrame({'a': range(4000), 'b': 2.5})"
    cell = "%%selfcode\n\"\"\"Products.\n\n>>> float(df.c.sum())\n19995000.0\n\"\"\"\ndf['c'] = df.apply(lambda r: r['a'] * r['b'], axis=1)"
    decided = await optimized(tmp_path, book(load, cell, "df.c.mean()"), sandbox=ContainedSandbox())
    assert isinstance(decided.decision, Accept), (decided.decision, codes(decided))
    assert decided.decision.trial.candidate.patch.ops[0].source.endswith("\"\"\"\ndf['c'] = df['a'] * df['b']")  # type: ignore[union-attr]
    assert decided.decision.trial.pace[0].low > 2


async def paced(folder: Path, notebook: Notebook, change: str) -> tuple[Measured, int]:
    """A change of the second cell, timed where copies can be made; how many clean kernels that took."""
    after = Notebook(tuple(replace(c, source=change) if c.id == "c1" else c for c in notebook.cells))
    clean = 0

    class Counting(ForkedSandbox):
        def open(self, *given: Any) -> Any:
            nonlocal clean
            clean += 1
            return super().open(*given)

    sandbox = Counting(ContainedSandbox())
    trial = Trial(Candidate(Patch(notebook.digest, (ReplaceSource("c1", change),)), "", "test"))
    try:
        return await pace(trial, "c1", notebook, after, sandbox, folder, Limits()), clean
    finally:
        await sandbox.aclose()


async def test_where_a_kernel_can_be_copied_both_versions_are_timed_in_a_copy(tmp_path):
    measured, clean = await paced(tmp_path, book("import os\nmark = os.urandom(8)", SLOW + "\nseen = mark"), FAST + "\nseen = mark")
    assert (measured.pace[0].of, measured.pace[0].better, measured.findings) == ("time", True, ())
    assert {v.name: v.equal for v in measured.alike} == {"squares": True, "seen": True}
    assert clean == 0


async def test_what_a_copy_may_not_do_is_timed_in_a_clean_kernel(tmp_path):
    write = "\nwith open('n.txt', 'w') as f: f.write(str(len(squares)))"
    measured, clean = await paced(tmp_path, book("x = 1", SLOW + write), FAST + write)
    assert (measured.pace[0].of, measured.pace[0].better, clean) == ("time", True, 1)


@pytest.mark.slow
async def test_under_the_policy_propose_a_person_decides(tmp_path):
    decided = await optimized(tmp_path, book("x = 1", SLOW), FAST, mode="propose")
    assert isinstance(decided.decision, Ask)
    assert replace(decided.decision.trial).level == 3


def test_the_slowest_cell_is_one_with_a_loop_where_there_is_one_and_one_that_imports_only_where_there_is_no_other():
    notebook = book("import pandas as pd\nx = [i for i in range(9)]", "y = [i for i in x]", "z = sum(y)", "%time w = [1 for i in x]")
    took = {"c0": 9.0, "c1": 0.2, "c2": 5.0, "c3": 7.0}

    def ran(*ids: str) -> Run:
        return Run(tuple(CellResult(i, "ok", seconds=took[i]) for i in ids))

    assert slowest(ran("c0", "c1", "c2", "c3"), notebook) == "c1"
    assert slowest(ran("c0", "c2"), notebook) == "c2"
    assert slowest(ran("c0", "c3"), notebook) == "c0"
    assert slowest(ran("c3"), notebook) is None
