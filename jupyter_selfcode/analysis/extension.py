"""Whether a repaired function still gives what it gave: old(x) = v ⇒ new(x) = v, on recorded and generated inputs.

A repair is to be a conservative extension: where the old code gave a value the new one gives it too, and only where the old one
failed may it do otherwise (Godlin and Strichman, Regression Verification, DAC 2009, call the two partially equivalent). Asked of
functions at the top of a cell that change nothing and read no files, network or random numbers, as far as their code tells.
"""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Mapping, Sequence
from typing import Any

from ..values.behaviour import Behaviour
from . import carrying, differing, recording
from .contract import executable, in_kernel
from .effects import effects_of
from .likeness import same_value
from .magics import parse

_PACK = "lambda value, budget: Packer(budget).pack(value)"
Calls = Mapping[str, Sequence[Sequence[str]]]
"""By function, pairs of what was taken in and given out, each as text."""


def pure_functions(source: str) -> Mapping[str, ast.FunctionDef]:
    """The functions at the top of a cell that can be called again and again without a trace."""
    tree = parse(executable(source))
    found = {}
    for node in tree.body if tree else ():
        if isinstance(node, ast.FunctionDef) and not node.decorator_list and not node.name.startswith("_"):
            effects = effects_of(ast.unparse(node))
            carried = effects.carries.get(node.name, frozenset()) | effects.does.get(node.name, frozenset())
            yields = any(isinstance(n, (ast.Yield, ast.YieldFrom)) for n in ast.walk(node))
            if not (effects.unknown or yields or effects.does.get(node.name) or any(n.startswith("@") for n in carried)):
                found[node.name] = node
    return found


def changed_functions(before: str, after: str) -> tuple[tuple[str, ...], bool]:
    """The pure functions of a cell whose code a change made another, and whether nothing else of the cell was changed."""
    old, new = pure_functions(before), pure_functions(after)
    names = tuple(n for n in old if n in new and ast.dump(old[n]) != ast.dump(new[n]))
    return names, bool(names) and _rest(before, names) == _rest(after, names)


def _rest(source: str, names: Sequence[str]) -> list[str]:
    tree = parse(executable(source))
    kept = [s for s in (tree.body if tree else ()) if not (isinstance(s, ast.FunctionDef) and s.name in names)]
    return [ast.dump(s) for s in kept]


def definitions(source: str) -> str:
    """The functions of a cell, as code by itself: what they need of each other is there, the rest is in the namespace."""
    tree = parse(executable(source))
    wanted = (ast.FunctionDef, ast.Import, ast.ImportFrom, ast.ClassDef)
    return "\n".join(ast.unparse(s) for s in (tree.body if tree else ()) if isinstance(s, wanted))


# ---- in the kernel ---------------------------------------------------------------------------------------------------


def begin(names: Sequence[str]) -> str:
    """Code for `Kernel.evaluate`: record these functions from now on."""
    text = f"{inspect.getsource(carrying)}\n\n{inspect.getsource(recording)}"
    return in_kernel(text, f"install({list(names)!r}, namespace, {_PACK})")


COLLECT = in_kernel(inspect.getsource(recording), "collect(namespace)")
"""Code for `Kernel.evaluate`: what was recorded; its reply is for `read_calls`."""


def read_calls(reply: Mapping[str, Any]) -> dict[str, list[list[str]]]:
    """The calls in a kernel's reply; what has not the agreed form is left out."""
    calls = reply.get("calls")
    found: dict[str, list[list[str]]] = {}
    for name, rows in calls.items() if isinstance(calls, Mapping) else ():
        if isinstance(name, str) and isinstance(rows, (list, tuple)):
            pairs = [[str(a) for a in row] for row in rows[: recording.CALLS] if isinstance(row, (list, tuple)) and len(row) == 2]
            found[name] = [p for p in pairs if max(map(len, p)) <= 4 * recording.SIZE]
    return found


def trying(before: str, after: str, names: Sequence[str], calls: Calls, seconds: float) -> str:
    """Code for `Kernel.evaluate`: both versions of these functions on the same inputs; its reply is for `behaviours`."""
    sources = definitions(before), definitions(after)
    known = {n: [list(p) for p in calls.get(n, ())] for n in names}
    text = f"{inspect.getsource(carrying)}\n\n{inspect.getsource(differing)}"
    return in_kernel(text, f"differ({sources!r}, {list(names)!r}, {known!r}, {seconds!r}, namespace, {_PACK}, unpack)")


def behaviours(cell_id: str, reply: Mapping[str, Any], whole: bool) -> tuple[Behaviour, ...]:
    """What came of each function; values are compared by meaning here."""
    rows = reply.get("functions")
    found = []
    for row in rows if isinstance(rows, (list, tuple)) else ():
        try:
            name, (recorded, generated), calls, _ = row
            wrong = [c for c in calls if not _same(c)]
            first = next((c for c in wrong if c[0] == "recorded"), wrong[0] if wrong else None)
            found.append(
                Behaviour(str(name), cell_id, int(recorded), int(generated), _told(str(name), first) if first else "", bool(first and first[0] == "recorded"), whole)
            )
        except (TypeError, ValueError, IndexError):
            continue
    return tuple(found)


def _same(call: Sequence[Any]) -> bool:
    _, _, was, before, how, now = call
    return bool(was == how == "value" and same_value(json.loads(before), json.loads(now))[0])


def _told(name: str, call: Sequence[Any]) -> str:
    source, took, _, before, how, now = call
    args, kwargs = json.loads(took)[1]
    given = [_plain(a) for a in args[1]] + [f"{_plain(k)}={_plain(v)}" for k, v in kwargs[1]]
    was, does = _outcome(source, before), f"raises {now}"
    if how != "raised":
        does = f"gives {_outcome(source, now)}" if how == "value" else f"gives what cannot be compared ({now})"
    return f"{name}({_cut(', '.join(given))}) gave {was}, now it {does} ({source} input)"


def _outcome(source: str, text: str) -> str:
    """What was given; of a generated input the arguments as they were left come with it."""
    value = json.loads(text)
    return _cut(_plain(value[1][0] if source == "generated" else value))


def _plain(value: Any) -> str:
    """Packed data as people read it: Python's own kinds as they are written, of others the kind."""
    if not isinstance(value, list) or not value:
        return repr(value)
    kind, *parts = value
    if kind in ("list", "tuple", "set", "frozenset"):
        ends = {"list": "[]", "tuple": "()"}.get(kind, "{}")
        return ends[0] + ", ".join(map(_plain, parts[0])) + ends[1]
    if kind == "dict":
        return "{" + ", ".join(f"{_plain(k)}: {_plain(v)}" for k, v in parts[0]) + "}"
    return str(parts[0]) if kind in ("float", "int", "Decimal", "complex") else f"<{kind}>"


def _cut(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 80 else text[:79] + "…"
