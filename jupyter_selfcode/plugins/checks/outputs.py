"""Did untouched cells give what they gave before, but for what varies between runs.

A cell above the first changed one has run before the change could do anything: where it differs, the notebook is not
reproducible, which is told and is not held against the change.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ...analysis.effects import effects_of, slice_below
from ...analysis.outputs import difference, uncompared
from ...values.notebook import Notebook
from ...values.request import Request
from ...values.trial import Candidate, Finding, Trial

VARIES = re.compile(
    r"\b(?:time|time_ns|perf_counter|monotonic|now|today|utcnow|uuid\d?|getpid|default_rng|random|randint|rand|randn|normal|"
    r"sample|shuffle|choice|mkdtemp|gettempdir)\s*\(|%%?time|\brequests\.|\burlopen\("
)
"""Code whose output may differ in every run: the clock, random numbers, the network."""


def affected(candidate: Candidate, before: Notebook, after: Notebook) -> frozenset[str]:
    """Untouched cells whose outputs this change may rightly change: below it, and reached by names or resources."""
    found = set[str]()
    for cell_id in candidate.patch.cells:
        for notebook in (before, after):
            if cell_id in notebook and notebook.cell(cell_id).type == "code":
                found |= set(slice_below(notebook, cell_id))
    return frozenset(found)


class OutputsCheck:
    """A cell that this change cannot reach must give the same again. One that it reaches may differ: for a repair of a
    failure that is told, for other requests a person is asked."""

    name = "outputs"

    def screen(self, candidate: Candidate, request: Request, before: Notebook, after: Notebook) -> Sequence[Finding]:
        """Nothing has run yet."""
        return ()

    def judge(self, trial: Trial, request: Request, before: Notebook, after: Notebook) -> Sequence[Finding]:
        """Untouched cells that ran in both runs, compared."""
        if trial.run is None or trial.before is None:
            return ()
        touched = set(trial.candidate.patch.cells)
        reached = affected(trial.candidate, before, after)
        order = {c.id: i for i, c in enumerate(after.cells)}
        deleted = [before.index(c) for c in touched if c not in after and c in before]
        first = min([order[c] for c in touched if c in order] + deleted, default=len(order))
        findings = []
        for now in trial.run.results:
            was = trial.before.result(now.cell_id)
            if now.cell_id in touched or was is None or now.status != "ok" or was.status != "ok":
                continue
            said = difference(was.outputs, now.outputs)
            if not said:
                if uncompared(was.outputs, now.outputs):
                    message = f"Cell {now.cell_id} shows an image that was not compared."
                    findings.append(Finding("outputs:image", message, "note", now.cell_id))
                continue
            if order[now.cell_id] < first or VARIES.search(after.cell(now.cell_id).source):
                message = f"Cell {now.cell_id} does not give the same in every run, whatever this change does: {said}"
                findings.append(Finding("outputs:varies", message, "note", now.cell_id))
            elif now.cell_id in reached:
                severity = "note" if request.failure is not None else "ask"
                if effects_of(after.cell(now.cell_id).source).unknown:
                    said += " (what this cell reads cannot be told from its code)"
                message = f"The output of cell {now.cell_id}, which depends on the change, differs: {said}"
                findings.append(Finding("outputs:changed", message, severity, now.cell_id))  # type: ignore[arg-type]
            else:
                message = f"The output of cell {now.cell_id}, which this change should not reach, differs: {said}"
                # a picture may hold what is drawn anew each time and no code shows (a band of a bootstrap): a person looks
                drawn = said.startswith("the picture")
                findings.append(Finding("outputs:unreached", message, "ask" if drawn else "block", now.cell_id))
        return tuple(findings)
