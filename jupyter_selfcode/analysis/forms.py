"""The form of a cell: its words (the intent), its examples (the contract) and the code that keeps them.

%%selfcode
\"\"\"words                        the intent

>>> revenue.index.is_unique     the contract: doctest examples, as `doctest` reads and compares them
True
\"\"\"
code                            what keeps the promise
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from .magics import Masked, mask, parse, parse_masked

_MAGIC = re.compile(r"\s*^%%selfcode(?:[ \t]+(?P<words>[^\n]*?))?[ \t]*(?:\r?\n|\Z)", re.MULTILINE)
_PLAINLY_CODE = re.compile(
    r"(?:async )?def \w+\(|class \w+[(:]|@\w+[\w.]*(?:\(|$)|print\s+['\"]"
    r"|[A-Za-z_][\w.\[\]'\"]*\s*[-+*/|&]?=\s*(?:[A-Za-z_][\w.]*[(\[]|[\[({'\"])"
)
"""Beginnings of lines that are code although the line alone is no Python: unclosed, misspelt, or Python 2."""
OPENING = re.compile(r"\s*([rRuU]?)(\"\"\"|'''|\"|')")


@dataclass(frozen=True, slots=True)
class CellForm:
    """What a cell is made of. `kind` is intent where there are only words, so that code must still be generated.

    `magic`: it begins with `%%selfcode`; `line_words`: what stands on that line. `words`: the whole intent, contract
    examples left out. `docstring`: the leading docstring as it is (its value). `code`: what is left.
    """

    magic: bool
    line_words: str
    words: str
    docstring: str | None
    code: str
    kind: Literal["intent", "code"]


def split(source: str) -> tuple[bool, str, str]:
    """Whether the magic is there, the words on its line, and what stands below."""
    found = _MAGIC.match(source)
    if not found:
        return False, "", source
    return True, found.group("words") or "", source[found.end() :]


def docstring_of(masked: Masked, tree: ast.Module) -> tuple[ast.Expr, str] | None:
    """The first statement below leading cell magics, if it is a string literal."""
    statements = [s for s in tree.body if s.lineno > masked.head]
    if statements and isinstance(statements[0], ast.Expr) and isinstance(statements[0].value, ast.Constant):
        value = statements[0].value.value
        if isinstance(value, str):
            return statements[0], value
    return None


def span(text: str, node: ast.stmt) -> tuple[int, int]:
    """Where a statement stands in its text, in characters (`ast` counts columns in UTF-8 bytes)."""
    lines = text.splitlines(keepends=True) if "\n" not in text else re.split(r"(?<=\n)", text)

    def at(line: int, column: int) -> int:
        return sum(len(part) for part in lines[: line - 1]) + len(lines[line - 1].encode()[:column].decode())

    return at(node.lineno, node.col_offset), at(node.end_lineno or node.lineno, node.end_col_offset or 0)


def _without_examples(text: str) -> str:
    """The words of a docstring: all that is no doctest example."""
    kept, inside = list[str](), False
    for line in text.split("\n"):
        bare = line.strip()
        inside = bare == ">>>" or bare.startswith(">>> ") or (inside and bool(bare))
        if not inside and (bare or (kept and kept[-1])):
            kept.append(line.rstrip())
    return "\n".join(kept).strip()


def _wordlike(statement: ast.stmt, names: Collection[str]) -> bool:
    """Whether a statement reads as words that happen to be Python: `revenue`, `sales, costs`, `Goal: profit`."""
    match statement:
        case ast.Return() | ast.Global() | ast.Nonlocal() | ast.Expr(ast.Yield()):
            return True
        case ast.AnnAssign(value=None, target=ast.Name()):
            return True
        case ast.Expr(value):
            pass
        case _:
            return False
    plain = (
        ast.Name, ast.Tuple, ast.BoolOp, ast.Compare, ast.UnaryOp, ast.IfExp, ast.BinOp,
        ast.Load, ast.And, ast.Or, ast.Not, ast.In, ast.NotIn, ast.Is, ast.IsNot, ast.Sub,
    )  # fmt: skip
    nodes = list(ast.walk(value))
    used = {n.id for n in nodes if isinstance(n, ast.Name)}
    return bool(used) and all(isinstance(n, plain) for n in nodes) and not used <= set(names)


def _broken_code(text: str) -> bool:
    """Whether text that does not parse is code all the same: a line of its own is an import, an assignment, a
    definition or a call, or a block was begun and indented."""
    lines = _without_examples(text).split("\n")
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        bare = line.strip()
        if _PLAINLY_CODE.match(bare):
            return True
        indented = len(following) - len(following.lstrip()) > len(line) - len(line.lstrip())
        tree = parse(bare + " pass" if bare.endswith(":") else bare)
        if tree is None or not tree.body:
            continue
        first = tree.body[0]
        if isinstance(first, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            return True
        if isinstance(first, (ast.Import, ast.ImportFrom, ast.Assign, ast.AugAssign)):
            return True
        if isinstance(first, ast.AnnAssign) and first.value is not None:
            return True
        if isinstance(first, (ast.For, ast.While, ast.If, ast.With, ast.Try)) and bare.endswith(":") and indented:
            return True
        if isinstance(first, ast.Expr) and isinstance(call := first.value, ast.Call):
            name = ast.get_source_segment(bare, call.func) or ""
            if bare[len(name) :].startswith("("):  # `Revenue (EUR)` is words
                return True
    return False


def _broken_docstring(body: str) -> tuple[str, str] | None:
    """Docstring and rest of a body that does not parse but begins with a whole string literal on lines of its own."""
    opening = OPENING.match(body)
    if not opening:
        return None
    end = body.find(opening.group(2), opening.end())
    rest = body[end + len(opening.group(2)) :]
    if end < 0 or rest.split("\n", 1)[0].strip() or ("\n" in body[:end].strip() and len(opening.group(2)) == 1):
        return None
    return body[opening.end() : end], rest


def _intent(line_words: str, text: str, docstring: str | None = None) -> CellForm:
    words = "\n\n".join(part for part in (line_words, _without_examples(text)) if part)
    return CellForm(True, line_words, words, docstring, "", "intent" if words or text.strip() else "code")


def read(source: str, names: Collection[str] = ()) -> CellForm:
    """The form of a cell. `names` are known live names: a body that is nothing but these is code, not words."""
    magic, line_words, body = split(source)
    masked = mask(body)
    tree = None if masked.opaque else parse_masked(masked)
    if tree is None:
        if not magic:
            return CellForm(False, "", "", None, body, "code")
        if masked.opaque:
            return CellForm(True, line_words, line_words, None, body.strip("\n"), "code")
        if broken := _broken_docstring(body):
            docstring, code = broken
            words = "\n\n".join(part for part in (line_words, _without_examples(docstring)) if part)
            return CellForm(True, line_words, words, docstring, code.strip("\n"), "code")
        if _broken_code(body):
            return CellForm(True, line_words, line_words, None, body.strip("\n"), "code")
        return _intent(line_words, body)
    found = docstring_of(masked, tree)
    if found:
        node, docstring = found
        start, end = span(body, node)
        code = (body[:start] + re.sub(r"^[ \t]*;?[ \t]*\r?\n?", "", body[end:], count=1)).strip("\n")
        if magic and not any(s.lineno > masked.head and s is not node for s in tree.body):
            return _intent(line_words, docstring, docstring)
        words = "\n\n".join(part for part in (line_words, _without_examples(docstring)) if part)
        return CellForm(magic, line_words, words, docstring, code, "code")
    if magic:
        if not tree.body:
            return _intent(line_words, "\n".join(line.strip().lstrip("#").strip() for line in body.split("\n")))
        asked = len(masked.magics) == len(tree.body) == 1 and re.fullmatch(r"(\w+)\?+", body.strip())
        if all(_wordlike(s, names) for s in tree.body) and not masked.magics:
            return _intent(line_words, body)
        if asked and asked.group(1) not in names:
            return _intent(line_words, body)
    return CellForm(magic, line_words, line_words, None, body.strip("\n") if magic else body, "code")


def intent_of(source: str) -> str:
    """The words of a cell, its examples left out; empty where it has none."""
    return read(source).words


def is_intent(source: str) -> bool:
    """Whether the cell holds only words, so that code must still be generated."""
    return read(source).kind == "intent"


def executable(source: str) -> str:
    """What a kernel without this package can run, line numbers kept: a comment takes the place of the `%%selfcode` line.

    (An empty line would not do: IPython takes leading empty lines away, and tracebacks would count from the next.)
    Words that have no code yet are left out too: they are nothing that could run, and cells around them can still be
    tried. Whoever must not pass over them asks `is_intent` first.
    """
    magic, _, body = split(source)
    if not magic:
        return source
    lines = "\n" * source[: len(source) - len(body)].count("\n")
    form = read(source)
    if form.kind == "intent" and form.docstring is None:
        return "#" + lines + "\n" * body.count("\n")
    return (lines if mask(body).head else "#" + lines) + body


def literal(text: str) -> str:
    """A triple-quoted literal of this text that people can read: raw where it holds backslashes and can be."""
    plain = all(c.isprintable() or c in "\n\t" for c in text)
    if plain and '"""' not in text and not text.endswith(('"', "\\")):
        return ("r" if "\\" in text else "") + f'"""{text}"""'
    escaped = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"').replace("\r", "\\r").replace("\0", "\\0")
    return f'"""{escaped[:-1]}\\""""' if escaped.endswith('"') else f'"""{escaped}"""'


def compose(words: str, examples_text: str, code: str) -> str:
    """A cell of `%%selfcode`, its docstring of words and examples, and code. `read` gives all three back.

    Cell magics at the top of `code` (`%%time`) come before the docstring, because they must.
    """
    parts = [part for part in (words.strip(), examples_text.strip("\n").rstrip()) if part]
    text = "\n\n".join(parts) + ("\n" if len(parts) > 1 or examples_text.strip() else "")
    code = code.strip("\n")
    masked = mask(code)
    head = 0 if masked.opaque else masked.head
    lines = code.split("\n")
    below = "\n".join(lines[head:])
    blocks = ["%%selfcode", *lines[:head], *([literal(text)] if text.strip() else []), *([below] if below else [])]
    return "\n".join(blocks)
