"""The command that builds the namespaces of tier A with bubblewrap: no network, no other process, an allow-list of files.

Each argument was tried, and several obvious ones are wrong: `--unshare-all` means "try" for two namespaces, and goes on
without them; `--clearenv` leaves the caller's whole environment readable at /proc/1/environ, so the environment is scrubbed
before; `--size` is needed, or a memory-backed folder may take half of the memory.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from .installation import SYSTEM
from .plan import ETC, HOME, INSIDE, NAMES, RUN, SHM, TMP, Cage

PLACES = ("/usr/bin/bwrap", "/bin/bwrap", "/usr/local/bin/bwrap")
"""Where it is looked for: never on PATH, which may lead into the notebook's folder."""

NAMESPACES = (
    "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try", "--disable-userns",
    "--die-with-parent", "--new-session", "--hostname", "sandbox",
)  # fmt: skip

NOBODY = ("passwd", "group")


def find() -> tuple[str, str]:
    """The path of a bubblewrap that only root can have put there, or an empty one and the reason."""
    for place in PLACES:
        path = Path(os.path.realpath(place))
        try:
            found = path.stat()
        except OSError:
            continue
        if not stat.S_ISREG(found.st_mode) or found.st_uid != 0 or found.st_mode & 0o022:
            return "", f"{place} is not root's own, or others may write it"
        return str(path), ""
    return "", "bubblewrap is not installed (package bubblewrap)"


def arguments(cage: Cage) -> list[str]:
    """All arguments but the command. Mounts go from the outside in, so that a later one may lie in an earlier one."""
    found = list(NAMESPACES) + ([] if cage.network else ["--unshare-net"])
    for folder in SYSTEM:
        path = Path(folder)
        if path.is_symlink():
            found += ["--symlink", str(path.readlink()), folder]
        elif path.is_dir():
            found += ["--ro-bind", folder, folder]
    for path in (*ETC, *(NAMES if cage.network else ())):
        found += ["--ro-bind-try", path, path]
    found += ["--proc", "/proc", "--dev", "/dev"]
    for size, folder in ((SHM, "/dev/shm"), (TMP, "/tmp"), (RUN, "/run")):
        found += ["--size", str(size), "--tmpfs", folder]
    for name in NOBODY:
        found += ["--ro-bind", str(cage.control / name), f"/etc/{name}"]
    for _, mount in sorted(_mounts(cage), key=lambda m: m[0].count("/")):
        found += mount
    found += ["--bind", str(cage.control), str(INSIDE), "--remount-ro", "/", "--chdir", str(cage.folder)]
    return found


def _mounts(cage: Cage) -> Iterator[tuple[str, list[str]]]:
    """Destinations, and the arguments for each."""
    home = str(cage.home)
    if home not in ("/tmp", "/run", "/usr"):
        yield home, ["--size", str(HOME), "--tmpfs", home]
    for path in cage.readable:
        yield path, ["--ro-bind-try", path, path]
    for path in (*cage.writable, str(cage.private)):
        yield path, ["--bind", path, path]
    yield str(cage.folder), ["--bind", str(cage.content), str(cage.folder)]
    for name in (*cage.originals, *cage.protected):
        path = str(cage.folder / name)
        yield path, ["--ro-bind-try", path, path]
    for path in cage.hidden:
        yield path, ["--ro-bind-try", "/dev/null", path]


def nobody(cage: Cage) -> dict[str, str]:
    """The one user there is in the cage and their group, as the files of /etc say it: programs look names up, and a candidate
    need not know the user's."""
    user = os.getuid() if cage.user is None else cage.user
    group = os.getgid() if cage.user is None else cage.user
    lines = f"sandbox:x:{user}:{group}::{cage.home}:/bin/sh\n", f"sandbox:x:{group}:\n"
    return dict(zip(NOBODY, lines, strict=True))
