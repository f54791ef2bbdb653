"""Ordinary notebooks in the cage: do they give what they give in a plain kernel, cell by cell?

    python tests/benchmarks/bench_public_notebooks.py FOLDER… [--tier A] [--most 40] [--seconds 120] [--forked]

Each notebook is run twice on a plain kernel and once in the cage, through the same driver. A cell counts only where the
two plain runs agree (the rest differ by themselves: times, addresses, randomness); a notebook is listed where a cell that
counts gave something else in the cage, or failed there alone, with the first such cell and what it said.

With --forked the run in the cage is one with a checkpoint after every cell; then the cell in the middle is changed by a
comment, and what it and all below give in the trial of that is compared too, with how the trial was served, and why.
"""

from __future__ import annotations

import argparse
import asyncio
from collections import Counter
from dataclasses import replace
from pathlib import Path

from jupyter_selfcode.analysis.outputs import same_outputs
from jupyter_selfcode.plugins.deployers.file import read_file
from jupyter_selfcode.plugins.sandboxes.contained import ContainedSandbox
from jupyter_selfcode.plugins.sandboxes.forked import ForkedSandbox
from jupyter_selfcode.plugins.sandboxes.live import open_live
from jupyter_selfcode.protocols import Limits
from jupyter_selfcode.values.errors import SelfcodeError
from jupyter_selfcode.values.notebook import Notebook
from jupyter_selfcode.values.trial import CellResult, Served


async def ran(notebook: Notebook, folder: Path, tier: str | None, seconds: float) -> dict[str, CellResult]:
    """The results of all code cells, errors included; what comes after a stop is missing."""
    limits = Limits(cell_seconds=seconds, seconds=4 * seconds)
    opened = ContainedSandbox(tier).open(notebook, folder, limits) if tier else open_live(notebook, folder, limits)
    found = {}
    async with opened as kernel:
        for cell in notebook.code_cells:
            result = await kernel.execute(cell)
            if result.status == "stopped":
                break
            found[cell.id] = result
    return found


async def in_copies(
    notebook: Notebook, folder: Path, tier: str, seconds: float
) -> tuple[dict[str, CellResult], dict[str, CellResult], Served]:
    """The results of all cells with a checkpoint after each; those from the changed one on; how that trial was served."""
    limits = Limits(cell_seconds=seconds, seconds=4 * seconds)
    sandbox = ForkedSandbox(ContainedSandbox(tier))
    at = notebook.code_cells[len(notebook.code_cells) // 2].id
    wanted = Notebook(
        tuple(replace(c, source=c.source + "\n# changed") if c.id == at else c for c in notebook.cells), notebook.metadata
    )
    first, second = dict[str, CellResult](), dict[str, CellResult]()
    try:
        for found, tried in ((first, notebook), (second, wanted)):
            async with sandbox.open_from(notebook, tried, folder, limits) as kernel:
                for cell in tried.code_cells:
                    found[cell.id] = await kernel.execute(cell)
                    if found[cell.id].status == "stopped":
                        break
                served = kernel.served  # type: ignore[attr-defined]
    finally:
        await sandbox.aclose()
    ids = [c.id for c in notebook.code_cells]
    return first, {i: r for i, r in second.items() if ids.index(i) >= ids.index(at)}, served


def alike(a: CellResult | None, b: CellResult | None) -> bool:
    """Whether two results say the same."""
    if a is None or b is None or a.status != b.status:
        return False
    if a.failure and b.failure:
        return (a.failure.ename, a.failure.evalue) == (b.failure.ename, b.failure.evalue)
    return same_outputs(a.outputs, b.outputs)


def told(result: CellResult | None) -> str:
    """What a cell said, in a few words."""
    if result is None:
        return "did not run"
    return f"{result.failure.ename}: {result.failure.evalue[:90]}" if result.failure else result.status


async def main(args: argparse.Namespace) -> None:
    """Print a line for each notebook, and the sums."""
    sums = Counter[str]()
    files = sorted(p for f in args.folder for p in (f.rglob("*.ipynb") if f.is_dir() else [f]) if ".ipynb_check" not in str(p))
    for file in files:
        if sums["notebooks"] >= args.most:
            break
        try:
            notebook = read_file(file)[0].notebook
            first, second = [await ran(notebook, file.parent, None, args.seconds) for _ in range(2)]
            missing = ("ModuleNotFoundError", "ImportError", "FileNotFoundError", "URLError", "HTTPError", "AttributeError")
            if len(first) < 2 or any(r.failure and r.failure.ename in missing for r in first.values()):
                continue  # does not run here at all: no data, no library, an older one. Errors that are taught stay
            below, served = dict[str, CellResult](), Served()
            if args.forked:
                caged, below, served = await in_copies(notebook, file.parent, args.tier, args.seconds)
            else:
                caged = await ran(notebook, file.parent, args.tier, args.seconds)
        except SelfcodeError as e:
            print(f"  {file.name}: {e}")
            continue
        counted = [i for i in first if alike(first[i], second.get(i))]
        same = [i for i in counted if alike(first[i], caged.get(i))]
        sums["notebooks"] += 1
        sums["cells that count"] += len(counted)
        sums["the same in the cage"] += len(same)
        sums["without a difference"] += len(same) == len(counted)
        other = next((i for i in counted if i not in same), None)
        print(f"  {file.name}: {len(same)} of {len(counted)} cells" + (f"; {other}: {told(caged.get(other))}" if other else ""), flush=True)
        if args.forked:
            counted = [i for i in counted if i in below]
            same = [i for i in counted if alike(first[i], below[i])]
            sums["trials in a copy"] += served.kind == "forked"
            sums["cells of trials in a copy"] += len(counted) * (served.kind == "forked")
            sums["of these the same"] += len(same) * (served.kind == "forked")
            other = next((i for i in counted if i not in same), None)
            print(f"    changed in the middle: {served.kind} ({served.reason}), {len(same)} of {len(counted)} cells" + (f"; {other}: {told(below.get(other))}" if other else ""), flush=True)
    print(", ".join(f"{n} {what}" for what, n in sums.items()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="+")
    parser.add_argument("--tier", default="A")
    parser.add_argument("--most", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--forked", action="store_true")
    asyncio.run(main(parser.parse_args()))
