"""What was seen of behaviour: whether two values say the same, and how two ways to compute them compare in time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["same", "close", "differs", "unknown"]


@dataclass(frozen=True, slots=True)
class Likeness:
    """One variable, as the notebook computed it before and with the change.

    `same`: equal to the last bit. `close`: equal by meaning, within the tolerances of `analysis.likeness`; `said` tells what
    is not to the bit. `differs`: `said` is the first difference. `unknown`: `said` is why it was not compared.
    `sampled`: it was too large to be sent whole and is not the same to the bit, so rows of it and sums stand for the rest.
    `cell_id` is the cell that bound it.
    """

    name: str
    cell_id: str
    verdict: Verdict
    said: str = ""
    sampled: bool = False

    @property
    def equal(self) -> bool:
        """Whether nobody who reads it could tell the difference."""
        return self.verdict in ("same", "close")


@dataclass(frozen=True, slots=True)
class Pace:
    """What the change did to time (seconds of the cell) or to peak memory (bytes): `before` and `after` are medians, `ratio`
    is before to after, above 1 where less is needed now; `low` and `high` are the ends of its 95 % interval over `pairs`
    paired runs (`analysis.interval`)."""

    of: Literal["time", "memory"]
    before: float
    after: float
    ratio: float
    low: float
    high: float
    pairs: int

    @property
    def better(self) -> bool:
        """Whether less is needed now, and chance would not do that."""
        return self.low > 1.0

    @property
    def worse(self) -> bool:
        """Whether more is needed now, and chance would not do that."""
        return self.high < 1.0

    @property
    def said(self) -> str:
        """`3.1× (95 % interval 2.9 to 3.4)`."""
        return f"{_factor(self.ratio)}× (95 % interval {_factor(self.low)} to {_factor(self.high)})"


def _factor(value: float) -> str:
    """A ratio with as many digits as tell something; near 1 these are the ones behind the point."""
    return f"{value:.2f}" if value < 1.995 else f"{value:.1f}" if value < 99.5 else f"{value:,.0f}"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """A function whose code is another, called as before: on how many `recorded` inputs (with what they gave in earlier good runs)
    and `generated` ones on which the old code gives a value. `differs` is the first call that gives something else, in words,
    empty where there is none; `known` says that it was a recorded one. `whole`: nothing else in its cell was changed."""

    name: str
    cell_id: str
    recorded: int
    generated: int
    differs: str = ""
    known: bool = False
    whole: bool = False

    @property
    def tried(self) -> bool:
        """Whether enough was tried to speak of behaviour: a recorded input, or twenty that were made."""
        return self.recorded > 0 or self.generated >= 20

    @property
    def said(self) -> str:
        """What was tried and came of it."""
        tried = f"{self.recorded} recorded and {self.generated} generated inputs"
        return f"{self.name} gives something else than before: {self.differs}" if self.differs else f"{self.name} gives what it gave, on {tried}"
