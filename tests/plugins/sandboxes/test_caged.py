"""What a cage lets through, what it keeps back, and the same cage around a live kernel."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest
from jupyter_client.manager import AsyncKernelManager

from jupyter_selfcode.plugins.sandboxes import caged as caged_module
from jupyter_selfcode.plugins.sandboxes import place, scratch
from jupyter_selfcode.plugins.sandboxes.contained import ContainedSandbox
from jupyter_selfcode.plugins.sandboxes.live import LiveCage, open_live
from jupyter_selfcode.protocols import Limits
from jupyter_selfcode.values.notebook import Cell, Notebook


@pytest.fixture(params=["A", "B"])
def tier(request, caged):
    return caged(request.param)


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "project"
    made.mkdir()
    return made


def text_of(result):
    return "".join(o.get("text", "") + str(o.get("data", {}).get("text/plain", "")) for o in result.outputs)


async def run(kernel, *sources):
    return [await kernel.execute(Cell(str(i), "code", s)) for i, s in enumerate(sources)]


async def tried(folder, *sources, limits=Limits(), **options):
    async with ContainedSandbox(**options).open(Notebook(), folder, limits) as kernel:
        return await run(kernel, *sources), kernel.state, kernel.detail


# ---- grants ----------------------------------------------------------------------------------------------------------


async def test_data_outside_of_the_folder_is_read_where_it_was_granted_and_never_written(tier, root, tmp_path, folder):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_text("a\n1\n")
    code = f"open({str(tmp_path / 'data' / 'a.csv')!r}).read()"
    write = f"open({str(tmp_path / 'data' / 'b.csv')!r}, 'w')"
    (refused,), _, _ = await tried(folder, code, wanted=tier)
    (read, written), _, _ = await tried(folder, code, write, wanted=tier, readable=(str(tmp_path / "data"),))
    assert refused.failure.ename in ("FileNotFoundError", "PermissionError")
    assert text_of(read) == "'a\\n1\\n'"
    assert written.status == "error"
    assert [p.name for p in (tmp_path / "data").iterdir()] == ["a.csv"]


async def test_no_grant_means_that_nothing_was_granted(tier, root, folder):
    listing = "import os\nprint([p for p in ('/home', '/var', '/opt', '/srv', '/mnt') if os.access(p, os.R_OK) and os.listdir(p)])"
    (result,), _, _ = await tried(folder, listing, wanted=tier, readable=())
    assert result.status == "error" or text_of(result) == "[]\n"


async def test_the_network_is_there_where_it_was_granted(root, folder, caged):
    caged("A")
    with socket.create_server(("127.0.0.1", 0)) as server:
        code = f"import socket\nsocket.create_connection(('127.0.0.1', {server.getsockname()[1]}), 5).close()"
        (refused,), _, _ = await tried(folder, code, wanted="A")
        (result,), _, _ = await tried(folder, code, wanted="A", network=True)
    assert (refused.failure.ename, result.status) == ("OSError", "ok")


# ---- what a trial sees of the folder -----------------------------------------------------------------------------------


async def test_files_that_look_secret_are_shown_empty(tier, root, folder):
    for name in (".env", "server.pem", "id_rsa", "credentials-1.json"):
        (folder / name).write_text("canary-1234567890")
    (folder / ".aws").mkdir()
    (folder / ".aws" / "credentials").write_text("canary-1234567890")
    code = "import pathlib\nfor p in pathlib.Path('.').rglob('*'):\n    print(p, p.read_text() if p.is_file() else '')"
    (result,), _, detail = await tried(folder, code, wanted=tier)
    assert result.status == "ok"
    assert "server.pem" in text_of(result)
    assert "canary" not in text_of(result)
    assert "shown empty" in detail


async def test_what_is_too_large_to_copy_is_read_in_its_place_and_not_written(tier, root, folder, monkeypatch):
    copy = scratch.copy_folder
    monkeypatch.setattr(place, "copy_folder", lambda *a, **k: copy(*a, **k, size=1000))
    (folder / "big.bin").write_bytes(b"x" * 5000)
    (folder / "small.txt").write_text("small")
    (read, written, small), _, detail = await tried(
        folder, "len(open('big.bin').read())", "open('big.bin', 'a').write('y')", "open('small.txt', 'a').write('y')", wanted=tier
    )
    assert text_of(read) == "5000"
    assert (written.status, small.status) == ("error", "ok")
    assert "big.bin" in detail
    assert (folder / "big.bin").stat().st_size == 5000


async def test_writing_without_end_is_stopped_with_a_clear_line(tier, root, left, folder):
    code = "for n in range(10_000):\n    open(f'f{n}', 'wb').write(b'x' * 2**20)"
    results, state, detail = await tried(folder, code, wanted=tier, limits=Limits(disk=50 * 2**20))
    assert (results[0].status, state) == ("stopped", "disk")
    assert detail == "stopped: it wrote more than your limit of 50 MB"
    assert left() == []


async def test_a_command_of_the_shell_shows_what_it_prints_and_how_it_ended(tier, root, folder):
    (said, code), _, _ = await tried(folder, "!echo one; echo two >&2; exit 3", "_exit_code", wanted=tier)
    assert text_of(said).split() == ["one", "two"]
    assert text_of(code) == "3"


async def test_libraries_that_use_threads_and_processes_work(tier, root, folder):
    numpy = "import numpy as np\nfloat(np.ones((300, 300)) @ np.ones(300) @ np.ones(300))"
    forest = (
        "from sklearn.ensemble import RandomForestClassifier\n"
        "RandomForestClassifier(10, n_jobs=2).fit([[0], [1]] * 20, [0, 1] * 20).score([[0], [1]], [0, 1])"
    )
    results, state, _ = await tried(
        folder, numpy, forest, "import sqlite3\nsqlite3.connect('x.db').execute('select 1').fetchall()",
        "import asyncio\nawait asyncio.sleep(0.01)", "import subprocess\nsubprocess.run(['true']).returncode", wanted=tier,
    )  # fmt: skip
    assert [r.status for r in results] == ["ok"] * 5, [r.failure for r in results]
    assert state == "complete"


# ---- a live kernel -----------------------------------------------------------------------------------------------------


async def test_any_jupyter_starts_the_contained_kernel_by_its_name_and_nothing_is_left(tier, root, left, folder, monkeypatch):
    monkeypatch.setattr(caged_module.ContainedProvisioner.tier, "default_value", tier)
    (folder / ".git").mkdir()
    outside = Path(tempfile.mkdtemp()) / "canary"
    outside.write_text("canary")
    kernels = AsyncKernelManager(kernel_name="selfcode-contained")
    await kernels.start_kernel(cwd=str(folder), stderr=subprocess.DEVNULL)
    assert all(Path(f"{kernels.ip}-{port}").is_socket() for port in kernels.ports)  # no client comes too early
    said: list[str] = []

    async def ask(code):
        said.clear()
        await client.execute_interactive(code, timeout=30, output_hook=lambda m: said.append(m["content"].get("text", "")))
        return "".join(said)

    client = kernels.client()
    client.start_channels()
    try:
        await client.wait_for_ready(timeout=30)
        assert await ask("open('mine.txt', 'w').write('mine'); import os; print(os.getcwd())") == f"{folder}\n"
        assert "canary" not in await ask(f"print(open({str(outside)!r}).read())")
        assert "contained" in await ask("%load_ext jupyter_selfcode\n%selfcode history")
        await ask("open('.git/hook', 'w').close()")
        assert (folder / ".git" / "hook").exists() is (tier == "B")  # rules alone can carve nothing out
        sleeping = asyncio.ensure_future(client.execute_interactive("import time; time.sleep(30)", timeout=40))
        await asyncio.sleep(0.5)
        await kernels.interrupt_kernel()
        assert (await sleeping)["content"]["ename"] == "KeyboardInterrupt"
        client.stop_channels()
        await kernels.restart_kernel()
        client = kernels.client()
        client.start_channels()
        await client.wait_for_ready(timeout=30)
        assert await ask("print(open('mine.txt').read())") == "mine\n"
    finally:
        client.stop_channels()
        await kernels.shutdown_kernel(now=True)
    made = folder / "mine.txt"
    assert (made.read_text(), made.stat().st_uid) == ("mine", os.getuid())
    assert left() == []
    assert [p for p in root.iterdir() if p.name.startswith("selfcode-")] == []


async def test_a_contained_run_works_in_the_real_folder_and_reaches_nothing_else(tier, root, left, tmp_path, folder):
    (tmp_path / "other.txt").write_text("canary")
    (tmp_path / "out").mkdir()
    cage = LiveCage(tier, writable=(str(tmp_path / "out"),))
    async with open_live(Notebook(), folder, cage=cage) as kernel:
        own, other, out, network = await run(
            kernel, "open('own.txt', 'w').write('own')", f"open({str(tmp_path / 'other.txt')!r}).read()",
            f"open({str(tmp_path / 'out' / 'x.txt')!r}, 'w').write('out')",
            "import socket\nsocket.create_connection(('127.0.0.1', 9), 2)",
        )  # fmt: skip
    assert [own.status, other.status, out.status, network.status] == ["ok", "error", "ok", "error"]
    assert network.failure.ename == "OSError"  # not refused by a closed port: there is no such socket
    assert (folder / "own.txt").read_text() == "own"
    assert (tmp_path / "out" / "x.txt").stat().st_uid == os.getuid()
    assert left() == []
