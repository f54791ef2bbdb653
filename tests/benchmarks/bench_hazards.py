"""The whole table of what survives a copy and what keeps one from being made, on real kernels, as far as it is installed.

    python tests/benchmarks/bench_hazards.py [TIER [NAME…]]

For each row: how it was served, whether it gave what a fresh kernel gives, and the reason.
"""

from __future__ import annotations

import asyncio
import importlib.util
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from jupyter_selfcode.analysis.outputs import same_outputs
from jupyter_selfcode.plugins.sandboxes.contained import ContainedSandbox
from jupyter_selfcode.plugins.sandboxes.forked import ForkedSandbox
from jupyter_selfcode.protocols import Limits
from jupyter_selfcode.values.notebook import Cell, Notebook
from tests.hazard_table import REFUSED, SURVIVES


def notebook(*sources: str) -> Notebook:
    """Of these cells."""
    return Notebook(tuple(Cell(str(n), "code", s) for n, s in enumerate(sources)))


async def main(tier: str, *names: str) -> None:
    """Print a line for each row, or for those whose names hold one of these words."""
    wrong = 0
    for name, row in (SURVIVES | REFUSED).items():
        if names and not any(n in name for n in names):
            continue
        if missing := [m for m in row.needs if importlib.util.find_spec(m) is None]:
            print(f"  {name}: {missing[0]} is not installed")
            continue
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            (folder / "data").write_text("abc")
            base, wanted = notebook(row.above, "0"), notebook(row.above, row.changed + " # changed")
            sandbox = ForkedSandbox(ContainedSandbox(tier))
            try:
                async with sandbox.open_from(base, base, folder, Limits()) as kernel:
                    first = [await kernel.execute(c) for c in base.cells]
                async with sandbox.open_from(base, wanted, folder, Limits(cell_seconds=30)) as kernel:
                    copied = [await kernel.execute(c) for c in wanted.cells][1]
                    served = kernel.served  # type: ignore[attr-defined]
                async with sandbox.fresh.open(wanted, folder, Limits()) as kernel:
                    fresh = [await kernel.execute(c) for c in wanted.cells][1]
            finally:
                await sandbox.aclose()
        as_meant = row.fresh in served.reason if row.fresh else served.kind == "forked"
        same = copied.status == fresh.status and same_outputs(copied.outputs, fresh.outputs)
        bad = first[0].failure or (None if same and as_meant else copied.failure or copied)
        wrong += bad is not None
        print(f"  {name}: {served.kind}, {'same' if same else 'NOT THE SAME'}{'' if as_meant else ', NOT AS MEANT'}; {served.reason} {bad or ''}", flush=True)
    print(f"{wrong} not as they should be")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:] or ["A"]))
