"""A check that an observed run suggests. Nobody has promised it yet: it gates nothing until a person takes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CheckKind = Literal["relation", "order", "key", "missing", "range", "schema", "value"]
"""`relation`: rows or sums kept between what goes in and what comes out. `value`: what came out in this run, no more."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An expression that was true when the cell ran, and why it may have to stay true.

    `tells`: it says which result is right; without it, it holds for nearly any. `catches`: how many small mistakes in the
    cell it tells that nothing told before (None: not measured).
    """

    expression: str
    kind: CheckKind
    reason: str
    tells: bool
    catches: int | None = None
