"""Opens a kernel and runs cells in it, as it is told line by line. A program of its own: it may run as another user, be
killed, and be measured, as the parent that an attack may be aimed at.

    python driver.py plain|A|B|C

An order is a line of JSON: `cells` (sources), `folder`, `facts` (the attacker's variable W), `limits`, `fresh` (in a new
kernel), `fill` (the temporary disk first), or `close` (end the kernel). Its answer is one too. Where no kernel can be opened the answer has `refused`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil

from jupyter_selfcode.plugins.sandboxes.contained import ContainedSandbox
from jupyter_selfcode.plugins.sandboxes.live import open_live
from jupyter_selfcode.protocols import Kernel, Limits
from jupyter_selfcode.values.errors import SelfcodeError
from jupyter_selfcode.values.notebook import Cell, Notebook
from jupyter_selfcode.values.trial import CellResult

LARGEST = 2_000_000
"""Characters of the texts that go into an answer."""

TOLD = """
import ctypes, os, struct, socket, subprocess, sys, time
W = {facts!r}
libc = ctypes.CDLL(None, use_errno=True)
def got(*what):
    print('GOT' + ' THROUGH', *what)
def syscall(number, *args):
    return libc.syscall(ctypes.c_long(number), *args)
def in_child(work):
    # a fork of a process with threads must not print: locks of the threads that it lost may be held
    global got
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        got = lambda *what: os.write(w, repr(what).encode())
        try:
            work()
        except BaseException as e:
            os.write(1, repr(e).encode())
        os._exit(0)
    os.close(w)
    said = os.read(r, 65536)
    os.close(r)
    if said:
        got(said)
    return os.waitpid(pid, 0)
"""
"""What every attacker has at hand. `got` says that something was reached which no listener or file can tell."""


class Driver:
    """One kernel at a time."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._stack = contextlib.AsyncExitStack()
        self._kernel: Kernel | None = None
        self._count = 0

    async def answer(self, order: dict[str, Any]) -> dict[str, Any]:
        """Do what an order says."""
        if order.get("fresh") or order.get("close"):
            await self.close()
        if order.get("close"):
            return {"trials": [str(p) for p in _temp().glob("jupyter-selfcode-*/*") if p.name.isdigit()]}
        if order.get("fill"):
            with contextlib.suppress(OSError), (_temp() / "fill").open("wb") as f:
                while True:
                    f.write(bytes(2**16))
        limits = Limits(**order.get("limits", {}))
        folder = Path(order["folder"])
        begun = time.monotonic()
        try:
            if self._kernel is None or self._kernel.state != "complete":
                await self.close()
                opened = open_live(Notebook(), folder, limits) if self.kind == "plain" else self._open(folder, limits)
                self._kernel = await self._stack.enter_async_context(opened)
            told = await self._run(TOLD.format(facts=order["facts"]) + "6 * 7")
        except SelfcodeError as e:
            return {"refused": str(e)}
        with Growth() as growth:
            results = [await self._run(source) for source in order["cells"]]
        return {
            "alive": "42" in _text(told), "text": "\n".join(map(_text, results))[:LARGEST],
            "printed": "\n".join(map(_printed, results))[:LARGEST], "statuses": [r.status for r in results],
            "enames": [r.failure.ename if r.failure else "" for r in results], "state": self._kernel.state,
            "detail": self._kernel.detail, "grown": growth.bytes, "seconds": time.monotonic() - begun,
        }  # fmt: skip

    def _open(self, folder: Path, limits: Limits) -> contextlib.AbstractAsyncContextManager[Kernel]:
        return ContainedSandbox(self.kind).open(Notebook(), folder, limits)

    async def _run(self, source: str) -> CellResult:
        assert self._kernel
        self._count += 1
        return await self._kernel.execute(Cell(f"c{self._count}", "code", source))

    async def close(self) -> None:
        """End the kernel."""
        self._kernel = None
        await self._stack.aclose()


def _temp() -> Path:
    return Path(os.environ["TMPDIR"])


class Growth:
    """How many bytes this process grows meanwhile, at its peak."""

    def __enter__(self) -> Growth:
        self._own = psutil.Process()
        self._begin = self._peak = self._own.memory_info().rss
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self

    def _look(self) -> None:
        while not self._end.wait(0.02):
            self._peak = max(self._peak, self._own.memory_info().rss)

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        self.bytes = self._peak - self._begin


def _printed(result: CellResult) -> str:
    """What was printed or returned; not tracebacks, which show the source."""
    data = [str(o.get("text") or (o.get("data") or {}).get("text/plain", "")) for o in result.outputs]
    return "\n".join(data)


def _text(result: CellResult) -> str:
    """All that came out."""
    text = json.dumps(result.outputs, ensure_ascii=False, default=str)
    return re.sub(r"\x1b\[[0-9;]*m", "", text + (result.failure.traceback if result.failure else ""))


async def main(kind: str) -> None:
    """Answer orders until there are none."""
    driver = Driver(kind)
    try:
        while line := await asyncio.to_thread(sys.stdin.readline):
            print(json.dumps(await driver.answer(json.loads(line))), flush=True)
    finally:
        await driver.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
