"""The code that times two versions of a cell in a kernel, and the reading of what came of it."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..values.behaviour import Pace
from ..values.notebook import Notebook
from ..values.trial import Trial
from . import carrying, outlining, pacing
from .alike import bound
from .contract import executable, in_kernel
from .effects import effects_of
from .interval import FEWEST, ratio_interval
from .magics import mask, parse_masked

ROOM = 220_000
"""Characters of what is told after one version: both are in one answer."""

LARGEST = 400_000_000
"""Bytes of a value that is still gone through: here it is what the change is about."""

LEAST = 2_000_000
"""Bytes below which a smaller peak is nobody's gain."""


_GOING = (ast.For, ast.While, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Lambda)


def unfit(source: str) -> str:
    """Why a cell cannot be timed apart from its notebook; empty where it can."""
    masked = mask(executable(source))
    if masked.opaque or masked.magics:
        return "it holds magics, which cannot be timed by themselves"
    effects = effects_of(source)
    if "@net" in effects.reads | effects.changes:
        return "it uses the network, whose time is not the cell's"
    return ""


def loops(source: str) -> bool:
    """Whether a cell goes through something itself, or hands a function on to be called for each."""
    tree = parse_masked(mask(executable(source)))
    return tree is not None and any(isinstance(n, _GOING) for n in ast.walk(tree))


def timing(before: Notebook, after: Notebook, cell_id: str, names: Sequence[str], seconds: float) -> str:
    """Code for `Kernel.evaluate`, in a kernel that has run the cells above: both versions in turn, for about this long."""
    sources = tuple(executable(n.cell(cell_id).source) for n in (before, after))
    changes = sorted(_changed(before, cell_id) | _changed(after, cell_id))
    text = "\n\n".join(map(inspect.getsource, (carrying, outlining, pacing)))
    tell = f"lambda: observe({list(names)!r}, namespace, lambda value, budget: Packer(budget).pack(value), Refused, {ROOM}, {LARGEST})"
    return in_kernel(text, f"compare({sources!r}, {changes!r}, {seconds!r}, {FEWEST}, namespace, {tell})")


def _changed(notebook: Notebook, cell_id: str) -> frozenset[str]:
    """Names whose objects a run of the cell may change, itself or by the functions that it calls."""
    own = effects_of(notebook.cell(cell_id).source)
    does: dict[str, frozenset[str]] = {}
    for cell in notebook.up_to(cell_id).code_cells:
        does |= effects_of(cell.source).does
    found, left = set(own.mutates), [*own.invokes, *own.reads]
    while left:
        for name in does.pop(left.pop(), frozenset()):
            found.add(name)
            left.append(name)
    return frozenset(n for n in found | own.reads & own.writes if not n.startswith("@"))


def both_bind(before: Notebook, after: Notebook, cell_id: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names that both versions bind or may change, and names that only the old one binds."""
    old, new = bound(before, cell_id), set(bound(after, cell_id))
    return tuple(n for n in old if n in new), tuple(n for n in old if n not in new)


def read_paces(reply: Mapping[str, Any]) -> tuple[Pace, ...]:
    """Time and, where enough of it was measured, peak memory. Empty where the kernel sent no such measurements."""
    found = []
    for of, scale in (("time", 1.0), ("memory", 1.0)):
        sides = reply.get("times" if of == "time" else "memory")
        pairs = _pairs(sides)
        if pairs is None:
            continue
        before, after = pairs
        try:
            ratio, low, high = ratio_interval(before, after)
        except ValueError:
            continue
        middle = [sorted(side)[len(side) // 2] * scale for side in (before, after)]
        found.append(Pace(of, middle[0], middle[1], ratio, low, high, len(before)))  # type: ignore[arg-type]
    return tuple(found)


def _pairs(sides: Any) -> tuple[list[float], list[float]] | None:
    if not isinstance(sides, (list, tuple)) or len(sides) != 2:
        return None
    a, b = (_numbers(side) for side in sides)
    return (a, b) if a and len(a) == len(b) else None


def _numbers(items: Any) -> list[float]:
    items = items if isinstance(items, (list, tuple)) else ()
    return [float(n) for n in items if isinstance(n, (int, float)) and not isinstance(n, bool)]


def better(paces: Iterable[Pace]) -> Pace | None:
    """What the change makes better, and no other measurement worse: time, else peak memory (None: nothing)."""
    by = {p.of: p for p in paces}
    time, memory = by.get("time"), by.get("memory")
    if time is not None and time.better:
        return time
    smaller = memory is not None and memory.better and memory.before - memory.after >= LEAST
    return memory if smaller and time is not None and not time.worse else None


# ---- in words ----------------------------------------------------------------------------------------------------


def paced(trial: Trial) -> list[str]:
    """What was measured, in words to print with the level."""
    gain = better(trial.pace)
    said = list[str]()
    for p in trial.pace:
        if p.of == "memory" and max(p.before, p.after) < LEAST:
            continue
        unit = f"{_seconds(p.before)} to {_seconds(p.after)}" if p.of == "time" else f"{p.before / 2**20:,.1f} to {p.after / 2**20:,.1f} MiB at its peak"
        word = ("faster" if p.of == "time" else "smaller") if p is gain else p.of
        said.append(f"{p.said} {word}, {unit}, {p.pairs} pairs of runs in turn from copies of one state")
    own = [v for v in trial.alike if v.cell_id in trial.candidate.patch.cells]
    equal = [v for v in own if v.equal]
    close = sorted({v.said for v in own if v.verdict == "close" and v.said})
    forgiven = f" ({'; '.join(close)})" if close else ""
    said.append(f"{len(equal)} of {len(own)} names that the cell binds are equal from the same state{forgiven}; other data were not tried")
    return said


def _seconds(value: float) -> str:
    return f"{value * 1000:.3g} ms" if value < 1 else f"{value:.3g} s"


def gain_of(trial: Trial) -> str:
    """The gain in one line: `3.1× (95 % interval 2.9 to 3.4) faster`; empty where there is none."""
    gain = better(trial.pace)
    return f"{gain.said} {'faster' if gain.of == 'time' else 'smaller'}" if gain else ""
