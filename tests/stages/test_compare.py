"""The variables of two runs of a notebook, each in the moment of its cell."""

from __future__ import annotations

import pytest

from jupyter_selfcode.engine import Engine
from jupyter_selfcode.plugins.checks.values import ValuesCheck
from jupyter_selfcode.plugins.sandboxes.contained import ContainedSandbox
from jupyter_selfcode.plugins.sandboxes.scripted import ScriptedSandbox
from jupyter_selfcode.protocols import Limits
from jupyter_selfcode.stages.compare import watched
from jupyter_selfcode.stages.validate import Evidence, validate
from jupyter_selfcode.values.events import Tried
from jupyter_selfcode.values.notebook import Cell, Notebook
from jupyter_selfcode.values.patch import Patch, ReplaceSource
from jupyter_selfcode.values.request import Request
from jupyter_selfcode.values.trial import Candidate, Run, Trial


async def changed(folder, sandbox, *sources: str, change: str, at: str) -> Trial:
    """The trial of a wish, as the engine makes it: the notebook as it is, then with the change."""
    notebook = Notebook(tuple(Cell(f"c{i}", "code", s) for i, s in enumerate(sources)))
    evidence, runs = Evidence({}, watched=watched(notebook)), list[Run]()
    async for _ in validate(notebook, len(sources), sandbox, folder, Limits(), runs, evidence):
        pass
    candidate = Candidate(Patch(notebook.digest, (ReplaceSource(at, change),)), "", "test")
    engine = Engine((), sandbox, (ValuesCheck(),), None)  # type: ignore[arg-type]
    trial = None
    async for event in engine.try_out(candidate, Request("do it"), notebook, folder, runs[0], {}, was=evidence):
        trial = event.trial if isinstance(event, Tried) else trial
    assert trial is not None
    return trial


@pytest.fixture(params=[ContainedSandbox, ScriptedSandbox], ids=lambda kind: kind.__name__)
def sandbox(request):
    return request.param()


LOAD = "import pandas as pd\ndf = pd.DataFrame({'a': [1.0, 2.0, 3.0], 'b': ['x', 'y', 'x']})\nother = [1, 2]"


async def test_variables_are_compared_from_the_first_changed_cell_on_and_what_differs_is_named(sandbox, tmp_path):
    sources = (LOAD, "k = 2", "total = df.a.sum() * k", "names = sorted(df.b)\ndef f(n):\n    return n")
    trial = await changed(tmp_path, sandbox, *sources, change="k = 3", at="c1")
    assert [(v.cell_id, v.name, v.verdict) for v in trial.alike] == [
        ("c1", "k", "differs"), ("c2", "total", "differs"), ("c3", "f", "same"), ("c3", "names", "same"),
    ]  # fmt: skip
    assert {(f.severity, f.cell_id) for f in trial.findings} == {("note", "c1"), ("note", "c2")}
    assert "1 of 1 variable" not in " ".join(trial.assumptions)
    assert any("2 of 3 variables of untouched cells equal" in a for a in trial.assumptions)


async def test_a_change_that_reaches_by_the_back_door_is_asked_about(tmp_path):
    sneaky = "k = 2\nimport builtins\nbuiltins.sorted = lambda items: list(items)[::-1]"
    sources = (LOAD, "k = 2", "names = sorted(df.b)")
    trial = await changed(tmp_path, ContainedSandbox(), *sources, change=sneaky, at="c1")
    assert [f.code for f in trial.asks] == ["values:unreached"]


async def test_a_cell_that_shows_nothing_is_observed_by_its_variables(sandbox, tmp_path):
    unknown = "exec('seen = 1')\nn = 5"
    trial = await changed(tmp_path, sandbox, LOAD, "k = 2", unknown, change="k = 1 + 1", at="c1")
    assert any(a.startswith("observed to give the same again: 1 cell (c2)") for a in trial.assumptions), trial.assumptions
