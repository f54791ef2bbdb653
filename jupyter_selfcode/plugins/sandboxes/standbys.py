"""A copy of a run that waits in the state before a cell: what a failed cell had changed, it has not.

Made before cells as long as that costs next to nothing of the run, one at a time, for what it holds besides is what later
cells change. It takes over where the run itself could not go on as if the cell had not run.
"""

from __future__ import annotations

import time

from .forks import Fork, HazardError

SHARE = 0.02
"""Of the run's time so far, what all of them may have taken. Where cells are quick they are made before some cells only: what
runs again is quick too."""

FIRST_SECONDS = 0.02
"""What the first one is thought to take."""


class Standby:
    """The one that waits, if one does: in the state after `at` cells."""

    def __init__(self) -> None:
        self.fork: Fork | None = None
        self.at = -1
        self._begun, self._spent, self._last = time.monotonic(), 0.0, FIRST_SECONDS

    async def make(self, run: Fork, at: int) -> None:
        """Have one in the state that the run is in, after `at` cells, where it is worth it and can be made."""
        begun = time.monotonic()
        if self.at == at or self._spent + self._last > SHARE * (begun - self._begun):
            return
        try:
            made = await run.fork(leaf=False, standby=True)
        except HazardError:
            made = None
        if made is not None:
            await self.drop()
            self.fork, self.at = made, at
        self._last = time.monotonic() - begun
        self._spent += self._last

    async def drop(self) -> None:
        """None waits."""
        gone, self.fork, self.at = self.fork, None, -1
        if gone is not None:
            await gone.kill()

    async def take_over(self, run: Fork) -> Fork | None:
        """It is the run from now on, and what was the run ends; None where it cannot be, since it has ended or the failed cell has
        changed files."""
        waits = self.fork
        try:
            if waits is None or run.maker is None or (await waits.client().ask(do="changed"))["hazard"]:
                return None
            await waits.client().ask(do="go_on")
        except (TimeoutError, ConnectionError):
            return None
        self.fork, self.at, waits.waits = None, -1, False
        await run.maker.adopt(waits)
        await run.kill()
        return waits
