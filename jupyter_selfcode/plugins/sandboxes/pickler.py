"""Writes the names of a notebook, one after the other, as one stream of pickles; refuses what would not arrive as it is.

An array that looks into the memory of another one is written as such a view. What pandas holds is not: it keeps writes to one frame
out of all others, and knows nothing of a view that it did not make. What belongs to a module is written as its name there.
"""

from __future__ import annotations

import functools
import io
import mmap
import sys
import types
from typing import Any

import cloudpickle  # type: ignore[import-untyped]

from ...analysis.surroundings import OURS
from ...analysis.unpickling import NAMESPACE, form

OWN_WAYS = ("__reduce__", "__reduce_ex__", "__getstate__", "__getnewargs__", "__getnewargs_ex__", "__getattribute__")
"""Methods by which a class of the notebook would be asked how it is pickled."""

FIXED = (str, bytes, int, float, complex, type(None), tuple, frozenset, type, types.FunctionType, types.ModuleType)
"""What a module has and what can be told by its name or its value alone."""

STEPPING = frozenset((
    "list_iterator", "list_reverseiterator", "tuple_iterator", "range_iterator", "longrange_iterator", "str_iterator", "str_ascii_iterator",
    "bytes_iterator", "enumerate", "zip", "map", "filter", "reversed", "count", "repeat",
))  # fmt: skip
"""Iterators of Python that are pickled with what they go through, and where they are; others with a list of what is left."""

VIEWS = ("dict_keys", "dict_values", "dict_items", "odict_keys", "odict_values", "odict_items", "mappingproxy")
"""What looks into a dictionary, and would be pickled with one of its own."""

DATA = ("numpy", "pandas", "polars", "pyarrow", "torch", "scipy", "xarray", "geopandas", "sklearn")
"""Libraries whose objects are data."""


class TooLarge(Exception):
    """More would be written than may be."""


class Refused(Exception):
    """Why a value is not written, in words."""


class File:
    """What the pickler writes to: at most so many bytes."""

    def __init__(self, file: io.FileIO, most: int) -> None:
        self.file, self.size, self.most = file, 0, most

    def write(self, data: Any) -> int:
        """Write all of it. Raises `TooLarge`, `OSError`."""
        view = memoryview(data).cast("B")
        length = view.nbytes
        self.size += length
        if self.size > self.most:
            raise TooLarge
        while view.nbytes:
            view = view[self.file.write(view) :]
        return length

    def back(self, to: int) -> None:
        """Forget what was written from here on."""
        self.size = to
        self.file.truncate(to)
        self.file.seek(to)


class Taker(cloudpickle.Pickler):  # type: ignore[misc]
    """Writes names, one after the other."""

    def __init__(self, file: File, namespace: dict[str, Any]) -> None:
        super().__init__(file, protocol=5)
        self.to, self.namespace = file, namespace
        self.globals_ref[id(namespace)] = namespace
        self.memory: list[tuple[int, int, str, bool]] = []
        """Where arrays lie, whose they are, and whether pandas keeps writes to them apart."""
        self.owner = ""
        self.writes_apart = _writes_apart()
        self.of_pandas: dict[int, Any] = {}
        """Arrays that pandas holds, by their number."""
        self.at_home = _at_home()

    memo: Any
    """By the number of an object, where it stands among those that can be named again, and the object."""

    def persistent_id(self, obj: Any) -> Any:
        """The names of the notebook are not pickled, nor is what is a module's: the other process has its own. Else `randint`, which
        draws from the one generator that all share, would have one of its own."""
        if obj is self.namespace:
            return NAMESPACE
        return self.at_home.get(id(obj))

    def reducer_override(self, obj: Any) -> Any:
        """Refuse what would not arrive as it is."""
        kind = type(obj)
        if kind.__module__ == "__main__":
            _own_ways(kind)
        elif kind is type(_wrapped) and obj.__module__ == "__main__":
            raise Refused("a function with a cache")
        elif kind.__module__.partition(".")[0] in OURS and not isinstance(obj, type):
            raise Refused("it belongs to the kernel")
        elif (isinstance(obj, (io.IOBase, memoryview, mmap.mmap)) and not isinstance(obj, (io.StringIO, io.BytesIO))) or (kind.__module__ in ("builtins", "itertools", "collections") and _looks_into(kind)):
            raise Refused(named(kind))
        np = sys.modules.get("numpy")
        if np is not None and isinstance(obj, np.ndarray):
            if isinstance(obj, np.memmap):
                raise Refused("a view of a file")
            apart = id(obj) in self.of_pandas
            if not apart and (view := self._view(obj, np)) is not None:
                return view
            if obj.size:
                self.memory.append((*_bounds(obj), self.owner, apart))
        elif self.writes_apart and kind.__module__.startswith("pandas.") and not isinstance(obj, type) and kind not in self.dispatch_table:
            reduced = obj.__reduce_ex__(5)
            self._holds(reduced, np)
            return reduced
        elif kind.__module__.partition(".")[0] == "torch" and hasattr(obj, "untyped_storage"):
            if obj.device.type != "cpu":
                raise Refused("it is on a GPU")
            storage = obj.untyped_storage()
            self.memory.append((storage.data_ptr(), storage.data_ptr() + storage.nbytes(), self.owner, False))
        return super().reducer_override(obj)

    def _view(self, array: Any, np: Any) -> Any:
        """An array that looks into the memory of another one, as that."""
        base = array.base
        if type(array) is not np.ndarray or type(base) is not np.ndarray or base.base is not None or array.dtype.hasobject or base.dtype.hasobject:
            return None
        if not (base.flags.c_contiguous or base.flags.f_contiguous) or not array.size:
            return None
        flat = base if base.flags.c_contiguous else base.T
        offset = array.__array_interface__["data"][0] - base.__array_interface__["data"][0]
        try:
            twin = np.ndarray(array.shape, array.dtype, flat, offset, array.strides)
        except (TypeError, ValueError):
            return None
        if twin.flags.writeable == array.flags.writeable:
            return np.ndarray, (array.shape, array.dtype, flat, offset, array.strides)
        return np.lib.stride_tricks.as_strided, (twin, array.shape, array.strides, False, False)

    def _holds(self, parts: Any, np: Any, depth: int = 0) -> None:
        """Arrays in what pandas says of itself: it sees to it that a write to one is seen in no other, so they are not kept as views."""
        if type(parts) is np.ndarray:
            self.of_pandas[id(parts)] = parts
        elif type(parts) in (tuple, list, dict) and depth < 4:
            for part in parts.values() if type(parts) is dict else parts:
                self._holds(part, np, depth + 1)

    def take(self, name: str, value: Any) -> None:
        """Write one name. Whatever is raised, the stream is then as if it had not been tried.

        What was named again in between is forgotten too: a list of its own, written first, tells from where on. (The reader numbers
        objects as they come, so both have to agree.)
        """
        mark: list[int] = []
        size, lies = self.to.size, len(self.memory)
        self.owner = name
        try:
            self.dump((mark, name, value))
        except BaseException:
            self.to.back(size)
            memo = self.memo.copy()
            cut = memo.get(id(mark), (len(memo), None))[0]
            self.memo = {k: v for k, v in memo.items() if v[0] < cut}
            del self.memory[lies:]
            raise

    def shared(self) -> set[str]:
        """Names of which two have an array in the same memory, where that could not be kept."""
        found, last = set[str](), (0, 0, "", False)
        for begin, end, owner, apart in sorted(self.memory):
            if begin < last[1] and not (apart and last[3]):
                found |= {owner, last[2]}
            if end > last[1]:
                last = begin, end, owner, apart
        return found


def _looks_into(kind: type) -> bool:
    """Whether a type of Python's is one whose values go through another object, or look into it, and would not any more."""
    return kind.__name__ in VIEWS or (hasattr(kind, "__next__") and kind.__name__ not in STEPPING)


@functools.lru_cache
def _wrapped() -> None: ...


def _at_home() -> dict[int, tuple[str, str, str]]:
    """Where modules have what can change, by its number: settings, registries, generators and their methods; and what it is, so that
    something else is not taken for it. Data are data, wherever a module keeps them."""
    found: dict[int, tuple[str, str, str]] = {}
    for name, module in list(sys.modules.items()):
        if isinstance(module, types.ModuleType) and name.partition(".")[0] not in OURS:
            for key, value in vars(module).copy().items():
                plain = isinstance(value, FIXED) or (isinstance(value, types.BuiltinFunctionType) and isinstance(value.__self__, types.ModuleType))
                if not plain and not key.startswith("__") and type(value).__module__.partition(".")[0] not in DATA:
                    found.setdefault(id(value), (name, key, form(value)))
    return found


def _own_ways(kind: type) -> None:
    for each in kind.__mro__:
        own = [getattr(vars(each)[way], "__module__", "__main__") for way in OWN_WAYS if way in vars(each)]
        if each.__module__ == "__main__" and "__main__" in own:  # those of a dataclass or an enumeration are Python's
            raise Refused(f"{kind.__name__} says itself how it is pickled")


def _bounds(array: Any) -> tuple[int, int]:
    """The first byte of an array, and the one after its last."""
    begin = end = array.__array_interface__["data"][0]
    for length, step in zip(array.shape, array.strides, strict=True):
        begin, end = begin + min(0, (length - 1) * step), end + max(0, (length - 1) * step)
    return begin, end + array.itemsize


def _writes_apart() -> bool:
    """Whether pandas sees to it that a write to one frame is seen in no other (Copy-on-Write, which pandas 3 always has)."""
    pd = sys.modules.get("pandas")
    return pd is not None and int(str(getattr(pd, "__version__", "0")).partition(".")[0]) >= 3


def named(kind: type) -> str:
    module = kind.__module__
    return kind.__qualname__ if module in ("builtins", "__main__") else f"{module.partition('.')[0].lstrip('_')}.{kind.__qualname__}"
