"""Leaves root for a user that nobody is, for a trial that root starts. Part of the launcher, and loaded by it only then."""

from __future__ import annotations

import ctypes
import os
import signal
import struct

MNT_NAMESPACE, USER_NAMESPACE, REC_PRIVATE, BIND = 0x20000, 0x10000000, 0x4000 | 0x40000, 0x1000
"""CLONE_NEWNS, CLONE_NEWUSER of <sched.h>; MS_REC | MS_PRIVATE and MS_BIND of <sys/mount.h>."""

OPEN_TREE, MOVE_MOUNT, MOUNT_SETATTR = 428, 429, 442
HERE, EMPTY_PATH, FROM_EMPTY_PATH, CLONE_TREE, ID_MAPPED = -100, 0x1000, 4, 1 | 0o2000000, 0x100000
"""AT_FDCWD, AT_EMPTY_PATH, MOVE_MOUNT_F_EMPTY_PATH, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC, MOUNT_ATTR_IDMAP."""


def mapped(libc: ctypes.CDLL, folder: str, user: int) -> None:
    """Mount a folder onto itself in such a way that root's files in it seem to be the user's, and what the user makes is
    root's on disk (an idmapped mount, Linux 5.12). Raises `OSError`."""

    def called(result: int, what: str) -> int:
        if result < 0:
            raise OSError(ctypes.get_errno(), f"{what} {folder}: {os.strerror(ctypes.get_errno())}")
        return result

    read, write = os.pipe()
    child = os.fork()
    if not child:
        libc.unshare(USER_NAMESPACE)
        os.write(write, b"x")
        signal.pause()
    try:
        os.read(read, 1)
        for kind in ("uid_map", "gid_map"):
            with open(f"/proc/{child}/{kind}", "w") as f:  # noqa: PTH123
                f.write(f"0 {user} 1")
        space = os.open(f"/proc/{child}/ns/user", os.O_RDONLY)
        tree = called(libc.syscall(OPEN_TREE, HERE, folder.encode(), CLONE_TREE), "open_tree")
        attributes = struct.pack("=QQQQ", ID_MAPPED, 0, 0, space)
        called(libc.syscall(MOUNT_SETATTR, tree, b"", EMPTY_PATH, attributes, ctypes.c_size_t(32)), "mount_setattr")
        called(libc.syscall(MOVE_MOUNT, tree, b"", HERE, folder.encode(), FROM_EMPTY_PATH), "move_mount")
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        for fd in (read, write):
            os.close(fd)


def become(user: int, needed: list[str], own: list[str]) -> None:
    """Leave root for an unprivileged user, for good; raises `OSError` where that cannot be done.

    What that user must reach often lies in a folder that only root may enter (an interpreter below /root). In mounts of
    this process's own, such a folder is covered by an empty one in which only the needed paths are; where mounts are not
    allowed either, the kernel will say what it could not read. Shared memory becomes its own, too.
    """
    libc = ctypes.CDLL(None, use_errno=True)

    def mount(source: str, target: str, kind: str | None, flags: int, options: str | None = None) -> bool:
        given = [None if x is None else x.encode() for x in (source, target, kind)]
        return not libc.mount(*given, ctypes.c_ulong(flags), options.encode() if options else None)

    if not libc.unshare(MNT_NAMESPACE) and mount("none", "/", None, REC_PRIVATE):
        mount("tmpfs", "/dev/shm", "tmpfs", 0, "size=256m,mode=1777")
        closed: dict[str, list[str]] = {}
        for path in needed:
            parts = path.strip("/").split("/")
            above = ("/" + "/".join(parts[:n]) for n in range(1, len(parts)))
            first = next((a for a in above if os.path.isdir(a) and not os.stat(a).st_mode & 1), None)  # noqa: PTH112, PTH116
            if first and os.path.exists(path):  # noqa: PTH110
                closed.setdefault(first, []).append(path)
        for folder, paths in closed.items():
            opened = [(path, os.open(path, os.O_PATH | os.O_CLOEXEC)) for path in paths]
            if not mount("tmpfs", folder, "tmpfs", 0, "mode=755"):
                continue
            for path, fd in opened:
                if os.path.isdir(f"/proc/self/fd/{fd}"):  # noqa: PTH112
                    os.makedirs(path, exist_ok=True)  # noqa: PTH103
                else:
                    os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120
                    os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
                mount(f"/proc/self/fd/{fd}", path, None, BIND)
                os.close(fd)
        for path in own:
            mapped(libc, path, user)
    elif own:
        raise OSError(f"{own[0]} belongs to root, and mounts of one's own are not allowed here")
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


