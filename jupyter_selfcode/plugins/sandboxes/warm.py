"""A kernel that was started before its trial is known, and becomes as clean a kernel as one that is started for it.

It waits in its cage with an empty folder, and has done the imports that the notebook begins with (`analysis.preloading`).
When the trial comes the folder is laid out as it is then. Whatever could make a difference means that it does not serve,
and a kernel is started as usual: an import that showed or told of something, a file that was loaded and is another now, a
file beside the notebook that an import may look for, a folder too large to be copied whole.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Collection, Hashable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from ...analysis.preloading import LOOK_ANEW, doing, read_by_imports
from ...protocols import Limits
from . import tiers
from .nbclient_kernel import NbclientKernel
from .place import Place, fill, started
from .provisioner import settings_of_matplotlib

SETTLE_SECONDS = 0.2
"""How long it is listened for what an import prints after it is done, as compiled libraries do."""

Stamps = Mapping[str, tuple[int, int, int] | None]


@dataclass(frozen=True, slots=True)
class Warm:
    """A kernel that waits. `imports` were done, `asked` are the modules that they looked for; `stamps` tell whether one of
    the files that were loaded has changed since, `tasks` is how many threads the user had when its limits were set."""

    place: Place
    kernel: NbclientKernel
    imports: Sequence[str]
    asked: Collection[str]
    stamps: Stamps
    tasks: int

    @property
    def alive(self) -> bool:
        """Whether it waits still."""
        return self.kernel.state == "complete"

    async def serve(self, processes: int) -> bool:
        """Lay out the folder as it is now. False where this kernel cannot stand for one that is started now. `processes`: how
        many it may have."""
        place = self.place
        if not await asyncio.to_thread(self._unchanged, processes):
            return False
        copied = await fill(place.folder, place.work, place.tier, place.user)
        if copied.linked:
            return False
        if self.asked:
            names = [(e.name, e.is_dir()) for e in os.scandir(place.work) if e.name not in copied.hidden]
            if any(read_by_imports(names, self.asked)):
                return False
        self.kernel.renew(copied.note)
        await self.kernel.evaluate(LOOK_ANEW)
        await place.observed.look_anew()
        return self.alive and not self.kernel.printed

    def _unchanged(self, processes: int) -> bool:
        """Whether what was loaded is what would be loaded now. In tier B the limit on processes counts all of the user's, so
        it is too low for a kernel that waited while the user started many."""
        counted = self.place.tier == "B" and self.place.user is None
        grown = tiers.tasks_of(os.getuid()) - self.tasks if counted else 0
        return stamped(self.stamps) == self.stamps and grown < processes // 4


def stamped(paths: Collection[str]) -> Stamps:
    """What tells that a file or folder is another one, or has changed."""
    found: dict[str, tuple[int, int, int] | None] = {}
    for path in paths:
        try:
            s = os.stat(path)  # noqa: PTH116 (there are thousands)
        except OSError:
            found[path] = None
        else:
            found[path] = s.st_ino, s.st_mtime_ns, s.st_size
    return found


@dataclass(frozen=True, slots=True)
class Wanted:
    """A kernel that may be asked for again: all that decides how it is started (`about`), and the imports it may have done."""

    about: Hashable
    imports: tuple[str, ...]
    limits: Limits


def wanted(
    how: Hashable, folder: Path, limits: Limits, readable: Collection[str], environment: Mapping[str, str], imports: tuple[str, ...]
) -> Wanted:  # fmt: skip
    """A kernel for this folder. What is mounted or copied when it starts must be the same thing still when it serves: the
    folder itself, files that it was granted to read, and the user's settings of matplotlib."""
    mounted = tuple((p, s and s[0]) for p, s in stamped([str(folder), *readable]).items())
    settings = tuple(stamped([str(p) for p in settings_of_matplotlib()]).items())
    return Wanted((how, limits, mounted, settings, tuple(sorted(environment.items()))), imports, limits)


@contextlib.asynccontextmanager
async def warmed(
    lay_out: Callable[[], AbstractAsyncContextManager[Place]], limits: Limits, imports: Sequence[str]
) -> AsyncIterator[Warm]:
    """A kernel that waits, with as many of these imports done as change nothing that a cell could tell.

    Raises `KernelUnavailable`.
    """
    while True:
        async with AsyncExitStack() as opened:
            place = await opened.enter_async_context(lay_out())
            tasks = tiers.tasks_of(os.getuid())
            kernel = await opened.enter_async_context(started(place, limits))
            warm, imports = await _prepared(place, kernel, imports, tasks, limits)
            if warm is not None:
                yield warm
                return


async def _prepared(
    place: Place, kernel: NbclientKernel, imports: Sequence[str], tasks: int, limits: Limits
) -> tuple[Warm | None, Sequence[str]]:
    """The kernel with these imports done; or None, where that shows, and those that may be tried in another one."""
    told = place.observed.early
    reply = await kernel.evaluate(doing(imports), seconds=limits.startup_seconds)
    await asyncio.sleep(SETTLE_SECONDS)
    await kernel.evaluate(LOOK_ANEW)
    place.observed.drain()
    files, places, asked = (_texts(reply.get(name)) for name in ("files", "places", "asked"))
    failed = str(reply.get("failed", ""))
    shows = kernel.printed or place.observed.early != told or kernel.state != "complete" or not reply
    if imports and (shows or failed):
        return None, imports[: imports.index(failed)] if failed in imports else ()
    stamps = await asyncio.to_thread(stamped, [*files, *places])
    return Warm(place, kernel, imports, frozenset(asked), stamps, tasks), imports


def _texts(found: object) -> list[str]:
    return [str(text) for text in found] if isinstance(found, (list, tuple)) else []
