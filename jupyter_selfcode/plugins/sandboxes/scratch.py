"""Where a trial lives: a slot below one temporary root of the user, with a throw-away copy of the notebook's folder.

A slot is held by a lock on a file, which the system drops when its holder dies, however it dies: what a killed process
left behind is known by its free lock, and swept when the next slot is opened. The lowest free slot is taken, so one trial
after the other works under the same path, and outputs that print a path can be compared.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import itertools
import os
import shutil
import stat
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

LEFT_OUT = frozenset((
    ".git", ".hg", ".svn", ".selfcode", ".ipynb_checkpoints", "__pycache__", "node_modules", ".venv", ".tox", ".nox",
    ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".virtual_documents", ".Trash",
))  # fmt: skip
"""Folders that a notebook does not read: history, caches, environments."""

BYTES, ENTRIES = 200 * 2**20, 20_000
"""What is copied at most; the smallest files first. The rest is linked."""

CLONE = 0x40049409
"""FICLONE of <linux/fs.h>: a copy that shares its blocks, where the file system can (btrfs, XFS)."""


@dataclass(frozen=True, slots=True)
class Slot:
    """Folders of one trial. `number` is that of the slot."""

    root: Path
    number: int

    @property
    def path(self) -> Path:
        """All of it."""
        return self.root / str(self.number)

    @property
    def sockets(self) -> Path:
        """The folder of connection file and sockets; a short path, for a socket's may have 104 bytes."""
        return self.path / "k"

    def work(self, name: str) -> Path:
        """Where the copy goes; it keeps the name of the folder."""
        return self.path / "work" / (name or "root")


def temp_root() -> Path:
    """A folder that only this user can enter. One that was put there by somebody else is not used."""
    root = Path(tempfile.gettempdir()) / f"jupyter-selfcode-{os.getuid()}"
    root.mkdir(mode=0o700, exist_ok=True)
    found = root.lstat()
    if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077:
        return root
    return Path(tempfile.mkdtemp(prefix="jupyter-selfcode-"))


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[bool]:
    """Whether nobody else holds this lock; if so it is held here until the end."""
    with path.open("a") as f:
        try:
            fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True


def sweep(root: Path) -> None:
    """Remove what processes that are gone have left."""
    for left in root.iterdir():
        if left.name.isdigit():
            with _locked(root / f"{left.name}.lock") as free:
                if free:
                    remove(left)


def remove(folder: Path) -> None:
    """Remove a folder with all in it, though something in it was made unwritable."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        for parent, _, _ in os.walk(folder):
            with contextlib.suppress(OSError):
                os.chmod(parent, 0o700)  # noqa: PTH101 (os.walk gives text)
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def slot(root: Path | None = None) -> Iterator[Slot]:
    """The lowest free slot, empty; removed at the end."""
    root = root or temp_root()
    sweep(root)
    for number in itertools.count(1):
        with _locked(root / f"{number}.lock") as free:
            if not free:
                continue
            taken = Slot(root, number)
            try:
                for folder in (taken.path, taken.sockets):
                    folder.mkdir(mode=0o700)
                yield taken
            finally:
                remove(taken.path)
            return


@dataclass(slots=True)
class Copied:
    """What became of a folder's content: how much was copied, and what was linked instead."""

    files: int = 0
    size: int = 0
    linked: list[str] = field(default_factory=list)
    linked_size: int = 0

    @property
    def note(self) -> str:
        """One line about what was linked; empty where all was copied."""
        if not self.linked:
            return ""
        named = ", ".join(self.linked[:3]) + (", …" if len(self.linked) > 3 else "")
        return f"{len(self.linked)} large items of the folder are linked, not copied, and must not be written: {named}"


def copy_folder(
    source: Path, target: Path, *, size: int = BYTES, entries: int = ENTRIES, stop: threading.Event | None = None
) -> Copied:
    """Copy a folder, times kept, without what notebooks do not read. `stop` ends it early.

    Wide folders and large files beyond `entries` and `size` (bytes) are linked to the originals; symbolic links stay
    links. What cannot be read is linked too, so that reading it fails as it would in the notebook.
    """
    source, done = source.resolve(), Copied()
    files: list[tuple[int, str]] = []
    folders: deque[str] = deque([""])
    target.mkdir(parents=True)
    made, seen = list[str](), 0
    own = target.resolve()
    while folders and not (stop and stop.is_set()):
        relative = folders.popleft()
        if relative and seen > entries:
            _link(source / relative, target / relative, relative, done)
            continue
        try:
            found = sorted(os.scandir(source / relative), key=lambda e: e.name)
        except OSError:
            continue
        (target / relative).mkdir(exist_ok=True)
        made.append(relative)
        seen += len(found)
        for entry in found:
            name = os.path.join(relative, entry.name)  # noqa: PTH118 (many of them)
            if entry.is_symlink():
                _relink(source, target, name)
            elif entry.is_dir():
                if entry.name not in LEFT_OUT and not _environment(entry.path) and not own.is_relative_to(entry.path):
                    folders.append(name)
            elif entry.is_file():
                files.append((entry.stat().st_size, name))
    for length, name in sorted(files):
        if stop and stop.is_set():
            break
        if done.size + length > size or done.files >= entries:
            _link(source / name, target / name, name, done, length)
            continue
        try:
            _copy(source / name, target / name)
        except OSError:
            _link(source / name, target / name, name, done, length)
        else:
            done.files, done.size = done.files + 1, done.size + length
    for relative in reversed(made):
        with contextlib.suppress(OSError):
            shutil.copystat(source / relative, target / relative)
    return done


def _environment(folder: str) -> bool:
    return os.path.exists(os.path.join(folder, "pyvenv.cfg")) or os.path.exists(os.path.join(folder, "conda-meta"))  # noqa: PTH110, PTH118


def _link(source: Path, target: Path, name: str, done: Copied, length: int = 0) -> None:
    with contextlib.suppress(OSError):
        target.unlink(missing_ok=True)
        target.symlink_to(source)
        done.linked.append(name)
        done.linked_size += length


def _relink(source: Path, target: Path, name: str) -> None:
    """A link into the folder leads into the copy, another one where it led."""
    points_to = (source / name).parent / (source / name).readlink()
    inside = Path(os.path.normpath(points_to))
    with contextlib.suppress(OSError):
        (target / name).symlink_to(target / inside.relative_to(source) if inside.is_relative_to(source) else points_to)


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as a, target.open("xb") as b:
        try:
            if sys.platform != "linux":
                raise OSError(errno.ENOTSUP, "no clone")
            fcntl.ioctl(b, CLONE, a.fileno())
        except OSError:
            shutil.copyfileobj(a, b, 2**20)
    shutil.copystat(source, target)
