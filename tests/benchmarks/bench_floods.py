"""How much memory the parent takes while a trial floods it: goal below 100 MiB beyond what it held before.

    python -m tests.benchmarks.bench_floods

Each flood meets a parent of its own (a fresh process), under the usual limits but 20 s for the cell.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

from jupyter_selfcode.plugins.sandboxes.contained import ContainedSandbox
from jupyter_selfcode.protocols import Limits
from jupyter_selfcode.values.notebook import Cell, Notebook

SEND = "ip = get_ipython()\ndef send(**c):\n    ip.kernel.send_response(ip.kernel.iopub_socket, 'display_data', c)\n"
FLOODS = {
    "print, endless": "while True:\n    print('x' * 1000)",
    "one message of 500 MB": "print('x' * 500_000_000)",
    "display of 200 MB HTML": "display({'text/html': 'x' * 200_000_000}, raw=True)",
    "100,000 displays": "for i in range(100_000):\n    display(i)",
    "clear_output, endless": "from IPython.display import clear_output\nwhile True:\n    clear_output(); print(1)",
    "error of 100 MB": "raise ValueError('x' * 100_000_000)",
    "JSON, 100,000 deep": "ip = get_ipython()\nip.kernel.session.pack = lambda o: b'[' * 100_000 + b']' * 100_000\ndisplay(1)",
    "10 million opens": "for i in range(10_000_000):\n    try: open(f'/nothing/{i}')\n    except OSError: pass",
    "the witness's pipe": "import os\nfds = [f for f in range(3, 99) if os.path.exists(f'/proc/self/fd/{f}') and 'pipe' in os.readlink(f'/proc/self/fd/{f}')]\n"
    "while True:\n    for f in fds:\n        try: os.write(f, b'[' * 4000 + b'\\n')\n        except OSError: pass",
    "100,000 new files": "for i in range(100_000):\n    open(f'{i}.txt', 'w').close()",
    "update of one display": "d = display(1, display_id=True)\nwhile True:\n    d.update('x' * 10_000)",
    "odd data": SEND + "while True:\n    send(data={'text/plain': ['x' * 1000] * 100, 'n': 10**4000}, metadata={})",
}


async def flood(source: str) -> str:
    """How the trial ended, the parent's growth and the seconds."""
    process, peak, done = psutil.Process(), 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.01):
            peak = max(peak, process.memory_info().rss)

    with tempfile.TemporaryDirectory() as folder:
        async with ContainedSandbox().open(Notebook(), Path(folder), Limits()):
            pass  # what is loaded once is no growth
        before = process.memory_info().rss
        watching = threading.Thread(target=watch)
        watching.start()
        start = time.monotonic()
        async with ContainedSandbox().open(Notebook(), Path(folder), Limits(cell_seconds=20)) as kernel:
            result = await kernel.execute(Cell("c", "code", source))
            effects, unseen = await kernel.effects()
        seconds = time.monotonic() - start
        done.set()
        watching.join()
    ended = result.failure.ename if result.failure else result.status
    return f"{(peak - before) / 2**20:7.1f} MiB  {seconds:5.1f} s  {ended}, {len(effects)} effects, {unseen} unseen"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(asyncio.run(flood(FLOODS[sys.argv[1]])))
    else:
        for name in FLOODS:
            done = subprocess.run([sys.executable, "-m", "tests.benchmarks.bench_floods", name], capture_output=True, text=True, check=False)
            print(f"{name:24}", done.stdout.strip() or done.stderr.strip().splitlines()[-1], flush=True)
