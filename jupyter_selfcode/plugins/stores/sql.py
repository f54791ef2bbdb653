"""The history in a database, by SQLAlchemy Core: an SQLite file beside the notebooks, or any SQLAlchemy URL for a team.

It only grows. `begin` writes what is about to happen, whole notebook included, and `finish` what became of it, each in a
transaction of its own that is on the disk when the call returns; a version without an outcome was interrupted. Reading
where there is no history creates nothing.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Delete, Engine, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from ...values.errors import StoreError
from ...values.notebook import Notebook
from ...values.version import Lineage, Outcome, Recorded, Version, identity
from . import schema, snapshots
from .audit import audit
from .connections import WRITE, file_of, in_memory, open_engine, told, url_of, use_write_ahead_log
from .migrations import MIGRATIONS, migrate, refuse_newer, version_of
from .versions import recorded, row_of

T = TypeVar("T")

ATTEMPTS = 5
"""How often a transaction is tried that met another one's row (databases that let two write at once)."""


def beside(folder: Path) -> Path:
    """Where the history of the notebooks of a folder is kept; give it to `SqlStore`."""
    return folder / ".selfcode" / "history.sqlite"


class SqlStore:
    """A history by SQLAlchemy URL, or the `Path` of an SQLite file. One object serves many threads.

    `timeout`: seconds to wait for another process's lock before `StoreError`.
    """

    name = "sql"

    def __init__(self, where: str | Path, *, timeout: float = 5.0) -> None:
        self._url = url_of(where)
        self._file = file_of(self._url)
        self._timeout = timeout
        self._engine: Engine | None = None
        self._opened: tuple[int, int] | None = None
        self._ready = False
        self._opening = threading.RLock()
        self._turn: AbstractContextManager[object] = threading.RLock() if in_memory(self._url) else nullcontext()

    # ---- the Store protocol ----------------------------------------------------------------------------------------

    def begin(self, path: str, version: Version, after: Notebook) -> Recorded:
        """Record an intent. Raises `StoreError`, also where version and notebook do not belong together."""
        digest = after.digest
        if version.notebook != digest or version.id != identity(version):
            raise StoreError(
                f"Version {version.id[:12]} does not name the notebook given with it; nothing was recorded."
            )

        def work(connection: Connection) -> int:
            v = schema.versions.c
            if connection.scalar(select(v.number).where(v.id == version.id)) is not None:
                raise StoreError(f"Version {version.id[:12]} is in the history already; nothing was recorded.")
            snapshots.save(connection, after, digest)
            number = (connection.scalar(select(func.max(v.number)).where(v.path == path)) or 0) + 1
            connection.execute(insert(schema.versions).values(path=path, number=number, **row_of(version)))
            return number

        return Recorded(version, None, self._write(work))

    def finish(self, version_id: str, outcome: Outcome) -> None:
        """Record an outcome, once: the same again is no change, another one raises `StoreError`."""

        def work(connection: Connection) -> None:
            o, v = schema.outcomes.c, schema.versions.c
            seq = connection.scalar(select(v.seq).where(v.id == version_id))
            if seq is None:
                raise StoreError(f"Version {version_id[:12]} is not in the history, so it has no outcome.")
            known = connection.scalar(select(o.outcome).where(o.version == seq))
            if known not in (None, outcome):
                raise StoreError(f"Version {version_id[:12]} is recorded as {known}; an outcome is never changed.")
            if known is None:
                at = datetime.now(UTC).isoformat(timespec="microseconds")
                connection.execute(insert(schema.outcomes).values(version=seq, outcome=outcome, at=at))

        self._write(work)

    def lineage(self, path: str, limit: int | None = None) -> Lineage:
        """Versions of a notebook, oldest first (the newest `limit` of them). Fields that are large decode when read."""
        v, o = schema.versions.c, schema.outcomes.c
        columns = (
            v.id,
            v.parents,
            v.notebook,
            v.kind,
            v.by,
            v.at,
            v.level,
            v.restores,
            v.listing,
            v.patch,
            v.why,
            v.number,
        )
        query = (
            select(*columns, o.outcome)
            .select_from(schema.versions.outerjoin(schema.outcomes, v.seq == o.version))
            .where(v.path == path)
            .order_by(v.number.desc())
        )
        if limit is not None:
            query = query.limit(limit)
        with self._reading() as connection:
            rows = connection.execute(query).fetchall() if connection else []
            return [recorded(row) for row in reversed(rows)]

    def notebook(self, digest: str) -> Notebook:
        """The notebook with this digest, with the pointer metadata it was first kept with. Raises `StoreError`."""
        with self._reading() as connection:
            if connection is None:
                raise StoreError(f"There is no history yet, so the notebook {digest[:12]} is not in it.")
            return snapshots.load(connection, digest)

    def holder(self, version_id: str) -> str | None:
        """The path in whose history this version is; None where it is in none."""
        v = schema.versions.c
        with self._reading() as connection:
            return connection.scalar(select(v.path).where(v.id == version_id)) if connection else None

    def move(self, path: str, to: str) -> None:
        """Versions and documents of `path` are those of `to` from now on; what was there is set aside under a name of its
        own. Where `path` has none, nothing happens."""

        def work(connection: Connection) -> None:
            if not _kept(connection, path):
                return  # another process did it just now
            aside = f"{to} until {datetime.now(UTC).isoformat(timespec='microseconds')}"
            for table in (schema.versions, schema.notes):
                for old, new in ((to, aside), (path, to)):
                    connection.execute(update(table).where(table.c.path == old).values(path=new))

        with self._reading() as connection:
            kept = connection is not None and _kept(connection, path)
        if kept and path != to:
            self._write(work)

    def put_note(self, path: str, kind: str, key: str, body: str) -> None:
        """Keep a small document under a key; the one that was there is replaced, and counts as new."""

        def work(connection: Connection) -> None:
            connection.execute(_forget(path, kind, key))
            connection.execute(insert(schema.notes).values(path=path, kind=kind, key=key, body=json.dumps(body)))

        self._write(work)

    def notes(self, path: str, kind: str) -> Mapping[str, str]:
        """The documents of a kind by key, oldest first."""
        n = schema.notes.c
        query = select(n.key, n.body).where(n.path == path, n.kind == kind).order_by(n.id)
        with self._reading() as connection:
            return {key: json.loads(body) for key, body in connection.execute(query)} if connection else {}

    def drop_note(self, path: str, kind: str, key: str) -> None:
        """Forget a document; where there is none, nothing happens."""

        def work(connection: Connection) -> None:
            connection.execute(_forget(path, kind, key))

        if key in self.notes(path, kind):
            self._write(work)

    def verify(self) -> Sequence[str]:
        """Recompute every digest; a line for each thing that is wrong."""
        with self._reading() as connection:
            return audit(connection) if connection else []

    def close(self) -> None:
        """Close all connections. The store opens again when it is used again."""
        with self._opening:
            if self._engine is not None:
                self._engine.dispose()
            self._engine, self._ready = None, False

    # ---- connections -----------------------------------------------------------------------------------------------

    def _open(self) -> Engine:
        """The engine; a new one where the file was moved aside or replaced since, so that nothing is lost in the old."""
        with self._opening:
            if self._file is not None:
                now = self._file.stat() if self._file.exists() else None
                found = (now.st_dev, now.st_ino) if now else None
                if self._engine is not None and self._opened is not None and found != self._opened:
                    self.close()
                self._opened = found
            if self._engine is None:
                self._engine = open_engine(self._url, self._timeout)
            return self._engine

    @contextmanager
    def _reading(self) -> Iterator[Connection | None]:
        """A connection in one consistent transaction, or None where there is no history yet."""
        with told(self._url, self._timeout), self._turn:
            if self._file is not None and not self._file.exists():
                yield None
                return
            engine = self._open()
            with engine.connect() as connection:
                found = len(MIGRATIONS) if self._ready else version_of(connection)
            refuse_newer(found, self._shown)
            if 0 < found < len(MIGRATIONS):
                self._prepare(engine)
            if found == 0:
                yield None
                return
            self._ready = True
            with engine.begin() as connection:
                yield connection

    def _write(self, work: Callable[[Connection], T]) -> T:
        with told(self._url, self._timeout), self._turn:
            if self._file is not None:
                self._file.parent.mkdir(parents=True, exist_ok=True)
            engine = self._open()
            if not self._ready:
                self._prepare(engine)
            for attempt in range(1, ATTEMPTS + 1):
                try:
                    with engine.connect().execution_options(**{WRITE: True}) as connection, connection.begin():
                        return work(connection)
                except IntegrityError:
                    if attempt == ATTEMPTS:
                        raise
            raise AssertionError("unreachable")

    def _prepare(self, engine: Engine) -> None:
        """Bring the database to our form, once for this object."""
        with self._opening:
            if self._file is not None:
                use_write_ahead_log(engine, self._timeout)
            with engine.connect().execution_options(**{WRITE: True}) as connection, connection.begin():
                migrate(connection, self._shown)
            if self._file is not None and self._opened is None:
                now = self._file.stat()
                self._opened = (now.st_dev, now.st_ino)
            self._ready = True

    @property
    def _shown(self) -> str:
        return str(self._file or self._url.render_as_string())


def _forget(path: str, kind: str, key: str) -> Delete:
    n = schema.notes.c
    return delete(schema.notes).where(n.path == path, n.kind == kind, n.key == key)


def _kept(connection: Connection, path: str) -> bool:
    """Whether there is anything of this notebook."""
    tables = (schema.versions, schema.notes)
    return any(connection.execute(select(t.c.path).where(t.c.path == path).limit(1)).first() for t in tables)
