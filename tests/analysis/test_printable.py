"""What acts on a terminal, or hides in a text, is in no text that is sent or shown."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_selfcode.analysis.printable import printable


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b[38;2;1;2;3mtrue\x1b[m", "true"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]52;c;ZXZpbA==\x1b\\clipboard", "clipboard"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bP+q544e\x1b\\dcs", "dcs"),
        ("\x9b2Jc1", "c1"),
        ("\x9d0;title\x9cc1 string", "c1 string"),
        ("never ended \x1b]0;title\nnext line", "never ended \nnext line"),
        ("a\x08b\x00c\x7f", "abc"),
        ("10%\r20%\r\nend", "10%\n20%\nend"),
        ("x\u202egnp.exe\u200b\u2066y\ufeff", "xgnp.exey"),
        ("hi\U000e0069\U000e0067\U000e006e", "hi"),
        ("tab\tand ümläut 世界 🙂\n", "tab\tand ümläut 世界 🙂\n"),
    ],
)
def test_escapes_controls_and_invisible_characters_are_left_out(text: str, left: str):
    assert printable(text) == left


@given(st.text(st.characters()))
def test_what_is_left_acts_on_nothing_and_is_the_same_a_second_time(text: str):
    once = printable(text)
    assert printable(once) == once
    assert not [c for c in once if unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t"]


@given(st.text(st.characters(codec="ascii", min_codepoint=32, max_codepoint=126)))
def test_ordinary_text_stays_as_it_is(text: str):
    assert printable(text) == text
