"""Who attacks: root, where the tests run as root, and an ordinary user, always."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import jupyter_selfcode

NOBODY_ELSE = 50_000 + os.getpid() % 10_000
"""A user id that no account has, so that nothing but what these tests start belongs to it: signals to everybody reach nobody
else, and limits on processes count no others."""

ENTERING = Path(__file__).with_name("entering.py")


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who runs the sandbox and its attacks."""

    name: str
    uid: int

    def command(self, *argv: str) -> list[str]:
        """The command that runs `argv` as this user; its process id is that of `argv`."""
        if self.uid == os.getuid():
            return list(argv)
        folders = ":".join(map(str, needed()))
        return ["unshare", "--mount", "--", sys.executable, "-I", "-S", str(ENTERING), str(self.uid), folders, "--", *argv]

    def given(self, path: Path) -> Path:
        """This file or folder, handed over to the user."""
        if self.uid != os.getuid():
            os.chown(path, self.uid, self.uid, follow_symlinks=False)
        return path


ROOT, ORDINARY = User("root", 0), User("ordinary", os.getuid() or NOBODY_ELSE)


def needed() -> list[Path]:
    """Folders that this interpreter and its packages lie in, with this repository."""
    package = Path(jupyter_selfcode.__file__).resolve().parents[1]
    paths = {Path(p).resolve() for p in (sys.prefix, sys.base_prefix, *sys.path, package, Path(__file__).parents[2]) if p}
    folders = {p for p in paths if p.is_dir()} | {Path(sys.prefix)}
    return sorted(f for f in folders if not any(f != o and f.is_relative_to(o) for o in folders))


@functools.cache
def why_not(user: User) -> str:
    """Why nothing can run as this user here, in one line; empty where it can."""
    if user.uid == os.getuid():
        return ""
    if os.getuid():
        return "these tests do not run as root"
    argv = user.command(sys.executable, "-c", "import jupyter_selfcode, ipykernel, os; print(os.getuid())")
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd="/")
    if done.returncode == 0 and done.stdout.split() == [str(user.uid)]:
        return ""
    said = (done.stderr or done.stdout).strip().splitlines()
    return f"no ordinary user can run this Python here: {said[-1] if said else 'it gave nothing'}"
