"""What memory there is, and the most that a trial has held."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from jupyter_selfcode.plugins.sandboxes import memory
from jupyter_selfcode.plugins.sandboxes.contained import ContainedSandbox
from jupyter_selfcode.plugins.sandboxes.memory import Peak, highest
from jupyter_selfcode.protocols import Limits
from jupyter_selfcode.values.notebook import Cell, Notebook

MIB = 2**20


@pytest.mark.parametrize(("group", "free"), [({}, 4 * 2**20), ({"memory.max": "max", "memory.current": "1"}, 4 * 2**20), (
    {"memory.max": "3000", "memory.current": "2500", "memory.stat": "anon 1\ninactive_file 400\nslab 2\n"}, 900)])  # fmt: skip
def test_spare_memory_is_that_of_the_machine_or_less_where_a_group_has_less(tmp_path, monkeypatch, group, free):
    (tmp_path / "meminfo").write_text("MemTotal:  9000 kB\nMemFree:  1 kB\nMemAvailable:    4096 kB\n", "ascii")
    for name, text in group.items():
        (tmp_path / name).write_text(text, "ascii")
    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "GROUP", tmp_path)
    assert memory.spare() == free
    (tmp_path / "meminfo").unlink()
    assert memory.spare() == (900 if "memory.stat" in group else None)


async def test_a_short_peak_is_counted_and_so_is_what_a_cell_starts(root, tmp_path, caged):
    once = Cell("once", "code", "held = bytearray(300 * 2**20); del held")
    child = "import sys; x = bytearray(200 * 2**20); print('up', flush=True); sys.stdin.read()"
    two = Cell(
        "two", "code", "import subprocess, sys\npipe = subprocess.PIPE\n"
        f"many = [subprocess.Popen([sys.executable, '-c', {child!r}], stdin=pipe, stdout=pipe) for _ in range(3)]\n"
        "[each.stdout.readline() for each in many]",
    )  # fmt: skip
    async with ContainedSandbox(caged("A")).open(Notebook(), tmp_path, Limits()) as kernel:
        before = kernel.peak
        await kernel.execute(once)
        short = kernel.peak
        await kernel.execute(two)
        assert before < 200 * MIB < 300 * MIB < short < 500 * MIB < 600 * MIB < kernel.peak < 1200 * MIB


def test_pages_that_processes_share_are_counted_once():
    code = (
        "import os, time\nheld = bytearray(b'x' * (200 * 2**20))\n"
        "children = []\nfor _ in range(3):\n    pid = os.fork()\n    if not pid:\n        time.sleep(60)\n    children.append(pid)\n"
        "print('up', flush=True)\ntime.sleep(60)\n"
    )
    shell = subprocess.Popen(
        [sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}])"],
        stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        assert shell.stdout.readline() == "up\n"
        assert 200 * MIB < Peak().look(shell.pid, now=True) < 450 * MIB
    finally:
        os.killpg(shell.pid, signal.SIGKILL)
        shell.wait()
        shell.stdout.close()


def test_of_a_process_that_is_gone_nothing_is_known():
    assert highest(2**22 + 1) == 0
    assert Peak().look(2**22 + 1, now=True) == 0
