"""Trials in copies, on real kernels: the state that they go on from, what they cannot touch, and when a fresh one takes over."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import signal

import psutil
import pytest

from jupyter_selfcode.analysis.outputs import same_outputs
from jupyter_selfcode.plugins.sandboxes.checkpoints import KEPT
from jupyter_selfcode.plugins.sandboxes.contained import ContainedSandbox
from jupyter_selfcode.plugins.sandboxes.forked import ForkedSandbox
from jupyter_selfcode.protocols import Limits
from jupyter_selfcode.values.notebook import Cell, Notebook
from tests.hazard_table import REFUSED, SURVIVES


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


async def test_what_a_cell_sets_in_its_context_is_set_for_those_below(sandbox, tmp_path):
    base = notebook("import contextvars\nshort = contextvars.ContextVar('short', default=0)\nshort.set(4)", "short.get()")
    results, _ = await run(sandbox, tmp_path, base, base)
    assert shown(results[1]) == "4"
    results, served = await run(sandbox, tmp_path, notebook(base.cells[0].source, "short.get() + 1"), base)
    assert (served.kind, shown(results[1])) == ("forked", "5")


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
    assert (served.kind, shown(results[-1])) == ("forked", "105")
    changed = notebook(*(c.source for c in base.cells[:3]), "x0 + x2 + 100")
    results, served = await run(sandbox, tmp_path, changed, base)
    assert (served.kind, shown(results[-1])) == ("forked", "102")
    assert sum(c.fork is not None for c in kept.chain) == KEPT


async def test_a_state_that_was_let_go_is_made_again_from_the_nearest_above_and_serves_the_next_as_it_is(sandbox, tmp_path):
    base = notebook("import os, time\nmark = os.urandom(8)", "other = os.urandom(8)", "mark, other")
    before, _ = await run(sandbox, tmp_path, base, base)
    (kept,) = sandbox._kept
    await kept._let_go(kept.chain[1])
    changed = notebook(*(c.source for c in base.cells[:2]), "(mark, other) # changed")
    (*_, first), served = await run(sandbox, tmp_path, changed, base)
    (*_, second), _ = await run(sandbox, tmp_path, changed, base)
    assert served.kind == "forked"
    mark, _, other = shown(before[2]).partition(", ")
    assert shown(first).startswith(mark)
    assert not shown(first).endswith(other)
    assert shown(second) == shown(first)


async def test_where_a_state_cannot_be_copied_one_above_it_is_and_the_cells_between_run_again(sandbox, tmp_path):
    base = notebook("import os\nmark = os.urandom(8)", REFUSED["a thread of the user"].above, "mark")
    before, _ = await run(sandbox, tmp_path, base, base)
    cells = [c.source for c in base.cells[:2]]
    results, served = await run(sandbox, tmp_path, notebook(*cells, "(mark, threading.active_count())"), base)
    assert (served.kind, shown(results[2])) == ("forked", f"({shown(before[2])}, 2)")
    assert "1 of them again in the copy: threads are alive" in served.reason


async def test_several_candidates_are_open_at_once_from_one_state_and_none_sees_another(sandbox, tmp_path):
    base = notebook("x = [3]", "x")
    await run(sandbox, tmp_path, base, base)
    candidates = [notebook("x = [3]", f"x.append({n}); x") for n in range(3)]
    async with contextlib.AsyncExitStack() as opened:
        kernels = [await opened.enter_async_context(sandbox.open_from(base, c, tmp_path, Limits())) for c in candidates]
        for index in range(2):
            results = await asyncio.gather(*(k.execute(c.cells[index]) for k, c in zip(kernels, candidates, strict=True)))
        assert [k.served.kind for k in kernels] == ["forked"] * 3
        assert [shown(r) for r in results] == ["[3, 0]", "[3, 1]", "[3, 2]"]
        assert sandbox._kept[0].chain[0].fork.leaves == 3
    assert sandbox._kept[0].chain[0].fork.leaves == 0


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


OFTEN = ("a thread of the user", "a child process", "a connection", "a file open to be written")
"""The rows that every run tries; a slower one tries all."""


def rows(table):
    """All rows; those whose libraries are not there are skipped, and say so."""

    def marks(name, row):
        missing = [library for library in row.needs if importlib.util.find_spec(library) is None]
        return [
            *([] if name in OFTEN else [pytest.mark.slow]),
            *(pytest.mark.skip(reason=f"{library} is not among the libraries of the tests") for library in missing),
        ]

    return [pytest.param(row, id=name, marks=marks(name, row)) for name, row in table.items()]


@pytest.mark.parametrize("row", rows(REFUSED))
async def test_what_a_copy_would_not_have_is_found_before_it_is_made(sandbox, tmp_path, row):
    base = notebook(row.above, "0")
    first, _ = await run(sandbox, tmp_path, base, base)
    assert [r.status for r in first] == ["ok", "ok"]
    results, served = await run(sandbox, tmp_path, notebook(row.above, f"{row.changed}\n'changed'"), base)
    assert (served.kind, shown(results[1])) == ("fresh", "'changed'")
    assert row.fresh in served.reason


async def test_where_cells_below_have_changed_files_no_copy_is_made(sandbox, tmp_path):
    base = notebook("x = 1", "_ = open('late', 'w').write('x')")
    await run(sandbox, tmp_path, base, base)
    results, served = await run(sandbox, tmp_path, notebook("x = 1", "import os; os.path.exists('late')"), base)
    assert (served.kind, shown(results[1])) == ("fresh", "False")
    assert "changed files" in served.reason


async def test_what_survives_gives_in_one_copy_together_what_it_gives_in_the_notebook(sandbox, tmp_path):
    (tmp_path / "data").write_text("abc")
    light = [row for row in SURVIVES.values() if not (row.heavy or row.needs)]
    base = notebook(*(row.above for row in light), *("0" for _ in light))
    wanted = notebook(*(row.above for row in light), *(row.changed + " # changed" for row in light))
    await run(sandbox, tmp_path, base, base)
    forked, served = await run(sandbox, tmp_path, wanted, base)
    assert served.kind == "forked", served
    async with sandbox.fresh.open(Notebook(), tmp_path, Limits()) as kernel:
        fresh = [await kernel.execute(c) for c in wanted.cells]
    for a, b in zip(forked, fresh, strict=True):
        assert a.status == b.status
        assert same_outputs(a.outputs, b.outputs)


@pytest.mark.parametrize("row", rows(SURVIVES))
async def test_what_survives_or_is_mended_gives_in_a_copy_what_it_gives_in_the_notebook(sandbox, tmp_path, row):
    (tmp_path / "data").write_text("abc")
    base, wanted = notebook(row.above, "0"), notebook(row.above, row.changed)
    await run(sandbox, tmp_path, base, base)
    forked, served = await run(sandbox, tmp_path, wanted, base)
    assert served.kind == "forked", served
    again, _ = await run(sandbox, tmp_path, wanted, base)
    async with sandbox.fresh.open(Notebook(), tmp_path, Limits()) as kernel:
        fresh = [await kernel.execute(c) for c in wanted.cells]
    assert forked[1].status == again[1].status == fresh[1].status
    assert same_outputs(forked[1].outputs, fresh[1].outputs)
    assert same_outputs(again[1].outputs, forked[1].outputs)


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


async def test_what_is_kept_ends_when_nothing_was_tried_for_a_while_and_the_next_request_starts_anew(root, left, tmp_path):
    sandbox = ForkedSandbox(ContainedSandbox("A"), idle_seconds=0.1)
    base = notebook("x = 3", "x")
    await run(sandbox, tmp_path, base, base)
    for _ in range(600):
        if not left():
            break
        await asyncio.sleep(0.1)
    assert left() == []
    results, _ = await run(sandbox, tmp_path, base, base)
    assert shown(results[1]) == "3"
    await sandbox.aclose()


async def test_an_interrupt_ends_all_that_is_kept(sandbox, left, tmp_path):
    base = notebook("x = 3", "import time\ntime.sleep(300)")
    running = asyncio.ensure_future(run(sandbox, tmp_path, base, base))
    for _ in range(600):
        if sandbox._kept and sandbox._kept[0].chain:
            break
        await asyncio.sleep(0.1)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert left() == []


REACHED = """
import os, signal
got = []
def attempt(name, what):
    try:
        what()
        got.append((pid, name))
    except OSError:
        pass
above = [os.getppid()]
for pid in [*above, *range(max(2, above[0] - 40), os.getpid())]:
    attempt("ends it", lambda: os.kill(pid, signal.SIGKILL))
    attempt("reads its memory", lambda: open(f"/proc/{pid}/mem", "rb").read(0))
    attempt("reads its environment", lambda: open(f"/proc/{pid}/environ", "rb").read())
got
"""


async def test_a_candidate_reaches_nothing_of_what_it_was_copied_from_and_stays_no_longer_than_its_trial(sandbox, left, tmp_path):
    """Row 53 of the corpus; memory that copies would share is a hazard (`tests/hazard_table.py`)."""
    base = notebook("x = 1", "0")
    waits = f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300.{os.getpid()})', '300.{os.getpid()}'], start_new_session=True)"
    for source in (REACHED, waits):
        results, served = await run(sandbox, tmp_path, notebook("x = 1", source), base)
        assert served.kind == "forked"
        assert source is waits or shown(results[1]) == "[]"
    results, served = await run(sandbox, tmp_path, notebook("x = 1", "x"), base)
    assert (served.kind, shown(results[1])) == ("forked", "1")
    assert not [found for found in left() if f"300.{os.getpid()}" in found]
