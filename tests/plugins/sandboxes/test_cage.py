"""What the cage program does around the kernel that it becomes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import psutil
import pytest

from jupyter_selfcode.plugins.sandboxes import cage
from jupyter_selfcode.plugins.sandboxes.contained import ContainedSandbox
from jupyter_selfcode.plugins.sandboxes.live import LiveCage, open_live
from jupyter_selfcode.protocols import Limits
from jupyter_selfcode.values.notebook import Cell, Notebook


@pytest.mark.parametrize("debugger", [False, True])
def test_a_debugger_is_imported_only_where_it_could_connect_and_is_there_for_a_cell(debugger):
    code = (
        "import gc, json, sys, runpy\n"
        f"runpy.run_path({cage.__file__!r})['ahead']('ipykernel_launcher', debugger={debugger})\n"
        "from ipykernel.debugger import _is_debugpy_available as offered\n"
        "loaded = 'debugpy' in sys.modules\n"
        "import debugpy\n"
        "print(json.dumps([offered, loaded, gc.isenabled(), 'ipykernel.kernelapp' in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == [debugger, debugger, True, True]


async def test_who_owns_a_file_has_a_name_where_names_are_looked_up(caged, root, tmp_path):
    code = "import pathlib; p = pathlib.Path('made'); p.touch(); (p.owner(), p.group())"
    async with ContainedSandbox(caged("A")).open(Notebook(), tmp_path, Limits()) as kernel:
        result = await kernel.execute(Cell("c", "code", code))
    assert result.outputs[0]["data"]["text/plain"] == "('sandbox', 'sandbox')"


@pytest.mark.parametrize("tier", ["A", "B"])
async def test_a_kernel_in_a_cage_offers_no_debugger_and_does_not_outlive_its_launcher(tier, caged, root, tmp_path):
    async with open_live(Notebook(), tmp_path, cage=LiveCage(caged(tier))) as kernel:
        assert "debugger" not in kernel._info["supported_features"]
        code = "import gc, debugpy, os; (gc.isenabled(), os.getppid() > 0)"
        result = await kernel.execute(Cell("c", "code", code))
        assert result.outputs[0]["data"]["text/plain"] == "(True, True)"
        launcher = psutil.Process(kernel._process.process.pid)
        below = launcher.children(recursive=True)
        assert below
        os.kill(launcher.pid, signal.SIGKILL)
        assert psutil.wait_procs(below, timeout=10)[1] == []
