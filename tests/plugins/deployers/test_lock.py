"""One run at a time on one notebook; the lock of a dead process does not block."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_selfcode.plugins.deployers.lock import lock
from jupyter_selfcode.values.errors import BadInput

HOLD = """
import sys, time
from pathlib import Path
from jupyter_selfcode.plugins.deployers.lock import lock
with lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "nb.ipynb"
    file.write_text("{}")
    return file


def test_a_second_run_is_refused_with_the_process_that_holds_it(path: Path):
    with lock(path), pytest.raises(BadInput, match=f"Another run is working on .*pid {os.getpid()}"), lock(path):
        pass
    with lock(path):
        pass


def test_another_notebook_of_the_folder_is_free_and_a_link_is_the_same_notebook(path: Path, tmp_path: Path):
    link = tmp_path / "link.ipynb"
    link.symlink_to(path)
    with lock(path):
        with lock(tmp_path / "other.ipynb"):
            pass
        with pytest.raises(BadInput), lock(link):
            pass


def test_the_lock_of_a_killed_process_does_not_block(path: Path):
    child = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    with pytest.raises(BadInput, match=f"pid {child.pid}"), lock(path):
        pass
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    with lock(path):
        pass


def test_an_error_in_the_run_frees_the_notebook_and_passes(path: Path):
    with pytest.raises(FileNotFoundError), lock(path):
        raise FileNotFoundError("of the run")
    with lock(path):
        pass


def test_a_file_in_the_place_of_the_folder_is_told(path: Path):
    (path.parent / ".selfcode").write_text("")
    with pytest.raises(BadInput, match=r"could not be locked"), lock(path):
        pass
