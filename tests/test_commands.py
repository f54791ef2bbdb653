"""One grammar: what a line means, whatever it holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_selfcode.commands import COMMANDS, parse_line
from jupyter_selfcode.values.errors import BadInput

WORDS = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=60).map(str.strip).filter(
    lambda w: w and "--" not in w and w not in ("-h", "--help")
)


@given(WORDS)
def test_words_reach_the_request_as_they_were_typed(words):
    command, args = parse_line(f"adapt {words}")
    assert command.name == "adapt"
    assert args.words == words


@pytest.mark.parametrize(
    "words",
    ["don't use {braces} or $x", "100 % of \"quoted\" words", "it's 'quoted' and \\n isn't a newline", "a -1 shift, --- dashes"],
)
def test_quotes_braces_percent_and_dollar_are_words(words):
    assert parse_line(f"adapt {words}")[1].words == words


def test_cells_may_be_named_before_or_after_the_words():
    for line in ('adapt --cell abc make it so --cell 3', 'adapt make it so --cell=abc --cell "3"'):
        args = parse_line(line)[1]
        assert args.cell == ["abc", "3"]
        assert " ".join(args.words.split()) == "make it so"


@pytest.mark.parametrize("line", ["check --suggest --cell 3", "check --cell 3 --suggest", "check --suggest --cell=3"])
def test_a_switch_takes_no_word_with_it(line):
    args = parse_line(line)[1]
    assert (args.suggest, args.cell, args.expression) == (True, "3", "")


def test_what_only_looks_like_a_switch_is_part_of_the_words():
    args = parse_line("check df['--suggest'].sum() == x--suggested")[1]
    assert (args.suggest, args.expression) == (False, "df['--suggest'].sum() == x--suggested")


def test_an_empty_line_is_the_panel():
    assert parse_line("")[0].name == ""


def test_an_unknown_word_is_answered_with_the_known_ones():
    with pytest.raises(BadInput, match=r"does not know the word 'adpat'.*adapt, fix, .*send, check"):
        parse_line("adpat this")


@pytest.mark.parametrize("line", ["history --nope", "rollback 1 2 3", "adapt --cell"])
def test_a_line_that_does_not_fit_is_one_clear_answer(line):
    if line == "adapt --cell":  # no cell is named, so it is words
        assert parse_line(line)[1].words == "--cell"
    else:
        with pytest.raises(BadInput, match="usage"):
            parse_line(line)


@pytest.mark.parametrize("name", [n for n in COMMANDS if n])
def test_every_word_has_help(name):
    assert COMMANDS[name].help
    with pytest.raises(BadInput, match="usage"):
        parse_line(f"{name} --help")


def test_a_part_of_a_proposal_may_be_accepted_by_naming_its_cells():
    args = parse_line("accept abc --cell one --cell two")[1]
    assert (args.name, args.cell) == ("abc", ["one", "two"])
    assert parse_line("accept")[1].cell is None
