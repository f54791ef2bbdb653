"""Whether two PNG pictures show the same, told from their points: bytes may differ where nothing that is seen does.

Only what notebooks make is read: 8 bits a channel, not interlaced, no palette, at most `POINTS` points. The file comes from a
kernel that may be hostile, so nothing is unpacked beyond the size that its header names, and nothing but zlib is trusted with it.
PNG (Portable Network Graphics) Specification, second edition, W3C 2003, sections 9 (filtering) and 11 (chunks).
"""

from __future__ import annotations

import base64
import binascii
import struct
import zlib
from dataclasses import dataclass
from functools import lru_cache

POINTS = 2_000_000
"""Points of a picture that is looked at."""

SEEN = 16
"""How far a channel (0 to 255) must be off to be seen: what is below is smoothing of edges."""

FEW = 0.0005
"""The part of all points that may be off by more, and nobody would call it another picture."""

_CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}


@dataclass(frozen=True, slots=True)
class _Picture:
    width: int
    height: int
    channels: int
    filtered: bytes

    def rows(self) -> bytes:
        """The points, row by row, a byte a channel."""
        return _unfiltered(self.filtered, self.width * self.channels, self.channels)


@lru_cache(maxsize=64)
def picture_difference(a: str, b: str) -> str | None:
    """How two pictures (base64 of PNG) differ, in words; empty where they show the same; None where that was not compared."""
    if a == b:
        return ""
    try:
        one, other = _read(a), _read(b)
    except (ValueError, struct.error, zlib.error, binascii.Error):
        return None
    if (one.width, one.height) != (other.width, other.height):
        return f"the picture had {one.width} × {one.height} points, has {other.width} × {other.height}"
    if one.channels != other.channels:
        return None
    if one.filtered == other.filtered:
        return ""
    try:
        off = _off(one, other)
    except ValueError:
        return None
    if off <= FEW * one.width * one.height:
        return ""
    return f"the picture differs in {100 * off / (one.width * one.height):.2g} % of its points"


def _off(a: _Picture, b: _Picture) -> int:
    """How many points are seen to differ. Rows that are equal are passed over."""
    stride, found = a.width * a.channels, 0
    rows, others = a.rows(), b.rows()
    for start in range(0, len(rows), stride):
        x, y = rows[start : start + stride], others[start : start + stride]
        if x != y:
            places = {i // a.channels for i, (p, q) in enumerate(zip(x, y, strict=True)) if abs(p - q) > SEEN}
            found += len(places)
    return found


def _read(text: str) -> _Picture:
    data = base64.b64decode(text)
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        raise ValueError("no PNG")
    packed, place, header = bytearray(), 8, b""
    while place + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        body = data[place + 8 : place + 8 + length]
        if kind == b"IHDR":
            header = body
        elif kind == b"IDAT":
            packed += body
        place += 12 + length
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    if depth != 8 or interlaced or colour not in _CHANNELS or not 0 < width * height <= POINTS:
        raise ValueError("not of the kind that is read")
    channels = _CHANNELS[colour]
    size = height * (1 + width * channels)
    rows = zlib.decompressobj().decompress(bytes(packed), size)
    if len(rows) != size:
        raise ValueError("too few points")
    return _Picture(width, height, channels, rows)


def _unfiltered(data: bytes, stride: int, step: int) -> bytes:
    """The points without the filter that each row was packed with (section 9.2)."""
    made, above = bytearray(), bytearray(stride)
    for start in range(0, len(data), stride + 1):
        kind, row = data[start], bytearray(data[start + 1 : start + 1 + stride])
        if kind == 1:
            for i in range(step, stride):
                row[i] = (row[i] + row[i - step]) & 255
        elif kind == 2:
            row = bytearray((x + y) & 255 for x, y in zip(row, above, strict=True))
        elif kind == 3:
            for i in range(stride):
                left = row[i - step] if i >= step else 0
                row[i] = (row[i] + (left + above[i]) // 2) & 255
        elif kind == 4:
            for i in range(stride):
                left, corner = (row[i - step], above[i - step]) if i >= step else (0, 0)
                row[i] = (row[i] + _paeth(left, above[i], corner)) & 255
        elif kind:
            raise ValueError("no such filter")
        made += row
        above = row
    return bytes(made)


def _paeth(left: int, above: int, corner: int) -> int:
    guess = left + above - corner
    a, b, c = abs(guess - left), abs(guess - above), abs(guess - corner)
    return left if a <= b and a <= c else above if b <= c else corner
