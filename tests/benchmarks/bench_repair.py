"""What it takes to repair a failure in the last of many cells of a headless run: how often cells are executed, and where.

    python -m tests.benchmarks.bench_repair [CELLS] [SECONDS]

A notebook of CELLS cells (30), each of which takes SECONDS (0.05), fails in the last by an API that NumPy has removed; the free
rules mend it. Executions are counted in the driver of every kernel: the run's own, and those of trials and of the judge. What a
run that started over would execute is CELLS more. Ways: fresh trials, trials in copies of a kernel that runs the cells above
again, and trials in copies of the run's own kernel (`SelfCode.forked`: never, always, auto; the last where the run is contained),
with policy propose (a person decides) and deploy.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import nbformat

from jupyter_selfcode.config import SelfCode
from jupyter_selfcode.headless import Job, run
from jupyter_selfcode.plugins.sandboxes.nbclient_kernel import NbclientKernel
from jupyter_selfcode.values.events import RunEnded
from jupyter_selfcode.values.notebook import Cell

FAILS = "import numpy as np\nprint(np.product([2, 3]))"
executed: Counter[str] = Counter()
plain = NbclientKernel.execute


async def counted(self: NbclientKernel, cell: Cell) -> object:
    """Count it, and execute it."""
    executed["trials" if self._trial else "run"] += 1
    return await plain(self, cell)


async def once(count: int, seconds: float, *, forked: str, policy: str) -> str:
    """One run, in words."""
    executed.clear()
    with tempfile.TemporaryDirectory() as made:
        file = Path(made) / "nb" / "case.ipynb"
        file.parent.mkdir()
        sources = [f"import time\ntime.sleep({seconds})\nx{n} = {n}" for n in range(count - 1)] + [FAILS]
        nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in sources]), file)
        began = time.perf_counter()
        async for event in run(Job(file), SelfCode(forked=forked, policy=policy)):
            if isinstance(event, RunEnded):
                ended = event.report
        took = time.perf_counter() - began
    kinds = ", ".join(f"{t.kind} {t.seconds:.1f} s" for t in ended.trials) or "no trial"
    return (
        f"{forked:7} {policy:8} {ended.status:9} run's own kernel {executed['run']:3}, trials and judge "
        f"{executed['trials']:3}; {took:.1f} s ({kinds})"
    )


async def main(count: int, seconds: float) -> None:
    """Print the table."""
    NbclientKernel.execute = counted  # type: ignore[method-assign, assignment]
    print(f"{count} cells of {seconds:g} s, the last one fails; executions of cells:")
    for policy in ("propose", "deploy"):
        for forked in ("never", "always") if policy == "propose" else ("never", "auto"):
            print("  " + await once(count, seconds, forked=forked, policy=policy), flush=True)


if __name__ == "__main__":
    given = sys.argv[1:]
    asyncio.run(main(int(given[0]) if given else 30, float(given[1]) if len(given) > 1 else 0.05))
