"""What it costs to bring a notebook's variables out of a trial and to record its functions: the same trial with and without, in turn.

    python -m tests.benchmarks.bench_compare [ROUNDS]
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from jupyter_selfcode.plugins.sandboxes.contained import ContainedSandbox
from jupyter_selfcode.protocols import Limits
from jupyter_selfcode.stages.behave import worth_recording
from jupyter_selfcode.stages.compare import compare, watched
from jupyter_selfcode.stages.validate import Evidence, validate
from jupyter_selfcode.values.notebook import Cell, Notebook
from jupyter_selfcode.values.trial import Run

SOURCES = [
    "import numpy as np\nimport pandas as pd",
    "df = pd.DataFrame(np.random.default_rng(0).random((100_000, 5)), columns=list('abcde'))",
    "def clean(x):\n    return round(x, 3)\ndf['f'] = [clean(x) for x in df.a]",
    *[f"part{i} = df[df.b > {i / 20}].groupby(df.c.round(1)).mean()" for i in range(8)],
    "total = float(df.f.sum())\nnames = sorted(df.columns)",
]
"""Twelve cells, of which two bind a table of 4 MB."""


async def run(notebook: Notebook, evidence: Evidence | None) -> float:
    """Seconds of one trial."""
    with tempfile.TemporaryDirectory() as folder:
        begun = time.monotonic()
        async for _ in validate(notebook, len(notebook.cells), ContainedSandbox(), Path(folder), Limits(), list[Run](), evidence):
            pass
        return time.monotonic() - begun


async def main(rounds: int) -> None:
    """The ratio, and how many variables are equal in two runs."""
    notebook = Notebook(tuple(Cell(f"c{i}", "code", s) for i, s in enumerate(SOURCES)))
    plain, full, told = list[float](), list[float](), list[Evidence]()
    for _ in range(rounds):
        plain.append(await run(notebook, None))
        told.append(Evidence({}, watched=watched(notebook), recorded=worth_recording(notebook)))
        full.append(await run(notebook, told[-1]))
    begun = time.monotonic()
    alike = compare(watched(notebook), told[0].told, told[1].told)
    seconds = time.monotonic() - begun
    ratio = median(b / a for a, b in zip(plain, full, strict=True))
    print(f"with variables and recording: {ratio:.2f}x of {median(plain):.2f} s ({len(SOURCES)} cells)")
    print(f"{sum(v.equal for v in alike)} of {len(alike)} variables equal in two runs, compared in {seconds * 1000:.0f} ms")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5))
