"""How strong a cage this machine gives: found by running it against itself, never by version numbers.

    A  bubblewrap (namespaces, an allow-list of files) + Landlock + seccomp + limits
    B  Landlock (ABI 6 or newer) + seccomp + limits: nothing to install
    M  macOS: seatbelt, written and not tried
    C  limits only: never deploys unasked, and is used only where a person has said so

The self-test starts the real cage on a small program that tries to read, connect, signal and write outside; the same
program is run beside it without a cage, where it must succeed, since a test that cannot fail proves nothing. What passed is
remembered until the machine starts anew. Everything that goes wrong means that a tier is not there.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import inspect
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...values.trial import Tier
from . import bubblewrap, cage, landlock, launcher, seatbelt, seccomp, unprivileged
from .enclose import enclosed
from .installation import installation
from .plan import CONTAINED, Cage, Contained, home
from .scratch import private_user, temp_root

PROMISES: Mapping[Tier, str] = {
    "A": (
        "While a candidate is being validated it cannot read your files except the notebook's folder and the Python "
        "installation, cannot write any file that survives, cannot reach the network or other programs, cannot see or "
        "signal your processes, and is killed with all its children at the time or memory limit - barring a bug in the "
        "Linux kernel, bubblewrap or our rules."
    ),
    "B": (
        "As A, but it can see which programs run and which files exist, and can read everything in the notebook's folder; "
        "memory is limited per process and by polling."
    ),
    "M": "As A, by the rules of macOS's own sandbox; written after its documentation and not tried.",
    "C": "It runs with your rights, with limits on time and memory. We do not auto-accept.",
}
"""What each tier promises, in one line that is shown with every verdict."""

ALWAYS = (
    "Validation does not prove that the cell is harmless or right. It can lie about itself, and it can behave differently "
    "once accepted; accepted code has your rights. Side channels, CPU use up to the limit, and kernel exploits are out of "
    "scope."
)

GRANTED_ROOT = "You allowed it to run as root; but for that: "
GRANTED_NETWORK = "You allowed it the network; but for that: "

SECONDS = 20.0
"""How long a self-test may take."""


def promise(tier: Tier, *, as_root: bool = False, network: bool = False) -> str:
    """What a tier promises, and first what a person has allowed beyond it."""
    granted = GRANTED_NETWORK * (network and tier == "A") + GRANTED_ROOT * (as_root and tier == "B")
    return granted + PROMISES[tier]


@dataclass(frozen=True, slots=True)
class Given:
    """What a machine gives: for each tier an empty text, or why it is not there."""

    reasons: Mapping[str, str]

    @property
    def best(self) -> Contained | None:
        """The strongest cage that there is."""
        return next((t for t in CONTAINED if not self.reasons[t]), None)


ATTEMPTS = r"""
import json, os, socket, sys
w = json.loads(sys.argv[1]); got = {}
def attempt(name, what):
    try:
        what(); got[name] = True
    except OSError as e:
        got[name] = False
def unix():
    s = socket.socket(socket.AF_UNIX); s.settimeout(5); s.connect(w["unix"])
attempt("read", lambda: open(w["canary"]).read())
attempt("write", lambda: open(w["canary"] + ".new", "w").close())
attempt("connect", lambda: socket.create_connection(("127.0.0.1", w["port"]), 5))
attempt("unix", unix)
attempt("signal", lambda: os.kill(w["pid"], 0))
attempt("own", lambda: open("own", "w").write("x"))
attempt("astray", lambda: os.symlink("/", os.path.join(w["control"], "astray")))
print(json.dumps(got))
"""
FORBIDDEN = ("read", "write", "connect", "unix", "signal", "astray")


def _tried(command: Sequence[str], cwd: str, pass_fds: tuple[int, ...] = ()) -> dict[str, Any]:
    """What the program reports. Raises `RuntimeError` with the reason where it reports nothing."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(home()), cage.WORKING_FOLDER: cwd}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=SECONDS, check=False, pass_fds=pass_fds, cwd=cwd,
            env=environment, stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as e:
        raise RuntimeError(f"its self-test did not run: {type(e).__name__}") from e
    try:
        return dict(json.loads(done.stdout))
    except ValueError:
        said = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise RuntimeError(said[:200]) from None


def _test(tier: Contained, folder: Path) -> str:
    """Run the attempts in the cage and beside it. Why the tier is not there, or an empty text."""
    outside, control, content, private = (folder / n for n in ("outside", "k", "work", "private"))
    for place in (outside, control, content, private):
        place.mkdir(mode=0o755)
    (outside / "canary").write_text("canary", "utf-8")
    outside.chmod(0o777)
    with socket.socket() as tcp, socket.socket(socket.AF_UNIX) as unix:
        tcp.bind(("127.0.0.1", 0))
        unix.bind(str(outside / "socket"))
        (outside / "socket").chmod(0o777)
        for listener in (tcp, unix):
            listener.listen(8)
        wanted = {
            "canary": str(outside / "canary"), "port": tcp.getsockname()[1], "unix": str(outside / "socket"), "pid": os.getpid(),
        }  # fmt: skip
        user = private_user(os.getpid()) if os.geteuid() == 0 else None
        found = installation(sys.executable)
        plan = Cage(tier, control, content, content, private, home(), readable=found.readable, user=user)
        python = [found.program, "-I", "-S", "-c", ATTEMPTS]
        beside = _tried((*python, json.dumps({**wanted, "control": str(outside)})), str(content))
        if missed := [name for name in (*FORBIDDEN, "own") if not beside.get(name)]:
            return f"its self-test could not show what it should forbid ({', '.join(missed)})"
        (outside / "canary.new").unlink()
        inner = ["--", *python, json.dumps({**wanted, "control": str(plan.seen_control)})]
        with enclosed(plan, found.program, inner) as made:
            policy = {"parent": os.getpid(), "file_size": 2**20, **made.policy}
            # only the cage may be what keeps it from the outside, no folder that another user could not enter anyway
            policy["needed"] = [*made.policy.get("needed", ()), str(outside)]
            inside = _tried(launcher.command(policy, made.command), str(plan.cwd), made.descriptors)
    if passed := [name for name in FORBIDDEN if inside.get(name) is not False]:
        return f"its self-test got through ({', '.join(passed)})"
    return "" if inside.get("own") else "its self-test could not write its own file"


TO_DROP = {"CAP_CHOWN": 0, "CAP_DAC_OVERRIDE": 1, "CAP_KILL": 5, "CAP_SETGID": 6, "CAP_SETUID": 7}
"""What root needs to run a trial as an unprivileged user, reach its sockets and end it: <linux/capability.h>."""


def _capabilities() -> int:
    status = Path("/proc/self/status").read_text("ascii", "replace")
    return int(status.partition("CapEff:")[2].split()[0], 16)


def _unfit(tier: Contained) -> str:
    """Why a tier cannot be there, as far as that is known without running it."""
    if tier == "M":
        return "" if sys.platform == "darwin" and Path(seatbelt.PROGRAM).exists() else "it needs macOS"
    if sys.platform != "linux":
        return "it needs Linux"
    if not seccomp.known():
        return f"no seccomp filter for {platform.machine()}"
    needed = 1 if tier == "A" else landlock.CONTAINING_ABI
    if landlock.abi() < needed:
        return f"Landlock ABI {landlock.abi()}, and {needed} is needed" if landlock.abi() else "this system has no Landlock"
    return bubblewrap.find()[1] if tier == "A" else ""


def _key(tier: Contained) -> str:
    """What a remembered result depends on: the machine since its start, the cage, and who asks."""
    sources = [inspect.getsource(m).encode() for m in (bubblewrap, cage, landlock, launcher, seccomp, unprivileged)]
    program, _ = bubblewrap.find()
    stamp = os.stat(program) if program and tier == "A" else None  # noqa: PTH116
    with contextlib.suppress(OSError):
        sources.append(Path("/proc/sys/kernel/random/boot_id").read_bytes())
    told = (tier, os.geteuid(), sys.executable, platform.release(), stamp and (stamp.st_mtime_ns, stamp.st_ino))
    return hashlib.sha256(b"\0".join([*sources, repr(told).encode()])).hexdigest()[:24]


def _bound() -> str:
    """Why root cannot run a trial as somebody else, as in some containers."""
    lacking = [n for n, bit in TO_DROP.items() if os.geteuid() == 0 and not _capabilities() >> bit & 1]
    return f"root lacks the rights to become somebody else: {', '.join(lacking)}" if lacking else ""


def _probed(tier: Contained) -> str:
    if reason := _unfit(tier) or _bound():
        return reason
    remembered = temp_root() / f"tier-{_key(tier)}"
    if remembered.exists():
        return ""
    folder = Path(tempfile.mkdtemp(prefix="selfcode-test-"))
    folder.chmod(0o755)
    try:
        reason = _test(tier, folder)
    except (OSError, RuntimeError, subprocess.SubprocessError, KeyError, ValueError) as e:
        return str(e) or type(e).__name__
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if not reason:
        with contextlib.suppress(OSError):
            remembered.touch(mode=0o600)
    return reason


@functools.cache
def probe() -> Given:
    """What this machine gives. The first call of a boot takes some tenths of a second."""
    return Given({tier: _probed(tier) for tier in CONTAINED})


def choose(wanted: str = "auto", *, as_root: bool = False, network: bool = False) -> Contained:
    """The tier to use. Raises `RuntimeError` with the reason where what is wanted is not to be had."""
    if os.geteuid() == 0 and as_root:
        reason = _unfit("B")
        if wanted == "A" or network or reason:
            raise RuntimeError("as root only tier B, without a network, can be had" + (f": {reason}" if reason else ""))
        return "B"
    given = probe()
    order = [t for t in CONTAINED if wanted in ("auto", t) and not (network and t == "B")]
    for tier in order:
        if not given.reasons[tier]:
            return tier
    reasons = "; ".join(f"tier {t}: {given.reasons[t]}" for t in order) or f"tier {wanted} is not for this system"
    raise RuntimeError(reasons + ("; a network can be granted in tier A only" if network else ""))


def tasks_of(user: int) -> int:
    """How many threads a user has now; the limit on processes counts them all."""
    count = 0
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if entry.stat().st_uid == user:
                    count += len(os.listdir(f"/proc/{entry.name}/task"))  # noqa: PTH208
    return count


