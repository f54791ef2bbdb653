"""What may happen without asking. Imports nothing, so that settings can be read at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PolicyMode = Literal["report", "propose", "deploy"]
STRICTNESS: tuple[PolicyMode, ...] = ("report", "propose", "deploy")


@dataclass(frozen=True, slots=True)
class Policy:
    """`report` says what is wrong and proposes nothing; `propose` proposes and waits for a person; `deploy` deploys
    what passed with no question left open, at `min_level` or higher, with a contract that catches at least the share
    `min_strength` of small mistakes (0 to 1) where that was measured."""

    mode: PolicyMode = "propose"
    min_level: int = 2
    min_strength: float = 0.0

    def tightened(self, mode: str | None) -> Policy:
        """The stricter of this policy and `mode`: notebook metadata may tighten, never loosen."""
        if mode not in STRICTNESS:
            return self
        return Policy(min(self.mode, mode, key=STRICTNESS.index), self.min_level, self.min_strength)
