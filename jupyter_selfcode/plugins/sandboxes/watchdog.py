"""Watches over a kernel and all that it starts: the half of the launcher that is loaded while the kernel starts.

Without /proc (macOS) neither memory nor the number of processes is watched, and who leaves the group is not found.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import time
from typing import TYPE_CHECKING, NoReturn

from .launcher import BE_SUBREAPER, CALLER_GONE, DIE_WITH_PARENT, DISK, MEMORY, PROCESSES, WATCHED, control

if TYPE_CHECKING:
    from .launcher import Policy

TICK = 0.1
"""Seconds between two looks at the tree; one look costs about half a millisecond."""


def written(folder: str) -> tuple[int, int]:
    """Bytes on disk and number of entries below a folder; links are not followed."""
    size = count = 0
    left = [folder]
    while left:
        with contextlib.suppress(OSError), os.scandir(left.pop()) as entries:
            for entry in entries:
                count += 1
                with contextlib.suppress(OSError):
                    size += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        left.append(entry.path)
    return size, count


def children(pid: int) -> list[int]:
    """Process ids of the children of a process, of all its threads."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208
            with open(f"/proc/{pid}/task/{task}/children") as f:  # noqa: PTH123
                found += map(int, f.read().split())
    return found


def tree(pid: int) -> list[int]:
    """Everything below a process."""
    found, next_ones = list[int](), children(pid)
    while next_ones:
        found += next_ones
        next_ones = [c for n in next_ones for c in children(n)]
    return found


def resident(pid: int) -> int:
    """Bytes of memory that a process holds, pages shared with others counted whole."""
    try:
        with open(f"/proc/{pid}/statm") as f:  # noqa: PTH123
            return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def proportional(pid: int) -> int:
    """The same with shared pages divided among those who share them; dear, so asked only when it matters."""
    try:
        with open(f"/proc/{pid}/smaps_rollup") as f:  # noqa: PTH123
            return sum(int(line.split()[1]) * 1024 for line in f if line.startswith(("Pss:", "SwapPss:")))
    except OSError:
        return resident(pid)


class Disk:
    """Watches what was written. A look may take long, so the next is as far away as twenty of them."""

    def __init__(self, policy: Policy) -> None:
        self.folder: str | None = policy.get("disk")
        self.policy, self.next = policy, time.monotonic() + TICK

    def passed(self) -> bool:
        """Whether more was written than may be."""
        now = time.monotonic()
        if self.folder is None or now < self.next:
            return False
        size, count = written(self.folder)
        self.next = now + max(5 * TICK, 20 * (time.monotonic() - now))
        return bool(size > self.policy["disk_bytes"] or count > self.policy["disk_entries"])


def passed(policy: Policy) -> int:
    """The exit code of the limit that the tree has passed, or 0."""
    pids, memory, processes = tree(os.getpid()), policy.get("memory"), policy.get("processes")
    if processes is not None and len(pids) > processes:
        return PROCESSES
    # Workers of a pool share most of their pages: only the proportional sum is fair, and it is never more than this one.
    if memory is not None and sum(map(resident, pids)) > memory and sum(map(proportional, pids)) > memory:
        return MEMORY
    return 0


def reap(kernel: int) -> int | None:
    """Collect who has ended. The wait status of the kernel if it is among them."""
    status = None
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            if ended[0] == kernel:
                status = ended[1]
    return status


def end(kernel: int) -> None:
    """Kill the kernel's group at one stroke, then whoever had left it, until there is nobody."""
    for _ in range(2000):
        with contextlib.suppress(OSError):
            os.killpg(kernel, signal.SIGKILL)
        for pid in children(os.getpid()):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        reap(kernel)
        try:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        time.sleep(0.001)


def interrupt(policy: Policy, kernel: int) -> None:
    """Interrupt the kernel and its children. bubblewrap, which is two processes above it, would end at an interrupt."""
    if policy.get("cage") != "namespaces":
        with contextlib.suppress(ProcessLookupError):
            os.killpg(kernel, signal.SIGINT)
        return
    for pid in [p for first in children(kernel) for p in tree(first)]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)


def ended(policy: Policy, code: int) -> int:
    """The exit code, or minus the signal that ended the kernel, which bubblewrap tells as 128 and the signal."""
    return 128 - code if policy.get("cage") == "namespaces" and 128 < code <= 192 else code


def arrived() -> int:
    """The next of the watched signals, or 0 after a tick."""
    if hasattr(signal, "sigtimedwait"):
        got = signal.sigtimedwait(WATCHED, TICK)
        return got.si_signo if got else 0
    if not signal.sigpending() & WATCHED:  # macOS has no sigtimedwait
        time.sleep(TICK)
    return signal.sigwait(WATCHED) if signal.sigpending() & WATCHED else 0


def watch(policy: Policy, kernel: int) -> int:
    """Watch until the kernel has ended, a limit is passed, the caller is gone or asks for the end. An exit code, or
    minus the signal that ended the kernel."""
    control(DIE_WITH_PARENT, signal.SIGTERM)
    control(BE_SUBREAPER, 1)
    code, looked, disk = 0, time.monotonic(), Disk(policy)
    try:
        while os.getppid() == policy["parent"]:
            number = arrived()
            if number == signal.SIGINT:
                interrupt(policy, kernel)
            status = reap(kernel)
            if status is not None:
                return ended(policy, os.waitstatus_to_exitcode(status))
            if number == signal.SIGTERM:
                return CALLER_GONE
            if time.monotonic() - looked >= TICK:
                looked = time.monotonic()
                code = passed(policy) or DISK * disk.passed()
                if code:
                    return code
        return CALLER_GONE
    finally:
        end(kernel)


def end_as(code: int) -> NoReturn:
    """End this process as the kernel ended."""
    if code < 0:
        signal.signal(-code, signal.SIG_DFL) if -code != signal.SIGKILL else None
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {-code})
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.kill(os.getpid(), -code)
    os._exit(code if 0 <= code < 256 else 1)
