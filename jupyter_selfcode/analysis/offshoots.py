"""Runs other versions of cells in forks of the kernel, so that each finds the state as it is and leaves no trace in it.
The text of this module and of `probing` is sent to the kernel, so it imports only Python and nothing of this package.

A child shows nothing, sends nothing and writes no history: what it prints and displays is kept as digests. It has its own
time, after which it and all that it started are killed: a library whose threads did not come along may hang in it.
Files that a child writes stay; whoever asks runs the same code first and last and compares.
"""

import ast
import contextlib
import hashlib
import json
import os
import re
import select
import signal
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

REPLY = 900_000
"""Characters that one child may answer."""

ITEMS = 100_000
"""Items of one value that are looked at one by one."""


class Untold(Exception):
    """A value that has no text which is the same for the same value."""


def text_of(value: Any, left: "list[int]", depth: int = 0) -> str:
    """A text that is the same for the same value. Raises `Untold`."""
    left[0] -= 1
    if depth > 12 or left[0] < 0:
        raise Untold
    kind = type(value)
    name = f"{kind.__module__}.{kind.__qualname__}"
    if value is None or kind in (bool, int, float, complex, str, bytes, range, slice):
        return f"{kind.__name__}:{value!r}"
    if kind in (list, tuple):
        return f"{kind.__name__}[{','.join(text_of(v, left, depth + 1) for v in value)}]"
    if kind in (set, frozenset):
        return f"{kind.__name__}[{','.join(sorted(text_of(v, left, depth + 1) for v in value))}]"
    if isinstance(value, dict):
        return f"{name}{{{','.join(text_of(k, left, depth + 1) + '=' + text_of(v, left, depth + 1) for k, v in value.items())}}}"
    if name == "builtins.module":
        return f"module:{value.__name__}"
    if isinstance(value, type):
        own = {k: v for k, v in vars(value).items() if hasattr(v, "__code__") or type(v) in (bool, int, float, str)}
        return f"type:{value.__qualname__}{text_of(own, left, depth + 1)}"
    if hasattr(value, "__code__"):
        code = value.__code__
        parts = [code.co_code.hex(), *(repr(c) if not hasattr(c, "co_code") else c.co_code.hex() + repr(c.co_consts) for c in code.co_consts)]
        return f"function:{parts}{code.co_names}{text_of(value.__defaults__, left, depth + 1)}"
    np, pd = sys.modules.get("numpy"), sys.modules.get("pandas")
    if np is not None and isinstance(value, np.ndarray):
        data = value.tobytes() if value.dtype != object else text_of(value.tolist(), left, depth + 1).encode()
        return f"{name}{value.dtype}{value.shape}{hashlib.blake2b(data).hexdigest()}"
    if np is not None and isinstance(value, np.generic):
        return f"{name}:{value!r}"
    if pd is not None and isinstance(value, (pd.DataFrame, pd.Series, pd.Index)):
        return _pandas(pd, value, name, left, depth)
    if kind.__module__ in ("datetime", "decimal", "fractions", "uuid", "pathlib") or name.startswith("pandas."):
        return f"{name}:{value!r}"
    inside = getattr(value, "__dict__", None)
    if isinstance(inside, dict) and not kind.__module__.startswith("matplotlib"):
        return name + text_of(dict(sorted(inside.items(), key=lambda item: str(item[0]))), left, depth + 1)
    raise Untold


def _pandas(pd: Any, value: Any, name: str, left: "list[int]", depth: int) -> str:
    if isinstance(value, pd.DataFrame):
        columns = [text_of(value.columns.tolist(), left, depth + 1), text_of(list(map(str, value.dtypes)), left, depth + 1)]
        hashed = pd.util.hash_pandas_object(value, index=True).to_numpy().tobytes()
    else:
        columns = [str(value.dtype), text_of(getattr(value, "name", None), left, depth + 1)]
        hashed = pd.util.hash_pandas_object(value, index=True).to_numpy().tobytes()
    return f"{name}{columns}{hashlib.blake2b(hashed).hexdigest()}"


def digests(names: "list[str]", namespace: "dict[str, Any]") -> "dict[str, str | None]":
    """By name a digest of its value; "" where it is not bound, None where its value cannot be told from another."""
    found: dict[str, str | None] = {}
    for name in names:
        try:
            found[name] = hashlib.blake2b(text_of(namespace[name], [ITEMS]).encode(errors="replace"), digest_size=8).hexdigest()
        except KeyError:
            found[name] = ""
        except BaseException:
            found[name] = None
    return found


class _Shown:
    """What a step displays, in place of what would send it to front ends."""

    def __init__(self) -> None:
        self.parts: list[str] = []

    def value(self, value: Any) -> None:
        """A value at the end of a cell."""
        if value is not None:
            self.parts.append(re.sub(r"0x[0-9a-f]{6,}", "0x", repr(value)))

    def publish(self, data: Any = None, metadata: Any = None, **_: Any) -> None:
        """As `display` says it."""
        self.parts.append(re.sub(r"0x[0-9a-f]{6,}", "0x", json.dumps(data or {}, sort_keys=True, default=str)))

    def clear_output(self, wait: bool = False) -> None:
        """Nothing is shown that could be cleared."""

    def figures(self) -> None:
        """Figures that were drawn, and closed: the next cell begins with none, as in a notebook."""
        plt = sys.modules.get("matplotlib.pyplot")
        if plt is None:
            return
        import io

        for number in plt.get_fignums():
            held = io.BytesIO()
            try:
                plt.figure(number).savefig(held, format="png", dpi=40, metadata={"Software": None})
            except BaseException:
                held.write(b"?")
            self.parts.append(hashlib.blake2b(held.getvalue()).hexdigest())
        plt.close("all")


def _quiet(shell: Any, shown: _Shown) -> None:
    """Nothing of what the child shows reaches the sockets of the kernel, whose threads did not come along."""
    if shell is None:
        return
    kept: Any = sys.modules["IPython.core.displaypub"].DisplayPublisher()
    kept.publish, kept.clear_output = shown.publish, shown.clear_output
    shell.display_pub = kept


def _step(source: str, namespace: "dict[str, Any]", shell: Any, shown: _Shown) -> None:
    text = shell.transform_cell(source) if shell is not None else source
    tree = ast.parse(text)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else ast.Pass()
    exec(compile(tree, "<cell>", "exec"), namespace)
    if isinstance(last, ast.Expr):
        value = eval(compile(ast.Expression(last.value), "<cell>", "eval"), namespace)
        if not source.rstrip().endswith(";"):
            shown.value(value)


def _work(
    steps: "list[list[Any]]", names: "list[str]", namespace: "dict[str, Any]", run_examples: Callable[..., Any], capture: Any
) -> "dict[str, Any]":
    """Run the steps to the first that raises: `[[exception or null, digest of what it showed, what examples gave], …]`."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    done: list[Any] = []
    for source, examples, tolerant in steps:
        shown, printed = _Shown(), capture()
        _quiet(shell, shown)
        sys.stdout, sys.stderr, sys.displayhook = printed, capture(), shown.value
        raised = None
        try:
            _step(source, namespace, shell, shown)
        except BaseException as e:
            raised = f"{type(e).__name__}: {e}"[:300]
        shown.figures()
        seen = hashlib.blake2b("\0".join([*shown.parts, printed.said()]).encode(errors="replace"), digest_size=8).hexdigest()
        if raised is not None and not tolerant:
            done.append([raised, seen, []])
            break
        done.append([raised, seen, run_examples(examples, namespace)["got"] if examples else []])
    return {"steps": done, "values": digests(names, namespace)}


def offshoot(
    steps: "list[list[Any]]", names: "list[str]", namespace: "dict[str, Any]", seconds: float,
    run_examples: Callable[..., Any], capture: Any,
) -> "dict[str, Any]":
    """Run steps (source, its examples, whether it may raise) in a fork; `{"state": "done" | "late" | "died", …}`."""
    if not hasattr(os, "fork"):
        return {"state": "none"}
    ours, theirs = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that threads do not come along is known, and what hangs is killed
        pid = os.fork()
    if pid == 0:
        try:
            os.setpgid(0, 0)
            os.close(ours)
            nothing = os.open(os.devnull, os.O_RDWR)
            for fd in (0, 1, 2):
                os.dup2(nothing, fd)
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            text = json.dumps(_work(steps, names, namespace, run_examples, capture))
            data = memoryview(text.encode()[:REPLY])
            while data:
                data = data[os.write(theirs, data) :]
        except BaseException:
            os._exit(1)
        finally:
            os._exit(0)
    os.close(theirs)
    received, deadline, late = bytearray(), time.monotonic() + seconds, False
    try:
        while len(received) <= REPLY:
            left = deadline - time.monotonic()
            late = left <= 0 or not select.select([ours], [], [], left)[0]
            part = b"" if late else os.read(ours, 65536)
            if not part:
                break
            received += part
    finally:
        os.close(ours)
        for kill in (os.killpg, os.kill):
            with contextlib.suppress(OSError):
                kill(pid, signal.SIGKILL)
        with contextlib.suppress(OSError):
            os.waitpid(pid, 0)
    if late:
        return {"state": "late"}
    try:
        return {"state": "done", **json.loads(received)}
    except ValueError:
        return {"state": "died"}
