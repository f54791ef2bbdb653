"""What a kernel that waited saves: from the start of a trial to the reply to its first cell, and through the imports.

    python tests/benchmarks/bench_pool.py [ROUNDS] [FILES]

Each round opens one kernel of every kind, in turn: `plain` is Jupyter's own provisioner with the user's environment in the
notebook's folder, `new` a trial's kernel in its cage, `waited` one that was started before. The waiting one is ready before
its turn comes, and what it costs to start the next falls outside of the measured time. FILES is how many files of 10 kB the
folder holds. Idle cost: memory of the processes of one kernel that waits (shared pages divided), and its processor time.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

import psutil

from jupyter_selfcode.plugins.sandboxes import tiers
from jupyter_selfcode.plugins.sandboxes.contained import ContainedSandbox
from jupyter_selfcode.plugins.sandboxes.live import open_live
from jupyter_selfcode.plugins.sandboxes.pool import pool
from jupyter_selfcode.protocols import Limits
from jupyter_selfcode.values.notebook import Cell, Notebook

FIRST = Cell("first", "code", "6 * 7")
IMPORTS = Cell("imports", "code", "import numpy as np\nimport pandas as pd\nimport matplotlib.pyplot as plt")
NOTEBOOK = Notebook((IMPORTS,))


async def opened(kind: str, folder: Path) -> tuple[float, float]:
    """Seconds from the start to the reply to the first cell, and until the imports are done too."""
    if kind.startswith("waited"):
        (there,) = pool()._waiting
        warm = await asyncio.shield(there._ready)
        assert warm is not None
        assert warm.imports
    began = time.perf_counter()
    sandbox = ContainedSandbox(kind[-1], warm=kind.startswith("waited"))
    opening = open_live(NOTEBOOK, folder) if kind == "plain" else sandbox.open(NOTEBOOK, folder, Limits())
    async with opening as kernel:
        assert (await kernel.execute(FIRST)).status == "ok"
        first = time.perf_counter() - began
        assert (await kernel.execute(IMPORTS)).status == "ok"
        whole = time.perf_counter() - began
        if kind.startswith("waited"):
            assert kernel is warm.kernel
            await asyncio.shield(pool()._waiting[0]._ready)
        return first, whole


async def idle(seconds: float) -> str:
    """What a kernel that waits costs."""
    found = psutil.Process().children(recursive=True)
    before = sum(sum(p.cpu_times()[:2]) for p in found)
    await asyncio.sleep(seconds)
    spent = sum(sum(p.cpu_times()[:2]) for p in found) - before
    held = sum(p.memory_full_info().pss for p in found)
    return f"{len(found)} processes, {held / 2**20:.0f} MiB, {100 * spent / seconds:.1f} % of a core"


async def main(rounds: int, files: int) -> None:
    """Print the table."""
    given = [t for t, reason in tiers.probe().reasons.items() if not reason]
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "nb"
        folder.mkdir()
        for n in range(files):
            (folder / f"data{n}.csv").write_text("a,b\n" * 2500, "utf-8")
        for tier in given:
            kinds = ["plain", f"new {tier}", f"waited {tier}"]
            took: dict[str, list[tuple[float, float]]] = {k: [] for k in kinds}
            async with ContainedSandbox(tier, warm=1).open(NOTEBOOK, folder, Limits()):
                await asyncio.shield(pool()._waiting[0]._ready)
            for n in range(rounds + 1):
                for kind in kinds:
                    measured = await opened(kind, folder)
                    if n:
                        took[kind].append(measured)
            print(f"tier {tier}, {files} files, {rounds} rounds; ms: median (min–max), ratio to plain: median of pairs")
            for at, what in enumerate(("first reply", "imports done")):
                for kind in kinds:
                    found = [1000 * row[at] for row in took[kind]]
                    ratio = statistics.median(a[at] / b[at] for a, b in zip(took[kind], took["plain"], strict=True))
                    print(f"  {what:12} {kind:9} {statistics.median(found):5.0f} ({min(found):.0f}–{max(found):.0f})  {ratio:.3f}")
            print(f"  one that waits: {await idle(5)}")
            for each in list(pool()._waiting):
                await each.end()


if __name__ == "__main__":
    asyncio.run(main(*(int(a) for a in (*sys.argv[1:], *("9", "20")[len(sys.argv) - 1 :]))))
