"""Whether two libraries, or two languages, gave the same tables: a differential test, read and compared here.

Columns must have the same names in the same order, rows the same values in the same order (a query without ORDER BY promises none,
so there it counts for nothing). Missing is missing, whatever each calls it; a whole number and a float of that value are one, for
engines differ in what a sum is; numbers are compared to 1e-9 of themselves.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from . import carrying, tabling
from .contract import executable, in_kernel
from .likeness import DOUBLE, same_value

_SQL = re.compile(r"^\s*%%sql\b[ \t]*(?:(?P<name>[^\W\d]\w*)[ \t]*<<)?[^\n]*\n(?P<sql>.*)$", re.DOTALL)
_CALL = re.compile(
    r"^\s*(?P<name>[^\W\d]\w*)\s*=\s*[\w.]*(?:read_sql|read_sql_query|sql|query|execute)\(\s*[fr]?(?P<quote>\"\"\"|'''|\"|')(?P<sql>.*?)(?P=quote)", re.DOTALL | re.MULTILINE
)


def sql_of(source: str) -> tuple[str, str] | None:
    """The query of a cell (`%%sql`, or a call with the query written out) and the name it is bound to (empty: none)."""
    if found := _SQL.match(source):
        return found["sql"].strip().rstrip(";"), found["name"] or ""
    if (found := _CALL.search(source)) and re.match(r"(?is)\s*(select|with)\b", found["sql"]):
        return found["sql"].strip().rstrip(";"), found["name"]
    return None


def ordered(sql: str) -> bool:
    """Whether a query says in which order its rows come: outside of all parentheses."""
    flat, before = sql, ""
    while flat != before:
        before, flat = flat, re.sub(r"\([^()]*\)|'[^']*'|--[^\n]*", " ", flat)
    return bool(re.search(r"(?i)\border\s+by\b", flat))


def querying(sql: str) -> str:
    """Code for `Kernel.evaluate`: the query's own result, by DuckDB."""
    return in_kernel(inspect.getsource(tabling), f"query({sql!r}, namespace)")


def binding(source: str, names: Sequence[str]) -> str:
    """Code for `Kernel.evaluate`: what a cell binds to these names, in a copy of the namespace."""
    text = f"{inspect.getsource(carrying)}\n\n{inspect.getsource(tabling)}"
    return in_kernel(text, f"bound({executable(source)!r}, {list(names)!r}, namespace, lambda value, budget: Packer(budget).pack(value))")


def told(reply: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The tables in a kernel's reply."""
    tables = reply.get("tables")
    return {n: list(t) for n, t in tables.items() if isinstance(t, (list, tuple)) and t} if isinstance(tables, Mapping) else {}


def same_table(a: Sequence[Any], b: Sequence[Any], *, by_order: bool = True) -> tuple[bool, str]:
    """Whether two tables (or other values) say the same, and the first difference in words."""
    if a[0] != "table" or b[0] != "table":
        return same_value(a[1], b[1]) if a[0] == b[0] else (False, f"was a {a[0]}, is a {b[0]}")
    columns, others = [str(c) for c in a[1]], [str(c) for c in b[1]]
    if columns != others:
        return False, f"columns were {', '.join(columns)}; are {', '.join(others)}"[:200]
    rows, now = list(a[2]), list(b[2])
    if len(rows) != len(now):
        return False, f"had {len(rows)} rows, has {len(now)}"
    if not by_order:
        rows, now = sorted(rows, key=_key), sorted(now, key=_key)
    for i, (x, y) in enumerate(zip(rows, now, strict=True)):
        for j, (p, q) in enumerate(zip(x, y, strict=True)):
            if not _same_cell(p, q):
                return False, f"row {i}, column {columns[j]}: was {p!r}, is {q!r}"[:200]
    return True, ""


def _same_cell(p: Any, q: Any) -> bool:
    numbers = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in (p, q))
    return math.isclose(p, q, rel_tol=DOUBLE, abs_tol=1e-12) if numbers else bool(p == q and type(p) is type(q))


def _key(row: Sequence[Any]) -> list[tuple[str, str]]:
    """An order of rows in which equal numbers lie side by side, however they are written."""
    return [("n", f"{float(v):.9e}") if isinstance(v, (int, float)) and not isinstance(v, bool) else (type(v).__name__, str(v)) for v in row]
