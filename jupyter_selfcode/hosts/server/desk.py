"""The notebooks below a server's root: found by their path, opened for one answer, worked on one command at a time.

What blocks runs on threads; what listens to a notebook is told on the server's loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from traitlets import TraitError

from ... import overview
from ...commands import parse_line
from ...config import SelfCode
from ...reply import Reply
from ...selfcode import Workspace, name_in_history, open_notebook, open_store
from ...values.errors import BadInput, SelfcodeError, StoreError
from ...values.events import Event
from ...values.messages import AtWork, Changed, Rest, Working
from ...values.shown import State
from ...values.version import head
from ...views.work import told
from ...waiting import WAITING

T = TypeVar("T")
Message = AtWork | Rest | Changed
Listener = asyncio.Queue[Message]

WORKERS = 4
"""Answers that are read at the same time."""


ASKABLE = ("model", "policy", "budget_usd", "context_level")
"""Settings that a person may send with a command; the others are the server's."""


def with_asked(settings: SelfCode, asked: Mapping[str, Any]) -> SelfCode:
    """The settings with those of a person. Raises `BadInput`."""
    if strange := sorted(set(asked) - set(ASKABLE)):
        raise BadInput(f"{strange[0]} is a setting of the server; with a command may come: {', '.join(ASKABLE)}.")
    if not asked:
        return settings
    try:
        return SelfCode(**{n: getattr(settings, n) for n in settings.trait_names(config=True)} | dict(asked))
    except TraitError as e:
        raise BadInput(f"A setting cannot be used: {' '.join(str(e).split())}") from None


class Busy(SelfcodeError):
    """Another command is at work on this notebook."""


class Stopped(SelfcodeError):
    """A person stopped the command."""


@dataclass
class Job:
    """A command at work. It is told of events, and ends at the next one once it was stopped."""

    say: Callable[[Message], None]
    working: Working
    stopped: bool = False

    def __call__(self, event: Event) -> None:
        self.working = told(self.working, event)
        self.say(AtWork(self.working))
        self.tick()

    def tick(self) -> None:
        """Called a few times a second while it waits."""
        if self.stopped:
            raise Stopped("Stopped; nothing was changed.")


class Desk:
    """What the server knows of the notebooks that are looked at."""

    def __init__(self, settings: SelfCode) -> None:
        self.settings = settings
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="selfcode")
        self._jobs: dict[Path, Job] = {}
        self._listeners: dict[Path, set[Listener]] = {}
        self._lock = threading.Lock()

    async def run(self, work: Callable[[], T]) -> T:
        """Do it on a thread of the pool."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    # ---- reading -----------------------------------------------------------------------------------------------------

    @contextmanager
    def opened(self, file: Path, asked: Mapping[str, Any] = MappingProxyType({})) -> Iterator[Workspace]:
        """The workspace of a notebook file, with the settings that a person asks for. Raises `BadInput`, `StoreError`."""
        workspace = open_notebook(file, with_asked(self.settings, asked))
        try:
            yield workspace
        finally:
            workspace.close()

    def state(self, file: Path) -> State:
        """The first look; a history that cannot be read is part of it. Raises `BadInput`."""
        try:
            with self.opened(file) as workspace:
                return overview.state(workspace)
        except StoreError as e:
            return overview.unreadable(name_in_history(self.settings, file), e)

    def stamp(self, file: Path) -> object:
        """Changes when the history of a notebook is written; always another one where that cannot be told."""
        if self.settings.store_url:
            return object()
        history = file.parent / ".selfcode" / "history.sqlite"
        stamps = []
        for part in (history, history.with_name(history.name + "-wal")):
            with contextlib.suppress(OSError):
                status = part.stat()
                stamps.append((status.st_ino, status.st_size, status.st_mtime_ns))
        return tuple(stamps)

    def changed(self, file: Path) -> Changed:
        """The newest version, and what waits. Raises `StoreError`."""
        store, name = open_store(self.settings, file.parent), name_in_history(self.settings, file)
        try:
            newest = head(store.lineage(name, 20)) or head(store.lineage(name))
            return Changed(newest.version.id if newest else None, tuple(store.notes(name, WAITING)))
        finally:
            store.close()

    def renamed(self, old: Path, new: Path) -> None:
        """A notebook was renamed: its history goes with it, also where nothing in the file names it yet. A history stays in
        its folder, so one that was moved to another folder begins anew there. Raises `StoreError`."""
        if old.parent == new.parent or self.settings.store_url:
            store = open_store(self.settings, new.parent)
            try:
                store.move(name_in_history(self.settings, old), name_in_history(self.settings, new))
            finally:
                store.close()

    # ---- working -----------------------------------------------------------------------------------------------------

    async def command(self, file: Path, line: str, asked: Mapping[str, Any] = MappingProxyType({})) -> Reply:
        """Do what a line of the grammar says to the notebook file. Raises `SelfcodeError`, `Busy`, `Stopped`."""
        command, args = parse_line(line)
        loop = asyncio.get_running_loop()

        def say(message: Message) -> None:
            loop.call_soon_threadsafe(self._tell, file, message)

        word = command.name or "looking"
        job = Job(say, Working(word, detail=word, started=time.time()))
        with self._lock:
            if file in self._jobs:
                raise Busy(f"Another command is at work on {file.name}; wait until it has finished, or stop it.")
            self._jobs[file] = job

        def work() -> Reply:
            with self.opened(file, asked) as workspace:
                return command.run(workspace, args, job)

        self._tell(file, AtWork(job.working))
        done: asyncio.Future[Reply] = loop.create_future()
        # a thread of its own that does not outlive the server: a command may take minutes
        threading.Thread(target=_settle, args=(loop, done, work), name="selfcode-command", daemon=True).start()
        try:
            return await done
        finally:
            with self._lock:
                del self._jobs[file]
            self._tell(file, Rest())

    def stop(self, file: Path) -> bool:
        """Stop what is at work on a notebook; whether there was something."""
        with self._lock:
            job = self._jobs.get(file)
        if job is not None:
            job.stopped = True
        return job is not None

    # ---- telling -----------------------------------------------------------------------------------------------------

    @contextmanager
    def listening(self, file: Path) -> Iterator[Listener]:
        """A queue of what happens to a notebook through this server."""
        queue: Listener = asyncio.Queue()
        self._listeners.setdefault(file, set()).add(queue)
        if job := self._jobs.get(file):
            queue.put_nowait(AtWork(job.working))
        try:
            yield queue
        finally:
            self._listeners[file].discard(queue)
            if not self._listeners[file]:
                del self._listeners[file]

    def _tell(self, file: Path, message: Message) -> None:
        for queue in self._listeners.get(file, ()):
            queue.put_nowait(message)


def _settle(loop: asyncio.AbstractEventLoop, done: asyncio.Future[T], work: Callable[[], T]) -> None:
    """Do it on this thread; what comes of it is told on the loop."""

    def tell(call: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the server has stopped
            loop.call_soon_threadsafe(lambda: None if done.cancelled() else call())

    try:
        result = work()
    except Exception as e:
        error = e
        tell(lambda: done.set_exception(error))
    else:
        tell(lambda: done.set_result(result))
