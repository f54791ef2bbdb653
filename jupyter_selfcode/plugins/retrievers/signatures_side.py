"""Asks installed libraries what they have. A program, not a module: it imports nothing of this package.

A question as JSON on standard input: `modules` (versions wanted), `names` (full names used), `methods` (names of methods
whose owner is not known), `failed` ((owner, attribute) as an exception named them). `{"versions": […], "lines": […]}`
comes back on standard output.
"""

from __future__ import annotations

import contextlib
import difflib
import importlib
import importlib.metadata
import inspect
import json
import os
import platform
import sys
from typing import Any

USUAL = (
    "numpy", "pandas", "polars", "pyarrow", "scipy", "sklearn", "statsmodels", "matplotlib", "seaborn", "plotly", "altair",
    "requests", "sqlalchemy", "duckdb", "networkx", "torch",
)  # fmt: skip
"""Libraries whose presence is told even where the notebook does not import them yet."""

LINES = 60
WIDTH = 600


def resolve(name: str) -> Any:
    """The object with a full name. Raises ImportError or AttributeError."""
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:cut]))
        except ImportError:
            if cut == 1:
                raise
            continue
        for part in parts[cut:]:
            found = getattr(found, part)
        return found
    raise ImportError(name)


def described(name: str, found: Any) -> str:
    """Name, signature and the first line of the docstring."""
    if inspect.ismodule(found):
        return ""
    try:
        signature = str(inspect.signature(found))
    except (TypeError, ValueError):
        signature = "(…)" if callable(found) else f": {type(found).__name__}"
    first = (inspect.getdoc(found) or "").strip().partition("\n")[0] if callable(found) else ""
    return f"{name}{signature}"[:WIDTH] + (f"  # {first[:160]}" if first else "")


def missing(owner: str, attribute: str, holder: Any) -> str:
    """That a name is not there, and which ones are near."""
    public = [n for n in dir(holder) if not n.startswith("_")]
    near = difflib.get_close_matches(attribute, public, 6, 0.6)
    near += [n for n in public if attribute.lower() in n.lower() and n not in near][:6]
    return f"{owner} has no {attribute} in the installed version" + (f"; near names: {', '.join(near)}" if near else "")


def owners(owner: str, modules: list[str]) -> list[tuple[str, Any]]:
    """What an exception may have meant by the name of a type or module."""
    found = []
    with contextlib.suppress(Exception):
        found.append((owner, resolve(owner)))
    last = owner.rpartition(".")[2]
    for module in modules:
        with contextlib.suppress(Exception):
            holder = getattr(importlib.import_module(module), last)
            if all(holder is not h for _, h in found):
                found.append((f"{module}.{last}", holder))
    return found


def answer(question: dict[str, Any]) -> dict[str, list[str]]:
    """Versions and lines for a question."""
    modules = list(question["modules"])
    packages = importlib.metadata.packages_distributions()
    versions = [f"Python {platform.python_version()}"]
    for module in modules:
        if module not in packages:
            versions.append(f"{module}: a module of the notebook's folder, or not installed")
        for distribution in dict.fromkeys(packages.get(module, ())):
            versions.append(f"{distribution} {importlib.metadata.version(distribution)}")
    for module in USUAL:
        if module in packages and module not in modules:
            versions += [
                f"{d} {importlib.metadata.version(d)} (not imported yet)" for d in dict.fromkeys(packages[module])
            ]
    known = [m for m in modules if m in packages]
    lines: list[str] = []
    for owner, attribute in question["failed"]:
        for name, holder in owners(owner, known) if owner else [(m, importlib.import_module(m)) for m in known]:
            if not attribute:
                lines.append(described(name, holder))
            elif hasattr(holder, attribute):
                lines.append(described(f"{name}.{attribute}", getattr(holder, attribute)))
            elif owner:
                lines.append(missing(name, attribute, holder))
    for name in question["names"]:
        if name.partition(".")[0] not in packages:
            continue
        try:
            lines.append(described(name, resolve(name)))
        except AttributeError:
            owner, _, attribute = name.rpartition(".")
            with contextlib.suppress(Exception):
                lines.append(missing(owner, attribute, resolve(owner)))
        except Exception as e:
            lines.append(f"{name} cannot be imported: {type(e).__name__}: {str(e)[:200]}")
    for method in question["methods"]:
        for kind in ("DataFrame", "Series", "ndarray"):
            for name, holder in owners(kind, [m for m in known if m in ("pandas", "numpy", "polars")]):
                if kind in ("DataFrame",) or not hasattr(holder, "columns"):
                    found = getattr(holder, method, None)
                    if found is not None and not any(f".{method}(" in line for line in lines):
                        lines.append(described(f"{name}.{method}", found))
    kept = [line for line in dict.fromkeys(lines) if line]
    return {"versions": versions, "lines": kept[:LINES]}


if __name__ == "__main__":
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints while it is imported is not an answer
    asked = json.load(sys.stdin)
    json.dump(answer(asked), out)
    out.flush()
    os._exit(0)
