"""From our own event loop to the caller's thread.

IPython has no async magics, and awaiting on the kernel's own loop would let nbclient replace its SIGINT handler (tried).
So asynchronous work runs on one loop in one daemon thread of ours, and its events come back on the caller's thread, where
`display` lands in the right cell and Ctrl-C arrives. An interrupt cancels the work and waits until it has cleaned up.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")

CLEAN_UP_SECONDS = 10.0
"""How long an interrupted request may take to stop its kernel and its model call."""


class _End(Generic[T]):
    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class Bridge:
    """One loop in one thread, started at first use."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()

    def _start(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None or self._loop.is_closed():
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="selfcode", daemon=True).start()
            return self._loop

    def iterate(self, make: Callable[[], AsyncIterator[T]], *, tick: Callable[[], None] | None = None) -> Iterator[T]:
        """The items of an asynchronous iterator, on this thread. `tick` is called a few times a second while waiting.

        Leaving the loop early (an interrupt, `break`, an exception in the body) cancels the iterator and waits for its
        clean-up. What the iterator raises is raised here.
        """
        loop = self._start()
        items: queue.SimpleQueue[T | _End[T]] = queue.SimpleQueue()

        async def pump() -> None:
            try:
                async with contextlib.aclosing(make()) as source:  # type: ignore[type-var]
                    async for item in source:
                        items.put(item)
            except BaseException as e:
                items.put(_End(e))
                if isinstance(e, (KeyboardInterrupt, SystemExit)):
                    return
                if isinstance(e, asyncio.CancelledError):
                    raise
            else:
                items.put(_End(None))

        future = asyncio.run_coroutine_threadsafe(pump(), loop)
        finished = False
        try:
            while True:
                try:
                    item = items.get(timeout=0.2)
                except queue.Empty:
                    if tick:
                        tick()
                    continue
                if isinstance(item, _End):
                    finished = True
                    if item.error is not None:
                        raise item.error
                    return
                yield item
        finally:
            if not finished:
                future.cancel()
                self._await_end(items)

    @staticmethod
    def _await_end(items: queue.SimpleQueue[T | _End[T]]) -> None:
        with contextlib.suppress(queue.Empty):
            while not isinstance(items.get(timeout=CLEAN_UP_SECONDS), _End):
                pass

    def close(self) -> None:
        """Stop the loop; work still under way is cancelled and cleans up first, for at most `CLEAN_UP_SECONDS`."""
        with self._lock:
            loop, self._loop = self._loop, None
        if loop is None or not loop.is_running():
            return

        async def end() -> None:
            left = asyncio.all_tasks() - {asyncio.current_task()}
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
            await loop.shutdown_asyncgens()

        with contextlib.suppress(Exception):
            asyncio.run_coroutine_threadsafe(end(), loop).result(CLEAN_UP_SECONDS)
        loop.call_soon_threadsafe(loop.stop)
