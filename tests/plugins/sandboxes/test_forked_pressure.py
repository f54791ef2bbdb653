"""Copies share memory until they write it: where all of them together pass the limit, a fresh kernel takes over and says so."""

from __future__ import annotations

import pytest

from jupyter_selfcode.plugins.sandboxes.contained import ContainedSandbox
from jupyter_selfcode.plugins.sandboxes.forked import ForkedSandbox
from jupyter_selfcode.protocols import Limits
from jupyter_selfcode.values.notebook import Cell, Notebook

LIMITS = Limits(memory=500 * 2**20, cell_seconds=30)

STATE = "a = bytearray(b'x') * (220 * 2**20)"
"""With a kernel's own, more than half of what all may hold."""

WRITE = "a[::4096] = b'{}' * len(a[::4096])"
"""Writes every page, so that the process that does holds all of them itself."""

WAIT = "import time; time.sleep(.6)"
"""Longer than the watchdog needs to look."""


@pytest.fixture(params=["A", pytest.param("B", marks=pytest.mark.slow)])
async def sandbox(request, root, caged):
    made = ForkedSandbox(ContainedSandbox(caged(request.param)))
    yield made
    await made.aclose()


def notebook(*sources):
    return Notebook(tuple(Cell(str(i), "code", s) for i, s in enumerate(sources)))


async def run(sandbox, folder, wanted, base):
    async with sandbox.open_from(base, wanted, folder, LIMITS) as kernel:
        results = [await kernel.execute(c) for c in wanted.cells]
        return results, kernel.served, kernel.state


def shown(result):
    return "".join(str(o.get("data", {}).get("text/plain", "")) for o in result.outputs)


async def test_a_candidate_that_writes_what_is_shared_is_tried_anew_where_both_are_too_much(sandbox, tmp_path):
    base = notebook(STATE, "0")
    await run(sandbox, tmp_path, base, base)
    for letter in "yz":
        wanted = notebook(STATE, f"{WRITE.format(letter)}\n{WAIT}\nlen(a), a[0]")
        results, served, state = await run(sandbox, tmp_path, wanted, base)
        assert ([r.status for r in results], state) == (["ok", "ok"], "complete"), served
        assert shown(results[1]) == f"({220 * 2**20}, {ord(letter)})"
        assert served.kind == "forked" or "memory" in served.reason


async def test_a_notebook_that_writes_its_state_again_and_again_runs_as_it_does_in_a_fresh_kernel(sandbox, tmp_path):
    base = notebook(STATE, *(f"{WRITE.format(letter)}\n{WAIT}\na[0]" for letter in "bcd"))
    results, served, state = await run(sandbox, tmp_path, base, base)
    assert ([r.status for r in results], state) == (["ok"] * 4, "complete"), served
    wanted = notebook(*(c.source for c in base.cells[:3]), "a[0], 'changed'")
    results, served, state = await run(sandbox, tmp_path, wanted, base)
    assert ([r.status for r in results], state) == (["ok"] * 4, "complete"), served
    assert shown(results[3]) == f"({ord('c')}, 'changed')"
    assert served.kind == "forked" or "memory" in served.reason


@pytest.mark.slow
async def test_a_candidate_that_needs_more_than_the_limit_is_stopped_for_it_in_a_fresh_kernel_too(sandbox, tmp_path):
    base = notebook(STATE, "0")
    await run(sandbox, tmp_path, base, base)
    greedy = "import subprocess, sys\nhold = \"import time; x = b'x' * (200 * 2**20); time.sleep(20)\"\nfor _ in range(3): subprocess.Popen([sys.executable, '-c', hold])\ntime = __import__('time'); time.sleep(20)"
    results, served, state = await run(sandbox, tmp_path, notebook(STATE, greedy), base)
    assert (results[1].status, state) == ("stopped", "memory"), served
    assert (served.kind, "memory" in served.reason) == ("fresh", True)
