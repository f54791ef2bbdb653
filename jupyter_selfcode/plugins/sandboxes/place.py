"""Where a kernel of a trial is about to start, and how the notebook's folder gets there."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

from jupyter_client.kernelspec import KernelSpec

from ...protocols import Limits
from ...values.trial import Tier
from .kernels import driven
from .nbclient_kernel import NbclientKernel
from .observed import Observed
from .scratch import Copied, copy_folder, own


@dataclass(frozen=True, slots=True)
class Place:
    """Its specification, the empty folder of its sockets, the copy of the notebook's `folder` that it works in, who observes
    it, and the user that it becomes (None: the caller). `copied` says what of the folder is in the copy."""

    name: str
    spec: KernelSpec
    tier: Tier
    folder: Path
    sockets: Path
    work: Path
    observed: Observed
    user: int | None
    copied: Copied


def started(place: Place, limits: Limits) -> AbstractAsyncContextManager[NbclientKernel]:
    """The kernel of a trial, started there."""
    return driven(
        place.name, place.spec, place.sockets, place.work, limits, trial=True, observed=place.observed, note=place.copied.note
    )


async def fill(folder: Path, work: Path, tier: Tier, user: int | None) -> Copied:
    """Copy the folder into the empty `work`, which is then the user's. Where this is cancelled, the copying has ended before
    this does."""
    stop = threading.Event()

    def copy() -> Copied:
        copied = copy_folder(folder, work, link=tier != "A", hide=tier != "C", stop=stop)
        if user is not None:
            own(work, user)
        return copied

    task = asyncio.ensure_future(asyncio.to_thread(copy))
    try:
        return await asyncio.shield(task)
    finally:
        stop.set()
        while not task.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait({task})
