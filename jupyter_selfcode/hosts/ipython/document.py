"""What the kernel knows of the notebook: the file behind it, as far as there is one, with the cells as they were run here.

The front end owns the document and the kernel cannot ask it. One with our extension tells what it shows, and that is the
notebook. Elsewhere two sources are followed: a cell that is run brings its source, a file that was saved brings what has
changed in it since it was read last (as a patch, so that what was deployed here and not saved yet stays). The file is never
written: the front end would overwrite it, or ask.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ...analysis.marks import is_command, is_marked
from ...plugins.deployers.file import FileDeployer
from ...values.errors import BadInput, StalePatch
from ...values.merge import merged
from ...values.notebook import Cell, Notebook
from ...values.patch import diff
from ...values.version import Version
from .session import Executed, LiveSession


def without_commands(notebook: Notebook) -> Notebook:
    """The notebook without cells that only steer: one that says `%selfcode accept` must not make what it accepts stale."""
    return Notebook(tuple(c for c in notebook.cells if c.type != "code" or not is_command(c.source)), notebook.metadata)


class SessionDocument:
    """The notebook of a live session: the first surface, and the truth for the others."""

    name = "document"

    def __init__(self, session: LiveSession) -> None:
        self._session = session
        session.named = self.id_of
        self._notebook = Notebook()
        self._file: FileDeployer | None = None
        self._saved = Notebook()
        self._stamp: tuple[int, int] | None = None
        self._heard = 0
        self._previous: str | None = None
        self._ids: dict[str, str] = {}
        self._shown: dict[str, str] = {}
        self._told = False

    def read(self) -> Notebook:
        """The notebook as it is known now."""
        self._follow_file()
        channel = self._session.channel
        if channel is not None and (shown := channel.shown()) is not None:
            self._take_all(without_commands(shown))
        for executed in self._session.log[self._heard :]:
            self._take(executed)
        self._heard = len(self._session.log)
        return self._notebook

    def id_of(self, cell_id: str) -> str:
        """The id in this notebook of a cell that the front end calls `cell_id`."""
        return self._ids.get(cell_id, cell_id)

    def shows_old(self, cell_id: str, source: str) -> bool:
        """Whether a `%%selfcode` cell has changed here and the front end still shows what it was."""
        shown = self._shown.get(self.id_of(cell_id))
        return shown is not None and shown.strip("\n") == source.strip("\n")

    def shown_now(self, cell_id: str) -> None:
        """The front end shows the present source of this cell."""
        self._shown.pop(self.id_of(cell_id), None)

    def is_shown(self, cell_id: str) -> bool:
        """Whether the front end shows the present source of a `%%selfcode` cell that has changed here."""
        return self.id_of(cell_id) not in self._shown

    def source_for(self, executed: Executed) -> str | None:
        """The present source of a `%%selfcode` cell, where the front end still shows what it was."""
        cell_id = self.id_of(executed.cell_id)
        if not self.shows_old(cell_id, executed.source) or cell_id not in self.read():
            return None
        return self._notebook.cell(cell_id).source

    def outputs(self) -> dict[str, tuple[object, ...]]:
        """Outputs that the notebook file carries, by cell id."""
        try:
            return dict(self._file.outputs()) if self._file else {}
        except BadInput:
            return {}

    # ---- a surface ---------------------------------------------------------------------------------------------------

    def prepare(self, before: Notebook, after: Notebook, version: Version) -> StagedDocument:
        """Raises `StalePatch` where the notebook is no longer `before`."""
        if self.read().digest != before.digest:
            raise StalePatch("The notebook has changed since this change was prepared. Ask again.")
        return StagedDocument(self, self._notebook, after)

    def report(self) -> str:
        """Nothing to tell: what the person sees is the front end's."""
        return ""

    def hold(self, notebook: Notebook) -> None:
        """The notebook is this one now."""
        known = {c.id: c.source for c in self._notebook.cells}
        for cell in notebook.cells:
            old = known.get(cell.id, cell.source)
            if old != cell.source and cell.type == "code":
                old = self._shown.pop(cell.id, old)
                if is_marked(old) and old != cell.source:
                    self._shown[cell.id] = old
        self._notebook = notebook

    # ---- what is heard -----------------------------------------------------------------------------------------------

    def _take_all(self, shown: Notebook) -> None:
        """The notebook is what a front end shows: but for the cell that runs now, all that was run before is in it."""
        self._told = True
        cells = []
        for cell in shown.cells:
            if self.shows_old(cell.id, cell.source) and cell.id in self._notebook:
                cell = replace(cell, source=self._notebook.cell(cell.id).source)
            else:
                self._shown.pop(cell.id, None)
            cells.append(cell)
        self._notebook = Notebook(tuple(cells), shown.metadata)
        log, running = self._session.log, self._session.running
        heard, self._heard = self._heard, len(log) - 1 if log and log[-1] is running else len(log)
        for executed in log[heard : self._heard]:
            self._named(executed)  # a server that runs cells on behalf of its front ends may not say which

    def _take(self, executed: Executed) -> None:
        cell_id = self._named(executed)
        cells = list(self._notebook.cells)
        place = next((i for i, c in enumerate(cells) if c.id == cell_id), None)
        if place is None:
            above = self._previous if self._session.identified else None  # else there is only the order of running
            after = next((i for i, c in enumerate(cells) if c.id == above), len(cells) - 1)
            place = after + 1
            cells.insert(place, Cell(cell_id, "code", executed.source))
        elif not self.shows_old(cell_id, executed.source):
            self._shown.pop(cell_id, None)
            cells[place] = replace(cells[place], source=executed.source)
        self._previous = cell_id
        self._notebook = Notebook(tuple(cells), self._notebook.metadata)

    def _named(self, executed: Executed) -> str:
        """The id in the notebook: a front end that has ids of its own (VS Code) is followed by the text of its cells."""
        known = self._ids.get(executed.cell_id, executed.cell_id)
        if known in self._notebook:
            return known
        used = {*self._ids.values(), *self._session.ran()}
        same = [c.id for c in self._notebook.cells if c.source == executed.source and c.id not in used]
        if len(same) == 1 and executed.source.strip():
            self._ids[executed.cell_id] = same[0]
            return same[0]
        return executed.cell_id

    def _follow_file(self) -> None:
        path = self._session.file()
        if path is None:
            return
        if self._file is None or self._file.path != path:
            self._file, self._stamp = FileDeployer(path), None
        try:
            status = path.stat()
            stamp = (status.st_mtime_ns, status.st_size)
            channel = self._session.channel
            if stamp == self._stamp or (self._told and channel is not None and channel.client()):
                return
            saved = without_commands(self._file.read())
        except (OSError, BadInput):  # being written, or gone: what is known stays
            return
        changed = diff(self._saved, saved).ops
        self._saved, self._stamp = saved, stamp
        self._notebook = merged(self._notebook, changed, saved)


@dataclass
class StagedDocument:
    """A change of the session's notebook that is ready."""

    document: SessionDocument
    old: Notebook
    new: Notebook

    def commit(self) -> None:
        """Hold the new notebook."""
        self.document.hold(self.new)

    def revert(self) -> None:
        """Hold the old one again."""
        self.document.hold(self.old)

    def discard(self) -> None:
        """Nothing was changed."""
