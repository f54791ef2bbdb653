"""What a cell might promise: expressions that what was noticed of its results makes true, with the reason for each.

Invariants that are likely to hold of tomorrow's data too come first (rows and sums kept, order, keys, no new missing values,
ranges with two ends), then what this run alone says (a total, a list of labels). The kinds are those that Daikon looks for in
traces (Ernst et al., Dynamically discovering likely program invariants, IEEE TSE 27 (2), 2001) and data validation in columns
(Schelter et al., Automating large-scale data quality verification, VLDB 11 (12), 2018).

An observed run is no promise: what is suggested here was true once, and a person says what has to stay true.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..values.suggestion import CheckKind, Suggestion
from . import noticing
from .contract import in_kernel
from .evidence import pins
from .personal import personal

RANK: tuple[CheckKind, ...] = ("relation", "order", "key", "missing", "range", "schema", "value")
"""The order of kinds where nothing else decides."""

MOST = 40
"""Expressions that are considered at most."""

_KEY = re.compile(r"(?i)(?:^|_|\b)(id|key|code|date|day|month|year|uuid|sku|isbn)$|Id$")
_SAYS: Mapping[CheckKind, re.Pattern[str]] = {
    "order": re.compile(r"(?i)\b(sort|order|ascend|descend|rank|highest|lowest|largest|smallest|top|latest|newest|oldest|monoton)"),
    "key": re.compile(r"(?i)\b(unique|distinct|duplicate|once|one row)"),
    "missing": re.compile(r"(?i)\b(missing|empty|nan|null|complete|blank|gap)"),
    "range": re.compile(r"(?i)\b(share|percent|fraction|ratio|rate|probabilit)"),
    "relation": re.compile(r"(?i)\b(every|all|each|keep|total|sum)\b"),
    "schema": re.compile(r"(?i)\b(columns?|schema|types?|dtype)\b"),
}
"""Words of an intent that name an invariant."""


def noticing_code(names: Collection[str]) -> str:
    """Code for `Kernel.evaluate`; its reply is for `facts_of`."""
    return in_kernel(inspect.getsource(noticing), f"notice({sorted(names)!r}, namespace)")


def facts_of(reply: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """What a kernel noticed, by name; nothing where it did not say."""
    found = reply.get("facts")
    found = found if isinstance(found, Mapping) else {}
    return {str(k): v for k, v in found.items() if isinstance(v, Mapping)}


def suggestions(
    made: Mapping[str, Mapping[str, Any]], given: Mapping[str, Mapping[str, Any]], words: str = "",
    masked: Collection[str] = (),
) -> tuple[Suggestion, ...]:
    """What may be promised of what a cell `made` from what it was `given`, best first, at most `MOST`.

    `words`: the cell's intent. Of columns about people, secrets and those in `masked` no value is told.
    """
    found: dict[str, Suggestion] = {}
    for name, facts in made.items():
        others = {n: f for n, f in given.items() if n != name}
        for kind, expression, reason in _of(name, facts, others, masked):
            spoken = _SAYS.get(kind)
            if spoken and (kind != "range" or "from 0 to 1" in reason) and (said := spoken.search(words)):
                reason += f"; the words say “{said[0].lower()}”"
            found.setdefault(expression, Suggestion(expression, kind, reason, pins(expression, "True")))
    return tuple(sorted(found.values(), key=_place)[:MOST])


def _place(s: Suggestion) -> tuple[bool, bool, int]:
    return ("the words say" not in s.reason, not s.tells, RANK.index(s.kind))


_Row = tuple[CheckKind, str, str]


def _of(
    name: str, facts: Mapping[str, Any], given: Mapping[str, Mapping[str, Any]], masked: Collection[str]
) -> Iterator[_Row]:
    match facts.get("kind"):
        case "frame":
            yield from _frame(name, facts, given, masked)
        case "series":
            yield from _rows(name, facts, given)
            yield from _column(name, facts, "" if _hidden(name, masked) else name, name)
            yield from _sums(name, "", facts, given)
            yield from _index(name, facts.get("index") or {}, given)
        case "array":
            yield "schema", f"{name}.shape == {tuple(facts['shape'])!r}", "its shape in this run"
            if facts.get("finite"):
                yield from _limits(f"{name}.min()", f"{name}.max()", facts, name)
                yield "value", _near(f"float({name}.sum())", facts["sum"]), "its sum in this run"
        case "number":
            yield from _number(name, facts["value"])
        case "text":
            yield "value", f"{name} == {facts['value']!r}", "what it was in this run"
        case "list" | "tuple" | "set" | "dict" as kind:
            if facts.get("items"):
                shown = f"sorted({name}, key=str)" if kind == "set" else f"list({name})"
                items = sorted(facts["items"], key=str) if kind == "set" else facts["items"]
                yield "value", f"{shown} == {items!r}", "what it held in this run"
            elif facts["length"]:
                yield "schema", f"len({name}) == {facts['length']}", "its length in this run"


def _hidden(column: str, masked: Collection[str]) -> bool:
    return personal(column) or column in masked


def _frame(
    name: str, facts: Mapping[str, Any], given: Mapping[str, Mapping[str, Any]], masked: Collection[str]
) -> Iterator[_Row]:
    columns: Sequence[tuple[str, Mapping[str, Any]]] = facts["columns"]
    labels = [label for label, _ in columns]
    yield from _rows(name, facts, given)
    if labels and len(labels) <= 12:
        yield "schema", f"list({name}.columns) == {labels!r}", "its columns, in their order"
    gaps = [label for label, c in columns if c.get("missing")]
    if labels and not gaps and facts["rows"]:
        yield "missing", f"int({name}.isna().sum().sum()) == 0", "no value was missing"
    elif gaps and len(gaps) <= 4:
        yield "missing", f"list({name}.columns[{name}.isna().any()]) == {gaps!r}", "no other column had missing values"
    inherited = {label for f in given.values() if f.get("kind") == "frame" for label, _ in f["columns"]}
    for label, column in columns:
        hidden = _hidden(label, masked)
        for row in _column(f"{name}[{label!r}]", column, "" if hidden else label, label):
            if label not in inherited or row[0] in ("key", "value"):  # of a column that came as it is, nothing is made here
                yield row
        if not hidden:
            yield from _sums(f"{name}[{label!r}]", label, column, given)
    yield from _index(name, facts.get("index") or {}, given)


def _rows(name: str, facts: Mapping[str, Any], given: Mapping[str, Mapping[str, Any]]) -> Iterator[_Row]:
    rows = facts["rows"]
    for other, theirs in given.items():
        if theirs.get("kind") not in ("frame", "series") or rows < 2:
            continue
        if theirs["rows"] == rows:
            yield "relation", f"len({name}) == len({other})", f"as many rows as {other}"
            continue
        keys = {label for label, _ in facts.get("columns", ())} | {(facts.get("index") or {}).get("name")}
        for label, column in theirs.get("columns", ()):
            if label in keys and column.get("distinct") == rows:
                yield "relation", f"len({name}) == {other}[{label!r}].nunique()", f"one row for each {label} of {other}"


def _column(text: str, facts: Mapping[str, Any], shown: str, label: str) -> Iterator[_Row]:
    """Of one column (or series); no value is told where `shown` is empty."""
    if not facts.get("rows"):
        return
    if facts.get("unique") and facts["rows"] > 1 and not facts.get("missing") and _KEY.search(label):
        yield "key", f"{text}.is_unique", f"no {label} occurred twice"
    if facts.get("up") or facts.get("down"):
        way = "increasing" if facts.get("up") else "decreasing"
        yield "order", f"{text}.is_monotonic_{way}", f"{label} was never {'falling' if way == 'increasing' else 'rising'}"
    if str(facts.get("dtype", "")).startswith(("datetime", "category", "timedelta", "period")):
        kind = str(facts["dtype"]).partition("[")[0]
        yield "schema", f"str({text}.dtype).startswith({kind!r})", f"{label} was read as {kind}"
    if shown and facts.get("numeric") and facts.get("min") is not None and not _KEY.search(label):
        yield from _limits(f"{text}.min()", f"{text}.max()", facts, label, f"{text}.between({{}}, {{}}).all()" * (not facts.get("missing")))
        if facts.get("sum") is not None:
            yield "value", _near(f"float({text}.sum())", facts["sum"]), f"the total of {label} in this run"


def _limits(low: str, high: str, facts: Mapping[str, Any], label: str, whole: str = "") -> Iterator[_Row]:
    a, b = facts.get("min"), facts.get("max")
    if a is None or b is None or a == b:
        return
    ends, why = _ends(a, b, bool(facts.get("whole")))
    text = whole.format(*map(repr, ends)) if whole else f"{ends[0]!r} <= {low} <= {high} <= {ends[1]!r}"
    yield "range", text, f"{label} {why}"


def _ends(a: float, b: float, whole: bool) -> tuple[tuple[float, float], str]:
    """Round limits around what was seen, and how they are told."""
    if not whole and a >= 0 and b <= 1:
        return (0, 1), "was a share, from 0 to 1"
    low = 0 if a >= 0 else -_above(-a)
    high = _above(b) if b > 0 else 0
    return (low, high), f"was from {a:.6g} to {b:.6g}, rounded outwards"


def _above(value: float) -> float:
    """The next number with one significant digit, and a little room: 57.3 gives 60, 0.031 gives 0.04."""
    power = math.floor(math.log10(value)) if value > 0 else 0
    step = 10.0**power
    found = math.ceil(value * 1.02 / step) * step
    return int(found) if found >= 1 else round(found, -power)


def _near(text: str, value: float) -> str:
    if isinstance(value, int) or float(value).is_integer():
        return f"round({text}, 2) == {float(value)!r}"
    digits = max(2, 4 - math.floor(math.log10(abs(value)))) if value else 2
    return f"round({text}, {min(digits, 12)}) == {round(value, min(digits, 12))!r}"


def _sums(text: str, label: str, facts: Mapping[str, Any], given: Mapping[str, Mapping[str, Any]]) -> Iterator[_Row]:
    total = facts.get("sum")
    if not facts.get("numeric") or total is None or not total:
        return
    for whole, why in ((1, "they are shares of one whole"), (100, "they are shares of 100")):
        if math.isclose(total, whole, rel_tol=1e-9) and not facts.get("whole") and facts["rows"] > 1:
            yield "relation", f"abs({text}.sum() - {whole}) < 1e-09", f"they add up to {whole}: {why}"
    for other, theirs in given.items():
        columns = theirs.get("columns", ()) if theirs.get("kind") == "frame" else [("", theirs)]
        for name, column in columns:
            same = (name == label) if label else True
            kept = column.get("sum")
            if same and column.get("numeric") and kept and math.isclose(kept, total, rel_tol=1e-9):
                source = f"{other}[{name!r}]" if name else other
                bound = float(f"{max(abs(total), 1.0) * 1e-6:.0e}")
                told = f"the total of {name} in {other}" if name else f"the total of {other}"
                yield "relation", f"abs({text}.sum() - {source}.sum()) < {bound!r}", f"{told} is kept"


def _index(name: str, facts: Mapping[str, Any], given: Mapping[str, Mapping[str, Any]]) -> Iterator[_Row]:
    if not facts:
        return
    label = facts.get("name") or "label"
    if facts.get("unique"):
        yield "key", f"{name}.index.is_unique", f"no {label} occurred twice"
    if facts.get("up"):
        yield "order", f"{name}.index.is_monotonic_increasing", f"in order of {label}"
    if facts.get("labels") and all(v is not None for v in facts["labels"]):
        yield "value", f"list({name}.index) == {facts['labels']!r}", "its labels in this run"


def _number(name: str, value: float) -> Iterator[_Row]:
    if isinstance(value, float) and 0 < value < 1:
        yield "range", f"0 <= {name} <= 1", "it was a share, from 0 to 1"
    if isinstance(value, int):
        yield "value", f"{name} == {value!r}", "what it was in this run"
    else:
        yield "value", _near(f"float({name})", value), "what it was in this run"


# ---- few, and those that say most ----------------------------------------------------------------------------------

FEW = 6
"""Suggestions that a person is shown at most."""
FOR_DATA = 3
"""Of these, such as catch no mistake in the code: they may catch other data."""
SNAPSHOTS = 2
"""Of these, such as only say what came out in this run, where no mistakes tell which say more."""


def chosen(
    found: Sequence[Suggestion], caught: Sequence[Collection[str]] | None, already: Collection[str] = ()
) -> tuple[Suggestion, ...]:
    """Few of the suggestions, in an order: each next one catches most mistakes that nothing before it catches; such as may
    hold of tomorrow's data come before what only this run says.

    `caught`: for each small mistake the expressions that it breaks (None: not measured); `already`: the promises that there are.
    """
    if caught is None:
        plain = [s for s in found if s.kind != "value"]
        return tuple((plain + [s for s in found if s.kind == "value"][:SNAPSHOTS])[:FEW])
    left = [set(by) for by in caught if by and not set(by) & set(already)]
    picked: list[Suggestion] = []
    for lasting in (True, False):
        able = [s for s in found if (s.kind != "value") is lasting]
        while left and able and len(picked) < FEW:
            best = max(able, key=lambda s: (sum(s.expression in by for by in left), s.tells, -able.index(s)))
            if not (count := sum(best.expression in by for by in left)):
                break
            picked.append(replace(best, catches=count))
            left = [by for by in left if best.expression not in by]
    taken = {s.expression for s in picked}
    more = [replace(s, catches=0) for s in found if s.kind != "value" and s.expression not in taken]
    return (*picked, *more[: min(FOR_DATA, FEW - len(picked))])
