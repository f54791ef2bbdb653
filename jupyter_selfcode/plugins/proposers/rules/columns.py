"""A column that the data no longer has, where exactly one column is near. A guess from names, and said to be one."""

from __future__ import annotations

import ast
import csv
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from ....analysis import near, trees
from ....analysis.opposites import opposed
from .broken import Broken, Step
from .introspect import names_in
from .spans import Edit, edited

_METHODS = frozenset(
    ["groupby", "group_by", "sort_values", "sort", "drop", "set_index", "merge", "join", "pivot", "pivot_table", "melt", "agg", "aggregate", "explode", "nlargest", "nsmallest", "dropna", "drop_duplicates", "duplicated", "value_counts", "get", "pop", "rename", "astype", "select", "col", "with_columns", "get_dummies", "crosstab", "plot", "hist", "boxplot", "scatter", "bar", "barh", "line", "area", "kde", "box", "pie", "reset_index", "unstack", "query", "eval", "read_csv"]
)  # fmt: skip
"""Methods and functions whose positional texts are columns; of any other call only the keywords below are."""

_KEYWORDS = frozenset(
    ["by", "on", "left_on", "right_on", "columns", "subset", "x", "y", "z", "hue", "index", "values", "id_vars", "value_vars", "usecols", "parse_dates", "index_col", "dtype", "col", "row", "size", "style", "names", "column", "key", "weights", "color", "text", "facet_col", "facet_row"]
)  # fmt: skip

_LISTS = (
    r"(\[[^\]]*\]) not (?:in index|found in axis)",
    r"None of \[?(?:\w*Index\()?(\[[^\]]*\])",
    r"Columns? not found: (.+?)\"?$",
    r"Label\(s\) (\[[^\]]*\]) do not exist",
    r"not present in the DataFrame: (\[[^\]]*\])",
    r"labels are not columns of the DataFrame: (\[[^\]]*\])",
    r"mappings argument\. ('[^']*') not found",
    r"columns expected but not found: (\[[^\]]*\])",
    r"Missing column provided to 'parse_dates': ('.*')",
    r"Index (\S+) invalid",
    r"unable to find column (\"[^\"]*\")",
    r"Could not interpret value `([^`]*)` for",
    r"but received: (.+)$",
    r"^(?:\w*Index\()?(\[[^\]]*\])",
    r"^('[^']*'|\"[^\"]*\")$",
)
_ERRORS = ("KeyError", "ValueError", "ColumnNotFoundError", "UndefinedVariableError", "AttributeError")


def columns_of(broken: Broken, roots: Iterable[str] | None = None) -> dict[str, tuple[str, ...]]:
    """Columns of the frames that the kernel had when the cell failed, by variable. `roots`: only these variables.

    Frames whose columns were too many to be told whole are left out: a nearer name may be among the rest.
    """
    found: dict[str, tuple[str, ...]] = {}
    for v in broken.variables:
        m = re.match(r"\d+ rows × (\d+) columns; (.*)", v.summary, re.DOTALL)
        if not m or (roots is not None and v.name not in roots):
            continue
        names: list[str] = []
        for piece in re.split(r", (?=.*: |$)", m.group(2)):
            held = names.pop() + ", " if names and ": " not in names[-1] else ""
            names.append(held + piece)
        columns = tuple(n.rpartition(": ")[0] for n in names if ": " in n)
        if len(columns) == int(m.group(1)):
            found[v.name] = columns
    return found


def missing_columns(ename: str, evalue: str) -> tuple[str, ...]:
    """The columns that a message of pandas, polars, seaborn or plotly says are not there."""
    if ename not in _ERRORS:
        return ()
    text = evalue.strip()
    if ename == "KeyError" and text[:1] == text[-1:] == '"':  # str(KeyError(message)) quotes the message
        text = text[1:-1]
    if ename == "UndefinedVariableError":
        return tuple(re.findall(r"name '(\w+)' is not defined", text))
    if ename == "AttributeError":
        return tuple(re.findall(r"'(?:DataFrame|DataFrameGroupBy)' object has no attribute '(\w+)'", text))
    for pattern in _LISTS[: None if ename == "KeyError" else -2]:
        if m := re.search(pattern, text):
            return tuple(_texts(m.group(1)))
    return ()


def _texts(said: str) -> Iterable[str]:
    try:
        value = ast.literal_eval(said)
    except (ValueError, SyntaxError):
        return [said.strip("'\"` ")]
    values = value if isinstance(value, (list, tuple)) else [value]
    return [v for v in values if isinstance(v, str)]


def nearest_column(name: str, columns: Iterable[str]) -> str | None:
    """The one column that a name most likely became, from the surest kind of likeness to the least; None where the
    surest kind that fits at all fits more than one. Never one of another unit, number, sample or end of a range, nor what
    looks like several that nobody has divided."""
    several = set(",;|\t") - set(name)
    names = [c for c in columns if c != name and near.plain(c) and not opposed(name, c) and several.isdisjoint(c)]
    plain = near.plain(name)
    words = _words(name)
    kinds: tuple[Callable[[str], bool], ...] = (
        lambda c: near.plain(c) == plain,
        lambda c: _singular(near.plain(c)) == _singular(plain),
        lambda c: len(plain) >= 3 and _part(words, _words(c)),
        lambda c: near.similar(name, c),
    )
    for like in kinds:
        found = [c for c in names if like(c)]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def _words(name: str) -> list[str]:
    return [w.casefold() for w in re.split(r"[\W_]+|(?<=[a-z])(?=[A-Z])", name) if w]


def _singular(plain: str) -> str:
    if plain.endswith("ies") and len(plain) > 4:
        return plain[:-3] + "y"
    return plain[:-1] if plain.endswith("s") and not plain.endswith("ss") and len(plain) > 3 else plain


def _part(a: list[str], b: list[str]) -> bool:
    """Whether one is the beginning or the end of the other, in whole words: `price`, `unit_price`."""
    short, long = sorted((a, b), key=len)
    return 0 < len(short) < len(long) and (long[: len(short)] == short or long[-len(short) :] == short)


def renamed_column(broken: Broken) -> Iterator[Step | None]:
    """The columns that a message says are missing, replaced where the cell names them."""
    tree = broken.text.tree
    missing = missing_columns(broken.failure.ename.rpartition(".")[2], broken.failure.evalue)
    if tree is None or not missing:
        return
    frames = frames_meant(broken, tree)
    text, said = broken.text.text, list[str]()
    edits: list[Edit] = []
    for name in missing:
        new = column_meant(broken, name, frames)
        if new is None:
            return
        made = list(_edits(broken, tree, name, new, frames))
        if not made:
            return
        edits += made
        where = ", ".join(k for k, columns in frames.items() if new in columns)
        said.append(
            f"There is no column {name!r}; of the columns of {where} only {new!r} is near, so it is taken to be meant."
        )
    yield broken.step(edited(text, edits), " ".join(said) + " This is a guess from the names.")


def column_meant(broken: Broken, name: str, frames: dict[str, tuple[str, ...]]) -> str | None:
    """The one column of these frames that a missing one most likely became; None where that cannot be told."""
    if any(name in columns for columns in frames.values()):
        return None  # one of the frames in the statement has it: which of them is meant cannot be told from here
    found = {n for columns in frames.values() if (n := nearest_column(name, columns))}
    new = found.pop() if len(found) == 1 else None
    if new is not None and broken.failure.ename == "AttributeError":
        known = {c for columns in frames.values() for c in columns}
        known |= {n for n in names_in("pandas.DataFrame") if not n.startswith("_")}
        return new if nearest_column(name, known) == new else None
    return new


def frames_meant(broken: Broken, tree: ast.Module) -> dict[str, tuple[str, ...]]:
    """Columns that the failing statement may be about: of a file it reads, else of the frames it names, else of all."""
    valid = re.search(r"valid columns: (\[.*\])|Expected one of (\[.*?\]) but received", broken.failure.evalue)
    if valid:
        return {"the data": tuple(_texts(valid.group(1) or valid.group(2)))}
    inside = [n for n in ast.walk(tree) if isinstance(n, ast.expr) and broken.focused(n)]
    for node in inside:
        if isinstance(node, ast.Call) and isinstance(node.func, (ast.Attribute, ast.Name)):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
            if called in ("read_csv", "read_table") and (header := _header(broken.folder, node, called)):
                return header
    named = columns_of(broken, {n.id for n in inside if isinstance(n, ast.Name)})
    return named or columns_of(broken)


def _header(folder: Path, call: ast.Call, called: str) -> dict[str, tuple[str, ...]]:
    """The columns in the first line of the file that a `read_csv` names by a plain text."""
    given = {k.arg: k.value for k in call.keywords if k.arg}
    first = call.args[0] if call.args else given.get("filepath_or_buffer")
    if (
        not isinstance(first, ast.Constant)
        or not isinstance(first.value, str)
        or {"header", "skiprows", "names"} & set(given)
    ):
        return {}
    sep = given.get("sep", given.get("delimiter"))
    comma = sep.value if isinstance(sep, ast.Constant) else "\t" if called == "read_table" else ","
    try:
        path = (folder / first.value).resolve()
        if not path.is_relative_to(folder.resolve()) or not isinstance(comma, str) or len(comma) != 1:
            return {}
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            line = next(csv.reader([file.readline(100_000)], delimiter=comma), [])
    except (OSError, ValueError, csv.Error):
        return {}
    return {first.value: tuple(line)}


def _edits(broken: Broken, tree: ast.Module, name: str, new: str, frames: dict[str, tuple[str, ...]]) -> Iterator[Edit]:
    """Where the cell names the column: subscripts, arguments that are columns, `frame.column`, query texts.

    A statement that makes the column (`frame["name"] = …`) keeps the name, and so does what comes after it.
    """
    made = [
        n.lineno
        for n in ast.walk(tree)
        if isinstance(n, ast.Subscript) and isinstance(n.ctx, ast.Store) and name in _constants([n.slice])
    ]
    last = min(made, default=10**9)
    stored = {
        c
        for n in ast.walk(tree)
        if isinstance(n, ast.Subscript) and not isinstance(n.ctx, ast.Load)
        for c in ast.walk(n.slice)
    }
    seen: set[ast.AST] = set()
    all_frames = columns_of(broken)
    for node in ast.walk(tree):
        of = trees.root(node.func if isinstance(node, ast.Call) else node) or ""
        if name in all_frames.get(of, ()) or broken.kind(of) in ("dict", "defaultdict", "OrderedDict", "Counter"):
            continue
        for c in _named_by(node):
            if c in seen or c in stored or c.lineno > last or not broken.text.true(c):
                continue
            seen.add(c)
            start, end = broken.text.span(c)
            text = broken.text.text[start:end]
            if c.value == name:
                yield Edit(start, end, text.replace(name, new) if text.count(name) == 1 else repr(new))
        for c in _queries(node):
            start, end = broken.text.span(c)
            found = _in_query(broken.text.text[start:end], name, new)
            if c.value != name and found != broken.text.text[start:end] and broken.text.true(c):
                yield Edit(start, end, found)
        if (
            isinstance(node, ast.Attribute)
            and node.attr == name
            and isinstance(node.ctx, ast.Load)
            and broken.failure.ename == "AttributeError"
            and (broken.focused(node) or trees.root(node) in frames)
            and broken.text.true(node)
        ):
            end = broken.text.span(node)[1]
            dot = broken.text.text.rindex(".", 0, end - len(name))
            if new.isidentifier():
                yield Edit(end - len(name), end, new)
            else:
                yield Edit(dot, end, f"[{new!r}]")


def columns_named(tree: ast.Module) -> set[str]:
    """Texts that a cell names where columns are named, and the words of its queries."""
    found = {str(c.value) for n in ast.walk(tree) for c in _named_by(n)}
    return found | {w for n in ast.walk(tree) for c in _queries(n) for w in re.findall(r"\w+", str(c.value))}


def _queries(node: ast.AST) -> Iterator[ast.Constant]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("query", "eval"):
        yield from (c for c in node.args if isinstance(c, ast.Constant) and isinstance(c.value, str))


def _in_query(literal: str, name: str, new: str) -> str:
    """A literal of a query with the column renamed; texts inside of it and local variables (`@name`) stay."""
    quote = re.match(r"[rRuU]?(\"{3}|'{3}|[\"'])", literal)
    if not quote:
        return literal
    start, end = quote.end(), len(literal) - len(quote.group(1))
    word = new if new.isidentifier() else f"`{new}`"
    found = re.sub(rf"(?<![\w@.'\"`]){re.escape(name)}(?![\w'\"`(])", lambda _: word, literal[start:end])
    return literal[:start] + found + literal[end:]


def _constants(nodes: Iterable[ast.AST | None]) -> set[object]:
    return {c.value for n in nodes if n is not None for c in ast.walk(n) if isinstance(c, ast.Constant)}


def _named_by(node: ast.AST) -> Iterator[ast.Constant]:
    """Text constants of a node that are columns, whatever they say."""
    if isinstance(node, ast.Subscript):
        yield from _flat(node.slice)
    elif isinstance(node, ast.Call) and isinstance(node.func, (ast.Attribute, ast.Name)):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
        for argument in node.args if called in _METHODS else ():
            yield from _flat(argument)
        for k in node.keywords:
            if k.arg in _KEYWORDS:
                yield from _flat(k.value)
            elif called in ("agg", "aggregate") and isinstance(k.value, ast.Tuple) and k.value.elts:
                yield from _flat(k.value.elts[0])


def _flat(node: ast.expr) -> Iterator[ast.Constant]:
    """The text of an expression, of the elements of a list or tuple, of the keys of a dictionary."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node
    elif isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        for element in node.elts:
            yield from _flat(element)
    elif isinstance(node, ast.Dict):
        for key in node.keys:
            if key is not None:
                yield from _flat(key)
