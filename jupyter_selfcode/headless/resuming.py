"""Whether a run may go on in the kernel that it has, with a change in place."""

from __future__ import annotations

from ..protocols import Kernel
from ..values.notebook import Notebook
from ..values.request import Request


async def goes_on(kernel: Kernel, request: Request, old: Notebook, new: Notebook) -> bool:
    """Whether nothing above the failed cell changed, and running that cell again here is the same as running it for the
    first time."""
    from ..analysis.effects import resumable
    from ..analysis.variables import UNSTEADY, read_unsteady

    place = old.index(request.target or "")
    if kernel.state != "complete" or old.cells[:place] != new.cells[:place]:
        return False
    if request.failure is None:
        return True
    unsteady = read_unsteady(await kernel.evaluate(UNSTEADY))
    return unsteady is not None and resumable(old.cells[place].source, request.failure.line, unsteady)
