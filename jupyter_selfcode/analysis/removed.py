"""APIs that libraries have removed or renamed, as data: what to write instead, since when, and where it is documented.

The rows are in `removed_apis/*.toml`. `old` and `new` are Python expressions. In `old`

* a dotted name (`numpy.product`) is that object, however the notebook has imported it;
* a name in capitals stands for any expression, `DICT`, `LIST` and `STR` for a literal of that kind; an attribute in
  capitals for any attribute; `**REST` for all other arguments of a call;
* `where` narrows a capital to expressions that are known to have a type.

Expressions that begin with a capital can only be told by the error, so `error` (a regular expression on
`type: message`) is required for them. `same` is true only where the library documents the replacement as equivalent.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata, resources
from typing import Any


@dataclass(frozen=True, slots=True)
class Api:
    """One removed API. `gone` is the first version without it; `note` says how the meaning may differ."""

    library: str
    old: str
    new: str
    gone: str
    link: str
    same: bool = False
    error: str = ""
    where: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    example: str = ""

    @property
    def warrant(self) -> str:
        """The source, in the words of `Candidate.warrant`; empty where the meaning may differ."""
        return f"documented replacement: {self.library} {self.gone} ({self.link})" if self.same else ""


@dataclass(frozen=True, slots=True)
class Said:
    """A message in which a library itself names the old value (`old`) and the new one (`new`), both named groups.

    The value is a text: a positional argument of one of `calls`, or one of `keywords` of any call.
    """

    library: str
    message: str
    gone: str
    link: str
    same: bool = False
    calls: Sequence[str] = ()
    keywords: Sequence[str] = ()


def _files() -> Iterator[dict[str, Any]]:
    for file in sorted(resources.files(__package__).joinpath("removed_apis").iterdir(), key=lambda f: f.name):
        if file.name.endswith(".toml"):
            yield tomllib.loads(file.read_text("utf-8"))


@cache
def table() -> tuple[Api, ...]:
    """Every row, in the order in which rows are to be tried."""
    rows: list[Api] = []
    for data in _files():
        library = data["library"]
        for row in data.get("api", ()):
            rows.append(Api(library=library, **row))
        for group in data.get("renamed", ()):
            names, rest = group["names"], {k: v for k, v in group.items() if k != "names"}
            rows += (Api(library=library, old=old, new=new, **rest) for old, new in names.items())
    return tuple(rows)


@cache
def sayings() -> tuple[Said, ...]:
    """Every message that names its own replacement."""
    return tuple(Said(library=data["library"], **row) for data in _files() for row in data.get("said", ()))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(n) for n in re.findall(r"\d+", version.split("+")[0])[:3])


@cache
def installed(library: str) -> str | None:
    """The version of a distribution here (`python`: of Python itself), or None."""
    if library == "python":
        return ".".join(map(str, sys.version_info[:3]))
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None


def here(row: Api | Said) -> bool:
    """Whether the library is installed here, and without what the row says was removed."""
    version = installed(row.library)
    return version is not None and _numbers(version) >= _numbers(row.gone)


def removed(dotted: str) -> Api | None:
    """The row of a module or an object that was removed here, by its full name; a row of its module serves too."""
    for row in table():
        known = re.match(r"[a-zA-Z_][\w.]*", row.old)
        if known and here(row) and not row.where and (dotted + ".").startswith(known.group() + "."):
            return row
    return None
