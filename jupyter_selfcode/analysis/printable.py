"""Text of programs without what acts on whoever shows or reads it: terminal escapes, control and invisible characters.

Escapes move cursors, write titles and clipboards (OSC 52); direction marks make a text read otherwise than it runs
(CVE-2021-42574); Unicode tag characters carry words that a model reads and a person does not see.
"""

from __future__ import annotations

import re

_STRING = r"[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?"

ESCAPES = re.compile(
    rf"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_]{_STRING}|[ -/]*[0-Z\\-~])|\x9b[0-?]*[ -/]*[@-~]|[\x90\x98\x9d-\x9f]{_STRING}"
)
"""ECMA-48: control sequences (CSI), strings (OSC, DCS, SOS, PM, APC, to the end of the line where none is given), others."""

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)


def without_escapes(text: str) -> str:
    """The text without terminal escapes."""
    return ESCAPES.sub("", text)


def printable(text: str) -> str:
    """The text without escapes, control and invisible characters; lines end at newline characters only."""
    if text.isascii() and text.replace("\n", "").replace("\t", "").isprintable():  # nearly all text, told in 2 µs
        return text
    return _UNSEEN.sub("", without_escapes(text).replace("\r\n", "\n").replace("\r", "\n"))


def amount(count: int | None) -> str:
    """A number of bytes as people say it."""
    count = count or 0
    return f"{count / 2**30:.3g} GB" if count >= 2**30 else f"{count / 2**20:.3g} MB"
