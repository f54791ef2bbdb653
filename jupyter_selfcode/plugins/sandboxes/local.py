"""The sandbox of this machine without any further containment: tier C, "limited"."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from pathlib import Path

from ...protocols import Kernel, Limits
from ...values.errors import KernelUnavailable
from ...values.notebook import Notebook
from .guard import write_guard
from .kernels import driven, kernel_of, provisioned
from .observed import observing
from .scratch import Copied, copy_folder, slot

PROMISE = (
    "A candidate runs with your rights, in a throw-away copy of the folder and without the keys in your environment "
    "variables, with limits on time and memory; stronger containment is not built yet."
)


@dataclass(frozen=True, slots=True)
class LocalSandbox:
    """Trial kernels on this machine. `grants` are names of environment variables that a trial is given besides those
    that every program needs; what looks secret is never given."""

    name: str = "limited"
    promise: str = PROMISE
    provisioner: str = "selfcode-limited"
    grants: Collection[str] = ()

    @contextlib.asynccontextmanager
    async def open(self, notebook: Notebook, folder: Path, limits: Limits) -> AsyncIterator[Kernel]:
        """A clean kernel in a throw-away copy of `folder`; nothing of it is left when the context ends.

        Raises `KernelUnavailable` where the notebook's kernel is not installed, is not Python, or does not start.
        """
        name, spec = kernel_of(notebook)
        folder = folder.resolve()
        if not folder.is_dir():
            raise KernelUnavailable(f"The notebook's folder {folder} is not there, so its kernel cannot start in it.")
        with slot() as taken:
            work = taken.work(folder.name)
            copied = await copying(folder, work)
            private = taken.path / "private"
            write_guard(private / "ipython", folder, taken.path)
            spec = provisioned(
                spec, self.provisioner, memory=limits.memory, scratch=str(private), grants=list(self.grants)
            )
            async with (
                observing(folder, work, private / "ipython", [taken.path]) as observed,
                driven(
                    name, spec, taken.sockets, work, limits, trial=True, observed=observed, note=copied.note
                ) as kernel,
            ):
                yield kernel


async def copying(source: Path, target: Path) -> Copied:
    """`copy_folder` beside the loop; where that is cancelled, the copying has ended before this does."""
    stop = threading.Event()
    task = asyncio.ensure_future(asyncio.to_thread(copy_folder, source, target, stop=stop))
    try:
        return await asyncio.shield(task)
    finally:
        stop.set()
        while not task.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait({task})
