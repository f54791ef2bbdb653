"""What a headless run costs without failures: a clean notebook of 30 cells through nbclient, papermill and our own loop.

    python tests/benchmarks/bench_run.py [ROUNDS]

One round runs each of them once, in turn, so that a busy machine is unfair to none; the ratio is taken within a round.
The loop is `stages.validate.execute` over `open_live`, as `jupyter selfcode run` drives it, without reading and writing
the file (nbclient's figure has none either; papermill's has both, since it cannot be had without).
"""

from __future__ import annotations

import asyncio
import logging
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from jupyter_selfcode.plugins.sandboxes.contained import ContainedSandbox
from jupyter_selfcode.plugins.sandboxes.live import LiveCage, open_live
from jupyter_selfcode.protocols import Limits
from jupyter_selfcode.stages.validate import execute
from jupyter_selfcode.values.notebook import Cell, Notebook

SOURCES = [
    ("import math, json\nrows = [{'n': n, 'root': math.sqrt(n)} for n in range(2000)]" if i == 0 else
     f"total_{i} = sum(r['root'] for r in rows if r['n'] % {i + 1} == 0)\nprint('group {i}')\nround(total_{i}, 3)")
    for i in range(30)
]  # fmt: skip
TIER = ContainedSandbox().tier or "A"
KERNELSPEC = {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}}


def document() -> nbformat.NotebookNode:
    """The notebook as nbformat has it."""
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in SOURCES], metadata=KERNELSPEC)


def by_nbclient(folder: Path) -> int:
    """Run it by nbclient; how many cells gave outputs."""
    notebook = document()
    NotebookClient(notebook, resources={"metadata": {"path": str(folder)}}).execute()
    return sum(bool(c.outputs) for c in notebook.cells)


def by_papermill(folder: Path) -> int:
    """Run it by papermill."""
    import papermill

    nbformat.write(document(), folder / "in.ipynb")
    done = papermill.execute_notebook(folder / "in.ipynb", folder / "out.ipynb", cwd=folder, progress_bar=False)
    return sum(bool(c.outputs) for c in done.cells)


def value() -> Notebook:
    """The notebook as a value."""
    return Notebook(tuple(Cell(f"c{i}", "code", s) for i, s in enumerate(SOURCES)), KERNELSPEC)


def by_run(folder: Path, cage: LiveCage | None = None) -> int:
    """Run it as `jupyter selfcode run` does."""

    async def work() -> int:
        notebook = value()
        async with open_live(notebook, folder, cage=cage) as kernel:
            return sum([bool(r.outputs) async for r, _ in execute(kernel, notebook.cells)])

    return asyncio.run(work())


def by_contained(folder: Path) -> int:
    """The same with policy deploy: in a cage, by the kernel that can be copied where a cell fails."""
    return by_run(folder, LiveCage(TIER))


def by_stock(folder: Path) -> int:
    """The same in a cage, by ipykernel as it comes."""
    return by_run(folder, LiveCage(TIER, copied=False))


def by_trial(folder: Path) -> int:
    """Run it as a trial: copy of the folder, limits, ended at once."""

    async def work() -> int:
        notebook = value()
        async with ContainedSandbox().open(notebook, folder, Limits()) as kernel:
            return sum([bool(r.outputs) async for r, _ in execute(kernel, notebook.cells)])

    return asyncio.run(work())


def seconds(run: Callable[[Path], int]) -> float:
    """Wall time of one run in a new folder; every cell but the first must have given outputs."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        gave = run(Path(folder))
        took = time.perf_counter() - start
    assert gave == len(SOURCES) - 1, f"{run.__name__}: {gave} cells gave outputs"
    return took


def main(rounds: int) -> None:
    """Print seconds and ratios."""
    logging.disable(logging.WARNING)
    runs = (by_nbclient, by_papermill, by_run, by_contained, by_stock, by_trial)
    for run in runs:  # imports and caches
        seconds(run)
    took = [{run.__name__: seconds(run) for run in runs} for _ in range(rounds)]
    print(f"{len(SOURCES)} cells, {rounds} rounds; seconds min / median; ratio to nbclient of the same round, median")
    for run in runs:
        own = [t[run.__name__] for t in took]
        ratio = statistics.median(t[run.__name__] / t["by_nbclient"] for t in took)
        least = min(own) / min(t["by_nbclient"] for t in took)
        print(
            f"{run.__name__[3:]:>10}  {min(own):.3f} / {statistics.median(own):.3f}  ×{ratio:.2f} (of the minima ×{least:.2f})"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
