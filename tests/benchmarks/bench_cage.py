"""What the cage costs: the start of a contained kernel against a plain one, and the tightening of a forked child.

    python tests/benchmarks/bench_cage.py [ROUNDS]

Each round starts one kernel of every kind, in turn, through the same driver, from the start to the reply to its first
cell; so what else the machine does meanwhile falls on all of them. `plain` is Jupyter's own provisioner with the user's
environment in the notebook's folder; `no debugger` the same without debugpy, which a cage leaves out. `stock` kinds are
started and asked by jupyter_client alone, as any program that uses it does; they are compared with `stock`. Of a
trial's own work, only the cage is meant: the folder holds one small file.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager

from jupyter_selfcode.plugins.sandboxes import cage, tiers
from jupyter_selfcode.plugins.sandboxes.contained import ContainedSandbox
from jupyter_selfcode.plugins.sandboxes.kernels import driven, kernel_of, provisioned
from jupyter_selfcode.plugins.sandboxes.live import UNLIMITED, LiveCage, open_live
from jupyter_selfcode.plugins.sandboxes.plan import Cage
from jupyter_selfcode.plugins.sandboxes.scratch import slot
from jupyter_selfcode.protocols import Kernel, Limits
from jupyter_selfcode.values.notebook import Cell, Notebook

CELL = Cell("c", "code", "6 * 7")


NO_DEBUGGER = "import sys, runpy; sys.modules['debugpy'] = None; runpy.run_module('ipykernel_launcher', run_name='__main__')"


async def start(kind: str, folder: Path) -> float:
    """Seconds until the first cell of a new kernel of this kind has run."""
    began = time.perf_counter()
    name, spec = kernel_of(Notebook())
    if kind.startswith("stock"):
        if kind[-1] in "AB":
            spec = provisioned(spec, "selfcode-contained", tier=kind[-1])
        return await stock(name, spec, folder) - began
    async with contextlib.AsyncExitStack() as opened:
        if kind == "plain":
            kernel: Kernel = await opened.enter_async_context(open_live(Notebook(), folder))
        elif kind == "no debugger":
            spec = KernelSpec(argv=[sys.executable, "-c", NO_DEBUGGER, "-f", "{connection_file}"], language="python")
            sockets = opened.enter_context(slot()).sockets
            kernel = await opened.enter_async_context(driven(name, spec, sockets, folder, UNLIMITED, trial=False))
        elif kind.startswith("live "):
            kernel = await opened.enter_async_context(open_live(Notebook(), folder, cage=LiveCage(kind[-1])))  # type: ignore[arg-type]
        else:
            kernel = await opened.enter_async_context(ContainedSandbox(kind[-1]).open(Notebook(), folder, Limits()))
        assert (await kernel.execute(CELL)).status == "ok"
        return time.perf_counter() - began


async def stock(name: str, spec: KernelSpec, folder: Path) -> float:
    """Start a kernel and run the cell as any user of jupyter_client does. When the reply was there."""
    kernels = AsyncKernelManager(kernel_name=name)
    kernels._kernel_spec = spec
    await kernels.start_kernel(cwd=str(folder), stderr=subprocess.DEVNULL)
    client = kernels.client()
    client.start_channels()
    try:
        await client.wait_for_ready(timeout=30)
        reply = await client._async_execute_interactive(CELL.source, timeout=30, output_hook=lambda _: None)
        assert reply["content"]["status"] == "ok"
        return time.perf_counter()
    finally:
        client.stop_channels()
        await kernels.shutdown_kernel(now=True)


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
    ours = ["plain", "no debugger", *(f"live {t}" for t in given), *(f"trial {t}" for t in (*given, "C"))]
    kinds = [*ours, "stock", *(f"stock {t}" for t in given)]
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
    print(f"start to first reply, {rounds} rounds, ms: median (min–max), ratio to plain or stock: median of pairs")
    for kind, found in took.items():
        plain = took["stock" if kind.startswith("stock") else "plain"]
        ratio = statistics.median(a / b for a, b in zip(found, plain, strict=True))
        middle = statistics.median(found)
        print(f"  {kind:11} {1000 * middle:5.0f} ({1000 * min(found):.0f}–{1000 * max(found):.0f})  {ratio:.3f}")
    for tier in given:
        found = tighten(tier)
        print(f"tightening a forked child, tier {tier}: {statistics.median(found):.2f} ms (p95 {sorted(found)[-len(found) // 20]:.2f})")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20))
