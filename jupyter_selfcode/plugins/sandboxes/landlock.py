"""What a candidate may do with files, as Landlock rules (Linux security module, no privilege needed; landlock(7)).

Landlock only ever allows: what lies below a path of a rule may be used as the rule says, all else may not, and rules add
up, so nothing can be carved out of what was allowed. Rules are made here and applied by `cage`, in the kernel's process.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterable
from dataclasses import dataclass

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, REMOVE_DIR, REMOVE_FILE = (1 << n for n in range(6))
MAKE_CHAR, MAKE_DIR, MAKE_REG, MAKE_SOCK, MAKE_FIFO, MAKE_BLOCK, MAKE_SYM, REFER, TRUNCATE, IOCTL_DEV = (
    1 << n for n in range(6, 16)
)
RIGHTS = (13, 14, 15, 15, 16)
"""How many rights on files the first versions of the interface (ABI 1 to 5) know; later ones as many as ABI 5."""

READ = EXECUTE | READ_FILE | READ_DIR
CHANGE = (
    READ | WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | MAKE_SOCK | MAKE_FIFO | MAKE_SYM | REFER | TRUNCATE
)
USE_DEVICE = READ_FILE | WRITE_FILE | IOCTL_DEV
LISTEN = MAKE_SOCK
"""Of the folder of the kernel's sockets: it may make them, and not replace one by a link that leads the caller astray."""

BIND_TCP, CONNECT_TCP = 1, 2
ABSTRACT_SOCKETS, SIGNALS = 1, 2

CONTAINING_ABI = 6
"""The first version (Linux 6.12) that keeps signals and abstract sockets in: without it there is no cage of Landlock
alone, for a candidate could end the user's processes."""

CREATE_RULESET, VERSION = 444, 1


def abi() -> int:
    """The version of the interface that this system has; 0: none."""
    if sys.platform != "linux":
        return 0
    found = ctypes.CDLL(None, use_errno=True).syscall(CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(VERSION))
    return max(0, int(found))


@dataclass(frozen=True, slots=True)
class Rules:
    """What is handled (refused but for a rule) and what is allowed below which path. `cage` reads it as JSON."""

    files: int
    network: int
    scope: int
    allowed: tuple[tuple[str, int], ...]


def rules(version: int, allowed: Iterable[tuple[str, int]], *, network: bool = False) -> Rules:
    """Rules in the words of this version of the interface: rights that it does not know are left out of every rule."""
    files = (1 << RIGHTS[min(version, len(RIGHTS)) - 1]) - 1
    return Rules(
        files,
        (BIND_TCP | CONNECT_TCP) if version >= 4 and not network else 0,
        (ABSTRACT_SOCKETS | SIGNALS) if version >= CONTAINING_ABI else 0,
        tuple((path, rights & files) for path, rights in allowed),
    )
