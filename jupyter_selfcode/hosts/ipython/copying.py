"""For one command of a person: the variables of this kernel go along into the cage, where that is better than to run the cells above
again and where they are known to be what these cells give. On the shell's thread, between two cells, for a bounded time.

What is looked into in the background replays: no variable is read while a cell may change it.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
import types
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...analysis import copying, surroundings, surveying
from ...analysis.key_files import looks_secret
from ...analysis.staleness import Ran
from ...plugins.sandboxes.forked import COPIED, ForkedSandbox
from ...plugins.sandboxes.pickled import CannotCopy, take
from ...plugins.sandboxes.taken_over import CopiedSandbox, Taken
from ...values.notebook import Cell, Notebook
from ...values.request import Request

if TYPE_CHECKING:
    from .session import LiveSession
    from .workspace import LiveWorkspace

SECONDS, SHARE = 15.0, 0.5
"""How long a live kernel may do nothing else for it: so much at most, and so much of the time that the cells above took; a second
in any case."""

FIXED = (bool, int, float, complex, str, bytes, type(None), range, types.BuiltinFunctionType, types.ModuleType)
"""Types whose values nothing changes in place; what stands in modules is compared apart (`surroundings`)."""


@contextlib.contextmanager
def taking_along(workspace: LiveWorkspace, request: Request) -> Iterator[None]:
    """While this lasts, trials of the workspace go on from the variables of this kernel, where they can."""
    engine = workspace.engine
    made = sandbox_for(workspace, request)
    if made is None:
        yield
        return

    async def ending() -> AsyncIterator[None]:
        await made.aclose()
        yield

    workspace.engine = replace(engine, sandbox=made)
    try:
        yield
    finally:
        workspace.engine = engine
        try:
            for _ in workspace.bridge.iterate(ending):
                pass
        except BaseException:
            made.stop()
            raise


def sandbox_for(workspace: LiveWorkspace, request: Request) -> CopiedSandbox | None:
    """What the trials of this request run in; None where the cells above are to run again as always. Raises KeyboardInterrupt."""
    sandbox, least = workspace.engine.sandbox, workspace.settings.copied_seconds
    if least is None or not isinstance(sandbox, ForkedSandbox) or sandbox.fresh.network or request.trigger in ("slow", "translate"):
        return None  # where a trial may use the network, it could send what it is given
    if sys.platform != "linux" or sandbox.tier not in COPIED:
        return None
    session: LiveSession = workspace.session  # type: ignore[assignment]
    notebook = workspace.notebook()
    wanted = [request.target] if request.target else list(request.scope)
    places = [notebook.index(i) for i in wanted if i in notebook]
    cells = copying.above(notebook, min(places, default=0))
    if not cells:
        return None
    runs = [Ran(*run) for run in session.runs()]
    seconds = {r.cell_id: took.seconds for r, took in zip(runs, session.took, strict=True) if took is not None}
    if sandbox.knows(cells) or not copying.worth(cells, seconds, least):
        return None
    allowed = max(1.0, min(SECONDS, SHARE * sum(seconds.get(c.id, 0.0) for c in cells)))
    try:
        return CopiedSandbox(sandbox, _taken(workspace, session, notebook, min(places), runs, request, allowed))
    except CannotCopy as e:
        return CopiedSandbox(sandbox, None, [str(e.args[0])])
    except Exception as e:  # what a library raises when it is asked how it stands: the cells above run again
        return CopiedSandbox(sandbox, None, [f"{type(e).__name__} in telling how this kernel stands"])


def _taken(
    workspace: LiveWorkspace, session: LiveSession, notebook: Notebook, place: int, runs: list[Ran], request: Request, allowed: float
) -> Taken:
    """The variables, and all that is to be known of them. Raises `CannotCopy`."""
    names: dict[str, Any] = session.shell.user_ns
    cells, below = copying.above(notebook, place), copying.rest(notebook, place)
    made = copying.bound(cells)
    there = {n for n in made if n in names}
    left_out = {n: "its name looks secret" for n in there if looks_secret(n) and isinstance(names[n], (str, bytes))}
    way = copying.steps(cells, runs)
    if isinstance(way, str):
        raise CannotCopy(way)
    failure = request.failure
    failed = copying.Failed(failure.cell_id, failure.line) if failure else None
    unsteady = {*surveying.unsteady({n: names[n] for n in there})["unsteady"], *(n for n in there if draws(names[n]))}
    if surroundings.figures():
        raise CannotCopy("a figure is open, on which what is drawn next would go")
    if _at_work(names):
        raise CannotCopy("code of the notebook is at work in the background")

    def fixed(name: str) -> bool:
        return isinstance(names.get(name), FIXED)

    changed = copying.unfaithful(cells, way, runs, made, fixed=fixed, unsteady=unsteady, failed=failed)
    if isinstance(changed, str):
        raise CannotCopy(changed)
    left_out |= {n: f"cell {by} may have changed it" for n, by in changed.items()}
    if said := copying.lacking(cells, below, left_out):
        raise CannotCopy(said)
    needed = copying.wanted(there, cells, below)
    settings = surroundings.settings() | _drawn(session, cells, way, runs)
    modules = [m for m in copying.modules_of(cells) if m in sys.modules]
    packages = frozenset(m.partition(".")[0] for m in modules)
    told = surroundings.told(sorted(packages), str(workspace.folder.resolve()), settings)
    stands = surroundings.modules(sorted(packages))
    pickled = take(names, sorted(needed), sorted(there - needed - left_out.keys()), settings, seconds=allowed)
    pickled.left_out = left_out = left_out | dict(pickled.left_out)

    def lacking(wished: Notebook) -> str:
        return copying.lacking(cells, copying.rest(wished, place), left_out)

    return Taken(pickled, notebook.cells[:place], place, tuple(modules), packages, told, stands, _ended(below, runs, request), lacking)


def draws(value: Any) -> bool:
    """Whether reading a value may change it, as its class is the person's own, or it gives random numbers."""
    kind = type(value)
    module = sys.modules.get(kind.__module__)
    own = isinstance(module, types.ModuleType) and surroundings.is_own(module)
    return own or kind.__name__ in ("Random", "SystemRandom", "Generator", "RandomState")


def _at_work(names: dict[str, Any]) -> bool:
    """Whether threads or tasks of the notebook may change its variables meanwhile."""
    targets = [getattr(t, "_target", None) or type(t) for t in threading.enumerate()]
    if any(getattr(t, "__module__", "") == "__main__" for t in targets):
        return True
    try:
        tasks = asyncio.all_tasks()
    except RuntimeError:
        return False
    frames = [getattr(t.get_coro(), "cr_frame", None) for t in tasks]
    running = sys._getframe()
    above = set()
    while running is not None:
        above.add(running)
        running = running.f_back  # type: ignore[assignment]
    return any(f is not None and f.f_globals is names and f not in above for f in frames)


def _drawn(session: LiveSession, cells: Sequence[Cell], way: Sequence[int], runs: Sequence[Ran]) -> dict[str, Any]:
    """The state of the random numbers as the last of the cells above has left it: as the one that ran next has found it. Raises
    `CannotCopy` where that is not known, and where one of them has seeded, and another cell has drawn in between."""
    took, last = session.took, way[-1]
    seeded = max((i for i, cell in zip(way, cells, strict=True) if "seed" in cell.source), default=last)
    for i in set(range(seeded + 1, last)) - set(way):
        before, after = took[i], took[i + 1]
        if before is None or after is None or before.drawn is not after.drawn:
            raise CannotCopy(f"cell {runs[i].cell_id} may have drawn random numbers in between")
    if last + 1 == len(runs):
        return session.timeline.drawn
    following = took[last + 1]
    if following is None:
        raise CannotCopy("a cell ran after those above, and which random numbers were next is not known")
    return following.drawn


def _ended(below: tuple[Any, ...], runs: list[Ran], request: Request) -> dict[str, str]:
    """How the last run of each cell has ended, of those that have run as they are now."""
    found: dict[str, str] = {}
    for cell in below:
        run = next((r for r in reversed(runs) if r.cell_id == cell.id), None)
        if run is None or run.source != cell.source:
            continue
        if run.ok:
            found[cell.id] = ""
        elif request.failure is not None and request.failure.cell_id == cell.id:
            found[cell.id] = request.failure.ename
    return found
