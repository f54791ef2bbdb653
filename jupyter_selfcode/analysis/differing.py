"""Calls two versions of functions with the same inputs. The text of this module is sent to a kernel beside `carrying`, so it imports
only Python and nothing of this package; `extension` wraps it.

Inputs are what was recorded, with the value that it gave then, and what Hypothesis makes of the types: of the annotations, or of
what was recorded. Where the old version raises, it promises nothing. What is given, and what a call has done to its arguments, are
one value here. Nothing is compared but text for text: `extension.behaviours` looks at what is not the same.
"""

import copy
import importlib
import inspect
import json
import time
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any

GENERATED = 100
"""Inputs that are made for one function."""

SENT = 12
"""Calls of one function that are sent back because their texts differ."""

SIZE = 8_000
PLAIN = (int, float, bool, str, bytes, type(None))
HOLDING = (list, tuple, set, frozenset, dict)


def _plain(kind: Any) -> bool:
    """Whether an annotation is made of Python's own plain types."""
    inner = typing.get_args(kind)
    if kind in PLAIN or kind is None:
        return True
    origin = typing.get_origin(kind)
    united = origin is typing.Union or type(kind).__name__ == "UnionType"
    return (united or origin in HOLDING) and bool(inner) and all(a is Ellipsis or _plain(a) for a in inner)


def _kinds(function: Any, recorded: "list[Any]") -> "list[Any] | None":
    """The types of the positional parameters, by annotation or by what was recorded; None where one is not plain."""
    try:
        hints = typing.get_type_hints(function)
        parameters = [
            p for p in inspect.signature(function).parameters.values() if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]
    except Exception:
        return None
    kinds = []
    for i, p in enumerate(parameters):
        kind = hints.get(p.name)
        if kind is None:
            seen = {type(args[i]) for args, _ in recorded if len(args) > i}
            kind = seen.pop() if len(seen) == 1 else None
        if kind is None or not _plain(kind):
            return None
        kinds.append(kind)
    return kinds or None


def _generated(kinds: "list[Any]") -> "list[Any]":
    """Inputs of these types, the same every time; none where Hypothesis is not installed here."""
    try:
        h: Any = importlib.import_module("hypothesis")
    except ImportError:
        return []
    made: list[Any] = []

    def take(args: Any) -> None:
        made.append((list(args), {}))

    once = h.settings(
        max_examples=GENERATED, deadline=None, database=None, derandomize=True, phases=[h.Phase.generate],
        suppress_health_check=list(h.HealthCheck),
    )  # fmt: skip
    once(h.given(h.strategies.tuples(*map(h.strategies.from_type, kinds)))(take))()
    return made


class Caller:
    """Calls functions and tells what came of it, as text."""

    def __init__(self, pack: "Callable[[Any, int], Any]") -> None:
        self._pack = pack

    def tell(self, function: Any, args: Any, kwargs: Any) -> "tuple[str, str]":
        """`value` and what was given (with the arguments as they were left), or `raised` or `other` and the reason."""
        args, kwargs = copy.deepcopy(args), copy.deepcopy(kwargs)
        try:
            given = function(*args, **kwargs)
        except Exception as e:
            return "raised", type(e).__name__
        try:
            return "value", json.dumps(self._pack([given, args, kwargs], SIZE))
        except Exception as e:
            return "other", str(e)[:80]


def differ(
    sources: "tuple[str, str]", names: "Iterable[str]", calls: "Mapping[str, list[list[str]]]", seconds: float, namespace: "dict[str, Any]",
    pack: "Callable[[Any, int], Any]", unpack: "Callable[[Any], Any]",
) -> "dict[str, Any]":
    """By function: how many recorded and generated inputs were tried, and the calls whose texts differ."""
    versions = []
    for source in sources:
        own = dict(namespace)
        try:
            exec(compile(source, "<functions>", "exec", dont_inherit=True), own)
        except Exception as e:
            return {"failed": f"{type(e).__name__}: {e}"[:160]}
        versions.append(own)
    caller, end, rows = Caller(pack), time.monotonic() + seconds, []
    for name in names:
        old, new = versions[0][name], versions[1][name]
        recorded, counts, differing = [], [0, 0], []
        for took, gave in calls.get(name, ()):
            try:
                args, kwargs = unpack(json.loads(took))
                before = json.loads(gave)
            except Exception:
                continue
            recorded.append((args, kwargs))
            how, now = caller.tell(new, args, kwargs)
            counts[0] += 1
            if how == "value":
                now = json.dumps(json.loads(now)[1][0])
            if how != "value" or now != json.dumps(before):
                differing.append(["recorded", took, "value", json.dumps(before), how, now])
        kinds = _kinds(old, recorded)
        for args, kwargs in _generated(kinds) if kinds else ():
            if time.monotonic() > end:
                break
            was, before_text = caller.tell(old, args, kwargs)
            if was != "value":
                continue
            counts[1] += 1
            how, now = caller.tell(new, args, kwargs)
            if how != "value" or now != before_text:
                differing.append(["generated", json.dumps(pack([args, kwargs], SIZE)), was, before_text, how, now])
        rows.append([name, counts, differing[:SENT], len(differing)])
    return {"functions": rows}
