"""The kernel of a headless run: an ordinary one, with the user's environment, in the notebook's own folder.

The same driver as a trial's, so both mean the same by a result; no copy, and no limits but those that are asked for.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

from ...protocols import Limits
from ...values.notebook import Notebook
from .kernels import driven, kernel_of
from .nbclient_kernel import NbclientKernel
from .provisioner import HOST
from .scratch import slot

UNLIMITED = Limits(cell_seconds=None, seconds=None, memory=None, output=None)


@contextlib.asynccontextmanager
async def open_live(notebook: Notebook, folder: Path, limits: Limits = UNLIMITED) -> AsyncIterator[NbclientKernel]:
    """The notebook's kernel in `folder`, asked to end when the context ends. Of `limits` only times are kept.

    Its `metadata` is what nbclient adds to a notebook after a run. Raises `KernelUnavailable`.
    """
    name, spec = kernel_of(notebook)
    environment = {**os.environ, HOST: "run"}
    with slot() as taken:
        async with driven(name, spec, taken.sockets, folder, limits, trial=False, env=environment) as kernel:
            yield kernel
