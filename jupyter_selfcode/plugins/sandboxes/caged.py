"""The provisioner of a contained kernel, for a trial and for a live notebook alike: tiers A and B.

A trial says what stands for the notebook's folder (a copy) and where its sockets are. Named in a `kernel.json` without
any of that, as the kernel "Python 3 (selfcode, contained)" does, it makes a place of its own, gives the kernel its working
folder to read and write, and moves the connection from TCP, which no kernel without a network could offer, to sockets in
the file system.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from traitlets import Bool, Enum, Int, List, Unicode

from . import cage, tiers
from .enclose import enclosed
from .installation import installation
from .plan import CONNECTION, Cage, Contained, home
from .provisioner import LimitedProvisioner
from .scratch import own, private_user

PROXIES = frozenset(("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"))
"""Of no use where there is no network."""

PROTECTED = (
    ".git", ".hg", ".svn", ".github", ".gitmodules", ".gitattributes", ".selfcode", ".vscode", ".idea", ".mcp.json", ".claude",
    ".cursor", ".jupyter", ".ipython", ".bashrc", ".bash_profile", ".profile", ".zshrc", ".gitconfig", ".ssh",
)  # fmt: skip
"""What a live kernel may not change in its folder (tier A): other programs run or trust what is in it, and our history."""

PROCESSES, OPEN_FILES = 512, 4096

LISTENING_SECONDS, LOOK_SECONDS = 10.0, 0.005
"""How long a live kernel may take to listen before whoever started it goes on, and how often it is looked."""


class ContainedProvisioner(LimitedProvisioner):
    """A kernel in a cage. `RuntimeError` where this machine gives none, with the reason: it never starts outside."""

    tier = Enum(("auto", "A", "B", "M"), "auto", help="The cage; auto: the strongest that this machine gives.").tag(config=True)
    folder = Unicode("", help="The working folder as the kernel sees it. Empty: the one it is started in.").tag(config=True)
    content = Unicode("", help="What stands for the folder. Empty: the folder itself.").tag(config=True)
    originals = List(Unicode(), help="Parts of the folder that are its own, read-only, in a copy.").tag(config=True)
    hidden = List(Unicode(), help="Files that are shown empty (tier A).").tag(config=True)
    readable = List(Unicode(), help="Files and folders that may be read besides.").tag(config=True)
    writable = List(Unicode(), help="Files and folders that may be written besides.").tag(config=True)
    network = Bool(False, help="Whether it may connect to Internet addresses (tier A only).").tag(config=True)
    as_root = Bool(False, help="Run as root, in tier B, where root is the only user there is.").tag(config=True)
    user = Int(None, allow_none=True, help="The user to become where root calls. None: one that is free.").tag(config=True)

    parent: Any
    _control = ""
    _opened: ExitStack

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Choose the tier, lay the cage out, and put it between the launcher and the kernel."""
        tier = tiers.choose(self.tier, as_root=self.as_root, network=self.network)
        live = not self.content
        if live and self.role == "trial":
            self.role = "contained"  # named by a kernel.json alone
        self._places(live)
        self.folder = self.folder or os.path.realpath(kwargs.get("cwd") or Path.cwd())
        kwargs = await super().pre_launch(**kwargs)
        keep = kwargs.get("pass_fds", ())
        plan, python, inner = self._plan(tier, kwargs["cmd"], keep)
        self._opened = ExitStack()
        made = self._opened.enter_context(enclosed(plan, python, inner, live=live))
        return kwargs | {
            "cmd": self._launching(list(made.command), **made.policy), "cwd": "/" if tier != "M" else str(plan.cwd), "pass_fds": (*keep, *made.descriptors),
            "env": self._environment(plan, python, kwargs["env"]),
        }  # fmt: skip

    def command(self, kernel: list[str]) -> list[str]:
        """As the kernel gave it; it is enclosed when its connection is known."""
        return kernel

    def _places(self, live: bool) -> None:
        """Where sockets and private files are: given by a trial and by a run, made here for any other live kernel."""
        manager = self.parent
        if not live or (self.scratch and not self._made):
            self._control = str(Path(manager.connection_file).parent)
            return
        if not self._made:
            self._made = tempfile.mkdtemp(prefix="selfcode-")
            self.scratch, self._control = f"{self._made}/private", f"{self._made}/k"
            Path(self._control).mkdir(mode=0o700)
        manager.transport, manager.ip = "ipc", f"{self._control}/s"

    def _plan(self, tier: Contained, kernel: list[str], keep: Sequence[int]) -> tuple[Cage, str, list[str]]:
        """The cage, the Python that closes it, and the arguments of that."""
        python, inner = (kernel[0], kernel[1:]) if "-m" in kernel else (sys.executable, ["--", *kernel])
        found = [installation(python)] + ([] if "-m" in kernel else [installation(kernel[0])])
        user = self.user
        if user is None and os.geteuid() == 0 and not self.as_root:
            user = private_user(os.getpid())
        folder = Path(self.folder)
        plan = Cage(
            tier, Path(self._control), folder, Path(self.content or folder), Path(self.scratch), home(),
            readable=tuple(dict.fromkeys([*(r for f in found for r in f.readable), *self.readable])),
            writable=tuple(self.writable), originals=tuple(self.originals), hidden=tuple(self.hidden),
            network=self.network, user=user, keep=tuple(keep),
            protected=() if self.content else tuple(n for n in PROTECTED if (folder / n).exists()),
            limits={"NPROC": self._processes(tier, user), "NOFILE": OPEN_FILES, "CORE": 0},
        )  # fmt: skip
        seen, connection = plan.seen_control, str(self.parent.connection_file)
        info = {**json.loads(Path(connection).read_text("utf-8")), "ip": str(seen / "s")}
        plan.control.joinpath(CONNECTION).write_text(json.dumps(info), "utf-8")
        return plan, found[0].program, [a.replace(connection, str(seen / CONNECTION)) for a in inner]

    def _processes(self, tier: Contained, user: int | None) -> int:
        """The limit counts the user's threads: those of the cage in a namespace or for a user of its own, else all. It is
        wider than that of the watch, which gives the clear verdict; this one stops a bomb between two looks."""
        others = tiers.tasks_of(os.getuid()) if tier != "A" and user is None else 0
        return others + 2 * (self.processes or PROCESSES)

    def _environment(self, plan: Cage, python: str, env: dict[str, str]) -> dict[str, str]:
        """What the kernel is given: places as they are inside, and the name of nobody."""
        if not plan.network:
            env = {n: v for n, v in env.items() if n not in PROXIES}
        place = plan.home
        if plan.tier != "A":
            place = plan.private / "home"
            place.mkdir(exist_ok=True)
            if plan.user is not None:
                own(place, plan.user)
        else:
            env["TMPDIR"] = "/tmp"
        if self.as_root:
            env[cage.AS_ROOT] = "1"
        programs = f"{Path(python).parent}:/usr/local/bin:/usr/bin:/bin"
        return env | {
            "PATH": programs, "HOME": str(place), "USER": "sandbox", "LOGNAME": "sandbox", "PYTHONDONTWRITEBYTECODE": "1", "PWD": str(plan.cwd),
            cage.WORKING_FOLDER: str(plan.cwd),
        }  # fmt: skip

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Start it; what it inherits is not kept open here. A live kernel's sockets are there afterwards: ZeroMQ tries again
        only after a tenth of a second where a client connects too early, and any client of Jupyter's would."""
        with self._opened:
            connection = await super().launch_kernel(cmd, **kwargs)
        manager = self.parent
        ports = (manager.shell_port, manager.iopub_port, manager.stdin_port, manager.control_port, manager.hb_port)
        awaited = [Path(f"{manager.ip}-{port}") for port in ports] if self._made else []
        for _ in range(int(LISTENING_SECONDS / LOOK_SECONDS)):
            awaited = [path for path in awaited if not path.exists()]
            if not awaited or await self.poll() is not None:
                break
            await asyncio.sleep(LOOK_SECONDS)
        return connection
