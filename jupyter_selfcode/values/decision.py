"""What may happen without asking, and what was decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .trial import Trial

PolicyMode = Literal["report", "propose", "deploy"]
STRICTNESS: tuple[PolicyMode, ...] = ("report", "propose", "deploy")


@dataclass(frozen=True, slots=True)
class Policy:
    """`report` says what is wrong and proposes nothing; `propose` proposes and waits for a person; `deploy` deploys
    what passed with no question left open, at `min_level` or higher."""

    mode: PolicyMode = "propose"
    min_level: int = 2

    def tightened(self, mode: str | None) -> Policy:
        """The stricter of this policy and `mode`: notebook metadata may tighten, never loosen."""
        if mode not in STRICTNESS:
            return self
        return Policy(min(self.mode, mode, key=STRICTNESS.index), self.min_level)  # type: ignore[type-var]


@dataclass(frozen=True, slots=True)
class Accept:
    """Deploy it: every gate passed and the policy allows it."""

    trial: Trial
    reason: str
    kind: Literal["accept"] = "accept"


@dataclass(frozen=True, slots=True)
class Ask:
    """It passed what was tried, and a person decides."""

    trial: Trial
    reason: str
    kind: Literal["ask"] = "ask"


@dataclass(frozen=True, slots=True)
class Reject:
    """Nothing to deploy. `status` is why: no candidate passed, the environment, something passing, the budget …"""

    reason: str
    status: Literal["failed", "environment", "transient", "budget", "reported", "cancelled"] = "failed"
    kind: Literal["reject"] = "reject"


Decision = Accept | Ask | Reject
