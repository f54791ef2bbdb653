"""Runs a query or a cell and tells the tables that come of it in one form, whichever library made them. The text of this module is
sent to a kernel beside `carrying`, so it imports only Python and nothing of this package; `tables` wraps it.
"""

import contextlib
import importlib
import io
import math
import sys
from collections.abc import Callable, Iterable
from typing import Any

CELLS = 40_000
"""Cells of a table that are told; a larger one is not."""


def _frames(namespace: "dict[str, Any]") -> "dict[str, Any]":
    """The tables of a namespace, by name."""
    kinds = [getattr(sys.modules.get(m), "DataFrame", None) for m in ("pandas", "polars")]
    return {n: v for n, v in namespace.items() if not n.startswith("_") and any(k is not None and type(v) is k for k in kinds)}


def _cell(value: Any) -> Any:
    """One value as Python's own; None where it is missing."""
    if hasattr(value, "item") and not isinstance(value, (str, bytes)):
        value = value.item()
    if value is None or type(value).__name__ in ("NaTType", "NAType"):
        return None
    if isinstance(value, float):
        return None if math.isnan(value) else value if math.isfinite(value) else str(value)
    if isinstance(value, (bool, int, str)):
        return value
    if type(value).__name__ == "Decimal":
        return float(value)
    if hasattr(value, "isoformat"):
        return value.isoformat().removesuffix("T00:00:00")
    return str(value)


def table(value: Any) -> "list[Any] | None":
    """`["table", columns, rows]`; None for what is no table or is too large."""
    home, kind = type(value).__module__.partition(".")[0], type(value).__name__
    if home == "pandas" and kind == "Series":
        value = value.to_frame(str(value.name))
    elif home == "polars" and kind == "LazyFrame":
        value = value.collect()
    elif home == "polars" and kind == "Series":
        value = value.to_frame()
    if type(value).__name__ != "DataFrame" or home not in ("pandas", "polars") or value.shape[0] * max(1, value.shape[1]) > CELLS:
        return None
    rows = value.rows() if home == "polars" else value.itertuples(index=False, name=None)
    return ["table", [str(c) for c in value.columns], [[_cell(v) for v in row] for row in rows]]


def query(sql: str, namespace: "dict[str, Any]") -> "dict[str, Any]":
    """What DuckDB makes of a query over the tables of the namespace."""
    try:
        duckdb: Any = importlib.import_module("duckdb")
    except ImportError:
        return {"missing": "duckdb"}
    connection = duckdb.connect(":memory:")
    try:
        for name, frame in _frames(namespace).items():
            connection.register(name, frame)
        found = connection.execute(sql)
        columns = [str(d[0]) for d in found.description or ()]
        rows = found.fetchmany(CELLS)
        if len(rows) * max(1, len(columns)) > CELLS:
            return {"failed": "its result is too large to be compared"}
        return {"tables": {"": ["table", columns, [[_cell(v) for v in row] for row in rows]]}}
    except Exception as e:
        return {"failed": f"{type(e).__name__}: {e}"[:200]}
    finally:
        connection.close()


def bound(source: str, names: "Iterable[str]", namespace: "dict[str, Any]", pack: "Callable[[Any, int], Any]") -> "dict[str, Any]":
    """What a cell binds to these names, in a copy of the namespace: tables in the one form, other small data packed."""
    own = dict(namespace)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            exec(compile(source, "<cell>", "exec", dont_inherit=True), own)
    except ImportError as e:
        return {"missing": e.name or str(e)}
    except Exception as e:
        return {"failed": f"{type(e).__name__}: {e}"[:200]}
    found = {}
    for name in names:
        value = table(own.get(name))
        if value is None and name in own:
            try:
                value = ["packed", pack(own[name], 60_000)]
            except Exception:
                continue
        if value is not None:
            found[name] = value
    return {"tables": found}
