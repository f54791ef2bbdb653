"""Trials from the variables of another process, on real kernels: what they go on from, and when the cells above run again."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path

import psutil
import pytest

from jupyter_selfcode.analysis import surroundings
from jupyter_selfcode.analysis.copying import lacking, rest
from jupyter_selfcode.plugins.sandboxes.contained import ContainedSandbox
from jupyter_selfcode.plugins.sandboxes.forked import ForkedSandbox
from jupyter_selfcode.plugins.sandboxes.pickled import take
from jupyter_selfcode.plugins.sandboxes.scratch import temp_root
from jupyter_selfcode.plugins.sandboxes.taken_over import CopiedSandbox, Taken
from jupyter_selfcode.protocols import Limits
from jupyter_selfcode.values.notebook import Cell, Notebook

pytestmark = pytest.mark.timeout(180, method="thread")

ABOVE = "import os\nmark = os.urandom(8).hex()\nrows = [1, 2, 3]\ndef doubled(): return [2 * r for r in rows]"
"""What runs again gives another mark."""


def notebook(*sources):
    return Notebook(tuple(Cell(str(i), "code", s, {}) for i, s in enumerate(sources)))


def handed(base, place, ended=(), told=None, needed=("mark", "rows", "doubled", "os"), more="", others=()):
    """What a live kernel that has run the cells above hands over; and its names."""
    names = {"__name__": "__main__"}
    exec("\n".join([*(c.source for c in base.cells[:place]), textwrap.dedent(more)]), names)
    copied = take(names, list(needed), list(others), surroundings.settings(), seconds=20.0)
    taken = Taken(
        copied, base.cells[:place], place, ("os",), frozenset({"os"}), told or {}, {}, dict(ended),
        lambda wished: lacking(base.cells[:place], rest(wished, place), copied.left_out),
    )  # fmt: skip
    return taken, names


@pytest.fixture(params=["A", "B"])
async def forked(request, root):
    made = ForkedSandbox(ContainedSandbox(request.param))
    yield made
    await made.aclose()


@pytest.fixture
async def one(root):
    made = ForkedSandbox(ContainedSandbox("A"))
    yield made
    await made.aclose()


async def run(sandbox, folder, wanted, base):
    """The results, and how the run was served."""
    async with sandbox.open_from(base, wanted, folder, Limits()) as kernel:
        results = [await kernel.execute(c) for c in wanted.cells]
        return results, getattr(kernel, "served", None)


def shown(result):
    return "".join(o.get("text", "") + str(o.get("data", {}).get("text/plain", "")) for o in result.outputs)


async def test_the_cells_above_do_not_run_and_all_trials_go_on_from_the_same_variables(forked, tmp_path):
    base = notebook(ABOVE, "doubled(), mark")
    taken, names = handed(base, 1)
    sandbox = CopiedSandbox(forked, taken)
    before, _ = await run(sandbox, tmp_path, base, base)
    assert (before[0].status, shown(before[1])) == ("skipped", f"([2, 4, 6], {names['mark']!r})")
    assert before[1].execution_count == 2
    for new in ("rows.append(9); doubled(), mark", "rows = [0]; doubled(), mark"):
        after, served = await run(sandbox, tmp_path, notebook(ABOVE, new), base)
        assert names["mark"] in shown(after[1])
        assert served.kind == "forked"
        assert served.reason.startswith("copied: 4 variables, ")
        assert served.reason.endswith("from your kernel")
    assert shown(after[1]).startswith("([0]")
    await sandbox.aclose()


async def test_a_change_of_a_cell_above_is_tried_where_that_has_run_again(one, tmp_path):
    base = notebook(ABOVE, "doubled(), mark")
    taken, names = handed(base, 1)
    sandbox = CopiedSandbox(one, taken)
    after, served = await run(sandbox, tmp_path, notebook(ABOVE.replace("3]", "4]"), "doubled(), mark"), base)
    assert shown(after[1]).startswith("([2, 4, 8]")
    assert names["mark"] not in shown(after[1])
    assert "it changes a cell above those whose variables were copied" in served.reason


async def test_a_change_that_reads_what_was_not_copied_is_tried_where_it_is_there(one, tmp_path):
    above = ABOVE + "\nimport sqlite3\ncon = sqlite3.connect(':memory:')"
    base = notebook(above, "doubled()")
    taken, _ = handed(base, 1, others=["con"])
    sandbox = CopiedSandbox(one, taken)
    await run(sandbox, tmp_path, base, base)
    after, served = await run(sandbox, tmp_path, notebook(above, "con.execute('select 3').fetchone()"), base)
    assert shown(after[1]) == "(3,)"
    assert "not copied: `con` (sqlite3.Connection)" in served.reason
    after, served = await run(sandbox, tmp_path, notebook(above, "len(doubled())"), base)
    assert served.reason.endswith("from your kernel; not copied: `con` (sqlite3.Connection)")


async def test_where_a_cell_ends_otherwise_than_it_has_the_cells_above_run_again(one, tmp_path):
    base = notebook(ABOVE, "rows[5]")
    taken, names = handed(base, 1, ended={"1": "KeyError"})
    sandbox = CopiedSandbox(one, taken)
    before, _ = await run(sandbox, tmp_path, base, base)
    assert before[1].failure.ename == "IndexError"
    after, served = await run(sandbox, tmp_path, notebook(ABOVE, "mark"), base)
    assert names["mark"] not in shown(after[1])
    assert "cell 1 ended with KeyError in your kernel, and with IndexError in a copy of its variables" in served.reason


async def test_where_the_cage_is_not_as_the_live_kernel_the_cells_above_run_again_and_the_reason_is_said(one, tmp_path):
    base = notebook(ABOVE, "mark")
    taken, names = handed(base, 1, told={"locale": "another one"})
    sandbox = CopiedSandbox(one, taken)
    after, served = await run(sandbox, tmp_path, notebook(ABOVE, "mark * 1"), base)
    assert names["mark"] not in shown(after[1])
    assert "not copied: locale is not in the cage as it is in your kernel" in served.reason


async def test_what_cannot_be_loaded_does_not_serve(one, tmp_path):
    base = notebook(ABOVE, "mark")
    taken, names = handed(base, 1)
    os.pwrite(taken.pickled.file.fileno(), b"\x00" * 40, taken.pickled.size - 60)
    sandbox = CopiedSandbox(one, taken)
    after, served = await run(sandbox, tmp_path, notebook(ABOVE, "mark * 1"), base)
    assert names["mark"] not in shown(after[1])
    assert "what was copied could not be loaded" in served.reason


async def test_where_a_function_uses_what_was_left_out_the_cells_above_run_again(one, tmp_path):
    base = notebook(ABOVE, "mark, doubled()")
    taken, names = handed(base, 1, needed=("mark", "doubled", "os"))
    taken.pickled.left_out = {"rows": "cell 7 may have changed it"}
    sandbox = CopiedSandbox(one, taken)
    after, served = await run(sandbox, tmp_path, notebook(ABOVE, "mark * 1"), base)
    assert names["mark"] not in shown(after[1])
    assert "not copied: `rows` (cell 7 may have changed it), which a function uses" in served.reason


async def test_a_change_that_writes_is_tried_in_a_kernel_of_its_own(one, tmp_path):
    base = notebook(ABOVE, "mark")
    taken, _ = handed(base, 1)
    sandbox = CopiedSandbox(one, taken)
    await run(sandbox, tmp_path, base, base)
    after, served = await run(sandbox, tmp_path, notebook(ABOVE, "open('new', 'w').write('x')"), base)
    assert (after[1].status, served.kind) == ("ok", "fresh")
    assert "not copied: it changes files" in served.reason


async def test_afterwards_nothing_is_left(one, tmp_path):
    base = notebook(ABOVE, "mark")
    taken, _ = handed(base, 1)
    sandbox = CopiedSandbox(one, taken)
    others = psutil.Process().children(recursive=True)  # of tests before this one
    await run(sandbox, tmp_path, base, base)
    below = [p for p in psutil.Process().children(recursive=True) if p not in others]
    assert below
    await sandbox.aclose()
    assert taken.pickled.file.closed
    _, left = psutil.wait_procs(below, timeout=10)  # what is killed takes a moment to be gone
    assert not left
    assert not [p for p in temp_root().iterdir() if p.is_dir()]
    assert not any("selfcode" in str(p.readlink()) for p in Path("/proc/self/fd").iterdir() if p.exists())
