"""Do the imports that a change adds exist in this environment. Found by the import system's finders; no module of
the candidate's choice is executed: for `from x import y` the source file of `x` is read, not run. Nothing is installed and
no index is asked: models invent names of packages, and others register these (about 5 % of the packages that commercial
models named in 2024, 22 % of those of open ones, did not exist: Spracklen et al., USENIX Security 2025)."""

from __future__ import annotations

import ast
import difflib
import importlib.machinery
import importlib.util
import pkgutil
import sys
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from ...analysis.magics import parse
from ...values.notebook import Notebook
from ...values.request import Request
from ...values.trial import Candidate, Finding, Trial

READ = 2_000_000
"""Bytes of one module's source that are read, at most."""

_DYNAMIC = ("globals", "setattr", "attach", "attach_stub", "_LazyModule", "exec")
"""Calls by which modules bind names that their source does not show."""


@lru_cache(maxsize=512)
def _spec(name: str) -> importlib.machinery.ModuleSpec | None:
    """Where a module is, found without importing its parents (`importlib.util.find_spec` would run them)."""
    first, *rest = name.split(".")
    if first in sys.builtin_module_names and not rest:
        return importlib.machinery.ModuleSpec(first, None, origin="built-in")
    try:
        spec = importlib.util.find_spec(first)
        for part in rest:
            if spec is None or spec.submodule_search_locations is None:
                return None
            spec = importlib.machinery.PathFinder.find_spec(
                f"{spec.name}.{part}", list(spec.submodule_search_locations)
            )
    except (ImportError, ValueError, AttributeError):
        return None
    return spec


@lru_cache(maxsize=256)
def _source(name: str) -> str | None:
    """The source text of a module; None where it has none, or a very long one."""
    spec = _spec(name)
    if spec is None or not spec.origin or not spec.origin.endswith(".py"):
        return None
    try:
        path = Path(spec.origin)
        return path.read_text(encoding="utf-8") if path.stat().st_size <= READ else None
    except (OSError, ValueError):
        return None


@lru_cache(maxsize=256)
def _names(name: str, depth: int = 3) -> frozenset[str] | None:
    """Names that a module's source binds and its submodules; None where that cannot be told from its source."""
    if name.partition(".")[0] in sys.stdlib_module_names and name in sys.modules:
        return frozenset(dir(sys.modules[name]))
    spec, text = _spec(name), _source(name)
    if spec is None or text is None or not depth:
        return None
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None
    package = name if spec.submodule_search_locations is not None else name.rpartition(".")[0]
    found = {m.name for m in pkgutil.iter_modules(spec.submodule_search_locations or [])}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and any(a.name == "*" for a in node.names):
            above = ".".join(package.split(".")[: len(package.split(".")) - node.level + 1]) if node.level else ""
            more = _names(".".join(part for part in (above, node.module) if part), depth - 1)
            if more is None:
                return None
            found |= more
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            if node.name == "__getattr__":
                return None
            found.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            found |= {(a.asname or a.name).partition(".")[0] for a in node.names}
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in _DYNAMIC:
            return None
    return frozenset(found)


def _near(name: str, known: Sequence[str] | frozenset[str]) -> str:
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.75)
    return f"; near: {', '.join(near)}" if near else ""


@lru_cache(maxsize=1)
def _installed() -> tuple[str, ...]:
    return tuple({m.name for m in pkgutil.iter_modules()} | set(sys.stdlib_module_names))


def _imports(source: str) -> Iterator[tuple[str, str]]:
    """Every import as (module, name); the name is empty for `import module`. Those under `try` are alternatives."""
    tree = parse(source)
    if tree is None:
        return
    tried = {
        id(n) for t in ast.walk(tree) if isinstance(t, ast.Try) and t.handlers for s in t.body for n in ast.walk(s)
    }
    for node in ast.walk(tree):
        if id(node) in tried:
            continue
        if isinstance(node, ast.Import):
            yield from ((a.name, "") for a in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((node.module, a.name if a.name != "*" else "") for a in node.names)


def _missing(module: str, name: str, folder: Sequence[str]) -> str:
    """What is not there, in words; empty where it is there or cannot be told."""
    first = module.partition(".")[0]
    if first in folder:  # a module that lies beside the notebook
        return ""
    if _spec(first) is None:
        return f"It needs package {first!r}, not installed{_near(first, _installed())}. Nothing is installed by itself."
    parent = first
    for part in module.split(".")[1:]:
        above, parent = parent, f"{parent}.{part}"
        if _spec(parent) is None and parent not in sys.modules:
            holder = _spec(above)
            if holder is None or holder.submodule_search_locations is None or "sys.modules" in (_source(above) or ""):
                return ""
            beside = [m.name for m in pkgutil.iter_modules(holder.submodule_search_locations)]
            return f"There is no module {parent!r} in this environment{_near(part, beside)}."
    names = _names(module)
    if name and names is not None and name not in names and _spec(f"{module}.{name}") is None:
        return f"{module!r} has no {name!r} in the installed version{_near(name, names)}."
    return ""


class ImportsCheck:
    """Blocks imports that the change adds and that this environment does not have."""

    name = "imports"

    def screen(self, candidate: Candidate, request: Request, before: Notebook, after: Notebook) -> Sequence[Finding]:
        """Imports of changed cells that no cell had before."""
        had = {i for c in before.code_cells for i in _imports(c.source)}
        local = [n for n in {m.partition(".")[0] for m, _ in had} if _spec(n) is None]
        findings: dict[str, Finding] = {}
        for cell_id in candidate.patch.cells:
            if cell_id not in after or after.cell(cell_id).type != "code":
                continue
            for module, name in _imports(after.cell(cell_id).source):
                if (module, name) not in had and (said := _missing(module, name, local)):
                    findings.setdefault(said, Finding("imports:missing", said, "block", cell_id))
        return tuple(findings.values())

    def judge(self, trial: Trial, request: Request, before: Notebook, after: Notebook) -> Sequence[Finding]:
        """Nothing more to see."""
        return ()
