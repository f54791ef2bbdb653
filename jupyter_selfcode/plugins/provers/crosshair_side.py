"""Asks CrossHair about functions. The text of this module is run by a process of its own inside the cage (`crosshair`), so it
imports Python and CrossHair and nothing of this package.

A question becomes a function of the same parameters that is true where nothing differs, and CrossHair is asked whether it can be
false. What CrossHair says of it is taken no further than it goes:

* Only `CONFIRMED` ("Confirmed over all paths", every branch of the search tree was closed) is a proof. Not confirmed within the
  time, no counterexample, a precondition that no path met: nothing is known.
* A float is mostly modelled as a real number, which rounds nowhere. Where one was made on the way, nothing is known either.
* An exception that CrossHair raises for itself, or because C code cannot take its symbols (a `TypeError` that names them), must not
  pass for one of the function: only exceptions that the function itself can mean are read as such, all others leave the path open.
* A counterexample is called again here, without CrossHair, before it is believed.
* A prover that finds nothing in code that has a mistake proves nothing: of the mistakes that come with a question one has to be found.
"""

import ast
import contextlib
import copy
import importlib
import json
import linecache
import os
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any

RAISED = (ArithmeticError, LookupError, ValueError, AssertionError)
"""What a function may mean by an exception."""

CHANGES = ("list", "dict")
"""Types whose values can be changed, as they stand in the text of a type."""

TESTED = 0.4
"""The part of a question's time that is kept for the mistakes."""

PURE = {"float": float, "nan": float("nan"), "inf": float("inf")}
"""Names in the text of a value."""


def loaded(name: str, text: str) -> "dict[str, Any]":
    """The names that a module's text binds; its lines can be read by who asks Python for the source."""
    file = f"<{name}>"
    linecache.cache[file] = len(text), None, text.splitlines(True), file
    module = type(sys)(name)
    module.__file__ = file
    sys.modules[name] = module
    exec(compile(text, file, "exec", dont_inherit=True), module.__dict__)
    return module.__dict__


def asking(asked: str, parameters: "list[list[str]]") -> str:
    """The text of the function that CrossHair is asked about. It calls `judged` with what it is given."""
    signature = ", ".join(f"{n}: {t}" for n, t in parameters)
    names = ", ".join(n for n, _ in parameters)
    return f'def question({signature}) -> bool:\n    """post: _"""\n    return judged(({names},))\n'


class Judge:
    """Whether two versions differ on some arguments: True where they do not. Runs under CrossHair and without it.

    Only what can be changed is copied and compared afterwards: a copied text is one that CrossHair never sees to its end.
    """

    def __init__(self, row: "Mapping[str, Any]", old: Any, new: Any, unsupported: type, fatal: "tuple[type, ...]") -> None:
        self._asked, self._old, self._new = row["asked"], old, new
        self._changes = [any(kind in t for kind in CHANGES) for _, t in row["parameters"]]
        self._unsupported, self._fatal = unsupported, fatal

    def raised(self, error: Exception) -> bool:
        """True for an exception of the function itself; else this path tells nothing."""
        if isinstance(error, self._fatal):
            raise error
        if isinstance(error, RAISED) or (isinstance(error, (TypeError, AttributeError)) and "Symbolic" not in str(error)):
            return True
        raise self._unsupported(f"{type(error).__name__}") from None

    def __call__(self, given: "tuple[Any, ...]") -> bool:
        one, other = (tuple([copy.deepcopy(g) if c else g for g, c in zip(given, self._changes)]) for _ in range(2))  # noqa: B905
        try:
            was = self._old(*one)
        except Exception as e:
            return self.raised(e)
        try:
            now = self._new(*other)
        except Exception as e:
            return not self.raised(e) or (self._asked == "asserted" and not isinstance(e, AssertionError))
        if self._asked == "asserted":
            return True
        left = [(a, b) for a, b, c in zip(one, other, self._changes) if c]  # noqa: B905
        return type(was) is type(now) and was == now and all(a == b for a, b in left)


class CrossHair:
    """CrossHair, as far as it is known here."""

    def __init__(self) -> None:
        self._core: Any = importlib.import_module("crosshair.core_and_libs")
        self._options: Any = importlib.import_module("crosshair.options")
        errors: Any = importlib.import_module("crosshair.util")
        z3: Any = importlib.import_module("z3")
        self.unsupported = errors.CrosshairUnsupported
        self.fatal = (errors.NotDeterministic, z3.Z3Exception)
        self.reals = 0
        builtins: Any = importlib.import_module("crosshair.libimpl.builtinslib")
        kind = builtins.RealBasedSymbolicFloat
        made = kind.__init__

        def counted(symbol: Any, *args: Any, **kwargs: Any) -> None:
            self.reals += 1
            made(symbol, *args, **kwargs)

        kind.__init__ = counted

    def explored(self, judge: Judge, text: str, seconds: float) -> "tuple[str, str]":
        """`CONFIRMED` and the like, and the message that goes with it."""
        names = loaded("_selfcode_question", text)
        names["judged"] = judge
        wanted = self._options.AnalysisOptionSet(
            analysis_kind=[self._options.AnalysisKind.PEP316], report_all=True, per_condition_timeout=seconds,
            max_uninteresting_iterations=0,
        )  # fmt: skip
        self.reals = 0
        found = self._core.run_checkables(self._core.analyze_function(names["question"], wanted))
        worst = next((m for m in found if m.state.name != "CONFIRMED"), found[0] if found else None)
        return (worst.state.name, worst.message) if worst else ("NONE", "")


def arguments(message: str) -> "tuple[Any, ...] | None":
    """The arguments in `false when calling question(3, [1]) (which returns False)`, as values."""
    start = message.find("question(")
    for end in range(len(message), start, -1) if start >= 0 else ():
        if message[end - 1] != ")":
            continue
        with contextlib.suppress(Exception):
            call = ast.parse(message[start:end], mode="eval").body
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "question":
                return tuple(_value(a) for a in (*call.args, *(k.value for k in call.keywords)))
    return None


def _value(node: ast.expr) -> Any:
    return eval(compile(ast.Expression(node), "<value>", "eval"), {"__builtins__": {}, **PURE})


def outcome(function: Any, given: "tuple[Any, ...]") -> str:
    """What a call gives, in words; with the arguments where it changes them."""
    own = copy.deepcopy(given)
    try:
        gave = repr(function(*own))
    except Exception as e:
        return f"raises {type(e).__name__}"
    return f"gives {gave[:80]}" + ("" if repr(own) == repr(given) else f" and leaves {repr(own)[:80]}")


def answered(crosshair: CrossHair, row: "Mapping[str, Any]", end: float) -> "list[str]":
    """The outcome, and what is said of it."""
    name, asked = row["name"], row["asked"]
    old, new = loaded("_selfcode_before", row["before"])[name], loaded("_selfcode_after", row["after"])[name]
    text = asking(asked, row["parameters"])
    left = max(0.5, end - time.monotonic())
    state, message = crosshair.explored(Judge(row, old, new, crosshair.unsupported, crosshair.fatal), text, left * (1 - TESTED))
    if state in ("POST_FAIL", "POST_ERR"):
        return _tried(Judge(row, old, new, crosshair.unsupported, ()), row, old, new, message)
    if state != "CONFIRMED":
        why = "not all of its paths could be explored in the time"
        return ["open", why if state == "CANNOT_CONFIRM" else f"it could not be followed ({state}: {message})"]
    if crosshair.reals:
        return ["open", "no path differs, but floats were taken for real numbers, which do not round"]
    for i, mistake in enumerate(row["mistakes"]):
        left = end - time.monotonic()
        if left <= 0:
            break
        wrong = loaded(f"_selfcode_mistake_{i}", mistake)[name]
        judge = Judge(row, old, wrong, crosshair.unsupported, crosshair.fatal)
        state, message = crosshair.explored(judge, text, left / (len(row["mistakes"]) - i))
        if state == "POST_FAIL" and _tried(Judge(row, old, wrong, crosshair.unsupported, ()), row, old, wrong, message)[0] == "differs":
            return ["proved", ""]
    return ["open", "no path differs, but no mistake that was put in for a test was found either"]


def _tried(judge: Judge, row: "Mapping[str, Any]", old: Any, new: Any, message: str) -> "list[str]":
    given = arguments(message)
    if given is None or len(given) != len(row["parameters"]):
        return ["open", "inputs were named that cannot be read"]
    try:
        if judge(given):
            return ["open", "inputs were named on which, tried again, nothing differs"]
    except BaseException as e:
        return ["open", f"inputs were named which, tried again, end in {type(e).__name__}"]
    shown = f"{row['name']}({', '.join(repr(g)[:80] for g in given)})"
    if row["asked"] == "asserted":
        return ["differs", f"{shown} fails an assertion"]
    return ["differs", f"{shown}: it {outcome(new, given)}, the old one {outcome(old, given)}"]


def answers(rows: "list[Mapping[str, Any]]", seconds: float) -> "Iterator[list[Any]]":
    """An answer to each, with its seconds: they share the time."""
    crosshair = CrossHair()
    end = time.monotonic() + seconds
    for i, row in enumerate(rows):
        start = time.monotonic()
        left = end - start
        if left <= 0:
            yield ["open", "no time was left for it", 0.0]
            continue
        try:
            said = answered(crosshair, row, start + left / (len(rows) - i))
        except Exception as e:
            said = ["open", f"CrossHair failed: {type(e).__name__}: {e}"[:160]]
        yield [*said, time.monotonic() - start]


def main() -> None:
    """Questions come as one JSON document, answers go as one line each."""
    out, asked = os.dup(1), json.loads(sys.stdin.read())
    os.dup2(2, 1)
    for answer in answers(asked["questions"], asked["seconds"]):
        os.write(out, (json.dumps(answer) + "\n").encode())


if __name__ == "__main__":
    main()
