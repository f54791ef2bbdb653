"""Trials that go on from the variables of a live kernel, where the cells above it are dear or cannot run again; else replayed ones.

To run the cells above once more is the more faithful way: a kernel is more than its variables. So variables are copied only where
that saves much, and only as far as it is known that nothing else matters: what belongs to no variable is put in force in the cage,
told there, and compared with what the live kernel told of itself (`analysis.surroundings`). Pickles go from the live kernel into the
cage, never back; they are read there by the first process, and every trial is a copy of it. Where a cell of the notebook as it is
does not end as it has ended in the live kernel, the copied state is not the one that it has seen, and the cells above run again.

(A fork of the live kernel itself would be exact and quicker. It is not made: a stock ipykernel has threads of its own for its
sockets, and a lock that one of them holds at that moment is held for ever in the copy.)
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...analysis.copying import above, apart, changed_in, differing, loading, looking, looking_at
from ...analysis.printable import amount
from ...protocols import ForkingSandbox, Kernel, Limits
from ...values.errors import KernelUnavailable
from ...values.notebook import Cell, Notebook
from ...values.trial import CellResult, Served
from .around import Around
from .checkpoints import Checkpoint, Kept
from .forked import LOST, ForkedKernel, ForkedSandbox
from .forks import HazardError, family
from .kernels import surely
from .nbclient_kernel import NbclientKernel
from .pickled import Pickled
from .place import Place

LOAD_SECONDS = 60.0
"""How long the variables may take to be loaded."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a live kernel has handed over: the variables, the cells that made them, and what it tells of all else.

    `imports`: what these cells import, in order. `packages`: of these the first parts. `told` and `modules`: what `surroundings` gave.
    `ended`: by cell, how its last run ended: empty where it went well, else the name of the exception. `lacking`: why cells of a
    notebook cannot go on from these variables.
    """

    pickled: Pickled
    above: tuple[Cell, ...]
    place: int
    imports: tuple[str, ...]
    packages: frozenset[str]
    told: Mapping[str, str]
    modules: Mapping[str, Mapping[str, str]]
    ended: Mapping[str, str]
    lacking: Callable[[Notebook], str]

    @property
    def words(self) -> str:
        """What a verdict says of it."""
        names, left = self.pickled.names, sorted(self.pickled.left_out)
        said = f"copied: {len(names)} variable{'' if len(names) == 1 else 's'}, {amount(self.pickled.size)}, from your kernel"
        shown = ", ".join(f"`{n}` ({self.pickled.left_out[n]})" for n in left[:4])
        return said + (f"; not copied: {shown}" + (f" and {len(left) - 4} more" if len(left) > 4 else "") if left else "")


@dataclass(frozen=True, slots=True)
class CopiedSandbox(Around):
    """`fresh` replays the cells above; the copied variables serve instead where they can. For one request: the live kernel goes on
    after it. `why`: why nothing was copied, if nothing was."""

    fresh: ForkedSandbox
    taken: Taken | None
    why: list[str] = field(default_factory=list)
    _kept: list[Kept] = field(default_factory=list, repr=False, compare=False)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False, compare=False)

    @property
    def at_once(self) -> int:
        """As many as there are cores."""
        return self.fresh.at_once

    @contextlib.asynccontextmanager
    async def open(self, notebook: Notebook, folder: Path, limits: Limits) -> AsyncIterator[Kernel]:
        """A fresh kernel."""
        async with self.fresh.open(notebook, folder, limits) as kernel:
            yield kernel

    @contextlib.asynccontextmanager
    async def open_from(self, base: Notebook, notebook: Notebook, folder: Path, limits: Limits) -> AsyncIterator[Kernel]:
        """A kernel for this notebook, which goes on from the copied variables where it begins as the live one did."""
        if not notebook.cells:  # who judges is to be one in whom nothing of the notebook has been
            async with self.fresh.open_from(base, notebook, folder, limits) as kernel:
                yield kernel
            return
        kept, why = await self._state(notebook, folder, limits)
        if kept is None or self.taken is None:
            async with self.fresh.open_from(base, notebook, folder, limits) as kernel:
                yield _Noted(kernel, why)
            return
        async with AsyncExitStack() as stack:
            going_on = CopiedKernel(self, self.taken, stack, kept, notebook, folder, limits, base)
            try:
                yield going_on
            finally:
                await surely(going_on.close())

    async def _state(self, notebook: Notebook, folder: Path, limits: Limits) -> tuple[Kept | None, str]:
        """The process that holds the copied variables, or why it does not serve this notebook."""
        if self.taken is None or self.why:
            return None, self.why[0]
        if notebook.cells[: self.taken.place] != self.taken.above:
            return None, "it changes a cell above those whose variables were copied"
        if lacking := self.taken.lacking(notebook):
            return None, lacking
        async with self._lock:
            if not self._kept and not self.why:
                await self._load(self.taken, notebook, folder, limits)
            if not self._kept:
                return None, self.why[0]
            return self._kept[0], ""

    async def _load(self, taken: Taken, notebook: Notebook, folder: Path, limits: Limits) -> None:
        """Have a process in the cage take in what was copied."""
        stack = AsyncExitStack()
        descriptor = -1
        try:
            place = await stack.enter_async_context(self.fresh.fresh.laid_out(notebook, folder, limits))
            descriptor = taken.pickled.reader()
            root = await stack.enter_async_context(family(place, given=(descriptor,)))
            kernel = NbclientKernel(root, limits, place.sockets / "log", trial=True, observed=place.observed)  # type: ignore[arg-type]
            try:
                await kernel.go_on(root)  # type: ignore[arg-type]
                why = await self._loaded(kernel, taken, place, descriptor)
            finally:
                await kernel.leave()
            if why:
                raise HazardError(why)
            chain = [Checkpoint((c.id, c.source), CellResult(c.id, "skipped"), None, ()) for c in _code(taken.above)]
            chain[-1].fork = root
            loop = asyncio.get_running_loop()
            self._kept.append(Kept(stack, loop, (), folder, place, root, chain, copied=taken.words))
        except (*LOST, KernelUnavailable) as e:
            self.why.append(str(e) or type(e).__name__)
            await surely(stack.aclose())
        except BaseException:
            await surely(stack.aclose())
            raise
        finally:
            if descriptor >= 0:
                os.close(descriptor)
            taken.pickled.close()

    async def _loaded(self, kernel: NbclientKernel, taken: Taken, place: Place, descriptor: int) -> str:
        """Load, and compare what the process tells of itself with what the live kernel told; why it does not serve, or empty."""
        place.observed.begin("")
        count = len(_code(taken.above)) + 1
        reply = await kernel.evaluate(loading(descriptor, taken.pickled.names, taken.imports, count), seconds=LOAD_SECONDS)
        if reply.get("failed") != "":
            return str(reply.get("failed") or "the process in the cage did not answer")
        came = next((n for n in reply.get("came") or () if n in taken.pickled.left_out), None)
        if came is not None:
            return f"`{came}` ({taken.pickled.left_out[came]}), which a function uses"
        seen = str(place.folder if place.tier == "A" else place.work)
        there = await kernel.evaluate(looking(taken.packages, seen), seconds=LOAD_SECONDS)
        if not there:
            return "the process in the cage does not tell how it stands"
        name = apart(taken.told, there.get("told"))
        if not name and (others := differing(taken.modules, there.get("modules"))):
            rows = await kernel.evaluate(looking_at(taken.packages, others), seconds=LOAD_SECONDS)
            name = changed_in(taken.modules, rows) if rows else others[0]
        return f"{name} is not in the cage as it is in your kernel" if name else ""

    def stop(self) -> None:
        """The live kernel ends: so does what was made of it."""
        for kept in self._kept:
            provisioner = kept.root.family.kernels.provisioner
            if provisioner is not None:
                provisioner.stop()  # type: ignore[attr-defined]
        self.fresh.stop()

    async def aclose(self) -> None:
        """The request has ended: nothing of the copy is left. What replays is kept, as always."""
        if self.taken is not None:
            self.taken.pickled.close()
        while self._kept:
            await surely(self._kept.pop().stack.aclose())


def _code(cells: Sequence[Cell]) -> list[Cell]:
    return list(above(Notebook(tuple(cells)), len(cells)))


class CopiedKernel(ForkedKernel):
    """A copy of the process that has the variables, and, where that does not serve, one in which the cells above ran again."""

    def __init__(
        self, sandbox: CopiedSandbox, taken: Taken, stack: AsyncExitStack, kept: Kept, notebook: Notebook, folder: Path, limits: Limits,
        base: Notebook,
    ) -> None:  # fmt: skip
        super().__init__(_Replaying(sandbox.fresh, base), stack, kept, notebook, folder, limits, base)
        self._sandbox, self._taken = sandbox, taken
        self._as_before = {c.id: c.source for c in base.cells}

    async def execute(self, cell: Cell) -> CellResult:
        """As any kernel's. What ended otherwise in the live kernel is run again from the top."""
        result = await super().execute(cell)
        how = self._taken.ended.get(cell.id)
        if how is None or self._fresh is not None or self._leaf is not None or self._as_before.get(cell.id) != cell.source:
            return result
        ended = result.failure.ename if result.failure else ""
        if ended == how:
            return result
        said = f"cell {cell.id} ended {_how(how)} in your kernel, and {_how(ended)} in a copy of its variables"
        self._sandbox.why.append(said)
        await self._fall_back(said, self._ran[:-1])
        assert self._fresh is not None
        return await self._fresh.execute(cell)

    async def evaluate(self, code: str, *, seconds: float = 30.0) -> Mapping[str, Any]:
        """As any kernel's. What is asked of a state above the copied one is asked where the cells have run again."""
        if self._fresh is None and len(self._ran) < len(_code(self._taken.above)):
            await self._fall_back("it asks for a state above the copied one", self._ran)
        return await super().evaluate(code, seconds=seconds)

    async def _fall_back(self, reason: str, cells: Sequence[Cell]) -> None:
        await super()._fall_back(reason, cells)
        assert self._fresh is not None
        self._fresh = _Noted(self._fresh, reason)

    @property
    def served(self) -> Served:
        """How it was served; of one that took over, how that was."""
        return getattr(self._fresh, "served", self._served) if self._fresh is not None else self._served

    @served.setter
    def served(self, served: Served) -> None:
        self._served = served


def _how(ename: str) -> str:
    return f"with {ename}" if ename else "well"


class _Replaying:
    """What takes over from a copy: a kernel in which the cells of the notebook as it is have run, and not one from the top."""

    def __init__(self, forked: ForkingSandbox, base: Notebook) -> None:
        self._forked, self._base = forked, base

    def open(self, notebook: Notebook, folder: Path, limits: Limits) -> Any:
        """As `Sandbox.open`."""
        return self._forked.open_from(self._base, notebook, folder, limits)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._forked, name)


class _Noted:
    """A kernel, and why it does not go on from copied variables."""

    def __init__(self, kernel: Kernel, why: str) -> None:
        self._kernel, self._why = kernel, why

    @property
    def served(self) -> Served:
        """As the kernel says, and why."""
        served: Served = getattr(self._kernel, "served", Served())
        reason = "; ".join([*([served.reason] if served.reason else []), f"not copied: {self._why}"])
        return Served(served.kind, reason, served.goes_on)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kernel, name)
