"""Connections to a history, and what to say when one fails.

SQLite: write-ahead log, so that reading does not wait for writing; foreign keys on; synchronous=FULL, because an outcome
must survive a power cut once the notebook was renamed into place (NORMAL may lose the last transactions of the log).
Writing begins with BEGIN IMMEDIATE: a transaction that would have to wait waits at its start, and never fails half-way.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, StaticPool, create_engine, event, exc, make_url

from ...values.errors import StoreError

WRITE = "selfcode_write"
"""Execution option of a connection that will write."""


def url_of(where: str | Path) -> URL:
    """The URL of a history; a `Path` is an SQLite file. Relative files are bound to the folder that is current now."""
    if isinstance(where, Path):
        return URL.create("sqlite", database=str(where.absolute()))
    try:
        url = make_url(where)
        url.get_dialect()
    except (exc.ArgumentError, exc.NoSuchModuleError, ImportError) as e:
        raise StoreError(f"{where!r} is not a database URL that can be used here: {e}") from e
    file = file_of(url)
    return url.set(database=str(file.absolute())) if file else url


def file_of(url: URL) -> Path | None:
    """The file of an SQLite history; None for memory, for `file:` URIs and for every other database."""
    named = url.database not in (None, "", ":memory:") and not str(url.database).startswith("file:")
    return Path(str(url.database)) if url.get_backend_name() == "sqlite" and named else None


def in_memory(url: URL) -> bool:
    """Whether it lives in this process alone."""
    return url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:")


def open_engine(url: URL, timeout: float) -> Engine:
    """An engine whose SQLite connections have our settings. `timeout` is in seconds, for locks."""
    if url.get_backend_name() != "sqlite":
        try:
            return create_engine(url, pool_pre_ping=True)
        except ImportError as e:
            raise StoreError(f"The driver of {url.render_as_string()} is not installed: {e}") from e
    options: dict[str, Any] = {"connect_args": {"timeout": timeout}}
    if in_memory(url):
        options = {"connect_args": {"check_same_thread": False}, "poolclass": StaticPool}
    engine = create_engine(url, **options)

    @event.listens_for(engine, "connect")
    def _(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA synchronous=FULL")

    @event.listens_for(engine, "begin")
    def _(connection: Connection) -> None:
        write = connection.get_execution_options().get(WRITE, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


def use_write_ahead_log(engine: Engine, timeout: float) -> None:
    """Switch an SQLite file to its write-ahead log; the file remembers. SQLite does not wait for locks here: we do."""
    until = time.monotonic() + timeout
    while True:
        raw = engine.raw_connection()
        try:
            raw.driver_connection.execute("PRAGMA journal_mode=WAL")  # type: ignore[union-attr]
            return
        except sqlite3.OperationalError as e:
            if "locked" not in str(e) or time.monotonic() > until:
                raise exc.OperationalError("PRAGMA journal_mode=WAL", None, e) from e
            time.sleep(0.02)
        finally:
            raw.close()


@contextmanager
def told(url: URL, timeout: float) -> Iterator[None]:
    """Turns what a database or the disk raises into a `StoreError` that says what to do."""
    name = str(file_of(url) or url.render_as_string())
    try:
        yield
    except (exc.DBAPIError, sqlite3.Error) as e:  # the second where a connection could not even be set up
        raise StoreError(_explain(name, str(getattr(e, "orig", e)), timeout)) from e
    except exc.SQLAlchemyError as e:
        raise StoreError(f"The history {name} could not be used: {e}") from e
    except UnicodeError as e:
        raise StoreError(f"The history {name} could not take a name that is not valid Unicode: {e}") from e
    except (ValueError, KeyError, TypeError) as e:
        raise StoreError(
            f"The history {name} holds a row that cannot be read ({type(e).__name__}: {e}); `verify` lists what is wrong."
        ) from e
    except OSError as e:
        raise StoreError(
            f"The history {name} cannot be written here: {e.strerror or e}. Make its folder writable, or set store_url."
        ) from e


def _explain(name: str, said: str, timeout: float) -> str:
    said = " ".join(said.split())
    if "locked" in said or "busy" in said:
        return (
            f"The history {name} is locked by another process (waited {timeout:g} s); try again when it has finished."
        )
    if "not a database" in said or "malformed" in said or "encrypted" in said:
        return (
            f"The history {name} is damaged ({said}): move it aside (mv {name} {name}.damaged) and a new one is begun "
            "at the next change. The notebook itself is not affected."
        )
    if "readonly" in said or "unable to open" in said:
        return f"The history {name} cannot be opened or written ({said}): make it and its folder writable, or set store_url."
    if "full" in said:
        return f"The history {name} could not be written: {said}. Free some space and try again; nothing was changed."
    if "disk I/O" in said:  # what SQLite says where there is no room for the file that its readers share, or the disk fails
        return f"The history {name} could not be used: {said}. Free some space if the disk is full, and try again; nothing was changed."
    return f"The history {name} could not be used: {said}"
