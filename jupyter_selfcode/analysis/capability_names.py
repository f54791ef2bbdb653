"""What names mean in a notebook, as the tables of `capability_tables` write them.

Names mean all that the notebook ever binds them to: the reading does not follow the flow, so that code which is added to a
cell never makes it say less.
"""

from __future__ import annotations

import ast

from . import capability_tables as known
from .trees import imports

Names = frozenset[tuple[str, str]]
"""What names are bound to: `("pd", "pandas")`; `("*", "os")` for all of a module."""
_BARE = frozenset(name for name in known.NAMES if "." not in name) | {"open", "bytes", "bytearray"}


def true_name(dotted: str) -> str:
    """The name by which the tables know it: moved modules, and modules reached through others, under their own name."""
    parts = dotted.split(".")
    for i in range(len(parts) - 1, 0, -1):
        if parts[i].lstrip("_") in known.ROOTS:
            parts = [parts[i].lstrip("_"), *parts[i + 1 :]]
            break
    for k in range(len(parts), 0, -1):
        if same := known.SAME.get(".".join(parts[:k])):
            parts = [*same.split("."), *parts[k:]]
            break
    return ".".join(parts[1:] if parts[0] == "builtins" and len(parts) > 1 else parts)


def entry_of(dotted: str) -> tuple[str, known.Entry] | None:
    """The longest entry for a name, with the part of the name that it is about; None where the tables say nothing."""
    parts = dotted.split(".")
    for k in range(len(parts), 0, -1):
        name = ".".join(parts[:k])
        for key in (name, ".".join([*parts[: k - 1], "*"])):
            if key in known.NAMES:
                return name, known.NAMES[key]
    return None


def chain(node: ast.AST) -> tuple[ast.AST, list[str]]:
    """What stands at the bottom of `a.b.c`, and the attributes above it in order."""
    parts = list[str]()
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return node, parts[::-1]


class Meanings:
    """Resolves names and attributes to full names."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self._bound: dict[str, set[str]] = {}
        for name, meaning in names:
            self._bound.setdefault(name, set()).add(meaning)

    def of(self, node: ast.AST) -> set[str]:
        """The full names that an expression may be; empty for what is neither a name nor an attribute."""
        base, rest = chain(node)
        roots = set[str]()
        if isinstance(base, ast.Name):
            roots = self._roots(base.id, rest)
        elif isinstance(base, ast.Call) and rest:
            roots = self.of(base.func)
        if not roots and any(part.lstrip("_") in known.ROOTS for part in rest[:-1]):
            roots = {"?"}
        return {true_name(".".join([root, *rest])) for root in roots}

    def bound(self, name: str) -> set[str]:
        """What imports and conventions bind a name to, as far as it is no name that variables have as well."""
        usual = known.CONVENTION.get(name)
        return self._bound.get(name, set()) | ({usual} if usual and name not in known.LOOSE else set())

    def _roots(self, name: str, rest: list[str]) -> set[str]:
        taken = {f"{module}.{name}" for module in self._bound.get("*", ())}  # of these, what the tables name
        roots = self.bound(name) | {full for full in taken if true_name(full) in known.NAMES.keys() | known.OPENERS.keys()}
        if rest and rest[0] in known.PLAINLY.get(name, ()):
            roots.add(known.CONVENTION[name])
        return roots | {name} if name in _BARE else roots


def bindings(tree: ast.AST) -> Names:
    """What a tree's imports bind, and names that it makes other names of these (`run = os.system`, `p = Path(…)`)."""
    found = set(imports(ast.walk(tree)))
    assigned = [
        (target.id, node.value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Assign, ast.NamedExpr)) and isinstance(node.value, (ast.Name, ast.Attribute, ast.Call))
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    ]
    if assigned:
        for _ in range(3):  # short chains of names
            meanings = Meanings(frozenset(found))
            for name, value in assigned:
                if not isinstance(value, ast.Call):
                    found |= {(name, m) for m in meanings.of(value) if m != name}
                elif "pathlib.Path" in meanings.of(value.func):
                    found.add((name, "pathlib.Path"))
    return frozenset(found)
