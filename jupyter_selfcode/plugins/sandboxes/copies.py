"""Copies of the process that this runs in, made between two cells when nothing is known against it (`hazards`).

Runs in the cage, by the kernel's own Python. A copy shares nothing with its parent but memory, which is copied when it is
written; one for a candidate is tightened before anything else runs in it.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import random
import selectors
import signal
import socket
import sys
import tempfile
import threading
import time
import weakref
from pathlib import Path
from types import ModuleType
from typing import Any

CONTROL = 2
OBSERVED = "observed.py"
"""What is run to be observed, in a copy of a run, which nobody observes."""

SUBREAPER, PARENT_DEATH = 36, 1
"""PR_SET_CHILD_SUBREAPER and PR_SET_PDEATHSIG of <linux/prctl.h>."""
WRITING = 1 << 1 | 0x7 << 4 | 0x7F << 7 | 1 << 14
"""All rights of Landlock that change something: write, remove, make, refer, truncate."""

SHARED = "/dev/shm"
"""Locks of `multiprocessing` are made there, so a copy may; what it leaves is seen, and then no further copy is made."""

LIBC = ctypes.CDLL(None, use_errno=True)


def listen(path: str) -> socket.socket:
    """A socket in the file system, for one connection."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(path)
    listening.listen(2)
    return listening


class Forks:
    """The copies that this process has made of itself."""

    def __init__(self, app: Any, loop: asyncio.AbstractEventLoop, hazards: ModuleType, cage: ModuleType) -> None:
        self.app, self.loop, self.hazards, self.cage = app, loop, hazards, cage
        self.alive: set[int] = set()
        self.policy: dict[str, Any] = json.loads(Path(__file__).with_name("policy.json").read_text())
        self.places = [p for p, rights in self.policy["landlock"]["allowed"] if rights & 1 << 1 and (p == SHARED or not p.startswith("/dev/"))]
        self.places = [p for p in self.places if p != str(self._scratch())]
        LIBC.prctl(SUBREAPER, 1, 0, 0, 0)
        self.note()

    def _scratch(self) -> Path:
        return Path(os.environ["IPYTHONDIR"]).parent

    def note(self) -> None:
        """The files that may change are now as this state knows them. Those of a run are as it goes on with them."""
        self.files = {} if self.app.run else self.hazards.files(self.places)

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Do what the caller asks."""
        what, pid = asked["do"], asked.get("pid", 0)
        if what == "fork":
            return self._fork(asked["name"], asked["leaf"], asked.get("memory"))
        if what == "adopt":
            self.alive.add(pid)
            return {}
        if what == "interrupt":
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT)
            return {}
        if what == "wait":
            return {"code": self._ends(pid)}
        if what == "kill":
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            code = self._ended(pid)
            self._strays()
            return {"code": code}
        return {}

    def _ends(self, pid: int) -> int:
        """The exit code of one that is about to end; it is waited for a while, then ended."""
        for _ in range(300):
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                self.alive.discard(pid)
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.01)
        os.kill(pid, signal.SIGKILL)
        return self._ended(pid)

    def _ended(self, pid: int) -> int:
        self.alive.discard(pid)
        try:
            return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        except ChildProcessError:
            return 0

    def _strays(self) -> None:
        """End what a copy has left: it came to us when that ended."""
        for _ in range(200):
            text = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
            left = [p for p in map(int, text.split()) if p not in self.alive and p not in self.hazards.KNOWN]
            if not left:
                return
            for pid in left:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, 0)

    def _fork(self, name: str, leaf: bool, memory: int | None) -> dict[str, Any]:
        line, ours = self.app.line, {0, 1, 2, self.app.line.socket.fileno(), self.app.witness}
        reason = ""
        if self.files is None:
            reason = "there are too many files to know which of them have changed"
        elif not self.app.run and self.files != self.hazards.files(self.places):
            reason = "cells below have changed files that it reads"
        if reason := reason or self.hazards.found(self.loop, ours):
            return {"hazard": reason}
        self.note()  # what was put to rest may have left, or taken away, files of its own
        LIBC.fflush(None)
        scratch = self._scratch() / "forks" / name
        scratch.mkdir(parents=True)
        listening = listen(f"{self.app.ip}-{name}")
        sys.stdout.flush()
        sys.stderr.flush()
        drawn = random.getstate()
        try:
            pid = os.fork()
        except OSError as e:  # no memory, or too many processes
            listening.close()
            return {"hazard": f"no copy could be made ({e.strerror})"}
        if pid:
            listening.close()
            self.alive.add(pid)
            return {"pid": pid}
        random.setstate(drawn)  # Python seeds it anew in a child; copies of one state are to be compared
        try:
            self._become(listening, line, scratch, leaf, memory)
        except BaseException as e:
            line.send(CONTROL, [json.dumps({"hazard": f"a copy could not be made: {e}"}).encode()])
            os._exit(205)
        return {"ready": True}

    def _become(self, listening: socket.socket, line: Any, scratch: Path, leaf: bool, memory: int | None) -> None:
        """In the child, before anything else runs: nothing is shared with the parent but memory, copied when written."""
        LIBC.prctl(SUBREAPER, 1, 0, 0, 0)
        if leaf or self.app.run:
            LIBC.prctl(PARENT_DEATH, signal.SIGKILL, 0, 0, 0)
        if leaf:
            with contextlib.suppress(OSError):
                os.setpgid(0, 0)
        self.alive = set()
        self.hazards.KNOWN.clear()
        line.socket.close()
        own = listening.accept()[0]
        if self.app.witness >= 0 and leaf:
            told = listening.accept()[0]
            told.setblocking(False)
            os.dup2(told.fileno(), self.app.witness, inheritable=False)
            told.close()
        listening.close()
        line.socket, line.lock = own, threading.RLock()
        self._new_selector()
        self.app.session.pid = os.getpid()
        streams: Any = (sys.stdout, sys.stderr)
        for stream in streams:
            stream.renew()
        self.hazards.own_offsets()
        if leaf:
            for finalizer in list(weakref.finalize._registry):  # type: ignore[attr-defined]
                if getattr((finalizer.peek() or (None, None))[1], "__name__", "") == "_cleanup":
                    finalizer.detach()  # a folder of the parent's
            os.environ["TMPDIR"] = tempfile.tempdir = str(scratch)
            if self.app.run:
                _bound(memory)
                exec(Path(__file__).with_name(OBSERVED).read_text("utf-8"), {})
            self._tighten(scratch)

    def _new_selector(self) -> None:
        """The same loop, which waits for nothing that the parent waits for."""
        loop: Any = self.loop
        old, loop._selector = loop._selector, selectors.DefaultSelector()
        old.close()
        loop._ssock.close()
        loop._csock.close()
        loop._internal_fds -= 1
        loop._make_self_pipe()
        asyncio.set_event_loop(loop)

    def _tighten(self, scratch: Path) -> None:
        """A copy in which a candidate runs writes nowhere but in its own folder, and signals nobody else."""
        rules = self.policy["landlock"]
        allowed = [[p, r if p.startswith("/dev/") else r & ~WRITING] for p, r in rules["allowed"]]
        whole = next(r for p, r in rules["allowed"] if p == str(self._scratch()))
        allowed = [rule for rule in allowed if rule[1]]
        self.cage.tighten(self.policy | {"landlock": rules | {"allowed": [*allowed, [str(scratch), whole]]}})


def _bound(memory: int | None) -> None:
    """This process may take so many bytes more: whoever watches a run has no limit for it."""
    import resource

    if memory is not None:
        taken = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        most = taken + memory if hard == resource.RLIM_INFINITY else min(taken + memory, hard)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
