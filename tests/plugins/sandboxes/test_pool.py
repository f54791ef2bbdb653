"""Kernels that wait: as clean as new ones, given the folder as it is at the trial, few, and gone with whoever asked for them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

from jupyter_selfcode.bridge import Bridge
from jupyter_selfcode.config import SelfCode
from jupyter_selfcode.plugins.sandboxes import pool as pools
from jupyter_selfcode.plugins.sandboxes.contained import ContainedSandbox
from jupyter_selfcode.plugins.sandboxes.pool import pool
from jupyter_selfcode.plugins.stores.sql import SqlStore
from jupyter_selfcode.protocols import Limits
from jupyter_selfcode.selfcode import make_engine
from jupyter_selfcode.values.notebook import Cell, Notebook

STATE = """
import asyncio, builtins, decimal, gc, hashlib, json, locale, logging, os, resource, signal, sys, threading, warnings
shell = get_ipython()
print(json.dumps({
    "cwd": os.getcwd(), "files": sorted(os.listdir()), "path": sys.path, "flags": repr(sys.flags),
    "environment": dict(os.environ), "limits": [resource.getrlimit(n) for n in range(16)],
    "filters": repr(warnings.filters), "modules": sorted(sys.modules), "finders": [getattr(f, "__name__", type(f).__name__) for f in sys.meta_path], "hooks": len(sys.path_hooks),
    "builtins": sorted(vars(builtins)), "decimal": repr(decimal.getcontext()), "locale": locale.setlocale(locale.LC_ALL),
    "log": [repr(h) for h in logging.root.handlers] + [logging.root.level], "loggers": sorted(logging.root.manager.loggerDict),
    "threads": sorted(t.name for t in threading.enumerate()), "gc": gc.get_threshold(), "umask": os.umask(0o22),
    "signals": [repr(signal.getsignal(n)).split(" at ")[0] for n in signal.valid_signals()],
    "names": sorted(shell.user_ns), "hidden": sorted(shell.user_ns_hidden), "count": shell.execution_count,
    "in": shell.user_ns["In"], "out": list(shell.user_ns["Out"]), "history": len(shell.history_manager.input_hist_raw),
    "events": {n: [getattr(c, "__name__", "") for c in cs] for n, cs in shell.events.callbacks.items()},
    "magics": {k: sorted(v) for k, v in shell.magics_manager.magics.items()}, "hook": type(sys.displayhook).__name__,
    "settings": hashlib.sha256(repr(sys.modules["matplotlib"].rcParams if "matplotlib" in sys.modules else "").encode()).hexdigest(),
    "formatters": sorted(map(str, shell.display_formatter.formatters["text/html"].type_printers)),
}, default=str))
"""
IMPORTS = Cell("imports", "code", "import numpy as np\nimport pandas as pd\nimport matplotlib.pyplot as plt")


@pytest.fixture(params=["A", "B"])
def tier(request, caged):
    return caged(request.param)


def notebook(*sources):
    return Notebook(tuple(Cell(str(i), "code", s) for i, s in enumerate(sources)))


def text_of(result):
    return "".join(o.get("text", "") for o in result.outputs)


async def waiting():
    """The kernel that waits, once it is ready."""
    (only,) = pool()._waiting
    return await asyncio.shield(only._ready)


async def kept(sandbox, nb, folder, limits=Limits()):
    """Let one kernel be asked for, so that another waits. Gives the one that waits."""
    async with sandbox.open(nb, folder, limits):
        return await waiting()


def folder_in(tmp_path):
    folder = tmp_path / "nb"
    folder.mkdir()
    (folder / "data.csv").write_text("a\n1\n", "utf-8")
    return folder


async def state(kernel, *cells):
    for cell in cells:
        assert (await kernel.execute(cell)).status == "ok"
    found = json.loads(text_of(await kernel.execute(Cell("state", "code", STATE))))
    slot = Path(found["environment"]["IPYTHONDIR"]).parents[1]
    del found["environment"]["JPY_PARENT_PID"]
    return json.loads(json.dumps(found).replace(str(slot), "SLOT"))


@pytest.mark.parametrize("cells", [pytest.param((), marks=pytest.mark.slow), (IMPORTS,)])
async def test_a_kernel_that_waited_is_as_clean_as_a_new_one(root, left, tmp_path, tier, cells):
    folder, nb = folder_in(tmp_path), Notebook(cells)
    async with ContainedSandbox(tier).open(nb, folder, Limits()) as kernel:
        new = await state(kernel, *cells)
    warm = await kept(ContainedSandbox(tier, warm=1), nb, folder)
    assert warm.imports == (("import numpy", "import pandas", "import matplotlib.pyplot") if cells else ())
    async with ContainedSandbox(tier, warm=1).open(nb, folder, Limits()) as kernel:
        assert kernel is warm.kernel
        waited = await state(kernel, *cells)
    assert {k: (new[k], waited[k]) for k in new if new[k] != waited[k]} == {}


async def test_what_the_folder_holds_is_what_it_holds_at_the_trial(root, left, tmp_path, tier):
    folder = folder_in(tmp_path)
    (folder / "mine.py").write_text("x = 1\n", "utf-8")
    warm = await kept(ContainedSandbox(tier, warm=1), Notebook(), folder)
    (folder / "mine.py").write_text("x = 2\n", "utf-8")
    (folder / "data.csv").unlink()
    (folder / "sub").mkdir()
    (folder / "sub" / "new.csv").write_text("b\n2\n", "utf-8")
    async with ContainedSandbox(tier, warm=1).open(Notebook(), folder, Limits()) as kernel:
        assert kernel is warm.kernel
        shown = await kernel.execute(Cell("c", "code", "import os, mine\nprint(mine.x, sorted(os.listdir()), os.listdir('sub'))"))
        assert text_of(shown) == "2 ['mine.py', 'sub'] ['new.csv']\n"
        assert (await kernel.effects())[0] == ()
        await kernel.execute(Cell("d", "code", "open('made.txt', 'w').close()"))
        assert [(e.kind, e.what, e.cell_id) for e in (await kernel.effects())[0]] == [("creates", "made.txt", "d")]
    assert not (folder / "made.txt").exists()


@pytest.mark.slow
async def test_its_cell_has_the_first_number_and_the_limits_of_a_whole_run_begin_when_it_serves(root, left, tmp_path, caged):
    folder, limits = folder_in(tmp_path), Limits(seconds=4.0)
    warm = await kept(ContainedSandbox(caged("A"), warm=1), Notebook(), folder, limits)
    await asyncio.sleep(4.5)
    async with ContainedSandbox("A", warm=1).open(Notebook(), folder, limits) as kernel:
        assert kernel is warm.kernel
        result = await kernel.execute(Cell("c", "code", "1 + 1"))
        assert (result.status, result.execution_count) == ("ok", 1)


SHOWS = {
    "prints": "print('hello')",
    "prints from another program": "import os\nos.system('echo hello')",
    "warns": "import warnings\nwarnings.warn('old', UserWarning)",
    "shows": "from IPython.display import display\ndisplay(1)",
    "writes a file": "open('made.txt', 'w').close()",
    "fails": "raise RuntimeError('no')",
    "ends the kernel": "import os\nos._exit(1)",
}


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A folder of modules that every kernel can import."""
    folder = tmp_path / "installed"
    folder.mkdir()
    (folder / "quiet.py").write_text("x = 1\n", "utf-8")
    (folder / "quiet_too.py").write_text("try:\n    import optional\nexcept ImportError:\n    optional = None\n", "utf-8")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("what", SHOWS)
async def test_an_import_that_would_show_is_left_to_its_cell(root, left, tmp_path, caged, installed, what):
    (installed / "loud.py").write_text(SHOWS[what], "utf-8")
    nb = notebook("import quiet\nimport loud\nimport quiet_too")
    sandbox = ContainedSandbox(caged("A"), warm=1, readable=(str(installed),))
    warm = await kept(sandbox, nb, folder_in(tmp_path))
    assert warm.imports == (("import quiet",) if what == "fails" else ())
    async with sandbox.open(nb, tmp_path / "nb", Limits()) as kernel:
        assert kernel is warm.kernel
        shown = await kernel.execute(nb.cells[0])
        seen = {
            "prints": "hello" in text_of(shown), "prints from another program": "hello" in text_of(shown), "warns": "UserWarning: old" in text_of(shown),
            "shows": any(o["output_type"] == "display_data" for o in shown.outputs), "fails": shown.failure is not None,
            "writes a file": [e.what for e in (await kernel.effects())[0]] == ["made.txt"], "ends the kernel": kernel.state == "died",
        }  # fmt: skip
        assert seen[what]
    await ended()


BESIDE = {"matplotlibrc": "", "quiet.py": "x = 2\n", "optional.py": "x = 3\n", "optional/data.csv": "", "setup.cfg": ""}


@pytest.mark.slow
@pytest.mark.parametrize("name", BESIDE)
async def test_what_lies_beside_the_notebook_and_an_import_may_look_for_makes_a_new_kernel(root, tmp_path, caged, installed, name):
    folder, nb = folder_in(tmp_path), notebook("import quiet\nimport quiet_too")
    sandbox = ContainedSandbox(caged("A"), warm=1, readable=(str(installed),))
    warm = await kept(sandbox, nb, folder)
    assert warm.imports
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(BESIDE[name], "utf-8")
    async with sandbox.open(nb, folder, Limits()) as kernel:
        assert kernel is not warm.kernel
        shown = await kernel.execute(Cell("c", "code", "import quiet, quiet_too\nprint(quiet.x, quiet_too.optional is not None)"))
        assert text_of(shown) == {"optional.py": "1 True\n", "optional/data.csv": "1 True\n"}.get(name, "1 False\n")
    await ended()


async def test_a_module_that_was_loaded_and_has_changed_since_is_loaded_anew(root, tmp_path, caged, installed):
    folder, nb = folder_in(tmp_path), notebook("import quiet")
    sandbox = ContainedSandbox(caged("A"), warm=1, readable=(str(installed),))
    warm = await kept(sandbox, nb, folder)
    (installed / "quiet.py").write_text("x = 'changed'\n", "utf-8")
    async with sandbox.open(nb, folder, Limits()) as kernel:
        assert kernel is not warm.kernel
        assert text_of(await kernel.execute(Cell("c", "code", "import quiet\nprint(quiet.x)"))) == "changed\n"
    await ended()


@pytest.mark.slow
@pytest.mark.parametrize("imports", ["import quiet_too", "import warnings\nwarnings.simplefilter('error')\nimport quiet", "x = 1"])
async def test_a_notebook_that_begins_otherwise_gets_a_new_kernel(root, tmp_path, caged, installed, imports):
    folder = folder_in(tmp_path)
    sandbox = ContainedSandbox(caged("A"), warm=1, readable=(str(installed),))
    warm = await kept(sandbox, notebook("import quiet"), folder)
    async with sandbox.open(notebook(imports), folder, Limits()) as kernel:
        assert kernel is not warm.kernel
        assert text_of(await kernel.execute(Cell("c", "code", "import sys\nprint('quiet' in sys.modules)"))) == "False\n"
    await ended()


@pytest.mark.slow
async def test_other_variables_or_other_limits_get_a_new_kernel(root, tmp_path, caged, monkeypatch):
    folder, sandbox = folder_in(tmp_path), ContainedSandbox(caged("A"), warm=1)
    warm = await kept(sandbox, Notebook(), folder)
    async with sandbox.open(Notebook(), folder, Limits(memory=2**30)) as kernel:
        assert kernel is not warm.kernel
    warm = await kept(sandbox, Notebook(), folder)
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    async with sandbox.open(Notebook(), folder, Limits()) as kernel:
        assert kernel is not warm.kernel
        assert text_of(await kernel.execute(Cell("c", "code", "import os\nprint(os.environ['PYTHONHASHSEED'])"))) == "7\n"
    await ended()


@pytest.mark.slow
async def test_nothing_of_a_trial_is_in_the_next(root, left, tmp_path, tier):
    folder, sandbox = folder_in(tmp_path), ContainedSandbox(tier, warm=1)
    for _ in range(3):
        async with sandbox.open(Notebook(), folder, Limits()) as kernel:
            shown = await kernel.execute(Cell("c", "code", "import os\nprint('here' in globals(), os.path.exists('made'))\nhere = open('made', 'w')"))
            assert text_of(shown) == "False False\n"
            await waiting()
    await ended()
    assert left() == []


@pytest.mark.slow
async def test_few_wait_and_those_longest_asked_for_go_first(root, left, tmp_path, caged):
    folder = folder_in(tmp_path)
    sandbox = ContainedSandbox(caged("A"), warm=2)
    first, second, third = notebook("import json"), notebook("import csv"), notebook("import bisect")
    for nb in (first, second, third):
        async with sandbox.open(nb, folder, Limits()):
            await asyncio.shield(pool()._waiting[-1]._ready)
    assert [w.imports for w in pool()._waiting] == [("import csv",), ("import bisect",)]
    async with sandbox.open(first, folder, Limits()):
        assert [w.imports for w in pool()._waiting] == [("import bisect",), ("import json",)]
    await ended()
    assert left() == []


async def test_none_waits_while_memory_is_short_and_one_that_waits_goes(root, left, tmp_path, caged, monkeypatch):
    monkeypatch.setattr(pools, "LOOK_SECONDS", 0.05)
    folder, sandbox = folder_in(tmp_path), ContainedSandbox(caged("A"), warm=1)
    await kept(sandbox, Notebook(), folder)
    (only,) = pool()._waiting
    monkeypatch.setattr(pools, "SPARE", 2**60)
    await asyncio.wait({only.task})
    assert pool()._waiting == []
    assert left() == []
    async with sandbox.open(Notebook(), folder, Limits()):
        assert pool()._waiting == []


async def test_one_that_waited_long_enough_goes(root, left, tmp_path, caged, monkeypatch):
    monkeypatch.setattr(pools, "LOOK_SECONDS", 0.05)
    await kept(ContainedSandbox(caged("A"), warm=1, warm_seconds=0.1), Notebook(), folder_in(tmp_path))
    await asyncio.wait({w.task for w in pool()._waiting} or {asyncio.ensure_future(asyncio.sleep(0))})
    assert pool()._waiting == []
    assert left() == []


@pytest.mark.slow
async def test_one_that_was_killed_while_it_waited_is_not_missed(root, left, tmp_path, caged):
    folder, sandbox = folder_in(tmp_path), ContainedSandbox(caged("A"), warm=1)
    warm = await kept(sandbox, Notebook(), folder)
    for child in psutil.Process().children(recursive=True):
        if str(root) in " ".join(child.cmdline()):
            child.kill()
    async with sandbox.open(Notebook(), folder, Limits()) as kernel:
        assert kernel is not warm.kernel
        assert (await kernel.execute(Cell("c", "code", "1"))).status == "ok"
    await ended()
    assert left() == []


@pytest.mark.slow
async def test_where_the_folder_cannot_be_laid_out_for_it_a_new_kernel_serves(root, left, tmp_path, caged):
    folder, sandbox = folder_in(tmp_path), ContainedSandbox(caged("A"), warm=1)
    warm = await kept(sandbox, Notebook(), folder)
    warm.place.work.rmdir()
    warm.place.work.write_text("in the way", "utf-8")
    async with sandbox.open(Notebook(), folder, Limits()) as kernel:
        assert kernel is not warm.kernel
        assert (await kernel.execute(Cell("c", "code", "open('data.csv')"))).status == "ok"
    await ended()
    assert left() == []


@pytest.mark.slow
async def test_who_is_cancelled_while_a_kernel_is_laid_out_leaves_nothing(root, left, tmp_path, caged):
    folder, sandbox = folder_in(tmp_path), ContainedSandbox(caged("A"), warm=1)
    await kept(sandbox, Notebook(), folder)

    async def use():
        async with sandbox.open(Notebook(), folder, Limits()):
            await asyncio.sleep(60)

    for seconds in (0.0, 0.002, 0.01, 0.05):
        task = asyncio.ensure_future(use())
        await asyncio.sleep(seconds)
        task.cancel()
        await asyncio.wait({task})
    await ended()
    assert left() == []


def test_a_session_keeps_one_by_default_and_none_after_it_is_closed(root, left, tmp_path, caged):
    folder, bridge = folder_in(tmp_path), Bridge()
    with contextlib.closing(SqlStore(tmp_path / "history.sqlite")) as store:
        made = make_engine(SelfCode(sandbox=caged("A")), store)

    async def tried():
        sandbox = made.sandbox.fresh if hasattr(made.sandbox, "fresh") else made.sandbox
        for _ in range(2):
            async with sandbox.open(Notebook(), folder, Limits()) as kernel:
                yield kernel, await waiting()

    (_, warm), (second, _) = bridge.iterate(tried)
    assert second is warm.kernel
    assert left() != []
    bridge.close()
    assert left() == []


PARENT = """
import asyncio, sys
from pathlib import Path
from jupyter_selfcode.plugins.sandboxes.contained import ContainedSandbox
from jupyter_selfcode.plugins.sandboxes.pool import pool
from jupyter_selfcode.plugins.stores.sql import SqlStore
from jupyter_selfcode.protocols import Limits
from jupyter_selfcode.selfcode import make_engine
from jupyter_selfcode.values.notebook import Notebook

async def main():
    async with ContainedSandbox(sys.argv[2], warm=1).open(Notebook(), Path(sys.argv[1]), Limits()):
        await pool()._waiting[0]._ready
    print("waits", flush=True)
    await asyncio.sleep(60 if sys.argv[3] == "killed" else 0)

asyncio.run(main())
"""


@pytest.mark.parametrize("how", [pytest.param("ends", marks=pytest.mark.slow), "killed"])
async def test_none_outlives_the_process_that_it_waits_in(root, left, tmp_path, tier, how):
    folder = folder_in(tmp_path)
    command = [sys.executable, "-c", textwrap.dedent(PARENT), str(folder), tier, how]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(root)})
    assert parent.stdout.readline() == "waits\n"
    if how == "killed":
        parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    for _ in range(100):
        processes = [line for line in left() if not line.startswith("/")]
        if not processes:
            break
        await asyncio.sleep(0.05)
    assert processes == []
    async with ContainedSandbox(tier).open(Notebook(), folder, Limits()):
        pass
    assert left() == []


async def ended():
    """None waits any more."""
    for each in list(pool()._waiting):
        await each.end()
