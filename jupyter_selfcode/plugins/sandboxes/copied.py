"""When what ran in a copy says nothing of the code: what only a copy may not do, and how only a copy ends."""

from __future__ import annotations

from collections.abc import Iterable

from ...values.effect import Effect
from ...values.trial import CellResult
from .forks import HazardError
from .nbclient_kernel import NbclientKernel


def speaks(result: CellResult, effects: Iterable[Effect], *, live: bool) -> None:
    """Raises `HazardError` where a kernel of its own might have given another result. `live`: a copy of a run's own kernel."""
    wrote = next((e.what for e in effects if e.kind in ("creates", "changes", "deletes")), None)
    if wrote is not None:
        raise HazardError(f"it changes files ({wrote}), which a copy may not")
    failure = result.failure
    if failure and (failure.ename == "PermissionError" or "ermission denied" in failure.evalue):
        raise HazardError("it was refused something that only a copy may not do")
    if live and failure and failure.ename == "MemoryError":
        raise HazardError("there was less memory for a copy than for a trial of its own")


def lives(copy: NbclientKernel) -> None:
    """Raises `HazardError` where it ended: what all copies hold and have written is counted together, so it says nothing of one."""
    if copy.state in ("died", "memory", "disk"):
        raise HazardError(f"the copy did not live: {copy.detail}")
