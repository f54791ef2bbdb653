"""APIs that are gone here: rewritten as the table says (`analysis/removed_apis`), and as libraries say themselves."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache, partial

from ....analysis import trees
from ....analysis.removed import Api, Said, here, sayings, table
from . import lint
from .broken import Broken, Step
from .imports import Names, moved_imports, with_imports
from .patterns import Match, Matcher, expression, rewrite
from .spans import Edit, Text, edited

PASSES = 8
"""Rewriting is repeated for calls inside calls; this bounds it."""

_KINDS = {"pandas.DataFrame": "DataFrame", "pandas.Series": "Series", "dict": "dict", "list": "list"} | {
    f"pandas.read_{kind}": "DataFrame" for kind in ("csv", "table", "excel", "parquet", "json", "sql", "feather")
}


class _Rewriting:
    """One cell while rows are applied to it."""

    def __init__(self, broken: Broken) -> None:
        self.broken = broken
        self.text = broken.text
        self.used: list[Api] = []
        self.linted: list[lint.Fixed] = []
        self.added: list[str] = []
        self.dropped: dict[str, str] = {}
        self.hit = False
        """Whether the failing statement was among what changed."""

    @property
    def names(self) -> Names:
        tree = self.text.tree
        assert tree is not None  # every text that is kept parses
        inner = [n.arg for n in self.text.nodes if isinstance(n, ast.arg)]
        inner += [n.id for n in self.text.nodes if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)]
        local = dict.fromkeys([*inner, *trees.stored(tree.body)], "") | trees.imported(self.text.nodes)
        known = self.broken.above | local | self.dropped
        return Names(known, self.broken.taken, self.added)

    def kind(self, names: Names, node: ast.expr, inner: set[ast.AST]) -> str:
        """The type of an expression, as far as it can be told: of globals by what the kernel said, of calls by name."""
        if isinstance(node, ast.Name):
            return "" if node in inner else self.broken.kind(node.id)
        if isinstance(node, ast.Call):
            return _KINDS.get(names.full(node.func), "")
        if isinstance(node, (ast.Dict, ast.DictComp)):
            return "dict"
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.List):
            return "DataFrame" if self.kind(names, node.value, inner) == "DataFrame" else ""
        return ""

    # ---- full names ---------------------------------------------------------------------------------------------------

    def find(self, full: str) -> tuple[Api, str] | None:
        """The row of a plain full name, or of a module that it begins with, and the new full name."""
        parts = full.split(".")
        for cut in range(len(parts), 0, -1):
            row = plain_rows().get(".".join(parts[:cut]))
            if row is not None and (cut > 1 or self._gone(parts[0])):
                return row, ".".join([row.new, *parts[cut:]])
        return None

    def _importable(self, full: str) -> tuple[Api, str] | None:
        """As `find`; and where the import of a function fails of which only calls can be rewritten, that row."""
        module, _, name = full.rpartition(".")
        if hit := self.find(full):
            return hit
        if f"cannot import name '{name}' from '{module}'" in self.broken.error:
            called = (r for r in table() if here(r) and r.old.startswith(f"{full}("))
            if row := next(called, None):
                return row, ""
            if module == "numpy" and (named := lint.numpy_name(name)):
                return Api("numpy", full, named[0], "2.0", named[1], True), named[0]
        return None

    def _gone(self, name: str) -> bool:
        """Whether a builtin or a module of this name is really not there: Python says so, of it or of one like it, and
        the notebook's folder has none."""
        m = re.search(r"name '(\w+)' is not defined|No module named '(\w+)", self.broken.error)
        folder = self.broken.folder
        own = (folder / f"{name}.py").exists() or (folder / name / "__init__.py").exists()
        return m is not None and (m.group(1) or m.group(2)) in plain_rows() and not own

    def move_imports(self) -> None:
        """Rewrite import statements of what has moved."""
        moved = moved_imports(self.text, self._importable, self.broken.used_elsewhere)
        new = edited(self.text.text, moved.edits)
        if moved.edits and new is not None and (text := Text(new)).tree is not None:
            self.hit = self.hit or any(self._in_focus(e.start) for e in moved.edits)
            self.text = text
            self.used += moved.used
            self.dropped = moved.dropped

    def lint(self) -> None:
        """Let ruff rewrite what NumPy has removed."""
        known = self.names.known
        if not any(full.partition(".")[0] == "numpy" for full in known.values()):
            return
        fixed = [f for f in lint.numpy_fixes(self.text.text, known) if f.gone]
        new = edited(self.text.text, [e for f in fixed for e in f.edits])
        if fixed and new is not None and (text := Text(new)).tree is not None:
            self.hit = self.hit or any(self._in_focus(e.start) for f in fixed for e in f.edits)
            self.text = text
            self.linted = fixed
            self.added += [line for f in fixed for line in f.imports if line not in self.added]

    def _in_focus(self, at: int) -> bool:
        focus = self.broken.focus
        line = self.text.text.count("\n", 0, at) + 1
        return focus is None or focus[0] <= line <= focus[1]

    # ---- patterns -------------------------------------------------------------------------------------------------------

    def apply(self, rows: Iterable[Api], *, plain: bool = False) -> None:
        """Apply rows wherever they match (rows with an error: in the failing statement, and to the same things
        elsewhere in the cell), inner matches before outer ones; with `plain` also all plain full names."""
        rows = list(rows)
        for _ in range(PASSES):
            edits, used, left = self._pass(rows, plain)
            new = edited(self.text.text, edits) if edits else None
            if new is None or (text := Text(new)).tree is None:
                return
            self.text = text
            self.used += used
            if not left:
                return

    def _pass(self, rows: list[Api], plain: bool) -> tuple[list[Edit], list[Api], bool]:
        """Edits of one pass, the rows they follow, and whether matches around them are left for the next."""
        names = self.names
        inner = {n for f in self.text.nodes if isinstance(f, _SCOPES) for n in ast.walk(f)}
        matcher = Matcher(names.full, names.module, lambda n: self.kind(names, n, inner))
        nodes = [n for n in self.text.nodes if isinstance(n, ast.expr)]
        alone: list[ast.expr] = [s.value for s in self.text.statements() if isinstance(s, ast.Expr)]
        by_end = _by_end(nodes, names.full)
        found: list[tuple[Api, Match]] = []
        for row in rows:
            pattern = expression(row.old)
            last = _end(pattern) if pattern is not None else ""
            fitting = alone if expression(row.new) is None else by_end.get(last, []) if last else nodes
            matches = [m for n in fitting if pattern is not None and (m := matcher.match(pattern, n, row.where))]
            if row.error:
                keys = {_key(m) for m in matches if self.broken.focused(m.node)} - {""}
                matches = [m for m in matches if self.broken.focused(m.node) or _key(m) in keys]
            found += [(row, m) for m in matches]
        for n in nodes if plain else ():
            if isinstance(n, (ast.Name, ast.Attribute)) and isinstance(n.ctx, ast.Load) and (full := names.full(n)):
                hit = self.find(full)
                if hit and hit[0].old == full:
                    found.append((hit[0], Match(n)))
        found.sort(key=lambda f: self.text.span(f[1].node)[1] - self.text.span(f[1].node)[0])
        edits: list[Edit] = []
        used: list[Api] = []
        left = False
        for row, match in found:
            start, end = self.text.span(match.node)
            if any(e.end > start and end > e.start for e in edits):
                left = True
                continue
            if not self.text.true(match.node):
                continue
            like = names.full(match.node.func if isinstance(match.node, ast.Call) else match.node)
            made = rewrite(row.old, row.new, match, self.text, partial(names.refer, like=like))
            if made:
                edits += made
                used.append(row if self._keeps(row, match, matcher) else replace(row, same=False))
                self.hit = self.hit or self.broken.focused(match.node)
        return edits, used, left

    def _keeps(self, row: Api, match: Match, matcher: Matcher) -> bool:
        """Whether what is documented as the same is the same here (both found by executing old and new pandas).

        Since pandas 3 a column is a copy, so what changes one in place no longer changes its frame. And a frame that has
        columns and no rows makes what is added to it `object`.
        """
        of = match.parts.get("F")
        if row.library != "pandas" or of is None:
            return True
        given = match.node.keywords if isinstance(match.node, ast.Call) else []
        if any(k.arg == "inplace" and ast.unparse(k.value) != "False" for k in given):
            return isinstance(of, ast.Name) and matcher.kind(of) == "DataFrame"
        if row.old.startswith("F.append"):
            held = next((v.summary for v in self.broken.variables if v.name == trees.root(of)), "")
            return not re.match(r"0 rows × [1-9]", held)
        return True

    # ---- the result -----------------------------------------------------------------------------------------------------

    def step(self) -> Step | None:
        """What was done, as a step; None where nothing was, or not to the failing statement."""
        if not (self.used or self.linted) or not self.hit:
            return None
        text = with_imports(self.text.text, self.added, self.broken.masked.head)
        rows = list({(row.old, row.new, row.same): row for row in self.used}.values())
        said = " ".join(
            f"{_titled(r)} no longer has {_shown(r.old)}; now it is {_shown(r.new)}{f' ({r.note})' if r.note else ''}."
            for r in rows
        )
        said = " ".join([said, *dict.fromkeys(f.said for f in self.linted)]).strip()
        warrants = dict.fromkeys([*(r.warrant for r in rows), *(f.warrant for f in self.linted)])
        return self.broken.step(text, said, "; ".join(warrants) if all(warrants) else "")


_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def _end(node: ast.expr, full: Callable[[ast.expr], str] | None = None) -> str:
    """The last name of what an expression is about (`append` of `df.append(x)`); `full` gives full names in a cell,
    without it the expression is a pattern, and the answer is empty where that leaves the name open."""
    while isinstance(node, (ast.Call, ast.Subscript)):
        node = node.func if isinstance(node, ast.Call) else node.value
    if isinstance(node, ast.Attribute):
        return "" if full is None and node.attr == "M" else node.attr
    if not isinstance(node, ast.Name) or (full is None and node.id.isupper()):
        return ""
    return ((full(node) if full else "") or node.id).rpartition(".")[2]


def _by_end(nodes: Iterable[ast.expr], full: Callable[[ast.expr], str]) -> dict[str, list[ast.expr]]:
    out: dict[str, list[ast.expr]] = {}
    for node in nodes:
        if isinstance(node, (ast.Call, ast.Subscript, ast.Attribute, ast.Name)) and (end := _end(node, full)):
            out.setdefault(end, []).append(node)
    return out


def _shown(pattern: str) -> str:
    """A pattern of the table as people read it: what is left as it was is an ellipsis."""
    return pattern.replace("**REST", "…")


def _titled(row: Api) -> str:
    return f"{row.library.capitalize() if row.library == 'python' else row.library} {row.gone}"


def _is_plain(row: Api) -> bool:
    return re.fullmatch(r"[a-zA-Z_][\w.]*", row.old) is not None and not row.old.partition(".")[0].isupper()


@cache
def plain_rows() -> Mapping[str, Api]:
    """The rows that say no more than another full name, by the old one."""
    return {row.old: row for row in table() if _is_plain(row) and here(row)}


def _key(match: Match) -> str:
    """What a match is about: the name at the bottom of its first part, or of the function that is called."""
    part = next(iter(match.parts.values()), None)
    if isinstance(match.node, ast.Call) and "CALL" in match.parts:
        return ast.dump(match.parts["CALL"])
    return (trees.root(part) or "") if part is not None else ""


def removed_apis(broken: Broken) -> Iterator[Step | None]:
    """What the table knows: first rows that the error names, together with everything else in the cell that is known to
    be gone by its full name; where several rows fit one error, each in turn."""
    if broken.text.tree is None or broken.masked.opaque:
        return
    rows = [r for r in table() if here(r) and not _is_plain(r)]
    static = [r for r in rows if not r.error]
    named = [r for r in rows if r.error and re.search(r.error, broken.error)]
    groups: dict[str, list[Api]] = {}
    for row in named:  # rows with one pattern exclude each other; others may all be needed in one cell
        groups.setdefault(row.old, []).append(row)
    tries: list[Api | None] = [*(r for g in groups.values() for r in g), None]
    for choice in tries:
        work = _Rewriting(broken)
        work.move_imports()
        if choice is not None:
            work.apply([choice])
            if not work.used:
                continue
            work.apply([g[0] for old, g in groups.items() if old != choice.old])
        work.apply(static, plain=True)
        work.lint()
        yield work.step()


def _given(row: Said, call: ast.Call) -> Iterator[ast.expr]:
    """The arguments of a call that may be the value which a message is about."""
    called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if called in row.calls:
        yield from call.args
    yield from (k.value for k in call.keywords if k.arg in row.keywords)


def library_says(broken: Broken) -> Iterator[Step | None]:
    """What a message itself names: the old value, which stands in the failing statement as a text, and the new one."""
    tree = broken.text.tree
    for row in sayings():
        m = re.search(row.message, broken.error) if tree and here(row) else None
        if not m or tree is None:
            continue
        old, new = m["old"], m["new"]
        whole = re.compile(rf"(-?\d*){re.escape(old)}(-[A-Z]+)?")
        given = [a for n in ast.walk(tree) if isinstance(n, ast.Call) and broken.focused(n) for a in _given(row, n)]
        variables = {a.id for a in given if isinstance(a, ast.Name)}
        given += [
            s.value
            for s in broken.text.statements()
            if isinstance(s, ast.Assign) and any(isinstance(t, ast.Name) and t.id in variables for t in s.targets)
        ]
        chosen = [a for a in given if isinstance(a, ast.Constant) and whole.fullmatch(str(a.value))]
        edits = [
            Edit(start, end, broken.text.text[start:end].replace(old, new))
            for n in chosen
            for start, end in [broken.text.span(n)]
            if broken.text.true(n)
        ]
        said = f"{row.library} {row.gone} says {new} where it said {old}."
        warrant = f"documented replacement: {row.library} {row.gone} ({row.link})" if row.same else ""
        yield broken.step(edited(broken.text.text, edits), said, warrant)
