"""Where a trial lives: a slot below one temporary root of the user, with a throw-away copy of the notebook's folder.

A slot is held by a lock on a file, which the system drops when its holder dies, however it dies: what a killed process
left behind is known by its free lock, and swept when the next slot is opened. The lowest free slot is taken, so one trial
after the other works under the same path, and outputs that print a path can be compared.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import fnmatch
import itertools
import os
import pwd
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

SECRET_FILES = (
    ".env", ".env.*", "*.env", "*.pem", "*.key", "*.p12", "*.pfx", "id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", ".netrc",
    "_netrc", ".pgpass", ".pypirc", ".npmrc", ".git-credentials", ".htpasswd", "credentials*.json", "client_secret*.json",
    "service-account*.json", "service_account*.json", "secrets.*", ".secrets*", "kaggle.json",
)  # fmt: skip
"""Files beside a notebook that hold keys by their name. A candidate is shown them empty."""

SECRET_FOLDERS = frozenset((
    ".ssh", ".gnupg", ".aws", ".azure", ".config", ".kube", ".docker", ".mozilla", ".password-store", ".local", ".jupyter",
    ".ipython", ".gcloud", ".oci", ".terraform.d", ".thunderbird", ".pki",
))  # fmt: skip
"""Folders of settings and keys, for a notebook that lies in a home folder. They are left out; in the home folder itself
all that is hidden is."""

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


USERS = 61184, 65519
"""Numbers that are kept for users who exist for a while only (systemd's DynamicUser takes them from here as well)."""


def private_user(number: int) -> int:
    """A user number that nobody has, for a trial that root starts: another for every number as far as they go."""
    first, last = USERS
    known = {entry.pw_uid for entry in pwd.getpwall()}
    free = [u for u in range(first, last + 1) if u not in known]
    return free[number % len(free)]


def own(path: Path, user: int) -> None:
    """Give a folder with all in it to a user. Links are not followed, and what is the user's is not touched again, for that
    would show as a change."""
    for parent, folders, files in os.walk(path):
        for name in ("", *folders, *files):
            each = os.path.join(parent, name)  # noqa: PTH118
            if os.lstat(each).st_uid != user:
                os.chown(each, user, user, follow_symlinks=False)


def temp_root() -> Path:
    """A folder that only this user can enter; of root's, others may enter what they know the name of, since root's trials
    run as somebody else. One that was put there by somebody else is not used."""
    mode = 0o700 if os.geteuid() else 0o711
    root = Path(tempfile.gettempdir()) / f"jupyter-selfcode-{os.getuid()}"
    root.mkdir(mode=mode, exist_ok=True)
    found = root.lstat()
    if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o066:
        root.chmod(mode)
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
    hidden: list[str] = field(default_factory=list)

    @property
    def note(self) -> str:
        """One line about what is not as in the folder; empty where all was copied."""
        said = []
        if self.linked:
            said.append(f"{len(self.linked)} large items of the folder are not copied, and must not be written: {_named(self.linked)}")
        if self.hidden:
            said.append(f"files whose names say that they are secret are shown empty: {_named(self.hidden)}")
        return "; ".join(said)


def _named(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")


def looks_secret(name: str) -> bool:
    """Whether a file of this name is likely to hold keys."""
    return any(fnmatch.fnmatchcase(name.lower(), pattern) for pattern in SECRET_FILES)


def secrets_below(folder: Path, depth: int = 4) -> list[str]:
    """Files (absolute) in a folder that look secret, as deep as is worth looking."""
    found: list[str] = []
    for parent, folders, files in os.walk(folder):
        at = Path(parent)
        folders[:] = [d for d in folders if d not in LEFT_OUT and len(at.relative_to(folder).parts) < depth]
        found += [str(at / name) for name in files if looks_secret(name)]
    return found


def copy_folder(
    source: Path, target: Path, *, size: int = BYTES, entries: int = ENTRIES, stop: threading.Event | None = None,
    link: bool = True, hide: bool = False,
) -> Copied:
    """Copy a folder, times kept, without what notebooks do not read. `stop` ends it early.

    Wide folders and large files beyond `entries` and `size` (bytes) are linked to the originals; symbolic links stay
    links. What cannot be read is linked too, so that reading it fails as it would in the notebook. Without `link` the
    place of what is not copied stays empty, for the caller to mount. With `hide` files that look secret are empty.
    """
    source, done = source.resolve(), Copied()
    at_home = hide and source == Path(os.path.expanduser("~")).resolve()  # noqa: PTH111
    files: list[tuple[int, str]] = []
    folders: deque[str] = deque([""])
    target.mkdir(parents=True, exist_ok=True)
    made, seen = list[str](), 0
    own = target.resolve()
    while folders and not (stop and stop.is_set()):
        relative = folders.popleft()
        if relative and seen > entries:
            _link(source / relative, target / relative, relative, done, link)
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
            if at_home and not relative and entry.name.startswith("."):
                continue
            if hide and looks_secret(entry.name):
                (target / name).touch()
                done.hidden.append(name)
            elif entry.is_symlink():
                _relink(source, target, name)
            elif entry.is_dir():
                left_out = entry.name in LEFT_OUT or (hide and entry.name in SECRET_FOLDERS)
                if not left_out and not _environment(entry.path) and not own.is_relative_to(entry.path):
                    folders.append(name)
            elif entry.is_file():
                files.append((entry.stat().st_size, name))
    for length, name in sorted(files):
        if stop and stop.is_set():
            break
        if done.size + length > size or done.files >= entries:
            _link(source / name, target / name, name, done, link, length)
            continue
        try:
            _copy(source / name, target / name)
        except OSError:
            _link(source / name, target / name, name, done, link, length)
        else:
            done.files, done.size = done.files + 1, done.size + length
    for relative in reversed(made):
        with contextlib.suppress(OSError):
            shutil.copystat(source / relative, target / relative)
    return done


def _environment(folder: str) -> bool:
    return os.path.exists(os.path.join(folder, "pyvenv.cfg")) or os.path.exists(os.path.join(folder, "conda-meta"))  # noqa: PTH110, PTH118


def _link(source: Path, target: Path, name: str, done: Copied, link: bool, length: int = 0) -> None:
    with contextlib.suppress(OSError):
        target.unlink(missing_ok=True)
        if link:
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
