"""Documents that live on the server and are shared by all who look at them: an edit is made once and undone in one step."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from .conftest import edit, installed, recorded, serving

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

WORDS = "Double the stock."
DOUBLED = "stock = [1, 2, 3]\nstock = [2 * n for n in stock]\nprint(stock)"


@pytest.fixture(scope="module", params=["jupyter-collaboration>=3", "jupyter-server-documents>=0.3"])
def shared(request, wheel, tmp_path_factory):
    home = tmp_path_factory.mktemp("shared")
    python = installed(wheel, home / "environment", "jupyterlab>=4.4,<5", request.param)
    with serving(home / "lab", python=python) as server:
        yield server


@pytest.fixture
def lab(shared, opened, tmp_path, request):
    model = recorded(tmp_path / "answers.jsonl", {WORDS: edit(c1=DOUBLED, c2="later = 2")})
    name = f"{request.node.originalname}.ipynb"
    made = opened(name, "stock = [1, 2, 3]", "later = 1", model=model, at=shared)
    for place in (1, 2, 3):
        made.run(place)
    made.reveal()
    made.panel.get_by_label("What should change, in words").fill(WORDS)
    made.button("Adapt").click()
    expect(made.panel.locator(".jp-Selfcode-card")).to_have_count(1)
    return made


def test_an_accepted_change_is_there_once_and_one_step_takes_it_back(lab):
    lab.button("Accept").click()
    lab.until("m.cells[1].getSource() === arg", DOUBLED)
    expect(lab.output(2)).to_contain_text("[2, 4, 6]")
    lab.cell(3).locator(".cm-content").click()
    lab.page.keyboard.press("Control+z")
    assert (lab.source(3), lab.pointer(3)) == ("later = 1", None)
    assert lab.source(2) == DOUBLED


def test_the_edit_is_made_by_one_of_two_tabs_and_reaches_both(lab, opened):
    other = opened(lab.js("w.context.localPath"), at=lab.server, same=lab)
    other.reveal()
    other.button("Accept").click()
    for tab in (other, lab):
        tab.until("m.cells[1].getSource() === arg", DOUBLED)
        tab.until("m.cells[2].getSource() === 'later = 2'")
    other.panel.locator(".jp-Selfcode-version").last.get_by_role("button").first.click()
    other.button("Roll back to 1").click()
    for tab in (other, lab):
        tab.until("m.cells[1].getSource() === 'stock = [1, 2, 3]'")


def test_after_a_reload_the_kernel_still_edits_the_shared_document(lab):
    lab.page.reload()
    lab.at_rest()
    lab.reveal()
    lab.button("Accept").click()
    lab.until("m.cells[1].getSource() === arg", DOUBLED)
    lab.button("Undo").first.click()
    lab.until("m.cells[1].getSource() === 'stock = [1, 2, 3]'")
