"""The one list of steps that bring a history to the form this version of the package reads.

Each step runs once, in its order, in one transaction with the number that says so; a database from a newer package is
refused, never touched.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import Connection, delete, insert, inspect, select

from ...values.errors import StoreError
from . import schema

Step = Callable[[Connection], None]


def _create(connection: Connection) -> None:
    schema.metadata.create_all(connection)


MIGRATIONS: Sequence[Step] = (_create,)
"""A step is frozen once it is released: when a table changes, its step gets the old form written out, and a new step."""


def version_of(connection: Connection) -> int:
    """How many steps this database has seen; 0 where there is no history in it."""
    if not inspect(connection).has_table(schema.schema_version.name):
        return 0
    return connection.scalar(select(schema.schema_version.c.version)) or 0


def refuse_newer(found: int, name: str, steps: Sequence[Step] = MIGRATIONS) -> None:
    """Raises `StoreError` where a newer package wrote this history."""
    if found > len(steps):
        raise StoreError(
            f"The history {name} was written by a newer jupyter_selfcode (form {found}, this one reads up to "
            f"{len(steps)}): upgrade with `pip install -U jupyter_selfcode`. Nothing was changed."
        )


def migrate(connection: Connection, name: str, steps: Sequence[Step] = MIGRATIONS) -> None:
    """Run the steps that are missing. Call inside a transaction that holds the write lock."""
    found = version_of(connection)
    refuse_newer(found, name, steps)
    for step in steps[found:]:
        step(connection)
    if found < len(steps):
        connection.execute(delete(schema.schema_version))
        connection.execute(insert(schema.schema_version).values(version=len(steps)))
