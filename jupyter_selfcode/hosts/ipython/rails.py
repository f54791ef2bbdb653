"""The guard rails of a live session: what was tried in vain is left alone, and what was deployed has to prove itself.

A person who asks (`%selfcode fix`) is not held back by any of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ... import views
from ...analysis.variables import summarise
from ...commands import fix_request, follow
from ...ledger import Ledger, mark
from ...reply import Reply
from ...stages.watch import take_back_to
from ...values.errors import SelfcodeError
from ...values.events import Decided, Event
from ...values.request import Failure
from ...waiting import proposal_id

if TYPE_CHECKING:
    from .workspace import LiveWorkspace

ALL_THE_SAME = "%selfcode fix tries it all the same."


def ledger_of(workspace: LiveWorkspace) -> Ledger:
    """The ledger of the session's notebook."""
    return Ledger(workspace.store, workspace.path, workspace.settings.rails())


def mend_unasked(
    workspace: LiveWorkspace, failure: Failure, words: str, tell: Callable[[Event], None], names: dict[str, object]
) -> Reply:
    """Mend a failure that nobody asked to have mended; where the rails speak against it, say so and leave it alone."""
    if workspace.settings.policy == "suggest":
        return Reply({"status": "left alone"}, views.message("%selfcode fix looks for the cause and proposes a repair.", "plain"))
    ledger, notebook = ledger_of(workspace), workspace.notebook()
    request = fix_request(workspace, failure, words)
    fingerprint = mark(failure, notebook, summarise(names), workspace.settings, workspace.engine, workspace.path)
    refused, _ = ledger.refusal(failure, notebook, fingerprint)
    if refused:
        return Reply({"status": "left alone"}, views.message(f"{refused} {ALL_THE_SAME}", "warning"), 20)
    decided: list[Decided] = []

    def listen(event: Event) -> None:
        if isinstance(event, Decided):
            decided.append(event)
        tell(event)

    listen.tick = getattr(tell, "tick", None)  # type: ignore[attr-defined]
    engine = workspace.engine
    workspace.engine, spared = ledger.spared(engine)
    try:
        reply = follow(workspace, request, listen)
    finally:
        workspace.engine = engine
    if decided:
        name = str(reply.data.get("version") or (proposal_id(decided[-1]) if reply.exit_code == 11 else ""))
        ledger.enter(failure, notebook, fingerprint, decided[-1], name)
    if spared:
        reply = Reply(reply.data, views.View((*views.message(spared, "warning").blocks, *reply.view.blocks)), reply.exit_code)
    return reply


def proving(workspace: LiveWorkspace) -> dict[str, str]:
    """Where what is on probation shows itself: by the first cell that each version changed, its id."""
    return {r.version.patch.cells[0]: r.version.id for r in ledger_of(workspace).on_probation() if r.version.patch.cells}


def on_failure(workspace: LiveWorkspace, failure: Failure) -> tuple[str, bool]:
    """Take back the version on probation that a failure comes from (True), or say how to; empty where it comes from none."""
    ledger = ledger_of(workspace)
    blamed = ledger.blamed(failure, workspace.notebook())
    if blamed is None:
        return "", False
    said = f"Version {blamed.number} is on probation, and this failure is of what it made."
    how = f"To take it back: %selfcode rollback {blamed.number - 1}"
    if workspace.settings.policy != "deploy" or take_back_to(workspace.lineage(), blamed) is None:
        return f"{said} {how}", False
    try:
        with workspace.held():
            taken = ledger.take_back(workspace.engine, workspace.surfaces, blamed, failure)
    except SelfcodeError as e:
        return f"{said} It could not be taken back: {e} {how}", False
    workspace.tell_changed()
    reports = " ".join(line for s in workspace.surfaces if (line := s.report()))
    if taken is None:
        return f"{said} {how}", False
    return f"{said} It was taken back; version {taken[1].number} is in force again. {reports}".strip(), True


def ran_well(workspace: LiveWorkspace, version_id: str) -> None:
    """What a version on probation made has run well once more."""
    ledger_of(workspace).passed(version_id)
