"""The front end as a surface, as far as a kernel reaches it.

One with our extension takes an edit of the open notebook, over as many cells as it takes, and undoes it in one step. In any
other Jupyter a payload of the running cell's reply (`set_next_input`) replaces that cell's content; other cells cannot be
reached, so their new source is shown, ready to paste. In a terminal the payload fills the next prompt.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ...analysis.changes import CellChange, cell_changes
from ...analysis.marks import is_marked
from ...values.messages import Edit, edit_ops
from ...values.notebook import Notebook
from ...values.version import Version
from .channel import Channel
from .document import SessionDocument
from .session import LiveSession


@dataclass
class FrontEnd:
    """What the person sees of the notebook."""

    shell: Any
    session: LiveSession
    document: SessionDocument
    name: str = "front end"
    to_paste: list[CellChange] = field(default_factory=list)
    """Cells whose new source the person has to bring into the notebook."""
    sent: Edit | None = None
    """The edit of the open notebook that the last deployment sent; None where it went another way."""
    _said: str = ""

    def read(self) -> Notebook:
        """What the session's document holds."""
        return self.document.read()

    def prepare(self, before: Notebook, after: Notebook, version: Version) -> StagedEdit | StagedInput:
        """Find what has to be shown, and the way to the person."""
        self.sent = None
        channel = self.session.channel
        client = channel.client() if channel is not None else None
        if channel is not None and client is not None:
            return StagedEdit(self, channel, client, before, after, version)
        return StagedInput(self, [c for c in cell_changes(before, after) if c.change != "metadata"])

    def report(self) -> str:
        """What happened on the screen, and what is left to do."""
        return self._said

    def show(self, changes: list[CellChange]) -> None:
        """Replace the running cell's content; keep the others for pasting."""
        self.to_paste = []
        running = self.document.id_of(self.session.running.cell_id) if self.session.running else None
        lines = []
        for c in changes:
            if self.session.kernel and c.cell_id == running and c.change == "changed":
                self.shell.set_next_input(c.after, replace=True)
                self.document.shown_now(c.cell_id)
                lines.append("This cell's content was replaced.")
            elif not self.session.kernel and len(changes) == 1 and c.after:
                self.shell.set_next_input(c.after)
                lines.append("The new cell stands at the next prompt; it has run here already.")
            else:
                lines.append(self._by_hand(c))
        self._said = " ".join(line for line in lines if line)

    def edited(self, edit: Edit, changes: list[CellChange]) -> None:
        """The open notebook was sent an edit."""
        self.sent, self.to_paste = edit, []
        for c in changes:
            self.document.shown_now(c.cell_id)
        places = ", ".join(str(c.place) for c in changes if c.change != "metadata")
        cells = "cells" if "," in places else "cell"
        self._said = f"Changed in the open notebook: {cells} {places}. Ctrl+Z there takes it back." if places else ""

    def _by_hand(self, c: CellChange) -> str:
        named = f"cell {c.place} ({c.cell_id})"
        if not self.session.kernel:
            return ""
        if c.change == "deleted":
            return f"Delete {named}: a kernel cannot."
        if c.change == "moved":
            return f"Move {named} to its place: a kernel cannot."
        told = c.change == "changed" and is_marked(c.before) and self.session.identified
        if told and self.document.is_shown(c.cell_id):
            return f"{named[0].upper()}{named[1:]} shows this still, if you have not edited it."
        self.to_paste.append(c)
        if c.change == "inserted":
            return f"Insert {named}: its source is below, ready to paste."
        if told:
            return f"Run {named} once more and it takes its new content; or paste it from below."
        return f"Paste the new source of {named} from below: a kernel reaches only the cell that runs."


@dataclass
class StagedInput:
    """What is ready to be shown."""

    surface: FrontEnd
    changes: list[CellChange]

    def commit(self) -> None:
        """Show it."""
        self.surface.show(self.changes)

    def revert(self) -> None:
        """Take it back before the front end hears of it."""
        shell = self.surface.shell
        if self.surface.session.kernel:
            shell.payload_manager.clear_payload()
        else:
            shell.rl_next_input = None
        self.surface.to_paste = []

    def discard(self) -> None:
        """Nothing was shown."""


@dataclass
class StagedEdit:
    """An edit of the open notebook that is ready to be sent."""

    surface: FrontEnd
    channel: Channel
    client: str
    before: Notebook
    after: Notebook
    version: Version
    _sent: bool = False

    def commit(self) -> None:
        """Send it. The answer comes when the cell has ended, if at all, and is not waited for."""
        edit = self.channel.edit(self.client, self.version, edit_ops(self.before, self.after))
        self._sent = True
        self.surface.edited(edit, list(cell_changes(self.before, self.after)))

    def revert(self) -> None:
        """Send the edit back."""
        if self._sent:
            self.channel.edit(self.client, self.version, edit_ops(self.after, self.before))
        self.surface.sent = None

    def discard(self) -> None:
        """Nothing was sent."""
