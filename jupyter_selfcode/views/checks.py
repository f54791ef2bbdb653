"""Checks that are suggested, for a person to take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .blocks import Block, Paragraph, Spans, Steps, Table, Title, View, code, dim, say
from .words import Speak, count, in_magic


def suggested(cell_id: str, data: Mapping[str, Any], *, speak: Speak = in_magic) -> View:
    """The suggestions for a cell, numbered, each with its reason and what it is worth."""
    rows: list[Mapping[str, Any]] = data["suggestions"]
    if not rows:
        return View((Title(f"Nothing to suggest for cell {cell_id}", "plain", "no result that an expression could be about"),))
    measured = data["mistakes"] is not None and not data["said"].startswith("not measured")
    blocks: list[Block] = [
        Title(f"Suggested for cell {cell_id}: {count(len(rows), 'check')}", "warning", "true in this run; nothing is promised yet"),
        Table(("", "expression", "catches", "why"), tuple(_row(r, measured) for r in rows), frozenset({0, 2}), frozenset({1}), 3),
    ]
    if measured:
        now, with_these = data["caught_now"], data["caught_with"]
        said = f"Of {count(data['mistakes'], 'small mistake')} made in the cell its contract catches {now}, with these {with_these}."
        blocks.append(Paragraph(say(said)))
    if data["said"]:
        blocks.append(Paragraph(say(dim(f"Small mistakes: {data['said']}."))))
    numbers = ",".join(str(r["number"]) for r in rows[:2])
    return View((*blocks, Steps(((speak(f"check --take {numbers} --cell {cell_id}"), "add these to its contract"),))))


def _row(r: Mapping[str, Any], measured: bool) -> tuple[Spans, ...]:
    why = r["reason"] + ("" if r["tells"] else "; it would hold for nearly any result, so it deploys nothing")
    catches = str(r["catches"]) if measured and r["catches"] is not None else ""
    return say(str(r["number"])), say(code(r["expression"])), say(catches), say(why)
