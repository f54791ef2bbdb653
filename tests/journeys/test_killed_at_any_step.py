"""Killed with -9 at any step, the notebook on disk is version k or k+1, whole, and the store knows which."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import nbformat
import pytest

from jupyter_selfcode.engine import settle
from jupyter_selfcode.plugins.deployers.file import FileDeployer
from jupyter_selfcode.plugins.stores.sql import SqlStore, beside
from jupyter_selfcode.values.version import head
from tests.histories import NB
from tests.notebook_files import jupyter, raw_notebook

ROOT = Path(__file__).parents[2]


class Deploying:
    """A notebook that is changed again and again by processes that are killed."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.path, self.number, self.seconds = folder, folder / NB, 0, 0.0
        self.path.write_bytes(jupyter(raw_notebook()))
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("deploying.py")), str(self.path)], cwd=ROOT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert self._line() == "ready"

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def _say(self, *words: object) -> str:
        assert self.process.stdin is not None
        self.process.stdin.write("\t".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        return self._line()

    def change(self, mode: str = "none", at: int = 0, kill_after: float | None = None) -> tuple[bool, int]:
        """Deploy one change in a process of its own; whether it was killed, and how many steps it passed."""
        before = self.found()
        self.number += 1
        start = time.perf_counter()
        pid = int(self._say("go", self.folder, self.number, mode, at))
        if kill_after is not None:
            time.sleep(kill_after)
            os.kill(pid, signal.SIGKILL)
        status, passed = map(int, self._say("wait").split())
        self.seconds = time.perf_counter() - start
        assert status in (0, -signal.SIGKILL)
        self.check(before, status == 0)
        return status != 0, passed

    def found(self) -> str:
        return FileDeployer(self.path).read().digest

    def check(self, before: str, finished: bool) -> None:
        """The notebook is k or k+1, whole; and once settled the store says the same."""
        nbformat.validate(nbformat.read(self.path, as_version=nbformat.NO_CONVERT))
        notebook = FileDeployer(self.path).read()
        store = SqlStore(beside(self.folder))
        lineage = store.lineage(NB)
        begun = [r.version for r in lineage if r.outcome is None]
        settle(store, NB, notebook)
        lineage, newest = store.lineage(NB), head(store.lineage(NB))
        assert all(r.outcome is not None for r in lineage)
        assert store.verify() == []
        assert not finished or not begun
        assert newest is None or newest.version.notebook == notebook.digest
        assert newest is not None or notebook.digest == before
        if notebook.digest != before:
            assert newest is not None
            assert newest.version.kind in ("adapt", "undo")
            assert notebook.metadata["jupyter_selfcode"]["version"] == newest.version.id
        assert "edit" not in {r.version.kind for r in lineage}
        store.close()

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def deploying(tmp_path: Path) -> Iterator[Deploying]:
    made = Deploying(tmp_path)
    yield made
    made.change()
    made.close()
    left = {p.name for p in tmp_path.iterdir()}
    assert left == {NB, ".selfcode"}, "what the killed processes left was swept by the next change"


def test_killed_at_every_named_step(deploying: Deploying):
    killed, at = True, 0
    while killed:
        at += 1
        killed, _ = deploying.change("steps", at)
    assert at > 20


def test_killed_at_random_calls_and_moments(deploying: Deploying):
    at_random(deploying, 20)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_two_hundred_times_at_random(deploying: Deploying):
    at_random(deploying, 200)


def at_random(deploying: Deploying, times: int) -> None:
    """Kill so many processes, about half at a random call, half at a random moment; those that were done before they
    could be killed do not count."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # pytest shows it where the test fails
    chance = random.Random(seed)
    _, calls = deploying.change("calls")
    deploying.change()
    usual, killed = deploying.seconds, 0
    for i in count():
        if killed == times:
            return
        if i % 2:
            died, _ = deploying.change(kill_after=chance.uniform(0, usual))
        else:  # the rename is near the end: every other time aim there
            died, _ = deploying.change("calls", calls - chance.randrange(calls if i % 4 else calls // 20))
        killed += died
