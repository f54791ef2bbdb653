"""What the sidebar has besides deciding: editing what waits, what would be sent, the cell at the cursor, settings, export."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from .conftest import edit, recorded, serving

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

WORDS = "Double the stock."


@pytest.fixture
def model(tmp_path):
    return recorded(tmp_path / "answers.jsonl", {WORDS: edit(c1="stock = [1, 2, 3]\nstock = [2 * n for n in stock]\nprint(stock)")})


def section(lab, name):
    """A part of the sidebar, opened."""
    found = lab.panel.locator("details.jp-Selfcode-section").filter(has=lab.page.get_by_role("heading", name=name, exact=True))
    if found.get_attribute("open") is None:
        found.locator("summary").first.click()
    return found


def test_what_waits_is_edited_tried_and_accepted_and_the_rest_of_the_sidebar_knows_it(opened, model):
    lab = opened("edited.ipynb", "stock = [1, 2, 3]", "later = 1", model=model)
    lab.run(1)
    lab.run(2)
    lab.reveal()
    words = lab.panel.get_by_label("What should change, in words")
    words.fill(WORDS)
    lab.button("What would be sent").click()
    sent = lab.page.locator(".jp-SelfcodeAnswer")
    expect(sent).to_contain_text(WORDS)
    lab.picture("would-be-sent")
    lab.page.evaluate("window.jupyterapp.shell.currentWidget.close()")
    lab.at_rest()

    words.fill(WORDS)
    lab.button("Adapt").click()
    lab.button("Edit…").click()
    source = lab.panel.get_by_label("Cell 2")
    expect(source).to_have_value("stock = [1, 2, 3]\nstock = [2 * n for n in stock]\nprint(stock)")
    source.fill("stock = [1, 2, 3]\nstock = [3 * n for n in stock]\nprint(stock)")
    lab.picture("editing")
    lab.button("Try It").click()
    card = lab.panel.locator(".jp-Selfcode-card")
    expect(card).to_contain_text("3 * n")
    expect(card).to_contain_text("Edited by a person before it was accepted.")
    lab.button("Accept").click()
    lab.until("m.cells[1].getSource().includes('3 * n')")
    expect(lab.output(2)).to_contain_text("[3, 6, 9]")

    lab.save()
    lab.until("!w.context.model.dirty")
    lab.js("(w.content.activeCellIndex = 1, 0)")
    cell = section(lab, "This cell")
    expect(cell).to_contain_text(WORDS)
    expect(cell.locator("table")).to_contain_text("3 * n")
    lab.picture("this-cell")

    with lab.page.expect_download() as download:
        lab.button("Export").click()
    assert download.value.suggested_filename == "edited-history.json"
    lineage = json.loads(download.value.path().read_text(encoding="utf-8"))
    assert [r["version"]["kind"] for r in lineage["versions"]] == ["initial", "adapt"]


def test_settings_are_kept_without_a_session_and_a_session_begins_with_them(opened, tmp_path):
    with serving(tmp_path / "own") as server:
        keep_and_begin(opened, server)


def keep_and_begin(opened, server):
    lab = opened("settings.ipynb", "%load_ext jupyter_selfcode\n%config SelfCode", loaded=False, at=server)
    lab.reveal()
    settings = section(lab, "Settings")
    settings.get_by_label("policy").select_option("report")
    expect(lab.panel.get_by_role("status")).to_contain_text("every session begins with it")
    budget = settings.get_by_label("budget of a request, $")
    budget.fill("0.25")
    budget.press("Enter")
    settings.get_by_text("What was found on this machine").click()
    expect(settings).to_contain_text("sandbox")
    settings.get_by_role("button", name="Watch", exact=True).click()
    expect(settings).to_contain_text("Watched since")
    lab.picture("settings")
    settings.get_by_role("button", name="Stop Watching").click()
    expect(settings).not_to_contain_text("Watched since")
    lab.run(1)
    lab.write(1, "%config SelfCode.policy")
    for _ in range(20):  # the page hears that the session has begun, and then tells it its settings
        lab.run(1)
        if "report" in lab.output(1).inner_text():
            break
    expect(lab.output(1)).to_contain_text("report")
    lab.write(1, "%config SelfCode.budget_usd")
    lab.run(1)
    expect(lab.output(1)).to_contain_text("0.25")
