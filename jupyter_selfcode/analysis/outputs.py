"""Whether two runs of a cell gave the same: a comparison of nbformat outputs that knows what may differ.

In the manner of nbval, with one difference: what varies between runs (clock, durations, addresses, temporary paths,
progress bars, float noise) is tolerated only where it looks like that, because a table of dates or durations is data.
Order is never forgiven. PNG pictures are compared by what they show, other images by presence and rough size; `uncompared`
says when that was all.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

from .pictures import picture_difference
from .printable import without_escapes

LONG = 1_000_000
"""Characters of one text that are compared with tolerance; what lies beyond must be equal to the letter."""

_BAR = re.compile(r"^.*\d+%\|.*\|.*$|^.*\b\d+(?:\.\d+)?\s?(?:it/s|s/it)\b.*$|^.*[█▏▎▍▌▋▊▉━╸╺]{2,}.*$")
_TIMING = re.compile(
    r"(?i)\b(cpu times?|wall time|elapsed|took|time taken|(?:run|execution|training|total|fit)[ _-]?time|runtime|"
    r"duration|(?:done|finished|completed|ran|loaded|fitted) in|loops? each|per loop|eta)\b"
)
_STABLE = (
    (re.compile(r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b"), "<uuid>"),
    (re.compile(r"\b0x[0-9a-fA-F]{6,16}\b"), "<address>"),
    (re.compile(r"<Figure size [^>]*>"), "<Figure>"),
    (re.compile(r"(?:/private)?/(?:tmp|var/tmp|var/folders|dev/shm)/[^\s'\"<>,;)]+"), "<temporary path>"),
    (re.compile(r"(?i)\b[A-Z]:\\[^\s'\"]*\\Temp\\[^\s'\"]+"), "<temporary path>"),
    (re.compile(r"\bipykernel_\d+\b"), "ipykernel"),
    (re.compile(r"(?i)\b(pid|process(?: id)?)([ =:]+)\d+"), r"\1\2<pid>"),
    (re.compile(r"(?i)(\bid\b[^\n\d]{0,3})1\d{14}\b"), r"\1<id>"),
)
_DURATION = re.compile(
    r"(?i)(?<![\w.])\d+(?:[.,]\d+)?(?:e[+-]?\d+)?\s?(?:ns|[uµμ]s|ms|s|secs?|seconds?|m|mins?|minutes?|h|hours?)\b"
    r"|(?<!\d)\d{1,3}:\d\d(?::\d\d)?(?:\.\d+)?(?!\d)"
)
_LOOPS = re.compile(r"[\d,]+ (?:runs?|loops?)\b")
_BARE_TIMING = re.compile(r"(?i)((?:elapsed|took|time|in|duration)\b[^\d\n]{0,12})\d+\.\d+")
_STAMP = re.compile(
    r"(?<![\d-])(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?(?![\d-])"
)
_NUMBER = re.compile(r"(?<![\w.])[+-]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?(?![\w])")
_SPACE = re.compile(r"[ \t]+")

Outputs = Sequence[Any]


class _Text(HTMLParser):
    """The text of HTML, cells and rows kept apart; style, script and attributes left out."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in ("style", "script")
        self.parts.append("\n" if tag in ("tr", "p", "div", "br", "li", "table") else " ")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("style", "script")

    def handle_data(self, data: str) -> None:
        if self._silent <= 0:
            self.parts.append(data)


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (list, tuple)) and all(isinstance(part, str) for part in value):
        return "".join(value)
    return json.dumps(value, sort_keys=True, default=str)


@dataclass(frozen=True, slots=True)
class _Part:
    """One thing that was shown: its texts by MIME type and its images."""

    kind: str
    texts: Mapping[str, str]
    images: Mapping[str, str]


def _parts(outputs: Outputs) -> list[_Part]:
    printed = ""
    parts: list[_Part] = []
    for output in outputs:
        kind = output.get("output_type")
        if kind == "stream":
            if output.get("name") != "stderr":
                printed += _as_text(output.get("text", ""))
        elif kind == "error":
            said = f"{output.get('ename', '')}: {_as_text(output.get('evalue', ''))}"
            parts.append(_Part("error", {"text/plain": said}, {}))
        elif isinstance(data := output.get("data"), Mapping):
            images = {k: _as_text(v) for k, v in data.items() if k.startswith("image/")}
            texts = {
                k: _as_text(v)
                for k, v in data.items()
                if not k.startswith("image/") and "widget" not in k and not (images and k == "text/plain")
            }
            if texts or images:
                parts.append(_Part("display", texts, images))
    return ([_Part("printed", {"text/plain": printed}, {})] if printed.strip() else []) + parts


def _lines(text: str, mime: str = "text/plain") -> list[str]:
    """The lines of a text with what varies replaced by its name."""
    if mime == "text/html":
        reader = _Text()
        reader.feed(text)
        reader.close()
        text = "".join(reader.parts)
    lines = []
    for whole in without_escapes(text.replace("\r\n", "\n")).split("\n"):
        line = whole.rstrip("\r").rpartition("\r")[2]
        if _BAR.match(line):
            continue
        if _TIMING.search(line):
            line = _BARE_TIMING.sub(r"\1<seconds>", _LOOPS.sub("<runs>", _DURATION.sub("<duration>", line)))
        for pattern, name in _STABLE:
            line = pattern.sub(name, line)
        line = _SPACE.sub(" ", line).strip()
        if line:
            lines.append(line)
    return lines


def _now(stamp: re.Match[str], now: datetime) -> bool:
    year, month, day = (int(part) for part in stamp.groups()[:3])
    try:
        return abs(datetime(year, month, day, tzinfo=UTC) - now) <= timedelta(days=2)
    except ValueError:
        return False


def _close(a: str, b: str) -> bool:
    if a == b:
        return True
    if re.fullmatch(r"[+-]?\d+", a) and re.fullmatch(r"[+-]?\d+", b):
        return False
    return math.isclose(float(a), float(b), rel_tol=1e-9, abs_tol=1e-12)


def _same_line(a: str, b: str, now: datetime) -> bool:
    if a == b:
        return True
    stamps = list(_STAMP.finditer(a)), list(_STAMP.finditer(b))
    if stamps[0] and len(stamps[0]) == len(stamps[1]):
        same = all(
            x.group() == y.group() or _now(x, now) or _now(y, now) for x, y in zip(*stamps, strict=True)
        )  # a date of now; any other date is data
        if not same:
            return False
        a, b = _STAMP.sub("<date>", a), _STAMP.sub("<date>", b)
    numbers = _NUMBER.findall(a), _NUMBER.findall(b)
    if len(numbers[0]) != len(numbers[1]) or _NUMBER.sub("0", a) != _NUMBER.sub("0", b):
        return False
    return all(_close(x, y) for x, y in zip(*numbers, strict=True))


def _text_difference(a: str, b: str, mime: str) -> str:
    if a == b:
        return ""
    if a[LONG:] != b[LONG:]:
        return "a very long text differs"
    now = datetime.now(UTC)
    x, y = _lines(a[:LONG], mime), _lines(b[:LONG], mime)
    for one, other in zip(x, y, strict=False):
        if not _same_line(one, other, now):
            return f"was {_short(one)}, is {_short(other)}"
    if len(x) > len(y):
        return f"the line {_short(x[len(y)])} is no longer there"
    if len(y) > len(x):
        return f"the line {_short(y[len(x)])} is new"
    return ""


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "…")


def _differences(a: Outputs, b: Outputs) -> Iterator[str]:
    x, y = _parts(a), _parts(b)
    for one, other in zip(x, y, strict=False):
        if one.kind != other.kind:
            yield f"was {one.kind}, is {other.kind}"
            return
        if bool(one.images) != bool(other.images):
            yield "an image is no longer there" if one.images else "an image is shown that was not"
        for mime in one.images.keys() & other.images.keys():
            said = picture_difference(one.images[mime], other.images[mime]) if mime == "image/png" else None
            if said is not None:
                if said:
                    yield said
                continue
            sizes = sorted((len(one.images[mime]), len(other.images[mime])))
            if sizes[1] > 4 * sizes[0] + 1000:
                yield f"an image has changed in size, from {len(one.images[mime])} to {len(other.images[mime])} characters"
        common = sorted(one.texts.keys() & other.texts.keys())
        if not common and (one.texts or other.texts) and not (one.images and other.images):
            yield f"was {', '.join(one.texts) or 'an image'}, is {', '.join(other.texts) or 'an image'}"
        for mime in common:
            if said := _text_difference(one.texts[mime], other.texts[mime], mime):
                yield said
    if len(x) != len(y):
        missing = len(x) > len(y)
        part = (x if missing else y)[min(len(x), len(y))]
        what = _short(next(iter(part.texts.values()), "an image").strip())
        yield f"{what} is no longer shown" if missing else f"{what} is shown and was not"


def difference(a: Outputs, b: Outputs) -> str:
    """How the outputs differ, in one short line for people; empty where they are the same."""
    return next(_differences(a, b), "")


def same_outputs(a: Outputs, b: Outputs) -> bool:
    """Whether two lists of nbformat outputs say the same, but for what varies between runs. Standard error is ignored."""
    return not difference(a, b)


def uncompared(a: Outputs, b: Outputs) -> bool:
    """Whether there were images whose bytes differ and whose content was not compared."""
    return any(
        one.images[mime] != other.images[mime]
        and (mime != "image/png" or picture_difference(one.images[mime], other.images[mime]) is None)
        for one, other in zip(_parts(a), _parts(b), strict=False)
        for mime in one.images.keys() & other.images.keys()
    )
