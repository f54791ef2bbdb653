"""A person at a live notebook whose cells above took long: for a trial they do not run again, and what is uncertain runs again."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from tests.journeys.kernels import FrontEnd

SALES = "sales = pd.DataFrame({'month': [1, 1, 2], 'revenue': [1.0, 2.0, 3.0]})"
FAILS = "by_month = scaled(sales.groupby('month')['revenu'].sum())\nby_month"


@pytest.fixture
def trials():
    """Where trials are laid out: a path that is short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="sc") as folder:
        yield Path(folder)


@pytest.fixture
def session(tmp_path, trials):
    """A notebook that looks for a repair wherever the cells above took any time."""
    folder = tmp_path / "notebook"
    folder.mkdir()
    kernel = FrontEnd(folder, TMPDIR=str(trials))
    kernel.run("%load_ext jupyter_selfcode", "a")
    kernel.run("%config SelfCode.copied_seconds = 0.01", "b")
    yield kernel
    kernel.close()


def work(session, *above, fails=FAILS):
    """Run these cells, then one that fails; what the proposal of a repair says, on one line."""
    for i, source in enumerate(above):
        answer = session.run(source, f"u{i}")
        assert answer.status == "ok", answer.text
    session.run(fails, "z")
    return re.sub(r"\s+", " ", session.run("%selfcode fix", "fix").text)


def begin(counter, more=""):
    """Cells that leave a trace outside of the folder whenever they run."""
    return (
        "import pandas as pd, time",
        f"time.sleep(0.1)\nopen({str(counter)!r}, 'a').write('x')\n{SALES}\nfactor = 2\ndef scaled(values): return values * factor\n{more}",
    )


def left_of(session):
    """Files without a name that the kernel holds in the folder of trials."""
    files = []
    for descriptor in Path(f"/proc/{session.manager.provisioner.pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            files.append(str(descriptor.readlink()))
    return [f for f in files if "jupyter-selfcode" in f and "deleted" in f]


def test_a_repair_is_tried_on_the_variables_of_the_session_and_no_cell_above_runs_again(session, tmp_path):
    said = work(session, *begin(tmp_path / "count"), "import sqlite3\ncon = sqlite3.connect(':memory:')")
    assert "'revenue'" in said
    assert re.search(r"copied: \d+ variables, [\d.]+ MB, from your kernel; not copied: `con` \(sqlite3.Connection\)", said)
    assert "ran in a copy of a kernel that was given the variables of yours (contained, tier" in said
    assert (tmp_path / "count").read_text() == "x"
    assert left_of(session) == []
    assert "version 2" in session.run("%selfcode accept", "yes").text
    assert session.value("by_month.tolist()") == "[6.0, 6.0]"


@pytest.mark.slow
def test_what_is_needed_and_cannot_be_copied_is_named_and_the_cells_above_run_again(session, tmp_path):
    said = work(session, *begin(tmp_path / "count", "rows = (r for r in [1])\ndef scaled(values): return values * (factor if rows else 1)"))
    assert re.search(r"replayed: \d cells above it, once, in the cage; not copied: `(rows|scaled)` \(.*generator", said)


@pytest.mark.slow
@pytest.mark.parametrize(
    "hostile",
    [
        "class Own:\n    def __reduce__(self): raise SystemExit\nscaled.own = Own()",
        "import bad\nscaled.own = bad.Bad()",
    ],
)
def test_an_object_that_does_harm_when_it_is_pickled_is_named_and_the_session_lives(session, tmp_path, hostile):
    (tmp_path / "notebook" / "bad.py").write_text("class Bad:\n    def __reduce__(self):\n        raise KeyError(print('pickled'))\n")
    said = work(session, *begin(tmp_path / "count", hostile))
    assert "not copied: `scaled`" in said
    assert "replayed" in said
    assert session.value("scaled(3)") == "6"
    assert left_of(session) == []


@pytest.mark.slow
def test_settings_are_as_they_were_or_the_cells_above_run_again(session, tmp_path):
    above = begin(tmp_path / "count", "import random\npd.set_option('display.precision', 2)\nrandom.seed(1)")
    fails = "print(pd.get_option('display.precision'), random.random())\n" + FAILS
    said = work(session, *above, fails=fails)
    assert "copied:" in said
    assert "2 0.13436424411240122" in said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("import os\nos.environ['SELF'] = 'x'", "the environment"),
        ("import textwrap\ntextwrap.dedent = lambda text: 'mine'", "textwrap.dedent"),
        ("import textwrap\nsetattr(textwrap, 'dedent', lambda text: 'mine')", "setattr()"),
        ("import helpers\nhelpers.limit(3)", "helpers"),
        ("import logging\nlogging.getLogger('mine').setLevel(10)", "logging"),
        ("import sys\nsys.path.append('/nowhere')", "sys.path"),
        ("exec('hidden = 1')", "cannot be told from its code"),
        ("%config InlineBackend.figure_format = 'svg'", "InlineBackend"),
    ],
)
def test_what_no_variable_tells_and_cannot_be_put_in_force_makes_the_cells_above_run_again(session, tmp_path, source, why):
    (tmp_path / "notebook" / "helpers.py").write_text("LIMITS = {}\ndef limit(n):\n    LIMITS['n'] = n\n")
    said = work(session, *begin(tmp_path / "count"), source)
    assert "replayed" in said
    assert re.search(f"not copied: .*{re.escape(why)}", said)


@pytest.mark.slow
def test_what_a_cell_below_has_changed_makes_the_cells_above_run_again(session, tmp_path):
    for i, source in enumerate(begin(tmp_path / "count")):
        session.run(source, f"u{i}")
    session.run("sales['extra'] = 1", "y")
    session.run(FAILS, "z")
    session.run("%config SelfCode.policy = 'propose'", "p")
    session.run("import random", "y")  # the cell is another one now: what it did is still there
    session.run(FAILS, "z")
    assert "not copied: `sales` (cell y may have changed it)" in re.sub(r"\s+", " ", session.run("%selfcode fix", "fix").text)


@pytest.mark.slow
def test_killed_while_variables_are_copied_nothing_is_left(session, tmp_path, trials):
    slow = "class Slow:\n    def __reduce__(self):\n        import time\n        time.sleep(60)\n"
    (tmp_path / "notebook" / "slow.py").write_text(slow)
    for i, source in enumerate((*begin(tmp_path / "count", "time.sleep(2)"), "import slow\nscaled.own = slow.Slow()")):
        session.run(source, f"u{i}")
    session.run(FAILS, "z")
    session.send("%selfcode fix", "fix")
    pid, found = session.manager.provisioner.pid, []
    until = time.monotonic() + 20
    while not found and time.monotonic() < until:
        found = left_of(session)
    assert found, "it was never seen to copy"
    os.kill(pid, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], timeout=5)
    assert [p for p in trials.rglob("*") if p.is_file() and p.stat().st_size and "tier" not in p.name] == []
