"""The comm to the front ends that show this notebook, where one of them carries our extension.

Nothing here waits for a reply, and answers may come on another thread (a subshell's). An edit that a client never answers
means that the client is gone, so the next one goes another way.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from uuid import uuid4

if TYPE_CHECKING:
    from ...values.messages import Applied, Asking, Edit, EditOp, FromKernel
    from ...values.notebook import Notebook
    from ...values.version import Version

TARGET = "jupyter_selfcode"


class Channel:
    """The clients of one kernel, what they show, and what was sent to them."""

    def __init__(self, kernel: Any) -> None:
        self._kernel = kernel
        self._comm: Any = None
        self._lock = threading.Lock()
        self._last: str | None = None
        self._clients: set[str] = set()
        self._sent: dict[str, str] = {}
        self._unanswered: dict[str, str] = {}
        self._told: Mapping[str, Any] | None = None
        self._asked = ""
        self.path = ""
        """The server's name of the notebook file, as the client that came last has it."""
        self.settings: Callable[[], Mapping[str, Any]] = dict
        """What a client is told of the settings when it says hello."""
        self.refused: Callable[[Applied], None] | None = None
        """Called with an answer that says no; maybe on another thread."""
        self.listeners: list[Callable[[FromKernel], None]] = []
        """What else in this kernel shows what is said: a panel in an output."""

    def open(self) -> None:
        """Let front ends know of us."""
        from comm import create_comm

        self._comm = create_comm(target_name=TARGET)
        self._comm.on_msg(self._heard)

    def meet(self) -> None:
        """Let a front end know of us that asks for a cell and has not said hello: its question who is here may have gone
        unanswered (jupyter-server-documents 0.3.3 can lose every reply of a page that was reloaded)."""
        said = self._parent().get("metadata", {}).get(TARGET)
        if self._comm is not None and isinstance(said, Mapping) and said.get("client") not in self._clients:
            self.close()
            self.open()

    def close(self) -> None:
        """Take leave of them."""
        comm, self._comm = self._comm, None
        if comm is not None:
            with contextlib.suppress(Exception):  # the kernel may be ending, and its sockets with it
                comm.close()

    # ---- who is there ------------------------------------------------------------------------------------------------

    def asking(self) -> Asking | None:
        """What the front end that asked for the running cell said with it, where that is our extension."""
        from ...codec import from_data
        from ...values.errors import BadInput
        from ...values.messages import Asking

        found = self._parent().get("metadata", {}).get(TARGET)
        with contextlib.suppress(BadInput):
            return from_data(Asking, found) if isinstance(found, Mapping) else None
        return None

    def client(self) -> str | None:
        """The client to address: the one whose cell runs, else the last that said hello; None where it does not answer."""
        session = self._parent().get("header", {}).get("session")
        client = session if session in self._clients else self._last
        return None if client in self._unanswered.values() else client

    @property
    def heard(self) -> bool:
        """Whether anybody hears what is said."""
        return bool(self._clients or self.listeners)

    def shown(self) -> Notebook | None:
        """What a client shows, where it has said so since this was asked last."""
        from ...codec import from_data
        from ...values.errors import BadInput
        from ...values.messages import Told

        with self._lock:
            raw, self._told = self._told, None
        told: Told | None = None
        request = self._parent().get("header", {}).get("msg_id", "")
        if request != self._asked and (asking := self.asking()) is not None:
            self._asked = request
            if asking.notebook is not None:
                told = Told(asking.client, asking.notebook, asking.seen)
        if told is None and raw is not None:
            with contextlib.suppress(BadInput):
                told = from_data(Told, raw)
        return told.notebook if told is not None and told.seen == self._sent.get(told.client) else None

    def _parent(self) -> Mapping[str, Any]:
        with contextlib.suppress(Exception):  # an old ipykernel, or another kernel's idea of a parent
            parent = self._kernel.get_parent()
            return parent if isinstance(parent, Mapping) else {}
        return {}

    # ---- what is said ------------------------------------------------------------------------------------------------

    def edit(self, client: str, made: Version, ops: tuple[EditOp, ...]) -> Edit:
        """Send an edit to a client."""
        from ...values.messages import Edit

        edit = Edit(uuid4().hex, client, made.id, made.kind, ops)
        with self._lock:
            self._sent[client] = edit.id
            self._unanswered[edit.id] = client
            self._told = None  # what was said before this edit is not what the client will show
        self.say(edit)
        return edit

    def say(self, message: FromKernel) -> None:
        """Send a message; where nobody can hear it, nothing happens."""
        from ...values.canonical import plain

        if self._comm is not None and self._clients:
            self._comm.send(plain(message))
        for listener in self.listeners:
            listener(message)

    def _heard(self, message: Mapping[str, Any]) -> None:
        from importlib.metadata import version

        from ...codec import from_data
        from ...values.errors import BadInput
        from ...values.messages import Applied, FromFrontEnd, Hello, Welcome

        data = message["content"]["data"]
        if data.get("type") == "document":  # often: read when it is needed
            with self._lock:
                self._told = data
            return
        try:
            heard: Any = from_data(FromFrontEnd, data)  # type: ignore[arg-type]
        except BadInput:
            return  # from a front end of another version, which says so to its user
        if isinstance(heard, Hello):
            with self._lock:
                self._clients.add(heard.client)
                self._last, self.path = heard.client, heard.path
                self._unanswered = {i: c for i, c in self._unanswered.items() if c != heard.client}
            self.say(Welcome(heard.client, version("jupyter_selfcode"), self.settings()))
        elif isinstance(heard, Applied):
            with self._lock:
                self._unanswered.pop(heard.id, None)
                if heard.notebook is not None:
                    self._told = {
                        "type": "document", "client": heard.client, "notebook": data["notebook"], "seen": heard.id
                    }  # fmt: skip
            if not heard.ok and self.refused is not None:
                self.refused(heard)
