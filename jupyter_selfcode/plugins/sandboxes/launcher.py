"""Starts a trial kernel under limits, watches it, and ends everything it started. Runs as a program of its own.

    python -I -S launcher.py POLICY -- COMMAND…

A small parent of the kernel, rather than `preexec_fn` (not allowed where there are threads) or a bare `exec`, because only
a process that stays can do three things: collect what the kernel leaves behind (it is the *subreaper*, so a daemon that
left its process group comes back as its child), measure the memory of the whole tree while the caller is busy, and end all
of it when the caller is killed. Only the standard library is imported; a stronger cage goes between `limit` and `exec`.

Without /proc (macOS) neither memory nor the number of processes is watched, and who leaves the group is not found.

POLICY is a JSON object: `parent` (process id of the caller), `memory` (bytes of the whole tree, or null), `processes`,
`file_size` (bytes of one file), and where they are asked for `disk` (`folder`, `bytes`, `entries`), `user` (the number of
the unprivileged user to become, where root calls), `needed` (paths that this user must be able to reach) and `namespaces`
(the command is bubblewrap). It ends as the kernel ended, or with one of the codes below.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from typing import Any

Policy = dict[str, Any]

MEMORY, PROCESSES, NOT_STARTED, DISK = 201, 202, 203, 204
"""Exit codes: stopped for its memory, for the number of its processes; the command could not be started; stopped for what
it wrote."""

TICK = 0.1
"""Seconds between two looks at the tree; one look costs about half a millisecond."""

RESERVE = 16 * 2**30
"""Address space beyond the memory limit. Arenas, thread stacks and memory maps reserve far more than they use, so
RLIMIT_AS only stops what is absurd, with a MemoryError at the right line; what is used is measured by the watch."""


def control(option: int, value: int) -> None:
    """prctl(2), where there is one."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


DIE_WITH_PARENT, BE_SUBREAPER = 1, 36
"""PR_SET_PDEATHSIG and PR_SET_CHILD_SUBREAPER of <linux/prctl.h>."""


def limit(policy: Policy) -> None:
    """Limits of the calling process and of all that it will start."""
    import resource

    def lower(kind: int, value: int) -> None:
        hard = resource.getrlimit(kind)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))

    lower(resource.RLIMIT_CORE, 0)
    lower(resource.RLIMIT_FSIZE, policy["file_size"] or 0)
    if policy.get("cpu"):
        lower(resource.RLIMIT_CPU, policy["cpu"])
    # A GPU driver maps hundreds of gigabytes of address space and uses none of it.
    if policy["memory"] is not None and not os.path.exists("/dev/nvidiactl"):  # noqa: PTH110 (a start is timed)
        lower(resource.RLIMIT_AS, policy["memory"] + RESERVE)
    # Where memory ends, the trial goes first and not the notebook that a person works in.
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as f:  # noqa: PTH123
        f.write("900")


MNT_NAMESPACE, USER_NAMESPACE, REC_PRIVATE, BIND = 0x20000, 0x10000000, 0x4000 | 0x40000, 0x1000
"""CLONE_NEWNS, CLONE_NEWUSER of <sched.h>; MS_REC | MS_PRIVATE and MS_BIND of <sys/mount.h>."""

OPEN_TREE, MOVE_MOUNT, MOUNT_SETATTR = 428, 429, 442
HERE, EMPTY_PATH, FROM_EMPTY_PATH, CLONE_TREE, ID_MAPPED = -100, 0x1000, 4, 1 | 0o2000000, 0x100000
"""AT_FDCWD, AT_EMPTY_PATH, MOVE_MOUNT_F_EMPTY_PATH, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC, MOUNT_ATTR_IDMAP."""


def mapped(libc: Any, folder: str, user: int) -> None:
    """Mount a folder onto itself in such a way that root's files in it seem to be the user's, and what the user makes is
    root's on disk (an idmapped mount, Linux 5.12). Raises `OSError`."""
    import ctypes
    import struct

    def called(result: int, what: str) -> int:
        if result < 0:
            raise OSError(ctypes.get_errno(), f"{what} {folder}: {os.strerror(ctypes.get_errno())}")
        return result

    read, write = os.pipe()
    child = os.fork()
    if not child:
        libc.unshare(USER_NAMESPACE)
        os.write(write, b"x")
        signal.pause()
    try:
        os.read(read, 1)
        for kind in ("uid_map", "gid_map"):
            with open(f"/proc/{child}/{kind}", "w") as f:  # noqa: PTH123
                f.write(f"0 {user} 1")
        space = os.open(f"/proc/{child}/ns/user", os.O_RDONLY)
        tree = called(libc.syscall(OPEN_TREE, HERE, folder.encode(), CLONE_TREE), "open_tree")
        attributes = struct.pack("=QQQQ", ID_MAPPED, 0, 0, space)
        called(libc.syscall(MOUNT_SETATTR, tree, b"", EMPTY_PATH, attributes, ctypes.c_size_t(32)), "mount_setattr")
        called(libc.syscall(MOVE_MOUNT, tree, b"", HERE, folder.encode(), FROM_EMPTY_PATH), "move_mount")
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        for fd in (read, write):
            os.close(fd)


def become(user: int, needed: list[str], own: list[str]) -> None:
    """Leave root for an unprivileged user, for good; raises `OSError` where that cannot be done.

    What that user must reach often lies in a folder that only root may enter (an interpreter below /root). In mounts of
    this process's own, such a folder is covered by an empty one in which only the needed paths are; where mounts are not
    allowed either, the kernel will say what it could not read. Shared memory becomes its own, too.
    """
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)

    def mount(source: str, target: str, kind: str | None, flags: int, options: str | None = None) -> bool:
        given = [None if x is None else x.encode() for x in (source, target, kind)]
        return not libc.mount(*given, ctypes.c_ulong(flags), options.encode() if options else None)

    if not libc.unshare(MNT_NAMESPACE) and mount("none", "/", None, REC_PRIVATE):
        mount("tmpfs", "/dev/shm", "tmpfs", 0, "size=256m,mode=1777")
        closed: dict[str, list[str]] = {}
        for path in needed:
            parts = path.strip("/").split("/")
            above = ("/" + "/".join(parts[:n]) for n in range(1, len(parts)))
            first = next((a for a in above if os.path.isdir(a) and not os.stat(a).st_mode & 1), None)  # noqa: PTH112, PTH116
            if first and os.path.exists(path):  # noqa: PTH110
                closed.setdefault(first, []).append(path)
        for folder, paths in closed.items():
            opened = [(path, os.open(path, os.O_PATH | os.O_CLOEXEC)) for path in paths]
            if not mount("tmpfs", folder, "tmpfs", 0, "mode=755"):
                continue
            for path, fd in opened:
                if os.path.isdir(f"/proc/self/fd/{fd}"):  # noqa: PTH112
                    os.makedirs(path, exist_ok=True)  # noqa: PTH103
                else:
                    os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120
                    os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
                mount(f"/proc/self/fd/{fd}", path, None, BIND)
                os.close(fd)
        for path in own:
            mapped(libc, path, user)
    elif own:
        raise OSError(f"{own[0]} belongs to root, and mounts of one's own are not allowed here")
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


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

    def __init__(self, limits: dict[str, Any] | None) -> None:
        self.limits, self.next = limits, time.monotonic() + TICK

    def passed(self) -> bool:
        """Whether more was written than may be."""
        now = time.monotonic()
        if self.limits is None or now < self.next:
            return False
        size, count = written(self.limits["folder"])
        self.next = now + max(5 * TICK, 20 * (time.monotonic() - now))
        return bool(size > self.limits["bytes"] or count > self.limits["entries"])


def passed(policy: Policy) -> int:
    """The exit code of the limit that the tree has passed, or 0."""
    pids, memory, processes = tree(os.getpid()), policy["memory"], policy["processes"]
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


def start(policy: Policy, command: list[str]) -> int:
    """The kernel, as the leader of a process group, so that an interrupt reaches it and its children but not us."""
    launcher, kernel = os.getpid(), os.fork()
    if kernel:
        return kernel
    try:
        os.setpgid(0, 0)
        limit(policy)
        if policy.get("user") is not None:
            become(policy["user"], policy["needed"], policy["mapped"])
        control(DIE_WITH_PARENT, signal.SIGKILL)  # after that: it is forgotten where the user changes
        # In a namespace our number means nothing, and 1 tells a kernel not to look for its parent.
        os.environ["JPY_PARENT_PID"] = "1" if policy.get("namespaces") else str(launcher)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        os.execvpe(command[0], command, os.environ)
    except BaseException as e:
        os.write(2, f"{command[0]}: {e}\n".encode())
    os._exit(NOT_STARTED)


def interrupt(policy: Policy, kernel: int) -> None:
    """Interrupt the kernel and its children. bubblewrap, which is two processes above it, would end at an interrupt."""
    if not policy.get("namespaces"):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(kernel, signal.SIGINT)
        return
    for pid in [p for first in children(kernel) for p in tree(first)]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)


def ended(policy: Policy, code: int) -> int:
    """The exit code, or minus the signal that ended the kernel, which bubblewrap tells as 128 and the signal."""
    return 128 - code if policy.get("namespaces") and 128 < code <= 192 else code


def arrived(wanted: set[signal.Signals]) -> int:
    """The next of these signals, or 0 after a tick."""
    if hasattr(signal, "sigtimedwait"):
        got = signal.sigtimedwait(wanted, TICK)
        return got.si_signo if got else 0
    if not signal.sigpending() & wanted:  # macOS has no sigtimedwait
        time.sleep(TICK)
    return signal.sigwait(wanted) if signal.sigpending() & wanted else 0


def main(policy: Policy, command: list[str]) -> int:
    """Watch until the kernel has ended, a limit is passed, the caller is gone or asks for the end. An exit code, or
    minus the signal that ended the kernel."""
    wanted = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, wanted)
    control(DIE_WITH_PARENT, signal.SIGTERM)
    control(BE_SUBREAPER, 1)
    if os.getppid() != policy["parent"]:
        return 128 + signal.SIGTERM
    kernel = start(policy, command)
    code, looked, disk = 0, time.monotonic(), Disk(policy.get("disk"))
    try:
        while os.getppid() == policy["parent"]:
            number = arrived(wanted)
            if number == signal.SIGTERM:
                return 128 + signal.SIGTERM
            if number == signal.SIGINT:
                interrupt(policy, kernel)
            status = reap(kernel)
            if status is not None:
                return ended(policy, os.waitstatus_to_exitcode(status))
            if time.monotonic() - looked >= TICK:
                looked = time.monotonic()
                code = passed(policy) or DISK * disk.passed()
                if code:
                    return code
        return 128 + signal.SIGTERM
    finally:
        end(kernel)


def run(arguments: list[str]) -> None:
    """Never returns: ends this process as the kernel ended."""
    code = main(json.loads(arguments[0]), arguments[arguments.index("--") + 1 :])
    if code < 0:
        signal.signal(-code, signal.SIG_DFL) if -code != signal.SIGKILL else None
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {-code})
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.kill(os.getpid(), -code)
    os._exit(code if 0 <= code < 256 else 1)


if __name__ == "__main__":
    run(sys.argv[1:])
