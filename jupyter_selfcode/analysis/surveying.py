"""Describes variables INSIDE the kernel. The text of this module is sent there, so it imports only Python and nothing
of this package; `variables.PROBE` wraps it.

No `repr` is called: objects may be large, slow or hostile. Values are read only of tables and arrays of pandas and NumPy
of moderate size, for counts, rounded limits and the first rows; what of these may leave the machine is decided
outside. Libraries are asked for only where the user has imported them.
"""

import datetime
import inspect
import numbers
import sys
import types
from collections.abc import Mapping
from typing import Any

NAMES = 60
"""Variables that are told, at most: the newest ones."""

WIDTH = 400
"""Characters of one summary, at most."""

MEASURED = 5_000_000
"""Values of a table or an array up to which its nulls are counted and its limits found."""

ROWS = 5
COLUMNS = 20
CELL = 40
"""Rows, columns and characters of a value that are told of a table, at most."""

HIDDEN = {"In", "Out", "exit", "quit", "get_ipython", "open", "namespace", "reply"}


def _is(value: Any, module: str, name: str) -> bool:
    """Whether it is an instance of `module.name`, without importing the module."""
    loaded = sys.modules.get(module)
    kind = getattr(loaded, name, None)
    return isinstance(kind, type) and isinstance(value, kind)


def _frame(value: Any) -> str:
    names = [f"{column}: {dtype}" for column, dtype in zip(list(value.columns)[:80], list(value.dtypes)[:80])]  # noqa: B905
    rows, columns = value.shape
    return f"{rows} rows × {columns} columns; " + ", ".join(names)


def summary(value: Any) -> str:
    """One line: a shape, a schema, a length, a signature. Empty where nothing of this kind is known."""
    if isinstance(value, types.ModuleType):
        version = value.__dict__.get("__version__", "")
        return f"module {value.__name__}" + (f" {version}" if isinstance(version, str) and version else "")
    if _is(value, "pandas", "DataFrame") or _is(value, "polars", "DataFrame"):
        return _frame(value)
    if _is(value, "pandas", "Series") or _is(value, "pandas", "Index"):
        return f"length {len(value)}, dtype {value.dtype}, name {value.name if isinstance(value.name, str) else ''}"
    if _is(value, "numpy", "ndarray"):
        return f"shape {tuple(value.shape)}, dtype {value.dtype}"
    if _is(value, "torch", "Tensor"):
        return f"shape {tuple(value.shape)}, dtype {value.dtype}"
    if isinstance(value, type):
        return (
            "class of " + ", ".join(base.__name__ for base in value.__mro__[1:-1]) if value.__mro__[1:-1] else "class"
        )
    if isinstance(value, (types.FunctionType, types.BuiltinFunctionType)):
        names = list(inspect.signature(value).parameters.values())
        return "(" + ", ".join(str(p.replace(default=p.empty, annotation=p.empty)) for p in names) + ")"
    if type(value) is dict:
        return f"length {len(value)}"
    if type(value) in (list, tuple, set, frozenset, str, bytes, bytearray):
        held = sorted({type(item).__name__ for item in list(value)[:50]}) if type(value) in (list, tuple) else []
        return f"length {len(value)}" + (" of " + ", ".join(held) if held else "")
    return ""


def _rounded(value: Any) -> str:
    """A limit without its exact value: two digits of a number, the month of a date. Empty for anything else."""
    if isinstance(value, (bool, str, bytes)):
        return ""
    if isinstance(value, datetime.date):
        return f"{value.year:04d}-{value.month:02d}"
    if isinstance(value, numbers.Real):
        return f"{float(value):.2g}"
    return ""


def _measure(nulls: Any, low: Any, high: Any) -> str:
    limits = (_rounded(low), _rounded(high))
    told = [f"{int(nulls)} null"] if int(nulls) else []
    if all(limits) and "nan" not in limits:
        told.append(" … ".join(limits))
    return ", ".join(told)


def _column(series: Any) -> str:
    ordered = series.dtype.kind in "iufM"
    return _measure(series.isna().sum(), series.min() if ordered else None, series.max() if ordered else None)


def statistics(value: Any) -> str:
    """Null counts and rounded limits of the columns of a table, of a series or of an array; the keys of a dictionary, which
    may be data; empty for anything else."""
    if _is(value, "pandas", "DataFrame"):
        columns = {str(name): value.iloc[:, i] for i, name in enumerate(list(value.columns)[:80])}
    elif _is(value, "pandas", "Series"):
        return _column(value) if len(value) <= MEASURED else ""
    elif type(value) is dict:
        keys = [key for key in list(value)[:20] if type(key) is str]
        return "keys " + ", ".join(keys) if keys else ""
    elif _is(value, "numpy", "ndarray"):
        if value.dtype.kind not in "iuf" or not 0 < value.size <= MEASURED:
            return ""
        nulls = int((value != value).sum())
        return _measure(nulls, None, None) if nulls else _measure(0, value.min(), value.max())
    else:
        return ""
    if value.shape[0] * value.shape[1] > MEASURED:
        return ""
    told = {name: _column(column) for name, column in columns.items()}
    return "; ".join(f"{name}: {said}" for name, said in told.items() if said)


def _shown(value: Any) -> str:
    """A value of a table as text; of an object of a class that is not Python's or NumPy's own, its type's name."""
    plain = type(value).__module__ in ("builtins", "datetime", "decimal", "numpy")
    if plain or _is(value, "pandas", "Timestamp") or _is(value, "pandas", "Timedelta"):
        if type(value) in (list, tuple, dict, set, frozenset, bytes, bytearray):
            return type(value).__name__
        return str(value)[:CELL]
    return type(value).__name__


def first_rows(value: Any) -> "list[list[str]]":
    """The column names of a table and its first rows; empty for anything else."""
    if not _is(value, "pandas", "DataFrame"):
        return []
    part = value.iloc[:ROWS, :COLUMNS]
    rows = [[part.iat[i, j] for j in range(part.shape[1])] for i in range(part.shape[0])]
    names = [name if isinstance(name, str) else _shown(name) for name in list(part.columns)]
    return [[name[:CELL] for name in names], *([_shown(item) for item in row] for row in rows)]


def survey(namespace: "Mapping[str, Any]") -> "dict[str, list[list[Any]]]":
    """Name, type, summary, statistics and first rows of the user's variables, newest last."""
    rows = []
    for name, value in list(namespace.items()):
        if not isinstance(name, str) or name.startswith("_") or name in HIDDEN:
            continue
        try:
            kind = type(value)
            told = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
            said = summary(value)
        except Exception:
            told, said = type.__getattribute__(type(value), "__name__"), ""
        rows.append((name, value, str(told)[:WIDTH], said[:WIDTH]))
    return {"variables": [[name, told, said, *_data(value)] for name, value, told, said in rows[-NAMES:]]}


def _data(value: Any) -> "tuple[str, list[list[str]]]":
    try:
        return statistics(value)[:WIDTH], first_rows(value)
    except Exception:  # a table that cannot be measured is told by its schema alone
        return "", []


def _changes_when_read(value: Any, deep: bool = True) -> bool:
    kind = type(value)
    if hasattr(kind, "__next__"):
        return True
    if kind in (list, tuple, dict) and deep:
        held = list(value.values() if kind is dict else value)[:50]
        return any(_changes_when_read(item, False) for item in held)
    return kind.__module__ == "__main__" and not isinstance(value, (type, types.FunctionType))


def unsteady(namespace: "Mapping[str, Any]") -> "dict[str, list[str]]":
    """Names of the user's variables that reading may change: iterators, which are used up, and instances of the notebook's
    own classes, whose properties may do anything. `@plt` where a figure is open, so that what is drawn next goes on it."""
    names = []
    for name, value in list(namespace.items()):
        if not isinstance(name, str) or name.startswith("_") or name in HIDDEN:
            continue
        try:
            found = _changes_when_read(value)
        except Exception:  # a class that answers nothing may do anything
            found = True
        if found:
            names.append(name)
    drawn = sys.modules.get("matplotlib._pylab_helpers")
    if drawn is not None and getattr(getattr(drawn, "Gcf", None), "figs", None):
        names.append("@plt")
    return {"unsteady": names}
