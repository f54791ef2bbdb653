"""What a live session knows of itself: which cells ran, what runs now, what failed last. Light: it is there from the start."""

from __future__ import annotations

import contextlib
import os
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ...analysis.marks import is_command
from .timeline import Timeline, Took

if TYPE_CHECKING:
    from ...values.request import Failure
    from .channel import Channel


@dataclass(frozen=True, slots=True)
class Executed:
    """A cell that was run: its id and its source then."""

    cell_id: str
    source: str
    command: bool


class LiveSession:
    """The cells of one shell, as they run. It serves `jupyter_selfcode.selfcode.Session`."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.kernel = hasattr(shell, "kernel")
        """Whether a front end shows rich output and takes payloads; else this is a terminal or a script."""
        self.folder = Path.cwd()
        self.identified = False
        """Whether the front end says which cell runs."""
        self.log: list[Executed] = []
        """What was run, oldest first; `SessionDocument` reads it."""
        self.running: Executed | None = None
        self.stopping: BaseException | None = None
        """Set to make the running cell fail without a word: the cells queued behind it are then not run."""
        self.named: Callable[[str], str] = str
        """From the front end's id of a cell to the id in the notebook; `SessionDocument` knows."""
        self.channel: Channel | None = None
        """To front ends with our extension; None where there is no kernel."""
        self._busy = 0
        self._status: dict[str, bool] = {}
        self._runs: list[tuple[str, str, bool]] = []
        self.timeline = Timeline()
        self.took: list[Took | None] = []
        """Of every run in `runs()` how long it took; None where it was run by us."""
        self._last: str | None = None
        self._failure: Failure | None = None
        self._known: dict[str, str] = {}
        self._file: tuple[Path, tuple[int, int]] | None = None

    # ---- for `Workspace` ---------------------------------------------------------------------------------------------

    def failure(self) -> Failure | None:
        """The last error of a cell that has not run well since."""
        found = self._failure
        return replace(found, cell_id=self.named(found.cell_id)) if found else None

    def cell_id(self) -> str | None:
        """The cell that ran last, commands left out."""
        return self.named(self._last) if self._last else None

    def ran(self) -> Sequence[str]:
        """Ids of the cells that were run in this session."""
        return tuple(map(self.named, self._status))

    def runs(self) -> Sequence[tuple[str, str, bool]]:
        """Every run of a cell in this session, oldest first: its id, its source then, whether it went well."""
        return tuple((self.named(cell_id), source, ok) for cell_id, source, ok in self._runs)

    # ---- as cells run ------------------------------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether the cells that run now are run by us: these are not watched."""
        return self._busy > 0

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        """While our own work is under way."""
        self._busy += 1
        try:
            yield
        finally:
            self._busy -= 1

    def begin(self, info: Any) -> None:
        """A cell starts (IPython's `ExecutionInfo`)."""
        self.stopping = None
        self.timeline.begin()
        if not info.store_history:
            self.running = None
            return
        source = info.raw_cell
        cell_id = getattr(info, "cell_id", None) or self._parent_cell_id()
        if cell_id:
            self.identified = True
        else:  # a cell that is run again as it was is the same cell
            cell_id = self._known.setdefault(source, f"in-{self._number()}")
        self.running = Executed(cell_id, source, is_command(source))
        if not self.running.command:
            self.log.append(self.running)
            self._last = cell_id

    def end(self, result: Any) -> None:
        """The running cell has ended (IPython's `ExecutionResult`)."""
        cell, error = self.running, result.error_before_exec or result.error_in_exec
        if cell is None or cell.command:
            return
        self.mark(cell.cell_id, error is None, cell.source, self.timeline.end())
        if error is not None and not isinstance(error, (KeyboardInterrupt, SystemExit)):
            self._failure = describe(cell.cell_id, error, self.shell.user_ns)

    def mark(self, cell_id: str, ok: bool, source: str | None = None, took: Took | None = None) -> None:
        """A cell has run; `source`: as it was then (None: the run is known already)."""
        self._status[cell_id] = ok
        if source is not None:
            self._runs.append((cell_id, source, ok))
            self.took.append(took)
        if ok and self._failure is not None and self._failure.cell_id == cell_id:
            self._failure = None

    def fail(self, failure: Failure) -> None:
        """A cell has failed in a way that IPython does not know of (its contract)."""
        self._status[failure.cell_id] = False
        self._failure = failure

    def _number(self) -> int:
        # versions of IPython differ in when they count, not in when they append to the inputs: after this event
        return len(self.shell.user_ns.get("In", ())) or int(self.shell.execution_count)

    def running_cell_id(self) -> str | None:
        """The id of the cell that a kernel was asked to run, as early as its text is read."""
        return self._parent_cell_id()

    def _parent_cell_id(self) -> str | None:
        kernel = getattr(self.shell, "kernel", None)
        with contextlib.suppress(Exception):  # an old ipykernel, or another kernel's idea of a parent
            metadata = kernel.get_parent()["metadata"]  # type: ignore[union-attr]
            return str(metadata["cellId"]) if metadata.get("cellId") else None
        return None

    def file(self) -> Path | None:
        """The notebook file behind this kernel, where the front end says so and it exists.

        One with our extension says it itself. A child kernel inherits the variable of its parent's notebook, so that counts
        only where cells come with ids.
        """
        told = "/" + self.channel.path if self.channel and self.channel.path else ""
        if not (told or self.identified):
            return None
        here = self.folder / Path(told).name
        names = (
            str(here) if told and here.as_posix().endswith(told) else "",
            self.shell.user_ns.get("__vsc_ipynb_file__"),
            self.shell.user_ns.get("__session__"),
            os.environ.get("JPY_SESSION_NAME"),
        )
        for name in names:
            if isinstance(name, str) and name:
                file = Path(name) if Path(name).is_absolute() else self.folder / name
                with contextlib.suppress(OSError):
                    if file.suffix == ".ipynb" and file.is_file():
                        self._file = file, _inode(file)
                        return file
        return self._renamed()

    def _renamed(self) -> Path | None:
        """The notebook file that was known, under its new name: a kernel is not told when its notebook is renamed."""
        if self._file is None:
            return None
        known, inode = self._file
        with contextlib.suppress(OSError):
            for file in (known, *sorted(known.parent.glob("*.ipynb"))):
                if file.is_file() and _inode(file) == inode:
                    self._file = file, inode
                    return file
        return None


def _inode(file: Path) -> tuple[int, int]:
    status = file.stat()
    return status.st_dev, status.st_ino


def describe(cell_id: str, error: BaseException, namespace: dict[str, Any]) -> Failure:
    """An exception of a cell as a value; frames of IPython itself are left out, the line is the cell's own."""
    from ...analysis.printable import printable
    from ...values.request import Failure, without_file

    own: TracebackType | None = error.__traceback__
    while own is not None and own.tb_frame.f_globals is not namespace:
        own = own.tb_next
    line = own.tb_lineno if own is not None else None
    if isinstance(error, SyntaxError) and own is None:
        line = error.lineno
    text = "".join(traceback.format_exception(type(error), error, own, limit=-12, chain=False))
    said = without_file(printable(str(error)))
    return Failure(cell_id, type(error).__name__, said, printable(text), line)
