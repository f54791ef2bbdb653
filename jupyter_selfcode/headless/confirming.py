"""What a trial in a copy of the run gave, until the run has given it too: the run is what confirms such a change.

It was deployed on that trial's word, so where the run gives something else it is taken back, and this state is noted as one
that copies are not right about. A run that is killed before it comes so far leaves the version on probation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..analysis.effects import slice_below
from ..analysis.outputs import same_outputs
from ..values.notebook import Notebook
from ..values.trial import CellResult, Trial


@dataclass(slots=True)
class Confirming:
    """What is still to be confirmed, by cell. `version` is the id of the change, `state` names the cells above it."""

    expected: Mapping[str, CellResult] = field(default_factory=dict)
    affected: frozenset[str] = frozenset()
    version: str = ""
    state: str = ""

    def differs(self, result: CellResult) -> str:
        """How what a cell gave now differs from what it gave in the copy; empty where it does not. As in
        `stages.decide.confirmed`: whether it runs and keeps its contract, and what it shows where the change can affect that."""
        was = self.expected.get(result.cell_id)
        if was is None:
            return ""
        if was.status != result.status:
            said = f"{result.failure.ename}: {result.failure.evalue}" if result.failure else result.status
            return f"Cell {result.cell_id} ran well in a copy of this run, and not in the run itself ({said})."
        if result.cell_id in self.affected and not same_outputs(was.outputs, result.outputs):
            return f"Cell {result.cell_id} gave one result in a copy of this run, and another in the run itself."
        return ""


def confirming(trial: Trial, before: Notebook, after: Notebook, target: str, version: str) -> Confirming:
    """What the run has to give with this change in place, from the cell `target` on; nothing where a run from the top has
    confirmed it before."""
    from ..engine import state_above

    if trial.run is None or not trial.run.served.goes_on:
        return Confirming()
    below = {c.id for c in after.cells[after.index(target) if target in after else 0 :]}
    touched = [i for i in trial.candidate.patch.cells if i in after]
    affected = frozenset(touched).union(*(slice_below(after, i) for i in touched))
    expected = {r.cell_id: r for r in trial.run.results if r.cell_id in below}
    return Confirming(expected, affected, version, state_above(before, trial.candidate.patch.cells))
