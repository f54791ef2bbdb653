"""Recompute every digest of a history."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import get_args

from sqlalchemy import Connection, select

from ...values.errors import SelfcodeError
from ...values.notebook import Cell, Notebook
from ...values.version import Outcome
from . import schema
from .snapshots import body_bytes, cell_digest, cells_by_number, numbers_of, sha256
from .versions import identity_of


def audit(connection: Connection) -> list[str]:
    """A line for each thing that is wrong; none where all is as it was recorded."""
    return [
        *_database(connection),
        *_blobs(connection),
        *_cells(connection),
        *_notebooks(connection),
        *_chain(connection),
    ]


def _database(connection: Connection) -> Iterator[str]:
    if connection.dialect.name == "sqlite":
        for (line,) in connection.exec_driver_sql("PRAGMA integrity_check"):
            if line != "ok":
                yield f"database: {line}"
        for table, row, parent, _ in connection.exec_driver_sql("PRAGMA foreign_key_check"):
            yield f"{table}: row {row} names a row of {parent} that is not there"


def _blobs(connection: Connection) -> Iterator[str]:
    b = schema.blobs.c
    for number, name, body in connection.execute(select(b.id, b.sha256, b.body).order_by(b.id)):
        if sha256(body_bytes(body)) != name:
            yield f"source {number}: its text is not the one that was recorded"


def _cells(connection: Connection) -> Iterator[str]:
    c = schema.cells.c
    sources, attached = schema.blobs.alias(), schema.blobs.alias()
    query = (
        select(c.id, c.sha256, c.cell_id, c.type, sources.c.sha256, c.metadata, attached.c.sha256)
        .select_from(
            schema.cells.outerjoin(sources, c.source == sources.c.id).outerjoin(
                attached, c.attachments == attached.c.id
            )
        )
        .order_by(c.id)
    )
    for number, name, *state in connection.execute(query):
        if cell_digest(*state) != name:
            yield f"cell {state[0]} (row {number}): it is not the one that was recorded"


def _notebooks(connection: Connection) -> Iterator[str]:
    n = schema.notebooks.c
    rows = connection.execute(select(n.digest, n.metadata, n.cells).order_by(n.digest)).fetchall()
    known: dict[int, Cell] = {}
    for digest, metadata, cells in rows:
        try:
            numbers = numbers_of(cells)
            known |= cells_by_number(connection, (number for number in numbers if number not in known))
            whole = Notebook(tuple(known[number] for number in numbers), json.loads(metadata))
            if whole.digest != digest:
                yield f"notebook {digest[:12]}: it is not the one that was recorded"
        except KeyError as e:
            yield f"notebook {digest[:12]}: its cell in row {e} is not there"
        except (ValueError, TypeError, SelfcodeError) as e:
            yield f"notebook {digest[:12]}: it cannot be read ({e})"


def _chain(connection: Connection) -> Iterator[str]:
    v, n = schema.versions, schema.notebooks
    rows = connection.execute(select(v).order_by(v.c.path, v.c.number)).mappings().fetchall()
    ids = {row["id"] for row in rows}
    digests = set(connection.scalars(select(n.c.digest)))
    expected: defaultdict[str, int] = defaultdict(lambda: 1)
    for row in rows:
        where = f"{row['path']}, version {row['number']}"
        try:
            if identity_of(dict(row)) != row["id"]:
                yield f"{where}: it is not the one that was recorded (its id is not its digest)"
        except (ValueError, TypeError) as e:
            yield f"{where}: it cannot be read ({e})"
        for parent in row["parents"].split():
            if parent not in ids:
                yield f"{where}: its parent {parent[:12]} is not there"
        if row["notebook"] not in digests:
            yield f"{where}: its notebook {row['notebook'][:12]} is not there"
        if row["number"] != expected[row["path"]]:
            yield f"{row['path']}: version {expected[row['path']]} is not there"
        expected[row["path"]] = row["number"] + 1
    o = schema.outcomes.c
    known = {row["seq"] for row in rows}
    for seq, outcome in connection.execute(select(o.version, o.outcome)):
        if seq not in known or outcome not in get_args(Outcome):
            yield f"outcome {outcome!r} of row {seq}: that version is not there, or there is no such outcome"
