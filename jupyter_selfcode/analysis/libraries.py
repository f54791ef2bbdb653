"""Which versions of what a notebook imports a kernel has; the text of `installed` is sent there."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from typing import Any

from ..values.notebook import Notebook
from . import installed
from .contract import in_kernel
from .effects import imported_names
from .installed import CHARACTERS

MOST = 60
"""Libraries that are asked for, at most."""


def libraries_of(notebook: Notebook) -> tuple[str, ...]:
    """The top-level modules that its cells import, Python's own left out."""
    named = {full.partition(".")[0] for c in notebook.cells if c.runs for full in imported_names(c.source).values()}
    return tuple(sorted(named - set(sys.stdlib_module_names))[:MOST])


def libraries_probe(notebook: Notebook) -> str:
    """Code for `Kernel.evaluate`; its reply is for `read_libraries`."""
    return in_kernel(inspect.getsource(installed), f"versions({list(libraries_of(notebook))!r})")


def read_libraries(reply: Mapping[str, Any]) -> Mapping[str, str]:
    """Versions by module in a kernel's reply; what has not the agreed form is left out."""
    told = reply.get("libraries")
    rows = list(told.items())[: MOST + 1] if isinstance(told, Mapping) else []
    return {str(k)[:CHARACTERS]: v[:CHARACTERS] for k, v in rows if isinstance(v, str)}
