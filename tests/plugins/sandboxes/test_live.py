"""The kernel of a headless run: what nbclient gives, no more and no less."""

from __future__ import annotations

import asyncio
import os
import re

import nbformat
import pytest
from nbclient import NotebookClient

from jupyter_selfcode.plugins.sandboxes.contained import ContainedSandbox
from jupyter_selfcode.plugins.sandboxes.live import UNLIMITED, LiveCage, open_live
from jupyter_selfcode.protocols import Limits
from jupyter_selfcode.stages.validate import execute
from jupyter_selfcode.values.notebook import Cell, Notebook

ASSORTED = [
    "import sys\nprint('out')\nprint('err', file=sys.stderr)\nprint('out again')",
    "1 + 1",
    "None",
    "# only a comment",
    "",
    "x = [1, 2, 3]; x",
    "from IPython.display import HTML, Markdown, display, clear_output\ndisplay(HTML('<b>é</b>'), Markdown('*m*'))",
    "handle = display('first', display_id='shown')",
    "handle.update('second')",
    "display({'application/json': {'a': [1, {'b': None}]}}, raw=True, metadata={'k': 1})",
    "print('gone')\nclear_output()\nprint('stays')",
    "print('gone too')\nclear_output(wait=True)\nprint('late')",
    "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2, 3]);",
    "_",
    "await __import__('asyncio').sleep(0)\n'awaited'",
    "!echo from the shell",
    "%%capture captured\nprint('hidden')",
    "captured.stdout",
    "import warnings\nwarnings.warn('careful')",
    "class A:\n    def _repr_html_(self):\n        return '<i>a</i>'\n    def __repr__(self):\n        return 'A!'\nA()",
    "def f(n):\n    return 1 / n\nf(0)",
    "raise KeyError('lost')",
    "x = = 1",
    "exec('a = 1\\nraise ValueError(a)')",
    "import sys; sys.exit('enough')",
    "for i in range(300):\n    print(i)",
    "'last'",
]


def plainly(folder):
    """The outputs that nbclient itself gives."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in ASSORTED])
    NotebookClient(notebook, allow_errors=True, resources={"metadata": {"path": str(folder)}}).execute()
    return [(joined(c.outputs), c.execution_count) for c in notebook.cells]


def joined(outputs):
    """Outputs with streams joined by name: where a kernel cuts them is chance."""
    streams, others = {}, []
    for output in outputs:
        if output["output_type"] == "stream":
            streams[output["name"]] = streams.get(output["name"], "") + output["text"]
        else:
            others.append({k: v for k, v in output.items() if k != "traceback"} | errors(output))
    return streams, others


def errors(output):
    return {"traceback": [line for line in output["traceback"] if "/" not in line]} if "traceback" in output else {}


def masked(found):
    """Names of cells in warnings, and addresses, differ from process to process."""
    return re.sub(r"[\w/.-]*/ipykernel_\d+/\d+\.py|0x[0-9a-f]+", "…", str(found))


async def test_outputs_are_those_of_nbclient_in_a_run_and_in_a_trial(root, tmp_path):
    expected = masked(await asyncio.to_thread(plainly, tmp_path))
    notebook = Notebook(tuple(Cell(f"c{i}", "code", s) for i, s in enumerate(ASSORTED)))
    contained = open_live(notebook, tmp_path, cage=LiveCage(ContainedSandbox().tier))
    for opened in (open_live(notebook, tmp_path), contained, ContainedSandbox().open(notebook, tmp_path, Limits())):
        async with opened as kernel:
            results = [await kernel.execute(c) for c in notebook.cells]
        assert masked([(joined(r.outputs), r.execution_count) for r in results]) == expected
        assert [ASSORTED[i] for i, r in enumerate(results) if r.status == "error"] == ASSORTED[20:25]


async def test_a_run_has_the_environment_and_the_folder_of_the_user(root, tmp_path, monkeypatch):
    monkeypatch.setenv("ANY_SETTING", "kept")
    code = "import os\nopen('made.txt', 'w').close()\nprint(os.getcwd(), os.environ['ANY_SETTING'], os.environ['JUPYTER_SELFCODE_HOST'])"
    async with open_live(Notebook(), tmp_path) as kernel:
        result = await kernel.execute(Cell("c", "code", code))
    assert result.outputs[0]["text"] == f"{tmp_path} kept run\n"
    assert (tmp_path / "made.txt").exists()
    assert "JUPYTER_SELFCODE_HOST" not in os.environ


async def test_a_run_takes_outputs_of_any_size(root, tmp_path):
    async with open_live(Notebook(), tmp_path, Limits(output=1000)) as kernel:
        result = await kernel.execute(Cell("c", "code", "print('x' * 30_000_000)"))
    assert (result.status, kernel.state) == ("ok", "complete")
    assert sum(len(o["text"]) for o in result.outputs) == 30_000_001


async def test_a_kernel_is_asked_to_end_so_that_what_it_registered_runs(root, left, tmp_path):
    code = f"import atexit, pathlib\natexit.register(pathlib.Path({str(tmp_path / 'bye')!r}).touch)"
    async with open_live(Notebook(), tmp_path) as kernel:
        await kernel.execute(Cell("c", "code", code.replace(".touch)", ".touch);")))
    assert (tmp_path / "bye").exists()
    assert left() == []


async def test_a_run_keeps_the_times_it_is_given_and_notices_death(root, left, tmp_path):
    async with open_live(Notebook(), tmp_path, Limits(cell_seconds=0.4)) as kernel:
        result = await kernel.execute(Cell("c", "code", "while True: pass"))
    assert (result.status, kernel.state, kernel.detail) == (
        "stopped",
        "timeout",
        "stopped after 0.4 s of your 0.4 s limit",
    )
    async with open_live(Notebook(), tmp_path) as kernel:
        result = await kernel.execute(Cell("c", "code", "import os; os._exit(7)"))
    assert (result.status, kernel.state) == ("stopped", "died")
    assert "exit code 7" in kernel.detail
    assert left() == []


async def test_nothing_is_left_when_a_run_is_cancelled(root, left, tmp_path):
    async def work():
        async with open_live(Notebook(), tmp_path) as kernel:
            await kernel.execute(Cell("c", "code", "import time; time.sleep(60)"))

    for after in (0.05, 0.6):
        task = asyncio.ensure_future(work())
        await asyncio.sleep(after)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert left() == []


@pytest.mark.parametrize("contained", [False, True])
async def test_the_language_and_the_widgets_of_a_run_are_known_for_the_notebook(root, tmp_path, contained):
    code = (
        "from ipykernel.comm import Comm\n"
        "Comm(target_name='jupyter.widget', comm_id='w1', data={'state': {'_model_name': 'M', '_model_module': 'm'}});"
    )
    cage = LiveCage(ContainedSandbox().tier) if contained else None
    async with open_live(Notebook(), tmp_path, cage=cage) as kernel:
        assert "widgets" not in kernel.metadata
        await kernel.execute(Cell("c", "code", code))
        state = kernel.metadata["widgets"]["application/vnd.jupyter.widget-state+json"]["state"]
    assert kernel.metadata["language_info"]["name"] == "python"
    assert state["w1"]["model_name"] == "M"


async def test_the_stages_drive_a_run(root, tmp_path):
    cells = [
        Cell("a", "code", '%%selfcode\n"""Seven.\n\n>>> n\n7\n"""\nn = 7'),
        Cell("m", "markdown", "words"),
        Cell("b", "code", "1 / 0", {"tags": ["raises-exception"]}),
        Cell("s", "code", "1 / 0", {"tags": ["skip-execution"]}),
        Cell("c", "code", '%%selfcode\n"""Eight.\n\n>>> n\n8\n"""\nn = 9'),
        Cell("d", "code", "never = 1"),
    ]
    async with open_live(Notebook(tuple(cells)), tmp_path, UNLIMITED) as kernel:
        found = [pair async for pair in execute(kernel, cells)]
    assert [(r.cell_id, r.status) for r, _ in found] == [
        ("a", "ok"), ("b", "ok"), ("s", "skipped"), ("c", "error"),
    ]  # fmt: skip
    assert [e.passed for _, held in found for e in held] == [True, False]
    assert found[-1][0].failure.ename == "ContractBroken"
    assert found[-1][0].failure.evalue == "n gave 9, the contract says 8"
