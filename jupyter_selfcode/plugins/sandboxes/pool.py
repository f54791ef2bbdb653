"""Kernels that wait, started, for the next trial: how many, for how long, and only while memory is plenty.

One pool an event loop, since a kernel's sockets belong to a loop. Each waiting kernel is held by a task of its own, in the
context in which it was opened: whatever ends the task ends the kernel, and a loop that is closed cancels its tasks. Where the
process is killed, the kernel's launcher sees it and ends the kernel.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Hashable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from weakref import WeakKeyDictionary

from ...values.errors import SelfcodeError
from .kernels import surely
from .memory import spare
from .nbclient_kernel import NbclientKernel
from .warm import Wanted, Warm

SPARE = 2 * 2**30
"""Bytes of memory that must be free for a kernel to wait: what it holds, several times over, is left for the user's work."""

LOOK_SECONDS = 2.0
"""How often it is looked whether a kernel may wait on."""

REMEMBERED = 32
"""How many notebooks' imports are remembered as showing."""


def plenty() -> bool:
    """Whether there is memory for a kernel that only waits."""
    free = spare()
    return free is None or free >= SPARE


class Waiting:
    """One kernel that waits, or is being started. `about` tells for which trials, `imports` is what it has done or will do."""

    def __init__(self, about: Hashable, imports: Sequence[str], made: AbstractAsyncContextManager[Warm], seconds: float) -> None:
        self.about, self.imports, self._made, self._seconds = about, imports, made, seconds
        loop = asyncio.get_running_loop()
        self._ready: asyncio.Future[Warm | None] = loop.create_future()
        self._taken = self._leaving = False
        self._over = asyncio.Event()
        self.task = loop.create_task(self._hold())

    async def _hold(self) -> None:
        try:
            async with self._made as warm:
                self.imports = warm.imports
                self._ready.set_result(warm)
                loop = asyncio.get_running_loop()
                until = loop.time() + self._seconds
                while not self._over.is_set() and (self._taken or (warm.alive and plenty() and loop.time() < until)):
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._over.wait(), LOOK_SECONDS)
                self._leaving = True
        except (SelfcodeError, OSError, RuntimeError):
            pass  # the trial that comes starts a kernel itself, and says what is wrong
        finally:
            self._leaving = True
            if not self._ready.done():
                self._ready.set_result(None)

    async def take(self) -> Warm | None:
        """The kernel, which from now on waits for `end`. None where there is none any more."""
        self._taken = True
        warm = await asyncio.shield(self._ready)
        return None if self._leaving or warm is None or not warm.alive else warm

    async def end(self) -> None:
        """End it; nothing of it is left then."""
        self._over.set()
        if not self._ready.done():
            self.task.cancel()
        await asyncio.wait({self.task})


class Pool:
    """The kernels that wait on one event loop."""

    def __init__(self) -> None:
        self._waiting: list[Waiting] = []
        self._shorter: dict[tuple[Hashable, tuple[str, ...]], Sequence[str]] = {}

    def expect(
        self, wanted: Wanted, make: Callable[[Sequence[str]], AbstractAsyncContextManager[Warm]], *, most: int, seconds: float
    ) -> None:
        """A trial like this one may follow: a kernel waits for it, at most `seconds`. No more than `most` wait, for whatever;
        where there are more, those go that were asked for longest ago. None waits while memory is short."""
        most = most if most > 0 and plenty() else 0
        imports = tuple(self._shorter.get((wanted.about, wanted.imports), wanted.imports))
        there = next((w for w in self._waiting if w.about == wanted.about and tuple(w.imports) == imports), None)
        if there is not None:
            self._waiting.remove(there)
        elif most:
            there = Waiting(wanted.about, imports, make(imports), seconds)
            there.task.add_done_callback(lambda _, ended=there: self._ended(ended, wanted))  # type: ignore[misc]
        self._waiting += [there] if there else []
        while len(self._waiting) > most:
            self._waiting.pop(0).task.cancel()

    def _ended(self, ended: Waiting, wanted: Wanted) -> None:
        if ended in self._waiting:
            self._waiting.remove(ended)
        if len(ended.imports) < len(wanted.imports):  # the rest would have shown
            self._shorter = dict([*list(self._shorter.items())[-REMEMBERED:], ((wanted.about, wanted.imports), ended.imports)])

    @contextlib.asynccontextmanager
    async def taken(self, wanted: Wanted) -> AsyncIterator[Warm | None]:
        """A kernel that fits, ended with the context; None where none waits."""
        fitting = [
            w for w in self._waiting if w.about == wanted.about and wanted.imports[: len(w.imports)] == tuple(w.imports)
        ]
        if not fitting:
            yield None
            return
        found = max(fitting, key=lambda w: len(w.imports))
        self._waiting.remove(found)
        try:
            yield await found.take()
        finally:
            await surely(found.end())


_POOLS: WeakKeyDictionary[asyncio.AbstractEventLoop, Pool] = WeakKeyDictionary()


def pool() -> Pool:
    """The pool of the running loop."""
    return _POOLS.setdefault(asyncio.get_running_loop(), Pool())


async def served(opened: AsyncExitStack, wanted: Wanted) -> NbclientKernel | None:
    """A kernel that waited and is as clean as a new one; it ends with `opened`. None where none serves."""
    async with AsyncExitStack() as taken:
        warm = await taken.enter_async_context(pool().taken(wanted))
        try:
            if warm is None or not await warm.serve(wanted.limits.processes):
                return None
        except OSError:  # a disk that is full, say: who starts a kernel as usual says so
            return None
        opened.push_async_callback(taken.pop_all().aclose)
        return warm.kernel
