"""The notebook of a live session at work: three surfaces (document, variables, front end), settings, one history."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

from ...config import SelfCode, settings
from ...plugins.deployers.lock import lock
from ...selfcode import Workspace, history_of, make_engine, open_store
from ...values.decision import Accept, Ask
from ...values.errors import PatchError
from ...values.events import Decided, Event
from ...values.messages import Applied, Changed
from ...values.patch import apply, rebase
from ...values.request import Request
from ...values.trial import Run
from ...values.version import Version, head
from .document import SessionDocument, without_commands
from .front_end import FrontEnd
from .namespace import Namespace
from .session import LiveSession

WAITS_AGAIN = "You were editing a cell that it changes, so your text was kept and the change waits again."
NO_FILE = "ipython"
"""The name in the history of a session without a notebook file."""


@dataclass
class LiveWorkspace(Workspace):
    """A workspace whose notebook is open: what is sent to a front end may be refused there."""

    sent: dict[str, Decided] = field(default_factory=dict)
    """What was accepted and sent to a front end, by the id of the edit: it may yet be refused there."""
    stamp: tuple[object, ...] = ()

    @property
    def document(self) -> SessionDocument:
        """The session's notebook."""
        return self.surfaces[0]  # type: ignore[return-value]

    @property
    def namespace(self) -> Namespace:
        """The variables."""
        return self.surfaces[1]  # type: ignore[return-value]

    @property
    def front_end(self) -> FrontEnd:
        """What the person sees."""
        return self.surfaces[2]  # type: ignore[return-value]

    def propose(
        self, request: Request, *, before: Run | None = None, tick: Callable[[], None] | None = None
    ) -> Iterator[Event]:
        """As `Workspace.propose`. Where the cells above took long, their variables go along for the trials of this request."""
        from .copying import taking_along

        with taking_along(self, request):
            yield from super().propose(request, before=before, tick=tick)

    def accept(self, decided: Decided, by: str = "person", cells: Sequence[str] = ()) -> Version | None:
        """As `Workspace.accept`."""
        version = super().accept(decided, by, cells)
        if version is not None and (edit := self.front_end.sent) is not None:
            self.sent[edit.id] = decided
        return version

    def refused(self, answer: Applied) -> None:
        """A front end did not apply an edit: its text stands, and what was accepted waits again, for what stands now."""
        decided = self.sent.pop(answer.id, None)
        if decided is not None and answer.notebook is not None and isinstance(decided.decision, (Accept, Ask)):
            now, trial = without_commands(answer.notebook), decided.decision.trial
            patch = rebase(trial.candidate.patch, now)
            with contextlib.suppress(PatchError):  # a cell that it needs is gone: the history has the change
                apply(patch, now)
                again = replace(trial, candidate=replace(trial.candidate, patch=patch))
                name = self.waiting.keep(replace(decided, decision=Ask(again, WAITS_AGAIN)), now)
                self.bases[name] = now
        self.tell_changed()

    def tell_changed(self) -> None:
        """Let front ends know what the history and what waits are now."""
        channel = self.session.channel if isinstance(self.session, LiveSession) else None
        if channel is not None and channel.heard:
            newest = head(self.lineage())
            channel.say(Changed(newest.version.id if newest else None, tuple(self.waiting.all())))


def open_workspace(
    shell: Any, session: LiveSession, traits: SelfCode, given: set[str], known: LiveWorkspace | None
) -> LiveWorkspace:
    """The workspace: `known` where neither the settings nor the notebook file are others now. Raises `BadInput`.

    `given` are the names of the settings that were set in this session; config files and notebook metadata give the rest.
    """
    file = session.file()
    stamp = (file, *sorted((name, repr(getattr(traits, name))) for name in given))
    if known is not None and known.stamp == stamp:
        return known
    if known is not None:
        surfaces = known.surfaces
    else:
        document = SessionDocument(session)
        surfaces = [document, Namespace(shell, session, document), FrontEnd(shell, session, document)]
    made = settings(shell.config)
    for name in given:
        setattr(made, name, getattr(traits, name))
    notebook = surfaces[0].read()
    made = made.tightened(notebook.metadata)
    folder = file.parent if file else session.folder
    store = open_store(made, folder)
    workspace = LiveWorkspace(
        made, folder, history_of(made, store, file, notebook) if file else NO_FILE, surfaces, store,
        make_engine(made, store, live=True),
        outputs=surfaces[0].outputs,  # type: ignore[attr-defined]
        rerun=surfaces[1].rerun,  # type: ignore[attr-defined]
        session=session,
        held=(lambda: lock(file)) if file else nullcontext,
        stamp=stamp,
    )  # fmt: skip
    if session.channel is not None:
        session.channel.refused = workspace.refused
    if known is not None:
        workspace.bases, workspace.sent = known.bases, known.sent
        known.close()
    return workspace
