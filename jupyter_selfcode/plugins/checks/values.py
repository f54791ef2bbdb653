"""Are the variables of cells that a change does not reach what they were, compared by meaning outside of both kernels.

What a wish changes further down is told; a person is asked where a cell differs that nothing in the code leads to.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...values.behaviour import Likeness
from ...values.notebook import Notebook
from ...values.request import Request
from ...values.trial import Candidate, Finding, Severity, Trial
from .outputs import VARIES, affected

NAMED = 4
"""Variables that one finding names."""


class ValuesCheck:
    """Asks where a variable differs that the change should not reach; tells which others do."""

    name = "values"

    def screen(self, candidate: Candidate, request: Request, before: Notebook, after: Notebook) -> Sequence[Finding]:
        """Nothing has run yet."""
        return ()

    def judge(self, trial: Trial, request: Request, before: Notebook, after: Notebook) -> Sequence[Finding]:
        """A finding for each cell whose variables differ."""
        touched = set(trial.candidate.patch.cells)
        reached = affected(trial.candidate, before, after)
        differing: dict[str, list[Likeness]] = {}
        for found in trial.alike:
            if found.verdict == "differs":
                differing.setdefault(found.cell_id, []).append(found)
        findings = []
        for cell_id, variables in differing.items():
            said = "; ".join(f"{v.name}: {v.said}" for v in variables[:NAMED]) + ("; …" if len(variables) > NAMED else "")
            severity: Severity = "note"
            if cell_id in touched:
                code, how = "values:changed", "which it changes, gives other values"
            elif cell_id in reached:
                code, how = "values:changed", "which depends on the change, has other values"
            elif VARIES.search(after.cell(cell_id).source):
                code, how = "values:varies", "which does not give the same in every run, has other values"
            else:
                code, how, severity = "values:unreached", "which this change should not reach, has other values", "ask"
            findings.append(Finding(code, f"Cell {cell_id}, {how}: {said}", severity, cell_id))
        return tuple(findings)
