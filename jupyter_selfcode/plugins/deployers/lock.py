"""One run at a time on one notebook, held by the operating system: a lock dies with its process, however that died."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...values.errors import BadInput

FOLDER = ".selfcode"


@contextmanager
def lock(path: Path) -> Iterator[None]:
    """Hold a notebook for a run, by flock on a small file in `.selfcode/` that names the process. Raises `BadInput` where
    another run holds it.

    The file stays: to remove it would let two runs lock two files of one name. In a folder that cannot be written, nothing
    can be deployed either, and there is no lock. A process forked while it is held, and not replaced by exec, shares it.
    """
    target = path.resolve()
    file = target.parent / FOLDER / f"{target.name}.lock"
    try:
        file.parent.mkdir(exist_ok=True)
        handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as e:
        if e.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            yield
            return
        raise BadInput(f"{path} could not be locked ({e.strerror}); is {file.parent} a folder?") from e
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.pread(handle, 32, 0).decode("ascii", "replace").strip() or "unknown"
            raise BadInput(
                f"Another run is working on {path} (pid {pid}); wait until it has finished, or stop it."
            ) from None
        except OSError as e:
            if e.errno not in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP):
                raise
            yield  # a file system without locks
            return
        with contextlib.suppress(OSError):  # a full disk: the lock holds without the name of its holder
            os.ftruncate(handle, 0)
            os.pwrite(handle, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(handle)
