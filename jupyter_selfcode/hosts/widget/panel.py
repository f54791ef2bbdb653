"""The panel in a notebook's output, as a widget of anywidget: what the sidebar shows, also where JupyterLab's extensions are
not (VS Code, Colab).

What it shows are traits: the first look, versions, what is at work. What a person presses comes as a message and is a line
of the grammar, carried out by the session behind the `Door`; the answer goes back as a message. Nothing here waits.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from anywidget import AnyWidget
from traitlets import Bool, Dict, List, Unicode

from ... import overview, reading
from ...selfcode import Workspace
from ...values.canonical import plain
from ...values.errors import SelfcodeError, StoreError
from ...values.messages import AtWork, Changed, FromKernel, Rest
from ...values.shown import Row

BUILT = Path(__file__).parents[2] / "static"
"""Where the build of the front end puts `widget.js` and `widget.css`; without them this module raises `OSError`."""
PAGE = 50
"""Versions that are fetched at a time."""


class Door(Protocol):
    """What a panel needs of the live session that shows it."""

    def workspace(self) -> Workspace:
        """The notebook at work. Raises `SelfcodeError`."""

    def listen(self, heard: Callable[[FromKernel], None]) -> None:
        """Hear what is at work and what has changed; maybe on another thread."""

    def run(self, line: str, answered: Callable[[Mapping[str, Any] | None, str], None]) -> None:
        """Carry out a line of the grammar. `answered` gets data, view and exit code, or None and why not."""

    def stop(self) -> None:
        """Stop what `run` has begun."""


class Panel(AnyWidget):
    """The panel of one session; however often it is shown, it is one."""

    _esm = BUILT / "widget.js"
    _css = BUILT / "widget.css"
    state: Any = Dict(default_value=None, allow_none=True).tag(sync=True)
    """`values.shown.State` as data."""
    rows: Any = List().tag(sync=True)
    """The newest versions (`values.shown.Row`), newest first."""
    now: Any = Dict(default_value=None, allow_none=True).tag(sync=True)
    """`values.messages.Working` as data; None at rest."""
    failure: Any = Unicode(None, allow_none=True).tag(sync=True)
    """The last error of the session, which `fix` would repair."""
    stoppable = Bool(False).tag(sync=True)
    """Whether messages are heard while something is at work: by subshells they are (ipykernel 7)."""

    def __init__(self, door: Door) -> None:
        super().__init__()
        self._door = door
        self._reading = threading.Lock()
        self.on_msg(self._heard)
        door.listen(self._told)

    def bundle(self) -> Mapping[str, Any]:
        """What draws it in a front end that has widgets: MIME types to data."""
        self._read()
        made = self._repr_mimebundle_()
        return {**made[0], "text/plain": ""} if made else {}

    def _read(self, more: int = 0) -> None:
        try:
            workspace = self._door.workspace()
            with self._reading:
                limit = max(PAGE, len(self.rows)) + more
                try:
                    rows: tuple[Row, ...] = overview.timeline(workspace.lineage(), limit=limit).versions
                    state = overview.state(workspace)
                except StoreError as e:
                    rows, state = (), overview.unreadable(workspace.path, e)
                failure = workspace.session.failure() if workspace.session else None
        except SelfcodeError:
            return  # settings that cannot be used: whoever runs a command is told
        self.failure = f"{failure.ename}: {failure.evalue}" if failure else None
        self.state, self.rows = plain(state), plain(rows)

    def _told(self, message: FromKernel) -> None:
        match message:
            case AtWork():
                self.now = plain(message.working)
            case Rest():
                self.now = None
            case Changed():
                self._read()

    def _heard(self, _: Any, message: Any, __: Any) -> None:
        match message:
            case {"type": "hello"}:
                self.stoppable = threading.current_thread() is not threading.main_thread()
            case {"type": "run", "id": str(name), "line": str(line)}:
                self._door.run(line, lambda reply, refusal: self._answer(name, reply, refusal))
            case {"type": "stop"}:
                self._door.stop()
            case {"type": "open", "kind": str(kind), "name": str(name)}:
                self._open(kind, name)
            case {"type": "older"}:
                self._read(PAGE)

    def _answer(self, name: str, reply: Mapping[str, Any] | None, refusal: str) -> None:
        self.send({"type": "answer", "id": name, "reply": plain(reply), "refusal": refusal})
        self._read()

    def _open(self, kind: str, name: str) -> None:
        try:
            workspace = self._door.workspace()
            if kind == "waiting":
                view, cells = overview.proposal_seen(workspace, *workspace.waiting.pick(name))
            else:
                view, cells = overview.version_seen(workspace, reading.find(workspace, name))
        except SelfcodeError as e:
            self.send({"type": "detail", "kind": kind, "name": name, "refusal": str(e)})
            return
        self.send({"type": "detail", "kind": kind, "name": name, "view": view.data(), "cells": plain(cells)})
