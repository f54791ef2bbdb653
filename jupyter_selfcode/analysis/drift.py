"""Whether data is still what it was when the notebook last ran well: its schema, its size, its distribution.

The distribution is compared by the population stability index over ten equal shares, of which practice says that more than
0.25 is a large shift. Of few rows it is large by chance: it is about chi-square times (1/n + 1/m) (Yurdakul, Statistical
Properties of the Population Stability Index, 2018), so the limit grows where there are few.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..values.notebook import Notebook
from ..values.record import Column, Profile
from . import profiling
from .contract import in_kernel
from .effects import effects_of
from .personal import personal
from .profiling import COLUMNS, KINDS

LARGE = 0.25
NORMAL = 3.09
"""Of the normal distribution, one in a thousand."""
MORE_NULLS = 0.1
FEWER, MORE = 0.1, 10.0
"""Of the rows that there were."""
SLOWER, SECONDS = 3.0, 5.0
"""How many times slower, and how many seconds, a cell must have become to be told."""
NAMES = 40
WIDTH = 80


# ---- reading -------------------------------------------------------------------------------------------------------


def taken_in(notebook: Notebook, cells: Iterable[str] | None = None) -> tuple[str, ...]:
    """The names that these cells (None: all) take in."""
    chosen = [c for c in notebook.cells if c.runs and (cells is None or c.id in set(cells))]
    found = {name for c in chosen for name in effects_of(c.source).reads if not name.startswith("@")}
    return tuple(sorted(found)[:NAMES])


def profiles_probe(names: Sequence[str]) -> str:
    """Code for `Kernel.evaluate`; its reply is for `read_profiles`."""
    return in_kernel(inspect.getsource(profiling), f"profiles({list(names)!r}, namespace)")


def read_profiles(reply: Mapping[str, Any], hidden: Sequence[str] = ()) -> dict[str, Profile]:
    """The profiles in a reply; what has not the agreed form is left out. Of columns about people, and of those named in
    `hidden`, no value is kept in any form."""
    told = reply.get("profiles")
    found = {}
    for name, held in list(told.items())[:NAMES] if isinstance(told, Mapping) else ():
        try:
            columns = tuple(_read(row, hidden) for row in held["columns"][:COLUMNS])
            found[str(name)[:WIDTH]] = Profile(str(held["type"])[:WIDTH], int(held["rows"]), columns)
        except (KeyError, TypeError, ValueError):
            continue
    return found


def _read(row: Sequence[Any], hidden: Sequence[str]) -> Column:
    name, dtype, nulls, deciles, kinds = row
    column = Column(str(name)[:WIDTH], str(dtype)[:WIDTH], float(nulls))
    if personal(column.name) or column.name in hidden:
        return column
    numbers = tuple(float(d) for d in deciles[:11])
    shares = tuple((str(kind)[:16], float(share)) for kind, share in kinds[:KINDS])
    return Column(column.name, column.dtype, column.nulls, numbers if all(map(math.isfinite, numbers)) else (), shares)


# ---- comparing -----------------------------------------------------------------------------------------------------


def drifted(was: Mapping[str, Profile], now: Mapping[str, Profile]) -> tuple[str, ...]:
    """A line for each thing that is no longer as it was, the schema first."""
    schema, rest = list[str](), list[str]()
    for name in sorted(was.keys() & now.keys()):
        old, new = was[name], now[name]
        if old.type != new.type:
            schema.append(f"{name} was a {old.type} and is a {new.type}.")
            continue
        schema += _schema(name, old, new)
        rest += _values(name, old, new)
    return (*schema, *rest)


def _by_name(profile: Profile) -> dict[str, Column]:
    return {c.name: c for c in profile.columns}


def _schema(name: str, old: Profile, new: Profile) -> Iterator[str]:
    was, now = _by_name(old), _by_name(new)
    gone, came = [c for c in was if c not in now], [c for c in now if c not in was]
    if gone:
        yield f"{name} no longer has the column{'s' if len(gone) > 1 else ''} {', '.join(gone)}."
    if came:
        yield f"{name} has the new column{'s' if len(came) > 1 else ''} {', '.join(came)}."
    for column in was.keys() & now.keys():
        if was[column].dtype != now[column].dtype:
            yield f"{_of(name, column)} was {was[column].dtype} and is {now[column].dtype}."


def _of(name: str, column: str) -> str:
    return f"{name}[{column!r}]" if column else name


def _values(name: str, old: Profile, new: Profile) -> Iterator[str]:
    if old.rows and not FEWER < new.rows / old.rows < MORE:
        yield f"{name} had {old.rows:,} rows and has {new.rows:,}."
    was, now = _by_name(old), _by_name(new)
    for column in (c for c in was if c in now and was[c].dtype == now[c].dtype):
        a, b = was[column], now[column]
        if b.nulls - a.nulls > MORE_NULLS or (a.nulls == 0 < b.nulls):
            yield f"{_of(name, column)} had {a.nulls:.0%} missing and has {b.nulls:.0%}."
        rows = max(1, old.rows), max(1, new.rows)
        index = stability(a, b, 0.5 / min(rows))
        if index > max(LARGE, _by_chance(len({k for k, _ in (*a.kinds, *b.kinds)}) or 10, *rows)):
            yield f"The distribution of {_of(name, column)} has shifted{_limits(a, b)} (stability index {index:.2f})."


def _limits(a: Column, b: Column) -> str:
    if a.deciles and b.deciles:
        return f": its median was {a.deciles[5]:g} and is {b.deciles[5]:g}"
    came = sum(share for kind, share in b.kinds if kind not in dict(a.kinds))
    return f": {came:.0%} are values that were not there" if came and a.kinds else ""


def _by_chance(shares: int, rows: int, others: int) -> float:
    """What the index is one time in a thousand where nothing has changed (chi-square by Wilson and Hilferty, 1931)."""
    free = max(1, shares - 1)
    cube = 1 - 2 / (9 * free) + NORMAL * math.sqrt(2 / (9 * free))
    return free * cube**3 * (1 / rows + 1 / others)


def stability(a: Column, b: Column, least: float = 1e-3) -> float:
    """The population stability index of two columns; 0.0 where they cannot be compared. A share of nothing, which has no
    logarithm, counts as `least`."""
    if len(a.deciles) == len(b.deciles) == 11:
        edges = sorted(set(a.deciles))
        pairs = [
            (_below(a, high) - _below(a, low), _below(b, high) - _below(b, low))
            for low, high in zip([-math.inf, *edges[1:-1]], [*edges[1:-1], math.inf], strict=True)
        ]
    elif a.kinds and b.kinds:
        old, new = dict(a.kinds), dict(b.kinds)
        pairs = [(old.get(kind, 0.0), new.get(kind, 0.0)) for kind in sorted(old.keys() | new.keys())]
    else:
        return 0.0
    return sum((max(q, least) - max(p, least)) * math.log(max(q, least) / max(p, least)) for p, q in pairs)


def _below(column: Column, value: float) -> float:
    """The share of values up to this one, told from the deciles."""
    d = column.deciles
    if value < d[0]:
        return 0.0
    if value >= d[-1]:
        return 1.0
    i = max(i for i in range(10) if d[i] <= value)
    width = d[i + 1] - d[i]
    return (i + ((value - d[i]) / width if width else 1.0)) / 10


def slower(was: Mapping[str, float], now: Mapping[str, float]) -> tuple[str, ...]:
    """A line for each cell that takes much longer than it did."""
    found = ((i, was[i], s) for i, s in now.items() if i in was and s > was[i] * SLOWER and s - was[i] > SECONDS)
    return tuple(f"Cell {i} took {before:.1f} s and takes {s:.1f} s." for i, before, s in found)
