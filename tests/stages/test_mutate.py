"""What a contract catches of small mistakes: measured in forks that leave no trace, and counted honestly."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jupyter_selfcode.analysis.contract import examples_of
from jupyter_selfcode.plugins.sandboxes.contained import ContainedSandbox
from jupyter_selfcode.plugins.sandboxes.forked import ForkedSandbox
from jupyter_selfcode.plugins.sandboxes.scripted import ScriptedSandbox
from jupyter_selfcode.protocols import Limits
from jupyter_selfcode.stages.mutate import course_of, mistakes_in, mutate
from jupyter_selfcode.values.notebook import Cell, Notebook
from jupyter_selfcode.values.patch import Patch, ReplaceSource, apply
from jupyter_selfcode.values.strength import Mutant, Strength, summary, survives
from jupyter_selfcode.values.trial import Candidate, CellResult, Example, Run, Trial

FORK = 120.0
"""Seconds that are set aside here: more than this machine can need, so that its load decides nothing."""


def notebook(*sources: str) -> Notebook:
    return Notebook(tuple(Cell(f"c{i}", "code", s) for i, s in enumerate(sources)))


def trial_of(before: Notebook, at: str, source: str, seconds: float = 0.0) -> Trial:
    """A trial in which every cell ran and every example held."""
    patch = Patch(before.digest, (ReplaceSource(at, source),))
    after = apply(patch, before)
    results = tuple(CellResult(c.id, "ok", seconds=seconds) for c in after.code_cells)
    examples = tuple(Example(c.id, e.source, e.want, e.want, True) for c in after.code_cells for e in examples_of(c.source))
    return Trial(Candidate(patch, "", "test"), Run(results, examples=examples, tier="A"), level=2)


async def measure(tmp_path, before: Notebook, at: str, source: str, sandbox=None, seconds: float = FORK) -> Strength:
    trial = trial_of(before, at, source)
    after = apply(trial.candidate.patch, before)
    course, above = course_of(trial, before, after)
    assert course is not None
    mistakes = mistakes_in(before, after, trial.candidate.patch.cells)
    return await mutate(course, mistakes, after, sandbox or ScriptedSandbox(), tmp_path, Limits(), seconds, above)


def verdicts(strength: Strength) -> dict[str, str]:
    return {m.said: m.verdict for m in strength.mutants}


PROMISE = '"""Total.\n\n>>> total\n12\n"""\n'


async def test_a_promise_that_names_the_value_catches_every_mistake_in_it(tmp_path):
    before = notebook("x, y = 3, 4", PROMISE + "total = x + y")
    strength = await measure(tmp_path, before, "c1", PROMISE + "total = x * y")
    assert verdicts(strength) == {"* → /": "caught"}
    assert strength.mutants[0].by == ("total",)
    assert strength.share == 1.0
    assert survives(strength) == ""


async def test_what_no_promise_looks_at_survives_and_is_named(tmp_path):
    before = notebook("x, y = 3, 4", PROMISE + "total = x + y")
    strength = await measure(tmp_path, before, "c1", PROMISE + "total = x * y\nmargin = total - x")
    assert verdicts(strength) == {"* → /": "caught", "- → +": "survived"}
    assert survives(strength) == "not caught: - → + in line 7; no promise looks at margin"
    assert summary(strength) == "would have caught 1 of 2 small mistakes"


async def test_a_promise_that_looks_and_does_not_tell_is_named(tmp_path):
    weak = '"""Total.\n\n>>> total > 0\nTrue\n"""\n'
    strength = await measure(tmp_path, notebook("x, y = 3, 4", weak + "total = 0"), "c1", weak + "total = x * y")
    assert verdicts(strength) == {"* → /": "survived"}
    assert strength.missing == "no promise that looks at total tells"


async def test_what_changes_nothing_fails_by_itself_or_is_only_shown_is_not_counted(tmp_path):
    body = (
        "x = abs(x)\n"  # x is positive: to leave it out changes nothing
        "d = {'a': 1}\n"
        "total = x * 4\n"
        "rows = [0] * 3\n"
        "head = rows[2]\n"  # one further is not there
        "def shout(n):\n    print(n + 1)\n"
        "shout(1)\n"
    )
    strength = await measure(tmp_path, notebook("x = 3", PROMISE + "total = 1"), "c1", PROMISE + body)
    found = {(m.line, m.said): m.verdict for m in strength.mutants}
    assert found[6, "abs() left out"] == "same"
    assert found[6, "x = abs(x) left out"] == "same"
    assert found[10, "2 → 3"] == "failed"
    assert found[8, "* → /"] == "caught"
    assert found[12, "+ → -"] == "survived", "a function that others may call is another one"
    assert strength.counted == sum(m.verdict in ("caught", "survived") for m in strength.mutants)
    assert [m.line for m in strength.idle] == [6]


async def test_an_assertion_of_the_notebook_catches_and_one_that_the_change_brings_does_not_count(tmp_path):
    before = notebook("x = 3", "total = 0\nassert total == 12")
    kept = await measure(tmp_path, before, "c1", "total = x * 4\nassert total == 12")
    assert {m.verdict for m in kept.mutants} == {"caught"}
    assert kept.mutants[0].by == ("assert",)
    own = trial_of(notebook("x = 3", "total = 0"), "c1", "total = x * 4\nassert total == 12")
    assert course_of(own, notebook("x = 3", "total = 0"), apply(own.candidate.patch, notebook("x = 3", "total = 0")))[0] is None


async def test_examples_that_the_change_brings_itself_are_no_contract(tmp_path):
    before = notebook("x = 3", "total = 0")
    trial = trial_of(before, "c1", PROMISE + "total = x * 4")
    assert course_of(trial, before, apply(trial.candidate.patch, before))[0] is None


async def test_a_promise_further_down_counts(tmp_path):
    before = notebook("x = 3", "total = 1", "other = 5", '"""Twice.\n\n>>> double\n24\n"""\ndouble = total * 2')
    strength = await measure(tmp_path, before, "c1", "total = x * 4")
    assert {m.verdict for m in strength.mutants} == {"caught"}
    assert {m.cell_id for m in strength.mutants} == {"c1"}


async def test_a_cell_that_the_trial_left_out_is_left_out_here_too(tmp_path):
    before = notebook("x = 3", "total = 1", "slow = 5", '"""Twice.\n\n>>> double\n24\n"""\ndouble = total * 2')
    trial = trial_of(before, "c1", "total = x * 4")
    results = tuple(r for r in trial.run.results if r.cell_id != "c2")
    trial = replace(trial, run=replace(trial.run, results=results, spared=("c2",)))
    course, _ = course_of(trial, before, apply(trial.candidate.patch, before))
    assert [c.id for c in course.cells] == ["c1", "c3"]


async def test_what_differs_from_run_to_run_is_no_evidence_of_a_difference(tmp_path):
    body = "import os\nstamp = os.urandom(8)\ntotal = 12\nidle = abs(5)"
    strength = await measure(tmp_path, notebook("x = 3", PROMISE + "total = 0"), "c1", PROMISE + body)
    assert verdicts(strength)["abs() left out"] == "untold", "it may have been another stamp"
    assert verdicts(strength)["12 → 13"] == "caught"


async def test_nothing_is_measured_where_the_code_does_not_do_in_a_fork_what_it_did(tmp_path):
    body = "from pathlib import Path\nseen = Path('seen.txt')\ntotal = 12 if not seen.exists() else 13\nseen.write_text('x')"
    strength = await measure(tmp_path, notebook("x = 3", PROMISE + "total = 0"), "c1", PROMISE + body)
    assert strength.mutants == ()
    assert "leave traces" in strength.said
    assert summary(strength) == strength.said


async def test_a_mistake_that_never_ends_is_ended_and_not_counted(tmp_path):
    body = "n = 0\nwhile n < 3:\n    n += 1\ntotal = 12"
    strength = await measure(tmp_path, notebook("x = 3", PROMISE + "total = 0"), "c1", PROMISE + body)
    assert verdicts(strength)["+= → -="] == "untold"
    assert verdicts(strength)["12 → 13"] == "caught", "the next one runs all the same"


async def test_no_mistake_is_made_where_the_network_is_used(tmp_path):
    body = PROMISE + "import requests\ntotal = requests.delete('http://localhost/' + str(3 * x)).status_code"
    sandbox = ScriptedSandbox()
    strength = await measure(tmp_path, notebook("x = 3", PROMISE + "total = 0"), "c1", body, sandbox)
    assert (strength.mutants, sandbox.opened) == ((), 0)
    assert "use the network" in strength.said


async def test_nothing_is_begun_that_cannot_be_done_in_its_time(tmp_path):
    before = notebook("x = 3", PROMISE + "total = 0")
    trial = trial_of(before, "c1", PROMISE + "total = x * 4", seconds=30.0)
    after = apply(trial.candidate.patch, before)
    course, above = course_of(trial, before, after)
    sandbox = ScriptedSandbox()
    strength = await mutate(course, mistakes_in(before, after, ["c1"]), after, sandbox, tmp_path, Limits(), 10.0, above)
    assert (strength.mutants, sandbox.opened) == ((), 0)
    assert strength.said == "not measured: the cells above take 30 s, and 10 s are set aside"


async def test_mistakes_are_made_in_a_cage_and_leave_the_state_as_it_was(tmp_path):
    promise = '"""Revenue.\n\n>>> revenue.sum()\nnp.float64(20.0)\n"""\n'
    before = notebook(
        "import numpy as np\nimport pandas as pd\ndf = pd.DataFrame({'m': [1, 1, 2], 'p': [1.0, 2.0, 4.0], 'q': [2, 3, 3]})",
        promise + "revenue = 0",
    )
    body = promise + "df['r'] = df['p'] * df['q']\nrevenue = df.groupby('m')['r'].sum()\nbest = revenue.idxmax()\ndf.plot\ndisplay(df)"
    strength = await measure(tmp_path, before, "c1", body, ContainedSandbox())
    found = verdicts(strength)
    assert found["* → /"] == "caught"
    assert found["sum → mean"] == "caught"
    assert found["idxmax → idxmin"] == "survived"
    assert found["df['r'] = df['p'] * df['q'] left out"] == "failed", "the state was clean: no earlier run had left the column"
    assert strength.missing == "no promise looks at best"
    assert not (tmp_path / "seen.txt").exists()


def test_the_most_telling_survivor_is_in_what_the_change_brought():
    def mutant(said: str, kind: str, new: bool = True) -> Mutant:
        return Mutant("c", 1, kind, said, "survived", new, (), ("x",))

    strength = Strength((mutant("old", "aggregate", new=False), mutant("1 → 2", "constant"), mutant("sum → mean", "aggregate")))
    assert strength.survivor.said == "sum → mean"
    assert Strength().share is None
    assert summary(Strength()) == "no small mistake could be made in the new code that changes a result"


@pytest.mark.parametrize(("share", "caught"), [(0.75, 3), (0.0, 0), (1.0, 4)])
def test_the_share_is_of_what_a_promise_could_tell(share, caught):
    mutants = [Mutant("c", 1, "constant", "1 → 2", "caught" if i < caught else "survived") for i in range(4)]
    rest = [Mutant("c", 1, "constant", "1 → 2", v) for v in ("same", "failed", "untold", "shown")]
    assert Strength((*mutants, *rest)).share == share


async def measure_in_copies(sandbox: ForkedSandbox, folder, before: Notebook, source: str) -> Strength:
    trial = trial_of(before, "c1", source, seconds=FORK)
    after = apply(trial.candidate.patch, before)
    course, _ = course_of(trial, before, after)
    mistakes = mistakes_in(before, after, ["c1"])
    try:
        async with sandbox.open_from(before, before, folder, Limits()) as kernel:  # the notebook as it is, as a trial runs it
            for cell in before.cells:
                await kernel.execute(cell)
        return await mutate(course, mistakes, after, sandbox, folder, Limits(), FORK, 0.0, before)
    finally:
        await sandbox.aclose()


async def test_where_there_is_a_copy_the_cells_above_do_not_run_again(tmp_path):
    class OnlyCopies(ForkedSandbox):
        def open(self, *given):
            raise AssertionError("a clean kernel was asked")

    before = notebook("import os\nx, mark = 3, os.urandom(8)", PROMISE + "total = 0")
    strength = await measure_in_copies(OnlyCopies(ContainedSandbox()), tmp_path, before, PROMISE + "total = x * 4")
    assert verdicts(strength) == {"* → /": "caught", "4 → 5": "caught", "4 → 3": "caught"}


@pytest.mark.slow
async def test_what_a_copy_may_not_do_is_asked_of_a_clean_kernel(tmp_path):
    before = notebook("x = 3", PROMISE + "total = 0")
    body = PROMISE + "open('out.txt', 'w').write('x')\ntotal = x * 4"
    strength = await measure_in_copies(ForkedSandbox(ContainedSandbox()), tmp_path, before, body)
    assert verdicts(strength)["* → /"] == "caught"
    assert not (tmp_path / "out.txt").exists()
