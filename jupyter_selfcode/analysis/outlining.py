"""Tells what the variables of a namespace are, as data that can be compared elsewhere. The text of this module is sent to the
kernel beside `carrying`, so it imports only Python and nothing of this package; `alike` wraps it.

What `carrying` can carry is carried whole, while there is room. What it cannot is outlined: a table or an array that is too
large by its shape, digest, sums and rows spread over it; a figure by what is drawn in it; a fitted model by its parameters,
by what it has learned and by what it says of the data at hand and of made-up points; a function by its code.
"""

import hashlib
import json
import math
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

ROOM = 400_000
"""Characters of all values of one answer; as JSON text in JSON they stay below what one answer may hold."""

WHOLE = 120_000
"""Bytes up to which one value is carried whole."""

ROWS = 400
"""Rows that stand for a large value, spread evenly over it, the last one among them."""

LEARNED = 20_000
"""Bytes of one thing that a model has learned."""

LARGEST = 32_000_000
"""Bytes of a value that is still gone through, for its digest and sums, where nobody says otherwise."""

LONGEST = 300_000
"""Items of a list that is still gone through."""

SECONDS = 5.0
"""After so long no further variable is looked at."""

ARTISTS = 200
MODELS = ("sklearn", "xgboost", "lightgbm", "statsmodels")


class Outliner:
    """Values as data. `pack(value, budget)` is `carrying.Packer(budget).pack(value)`, `refused` its exception."""

    def __init__(self, namespace: "dict[str, Any]", pack: "Callable[[Any, int], Any]", refused: type, largest: int) -> None:
        self.namespace = namespace
        self.largest = largest
        self.pack = pack
        self.refused = refused
        self.np: Any = sys.modules.get("numpy")
        self.pd: Any = sys.modules.get("pandas")

    def tell(self, value: Any) -> Any:
        """The value, or an outline of it. Raises `refused` with the reason."""
        try:
            return self.pack(value, WHOLE)
        except self.refused as e:  # type: ignore[misc]
            found = self._outline(value)
            if found is None:
                raise self.refused(str(e)) from None
            return found

    def _outline(self, value: Any) -> Any:
        kind = type(value)
        if kind is type(sys):
            return ["module", value.__name__]
        code = getattr(value, "__code__", None)
        if code is not None and kind.__name__ == "function":
            given = [self._small(d) for d in (value.__defaults__ or ())]
            return ["function", hashlib.sha256(_code(code).encode()).hexdigest(), ["list", given]]
        home = kind.__module__.partition(".")[0]
        if home == "matplotlib":
            return self._drawn(value)
        if home in MODELS and hasattr(value, "get_params"):
            return ["model", f"{kind.__module__}.{kind.__qualname__}", self._model(value)]
        if kind in (list, tuple):
            return self._items(value)
        if self.np is not None and kind is self.np.ndarray:
            return self._array(value)
        if self.pd is not None and kind in (self.pd.DataFrame, self.pd.Series):
            return self._table(value)
        return None

    # ---- large values ------------------------------------------------------------------------------------------------

    def _items(self, value: Any) -> Any:
        """A long list, its numbers as Python's: which kinds of scalar there were is told apart from what they are."""
        if len(value) > LONGEST:
            return None
        kinds = sorted({type(item).__name__ for item in value})
        if self.np is not None:
            value = type(value)(item.item() if isinstance(item, self.np.generic) else item for item in value)
        digest = hashlib.sha256(json.dumps(self.pack(value, 16 * LONGEST)).encode()).hexdigest()
        shown = _list([self._small(value[i]) for i in _spread(len(value))])
        numbers = all(type(item) in (int, float) and math.isfinite(item) for item in value) and any(type(i) is float for i in value)
        sums = [math.fsum(value), min(value), max(value)] if numbers else []
        return ["large", type(value).__name__, len(value), digest, sums, shown, kinds]

    def _array(self, value: Any) -> Any:
        if value.dtype.hasobject or value.nbytes > self.largest:
            return None
        flat = value.reshape(-1)
        digest = hashlib.sha256(self.np.ascontiguousarray(value)).hexdigest()
        shown = self.pack(flat[_spread(len(flat))], WHOLE)
        return ["large", f"array of {value.dtype}", list(value.shape), digest, self._sums(flat), shown, []]

    def _table(self, value: Any) -> Any:
        pd = self.pd
        frame = value.to_frame() if isinstance(value, pd.Series) else value
        if frame.memory_usage(index=True, deep=False).sum() > self.largest:
            return None
        hashed = pd.util.hash_pandas_object(frame, index=True).to_numpy()
        dtypes = [str(d) for d in frame.dtypes]
        sums = [self._sums(frame.iloc[:, i]) for i in range(frame.shape[1])]
        rows = frame.iloc[_spread(len(frame))]
        return [
            "large", type(value).__name__, [list(frame.shape), dtypes], hashlib.sha256(hashed).hexdigest(), sums,
            self.pack(rows, 3 * WHOLE), [],
        ]  # fmt: skip

    def _sums(self, values: Any) -> "list[Any]":
        """How many are missing, and of numbers the sum and the limits."""
        numbers = getattr(values, "dtype", None)
        if getattr(numbers, "kind", "") not in "fiub":
            missing = int(values.isna().sum()) if hasattr(values, "isna") else 0
            return [missing]
        array = self.np.asarray(values)
        there = array[~self.np.isnan(array)] if array.dtype.kind == "f" else array
        if not there.size:
            return [int(array.size)]
        found = [float(f(there)) for f in (self.np.sum, self.np.min, self.np.max)]
        return [int(array.size - there.size), *(n if math.isfinite(n) else str(n) for n in found)]

    def _small(self, value: Any) -> Any:
        try:
            return self.pack(value, LEARNED)
        except self.refused:  # type: ignore[misc]
            return ["other", f"{type(value).__module__}.{type(value).__qualname__}"]

    # ---- figures -------------------------------------------------------------------------------------------------------

    def _drawn(self, value: Any) -> Any:
        """A figure, or axes of one."""
        if hasattr(value, "get_axes"):
            inches = self._small([float(n) for n in value.get_size_inches()])
            return ["figure", _list([self._axes(a) for a in value.get_axes()]), inches]
        return ["figure", _list([self._axes(value)]), None] if hasattr(value, "get_lines") else None

    def _axes(self, axes: Any) -> "list[Any]":
        np = self.np
        said = [axes.get_title(), axes.get_xlabel(), axes.get_ylabel(), axes.get_xscale(), axes.get_yscale()]
        legend = axes.get_legend()
        said += [t.get_text() for t in [*axes.texts, *(legend.get_texts() if legend else ())]]
        drawn: list[Any] = [_list([float(n) for n in (*axes.get_xlim(), *axes.get_ylim())])]
        for line in axes.get_lines()[:ARTISTS]:
            drawn.append(self._points(np.asarray(line.get_xydata(), dtype=float), str(line.get_color())))
        for patch in axes.patches[:ARTISTS]:
            drawn.append(self._points(patch.get_patch_transform().transform_path(patch.get_path()).vertices, str(patch.get_facecolor())))
        for many in axes.collections[:ARTISTS]:
            drawn.append(self._points(np.asarray(np.ma.filled(many.get_offsets(), np.nan), dtype=float), type(many).__name__))
            paths = [p.vertices for p in many.get_paths()[:ARTISTS]]
            drawn.append(self._points(np.concatenate(paths), "") if paths else None)
        for image in axes.images[:ARTISTS]:
            drawn.append(self._points(np.asarray(np.ma.filled(image.get_array(), np.nan), dtype=float), "image"))
        return _list([_list(said), _list(drawn)])

    def _points(self, points: Any, how: str) -> "list[Any]":
        try:
            return _list([how, self.pack(points, LEARNED)])
        except self.refused:  # type: ignore[misc]
            return _list([how, self._array(self.np.ascontiguousarray(points))])

    # ---- models --------------------------------------------------------------------------------------------------------

    def _model(self, model: Any) -> "list[Any]":
        """What it was told, what it has learned, and what it says."""
        told = [_list([n, self._small(v)]) for n, v in sorted(model.get_params(deep=False).items())]
        learned = [
            _list([n, self._small(v)]) for n, v in sorted(vars(model).items()) if n.endswith("_") and not n.startswith("_")
        ]
        says: list[Any] = []
        for probe in self._probes(model):
            for method in ("predict", "transform", "predict_proba"):
                if hasattr(model, method):
                    try:
                        says.append(_list([method, self._small(getattr(model, method)(probe))]))
                    except Exception as e:
                        says.append(_list([method, type(e).__name__]))
        return _list([_list(told), _list(learned), _list(says)])

    def _probes(self, model: Any) -> "list[Any]":
        """Tables that the model can be asked about: the first rows of what is at hand, and made-up points."""
        width = getattr(model, "n_features_in_", None)
        if self.np is None or not isinstance(width, int) or not 0 < width < 1000:
            return []
        names = getattr(model, "feature_names_in_", None)
        found = []
        for _, value in sorted((n, v) for n, v in self.namespace.items() if type(n) is str and not n.startswith("_")):
            if names is not None and self.pd is not None and type(value) is self.pd.DataFrame and set(names) <= set(value.columns):
                found.append(value[list(names)].head(200))
            elif names is None and type(value) is self.np.ndarray and value.ndim == 2 and value.shape[1] == width:
                found.append(value[:200])
        made = self.np.array(
            [[10.0 ** (i % 5 - 1) * math.sin(1 + 7 * i + 13 * j) for j in range(width)] for i in range(32)]
        )
        if names is not None and self.pd is not None:
            made = self.pd.DataFrame(made, columns=list(names))
        return [*found[:2], made]


def _list(items: "list[Any]") -> "list[Any]":
    """A list, as `carrying` packs one."""
    return ["list", items]


def _spread(count: int) -> "list[int]":
    """At most `ROWS` places, evenly spread, the first and the last among them."""
    if count <= ROWS:
        return list(range(count))
    return sorted({i * (count - 1) // (ROWS - 1) for i in range(ROWS)})


def _code(code: Any) -> str:
    """A function's code without where it was written."""
    parts = [_code(c) if hasattr(c, "co_code") else repr(c) for c in code.co_consts]
    return repr((code.co_code, code.co_names, code.co_varnames, code.co_freevars, parts))


def observe(
    names: "Iterable[str]", namespace: "dict[str, Any]", pack: "Callable[[Any, int], Any]", refused: type, room: int = ROOM,
    largest: int = LARGEST,
) -> "dict[str, Any]":
    """By name what the variables are, as JSON text, and why others cannot be told. `room`: characters of all values."""
    outliner, left, end = Outliner(namespace, pack, refused, largest), room, time.monotonic() + SECONDS
    values: dict[str, str] = {}
    why: dict[str, str] = {}
    for name in names:
        if name not in namespace:
            why[name] = "it is not there"
            continue
        if time.monotonic() > end:
            why[name] = "there was no time for it"
            continue
        try:
            text = json.dumps(outliner.tell(namespace[name]))
        except refused as e:  # type: ignore[misc]
            why[name] = str(e)
        except Exception as e:
            why[name] = f"it could not be read ({type(e).__name__})"
        else:
            left -= len(text)
            if left < 0:
                why[name] = "there was no room for it beside the others"
            else:
                values[name] = text
    return {"told": values, "untold": why}
