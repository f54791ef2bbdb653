"""behave: whether the functions that a change rewrote still give what they gave (level 3 of a repair, `analysis.extension`).

Inputs come of earlier good trials and runs, whose calls are kept in the history as notes: small ones only, a few of each function, none that
holds what looks like a secret. And they are made by Hypothesis, where the types are plain. Both versions are called in a kernel of
the same sandbox that has run the cells above.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from ..analysis.contract import is_intent
from ..analysis.extension import Calls, behaviours, changed_functions, pure_functions, trying
from ..analysis.secrets import Redactor
from ..protocols import Limits, Sandbox, Store
from ..values.behaviour import Behaviour
from ..values.errors import SelfcodeError, StoreError
from ..values.notebook import Notebook
from ..values.request import Request
from ..values.trial import Finding, Trial

SEEN = "seen"
"""Notes of this kind hold what functions took in and gave out, by the name of the function."""

KEPT = 12
"""Calls of one function that are kept, the newest."""

FUNCTIONS = 60
"""Functions of one notebook of which calls are kept."""

SECONDS = 10.0


def worth_recording(notebook: Notebook) -> Mapping[str, tuple[str, ...]]:
    """By cell, the functions whose calls are recorded in a run of the notebook as it is."""
    return {c.id: names for c in notebook.code_cells if c.runs and (names := tuple(pure_functions(c.source)))}


def keep(store: Store, path: str, calls: Calls, redactor: Redactor) -> Calls:
    """Add what was recorded to what is known, and give all of it. A call that holds a secret is not kept; a history that cannot be
    read or written keeps nothing, and says so where it is used for more."""
    try:
        known = {name: json.loads(body) for name, body in store.notes(path, SEEN).items()}
        for name, rows in calls.items():
            clean = [list(r) for r in rows if all(redactor.text(text) == text for text in r)]
            fresh = {took for took, _ in clean}
            merged = [*(r for r in known.get(name, ()) if r[0] not in fresh), *clean][-KEPT:]
            if merged and merged != known.get(name) and (name in known or len(known) < FUNCTIONS):
                store.put_note(path, SEEN, name, json.dumps(merged))
                known[name] = merged
    except (StoreError, ValueError):
        return calls
    return known


async def behave(
    trial: Trial, request: Request, before: Notebook, after: Notebook, calls: Calls, sandbox: Sandbox, folder: Path, limits: Limits
) -> Trial:
    """The trial with what its functions did. Starts a kernel only where a function was changed whose behaviour can be told."""
    todo = [
        (cell_id, *changed_functions(before.cell(cell_id).source, after.cell(cell_id).source))
        for cell_id in trial.candidate.patch.cells
        if cell_id in before and cell_id in after and before.cell(cell_id).type == after.cell(cell_id).type == "code"
    ]
    todo = [t for t in todo if t[1]]
    if not todo:
        return trial
    found: list[Behaviour] = []
    first = min(after.index(cell_id) for cell_id, _, _ in todo)
    try:
        async with sandbox.open(after, folder, limits) as kernel:
            for cell in after.cells[:first]:
                if cell.runs and not is_intent(cell.source):
                    await kernel.execute(cell)
            for cell_id, names, whole in todo:
                sources = before.cell(cell_id).source, after.cell(cell_id).source
                reply = await kernel.evaluate(trying(*sources, names, calls, SECONDS), seconds=3 * SECONDS)
                found += behaviours(cell_id, reply, whole)
    except SelfcodeError:  # no second kernel: nothing more is known
        return trial
    return replace(trial, behaviour=tuple(found), findings=trial.findings + tuple(_findings(found, request)))


def _findings(found: Iterable[Behaviour], request: Request) -> Iterable[Finding]:
    """A repair that gives another value than was given before is refused where the input was a real one; a person looks where it
    was made up. What was wished in words may well be another value: that is told."""
    repair = request.failure is not None
    for b in found:
        if b.differs and repair:
            said = f"The repair changes what worked: {b.differs}."
            yield Finding("behaviour:differs", said, "block" if b.known else "ask", b.cell_id)
        elif b.differs:
            yield Finding("behaviour:differs", f"With the change {b.differs}.", "note", b.cell_id)
