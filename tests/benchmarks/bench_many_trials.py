"""Many trials in a row, and what they leave behind: processes, folders, sockets, mounts, open files.

    python tests/benchmarks/bench_many_trials.py [COUNT] [TIER]

Every fifth trial ends badly in turn: it raises, is stopped at its time limit, is cancelled, kills its kernel, or leaves
children that ignore signals. What is counted is counted before the first and after the last.
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import sys
import tempfile
import time
from pathlib import Path

import psutil

from jupyter_selfcode.plugins.sandboxes import tiers
from jupyter_selfcode.plugins.sandboxes.contained import ContainedSandbox
from jupyter_selfcode.plugins.sandboxes.scratch import temp_root
from jupyter_selfcode.protocols import Limits
from jupyter_selfcode.values.notebook import Cell, Notebook

BAD = (
    "1 / 0",
    "while True: pass",
    "import time; time.sleep(60)",
    "import os; os._exit(3)",
    "import subprocess\nsubprocess.Popen(['setsid', 'sh', '-c', 'trap \"\" TERM INT HUP; sleep 299'])",
)


def left() -> dict[str, int]:
    """What there is of each kind now, of ours."""
    own = psutil.Process()
    root = str(temp_root())
    kernels = 0
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            said = " ".join(process.cmdline())
            kernels += process.pid != own.pid and (root in said or "sleep 299" in said)
    return {
        "processes": kernels + len(own.children(recursive=True)),
        "folders": sum(p.name.isdigit() for p in temp_root().iterdir()),
        "other temporary folders": sum(p.name.startswith("selfcode-") for p in Path(tempfile.gettempdir()).iterdir()),
        "mounts": len(Path("/proc/self/mounts").read_text("utf-8").splitlines()),
        "open files": own.num_fds(),
        "threads": own.num_threads(),
    }


async def one(sandbox: ContainedSandbox, folder: Path, source: str) -> None:
    """One trial; what it gives does not matter."""
    limits = Limits(cell_seconds=0.3 if "while" in source else 30)
    async with sandbox.open(Notebook(), folder, limits) as kernel:
        running = asyncio.ensure_future(kernel.execute(Cell("c", "code", source)))
        if "sleep(60)" in source:
            await asyncio.sleep(0.1)
            raise asyncio.CancelledError
        await running


async def main(count: int, tier: str) -> None:
    """Print what was left, and how long trials took at the beginning and at the end."""
    sandbox, took = ContainedSandbox(tier), list[float]()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "nb"
        folder.mkdir()
        (folder / "data.csv").write_text("a\n1\n", "utf-8")
        await one(sandbox, folder, "1")
        before = left()
        for n in range(count):
            began = time.perf_counter()
            task = asyncio.ensure_future(one(sandbox, folder, BAD[n // 5 % len(BAD)] if n % 5 == 4 else "import json; 6 * 7"))
            with contextlib.suppress(asyncio.CancelledError):
                await task
            if n % 5 != 4:
                took.append(time.perf_counter() - began)
        await asyncio.sleep(1)
        after = left()
    print(f"{count} trials in {sandbox.name}, every fifth ending badly")
    for kind, was in before.items():
        print(f"  {kind:24} before {was:4}  after {after[kind]:4}")
    first, last = took[: len(took) // 5], took[-len(took) // 5 :]
    print(f"  a good trial: {statistics.median(first):.2f} s in the first fifth, {statistics.median(last):.2f} s in the last")


if __name__ == "__main__":
    wanted = sys.argv[2] if len(sys.argv) > 2 else tiers.choose()
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000, wanted))
