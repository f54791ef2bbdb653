"""Trials in copies, on real kernels: the state that they go on from, what they cannot touch, and when a fresh one takes over."""

from __future__ import annotations

import asyncio
import os
import signal

import psutil
import pytest

from jupyter_selfcode.plugins.sandboxes.contained import ContainedSandbox
from jupyter_selfcode.plugins.sandboxes.forked import KEPT, ForkedSandbox
from jupyter_selfcode.protocols import Limits
from jupyter_selfcode.values.notebook import Cell, Notebook


@pytest.fixture(params=["A", "B"])
async def sandbox(request, root):
    made = ForkedSandbox(ContainedSandbox(request.param))
    yield made
    await made.aclose()


def notebook(*sources):
    return Notebook(tuple(Cell(str(i), "code", s, {}) for i, s in enumerate(sources)))


async def run(sandbox, folder, wanted, base, limits=Limits()):
    """The results, and how the run was served."""
    async with sandbox.open_from(base, wanted, folder, limits) as kernel:
        results = [await kernel.execute(c) for c in wanted.cells]
        return results, kernel.served


def shown(result):
    return "".join(o.get("text", "") + str(o.get("data", {}).get("text/plain", "")) for o in result.outputs)


async def test_a_candidate_goes_on_from_the_state_above_it_and_the_cells_there_ran_once(sandbox, tmp_path):
    base = notebook("import os, time\nmark = (os.urandom(8), time.time())", "x = 1", "mark")
    before, _ = await run(sandbox, tmp_path, base, base)
    after, served = await run(sandbox, tmp_path, notebook(*(c.source for c in base.cells[:2]), "x, mark"), base)
    assert served.kind == "forked"
    assert "replayed" in served.reason
    assert shown(after[2]) == f"(1, {shown(before[2])})"
    assert after[2].execution_count == 3


async def test_what_a_candidate_changes_is_unseen_by_the_next(sandbox, tmp_path):
    base = notebook("x = [1]", "x")
    await run(sandbox, tmp_path, base, base)
    for _ in range(3):
        results, served = await run(sandbox, tmp_path, notebook("x = [1]", "x.append(2); x"), base)
        assert (served.kind, shown(results[1])) == ("forked", "[1, 2]")


async def test_candidates_of_one_state_draw_the_same_random_numbers(sandbox, tmp_path):
    base = notebook("import random\nrandom.seed()", "0")
    await run(sandbox, tmp_path, base, base)
    drawn = [await run(sandbox, tmp_path, notebook("import random\nrandom.seed()", f"random.random() # {n}"), base) for n in range(2)]
    assert shown(drawn[0][0][1]) == shown(drawn[1][0][1])


async def test_an_edit_above_invalidates_what_hangs_below(sandbox, tmp_path):
    base = notebook("x = 1", "y = x + 1", "y")
    await run(sandbox, tmp_path, base, base)
    edited = notebook("x = 10", "y = x + 1", "y")
    results, _ = await run(sandbox, tmp_path, edited, edited)
    assert shown(results[2]) == "11"
    results, served = await run(sandbox, tmp_path, notebook("x = 10", "y = x + 1", "-y"), edited)
    assert (served.kind, shown(results[2])) == ("forked", "-11")


async def test_as_many_checkpoints_are_kept_as_are_allowed_and_those_left_still_serve(sandbox, tmp_path):
    base = notebook(*(f"x{n} = {n}" for n in range(KEPT + 4)))
    await run(sandbox, tmp_path, base, base)
    (kept,) = sandbox._kept
    assert sum(c.fork is not None for c in kept.chain) == KEPT
    changed = notebook(*(c.source for c in base.cells[:-1]), "x0 + x5 + 100")
    results, served = await run(sandbox, tmp_path, changed, base)
    assert (served.kind, shown(results[-1])) == ("fresh" if kept.chain[-2].fork is None else "forked", "105")


@pytest.mark.parametrize("writes", ["open('new', 'w').write('n')", "open('/tmp/new', 'w').write('n')", "import os; os.remove('data')"])
async def test_a_candidate_that_writes_is_tried_in_a_fresh_kernel_and_says_why(sandbox, tmp_path, writes):
    (tmp_path / "data").write_text("d")
    base = notebook("import os", "0", "os.path.exists('new')")
    await run(sandbox, tmp_path, base, base)
    _, served = await run(sandbox, tmp_path, notebook("import os", writes, "0"), base)
    assert served.kind == "fresh"
    assert "copy" in served.reason
    results, served = await run(sandbox, tmp_path, notebook("import os", "1", "os.path.exists('new'), os.path.exists('data')"), base)
    assert (served.kind, shown(results[2])) == ("forked", "(False, True)")


HAZARDS = {
    "a thread of the user": "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
    "a live thread pool": "from concurrent.futures import ThreadPoolExecutor\npool = ThreadPoolExecutor(1)\npool.submit(int).result()",
    "a live process pool": "import multiprocessing\npool = multiprocessing.get_context('fork').Pool(1)",
    "a child process": "import subprocess\nchild = subprocess.Popen(['sleep', '60'])",
    "a socket": "import socket\npair = socket.socketpair()",
    "a file open to be written": "f = open('log', 'w')",
    "memory shared with others": "import mmap\nshared = mmap.mmap(-1, 4096)",
    "files changed below": "pass",
}


@pytest.mark.parametrize("name", HAZARDS)
async def test_what_a_copy_would_not_have_is_found_before_it_is_made(sandbox, tmp_path, name):
    below = "open('late', 'w').write('x')" if name == "files changed below" else "0"
    base = notebook(HAZARDS[name], below)
    first, _ = await run(sandbox, tmp_path, base, base)
    assert [r.status for r in first] == ["ok", "ok"]
    results, served = await run(sandbox, tmp_path, notebook(HAZARDS[name], "'changed'"), base)
    assert (served.kind, shown(results[1])) == ("fresh", "'changed'")
    assert served.reason


SURVIVES = {
    "numpy": ("import numpy as np\na = np.random.default_rng(0).random((300, 300)); b = a @ a", "float((a @ a - b).sum())"),
    "OpenMP, used before": (
        "from sklearn.ensemble import HistGradientBoostingRegressor as H\nimport numpy as np\n"
        "X = np.arange(2000.).reshape(-1, 1); h = H(max_iter=5).fit(X, X[:, 0])",
        "bool(H(max_iter=5).fit(X, X[:, 0]).predict(X[:1])[0] == h.predict(X[:1])[0])",
    ),
    "a finished thread pool": ("from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor(2) as p: r = list(p.map(abs, [-1]))", "r"),
    "a database in memory": ("import sqlite3\ndb = sqlite3.connect(':memory:'); _ = db.execute('create table t as select 7 as n')", "db.execute('select n from t').fetchone()"),
    "an asyncio task": ("import asyncio\nasync def f():\n    await asyncio.sleep(.05)\n    return 5\nt = asyncio.ensure_future(f())", "await t"),
    "a figure": ("import matplotlib.pyplot as plt\nfig, ax = plt.subplots(); plt.close(fig)", "len(ax.plot([1, 2]))"),
    "a file open to be read": ("f = open('data'); head = f.read(1)", "f.read(1)"),
}  # fmt: skip


@pytest.mark.parametrize("name", SURVIVES)
async def test_what_survives_or_is_mended_gives_in_a_copy_what_it_gives_in_the_notebook(sandbox, tmp_path, name):
    (tmp_path / "data").write_text("abc")
    above, changed = SURVIVES[name]
    base = notebook(above, "0")
    await run(sandbox, tmp_path, base, base)
    forked, served = await run(sandbox, tmp_path, notebook(above, changed), base)
    assert served == type(served)("forked", served.reason), served
    again, _ = await run(sandbox, tmp_path, notebook(above, changed), base)
    async with sandbox.fresh.open(Notebook(), tmp_path, Limits()) as kernel:
        fresh = [await kernel.execute(c) for c in notebook(above, changed).cells]
    assert (forked[1].status, forked[1].outputs) == (fresh[1].status, fresh[1].outputs)
    assert again[1].outputs == forked[1].outputs


async def test_a_candidate_that_never_answers_is_stopped_and_the_state_above_serves_the_next(sandbox, tmp_path):
    base = notebook("x = 3", "x")
    await run(sandbox, tmp_path, base, base)
    deaf = notebook("x = 3", "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass")
    results, _ = await run(sandbox, tmp_path, deaf, base, Limits(cell_seconds=0.5))
    assert results[1].status == "stopped"
    results, served = await run(sandbox, tmp_path, notebook("x = 3", "x + 1"), base)
    assert (served.kind, shown(results[1])) == ("forked", "4")


async def test_where_all_copies_are_killed_a_fresh_kernel_takes_over_and_the_next_request_starts_anew(sandbox, tmp_path):
    base = notebook("x = 3", "x")
    await run(sandbox, tmp_path, base, base)
    os.kill(sandbox._kept[0].root.family.kernels.provisioner.process.pid, signal.SIGKILL)
    async with sandbox.open_from(base, notebook("x = 3", "x + 1"), tmp_path, Limits()) as kernel:
        results = [await kernel.execute(c) for c in notebook("x = 3", "x + 1").cells]
    assert shown(results[1]) == "4"


async def test_many_copies_in_a_row_leave_nothing(sandbox, tmp_path):
    base = notebook("x = 3", "x")
    await run(sandbox, tmp_path, base, base)
    fork = sandbox._kept[0].chain[0].fork
    await (await fork.fork(leaf=True)).kill()
    me = psutil.Process()
    before = me.num_fds(), len(me.children(recursive=True))
    for _ in range(30):
        await run(sandbox, tmp_path, notebook("x = 3", "x + 1"), base)
    await asyncio.sleep(0)
    assert (me.num_fds(), len(me.children(recursive=True))) <= (before[0] + 1, before[1])


async def test_nothing_is_left_when_it_is_closed(sandbox, left, tmp_path):
    base = notebook("x = 3", "x")
    await run(sandbox, tmp_path, base, base)
    await run(sandbox, tmp_path, notebook("x = 3", "x + 1"), base)
    await sandbox.aclose()
    assert left() == []
