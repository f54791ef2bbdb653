"""The sandbox of this machine: a trial in the strongest cage that there is, in a throw-away copy of the folder.

It fails closed. Where no cage can be had nothing is tried, unless a person has chosen tier C, limits only, by name; and
what was tried there is never deployed unasked (`stages.decide`).
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import tempfile
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...analysis.preloading import leading_imports
from ...protocols import Kernel, Limits
from ...values.errors import KernelUnavailable
from ...values.notebook import Notebook
from ...values.trial import Tier
from . import tiers
from .guard import write_guard
from .kernels import kernel_of, provisioned
from .observed import Watched, observing
from .place import Place, fill, started
from .pool import pool, served
from .provisioner import scrubbed
from .scratch import Copied, private_user, secrets_below, slot
from .terminals import write_without_terminal
from .warm import Wanted, wanted, warmed

ORIGINALS = 500
"""Parts of a folder that are not copied and are shown one by one; what is beyond that is not there in a trial."""


@dataclass(frozen=True, slots=True)
class ContainedSandbox:
    """Trial kernels on this machine.

    `wanted` is a tier or `auto`: the strongest cage. `readable` are files and folders outside of the notebook's that a
    trial may read, `grants` names of environment variables that it is given besides those that every program needs (what
    looks secret is never given). `network`: it may use the network (tier A only). `as_root`: a person has allowed root where it is the only user.
    `warm`: how many kernels may wait for the next trial, each for at most `warm_seconds`.
    """

    wanted: str = "auto"
    readable: Collection[str] = ()
    grants: Collection[str] = ()
    network: bool = False
    as_root: bool = False
    warm: int = 0
    warm_seconds: float = 600.0
    _chosen: list[tuple[Tier | None, str]] = field(default_factory=list, repr=False, compare=False)

    def _choose(self) -> tuple[Tier | None, str]:
        """The tier, or None and the reason why nothing can be tried."""
        if not self._chosen:
            try:
                chosen: Tier = "C" if self.wanted == "C" else tiers.choose(
                    self.wanted, as_root=self.as_root, network=self.network
                )
                self._chosen.append((chosen, ""))
            except RuntimeError as e:
                self._chosen.append((None, str(e)))
        return self._chosen[0]

    @property
    def tier(self) -> Tier | None:
        """The tier that trials run in; None: nothing can be tried here."""
        return self._choose()[0]

    @property
    def name(self) -> str:
        """What a verdict calls it."""
        tier = self.tier
        how = "limited" if tier == "C" else "contained" if tier else "none"
        granted = [", as root"] * (self.as_root and tier == "B") + [", with the network"] * (self.network and tier == "A")
        return how + (f", tier {tier}" if tier else "") + "".join(granted)

    @property
    def promise(self) -> str:
        """What its tier promises, in one line."""
        tier, reason = self._choose()
        if tier is None:
            return f"Nothing is tried here: no cage can be had ({reason})."
        return tiers.promise(tier, as_root=self.as_root, network=self.network)

    @contextlib.asynccontextmanager
    async def open(self, notebook: Notebook, folder: Path, limits: Limits) -> AsyncIterator[Kernel]:
        """A clean kernel in a throw-away copy of `folder`; nothing of it is left when the context ends. It may have waited for
        this trial (`warm`), and another one may then be started to wait for the next.

        Raises `KernelUnavailable` as `laid_out` does, and where the kernel does not start.
        """
        async with contextlib.AsyncExitStack() as opened:
            asked = await asyncio.to_thread(self._wanted, notebook, folder, limits)
            kernel: Kernel | None = await served(opened, asked) if asked else None
            if kernel is None:
                place = await opened.enter_async_context(self.laid_out(notebook, folder, limits))
                kernel = await opened.enter_async_context(started(place, limits))
                if place.copied.linked:  # what is mounted must be known when a kernel starts
                    asked = None
            if asked:
                lay_out = functools.partial(self.laid_out, notebook, folder, limits, filled=False)
                pool().expect(asked, functools.partial(warmed, lay_out, limits), most=self.warm, seconds=self.warm_seconds)
            yield kernel

    def _wanted(self, notebook: Notebook, folder: Path, limits: Limits) -> Wanted | None:
        """What a waiting kernel would have to be; None where none may wait."""
        if not self.warm or self.tier not in ("A", "B"):
            return None
        name, spec = kernel_of(notebook)
        if not any("ipykernel" in a for a in spec.argv):
            return None
        about = (self.tier, self.network, self.as_root, tuple(self.readable), tuple(self.grants), name, repr(spec.to_dict()))
        return wanted(about, folder.resolve(), limits, self.readable, scrubbed(os.environ, self.grants), leading_imports(notebook))

    @contextlib.asynccontextmanager
    async def laid_out(self, notebook: Notebook, folder: Path, limits: Limits, *, filled: bool = True) -> AsyncIterator[Place]:
        """All that a kernel needs to be started in a cage of its own. With `filled` false its copy of the folder is empty.

        Raises `KernelUnavailable` where no cage can be had, or the notebook's kernel is not installed, is not Python.
        """
        tier, reason = await asyncio.to_thread(self._choose)
        if tier is None:
            raise KernelUnavailable(
                f"Nothing was tried, since no cage can be had here ({reason}). See doctor; or choose limits only, by "
                "SelfCode.sandbox = 'C' (--sandbox C): each change then waits for you."
            )
        name, spec = kernel_of(notebook)
        folder = folder.resolve()
        if not folder.is_dir():
            raise KernelUnavailable(f"The notebook's folder {folder} is not there, so its kernel cannot start in it.")
        async with contextlib.AsyncExitStack() as opened:
            try:
                taken = opened.enter_context(slot())
                work, private = taken.work(folder.name), taken.path / "private"
                work.mkdir(parents=True)
                user = private_user(taken.number) if tier != "C" and os.geteuid() == 0 and not self.as_root else None
                copied = await fill(folder, work, tier, user) if filled else Copied()
                config: dict[str, Any] = {
                    "memory": limits.memory, "processes": limits.processes, "scratch": str(private), "grants": list(self.grants),
                    "cpu": _cpu(limits), "disk": limits.disk, "watched": str(taken.path),
                }  # fmt: skip
                if tier == "C":
                    write_guard(private / "ipython", folder, taken.path)
                else:
                    config |= await self._cage(tier, user, folder, work, copied)
                if tier in ("B", "M"):
                    write_without_terminal(private / "ipython")
                spec = provisioned(spec, "selfcode-limited" if tier == "C" else "selfcode-contained", **config)
                watched = Watched(folder, work, folder if tier == "A" else work, private, contained=tier != "C")
                observed = await opened.enter_async_context(observing(watched))
            except OSError as e:
                raise KernelUnavailable(
                    f"Nothing was tried: no trial could be laid out below {tempfile.gettempdir()} ({e.strerror or e}). "
                    "Make room there, or name another folder by the variable TMPDIR."
                ) from e
            yield Place(name, spec, tier, folder, taken.sockets, work, observed, user, copied)

    async def _cage(self, tier: Tier, user: int | None, folder: Path, work: Path, copied: Copied) -> dict[str, Any]:
        """What the provisioner is told of this cage."""
        originals = copied.linked[:ORIGINALS]
        hidden = [s for o in originals if (folder / o).is_dir() for s in await asyncio.to_thread(secrets_below, folder / o)]
        return {
            "tier": tier, "folder": str(folder), "content": str(work), "originals": originals, "hidden": hidden,
            "readable": list(self.readable), "network": self.network, "as_root": self.as_root, "user": user,
        }  # fmt: skip


def _cpu(limits: Limits) -> int | None:
    """Seconds of processor time of one process: what all cores give in the time of the whole trial, and a little more."""
    return None if limits.seconds is None else int(limits.seconds * (os.cpu_count() or 1)) + 60
