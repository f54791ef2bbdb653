"""`%selfcode` in a notebook: a panel with buttons, with and without our extension of JupyterLab around it."""

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


def shown(lab, place=3):
    """The panel in the output of a cell that runs `%selfcode`."""
    lab.run(1)
    lab.run(2)
    lab.run(place)
    panel = lab.output(place).locator(".jp-SelfcodePanel")
    expect(panel).to_be_visible()
    expect(lab.output(place).locator(".jp-SelfcodeStandIn")).to_be_hidden()
    return panel


def propose(panel):
    panel.get_by_label("What should change, in words").fill(WORDS)
    panel.get_by_role("button", name="Adapt", exact=True).click()
    expect(panel.locator(".jp-Selfcode-card .jp-Selfcode-added").first).to_be_visible()


@pytest.mark.parametrize("app", ["lab/tree", "notebooks"])
def test_its_buttons_do_what_the_sidebar_does(opened, model, app):
    lab = opened(f"panel-{app[:3]}.ipynb", "stock = [1, 2, 3]", "%selfcode", model=model, app=app)
    panel = shown(lab)
    propose(panel)
    lab.picture(f"panel-{app[:3]}-waiting")
    panel.get_by_role("button", name="Accept", exact=True).click()
    lab.until("m.cells[1].getSource().includes('2 * n')")
    expect(lab.output(2)).to_contain_text("[2, 4, 6]")
    expect(panel.locator(".jp-Selfcode-version").first).to_contain_text(WORDS)
    expect(panel).to_be_in_viewport()  # though it has grown shorter, and JupyterLab scrolls past the end
    lab.picture(f"panel-{app[:3]}-accepted")
    panel.get_by_role("button", name="Undo", exact=True).click()
    lab.until("m.cells[1].getSource() === 'stock = [1, 2, 3]'")
    expect(panel.locator(".jp-Selfcode-version")).to_have_count(3)


def test_what_a_magic_decides_the_panel_shows(opened, model):
    lab = opened("same-door.ipynb", "stock = [1, 2, 3]", "%selfcode", "%selfcode reject not now", model=model)
    panel = shown(lab)
    propose(panel)
    lab.run(4)
    expect(panel.locator(".jp-Selfcode-card")).to_have_count(0)


def test_without_our_extension_of_jupyterlab_it_works_by_its_own_comm(opened, model, tmp_path):
    with serving(tmp_path / "bare") as server:
        disabled = server.home / "config_dir/labconfig/page_config.json"
        disabled.parent.mkdir(parents=True, exist_ok=True)
        disabled.write_text(json.dumps({"disabledExtensions": {"jupyter-selfcode": True}}), encoding="utf-8")
        lab = opened("bare.ipynb", "stock = [1, 2, 3]", "%selfcode", model=model, at=server)
        assert lab.js("!app.hasPlugin('jupyter-selfcode:live')")
        panel = shown(lab)
        propose(panel)
        panel.get_by_role("button", name="Accept", exact=True).click()
        told = panel.locator(".jp-Selfcode-told")
        expect(told).to_contain_text("2 * n")  # ready to paste: no kernel reaches another cell
        lab.picture("panel-bare")
        expect(panel.locator(".jp-Selfcode-version").first).to_contain_text(WORDS)


def test_a_notebook_that_is_opened_again_shows_the_table(opened, model):
    lab = opened("again.ipynb", "stock = [1, 2, 3]", "%selfcode", model=model)
    panel = shown(lab)
    propose(panel)
    lab.run(3)
    lab.save()
    lab.until("!w.context.model.dirty")
    data = lab.js("w.content.widgets[2].model.outputs.get(0).data")
    assert WORDS in data["text/html"]
    lab.page.evaluate("window.jupyterapp.shell.currentWidget.context.sessionContext.shutdown()")
    lab.page.reload()
    lab.at_rest()
    lab.picture("panel-again")
    expect(lab.output(3).locator("table").first).to_be_visible()
    expect(lab.output(3)).to_contain_text(WORDS)
    expect(lab.output(3).locator(".jp-OutputArea-child").last).to_be_hidden()
