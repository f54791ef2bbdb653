"""Loads the variables of a live kernel INSIDE the cage, and nowhere else. The text of this module and of `surroundings` is sent
there, so it imports only Python and nothing of this package; `copying.loading` wraps it.
"""

import gc
import importlib
import os
import pickle
import sys
import warnings
from collections.abc import Callable
from typing import Any

NAMESPACE = "namespace"
"""What stands in the pickle for the names of the notebook: functions find in them what they use, as before."""


def form(value: Any) -> str:
    """What kind of thing a module has, and how much is in it."""
    kind = type(value)
    size = len(value) if kind in (dict, list, set, bytearray) else ""
    return f"{kind.__module__}.{kind.__qualname__} {size}"


class Loader(pickle.Unpickler):
    """One stream of pickles, with one memory: an object that stands in two of them is one object."""

    namespace: "dict[str, Any]"

    def persistent_load(self, pid: Any) -> Any:
        """The names of this notebook, or what a module has under a name."""
        if pid == NAMESPACE:
            return self.namespace
        module, name, told = pid
        found = getattr(importlib.import_module(module), name)
        if form(found) != told:
            raise pickle.UnpicklingError(f"{module}.{name} is another one here")
        return found


def load(
    descriptor: int, names: "list[str]", modules: "list[str]", count: int, namespace: "dict[str, Any]",
    establish: "Callable[[dict[str, Any]], None]",
) -> "dict[str, Any]":
    """Bind these names to what the file holds, import what the cells above had, and put the settings in force. `count` is the
    number that the next cell gets. Gives `failed`, the reason why it could not be done, or an empty text; and what `came` besides, since
    a function uses it, and was not bound."""
    failed = ""
    gc.disable()
    before = set(namespace)
    try:
        with os.fdopen(descriptor, "rb", buffering=2**20) as f:  # closed with all that follows: an open file speaks against copies
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                for module in modules:
                    failed = f"{module} cannot be imported in the cage"
                    importlib.import_module(module)
            failed = "what was copied could not be loaded"
            loader = Loader(f)
            loader.namespace = namespace
            found = loader.load()
            bound = {}
            while (item := loader.load()) is not None:
                _, name, value = item
                if name in names:
                    bound[name] = value
        came = sorted(set(namespace) - before - set(bound))
        for name in came:
            del namespace[name]  # what a function uses came with it, though no cell above has made it
        namespace.update(bound)
        if missing := sorted(set(names) - set(bound)):
            return {"failed": f"{missing[0]} did not arrive"}
        failed = "settings could not be put in force"
        establish(found)
        shell = _shell()
        if shell is not None:
            shell.execution_count = count
        return {"failed": "", "came": came}
    except BaseException as e:
        return {"failed": f"{failed}: {type(e).__name__}: {e}"[:300]}
    finally:
        gc.enable()


def _shell() -> Any:
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None
