"""A notebook's history as a sidebar shows it: the first look, what waits, and the timeline with its lanes."""

from __future__ import annotations

from importlib.metadata import version
from itertools import islice, zip_longest

from . import views
from .analysis.changes import CellChange, cell_changes
from .reading import around, row, settings_of, spending
from .selfcode import Workspace
from .values.decision import Accept, Ask
from .values.errors import StoreError
from .values.events import Decided
from .values.patch import apply_ops
from .values.shown import Row, Spending, State, Versions, Waits
from .values.version import Lineage, Recorded, head, in_force, left_behind, redo_target, undo_target
from .views import View
from .views.blocks import first_line
from .views.levels import level_name
from .watching import Watching

TITLE = 120
"""Characters of a title."""


def state(workspace: Workspace) -> State:
    """The first look. Raises `StoreError`."""
    lineage = workspace.lineage()
    newest, watching = head(lineage), Watching(workspace.store, workspace.path)
    return State(
        notebook=workspace.path,
        version=version("jupyter_selfcode"),
        store="ok" if lineage else "none",
        message=" ".join(workspace.notices),
        total=lineage[-1].number if lineage else 0,
        head=newest.version.id if newest else None,
        in_force=in_force(lineage),
        undo=undo_target(lineage),
        redo=redo_target(lineage),
        waiting=tuple(waits(name, decided) for name, decided in workspace.waiting.all().items()),
        cost=Spending(**spending(workspace, lineage)),
        settings=settings_of(workspace),
        watched=watching.since,
        told=tuple(watching.told()),
    )


def unreadable(name: str, error: StoreError) -> State:
    """The first look at a notebook whose history cannot be read."""
    return State(name, version("jupyter_selfcode"), "broken", str(error))


def waits(name: str, decided: Decided) -> Waits:
    """A proposal in short."""
    decision, request = decided.decision, decided.request
    trial = decision.trial if isinstance(decision, (Accept, Ask)) else None
    candidate = trial.candidate if trial else None
    words = request.text.strip() or (f"{request.failure.ename}: {request.failure.evalue}" if request.failure else "")
    level = trial.level if trial else None
    return Waits(
        name=name,
        title=first_line(candidate.rationale if candidate else "", TITLE) or first_line(words, TITLE) or request.trigger,
        words=words,
        trigger=request.trigger,
        reason=decision.reason,
        level=level,
        level_name=level_name(level),
        cells=candidate.patch.cells if candidate else (),
        proposer=candidate.proposer if candidate else "",
        model=candidate.model if candidate else "",
        usd=decided.cost.usd,
        tokens=decided.cost.tokens,
        seconds=decided.seconds,
    )


def version_seen(workspace: Workspace, recorded: Recorded) -> tuple[View, tuple[CellChange, ...]]:
    """A version as it is shown when it is opened, and the cells that it changed, whole. Raises `StoreError`."""
    before, after = around(workspace, recorded)
    return views.version(recorded, before, after), cell_changes(before, after)


def proposal_seen(workspace: Workspace, name: str, decided: Decided) -> tuple[View, tuple[CellChange, ...]]:
    """What waits as it is shown when it is opened, and the cells that it would change, whole. Raises `PatchError`."""
    before = workspace.waiting.base(name) or workspace.notebook()
    view = views.proposal(decided, before, promise=workspace.engine.sandbox.promise)
    if not isinstance(decided.decision, (Accept, Ask)):
        return view, ()
    return view, cell_changes(before, apply_ops(decided.decision.trial.candidate.patch.ops, before))


def timeline(lineage: Lineage, *, limit: int, before: int | None = None) -> Versions:
    """The newest `limit` versions, or those before the one with the number `before`, newest first, with their lanes.

    The line of what led to the present runs on lane 0. What a later version left behind branches off to lane 1 and ends
    there, as does what was begun and not deployed.
    """
    left = left_behind((r.version.id, r.version.restores, r.version.kind) for r in lineage if r.outcome == "deployed")
    current = in_force(lineage)
    newest = next((r.number for r in reversed(lineage) if r.outcome == "deployed" and r.version.state == current), None)

    def lane(r: Recorded) -> int:
        return 1 if r.version.id in left or r.outcome != "deployed" else 0

    older = reversed(lineage)
    rows = (
        _row(r, lane(r), None if below is None else lane(below), r.version.id in left, r.number == newest)
        for r, below in zip_longest(reversed(lineage), islice(older, 1, None))
        if before is None or r.number < before
    )
    return Versions(lineage[-1].number if lineage else 0, tuple(islice(rows, limit)))


def _row(r: Recorded, lane: int, below: int | None, behind: bool, current: bool) -> Row:
    edges: tuple[tuple[int, int], ...] = ()
    if below is not None:
        edges = ((0, 0), (1, 1 if below else 0)) if lane else ((0, 0),)
    told = row(r) | {"level_name": level_name(r.version.level), "current": current, "behind": behind}
    return Row(**told, lane=lane, edges=edges)
