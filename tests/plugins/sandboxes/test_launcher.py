"""The launcher: it starts a command first and watches it then, and ends as it ended."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_selfcode.plugins.sandboxes import launcher

POLICY = {"file_size": 2**20}


def launch(code, **policy):
    return subprocess.run(
        launcher.command({"parent": os.getpid(), **POLICY, **policy}, [sys.executable, "-c", code]),
        capture_output=True, text=True, check=False, timeout=30, start_new_session=True,
    )  # fmt: skip


PATHS = st.lists(st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"])).map("/".__add__), max_size=3)


@given(
    st.dictionaries(st.sampled_from(["parent", "memory", "cpu", "user"]), st.integers(0, 2**62)),
    st.dictionaries(st.sampled_from(["needed", "mapped"]), PATHS),
    st.lists(st.text(), min_size=1),
)
def test_what_is_put_into_the_command_line_is_what_the_launcher_reads(numbers, paths, enclosed):
    words = launcher.command({**numbers, **paths, "disk": "", "processes": None}, enclosed)[4:]
    at = words.index("--")
    assert launcher.policy_of(words[:at]) == {"needed": [], "mapped": [], **numbers, **paths}
    assert words[at + 1 :] == enclosed


def test_next_to_nothing_is_imported_before_the_kernel_starts():
    # what `os` itself brings is what every Python with its library has
    code = f"import os, sys; before = set(sys.modules); exec(open({launcher.__file__!r}).read()); print(*set(sys.modules) - before)"
    names = {"__name__": "launcher", "__file__": launcher.__file__}
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"globals().update({names!r}); {code}"], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["__future__"]


@pytest.mark.parametrize(
    ("code", "ends"),
    [
        ("pass", 0),
        ("raise SystemExit(9)", 9),
        ("import os; os.abort()", -6),
        ("import os; os.kill(os.getpid(), 9)", -9),
    ],
)
def test_the_launcher_ends_as_its_command_ended(code, ends):
    assert launch(code).returncode == ends


def test_the_limits_are_set_in_the_command():
    code = "import resource as r; print([r.getrlimit(k)[0] for k in (r.RLIMIT_CORE, r.RLIMIT_FSIZE, r.RLIMIT_AS)])"
    assert json.loads(launch(code, memory=2**30).stdout) == [0, 2**20, 2**30 + launcher.RESERVE]


def test_a_file_beyond_the_limit_is_refused_to_it(tmp_path):
    done = launch(
        f"open({str(tmp_path / 'f')!r}, 'wb', buffering=0).write(b'x' * 2**21); print('wrote')", file_size=1000
    )
    assert (tmp_path / "f").stat().st_size <= 1000
    assert done.returncode == 0
    assert "wrote" in done.stdout or "File too large" in done.stderr


def test_memory_and_processes_beyond_their_limits_have_codes_of_their_own():
    assert launch("x = bytearray(2**28); import time; time.sleep(20)", memory=2**27).returncode == launcher.MEMORY
    many = "import subprocess, time; p = [subprocess.Popen(['sleep', '20']) for _ in range(20)]; time.sleep(20)"
    assert launch(many, processes=10).returncode == launcher.PROCESSES


def test_pages_that_workers_share_count_once():
    code = (
        "import os, time\nx = bytearray(os.urandom(1024)) * (100 * 1024)\n"
        "pids = [os.fork() for _ in range(1)]\n"
        "if os.fork() == 0 or 0 in pids:\n    time.sleep(0.6); os._exit(0)\n"
        "time.sleep(0.6)"
    )
    assert launch(code, memory=180 * 2**20).returncode == 0


def test_a_command_that_is_not_there_is_said():
    done = subprocess.run(
        launcher.command({"parent": os.getpid(), **POLICY}, ["/no/such"]),
        capture_output=True, text=True, check=False, start_new_session=True,
    )  # fmt: skip
    assert done.returncode == launcher.NOT_STARTED
    assert done.stderr.startswith("/no/such: ")


def test_a_launcher_whose_caller_is_not_its_parent_starts_nothing():
    assert launch("print('ran')", parent=1).stdout == ""


@pytest.mark.parametrize("caller", [[], ["sh", "-c", "trap '' INT; exec \"$@\"", "sh"]], ids=["plain", "in the background"])
def test_interrupts_reach_the_command_and_not_the_launcher(caller):
    code = "import time\ntry:\n    print('up', flush=True)\n    time.sleep(20)\nexcept KeyboardInterrupt:\n    print('interrupted')"
    command = launcher.command({"parent": os.getpid(), **POLICY}, [sys.executable, "-c", code])
    process = subprocess.Popen([*caller, *command], stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    process.send_signal(2)
    assert process.stdout.readline() == b"interrupted\n"
    assert process.wait(timeout=10) == 0
