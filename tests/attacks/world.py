"""The staged world that attacks work on: a home with canaries, a notebook's folder in it, listeners, a victim.

All of it is made for one run of the tests below one folder, and thrown away. Oracles look from outside, on the side of
the host: what was printed, who connected, what changed, who died, who stayed. None of them believes the attacker.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import pickle
import pty
import secrets
import shutil
import stat
import struct
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from tests.attacks.listeners import Listeners
from tests.attacks.users import User

IN_FOLDER = frozenset(("dotenv", "pem", "env-local"))
"""Canaries that lie in the notebook's own folder; all others lie outside."""

FLAGS = 0x80086601
"""FS_IOC_GETFLAGS of <linux/fs.h>: what chattr sets."""

VICTIM = Path(__file__).with_name("victim.py")


class Payload:
    """Unpickled, it runs code."""

    def __init__(self, code: str) -> None:
        self.code = code

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, (self.code,)


class World:
    """A world for one user. Use as a context manager; `facts` is what the attacker is told about it."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.token = "canary" + secrets.token_hex(8)
        self.mark = str(secrets.randbelow(10**7) + 31_000_000)
        self.base = Path(tempfile.mkdtemp(prefix="sc", dir="/var/tmp"))
        self.home = self.base / "home" / "ann"
        self.folder = self.home / "project" / "notebooks"
        self.temp = self.base / "t"
        self.sockets = self.base / "s"
        self.files: dict[Path, tuple[bytes, int]] = {}
        self.victim: subprocess.Popen[bytes] | None = None

    def canary(self, name: str) -> str:
        """The text that only whoever read this canary can know."""
        return f"{self.token}-{name}"

    # ---- making --------------------------------------------------------------------------------------------------

    def __enter__(self) -> World:
        self.base.chmod(0o755)
        for place in (self.home, self.temp, self.sockets):
            place.mkdir(parents=True)
        self._plan()
        self.repair({}, {})
        link = self.folder / "link-to-notes"
        link.symlink_to(self.home / "notes.txt")
        for place in (self.temp, self.sockets, link, *self._own(self.home)):
            self.user.given(place)
        self.suid = self.base / "become"
        if not os.getuid():
            shutil.copy("/usr/bin/id", self.suid)
            self.suid.chmod(0o4755)
        self.terminal, self.slave = pty.openpty()
        self.tty = os.ttyname(self.slave)
        self.user.given(Path(self.tty))
        self.listeners = Listeners(self.sockets, self.token)
        self.revive()
        return self

    def __exit__(self, *_: object) -> None:
        self.listeners.close()
        if self.victim:
            self.victim.kill()
            self.victim.wait()
        os.close(self.terminal)
        os.close(self.slave)
        shutil.rmtree(self.base, ignore_errors=True)

    def _plan(self) -> None:
        """Which files there are, with content and mode."""
        secret = {
            "ssh-key": ".ssh/id_rsa", "aws": ".aws/credentials", "netrc": ".netrc", "gh": ".config/gh/hosts.yml",
            "browser": ".mozilla/firefox/p.default/logins.json", "history": ".bash_history", "notes": "notes.txt",
            "connection": ".local/share/jupyter/runtime/kernel-4711.json", "sibling": "project/other/report.txt",
        }  # fmt: skip
        for name, path in secret.items():
            self._file(self.home / path, f"BEGIN CANARY {self.canary(name)}\n", 0o600)
        self._file(self.home / ".ssh" / self.canary("filename"), "", 0o600)
        for name, path in {"dotenv": ".env", "pem": "server.pem", "env-local": ".env.local"}.items():
            self._file(self.folder / path, f"BEGIN CANARY {self.canary(name)}\n", 0o600)
        for path in (".bashrc", ".profile", ".gitconfig", ".jupyter/jupyter_server_config.py",
                     ".ipython/profile_default/startup/00-mine.py", ".local/bin/tool",
                     ".local/lib/python3/site-packages/mine.pth", "spare/one.txt", "spare/deep/two.txt"):  # fmt: skip
            self._file(self.home / path, f"# {path}\n", 0o644)
        for path, text in {
            "data.csv": "a,b\n1,2\n3,4\n", "analysis.ipynb": "{}", "helpers.py": "ANSWER = 42\n", ".git/config": "[core]\n",
            ".git/hooks/pre-commit": "#!/bin/sh\n", ".vscode/tasks.json": "{}", "sub/more.txt": "more\n",
        }.items():  # fmt: skip
            self._file(self.folder / path, text, 0o644)
        hostile = Payload(f"print(open({str(self.home / 'notes.txt')!r}).read())")
        self._file(self.folder / "model.pkl", pickle.dumps(hostile), 0o644)
        with tempfile.TemporaryFile() as f:
            np.save(f, np.array([hostile], dtype=object), allow_pickle=True)
            f.seek(0)
            self._file(self.folder / "array.npy", f.read(), 0o644)

    def _file(self, path: Path, content: str | bytes, mode: int) -> None:
        # What root owns is open to everybody here, so that not the mode of a file but the cage has to keep it.
        mode = mode if self.user.uid else mode | 0o066
        self.files[path] = content.encode() if isinstance(content, str) else content, mode

    def _own(self, folder: Path) -> list[Path]:
        return [folder, *folder.rglob("*")]

    # ---- what the attacker knows ---------------------------------------------------------------------------------

    @property
    def facts(self) -> dict[str, Any]:
        """Paths, ports and process ids; nothing by which an oracle tells that it was reached."""
        assert self.victim
        return {
            "home": str(self.home), "folder": str(self.folder), "base": str(self.base), "victim": self.victim.pid,
            "mark": self.mark, "tty": self.tty, "suid": str(self.suid), "uid": self.user.uid, **self.listeners.facts,
        }  # fmt: skip

    @property
    def environment(self) -> dict[str, str]:
        """The environment of whoever starts the sandbox: secrets under telling names and under plain ones."""
        return {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": str(self.home), "USER": "ann", "LANG": "C.UTF-8",
            "TMPDIR": str(self.temp), "IPYTHONDIR": str(self.temp / "ipython"),
            "JUPYTER_RUNTIME_DIR": str(self.temp / "runtime"), "OPENAI_API_KEY": self.canary("env-key"),
            "PLAIN_SETTING": self.canary("env-plain"), "PYTHONDONTWRITEBYTECODE": "1",
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={self.sockets / 'stream'}", "DOCKER_HOST": f"unix://{self.sockets / 'stream'}",
            "SSH_AUTH_SOCK": str(self.sockets / "stream"), "MPLBACKEND": "agg",
        }  # fmt: skip

    # ---- oracles -------------------------------------------------------------------------------------------------

    def read_in(self, text: str) -> set[str]:
        """Names of the canaries that stand in a text."""
        return {part.split("-", 1)[1] for part in _tokens(text, self.token)}

    def snapshot(self) -> dict[str, Any]:
        """Everything about the files that must not change. Access times are not looked at."""
        found = {str(p): _state(p) for root in (self.home, self.base / "become") for p in self._own(root)}
        return found | {str(p): "new" for p in _planted(self.mark)}

    def changed(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
        """The paths that differ."""
        return sorted(p for p in before.keys() | after.keys() if before.get(p) != after.get(p))

    def repair(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """Put the files back as they were planned."""
        for path in sorted(after.keys() - before.keys(), reverse=True):
            with contextlib.suppress(OSError):
                Path(path).rmdir() if Path(path).is_dir() and not Path(path).is_symlink() else Path(path).unlink()
        for path, (content, mode) in self.files.items():
            if before and before.get(str(path)) == after.get(str(path)):
                continue
            missing = [p for p in [path, *path.parents] if p.is_relative_to(self.home) and not p.exists()]
            path.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
            path.write_bytes(content)
            path.chmod(mode)
            for made in {*missing, path}:
                self.user.given(made)
        for folder in self._own(self.home):
            if folder.is_dir() and not folder.is_symlink():
                folder.chmod(0o755 if self.user.uid else 0o777)

    def revive(self) -> None:
        """A victim that is well."""
        if self.victim and self.victim.poll() is None and self.hurt() == []:
            return
        if self.victim:
            self.victim.kill()
            self.victim.wait()
        self._hit = self.temp / "victim-hit"
        self._hit.unlink(missing_ok=True)
        argv = self.user.command(sys.executable, "-I", "-S", str(VICTIM), str(self._hit), self.canary("cmdline"))
        self.victim = subprocess.Popen(
            argv, env={"VICTIM": self.canary("victim-environ")}, cwd=self.home, stdout=subprocess.PIPE, start_new_session=True
        )
        assert self.victim.stdout
        assert self.victim.stdout.readline() == b"ready\n"
        self._well = self._condition()

    def hurt(self) -> list[str]:
        """What was done to the victim."""
        try:
            return sorted(k for k, v in self._condition().items() if v != self._well[k])
        except (psutil.NoSuchProcess, FileNotFoundError):
            return ["killed"]

    def _condition(self) -> dict[str, Any]:
        assert self.victim
        process = psutil.Process(self.victim.pid)
        status = process.status()
        if status == psutil.STATUS_ZOMBIE:
            raise psutil.NoSuchProcess(self.victim.pid)
        return {
            "signalled": self._hit.exists(), "stopped": status in (psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP),
            "limits": Path(f"/proc/{process.pid}/limits").read_text(), "nice": process.nice(), "cpus": process.cpu_affinity(),
            "io": process.ionice(), "memory": process.environ(),
        }  # fmt: skip

    def left(self) -> list[str]:
        """Processes that carry the mark of an attacker."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.status() != psutil.STATUS_ZOMBIE and self.mark in process.cmdline():
                    found.append(f"{process.pid} {' '.join(process.cmdline())}")
        return found

    def end_left(self) -> None:
        """Kill them."""
        for found in self.left():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(found.split()[0]), 9)

    def typed(self) -> bytes:
        """What came to the terminal."""
        os.set_blocking(self.terminal, False)
        with contextlib.suppress(BlockingIOError):
            return os.read(self.terminal, 4096)
        return b""


def _tokens(text: str, token: str) -> Iterator[str]:
    names = "abcdefghijklmnopqrstuvwxyz-"
    for piece in text.split(token)[1:]:
        name = piece[: next((i for i, c in enumerate(piece) if c not in names), len(piece))]
        if name.startswith("-"):
            yield token + name


def _planted(mark: str) -> list[Path]:
    """What an attack on the installed packages of this very Python has left."""
    return list(Path(sysconfig.get_path("purelib")).glob(f"*{mark}*"))


def _state(path: Path) -> Any:
    try:
        found = path.lstat()
        state: list[Any] = [found.st_mode, found.st_uid, found.st_gid, found.st_nlink, found.st_mtime_ns]
        if path.is_symlink():
            return [*state, os.readlink(path)]  # noqa: PTH115
        attributes = {n: os.getxattr(path, n) for n in os.listxattr(path)}
        if stat.S_ISREG(found.st_mode):
            with path.open("rb") as f:
                flags = struct.unpack("l", fcntl.ioctl(f, FLAGS, bytes(8)))[0]
                return [*state, attributes, flags, hashlib.sha256(f.read()).hexdigest()]
        return [*state, attributes]
    except FileNotFoundError:
        return None


def wait_until(holds: Any, seconds: float = 3.0) -> bool:
    """Whether it holds before this time is over."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
