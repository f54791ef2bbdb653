"""How much a contract says: small mistakes made in the code on purpose, and which of them the contract tells.

The source of the idea: DeMillo, Lipton, Sayward, Hints on test data selection, IEEE Computer 11 (4), 1978.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MutantVerdict = Literal["caught", "survived", "shown", "same", "failed", "untold"]
"""`caught`: a promise does not hold. `survived`: other values, and every promise holds. `shown`: only what is shown differs,
which a promise cannot look at. `same`: equal outputs and values. `failed`: it raises by itself, so nobody needs a contract to see it. `untold`: it did not end in its time."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One small mistake, told by `said`. `line` counts from 1 in the cell's source.

    `new`: it is in a statement that the change brought. `by`: the promises that did not hold. `differs`: names whose values
    were others.
    """

    cell_id: str
    line: int
    kind: str
    said: str
    verdict: MutantVerdict
    new: bool = True
    by: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Strength:
    """What a contract was worth against small mistakes. Seconds are wall time of the whole measurement.

    `said`: why nothing was measured, or what the figures leave out; `missing`: which check would have told the most
    telling survivor. What ran in the candidate's own process could forge this, so it is only ever a reason to ask.
    """

    mutants: tuple[Mutant, ...] = ()
    seconds: float = 0.0
    said: str = ""
    missing: str = ""

    @property
    def caught(self) -> int:
        """Mistakes that a promise tells."""
        return sum(m.verdict == "caught" for m in self.mutants)

    @property
    def counted(self) -> int:
        """Mistakes that a promise could tell: those that ran to the end and gave other values."""
        return sum(m.verdict in ("caught", "survived") for m in self.mutants)

    @property
    def share(self) -> float | None:
        """Caught of counted, 0 to 1; None where there was nothing to count."""
        return self.caught / self.counted if self.counted else None

    @property
    def survivor(self) -> Mutant | None:
        """The most telling one: in what the change brought, and of a kind that changes much."""
        left = [m for m in self.mutants if m.verdict == "survived"]
        return min(left, key=lambda m: (not m.new, WEIGHT.get(m.kind, 5)), default=None)

    @property
    def idle(self) -> tuple[Mutant, ...]:
        """Statements that can be left out with nothing else to see: deleting them is a change worth a thought."""
        return tuple(m for m in self.mutants if m.verdict == "same" and m.kind == "statement" and m.new)


WEIGHT = {"aggregate": 0, "column": 0, "join": 0, "statement": 1, "step": 1, "arithmetic": 1, "axis": 1, "order": 2, "logic": 2}
"""Which kinds of mistake tell most when they survive; the others follow."""


def summary(strength: Strength) -> str:
    """In one line, in the words of people."""
    if not strength.counted:
        return strength.said or "no small mistake could be made in the new code that changes a result"
    beside = [
        f"{sum(m.verdict == v for m in strength.mutants)} {words}"
        for v, words in (("failed", "more fail by themselves"), ("same", "change nothing"), ("shown", "change only what is shown"), ("untold", "did not end"))
        if any(m.verdict == v for m in strength.mutants)
    ]
    said = f"would have caught {strength.caught} of {strength.counted} small mistakes"
    return said + (f" ({', '.join(beside)})" if beside else "")


def survives(strength: Strength) -> str:
    """The most telling survivor and what is missing, in one line; empty where there is none."""
    m = strength.survivor
    if m is None:
        return ""
    return f"not caught: {m.said} in line {m.line}" + (f"; {strength.missing}" if strength.missing else "")
