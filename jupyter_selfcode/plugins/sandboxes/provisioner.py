"""Kernel provisioners that start a local kernel without the caller's secrets: under limits only (tier C), or in a cage.

`jupyter_client` finds them by their entry points, `selfcode-limited` and `selfcode-contained`, so any `kernel.json` may name
one, a live kernel's too, and nbclient drives either unchanged. The first is *not* containment: the kernel runs with the
rights of the user. The second differs from it in what goes between the launcher and the kernel, and in nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import Int, List, Unicode

from ...analysis.secrets import forms_in, looks_secret
from . import launcher
from .watchdog import children

HOST = "JUPYTER_SELFCODE_HOST"
"""Set in every kernel of ours: `trial`, `run` or `contained`. The extension reads it, so that a notebook which loads it
starts no adaptation of its own inside of one."""

PASSED_ON = frozenset((
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "TZ", "LANG", "LANGUAGE",
    "PYTHONPATH", "PYTHONHASHSEED", "PYTHONUTF8", "PYTHONIOENCODING", "PYTHONWARNINGS", "PYTHONSAFEPATH",
    "VIRTUAL_ENV", "CONDA_PREFIX", "CONDA_DEFAULT_ENV", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH",
    "JAVA_HOME", "R_HOME", "PROJ_LIB", "PROJ_DATA", "GDAL_DATA", "CUDA_VISIBLE_DEVICES", "CUDA_HOME",
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "NUMEXPR_MAX_THREADS",
    "NUMBA_NUM_THREADS", "LOKY_MAX_CPU_COUNT", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
))  # fmt: skip
"""Names of variables that decide whether code runs here as it does in the notebook. All others are left out: an
allow-list, since no list of forms of secrets is complete. `HOME` stays, for data sets and caches live there."""

STOP_SECONDS = 3.0
"""How long the launcher may take to end the tree before it is helped: a thousand processes at work leave it no time."""

HELPED_SECONDS = 60.0
"""How long it may take then, before it is killed itself: without it, whoever had left the kernel's group would go on."""


def scrubbed(environ: Mapping[str, str], grants: Collection[str] = ()) -> dict[str, str]:
    """The variables that a trial is given: those on the list or granted by name, none that looks secret."""
    return {
        name: value
        for name, value in environ.items()
        if (name in PASSED_ON or name.startswith("LC_") or name in grants) and not secret(name, value)
    }


def secret(name: str, value: str) -> bool:
    """Whether a variable looks secret, by its name or by its value."""
    return looks_secret(name) or bool(forms_in(value))


class LimitedProvisioner(LocalProvisioner):
    """A local kernel below a launcher that limits it, watches it and ends all that it started."""

    memory = Int(None, allow_none=True, help="Bytes that the kernel and all its children may hold.").tag(config=True)
    processes = Int(512, allow_none=True, help="Processes that the kernel may have at once.").tag(config=True)
    file_size = Int(2 * 2**30, help="Bytes of the largest file that it may write.").tag(config=True)
    cpu = Int(None, allow_none=True, help="Seconds of processor time of one of its processes.").tag(config=True)
    disk = Int(None, allow_none=True, help="Bytes that it may write below `watched`.").tag(config=True)
    entries = Int(200_000, help="Files and folders that may be below `watched`.").tag(config=True)
    watched = Unicode("", help="Folder whose size is watched. Empty: none.").tag(config=True)
    grants = List(Unicode(), help="Environment variables that it is given besides the usual ones.").tag(config=True)
    role = Unicode("trial", help="What the kernel is for: trial, run or contained.").tag(config=True)
    scratch = Unicode("", help="Folder for temporary files and settings. Empty: made and removed.").tag(config=True)

    _made = ""

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Put the launcher before the command, and make the environment.

        `env`, where the caller gives it, is scrubbed too, and so is what the kernel spec adds.
        """
        if not self.scratch:
            self.scratch = self._made = tempfile.mkdtemp(prefix="selfcode-")
        kwargs["env"] = scrubbed(kwargs.pop("env", None) or os.environ, self.grants)
        kwargs = await super().pre_launch(**kwargs)
        kwargs["cmd"] = self.command(kwargs["cmd"])
        kwargs["env"] |= {HOST: self.role, **private_folders(Path(self.scratch))}
        return kwargs

    def _finalize_env(self, env: dict[str, str]) -> None:
        super()._finalize_env(env)
        for name in [n for n, v in env.items() if secret(n, v)]:
            del env[name]

    def command(self, kernel: list[str]) -> list[str]:
        """The whole command: this interpreter, without site packages, runs the launcher, which runs the kernel."""
        return self._launching(kernel)

    def _launching(self, command: list[str], **more: Any) -> list[str]:
        disk = {"disk": self.watched, "disk_bytes": self.disk, "disk_entries": self.entries}
        policy = {
            "parent": os.getpid(), "memory": self.memory, "processes": self.processes, "file_size": self.file_size,
            "cpu": self.cpu, **(disk if self.watched and self.disk is not None else {}), **more,
        }  # fmt: skip
        return launcher.command(policy, command)

    async def kill(self, restart: bool = False) -> None:
        """Have the launcher end the whole tree, and wait for it: milliseconds, and nobody is left."""
        if self.process is None:
            return
        self.stop()
        if await self._has_ended(STOP_SECONDS):
            return
        for child in children(self.process.pid):  # the kernel, and who came back when it left the group
            with contextlib.suppress(OSError):
                os.killpg(child, signal.SIGKILL)
        if not await self._has_ended(HELPED_SECONDS):
            await super().kill(restart=restart)

    terminate = kill

    async def _has_ended(self, seconds: float) -> bool:
        """Whether the launcher has ended, within so long."""
        until = time.monotonic() + seconds
        while self.process is not None and self.process.poll() is None:
            if time.monotonic() > until:
                return False
            await asyncio.sleep(0.005)
        return True

    def stop(self) -> None:
        """Ask for the end, without waiting: for clean-up that cannot wait. The launcher does the rest."""
        if self.process is not None and self.process.poll() is None:
            with contextlib.suppress(OSError):
                self.process.send_signal(signal.SIGTERM)

    async def cleanup(self, restart: bool = False) -> None:
        """Remove the folder that was made here."""
        await super().cleanup(restart=restart)
        if self._made and not restart:
            shutil.rmtree(self._made, ignore_errors=True)
            self.scratch = self._made = ""


def private_folders(scratch: Path) -> dict[str, str]:
    """Throw-away folders for what a kernel writes beside its work, and the variables that name them.

    matplotlib's settings and its list of fonts are copied in: without the list the first figure takes seconds.
    """
    folders = {"IPYTHONDIR": scratch / "ipython", "MPLCONFIGDIR": scratch / "matplotlib", "TMPDIR": scratch / "tmp"}
    for folder in folders.values():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for source in settings_of_matplotlib():
        with contextlib.suppress(OSError):
            shutil.copy2(source, folders["MPLCONFIGDIR"] / source.name)
    return {name: str(folder) for name, folder in folders.items()}


def settings_of_matplotlib() -> list[Path]:
    """The user's settings and lists of fonts that there are."""
    home = Path.home()
    given = os.environ.get("MPLCONFIGDIR")
    caches = [Path(given)] if given else [
        Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "matplotlib",
        Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "matplotlib",
        home / ".matplotlib",
    ]  # fmt: skip
    return [f for c in caches for pattern in ("fontlist-*.json", "matplotlibrc") for f in c.glob(pattern)]
