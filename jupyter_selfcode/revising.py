"""What a person makes of a proposal before accepting it. Their text is tried as the proposal was, so its level is its own."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import replace

from .protocols import Situation
from .selfcode import Workspace
from .values.decision import Accept, Ask, Policy
from .values.errors import BadInput
from .values.events import Decided, Event, Proposed
from .values.notebook import Notebook
from .values.patch import apply_ops, diff
from .values.trial import Candidate
from .waiting import proposal_id

EDITED = "Edited by a person before it was accepted."


class Written:
    """A proposer with one candidate, which a person has written."""

    name = "person"
    price: float = 0

    def __init__(self, candidate: Candidate) -> None:
        self._candidate = candidate

    async def propose(self, situation: Situation) -> AsyncGenerator[Event, None]:
        """The one round."""
        yield Proposed((self._candidate,))


def sources_in(text: str) -> Mapping[str, str]:
    """Sources by cell id, from a JSON object. Raises `BadInput`."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not found or not all(isinstance(s, str) for s in found.values()):
        raise BadInput('Say what the cells become, as JSON: revise {"CELL ID": "new source"}.')
    return found


def revise(
    workspace: Workspace, name: str, decided: Decided, sources: Mapping[str, str], tell: Callable[[Event], None]
) -> Decided:
    """Try a proposal with other sources for cells that it changes or brings. What passes waits in its place; where it does
    not, the decision says why, and the proposal waits as it was. Raises `BadInput`, `PatchError`.
    """
    if not isinstance(decided.decision, (Accept, Ask)):
        raise BadInput("There is nothing to edit: " + decided.decision.reason)
    proposed, now = decided.decision.trial.candidate, workspace.notebook()
    if strange := [i for i in sources if i not in proposed.patch.cells]:
        raise BadInput(f"This proposal changes no cell {strange[0]!r}; it changes {', '.join(proposed.patch.cells)}.")
    after = apply_ops(proposed.patch.ops, now)
    cells = tuple(replace(c, source=sources[c.id]) if c.id in sources else c for c in after.cells)
    patch = diff(now, Notebook(cells, after.metadata))
    if not patch:
        raise BadInput("With these sources nothing would change: reject it instead.")
    rationale = proposed.rationale.removesuffix(EDITED).rstrip()
    candidate = replace(proposed, patch=patch, rationale=f"{rationale} {EDITED}".lstrip(), warrant="")
    engine = replace(
        workspace.engine, proposers=(Written(candidate),), retrievers=(), policy=Policy("propose", workspace.engine.policy.min_level)
    )
    ran = workspace.session.ran() if workspace.session else None
    found = decided
    for event in workspace.bridge.iterate(
        lambda: engine.propose(decided.request, now, workspace.folder, workspace.path, recorded=workspace.outputs(), ran=ran),
        tick=getattr(tell, "tick", None),
    ):
        tell(event)
        if isinstance(event, Decided):  # what was spent was spent on the proposal
            found = replace(event, cost=decided.cost, context_hash=decided.context_hash)
    if isinstance(found.decision, Ask):
        workspace.waiting.drop(name)
        workspace.waiting.keep(found, now)
        workspace.bases[proposal_id(found)] = now
    return found
