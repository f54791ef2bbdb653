"""What a view is made of: a few kinds of block, drawn twice, as HTML for notebooks and as text for terminals.

Words, cell ids and outputs come from strangers (a notebook by mail, a model), so they travel as plain strings in spans
and only the two renderers know markup: nothing here can be interpreted as HTML or as terminal control.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal

from ..analysis.changes import CellChange

Style = Literal["", "dim", "strong", "code", "ok", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Span:
    """Text in one style."""

    text: str
    style: Style = ""


Spans = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Title:
    """The first line of a view: what this is, in one colour, and a quiet remark beside it."""

    text: str
    kind: Literal["ok", "warning", "error", "plain"] = "plain"
    remark: str = ""
    block: Literal["title"] = "title"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A line of running text."""

    spans: Spans
    block: Literal["paragraph"] = "paragraph"


@dataclass(frozen=True, slots=True)
class Facts:
    """Labels with what they say, in two columns."""

    rows: tuple[tuple[str, Spans], ...]
    block: Literal["facts"] = "facts"


@dataclass(frozen=True, slots=True)
class Listing:
    """Things in a list."""

    items: tuple[Spans, ...]
    block: Literal["listing"] = "listing"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under headings; columns in `right` are set to the right (numbers), `code` columns in the code font and
    with their white space kept. `wide` names the column that may wrap."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Spans, ...], ...]
    right: frozenset[int] = frozenset()
    code: frozenset[int] = frozenset()
    wide: int | None = None
    block: Literal["table"] = "table"


@dataclass(frozen=True, slots=True)
class Change:
    """The diff of one cell, or under another `title` (its output)."""

    change: CellChange
    title: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """Code or text as it stands, lines kept. `language` is `python` or nothing."""

    text: str
    language: Literal["python", ""] = ""
    block: Literal["source"] = "source"


@dataclass(frozen=True, slots=True)
class Fold:
    """Blocks that open by a click; in a terminal they stand indented under their title, or (`aside`) are left out."""

    title: str
    blocks: tuple[Block, ...]
    shown: bool = False
    aside: bool = False
    block: Literal["fold"] = "fold"


@dataclass(frozen=True, slots=True)
class Steps:
    """What to type next: commands and what each does."""

    rows: tuple[tuple[str, str], ...]
    block: Literal["steps"] = "steps"


CHANGE_WORDS = {
    "changed": "changed",
    "inserted": "new",
    "deleted": "deleted",
    "moved": "moved, source as it was",
    "metadata": "metadata changed, source as it was",
}

Block = Title | Paragraph | Facts | Listing | Table | Change | Source | Fold | Steps


@dataclass(frozen=True, slots=True)
class View:
    """Something to show: blocks in order. Drawn by rich in a terminal and as HTML in a notebook."""

    blocks: tuple[Block, ...] = field(default=())

    def text(self, width: int = 80, color: bool = False) -> str:
        """The view as text of at most `width` columns; with ANSI colours where `color`."""
        from .terminal import draw_text

        return draw_text(self.blocks, width, color)

    def html(self) -> str:
        """The view as HTML: inline styles only, no script, every given text escaped."""
        from .html import draw_html

        return draw_html(self.blocks)

    def data(self) -> dict[str, Any]:
        """The view as data for a front end that draws it itself (`views.drawn.Drawn`): every given text made visible."""
        from .drawn import draw_data

        return draw_data(self.blocks)

    def __rich__(self) -> Any:
        from .terminal import draw_rich

        return draw_rich(self.blocks)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self.html(), "text/plain": self.text()}


def say(*parts: str | Span) -> Spans:
    """Spans of plain strings and spans; empty ones are left out."""
    return tuple(p if isinstance(p, Span) else Span(p) for p in parts if (p.text if isinstance(p, Span) else p))


def dim(text: str) -> Span:
    """Quiet text."""
    return Span(text, "dim")


def code(text: str) -> Span:
    """Text in the code font."""
    return Span(text, "code")


def strong(text: str) -> Span:
    """Text that stands out."""
    return Span(text, "strong")


_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


def visible(text: str) -> str:
    """The text with control and invisible characters spelled out.

    Terminal escapes would act, and bidirectional overrides make code read otherwise than it runs (CVE-2021-42574), so
    in a diff that a person is to judge they must be seen.
    """
    return _UNSEEN.sub(lambda m: f"‹U+{ord(m.group()):04X}›", text.replace("\r\n", "\n"))


def first_line(text: str, limit: int = 100) -> str:
    """The first line of a text that is not empty, cut to `limit` characters."""
    line = next((part.strip() for part in text.splitlines() if part.strip()), "")
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
