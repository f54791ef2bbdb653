"""The live variables as a surface: a change of code becomes true there by running what it concerns.

What runs: the cells that changed and had run here, cells that are new and have what they need, above them the cells that
make anew what they change in place (`x += 1` twice is not `x += 1`), and below them the cells that had run and may be
affected. What fails puts all names back, but for a state that a person brings back: it may well be one that failed, so its
sources come back in any case and the failure is told. An object that was changed in place, a file or a connection cannot
be put back, and this is said.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ...analysis.changes import cell_changes
from ...analysis.effects import bound_names, effects_of, names_undefined, slice_above, slice_below
from ...analysis.forms import executable, is_intent
from ...values.errors import DeployError
from ...values.messages import Ran, Running
from ...values.notebook import Notebook
from ...values.version import Version
from .document import SessionDocument
from .session import LiveSession


def plan(before: Notebook, after: Notebook, ran: Iterable[str], names: Iterable[str] = ()) -> tuple[str, ...]:
    """The cells to run, in order, so that the variables are what `after` says, where the cells `ran` had run of `before`.

    `names` are those that live; a cell that is new runs where the ones that it needs are among them.
    """
    had, live, changes = set(ran), set(names), cell_changes(before, after)
    runnable = {c.id for c in after.cells if c.runs and not is_intent(c.source)}
    wanted: set[str] = set()
    for c in changes:
        new = c.change == "inserted" or (c.change == "changed" and is_intent(c.before))
        ready = new and c.cell_id in runnable and names_undefined(c.after) <= live
        if ready or (c.change == "changed" and c.cell_id in had & runnable):
            wanted.add(c.cell_id)
            live |= bound_names(c.after)
    gone = [
        c.before
        for c in changes
        if c.before and c.type == "code" and (c.change == "deleted" or c.cell_id not in runnable)
    ]
    freed = set().union(*(effects_of(source).changes for source in gone)) if gone else set()
    old = {c.cell_id: c.before for c in changes}
    done: set[str] = set()
    while left := [i for i in (c.id for c in after.cells) if i in wanted and i not in done]:
        for cell_id in left:
            done.add(cell_id)
            was, now = effects_of(old.get(cell_id) or ""), effects_of(after.cell(cell_id).source)
            again = was.mutates | now.mutates | ((was.writes | now.writes) & (was.reads | now.reads))
            above = set(slice_above(after, cell_id)) & had & runnable
            wanted |= {i for i in above if effects_of(after.cell(i).source).changes & again}
            wanted |= set(slice_below(after, cell_id)) & had & runnable
    if freed:  # what a cell made that is no longer there: whoever else makes it, or needs it, runs again
        for cell in after.cells:
            found = effects_of(cell.source)
            if cell.id in had & runnable and (found.changes | found.reads) & freed:
                wanted.add(cell.id)
    return tuple(c.id for c in after.cells if c.id in wanted)


def orphans(before: Notebook, after: Notebook, ran: Iterable[str]) -> frozenset[str]:
    """Names that only code bound which is no longer there."""
    had = set(ran)
    still = set().union(*(bound_names(c.source) for c in after.code_cells))
    made = set().union(
        *(bound_names(c.before) for c in cell_changes(before, after) if c.cell_id in had and c.type == "code")
    )
    return frozenset(n for n in made - still if not n.startswith(("_", "@")))


def awaits(shell: Any, source: str) -> bool:
    """Whether a cell awaits where nothing can: in a kernel whose loop is running this very code."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    code = executable(source)
    return bool(shell.should_run_async(code, transformed_cell=shell.transform_cell(code)))


def bereft(notebook: Notebook, cells: Iterable[str], gone: Iterable[str]) -> dict[str, str]:
    """Of these cells those that cannot run because nothing makes a name any more that they need, and that name."""
    lost, found = set(gone), dict[str, str]()
    for cell_id in cells:
        source = notebook.cell(cell_id).source
        if missing := sorted(names_undefined(source) & lost):
            found[cell_id] = missing[0]
            lost |= bound_names(source)
        else:
            lost -= bound_names(source)
    return found


@dataclass
class Namespace:
    """The variables of the shell."""

    shell: Any
    session: LiveSession
    document: SessionDocument
    clear: Callable[[], None] | None = None
    """Called before the first cell runs (to take away an error that is being mended); forgotten after."""
    name: str = "namespace"
    results: dict[str, Any] = field(default_factory=dict)
    """What IPython said of the cells of the last deployment, by id."""
    _said: str = ""

    def read(self) -> Notebook:
        """What the session's document holds: variables have no text."""
        return self.document.read()

    def prepare(self, before: Notebook, after: Notebook, version: Version) -> StagedNamespace:
        """Decide what is to run. Nothing has run yet."""
        ran = [*self.session.ran()]
        if running := self.session.running:
            ran.append(self.document.id_of(running.cell_id))
        cells = plan(before, after, ran, self.shell.user_ns)
        gone, back = orphans(before, after, ran), version.restores is not None
        without = bereft(after, cells, gone) if back else {}
        cells = tuple(i for i in cells if i not in without)
        return StagedNamespace(self, after, cells, gone, back, without)

    def report(self) -> str:
        """Which cells ran again."""
        return self._said

    def rerun(self, cells: Sequence[str]) -> None:
        """Run cells again as they are. Raises `DeployError`, names put back, where one fails."""
        notebook = self.document.read()
        ordered = tuple(c.id for c in notebook.cells if c.id in set(cells))
        staged = StagedNamespace(self, notebook, ordered, frozenset())
        try:
            staged.commit()
        except BaseException:
            staged.revert()
            raise

    def run(
        self,
        notebook: Notebook,
        cells: Sequence[str],
        freed: Iterable[str] = (),
        *,
        may_fail: bool = False,
        without: Mapping[str, str] | None = None,
    ) -> None:
        """Run cells in order. Raises `DeployError` at the first that fails (`may_fail`: stops there and reports it),
        KeyboardInterrupt where a person stops it. `without`: cells that cannot run, with the name that they lack."""
        self.results.clear()
        waiting: list[str] = []
        ran: list[str] = []
        failed = ""

        def named(cell_id: str) -> str:
            return f"Cell {notebook.index(cell_id) + 1} ({cell_id})"

        for name in freed:
            self.shell.user_ns.pop(name, None)
        if cells and self.clear is not None:
            self.clear()
        self.clear = None
        for cell_id in cells:
            cell = notebook.cell(cell_id)
            if awaits(self.shell, cell.source):
                waiting.append(cell_id)
                continue
            with self.session.working(), self._told(cell_id):
                result = self.shell.run_cell(cell.source, store_history=False)
            self.results[cell_id] = result
            error = result.error_before_exec or result.error_in_exec
            if isinstance(error, KeyboardInterrupt):
                raise KeyboardInterrupt
            if error is not None and "raises-exception" not in cell.tags:
                if may_fail:
                    failed = f" {named(cell_id)} fails as it is now ({type(error).__name__}): what follows it was not run again."
                    break
                raise DeployError(
                    f"Cell {cell_id} fails in this session ({type(error).__name__}: {' '.join(str(error).split())[:200]}) though it "
                    "ran in a clean kernel; nothing was deployed. Names are as they were; what was changed in place is not. "
                    "Restart the kernel and run the notebook from the top."
                )
            self.session.mark(cell_id, True, cell.source)
            ran.append(named(cell_id).removeprefix("Cell "))
        self._said = f"Ran here: {'cells' if len(ran) > 1 else 'cell'} {', '.join(ran)}." if ran else ""
        self._said += failed
        for cell_id, name in (without or {}).items():
            self._said += f" {named(cell_id)} needs {name}, which is gone now: it was not run again."
        self._said = self._said.strip()
        if waiting:
            self._said += f" Run {', '.join(waiting)} yourself: it awaits, and nothing can await while this works."

    @contextmanager
    def _told(self, cell_id: str) -> Iterator[None]:
        """Front ends hear which cell's output follows, and when it ends."""
        channel = self.session.channel
        if channel is None:
            yield
            return
        channel.say(Running(cell_id))
        try:
            yield
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            channel.say(Ran(cell_id))


@dataclass
class StagedNamespace:
    """Cells that are ready to run."""

    surface: Namespace
    notebook: Notebook
    cells: tuple[str, ...]
    freed: frozenset[str]
    may_fail: bool = False
    without: Mapping[str, str] = field(default_factory=dict)
    """Cells that cannot run, with the name that they lack."""
    _names: dict[str, Any] | None = None

    def commit(self) -> None:
        """Run them. Raises `DeployError`; the names are put back then."""
        self._names = dict(self.surface.shell.user_ns)
        try:
            self.surface.run(self.notebook, self.cells, self.freed, may_fail=self.may_fail, without=self.without)
        except BaseException:
            self.revert()  # a surface whose commit fails is not asked to revert
            raise

    def revert(self) -> None:
        """Bind the names as they were."""
        if self._names is None:
            return
        names = self.surface.shell.user_ns
        for name in [n for n in names if n not in self._names and not n.startswith("_")]:
            del names[name]
        names.update(self._names)
        self._names = None

    def discard(self) -> None:
        """Nothing has run."""
