"""What a trial did: told by the witness of a real kernel, found in the folder, and bounded where the teller is hostile."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
from contextlib import asynccontextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyter_selfcode.plugins.sandboxes import observed as module
from jupyter_selfcode.plugins.sandboxes.contained import ContainedSandbox
from jupyter_selfcode.plugins.sandboxes.observed import Observed, Watched, difference, look
from jupyter_selfcode.protocols import Limits
from jupyter_selfcode.values.effect import Effect
from jupyter_selfcode.values.notebook import Cell, Notebook
from jupyter_selfcode.values.request import Failure


async def effects_of(folder, *sources, **sandbox):
    """All that was observed of these cells, named by their place, and how much went untold."""
    async with ContainedSandbox(**sandbox).open(Notebook(), folder, Limits()) as kernel:
        results = [await kernel.execute(Cell(str(i), "code", s)) for i, s in enumerate(sources)]
        effects, unseen = await kernel.effects()
    return results, list(effects), unseen


# ---- told by the witness of a real kernel ---------------------------------------------------------------------------


async def test_files_that_are_read_created_changed_deleted_and_renamed_are_told_by_cell(root, tmp_path):
    (tmp_path / "data.csv").write_text("a,b\n1,2\n")
    (tmp_path / "old.txt").write_text("x")
    _, effects, unseen = await effects_of(
        tmp_path, "text = open('data.csv').read()", "open('new.csv', 'w').write(text)\nopen('data.csv', 'a').write('3')",
        "import os\nos.remove('data.csv')\nos.rename('old.txt', 'renamed.txt')",
    )  # fmt: skip
    assert effects == [
        Effect("reads", "data.csv", "0"), Effect("creates", "new.csv", "1"), Effect("changes", "data.csv", "1"),
        Effect("deletes", "data.csv", "2"), Effect("deletes", "old.txt", "2"), Effect("creates", "renamed.txt", "2"),
    ]  # fmt: skip
    assert unseen == 0


async def test_what_lies_outside_is_told_by_its_whole_path_and_the_real_folder_is_refused(root, tmp_path):
    """With limits only: in a cage neither is there."""
    folder = tmp_path / "nb"
    folder.mkdir()
    (tmp_path / "elsewhere.txt").write_text("x")
    (folder / "link.txt").symlink_to(tmp_path / "elsewhere.txt")
    (folder / "mine.txt").write_text("x")
    _, effects, _ = await effects_of(
        folder, "open('link.txt').read()", f"open({str(folder / 'mine.txt')!r}, 'w')", "open('/etc/passwd').read()",
        wanted="C",
    )  # fmt: skip
    assert effects == [
        Effect("reads", str(tmp_path / "elsewhere.txt"), "0"), Effect("changes", "mine.txt", "1", refused=True),
        Effect("reads", "/etc/passwd", "2"),
    ]  # fmt: skip
    assert [e.outside for e in effects] == [True, False, True]


@pytest.mark.parametrize("tier", ["auto", "C"])
async def test_network_processes_environment_and_native_code_are_told_without_values(root, tmp_path, tier):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        _, effects, _ = await effects_of(
            tmp_path, f"import socket\ntry: socket.create_connection(('127.0.0.1', {port})).close()\nexcept OSError: pass",
            "import subprocess\nsubprocess.run(['true', 'now'])",
            "import os\nos.environ['COLOR'] = 'swordfish'\nos.environ.pop('COLOR')",
            "import ctypes\nctypes.CDLL(None)", wanted=tier,
        )  # fmt: skip
    told = [(e.kind, e.cell_id) for e in effects]
    assert told == [("network", "0"), ("process", "1"), ("environment", "2"), ("native", "3")]
    assert [e.what for e in effects] == [f"127.0.0.1:{port}", "true now", "COLOR", "this process"]
    assert [e.refused for e in effects] == [tier != "C", False, False, False]


async def test_the_home_folder_is_named_as_it_is_typed_in_every_tier(root, tmp_path):
    for tier in ("auto", "B"):
        _, effects, _ = await effects_of(tmp_path, "import os\nopen(os.path.expanduser('~/.bashrc'), 'a').close()", wanted=tier)
        assert [(e.kind in ("creates", "changes"), e.what) for e in effects] == [(True, "~/.bashrc")]


async def test_what_libraries_do_for_themselves_is_not_told(root, tmp_path):
    (tmp_path / "mine.py").write_text("X = 1\n")
    _, effects, unseen = await effects_of(
        tmp_path, "import pandas, numpy, sklearn.linear_model, mine\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])",
        "import tempfile\ntempfile.NamedTemporaryFile('w').write('x')",
    )  # fmt: skip
    assert effects == []
    assert unseen == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mine.py"]


async def test_a_child_that_writes_is_found_in_the_folder_and_named_by_the_cell(root, tmp_path):
    (tmp_path / "data.csv").write_text("x")
    code = "import subprocess, sys\nsubprocess.run([sys.executable, '-c', \"open('a.bin', 'w'); open('data.csv', 'a').write('y')\"])"
    _, effects, _ = await effects_of(tmp_path, "1", code)
    assert [(e.kind, e.what, e.cell_id) for e in effects[1:]] == [("creates", "a.bin", "1"), ("changes", "data.csv", "1")]


async def test_a_witness_that_was_silenced_shows(root, tmp_path):
    silence = "import os\nfor fd in range(3, 200):\n    try:\n        if 'pipe' in os.readlink(f'/proc/self/fd/{fd}'): os.close(fd)\n    except OSError: pass"
    results, _, unseen = await effects_of(tmp_path, "1", silence, "2")
    assert [r.status for r in results] == ["ok", "ok", "ok"]
    assert unseen > 0


async def test_what_was_refused_by_the_system_is_marked_where_the_failure_names_it(root, tmp_path):
    (tmp_path / "kept").mkdir()
    code = "import pathlib\nraise PermissionError(13, 'Permission denied', 'b.txt') if not open('b.txt', 'w').write('x') == 0 else 0"
    results, effects, _ = await effects_of(tmp_path, "open('a.txt', 'w')\n" + code)
    assert results[0].failure.ename == "PermissionError"
    assert {(e.what, e.refused) for e in effects} == {("a.txt", False), ("b.txt", True)}


# ---- the reader, and a hostile teller --------------------------------------------------------------------------------


@asynccontextmanager
async def teller(tmp_path):
    """An `Observed` that is at work on cell `c`, and the end of the pipe to write to."""
    work = tmp_path / "work"
    work.mkdir(exist_ok=True)
    made = Observed(Watched(tmp_path, work, work, tmp_path / "private"))
    fd = os.dup(made.given)
    await made.listen()
    made.cell_id = "c"
    try:
        yield made, fd
    finally:
        made.close()
        os.close(fd)


@pytest.mark.parametrize(
    "line",
    [
        b"\xff\xfe junk", b"[" * 4000, b"x" * 100_000, b"{}", b"[1, 2]", b'["reads"]', b'["reads", "a", "b"]', b'["owns", "a"]',
        b"NaN", b'["reads", ["a"]]', b"",
    ],
    ids=lambda line: line[:12].decode("latin-1"),
)  # fmt: skip
async def test_what_is_no_line_of_the_witness_is_no_effect_and_is_counted(tmp_path, line):
    async with teller(tmp_path) as (made, fd):
        os.write(fd, line + b"\n" + json.dumps(["creates", "true.txt"]).encode() + b"\n")
        made.drain()
        effects, unseen = made.told()
    assert effects == (Effect("creates", "true.txt", "c"),)
    assert unseen > 0


async def test_text_is_cleaned_cut_and_redacted(tmp_path, monkeypatch):
    monkeypatch.setenv("MY_API_KEY", "swordfish-1234")
    async with teller(tmp_path) as (made, fd):
        for what in ("a\x1b]52;c;ZXZpbA==\x07b\x1b[31m\u202e", "http://x/?k=swordfish-1234", "y" * 900, str(tmp_path / "work" / "n.csv")):
            os.write(fd, json.dumps(["network", what]).encode() + b"\n")
        made.drain()
        said = [e.what for e in made.told()[0]]
    assert said[0] == "ab"
    assert said[1] == "http://x/?k=«secret»"
    assert len(said[2]) == module.WIDTH
    assert said[3] == "n.csv"


async def test_a_flood_is_not_read_to_its_end_and_shows(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "BYTES", 50_000)
    async with teller(tmp_path) as (made, fd):
        with contextlib.suppress(BlockingIOError):
            for i in range(10**6):
                os.write(fd, json.dumps(["reads", f"/{i}" + "x" * 200]).encode() + b"\n")
                if i % 100 == 0:
                    await asyncio.sleep(0)
        assert i < 20_000, "nobody reads any more"
        effects, unseen = made.told()
    assert unseen > 0
    assert len(effects) <= module.TOLD


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(max_size=200), max_size=20))
async def test_no_bytes_hurt_the_reader(tmp_path, lines):
    async with teller(tmp_path) as (made, fd):
        for line in lines:
            os.write(fd, line + b"\n")
        made.drain()
        effects, unseen = made.told()
        assert len(effects) + unseen <= sum(line.count(b"\n") + 1 for line in lines)


async def test_what_the_kernel_does_before_any_cell_is_nobodys(tmp_path):
    async with teller(tmp_path) as (made, fd):
        made.cell_id = ""
        os.write(fd, b'["creates", "a"]\n')
        made.drain()
        assert made.told() == ((), 0)


async def test_refusals_are_those_of_the_last_effect_or_of_the_one_the_failure_names(tmp_path):
    async with teller(tmp_path) as (made, fd):
        os.write(fd, b'["creates", "a.txt"]\n["creates", "b.txt"]\n')
        made.settle(Failure("c", "PermissionError", "[Errno 13] Permission denied: 'a.txt'"))
        assert [(e.what, e.refused) for e in made.told()[0]] == [("a.txt", True), ("b.txt", False)]


# ---- the folder ------------------------------------------------------------------------------------------------------


def test_the_difference_of_a_folder_follows_no_links_and_is_not_fooled_by_times(tmp_path):
    (tmp_path / "sub").mkdir()
    for name in ("same", "sub/changed", "gone"):
        (tmp_path / name).write_text("1")
    (tmp_path / "loop").symlink_to(tmp_path)
    before, whole = look(tmp_path)
    times = (tmp_path / "sub/changed").stat()
    while True:  # a clock that ticks slowly must tick
        (tmp_path / "sub/changed").write_text("2")
        os.utime(tmp_path / "sub/changed", ns=(times.st_atime_ns, times.st_mtime_ns))
        if (tmp_path / "sub/changed").stat().st_ctime_ns != times.st_ctime_ns:
            break
    (tmp_path / "gone").unlink()
    (tmp_path / ".new").symlink_to("/etc")
    assert whole
    assert set(difference(before, look(tmp_path)[0])) == {
        Effect("creates", ".new"), Effect("deletes", "gone"), Effect("changes", "sub/changed"),
    }  # fmt: skip


def test_a_folder_with_too_much_in_it_is_said_not_to_be_whole(tmp_path):
    for i in range(5):
        (tmp_path / str(i)).touch()
    assert look(tmp_path, entries=5)[1]
    assert not look(tmp_path, entries=4)[1]
