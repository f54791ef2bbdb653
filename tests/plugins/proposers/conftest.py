"""Notebooks that are run for real, in this process, so that a rule's chain can be followed without a kernel."""

from __future__ import annotations

import contextlib
import io
import re
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from jupyter_selfcode.analysis import variables
from jupyter_selfcode.analysis.magics import mask
from jupyter_selfcode.plugins.proposers.rules import RulesProposer
from jupyter_selfcode.protocols import Situation
from jupyter_selfcode.stages.propose import Spending
from jupyter_selfcode.values.events import Proposed
from jupyter_selfcode.values.notebook import Cell, Notebook
from jupyter_selfcode.values.patch import apply
from jupyter_selfcode.values.request import Budget, Context, Failure, Request
from jupyter_selfcode.values.trial import Candidate, CellResult, Run, Trial


def notebook_of(*sources: str) -> Notebook:
    return Notebook(tuple(Cell(f"c{i}", "code", s) for i, s in enumerate(sources)))


def run(notebook: Notebook) -> Run:
    """Every cell from the top in one namespace, magics left out, until one fails; tracebacks name cells as IPython does."""
    namespace: dict[str, object] = {"__name__": "__main__"}
    results: list[CellResult] = []
    for number, cell in enumerate(notebook.cells, 1):
        masked = mask(cell.source)
        source = masked.text
        for magic in masked.magics:
            source = source.replace(magic.placeholder, "None")
        try:
            with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                exec(compile(source, f"<cell {number}>", "exec"), namespace)
        except Exception as e:
            frames = [
                (int(m.group(1)), f.lineno)
                for f in traceback.extract_tb(e.__traceback__)
                if (m := re.fullmatch(r"<cell (\d+)>", f.filename))
            ]
            text = "\n".join(f"Cell In[{n}], line {line}" for n, line in frames) + f"\n{type(e).__name__}: {e}"
            mine = [line for n, line in frames if n == number] or [getattr(e, "lineno", None)]
            failure = Failure(cell.id, type(e).__name__, str(e), text, mine[-1])
            results.append(CellResult(cell.id, "error", execution_count=number, failure=failure))
            break
        results.append(CellResult(cell.id, "ok", execution_count=number))
    own = {k: v for k, v in namespace.items() if not k.startswith("__")}
    state = "error" if results and results[-1].status == "error" else "complete"
    return Run(tuple(results), state, variables=variables.summarise(own))


@dataclass
class Mending:
    """What the rules proposed for a notebook, in order, and what came of it."""

    before: Run
    trials: list[Trial] = field(default_factory=list)
    notebook: Notebook | None = None
    """The notebook that ran through; None where the rules had nothing that mends it."""

    @property
    def candidates(self) -> list[Candidate]:
        return [t.candidate for t in self.trials]

    @property
    def sources(self) -> list[str]:
        assert self.notebook is not None, [
            (c.rationale, t.run.failure) for c, t in zip(self.candidates, self.trials, strict=True)
        ]
        return [c.source for c in self.notebook.cells]


async def _mend(
    notebook: Notebook,
    folder: Path,
    failure: Failure | None = None,
    scope: tuple[str, ...] = (),
    request: Request | None = None,
) -> Mending:
    before = run(notebook)
    failure = failure or before.failure
    request = request or Request("", "exception", failure.cell_id if failure else None, scope, failure)
    out = Mending(before)
    situation = Situation(request, notebook, before, Context(), out.trials, Spending(Budget()), folder)
    async for event in RulesProposer().propose(situation):
        assert isinstance(event, Proposed)
        for candidate in event.candidates:
            after = apply(candidate.patch, notebook)
            result = run(after)
            trial = Trial(candidate, result, before, () if result.failure is None else (_finding(result.failure),))
            out.trials.append(trial)
            if result.failure is None:
                out.notebook = after
                return out
    return out


def _finding(failure: Failure):
    from jupyter_selfcode.values.trial import Finding

    return Finding("runs", f"{failure.ename}: {failure.evalue}", "block", failure.cell_id)


@pytest.fixture
def mend(tmp_path, monkeypatch) -> Callable[..., object]:
    """`await mend(*sources)`: run, propose, try, until it runs through or nothing is left."""
    import matplotlib

    matplotlib.use("Agg")
    monkeypatch.chdir(tmp_path)

    async def mended(*sources: str, **options) -> Mending:
        try:
            return await _mend(notebook_of(*sources), tmp_path, **options)
        finally:
            import matplotlib.pyplot as plt

            plt.close("all")
            plt.rcdefaults()
            matplotlib.use("Agg")

    return mended
