"""A temporary root of their own for the tests of sandboxes, so that nothing of it can hide among other people's."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from jupyter_selfcode.plugins.sandboxes import tiers

Left = Callable[[], list[str]]


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where trials live during the test; a short path, for sockets."""
    made = Path(tempfile.mkdtemp(prefix="sc-"))
    monkeypatch.setattr(tempfile, "tempdir", str(made))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def caged() -> Callable[[str], str]:
    """The tier that is asked for; the test is skipped, with the reason, where this machine does not give it."""

    def given(tier: str) -> str:
        if reason := tiers.probe().reasons.get(tier, ""):
            pytest.skip(f"tier {tier} is not to be had here: {reason}")
        return tier

    return given


@pytest.fixture
def left(root: Path) -> Left:
    """What a trial left behind: its folders, and processes that work in the root, name it, or sleep as long as no other."""

    def look() -> list[str]:
        found = [str(p) for p in root.rglob("*") if p.name.isdigit() and p.parent.parent == root]
        for process in psutil.process_iter():
            try:
                where = [process.cwd(), *process.cmdline()]
                if process.status() != psutil.STATUS_ZOMBIE and any(str(root) in text or text == f"300.{os.getpid()}" for text in where):
                    found.append(f"{process.pid} {' '.join(process.cmdline())}")
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        return found

    return look
