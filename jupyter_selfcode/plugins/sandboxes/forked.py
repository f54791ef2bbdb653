"""Trials that go on from a copy of a kernel in which the cells above have run, where that is right; else fresh ones.

Cells that are the same in the notebook as it is (`base`) run once, in a chain of processes, each a copy of the one before:
a checkpoint after every cell, the dearest kept. A candidate's first changed cell, and all below it, run in a copy that
may write nothing. Whatever a copy cannot do right makes the trial a fresh one, with the reason: hazards found before the
fork, files that it writes, permission that only the copy lacks, a process that does not answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ...analysis.contract import is_intent
from ...protocols import Kernel, Limits, Sandbox
from ...values.effect import Effect
from ...values.errors import KernelUnavailable
from ...values.notebook import Cell, Notebook
from ...values.trial import CellResult, Served
from .around import Around, fresh_because
from .checkpoints import Checkpoint, Kept
from .contained import ContainedSandbox
from .copied import lives, speaks
from .forks import Fork, HazardError, family
from .kernels import surely
from .nbclient_kernel import NbclientKernel
from .observed import Observed, look

COPIED = ("A", "B")
"""The tiers in which copies are made."""

DONE = ("ok", "skipped")
"""How a cell ended whose state serves. Skipped are those that ran in a live kernel, whose variables were copied."""

LOST = (HazardError, TimeoutError, ConnectionError, OSError, RuntimeError)


@dataclass(frozen=True, slots=True)
class ForkedSandbox(Around):
    """`fresh`, and copies where they serve. What is kept ends with `aclose`, and with this process."""

    fresh: ContainedSandbox
    idle_seconds: float = 300.0
    """How long copies are kept while nothing is tried."""
    _kept: list[Kept] = field(default_factory=list, repr=False, compare=False)
    _at_work: list[object] = field(default_factory=list, repr=False, compare=False)

    @property
    def at_once(self) -> int:
        """As many as there are cores, where copies can be made."""
        return len(os.sched_getaffinity(0)) if self.tier in COPIED and sys.platform == "linux" else 1

    @contextlib.asynccontextmanager
    async def open(self, notebook: Notebook, folder: Path, limits: Limits) -> AsyncIterator[Kernel]:
        """A fresh kernel."""
        async with self.fresh.open(notebook, folder, limits) as kernel:
            yield kernel

    @contextlib.asynccontextmanager
    async def open_from(
        self, base: Notebook, notebook: Notebook, folder: Path, limits: Limits
    ) -> AsyncIterator[Kernel]:
        """A kernel for this notebook; what it begins with that is as in `base`, the notebook as it is, runs only once."""
        mark = object()
        self._at_work.append(mark)
        try:
            kept, reason = await self._keep(base, folder, limits)
            if kept is None:
                async with self.fresh.open(notebook, folder, limits) as kernel:
                    yield fresh_because(kernel, reason) if reason else kernel
                return
            async with AsyncExitStack() as stack:
                kernel = ForkedKernel(self.fresh, stack, kept, notebook, folder, limits, base)
                try:
                    yield kernel
                finally:
                    await surely(kernel.close())
        except (asyncio.CancelledError, GeneratorExit):  # who interrupts wants nothing to go on
            if self._at_work == [mark]:
                await surely(self.aclose())
            raise
        finally:
            self._at_work.remove(mark)
            self._rest()

    def knows(self, cells: Sequence[Cell]) -> bool:
        """Whether these cells, which the notebook begins with, have run here, and the states that they made are kept."""
        keys = [(c.id, c.source) for c in cells]
        return any([c.key for c in kept.chain[: len(keys)]] == keys for kept in self._kept)

    def _rest(self) -> None:
        """End what is kept in a while, unless something is tried until then."""
        for kept in self._kept if not self._at_work else ():
            if kept.ending is not None:
                kept.ending.cancel()
            kept.ending = kept.loop.call_later(self.idle_seconds, self._end, kept)

    def _end(self, kept: Kept) -> None:
        if kept in self._kept and not self._at_work:
            self._kept.remove(kept)
            kept.closing = asyncio.ensure_future(surely(kept.stack.aclose()))

    async def _keep(self, base: Notebook, folder: Path, limits: Limits) -> tuple[Kept | None, str]:
        """The family for this folder as it is now, or the reason why there is none."""
        if self.tier not in COPIED or sys.platform != "linux":
            return None, "a copy is made on Linux, in a cage, only"
        loop = asyncio.get_running_loop()
        seen = await asyncio.to_thread(look, folder)
        files = {n: s for n, s in seen[0].items() if not n.endswith(".ipynb") and ".selfcode" not in n}
        about = (folder.resolve(), str(base.metadata.get("kernelspec")), files, limits.memory)
        for kept in self._kept:
            if kept.loop is loop and kept.about == about and await kept.root.is_alive():
                return kept, ""
        await self.aclose()
        stack = AsyncExitStack()
        try:
            place = await stack.enter_async_context(self.fresh.laid_out(base, folder, limits))
            if "ipykernel" not in " ".join(place.spec.argv):
                raise RuntimeError("the notebook's kernel is not ipykernel")
            root = await stack.enter_async_context(family(place))
        except KernelUnavailable:
            await surely(stack.aclose())
            return None, ""  # the fresh trial says the same, better
        except LOST as e:
            await surely(stack.aclose())
            return None, f"no kernel that can be copied was to be had ({e})"
        except BaseException:
            await surely(stack.aclose())
            raise
        self._kept.append(Kept(stack, loop, about, folder, place, root))
        return self._kept[-1], ""

    def stop(self) -> None:
        """End what is kept, without waiting: for the end of a session. What is left of it is swept by the next trial."""
        while self._kept:
            provisioner = self._kept.pop().root.family.kernels.provisioner
            if provisioner is not None:
                provisioner.stop()  # type: ignore[attr-defined]

    async def aclose(self) -> None:
        """End what is kept."""
        while self._kept:
            kept = self._kept.pop()
            if kept.ending is not None:
                kept.ending.cancel()
            if kept.loop is asyncio.get_running_loop():
                await surely(kept.stack.aclose())
            elif kept.root.family.kernels.provisioner is not None:
                kept.root.family.kernels.provisioner.stop()  # type: ignore[attr-defined]


class ForkedKernel:
    """Recorded results while the notebook is as it was, then a copy, then, if need be, a fresh kernel from the top."""

    def __init__(
        self, fresh: Sandbox, stack: AsyncExitStack, kept: Kept, notebook: Notebook, folder: Path, limits: Limits,
        base: Notebook,
    ) -> None:  # fmt: skip
        self._afresh, self._stack, self._kept = fresh, stack, kept
        self._notebook, self._folder, self._limits = notebook, folder, limits
        self._base = [(c.id, c.source) for c in base.cells if c.type == "code" and c.runs and not is_intent(c.source)]
        self._ran: list[Cell] = []
        self._begun = time.monotonic()
        self._above: NbclientKernel | None = None
        self._leaf: NbclientKernel | None = None
        self._observed: Observed | None = None
        self._fresh: Kernel | None = None
        self._process: Fork | None = None
        self.served = Served("fresh")

    @property
    def _now(self) -> Kernel | None:
        return self._fresh or self._leaf or self._above

    @property
    def state(self) -> str:
        """As any kernel's."""
        return self._now.state if self._now else "complete"

    @property
    def detail(self) -> str:
        """As any kernel's."""
        return self._now.detail if self._now else self._kept.place.copied.note

    async def execute(self, cell: Cell) -> CellResult:
        """Run a cell, or give what it gave in this very state."""
        self._ran.append(cell)
        at = len(self._ran) - 1
        try:
            known = self._base[: len(self._kept.chain)] if self._kept.live else self._base
            if self._fresh is None and self._leaf is None and known[at : at + 1] == [(cell.id, cell.source)]:
                return await self._as_it_is(at, cell)
            if self._fresh is None:
                return await self._changed(at, cell)
        except LOST as e:
            await self._fall_back(str(e) or type(e).__name__, self._ran[:-1])
        assert self._fresh is not None
        return await self._fresh.execute(cell)

    async def _as_it_is(self, at: int, cell: Cell) -> CellResult:
        """What a cell gave that is as it was, in the state that those above it made; it runs only where it has not yet."""
        kept, chain, key = self._kept, self._kept.chain, (cell.id, cell.source)
        async with kept.lock:
            if at < len(chain) and chain[at].key == key and (kept.live or chain[at].result.status in DONE):
                return chain[at].result
            await kept.cut(at)
            tip = await self._state(at)
            try:
                fork = await tip.fork(leaf=False)
            except HazardError as e:
                if not at or not await tip.is_alive():
                    raise
                fork, chain[at - 1].fork, chain[at - 1].hazard = tip, None, str(e)  # it goes on itself
            above = await self._driven(fork)
            result = await above.execute(cell)
            lives(above)
            told, _ = await asyncio.to_thread(kept.place.observed.told)
            chain.append(Checkpoint(key, result, fork, tuple(e for e in told if e.cell_id == cell.id)))
            await kept.bound(at + 1)
            return result

    async def _driven(self, fork: Fork) -> NbclientKernel:
        """What drives a process of the notebook as it is."""
        observed = self._kept.place.observed
        observed.begin("")  # what is told now is our own doing
        if self._above is None:
            self._above = NbclientKernel(fork, self._left(), self._log, trial=True, observed=observed)  # type: ignore[arg-type]
        await self._above.go_on(fork)  # type: ignore[arg-type]
        return self._above

    async def _state(self, at: int) -> Fork:
        """The process in the state after this many cells; made again, where it was let go, from the nearest one above."""
        done, fork, hazard = self._kept.nearest(at)
        if done < at and not hazard:
            fork = await fork.fork(leaf=False)
            await self._run(await self._driven(fork), self._ran[done:at])
            self._kept.chain[at - 1].fork = fork
            await self._kept.bound(at)
        elif done < at:
            raise HazardError(hazard)
        return fork

    async def _run(self, kernel: NbclientKernel, cells: Sequence[Cell]) -> None:
        """Run cells again that ran well before. Raises `HazardError`."""
        for cell in cells:
            if (await kernel.execute(cell)).status != "ok":
                raise HazardError(f"cell {cell.id} ran before, and does not run again")

    async def _copy(self, at: int) -> NbclientKernel:
        """The copy that goes on from the state after this many cells.

        Where that state cannot be copied but one above it could, the cells between run again in the copy.
        """
        if self._leaf is None:
            kept = self._kept
            async with kept.lock:
                done, tip, hazard = kept.nearest(at)
                if not hazard:
                    done, tip = at, await self._state(at)
                elif not done:
                    raise HazardError(hazard)
                kept.place.observed.begin("")
                try:
                    self._process = await tip.fork(leaf=True, memory=self._limits.memory)
                except HazardError as e:
                    if not done or not await tip.is_alive():
                        raise
                    kept.chain[done - 1].hazard = str(e)
                    above, further, _ = kept.nearest(done - 1)
                    if not above:
                        raise
                    done, hazard = above, str(e)
                    self._process = await further.fork(leaf=True)
            self._observed = Observed(kept.place.observed.watched, self._process.told)
            await self._observed.listen()
            self._leaf = NbclientKernel(self._process, self._left(), self._log, trial=True, observed=self._observed)  # type: ignore[arg-type]
            await self._leaf.go_on(self._process)  # type: ignore[arg-type]
            await self._run(self._leaf, self._ran[done:at])
            again = f", {at - done} of them again in the copy: {hazard}" if at > done else ""
            how = kept.live or (kept.copied or f"replayed: {at} cell{'s' * (at != 1)} above it, once, in the cage") + again
            self.served = Served("forked", how, goes_on=bool(kept.live))
        return self._leaf

    async def _changed(self, at: int, cell: Cell) -> CellResult:
        leaf = await self._copy(at)
        result = await leaf.execute(cell)
        told, _ = await leaf.effects()
        speaks(result, told, live=bool(self._kept.live))
        lives(leaf)
        return result

    async def evaluate(self, code: str, *, seconds: float = 30.0) -> Mapping[str, Any]:
        """As any kernel's; asked of the state that the last cell has left."""
        if self._fresh or self._leaf:
            return await (self._fresh or self._leaf).evaluate(code, seconds=seconds)  # type: ignore[union-attr]
        if not self._ran:
            try:
                return await (await self._copy(0)).evaluate(code, seconds=seconds)
            except LOST as e:
                await self._fall_back(str(e), ())
                return await self._now.evaluate(code, seconds=seconds)  # type: ignore[union-attr]
        last = self._kept.chain[len(self._ran) - 1]
        if code not in last.answers:
            try:
                if self._kept.live:
                    return await (await self._copy(len(self._ran))).evaluate(code, seconds=seconds)
                async with self._kept.lock:
                    state = await self._state(len(self._ran))
                    last.answers[code] = await (await self._driven(state)).evaluate(code, seconds=seconds)
            except LOST as e:
                await self._fall_back(str(e), self._ran)
                assert self._fresh is not None
                return await self._fresh.evaluate(code, seconds=seconds)
        return last.answers[code]

    async def effects(self) -> tuple[Sequence[Effect], int]:
        """Those of the cells above, and its own."""
        if self._fresh is not None:
            return await self._fresh.effects()
        above = [e for c in self._kept.chain[: len(self._ran)] for e in c.effects]
        own, unseen = await self._leaf.effects() if self._leaf else ((), 0)
        return tuple(dict.fromkeys((*above, *own))), unseen

    @property
    def peak(self) -> int | None:
        """That of the whole family: what its copies share counts once."""
        return self._now.peak if self._now else None

    async def _fall_back(self, reason: str, cells: Sequence[Cell]) -> None:
        """A fresh kernel takes over, with these cells run anew."""
        await self._end_leaf()
        self._leaf = None
        self._fresh = await self._stack.enter_async_context(
            self._afresh.open(self._notebook, self._folder, self._limits)
        )
        self.served = Served("fresh", reason)
        for cell in cells:
            await self._fresh.execute(cell)

    @property
    def _log(self) -> Path:
        return self._kept.place.sockets / "log"

    def _left(self) -> Limits:
        whole = self._limits.seconds
        left = None if whole is None else max(0.1, whole - (time.monotonic() - self._begun))
        return replace(self._limits, seconds=left)

    async def _end_leaf(self) -> None:
        if self._leaf is not None:
            await self._leaf.leave()
        if self._process is not None:
            await self._process.kill()
        if self._observed is not None:
            self._observed.close()
        self._process = self._observed = None

    async def close(self) -> None:
        """End the copy; checkpoints stay, but for what failed."""
        await self._end_leaf()
        if self._above is not None:
            await self._above.leave()
        chain = self._kept.chain
        if self._kept.live:
            return
        ok = next((i for i, c in enumerate(chain) if c.result.status not in DONE), len(chain))
        await self._kept.cut(ok)
