"""Edits of several cells, each in a tag with the cell's id; its instructions and its parser.

Raw code in tags was chosen over JSON (models escape code badly), over unified diffs (they count lines badly) and over
search-and-replace (it fails on repeated text): a cell is short enough to be written whole. The parser is tolerant of
form (prose around, fences, quotes, order) and strict about meaning: an unknown id, an unclosed tag (half an answer),
two different edits of one cell, or no edit at all is a `FormatError` whose line tells the model what was wrong. A cell that
is deleted and inserted elsewhere as it was is moved: it keeps its id and its history.

The contract cannot be touched: of a `%%selfcode` cell only the code below the docstring is shown and taken back; the
magic line and the docstring are put back from the notebook.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from ...analysis.rewriting import rewrite, split
from ...values.errors import Declined, FormatError
from ...values.notebook import Cell, Notebook
from ...values.patch import CellOp, DeleteCell, InsertCell, MoveCell, ReplaceSource

INSTRUCTIONS = """\
Answer with one <rationale> and then the edits, in exactly this form and with nothing else:

<rationale>
The root cause in a sentence, and what the edits do about it in another.
</rationale>
<cell id="ID" action="replace">
the whole new source of that cell, raw: no fences, no escaping
</cell>
<cell after="ID" action="insert" type="code">
the source of a new cell, placed below the cell ID (type may be markdown; after="top" is the top of the notebook)
</cell>
<cell id="ID" action="delete">
</cell>
<cell id="ID" action="move" after="ID">
</cell>

Each tag stands on a line of its own. IDs are the ids shown above. Edit as few cells as the task needs, each at most once,
and write every edited cell whole: a part of a cell replaces all of it.
If no honest edit can meet the task within the rules, answer only <decline>why, in a sentence</decline>.
Of a cell with a <contract>, write only the code that follows it: its contract stays as it is, and is not yours to write.
"""

_OPEN = re.compile(
    r"^[ \t]*<cell(?P<level>(?:-\d+)?)(?P<attributes>(?:\s+[\w-]+\s*=\s*(?:\"[^\"]*\"|'[^']*'))*)\s*(?P<end>/?)>", re.M
)
_ATTRIBUTE = re.compile(r"([\w-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_RATIONALE = re.compile(r"<rationale>\s*(.*?)\s*</rationale>", re.S)
_THINKING = re.compile(r"\A\s*<(think|thinking|reasoning)>.*?</\1>", re.S)
_DECLINED = re.compile(r"\A\s*<decline>(.*?)</decline>\s*\Z", re.S)
_FENCE = re.compile(
    r"\A(?P<fence>`{3,}|~{3,})[ \t]*(?P<language>[\w+-]*)[ \t]*\n(?P<body>.*?)\n?(?P=fence)[ \t]*\Z", re.S
)
_TOP = ("", "top", "start", "none", "None")


@dataclass(frozen=True, slots=True)
class _Edit:
    action: str
    cell_id: str | None
    type: str
    body: str
    after: str | None = None


def new_id(after: str | None, source: str, taken: Sequence[str]) -> str:
    """An id for a new cell: 8 hexadecimal digits, the same for the same answer, and not taken in the notebook."""
    salt = 0
    while True:
        made = sha256(f"{after}\0{source}\0{salt}".encode("utf-8", "surrogatepass")).hexdigest()[:8]
        if made not in taken:
            return made
        salt += 1


def tidy(source: str) -> str:
    """A source as cells keep it: no blank lines above and below, no carriage returns."""
    lines = source.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    while lines and not lines[0].strip():
        lines.pop(0)
    while lines and not lines[-1].strip():
        lines.pop()
    return "\n".join(lines)


def _unfenced(body: str, language: str | None) -> str:
    """A body without the fence that models like to put around it; of markdown, only one that says so."""
    if (found := _FENCE.match(body.strip())) and (language is None or found["language"].lower() in ("markdown", "md")):
        return found["body"]
    return body


def _closing(text: str, start: int, level: str) -> tuple[int, int] | None:
    """Where the body of a tag ends and its closing tag ends; None where it is not closed before the next one opens."""
    later = [m.start() for m in _OPEN.finditer(text, start) if m["level"] == level]
    stop = later[0] if later else len(text)
    own_line = re.compile(rf"^[ \t]*</cell{level}>[ \t]*\r?$", re.M)
    at_end = re.compile(rf"</cell{level}>[ \t]*\r?$", re.M)
    found = own_line.search(text, start, stop) or at_end.search(text, start, stop)
    return (found.start(), found.end()) if found else None


def _edits(text: str) -> list[_Edit]:
    edits: list[_Edit] = []
    position = 0
    while opening := _OPEN.search(text, position):
        given = {k: html.unescape(d or s) for k, d, s in _ATTRIBUTE.findall(opening["attributes"])}
        body, position = "", opening.end()
        if not opening["end"]:
            closing = _closing(text, position, opening["level"])
            if closing is None:
                name = given.get("id") or given.get("after") or "?"
                raise FormatError(
                    f'The tag <cell … "{name}"> is not closed: the answer is cut off or </cell> is missing. '
                    "Write every edit whole, each closed by </cell> on a line of its own."
                )
            body, position = text[position : closing[0]], closing[1]
        edits.append(_edit(given, body))
    return edits


def _edit(given: dict[str, str], body: str) -> _Edit:
    action = given.get("action", "").lower().replace("-", "_")
    anchor = given.get("after")
    if not action:
        action = "insert" if anchor is not None else "replace"
    if action in ("insert", "insert_after", "add", "new"):
        anchor = given.get("id") if anchor is None else anchor
        return _Edit(
            "insert", None if anchor in _TOP or anchor is None else anchor, given.get("type", "code").lower(), body
        )
    if action in ("replace", "edit", "update", "delete", "remove"):
        if not given.get("id"):
            raise FormatError(
                f'An edit with action="{action}" has no id; name the cell: <cell id="ID" action="{action}">.'
            )
        kind = "delete" if action in ("delete", "remove") else "replace"
        return _Edit(kind, given["id"], given.get("type", ""), body)
    if action == "move":
        if not given.get("id") or anchor is None:
            raise FormatError('A move names two cells: <cell id="ID" action="move" after="ID">.')
        if tidy(body):
            raise FormatError("A move has no source: the cell stays as it is. Change it by an edit of its own.")
        return _Edit("move", given["id"], "", "", None if anchor in _TOP else anchor)
    raise FormatError(f'There is no action "{action}"; the actions are replace, insert, delete and move.')


def _rationale(text: str) -> tuple[str, str]:
    """The rationale and the answer without it; one that stands inside an edit is part of the edit."""
    found = _RATIONALE.search(text)
    first = _OPEN.search(text)
    if found and first and found.start() > first.start():
        found = _RATIONALE.search(text, text.rfind("</cell"))
    if not found:
        return "", text
    return " ".join(found[1].split()), text[: found.start()] + text[found.end() :]


class CellsFormat:
    """Whole cells in tags, by cell id."""

    name = "cells"
    instructions = INSTRUCTIONS

    def parse(self, text: str, notebook: Notebook) -> tuple[tuple[CellOp, ...], str]:
        """The operations (replacements, insertions and moves as written, deletions last) and the rationale.

        Raises `FormatError` with what was wrong, in words for the model, and `Declined` where it made no edit on purpose.
        """
        text = _THINKING.sub("", text.replace("\r\n", "\n"), count=1)
        if not text.strip():
            raise FormatError("The answer is empty. " + "Answer with <rationale> and at least one <cell …> edit.")
        if declined := _DECLINED.search(text):
            raise Declined(" ".join(declined[1].split()) or "no reason given")
        rationale, text = _rationale(text)
        edits = _edits(text)
        if not edits:
            raise FormatError(
                'There is no edit in the answer. Write each edit as <cell id="ID" action="replace"> … </cell>, '
                "with each tag on a line of its own."
            )
        return self._operations(edits, notebook), rationale

    def _operations(self, edits: Sequence[_Edit], notebook: Notebook) -> tuple[CellOp, ...]:
        ids = [c.id for c in notebook.cells]
        known = ", ".join(ids[:60])
        operations: list[CellOp] = []
        last: dict[tuple[str, bool], CellOp] = {}
        below: dict[str | None, str] = {}
        for edit in edits:
            for named in (edit.cell_id, edit.after):
                if named is not None and named not in ids:
                    raise FormatError(f"There is no cell {named!r}. The cells are: {known}.")
            if edit.action == "insert":
                cell = self._inserted(edit, ids)
                operations.append(InsertCell(cell, below.get(edit.cell_id, edit.cell_id)))
                below[edit.cell_id] = cell.id
                ids.append(cell.id)
                continue
            assert edit.cell_id is not None
            operation = self._changed(edit, notebook.cell(edit.cell_id))
            if (other := last.setdefault((edit.cell_id, edit.action == "move"), operation)) is not operation:
                if other != operation:
                    raise FormatError(
                        f"Cell {edit.cell_id!r} is edited twice, differently. Edit each cell at most once."
                    )
                continue
            operations.append(operation)
        operations = [
            op
            for op in operations
            if not (isinstance(op, ReplaceSource) and op.source == notebook.cell(op.cell_id).source)
        ]
        operations = _moves(sorted(operations, key=lambda op: isinstance(op, DeleteCell)), notebook)
        if not operations:
            raise FormatError("The edits change nothing: every cell is written exactly as it is. Change what is wrong.")
        moved = {op.cell_id for op in operations if isinstance(op, MoveCell)}
        if twice := moved & {op.cell_id for op in operations if isinstance(op, DeleteCell)}:
            raise FormatError(f"Cell {min(twice)!r} is moved and deleted. Do one of both.")
        return tuple(operations)

    def _inserted(self, edit: _Edit, ids: Sequence[str]) -> Cell:
        if edit.type not in ("code", "markdown", "raw"):
            raise FormatError(f'There is no cell type "{edit.type}"; the types are code and markdown.')
        source = tidy(_unfenced(edit.body, None if edit.type == "code" else "markdown"))
        if not source:
            raise FormatError("A new cell is empty. Write its source between the tags, or leave it out.")
        return Cell(new_id(edit.cell_id, source, ids), edit.type, source)  # type: ignore[arg-type]

    def _changed(self, edit: _Edit, cell: Cell) -> CellOp:
        if edit.action == "delete":
            return DeleteCell(cell.id)
        if edit.action == "move":
            if edit.after == cell.id:
                raise FormatError(f"Cell {cell.id!r} is moved below itself. Name another cell in after.")
            return MoveCell(cell.id, edit.after)
        body = tidy(_unfenced(edit.body, None if cell.type == "code" else "markdown"))
        if not body:
            raise FormatError(f'The new source of cell {cell.id!r} is empty. Write it whole, or use action="delete".')
        return ReplaceSource(cell.id, rewrite(cell.source, body) if cell.type == "code" else body)


def _moves(operations: Sequence[CellOp], notebook: Notebook) -> list[CellOp]:
    """The operations, with a cell that is deleted and inserted as it was moved instead."""
    gone = [op.cell_id for op in operations if isinstance(op, DeleteCell)]
    twins: dict[str, str] = {}
    for op in operations:
        if isinstance(op, InsertCell) and (twin := next((i for i in gone if _as_it_was(op.cell, notebook.cell(i))), None)):
            gone.remove(twin)
            twins[op.cell.id] = twin
    found: list[CellOp] = []
    for op in operations:
        if isinstance(op, InsertCell):
            after = twins.get(op.after, op.after) if op.after else None
            if (moved := twins.get(op.cell.id)) is None:
                found.append(replace(op, after=after))
            elif moved != after:
                found.append(MoveCell(moved, after))
        elif not isinstance(op, DeleteCell) or op.cell_id in gone:
            found.append(op)
    return found


def _as_it_was(inserted: Cell, cell: Cell) -> bool:
    """Whether a new cell is one that was there; of a cell with a contract, which is not shown, the code tells."""
    return inserted.type == cell.type and inserted.source in (tidy(cell.source), cell.type == "code" and tidy(split(cell.source)[1]))


def _tag(attributes: str, body: str) -> str:
    """A tag around a body, of a level whose own tags do not stand in the body."""
    number = 1
    while True:
        level = "" if number == 1 else f"-{number}"
        if f"</cell{level}>" not in body and not any(m["level"] == level for m in _OPEN.finditer(body)):
            return f"<cell{level} {attributes}>\n{body}\n</cell{level}>"
        number += 1


def _fenced(body: str, language: str | None) -> str:
    """A body that looks fenced itself gets a fence around it, which the parser takes off."""
    if _unfenced(body, language) == body:
        return body
    fence = "`" * (max(map(len, re.findall(r"`+", body)), default=0) + 3)
    return f"{fence}{language or 'python'}\n{body}\n{fence}"


def render(operations: Sequence[CellOp], notebook: Notebook, rationale: str = "") -> str:
    """The answer that says these operations; `parse(render(ops)) == ops` for operations that this format can say."""
    anchors: dict[str, str | None] = {}
    parts = [f"<rationale>\n{rationale}\n</rationale>"]
    for op in operations:
        if isinstance(op, InsertCell):
            anchor = anchors.get(op.after, op.after) if op.after else None
            anchors[op.cell.id] = anchor
            body = _fenced(op.cell.source, None if op.cell.type == "code" else "markdown")
            after = html.escape(anchor) if anchor else "top"
            parts.append(_tag(f'after="{after}" action="insert" type="{op.cell.type}"', body))
        elif isinstance(op, ReplaceSource):
            kind = notebook.cell(op.cell_id).type
            body = _fenced(op.source, None if kind == "code" else "markdown")
            parts.append(_tag(f'id="{html.escape(op.cell_id)}" action="replace"', body))
        elif isinstance(op, DeleteCell):
            parts.append(_tag(f'id="{html.escape(op.cell_id)}" action="delete"', ""))
        elif isinstance(op, MoveCell):
            after = html.escape(anchors.get(op.after, op.after) or "top") if op.after else "top"
            parts.append(_tag(f'id="{html.escape(op.cell_id)}" action="move" after="{after}"', ""))
        else:
            raise FormatError(f"This format cannot say the operation {op.op}.")
    return "\n".join(parts)
