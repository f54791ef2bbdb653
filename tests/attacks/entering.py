"""Becomes an ordinary user who can read this Python, and runs a command. A program of its own, started as root.

    unshare --mount -- python -I -S entering.py UID FOLDER[:FOLDER…] -- COMMAND…

An interpreter below a folder that others may not pass (`/root/.pyenv`, mode 700 on `/root`) cannot be run by anybody else.
In a private mount namespace the closed folder is covered by an empty one that can be passed, and only the FOLDERs that
are asked for are bound back in their places. Nothing of the machine changes: the namespace ends with the command.
"""

from __future__ import annotations

import ctypes
import os
import sys
import tempfile
from pathlib import Path

BIND, MOVE, REC = 4096, 8192, 16384
"""MS_BIND, MS_MOVE and MS_REC of <sys/mount.h>."""

libc = ctypes.CDLL(None, use_errno=True)


def mount(source: Path | str, target: Path, kind: str = "", flags: int = 0, data: str = "") -> None:
    """mount(2). Raises `OSError`."""
    if libc.mount(str(source).encode(), str(target).encode(), kind.encode(), flags, data.encode()):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(target))


def closed(path: Path) -> Path | None:
    """The outermost folder on the way to `path` that an ordinary user may not pass."""
    return next((p for p in [*reversed(path.parents), path] if p.is_dir() and not p.stat().st_mode & 0o001), None)


def open_up(folders: list[Path]) -> None:
    """Make these folders reachable for everybody, in this mount namespace."""
    behind: dict[Path, list[Path]] = {}
    for folder in sorted(set(folders)):
        door = closed(folder)
        if door and not any(folder.is_relative_to(other) for other in behind.get(door, [])):
            behind.setdefault(door, []).append(folder)
    for door, wanted in behind.items():
        aside = Path(tempfile.mkdtemp())
        for number, folder in enumerate(wanted):
            (aside / str(number)).mkdir()
            mount(folder, aside / str(number), flags=BIND | REC)
        mount("tmpfs", door, "tmpfs", data="mode=755,size=1m")
        for number, folder in enumerate(wanted):
            folder.mkdir(parents=True, exist_ok=True)
            mount(aside / str(number), folder, flags=MOVE)
            (aside / str(number)).rmdir()
        aside.rmdir()


def main(uid: int, folders: list[Path], command: list[str]) -> None:
    """Never returns."""
    open_up(folders)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(int(sys.argv[1]), [Path(p) for p in sys.argv[2].split(":")], sys.argv[4:])
