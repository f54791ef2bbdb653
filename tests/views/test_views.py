"""What people see: every given text is shown as text, in notebooks and in terminals, and says what is not covered."""

from __future__ import annotations

import importlib.util
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_selfcode import views
from jupyter_selfcode.analysis.changes import cell_changes
from jupyter_selfcode.values.notebook import Cell, Notebook
from jupyter_selfcode.views.levels import LEVELS, left_open, level_name

spec = importlib.util.spec_from_file_location("views_examples", Path(__file__).with_name("examples.py"))
examples = importlib.util.module_from_spec(spec)
spec.loader.exec_module(examples)

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&lt;\x1b]0;owned\x07\x1b[2J\u202e"
TAGS = {"div", "span", "code", "pre", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "details", "summary"}


class Reader(HTMLParser):
    """The tags and attributes of a page, and its text."""

    def __init__(self):
        super().__init__()
        self.tags, self.attributes, self.text, self.open = set(), set(), "", []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def read(html):
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader


@pytest.mark.parametrize("name", list(examples.build()))
def test_hostile_words_ids_and_outputs_stay_text_in_html(name):
    view = examples.build(HOSTILE, HOSTILE, HOSTILE, HOSTILE)[name]
    page = read(view.html())
    assert page.tags <= TAGS
    assert page.attributes <= {"style", "open"}


@pytest.mark.parametrize("name", list(examples.build()))
def test_hostile_text_cannot_steer_a_terminal(name):
    text = examples.build(HOSTILE, HOSTILE, HOSTILE, HOSTILE)[name].text()
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)


@settings(max_examples=40, deadline=None)
@given(st.text(), st.text(min_size=1), st.text())
def test_any_text_stays_text(words, cell, out):
    if cell in ("intro", "b7", "new1"):
        return
    hostile = words + "<script>" + out
    for view in examples.build(hostile, cell, out + "<script>", hostile).values():
        page = read(view.html())
        assert page.tags <= TAGS
        assert page.attributes <= {"style", "open"}
        assert "\x1b" not in view.text()


@pytest.mark.parametrize("name", list(examples.build()))
def test_a_view_fits_80_columns_and_its_bundle_has_both_forms(name):
    view = examples.build()[name]
    assert max(map(len, view.text(80).splitlines())) <= 80
    assert set(view._repr_mimebundle_()) == {"text/html", "text/plain"}
    assert not re.search(r"\bNone\b(?! of)", view.text(200) + read(view.html()).text)


@pytest.mark.parametrize("name", list(examples.build()))
def test_no_view_says_safe(name):
    assert not re.search(r"\bsafe", examples.build()[name].text(), re.IGNORECASE)


def test_a_proposal_says_what_is_not_checked_before_what_is_and_what_to_type_next():
    text = examples.build()["proposal"].text(100)
    assert text.index(left_open(2)) < text.index(level_name(2)) < text.index("%selfcode accept")
    for said in (
        "Plot revenue per month",
        "AttributeError",
        "- sales = pd.DataFrame()",
        "+ sales = pd.concat(frames, ignore_index=True)",
        "1 of 2 examples hold",
        "Output of cell 3 (not edited)",
        "the exception is swallowed",
        "$0.0123",
        "12.4 s",
        "rights",
        "would have caught 1 of 2 small mistakes (1 more fail by themselves, 1 change nothing)",
        "not caught: True → False",
        "no promise looks at Plot revenue per month",
        "nothing changes where it is left out: line 9",
        "2 lines of code added, 3 removed; 1 fewer branch",
    ):
        assert said in " ".join(text.split()) or said in text


def test_suggestions_say_what_they_are_worth_and_that_nothing_is_promised_yet():
    text = " ".join(examples.build()["suggested"].text(100).split())
    for said in (
        "2 checks",
        "nothing is promised yet",
        "would hold for nearly any result",
        "Of 12 small mistakes made in the cell its contract catches 2, with these 9.",
        "%selfcode check --take 1,2 --cell 3f2a91c0",
    ):
        assert said in text


def test_a_proposal_shows_what_it_did_while_it_was_tried():
    text = examples.build(out="total.csv")["proposal"].text(100)
    for said in (
        "what it did while it was tried",
        "more than could be observed",
        "tried and was refused: used the network total.csv  cell 3",
        "created report total.csv  cell 2",
        "deleted 3f2a91c0  found in the folder",
        "read Plot revenue per month",
    ):
        assert said in text


def test_a_proposal_is_addressed_as_the_host_is_typed():
    before = Notebook((Cell("a", "code", "1"),))
    view = views.history("nb.ipynb", [], {}, speak=lambda word: f"jupyter selfcode {word} nb.ipynb")
    assert "nb.ipynb" in view.text()
    assert cell_changes(before, before) == ()


def test_colours_are_asked_for():
    view = examples.build()["diff"]
    assert "\x1b[32m" in view.text(80, color=True)
    assert "\x1b" not in view.text(80)


def test_control_and_bidirectional_characters_of_code_are_spelled_out():
    before, after = Notebook((Cell("a", "code", "x = 1"),)), Notebook((Cell("a", "code", "x = 1 # \u202e evil"),))
    assert "‹U+202E›" in views.diff(before, after, "t").text()
    assert "‹U+202E›" in views.diff(before, after, "t").html()


def test_html_of_an_output_is_never_html():
    from jupyter_selfcode.views.words import output_text

    rich = {"output_type": "display_data", "data": {"text/html": "<b>x</b>", "text/plain": "plain"}}
    image = {"output_type": "display_data", "data": {"image/png": "A" * 4096, "text/plain": "<Figure>"}}
    assert output_text([rich]) == "plain"
    assert output_text([image]) == "[image/png, 3 kB]"
    assert output_text([{"output_type": "display_data", "data": {"text/html": "<b>x</b>"}}]) == "[text/html]"


def test_every_level_has_its_words():
    assert [level.number for level in LEVELS] == [0, 1, 2, 3, 4]
    assert level_name(None) == "no level"


def test_the_graph_shows_what_was_left_behind():
    lines = examples.build()["history"].text(100).splitlines()
    assert [line.split()[0] for line in lines if line.startswith(("●", "├", "│"))] == ["●─╯", "├─○", "●"]


def test_a_word_without_an_end_wraps_in_the_column_that_may():
    name = next(n for n in examples.build() if n.startswith("history"))
    cells = re.findall(r'<td style="([^"]*)">', examples.build()[name].html())
    assert any("overflow-wrap:anywhere" in style and "nowrap" not in style for style in cells)
    assert all(("overflow-wrap" in style) != ("nowrap" in style) for style in cells if "white-space:pre" not in style)
