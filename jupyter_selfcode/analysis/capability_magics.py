"""What IPython's own syntax could do: shell lines, installers, and magics, of which only a few are known to be plain."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..values.capability import Capability, Kind
from .known_calls import words
from .magics import PYTHON_BODIES, Magic

PLAIN = (PYTHON_BODIES - {"debug"}) | words(
    "matplotlib precision who who_ls whos pwd lsmagic pinfo pinfo2 pdoc pdef psource quickref magic xmode"
)
"""Not `config`, which could change the policy, and not `html` or `javascript`, which run in the browser."""

_RUNNING = frozenset({"time", "timeit", "prun", "memit", "lprun", "mprun", "snakeviz", "pyinstrument", "scalene"})
"""Magics whose line is Python, or options and Python."""
_OPTIONS = re.compile(r"(?:\s*(?:-[A-Za-z](?:\s*\d+|(?<=[DTfsl])\s+\S+)?|--\w[\w-]*(?:=\S*)?)(?=\s|$))*\s*")
_FILES = re.compile(r"(?:^|\s)-[DT]\b|--(?:outfile|html|output)\b")
_HELP = re.compile(r"\?{1,2}\s*[%\w.*]+\s*|[%\w.*\[\]'\"]+\?{1,2}\s*;?\s*")
_INSTALLERS = re.compile(
    r"\b(?:pip[23]?|conda|mamba|micromamba|uv|uvx|pipx|poetry|easy_install|npm|apt|apt-get|brew)\b"
    r"(?=.*\b(?:install|add|create|update|upgrade|sync|run|download|get)\b)"
)
_INSTALLING = frozenset({"pip", "conda", "mamba", "micromamba", "uv"})
_SHELLS = words(
    "sx system sc bash sh script perl ruby python python2 python3 pypy cmd ls ll cat cp mv rm mkdir"
)
_ALSO: dict[str, tuple[Kind, str]] = {
    "env": ("environment", "read or change the environment, with the keys that stand in it"),
    "set_env": ("environment", "change the environment"),
    "dotenv": ("environment", "read keys from a file"),
    "cd": ("environment", "change the folder that paths start from"),
    "writefile": ("write", "write a file"),
    "file": ("write", "write a file"),
    "save": ("write", "write a file"),
    "logstart": ("write", "write a file"),
    "store": ("write", "keep variables in a file of IPython's"),
}


def read_magic(magic: Magic) -> Iterator[Capability | str]:
    """What a masked line could do; text that it runs as Python is given back as it is."""
    text = " ".join(magic.text.split())
    if magic.kind == "body" or not text or _HELP.fullmatch(text):
        return
    found = re.match(r"%{1,2}(\w+)", text)
    name = found.group(1) if found else ""
    rest = text[found.end() :].strip() if found else text

    def could(kind: Kind, reason: str) -> Capability:
        return Capability(kind, text, magic.line, f"{reason} ({text[:80]})")

    if name in _INSTALLING or ((text.startswith("!") or name in _SHELLS) and _INSTALLERS.search(rest)):
        yield could("install", "install packages, which only a person does")
    elif text.startswith("!") or name in _SHELLS:
        yield could("process", "run programs outside of Python")
    elif name not in PLAIN or text.startswith("%selfcode"):
        yield could("magic", "reach outside of Python by a magic")
        if name in _ALSO:
            yield could(*_ALSO[name])
    elif name in _RUNNING and not (magic.kind == "cell" and name == "time"):
        if _FILES.search(rest):
            yield could("write", "write a file")
        options = _OPTIONS.match(rest)
        yield rest[options.end() :] if options else rest
