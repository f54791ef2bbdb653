"""Whether the process that this runs in can be copied, found in milliseconds before it is; mended where that is known to work.

Runs in the cage, by the kernel's own Python. What was tried, with each library: OpenMP, loky and tqdm come back by
themselves after they were put to rest; pools, threads of the user, polars, numba's threads and CUDA do not survive a fork
(POSIX.1-2017, fork: only the calling thread is there in the child). A thread that no rule knows is a reason to refuse.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import stat
import sys
import threading
import time
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

KNOWN: set[int] = set()
"""Processes that may be there while a copy is made."""

HARMLESS = ("jemalloc_bg_thd",)
"""Names of threads that were seen to survive, or not to be missed."""

PAUSE_HARD = 2
"""omp_pause_hard of OpenMP 5.0."""

ENTRIES = 20_000
HISTORY, NOTEBOOK = ".selfcode", ".ipynb"
"""What we write ourselves while a failed cell of a run waits to be mended: a folder's name, and how a file's ends."""

SETTLE_SECONDS = 0.2

Files = dict[str, tuple[int, ...]]


def files(places: Iterable[str], *, ours: bool = True) -> Files | None:
    """What tells one state of the files from another; None where there are too many to look at. What is mounted below a
    place is a place of its own, or cannot be written. Without `ours`, what we write ourselves is left out."""
    found: Files = {}
    left = [(p, os.stat(p).st_dev) for p in places if os.path.exists(p)]  # noqa: PTH110, PTH116
    while left:
        folder, device = left.pop()
        with contextlib.suppress(OSError), os.scandir(folder) as inside:
            for entry in inside:
                s = entry.stat(follow_symlinks=False)
                if s.st_dev != device or (not ours and (entry.name == HISTORY or entry.name.endswith(NOTEBOOK))):
                    continue
                if stat.S_ISDIR(s.st_mode):
                    left.append((entry.path, device))
                found[entry.path] = (s.st_mode, s.st_size, s.st_ino, s.st_ctime_ns)
                if len(found) > ENTRIES:
                    return None
    return found


def found(loop: Any, ours: Collection[int], *, mend: bool = True) -> str:
    """Why a copy would not be right, in words; empty where nothing is known against it. Mends first, but where it would cost the
    next cell the start of its workers."""
    if _mend(workers=mend):
        _settle()
    maps = Path("/proc/self/maps").read_text().splitlines()
    return (
        _python_threads()
        or _libraries()
        or _threads(maps)
        or _processes()
        or _connections(loop, ours)
        or _shared(maps)
    )


def _mend(*, workers: bool) -> bool:
    """Put to rest what comes back by itself. Whether threads were ended."""
    ended = False
    tqdm = sys.modules.get("tqdm")
    monitor = getattr(getattr(tqdm, "tqdm", None), "monitor", None)
    if monitor is not None:
        with contextlib.suppress(Exception):
            monitor.exit()
            tqdm.tqdm.monitor = None  # type: ignore[union-attr]
        ended = True
    for name in ("joblib.externals.loky.reusable_executor", "loky.reusable_executor") if workers else ():
        module = sys.modules.get(name)
        storage = getattr(module, "_executor_storage", None)  # of this thread, since loky 3.6
        executor = getattr(module, "_executor", None) or getattr(storage, "executor", None)
        if executor is not None:
            with contextlib.suppress(Exception):
                executor.shutdown(wait=True)
            ended = True
    loaded = {line.split(None, 5)[5] for line in Path("/proc/self/maps").read_text().splitlines() if line.count(" ") > 5}
    for path in loaded:
        name = path.strip().rpartition("/")[2]
        if name.startswith(("libgomp", "libomp", "libiomp")):
            with contextlib.suppress(OSError, AttributeError):
                ctypes.CDLL(path.strip(), mode=os.RTLD_NOLOAD | os.RTLD_NOW).omp_pause_resource_all(PAUSE_HARD)
    return ended


def _settle() -> None:
    """Wait until threads that Python has joined are gone for the system too, which on a busy machine is later."""
    until = time.monotonic() + SETTLE_SECONDS
    while _tasks() and time.monotonic() < until:
        time.sleep(0.002)


def _python_threads() -> str:
    others = [t.name for t in threading.enumerate() if t is not threading.main_thread()]
    return f"threads are alive that a copy would not have ({', '.join(others[:3])})" if others else ""


def _libraries() -> str:
    numba = sys.modules.get("numba.np.ufunc.parallel")
    if getattr(numba, "_is_initialized", False):
        return "numba's threads were started, which a copy would not have"
    torch: Any = sys.modules.get("torch")
    with contextlib.suppress(Exception):
        if torch is not None and torch.cuda.is_initialized():
            return "the GPU is in use, which cannot be copied"
    return ""


def _tasks() -> list[str]:
    """Names of the system's threads beside the first, but for those that are not missed."""
    main, names = os.getpid(), list[str]()
    for task in os.listdir("/proc/self/task"):  # noqa: PTH208
        if int(task) != main:
            with contextlib.suppress(OSError):
                names.append(Path(f"/proc/self/task/{task}/comm").read_text().strip())
    return [n for n in names if not n.startswith(HARMLESS)]


def _threads(maps: list[str]) -> str:
    names = _tasks()
    polars = [n for n in names if n.startswith("polars")]
    if polars:
        return "polars was used, whose threads a copy would not have"
    cores = os.cpu_count() or 1
    pools = {line.rpartition("/")[2] for line in maps if "openblas" in line.rpartition("/")[2]}
    allowed = len(pools) * max(0, cores - 1)
    arrow: Any = sys.modules.get("pyarrow")
    if arrow is not None:
        with contextlib.suppress(Exception):
            allowed += arrow.cpu_count() + arrow.io_thread_count()
    unknown = len(names) - allowed
    return f"{unknown} threads of libraries are alive that no rule knows ({names[0]})" if unknown > 0 else ""


def _processes() -> str:
    text = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    for pid in map(int, text.split()):
        if pid in KNOWN:
            continue
        with contextlib.suppress(OSError):
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
            if b"resource_tracker" in command:
                KNOWN.add(pid)
            elif b"selfcode_forkable" not in command:
                return "a process that a cell has started is alive"
    return ""


def _connections(loop: Any, ours: Collection[int]) -> str:
    if len(loop._selector.get_map()) > 1:  # the loop's own
        return "a connection is waited for"
    own = {*ours, loop._selector.fileno(), loop._ssock.fileno(), loop._csock.fileno()}
    for fd in map(int, os.listdir("/proc/self/fd")):  # noqa: PTH208
        if fd in own:
            continue
        with contextlib.suppress(OSError):
            mode, name = os.fstat(fd).st_mode, os.readlink(f"/proc/self/fd/{fd}")  # noqa: PTH115
            if stat.S_ISSOCK(mode):
                return "a connection is open"
            if stat.S_ISREG(mode) and _flags(fd) & (os.O_WRONLY | os.O_RDWR):
                return f"a file is open to be written ({name.rpartition('/')[2]})"
    return ""


def _flags(fd: int) -> int:
    lines = Path(f"/proc/self/fdinfo/{fd}").read_text().splitlines()
    return next(int(line.split()[1], 8) for line in lines if line.startswith("flags:"))


def _shared(maps: list[str]) -> str:
    for line in maps:
        parts = line.split(None, 5)
        path = parts[5] if len(parts) > 5 else ""
        if parts[1][1] == "w" and parts[1][3] == "s" and "/sem." not in path:
            return f"memory is shared with others ({path.rpartition('/')[2] or 'without a name'})"
    return ""


def own_offsets() -> None:
    """In a copy: files that are open to be read are read from where they are, without moving the parent's place."""
    for fd in map(int, os.listdir("/proc/self/fd")):  # noqa: PTH208
        if fd > 2:
            with contextlib.suppress(OSError):
                if not stat.S_ISREG(os.fstat(fd).st_mode):
                    continue
                at = os.lseek(fd, 0, os.SEEK_CUR)
                again = os.open(f"/proc/self/fd/{fd}", _flags(fd) & ~(os.O_CREAT | os.O_EXCL | os.O_TRUNC))
                os.lseek(again, at, os.SEEK_SET)
                os.dup2(again, fd, inheritable=False)
                os.close(again)
