"""Reads calls off the names that are bound when a run is over. The text of this module is sent to the kernel beside `carrying`, so it
imports only Python and nothing of this package; `kept_calls` wraps it. Nothing is called, and nothing is changed."""

import ast
import json
import time
from collections.abc import Callable, Iterable
from typing import Any

CALLS = 12
"""Calls of one function that are read."""

SIZE = 4_000
"""Bytes of what one call took in or gave out."""

SECONDS = 0.05
"""Wall time after which no further call is read."""


def reread(rows: "Iterable[Any]", namespace: "dict[str, Any]", pack: "Callable[[Any, int], Any]") -> "dict[str, Any]":
    """The calls by function, as pairs of what was taken in and given out."""
    end = time.monotonic() + SECONDS
    found: dict[str, dict[str, str]] = {}
    for function, name, by_position, by_name, through in rows:
        calls = found.setdefault(function, {})
        try:
            each = namespace[through] if through else [None]
            gave = namespace[name] if through else [namespace[name]]
            if type(namespace[function]).__name__ != "function" or type(each) not in (list, tuple) or len(each) != len(gave):
                continue
            for item, result in zip(each, gave):  # noqa: B905  (a kernel may have an older Python)
                if len(calls) >= CALLS or time.monotonic() > end:
                    break
                args = [_given(kind, text, item, namespace) for kind, text in by_position]
                kwargs = {n: _given(kind, text, item, namespace) for n, kind, text in by_name}
                calls[json.dumps(pack([args, kwargs], SIZE))] = json.dumps(pack(result, SIZE))
        except Exception:  # what is no small piece of data is not kept
            continue
    return {"calls": {n: [list(c) for c in calls.items()] for n, calls in found.items() if calls}}


def _given(kind: str, text: str, item: Any, namespace: "dict[str, Any]") -> Any:
    return item if kind == "each" else namespace[text] if kind == "name" else ast.literal_eval(text)
