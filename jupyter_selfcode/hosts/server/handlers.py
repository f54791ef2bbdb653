"""The routes as Jupyter handlers: who may ask, which notebook is meant, and errors as one line."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import ensure_async
from tornado import web
from tornado.iostream import StreamClosedError

from ...codec import from_json, to_json
from ...values.canonical import plain
from ...values.errors import BadInput, DeployError, Locked, PatchError, SelfcodeError, StoreError
from ...values.messages import Rest
from .desk import Busy, Desk, Listener, Stopped
from .openapi import document
from .routes import Asked, Reading, Stop, Which, answer, grammar

RESOURCE = "jupyter_selfcode"
"""What a Jupyter authorizer is asked about: to read it, or to write it."""

POLL_SECONDS = 1.0
BREATH_SECONDS = 15.0
"""How often a stream looks at the history, and says something lest a proxy take it for dead."""

_STATUS: tuple[tuple[type[SelfcodeError], int], ...] = (
    (Busy, 409), (Stopped, 409), (PatchError, 409), (Locked, 409), (DeployError, 409), (StoreError, 503),
)  # fmt: skip


class Handler(APIHandler):
    """What all routes share."""

    auth_resource = RESOURCE

    def initialize(self, desk: Desk) -> None:
        """Called by tornado with what `add_handlers` gives."""
        self.desk = desk

    async def file(self, path: str | None) -> Path:
        """The notebook file at a path below the server's root, as Jupyter itself would find it. Raises `HTTPError`."""
        contents = self.contents_manager
        if not path:
            raise web.HTTPError(400, "path is missing: the notebook's path from the server's root.")
        path = path.strip("/")
        find = getattr(contents, "_get_os_path", None)
        if find is None:
            raise web.HTTPError(501, f"{type(contents).__name__} keeps no files, so there is no history beside them.")
        found = Path(find(path))
        hidden = not contents.allow_hidden and await ensure_async(contents.is_hidden(path))  # type: ignore[no-untyped-call]
        if hidden or found.suffix != ".ipynb" or not found.is_file():
            raise web.HTTPError(404, f"There is no notebook {path} on this server; check the path, or save it first.")
        return found

    async def told(self, work: Awaitable[Any]) -> None:
        """Answer with what comes of it, as JSON; an error of ours with its message."""
        try:
            done = await work
        except SelfcodeError as e:
            self.set_status(next((s for kind, s in _STATUS if isinstance(e, kind)), 400))
            done = {"message": str(e)}
        self.finish(to_json(done))

    def body(self, kind: type[Any]) -> Any:
        """The value in the request's body. Raises `BadInput`."""
        return from_json(kind, self.request.body or b"null")


class OpenApiHandler(Handler):
    """What can be asked, as OpenAPI 3.1."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """The document."""
        self.finish(to_json(document(self.base_url)))


class GrammarHandler(Handler):
    """The words that a command may hold."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """All of them."""
        self.finish(to_json(grammar()))


class StateHandler(Handler):
    """The first look at a notebook."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Its state; of a history that cannot be read, what is wrong with it."""
        file = await self.file(self.get_argument("path", None))
        await self.told(self.desk.run(lambda: self.desk.state(file)))


class ReadingHandler(Handler):
    """One route of the table."""

    def initialize(self, desk: Desk, route: Reading) -> None:  # type: ignore[override]
        """Called by tornado."""
        super().initialize(desk)
        self.route = route

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """What the route reads."""
        file = await self.file(self.get_argument("path", None))
        given = {q.name: self.get_argument(q.name, "") for q in self.route.parameters}

        def work() -> Any:
            for q in self.route.parameters:
                if q.required and not given[q.name]:
                    raise BadInput(f"{q.name} is missing: {q.help}.")
            with self.desk.opened(file) as workspace:
                return self.route.read(workspace, given)

        await self.told(self.desk.run(work))


class CommandHandler(Handler):
    """A line of the grammar for a notebook without a kernel."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Do it to the file."""

        async def work() -> Any:
            asked: Asked = self.body(Asked)
            return answer(await self.desk.command(await self.file(asked.path), asked.line, asked.settings))

        await self.told(work())


class StopHandler(Handler):
    """Stops what a command began."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Whether there was something to stop."""

        async def work() -> Any:
            which: Which = self.body(Which)
            return Stop(self.desk.stop(await self.file(which.path)))

        await self.told(work())


class EventsHandler(Handler):
    """What happens to a notebook, as server-sent events."""

    _track_activity = False

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Streams until the client goes: `changed`, `working`, `rest`."""
        file = await self.file(self.get_argument("path", None))
        self.set_header("Content-Type", "text/event-stream")
        self.set_header("Cache-Control", "no-cache")
        self.set_header("X-Accel-Buffering", "no")
        with contextlib.suppress(StreamClosedError), self.desk.listening(file) as heard:
            await self._stream(file, heard)

    async def _stream(self, file: Path, heard: Listener) -> None:
        stamp: object = None
        last: object = None
        breath = asyncio.get_running_loop().time()
        await self._say(": selfcode\n\n")
        while True:
            if stamp != (stamp := await self.desk.run(lambda: self.desk.stamp(file))) or last is None:
                try:
                    now: Any = await self.desk.run(lambda: self.desk.changed(file))
                except StoreError as e:
                    now = {"head": None, "waiting": [], "message": str(e)}
                if now != last:
                    last = now
                    await self._event("changed", now)
            with contextlib.suppress(TimeoutError):
                message = await asyncio.wait_for(heard.get(), POLL_SECONDS)
                await self._event(message.type, {} if isinstance(message, Rest) else getattr(message, "working", message))
            if asyncio.get_running_loop().time() - breath > BREATH_SECONDS:
                breath = asyncio.get_running_loop().time()
                await self._say(": \n\n")

    async def _event(self, name: str, data: Any) -> None:
        await self._say(f"event: {name}\ndata: {to_json(plain(data))}\n\n")

    async def _say(self, text: str) -> None:
        self.write(text)
        await self.flush()


HANDLERS: dict[str, type[Handler]] = {
    "openapi.json": OpenApiHandler,
    "grammar": GrammarHandler,
    "state": StateHandler,
    "command": CommandHandler,
    "stop": StopHandler,
    "events": EventsHandler,
}
"""Handlers by the last part of their address; those of `routes.READING` are one class."""
