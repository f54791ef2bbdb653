"""What many trials in a row leave behind: processes, folders, descriptors, sockets, mounts, memory of the parent.

    python tests/benchmarks/bench_many_trials.py [TRIALS] [TIER…]

Each trial starts a child that would stay, writes into its copy, and ends in one of four ways in turn: well, by an error, by
a limit of time, by its own death. What there is after ten trials is compared with what there is after all of them.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import psutil

from jupyter_selfcode.plugins.sandboxes.contained import ContainedSandbox
from jupyter_selfcode.protocols import Limits
from jupyter_selfcode.values.notebook import Cell, Notebook

LONG = f"400.{os.getpid()}"
"""Seconds that no other process sleeps."""

START = f"import subprocess\nsubprocess.Popen(['setsid', 'sleep', '{LONG}'])\nopen('made.txt', 'w').write('x')\n1 + 1"
ENDS = ("6 * 7", "1 / 0", "while True: pass", "import os; os._exit(0)")
WARM = 10


def present(root: Path) -> Counter[str]:
    """What there is now, by kind."""
    own = psutil.Process()
    found = Counter[str]()
    for process in psutil.process_iter():
        try:
            said = process.cmdline()
            mine = LONG in said or any(str(root) in text for text in said) or own.pid in (p.pid for p in process.parents())
            found["processes"] += mine and process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            continue
    found["zombies"] = sum(c.status() == psutil.STATUS_ZOMBIE for c in own.children())
    found["folders of trials"] = sum(p.name.isdigit() and p.is_dir() for p in root.glob("jupyter-selfcode-*/*"))
    found["other entries in the temporary folder"] = len(list(root.iterdir()))
    found["descriptors"] = own.num_fds()
    pool = sum(thread.name.startswith("asyncio_") for thread in threading.enumerate())
    found["threads of asyncio's pool, which grows to its size"] = pool
    found["other threads"] = own.num_threads() - pool
    found["mounts"] = len(Path("/proc/self/mounts").read_text("utf-8").splitlines())
    found["abstract and other Unix sockets of the root"] = sum(
        str(root) in line for line in Path("/proc/net/unix").read_text("utf-8").splitlines()
    )
    found["parent MiB"] = own.memory_info().rss // 2**20
    return found


async def trial(sandbox: ContainedSandbox, folder: Path, number: int) -> str:
    """One trial; how its last cell ended."""
    limits = Limits(cell_seconds=0.3 if number % len(ENDS) == 2 else 30)
    async with sandbox.open(Notebook(), folder, limits) as kernel:
        await kernel.execute(Cell("a", "code", START))
        return (await kernel.execute(Cell("b", "code", ENDS[number % len(ENDS)]))).status


async def many(tier: str, trials: int, root: Path) -> None:
    """Run them and print what is left."""
    sandbox = ContainedSandbox(tier)
    folder = root / "notebooks"
    folder.mkdir(exist_ok=True)
    (folder / "data.csv").write_text("a\n1\n", "utf-8")
    ended, begun, before = Counter[str](), time.monotonic(), Counter[str]()
    for number in range(trials):
        if number == WARM:
            before = present(root)
        ended[await trial(sandbox, folder, number)] += 1
    after = present(root)
    print(f"tier {tier}: {trials} trials in {time.monotonic() - begun:.0f} s, ended {dict(ended)}")
    for kind in after:
        print(f"  {kind:50} {before[kind]:6} after {WARM} {after[kind]:6} after {trials}")


def main(trials: int, tiers: list[str]) -> None:
    """In a temporary folder of its own, so that nothing of others is counted."""
    with tempfile.TemporaryDirectory(prefix="sc-") as root:
        Path(root).chmod(0o711)
        tempfile.tempdir = root
        for tier in tiers:
            asyncio.run(many(tier, trials, Path(root)))
        tempfile.tempdir = None


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000, sys.argv[2:] or ["A", "B"])
