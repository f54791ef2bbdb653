"""What ends a cell on purpose. In kind IPython's `UsageError`: the cell has failed, and there is nothing to debug in it."""

from __future__ import annotations

from IPython.core.error import UsageError


class CommandError(UsageError):
    """What went wrong and what to do next, on one red line without a traceback."""

    def _render_traceback_(self) -> list[str]:
        from ...views.blocks import visible

        return [f"\x1b[31mselfcode:\x1b[0m {visible(str(self))}"]


class WaitsForDecision(UsageError):
    """The cell's code is proposed and not accepted yet, so what stands below it is not run."""
