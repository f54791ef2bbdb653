"""A notebook as a file: what its bytes say, and the bytes with a change cut into them.

Files of nbformat 4.0 to 4.4 have no cell ids. They are given some, the same at every reading because they are made of what
the cell says, and the first change writes them and makes the file nbformat 4.5.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ...values.canonical import canonical_json, same
from ...values.errors import BadInput
from ...values.notebook import Cell, Notebook
from ...values.trial import CellResult
from .json_text import Piece, Style, layout, style_of, with_cells

Raw = dict[str, Any]


@dataclass(frozen=True, slots=True)
class NotebookFile:
    """The content of a notebook file. `raw` is its JSON with ids given; `named` says which had to be given, by place."""

    text: str
    raw: Raw
    notebook: Notebook
    named: frozenset[int] = frozenset()

    @property
    def cells(self) -> dict[str, Raw]:
        """Cells as the file holds them, by id."""
        return {c["id"]: c for c in self.raw["cells"]}


def source_of(raw: Raw) -> str:
    """A source as one text."""
    source = raw.get("source", "")
    return source if isinstance(source, str) else "".join(source)


def parse(data: bytes, name: str) -> NotebookFile:
    """Read a notebook file. Raises `BadInput` with what is wrong with it and what to do."""
    raw, text = _json(data, name)
    major = raw.get("nbformat")
    listed = raw.get("cells", raw.get("worksheets"))
    if type(major) is not int or not isinstance(listed, list):
        raise BadInput(f"{name} is JSON and not a notebook: it has no nbformat, or no cells.")
    if major < 4:
        raise BadInput(
            f"{name} is nbformat {major}; upgrade it with: jupyter nbconvert --to notebook --nbformat 4 --inplace {name}"
        )
    if major > 4:
        raise BadInput(f"{name} is nbformat {major}, and nbformat 4 is what can be read: save it as that in Jupyter.")
    if type(raw.get("nbformat_minor")) is not int or not all(isinstance(c, dict) for c in raw.get("cells", [0])):
        raise BadInput(f"{name} is not a valid notebook: it has no nbformat_minor, or a cell is not an object.")
    raw, named = _with_ids(raw)
    if len({c["id"] for c in raw["cells"]}) != len(raw["cells"]):
        raise BadInput(f"In {name} two cells have the same id; save it once in Jupyter, which gives new ids.")
    validate(raw, name)
    cells = tuple(
        Cell(c["id"], c["cell_type"], source_of(c), c.get("metadata", {}), c.get("attachments", {}))
        for c in raw["cells"]
    )
    notebook = Notebook(cells, raw.get("metadata", {}))
    try:
        canonical_json([notebook.metadata, [c.metadata for c in cells]])
    except ValueError as e:
        raise BadInput(
            f"{name} is not a valid notebook: its metadata holds NaN or infinity, which are not JSON."
        ) from e
    return NotebookFile(text, raw, notebook, named)


def _json(data: bytes, name: str) -> tuple[Raw, str]:
    if not data.strip():
        raise BadInput(f"{name} is empty, so it is not a notebook.")
    try:
        text = data.decode("utf-8")
        raw = json.loads(text)
    except UnicodeDecodeError as e:
        raise BadInput(f"{name} is not a notebook: it is not UTF-8 text (byte {e.start}).") from e
    except json.JSONDecodeError as e:
        raise BadInput(f"{name} is not a notebook: it is not JSON (line {e.lineno}, column {e.colno}: {e.msg}).") from e
    except RecursionError as e:
        raise BadInput(f"{name} is not a notebook: its JSON is nested too deeply.") from e
    if not isinstance(raw, dict):
        raise BadInput(f"{name} is JSON and not a notebook: it is not an object.")
    return raw, text


def _with_ids(raw: Raw) -> tuple[Raw, frozenset[int]]:
    """Ids for cells without one: of the source, and of how many cells before say the same."""
    taken = {c["id"] for c in raw["cells"] if isinstance(c.get("id"), str)}
    seen: dict[str, int] = {}
    cells, named = [], set[int]()
    for i, cell in enumerate(raw["cells"]):
        if not isinstance(cell.get("id"), str):
            said = f"{cell.get('cell_type')}\n{source_of(cell) if _has_source(cell) else ''}"
            while True:
                seen[said] = seen.get(said, 0) + 1
                given = hashlib.sha256(f"{seen[said]}\n{said}".encode("utf-8", "surrogatepass")).hexdigest()[:12]
                if given not in taken:
                    break
            taken.add(given)
            named.add(i)
            cell = {**cell, "id": given}
            if list(cell)[:-1] == sorted(list(cell)[:-1]):
                cell = dict(sorted(cell.items()))
        cells.append(cell)
    if not named:
        return raw, frozenset()
    return {**raw, "cells": cells}, frozenset(named)


def _has_source(cell: Raw) -> bool:
    source = cell.get("source", "")
    return isinstance(source, str) or (isinstance(source, list) and all(isinstance(line, str) for line in source))


def validate(raw: Raw, name: str) -> None:
    """Hold it to the schema of nbformat; unknown keys are allowed. Raises `BadInput`.

    nbformat mends missing and double ids as it looks, at random: ids are given, and double ones refused, before this.
    """
    import nbformat

    try:
        nbformat.validate(raw, relax_add_props=True)
    except nbformat.ValidationError as e:
        where = "/".join(str(p) for p in getattr(e, "relative_path", ()) or ())
        said = " ".join(str(getattr(e, "message", e)).split())
        raise BadInput(
            f"{name} is not a valid notebook ({where + ': ' if where else ''}{said[:200]}); open and save it once in "
            "Jupyter, or mend that place."
        ) from e


def _edited(raw: Raw, old: Cell, new: Cell, style: Style) -> Raw:
    """A cell of the file with its new source, metadata and attachments. Outputs of another source are cleared."""
    cell = dict(raw)
    if old.source != new.source:
        cell["source"] = style.text(new.source, isinstance(raw.get("source"), list))
        if new.type == "code":
            cell |= {"outputs": [], "execution_count": None}
    if not same(old.metadata, new.metadata):
        cell["metadata"] = new.metadata
    if not same(old.attachments, new.attachments):
        cell["attachments"] = new.attachments
        if not new.attachments:
            del cell["attachments"]
    return cell


def _made(new: Cell, style: Style) -> Raw:
    """A cell that the file did not have."""
    cell: Raw = {"cell_type": new.type, "id": new.id, "metadata": new.metadata, "source": style.text(new.source)}
    if new.type == "code":
        cell |= {"outputs": [], "execution_count": None}
    if new.attachments:
        cell["attachments"] = new.attachments
    return dict(sorted(cell.items()))


def _with_result(raw: Raw, result: CellResult | None, style: Style) -> Raw:
    """A code cell with what its run gave; one that was not reached has no outputs, one that was skipped keeps its own."""
    if raw["cell_type"] != "code" or (result is not None and result.status == "skipped"):
        return raw
    outputs = split_outputs(result.outputs) if result and style.lines else list(result.outputs) if result else []
    return {**raw, "outputs": outputs, "execution_count": result.execution_count if result else None}


def _by_nbformat(function: str, outputs: Iterable[Any]) -> list[Any]:
    import nbformat
    from nbformat.v4 import rwbase

    node: Any = nbformat.from_dict(  # type: ignore[no-untyped-call]
        {"cells": [{"cell_type": "code", "source": "", "outputs": list(outputs)}]}
    )
    return list(getattr(rwbase, function)(node).cells[0].outputs)


def split_outputs(outputs: Iterable[Any]) -> list[Any]:
    """Outputs with their texts as lists of lines, as Jupyter writes them."""
    return _by_nbformat("split_lines", outputs)


def joined_outputs(outputs: Iterable[Any]) -> tuple[Mapping[str, Any], ...]:
    """Outputs with their texts in one piece, as kernels send them and as a `CellResult` has them."""
    return tuple(_by_nbformat("rejoin_lines", outputs))


def render(
    file: NotebookFile, after: Notebook, results: Mapping[str, CellResult] | None = None, *, name: str = "The notebook"
) -> bytes:
    """The bytes of the file with the notebook `after` in it; `results` (of a whole run) take the place of all outputs.

    What stays the same is copied from the old text. Raises `BadInput` where it would not be a valid notebook.
    """
    style = style_of(file.text, file.raw)
    before = {c.id: (i, c) for i, c in enumerate(file.notebook.cells)}
    held = file.raw["cells"]
    cells: list[Raw] = []
    pieces: list[Piece] = []
    for cell in after.cells:
        place, old = before.get(cell.id, (None, None))
        if place is not None and old is not None and old.type == cell.type:
            raw = _edited(held[place], old, cell, style)
        else:
            raw = _made(cell, style)
        if results is not None:
            raw = _with_result(raw, results.get(cell.id), style)
        kept = place is not None and place not in file.named and _unchanged(raw, held[place])
        cells.append(raw)
        pieces.append(Piece(place, None if kept else raw))

    minor = file.raw["nbformat_minor"]
    with_ids = max(minor, 5) if cells else minor
    where = layout(file.text)
    edits = {where.values["cells"]: with_cells(where, style, pieces)}
    if not same(file.notebook.metadata, after.metadata):
        edits[where.values["metadata"]] = style.dumps(after.metadata, style.indent or "")
    if with_ids != minor:
        edits[where.values["nbformat_minor"]] = str(with_ids)
    parts, at = list[str](), 0
    for (start, end), text in sorted(edits.items()):
        parts += [file.text[at:start], text]
        at = end
    data = "".join([*parts, file.text[at:]]).encode("utf-8")
    if parse(data, name).notebook.digest != after.digest:  # parse holds it to the schema, too
        raise BadInput(f"{name} could not be written so that it reads the same again; nothing was changed.")
    return data


def _unchanged(new: Raw, old: Raw) -> bool:
    return new is old or (new.keys() == old.keys() and all(new[k] is old[k] or _same_text(new[k], old[k]) for k in new))


def _same_text(a: Any, b: Any) -> bool:
    return a == b and json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)
