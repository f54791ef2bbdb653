"""The states of a notebook that are kept, each by a process that waits: which serves next, and which may go."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...values.effect import Effect
from ...values.trial import CellResult
from .forks import Fork
from .place import Place

KEPT = 8
"""Processes that wait beside the first one. What each holds for itself is what its cells have written."""


@dataclass(slots=True)
class Checkpoint:
    """A cell of the notebook as it is, what it gave, and the process that has its state: None where it went on itself,
    since `hazard` is why it could not be copied, or where it was let go."""

    key: tuple[str, str]
    result: CellResult
    fork: Fork | None
    effects: tuple[Effect, ...]
    answers: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    hazard: str = ""


@dataclass(slots=True, eq=False)
class Kept:
    """A family of processes in one cage, and the checkpoints there are, from the top. Changed under its lock."""

    stack: AsyncExitStack
    loop: asyncio.AbstractEventLoop
    about: tuple[object, ...]
    folder: Path
    place: Place
    root: Fork
    chain: list[Checkpoint] = field(default_factory=list)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    live: str = ""
    """Where the states are a run's own: what a verdict calls them. Then no cell runs but in a copy for a candidate, and nothing
    is let go."""
    copied: str = ""
    """Where the state of the first process is that of a live kernel: what a verdict calls it. It is never let go."""
    ending: asyncio.TimerHandle | None = None
    closing: asyncio.Future[None] | None = None

    def nearest(self, at: int) -> tuple[int, Fork, str]:
        """Of the processes that wait in the state after `at` cells or fewer, the one with the most: their number, it, and
        why none further down could be copied."""
        hazard = ""
        for done in range(at, 0, -1):
            checkpoint = self.chain[done - 1]
            if checkpoint.fork is not None:
                return done, checkpoint.fork, hazard
            hazard = checkpoint.hazard or hazard
        return 0, self.root, hazard

    async def cut(self, length: int) -> None:
        """Let go what hangs below."""
        gone, self.chain[length:] = self.chain[length:], []
        for each in reversed(gone):
            if each.fork is not None:
                await each.fork.kill()

    async def bound(self, keep: int) -> None:
        """Where more are kept than may be, let go the one that takes the least time to make again; not the one after
        `keep` cells, and none in which a candidate is at work."""
        held = [i for i, c in enumerate(self.chain) if c.fork is not None]
        while len(held) > KEPT:
            dear = {
                i: sum(c.result.seconds for c in self.chain[above + 1 : i + 1])
                for above, i in zip([-1, *held], held, strict=False)
                if i != keep - 1 and not self._busy(i) and self.chain[i].fork is not self.root
            }
            if not dear:
                return
            i = min(dear, key=lambda n: dear[n])
            held.remove(i)
            await self._let_go(self.chain[i])

    def _busy(self, i: int) -> bool:
        fork = self.chain[i].fork
        return fork is not None and fork.leaves > 0

    async def _let_go(self, checkpoint: Checkpoint) -> None:
        gone, checkpoint.fork = checkpoint.fork, None
        assert gone is not None
        if gone.maker is not None:
            for other in self.chain:
                if other.fork is not None and other.fork.maker is gone:
                    await gone.maker.adopt(other.fork)
        await gone.kill()
