"""Whether two values say the same, told from what kernels sent of them (`carrying`, `outlining`): data are compared here, in a
process that never ran the candidate, without NumPy and without unpacking anything.

Equal by meaning is what nobody who reads the value could tell apart: numbers of double precision to 1e-9 of themselves (single:
1e-5), or to a thousandth of that of the largest number beside them; NaN and NaN; a dictionary in another order; labels that are
a range, and the same labels written out; NumPy's scalars and Python's. All of this is told, as `close`. Types, shapes, order of
rows and columns, names and texts must be equal: these are what code further down reads.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from ..values.behaviour import Likeness
from .arrays import Read, read_array

DOUBLE, SINGLE = 1e-9, 1e-5
"""How far numbers may lie apart, as a part of themselves."""

TOLERANCES = "numbers to 1e-9 of themselves, of single precision to 1e-5"
"""What is forgiven, in words to print."""

SAMPLED = "only its sums and rows spread over it were compared"
"""What is forgiven of a value that is too large to be sent, and is not the same to the bit."""

DEPTH = 120
_TABLES = ("DataFrame", "Series")
_LABELS = ("RangeIndex", "Index")


class _Differs(Exception):
    """The first difference, in words."""


def same_value(a: Any, b: Any) -> tuple[bool, str]:
    """Whether two values say the same, and the first difference, or (where they do) what is not equal to the bit."""
    if a == b and type(a) is type(b):
        return True, ""
    comparing = _Comparing()
    try:
        comparing.values(a, b, "")
    except _Differs as e:
        return False, str(e)
    except (ValueError, TypeError, IndexError, KeyError, AttributeError, OverflowError):
        return False, "what was sent of it cannot be read"
    return True, ", ".join(comparing.remarks)


class _Comparing:
    """Walks down two values at once. `remarks`: what was forgiven."""

    def __init__(self) -> None:
        self.remarks: dict[str, None] = {}
        self._depth = 0

    def values(self, a: Any, b: Any, at: str) -> None:
        """Raises `_Differs`."""
        self._depth += 1
        if self._depth > DEPTH:
            self._fail(at, "it is nested too deep to be compared")
        a, b = self._scalar(a), self._scalar(b)
        if isinstance(a, list) and isinstance(b, list) and a and b and isinstance(a[0], str) and isinstance(b[0], str):
            self._kinds(a, b, at)
        elif isinstance(a, list) and isinstance(b, list):
            self._items(a, b, at)
        elif type(a) is not type(b):
            self._fail(at, f"was {_short(a)}, is {_short(b)}")
        elif isinstance(a, float):
            self._number(a, b, at, DOUBLE, 0.0)
        elif a != b:
            self._fail(at, f"was {_short(a)}, is {_short(b)}")
        self._depth -= 1

    def _fail(self, at: str, said: str) -> NoReturn:
        raise _Differs(f"{at.strip()}: {said}" if at else said)

    def _remark(self, said: str) -> None:
        self.remarks.setdefault(said)

    def _scalar(self, value: Any) -> Any:
        """A scalar of NumPy as Python's, a float that JSON does not know as a float."""
        if isinstance(value, list) and len(value) == 2 and isinstance(value[1], str):
            if value[0] == "float":
                return float(value[1])
            if value[0] == "int":
                return int(value[1], 16)
            if value[0] == "scalar":
                read = read_array(value[1])
                if read.kind in "fiubU" and read.elements is not None and len(read.elements) == 1:
                    self._remark("a number is NumPy's or Python's")
                    return read.elements[0]
        return value

    def _number(self, a: float, b: float, at: str, relative: float, largest: float) -> None:
        if a == b or (math.isnan(a) and math.isnan(b)):
            return
        if not math.isclose(a, b, rel_tol=relative, abs_tol=relative * 1e-3 * max(1.0, largest)):
            self._fail(at, f"was {a!r}, is {b!r}")
        self._remark("numbers differ by rounding")

    # ---- by kind -----------------------------------------------------------------------------------------------------

    def _kinds(self, a: list[Any], b: list[Any], at: str) -> None:
        kinds = a[0], b[0]
        if kinds[0] in _LABELS and kinds[1] in _LABELS:
            self._labels(a, b, at)
        elif kinds[0] != kinds[1]:
            self._fail(at, f"was a {kinds[0]}, is a {kinds[1]}")
        elif kinds[0] == "array":
            self._arrays(read_array(a[1]), read_array(b[1]), at)
        elif kinds[0] == "DataFrame":
            self._frames(a, b, at)
        elif kinds[0] == "Series":
            self.values(a[3], b[3], f"{at} its name")
            self.values(a[2], b[2], f"{at} its labels")
            self.values(a[1], b[1], at)
        elif kinds[0] in ("set", "frozenset"):
            self._sets(a[1], b[1], at)
        elif kinds[0] in ("dict", "Counter", "defaultdict"):
            if a[1:-1] != b[1:-1]:
                self._fail(at, "it makes missing values in another way")
            self._dicts(a[-1], b[-1], at, ordered=kinds[0] == "defaultdict")
        elif kinds[0] == "large":
            self._large(a, b, at)
        elif kinds[0] in ("list", "tuple", "deque", "objects", "extension"):
            if a[1:-1] != b[1:-1]:
                self._fail(at, f"was of {_short(a[1:-1])}, is of {_short(b[1:-1])}")
            self._items(a[-1], b[-1], at)
        elif kinds[0] == "MultiIndex":
            for x, y in zip(a[1:], b[1:], strict=True):
                self._items(x, y, at)
        elif kinds[0] == "function" and a[1] != b[1]:
            self._fail(at, "its code is another")
        else:
            self._items(a[1:], b[1:], at)

    def _items(self, a: Sequence[Any], b: Sequence[Any], at: str) -> None:
        if len(a) != len(b):
            self._fail(at, f"had {len(a)} items, has {len(b)}")
        for i, (x, y) in enumerate(zip(a, b, strict=True)):
            if x != y or type(x) is not type(y):
                self.values(x, y, f"{at} item {i}" if len(a) > 1 else at)

    def _sets(self, a: Sequence[Any], b: Sequence[Any], at: str) -> None:
        one, other = (sorted(json.dumps(item, sort_keys=True) for item in items) for items in (a, b))
        if one != other:
            self._fail(at, f"{len(set(one) - set(other))} members are gone, {len(set(other) - set(one))} are new")

    def _dicts(self, a: Sequence[Any], b: Sequence[Any], at: str, *, ordered: bool) -> None:
        one, other = ({json.dumps(k): v for k, v in pairs} for pairs in (a, b))
        if missing := [k for k in one if k not in other]:
            self._fail(at, f"the key {_short(missing[0])} is no longer there")
        if new := [k for k in other if k not in one]:
            self._fail(at, f"the key {_short(new[0])} is new")
        if list(one) != list(other):
            self._remark("keys are in another order")
        for key, value in one.items():
            self.values(value, other[key], f"{at} [{_short(key)}]")

    def _frames(self, a: list[Any], b: list[Any], at: str) -> None:
        self.values(a[3], b[3], f"{at} its columns")
        self.values(a[2], b[2], f"{at} its labels")
        if len(a[1]) != len(b[1]):
            self._fail(at, f"had {len(a[1])} columns, has {len(b[1])}")
        names = _names(a[3])
        for i, (x, y) in enumerate(zip(a[1], b[1], strict=True)):
            if x != y:
                self.values(x, y, f"{at} column {names[i] if i < len(names) else i}")

    def _labels(self, a: list[Any], b: list[Any], at: str) -> None:
        if a[0] == b[0] == "RangeIndex":
            if _range(a) != _range(b):
                self._fail(at, f"were {_range(a)}, are {_range(b)}")
            self.values(a[4], b[4], f"{at} name")
            return
        if a[0] == b[0]:
            self.values(a[2], b[2], f"{at} name")
            self.values(a[1], b[1], at)
            if a[3] != b[3]:
                self._remark("the frequency of dates is known or is not")
            return
        one, other = (a, b) if a[0] == "RangeIndex" else (b, a)
        read = read_array(other[1][1]) if other[1][0] == "array" else None
        if read is None or read.elements is None or list(read.elements) != list(_range(one)):
            self._fail(at, f"one is {_range(one)}, the other is not")
        self.values(one[4], other[2], f"{at} name")
        self._remark("labels are a range or written out")

    def _arrays(self, a: Read, b: Read, at: str) -> None:
        if a.dtype != b.dtype and {a.kind, b.kind} != {"U"}:
            self._fail(at, f"was of type {a.dtype}, is of type {b.dtype}")
        if a.shape != b.shape:
            self._fail(at, f"had the shape {a.shape}, has {b.shape}")
        if a.elements is None or b.elements is None:
            if a.raw != b.raw:
                self._fail(at, f"its data (of type {a.dtype}) are others")
            return
        if a.raw == b.raw and a.elements == b.elements:
            return
        if len(a.elements) != len(b.elements):
            self._fail(at, "its data are of another length")
        if a.kind not in "fc":
            place = next((i for i, (x, y) in enumerate(zip(a.elements, b.elements, strict=True)) if x != y), None)
            if place is not None:
                self._fail(at, f"row {place} was {_short(a.elements[place])}, is {_short(b.elements[place])}")
            return
        relative = SINGLE if a.single else DOUBLE
        largest = max((abs(x) for x in a.elements if math.isfinite(x)), default=0.0)
        for i, (x, y) in enumerate(zip(a.elements, b.elements, strict=True)):
            if x != y:
                self._number(x, y, f"{at} row {i}", relative, largest)

    def _sums(self, a: Any, b: Any, at: str) -> None:
        """Of large tables the sums: where many numbers are added up, rounding does too."""
        for x, y in zip(_flat(a), _flat(b), strict=True):
            if x != y and not (isinstance(x, float) and isinstance(y, float) and math.isclose(x, y, rel_tol=1e3 * DOUBLE)):
                self._fail(at, f"its sums differ: {x!r}, and {y!r}")

    def _large(self, a: list[Any], b: list[Any], at: str) -> None:
        """Outlines: type, size, digest, sums, and rows that stand for the rest."""
        for x, y, what in zip(a[1:3], b[1:3], ("type", "size"), strict=True):
            if x != y:
                self._fail(at, f"its {what} was {_short(x)}, is {_short(y)}")
        if a[6] != b[6]:
            self._remark("a number is NumPy's or Python's")
        if a[3] == b[3]:
            return
        self.values(a[5], b[5], at)
        self._sums(a[4], b[4], at)
        fractions = bool(a[4]) if a[1] in ("list", "tuple") else "float" in json.dumps(a[1:3])
        if not fractions:  # nothing in it can be rounding
            self._fail(at, "its digest is another")
        self._remark(SAMPLED)


def _flat(sums: Any) -> list[Any]:
    """Numbers in lists of lists, one after the other."""
    return [n for part in sums for n in _flat(part)] if isinstance(sums, list) else [sums]


def _range(packed: list[Any]) -> range:
    return range(int(packed[1]), int(packed[2]), int(packed[3]))


def _names(labels: Any) -> list[str]:
    """Column names, for telling where a difference is."""
    if isinstance(labels, list) and labels[0] == "Index" and isinstance(labels[1], list):
        column = labels[1]
        items = column[-1] if column[0] in ("objects", "extension") and isinstance(column[-1], list) else ()
        return [_short(item) for item in items]
    return []


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    text = " ".join(text.split())
    return text if len(text) <= 60 else text[:59] + "…"


# ---- variables of two runs -------------------------------------------------------------------------------------------


def compared(
    cell_id: str, names: Sequence[str], before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[Likeness, ...]:
    """Each variable of a cell, by what two kernels told of it (`alike.watching`)."""
    return tuple(_compared(cell_id, name, before, after) for name in names)


def _compared(cell_id: str, name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Likeness:
    one, other = _told(before, name), _told(after, name)
    for text, reply in ((one, before), (other, after)):
        if text is None:
            why = reply.get("untold")
            said = str(why.get(name, "")) if isinstance(why, Mapping) else ""
            return Likeness(name, cell_id, "unknown", " ".join(said.split())[:120] or "the kernel did not say")
    assert one is not None
    assert other is not None
    if one == other:
        return Likeness(name, cell_id, "same")
    try:
        a, b = json.loads(one), json.loads(other)
    except (ValueError, RecursionError):
        return Likeness(name, cell_id, "unknown", "what was sent of it cannot be read")
    equal, said = same_value(a, b)
    if not equal and said.endswith("its code is another"):
        return Likeness(name, cell_id, "unknown", "a function whose code is another")
    return Likeness(name, cell_id, "close" if equal else "differs", said, SAMPLED in said)


def _told(reply: Mapping[str, Any], name: str) -> str | None:
    told = reply.get("told")
    text = told.get(name) if isinstance(told, Mapping) else None
    return text if isinstance(text, str) else None
