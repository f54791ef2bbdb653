"""Trials that go on from a copy of a kernel in which the cells above have run, where that is right; else fresh ones.

Cells that are the same in the notebook as it is (`base`) run once, in a chain of processes, each a copy of the one before:
a checkpoint after every cell, the dearest kept. A candidate's first changed cell, and all below it, run in a copy that
may write nothing. Whatever a copy cannot do right makes the trial a fresh one, with the reason: hazards found before the
fork, files that it writes, permission that only the copy lacks, a process that does not answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ...analysis.contract import is_intent
from ...protocols import Kernel, Limits
from ...values.effect import Effect
from ...values.errors import KernelUnavailable
from ...values.notebook import Cell, Notebook
from ...values.trial import CellResult, Served, Tier
from .contained import ContainedSandbox, Place
from .forks import Fork, HazardError, family
from .kernels import surely
from .nbclient_kernel import NbclientKernel
from .observed import Observed, look

KEPT = 8
"""Checkpoints that are kept; those that are cheapest to make again go first."""
LOST = (HazardError, TimeoutError, ConnectionError, OSError, RuntimeError)


@dataclass(slots=True)
class Checkpoint:
    """A cell of the notebook as it is, what it gave, and the process that has its state (None: it went on or was let go)."""

    key: tuple[str, str]
    result: CellResult
    fork: Fork | None
    effects: tuple[Effect, ...]
    answers: dict[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(slots=True)
class Kept:
    """A family of processes in one cage and the checkpoints there are, from the top."""

    stack: AsyncExitStack
    loop: asyncio.AbstractEventLoop
    about: tuple[object, ...]
    folder: Path
    place: Place
    root: Fork
    chain: list[Checkpoint] = field(default_factory=list)

    async def cut(self, length: int) -> None:
        """Let go what hangs below."""
        gone, self.chain[length:] = self.chain[length:], []
        for each in reversed(gone):
            if each.fork is not None:
                await each.fork.kill()

    async def bound(self) -> None:
        """Let go the checkpoint that is the cheapest to make again, where there are more than are kept."""
        held = [i for i, c in enumerate(self.chain) if c.fork is not None]
        if len(held) <= KEPT:
            return
        i = min(held[:-1], key=lambda n: self.chain[n].result.seconds)
        gone = self.chain[i].fork
        assert gone is not None
        if gone.maker is not None:
            for other in self.chain:
                if other.fork is not None and other.fork.maker is gone:
                    await gone.maker.adopt(other.fork)
        self.chain[i].fork = None
        await gone.kill()


@dataclass(frozen=True, slots=True)
class ForkedSandbox:
    """`fresh`, and copies where they serve. What is kept ends with `aclose`, and with this process."""

    fresh: ContainedSandbox
    _kept: list[Kept] = field(default_factory=list, repr=False, compare=False)

    @property
    def name(self) -> str:
        """That of the cage."""
        return self.fresh.name

    @property
    def tier(self) -> Tier | None:
        """That of the cage."""
        return self.fresh.tier

    @property
    def promise(self) -> str:
        """That of the cage."""
        return self.fresh.promise

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
        kept, reason = await self._keep(base, folder, limits)
        if kept is None:
            async with self.fresh.open(notebook, folder, limits) as kernel:
                yield _Fresh(kernel, reason) if reason else kernel
            return
        async with AsyncExitStack() as stack:
            kernel = ForkedKernel(self, stack, kept, notebook, folder, limits, base)
            try:
                yield kernel
            finally:
                await surely(kernel.close())

    async def _keep(self, base: Notebook, folder: Path, limits: Limits) -> tuple[Kept | None, str]:
        """The family for this folder as it is now, or the reason why there is none."""
        if self.tier not in ("A", "B"):
            return None, "a copy is made in a cage only"
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
            if kept.loop is asyncio.get_running_loop():
                await surely(kept.stack.aclose())
            elif kept.root.family.kernels.provisioner is not None:
                kept.root.family.kernels.provisioner.stop()  # type: ignore[attr-defined]


class _Fresh:
    """A fresh kernel, and why it is no copy."""

    def __init__(self, kernel: Kernel, reason: str) -> None:
        self._kernel, self.served = kernel, Served("fresh", reason)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kernel, name)


class ForkedKernel:
    """Recorded results while the notebook is as it was, then a copy, then, if need be, a fresh kernel from the top."""

    def __init__(
        self, sandbox: ForkedSandbox, stack: AsyncExitStack, kept: Kept, notebook: Notebook, folder: Path, limits: Limits,
        base: Notebook,
    ) -> None:  # fmt: skip
        self._sandbox, self._stack, self._kept = sandbox, stack, kept
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
        return self._now.detail if self._now else self._kept.place.note

    async def execute(self, cell: Cell) -> CellResult:
        """Run a cell, or give what it gave in this very state."""
        self._ran.append(cell)
        at = len(self._ran) - 1
        try:
            if self._fresh is None and self._leaf is None and self._base[at : at + 1] == [(cell.id, cell.source)]:
                return await self._as_it_is(at, cell)
            if self._fresh is None:
                return await self._changed(at, cell)
        except LOST as e:
            await self._fall_back(str(e) or type(e).__name__, self._ran[:-1])
        assert self._fresh is not None
        return await self._fresh.execute(cell)

    async def _as_it_is(self, at: int, cell: Cell) -> CellResult:
        chain, key = self._kept.chain, (cell.id, cell.source)
        if at < len(chain) and chain[at].key == key and chain[at].result.status == "ok":
            return chain[at].result
        await self._kept.cut(at)
        tip = chain[at - 1].fork if at else self._kept.root
        if tip is None:
            raise HazardError("the state above was not kept")
        observed = self._kept.place.observed
        observed.begin("")  # what is told now is our own doing
        try:
            fork = await tip.fork(leaf=False)
        except HazardError:
            if not at or not await tip.is_alive():
                raise
            fork, chain[at - 1].fork = tip, None  # it goes on itself, and cannot be gone back to
        if self._above is None:
            self._above = NbclientKernel(fork, self._left(), self._log, trial=True, observed=observed)  # type: ignore[arg-type]
        await self._above.go_on(fork)  # type: ignore[arg-type]
        result = await self._above.execute(cell)
        effects = tuple(e for e in (await asyncio.to_thread(observed.told))[0] if e.cell_id == cell.id)
        chain.append(Checkpoint(key, result, fork, effects))
        await self._kept.bound()
        return result

    async def _copy(self, at: int) -> NbclientKernel:
        """The copy that goes on from the state after this many cells."""
        if self._leaf is None:
            tip = self._kept.chain[at - 1].fork if at else self._kept.root
            if tip is None:
                raise HazardError("the state above was not kept")
            self._kept.place.observed.begin("")
            self._process = await tip.fork(leaf=True)
            self._observed = Observed(self._kept.place.observed.watched, self._process.told)
            await self._observed.listen()
            self._leaf = NbclientKernel(self._process, self._left(), self._log, trial=True, observed=self._observed)  # type: ignore[arg-type]
            await self._leaf.go_on(self._process)  # type: ignore[arg-type]
            self.served = Served("forked", f"replayed: {at} cells above it, once, in the cage")
        return self._leaf

    async def _changed(self, at: int, cell: Cell) -> CellResult:
        leaf = await self._copy(at)
        result = await leaf.execute(cell)
        told, _ = await leaf.effects()
        wrote = next((e.what for e in told if e.kind in ("creates", "changes", "deletes")), None)
        if wrote is not None:
            raise HazardError(f"it changes files ({wrote}), which a copy may not")
        if result.failure and (result.failure.ename == "PermissionError" or "ermission denied" in result.failure.evalue):
            raise HazardError("it was refused something that only a copy may not do")
        if leaf.state == "died":
            raise HazardError("the copy died")
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
                if last.fork is None:
                    raise HazardError("the state above was not kept")
                if self._above is None:
                    self._above = NbclientKernel(last.fork, self._left(), self._log, trial=True)  # type: ignore[arg-type]
                await self._above.go_on(last.fork)  # type: ignore[arg-type]
                last.answers[code] = await self._above.evaluate(code, seconds=seconds)
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
        return (*above, *own), unseen

    async def _fall_back(self, reason: str, cells: Sequence[Cell]) -> None:
        """A fresh kernel takes over, with these cells run anew."""
        await self._end_leaf()
        self._leaf = None
        self._fresh = await self._stack.enter_async_context(
            self._sandbox.fresh.open(self._notebook, self._folder, self._limits)
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
        ok = next((i for i, c in enumerate(chain) if c.result.status != "ok"), len(chain))
        await self._kept.cut(ok)
