"""nbclient on the cells of one run, and what it reports as our values."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionComplete
from nbformat import NotebookNode

from ...analysis.printable import printable
from ...values.canonical import plain
from ...values.request import Failure, without_file

_FRAME = re.compile(r"(?:Cell|Input) In ?\[(\d+)\], (?:line |in <cell line: )(\d+)")


OUTPUTS = 5_000
"""Outputs of one cell that are kept in a trial. Each takes some 2 KB here however short it is: a limit of bytes lets pass
enough of them for 100 MB, and ten thousand for 60."""


class TooManyError(Exception):
    """A cell has given more outputs than are kept."""


def _node(**fields: Any) -> NotebookNode:
    return NotebookNode(**fields)  # type: ignore[no-untyped-call]


class Cells(NotebookClient):
    """nbclient on the cells of one run: keeps the last reply, and what was handed out up to date."""

    def __init__(self, trial: bool, **options: Any) -> None:
        super().__init__(_node(cells=[], metadata=_node()), **options)
        self.trial = trial
        self.reply: Mapping[str, Any] = {}
        self.given: dict[int, tuple[dict[str, Any], ...]] = {}
        self.on_cell_executed = self._keep
        self.refuse: Callable[[BaseException], None] = lambda _: None

    def add(self, source: str) -> tuple[NotebookNode, int]:
        """A cell with this source, and its place."""
        cell = _node(cell_type="code", source=source, metadata=_node(), outputs=[], execution_count=None)
        self.nb.cells.append(cell)
        self.reply = {}
        return cell, len(self.nb.cells) - 1

    def outputs(self, index: int) -> tuple[dict[str, Any], ...]:
        """The outputs of a cell that has run, as plain dictionaries.

        Where a later cell updates a display of this one, they change as well, as in a front end and in nbclient.
        """
        self.given[index] = tuple(plain(output) for output in self.nb.cells[index].outputs)
        return self.given[index]

    def _keep(self, execute_reply: Mapping[str, Any], **_: Any) -> None:
        self.reply = execute_reply["content"]

    async def _async_poll_kernel_alive(self) -> None:
        """Nothing: the driver watches the process, and knows why it ended."""

    async def _async_check_alive(self) -> None:
        """Nothing, as above."""

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> Any:
        """As nbclient, which reads no further after a message that it cannot take, and finds out when the cell has ended:
        until then a flood would pile up. Here it is told at once."""
        try:
            shown = super().process_message(msg, cell, cell_index)
            if self.trial and len(cell.outputs) > OUTPUTS:
                raise TooManyError(f"it gave more than {OUTPUTS:,} outputs")
            return shown
        except CellExecutionComplete:  # not a failure: nbclient's way to say that the cell is done
            raise
        except Exception as e:
            self.refuse(e)
            raise

    def handle_comm_msg(self, outs: list[Any], msg: dict[str, Any], cell_index: int) -> None:
        """Widgets: as nbclient in a run. In a trial not at all: an output widget could swallow or rewrite outputs."""
        if not self.trial:
            super().handle_comm_msg(outs, msg, cell_index)

    def _update_display_id(self, display_id: str, msg: dict[str, Any]) -> None:
        super()._update_display_id(display_id, msg)
        for index, places in self._display_id_map.get(display_id, {}).items():
            given = self.given.get(index, ())
            for place in places:
                if place < len(given):
                    shown = self.nb["cells"][index]["outputs"][place]
                    given[place].update(data=plain(shown["data"]), metadata=plain(shown["metadata"]))


def failure_of(cell_id: str, error: Mapping[str, Any], count: int | None) -> Failure:
    """An error reply as a failure. `line` is that of the innermost frame in the source of the cell, which ran under
    this execution count; None where the traceback shows no such frame."""
    lines = error.get("traceback")
    text = printable("\n".join(map(str, lines)) if isinstance(lines, list) else "")
    mine = [int(line) for number, line in _FRAME.findall(text) if number == str(count)]
    said = without_file(printable(str(error.get("evalue"))))
    return Failure(cell_id, str(error.get("ename")), said, text, mine[-1] if mine else None)
