"""The kernel of a contained run, of which a copy can be made where a cell has failed: nothing above it runs again.

A headless run has the state that a change of the failed cell is to be tried in: its own. So its kernel is the threadless one
(`forkable`), and a candidate that changes the failed cell and cells below runs in a copy of the run's process, tightened
before anything else runs in it: it writes nothing and reads the folder as the run does. Where the failed cell can run again
here as if for the first time, by the same rule by which the run itself goes on, nothing had to be prepared for that. Where
not, a copy serves that waits in the state before the cell (`standbys`), if one does: candidates are tried in copies of it, and
the run goes on in it. Else, or where a cell above is changed, the trial is a fresh one, with the reason.

The run itself then is the run from the top with the change in place. So no second one is made before the change is
deployed; what the run gives is compared with what the copy gave (`headless.confirming`).
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpec

from ...protocols import ForkingSandbox, Kernel, Limits, Sandbox
from ...values.notebook import Cell, Notebook
from ...values.trial import CellResult, Tier
from .around import Around, fresh_because
from .checkpoints import Checkpoint, Kept
from .forked import COPIED, ForkedKernel
from .forks import Fork, family
from .kernels import surely
from .nbclient_kernel import NbclientKernel
from .observed import Observed, Watched
from .place import Place
from .scratch import SECRET_FOLDERS, Copied, Slot, secrets_below
from .standbys import Standby

ABOVE = "it changes a cell above the one that failed"
UNSTEADY = "the failed cell may have changed what it had found, so the run's own state is not the one before it"
SECRETS = "files beside the notebook look secret, and a copy of the run could read them"
GONE = "the run's own kernel has ended"


class OwnKernel(NbclientKernel):
    """The run's own kernel. It keeps what each cell gave and what was asked of it then, for trials go on from there."""

    def __init__(self, run: Fork, root: Fork, place: Place, limits: Limits) -> None:
        super().__init__(run, limits, place.sockets / "log", trial=False)  # type: ignore[arg-type]
        self.run, self._root, self._place = run, root, place
        self._chain: list[Checkpoint] = []
        self._standby = Standby()

    async def execute(self, cell: Cell) -> CellResult:
        """As any kernel's. A cell that runs again takes the place of its first run, and of all below."""
        at = next((i for i, c in enumerate(self._chain) if c.key[0] == cell.id), len(self._chain))
        del self._chain[at:]
        if self._standby.at > at:
            await self._standby.drop()
        if at and self.state == "complete":
            await self._standby.make(self.run, at)
        result = await super().execute(cell)
        self._chain.append(Checkpoint((cell.id, cell.source), result, None, ()))
        return result

    async def evaluate(self, code: str, *, seconds: float = 30.0) -> Mapping[str, Any]:
        """As any kernel's."""
        reply = await super().evaluate(code, seconds=seconds)
        if self._chain:
            self._chain[-1].answers[code] = reply
        return reply

    async def close(self, *, now: bool) -> None:
        """As any kernel's."""
        await self.leave()
        if not now:
            await self._standby.drop()
            await self.run.kill(gently=True)
        await super().close(now=True)

    @property
    def tier(self) -> Tier | None:
        """That of its cage."""
        return self._place.tier

    async def go_back(self, target: str) -> bool:
        """Be in the state before this cell again, in which the change is to run; False where that state does not wait."""
        at = next((i for i, c in enumerate(self._chain) if c.key[0] == target), len(self._chain))
        if self.state != "complete" or self._standby.at != at:
            return False
        run = await self._standby.take_over(self.run)
        if run is None:
            return False
        self.run = run
        del self._chain[at:]
        await self.go_on(run)  # type: ignore[arg-type]
        return True

    def trials(self, fresh: Sandbox, base: Notebook, target: str, *, steady: bool) -> OwnSandbox:
        """Trials of changes to the notebook as it is, in which the cell `target` has failed. `steady`: it can run again here
        as if for the first time."""
        above = base.cells[: base.index(target)]
        ids = {c.id for c in above}
        chain = [replace(c) for c in self._chain if c.key[0] in ids]
        folder = self._place.folder
        waits, at = self._standby.fork, self._standby.at
        why, root = "", self._root
        if self.state != "complete":
            why = GONE
        elif _secret(folder):
            why = SECRETS
        elif steady and chain:
            chain[-1].fork = self.run
        elif steady:
            root = self.run
        elif waits is not None and 0 < at <= len(chain):
            chain[at - 1].fork = waits
            for quick in chain[at:]:
                quick.hazard = UNSTEADY
        else:
            why = UNSTEADY
        live = f"forked live: the run's own state before cell {target}"
        kept = Kept(AsyncExitStack(), asyncio.get_running_loop(), (), folder, self._place, root, chain, live=live)
        return OwnSandbox(fresh, kept, above, why)


@dataclass(frozen=True, slots=True)
class OwnSandbox(Around):
    """`fresh`, and copies of a run that waits where a cell has failed. `above`: the cells that it has run; `why`: why no copy is
    made, if none is."""

    fresh: Sandbox
    kept: Kept
    above: tuple[Cell, ...]
    why: str = ""

    @property
    def at_once(self) -> int:
        """One after the other: the run's memory is shared by the copies, and they write to it."""
        return 1

    @contextlib.asynccontextmanager
    async def open(self, notebook: Notebook, folder: Path, limits: Limits) -> AsyncIterator[Kernel]:
        """A fresh kernel."""
        async with self.fresh.open(notebook, folder, limits) as kernel:
            yield kernel

    @contextlib.asynccontextmanager
    async def open_from(
        self, base: Notebook, notebook: Notebook, folder: Path, limits: Limits
    ) -> AsyncIterator[Kernel]:
        """A kernel for this notebook, a copy of the run's own where it begins as the run did."""
        why = self.why or ("" if notebook.cells[: len(self.above)] == self.above else ABOVE)
        if not why and notebook.cells:  # who judges is to be one in whom nothing of the run has been
            stack = AsyncExitStack()
            kernel = ForkedKernel(self.fresh, stack, self.kept, notebook, folder, limits, base)
            async with stack:
                try:
                    yield kernel
                finally:
                    await surely(kernel.close())
            return
        async with (
            self.fresh.open_from(base, notebook, folder, limits)
            if isinstance(self.fresh, ForkingSandbox)
            else self.fresh.open(notebook, folder, limits)
        ) as opened:
            yield fresh_because(opened, why) if notebook.cells else opened

    def stop(self) -> None:
        """What is copied goes on: it is the run."""
        if isinstance(self.fresh, ForkingSandbox):
            self.fresh.stop()


def _secret(folder: Path) -> bool:
    """Whether a copy of the folder would hold less than the folder: files that look secret are shown empty in one."""
    return bool(secrets_below(folder)) or any((folder / name).exists() for name in SECRET_FOLDERS)


def copyable(spec: KernelSpec, tier: Tier) -> bool:
    """Whether the kernel of a run can be the one without threads."""
    return sys.platform == "linux" and tier in COPIED and any("ipykernel" in a for a in spec.argv) and "-m" in spec.argv


@contextlib.asynccontextmanager
async def own_kernel(
    name: str, spec: KernelSpec, taken: Slot, folder: Path, limits: Limits, tier: Tier, environment: Mapping[str, str]
) -> AsyncIterator[OwnKernel]:
    """The run's own kernel in its cage, asked to end when the context ends. `spec` names the provisioner. Raises `OSError`,
    `RuntimeError`, `TimeoutError` where it does not start.

    It is the first copy of a process in which nothing runs, which answers for it: the run may be interrupted while a cell is at
    work, and how it ended is known.
    """
    folder = folder.resolve()
    private = taken.path / "private"
    private.mkdir(mode=0o700)
    observed = Observed(Watched(folder, folder, folder, private, contained=True))
    place = Place(name, spec, tier, folder, taken.sockets, folder, observed, None, Copied())
    try:
        async with family(place, run=True, env=dict(environment)) as root:
            kernel, now = OwnKernel(await root.fork(leaf=False), root, place, limits), True
            try:
                await kernel.go_on(kernel.run)  # type: ignore[arg-type]
                yield kernel
                now = kernel.state != "complete"
            finally:
                await surely(kernel.close(now=now))
    finally:
        observed.close()
