"""What the cage costs: the start of a contained kernel against a plain one, and the tightening of a forked child.

    python tests/benchmarks/bench_cage.py [ROUNDS]

Each round starts one kernel of every kind, in turn, through the same driver, from the start to the reply to its first
cell; so what else the machine does meanwhile falls on all of them. `plain` is Jupyter's own provisioner with the user's
environment in the notebook's folder. Of a trial's own work, only the cage is meant: the folder holds one small file.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from jupyter_selfcode.plugins.sandboxes import cage, tiers
from jupyter_selfcode.plugins.sandboxes.contained import ContainedSandbox
from jupyter_selfcode.plugins.sandboxes.live import LiveCage, open_live
from jupyter_selfcode.plugins.sandboxes.plan import Cage
from jupyter_selfcode.protocols import Limits
from jupyter_selfcode.values.notebook import Cell, Notebook

CELL = Cell("c", "code", "6 * 7")


async def start(kind: str, folder: Path) -> float:
    """Seconds until the first cell of a new kernel of this kind has run."""
    began = time.perf_counter()
    if kind == "plain":
        opened = open_live(Notebook(), folder)
    elif kind.startswith("live "):
        opened = open_live(Notebook(), folder, cage=LiveCage(kind[-1]))
    else:
        opened = ContainedSandbox(kind[-1]).open(Notebook(), folder, Limits())
    async with opened as kernel:
        result = await kernel.execute(CELL)
        assert result.status == "ok"
        return time.perf_counter() - began


def tighten(tier: str, count: int = 200) -> list[float]:
    """Milliseconds that a forked child takes to close its cage, once its policy is read."""
    with tempfile.TemporaryDirectory() as made:
        places = [Path(made) / n for n in ("k", "work", "private", "home")]
        for place in places:
            place.mkdir()
        plan = Cage(tier, places[0], places[1], places[1], *places[2:], limits={"NOFILE": 4096, "CORE": 0})  # type: ignore[arg-type]
        policy = json.loads(json.dumps(plan.policy()))
        os.environ[cage.AS_ROOT] = "1"  # what is measured does not depend on who runs it
        found = []
        for _ in range(count):
            read, write = os.pipe()
            child = os.fork()
            if not child:
                began = time.perf_counter()
                cage.tighten(policy)
                os.write(write, repr(time.perf_counter() - began).encode())
                os._exit(0)
            os.waitpid(child, 0)
            found.append(1000 * float(os.read(read, 64)))
            os.close(read)
            os.close(write)
        return found


async def main(rounds: int) -> None:
    """Print both tables."""
    given = [t for t, reason in tiers.probe().reasons.items() if not reason]
    kinds = ["plain", *(f"live {t}" for t in given), *(f"trial {t}" for t in (*given, "C"))]
    took: dict[str, list[float]] = {k: [] for k in kinds}
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "nb"
        folder.mkdir()
        (folder / "data.csv").write_text("a,b\n1,2\n", "utf-8")
        for n in range(rounds + 1):
            for kind in kinds:
                seconds = await start(kind, folder)
                if n:  # the first round warms caches
                    took[kind].append(seconds)
    plain = took["plain"]
    print(f"start to first reply, {rounds} rounds, ms: median (min–max), ratio to plain: median of pairs")
    for kind, found in took.items():
        ratio = statistics.median(a / b for a, b in zip(found, plain, strict=True))
        middle = statistics.median(found)
        print(f"  {kind:9} {1000 * middle:5.0f} ({1000 * min(found):.0f}–{1000 * max(found):.0f})  {ratio:.3f}")
    for tier in given:
        found = tighten(tier)
        print(f"tightening a forked child, tier {tier}: {statistics.median(found):.2f} ms (p95 {sorted(found)[-len(found) // 20]:.2f})")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20))
