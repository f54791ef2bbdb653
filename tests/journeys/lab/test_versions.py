"""The one wheel, in every JupyterLab that it is made for, each in an environment of its own."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from .conftest import edit, installed, recorded, serving

pytestmark = pytest.mark.timeout(600)

WORDS = "Double the stock."
OLDEST_AND_NEWEST = ("jupyterlab 4.2", "jupyterlab 4.6")
OTHERS = ("jupyterlab 4.3", "jupyterlab 4.4", "jupyterlab 4.5", "notebook 7.2")


@pytest.mark.parametrize(
    "release",
    [
        *(pytest.param(r, marks=pytest.mark.slow) for r in OLDEST_AND_NEWEST),
        *(pytest.param(r, marks=pytest.mark.matrix) for r in OTHERS),
    ],
)
def test_a_change_is_seen_accepted_and_taken_back(release, wheel, opened, tmp_path):
    name, version = release.split()
    python = installed(wheel, tmp_path / "environment", f"{name}=={version}.*")
    model = recorded(
        tmp_path / "answers.jsonl",
        {WORDS: edit(c1="stock = [1, 2, 3]\nstock = [2 * n for n in stock]\nprint(stock)", c2="later = 2")},
    )
    with serving(tmp_path / "lab", python=python) as server:
        app = "notebooks" if name == "notebook" else "lab/tree"
        lab = opened("trip.ipynb", "stock = [1, 2, 3]", "later = 1", model=model, at=server, app=app)
        assert lab.js("app.version").startswith(version)
        for place in (1, 2, 3):
            lab.run(place)
        lab.reveal()
        lab.panel.get_by_label("What should change, in words").fill(WORDS)
        lab.button("Adapt").click()
        expect(lab.panel.locator(".jp-Selfcode-card")).to_contain_text("2 * n")
        lab.button("Full size").click()
        expect(lab.page.locator(".jp-SelfcodeCompare .cm-mergeView").first).to_contain_text("2 * n")
        lab.picture(release)
        if name == "notebook":  # 7.2 has no place for it but a dialog
            lab.page.get_by_role("button", name="Close", exact=True).click()
        else:
            lab.page.evaluate("window.jupyterapp.commands.execute('application:close')")
        lab.button("Accept").click()
        lab.until("m.cells[1].getSource().includes('2 * n')")
        expect(lab.output(2)).to_contain_text("[2, 4, 6]")
        assert lab.source(3) == "later = 2"

        lab.cell(3).locator(".cm-content").click()
        lab.page.keyboard.press("Control+z")
        assert lab.source(3) == "later = 1"
        assert lab.pointer(3) is None
        assert "2 * n" in lab.source(2)

        lab.panel.locator(".jp-Selfcode-version").last.get_by_role("button").first.click()
        lab.button("Roll back to 1").click()
        lab.until("m.cells[1].getSource() === 'stock = [1, 2, 3]'")
