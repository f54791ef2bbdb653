"""A verdict on one changed cell near the end of a long notebook: from a copy of the state above, against plain nbclient.

    python tests/benchmarks/bench_forked.py [--rows 8000000] [--rounds 5] [--candidates 8] [--tier A] [--memory]

The trip: 30 cells, a frame of 16 columns (8,000,000 rows are 1 GB), groupings and joins of it for some twenty seconds, a
fitted model, figures. Cell 28 is replaced; the verdict is that cells 28 to 30 have run. All ratios are of this one run:

* plain: nbclient on a plain kernel, the changed notebook from the top;
* copy: the same verdict from a copy, without and with all stages of the engine around it;
* own: what cells 28 to 30 take by themselves in the plain kernel;
* candidates: that many at once against one; with --memory also what all processes hold, pages shared counted once.

`--rows 200000` is a smaller trip, for a look.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import nbformat
import psutil
from nbclient import NotebookClient

from jupyter_selfcode.analysis.outputs import same_outputs
from jupyter_selfcode.engine import Engine
from jupyter_selfcode.plugins.sandboxes.contained import ContainedSandbox
from jupyter_selfcode.plugins.sandboxes.forked import ForkedSandbox
from jupyter_selfcode.protocols import Limits
from jupyter_selfcode.stages.validate import validate
from jupyter_selfcode.values.events import Tried
from jupyter_selfcode.values.notebook import Cell, Notebook
from jupyter_selfcode.values.patch import Patch, ReplaceSource
from jupyter_selfcode.values.request import Request
from jupyter_selfcode.values.trial import Candidate, Run, Trial

LIMITS = Limits(cell_seconds=None, seconds=None, memory=12 * 2**30)


def trip(rows: int) -> Notebook:
    """The notebook as it is."""
    sources = [
        "import numpy as np\nimport pandas as pd",
        "%matplotlib inline\nimport matplotlib.pyplot as plt",
        "from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor",
        "rng = np.random.default_rng(7)",
        f"frame = pd.DataFrame({{f'c{{n}}': rng.random({rows}) for n in range(14)}})",
        f"frame['shop'] = rng.integers(0, 500, {rows})\nframe['day'] = rng.integers(0, 365, {rows})",
        "frame.shape",
        "frame.memory_usage().sum() / 2**30",
        "by_shop = frame.groupby('shop').mean()\nby_shop.shape",
        "by_day = frame.groupby('day').agg(['mean', 'std'])\nby_day.shape",
        "part = frame.sample(frac=0.02, random_state=1)\nlen(part)",
        "fig, ax = plt.subplots()\nax.plot(by_shop['c0'].to_numpy())",
        "wide = part.merge(by_shop.add_prefix('m_'), left_on='shop', right_index=True)\nwide.shape",
        "quantiles = frame[[f'c{n}' for n in range(6)]].quantile([.1, .5, .9])\nquantiles",
        "corr = part.corr()\ncorr.iloc[0, 1]",
        "sorted_ = part.sort_values(['shop', 'day'])\nsorted_.index[:3].tolist()",
        "fig, ax = plt.subplots()\nax.hist(part['c1'], bins=30)\nlen(ax.patches)",
        "rolled = sorted_.groupby('shop')['c2'].rolling(7).mean()\nfloat(rolled.mean())",
        "X, y = part[[f'c{n}' for n in range(1, 14)]], part['c0'] + part['c1'] * 3",
        "forest = RandomForestRegressor(20, random_state=0, n_jobs=2, max_depth=10).fit(X[:20000], y[:20000])",
        "boost = HistGradientBoostingRegressor(random_state=0, max_iter=60).fit(X, y)",
        "round(boost.score(X, y), 6)",
        "by_both = frame.groupby(['shop', 'day'])['c3'].sum()\nlen(by_both)",
        "top = by_both.nlargest(10)\ntop",
        "again = frame['c4'].to_numpy().reshape(-1, 100).mean(axis=1)\nagain.shape",
        "guess = boost.predict(X[:5000])\nguess[:2]",
        "ready = True",
        "share = frame['c5'].head(400_000).groupby(frame['shop'].head(400_000)).mean()\nfloat(share.max())",
        "fig, ax = plt.subplots()\nax.plot(share.to_numpy())\nax.set_title('share')",
        "round(float(share.sum() + boost.predict(X[:1000]).sum()), 6)",
    ]
    return Notebook(tuple(Cell(f"c{n}", "code", s) for n, s in enumerate(sources, 1)))


def changed(notebook: Notebook, n: int = 0) -> Notebook:
    """The notebook with cell 28 replaced."""
    return Notebook(tuple(replace(c, source=new(n)) if c.id == "c28" else c for c in notebook.cells))


def new(n: int) -> str:
    """The changed cell."""
    return f"first = frame.head({400_000 + n})\nshare = first.groupby('shop')['c5'].mean()\nfloat(share.max())"


def plain(notebook: Notebook, folder: Path) -> tuple[float, float, list[object]]:
    """Seconds of nbclient from the top; seconds of the last three cells; their outputs."""
    raw = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c.source) for c in notebook.cells])
    start = time.monotonic()
    NotebookClient(raw, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(folder)}}).execute()
    took = time.monotonic() - start
    own = 0.0
    for cell in raw.cells[27:]:
        at = {k: datetime.fromisoformat(v) for k, v in cell.metadata["execution"].items()}
        own += (at["shell.execute_reply"] - at["iopub.execute_input"]).total_seconds()
    return took, own, [cell.outputs for cell in raw.cells[27:]]


async def run(sandbox: ForkedSandbox, notebook: Notebook, base: Notebook, folder: Path) -> tuple[float, Run]:
    """A run as the engine makes it, and its seconds."""
    runs: list[Run] = []
    start = time.monotonic()
    async for _ in validate(notebook, len(notebook.cells), sandbox, folder, LIMITS, runs, base=base):
        pass
    return time.monotonic() - start, runs[0]


async def verdict(sandbox: ForkedSandbox, base: Notebook, before: Run, folder: Path) -> tuple[float, Trial]:
    """All stages from the screen to the weighing, and their seconds."""
    engine = Engine((), sandbox, (), None, limits=LIMITS)  # type: ignore[arg-type]
    candidate = Candidate(Patch(base.digest, (ReplaceSource("c28", new(0)),)), "", "bench")
    start, trial = time.monotonic(), None
    async for event in engine.try_out(candidate, Request("", target="c28"), base, folder, before, {}):
        trial = event.trial if isinstance(event, Tried) else trial
    assert trial is not None
    return time.monotonic() - start, trial


async def many(sandbox: ForkedSandbox, base: Notebook, folder: Path, count: int) -> float:
    """Seconds until this many candidates have their verdict, as many at once as there are cores."""
    cores = asyncio.Semaphore(os.cpu_count() or 1)

    async def one(n: int) -> None:
        async with cores:
            _, run_ = await run(sandbox, changed(base, n), base, folder)
            assert run_.served.kind == "forked", run_.served
            assert run_.failure is None, run_.failure

    start = time.monotonic()
    await asyncio.gather(*(one(n) for n in range(count)))
    return time.monotonic() - start


def held(processes: list[psutil.Process]) -> int:
    """Bytes that processes hold together."""
    total = 0
    for process in processes:
        try:
            total += process.memory_full_info().pss
        except psutil.Error:
            continue
    return total


async def peak(work: asyncio.Task[float]) -> int:
    """The most bytes that all processes below this one were seen to hold while something is at work."""
    most = 0
    while not work.done():
        most = max(most, await asyncio.to_thread(held, psutil.Process().children(recursive=True)))
        await asyncio.sleep(0.05)
    await work
    return most


async def main(args: argparse.Namespace) -> None:
    """Print the figures."""
    base = trip(args.rows)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        took, own, outputs = await asyncio.to_thread(plain, changed(base), folder)
        print(f"plain nbclient from the top: {took:.1f} s; cells 28 to 30 themselves: {own * 1000:.0f} ms", flush=True)
        sandbox = ForkedSandbox(ContainedSandbox(args.tier))
        try:
            first, before = await run(sandbox, base, base, folder)
            assert before.failure is None, before.failure
            print(f"the notebook as it is, in the cage, with checkpoints: {first:.1f} s ({first / took:.2f} of plain)", flush=True)
            copies, whole = [], []
            for _ in range(args.rounds):
                seconds, after = await run(sandbox, changed(base), base, folder)
                copies.append(seconds)
                assert after.served.kind == "forked", after.served
                seconds, trial = await verdict(sandbox, base, before, folder)
                whole.append(seconds)
            assert after.failure is None, after.failure
            same = sum(same_outputs(r.outputs, o) for r, o in zip(after.results[27:], outputs, strict=True))  # type: ignore[arg-type]
            for name, times in (("copy", copies), ("copy, all stages", whole)):
                v = statistics.median(times)
                print(
                    f"{name}: {v * 1000:.0f} ms (of {args.rounds}: {min(times) * 1000:.0f} to {max(times) * 1000:.0f}), "
                    f"{took / v:.0f} times faster than plain; beyond 1.3 x own: {(v - 1.3 * own) * 1000:.0f} ms", flush=True,
                )  # fmt: skip
            print(f"outputs as plain: {same} of 3; passed: {trial.passed}")
            one = statistics.median([await many(sandbox, base, folder, 1) for _ in range(args.rounds)])
            all_ = await many(sandbox, base, folder, args.candidates)
            print(f"{args.candidates} candidates: {all_:.2f} s, {all_ / one:.2f} x one ({one * 1000:.0f} ms)", flush=True)
            if args.memory:
                alone = await peak(asyncio.ensure_future(many(sandbox, base, folder, 1)))
                together = await peak(asyncio.ensure_future(many(sandbox, base, folder, args.candidates)))
                print(f"memory: one {alone / 2**30:.2f} GB, {args.candidates}: {together / 2**30:.2f} GB, {together / alone:.2f} x")
        finally:
            await sandbox.aclose()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=8_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--candidates", type=int, default=8)
    parser.add_argument("--tier", default="A")
    parser.add_argument("--memory", action="store_true")
    asyncio.run(main(parser.parse_args()))
