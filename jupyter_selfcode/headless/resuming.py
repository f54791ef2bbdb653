"""Whether a run may go on in the kernel that it has, with a change in place; and whether that kernel can be copied to try one."""

from __future__ import annotations

from ..protocols import CopiedKernel, Kernel, Sandbox
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


async def beside(kernel: Kernel, request: Request, notebook: Notebook, fresh: Sandbox) -> Sandbox:
    """Where changes are tried for a run that waits at a failed cell: in copies of its own kernel where that can be copied and is
    in the same cage as `fresh`, else there."""
    if not isinstance(kernel, CopiedKernel) or kernel.tier != fresh.tier or request.target is None:
        return fresh
    steady = await goes_on(kernel, request, notebook, notebook)
    return kernel.trials(fresh, notebook, request.target, steady=steady)
