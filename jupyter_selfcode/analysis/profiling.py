"""Profiles data INSIDE the kernel. The text of this module is sent there, so it imports only Python and nothing of this
package; `profiles.profiles_probe` wraps it.

Values stay there: what comes out are shares, deciles of three digits, and short hashes of values that are few. Of long tables
every n-th row is looked at.
"""

import hashlib
import sys
from typing import Any

ROWS = 20_000
COLUMNS = 60
KINDS = 20
"""Rows that are looked at, columns, and different values of a column, at most."""


def _is(value: Any, module: str, name: str) -> bool:
    kind = getattr(sys.modules.get(module), name, None)
    return isinstance(kind, type) and isinstance(value, kind)


def _short(number: Any) -> float:
    return float(f"{float(number):.3g}")


def _hash(value: Any) -> str:
    return hashlib.blake2b(str(value).encode("utf-8", "replace"), digest_size=4).hexdigest()


def _column(name: str, series: Any) -> "list[Any]":
    nulls, known = _short(series.isna().mean()) if len(series) else 0.0, series.dropna()
    dtype, deciles, kinds = str(series.dtype), [], []
    if len(known) and series.dtype.kind not in "mM":
        counts = known.astype(str).value_counts() if series.dtype.kind not in "iufb" else known.value_counts()
        if len(counts) <= KINDS and len(counts) * 3 <= len(known):  # else they are measures or names, not kinds
            kinds = [[_hash(value), _short(count / len(known))] for value, count in counts.items()]
        elif series.dtype.kind in "iuf":
            deciles = [_short(q) for q in known.quantile([i / 10 for i in range(11)])]
    return [name, dtype, nulls, deciles, kinds]


def profile(value: Any) -> "dict[str, Any] | None":
    """The profile of a table, a series or an array of one dimension; None for anything else."""
    pandas: Any = sys.modules.get("pandas")
    if pandas is not None and _is(value, "numpy", "ndarray") and value.ndim == 1 and value.dtype.kind in "iufb":
        value = pandas.Series(value)
    if _is(value, "pandas", "Series"):
        columns = {"": value}
    elif _is(value, "pandas", "DataFrame"):
        columns = {str(name): value.iloc[:, i] for i, name in enumerate(list(value.columns)[:COLUMNS])}
    else:
        return None
    step = max(1, len(value) // ROWS)
    told = [_column(name, column.iloc[::step]) for name, column in columns.items()]
    return {"type": type(value).__name__, "rows": len(value), "columns": told}


def profiles(names: "list[str]", namespace: "dict[str, Any]") -> "dict[str, dict[str, Any]]":
    """The profiles of these names, where they hold data."""
    found = {}
    for name in names:
        try:
            told = profile(namespace[name]) if name in namespace else None
        except Exception:  # data that cannot be measured is not watched
            told = None
        if told is not None:
            found[name] = told
    return {"profiles": found}
