"""The variables of a live kernel as pickles, made on the person's own thread while nothing else runs there. Never loaded here.

All names are one stream with one memory, so that what is one object stays one object, and an array that looks into another's
memory goes on doing so. Functions and classes of the notebook go by value (cloudpickle); functions find in the new process the
notebook's own names, and not a copy of those that they use. The file has no name: it is gone with the last process that holds it,
however that ends.

Left out, with the reason: what cannot be pickled; what only seems to be (an open file, a view of foreign memory); what the notebook
itself says how to pickle, for that is code of the notebook which a person has not asked to run; and what is unlike what it was when
it is loaded. Whatever a library raises or does on the way stays here: a name less, and the session goes on.
"""

from __future__ import annotations

import contextlib
import functools
import io
import mmap
import os
import pickle
import signal
import sys
import tempfile
import threading
import time
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cloudpickle  # type: ignore[import-untyped]

from ...analysis.surroundings import OURS
from ...analysis.unpickling import NAMESPACE, form
from .scratch import temp_root

LARGEST = 4 * 2**30
"""Bytes that go along at most, and never more than a third of the memory that is free."""

SMALL = 64 * 2**20
"""Bytes of one variable that goes along though nothing is known to need it."""

FIXED = (str, bytes, int, float, complex, type(None), tuple, frozenset, type, types.FunctionType, types.ModuleType)
"""What a module has and what can be told by its name or its value alone."""

DATA = ("numpy", "pandas", "polars", "pyarrow", "torch", "scipy", "xarray", "geopandas", "sklearn")
"""Libraries whose objects are data."""

AGAIN_SECONDS = 0.05
"""How soon it is said again that the time is up, to code that swallowed it the first time."""

OWN_WAYS = ("__reduce__", "__reduce_ex__", "__getstate__", "__getnewargs__", "__getnewargs_ex__", "__getattribute__", "__copyreg__")
DEVICES = ("tensorflow", "jax", "cupy", "pyspark", "ray", "distributed", "pymc")
"""Libraries whose state is outside of Python's memory, or of which it is not known that it is told."""


class CannotCopy(Exception):
    """Why the variables are not copied, in words."""


class _Late(BaseException):
    """The time is up. No `Exception`, so that code which is being pickled does not take it for one of its own."""


class _TooLarge(Exception):
    pass


class _Refused(Exception):
    pass


@dataclass(slots=True)
class Pickled:
    """What was copied: the file, the names in it, how many bytes they are, and of the other names why not. `seconds`: how long the
    live kernel did nothing else."""

    file: io.FileIO
    names: tuple[str, ...]
    size: int
    left_out: Mapping[str, str]
    seconds: float
    settings: Mapping[str, Any] = field(default_factory=dict)

    def reader(self) -> int:
        """A descriptor of its own, at the beginning of the file, only for reading. Whoever asks closes it."""
        return os.open(f"/proc/self/fd/{self.file.fileno()}", os.O_RDONLY)

    def close(self) -> None:
        """Give back the room that it takes, though another process may still hold the file."""
        if not self.file.closed:
            with contextlib.suppress(OSError):
                self.file.truncate(0)
            self.file.close()


class _File:
    """What the pickler writes to."""

    def __init__(self, file: io.FileIO, most: int) -> None:
        self.file, self.size, self.most = file, 0, most

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        length = view.nbytes
        self.size += length
        if self.size > self.most:
            raise _TooLarge
        while view.nbytes:
            view = view[self.file.write(view) :]
        return length

    def back(self, to: int) -> None:
        self.size = to
        self.file.truncate(to)
        self.file.seek(to)


class _Taker(cloudpickle.Pickler):  # type: ignore[misc]
    """Writes names, one after the other."""

    def __init__(self, file: _File, namespace: dict[str, Any]) -> None:
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
            raise _Refused("a function with a cache")
        elif kind.__module__.partition(".")[0] in OURS and not isinstance(obj, type):
            raise _Refused("it belongs to the kernel")
        elif isinstance(obj, (io.IOBase, memoryview, mmap.mmap)) and not isinstance(obj, (io.StringIO, io.BytesIO)):
            raise _Refused(f"{_named(kind)}")
        np = sys.modules.get("numpy")
        if np is not None and isinstance(obj, np.ndarray):
            if isinstance(obj, np.memmap):
                raise _Refused("a view of a file")
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
                raise _Refused("it is on a GPU")
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
        """Write one name. Whatever is raised, the stream is then as if it had not been tried."""
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
            raise _Refused(f"{kind.__name__} says itself how it is pickled")


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


def _named(kind: type) -> str:
    module = kind.__module__
    return kind.__qualname__ if module in ("builtins", "__main__") else f"{module.partition('.')[0].lstrip('_')}.{kind.__qualname__}"


@contextlib.contextmanager
def _within(seconds: float) -> Iterator[None]:
    """The time that this may take. Raises `CannotCopy` where it cannot be held, for it has to be: the person waits."""
    if threading.current_thread() is not threading.main_thread():
        raise CannotCopy("the time that it takes can be bounded on the main thread only")
    if signal.getitimer(signal.ITIMER_REAL)[0]:
        raise CannotCopy("the session has an alarm of its own")
    on = True

    def late(*_: object) -> None:
        if on:
            raise _Late

    before = signal.signal(signal.SIGALRM, late)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN_SECONDS)
        yield
    finally:
        while True:
            try:
                on = False
                signal.setitimer(signal.ITIMER_REAL, 0)
                signal.signal(signal.SIGALRM, before)
                break
            except _Late:  # it was on its way
                continue


def take(
    namespace: dict[str, Any], needed: Sequence[str], others: Sequence[str], settings: Mapping[str, Any], *, seconds: float,
    most: int = LARGEST,
) -> Pickled:
    """Copy these names as they are now: `needed`, without which it is of no use, and of the `others` what goes along easily.

    Raises `CannotCopy` with the reason, and KeyboardInterrupt where the person stops it. Nothing of it stays then.
    """
    if device := next((d for d in DEVICES if d in sys.modules), ""):
        raise CannotCopy(f"{device} keeps state that is in no variable")
    start = time.monotonic()
    try:
        file = _unnamed()
    except OSError as e:
        raise CannotCopy(f"there is no place for it below {tempfile.gettempdir()} ({e.strerror or e})") from e
    try:
        left_out: dict[str, str] = {}
        taken: list[str] = []
        to = _File(file, min(most, _free() // 3))
        taker = _Taker(to, namespace)
        try:
            with _within(seconds):
                taker.dump(dict(settings))
                for name in needed:
                    _take(taker, name, namespace[name], taken)
                most, to.most = to.most, min(to.most, to.size + SMALL)
                for name in others:
                    to.most = min(most, to.size + SMALL)
                    try:
                        _take(taker, name, namespace[name], taken)
                    except CannotCopy as e:
                        left_out[name] = e.args[1] if len(e.args) > 1 else str(e)
                to.most = most + 2**10
                taker.dump(None)
                for name in taker.shared():
                    if name in needed:
                        raise CannotCopy(f"`{name}` shares memory with another variable", "it shares memory")
                    taken.remove(name)
                    left_out[name] = "it shares memory with another variable"
        except _Late:
            raise CannotCopy(f"it takes longer than {seconds:.2g} s") from None
        except (CannotCopy, KeyboardInterrupt):
            raise
        except OSError as e:
            raise CannotCopy(e.strerror or type(e).__name__) from e
        except BaseException as e:
            raise CannotCopy(f"{type(e).__name__} in copying settings") from e
        return Pickled(file, tuple(taken), to.size, left_out, time.monotonic() - start, settings)
    except BaseException:
        file.close()
        raise


def _take(taker: _Taker, name: str, value: Any, taken: list[str]) -> None:
    """One name. Raises `CannotCopy` with what is to be said of the whole, and of this name."""
    why = ""
    try:
        taker.take(name, value)
    except (_Late, KeyboardInterrupt):
        raise
    except _TooLarge:
        why = f"it is too large: more than {_amount(taker.to.most)} in all"
    except _Refused as e:
        why = str(e)
    except MemoryError:
        why = "memory is short"
    except OSError as e:
        why = f"{e.strerror or type(e).__name__}"
    except (pickle.PicklingError, TypeError, AttributeError) as e:
        why = _named(type(value)) + _said(e, type(value).__name__)
    except BaseException as e:  # whatever a library does when it is asked, SystemExit too
        why = f"{_named(type(value))}: {type(e).__name__}"
    if why:
        raise CannotCopy(f"`{name}` ({why})", why)
    taken.append(name)


def _said(error: Exception, kind: str) -> str:
    """What in it cannot be pickled, where that is not the value itself."""
    with contextlib.suppress(Exception):
        text = " ".join(str(error).split())
        return "" if kind in text or not text.startswith("cannot pickle") else f": {text[:100]}"
    return ""


def _unnamed() -> io.FileIO:
    """A file without a name, for this user only."""
    root = temp_root()
    try:
        return open(os.open(root, os.O_TMPFILE | os.O_RDWR, 0o600), "w+b", buffering=0)  # noqa: PTH123
    except OSError:  # a file system that knows no such thing
        descriptor, path = tempfile.mkstemp(dir=root)
        Path(path).unlink()
        return open(descriptor, "w+b", buffering=0)  # noqa: PTH123


def _free() -> int:
    """Bytes of memory that are free."""
    with contextlib.suppress(OSError, ValueError):
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    return 2 * LARGEST


def _amount(size: int) -> str:
    return f"{size / 2**20:,.0f} MB" if size >= 2**20 else f"{max(1, round(size / 2**10))} kB"
