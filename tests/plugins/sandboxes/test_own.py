"""A contained run of which copies are made: the run stays what it was, and the copies are held as any trial is."""

from __future__ import annotations

import asyncio
import os

import pytest

from jupyter_selfcode.plugins.sandboxes.contained import ContainedSandbox
from jupyter_selfcode.plugins.sandboxes.live import LiveCage, open_live
from jupyter_selfcode.plugins.sandboxes.own import ABOVE, SECRETS, UNSTEADY, OwnKernel
from jupyter_selfcode.protocols import Limits
from jupyter_selfcode.values.notebook import Cell, Notebook
from tests.plugins.sandboxes.test_forked import notebook, shown

UNLIMITED = Limits(cell_seconds=None, seconds=None, memory=None, output=None)


@pytest.fixture(params=["A", "B"])
def tier(request, caged):
    return caged(request.param)


class Ran:
    """A run that has come to its last cell, which failed."""

    def __init__(self, kernel, base, results, folder, tier):
        self.kernel, self.base, self.results, self.folder, self.tier = kernel, base, results, folder, tier

    async def tried(self, *sources, steady=True, limits=Limits()):
        wanted = notebook(*sources)
        sandbox = self.kernel.trials(ContainedSandbox(self.tier), self.base, self.base.cells[-1].id, steady=steady)
        async with sandbox.open_from(self.base, wanted, self.folder, limits) as kernel:
            results = [await kernel.execute(c) for c in wanted.cells]
            return results, kernel.served

    async def goes_on(self, source):
        return await self.kernel.execute(Cell("further", "code", source))


@pytest.fixture
async def run(root, tmp_path, tier):
    """Opens a run of these cells."""
    opened = []

    async def begin(*sources):
        base = notebook(*sources)
        context = open_live(base, tmp_path, UNLIMITED, LiveCage(tier))
        kernel = await context.__aenter__()
        opened.append(context)
        assert isinstance(kernel, OwnKernel)
        return Ran(kernel, base, [await kernel.execute(c) for c in base.cells], tmp_path, tier)

    yield begin
    for context in opened:
        await context.__aexit__(None, None, None)


FIRST = "import os\nmark = os.urandom(8)\nx = [1]"


async def test_a_candidate_goes_on_from_the_runs_own_state_and_nothing_above_runs_again(run):
    ran = await run(FIRST, "mark", "1 / 0")
    results, served = await ran.tried(FIRST, "mark", "x.append(2)\nprint(mark, x, len(In))")
    assert (served.kind, served.goes_on) == ("forked", True)
    assert served.reason == "forked live: the run's own state before cell 2"
    assert shown(results[2]) == f"{shown(ran.results[1])} [1, 2] 5\n"  # the failed cell has a number of its own
    assert results[:2] == ran.results[:2]
    assert shown(await ran.goes_on("print(x)")) == "[1]\n"


async def test_what_a_candidate_writes_makes_its_trial_a_fresh_one_and_never_reaches_the_folder(run, tmp_path):
    ran = await run("open('made.txt', 'w').write('by the run')", "1 / 0")
    results, served = await ran.tried(ran.base.cells[0].source, "open('made.txt', 'a').write('!')\nprint(open('made.txt').read())")
    assert (served.kind, served.goes_on) == ("fresh", False)
    assert "changes files" in served.reason
    assert shown(results[1]).endswith("\n")
    assert (tmp_path / "made.txt").read_text() == "by the run"


@pytest.mark.parametrize(
    ("sources", "changed", "steady", "reason"),
    [
        (("x = 1", "1 / 0"), ("x = 2", "x"), True, ABOVE),
        (("x = 1", "1 / 0"), ("x = 1", "x"), False, UNSTEADY),
        (
            ("import threading, time\nthreading.Thread(target=time.sleep, args=(300,), daemon=True).start()", "1 / 0"),
            ("import threading, time\nthreading.Thread(target=time.sleep, args=(300,), daemon=True).start()", "1"),
            True,
            "threads are alive that a copy would not have",
        ),
    ],
    ids=["above", "unsteady", "thread"],
)
async def test_where_no_copy_serves_the_trial_is_fresh_and_says_why(run, sources, changed, steady, reason):
    ran = await run(*sources)
    results, served = await ran.tried(*changed, steady=steady)
    assert (served.kind, served.goes_on) == ("fresh", False)
    assert reason in served.reason
    assert [r.status for r in results] == ["ok", "ok"]
    assert shown(await ran.goes_on("1 + 1")) == "2"


async def test_where_a_file_beside_the_notebook_looks_secret_no_copy_is_made(run, tmp_path):
    (tmp_path / ".env").write_text("KEY=1")
    ran = await run("x = 1", "1 / 0")
    _, served = await ran.tried("x = 1", "x")
    assert (served.kind, served.reason) == ("fresh", SECRETS)


@pytest.mark.parametrize(
    "source",
    ["import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "b = bytearray(600 * 2**20)", "while True: pass"],
    ids=["dies", "memory", "time"],
)
async def test_a_copy_that_does_not_live_takes_nothing_from_the_run(run, source):
    ran = await run("x = 1", "1 / 0")
    results, served = await ran.tried("x = 1", source, limits=Limits(cell_seconds=1.0, memory=300 * 2**20))
    assert results[1].status != "ok" or served.kind == "fresh"
    assert ran.kernel.state == "complete"
    assert shown(await ran.goes_on("x + 1")) == "2"


async def test_a_copy_cannot_reach_the_run(run):
    ran = await run("import os\npid = os.getpid()", "1 / 0")
    reach = "try:\n    os.kill(pid, 9)\nexcept OSError as e:\n    print(type(e).__name__)"
    results, served = await ran.tried("import os\npid = os.getpid()", reach)
    assert served.kind == "forked"
    assert shown(results[1]) == "PermissionError\n"
    assert ran.kernel.state == "complete"
    assert shown(await ran.goes_on("print('here')")) == "here\n"


async def test_a_run_keeps_the_times_that_it_is_given_and_its_end_is_as_any_kernels(root, left, tmp_path, tier):
    async with open_live(Notebook(), tmp_path, Limits(cell_seconds=0.4), LiveCage(tier)) as kernel:
        result = await kernel.execute(Cell("c", "code", "while True: pass"))
    assert (result.status, kernel.detail) == ("stopped", "stopped after 0.4 s of your 0.4 s limit")
    assert "KeyboardInterrupt" in result.failure.traceback
    async with open_live(Notebook(), tmp_path, UNLIMITED, LiveCage(tier)) as kernel:
        result = await kernel.execute(Cell("c", "code", "import os; os._exit(7)"))
    assert (result.status, kernel.state) == ("stopped", "died")
    assert "exit code 7" in kernel.detail
    code = "import atexit\natexit.register(lambda: open('bye', 'w').close());\nf = open('open.txt', 'w'); f.write('kept');"
    async with open_live(Notebook(), tmp_path, UNLIMITED, LiveCage(tier)) as kernel:
        assert (await kernel.execute(Cell("c", "code", code))).status == "ok"
    assert (tmp_path / "bye").exists()
    assert (tmp_path / "open.txt").read_text() == "kept"
    assert left() == []


async def test_nothing_is_left_when_a_run_is_cancelled(root, left, tmp_path, tier):
    async def work():
        async with open_live(Notebook(), tmp_path, UNLIMITED, LiveCage(tier)) as kernel:
            await kernel.execute(Cell("c", "code", f"import subprocess\nsubprocess.run(['sleep', '300.{os.getpid()}'])"))

    task = asyncio.ensure_future(work())
    while not any("300." in entry for entry in left()):
        await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert left() == []
