"""Write a file whole or not at all.

The new bytes go to a temporary file in the same folder and to the disk (fsync), then take the name of the old file
(rename), and the folder goes to the disk. Whoever reads, and whoever pulls the plug, finds the old file or the new one.
Mode, owner and extended attributes are kept; where the path is a symbolic link, its target is replaced.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path

from ...values.errors import DeployError

SUFFIX = ".selfcode~"


class AtomicWrite:
    """New bytes for a file, on the disk beside it and ready to take its name.

    `prepare` does all that can fail for want of space or permission; `commit` is the rename. Raises `DeployError`.
    """

    def __init__(self, path: Path, data: bytes) -> None:
        self.path = path
        self.target = path.resolve()
        self.data = data
        self._temporary: Path | None = None

    def prepare(self) -> None:
        """Write the temporary file. Where it fails, nothing is left behind."""
        sweep(self.target)
        try:
            old = self.target.stat() if self.target.exists() else None
            if old is not None and not os.access(self.target, os.W_OK):
                raise DeployError(f"{self.path} is read-only, so it was not changed: make it writable (chmod u+w).")
            prefix = f".{self.target.name[:80]}.{os.getpid()}."
            handle, name = tempfile.mkstemp(prefix=prefix, suffix=SUFFIX, dir=self.target.parent)
            self._temporary = Path(name)
            with os.fdopen(handle, "wb") as file:
                file.write(self.data)
                file.flush()
                _take_after(file.fileno(), self.target, old)
                os.fsync(file.fileno())
        except OSError as e:
            self.discard()
            kept = "the old file is whole and nothing was changed" if self.target.exists() else "there is no such file"
            raise DeployError(
                f"{self.path} could not be written ({e.strerror or e}): {kept}. "
                "Make room, or make the folder writable, and try again."
            ) from e
        except BaseException:
            self.discard()
            raise

    def commit(self) -> None:
        """Rename it into place."""
        if self._temporary is None:
            raise DeployError(f"{self.path}: there is nothing prepared to write.")
        try:
            self._temporary.replace(self.target)
            self._temporary = None
            sync_folder(self.target.parent)
        except OSError as e:
            raise DeployError(f"{self.path} could not be replaced ({e.strerror or e}); try again.") from e

    def discard(self) -> None:
        """Remove the temporary file, where there is one."""
        if self._temporary is not None:
            with contextlib.suppress(OSError):
                self._temporary.unlink(missing_ok=True)
            self._temporary = None


def write(path: Path, data: bytes) -> None:
    """Write a file, atomically. Raises `DeployError`; the old file is whole then."""
    new = AtomicWrite(path, data)
    new.prepare()
    try:
        new.commit()
    finally:
        new.discard()


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk; file systems that cannot are left alone."""
    handle = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    try:
        os.fsync(handle)
    except OSError as e:
        if e.errno not in (22, 95):  # EINVAL, EOPNOTSUPP: no fsync of folders here
            raise
    finally:
        os.close(handle)


def sweep(target: Path) -> None:
    """Remove what killed processes left beside a file."""
    with contextlib.suppress(OSError):
        for left in target.parent.glob(f".{_plain(target.name[:80])}.*{SUFFIX}"):
            pid = left.name.removesuffix(SUFFIX).split(".")[-2]
            if pid.isdigit() and not alive(int(pid)):
                left.unlink(missing_ok=True)


def alive(pid: int) -> bool:
    """Whether a process with this id is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _plain(name: str) -> str:
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)


def _take_after(handle: int, target: Path, old: os.stat_result | None) -> None:
    """Give a new file what the old one had: owner, mode, extended attributes (access control lists among them)."""
    if old is None:
        mask = os.umask(0)
        os.umask(mask)
        os.fchmod(handle, 0o666 & ~mask)
        return
    with contextlib.suppress(OSError):  # only root may give files away; the group is tried alone then
        os.fchown(handle, old.st_uid, old.st_gid)
    with contextlib.suppress(OSError):
        os.fchown(handle, -1, old.st_gid)
    if hasattr(os, "listxattr"):
        with contextlib.suppress(OSError):
            for name in os.listxattr(target):
                os.setxattr(handle, name, os.getxattr(target, name))
    os.fchmod(handle, stat.S_IMODE(old.st_mode))
