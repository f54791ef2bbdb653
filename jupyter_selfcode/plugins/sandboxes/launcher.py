"""Starts a trial kernel under limits, watches it, and ends everything it started. Runs as a program of its own:

    python -I -S launcher.py NAME=VALUE… -- COMMAND…

A small parent of the kernel, rather than `preexec_fn` (not allowed where there are threads) or a bare `exec`, because only
a process that stays can do three things: collect what the kernel leaves behind (it is the *subreaper*, so a daemon that
left its process group comes back as its child), measure the memory of the whole tree while the caller is busy, and end all
of it when the caller is killed.

A person waits for the kernel and not for the watch over it, so the kernel is started first, with next to nothing imported,
and `watchdog` is loaded while it starts. Only the standard library is used.

The words: `parent` (process id of the caller), `memory` (bytes of the whole tree), `processes`, `file_size` (bytes of one
file), `cpu` (seconds of one process), `disk` (a folder), `disk_bytes` and `disk_entries` (what may be in it), `user` (the
number of the unprivileged user to become, where root calls), `needed` (a path that this user must be able to reach; any
number of them), `mapped` (a folder of root's that the user works in; any number) and `cage` (the command closes one, and ends
with us by itself: `namespaces` where it is bubblewrap, else `alone`). What is not named is not limited. It ends as the kernel ended, or with
one of the codes below.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # `signal` itself costs as much as all the rest, for its names
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, NoReturn

    Policy = dict[str, Any]

MEMORY, PROCESSES, NOT_STARTED, DISK = 201, 202, 203, 204
"""Exit codes: stopped for its memory, for the number of its processes; the command could not be started; stopped for what
it wrote."""

CALLER_GONE: int = 128 + _signal.SIGTERM
"""Exit code where there is nobody to run for."""

RESERVE = 16 * 2**30
"""Address space beyond the memory limit. Arenas, thread stacks and memory maps reserve far more than they use, so
RLIMIT_AS only stops what is absurd, with a MemoryError at the right line; what is used is measured by the watch."""

DIE_WITH_PARENT, BE_SUBREAPER = 1, 36
"""PR_SET_PDEATHSIG and PR_SET_CHILD_SUBREAPER of <linux/prctl.h>."""

WATCHED: set[int] = {_signal.SIGCHLD, _signal.SIGTERM, _signal.SIGINT}
"""Signals that are waited for, and do nothing else."""


def command(policy: Mapping[str, Any], enclosed: Sequence[str]) -> list[str]:
    """The command line that starts `enclosed` under this policy; what is None or empty in it is left out."""
    words = [
        f"{name}={value}"
        for name, given in policy.items()
        for value in (given if isinstance(given, (list, tuple)) else [given])
        if value not in (None, "")
    ]
    return [sys.executable, "-I", "-S", __file__, *words, "--", *enclosed]


def policy_of(words: Sequence[str]) -> Policy:
    """What the words say: numbers, paths, and two lists of paths."""
    found: Policy = {"needed": [], "mapped": []}
    for name, _, value in (word.partition("=") for word in words):
        if name in ("needed", "mapped"):
            found[name].append(value)
        else:
            found[name] = int(value) if value.isdigit() else value
    return found


def control(option: int, value: int) -> None:
    """prctl(2), where there is one."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def limit(policy: Policy) -> None:
    """Limits of the calling process and of all that it will start."""
    import resource

    def lower(kind: int, value: int) -> None:
        hard = resource.getrlimit(kind)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))

    lower(resource.RLIMIT_CORE, 0)
    if "file_size" in policy:
        lower(resource.RLIMIT_FSIZE, policy["file_size"])
    if "cpu" in policy:
        lower(resource.RLIMIT_CPU, policy["cpu"])
    # A GPU driver maps hundreds of gigabytes of address space and uses none of it.
    if "memory" in policy and not os.path.exists("/dev/nvidiactl"):  # noqa: PTH110 (a start is timed)
        lower(resource.RLIMIT_AS, policy["memory"] + RESERVE)
    # Where memory ends, the trial goes first and not the notebook that a person works in.
    try:
        with open("/proc/self/oom_score_adj", "w") as f:  # noqa: PTH123
            f.write("900")
    except OSError:
        pass


def find_package() -> None:
    """Make this package importable from within this program, after all else."""
    above = os.path.dirname
    sys.path.append(above(above(above(above(os.path.abspath(__file__))))))  # noqa: PTH100


def start(policy: Policy, command: list[str]) -> int:
    """The kernel, as the leader of a process group, so that an interrupt reaches it and its children but not us."""
    launcher, kernel = os.getpid(), os.fork()
    if kernel:
        return kernel
    try:
        os.setpgid(0, 0)
        limit(policy)
        if "user" in policy:
            find_package()
            from jupyter_selfcode.plugins.sandboxes.unprivileged import become

            become(policy["user"], policy["needed"], policy["mapped"])
        if "cage" not in policy:
            control(DIE_WITH_PARENT, _signal.SIGKILL)  # after that: it is forgotten where the user changes
        # In a namespace our number means nothing, and 1 tells a kernel not to look for its parent.
        os.environ["JPY_PARENT_PID"] = "1" if policy.get("cage") == "namespaces" else str(launcher)
        _signal.pthread_sigmask(_signal.SIG_SETMASK, ())
        os.execvpe(command[0], command, os.environ)
    except BaseException as e:
        os.write(2, f"{command[0]}: {e}\n".encode())
    os._exit(NOT_STARTED)


def run(arguments: list[str]) -> NoReturn:
    """Start, then watch. Ends this process as the kernel ended."""
    at = arguments.index("--")
    policy = policy_of(arguments[:at])
    _signal.pthread_sigmask(_signal.SIG_BLOCK, WATCHED)
    for number in WATCHED:  # what is ignored, as interrupts are behind a shell's `&`, is not waited for either
        _signal.signal(number, _signal.SIG_DFL)
    if os.getppid() != policy["parent"]:
        os._exit(CALLER_GONE)
    kernel = start(policy, arguments[at + 1 :])
    find_package()
    from jupyter_selfcode.plugins.sandboxes.watchdog import end_as, watch

    end_as(watch(policy, kernel))


if __name__ == "__main__":
    run(sys.argv[1:])
