"""How a notebook refers to an object by its full name, and imports of what has moved."""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from ....analysis.modules import SHORT_NAMES, importable
from ....analysis.removed import Api
from .spans import Edit, Text

_ALIASES = {s.split()[1]: name for name, s in SHORT_NAMES.items() if s.startswith("import ") and " as " in s}
"""`{"numpy": "np", …}`: what a module that must be imported anew is called."""


def _is_module(name: str) -> bool:
    return name in sys.stdlib_module_names or importable(name)


def split(full: str) -> tuple[str, str]:
    """Module and rest of a full name, by how Python's libraries are written: what follows the last lower-case dot is an
    object; a builtin has no module, and a name of one part is a module if there is one."""
    parts = full.split(".")
    if hasattr(builtins, parts[0]) and not _is_module(parts[0]):
        return "", full
    if len(parts) == 1:
        return (full, "") if _is_module(full) and not hasattr(builtins, full) else ("", full)
    cut = next((i for i, p in enumerate(parts) if p != p.lower()), len(parts) - 1)
    return ".".join(parts[: max(1, cut)]), ".".join(parts[max(1, cut) :])


@dataclass
class Names:
    """What names mean in a cell: imports by their full name, anything else that is bound as an empty text."""

    known: Mapping[str, str]
    taken: Collection[str]
    """All names that the notebook binds anywhere: a new import must not take one."""
    added: list[str] = field(default_factory=list)
    """Import lines that referring has made necessary."""

    def full(self, node: ast.expr) -> str:
        """The full name of an attribute chain, or empty. A name that nothing binds is its own full name."""
        parts = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        base = self.known.get(node.id, node.id)
        return ".".join([base, *reversed(parts)]) if base else ""

    def module(self, node: ast.expr) -> bool:
        """Whether a name is an imported module (by how modules are written: in lower case)."""
        full = self.known.get(node.id, "") if isinstance(node, ast.Name) else ""
        return bool(full) and full == full.lower()

    def refer(self, full: str, like: str = "") -> str | None:
        """How to say a full name here, adding an import where there is none; `like` is the full name that it replaces.

        None where the import would take a name that means something else.
        """
        module, rest = split(full)
        if not module:
            return full if self.known.get(full, "?") else None
        root = module.partition(".")[0]
        if not _is_module(root):
            return full if rest and root not in self.known else None
        best = ""
        for name, target in self.known.items():
            if not target or not (full + ".").startswith(target + "."):
                continue
            reaches = (target + ".").startswith(module + ".") or split(like)[0] == module
            if reaches and len(target) > len(self.known.get(best, "")):
                best = name
        if best:
            return best + full[len(self.known[best]) :]
        alias = _ALIASES.get(module, "")
        if "." not in module or alias:
            short = alias or module
            line = f"import {module} as {alias}" if alias else f"import {module}"
            said = f"{short}.{rest}" if rest else short
        else:
            short = rest.partition(".")[0]
            line, said = f"from {module} import {short}", rest
        if short in self.taken:
            return None
        if line not in self.added:
            self.added.append(line)
        return said


def with_imports(text: str, lines: Collection[str], head: int) -> str:
    """The text with import lines before its first statement that is neither a docstring, a future import nor one of the
    `head` lines of cell magics."""
    if not lines:
        return text
    body = Text(text)
    statements = [s for s in (body.tree.body if body.tree else []) if s.lineno > head]
    first = next((s for i, s in enumerate(statements) if not _leading(s, i)), None)
    at = body.at(first.lineno, 0) if first else len(text)
    newline = "\r\n" if "\r\n" in text else "\n"
    before = "" if not text[:at] or text[:at].endswith("\n") else newline
    return text[:at] + before + "".join(line + newline for line in lines) + text[at:]


def _leading(statement: ast.stmt, index: int) -> bool:
    if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
        return True
    return index == 0 and isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


# ---- imports of what has moved ------------------------------------------------------------------------------------------


@dataclass
class Moved:
    """Edits of import statements; `dropped`: names that they no longer bind, with the full name that is meant."""

    edits: list[Edit] = field(default_factory=list)
    used: list[Api] = field(default_factory=list)
    dropped: dict[str, str] = field(default_factory=dict)


def moved_imports(
    text: Text, find: Callable[[str], tuple[Api, str] | None], used_elsewhere: Callable[[str], bool]
) -> Moved:
    """What becomes of the import statements of a cell. `find` gives the row and the new full name of an old one (empty: only
    its uses can be rewritten, so the import goes).

    The name that the notebook uses is kept where it can be, so that other cells go on using it.
    """
    out = Moved()
    guarded = {n for t in text.statements() if isinstance(t, ast.Try) for n in ast.walk(t)}
    for node in text.statements():
        if node in guarded:
            continue  # whoever wrote `try: import` has thought of it
        if not isinstance(node, (ast.Import, ast.ImportFrom)) or "#" in text.of(node):
            continue
        if isinstance(node, ast.ImportFrom) and (not node.module or node.level):
            continue
        kept: list[str] = []
        lines: list[str] = []
        rows: list[Api] = []
        for alias in node.names:
            prefix = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
            said = alias.name + (f" as {alias.asname}" if alias.asname else "")
            hit = find(prefix + alias.name) if alias.name != "*" else find(prefix.removesuffix("."))
            if hit is None:
                kept.append(said)
                continue
            row, new = hit
            made: list[str] | None
            if not new:
                name = alias.asname or alias.name
                made = None if used_elsewhere(name) else []
                if made is not None:
                    out.dropped[name] = prefix + alias.name
            elif alias.name == "*":
                made = [f"from {new} import *"]
            elif isinstance(node, ast.Import):
                made = _import(alias, new)
            else:
                made = _from(alias, new, prefix + alias.name, used_elsewhere, out)
            if made is None:
                kept.append(said)
            else:
                rows.append(row)
                lines += made
        if not rows:
            continue
        if kept:
            start = f"from {node.module} import " if isinstance(node, ast.ImportFrom) else "import "
            lines.insert(0, start + ", ".join(kept))
        out.used += rows
        joined = _joined(lines)
        newline = "\r\n" if "\r\n" in text.text else "\n"
        start_at, end_at = text.span(node)
        separator = newline + " " * node.col_offset if text.text[:start_at].rsplit("\n", 1)[-1].strip() == "" else "; "
        out.edits.append(Edit(start_at, end_at, separator.join(joined) or "pass"))
    return out


def _joined(lines: list[str]) -> list[str]:
    """`from a import b` and `from a import c` as one line, in the order in which modules came."""
    groups: dict[str, list[str]] = {}
    for line in dict.fromkeys(lines):
        module, found, name = line.partition(" import ")
        groups.setdefault(module if found and line.startswith("from ") else line, []).append(name)
    return [
        f"{k} import {', '.join(v)}" if k.startswith("from ") and " import " not in k else k for k, v in groups.items()
    ]


def _import(alias: ast.alias, new: str) -> list[str] | None:
    name = alias.asname or (alias.name if "." not in alias.name else "")
    if not name:
        return [f"import {new}"]
    return [f"import {new} as {name}" if name != new else f"import {new}"]


def _from(alias: ast.alias, new: str, old: str, used_elsewhere: Callable[[str], bool], out: Moved) -> list[str] | None:
    name = alias.asname or alias.name
    module, rest = split(new)
    if module and not rest:
        return [f"import {module}" + (f" as {name}" if name != module else "")]
    if module and "." not in rest:
        return [f"from {module} import {rest}" + (f" as {name}" if name != rest else "")]
    out.dropped[name] = old
    lines = [f"from {module} import {rest.partition('.')[0]}"] if module else []
    if used_elsewhere(name):
        lines.append(f"{name} = {rest or new}")
    return lines
