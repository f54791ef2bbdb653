"""Describes variables INSIDE the kernel. The text of this module is sent there, so it imports only Python and nothing
of this package; `variables.PROBE` wraps it.

No `repr` is called and no value is read: objects may be large, slow, hostile or private. Libraries are asked for only
where the user has imported them.
"""

import inspect
import sys
import types
from collections.abc import Mapping
from typing import Any

NAMES = 60
"""Variables that are told, at most: the newest ones."""

WIDTH = 400
"""Characters of one summary, at most."""

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
        keys = [key for key in list(value)[:20] if type(key) is str]
        return f"length {len(value)}" + (", keys " + ", ".join(keys) if keys else "")
    if type(value) in (list, tuple, set, frozenset, str, bytes, bytearray):
        held = sorted({type(item).__name__ for item in list(value)[:50]}) if type(value) in (list, tuple) else []
        return f"length {len(value)}" + (" of " + ", ".join(held) if held else "")
    return ""


def survey(namespace: "Mapping[str, Any]") -> "dict[str, list[list[str]]]":
    """Name, type and summary of the user's variables, newest last."""
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
        rows.append([name, str(told)[:WIDTH], said[:WIDTH]])
    return {"variables": rows[-NAMES:]}


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
