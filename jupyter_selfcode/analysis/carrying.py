"""Carries values from one kernel to another as data, and holds examples against them there. The text of this module is sent
to both kernels, so it imports only Python and nothing of this package; `claims` wraps it.

Only values whose type is exactly one of these are carried: Python's own scalars and containers, dates, NumPy arrays and
scalars (`.npy`, never pickled), pandas frames, series, indexes and scalars, column by column. Functions, own classes and
subclasses are refused, for what they do cannot be written down as data. Nothing that is unpacked can run.
"""

import base64
import builtins
import collections
import datetime
import decimal
import fractions
import importlib
import io
import math
import sys
from collections.abc import Callable, Iterable
from typing import Any

BUDGET = 600_000
"""Bytes of all values of one cell; as text they stay below what one answer may hold."""

DEPTH = 40
"""Containers in containers, at most."""

PANDAS = ("precision", "max_rows", "min_rows", "max_columns", "width", "max_colwidth", "expand_frame_repr", "chop_threshold", "show_dimensions", "colheader_justify", "large_repr")  # fmt: skip
INDEXES = ("Index", "RangeIndex", "MultiIndex", "DatetimeIndex", "TimedeltaIndex", "PeriodIndex", "CategoricalIndex", "IntervalIndex")  # fmt: skip
NUMPY = ("precision", "threshold", "edgeitems", "linewidth", "suppress", "nanstr", "infstr", "sign", "floatmode")
FACTORIES = {kind.__name__: kind for kind in (int, float, str, bool, list, dict, set, tuple)}
SCALARS = (type(None), bool, int, float, str)


class Refused(Exception):
    """A value that cannot be carried; the message says why."""


class Packer:
    """Values as JSON. What is neither null, truth, number nor text is a list that begins with its kind."""

    def __init__(self, budget: int = BUDGET) -> None:
        self.left = budget
        self.np: Any = sys.modules.get("numpy")
        self.pd: Any = sys.modules.get("pandas")

    def spend(self, size: int) -> None:
        """Take from the budget."""
        self.left -= size
        if self.left < 0:
            raise Refused("it is too large")

    def pack(self, value: Any, depth: int = 0) -> Any:
        """One value. Raises `Refused`."""
        if depth > DEPTH:
            raise Refused("it is nested too deep")
        kind = type(value)
        self.spend(8)
        if value is None or kind is bool:
            return value
        if kind is str:
            self.spend(len(value) if value.isascii() else 6 * len(value))
            return value
        if kind is int:
            return value if abs(value) < 2**53 else ["int", self._text(hex(value))]
        if kind is float:
            return value if math.isfinite(value) else ["float", str(value)]
        if kind in (list, tuple, set, frozenset, collections.deque):
            return [kind.__name__, [self.pack(item, depth + 1) for item in value]]
        if kind in (dict, collections.OrderedDict, collections.Counter):
            return [kind.__name__, self._pairs(value, depth)]
        if kind is collections.defaultdict:
            made = value.default_factory
            if made is not None and FACTORIES.get(getattr(made, "__name__", "")) is not made:
                raise Refused("it makes its values by a function")
            return ["defaultdict", made and made.__name__, self._pairs(value, depth)]
        found = self._plain(value, kind)
        if found is None and self.np is not None:
            found = self._numpy(value, kind, depth)
        if found is None and self.pd is not None:
            found = self._pandas(value, kind, depth)
        if found is None:
            raise Refused(f"a {kind.__name__} cannot be written down as data")
        return found

    def _text(self, text: str) -> str:
        self.spend(len(text))
        return text

    def _pairs(self, value: Any, depth: int) -> list[list[Any]]:
        return [[self.pack(k, depth + 1), self.pack(v, depth + 1)] for k, v in value.items()]

    def _plain(self, value: Any, kind: type) -> "list[Any] | None":
        if kind is complex:
            return ["complex", repr(value)]
        if kind in (bytes, bytearray):
            return [kind.__name__, self._text(base64.b64encode(value).decode())]
        if kind is datetime.datetime:
            return ["datetime", value.isoformat(), self._zone(value.tzinfo), value.fold]
        if kind in (datetime.date, datetime.time):
            if kind is datetime.time and value.tzinfo is not None:
                raise Refused("it has a time zone")
            return [kind.__name__, value.isoformat(), *([value.fold] if kind is datetime.time else [])]
        if kind is datetime.timedelta:
            return ["timedelta", value.days, value.seconds, value.microseconds]
        if kind is decimal.Decimal:
            return ["Decimal", str(value)]
        if kind is fractions.Fraction:
            return ["Fraction", self._text(hex(value.numerator)), self._text(hex(value.denominator))]
        if kind in (range, slice):
            return [kind.__name__, *(self.pack(part) for part in (value.start, value.stop, value.step))]
        return None

    def _zone(self, zone: Any) -> "str | None":
        if zone is None:
            return None
        if zone is datetime.UTC:
            return "+00:00"
        if type(zone).__module__.partition(".")[0] == "zoneinfo" and isinstance(zone.key, str):
            return str(zone.key)
        raise Refused("its time zone has no name")

    def _array(self, value: Any) -> list[Any]:
        self.spend(4 * value.nbytes // 3)
        held = io.BytesIO()
        self.np.save(held, value, allow_pickle=False)
        return ["array", base64.b64encode(held.getvalue()).decode()]

    def _numpy(self, value: Any, kind: type, depth: int) -> "list[Any] | None":
        if kind is self.np.ndarray:
            if not value.dtype.hasobject:
                return self._array(value)
            if value.dtype.kind != "O":
                raise Refused("its fields hold objects")
            return ["objects", list(value.shape), [self.pack(item, depth + 1) for item in value.ravel().tolist()]]
        if issubclass(kind, self.np.generic) and kind.__module__ == "numpy" and not value.dtype.hasobject:
            return ["scalar", self._array(self.np.asarray(value))[1]]
        return None

    def _pandas(self, value: Any, kind: type, depth: int) -> "list[Any] | None":
        pd = self.pd
        if value is pd.NaT or value is pd.NA:
            return ["NaT" if value is pd.NaT else "NA"]
        if kind is pd.Timestamp:
            zone = None if value.tz is None else str(value.tz)
            return ["Timestamp", str(value.asm8.view("i8")), value.unit, zone]
        if kind is pd.Timedelta:
            return ["Timedelta", str(value.asm8.view("i8")), value.unit]
        if kind is pd.Period:
            return ["Period", str(value), value.freqstr]
        if kind is pd.Interval:
            return ["Interval", self.pack(value.left), self.pack(value.right), value.closed]
        if kind is pd.Series:
            return ["Series", self._column(value, depth), self._index(value.index, depth), self.pack(value.name, depth)]
        if kind is pd.DataFrame:
            columns = [self._column(value.iloc[:, i], depth) for i in range(value.shape[1])]
            return ["DataFrame", columns, self._index(value.index, depth), self._index(value.columns, depth)]
        if kind in [getattr(pd, name) for name in INDEXES]:
            return self._index(value, depth)
        return None

    def _column(self, values: Any, depth: int) -> list[Any]:
        """A series or an index without its labels."""
        dtype, array = values.dtype, values.array
        if isinstance(dtype, self.np.dtype):
            return self.pack(self.np.asarray(values), depth + 1)  # type: ignore[no-any-return]
        if isinstance(dtype, self.pd.CategoricalDtype):
            return ["categorical", self._array(self.np.asarray(array.codes)), self._index(dtype.categories, depth), dtype.ordered]
        if isinstance(dtype, self.pd.DatetimeTZDtype):
            return ["zoned", self._array(array.asi8), dtype.unit, str(dtype.tz)]
        name = str(dtype)
        if isinstance(dtype, self.pd.StringDtype) and name == "string":
            name = f"string[{dtype.storage}]"
        return ["extension", name, [self.pack(item, depth + 1) for item in array]]

    def _index(self, value: Any, depth: int) -> list[Any]:
        pd = self.pd
        if isinstance(value, pd.RangeIndex):
            return ["RangeIndex", value.start, value.stop, value.step, self.pack(value.name, depth)]
        if isinstance(value, pd.MultiIndex):
            levels = [self._index(level, depth) for level in value.levels]
            codes = [self._array(self.np.asarray(c)) for c in value.codes]
            return ["MultiIndex", levels, codes, [self.pack(n, depth) for n in value.names]]
        frequency = getattr(value, "freqstr", None) if isinstance(value, (pd.DatetimeIndex, pd.TimedeltaIndex)) else None
        return ["Index", self._column(value, depth), self.pack(value.name, depth), frequency]


def _library(name: str) -> Any:
    return importlib.import_module(name)


def unpack(packed: Any) -> Any:
    """The value that was packed."""
    if not isinstance(packed, list):
        return packed
    kind, *parts = packed
    return getattr(Unpacker(), "_as_" + kind)(*parts)


class Unpacker:
    """A method for each kind."""

    def __getattr__(self, name: str) -> "Callable[..., Any]":
        name = name.removeprefix("_as_")
        if name in ("list", "tuple", "set", "frozenset", "deque"):
            made = getattr(collections if name == "deque" else builtins, name)
            return lambda items: made(map(unpack, items))
        if name in ("dict", "OrderedDict", "Counter"):
            made = getattr(builtins if name == "dict" else collections, name)
            return lambda pairs: made({unpack(k): unpack(v) for k, v in pairs})
        simple: dict[str, Callable[..., Any]] = {
            "int": lambda text: int(text, 16),
            "float": float,
            "complex": complex,
            "bytes": base64.b64decode,
            "bytearray": lambda text: bytearray(base64.b64decode(text)),
            "date": datetime.date.fromisoformat,
            "time": lambda text, fold: datetime.time.fromisoformat(text).replace(fold=fold),
            "timedelta": datetime.timedelta,
            "Decimal": decimal.Decimal,
            "Fraction": lambda a, b: fractions.Fraction(int(a, 16), int(b, 16)),
            "range": lambda *parts: range(*map(unpack, parts)),
            "slice": lambda *parts: slice(*map(unpack, parts)),
            "defaultdict": lambda made, pairs: collections.defaultdict(
                FACTORIES[made] if made else None, {unpack(k): unpack(v) for k, v in pairs}
            ),
        }
        if name not in simple:
            raise Refused(f"no kind of value: {name[:40]}")
        return simple[name]

    def _as_datetime(self, text: str, zone: "str | None", fold: int) -> Any:
        made = datetime.datetime.fromisoformat(text).replace(fold=fold)
        if zone is None:
            return made
        if zone == "+00:00":
            return made.replace(tzinfo=datetime.UTC)
        import zoneinfo

        return made.replace(tzinfo=zoneinfo.ZoneInfo(zone))

    def _as_array(self, text: str) -> Any:
        return _library("numpy").load(io.BytesIO(base64.b64decode(text)), allow_pickle=False)

    def _as_scalar(self, text: str) -> Any:
        return self._as_array(text)[()]

    def _as_objects(self, shape: list[int], items: list[Any]) -> Any:
        made = _library("numpy").empty(len(items), dtype=object)
        for i, item in enumerate(items):
            made[i] = unpack(item)
        return made.reshape(shape)

    def _as_NaT(self) -> Any:  # noqa: N802 (named as the kind)
        return _library("pandas").NaT

    def _as_NA(self) -> Any:  # noqa: N802
        return _library("pandas").NA

    def _as_Timestamp(self, value: str, unit: str, zone: "str | None") -> Any:  # noqa: N802
        made = _library("pandas").Timestamp(_library("numpy").datetime64(int(value), unit))
        return made.tz_localize("UTC").tz_convert(zone) if zone else made

    def _as_Timedelta(self, value: str, unit: str) -> Any:  # noqa: N802
        return _library("pandas").Timedelta(_library("numpy").timedelta64(int(value), unit))

    def _as_Period(self, text: str, frequency: str) -> Any:  # noqa: N802
        return _library("pandas").Period(text, freq=frequency)

    def _as_Interval(self, left: Any, right: Any, closed: str) -> Any:  # noqa: N802
        return _library("pandas").Interval(unpack(left), unpack(right), closed)

    def _as_categorical(self, codes: Any, categories: Any, ordered: bool) -> Any:
        pd: Any = _library("pandas")
        return pd.Categorical.from_codes(unpack(codes), categories=unpack(categories), ordered=bool(ordered))

    def _as_zoned(self, values: Any, unit: str, zone: str) -> Any:
        pd: Any = _library("pandas")
        return pd.DatetimeIndex(unpack(values).view(f"M8[{unit}]")).tz_localize("UTC").tz_convert(zone).array

    def _as_extension(self, name: str, items: list[Any]) -> Any:
        pd: Any = _library("pandas")
        return pd.array([unpack(item) for item in items], dtype=name)

    def _as_RangeIndex(self, start: int, stop: int, step: int, name: Any) -> Any:  # noqa: N802
        return _library("pandas").RangeIndex(start, stop, step, name=unpack(name))

    def _as_MultiIndex(self, levels: list[Any], codes: list[Any], names: list[Any]) -> Any:  # noqa: N802
        pd: Any = _library("pandas")
        return pd.MultiIndex([unpack(v) for v in levels], [unpack(c) for c in codes], names=[unpack(n) for n in names])

    def _as_Index(self, column: Any, name: Any, frequency: "str | None") -> Any:  # noqa: N802
        pd: Any = _library("pandas")
        array = unpack(column)
        made = pd.Index(array, dtype=array.dtype, name=unpack(name))
        if frequency is not None:
            made.freq = frequency
        return made

    def _as_Series(self, column: Any, index: Any, name: Any) -> Any:  # noqa: N802
        array = unpack(column)
        return _library("pandas").Series(array, index=unpack(index), name=unpack(name), dtype=array.dtype)

    def _as_DataFrame(self, columns: list[Any], index: Any, names: Any) -> Any:  # noqa: N802
        pd: Any = _library("pandas")
        rows = unpack(index)
        arrays = [unpack(column) for column in columns]
        made = pd.DataFrame({i: pd.Series(a, index=rows, dtype=a.dtype) for i, a in enumerate(arrays)}, index=rows)
        made.columns = unpack(names)
        return made


def export(names: "Iterable[str]", assigned: "Iterable[str]", namespace: "dict[str, Any]") -> "dict[str, Any]":
    """The values of these names as data, why others cannot be, which of `assigned` are not there, and how values are shown."""
    packer, values, refused = Packer(), {}, {}
    for name in names:
        if name not in namespace:
            refused[name] = "it is not there"
            continue
        try:
            values[name] = packer.pack(namespace[name])
        except Refused as e:
            refused[name] = str(e)
        except Exception as e:
            refused[name] = f"it could not be read ({type(e).__name__})"
    return {
        "values": values, "refused": refused, "absent": [n for n in assigned if n not in namespace], "options": _options(),
    }  # fmt: skip


def _options() -> "dict[str, dict[str, Any]]":
    pd, np = sys.modules.get("pandas"), sys.modules.get("numpy")
    found: dict[str, dict[str, Any]] = {}
    try:
        if pd is not None:
            found["pandas"] = {n: pd.get_option(f"display.{n}") for n in PANDAS}
        if np is not None:
            found["numpy"] = {n: v for n, v in np.get_printoptions().items() if n in NUMPY}
    except Exception:  # an older library that names them otherwise
        return {}
    return {k: {n: v for n, v in shown.items() if type(v) in SCALARS} for k, shown in found.items()}


def _bring(what: str) -> Any:
    """A module, or what a module holds, by its full name."""
    try:
        return importlib.import_module(what)
    except ModuleNotFoundError:
        module, _, name = what.rpartition(".")
        if not module:
            raise
        return getattr(importlib.import_module(module), name)


def hold(payload: "dict[str, Any]", run: "Callable[..., dict[str, Any]]") -> "dict[str, Any]":
    """What each source gives on the carried values, as `probing.run_examples` reports it; `failed` where that is not reached."""
    names: dict[str, Any] = {"__name__": "__main__", "__builtins__": builtins}
    try:
        for name, what in payload["imports"].items():
            names[name] = _bring(what)
        for name, packed in payload["values"].items():
            names[name] = unpack(packed)
        for library, shown in payload["options"].items():
            if library in sys.modules and library == "pandas":
                for name, value in shown.items():
                    sys.modules["pandas"].set_option(f"display.{name}", value)
            elif library in sys.modules and library == "numpy":
                sys.modules["numpy"].set_printoptions(**shown)
        for source in payload["defines"]:
            exec(compile(source, "<cell>", "exec"), names)
    except BaseException as e:
        return {"failed": f"{type(e).__name__}: {e}"[:200]}
    return run(payload["sources"], names)
