"""What may be stored and shown of a value: every text without secrets, every source as it is.

Sources stay exact, for a rollback restores them and an acceptance deploys them; so does what other code reads (ids, digests,
kinds, the very prompt, which was redacted already). All else that holds words of programs or people passes the redactor:
rationales, findings, failures, outputs, reasons.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from ..values.notebook import Cell, Notebook
from ..values.patch import Patch
from ..values.prompt import Cost, Prompt
from .secrets import Redactor

T = TypeVar("T")

_EXACT = (Patch, Cell, Notebook, Prompt, Cost)
_EXACT_FIELDS = frozenset((
    "id", "cell_id", "target", "scope", "rerun", "cells", "kind", "state", "status", "severity", "trigger", "by", "code",
    "proposer", "name", "sandbox", "stage", "prompt_hash", "context_hash", "patch", "notebook", "parents", "at",
    "output", "patch_file", "waiting",
))  # fmt: skip
_EXACT_KEYS = frozenset(("output_type", "name"))


def censored(value: T, redactor: Redactor) -> T:
    """The value with its texts redacted. Things that were one and the same stay so."""
    return _Censor(redactor).of(value)  # type: ignore[no-any-return]


class _Censor:
    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._done: dict[int, tuple[Any, Any]] = {}

    def of(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._redactor.text(value)
        if value is None or isinstance(value, (bool, int, float, *_EXACT)):
            return value
        if id(value) not in self._done:
            self._done[id(value)] = value, self._inside(value)  # the value is held, so that its id stays its own
        return self._done[id(value)][1]

    def _inside(self, value: Any) -> Any:
        if is_dataclass(value) and not isinstance(value, type):
            new = {
                f.name: item if f.name in _EXACT_FIELDS and not is_dataclass(item) else self.of(item)
                for f in fields(value)
                if (item := getattr(value, f.name)) is not None and f.init
            }
            return replace(value, **{n: v for n, v in new.items() if v is not getattr(value, n)})
        if isinstance(value, Mapping):  # nbformat outputs: a picture is no text
            return {
                k: v if k in _EXACT_KEYS or str(k).startswith("image/") else self.of(v) for k, v in value.items()
            }
        if isinstance(value, tuple):
            return tuple(map(self.of, value))
        if isinstance(value, list):
            return list(map(self.of, value))
        return value
