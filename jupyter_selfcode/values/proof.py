"""What a prover is asked of a function, and what it answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["proved", "differs", "open"]

Asked = Literal["kept", "asserted"]
"""`kept`: wherever the old function gives a value the new one gives it too, and leaves its arguments alike. `asserted`: no assertion
in the new function fails where those that the old one began with hold."""


@dataclass(frozen=True, slots=True)
class Question:
    """Two versions of a function, each as the text of a module by itself. `parameters` are pairs of name and type.

    `before` holds, where it is asked what is asserted, the assertions alone that the old function began with. `mistakes` are the
    text of the new module with one small mistake each. `whole`: nothing else of the cell was changed but what is asked about.
    """

    name: str
    cell_id: str
    asked: Asked
    parameters: tuple[tuple[str, str], ...]
    before: str
    after: str
    mistakes: tuple[str, ...] = ()
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Proof:
    """An answer. `proved`: every path was explored and none differs, and one of the mistakes that were put in for a test was found.
    `differs`: `said` is a call that differs, tried again without the prover. `open`: `said` is why nothing is known.

    Seconds are wall time. `assumed` is what a proof takes for granted, in the prover's words.
    """

    name: str
    cell_id: str
    asked: Asked
    outcome: Outcome
    said: str = ""
    seconds: float = 0.0
    whole: bool = False
    assumed: str = ""

    @property
    def told(self) -> str:
        """The answer in one line, with what it took."""
        after = f" ({self.seconds:.1f} s)"
        if self.outcome == "differs":
            return f"a prover found a difference: {self.said}{after}"
        what = "gives what it gave, wherever it gave a value" if self.asked == "kept" else "keeps its assertions, wherever those that it began with hold"
        if self.outcome == "open":
            return f"not proved that {self.name} {what}: {self.said}{after}"
        return f"proved that {self.name} {what}, if {self.assumed}{after}"
