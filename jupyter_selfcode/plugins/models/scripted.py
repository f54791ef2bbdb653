"""A model that says what it was told to say: the fake that tests use in place of a provider.

It can also misbehave as providers do: say nothing, break off, hang, fail.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

from ...values.errors import ModelError
from ...values.prompt import Completion, Cost, Prompt

PIECE = 40


@dataclass(frozen=True, slots=True)
class Cut:
    """An answer whose connection breaks after `text`."""

    text: str


@dataclass(frozen=True, slots=True)
class Long:
    """An answer that reached `max_tokens` after `text`."""

    text: str


class Hang:
    """A model that never answers."""


Scripted = str | Cut | Long | Hang | Exception


class ScriptedModel:
    """Gives `answers` in order, one a call; an exception is raised. `asked` keeps the prompts it was given.

    `usd` is the price of a call (None: not known).
    """

    def __init__(self, answers: Iterable[Scripted], *, name: str = "scripted", usd: float | None = 0.0) -> None:
        self.name = name
        self.asked: list[Prompt] = []
        self.open = 0
        self._answers = list(answers)
        self._usd = usd

    def estimate(self, prompt: Prompt) -> Cost:
        """The price of a call, with every token of the answer used."""
        return Cost(self._usd, prompt.characters // 4, prompt.max_tokens, 1, estimated=True)

    async def complete(self, prompt: Prompt) -> AsyncIterator[str | Completion]:
        """The next answer, in pieces. Raises `ModelError` where there is none left."""
        self.asked.append(prompt)
        if len(self.asked) > len(self._answers):
            raise ModelError(f"The script holds {len(self._answers)} answers, and another one was asked for.")
        answer = self._answers[len(self.asked) - 1]
        if isinstance(answer, Exception):
            raise answer
        self.open += 1
        try:
            if isinstance(answer, Hang):
                await asyncio.Event().wait()
                return
            text = answer if isinstance(answer, str) else answer.text
            for start in range(0, len(text), PIECE):
                yield text[start : start + PIECE]
                await asyncio.sleep(0)
            cost = Cost(self._usd, prompt.characters // 4, len(text) // 4, 1, estimated=True)
            if isinstance(answer, Cut):
                raise ModelError("The connection ended in the middle of an answer.", transient=True, cost=cost)
            yield Completion(text, self.name, cost, "length" if isinstance(answer, Long) else "stop")
        finally:
            self.open -= 1

    async def aclose(self) -> None:
        """Nothing is kept running."""
