"""Whether the litellm that is installed may be called, and what else runs at every start of Python: the supply chain.

litellm 1.82.7 and 1.82.8 were published with a stolen token and carry a credential stealer (PYSEC-2026-2); the second one
runs by a `.pth` file, at every start of Python, without any import. Versions are read from the package's metadata:
nothing of it is imported to find out.
"""

from __future__ import annotations

import re
import site
import sys
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path

SUPPORTED = ">=1.84.0,!=1.82.7,!=1.82.8,<2"
"""The range of the extra `litellm`; below it are advisories that touch callers of the library."""

COMPROMISED = frozenset(("1.82.7", "1.82.8"))
INSTALL = 'pip install "jupyter_selfcode[litellm]"'

_KNOWN_START = re.compile(
    r"distutils-precedence|_virtualenv|__editable__[\w.-]*|[\w.-]+-nspkg|a1_coverage|pytest-cov|_?coverage\w*|matplotlib[\w.-]*"
)
"""Stems of `.pth` files that are known to run code: setuptools, virtualenv, namespace packages, coverage."""


def refusal(found: str | None) -> str:
    """Why a litellm of this version (None: not installed) is not called, in one line; empty where it may be."""
    from packaging.specifiers import SpecifierSet
    from packaging.version import InvalidVersion, Version

    if found is None:
        return f"litellm is not installed; install it with: {INSTALL}"
    try:
        parsed = Version(found)
    except InvalidVersion:
        return f"litellm has no version that can be read ({found!r}), so it is not called; install it anew with: {INSTALL}"
    if parsed.base_version in COMPROMISED:
        return (
            f"litellm {found} is a compromised release that steals credentials (PYSEC-2026-2), so it is not called: uninstall "
            f"it, renew every key that was on this machine, then: {INSTALL}"
        )
    if not SpecifierSet(SUPPORTED).contains(parsed, prereleases=True):
        return f"litellm {found} is outside of the range that may be called ({SUPPORTED}), so it is not; mend it with: {INSTALL}"
    return ""


def installed() -> str | None:
    """The version of litellm by its metadata, without importing it."""
    try:
        return version("litellm")
    except PackageNotFoundError:
        return None


def problems() -> list[str]:
    """A line where the litellm that is installed may not be called; that none is installed is no problem."""
    found = installed()
    why = refusal(found) if found is not None else ""
    return [why] if why else []


def start_files(folders: Iterable[str] | None = None) -> list[str]:
    """A line for every `.pth` file that runs code at each start of Python and is not known to belong there.

    It says what is there and judges nothing: an installer may have put it there for good reason.
    """
    here = [*site.getsitepackages(), site.getusersitepackages()] if folders is None else folders
    lines = []
    for folder in dict.fromkeys(f for f in here if folders is not None or f in sys.path):
        for file in sorted(Path(folder).glob("*.pth")):
            if _KNOWN_START.fullmatch(file.stem) or not _runs_code(file):
                continue
            owner = _owner(file)
            lines.append(
                f"{file} runs code at every start of Python"
                + (f"; it belongs to {owner}." if owner else ", and no installed package says that it is its own: look at it.")
            )
    return lines


def _runs_code(file: Path) -> bool:
    try:
        return any(line.startswith(("import ", "import\t")) for line in file.read_text("utf-8", "replace").splitlines())
    except OSError:
        return False


def _owner(file: Path) -> str:
    """The distribution that lists the file as its own."""
    for found in distributions(path=[str(file.parent)]):
        if any(Path(str(f)).name == file.name and len(f.parts) == 1 for f in found.files or ()):
            return f"{found.metadata['Name']} {found.version}"
    return ""
