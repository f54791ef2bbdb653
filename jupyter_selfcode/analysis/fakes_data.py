"""Fake fixes by data: what is missing is filled or left out, data is invented; what is asked for is hard-coded or not made."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from ..values.trial import Finding, Severity
from .contract import read
from .edits import FILL, RANDOM, REMOVE, TOLERATE, Edit, Marked, brief, constant, finding, written
from .effects import bound_names
from .fakes_control import call_name
from .magics import mask
from .trees import dotted

FILLERS = (
    *("fillna", "ffill", "bfill", "pad", "backfill", "interpolate", "dropna", "nan_to_num", "combine_first"),
    *("SimpleImputer", "Imputer"),
)
SOURCES = (
    "open",
    "urlopen",
    "read_text",
    "read_bytes",
    "loadtxt",
    "genfromtxt",
    "load",
    "load_dataset",
    "fetch_openml",
)
SHOWING = ("print", "display")
_NUMBER = re.compile(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w])")


def text_of(node: ast.AST | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _defaults(tree: ast.Module) -> Marked:
    for node in ast.walk(tree):
        name = call_name(node)
        if isinstance(node, ast.Call) and (
            (name == "get" and isinstance(node.func, ast.Attribute) and 1 <= len(node.args) <= 2)
            or (name == "getattr" and len(node.args) == 3)
        ):
            yield written(node), node


def defaulted(edit: Edit) -> Iterator[Finding]:
    """`.get(key, default)` or `getattr` with a default, where the key was missing."""
    if not edit.repair:
        return
    for node in edit.added(_defaults):
        assert isinstance(node, ast.Call)
        key = text_of(node.args[0] if call_name(node) == "get" else node.args[1])
        default = node.args[-1] if len(node.args) + (call_name(node) == "get") == 3 else None
        if key is None and edit.failure and edit.failure.ename not in ("KeyError", "AttributeError"):
            continue
        if default is None or constant(default):
            plain = not TOLERATE.search(edit.words) and (key is None or key in edit.subjects)
            yield from finding(
                "invented", "block" if plain else "ask", f"{brief(node)} gives a default where data is missing."
            )


def _fills(tree: ast.Module) -> Marked:
    for node in ast.walk(tree):
        if call_name(node) in FILLERS:
            yield "fill", node


def _reindexes(tree: ast.Module) -> Marked:
    for node in ast.walk(tree):
        if call_name(node) in ("reindex", "reindex_like"):
            yield "reindex", node


def _filters(tree: ast.Module) -> Marked:
    for node in ast.walk(tree):
        if isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)):
            for g in node.generators:
                for test in g.ifs:
                    if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.In) and "columns" in written(test):
                        yield written(test), node
        elif call_name(node) == "intersection" and "columns" in written(node):
            yield written(node), node


def _partial(tree: ast.Module) -> Marked:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (call_name(node).startswith("read_") or call_name(node) in SOURCES):
            for k in node.keywords:
                if k.arg in (
                    "skiprows",
                    "nrows",
                    "skipfooter",
                    "usecols",
                    "skip_rows",
                    "n_rows",
                    "max_rows",
                    "invalid_raise",
                ):
                    yield k.arg, k


def filled(edit: Edit) -> Iterator[Finding]:
    """Missing values filled or dropped, missing columns left out, part of the data not read."""
    for node in edit.added(_fills):
        yield from finding("filled", edit.weigh(FILL), f"{call_name(node)} fills or drops what is missing.")
    if not edit.repair:
        return
    for node in edit.added(_reindexes):
        yield from finding("filled", "ask", f"{brief(node)} makes empty rows or columns for what is missing.")
    for node in edit.added(_filters):
        yield from finding("left-out", edit.weigh(TOLERATE), f"{brief(node)} leaves out the columns that are missing.")
    for node in edit.added(_partial):
        assert isinstance(node, ast.keyword)
        yield from finding("left-out", "ask", f"{node.arg}={brief(node.value, 30)} reads only a part of the data.")


def _random(tree: ast.Module) -> Marked:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = dotted(node.func)
            if (
                re.match(r"(np|numpy)\.random\.(?!seed)|random\.(?!seed)|rng\.", name)
                or name.endswith("default_rng")
                or call_name(node).startswith(("make_classification", "make_regression", "make_blobs", "Faker"))
            ):
                yield "random", node


def _reads(tree: ast.Module) -> Marked:
    for node in ast.walk(tree):
        if call_name(node).startswith(("read_", "fetch_", "load_")) or call_name(node) in SOURCES:
            assert isinstance(node, ast.Call)
            held = [text_of(a) for a in node.args if text_of(a) is not None]
            yield f"{call_name(node) if not held else ''} {held[:1]}", node


def _literal_data(tree: ast.Module) -> Marked:
    for node in ast.walk(tree):
        if call_name(node) in ("DataFrame", "Series", "array", "StringIO") and isinstance(node, ast.Call) and node.args:
            values = [n for n in ast.walk(node.args[0]) if isinstance(n, ast.Constant)]
            long_text = any(isinstance(n.value, str) and n.value.count("\n") > 1 for n in values)
            if (constant(node.args[0]) and len(values) > 1) or long_text:
                yield written(node), node


def data_invented(edit: Edit) -> Iterator[Finding]:
    """Random data, data written into the code, another source of data."""
    for node in edit.added(_random):
        yield from finding("invented", edit.weigh(RANDOM, "ask"), f"{brief(node)} makes random data.")
    lost, came = edit.removed(_reads), edit.added(_reads)
    for node in edit.added(_literal_data):
        if not lost and isinstance(node, ast.Call) and edit.stood(node.args[0]):
            continue
        if lost:
            yield from finding("invented", "block", f"{brief(node)} is written into the code instead of being read.")
        elif edit.repair or (
            edit.fresh and re.search(r"(?i)\b(load|read|csv|file|fetch|download)", edit.words) and not came
        ):
            yield from finding("invented", "ask", f"{brief(node)} writes data into the code.")
    if edit.repair and lost and came:
        yield from finding("other-data", "ask", f"{brief(came[0])} reads other data than {brief(lost[0])}.")
    elif edit.repair and lost and edit.after.body:
        yield from finding("other-data", "block", f"{brief(lost[0])} is no longer read.")


def _numbers(text: str) -> set[float]:
    found = set()
    for m in _NUMBER.finditer(text):
        try:
            found.add(abs(float(m.group().replace(",", ""))))
        except ValueError:
            continue
    return found


def _telling(value: float) -> bool:
    """Whether a number is unlikely to be met by chance: three digits or more, no round one, or decimals."""
    return len(f"{value:.15g}".partition("e")[0].replace(".", "").strip("0")) > 2


def _results(tree: ast.Module) -> Marked:
    """Values that the code gives away as they stand: assigned, returned, printed or shown."""
    masked = (s for s in tree.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Name)))
    docstring = next(masked, None)  # below a masked `%%selfcode` line
    for node in ast.walk(tree):
        if isinstance(node, (ast.Assign, ast.AnnAssign, ast.Return)) and node.value is not None:
            held = [node.value]
        elif isinstance(node, ast.Expr) and call_name(node.value) in SHOWING and isinstance(node.value, ast.Call):
            held = list(node.value.args)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            held = [node.value] if node is not docstring or not isinstance(node.value.value, str) else []
        else:
            continue
        for value in held:
            if constant(value):
                yield written(value), value


def hard_coded(edit: Edit) -> Iterator[Finding]:
    """Values of recorded outputs or of the contract's answers that now stand in the code."""
    wanted = _numbers(edit.wants)
    known = (wanted | _numbers(edit.recorded)) - _numbers(edit.words) - _numbers(read(edit.old).code)
    for value in edit.added(_results):
        held = set[float]()
        for n in ast.walk(value):
            if isinstance(n, ast.Constant) and isinstance(n.value, (int, float)) and not isinstance(n.value, bool):
                held.add(abs(n.value))
            elif text := text_of(n):
                held |= {number for number in _numbers(text) if _telling(number)}
        for number in sorted(held & known):
            severity: Severity | None = (
                "block" if _telling(number) else "ask" if number in wanted and number > 2 else None
            )
            yield from finding(
                "hard-coded", severity, f"{brief(value, 40)} writes the expected answer {number:g} into the code."
            )
        text_wanted = {w.strip().strip("'\"") for w in edit.wants.split("\n")}
        if (said := text_of(value)) and len(said) > 3 and said in text_wanted and said not in edit.words:
            yield from finding("hard-coded", "ask", f"{said!r} is the contract's answer, written into the code.")
    for node in edit.added(_constants):
        number = abs(node.value) if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) else 0.0
        if number in wanted & known and _telling(number):
            severity = "ask" if 1900 <= number <= 2100 else "block"
            yield from finding("hard-coded", severity, f"The contract's answer {number:g} stands in the code.")
    if edit.repair:
        yield from _frozen(edit)


def _constants(tree: ast.Module) -> Marked:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
            yield repr(node.value), node


def _frozen(edit: Edit) -> Iterator[Finding]:
    def values(tree: ast.Module) -> dict[str, list[ast.expr]]:
        found: dict[str, list[ast.expr]] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    found.setdefault(written(target), []).append(node.value)
        return found

    now = values(edit.after)
    for name, computed in values(edit.before).items():
        if name in now and not any(constant(v) for v in computed) and all(constant(v) for v in now[name]):
            yield from finding("hard-coded", "block", f"{name} was computed, and is now {brief(now[name][0], 40)}.")


def emptied(edit: Edit) -> Iterator[Finding]:
    """A cell without code, names that others need and it no longer makes, statements taken out with nothing in place."""
    was = [s for s in edit.before.body if not isinstance(s, ast.Pass) and written(s) not in edit.moved]
    if not was or mask(edit.new).opaque:
        return
    lost = sorted((bound_names(edit.old) - bound_names(edit.new) - _changed_in_place(edit.after)) & set(edit.needed))
    if lost:
        yield from finding("emptied", "block", f"{', '.join(lost)} is no longer made here, and other cells read it.")
    doc = read(edit.new).docstring is not None
    body = [s for s in edit.after.body[doc:] if not isinstance(s, ast.Pass)]
    if not body and not edit.new.strip():
        yield from finding("emptied", edit.weigh(REMOVE), "The cell is left with no code.")
        return
    if not body and not (not edit.after.body and edit.new.strip() and not edit.new.strip().startswith(("#", "%"))):
        yield from finding("emptied", edit.weigh(REMOVE), "The cell is left with no code.")
        return
    if edit.repair:
        yield from _taken_out(edit)


def _changed_in_place(tree: ast.Module) -> set[str]:
    """Names of which a part is assigned: `t["new"] = …` where `t = t.assign(new=…)` was."""
    found = set()
    for node in ast.walk(tree):
        for target in node.targets if isinstance(node, ast.Assign) else ():
            while isinstance(target, ast.Subscript | ast.Attribute):
                target = target.value
                if isinstance(target, ast.Name):
                    found.add(target.id)
    return found


def _taken_out(edit: Edit) -> Iterator[Finding]:
    gone, came = edit.old_statements - edit.new_statements, edit.new_statements - edit.old_statements
    if came or not gone:
        return
    used = {n.id for n in ast.walk(edit.after) if isinstance(n, ast.Name)}
    for statement in edit.before.body:
        if written(statement) not in gone or written(statement) in edit.moved:
            continue
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            names = {a.asname or a.name.partition(".")[0] for a in statement.names}
            if not names & (used | set(edit.needed)):
                continue
        call = isinstance(statement, ast.Expr) and call_name(statement.value) not in ("", *SHOWING)
        severity: Severity = "ask" if call or REMOVE.search(edit.words) else "block"
        yield from finding("emptied", severity, f"{brief(statement)} was taken out, with nothing in its place.")


def _shown(tree: ast.Module) -> tuple[int, int]:
    """How many prints show something computed, and how many only a constant."""
    calls = [n for n in ast.walk(tree) if call_name(n) in SHOWING and isinstance(n, ast.Call)]
    fixed = sum(all(constant(a) for a in n.args) and bool(n.args) for n in calls)
    return len(calls) - fixed, fixed


def printed_only(edit: Edit) -> Iterator[Finding]:
    """Words printed where a computed value was."""
    if not edit.repair:
        return
    (computed, fixed), (computed_now, fixed_now) = _shown(edit.before), _shown(edit.after)
    if computed_now < computed and fixed_now > fixed:
        yield from finding("printed", "block", "A text is printed where a computed value was printed before.")


RULES = (defaulted, filled, data_invented, hard_coded, emptied, printed_only)
