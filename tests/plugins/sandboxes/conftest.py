"""A temporary root of their own for the tests of sandboxes, so that nothing of it can hide among other people's."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

Left = Callable[[], list[str]]


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where trials live during the test; a short path, for sockets."""
    made = Path(tempfile.mkdtemp(prefix="sc-"))
    monkeypatch.setattr(tempfile, "tempdir", str(made))
    yield made
    shutil.rmtree(made, ignore_errors=True)


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
