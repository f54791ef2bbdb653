"""Recorded completions from a file, for examples and tests without a key, and the recorder that writes such files.

JSON lines: `{"request": the request's words, "attempt": from 1, "answer": …, "kind": "recorded" | "scripted", "model": …,
"prompt_tokens": …, "completion_tokens": …, "prompt_hash": …, "messages": […] (optional)}`. `scripted` means that a person
wrote the answer. A record is found by words and attempt, not by the whole prompt, so that it stays good when the wording
of prompts changes; what was recorded for which prompt is still told by its hash.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from ...protocols import Model
from ...values.canonical import digest, plain
from ...values.errors import BadInput, ModelError
from ...values.prompt import Completion, Cost, Prompt

PIECE = 200


def _words(text: str) -> str:
    return " ".join(text.split())


def prompt_hash(prompt: Prompt) -> str:
    """What a completion was recorded for: the digest of the messages."""
    return digest(prompt.messages)


class ReplayModel:
    """Answers from a file, matched by the request's words (white space aside) and attempt; the last record wins.

    Raises `BadInput` where the file cannot be read, `ModelError` where it holds no answer.
    """

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path)
        self.name = f"replay:{self._path.name}"
        try:
            lines = self._path.read_text("utf-8").split("\n")
        except (OSError, UnicodeDecodeError) as e:
            raise BadInput(
                f"The recorded completions {self._path} cannot be read: {getattr(e, 'strerror', None) or e}."
            ) from None
        self._records: dict[tuple[str, int], dict[str, Any]] = {}
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
                self._records[_words(record["request"]), int(record["attempt"])] = record
                if not isinstance(record["answer"], str):
                    raise TypeError
            except (ValueError, KeyError, TypeError, AttributeError):
                raise BadInput(
                    f"Line {number} of {self._path} is not a recorded completion: it needs request, attempt and answer."
                ) from None

    def estimate(self, prompt: Prompt) -> Cost:
        """No money; the tokens that were recorded (none where there is no such record)."""
        record = self._records.get((_words(prompt.request), prompt.attempt))
        return self._cost(record or {})

    def _cost(self, record: dict[str, Any]) -> Cost:
        asked, answered = record.get("prompt_tokens") or 0, record.get("completion_tokens") or 0
        return Cost(0.0, int(asked), int(answered), 1, estimated=bool(record.get("estimated")), replayed=True)

    async def complete(self, prompt: Prompt) -> AsyncIterator[str | Completion]:
        """The recorded answer, in pieces. `Completion.model` says that it is not live."""
        record = self._records.get((_words(prompt.request), prompt.attempt))
        if record is None:
            raise ModelError(self._nothing(prompt))
        answer = record["answer"]
        for start in range(0, len(answer), PIECE):
            yield answer[start : start + PIECE]
        how = "written by hand" if record.get("kind") == "scripted" else "replayed"
        model = f"{record['model']} ({how})" if record.get("model") else how
        yield Completion(answer, model, self._cost(record), str(record.get("finish_reason", "stop")))

    def _nothing(self, prompt: Prompt) -> str:
        held = dict.fromkeys(request for request, _ in self._records)
        attempts = [a for request, a in self._records if request == _words(prompt.request)]
        if attempts:
            return (
                f"{self._path} holds attempts {', '.join(map(str, sorted(attempts)))} of this request, not attempt "
                f"{prompt.attempt}; name a model that can be asked."
            )
        listed = "; ".join(f"“{r[:80]}”" for r in list(held)[:10]) or "none"
        return (
            f"{self._path} holds no answer to “{_words(prompt.request)[:80]}”. It answers these requests: {listed}. "
            "Use one of them, or name a model that can be asked."
        )

    async def aclose(self) -> None:
        """Nothing is kept running."""


class Recorder:
    """A model whose completions are also appended to a file that `ReplayModel` reads."""

    def __init__(self, model: Model, path: Path | str, *, messages: bool = False) -> None:
        self.name = model.name
        self._model, self._path, self._messages = model, Path(path), messages

    def estimate(self, prompt: Prompt) -> Cost:
        """As the model says."""
        return self._model.estimate(prompt)

    async def complete(self, prompt: Prompt) -> AsyncIterator[str | Completion]:
        """As the model answers; a whole answer is written down before it is passed on."""
        async for piece in self._model.complete(prompt):
            if isinstance(piece, Completion):
                self._write(prompt, piece)
            yield piece

    def _write(self, prompt: Prompt, completion: Completion) -> None:
        record = {
            "request": prompt.request,
            "attempt": prompt.attempt,
            "answer": completion.text,
            "kind": "recorded",
            "model": completion.model,
            "finish_reason": completion.finish_reason,
            "prompt_tokens": completion.cost.prompt_tokens,
            "completion_tokens": completion.cost.completion_tokens,
            "estimated": completion.cost.estimated,
            "prompt_hash": prompt_hash(prompt),
        }
        if self._messages:
            record["messages"] = plain(prompt.messages)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")

    async def aclose(self) -> None:
        """As the model does."""
        await self._model.aclose()
