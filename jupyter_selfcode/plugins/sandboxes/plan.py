"""One cage, described: what is seen, read and written in it. `bubblewrap`, `landlock` and `seatbelt` say it in their words."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from . import landlock, seccomp
from .installation import SYSTEM

Contained = Literal["A", "B", "M"]
CONTAINED: tuple[Contained, ...] = ("M",) if sys.platform == "darwin" else ("A", "B")
"""The tiers that may be had on this system, the stronger first."""

ETC = tuple(
    f"/etc/{name}"
    for name in (
        "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "ssl", "pki", "ca-certificates", "fonts", "localtime", "timezone",
        "alternatives", "mime.types", "nsswitch.conf", "os-release", "locale.alias", "matplotlibrc", "services",
        "protocols",
    )
)  # fmt: skip
"""Settings of the system that libraries read; nothing of them is secret."""

NAMES = ("/etc/hosts", "/etc/resolv.conf", "/etc/host.conf", "/etc/gai.conf")
"""How hosts are found; only where the network was granted."""

INSIDE = Path("/run/selfcode")
"""Where the folder of sockets and connection file is seen in tier A: below no tree that may be written, since Landlock's
rules add up. A path of its own also hides where the caller keeps it."""

POLICY, PROGRAM, CONNECTION = "policy.json", "cage.py", "inside.json"
"""What is laid into the control folder for the inside: what `cage` applies, `cage` itself, the connection file."""

TMP, SHM, HOME, RUN = 256 * 2**20, 256 * 2**20, 64 * 2**20, 2**20
"""Bytes of the memory-backed folders of tier A; without a limit each may take half of the machine's memory."""


@dataclass(frozen=True, slots=True)
class Cage:
    """A cage around one kernel.

    `control`: the folder of its sockets, which it may not change. `folder`: the working folder as the kernel sees it, and
    `content` what stands for it: a throw-away copy, or the folder itself for a live kernel. `private`: its settings and
    temporary files. `readable` and `writable`: granted besides. `originals`: of a copy, the parts (relative) that were
    too large and are the folder's own, read-only. `hidden`: files that look secret and are shown empty; `protected`: parts (relative) of
    a folder that is otherwise writable, which stay read-only (both in tier A).
    """

    tier: Contained
    control: Path
    folder: Path
    content: Path
    private: Path
    home: Path
    readable: tuple[str, ...] = ()
    writable: tuple[str, ...] = ()
    originals: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()
    network: bool = False
    user: int | None = None
    limits: Mapping[str, int] = field(default_factory=dict)
    keep: tuple[int, ...] = ()
    version: int = field(default_factory=landlock.abi)

    @property
    def seen_control(self) -> Path:
        """Where the kernel sees the control folder."""
        return INSIDE if self.tier == "A" else self.control

    @property
    def cwd(self) -> Path:
        """Where the kernel works."""
        return self.folder if self.tier == "A" else self.content

    def policy(self) -> dict[str, Any]:
        """What `cage.tighten` applies."""
        allowed = self._in_namespaces() if self.tier == "A" else self._alone()
        rules = landlock.rules(self.version, allowed, network=self.network)
        program = seccomp.program(namespaces=self.tier == "A", network=self.network)
        return {
            "limits": dict(self.limits), "landlock": asdict(rules), "seccomp": program.hex(), "keep": list(self.keep),
            "debugger": self.network,
        }  # fmt: skip

    def lay_out(self, program: str) -> None:
        """Write what the inside reads into the control folder."""
        self.control.joinpath(POLICY).write_text(json.dumps(self.policy()), "utf-8")
        self.control.joinpath(PROGRAM).write_text(program, "utf-8")

    def _changeable(self) -> list[tuple[str, int]]:
        own = [self.cwd, self.private, *map(Path, self.writable)]
        return [(str(p), landlock.CHANGE) for p in own]

    def _in_namespaces(self) -> list[tuple[str, int]]:
        """All that can be seen was chosen by the mounts, so all of it may be read; what is read-only there stays so."""
        terminals = ("/dev/tty", "/dev/ptmx", "/dev/pts", "/dev/null", "/dev/zero", "/dev/full")
        return [
            ("/", landlock.READ),
            *self._changeable(),
            *((folder, landlock.CHANGE) for folder in ("/tmp", "/dev/shm", str(self.home))),
            *((device, landlock.USE_DEVICE) for device in terminals),
            (str(INSIDE), landlock.LISTEN),
        ]

    def _alone(self) -> list[tuple[str, int]]:
        """No mounts: every place that may be read is a rule, the real folder too, which notebooks name by its whole path.
        Pseudo-terminals are left out, since the user's other terminals are in the same folder; shared memory is the user's
        own, so only one who is nobody else may have it."""
        read = (
            *SYSTEM, *ETC, "/etc/passwd", "/etc/group", *(NAMES if self.network else ()), "/proc",
            "/sys/devices/system", "/sys/fs/cgroup", str(self.folder), *self.readable,
        )  # fmt: skip
        devices = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
        return [
            *((path, landlock.READ) for path in read),
            *self._changeable(),
            *((device, landlock.USE_DEVICE) for device in devices),
            *([("/dev/shm", landlock.CHANGE)] if self.user is not None else []),
            (str(self.control), landlock.READ | landlock.LISTEN),
        ]


def home() -> Path:
    """The home folder, or a stand-in where there is none worth the name."""
    found = Path(os.path.expanduser("~"))  # noqa: PTH111 (Path.home() raises where there is none)
    return found if found.is_absolute() and found != Path("/") else Path("/home/selfcode")
