"""Blocks as rich renderables, and as text of a given width. rich is imported when something is drawn, not before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import StringIO
from typing import TYPE_CHECKING

from .blocks import (
    CHANGE_WORDS,
    Block,
    Change,
    Facts,
    Fold,
    Listing,
    Paragraph,
    Source,
    Spans,
    Steps,
    Table,
    Title,
    visible,
)
from .highlight import Word, diff_rows, highlighted

if TYPE_CHECKING:
    from rich.console import Group, RenderableType
    from rich.text import Text

_STYLE = {
    "": "",
    "dim": "dim",
    "strong": "bold",
    "code": "cyan",
    "ok": "green",
    "warning": "yellow",
    "error": "red",
    "plain": "",
}
_MARK = {"ok": "✓ ", "warning": "● ", "error": "✗ ", "plain": ""}
_WORD: dict[Word, str] = {
    "": "",
    "keyword": "bold",
    "string": "magenta",
    "comment": "dim italic",
    "number": "blue",
    "name": "",
}
_SIGN = {"+": "green", "-": "red", " ": "dim", "@": "dim"}


def _spans(spans: Spans, style: str = "") -> Text:
    from rich.text import Text

    text = Text(style=style)
    for s in spans:
        text.append(visible(s.text), _STYLE[s.style])
    return text


def _pieces(pieces: Sequence[tuple[str, Word]], style: str = "") -> Text:
    from rich.text import Text

    text = Text(style=style)
    for piece, word in pieces:
        text.append(visible(piece), _WORD[word] if not style else "")
    return text


def _lines(rows: Iterable[tuple[str, Text]]) -> RenderableType:
    """Code lines after a sign; a long line wraps under itself, not under the sign."""
    from rich.table import Table as Grid
    from rich.text import Text

    grid = Grid.grid(padding=(0, 1, 0, 0))
    grid.add_column(width=1)
    grid.add_column(overflow="fold")
    for sign, text in rows:
        grid.add_row(Text(sign, _SIGN[sign if sign in _SIGN else " "]), text)
    return grid


def _change(block: Change) -> RenderableType:
    from rich.console import Group
    from rich.padding import Padding
    from rich.text import Text

    c, told = block.change, diff_rows(block.change)
    rows = [
        (" ", Text(f"⋯ line {n}", "dim")) if sign == "@" else (sign, _pieces(p, _SIGN[sign] if sign in "+-" else ""))
        for sign, n, p in told
    ]
    added, removed = (sum(sign == s for sign, _, _ in told) for s in "+-")
    head = Text()
    head.append(f"{visible(block.title) or f'Cell {c.place}'} ", "bold")
    head.append(
        f"{visible(c.cell_id)} · {CHANGE_WORDS[c.change]}" + (f" · {c.type}" if c.type in ("markdown", "raw") else ""),
        "dim",
    )
    if rows:
        head.append(f"  +{added}", "green").append(f" −{removed}", "red")
    return Padding(Group(head, Padding(_lines(rows), (0, 0, 0, 2))) if rows else head, (1, 0, 0, 0))


def _table(block: Table) -> RenderableType:
    from rich.table import Table as Grid

    grid = Grid(box=None, padding=(0, 2, 0, 0), show_header=any(block.columns), header_style="dim", pad_edge=False)
    for i, name in enumerate(block.columns):
        grid.add_column(
            visible(name),
            justify="right" if i in block.right else "left",
            no_wrap=i != block.wide,
            overflow="fold" if i == block.wide else "ellipsis",
            ratio=None,
        )
    for row in block.rows:
        grid.add_row(*map(_spans, row))
    return grid


def _pairs(rows: Iterable[tuple[Text, Text]]) -> RenderableType:
    from rich.table import Table as Grid

    grid = Grid.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for a, b in rows:
        grid.add_row(a, b)
    return grid


def _block(block: Block) -> RenderableType:
    from rich.console import Group
    from rich.padding import Padding
    from rich.text import Text

    match block:
        case Title(text, kind, remark):
            line = Text()
            line.append(_MARK[kind] + visible(text), f"bold {_STYLE[kind]}".strip())
            return line.append(f"  {visible(remark)}", "dim") if remark else line
        case Paragraph(spans):
            return _spans(spans)
        case Facts(rows):
            return _pairs((Text(visible(label), "dim"), _spans(said)) for label, said in rows)
        case Listing(items):
            return _pairs((Text(" ·", "dim"), _spans(i)) for i in items)
        case Table():
            return _table(block)
        case Change():
            return _change(block)
        case Source(text, language):
            if not language:
                return Text(visible(text), overflow="fold")
            return Padding(Group(*(_pieces(p) for p in highlighted(text, language))), (0, 0, 0, 2))
        case Fold(title, blocks, _, _):
            inner = Padding(draw_rich(blocks), (0, 0, 0, 2))
            return Group(Text(visible(title), "dim"), inner)
        case Steps(rows):
            pairs = _pairs((Text(visible(c), "bold cyan"), Text(visible(what), "dim")) for c, what in rows)
            return Padding(pairs, (1, 0, 0, 0))


def draw_rich(blocks: Iterable[Block]) -> Group:
    """The blocks as one rich renderable."""
    from rich.console import Group
    from rich.text import Text

    drawn: list[RenderableType] = []
    previous: Block | None = None
    for block in blocks:
        if isinstance(block, Fold) and block.aside:
            continue
        if isinstance(previous, Change) and not isinstance(block, (Change, Steps)):
            drawn.append(Text())  # a diff ends with a blank line, as it begins with one
        drawn.append(_block(block))
        previous = block
    return Group(*drawn)


def draw_text(blocks: Iterable[Block], width: int, color: bool) -> str:
    """The blocks as text, lines of at most `width` columns, without white space at their ends."""
    from rich.console import Console

    console = Console(
        file=StringIO(),
        width=width,
        force_terminal=color,
        color_system="standard" if color else None,
        highlight=False,
        emoji=False,
        markup=False,
        legacy_windows=False,
        force_jupyter=False,
        no_color=not color,
    )
    console.print(draw_rich(blocks))
    return "\n".join(line.rstrip() for line in console.file.getvalue().rstrip("\n").split("\n"))  # type: ignore[attr-defined]
