"""When cells began and how long they took, and which random numbers were next: what no variable tells afterwards. Light: it is asked
of every cell that runs, and only of what is loaded."""

from __future__ import annotations

import random
import sys
import time
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Took:
    """One run: seconds of wall time, and the state of the generators when it began (see `drawn`)."""

    seconds: float
    drawn: dict[str, Any]


def drawn(before: dict[str, Any]) -> dict[str, Any]:
    """The state of Python's, NumPy's and PyTorch's common generators, by the names of `analysis.surroundings`; the very same object
    as `before` where nothing was drawn since, so that a session in which nothing is drawn keeps one."""
    found: dict[str, Any] = {"random": random.getstate()}
    np, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if np is not None and "numpy.random" in sys.modules:
        found["numpy.random"] = np.random.get_state()
    if torch is not None and hasattr(torch, "get_rng_state"):
        found["torch"] = torch.get_rng_state().numpy()
    return before if _same(before, found) else found


def _same(a: dict[str, Any], b: dict[str, Any]) -> bool:
    if a.keys() != b.keys() or a["random"] != b["random"]:
        return False
    x, y = a.get("numpy.random"), b.get("numpy.random")
    if x is not None and y is not None and (x[0] != y[0] or x[2:] != y[2:] or x[1].tobytes() != y[1].tobytes()):
        return False
    u, v = a.get("torch"), b.get("torch")
    return u is None or v is None or bool(u.tobytes() == v.tobytes())


class Timeline:
    """The cell that runs now, and those that have run."""

    def __init__(self) -> None:
        self.drawn: dict[str, Any] = {}
        """As the running cell has found it."""
        self._began = 0.0

    def begin(self) -> None:
        """A cell begins. Whatever a library does when it is asked, the cell runs."""
        try:
            self.drawn = drawn(self.drawn) if self.drawn else drawn({"random": None})
        except Exception:
            self.drawn = {}
        self._began = time.monotonic()

    def end(self) -> Took:
        """It has ended."""
        return Took(time.monotonic() - self._began, self.drawn)
