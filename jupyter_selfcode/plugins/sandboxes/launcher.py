"""Starts a trial kernel under limits, watches it, and ends everything it started. Runs as a program of its own.

    python -I -S launcher.py POLICY -- COMMAND…

A small parent of the kernel, rather than `preexec_fn` (not allowed where there are threads) or a bare `exec`, because only
a process that stays can do three things: collect what the kernel leaves behind (it is the *subreaper*, so a daemon that
left its process group comes back as its child), measure the memory of the whole tree while the caller is busy, and end all
of it when the caller is killed. Only the standard library is imported; a stronger cage goes between `limit` and `exec`.

Without /proc (macOS) neither memory nor the number of processes is watched, and who leaves the group is not found.

POLICY is a JSON object: `parent` (process id of the caller), `memory` (bytes of the whole tree, or null), `processes`,
`file_size` (bytes of one file). It ends as the kernel ended, or with one of the codes below.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time

Policy = dict[str, "int | None"]

MEMORY, PROCESSES, NOT_STARTED = 201, 202, 203
"""Exit codes: stopped for its memory, for the number of its processes; the command could not be started."""

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
    # A GPU driver maps hundreds of gigabytes of address space and uses none of it.
    if policy["memory"] is not None and not os.path.exists("/dev/nvidiactl"):  # noqa: PTH110 (a start is timed)
        lower(resource.RLIMIT_AS, policy["memory"] + RESERVE)
    # Where memory ends, the trial goes first and not the notebook that a person works in.
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as f:  # noqa: PTH123
        f.write("900")


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
        control(DIE_WITH_PARENT, signal.SIGKILL)
        limit(policy)
        os.environ["JPY_PARENT_PID"] = str(launcher)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        os.execvpe(command[0], command, os.environ)
    except BaseException as e:
        os.write(2, f"{command[0]}: {e}\n".encode())
    os._exit(NOT_STARTED)


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
    code, looked = 0, time.monotonic()
    try:
        while os.getppid() == policy["parent"]:
            number = arrived(wanted)
            if number == signal.SIGTERM:
                return 128 + signal.SIGTERM
            if number == signal.SIGINT:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(kernel, signal.SIGINT)
            status = reap(kernel)
            if status is not None:
                return os.waitstatus_to_exitcode(status)
            if time.monotonic() - looked >= TICK:
                looked = time.monotonic()
                code = passed(policy)
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
