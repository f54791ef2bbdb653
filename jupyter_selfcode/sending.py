"""What leaves this machine: the very request, shown before it is sent, and the log of what was sent."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from .engine import SENT
from .selfcode import Workspace
from .values.canonical import plain
from .values.decision import Reject
from .values.events import Asked, Decided, Event
from .values.request import Request
from .values.trial import Run


def would_send(
    workspace: Workspace, request: Request, tell: Callable[[Event], None], before: Run | None = None
) -> dict[str, Any]:
    """The first message that a model would be sent for a request, or why none would be. Nothing is sent, kept or logged.

    It is the engine's own work, with the model that is set, left one step before the call: so it is what a model gets,
    also where earlier trials become part of the prompt. It takes as long as that work, trials of the free rules included.
    """
    asked: Asked | None = None
    decided: Decided | None = None
    work = workspace.work(request, before)

    async def until_asked() -> AsyncIterator[Event]:
        async with contextlib.aclosing(work()) as events:
            async for event in events:
                yield event
                if isinstance(event, Asked):  # left here, on the engine's own loop: it never goes on to the call
                    return

    for event in workspace.bridge.iterate(until_asked, tick=getattr(tell, "tick", None)):
        match event:
            case Asked():
                asked = event
            case Decided():
                decided = event
            case _:
                tell(event)
    if asked is None or asked.prompt is None:
        return {"status": "nothing", "sent": False, "reason": _why_nothing(decided)}
    return {
        "status": "shown", "sent": False, "model": asked.model, "level": asked.level, "hash": asked.prompt_hash,
        "characters": asked.prompt.characters, "tokens": asked.tokens, "redacted": dict(asked.redacted),
        "max_tokens": asked.prompt.max_tokens, "temperature": asked.prompt.temperature,
        "messages": [plain(m) for m in asked.prompt.messages],
    }  # fmt: skip


def _why_nothing(decided: Decided | None) -> str:
    if decided is None:
        return "The request ended before a model was asked."
    if isinstance(decided.decision, Reject):
        return decided.decision.reason
    rationale = decided.decision.trial.candidate.rationale
    return f"The free rules have a change that passed: {rationale} (To see what a model would get: --proposers llm)"


def log(workspace: Workspace) -> list[dict[str, Any]]:
    """The calls of models, oldest first: when, to which, how much, at which level, under which hash. No text of them."""
    return [json.loads(line) for line in workspace.store.notes(workspace.path, SENT).values()]
