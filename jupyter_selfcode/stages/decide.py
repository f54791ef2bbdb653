"""decide: trials and policy give Accept, Ask or Reject.

Levels, in the words of the README: 0 well-formed (it parses, imports exist here, it stays in its scope, and it ran) ·
2 contract (examples that this change can affect hold, and cells that it does not touch gave the same outputs again).
Levels 1, 3 and 4 need evidence that is not gathered yet, and are not claimed.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..analysis.outputs import same_outputs
from ..values.decision import Accept, Ask, Decision, Policy, Reject
from ..values.notebook import Notebook
from ..values.trial import Trial


def level_of(trial: Trial, notebook: Notebook, recorded: dict[str, tuple[object, ...]]) -> tuple[int | None, tuple[str, ...]]:
    """The level that a trial reached, and what that assumes. `recorded` are outputs that the notebook file carries."""
    if trial.run is None or not trial.passed:
        return None, ()
    touched = set(trial.candidate.patch.cells)
    order = {c.id: i for i, c in enumerate(notebook.cells)}
    first = min((order[c] for c in touched if c in order), default=0)
    held = [e for e in trial.run.examples if e.passed and order.get(e.cell_id, first) >= first]
    again = sum(
        1
        for r in trial.run.results
        if trial.before and r.cell_id not in touched and r.status == "ok" and trial.before.result(r.cell_id)
    )
    assumptions = [
        f"ran from the top in a clean kernel ({trial.run.sandbox}), {sum(r.status == 'ok' for r in trial.run.results)} cells"
    ]
    if again:
        assumptions.append(f"{again} untouched cells ran again; differing outputs are listed as findings")
    reproduced = [
        r.cell_id
        for r in trial.run.results
        if r.cell_id in touched and recorded.get(r.cell_id) and same_outputs(recorded[r.cell_id], r.outputs)
    ]
    if held:
        assumptions.append(f"{len(held)} examples of the contract hold; what they do not say is not checked")
    if reproduced:
        assumptions.append(f"the changed cell gave the output that the notebook had recorded ({', '.join(reproduced)})")
    if not held and not reproduced:
        assumptions.append("no contract covers the changed cells: that it ran is all that is known")
    return (2 if held or reproduced else 0), tuple(assumptions)


def _rank(trial: Trial) -> tuple[int, int, int, float]:
    """Contract first, then fewer questions, smaller change, faster."""
    size = sum(len(getattr(op, "source", "")) for op in trial.candidate.patch.ops)
    return (-(trial.level or 0), len(trial.asks), size, trial.seconds)


def decide(trials: Sequence[Trial], policy: Policy) -> Decision | None:
    """The decision on one round of candidates; None where none passed and the next round may try.

    Candidates of one round that passed are told apart by what they gave: where their outputs disagree, a person is
    asked, because nothing says which of them is right.
    """
    passed = sorted((t for t in trials if t.passed), key=_rank)
    if not passed:
        return None
    best = passed[0]
    if len(passed) > 1 and best.level is not None and best.level < 2:
        touched = {c for t in passed for c in t.candidate.patch.cells}
        for other in passed[1:]:
            for cell_id in touched:
                a = best.run.result(cell_id) if best.run else None
                b = other.run.result(cell_id) if other.run else None
                if a and b and not same_outputs(a.outputs, b.outputs):
                    return Ask(best, f"{len(passed)} different candidates ran and gave different results.")
    if best.asks:
        return Ask(best, best.asks[0].message)
    if policy.mode != "deploy":
        return Ask(best, "A person decides (policy propose).")
    if (best.level or 0) < policy.min_level and not best.candidate.warrant:
        return Ask(best, "It ran, but no contract says that it is right.")
    return Accept(best, best.candidate.warrant or f"Level {best.level} reached with no question left open.")


def nothing_passed(trials: Sequence[Trial]) -> Reject:
    """The honest end of a request: how many were tried and what stopped the last."""
    if not trials:
        return Reject("No proposer had a change to offer.")
    last = next(iter(trials[-1].blocks), None)
    return Reject(f"None of {len(trials)} candidates passed. The last: {last.message if last else 'it did not run'}")
