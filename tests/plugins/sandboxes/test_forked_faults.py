"""Whatever dies, is refused or never answers: the verdict is right, and nothing is left behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import subprocess
import sys
import textwrap

import psutil
import pytest

from jupyter_selfcode.plugins.sandboxes.contained import ContainedSandbox
from jupyter_selfcode.plugins.sandboxes.forked import ForkedSandbox
from jupyter_selfcode.protocols import Limits
from jupyter_selfcode.values.notebook import Cell, Notebook


def few_or(many: int) -> list[object]:
    """A number of rounds for every run, and one for a slower run."""
    return [4, pytest.param(many, marks=[pytest.mark.endurance, pytest.mark.timeout(0)])]


@pytest.fixture
async def sandbox(root):
    made = ForkedSandbox(ContainedSandbox("A"))
    yield made
    await made.aclose()


def notebook(*sources):
    return Notebook(tuple(Cell(str(i), "code", s) for i, s in enumerate(sources)))


BASE = notebook("x = [3]", "y = x + [4]", "y")


async def run(sandbox, folder, wanted, base=BASE, limits=Limits()):
    async with sandbox.open_from(base, wanted, folder, limits) as kernel:
        return [await kernel.execute(c) for c in wanted.cells], kernel.served


def shown(result):
    return "".join(o.get("text", "") + str(o.get("data", {}).get("text/plain", "")) for o in result.outputs)


def below(sandbox):
    """The launcher, and all below it."""
    provisioner = sandbox._kept[0].root.family.kernels.provisioner
    with contextlib.suppress(psutil.Error):
        launcher = psutil.Process(provisioner.process.pid)
        return [launcher, *launcher.children(recursive=True)]
    return []


def held():
    """What this process holds that could leak."""
    me = psutil.Process()
    return me.num_fds(), len(me.children(recursive=True))


async def settled(before, seconds=20.0):
    """What is held, once it is as before or does not get there."""
    for _ in range(int(seconds / 0.1)):
        if all(a <= b for a, b in zip(held(), before, strict=True)):
            break
        await asyncio.sleep(0.1)
    return held()


@pytest.mark.parametrize("rounds", few_or(300))
async def test_whichever_process_is_killed_the_answer_is_right(sandbox, left, tmp_path, rounds):
    chosen = random.Random(rounds)
    await run(sandbox, tmp_path, BASE)
    for n in range(rounds):
        wanted = notebook("x = [3]", "y = x + [4]", f"import time\ntime.sleep(.02)\ny + [{n}]")

        pause = chosen.uniform(0, 0.2)

        async def strike(pause=pause):
            await asyncio.sleep(pause)
            with contextlib.suppress(psutil.Error, IndexError):
                chosen.choice(below(sandbox)).kill()

        striking = asyncio.ensure_future(strike())
        results, served = await run(sandbox, tmp_path, wanted)
        await striking
        assert [r.status for r in results] == ["ok"] * 3, (n, served, results[-1].failure)
        assert shown(results[2]) == f"[3, 4, {n}]"
        assert served.kind == "forked" or served.reason
    await sandbox.aclose()
    assert left() == []


PARENT = """
    import asyncio, sys
    from pathlib import Path
    from jupyter_selfcode.plugins.sandboxes.contained import ContainedSandbox
    from jupyter_selfcode.plugins.sandboxes.forked import ForkedSandbox
    from jupyter_selfcode.protocols import Limits
    from jupyter_selfcode.values.notebook import Cell, Notebook
    import tempfile
    tempfile.tempdir = sys.argv[1]

    def notebook(last):
        return Notebook((Cell("0", "code", "x = 3"), Cell("1", "code", last)))

    async def main():
        sandbox = ForkedSandbox(ContainedSandbox("A"))
        for wanted in [notebook("x"), *(notebook(f"import time; time.sleep({s})") for s in (0, 300))]:
            async with sandbox.open_from(notebook("x"), wanted, Path(sys.argv[2]), Limits()) as kernel:
                for cell in wanted.cells:
                    print("at", cell.id, flush=True)
                    await kernel.execute(cell)
            print(kernel.served.kind, flush=True)

    asyncio.run(main())
"""


@pytest.mark.parametrize("rounds", [1, pytest.param(50, marks=[pytest.mark.endurance, pytest.mark.timeout(0)])])
async def test_when_the_caller_is_killed_all_copies_end(root, left, tmp_path, rounds):
    chosen = random.Random(rounds)
    for n in range(rounds):
        caller = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(PARENT), str(root), str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        wait_for = chosen.randrange(1, 8) if n else 8  # lines that it says until it is in the cell that does not end
        said = [caller.stdout.readline() for _ in range(wait_for)]
        assert said[-1], said
        caller.kill()
        caller.communicate()
        for _ in range(300):
            if not (alive := [x for x in left() if " " in x]):
                break
            await asyncio.sleep(0.1)
        assert alive == []


async def test_copies_that_cannot_be_made_are_said_and_the_trial_is_a_fresh_one(sandbox, tmp_path):
    base = notebook("import resource\nresource.setrlimit(resource.RLIMIT_NPROC, (1, 1))", "0")
    await run(sandbox, tmp_path, base, base)
    results, served = await run(sandbox, tmp_path, notebook(base.cells[0].source, "'fresh'"), base)
    assert (served.kind, shown(results[1])) == ("fresh", "'fresh'")
    assert "no copy could be made" in served.reason


async def test_memory_that_only_all_copies_together_pass_is_no_verdict_on_one(sandbox, tmp_path):
    limits = Limits(memory=500 * 2**20)
    base = notebook("a = bytearray(150 * 2**20)", "a[::4096] = b'x' * len(a[::4096])", "0")
    await run(sandbox, tmp_path, base, base, limits)
    wanted = notebook(*(c.source for c in base.cells[:2]), "import time\na[::4096] = b'y' * len(a[::4096])\nb = bytearray(150 * 2**20); b[::4096] = b'x' * len(b[::4096])\ntime.sleep(1)\nlen(b)")
    results, served = await run(sandbox, tmp_path, wanted, base, limits)
    assert results[2].status == "ok", (results[2].failure, served)
    assert served.kind == "forked" or "memory" in served.reason


@pytest.mark.parametrize("rounds", [40, pytest.param(10_000, marks=[pytest.mark.endurance, pytest.mark.timeout(0)])])
async def test_many_copies_in_a_row_leave_nothing(sandbox, left, tmp_path, rounds):
    await run(sandbox, tmp_path, BASE)
    (kept,) = sandbox._kept
    state = kept.chain[1].fork
    await (await state.fork(leaf=True)).kill()
    before = held(), len(list(kept.place.sockets.iterdir()))
    for _ in range(rounds):
        made = await state.fork(leaf=True)
        os.close(made.told)
        await made.kill()
    assert await settled(before[0]) <= before[0]
    assert len(list(kept.place.sockets.iterdir())) == before[1]
    results, served = await run(sandbox, tmp_path, notebook("x = [3]", "y = x + [4]", "-y[1]"))
    assert (served.kind, shown(results[2])) == ("forked", "-4")
    await sandbox.aclose()
    assert left() == []


async def test_a_state_that_never_answers_is_given_up_and_a_fresh_kernel_takes_over(sandbox, tmp_path, monkeypatch):
    monkeypatch.setattr("jupyter_selfcode.plugins.sandboxes.forks.ASK_SECONDS", 0.5)
    await run(sandbox, tmp_path, BASE)
    for process in below(sandbox)[1:]:
        process.send_signal(signal.SIGSTOP)
    results, served = await run(sandbox, tmp_path, notebook("x = [3]", "y = x + [4]", "y * 2"))
    assert (served.kind, shown(results[2])) == ("fresh", "[3, 4, 3, 4]")
    assert "did not answer" in served.reason
