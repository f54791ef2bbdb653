"""Whole notebooks, kept by content: a source, an attachment or a cell that is there already is not written again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, insert, select

from ...values.errors import StoreError
from ...values.notebook import Cell, Notebook
from . import schema
from .versions import text_of

T = TypeVar("T")

AT_ONCE = 500
"""Values in one IN (…): under the limits of every database."""


def sha256(body: bytes) -> str:
    """64 hexadecimal digits."""
    return hashlib.sha256(body).hexdigest()


def chunks(values: Iterable[T]) -> Iterator[list[T]]:
    """The values, `AT_ONCE` at a time."""
    rest = iter(values)
    while chunk := list(islice(rest, AT_ONCE)):
        yield chunk


def _kept(connection: Connection, table: Table, rows: dict[str, dict[str, Any]]) -> dict[str, int]:
    """Row numbers by digest; what is missing is written. `rows` are by their digest."""

    def find(wanted: Iterable[str]) -> dict[str, int]:
        found: dict[str, int] = {}
        for chunk in chunks(wanted):
            query = select(table.c.sha256, table.c.id).where(table.c.sha256.in_(chunk))
            found |= {row.sha256: row.id for row in connection.execute(query)}
        return found

    known = find(rows)
    missing = [digest for digest in rows if digest not in known]
    if missing:
        connection.execute(insert(table), [{**rows[digest], "sha256": digest} for digest in missing])
        known |= find(missing)
    return known


def source_bytes(source: str) -> bytes:
    """UTF-8; lone surrogates, which JSON allows, pass."""
    return source.encode("utf-8", "surrogatepass")


def body_bytes(body: bytes | str) -> bytes:
    """The bytes of a blob; where somebody has written text into it by hand, SQLite gives that."""
    return source_bytes(body) if isinstance(body, str) else bytes(body)


def cell_digest(cell_id: str, kind: str, source: str, metadata: str, attachments: str | None) -> str:
    """What names a state of a cell: the digests of its source and attachments, the text of its metadata."""
    return sha256(text_of([cell_id, kind, source, metadata, attachments]).encode())


def save(connection: Connection, notebook: Notebook, digest: str) -> None:
    """Keep a notebook; one that has this digest already stays as it was kept first."""
    if connection.scalar(select(schema.notebooks.c.digest).where(schema.notebooks.c.digest == digest)):
        return
    bodies: dict[str, dict[str, Any]] = {}

    def blob(body: bytes) -> str:
        name = sha256(body)
        bodies[name] = {"body": body}
        return name

    states = [
        (
            cell.id,
            cell.type,
            blob(source_bytes(cell.source)),
            text_of(cell.metadata),
            blob(text_of(cell.attachments).encode()) if cell.attachments else None,
        )
        for cell in notebook.cells
    ]
    blobs = _kept(connection, schema.blobs, bodies)
    rows = {
        cell_digest(*state): {
            "cell_id": state[0],
            "type": state[1],
            "source": blobs[state[2]],
            "metadata": state[3],
            "attachments": blobs[state[4]] if state[4] else None,
        }
        for state in states
    }
    numbers = _kept(connection, schema.cells, rows)
    connection.execute(
        insert(schema.notebooks).values(
            digest=digest,
            metadata=text_of(notebook.metadata),
            cells=text_of([numbers[cell_digest(*state)] for state in states]),
        )
    )


def cells_by_number(connection: Connection, numbers: Iterable[int]) -> dict[int, Cell]:
    """Cells by their row numbers; a number without a row is left out."""
    sources, attached = schema.blobs.alias(), schema.blobs.alias()
    c = schema.cells.c
    found: dict[int, Cell] = {}
    for chunk in chunks(dict.fromkeys(numbers)):
        query = (
            select(c.id, c.cell_id, c.type, sources.c.body, c.metadata, attached.c.body)
            .select_from(
                schema.cells.join(sources, c.source == sources.c.id).outerjoin(attached, c.attachments == attached.c.id)
            )
            .where(c.id.in_(chunk))
        )
        for number, cell_id, kind, source, metadata, attachments in connection.execute(query):
            found[number] = Cell(
                cell_id,
                kind,
                body_bytes(source).decode("utf-8", "surrogatepass"),
                json.loads(metadata),
                json.loads(attachments) if attachments is not None else {},
            )
    return found


def numbers_of(text: str) -> Sequence[int]:
    """The row numbers in a `cells` column."""
    return [int(number) for number in json.loads(text)]


def load(connection: Connection, digest: str) -> Notebook:
    """The notebook with this digest. Raises `StoreError` where it, or a cell of it, is not there."""
    n = schema.notebooks.c
    row = connection.execute(select(n.metadata, n.cells).where(n.digest == digest)).first()
    if row is None:
        raise StoreError(f"The history does not hold the notebook {digest[:12]}; `verify` lists what is missing.")
    numbers = numbers_of(row.cells)
    cells = cells_by_number(connection, numbers)
    if missing := [number for number in numbers if number not in cells]:
        raise StoreError(f"The history has lost {len(missing)} cells of the notebook {digest[:12]}; see `verify`.")
    return Notebook(tuple(cells[number] for number in numbers), json.loads(row.metadata))
