"""Did it run: the trial reached its end, and what was to be mended no longer fails."""

from __future__ import annotations

from collections.abc import Sequence

from ...values.notebook import Notebook
from ...values.request import Failure, Request
from ...values.trial import Candidate, CellResult, Finding, Trial


def _said(failure: Failure | None) -> str:
    if failure is None:
        return "it was stopped"
    text = " ".join(f"{failure.ename}: {failure.evalue}".split())
    return text if len(text) <= 300 else text[:299] + "…"


def _same(a: CellResult | None, b: CellResult) -> bool:
    """Whether a cell failed before in the way it fails now: the kind of exception and its message are equal."""
    return bool(
        a and a.failure and b.failure and (a.failure.ename, a.failure.evalue) == (b.failure.ename, b.failure.evalue)
    )


class RunsCheck:
    """Blocks what did not run. A cell that nobody touched and that failed before in the same way is only noted, where
    the request is about another cell, which ran."""

    name = "runs"

    def screen(self, candidate: Candidate, request: Request, before: Notebook, after: Notebook) -> Sequence[Finding]:
        """Nothing has run yet."""
        return ()

    def judge(self, trial: Trial, request: Request, before: Notebook, after: Notebook) -> Sequence[Finding]:
        """Stopped runs and failing cells."""
        run = trial.run
        if run is None:
            return ()
        if run.state not in ("complete", "error"):
            line = run.detail or f"The trial ended early ({run.state}) and says nothing about this change."
            return (Finding(f"runs:{run.state}", line, "block", run.results[-1].cell_id if run.results else None),)
        touched = set(trial.candidate.patch.cells)
        findings = []
        for result in run.results:
            if result.status not in ("error", "stopped"):
                continue
            told = f"Cell {result.cell_id} fails: {_said(result.failure)}"
            known = _same(trial.before.result(result.cell_id) if trial.before else None, result)
            asked = {request.target, request.failure.cell_id if request.failure else None}
            reached = all(run.result(c) is not None for c in [*touched, request.target] if c and c in after)
            if known and result.cell_id not in touched | asked and reached:
                findings.append(
                    Finding("runs:failed-before", f"{told} (as it did before this change)", "note", result.cell_id)
                )
            else:
                missing = result.failure is not None and result.failure.ename == "EvidenceMissing"
                code = "evidence:missing" if missing else "runs:fails"
                findings.append(Finding(code, told, "block", result.cell_id))
        target = request.target
        wanted = target is not None and target in after and after.cell(target).runs
        if wanted and not findings and run.result(str(target)) is None:
            message = "The trial did not reach the cell that this is about."
            findings.append(Finding("runs:not-reached", message, "block", target))
        return tuple(findings)
