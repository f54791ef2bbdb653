"""What came of changes that nobody asked for, and what is known of the last run that went well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from .prompt import Cost

Ended = Literal["deployed", "waits", "failed", "budget", "rolled back"]
VAIN: tuple[Ended, ...] = ("failed", "budget", "rolled back")


@dataclass(frozen=True, slots=True)
class Heal:
    """One attempt to mend a failure unasked. `at` is UTC, ISO 8601; `fingerprint` says of what failure, `code` of what
    source of its cell (digests). `ended` is what it came to, `name` the version that was deployed or the proposal that
    waits, `reason` one line. No text of the failure itself is kept."""

    at: str
    cell_id: str
    fingerprint: str
    code: str
    ename: str
    ended: Ended
    name: str = ""
    reason: str = ""
    proposer: str = ""
    cost: Cost = Cost()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class WentWell:
    """The last run in which nothing failed: when (UTC, ISO 8601), and the versions of what the notebook imports."""

    at: str
    libraries: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rails:
    """What holds back changes that nobody asked for. `cool_down`: seconds after a vain attempt in which the same code is
    left alone, however it fails; `breaker`: vain attempts in a row after which no model is asked; `probation`: runs that
    a new version has to go well in (0: none)."""

    cool_down: float = 300.0
    breaker: int = 3
    probation: int = 3
