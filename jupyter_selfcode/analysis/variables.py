"""What is known of the variables of a namespace: names, types, shapes and schemas; of tables, counts and a few rows.

The text of `surveying` is sent to the kernel (`PROBE`); `summarise` calls the same functions in this process.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from ..values.request import Variable
from . import surveying
from .contract import in_kernel
from .surveying import CELL, COLUMNS, NAMES, ROWS, WIDTH

PROBE: str = in_kernel(inspect.getsource(surveying), "survey(namespace)")
"""Code for `Kernel.evaluate`; its reply is for `read_variables`."""

UNSTEADY: str = in_kernel(inspect.getsource(surveying), "unsteady(namespace)")
"""Code for `Kernel.evaluate`; its reply is for `read_unsteady`."""


def read_unsteady(reply: Mapping[str, Any]) -> frozenset[str] | None:
    """Names of variables that reading may change; None where the kernel did not say."""
    names = reply.get("unsteady")
    return frozenset(map(str, names)) if isinstance(names, (list, tuple)) else None


def read_variables(reply: Mapping[str, Any]) -> tuple[Variable, ...]:
    """The variables in a kernel's reply; what has not the agreed form is left out, lengths are held to the caps."""
    rows = reply.get("variables")
    found = []
    for row in rows[:NAMES] if isinstance(rows, (list, tuple)) else ():
        if isinstance(row, (list, tuple)) and len(row) == 5 and all(isinstance(part, str) for part in row[:4]):
            name, kind, summary, statistics, table = row
            found.append(
                Variable(name[:WIDTH], kind[:WIDTH], summary[:WIDTH], statistics[:WIDTH], _table(table))
            )
    return tuple(found)


def _table(rows: Any) -> tuple[tuple[str, ...], ...]:
    if not isinstance(rows, (list, tuple)) or not all(isinstance(row, (list, tuple)) for row in rows):
        return ()
    return tuple(tuple(str(item)[:CELL] for item in row[:COLUMNS]) for row in rows[: ROWS + 1])


def summarise(namespace: Mapping[str, Any]) -> tuple[Variable, ...]:
    """The variables of a namespace of this process."""
    return read_variables(surveying.survey(namespace))
