"""The watch of a live session: what fails is looked into while the person goes on, and what it comes to waits.

The engine works on a thread and a loop of its own; whatever touches the shell or the history happens on the thread of the
shell, between cells. Nothing is deployed from here, whatever the policy: the person is at work in this very notebook. A
command of theirs goes first, and ends what goes on here.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...analysis.drift import read_profiles, taken_in
from ...analysis.profiling import profiles
from ...analysis.variables import summarise
from ...bridge import Bridge
from ...commands import fix_request
from ...ledger import mark
from ...values.decision import Accept, Ask
from ...values.events import Decided
from ...values.notebook import Notebook
from ...values.record import Profile
from ...values.request import Failure
from ...watching import Watching
from .rails import ledger_of

if TYPE_CHECKING:
    from .session import LiveSession
    from .workspace import LiveWorkspace

UNASKED = "It was made while you worked, so you decide."
WAIT_SECONDS = 10.0
"""How long a person's command waits for the work here to stop."""


class Background:
    """One piece of work at a time; a failure that comes up meanwhile is not looked into."""

    def __init__(self, session: LiveSession) -> None:
        self._session = session
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._ended: queue.SimpleQueue[tuple[Failure, Notebook, str, Decided]] = queue.SimpleQueue()
        self._lines: list[str] = []
        self._profiles: dict[str, Profile] = {}
        self._seconds: dict[str, float] = {}
        self._seen: dict[str, tuple[int, int]] = {}

    @property
    def at_work(self) -> bool:
        """Whether something is being looked into."""
        return self._thread is not None and self._thread.is_alive()

    def look_into(self, workspace: LiveWorkspace, failure: Failure, names: Mapping[str, Any]) -> bool:
        """Begin to look for a change that mends a failure; False where one is at work, or the guard rails speak against it."""
        if self.at_work:
            return False
        self._keep(workspace)
        ledger, notebook = ledger_of(workspace), workspace.notebook()
        fingerprint = mark(failure, notebook, summarise(names), workspace.settings, workspace.engine, workspace.path)
        if ledger.refusal(failure, notebook, fingerprint)[0]:
            return False
        engine, _ = ledger.spared(workspace.engine)
        request = fix_request(workspace, failure)
        recorded, ran = workspace.outputs(), workspace.session.ran() if workspace.session else None
        bridge, kernel = Bridge(), getattr(self._session.shell, "kernel", None)
        self._stop.clear()

        def work() -> None:
            with contextlib.suppress(Exception):  # what cannot be looked into is left to the person, who sees the failure
                for event in bridge.iterate(
                    lambda: engine.propose(request, notebook, workspace.folder, workspace.path, recorded=recorded, ran=ran)
                ):
                    if isinstance(event, Decided):
                        self._ended.put((failure, notebook, fingerprint, event))
                    if self._stop.is_set():
                        break
            bridge.close()
            loop = getattr(kernel, "io_loop", None)
            if loop is not None:  # front ends are told at once, not with the next cell
                with contextlib.suppress(Exception):
                    loop.add_callback(self._keep, workspace)

        self._thread = threading.Thread(target=work, name="selfcode-watch", daemon=True)
        self._thread.start()
        return True

    def stop(self) -> None:
        """End the work at hand; a person has asked for something."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(WAIT_SECONDS)

    def settle(self, workspace: LiveWorkspace) -> list[str]:
        """Keep what was found, on the thread of the shell; a line for each proposal that has come to wait."""
        self._keep(workspace)
        lines, self._lines = self._lines, []
        return lines

    def _keep(self, workspace: LiveWorkspace) -> None:
        while not self._ended.empty():
            failure, notebook, fingerprint, decided = self._ended.get_nowait()
            name = ""
            if isinstance(decided.decision, (Accept, Ask)):
                decided = replace(decided, decision=Ask(decided.decision.trial, UNASKED))
                name = workspace.waiting.keep(decided, notebook)
                workspace.bases[name] = notebook
                self._lines.append(
                    f"A change that mends {failure.ename} in {failure.cell_id} waits for you: %selfcode accept {name}"
                )
            ledger_of(workspace).enter(failure, notebook, fingerprint, decided, name)
            workspace.tell_changed()

    # ---- data ------------------------------------------------------------------------------------------------------

    def compare(self, workspace: LiveWorkspace, cell_id: str, seconds: float, names: Mapping[str, Any]) -> tuple[str, ...]:
        """What a cell that ran well took in, against the record; what was looked at already is not looked at again."""
        wanted = []
        for name in taken_in(workspace.notebook(), [cell_id]):
            if name in names:
                value = names[name]
                size = len(value) if hasattr(value, "__len__") and not isinstance(value, type) else 0
                if self._seen.get(name) != (id(value), size):
                    self._seen[name] = (id(value), size)
                    wanted.append(name)
        self._profiles |= read_profiles(profiles(wanted, dict(names)), workspace.settings.masked_columns)
        self._seconds[cell_id] = round(seconds, 3)
        return Watching(workspace.store, workspace.path).compare(self._profiles, self._seconds)

