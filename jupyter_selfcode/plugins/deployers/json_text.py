"""Where the cells are in the text of a notebook, and how that text is written.

A change is cut into the text, and what it does not touch is copied as it stands: numbers, escapes, white space and outputs
survive byte for byte, whatever wrote them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

Span = tuple[int, int]
"""Start and end of a value in a text."""

_BLANK = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


def _skip(text: str, at: int) -> int:
    return _BLANK.match(text, at).end()  # type: ignore[union-attr]


@dataclass(frozen=True, slots=True)
class Layout:
    """Spans of the values of the outermost object by key, and of each cell. For a text that is known to be JSON."""

    text: str
    values: dict[str, Span]
    cells: tuple[Span, ...]


def layout(text: str) -> Layout:
    """Find them."""
    values: dict[str, Span] = {}
    cells: tuple[Span, ...] = ()
    at = _skip(text, _skip(text, 0) + 1)
    while text[at] != "}":
        key, at = _DECODER.raw_decode(text, at)
        at = _skip(text, _skip(text, at) + 1)
        if key == "cells":
            cells, end = _elements(text, at)
        else:
            _, end = _DECODER.raw_decode(text, at)
        values[key] = (at, end)
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return Layout(text, values, cells)


def _elements(text: str, start: int) -> tuple[tuple[Span, ...], int]:
    spans: list[Span] = []
    at = _skip(text, start + 1)
    while text[at] != "]":
        _, end = _DECODER.raw_decode(text, at)
        spans.append((at, end))
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return tuple(spans), at + 1


def _in_order(value: Any) -> bool:
    if isinstance(value, dict):
        keys = list(value)
        return keys == sorted(keys) and all(_in_order(v) for v in value.values())
    return not isinstance(value, list) or all(_in_order(v) for v in value)


@dataclass(frozen=True, slots=True)
class Style:
    """How a text is written: indent of one level (None: on one line), line ending, `\\u` escapes, sorted keys, and
    whether long texts are lists of lines."""

    indent: str | None = " "
    newline: str = "\n"
    ascii: bool = False
    sorted: bool = True
    lines: bool = True
    after_comma: str = " "

    def dumps(self, value: Any, prefix: str) -> str:
        """A value in this style; `prefix` is the indent of the line it begins on."""
        comma = "," if self.indent is not None else "," + self.after_comma
        colon = ": " if self.indent is not None else ":" + self.after_comma

        def write(ascii: bool) -> str:
            return json.dumps(
                value, indent=self.indent, ensure_ascii=ascii, sort_keys=self.sorted, separators=(comma, colon)
            )

        text = write(self.ascii)
        if any("\ud800" <= c <= "\udfff" for c in text):  # lone surrogates, which no file can hold but as escapes
            text = write(True)
        return text.replace("\n", self.newline + prefix) if self.indent is not None else text

    def text(self, source: str, as_lines: bool | None = None) -> str | list[str]:
        """A source as files hold it: a list of lines, as Jupyter writes, or one string."""
        return source.splitlines(True) if (self.lines if as_lines is None else as_lines) else source

    def array(self, items: Sequence[str]) -> str:
        """An array of cells where there was none to take the white space from."""
        if not items:
            return "[]"
        if self.indent is None:
            return "[" + f",{self.after_comma}".join(items) + "]"
        inner = self.newline + 2 * self.indent
        return "[" + inner + f",{inner}".join(items) + self.newline + self.indent + "]"


def _escapes(text: str) -> bool:
    """Whether letters are written as `\\u` escapes. Control characters always are; a doubled backslash is none."""
    found = re.finditer(r"\\+u[0-9a-fA-F]{4}", text)
    return any(m.group().count("\\") % 2 and int(m.group()[-4:], 16) >= 0x80 for m in found)


def style_of(text: str, raw: dict[str, Any]) -> Style:
    """The style of a notebook's text."""
    lead = _BLANK.match(text, _skip(text, 0) + 1).group()  # type: ignore[union-attr]
    sources = [c.get("source") for c in raw["cells"]]
    return Style(
        indent=re.split(r"[\r\n]", lead)[-1] if "\n" in lead else None,
        newline="\r\n" if "\r\n" in lead else "\n",
        ascii=text.isascii() and _escapes(text),
        sorted=_in_order(raw),
        lines=not sources or any(isinstance(s, list) for s in sources),
        after_comma=" " if '": ' in text else "",
    )


@dataclass(frozen=True, slots=True)
class Piece:
    """One cell of the new text: its place among the old cells (None: it is new), and what it holds (None: the same)."""

    place: int | None
    value: dict[str, Any] | None


def with_cells(where: Layout, style: Style, pieces: Sequence[Piece]) -> str:
    """The text of the array of cells. Cells that stay neighbours keep the white space between them."""
    text, spans = where.text, where.cells
    start, end = where.values["cells"]

    def item(piece: Piece, prefix: str) -> str:
        if piece.value is None and piece.place is not None:
            return text[slice(*spans[piece.place])]
        return style.dumps(piece.value, prefix)

    if not spans or not pieces:
        return style.array([item(p, 2 * (style.indent or "")) for p in pieces])
    lead, tail = text[start + 1 : spans[0][0]], text[spans[-1][1] : end]
    prefix = re.split(r"[\r\n]", lead)[-1] if "\n" in lead else ""
    usual = text[spans[0][1] : spans[1][0]] if len(spans) > 1 else "," + (lead or style.after_comma)
    parts = [lead, item(pieces[0], prefix)]
    for last, piece in pairwise(pieces):
        neighbours = last.place is not None and piece.place == last.place + 1
        parts.append(text[spans[last.place][1] : spans[piece.place][0]] if neighbours else usual)  # type: ignore[index]
        parts.append(item(piece, prefix))
    return "[" + "".join(parts) + tail
