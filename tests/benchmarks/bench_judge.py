"""What judging outside of the candidate's process costs: a whole trial of one changed cell, with the judge and without.

    python -m tests.benchmarks.bench_judge [ROUNDS]

A number, and a frame of 10,000 rows. Medians of trials in turns, and their ratio; the difference is a second kernel's start, or
with a kernel that waits (it is started while the trial's own cells run; none waits for the trial) what is left of it.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

from jupyter_selfcode.engine import Engine
from jupyter_selfcode.plugins.sandboxes.contained import ContainedSandbox
from jupyter_selfcode.plugins.sandboxes.pool import pool
from jupyter_selfcode.values.events import Tried
from jupyter_selfcode.values.notebook import Cell, Notebook
from jupyter_selfcode.values.patch import Patch, ReplaceSource
from jupyter_selfcode.values.request import Failure, Request
from jupyter_selfcode.values.trial import Candidate, CellResult, Run

ALONE, JUDGED, WAITING = "alone", "with the judge", "with the judge in one that waits"
CASES = {
    "a number": ("x = 21", '"""Y.\n\n>>> y\n42\n"""\ny = x * 2'),
    "a frame": (
        "import pandas as pd\ndf = pd.DataFrame({'a': range(10_000), 'b': 1.5})",
        '"""Y.\n\n>>> y.b.sum() == 15000\nTrue\n"""\ny = df[df.a >= 0]',
    ),
}


async def once(folder: Path, above: str, change: str, kind: str) -> float:
    """Seconds of a trial; with a warrant nothing is judged again."""
    warrant = "not judged" if kind == ALONE else ""
    nb = Notebook((Cell("a", "code", above), Cell("b", "code", "y = bad")))
    engine = Engine((), ContainedSandbox(warm=kind == WAITING), (), None)  # type: ignore[arg-type]
    failure = Failure("b", "NameError", "bad")
    before = Run((CellResult("a", "ok"), CellResult("b", "error", failure=failure)), "error")
    candidate = Candidate(Patch(nb.digest, (ReplaceSource("b", change),)), "", "bench", warrant=warrant)
    start = time.perf_counter()
    async for event in engine.try_out(candidate, Request("", "exception", "b", failure=failure), nb, folder, before, {}):
        if isinstance(event, Tried):
            assert warrant or [j.verdict for j in event.trial.judged] == ["confirmed"], event.trial.judged
    seconds = time.perf_counter() - start
    for each in list(pool()._waiting):
        await each.end()
    return seconds


async def main(rounds: int) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as made:
        for name, (above, change) in CASES.items():
            taken: dict[str, list[float]] = {kind: [] for kind in (ALONE, JUDGED, WAITING)}
            await once(Path(made), above, change, JUDGED)
            for _ in range(rounds):
                for kind, seconds in taken.items():
                    seconds.append(await once(Path(made), above, change, kind))
            alone = statistics.median(taken[ALONE])
            print(f"{name}: trial alone {alone * 1000:.0f} ms")
            for kind in (JUDGED, WAITING):
                ratio = statistics.median(a / b for a, b in zip(taken[kind], taken[ALONE], strict=True))
                print(f"  {kind:32} {statistics.median(taken[kind]) * 1000:6.0f} ms   ratio {ratio:.2f}")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 7))
