"""watch: when a failure is left alone, when no model is asked, and when a change is taken back.

Guard rails of the loop, as pure readings of the ledger: what failed once in vain is not tried again in the same way, code
that has just been tried rests, and after some vain attempts in a row no more money is spent until the notebook runs well
again (a circuit breaker: Nygard, Release It!, 2007). A version that was just deployed is on probation: a failure in
what it made takes it back. A failure elsewhere does not, for the next night's trouble is mostly of another cause.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from datetime import datetime

from ..analysis.bearing import flows, statements_of
from ..analysis.contract import executable
from ..analysis.effects import slice_below
from ..values.ledger import VAIN, Heal, Rails, WentWell
from ..values.notebook import Notebook
from ..values.request import Failure
from ..values.version import Lineage, Recorded, left_behind


def tried(heals: Sequence[Heal], fingerprint: str) -> Heal | None:
    """The last attempt at this very failure."""
    return next((h for h in reversed(heals) if h.fingerprint == fingerprint), None)


def resting(heals: Sequence[Heal], cell_id: str, code: str, now: str, rails: Rails) -> float:
    """Seconds for which this code is still to be left alone after a vain attempt; 0.0 where it may be tried."""
    last = next((h for h in reversed(heals) if h.cell_id == cell_id and h.code == code and h.ended in VAIN), None)
    if last is None:
        return 0.0
    passed = (datetime.fromisoformat(now) - datetime.fromisoformat(last.at)).total_seconds()
    return max(0.0, rails.cool_down - max(0.0, passed))


def in_vain(heals: Sequence[Heal], well: WentWell | None) -> int:
    """How many attempts in a row came to nothing, since the notebook ran well or a change was deployed. A proposal that
    waits for a person is neither."""
    count = 0
    for heal in reversed(heals):
        if heal.ended == "deployed" or (well is not None and heal.at < well.at):
            break
        count += heal.ended in VAIN
    return count


def breaker_open(heals: Sequence[Heal], well: WentWell | None, rails: Rails) -> bool:
    """Whether no model is to be asked."""
    return rails.breaker > 0 and in_vain(heals, well) >= rails.breaker


# ---- libraries -----------------------------------------------------------------------------------------------------


def upgraded(well: WentWell | None, libraries: Mapping[str, str]) -> tuple[str, ...]:
    """A line for each library that is another one than in the last run that went well."""
    if well is None:
        return ()
    changed = [(n, well.libraries[n], now) for n, now in libraries.items() if well.libraries.get(n, now) != now]
    return tuple(
        f"{name} was {was} when this notebook last ran well ({well.at[:10]}) and is {now} now."
        for name, was, now in sorted(changed)
    )


# ---- probation -----------------------------------------------------------------------------------------------------


def on_probation(lineage: Lineage, passed: Mapping[str, int], rails: Rails) -> tuple[Recorded, ...]:
    """The adaptations in force that have not gone well in enough runs yet, newest first. `passed` counts those runs by
    the id of the version."""
    deployed = [r for r in lineage if r.outcome == "deployed"]
    behind = left_behind((r.version.id, r.version.restores, r.version.kind) for r in deployed)
    return tuple(
        r
        for r in reversed(deployed)
        if r.version.kind == "adapt" and r.version.id not in behind and passed.get(r.version.id, 0) < rails.probation
    )


def to_blame(failure: Failure, before: Notebook, made: Notebook, now: Notebook, touched: Sequence[str]) -> bool:
    """Whether a failure is one of what a change made: its statement is new, or reads what the changed ones make. Where
    the statement cannot be told, whether the change can affect the cell at all. A cell that is no longer what the change
    made of it (`made`) is somebody else's."""
    if failure.cell_id not in now:
        return False
    changed = [i for i in touched if i in now and i in made and now.cell(i).source == made.cell(i).source]
    if failure.cell_id not in {*changed, *(i for c in changed for i in slice_below(now, c))}:
        return False
    source = now.cell(failure.cell_id).source
    statement = _failing(source, failure)
    if statement is None:
        return True
    if failure.cell_id in changed and ast.dump(statement) not in _dumps(before, failure.cell_id):
        return True
    return flows(before, now, changed, {failure.cell_id})[failure.cell_id].bears(statement)


def _failing(source: str, failure: Failure) -> ast.stmt | None:
    body = statements_of(executable(source))
    if failure.ename == "ContractBroken":
        body = statements_of(failure.evalue.partition(" gave ")[0])
        return body[0] if body else None
    line = failure.line
    return next((s for s in body if line and s.lineno <= line <= (s.end_lineno or s.lineno)), None)


def _dumps(notebook: Notebook, cell_id: str) -> set[str]:
    source = notebook.cell(cell_id).source if cell_id in notebook else ""
    return {ast.dump(s) for s in statements_of(executable(source))}


def take_back_to(lineage: Lineage, blamed: Recorded) -> Recorded | None:
    """The version whose state was there before the blamed one, where it can be brought back unasked: not where a person
    changed something since, for that would go with it."""
    deployed = [r for r in lineage if r.outcome == "deployed"]
    place = next(i for i, r in enumerate(deployed) if r.version.id == blamed.version.id)
    if place == 0 or any(r.version.kind in ("edit", "check") for r in deployed[place + 1 :]):
        return None
    return deployed[place - 1]
