"""Numbers and values in words: money, time, people, versions, outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ..analysis.printable import printable
from ..values.prompt import Cost
from ..values.trial import Finding
from .blocks import Span, Spans, Style, dim, say

Speak = Callable[[str], str]
"""A word of the grammar as the host's people type it: `accept` gives `%selfcode accept`."""


def in_magic(word: str) -> str:
    """A word of the grammar as it is typed in a cell."""
    return f"%selfcode {word}".strip()


def count(n: int, one: str, many: str = "") -> str:
    """`1 cell`, `2 cells`."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def money(usd: float | None, estimated: bool = False) -> str:
    """US dollars, with as many digits as tell something; None is a price that nobody knows."""
    if usd is None:
        return "price unknown"
    if usd == 0:
        return "$0"
    return ("about " if estimated else "") + (f"${usd:.4f}" if usd < 0.1 else f"${usd:,.2f}")


def duration(seconds: float) -> str:
    """Seconds for people."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 100:
        return f"{seconds:.1f} s"
    return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"


def spent(cost: Cost, seconds: float) -> str:
    """What a request took: calls, tokens, money, time."""
    if not cost.calls:
        return f"no model call · $0 · {duration(seconds)}"
    calls = count(cost.calls, "replayed call" if cost.replayed else "model call")
    return f"{calls} · {cost.tokens:,} tokens · {money(cost.usd, cost.estimated)} · {duration(seconds)}"


def when(at: str) -> str:
    """A time (UTC, ISO 8601) as local date and time, to the minute; as it stands where it cannot be read."""
    try:
        then = datetime.fromisoformat(at)
    except ValueError:
        return at
    return (then if then.tzinfo else then.replace(tzinfo=UTC)).astimezone().strftime("%Y-%m-%d %H:%M")


def briefly(at: str) -> str:
    """A time as `when` gives it, without the year where it is this year's."""
    then, year = when(at), f"{datetime.now():%Y-}"
    return then.removeprefix(year) if then.startswith(year) else then[:10]


_SEVERITY: Mapping[str, tuple[str, Style]] = {
    "block": ("refused", "error"),
    "ask": ("decide", "warning"),
    "note": ("note", "dim"),
}


def findings(found: Sequence[Finding]) -> tuple[Spans, ...]:
    """Findings, the gravest first, as lines."""
    order = {"block": 0, "ask": 1, "note": 2}
    lines = []
    for f in sorted(found, key=lambda f: order[f.severity]):
        word, style = _SEVERITY[f.severity]
        lines.append(
            say(Span(f"{word}: ", style), f.message, dim(f" ({f.code}{f', cell {f.cell_id}' if f.cell_id else ''})"))
        )
    return tuple(lines)


def output_text(outputs: Sequence[Mapping[str, Any]], limit: int = 2_000) -> str:
    """nbformat outputs as plain text. HTML of a trial is never shown as HTML; pictures are named with their size."""
    parts = []
    for o in outputs:
        if o.get("output_type") == "stream":
            parts.append(_joined(o.get("text", "")))
        elif o.get("output_type") == "error":
            parts.append(f"{o.get('ename', '')}: {o.get('evalue', '')}")
        else:
            data = o.get("data") or {}
            for kind, value in data.items():
                if kind.startswith("image/"):
                    parts.append(f"[{kind}, {len(_joined(value)) * 3 / 4 / 1024:,.0f} kB]")
            if "text/plain" in data and not any(k.startswith("image/") for k in data):
                parts.append(_joined(data["text/plain"]))
            elif data and "text/plain" not in data and not any(k.startswith("image/") for k in data):
                parts.append(f"[{', '.join(map(str, data))}]")
    text = printable("\n".join(p.rstrip("\n") for p in parts))
    return text if len(text) <= limit else text[:limit] + f"\n… {len(text) - limit:,} more characters"


def _joined(text: Any) -> str:
    return "".join(map(str, text)) if isinstance(text, (list, tuple)) else str(text)
