"""What is sent to a model, what came back, and what it cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Message:
    """One chat message. Prompts are built from parts and joined, never passed through `str.format`."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """The messages of one call. `attempt` counts from 1 within a request; `max_tokens` bounds the answer.

    `request` is the request's own words, by which recorded completions are found; `seconds` is the wall time that the
    call may take at most (None: no limit).
    """

    messages: tuple[Message, ...]
    attempt: int = 1
    max_tokens: int = 8_000
    temperature: float | None = None
    request: str = ""
    seconds: float | None = None

    @property
    def characters(self) -> int:
        """Length of all contents, for an estimate of tokens before the call (about 4 characters a token)."""
        return sum(len(m.content) for m in self.messages)


@dataclass(frozen=True, slots=True)
class Cost:
    """What was spent. `usd` is None where the price of the model is not known; `estimated` where tokens are estimates."""

    usd: float | None = 0.0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    calls: int = 0
    seconds: float = 0.0
    estimated: bool = False
    replayed: bool = False

    @property
    def tokens(self) -> int:
        """Prompt and completion together."""
        return self.prompt_tokens + self.completion_tokens

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            None if self.usd is None or other.usd is None else self.usd + other.usd,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.calls + other.calls,
            self.seconds + other.seconds,
            self.estimated or other.estimated,
            self.replayed or other.replayed,
        )


@dataclass(frozen=True, slots=True)
class Completion:
    """A model's whole answer."""

    text: str
    model: str
    cost: Cost
    finish_reason: str = "stop"
