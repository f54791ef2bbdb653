"""What the witness in a trial kernel costs: the start of a kernel, and a cell that opens 10,000 files, with it and without.

    python -m tests.benchmarks.bench_effects [ROUNDS]

Each round starts one kernel of either kind, in turns; medians and their ratio are printed.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path
from unittest.mock import patch

from jupyter_selfcode.plugins.sandboxes import contained, observed
from jupyter_selfcode.protocols import Limits
from jupyter_selfcode.values.notebook import Cell, Notebook

OPENS = (
    "import time\nstart = time.perf_counter()\n"
    "for i in range(10_000):\n    with open(f'files/{i % 1000}.txt') as f:\n        pass\n"
    "print(time.perf_counter() - start)"
)
IMPORTS = "import time\nstart = time.perf_counter()\nimport pandas\nprint(time.perf_counter() - start)"


async def once(folder: Path) -> tuple[float, float, float]:
    """Seconds until the kernel has answered, of the opens, and of an import."""
    start = time.perf_counter()
    async with contained.ContainedSandbox().open(Notebook(), folder, Limits()) as kernel:
        await kernel.execute(Cell("a", "code", "1"))
        ready = time.perf_counter() - start
        results = [await kernel.execute(Cell("b", "code", source)) for source in (IMPORTS, OPENS)]
    imports, opens = (float(r.outputs[0]["text"]) for r in results)
    return ready, opens, imports


async def main(rounds: int) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as made:
        files = Path(made) / "files"
        files.mkdir()
        for i in range(1000):
            (files / f"{i}.txt").write_text("x")
        taken: dict[str, list[tuple[float, float, float]]] = {"without": [], "with": []}
        await once(Path(made))
        for _ in range(rounds):
            taken["with"].append(await once(Path(made)))
            with patch.object(observed, "write_witness", lambda *_: None):
                taken["without"].append(await once(Path(made)))
    for i, what in enumerate(("kernel ready", "10,000 opens", "import pandas")):
        a, b = (statistics.median(row[i] for row in taken[kind]) for kind in ("without", "with"))
        print(f"{what:14} without {a * 1000:7.1f} ms   with {b * 1000:7.1f} ms   ratio {b / a:.3f}")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 7))
