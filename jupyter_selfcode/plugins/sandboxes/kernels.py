"""Which kernel a notebook asks for, and a driven one from start to end, whatever happens in between."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Coroutine, Mapping
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager, NoSuchKernel
from jupyter_client.manager import AsyncKernelManager

from ...protocols import Limits
from ...values.errors import KernelUnavailable
from ...values.notebook import Notebook
from .bounded import CellClient
from .nbclient_kernel import LOG, NbclientKernel
from .observed import Observed

DEFAULT = "python3"
SOCKET_PATH = 100
"""Bytes of the longest path of a Unix socket that every system takes (104 on macOS), less the number of a socket."""


class OneSpec(KernelSpecManager):
    """Knows the one specification that was chosen."""

    def __init__(self, spec: KernelSpec, **options: Any) -> None:
        super().__init__(**options)
        self._spec = spec

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """The one, whatever the name."""
        return self._spec


def kernel_of(notebook: Notebook) -> tuple[str, KernelSpec]:
    """The name and specification of a notebook's kernel: as installed here, never what the notebook brings along.

    A notebook that names none, or `python3` where no such kernel is installed, gets this interpreter's. Raises
    `KernelUnavailable` where it is not installed or not Python.
    """
    asked = notebook.metadata.get("kernelspec")
    asked = asked if isinstance(asked, Mapping) else {}
    name, installed = str(asked.get("name") or DEFAULT), KernelSpecManager()
    language = str(asked.get("language") or "python")
    try:
        spec = installed.get_kernel_spec(name)
        language = spec.language or language
    except (NoSuchKernel, ValueError, OSError) as e:
        if name == DEFAULT:
            spec = KernelSpec(
                argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
                display_name="Python 3", language="python",
            )  # fmt: skip
        elif not language.lower().startswith("python"):
            raise _not_python(name, language) from e
        else:
            known = ", ".join(sorted(installed.find_kernel_specs())) or "none"
            raise KernelUnavailable(
                f"The notebook's kernel {name!r} is not installed here (installed: {known}). Install it, or choose "
                "another kernel for the notebook in Jupyter and save it."
            ) from e
    if not language.lower().startswith("python"):
        raise _not_python(name, language)
    return name, spec


def _not_python(name: str, language: str) -> KernelUnavailable:
    return KernelUnavailable(
        f"The notebook's kernel {name!r} is for {language}; notebooks with a Python kernel are supported."
    )


def provisioned(spec: KernelSpec, provisioner: str, **config: Any) -> KernelSpec:
    """The specification with another provisioner, by the name of its entry point."""
    metadata = {**spec.metadata, "kernel_provisioner": {"provisioner_name": provisioner, "config": config}}
    return KernelSpec(**{**spec.to_dict(), "metadata": metadata}, resource_dir=spec.resource_dir)


@contextlib.asynccontextmanager
async def driven(
    name: str, spec: KernelSpec, sockets: Path, cwd: Path, limits: Limits, *, trial: bool,
    observed: Observed | None = None, **options: Any,
) -> AsyncIterator[NbclientKernel]:
    """A running kernel. However the context is left, its processes are dead and its sockets gone before it ends.

    `sockets`: an empty folder of ours, for the connection file and the sockets. A trial ends at once, a run is asked
    to end first, as nbclient does. `observed` is told what the kernel's witness says. `options` are for
    `NbclientKernel.start`. Raises `KernelUnavailable`.
    """
    local = len(str(sockets).encode()) + 4 < SOCKET_PATH
    place = {"transport": "ipc", "ip": str(sockets / "s")} if local else {"transport": "tcp"}
    kernels = AsyncKernelManager(
        kernel_name=name, kernel_spec_manager=OneSpec(spec), connection_file=str(sockets / "kernel.json"),
        client_factory=CellClient, log=LOG, **place,
    )  # fmt: skip
    kernel, now = NbclientKernel(kernels, limits, sockets / "log", trial=trial, observed=observed), True
    try:
        await kernel.start(cwd=cwd, **options)
        yield kernel
        now = trial or kernel.state != "complete"
    finally:
        await surely(kernel.close(now=now))


async def surely(work: Coroutine[Any, Any, None]) -> None:
    """Do it to the end though the caller is cancelled meanwhile; the cancellation goes on afterwards."""
    task, cancelled = asyncio.ensure_future(work), False
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        task.exception()
        raise asyncio.CancelledError
    task.result()
