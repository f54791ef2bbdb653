"""Records what functions take in and give out while a notebook runs in a trial kernel. The text of this module is sent there beside
`carrying`, so it imports only Python and nothing of this package; `extension` wraps it.

A function is put behind one that looks exactly like it, until `collect` takes that away. Kept are the first different calls of
each that are small and can be written down as data; what raises is not kept.
"""

import functools
import json
from collections.abc import Callable, Iterable
from typing import Any

CALLS = 12
"""Calls of one function that are kept."""

SIZE = 4_000
"""Bytes of what one call took in or gave out."""


def install(names: "Iterable[str]", namespace: "dict[str, Any]", pack: "Callable[[Any, int], Any]") -> "dict[str, list[str]]":
    """Begin to record these functions."""
    put = []
    for name in names:
        function = namespace.get(name)
        if type(function).__name__ == "function" and not hasattr(function, "_selfcode_calls"):
            namespace[name] = _recording(function, pack)
            put.append(name)
    return {"recording": put}


def _recording(function: Any, pack: "Callable[[Any, int], Any]") -> Any:
    calls: dict[str, str] = {}

    def text(value: Any) -> "str | None":
        try:
            return json.dumps(pack(value, SIZE))
        except Exception:  # what is no small piece of data is not kept
            return None

    @functools.wraps(function)
    def recorded(*args: Any, **kwargs: Any) -> Any:
        if len(calls) >= CALLS:
            return function(*args, **kwargs)
        took = text([list(args), kwargs])
        given = function(*args, **kwargs)
        if took is not None and took not in calls and (gave := text(given)) is not None:
            calls[took] = gave
        return given

    recorded._selfcode_calls = calls  # type: ignore[attr-defined]
    return recorded


def collect(namespace: "dict[str, Any]") -> "dict[str, Any]":
    """The calls by function, as pairs of what was taken in and given out; every function is itself again."""
    found = {}
    for name, value in list(namespace.items()):
        calls = getattr(value, "_selfcode_calls", None) if type(value).__name__ == "function" else None
        if calls is not None:
            found[name] = [[took, gave] for took, gave in calls.items()]
            namespace[name] = value.__wrapped__
    return {"calls": found}
