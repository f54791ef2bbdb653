"""What a Python installation needs to be read for its kernel to start: its prefixes, and what lies on its path."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .scratch import LEFT_OUT

ASK = "import json, sys; print(json.dumps([sys.prefix, sys.base_prefix, sys.exec_prefix, *sys.path]))"
ASK_SECONDS = 20.0
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
"""Where a distribution keeps programs and libraries; some are links into the first."""

PACKAGES = 300
"""Entries of a project folder on the path that are granted one by one; a wider folder is granted whole."""


@dataclass(frozen=True, slots=True)
class Installation:
    """A Python: its program, and the files and folders outside of the system's own that it reads."""

    program: str
    readable: tuple[str, ...]


@cache
def _asked(program: str, changed: int) -> tuple[str, ...]:
    done = subprocess.run([program, "-c", ASK], capture_output=True, text=True, timeout=ASK_SECONDS, check=True, cwd="/")
    return tuple(json.loads(done.stdout))


def hops(path: Path) -> list[Path]:
    """The path and every link on the way to what it is in the end: all of them must be there to follow it."""
    found = [path]
    while path.is_symlink() and len(found) < 20:
        path = Path(os.path.normpath(path.parent / path.readlink()))
        found.append(path)
    return found


def importable(folder: Path) -> list[Path]:
    """What can be imported from a folder that is no installation (a project that is installed to be edited): packages and
    modules, so that neither its history nor its settings are readable because it is on the path."""
    entries = sorted(p for p in folder.iterdir() if not p.name.startswith(".") and p.name not in LEFT_OUT)
    wanted = [p for p in entries if (p.is_dir() and p.name.isidentifier()) or p.suffix in (".py", ".so", ".pyd")]
    return wanted if len(wanted) <= PACKAGES else [folder]


def installation(program: str) -> Installation:
    """What this Python reads. Raises `OSError` or `subprocess.SubprocessError` where it does not answer."""
    found = Path(shutil.which(program) or program).absolute()
    told = _asked(str(found), found.stat().st_mtime_ns)  # not ours, even where it is ours: tests and hosts add to sys.path
    roots = {q for p in map(Path, told[:3]) for q in (p, p.resolve())} | set(hops(found))
    for entry in map(Path, told[3:]):
        if not entry.is_absolute() or not entry.exists() or within(entry, roots):
            continue
        roots.update([entry] if entry.is_file() or "-packages" in entry.name else importable(entry))
    outside = {p for p in roots if not within(p, map(Path, SYSTEM)) and p != Path("/")}
    least = [p for p in sorted(outside) if not within(p, outside - {p})]
    return Installation(str(found), tuple(map(str, least)))


def within(path: Path, roots: Iterable[Path]) -> bool:
    """Whether a path is one of these or lies below one."""
    return any(path == r or path.is_relative_to(r) for r in roots)
