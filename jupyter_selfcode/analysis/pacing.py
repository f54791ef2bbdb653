"""Runs two versions of a cell in turn on copies of one state, and measures. The text of this module is sent to the kernel beside
`carrying` and `outlining`, so it imports only Python and nothing of this package; `paces` wraps it.

Before each run every name is bound as it was, what a version may change is copied anew, and the random numbers of Python and
NumPy begin where they began; none of this is timed. What a run prints or displays is caught and dropped.
"""

import contextlib
import copy
import gc
import importlib
import io
import random
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from typing import Any

PAIRS = 40
"""Pairs of runs, at most."""

CLEAR = 10, 1.2
"""So many pairs are enough where one version wins every one of them by this factor or more."""


class Unfit(Exception):
    """The cell cannot be run again and again here; the message says why."""


class _Nothing(io.TextIOBase):
    def write(self, text: str) -> int:
        return len(text)


class State:
    """The namespace as it is, to begin from again and again. `changes`: names whose objects a run may change."""

    def __init__(self, namespace: "dict[str, Any]", changes: "Iterable[str]") -> None:
        self.namespace = namespace
        self._bound = dict(namespace)
        self._np: Any = sys.modules.get("numpy")
        self._random = random.getstate(), self._np.random.get_state() if self._np else None
        self._kept: dict[str, Any] = {}
        self._changes = [n for n in changes if n in namespace and not callable(namespace[n]) and type(namespace[n]) is not type(sys)]
        self._kept = self._copied({n: namespace[n] for n in self._changes})
        plt: Any = sys.modules.get("matplotlib.pyplot")
        self._figures = set(plt.get_fignums()) if plt else set()

    def _copied(self, objects: "dict[str, Any]") -> "dict[str, Any]":
        try:
            return copy.deepcopy(objects)  # at once: two names of one object stay so
        except Exception as e:
            raise Unfit(f"what it changes cannot be copied ({type(e).__name__}: {e})"[:160]) from None

    def begin(self) -> None:
        """Everything as it was."""
        names = self.namespace
        for name in [n for n in names if n not in self._bound]:
            del names[name]
        names.update(self._bound)
        names.update(self._copied(self._kept))
        random.setstate(self._random[0])
        if self._np is not None and self._random[1] is not None:
            self._np.random.set_state(self._random[1])
        plt: Any = sys.modules.get("matplotlib.pyplot")
        for number in set(plt.get_fignums()) - self._figures if plt else ():
            plt.close(number)


@contextlib.contextmanager
def silent() -> "Iterator[None]":
    """Nothing is shown."""
    shell: Any = None
    if "IPython" in sys.modules:
        shell = sys.modules["IPython"].get_ipython()
    with contextlib.ExitStack() as held:
        held.enter_context(contextlib.redirect_stdout(_Nothing()))
        held.enter_context(contextlib.redirect_stderr(_Nothing()))
        if shell is not None:
            capture: Any = importlib.import_module("IPython.utils.capture")
            held.enter_context(capture.capture_output(stdout=False, stderr=False, display=True))
        yield


def run(state: State, code: Any) -> float:
    """Seconds of one run."""
    state.begin()
    gc.collect()
    with silent():
        start = time.perf_counter()
        try:
            exec(code, state.namespace)
        except BaseException as e:
            if isinstance(e, KeyboardInterrupt):
                raise
            raise Unfit(f"it fails when it runs again: {type(e).__name__}: {e}"[:200]) from None
        return time.perf_counter() - start


def peak(state: State, code: Any) -> int:
    """Bytes that one run allocates at its highest, as Python and NumPy tell `tracemalloc`."""
    state.begin()
    gc.collect()
    tracemalloc.start()
    try:
        with silent():
            exec(code, state.namespace)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def compare(
    sources: "tuple[str, str]", changes: "Iterable[str]", seconds: float, fewest: int, namespace: "dict[str, Any]",
    tell: "Callable[[], Any]",
) -> "dict[str, Any]":
    """Times of both versions in turn, their peak memory, and what `tell` says of the variables after each."""
    begun = time.perf_counter()
    state = None
    try:
        codes = [compile(source, f"<version {i}>", "exec") for i, source in enumerate(sources)]
        state = State(namespace, changes)
        first, told = [], []
        for code in codes:  # what is done once only (caches, imports) is done before anything counts
            first.append(run(state, code))
            told.append(tell())
        pairs = min(PAIRS, int(seconds / max(sum(first) * 1.2, 1e-6)))
        if pairs < fewest:
            raise Unfit(f"one run of each takes {sum(first):.1f} s, too long to be timed in {fewest} pairs within {seconds:.0f} s")
        times: list[list[float]] = [[], []]
        for i in range(pairs):
            for which in ((0, 1), (1, 0))[i % 2]:
                times[which].append(run(state, codes[which]))
            late = len(times[0]) >= fewest and time.perf_counter() - begun > 1.5 * seconds
            ratios = [a / b for a, b in zip(*times, strict=True) if b]
            if late or (len(ratios) >= CLEAR[0] and (min(ratios) > CLEAR[1] or max(ratios) < 1 / CLEAR[1])):
                break
        memory: list[list[int]] = [[], []]
        won = min(ratios) > 1  # then memory is told too, where it costs little; else it is what may be won
        end = time.perf_counter() + (0.5 if won else 2) * seconds
        while len(memory[0]) < fewest and time.perf_counter() + 4 * (fewest - len(memory[0])) * sum(first) < end:
            for which in (0, 1):
                memory[which].append(peak(state, codes[which]))
    except SyntaxError as e:
        return {"failed": f"it cannot be compiled by itself: {e.msg}"}
    except Unfit as e:
        return {"failed": str(e)}
    finally:
        if state is not None:
            state.begin()
    return {"times": times, "memory": memory, "told": told, "seconds": time.perf_counter() - begun}
