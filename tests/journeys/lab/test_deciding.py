"""Deciding in the sidebar: rejected, overtaken by a person's typing, after a reload, beside a second tab."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from .conftest import edit, recorded

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

WORDS = "Double the stock."
EVIL = "<img src=x onerror=\"document.title='broken'\">"


@pytest.fixture
def model(tmp_path):
    answers = {
        WORDS: edit(c1="stock = [1, 2, 3]\nstock = [2 * n for n in stock]\nprint(stock)"),
        EVIL: edit(c1=f"print('''{EVIL}''')"),
    }
    return recorded(tmp_path / "answers.jsonl", answers)


def ask(lab, words=WORDS):
    """Say it in the sidebar and wait for the proposal."""
    lab.reveal()
    lab.panel.get_by_label("What should change, in words").fill(words)
    lab.button("Adapt").click()
    card = lab.panel.locator(".jp-Selfcode-card")
    expect(card).to_have_count(1)
    return card


@pytest.fixture
def lab(opened, model, request):
    made = opened(f"{request.node.name}.ipynb", "stock = [1, 2, 3]", "later = 1", model=model)
    made.run(1)
    made.run(2)
    return made


def test_a_rejected_change_leaves_everything_as_it_is(lab):
    ask(lab)
    lab.button("Reject…").click()
    lab.panel.get_by_label("Reason").fill("the stock is right")
    lab.button("Reject").click()
    expect(lab.panel.locator(".jp-Selfcode-card")).to_have_count(0)
    assert lab.source(2) == "stock = [1, 2, 3]"


def test_what_a_person_types_meanwhile_stays(lab):
    ask(lab)
    lab.write(2, "stock = [7]  # mine")
    lab.button("Accept").click()
    expect(lab.panel.get_by_role("alert").first).to_be_visible()
    assert lab.source(2) == "stock = [7]  # mine"


def test_after_a_reload_of_the_page_the_change_is_still_there_and_accepted(lab):
    ask(lab)
    lab.save()
    lab.until("!w.context.model.dirty")
    lab.page.reload()
    lab.at_rest()
    lab.reveal()
    lab.button("Accept").click()
    lab.until("m.cells[1].getSource().includes('2 * n')")
    expect(lab.output(2)).to_contain_text("[2, 4, 6]")


def test_of_two_tabs_the_one_that_accepts_is_edited(lab, opened):
    ask(lab)
    lab.save()
    lab.until("!w.context.model.dirty")
    other = opened(lab.server.root.joinpath(lab.js("w.context.path")).name, same=lab)
    other.reveal()
    other.button("Accept").click()
    other.until("m.cells[1].getSource().includes('2 * n')")
    assert other.source(2).count("2 * n") == 1
    assert lab.source(2) == "stock = [1, 2, 3]"


def test_words_that_hold_html_are_only_text(lab):
    card = ask(lab, EVIL)
    expect(card).to_contain_text(EVIL)
    expect(lab.panel.locator("img")).to_have_count(0)
    assert lab.page.title() != "broken"


def test_two_states_are_shown_side_by_side(lab):
    ask(lab)
    lab.button("Full size").click()
    expect(lab.page.locator(".jp-SelfcodeCompare .cm-mergeView")).to_contain_text("2 * n")


def test_a_cell_that_failed_offers_to_be_fixed(lab):
    lab.write(3, "1 / 0")
    lab.run(3)
    offer = lab.cell(3).get_by_role("button", name="Fix with selfcode")
    expect(offer).to_be_visible()
    lab.write(3, "later = 2")
    lab.run(3)
    expect(offer).to_have_count(0)


def test_notebook_7_has_the_same_panel_and_the_same_live_edit(opened, model):
    lab = opened("seven.ipynb", "stock = [1, 2, 3]", model=model, app="notebooks")
    lab.run(1)
    lab.run(2)
    ask(lab)
    lab.picture("notebook-7")
    lab.button("Full size").click()
    expect(lab.page.locator(".jp-SelfcodeCompare .cm-mergeView").get_by_text("2 * n").first).to_be_in_viewport(ratio=1)
    lab.picture("notebook-7-full-size")
    lab.button("Accept").click()
    lab.until("m.cells[1].getSource().includes('2 * n')")
    expect(lab.output(2)).to_contain_text("[2, 4, 6]")
