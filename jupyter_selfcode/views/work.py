"""What is at work, told by events one after the other: one value for the line in a notebook, the comm and the stream."""

from __future__ import annotations

from dataclasses import replace

from ..values.decision import Reject
from ..values.events import (
    Asked,
    CellRan,
    Decided,
    Event,
    Proposed,
    Said,
    Spent,
    Stage,
    StageStarted,
    Streamed,
    Triaged,
    Tried,
)
from ..values.messages import Working
from ..values.strength import summary
from .words import money

_STAGES: dict[Stage, str] = {
    "describe": "looking at",
    "gather": "gathering",
    "propose": "asking",
    "screen": "reading the change of",
    "validate": "trying",
    "decide": "deciding",
    "deploy": "deploying",
    "record": "recording",
}
SAID = 3
"""How many of the last lines are kept."""


def told(working: Working, event: Event) -> Working:
    """What is at work after this event."""
    now = _after(working, event)
    asked = f"attempt {now.attempt}, {now.model}, about {now.tokens:,} tokens" if now.attempt else ""
    spent = money(now.usd, now.estimated) if now.calls else ""
    line = " · ".join(part for part in (now.detail, now.cell, asked, spent) if part)
    return replace(now, line=line)


def _after(now: Working, event: Event) -> Working:
    match event:
        case StageStarted(stage, detail):
            return replace(now, stage=stage, detail=f"{_STAGES[stage]} {detail}".strip(), cell="")
        case CellRan(_, index, total):
            return replace(now, cell=f"cell {index} of {total}")
        case Triaged(triage):
            return _say(now, f"{triage.kind}: {triage.reason}")
        case Asked(attempt, model, tokens):
            return replace(now, attempt=attempt, model=model, tokens=tokens, characters=0)
        case Streamed(characters):
            return replace(now, cell=f"{characters:,} characters", characters=characters)
        case Spent(cost):
            return replace(now, usd=cost.usd, calls=cost.calls, estimated=cost.estimated)
        case Proposed(candidates) if len(candidates) > 1:
            return _say(now, f"{len(candidates)} candidates, to be told apart by running them")
        case Tried(trial):
            refused = f"refused: {trial.blocks[0].message}" if trial.blocks else f"ran, level {trial.level}"
            refused = f"contract: {summary(trial.strength)}" if trial.strength else refused
            return _say(now, f"{trial.candidate.proposer} {refused}")
        case Said(text):
            return _say(now, text)
        case Decided(_, decision):
            return replace(now, detail=decision.reason if isinstance(decision, Reject) else "decided", cell="")
        case _:
            return now


def _say(now: Working, text: str) -> Working:
    return replace(now, said=(*now.said, text)[-SAID:])
