"""Python source as coloured words, line by line; one lexer's answer for both renderers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from ..analysis.changes import CellChange, Sign

Word = Literal["", "keyword", "string", "comment", "number", "name"]
LARGEST = 200_000
"""Characters beyond which a source is left uncoloured: colour is not worth the wait."""


def highlighted(source: str, language: str) -> Sequence[Sequence[tuple[str, Word]]]:
    """For each line of `source.splitlines()`, its pieces with the kind of word they are."""
    plain: list[list[tuple[str, Word]]] = [[(line, "")] for line in source.splitlines()]
    if language != "python" or len(source) > LARGEST:
        return plain
    from pygments.lexers.python import PythonLexer
    from pygments.token import Comment, Keyword, Name, Number, Operator, String

    kinds: tuple[tuple[object, Word], ...] = (
        (Comment, "comment"),
        (String, "string"),
        (Number, "number"),
        (Keyword, "keyword"),
        (Operator.Word, "keyword"),
        (Name.Builtin, "name"),
        (Name.Function, "name"),
        (Name.Class, "name"),
        (Name.Decorator, "name"),
    )
    lines: list[list[tuple[str, Word]]] = [[]]
    for token, text in PythonLexer(stripnl=False, ensurenl=False).get_tokens(source):  # type: ignore[no-untyped-call]
        word: Word = next((w for kind, w in kinds if token in kind), "")  # type: ignore[operator]
        first, *rest = text.split("\n")
        lines[-1].append((first, word))
        lines.extend([(part, word)] for part in rest)
    told = ["".join(t for t, _ in pieces) for pieces in lines[: len(plain)]]
    # a lexer normalises line ends; where that moved a line, an uncoloured truth is better than a coloured mistake
    return lines if told == [pieces[0][0] for pieces in plain] else plain


def diff_rows(change: CellChange) -> list[tuple[Sign, int, Sequence[tuple[str, Word]]]]:
    """The lines of a cell's diff: sign, line number from 1 (of the old source for `-`, else of the new), pieces."""
    language = "python" if change.type == "code" else ""
    old, new = highlighted(change.before, language), highlighted(change.after, language)
    rows: list[tuple[Sign, int, Sequence[tuple[str, Word]]]] = []
    for line in change.lines():
        at = line.new if line.new is not None else line.old or 0
        rows.append((line.sign, at + 1, () if line.sign == "@" else new[at] if line.new is not None else old[at]))
    return rows
