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
import io
import os
import pickle
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...analysis.printable import amount
from .pickler import File, Refused, Taker, TooLarge, named
from .scratch import temp_root

LARGEST = 4 * 2**30
"""Bytes that go along at most, and never more than a third of the memory that is free."""

SMALL = 64 * 2**20
"""Bytes of one variable that goes along though nothing is known to need it."""

AGAIN_SECONDS = 0.05
"""How soon it is said again that the time is up, to code that swallowed it the first time."""

DEVICES = ("tensorflow", "jax", "cupy", "pyspark", "ray", "distributed", "pymc")
"""Libraries whose state is outside of Python's memory, or of which it is not known that it is told."""


class CannotCopy(Exception):
    """Why the variables are not copied, in words."""


class _Late(BaseException):
    """The time is up. No `Exception`, so that code which is being pickled does not take it for one of its own."""


@dataclass(slots=True)
class Pickled:
    """What was copied: the file, the names in it, how many bytes they are, and of the other names why not. `seconds`: how long the
    live kernel did nothing else."""

    file: io.FileIO
    names: tuple[str, ...]
    size: int
    left_out: Mapping[str, str]
    seconds: float

    def reader(self) -> int:
        """A descriptor of its own, at the beginning of the file, only for reading. Whoever asks closes it."""
        return os.open(f"/proc/self/fd/{self.file.fileno()}", os.O_RDONLY)

    def close(self) -> None:
        """Give back the room that it takes, though another process may still hold the file."""
        if not self.file.closed:
            with contextlib.suppress(OSError):
                self.file.truncate(0)
            self.file.close()


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
        to = File(file, min(most, _free() // 3))
        taker = Taker(to, namespace)
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
        return Pickled(file, tuple(taken), to.size, left_out, time.monotonic() - start)
    except BaseException:
        file.close()
        raise


def _take(taker: Taker, name: str, value: Any, taken: list[str]) -> None:
    """One name. Raises `CannotCopy` with what is to be said of the whole, and of this name."""
    why = ""
    try:
        taker.take(name, value)
    except (_Late, KeyboardInterrupt):
        raise
    except TooLarge:
        why = f"it is too large: more than {amount(taker.to.most)} in all"
    except Refused as e:
        why = str(e)
    except MemoryError:
        why = "memory is short"
    except OSError as e:
        why = f"{e.strerror or type(e).__name__}"
    except (pickle.PicklingError, TypeError, AttributeError) as e:
        why = named(type(value)) + _said(e, type(value).__name__)
    except BaseException as e:  # whatever a library does when it is asked, SystemExit too
        why = f"{named(type(value))}: {type(e).__name__}"
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

