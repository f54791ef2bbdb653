"""The state of a process that belongs to no variable: settings of libraries, random numbers, what was patched. Runs INSIDE a
kernel too. The text of this module is sent there, so it imports only Python and nothing of this package; `copying` wraps it.

`settings` gives what can be put into another process exactly, and `establish` puts it there. `told` describes all of it and more,
by what can be compared: two processes that tell the same are taken to be alike. What nobody thought of is not in it, but for what
stands in the modules themselves: a function that was replaced, a class that gained a method, a constant of a package that the
notebook imports.
"""

import contextlib
import decimal
import hashlib
import locale
import logging
import os
import random
import socket
import sys
import time
import types
import warnings
from typing import Any

OURS = (
    "IPython", "ipykernel", "ipython_pygments_lexers", "jupyter_client", "jupyter_core", "jupyter_selfcode", "zmq", "tornado", "traitlets", "comm", "debugpy",
    "_pydevd_bundle", "_pydev_bundle", "pydevd", "nest_asyncio", "prompt_toolkit", "pexpect", "ptyprocess", "psutil", "selfcode_forkable", "IPKernelApp", "Threadless", "__main__",
    "__mp_main__", "cloudpickle", "jedi", "parso", "backcall", "decorator", "pygments", "matplotlib_inline", "executing", "stack_data", "asttokens", "pure_eval",
)
"""Packages that are the kernel's own or ours: how they stand says nothing of the notebook."""

RESTLESS = (
    "threading", "_thread", "asyncio", "concurrent", "logging", "signal", "selectors", "subprocess", "_weakrefset", "weakref", "linecache",
    "builtins", "sys", "getpass", "atexit", "site", "warnings", "importlib", "_frozen_importlib", "_frozen_importlib_external", "zipimport",
    "multiprocessing", "faulthandler",
)
"""Modules of Python that a kernel patches, or whose state is told apart: theirs is not compared as text."""

RC_ASIDE = ("backend", "backend_fallback", "interactive", "toolbar", "webagg.port", "webagg.address", "datapath", "savefig.directory")
SCALARS: "tuple[type, ...]" = (bool, int, float, complex, str, bytes, type(None))
ITEMS, DEPTH = 200, 3
"""How many items of a container are read, and how deep; a larger one is told by its length."""

VARYING = ("numpy.f2py.rules", "matplotlib.backends")
"""Modules with a constant that is another one in every process, or is set when it is used."""

WRAPPED = ("draw_if_interactive",)
"""Functions that a kernel wraps for itself when they are used."""

GENTLE = {"PYDEVD_USE_FRAME_EVAL", "COLUMNS", "LINES", "CLICOLOR", "CLICOLOR_FORCE", "FORCE_COLOR", "PAGER", "GIT_PAGER", "TERM", "MPLBACKEND"}
"""Variables of the environment that a kernel sets for itself."""


def settings() -> "dict[str, Any]":
    """What can be put into another process exactly, by the name of what has it; only of libraries that are loaded."""
    found: dict[str, Any] = {
        "random": random.getstate(), "decimal": decimal.getcontext().copy(), "recursion": sys.getrecursionlimit(),
        "warnings": list(warnings.filters),
    }  # fmt: skip
    np, mpl, pd, sk, torch = (sys.modules.get(n) for n in ("numpy", "matplotlib", "pandas", "sklearn", "torch"))
    if np is not None and "numpy.random" in sys.modules:
        found["numpy.random"] = np.random.get_state()
    if np is not None:
        found["numpy"] = (np.get_printoptions(), np.geterr())
    if mpl is not None and hasattr(mpl, "rcParams"):
        found["matplotlib"] = {k: v for k, v in dict.items(mpl.rcParams) if k not in RC_ASIDE}
    if pd is not None:
        found["pandas"] = _pandas(pd)
    if sk is not None:
        found["sklearn"] = sk.get_config()
    if torch is not None and hasattr(torch, "get_rng_state"):
        found["torch"] = torch.get_rng_state().numpy()
    return found


def _pandas(pd: Any) -> "dict[str, Any]":
    known = sys.modules["pandas._config.config"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {name: pd.get_option(name) for name in vars(known)["_registered_options"]}


def establish(found: "dict[str, Any]") -> None:
    """Put settings into this process; the libraries that have them are loaded."""
    np, mpl, pd, sk, torch = (sys.modules.get(n) for n in ("numpy", "matplotlib", "pandas", "sklearn", "torch"))
    sys.setrecursionlimit(found["recursion"])
    decimal.setcontext(found["decimal"])
    if "numpy" in found and np is not None:
        shown, errors = found["numpy"]
        np.set_printoptions(**shown)
        np.seterr(**errors)
    if "matplotlib" in found and mpl is not None:
        dict.update(mpl.rcParams, found["matplotlib"])
    if "pandas" in found and pd is not None:
        now = _pandas(pd)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for name, value in found["pandas"].items():
                if not _alike(now.get(name), value):
                    pd.set_option(name, value)
    if "sklearn" in found and sk is not None:
        sk.set_config(**found["sklearn"])
    if "torch" in found and torch is not None:
        torch.set_rng_state(torch.from_numpy(found["torch"].copy()))
    if "numpy.random" in found and np is not None:
        np.random.set_state(found["numpy.random"])
    random.setstate(found["random"])
    warnings.filters[:] = found["warnings"]  # type: ignore[index]
    warnings._filters_mutated() if hasattr(warnings, "_filters_mutated") else warnings._filters_mutated_lock_held()  # type: ignore[attr-defined]


def _alike(a: Any, b: Any) -> bool:
    return type(a) is type(b) and kind_of(a) == kind_of(b)


# ---- what is compared ------------------------------------------------------------------------------------------------


def told(packages: "list[str]", folder: str, carried: "dict[str, Any]") -> "dict[str, str]":
    """What tells this process from another, by the name of what has it. `packages` are those that the notebook imports, whose
    constants are read too; `folder` is the notebook's, which may have another path in the other process; `carried` are the
    `settings` that go along."""
    found = {name: _digest(kind_of(value)) for name, value in carried.items()}
    found |= {
        "logging": kind_of(_loggers(packages)),
        "locale": kind_of([locale.setlocale(c) for c in (locale.LC_NUMERIC, locale.LC_TIME, locale.LC_COLLATE, locale.LC_MONETARY)]),
        "the time zone": kind_of(time.tzname),
        "socket": kind_of(socket.getdefaulttimeout()),
        "sys.path": kind_of(_path(folder)),
        "the working folder": "." if os.path.realpath(os.getcwd()) == os.path.realpath(folder) else os.getcwd(),  # noqa: PTH109
        "the environment": kind_of(_environment()),
        "builtins": kind_of(sorted(set(dir(sys.modules["builtins"])) - {"__tracebackhide__", "__IPYTHON__", "display", "get_ipython", "execfile", "runfile"})),
        "IPython": kind_of(_shown()),
    }
    pl, torch = sys.modules.get("polars"), sys.modules.get("torch")
    if torch is not None:
        found["torch.settings"] = kind_of((str(torch.get_default_dtype()), torch.is_grad_enabled(), torch.are_deterministic_algorithms_enabled()))
    if pl is not None:
        found["polars"] = kind_of(pl.Config.state())
    return found


def modules(packages: "list[str]", only: "list[str] | None" = None) -> "dict[str, dict[str, str]]":
    """By module and by what it holds, how that stands (`only`: of these modules). Functions and classes; of a package that the
    notebook imports the public constants too, and of a module of the person's own everything: what cannot be read there is never
    the same."""
    found = {}
    for name, module in list(sys.modules.items()):
        top = name.partition(".")[0]
        if top not in OURS and top not in RESTLESS and isinstance(module, types.ModuleType) and (only is None or name in only):
            with contextlib.suppress(Exception):  # a module that answers nothing is told by nothing
                found[name] = _module(module, name, packages)
    return found


def digests(rows: "dict[str, dict[str, str]]") -> "dict[str, str]":
    """The same, short enough to be sent."""
    return {name: _digest(repr(sorted(row.items()))) for name, row in rows.items()}


def _module(module: types.ModuleType, name: str, packages: "list[str]") -> "dict[str, str]":
    own = is_own(module)
    deep = own or (name.partition(".")[0] in packages and name not in VARYING and "._" not in name)
    rows = {}
    for key, value in vars(module).copy().items():
        if key.startswith("__") or key in WRAPPED:
            continue
        if isinstance(value, type):
            if own or not key.startswith("_"):
                rows[key] = kind_of(value) + (_class(value) if value.__module__ == name else "")
        elif callable(value):
            rows[key] = kind_of(value)
        elif own:
            rows[key] = _whole(value)
        elif deep and not key.startswith("_") and isinstance(value, (*SCALARS, list, tuple, dict, set, frozenset)):
            rows[key] = kind_of(value)
    return rows


def is_own(module: types.ModuleType) -> bool:
    """Whether a module is a file of the person's own: neither Python's nor an installed one."""
    file = getattr(module, "__file__", None)
    if not isinstance(file, str):
        return False
    real = os.path.realpath(file)
    return not real.startswith((os.path.realpath(sys.prefix), os.path.realpath(sys.base_prefix))) and "site-packages" not in real and "dist-packages" not in real


def _whole(value: Any, depth: int = 0) -> str:
    """A value with all that it holds; what is not known to be told by that is told by chance, so that it equals nothing."""
    kind = type(value)
    plain = kind_of(value)
    if kind in (list, tuple, set, frozenset, dict) and depth < DEPTH and len(value) <= ITEMS:
        parts = [(_whole(k, depth + 1) + ":" + _whole(v, depth + 1)) for k, v in value.items()] if kind is dict else [_whole(v, depth + 1) for v in value]
        return kind.__name__ + "(" + ",".join(sorted(parts) if kind in (set, frozenset) else parts) + ")"
    if not plain.startswith("a ") and " of " not in plain:
        return plain
    if kind.__module__ in ("__future__", "re", "datetime", "decimal", "fractions", "pathlib", "zoneinfo", "enum", "typing", "logging", "_pydatetime", "pathlib._local"):
        return f"{plain} {value!r}"
    held = getattr(value, "__dict__", None)
    if type(held) is dict and depth < DEPTH and kind.__module__ in sys.modules and is_own(sys.modules[kind.__module__]) and not hasattr(kind, "__slots__"):
        return plain + _whole(held, depth + 1)
    return plain + " " + os.urandom(8).hex()


def _class(value: type) -> str:
    """The methods of a class, and the names of what else it has: what was added or replaced from outside is seen."""
    rows = []
    for key, held in sorted(vars(value).items()):
        held = getattr(held, "__func__", held)
        if isinstance(held, property):
            held = held.fget
        if isinstance(held, (types.FunctionType, types.MethodType)):
            rows.append(f"{key}:{kind_of(held)}")
        elif not key.startswith("_"):
            rows.append(f"{key}:{type(held).__name__}")
    return "{" + ";".join(rows) + "}"


def kind_of(value: Any, depth: int = 0) -> str:
    """A value as text: what is plain by its value, a function by its code, all else by its type."""
    kind = type(value)
    if kind in SCALARS:
        return "a path" if kind is str and value.startswith(("/", "~")) else repr(value)
    if kind.__module__ == "re":
        return repr(value)
    if isinstance(value, types.FunctionType):
        code = value.__code__
        return f"function {value.__module__}.{value.__qualname__}:{_digest(repr((code.co_code, code.co_names, code.co_varnames)))}"
    if isinstance(value, type):
        return f"class {value.__module__}.{value.__qualname__}"
    if isinstance(value, types.MethodType):
        return "method " + kind_of(value.__func__, depth)
    if isinstance(value, types.ModuleType):
        return f"module {value.__name__}"
    if kind in (list, tuple, set, frozenset, dict) and depth < DEPTH and len(value) <= ITEMS * (1 + 4 * (depth == 0)):
        if kind is dict:
            return "{" + ",".join(sorted(f"{kind_of(k, depth + 1)}:{kind_of(v, depth + 1)}" for k, v in value.items())) + "}"
        items = [kind_of(item, depth + 1) for item in value]
        return kind.__name__ + "(" + ",".join(sorted(items) if kind in (set, frozenset) else items) + ")"
    if kind in (list, tuple, set, frozenset, dict):
        return f"{kind.__name__} of {len(value)}"
    np = sys.modules.get("numpy")
    if np is not None and kind is np.ndarray and not value.dtype.hasobject:
        return f"array {value.dtype} {value.shape} {hashlib.sha256(value.tobytes()).hexdigest()[:16]}"
    if kind is decimal.Context:
        return repr(value)
    return f"a {kind.__module__}.{kind.__qualname__}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _loggers(packages: "list[str]") -> "list[list[Any]]":
    """Loggers that somebody has set up, but for those of libraries that the notebook does not import."""
    rows = []
    root = logging.getLogger()
    for name, logger in [("", root), *sorted(root.manager.loggerDict.items())]:
        top = name.partition(".")[0]
        if isinstance(logger, logging.Logger) and top not in OURS and (top in packages or top not in sys.modules):
            handlers = sorted(type(h).__name__ for h in logger.handlers if not isinstance(h, logging.NullHandler))
            usual = logger.level == (logging.WARNING if logger is root else logging.NOTSET)
            if handlers or not usual or logger.disabled or logger.filters:
                rows.append([name, logger.level, handlers, logger.disabled, len(logger.filters)])
    return rows


def _path(folder: str) -> "list[str]":
    """Where modules are looked for, beside where every process looks."""
    roots = tuple(os.path.realpath(p) for p in (sys.prefix, sys.base_prefix, folder))
    rows = []
    for place in map(str, sys.path):
        real = os.path.realpath(place or ".")
        if not (real.startswith(roots) or place.endswith((".ipython", "/k", "selfcode", ".egg")) or ".egg-link" in place):
            rows.append(place)
    return rows


def _environment() -> "list[str]":
    """What was changed in the environment since the process began, by name and a digest of the value. (A kernel's own aside.)"""
    with contextlib.suppress(OSError):
        with open("/proc/self/environ", "rb") as f:  # noqa: PTH123
            began = dict(p.partition(b"=")[::2] for p in f.read().split(b"\0") if p)
        now = {os.fsencode(k): os.fsencode(v) for k, v in os.environ.items()}
        changed = sorted({k for k in {*began, *now} if began.get(k) != now.get(k)})
        own = ("JPY_", "JUPYTER_", "SELFCODE", "IPY", "KMP_", "TMPDIR", "PYDEVD", "PWD")
        names = [os.fsdecode(k) for k in changed]
        return [f"{n}={_digest(os.environ.get(n, ''))}" for n in names if n not in GENTLE and not n.startswith(own)]
    return ["unknown"]


def _shown() -> "list[Any]":
    """How results are shown, where that was changed: printers of the notebook's own, digits, the form of figures."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None:
        return []
    rows: list[Any] = []
    for name, formatter in sorted(shell.display_formatter.formatters.items()):
        printers = [*formatter.type_printers.values(), *formatter.deferred_printers.values(), *formatter.singleton_printers.values()]
        rows += [[name, kind_of(p)] for p in printers if getattr(p, "__module__", "") == "__main__"]
        rows += [[name, "off"]] if not formatter.enabled and name != "text/plain" and shell.display_formatter.active_types == [] else []
    rows.append(str(getattr(shell.display_formatter.formatters["text/plain"], "float_precision", "")))
    inline = sys.modules.get("matplotlib_inline.config")
    made = inline.InlineBackend._instance if inline is not None else None
    if made is not None:
        rows.append([sorted(map(str, made.figure_formats)), kind_of(dict(made.print_figure_kwargs)), kind_of(dict(made.rc)), made.close_figures])
    return [r for r in rows if r not in ("", [["png"], "{'bbox_inches':'tight'}", "{}", True])]


def figures() -> bool:
    """Whether a figure is open, so that what is drawn next goes on it."""
    drawn = sys.modules.get("matplotlib._pylab_helpers")
    return bool(drawn is not None and getattr(getattr(drawn, "Gcf", None), "figs", None))
