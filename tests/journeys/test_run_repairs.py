"""A contained run whose last cell fails: it is repaired from the state before that cell, never from the top."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import nbformat
import psutil
import pytest

from jupyter_selfcode.config import SelfCode
from jupyter_selfcode.engine import DISAGREED, Engine
from jupyter_selfcode.headless import Bench, Job, open_bench, run
from jupyter_selfcode.plugins.deployers.file import FileDeployer
from jupyter_selfcode.plugins.sandboxes.contained import ContainedSandbox
from jupyter_selfcode.plugins.stores.sql import SqlStore
from jupyter_selfcode.values.events import Resumed
from tests.test_headless import Mends, Runs

RECORD = "open('ran.txt', 'a').write('{n} ')\nx{n} = {n}"
"""What a cell has done is in the folder: trials have copies of it, and a copy of the run may not write there."""


def write(folder, *sources):
    cells = [nbformat.v4.new_code_cell(s, id=f"c{i}") for i, s in enumerate(sources)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / "nb.ipynb")
    return folder / "nb.ipynb"


def now(path):
    return [c.source for c in nbformat.read(path, 4).cells]


async def done(path, *, bench=open_bench, **settings):
    events = [e async for e in run(Job(path), SelfCode(policy="deploy", **settings), bench=bench)]
    return events[-1].report, events


def knowing(**sources):
    """How a run is opened whose only proposer knows these sources for cells."""

    @contextmanager
    def opened(source, settings):
        store = SqlStore(f"sqlite:///{source.parent / '.selfcode' / 'history.sqlite'}")
        engine = Engine([Mends(sources)], ContainedSandbox(), (Runs(),), store, policy=settings.decisions())
        yield Bench(engine, store, FileDeployer(source), source.name)
        store.close()

    return opened


async def test_a_failure_in_the_last_of_30_cells_runs_one_cell_again(tmp_path):
    mark = "import os\nmark = os.urandom(4).hex()"
    path = write(tmp_path, mark, *(RECORD.format(n=n) for n in range(1, 29)), "import numpy as np\nprint(np.product([2, 3]))")
    report, events = await done(path)
    assert (report.status, report.executed) == ("healed", 31)
    assert [t.kind for t in report.trials] == ["forked"]
    assert any(isinstance(e, Resumed) for e in events)
    assert (tmp_path / "ran.txt").read_text().split() == [str(n) for n in range(1, 29)]
    assert "np.prod(" in now(path)[-1]


async def test_what_the_run_gives_otherwise_than_its_copy_is_taken_back_and_remembered(tmp_path):
    path = write(tmp_path, "import os\nx = 1", "x.nope")
    mended = "if 'forks' not in os.environ['TMPDIR']:\n    raise ValueError('this is live')\nprint(x)"
    report, _ = await done(path, bench=knowing(c1=mended))
    assert report.status == "failed"
    assert [t.kind for t in report.trials] == ["forked"]
    assert "ran well in a copy of this run, and not in the run itself (ValueError: this is live)" in report.message
    assert "is taken back" in report.message
    assert [f.healed for f in report.failures] == [False]
    assert [(v.number, v.kind) for v in report.versions] == [(2, "adapt"), (3, "rollback")]
    assert now(path)[1] == "x.nope"
    with knowing()(path, SelfCode()) as bench:
        assert len(bench.store.notes(bench.path, DISAGREED)) == 1


async def test_a_change_that_writes_files_is_tried_from_the_top_and_the_run_goes_on(tmp_path):
    path = write(tmp_path, RECORD.format(n=1), "x1.nope")
    report, _ = await done(path, bench=knowing(c1="open('made.txt', 'w').write(str(x1))"))
    assert report.status == "healed"
    assert [t.kind for t in report.trials] == ["fresh"]
    assert (tmp_path / "made.txt").read_text() == "1"
    assert (tmp_path / "ran.txt").read_text().split() == ["1"]


async def test_threads_in_the_run_make_the_trial_a_fresh_one(tmp_path):
    thread = "import threading\nevent = threading.Event()\nthreading.Thread(target=event.wait, daemon=True).start()"
    path = write(tmp_path, thread, RECORD.format(n=1), "x1.nope")
    report, _ = await done(path, bench=knowing(c2="print(x1)"))
    assert (report.status, [t.kind for t in report.trials]) == ("healed", ["fresh"])


@pytest.mark.skipif(sys.platform != "linux", reason="copies are made on Linux")
def test_nothing_of_a_run_is_left_when_it_is_killed_during_a_trial(tmp_path):
    path = write(tmp_path, "x = 1", "import numpy as np\nimport time\nprint(np.product([2, 3]))\ntime.sleep(300)")
    command = [sys.executable, "-m", "jupyter_selfcode", "run", str(path), "--policy", "deploy"]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        below = psutil.Process(running.pid)
        until = time.monotonic() + 120
        found: list[psutil.Process] = []
        while time.monotonic() < until and len(found) < 4:  # launcher, the first process, the run, its copy
            found = [p for p in below.children(recursive=True) if "bwrap" not in p.name()]
            time.sleep(0.05)
        everyone = below.children(recursive=True)
        os.kill(running.pid, signal.SIGKILL)
        running.wait()
        assert len(everyone) >= 4
        assert psutil.wait_procs(everyone, timeout=20)[1] == []
    finally:
        running.kill()
        running.wait()
