"""Tightens the process that it runs in for good, then becomes the kernel. Runs as a program of its own:

    python cage.py POLICY.json -m MODULE ARGUMENT…       the module runs in this very process: no second start is paid
                                                         (it may have been laid out beside this file)
    python cage.py POLICY.json -- COMMAND…               any other kernel: it is executed, and stays as tight

Resource limits, then Landlock, then seccomp, in this order (each forbids what the next would undo), while there is one
thread, for both bind the calling thread and what it starts. Only the standard library is imported, since the kernel's
Python may be another one. If anything cannot be had it ends with NOT_CAGED: a kernel never runs outside of its cage.

`tighten` costs about a millisecond, so a forked child can call it too.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import struct
import sys
from typing import Any

NOT_CAGED = 205
"""Exit code: the cage could not be closed, so nothing was run."""

AS_ROOT, WORKING_FOLDER = "JUPYTER_SELFCODE_AS_ROOT", "JUPYTER_SELFCODE_FOLDER"
"""Variables that the caller sets: 1 where a person has allowed root; where the kernel is to work."""

KERNELS = ("ipykernel_launcher", "selfcode_forkable")
"""Modules that are ipykernel: as it comes, and without threads."""

LANDLOCK_CREATE, LANDLOCK_ADD, LANDLOCK_RESTRICT, PATH_BENEATH = 444, 445, 446, 1
DIE_WITH_PARENT, NO_NEW_PRIVS, SET_SECCOMP, FILTER = 1, 38, 22, 2
ON_FILES = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 14 | 1 << 15
"""Rights that can be given for a path that is no folder: execute, write, read, truncate, ioctl."""


class NotCaged(Exception):
    """Why the cage could not be closed."""


def _called(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise NotCaged(f"{what}: {os.strerror(number)} (errno {number})")
    return result


def _limits(limits: dict[str, int]) -> None:
    import resource

    for name, value in limits.items():
        kind = getattr(resource, f"RLIMIT_{name}")
        hard = resource.getrlimit(kind)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))


def _landlock(libc: ctypes.CDLL, rules: dict[str, Any]) -> None:
    attributes = struct.pack("=QQQ", rules["files"], rules["network"], rules["scope"])
    # an older kernel takes a shorter structure
    size = 24 if rules["scope"] else 16 if rules["network"] else 8
    made = libc.syscall(LANDLOCK_CREATE, attributes, ctypes.c_size_t(size), ctypes.c_uint32(0))
    ruleset = _called(made, "landlock_create_ruleset")
    for path, rights in rules["allowed"]:
        try:
            fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue  # what is not there needs no rule
        if not os.path.isdir(path):  # noqa: PTH112 (a start is timed)
            rights &= ON_FILES
        beneath = struct.pack("=Qi", rights, fd)
        added = libc.syscall(LANDLOCK_ADD, ruleset, PATH_BENEATH, beneath, ctypes.c_uint32(0))
        _called(added, f"landlock_add_rule {path}")
        os.close(fd)
    _called(libc.syscall(LANDLOCK_RESTRICT, ruleset, ctypes.c_uint32(0)), "landlock_restrict_self")
    os.close(ruleset)


def _seccomp(libc: ctypes.CDLL, program: bytes) -> None:
    code = ctypes.create_string_buffer(program, len(program))
    whole = struct.pack("@HP", len(program) // 8, ctypes.addressof(code))
    _called(libc.prctl(SET_SECCOMP, FILTER, ctypes.c_char_p(whole), 0, 0), "seccomp")


def tighten(policy: dict[str, Any]) -> None:
    """Close the cage around this process. Raises `NotCaged`, and then nothing of a candidate may be run in it.

    `policy`: `limits` (RLIMIT names and values), `landlock` (`landlock.Rules` as a mapping), `seccomp` (hexadecimal).
    """
    threads = len(os.listdir("/proc/self/task"))  # noqa: PTH208
    if threads != 1:
        raise NotCaged(f"{threads} threads run already, and would stay outside")
    libc = ctypes.CDLL(None, use_errno=True)
    _limits(policy["limits"])
    _called(libc.prctl(NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    _landlock(libc, policy["landlock"])
    _seccomp(libc, bytes.fromhex(policy["seccomp"]))
    check()


def check() -> None:
    """Look from inside whether the cage is closed: what was asked for is not trusted."""
    with open("/proc/self/status") as f:  # noqa: PTH123
        status = dict(line.split(":", 1) for line in f if ":" in line)
    root = os.environ.get(AS_ROOT) == "1"
    wanted = {"NoNewPrivs": "1", "Seccomp": "2"} if root else {"NoNewPrivs": "1", "Seccomp": "2", "CapEff": "0"}
    for name, value in wanted.items():
        found = status.get(name, "").strip().lstrip("0") or "0"
        if found != value:
            raise NotCaged(f"{name} is {found}, not {value}")
    if os.geteuid() == 0 and not root:
        raise NotCaged("it would run as root")


def die_with(launcher: int) -> None:
    """End where the launcher ends, however that ends. In a namespace, where it cannot be seen (1), bubblewrap sees to that."""
    if launcher != 1:
        ctypes.CDLL(None, use_errno=True).prctl(DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != launcher:
            raise NotCaged("the launcher has ended")


def ahead(module: str, *, debugger: bool) -> None:
    """Import what ipykernel is about to import, as a kernel in a cage needs it.

    Without debugpy, which is spoken to by TCP: where nothing can connect, a kernel that has it offers a debugger that never
    answers, and starts a sixth later. And without looking for garbage, then or later, among what was imported: there is
    none, for modules stay.
    """
    if module not in KERNELS:
        return
    import gc
    from importlib import import_module

    without = set() if debugger else {"debugpy"} - set(sys.modules)
    gc.disable()
    try:
        sys.modules.update(dict.fromkeys(without))  # type: ignore[arg-type]  # None: not to be had, says `import`
        import_module("ipykernel.debugger")
        import_module("ipykernel.kernelapp")
    except ImportError:
        pass  # the kernel will meet it again, and say what is missing
    finally:
        for name in without:  # for a cell, it is there
            del sys.modules[name]
        gc.freeze()
        gc.enable()


def main(arguments: list[str]) -> None:
    """Close the cage, then run what is asked for. Does not return."""
    import json

    with open(arguments[0]) as f:  # noqa: PTH123
        policy = json.load(f)
    keep, command = set(policy.get("keep", ())), arguments[1:]
    try:
        top = max(map(int, os.listdir("/proc/self/fd")))  # noqa: PTH208
        for fd in set(range(3, top + 1)) - keep:
            with contextlib.suppress(OSError):
                os.close(fd)
        os.chdir(os.environ.pop(WORKING_FOLDER, "."))
        die_with(int(os.environ.get("JPY_PARENT_PID") or 1))
        tighten(policy)
    except (NotCaged, OSError, ValueError) as e:
        os.write(2, f"the cage could not be closed: {e}\n".encode())
        os._exit(NOT_CAGED)
    if command[0] == "--":
        try:
            os.execvp(command[1], command[1:])
        except OSError as e:
            os.write(2, f"{command[1]}: {e}\n".encode())
            os._exit(NOT_CAGED)
    if not sys.flags.safe_path:
        del sys.path[0]  # the folder of this file
    ahead(command[1], debugger=policy["debugger"])
    import runpy

    if not sys.flags.safe_path:
        sys.path.insert(0, os.getcwd())  # noqa: PTH109 (a start is timed); as `python -m` has it
    sys.argv = command[1:]
    beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), command[1] + ".py")  # noqa: PTH100, PTH118, PTH120
    if os.path.exists(beside):  # noqa: PTH110
        runpy.run_path(beside, run_name="__main__")
        return
    runpy.run_module(command[1], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
