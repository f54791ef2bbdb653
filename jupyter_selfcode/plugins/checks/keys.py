"""Is a key written into a cell: it is then in the notebook, in its history, and wherever both are copied."""

from __future__ import annotations

from collections.abc import Sequence

from ...analysis.secrets import forms_in
from ...values.notebook import Notebook
from ...values.request import Request
from ...values.trial import Candidate, Finding, Trial


class KeysCheck:
    """A change that writes something with the form of a key into a cell is asked about; that one stood there already is told
    where the cell is changed. Sources are kept exactly, so that a rollback restores them: the history has the key too."""

    name = "keys"

    def screen(self, candidate: Candidate, request: Request, before: Notebook, after: Notebook) -> Sequence[Finding]:
        """Keys in the cells that the change touches."""
        known = {form for c in before.cells for form in forms_in(c.source)}
        findings = []
        for cell_id in candidate.patch.cells:
            forms = forms_in(after.cell(cell_id).source) if cell_id in after else ()
            if not forms:
                continue
            new = [form for form in forms if form not in known]
            said = f"Something like a key ({', '.join(new or forms)}) {'is written into' if new else 'stands in'} cell {cell_id}, "
            said += "and so in the notebook and its history. Read it from a variable instead, and renew it."
            findings.append(Finding("keys:written" if new else "keys:there", said, "ask" if new else "note", cell_id))
        return tuple(findings)

    def judge(self, trial: Trial, request: Request, before: Notebook, after: Notebook) -> Sequence[Finding]:
        """What a trial gave is redacted before it is told or kept."""
        return ()
