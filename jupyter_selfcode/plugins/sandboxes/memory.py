"""Memory: what could be had on this machine, and the most that a trial has held."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from .watchdog import proportional, resident, tree

MEMINFO, GROUP = Path("/proc/meminfo"), Path("/sys/fs/cgroup")
PAGES = 16 * 2**20
"""Bytes from which on it matters that two processes share pages."""

FIRST_SECONDS = 0.5
"""How long after its begin a trial is first looked at: a shorter one is looked at once, at its end."""


def spare() -> int | None:
    """Bytes of memory that could be had now: of this machine, or of the group of processes that we are held to. None where
    the system does not say."""
    free: int | None = None
    with contextlib.suppress(OSError, ValueError, IndexError):
        free = int(MEMINFO.read_text("ascii").partition("MemAvailable:")[2].split()[0]) * 1024
    with contextlib.suppress(OSError, ValueError, IndexError):
        limit, used = (int(GROUP.joinpath(f"memory.{n}").read_text("ascii")) for n in ("max", "current"))
        files = GROUP.joinpath("memory.stat").read_text("ascii").partition("inactive_file ")[2].split()[0]
        left = max(0, limit - used + int(files))
        free = left if free is None else min(free, left)
    return free


def highest(pid: int) -> int:
    """Bytes that a process has held at most since it began, as the system counts them; 0 where it does not say."""
    try:
        with open(f"/proc/{pid}/status") as f:  # noqa: PTH123
            return next((int(line.split()[1]) * 1024 for line in f if line.startswith("VmHWM:")), 0)
    except OSError:
        return 0


class Peak:
    """The most memory that all below a process have held at once: looked at again and again, and for each process alone
    never less than the system has counted, so that a short peak of one is not missed."""

    def __init__(self) -> None:
        self.held = 0
        self._next = time.monotonic() + FIRST_SECONDS

    def look(self, pid: int, *, now: bool = False) -> int:
        """Bytes so far. A look may take long where there are many processes, so the next is as far away as twenty of them;
        `now` looks in any case."""
        began = time.monotonic()
        if now or began >= self._next:
            pids = tree(pid)
            sizes = [resident(p) for p in pids]
            if sum(sizes) > self.held:
                shared = sum(size > PAGES for size in sizes) > 1
                self.held = max(self.held, sum(map(proportional, pids)) if shared else sum(sizes))
            self.held = max([self.held, *map(highest, pids)])
            self._next = began + 20 * (time.monotonic() - began)
        return self.held
