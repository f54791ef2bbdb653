"""Words in a cell become code in the open notebook: seen, decided, undone by the keyboard and by a rollback."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from .conftest import edit, recorded

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

WORDS = "The mean of stock."
CELL = f"%%selfcode\n{WORDS}"
CODE = "mean = sum(stock) / len(stock)\nprint('mean', mean)"


@pytest.fixture
def model(tmp_path):
    return recorded(tmp_path / "answers.jsonl", {WORDS: edit(c2=CODE)})


@pytest.fixture
def lab(opened, model):
    made = opened("trip.ipynb", "stock = [1, 2, 3]", CELL, "later = 1", model=model)
    made.reveal()
    made.run(1)
    made.run(2)
    return made


def test_words_become_code_that_one_step_takes_back(lab):
    lab.run(3)
    card = lab.panel.locator(".jp-Selfcode-card")
    expect(card).to_contain_text("The mean of stock.")
    expect(card.locator(".jp-Selfcode-added").first).to_contain_text("The mean of stock")
    lab.picture("waiting")
    lab.button("Accept").click()
    lab.until("m.cells[2].getSource().includes('sum(stock)')")
    expect(lab.output(3)).to_contain_text("mean 2.0")
    assert lab.pointer(3)["by"] == "person"
    expect(lab.panel.locator(".jp-Selfcode-version").first).to_contain_text("The mean of stock.")
    expect(lab.panel.locator(".jp-Selfcode-card")).to_have_count(0)
    lab.picture("accepted")

    lab.cell(3).locator(".cm-content").click()
    lab.page.keyboard.press("Control+z")
    assert lab.source(3) == CELL
    assert lab.pointer(3) is None
    lab.page.keyboard.press("Control+Shift+z")
    assert "sum(stock)" in lab.source(3)
    assert lab.pointer(3)["by"] == "person"

    lab.panel.locator(".jp-Selfcode-version").last.get_by_role("button").first.click()
    lab.button("Roll back to 1").click()
    lab.until("m.cells[2].getSource().trim() === arg", CELL)
    expect(lab.panel.locator(".jp-Selfcode-version")).to_have_count(3)
    lab.picture("rolled-back")
