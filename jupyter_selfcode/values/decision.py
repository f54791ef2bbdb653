"""What may happen without asking, and what was decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .policy import STRICTNESS, Policy, PolicyMode
from .trial import Trial

__all__ = ["STRICTNESS", "Accept", "Ask", "Decision", "Policy", "PolicyMode", "Reject"]


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
