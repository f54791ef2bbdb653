"""What a piece of source could do beyond computing: a small closed set of kinds, and what each kind means for us."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from .effect import EffectKind
from .trial import Severity

Kind = Literal[
    "process", "install", "magic", "kernel", "code", "objects", "native", "delete",
    "import", "network", "write", "alter", "load", "environment", "secret", "lookup", "patch", "interpreter",
    "browser", "text", "obscure", "endless", "read",
]  # fmt: skip


class Meaning(NamedTuple):
    """What follows from a kind.

    `severity` of a gain (None: it is not told; reading is what notebooks do). `effects`: what a trial may then see happen.
    `judge`: code of this kind can reach what judges it inside its own process, so evidence made there proves nothing.
    """

    severity: Severity | None
    effects: frozenset[EffectKind] = frozenset()
    judge: bool = False


def _meaning(severity: Severity | None, *effects: EffectKind, judge: bool = False) -> Meaning:
    return Meaning(severity, frozenset(effects), judge)


MEANINGS: Mapping[Kind, Meaning] = {
    "process": _meaning("block", "process", judge=True),  # shell lines, subprocess, os.system, fork, kill
    "install": _meaning("block", "process", "network", judge=True),  # %pip, !uv, conda
    "magic": _meaning("block", judge=True),  # %run, %load_ext, %config, magics that nobody here knows
    "kernel": _meaning("block", judge=True),  # get_ipython, ipykernel, this product itself
    "code": _meaning("block", judge=True),  # text or code objects run as code: eval, exec, __import__, importlib
    "objects": _meaning("block", judge=True),  # from any object to the interpreter: __subclasses__, __globals__, f_back
    "native": _meaning("block", "native", judge=True),  # ctypes, cffi, f2py
    "delete": _meaning("block", "deletes"),
    "import": _meaning("ask", judge=True),  # off the list of ordinary modules: importing runs their code
    "network": _meaning("ask", "network"),
    "write": _meaning("ask", "creates", "changes"),
    "alter": _meaning("ask", "creates", "changes", "deletes"),  # rename, move, link, permissions
    "load": _meaning("ask", "reads", judge=True),  # formats that may carry code: pickle, joblib, yaml
    "environment": _meaning("ask", "environment"),
    "secret": _meaning("ask", "reads"),  # paths where keys and settings lie
    "lookup": _meaning("ask", judge=True),  # names that are only known when it runs: getattr(x, name), vars(os)
    "patch": _meaning("ask", judge=True),  # another module's function, class or a builtin replaced
    "interpreter": _meaning("ask", judge=True),  # sys.modules, gc, frames, trace functions, __main__, exit
    "browser": _meaning("ask"),  # HTML and JavaScript that run where the notebook is shown
    "text": _meaning("ask", judge=True),  # text that a library runs: query with calls, formulas, type hints, usetex
    "obscure": _meaning("ask"),  # text that no reader can read: base64 and the like
    "endless": _meaning("ask"),
    "read": _meaning(None, "reads"),
}
"""The one place where a kind is given its severity and its observable effects."""


@dataclass(frozen=True, slots=True)
class Capability:
    """One thing that a source could do, at its first line (from 1).

    `what` is what it does it with, and identity together with `kind`: a path, a host, a module, the written call.
    `reason` completes "it could …" for a person.
    """

    kind: Kind
    what: str
    line: int
    reason: str

    @property
    def effects(self) -> frozenset[EffectKind]:
        """What a trial may see happen because of it."""
        return MEANINGS[self.kind].effects

    @property
    def severity(self) -> Severity | None:
        """How much a gain of it weighs; None: it is not told."""
        return MEANINGS[self.kind].severity

    @property
    def judge(self) -> bool:
        """Whether it can reach what judges the code inside its own process."""
        return MEANINGS[self.kind].judge
