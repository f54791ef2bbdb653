"""The README promises what the code promises, word for word."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_selfcode.plugins.sandboxes.tiers import ALWAYS, PROMISES

README = " ".join((Path(__file__).parents[1] / "README.md").read_text("utf-8").split())


@pytest.mark.parametrize("tier", PROMISES)
def test_each_tier_is_promised_word_for_word(tier):
    assert f"| {PROMISES[tier]} |" in README


def test_what_no_tier_gives_is_said_word_for_word():
    assert ALWAYS in README


def test_the_screen_says_what_it_is():
    said = (
        "The screen explains what the new cell could do that the old one did not, and refuses some things outright. "
        "It will be evaded by code written to evade it."
    )
    assert said in README
