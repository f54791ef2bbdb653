"""Which cells below a change a trial need not run: it is proved that they give the same with it (`framing`), and nothing that
does run needs them.

A cell that promises something is never spared: asking costs little, and an answer says more than a proof about code.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ..values.notebook import Notebook
from .contract import examples_of
from .framing import framed


def spared(before: Notebook, after: Notebook, touched: Iterable[str], count: int, dear: Collection[str]) -> tuple[str, ...]:
    """Those of the `dear` cells that the first `count` cells of `after` can do without, in order.

    A cell is spared as if it were deleted: every cell that is left must be proved to be out of reach of that, too.
    """
    touched = [i for i in touched if i in after or i in before]
    whole = Notebook(after.cells[:count], after.metadata)
    first = min((after.index(i) for i in touched if i in after), default=None)
    if first is None or not any(c.id in dear for c in whole.cells[first + 1 :]):
        return ()
    frames = framed(before, after, touched)
    found: set[str] = set()
    for cell in reversed(whole.cells[first + 1 :]):
        promises = examples_of(cell.source) or "assert" in cell.source
        if cell.id not in dear or frames.get(cell.id) != "proved" or promises:
            continue
        without = {*found, cell.id}
        rest = Notebook(tuple(c for c in whole.cells if c.id not in without), after.metadata)
        if all(frame == "proved" for frame in framed(whole, rest, ()).values()):
            found = without
    return tuple(c.id for c in whole.cells if c.id in found)
