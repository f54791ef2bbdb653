"""Notes what is true of variables, for checks that may be suggested. The text of this module is sent to the kernel, so it
imports only Python and nothing of this package; `promising` reads what it says.

Facts are plain JSON: limits and sums as numbers, labels as text. Large values are looked at whole, since a fact about a part
of them is no fact; what takes no columns, numbers or items is passed over.
"""

import math
import sys
from typing import Any

COLUMNS = 40
"""Columns of one frame that are looked at."""
ITEMS = 6
"""Items of a small container that are told as they are."""
TEXT = 60
"""Characters of a text that is told as it is."""


def _number(value: Any) -> "float | int | None":
    try:
        number = value.item() if hasattr(value, "item") else value
    except Exception:
        return None
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        return None
    return number if isinstance(number, int) or math.isfinite(number) else None


def _label(value: Any) -> "str | int | None":
    value = value.item() if hasattr(value, "item") else value
    return value if isinstance(value, (str, int)) and not isinstance(value, bool) else None


def _series(pd: Any, values: Any) -> "dict[str, Any]":
    dtype = values.dtype
    found: dict[str, Any] = {"dtype": str(dtype), "missing": int(values.isna().sum()), "rows": len(values)}
    found["unique"] = bool(values.is_unique)
    if pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype):
        found["numeric"] = True
        found["whole"] = bool(pd.api.types.is_integer_dtype(dtype))
        for name in ("min", "max", "sum"):
            found[name] = _number(getattr(values, name)()) if len(values) else None
    found["distinct"] = int(values.nunique())
    if found["distinct"] > 1 and not pd.api.types.is_bool_dtype(dtype):
        found["up"], found["down"] = bool(values.is_monotonic_increasing), bool(values.is_monotonic_decreasing)
    return found


def _frame(pd: Any, value: Any) -> "dict[str, Any]":
    labels = list(value.columns)
    if len(labels) > COLUMNS or not all(isinstance(label, str) for label in labels) or len(set(labels)) < len(labels):
        return {"kind": "frame", "rows": len(value), "columns": [], "wide": True}
    columns = []
    for label in labels:
        try:
            columns.append([label, _series(pd, value[label])])
        except Exception:  # what cannot be hashed or compared
            columns.append([label, {"dtype": str(value[label].dtype)}])
    return {"kind": "frame", "rows": len(value), "columns": columns, "index": _index(pd, value.index)}


def _index(pd: Any, index: Any) -> "dict[str, Any]":
    if isinstance(index, (pd.RangeIndex, pd.MultiIndex)):
        return {}
    found: dict[str, Any] = {"name": _label(index.name), "unique": bool(index.is_unique), "date": isinstance(index, pd.DatetimeIndex)}
    found["up"] = bool(index.is_monotonic_increasing) and len(index) > 1
    found["labels"] = [_label(v) for v in index[:ITEMS]] if len(index) <= ITEMS else []
    return found


def _one(value: Any) -> "dict[str, Any] | None":
    np, pd = sys.modules.get("numpy"), sys.modules.get("pandas")
    if pd is not None and type(value) is pd.DataFrame:
        return _frame(pd, value)
    if pd is not None and type(value) is pd.Series:
        return {"kind": "series", **_series(pd, value), "index": _index(pd, value.index)}
    if np is not None and type(value) is np.ndarray:
        found: dict[str, Any] = {"kind": "array", "shape": list(value.shape), "numeric": value.dtype.kind in "iuf"}
        if found["numeric"] and value.size:
            found |= {"finite": bool(np.isfinite(value).all()), "whole": value.dtype.kind in "iu"}
            found |= {name: _number(getattr(value, name)()) for name in ("min", "max", "sum")}
        return found
    if isinstance(value, bool) or value is None:
        return None
    if (number := _number(value)) is not None:
        return {"kind": "number", "value": number}
    if type(value) is str and len(value) <= TEXT and value.isprintable():
        return {"kind": "text", "value": value}
    if type(value) in (list, tuple, set, dict):
        small = list(value) if len(value) <= ITEMS else []
        plain = all(type(v) in (int, str) and len(str(v)) <= TEXT for v in small)
        return {"kind": type(value).__name__, "length": len(value), "items": small if plain and small else None}
    return None


def notice(names: "list[str]", namespace: "dict[str, Any]") -> "dict[str, Any]":
    """By name, what is true of it; what is not there or cannot be told is left out."""
    found = {}
    for name in names:
        try:
            facts = _one(namespace[name])
        except Exception:
            facts = None
        if facts is not None:
            found[name] = facts
    return {"facts": found}

