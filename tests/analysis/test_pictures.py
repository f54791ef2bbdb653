"""Pictures are compared by what they show."""

from __future__ import annotations

import base64
import io
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_selfcode.analysis.pictures import picture_difference


def png(rows: list[bytes], width: int, *, channels: int = 3, filters: str = "0", level: int = 6) -> str:
    """A picture from its rows; each is packed with the filter that its place in `filters` names."""
    packed, above = b"", bytes(width * channels)
    for i, row in enumerate(rows):
        kind = int(filters[i % len(filters)])
        packed += bytes([kind]) + filtered(kind, row, above, channels)
        above = row

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    colour = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    header = struct.pack(">IIBBBBB", width, len(rows), 8, colour, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(packed, level)) + chunk(b"IEND", b"")
    return base64.b64encode(data).decode()


def filtered(kind: int, row: bytes, above: bytes, step: int) -> bytes:
    """A row as the specification packs it, the other way round than it is read."""
    made = []
    for i, value in enumerate(row):
        left, corner = (row[i - step], above[i - step]) if i >= step else (0, 0)
        guess = left + above[i] - corner
        nearest = min((abs(guess - n), place, n) for place, n in enumerate((left, above[i], corner)))[2]
        made.append((value - (0, left, above[i], (left + above[i]) // 2, nearest)[kind]) & 255)
    return bytes(made)


@given(st.lists(st.binary(min_size=30, max_size=30), min_size=2, max_size=12), st.text("01234", min_size=1, max_size=5))
def test_how_a_picture_was_packed_makes_no_difference(rows, filters):
    assert picture_difference(png(rows, 10), png(rows, 10, filters=filters, level=1)) == ""


def test_what_is_seen_to_differ_is_told_and_what_is_not_is_forgiven():
    rows = [bytes(150)] * 50
    other = [bytes(30) + b"\xff" * 30 + bytes(90), *rows[1:]]
    faint = [bytes(30) + b"\x05" * 30 + bytes(90), *rows[1:]]
    assert picture_difference(png(rows, 50), png(other, 50)) == "the picture differs in 0.4 % of its points"
    assert picture_difference(png(rows, 50), png(faint, 50)) == ""
    assert "50 × 50" in (picture_difference(png(rows, 50), png(rows[:-1], 50)) or "")


@pytest.mark.parametrize("text", ["", "x", base64.b64encode(b"\x89PNG\r\n\x1a\n").decode(), png([bytes(30)], 10)[:60]])
def test_what_is_no_picture_is_not_compared(text):
    assert picture_difference(text, png([bytes(30)], 10)) is None


def test_a_picture_that_unpacks_to_more_than_it_says_is_not_unpacked():
    bomb = base64.b64decode(png([bytes(3000)] * 600, 1000))
    lying = bomb.replace(struct.pack(">II", 1000, 600), struct.pack(">II", 10, 60), 1)
    assert picture_difference(base64.b64encode(lying).decode(), png([bytes(30)] * 61, 10)) is not None
    huge = bomb.replace(struct.pack(">II", 1000, 600), struct.pack(">II", 100_000, 60_000), 1)
    assert picture_difference(base64.b64encode(huge).decode(), png([bytes(30)], 10)) is None


def test_what_matplotlib_writes_is_read():
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    def drawn(top: float, **options: object) -> str:
        figure, axes = plt.subplots(figsize=(2, 1))
        axes.plot([1, 2, top])
        made = io.BytesIO()
        figure.savefig(made, format="png", **options)
        plt.close(figure)
        return base64.b64encode(made.getvalue()).decode()

    assert picture_difference(drawn(3), drawn(3, metadata={"Title": "x"})) == ""
    assert picture_difference(drawn(3), drawn(1))
