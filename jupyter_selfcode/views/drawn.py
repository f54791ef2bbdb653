"""Blocks as data: for a front end that draws them itself. What differs is computed here, so that all hosts show the same.

Texts are plain and are to be drawn as text; what cannot be seen in them is spelled out as in every other view.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..analysis.changes import ChangeKind, Sign
from ..values.canonical import plain
from .blocks import Block, Change, Facts, Fold, Listing, Paragraph, Source, Steps, Table, Title, visible
from .highlight import Word, diff_rows

LINES = 2_000
"""Lines of one diff that are drawn; the rest is counted."""


@dataclass(frozen=True, slots=True)
class DrawnLine:
    """A line of a diff: its number from 1 (of the old source for `-`, else of the new), and its coloured pieces."""

    sign: Sign
    number: int
    pieces: tuple[tuple[str, Word], ...]


@dataclass(frozen=True, slots=True)
class DrawnChange:
    """The diff of one cell. `cut` counts the lines that are left out."""

    title: str
    cell_id: str
    change: ChangeKind
    type: str
    place: int
    added: int
    removed: int
    lines: tuple[DrawnLine, ...]
    cut: int = 0
    block: Literal["change"] = "change"


@dataclass(frozen=True, slots=True)
class DrawnFold:
    """Blocks that open by a click."""

    title: str
    blocks: tuple[DrawnBlock, ...]
    shown: bool = False
    aside: bool = False
    block: Literal["fold"] = "fold"


DrawnBlock = Title | Paragraph | Facts | Listing | Table | DrawnChange | Source | DrawnFold | Steps


@dataclass(frozen=True, slots=True)
class Drawn:
    """A view as data."""

    blocks: tuple[DrawnBlock, ...]


def draw_data(blocks: Iterable[Block]) -> dict[str, Any]:
    """The blocks as plain data in the form of `Drawn`."""
    drawn: dict[str, Any] = _seen(plain(Drawn(tuple(map(_drawn, blocks)))))
    return drawn


def _drawn(block: Block) -> DrawnBlock:
    match block:
        case Change(change, title):
            rows = diff_rows(change)
            added, removed = (sum(sign == s for sign, _, _ in rows) for s in "+-")
            lines = tuple(DrawnLine(sign, number, tuple(pieces)) for sign, number, pieces in rows[:LINES])
            title = title or f"Cell {change.place}"
            return DrawnChange(
                title, change.cell_id, change.change, change.type, change.place, added, removed, lines,
                len(rows) - len(lines),
            )  # fmt: skip
        case Fold(title, blocks, shown, aside):
            return DrawnFold(title, tuple(map(_drawn, blocks)), shown, aside)
        case _:
            return block


def _seen(value: Any) -> Any:
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, Mapping):
        return {k: _seen(v) for k, v in value.items()}
    return [_seen(v) for v in value] if isinstance(value, list) else value
