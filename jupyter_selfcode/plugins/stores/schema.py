"""The tables of a history, for any database that SQLAlchemy knows.

Names begin with `selfcode_`, so that the tables can live in a team's database beside others. All JSON is ASCII text and
all sources are bytes: a notebook may hold NUL and lone surrogates, which not every database takes as text.

A notebook is kept as a list of row numbers of its cells, and a cell by the digest of all that it holds. A version that
changes one cell of thirty adds one cell, one source and one short list.
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, MetaData, String, Table, Text, UniqueConstraint

metadata = MetaData()

SHA256 = String(64)

schema_version = Table(
    "selfcode_schema",
    metadata,
    Column("version", Integer, nullable=False),
)

blobs = Table(
    "selfcode_blobs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("sha256", SHA256, nullable=False, unique=True),
    Column("body", LargeBinary, nullable=False),
    comment="Cell sources (UTF-8) and attachments (JSON) by the SHA-256 of their bytes.",
)

cells = Table(
    "selfcode_cells",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("sha256", SHA256, nullable=False, unique=True),
    Column("cell_id", Text, nullable=False),
    Column("type", String(16), nullable=False),
    Column("source", ForeignKey(blobs.c.id), nullable=False),
    Column("metadata", Text, nullable=False),
    Column("attachments", ForeignKey(blobs.c.id)),
    comment="One state of one cell, by the SHA-256 of all that it holds.",
)

notebooks = Table(
    "selfcode_notebooks",
    metadata,
    Column("digest", SHA256, primary_key=True),
    Column("metadata", Text, nullable=False),
    Column("cells", Text, nullable=False, comment="Row numbers of its cells, in order, as a JSON array."),
)

versions = Table(
    "selfcode_versions",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("id", SHA256, nullable=False, unique=True),
    Column("path", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("parents", Text, nullable=False, comment="Ids of versions, a blank between them."),
    Column("notebook", ForeignKey(notebooks.c.digest), nullable=False),
    Column("kind", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("level", Integer),
    Column("restores", Text),
    Column("listing", Text, nullable=False, comment="The fields that a list of versions shows, as a JSON array."),
    Column("patch", Text, nullable=False),
    Column("why", Text, nullable=False, comment="The fields that only `why` shows, as a JSON array."),
    UniqueConstraint("path", "number"),
    comment="Intents. A row is never changed, but for the path, which is no part of its id; what became of it is in selfcode_outcomes.",
)

outcomes = Table(
    "selfcode_outcomes",
    metadata,
    Column("version", ForeignKey(versions.c.seq), primary_key=True, autoincrement=False),
    Column("outcome", Text, nullable=False),
    Column("at", Text, nullable=False),
)

notes = Table(
    "selfcode_notes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("path", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("body", Text, nullable=False),
    UniqueConstraint("path", "kind", "key"),
    comment="Small documents beside the history: what waits, lessons. These may be replaced and dropped.",
)
