"""What a call costs, by litellm's own price list, read from its package without importing it."""

from __future__ import annotations

import importlib.util
import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ...values.prompt import Prompt
from .discover import SELF_HOSTED, private, provider_of

PRICE_LIST = "model_prices_and_context_window_backup.json"
BYTES_A_TOKEN = 3.5
"""Fewer than the usual four, so that an estimate made before a call is rather too high than too low."""


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars a token, for prompts and for completions."""

    prompt: float
    completion: float


FREE = Price(0.0, 0.0)


def prompt_tokens(prompt: Prompt) -> int:
    """An upper estimate of the tokens of a prompt, by its UTF-8 length, plus a few for each message's frame."""
    return sum(int(len(m.content.encode("utf-8", "replace")) / BYTES_A_TOKEN) + 8 for m in prompt.messages)


def _dearest(entry: dict[str, Any], kind: str, tokens: int) -> float | None:
    """The price a token for a prompt of this length: long prompts cost more with some providers."""
    base = entry.get(f"{kind}_cost_per_token")
    if not isinstance(base, (int, float)):
        return None
    rates = [float(base)]
    for name, rate in entry.items():
        step = re.fullmatch(rf"{kind}_cost_per_token_above_(\d+)k_tokens", name)
        if step and tokens > int(step[1]) * 1000 and isinstance(rate, (int, float)):
            rates.append(float(rate))
    return max(rates)


@cache
def _entry(model: str) -> dict[str, Any] | None:
    spec = importlib.util.find_spec("litellm")
    if spec is None or not spec.submodule_search_locations:
        return None
    try:
        listed = json.loads((Path(spec.submodule_search_locations[0]) / PRICE_LIST).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    prefix, slash, rest = model.partition("/")
    found = listed.get(model)
    if found is None and slash and listed.get(rest, {}).get("litellm_provider") == prefix:
        found = listed[rest]
    return found if isinstance(found, dict) else None


def price_of(model: str, api_base: str | None = None, tokens: int = 0) -> Price | None:
    """The price of a model for prompts of this many tokens; None where the list has none.

    A server of one's own (an address on this machine or its network, Ollama and the like) costs nothing a token.
    """
    if private(api_base) if api_base else provider_of(model) in SELF_HOSTED:
        return FREE
    entry = _entry(model)
    if entry is None:
        return None
    asked, answered = _dearest(entry, "input", tokens), _dearest(entry, "output", tokens)
    return None if asked is None or answered is None else Price(asked, answered)
