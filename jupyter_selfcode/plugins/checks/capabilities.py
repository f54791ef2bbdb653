"""What could the change do that the notebook could not: every gain in words, refused or asked about.

A capability that the same cell had before is no gain, nor one that this change takes from another cell, nor the import of a
module that the notebook imports already. A warrant (a replacement that a library documents as the same) excuses nothing here.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...analysis.capabilities import capabilities, gains, names_bound
from ...analysis.contract import is_intent
from ...values.notebook import Notebook
from ...values.request import Request
from ...values.trial import Candidate, Finding, Trial


def _source(notebook: Notebook, cell_id: str) -> str:
    """The code of a cell; empty where there is none, or only words."""
    cell = notebook.cell(cell_id) if cell_id in notebook else None
    return cell.source if cell and cell.type == "code" and not is_intent(cell.source) else ""


class CapabilitiesCheck:
    """Judges the difference; what it says is for the person who decides, and it will be evaded by code written to evade it."""

    name = "capabilities"

    def screen(self, candidate: Candidate, request: Request, before: Notebook, after: Notebook) -> Sequence[Finding]:
        """What each changed cell gains."""
        cells = [i for i in candidate.patch.cells if _source(before, i) != _source(after, i)]
        sources = [_source(before, c.id) for c in before.code_cells]
        names = names_bound(sources).union(*(names_bound([_source(after, i)]) for i in cells))
        imported = {c for s in sources for c in capabilities(s, names) if c.what.startswith("import ")}
        lost = {
            i: set(capabilities(_source(before, i), names)) - set(capabilities(_source(after, i), names)) for i in cells
        }
        findings = []
        for cell_id in cells:
            moved = set().union(*(lost[i] for i in cells if i != cell_id))
            old = _source(before, cell_id)
            for could, severity in gains(old, _source(after, cell_id), names, imported | moved):
                than = "which the cell could not do before" if cell_id in before else "in a cell that is new"
                if severity != could.severity:
                    than = "with other arguments than before"
                message = f"Line {could.line} could {could.reason}, {than}."
                findings.append(Finding(f"capability:{could.kind}", message, severity, cell_id))
        return tuple(findings)

    def judge(self, trial: Trial, request: Request, before: Notebook, after: Notebook) -> Sequence[Finding]:
        """Nothing more to see: what a trial did is the business of its effects."""
        return ()
