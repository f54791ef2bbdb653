"""What may happen without asking. Imports nothing, so that settings can be read at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

PolicyMode = Literal["report", "suggest", "propose", "deploy"]
STRICTNESS: tuple[PolicyMode, ...] = ("report", "suggest", "propose", "deploy")
LADDER: dict[str, PolicyMode] = {"observe": "report", "approve": "propose", "auto": "deploy"}
"""Other names of these, as the literature on adaptive systems has them; `suggest` is one in both."""

EffectClass = Literal["reads", "writes", "network", "deletes"]
EFFECT_CLASSES: tuple[EffectClass, ...] = ("reads", "writes", "network", "deletes")
_CLASS_OF: dict[str, EffectClass] = {
    "creates": "writes", "changes": "writes", "deletes": "deletes", "network": "network",
    # what another program or compiled code does is not seen, so it counts as the worst of them
    "process": "deletes", "native": "deletes", "environment": "writes",
}  # fmt: skip


def classes_of(kinds: Iterable[str]) -> frozenset[EffectClass]:
    """The classes of what was observed, by kinds of effect; code that does nothing but read is of the class `reads`."""
    return frozenset(_CLASS_OF[k] for k in kinds if k in _CLASS_OF) or frozenset(("reads",))


@dataclass(frozen=True, slots=True)
class Policy:
    """`report` says what is wrong and proposes nothing; `suggest` proposes where a person asks; `propose` proposes unasked
    too, and waits for a person; `deploy` deploys what passed with no question left open, at `min_level` or higher, with a
    contract that catches at least the share `min_strength` of small mistakes (0 to 1) where that was measured; where only a promise
    was broken, at least half (`stages.decide`).

    `by_class` is stricter for changed code that does more than read: pairs of a class of effects and a mode. `cheapest`: the
    first candidate that passes with no question ends the trials of the others, which are then not compared with it."""

    mode: PolicyMode = "propose"
    min_level: int = 2
    min_strength: float = 0.0
    by_class: tuple[tuple[EffectClass, PolicyMode], ...] = ()
    cheapest: bool = False

    def tightened(self, mode: str | None) -> Policy:
        """The stricter of this policy and `mode`: notebook metadata may tighten, never loosen."""
        if mode not in STRICTNESS:
            return self
        return replace(self, mode=min(self.mode, mode, key=STRICTNESS.index))

    def for_effects(self, kinds: Iterable[str]) -> tuple[PolicyMode, EffectClass | None]:
        """The mode for code with these kinds of effect, and the class that makes it stricter (None: none does)."""
        found = classes_of(kinds)
        stricter = [(mode, name) for name, mode in self.by_class if name in found]
        mode, name = min(stricter, key=lambda m: STRICTNESS.index(m[0]), default=(self.mode, None))
        return (mode, name) if STRICTNESS.index(mode) < STRICTNESS.index(self.mode) else (self.mode, None)
