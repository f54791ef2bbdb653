"""The sandbox, on real kernels in every tier: every limit with its clear line, what a trial may see, and that nothing is left."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from jupyter_selfcode.plugins.sandboxes import nbclient_kernel
from jupyter_selfcode.plugins.sandboxes.contained import ContainedSandbox
from jupyter_selfcode.protocols import Limits
from jupyter_selfcode.values.errors import KernelUnavailable
from jupyter_selfcode.values.notebook import Cell, Notebook

MIB = 2**20
LONG = f"300.{os.getpid()}"
"""Seconds that no other process sleeps: in a cage of namespaces they are all that tells whose it is."""
STAY = f"import subprocess\nchild = subprocess.Popen(['sleep', '{LONG}'])\nsubprocess.Popen(['setsid', 'sleep', '{LONG}'])\n"


TIER = {"now": "auto"}


@pytest.fixture(autouse=True, params=["A", "B", "C"])
def tier(request, caged):
    """Each tier, chosen by name: never another tier's results in its place."""
    TIER["now"] = caged(request.param)
    return request.param


IN_ONE_TIER = pytest.mark.parametrize("tier", ["auto"], indirect=True)
"""For what the driver does with a kernel, wherever that runs."""


def sandbox(**options):
    return ContainedSandbox(**{"wanted": TIER["now"], **options})


def cell(source, name="c", **metadata):
    return Cell(name, "code", source, metadata)


def text_of(result):
    return "".join(o.get("text", "") + str(o.get("data", {}).get("text/plain", "")) for o in result.outputs)


async def run(folder, *sources, limits=Limits(), **options):
    """The results of these cells, and the state and detail of the kernel after them."""
    async with sandbox(**options).open(Notebook(), folder, limits) as kernel:
        results = [await kernel.execute(cell(s, str(i))) for i, s in enumerate(sources)]
        return results, kernel.state, kernel.detail


# ---- limits --------------------------------------------------------------------------------------------------------


async def test_an_endless_loop_is_interrupted_at_its_limit_and_says_where_it_was(root, left, tmp_path):
    results, state, detail = await run(tmp_path, "n = 0\nwhile True:\n    n += 1", "n", limits=Limits(cell_seconds=0.5))
    assert (results[0].status, results[0].failure.ename) == ("stopped", "CellTimeoutError")
    assert (state, detail) == ("timeout", "stopped after 0.5 s of your 0.5 s limit")
    assert results[0].failure.line in (2, 3)
    assert "KeyboardInterrupt" in results[0].failure.traceback
    assert results[1].status == "stopped"
    assert left() == []


async def test_a_cell_that_is_deaf_to_interrupts_is_killed(root, left, tmp_path, monkeypatch):
    monkeypatch.setattr(nbclient_kernel, "GRACE_SECONDS", 0.3)
    deaf = (
        "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nprint('deaf', flush=True)\ntime.sleep(60)"
    )
    results, state, _ = await run(tmp_path, deaf, limits=Limits(cell_seconds=0.5))
    assert (results[0].status, state) == ("stopped", "timeout")
    assert text_of(results[0]) == "deaf\n"
    assert left() == []


async def test_the_whole_run_has_a_limit_too(root, tmp_path):
    cells = ["import time; time.sleep(.4)"] * 4  # no one of them takes as long, all together do on any machine
    results, state, detail = await run(tmp_path, *cells, limits=Limits(cell_seconds=50, seconds=1.5))
    assert results[-1].status == "stopped"
    assert (state, detail) == ("timeout", "stopped after 1.5 s of your 1.5 s limit for the whole run")


async def test_memory_beyond_the_limit_ends_the_run(root, left, tmp_path):
    greedy = "held = []\nwhile True:\n    held.append(bytearray(b'x') * (8 * 2**20))"
    results, state, detail = await run(tmp_path, greedy, limits=Limits(memory=300 * MIB))
    assert (results[0].status, results[0].failure.ename) == ("stopped", "MemoryError")
    assert (state, detail) == ("memory", "stopped: it took more memory than your limit of 300 MB")
    assert left() == []


async def test_the_memory_of_children_counts(root, left, tmp_path):
    code = "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'import time; x = b\"x\" * 2**28; time.sleep(60)'])"
    _, state, _ = await run(tmp_path, code, limits=Limits(memory=250 * MIB))
    assert state == "memory"
    assert left() == []


async def test_an_absurd_allocation_is_a_memory_error_on_its_line(root, tmp_path):
    results, state, _ = await run(tmp_path, "a = 1\nb = bytearray(10**12)", limits=Limits(memory=500 * MIB))
    assert (results[0].status, results[0].failure.ename, results[0].failure.line) == ("error", "MemoryError", 2)
    assert state == "complete"


@IN_ONE_TIER
@pytest.mark.parametrize(
    "flood",
    [
        "print('x' * 100_000_000)",
        "for _ in range(1_000_000):\n    print('x' * 100)",
        "while True:\n    display({'text/html': 'x' * 1_000_000}, raw=True)",
        "raise ValueError('x' * 100_000_000)",
    ],
    ids=["one message", "many lines", "displays", "error"],
)
async def test_a_flood_of_output_is_stopped_and_the_parent_stays_small(root, left, tmp_path, flood, monkeypatch):
    monkeypatch.setattr(nbclient_kernel, "IDLE_SECONDS", 1.0)
    before = psutil.Process().memory_info().rss
    peaks = [before]

    async def watch():
        while True:
            peaks.append(psutil.Process().memory_info().rss)
            await asyncio.sleep(0.02)

    watching = asyncio.ensure_future(watch())
    results, state, detail = await run(tmp_path, flood, limits=Limits(output=5 * MIB))
    watching.cancel()
    assert (results[0].status, results[0].failure.ename) == ("stopped", "OutputLimitError")
    assert state == "output"
    assert "your limit of 5 MB" in detail
    assert max(peaks) - before < 80 * MIB
    assert left() == []


@IN_ONE_TIER
async def test_a_flood_of_tiny_displays_is_stopped(root, tmp_path, monkeypatch):
    monkeypatch.setattr(nbclient_kernel, "MESSAGES", 500)
    _, state, detail = await run(tmp_path, "for i in range(5000):\n    display(i)")
    assert (state, detail) == ("output", "stopped: it sent more than 500 messages")


@IN_ONE_TIER
async def test_an_honest_cell_with_many_displays_loses_none_though_the_caller_is_busy(root, tmp_path):
    # a pause now and then, for a kernel's own queue is shorter than ours, and where threads starve it drops what is beyond
    code = "import time\nfor i in range(3000):\n    display(i)\n    if not i % 50:\n        time.sleep(.02)"
    async with sandbox().open(Notebook(), tmp_path, Limits()) as kernel:
        running = asyncio.ensure_future(kernel.execute(cell(code)))
        await asyncio.sleep(0.05)
        time.sleep(1.5)  # nothing is read meanwhile
        result = await running
        assert [o["data"]["text/plain"] for o in result.outputs] == [str(i) for i in range(3000)]
        assert kernel.state == "complete"


@IN_ONE_TIER
async def test_what_is_nested_too_deep_is_refused_and_the_parent_lives(root, left, tmp_path):
    deep = (
        "import json\nip = get_ipython()\nnested = 0\nfor _ in range(400):\n    nested = [nested]\n"
        "pub = ip.display_pub\nfrom ipykernel.jsonutil import json_clean\n"
        "s = ip.kernel.session\ns.pack = lambda o: (b'[' * 100_000 + b']' * 100_000)\n"
        "display(1)"
    )
    results, state, detail = await run(tmp_path, deep, limits=Limits(cell_seconds=10))
    assert results[0].status == "stopped"
    assert state == "output"
    assert "cannot be read" in detail
    assert left() == []


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import os; os._exit(0)", "it ended itself with exit code 0"),
        ("import ctypes; ctypes.string_at(0)", "Segmentation fault"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "Killed"),
    ],
)
async def test_a_kernel_that_dies_is_never_a_pass(root, left, tmp_path, source, said):
    results, state, detail = await run(tmp_path, "1", source, "2")
    assert [r.status for r in results] == ["ok", "stopped", "stopped"]
    assert results[1].failure.ename == "DeadKernelError"
    assert state == "died"
    assert detail.startswith("the kernel died")
    assert said in detail
    assert left() == []


@IN_ONE_TIER
@pytest.mark.parametrize("source", ["exit()", "quit", "get_ipython().ask_exit()"])
async def test_a_cell_that_ends_the_kernel_politely_is_never_a_pass(root, tmp_path, source):
    results, state, detail = await run(tmp_path, source)
    assert (results[0].status, state) == ("stopped", "died")
    assert "ends the kernel" in detail


async def test_too_many_processes_end_the_run(root, left, tmp_path):
    code = "import subprocess, time\np = [subprocess.Popen(['sleep', '60']) for _ in range(60)]\ntime.sleep(20)"
    _, state, detail = await run(tmp_path, code, limits=Limits(processes=40))
    assert (state, detail) == ("died", "stopped: it started too many processes")
    assert left() == []


@IN_ONE_TIER
async def test_a_contract_that_never_ends_is_interrupted_and_the_kernel_goes_on(root, tmp_path):
    async with sandbox().open(Notebook(), tmp_path, Limits()) as kernel:
        assert await kernel.evaluate("while True: pass", seconds=0.3) == {}
        assert (kernel.state, (await kernel.execute(cell("1"))).status) == ("complete", "ok")


# ---- what a trial sees ---------------------------------------------------------------------------------------------


async def test_no_key_reaches_a_trial(root, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-1234567890abcdef")
    monkeypatch.setenv("MY_SETTING", "canary-of-no-form")
    monkeypatch.setenv("HTTPS_PROXY", "http://me:canary-pass@proxy:1")
    monkeypatch.setenv("LC_TIME", "C.UTF-8")
    code = (
        "import os\nprint(dict(os.environ))\nfor n in ('self', os.getppid(), 1):\n    try:\n"
        "        print(n, open(f'/proc/{n}/environ').read())\n    except OSError as e:\n        print(n, e)"
    )
    (result,), _, _ = await run(tmp_path, code)
    assert result.status == "ok"
    assert "canary" not in text_of(result)
    assert "'LC_TIME': 'C.UTF-8'" in text_of(result)
    assert "'JUPYTER_SELFCODE_HOST': 'trial'" in text_of(result)


@IN_ONE_TIER
async def test_a_variable_can_be_granted_by_name_but_not_one_that_looks_secret(root, tmp_path, monkeypatch):
    monkeypatch.setenv("DATA_ROOT", "/data")
    monkeypatch.setenv("DB_PASSWORD", "swordfish-1")
    (result,), _, _ = await run(
        tmp_path,
        "import os\nos.environ.get('DATA_ROOT'), os.environ.get('DB_PASSWORD')",
        grants=("DATA_ROOT", "DB_PASSWORD"),
    )
    assert text_of(result) == "('/data', None)"


async def test_temporary_files_and_settings_are_thrown_away_with_the_trial(tier, root, left, tmp_path):
    code = "import os, tempfile\nprint(tempfile.mkstemp()[1], os.environ['IPYTHONDIR'], os.environ['MPLCONFIGDIR'], os.getcwd())"
    (result,), _, _ = await run(tmp_path, code)
    made, ipython, matplotlib, folder = text_of(result).split()
    for path in (ipython, matplotlib) if tier == "A" else (made, ipython, matplotlib, folder):
        assert path.startswith(str(root.resolve()))
        assert not Path(path).exists()
    assert not Path(made).exists()
    assert (folder == str(tmp_path.resolve())) is (tier == "A")  # where it stands for the real one, under its name
    assert left() == []


async def test_a_trial_cannot_write_into_the_real_folder_by_mistake(tier, root, tmp_path):
    (tmp_path / "report.txt").write_text("mine")
    (tmp_path / ".cache").mkdir()
    code = f"open({str(tmp_path / 'report.txt')!r}).read(), open({str(tmp_path / 'report.txt')!r}, 'w')"
    hidden = f"open({str(tmp_path / '.cache' / 'x')!r}, 'w').write('a cache may be written')"
    results, _, _ = await run(tmp_path, code, f"import os; os.remove({str(tmp_path / 'report.txt')!r})", hidden)
    written = {"A": ["ok"] * 3, "B": ["error"] * 3, "C": ["error", "error", "ok"]}  # A: into the copy, by its real name
    assert [r.status for r in results] == written[tier]
    assert {r.failure.ename for r in results[:2] if r.failure} <= {"PermissionError"}
    if tier == "C":
        assert "writes only into its copy" in results[0].failure.evalue
    assert (tmp_path / "report.txt").read_text() == "mine"
    assert (tmp_path / ".cache" / "x").exists() is (tier == "C")


async def test_modules_beside_the_notebook_are_imported_from_the_copy(tier, root, tmp_path):
    (tmp_path / "mine.py").write_text("WHERE = __file__")
    (result, changed), _, _ = await run(
        tmp_path, "import mine; mine.WHERE", "open('mine.py', 'w').write('WHERE = 0')\nimport importlib; importlib.reload(mine).WHERE"
    )
    assert (str(root) in text_of(result)) is (tier != "A")
    assert text_of(changed) == "0"
    assert (tmp_path / "mine.py").read_text() == "WHERE = __file__"


async def test_figures_come_out_as_pictures(root, tmp_path):
    code = "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2, 3])"
    async with sandbox().open(Notebook(), tmp_path, Limits()) as kernel:
        result = await kernel.execute(cell(code))
        await kernel.evaluate("_selfcode_reply({})")
        after = await kernel.execute(cell("plt.get_fignums()"))
    assert result.status == "ok"
    assert [o["output_type"] for o in result.outputs] == ["execute_result", "display_data"]
    assert result.outputs[1]["data"]["image/png"].startswith("iVBOR")
    assert text_of(after) == "[]"


@IN_ONE_TIER
async def test_the_cell_id_is_known_to_the_kernel(root, tmp_path):
    async with sandbox().open(Notebook(), tmp_path, Limits()) as kernel:
        result = await kernel.execute(cell("get_ipython().kernel.get_parent()['metadata']['cellId']", "my-cell"))
    assert text_of(result) == "'my-cell'"


@IN_ONE_TIER
async def test_a_widget_cannot_swallow_outputs_in_a_trial(root, tmp_path):
    code = (
        "from ipykernel.comm import Comm\n"
        "parent = get_ipython().kernel.get_parent()['header']['msg_id']\n"
        "Comm(target_name='jupyter.widget', data={'state': {'_model_module': '@jupyter-widgets/output',"
        " '_model_name': 'OutputModel', 'msg_id': parent, 'outputs': []}})\n"
        "print('seen')"
    )
    (result,), state, _ = await run(tmp_path, code)
    assert (result.status, state) == ("ok", "complete")
    assert "seen" in text_of(result)


# ---- which kernel --------------------------------------------------------------------------------------------------


async def open_with(folder, **kernelspec):
    async with sandbox().open(Notebook((), {"kernelspec": kernelspec}), folder, Limits()):
        pass


@IN_ONE_TIER
async def test_an_unknown_kernel_is_refused_and_the_installed_ones_are_listed(root, left, tmp_path):
    with pytest.raises(KernelUnavailable, match=r"'no-such' is not installed here \(installed: .*python3"):
        await open_with(tmp_path, name="no-such")
    assert left() == []


@IN_ONE_TIER
async def test_a_kernel_that_is_not_python_is_refused(root, tmp_path, monkeypatch):
    spec = tmp_path / "jupyter" / "kernels" / "ir"
    spec.mkdir(parents=True)
    (spec / "kernel.json").write_text('{"argv": ["R", "{connection_file}"], "display_name": "R", "language": "R"}')
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    for name in ("ir", "not-installed"):
        with pytest.raises(KernelUnavailable, match="is for R; notebooks with a Python kernel are supported"):
            await open_with(tmp_path, name=name, language="R")


@pytest.mark.parametrize("argv", [["/no/such/python", "{connection_file}"], [sys.executable, "-c", "import not_here"]])
async def test_a_kernel_that_does_not_start_says_what_it_said_last(root, left, tmp_path, monkeypatch, argv):
    import json

    spec = tmp_path / "jupyter" / "kernels" / "broken"
    spec.mkdir(parents=True)
    (spec / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "Broken", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    with pytest.raises(KernelUnavailable, match=r"'broken' did not start .*(not_here|no/such)"):
        await open_with(tmp_path, name="broken")
    assert left() == []


@IN_ONE_TIER
async def test_a_folder_that_is_gone_is_one_clear_line(root, left, tmp_path):
    with pytest.raises(KernelUnavailable, match="is not there"):
        await open_with(tmp_path / "gone", name="python3")
    assert left() == []


# ---- nothing is left -----------------------------------------------------------------------------------------------


async def test_nothing_is_left_after_success_with_children_and_daemons(root, left, tmp_path):
    results, state, _ = await run(tmp_path, STAY + "child.pid")
    assert (results[0].status, state) == ("ok", "complete")
    assert left() == []


async def test_nothing_is_left_when_the_body_raises(root, left, tmp_path):
    async def work():
        async with sandbox().open(Notebook(), tmp_path, Limits()) as kernel:
            await kernel.execute(cell(STAY))
            raise LookupError("in the body")

    with pytest.raises(LookupError, match="in the body"):
        await work()
    assert left() == []


@pytest.mark.parametrize("after", [0.0, 0.03, 0.15, 0.6])
async def test_nothing_is_left_when_it_is_cancelled_at_any_time(root, left, tmp_path, after):
    task = asyncio.ensure_future(run(tmp_path, STAY + "import time; time.sleep(60)"))
    await asyncio.sleep(after)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert left() == []
    pending = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
    assert pending == []


async def test_nothing_is_left_when_it_is_cancelled_again_while_it_cleans_up(root, left, tmp_path):
    task = asyncio.ensure_future(run(tmp_path, STAY + "import time; time.sleep(60)"))
    await asyncio.sleep(0.5)
    for _ in range(5):
        task.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert left() == []


async def test_when_the_caller_is_killed_its_trials_die_and_the_next_one_sweeps(tier, root, left, tmp_path):
    code = f"""
import asyncio, pathlib
from jupyter_selfcode.plugins.sandboxes.contained import ContainedSandbox
from jupyter_selfcode.protocols import Limits
from jupyter_selfcode.values.notebook import Cell, Notebook

async def main():
    async with ContainedSandbox({tier!r}).open(Notebook(), pathlib.Path({str(tmp_path)!r}), Limits()) as kernel:
        await kernel.execute(Cell("c", "code", {STAY!r}))
        print("ready", flush=True)
        await kernel.execute(Cell("d", "code", "import time; time.sleep(300)"))

asyncio.run(main())
"""
    caller = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, env={**os.environ, "TMPDIR": str(root)}
    )
    assert caller.stdout is not None
    assert caller.stdout.readline() == b"ready\n"
    assert len([found for found in left() if f"sleep {LONG}" in found]) == 2
    caller.send_signal(signal.SIGKILL)
    caller.wait()
    deadline = time.monotonic() + 10
    while any(" " in found for found in left()) and time.monotonic() < deadline:
        await asyncio.sleep(0.05)
    assert [Path(found).name for found in left()] == ["1"]  # only the folder
    await run(tmp_path, "1")
    assert left() == []
