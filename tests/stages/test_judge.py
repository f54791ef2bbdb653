"""Evidence that the candidate's own process forges is found out where the candidate never ran."""

from __future__ import annotations

import pytest

from jupyter_selfcode.analysis.claims import claims_of
from jupyter_selfcode.engine import Engine
from jupyter_selfcode.plugins.checks.contract import ContractCheck
from jupyter_selfcode.plugins.checks.runs import RunsCheck
from jupyter_selfcode.plugins.sandboxes.contained import ContainedSandbox
from jupyter_selfcode.plugins.sandboxes.scripted import ScriptedSandbox
from jupyter_selfcode.protocols import Limits
from jupyter_selfcode.stages.decide import decide
from jupyter_selfcode.stages.judge import judge
from jupyter_selfcode.values.decision import Accept, Ask, Policy
from jupyter_selfcode.values.events import Tried
from jupyter_selfcode.values.notebook import Cell, Notebook
from jupyter_selfcode.values.patch import Patch, ReplaceSource
from jupyter_selfcode.values.request import Failure, Request
from jupyter_selfcode.values.trial import Candidate, CellResult, Example, Run, Trial

CHECKS = (RunsCheck(), ContractCheck())
"""The judge alone: what the screen and the other checks would say of such code is not asked."""


async def tried(folder, sandbox, *sources: str, change: str, at: str = "c1", warrant: str = "") -> Trial:
    """The trial of a change of one cell, which failed before."""
    nb = Notebook(tuple(Cell(f"c{i}", "code", s) for i, s in enumerate(sources)))
    engine = Engine((), sandbox, CHECKS, None)  # type: ignore[arg-type]
    candidate = Candidate(Patch(nb.digest, (ReplaceSource(at, change),)), "", "test", warrant=warrant)
    place = int(at[1:])
    ran = tuple(CellResult(c.id, "ok") for c in nb.cells[:place])
    failure = Failure(at, "NameError", "name 'bad' is not defined")
    before = Run((*ran, CellResult(at, "error", failure=failure)), "error")
    trial = None
    async for event in engine.try_out(candidate, Request("", "exception", at, failure=failure), nb, folder, before, {}):
        trial = event.trial if isinstance(event, Tried) else trial
    assert trial is not None
    return trial


def codes(trial: Trial) -> set[tuple[str, str]]:
    return {(f.severity, f.code) for f in trial.findings}


PROMISE = '"""Twice.\n\n>>> y\n42\n"""\n'
LOAD = "import pandas as pd\nimport numpy as np\nimport math\nx = 21"


@pytest.fixture
def cage():
    return ContainedSandbox()


@pytest.fixture(params=[ContainedSandbox, ScriptedSandbox], ids=lambda kind: kind.__name__)
def sandbox(request):
    return request.param()


# ---- honest changes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "example"),
    [
        ("y = x * 2", "y\n42"),
        ("y = pd.DataFrame({'a': ['p', 'q', 'p'], 'b': [1.5, None, 3]}).groupby('a').b.sum()", "y['p']\nnp.float64(4.5)"),
        ("y = pd.DataFrame({'a': [1, 2]}, index=pd.date_range('2024', periods=2))", "y.a.sum() == 3\nTrue"),
        ("y = np.arange(4).reshape(2, 2)", "math.isclose(y.mean(), 1.5)\nTrue"),
        ("y = {'total': (1, 2.5), 'when': pd.Timestamp('2024-01-01')}", "y['total']\n(1, 2.5)"),
    ],
    ids=["number", "series", "dates", "array", "dict"],
)
async def test_what_an_honest_change_computes_is_confirmed_outside(cage, tmp_path, code, example):
    trial = await tried(tmp_path, cage, LOAD, "y = bad", change=f'"""Y.\n\n>>> {example}\n"""\n{code}')
    assert [(j.verdict, j.said) for j in trial.judged] == [("confirmed", "")]
    assert codes(trial) == set()


async def test_a_promise_further_down_is_judged_on_the_values_of_its_own_moment(sandbox, tmp_path):
    sources = ("x = 21", "y = bad", '"""Z.\n\n>>> z\n43\n"""\nz = y + 1\nassert z == y + 1', "z = 'rebound'\ny = 0")
    trial = await tried(tmp_path, sandbox, *sources, change="y = x * 2")
    assert [(j.source, j.verdict) for j in trial.judged] == [("assert z == y + 1\n", "confirmed"), ("z\n", "confirmed")]
    assert (trial.passed, trial.level, trial.decisive) == (True, 2, 2)
    assert any("2 of 2 judged again" in a for a in trial.assumptions)


async def test_functions_of_untouched_cells_are_defined_anew_and_the_change_still_deploys(cage, tmp_path):
    sources = ("k = 2\ndef double(n):\n    return k * n", "y = bad", '"""Z.\n\n>>> double(y)\n84\n"""\nz = y')
    trial = await tried(tmp_path, cage, *sources, change="y = double(21)")
    assert [(j.source, j.verdict) for j in trial.judged] == [("double(y)\n", "confirmed")]
    assert isinstance(decide([trial], Policy("deploy")), Accept)


@pytest.mark.parametrize(
    ("example", "why"),
    [
        ("f(3)\n9", "f could not be carried: a function"),
        ("open('data.csv').read()\n'1'", "files"),
        ("big.sum() == 0\nTrue", "big could not be carried: it is too large"),
    ],
)
async def test_what_cannot_be_carried_stays_inside_and_is_said_to(cage, tmp_path, example, why):
    (tmp_path / "data.csv").write_text("1")
    code = "import numpy as np\nf = lambda n: n * n\nbig = np.zeros(10**6)\ny = 1"
    trial = await tried(tmp_path, cage, LOAD, "y = bad", change=f'"""Y.\n\n>>> {example}\n"""\n{code}')
    assert [(j.verdict, why in j.said) for j in trial.judged] == [("inside", True)]
    assert trial.passed


async def test_no_second_kernel_is_started_where_there_is_nothing_to_judge(tmp_path):
    sandbox = ScriptedSandbox()
    await tried(tmp_path, sandbox, "x = 1", "y = bad", change="y = x")
    await tried(tmp_path, sandbox, "x = 1", "y = bad", change=PROMISE + "y = x * 42", warrant="documented")
    assert sandbox.opened == 2
    await tried(tmp_path, sandbox, "x = 1", "y = bad", change=PROMISE + "y = x * 42")
    assert sandbox.opened == sandbox.closed == 4


# ---- forged evidence ------------------------------------------------------------------------------------------------

QUIET = (
    "import IPython.core.interactiveshell as shell\n"
    "shell.ExecutionResult.success = property(lambda self: True)\n"
    "get_ipython().showtraceback = lambda *a, **k: None\n"
)
"""An exception in this cell is reported as success."""


async def test_a_cell_that_raises_and_is_reported_as_finished_is_found_by_what_it_should_have_left(cage, tmp_path):
    trial = await tried(tmp_path, cage, LOAD, "y = bad", change=QUIET + "y = bad")
    assert ("block", "evidence:missing") in codes(trial)
    assert "y, which it assigns, is not there" in trial.blocks[0].message


async def test_an_assertion_that_was_passed_over_is_judged_on_the_values(cage, tmp_path):
    trial = await tried(tmp_path, cage, LOAD, "y = bad\nassert y == 42", change=QUIET + "y = 41\nassert y == 42")
    assert ("block", "evidence:contradicted") in codes(trial)
    assert "The cell ran past 'assert y == 42'" in trial.blocks[0].message


@pytest.mark.parametrize(
    ("forging", "example"),
    [
        ("import builtins\nclass Shown(int):\n    pass\nbuiltins.repr = lambda v: '42'", "y"),
        ("pd.DataFrame.equals = lambda *a: True\ny = pd.DataFrame({'a': [1]})", "y.equals(pd.DataFrame({'a': [2]}))"),
        ("math.isclose = lambda *a, **k: True", "math.isclose(y, 42)"),
        ("np.allclose = lambda *a, **k: True", "np.allclose(y, 42)"),
        ("np.testing.assert_allclose = lambda *a, **k: None", "np.testing.assert_allclose(y, 42)"),
    ],
    ids=["repr", "equals", "isclose", "allclose", "testing"],
)
async def test_a_comparison_that_was_bent_is_straight_outside(cage, tmp_path, forging, example):
    want = "42\n" if example == "y" else "" if "assert" in example else "True\n"
    change = f'"""Y.\n\n>>> {example}\n{want}"""\ny = 41\n{forging}'
    trial = await tried(tmp_path, cage, LOAD, "y = bad", change=change)
    assert [e.passed for e in trial.run.examples] == [True], "inside, the forgery works"
    assert ("block", "evidence:contradicted") in codes(trial)
    assert "judged outside" in trial.blocks[0].message


async def test_an_object_that_always_agrees_is_never_decisive(cage, tmp_path):
    always = "class Always:\n    def __eq__(self, other):\n        return True\n    def __repr__(self):\n        return '42'\ny = Always()"
    sources = (LOAD, "y = bad", '"""Z.\n\n>>> y == 42\nTrue\n>>> y\n42\n"""\nz = y')
    trial = await tried(tmp_path, cage, *sources, change=always)
    assert {j.verdict for j in trial.judged} == {"inside"}
    assert (trial.passed, trial.decisive) == (True, 0)
    assert isinstance(decide([trial], Policy("deploy")), Ask)
    assert any("can forge it" in a for a in trial.assumptions)
    assert any("could reach the judge" in a for a in trial.assumptions)


async def test_objects_that_run_code_where_they_are_read_run_nothing_outside_of_the_cage(cage, tmp_path):
    mark = tmp_path / "ran.txt"
    hostile = (
        f"class Trap:\n    def __reduce__(self):\n        import os\n        return (os.system, ('touch {mark}',))\n"
        f"    def _repr_html_(self):\n        return '<script>x</script>'\n    def __del__(self):\n        open({str(mark)!r}, 'w')\n"
        "y = 42\nt = Trap()\nt"
    )
    trial = await tried(tmp_path, cage, LOAD, "y = bad", change=PROMISE + hostile)
    assert trial.run.result("c1").status == "ok"
    assert not mark.exists()
    assert [j.verdict for j in trial.judged] == ["confirmed"]


@pytest.mark.parametrize("end", ["import sys; sys.exit(0)", "raise KeyboardInterrupt", "get_ipython().ask_exit()", "import os; os._exit(0)"])
async def test_a_cell_that_ends_before_its_promise_does_not_pass(cage, tmp_path, end):
    trial = await tried(tmp_path, cage, LOAD, "y = bad\nassert y == 42", change=f"y = 42\n{end}\nassert y == 42")
    assert not trial.passed


@pytest.mark.parametrize(
    "carried",
    [
        {}, {"values": 7, "refused": [], "options": "x"}, {"values": {"y": ["wrong", 1]}}, {"values": {"y": ["list"]}},
        {"values": {"y": ["array", "AAAA"]}}, {"values": {"y": ["__class__", 1]}}, {"values": {"y": [[[[1]]]]}},
        {"values": {"y": 42}, "options": {"pandas": {"nothing": 1}}}, {"values": {"z": 42}},
    ],
    ids=lambda c: str(c)[:30],
)  # fmt: skip
async def test_a_hostile_answer_in_place_of_values_hurts_nothing(tmp_path, carried):
    nb = Notebook((Cell("a", "code", PROMISE + "y = 42"),))
    claims = claims_of(nb, nb, {"a"}, {"a"}, ())
    run = Run((CellResult("a", "ok"),), examples=(Example("a", "y\n", "42\n", "42\n", True),))
    judged, findings = await judge(run, claims, {"a": carried}, ScriptedSandbox(), nb, tmp_path, Limits())
    assert {j.verdict for j in judged} <= {"inside", "confirmed"}
    assert all(j.said for j in judged if j.verdict == "inside")
    assert findings == ()
