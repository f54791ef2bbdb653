"""A process that deploys changes in children of its own, which can be killed at a named step, at the n-th call of a
function written in C, or from outside at any moment. One line in, one line out:

    go FOLDER NUMBER steps|calls|none [AT]   → the child's process id
    wait                                     → the child's exit status, and (steps, calls) how many it passed

It is a process of its own so that it can fork: it has one thread and has imported all it needs.
"""

from __future__ import annotations

import builtins
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jupyter_selfcode.plugins.deployers.file import FileDeployer
from jupyter_selfcode.plugins.stores.sql import SqlStore, beside
from jupyter_selfcode.values.patch import ReplaceSource
from jupyter_selfcode.values.version import undo_target
from tests.changes import accept, engine_with
from tests.histories import NB

FAULTS: list[tuple[Any, str]] = [
    (SqlStore, "begin"),
    (SqlStore, "finish"),
    (FileDeployer, "prepare"),
    (tempfile, "mkstemp"),
    (os, "fsync"),
    (os, "replace"),
    (os, "open"),
    (os, "fchmod"),
]
"""The process dies before and after each call of these."""


def change(folder: Path, number: int) -> None:
    """Version k becomes k+1: a new source, or (every third time) the state before."""
    store, surface = SqlStore(beside(folder)), FileDeployer(folder / NB)
    engine = engine_with(store)
    lineage = store.lineage(NB)
    wanted = undo_target(lineage) if number % 3 == 2 else None
    if wanted is None:
        accept(engine, surface, ReplaceSource("use", f"x + {number}"))
    else:
        engine.restore(next(r.version for r in lineage if r.version.id == wanted), "undo", [surface], NB, "person")
    store.close()


def counting(at: int) -> tuple[Callable[[], int], Callable[[], None]]:
    """How many steps were passed, and a step; the process dies at the one with this number."""
    passed = 0

    def step() -> None:
        nonlocal passed
        passed += 1
        if passed == at:
            os.kill(os.getpid(), signal.SIGKILL)

    return lambda: passed, step


def at_steps(step: Callable[[], None]) -> None:
    """Make every call of `FAULTS` two steps."""

    def around(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            step()
            result = function(*args, **kwargs)
            step()
            return result

        return call

    for owner, name in FAULTS:
        setattr(owner, name, around(getattr(owner, name)))


def at_calls(step: Callable[[], None]) -> None:
    """Make every call of a function written in C a step."""

    def profile(_frame: object, event: str, _function: object) -> None:
        if event == "c_call":
            step()

    sys.setprofile(profile)


def child(folder: Path, number: int, mode: str, at: int, report: int) -> None:
    passed, step = counting(at)
    if mode == "steps":
        at_steps(step)
    if mode == "calls":
        at_calls(step)
    change(folder, number)
    sys.setprofile(None)
    os.write(report, str(passed()).encode())


def main() -> None:
    pid = report = 0
    with tempfile.TemporaryDirectory() as scratch:  # what is done once in a process is done before the first fork
        shutil.copy(sys.argv[1], Path(scratch) / NB)
        for number in (1, 2):
            change(Path(scratch), number)
    builtins.print("ready", flush=True)
    for line in sys.stdin:
        match line.rstrip("\n").split("\t"):
            case ["go", folder, number, mode, at]:
                report, write = os.pipe()
                pid = os.fork()
                if pid == 0:
                    status = 1
                    try:
                        child(Path(folder), int(number), mode, int(at), write)
                        status = 0
                    finally:
                        os._exit(status)
                os.close(write)
                builtins.print(pid, flush=True)
            case ["wait"]:
                status = os.waitpid(pid, 0)[1]
                passed = os.read(report, 32).decode() or "0"
                os.close(report)
                builtins.print(os.waitstatus_to_exitcode(status), passed, flush=True)


if __name__ == "__main__":
    main()
