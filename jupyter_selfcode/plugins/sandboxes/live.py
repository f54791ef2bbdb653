"""The kernel of a headless run, in the notebook's own folder: an ordinary one with the user's environment, or contained.

The same driver as a trial's, so both mean the same by a result; no copy, and no limits but those that are asked for.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...protocols import Limits
from ...values.notebook import Notebook
from ...values.trial import Tier
from .forked import LOST
from .kernels import driven, kernel_of, provisioned
from .nbclient_kernel import NbclientKernel
from .own import copyable, own_kernel
from .provisioner import HOST
from .scratch import slot

UNLIMITED = Limits(cell_seconds=None, seconds=None, memory=None, output=None)


@dataclass(frozen=True, slots=True)
class LiveCage:
    """The cage of a run's own kernel: it works in the real folder, and may read and write what is granted besides. `copied`:
    where it can be, it is a kernel of which trials are copies (`own`)."""

    tier: Tier = "A"
    readable: Sequence[str] = ()
    writable: Sequence[str] = ()
    network: bool = False
    as_root: bool = False
    copied: bool = True


@contextlib.asynccontextmanager
async def open_live(
    notebook: Notebook, folder: Path, limits: Limits = UNLIMITED, cage: LiveCage | None = None
) -> AsyncIterator[NbclientKernel]:
    """The notebook's kernel in `folder`, asked to end when the context ends. Of `limits` only times are kept.

    Its `metadata` is what nbclient adds to a notebook after a run. Raises `KernelUnavailable`.
    """
    name, spec = kernel_of(notebook)
    environment = {**os.environ, HOST: "run"}
    if cage is None:
        with slot() as taken:
            async with driven(name, spec, taken.sockets, folder, limits, trial=False, env=environment) as bare:
                yield bare
        return
    config: dict[str, Any] = {
        "role": "run", "tier": cage.tier, "folder": str(folder.resolve()), "network": cage.network, "as_root": cage.as_root,
        "readable": list(cage.readable), "writable": list(cage.writable),
    }  # fmt: skip
    async with AsyncExitStack() as opened:
        taken = opened.enter_context(slot())
        kernel: NbclientKernel | None = None
        if cage.copied and copyable(spec, cage.tier):
            placed = provisioned(spec, "selfcode-contained", scratch=str(taken.path / "private"), **config)
            with contextlib.suppress(*LOST):  # the stock kernel serves as well, or says better why none does
                own = own_kernel(name, placed, taken, folder, limits, cage.tier, environment)
                kernel = await opened.enter_async_context(own)
        if kernel is None:
            taken = opened.enter_context(slot())
            stock = provisioned(spec, "selfcode-contained", **config)
            kernel = await opened.enter_async_context(
                driven(name, stock, taken.sockets, folder, limits, trial=False, env=environment)
            )
        yield kernel
