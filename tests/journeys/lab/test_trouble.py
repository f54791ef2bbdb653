"""What goes wrong where people work: each is told in one clear line, and nothing is lost."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing

import pytest
from playwright.sync_api import expect

from .conftest import edit, recorded, serving

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

STOCK = "stock = [1, 2, 3]"
WORDS = "Double the stock."
DOUBLED = f"{STOCK}\nstock = [2 * n for n in stock]\nprint(stock)"
SLOWLY = "Double the stock, slowly."
SLOW = f"import time\ntime.sleep(5)\n{DOUBLED}"
SHOUTED = "Print some HTML."
HTML = "<img src=x onerror=\"document.title='broken'\"><script>document.title='broken'</script>"
SHOUT = f"from IPython.display import HTML\nprint({HTML!r})\nHTML({HTML!r})"
MEAN = '%%selfcode\n"""The mean.\n\n>>> mean\n2.0\n"""\n'
ANSWERS = {
    WORDS: edit(c1=DOUBLED),
    SLOWLY: edit(c1=SLOW),
    SHOUTED: edit(c2=SHOUT),
    "The mean.": edit(c2=MEAN + "import time\ntime.sleep(4)\nmean = sum(stock) / len(stock)"),
}


@pytest.fixture
def model(tmp_path):
    return recorded(tmp_path / "answers.jsonl", ANSWERS)


@pytest.fixture
def lab(opened, model, request):
    made = opened(f"{request.node.name}.ipynb", STOCK, "later = 1", model=model)
    made.run(1)
    made.run(2)
    return made


def say(lab, words=WORDS):
    """Say it in the sidebar."""
    lab.reveal()
    lab.panel.get_by_label("What should change, in words").fill(words)
    lab.button("Adapt").click()


def ask(lab, words=WORDS):
    """Say it in the sidebar and wait for the proposal."""
    say(lab, words)
    card = lab.panel.locator(".jp-Selfcode-card")
    expect(card).to_have_count(1)
    expect(lab.button("Accept")).to_be_enabled()
    return card


def alert(lab):
    return lab.panel.get_by_role("alert")


def history(lab):
    """The file of the history."""
    return lab.server.root / ".selfcode/history.sqlite"


# ---- the notebook changes meanwhile --------------------------------------------------------------------------------


def test_who_types_while_a_change_is_made_keeps_the_text_and_is_told_to_ask_again(lab):
    say(lab, SLOWLY)
    expect(lab.panel.get_by_role("button", name="Stop")).to_be_visible()
    lab.write(2, "stock = [7]  # mine")
    expect(lab.panel.locator(".jp-Selfcode-card")).to_have_count(1)
    lab.button("Accept").click()
    expect(alert(lab)).to_contain_text("has changed since")
    assert lab.source(2) == "stock = [7]  # mine"


def test_a_change_that_is_deployed_unasked_waits_where_its_cell_is_being_edited(opened, model):
    lab = opened("unasked.ipynb", STOCK, MEAN + "mean = sum(stok) / len(stock)", model=model)
    lab.reveal()
    lab.run(1)
    lab.run(2)
    lab.write(1, "%config SelfCode.policy = 'deploy'")
    lab.run(1)
    lab.js("(w.content.activeCellIndex = 2, w.content.mode = 'command', app.commands.execute('notebook:run-cell'), 0)")
    lab.until("w.sessionContext.session.kernel.status === 'busy'")
    lab.write(3, "mean = 2.0  # mine")
    expect(lab.page.get_by_text("Cell 3 was edited meanwhile: your text was kept.")).to_be_visible()
    assert lab.source(3) == "mean = 2.0  # mine"
    expect(lab.panel.locator(".jp-Selfcode-card")).to_have_count(1)


def test_a_change_of_a_cell_that_was_deleted_meanwhile_is_refused(lab):
    ask(lab)
    lab.js("(w.content.activeCellIndex = 1, w.content.mode = 'command', app.commands.execute('notebook:delete-cell'), 0)")
    lab.until("m.cells.length === 2")
    lab.button("Accept").click()
    expect(alert(lab)).to_contain_text(re.compile("changed since|deleted"))
    assert lab.source(2) == "later = 1"


def test_a_renamed_notebook_keeps_its_history_and_is_still_edited_live(lab):
    ask(lab)
    lab.button("Accept").click()
    lab.until("m.cells[1].getSource() === arg", DOUBLED)
    lab.js("w.context.rename('under another name.ipynb')")
    lab.until("w.context.path.includes('another')")
    expect(lab.panel.locator(".jp-Selfcode-version")).to_have_count(2)
    lab.button("Undo").click()
    lab.until("m.cells[1].getSource() === arg", STOCK)
    expect(lab.panel.locator(".jp-Selfcode-version")).to_have_count(3)


def test_a_notebook_that_was_never_saved_is_changed_and_has_its_history(opened, tmp_path):
    start = opened("start.ipynb", "1")
    start.page.evaluate("window.jupyterapp.commands.execute('notebook:create-new', {kernelName: 'python3'}).then(() => 0)")
    start.until("w.context?.path?.startsWith('Untitled')")
    start.at_rest()
    model = recorded(tmp_path / "answers.jsonl", {WORDS: edit(**{start.js("m.cells[0].getId()"): "x = 2"})})
    start.write(1, f"%load_ext jupyter_selfcode\n%config SelfCode.model = {model!r}\n%config SelfCode.proposers = ['llm']")
    start.run(1)
    start.write(1, "x = 1")
    start.run(1)
    ask(start)
    start.button("Accept").click()
    start.until("m.cells[0].getSource() === 'x = 2'")
    expect(start.panel.locator(".jp-Selfcode-version")).to_have_count(2)


def test_a_notebook_that_is_read_only_is_left_alone(lab):
    ask(lab)
    lab.js("(w.context.model.readOnly = true, 0)")  # as JupyterLab does where the file cannot be written
    lab.button("Accept").click()
    expect(lab.page.get_by_text("The notebook is read-only here, so nothing was changed.").first).to_be_visible()
    assert lab.source(2) == STOCK


# ---- what is around it goes away -----------------------------------------------------------------------------------


def test_after_a_restart_of_the_kernel_what_waits_is_accepted(lab):
    ask(lab)
    lab.js("w.sessionContext.restartKernel()")
    lab.at_rest()
    expect(lab.button("Accept")).to_be_enabled()
    lab.button("Accept").click()
    lab.until("m.cells[1].getSource() === arg", DOUBLED)


def test_a_server_that_is_gone_is_told_and_what_waits_is_there_when_it_is_back(opened, model, tmp_path):
    with serving(tmp_path / "lab") as server:
        lab = opened("gone.ipynb", STOCK, model=model, at=server)
        lab.run(1)
        lab.run(2)
        ask(lab)
        lab.save()
        lab.until("!w.context.model.dirty")
    expect(lab.page.get_by_role("dialog", name="Server Connection Error")).to_be_visible()
    lab.page.keyboard.press("Escape")  # JupyterLab's own word on it
    expect(lab.page.get_by_role("dialog")).to_have_count(0)
    lab.button("Accept").click()
    expect(alert(lab)).to_contain_text("The Jupyter server does not answer.")
    assert lab.source(2) == STOCK
    with serving(tmp_path / "lab", port=server.port):
        back = opened("gone.ipynb", at=server, same=lab)
        back.reveal()
        back.button("Accept").click()
        back.until("m.cells[1].getSource() === arg", DOUBLED)
        lab.page.close()


def test_without_the_server_extension_it_says_so_and_the_kernel_still_edits_the_notebook(opened, model, tmp_path):
    with serving(tmp_path / "lab", enabled=False) as server:
        lab = opened("none.ipynb", STOCK, f"%selfcode adapt {WORDS}", "%selfcode accept", model=model, at=server)
        lab.reveal()
        expect(alert(lab)).to_contain_text("jupyter server extension enable jupyter_selfcode")
        for place in (1, 2, 3, 4):
            lab.run(place)
        lab.until("m.cells[1].getSource() === arg", DOUBLED)


def test_two_versions_of_the_package_are_told_apart(opened):
    older = "import importlib.metadata as m\nreal = m.version\nm.version = lambda name: '0.0.9' if name == 'jupyter_selfcode' else real(name)"
    lab = opened("older.ipynb", older, "%load_ext jupyter_selfcode", loaded=False)
    lab.run(1)
    lab.run(2)
    said = "The kernel has jupyter_selfcode 0.0.9 and this page 0.1.0: install the same version for both, and reload."
    expect(lab.page.get_by_text(said)).to_be_visible()


def test_a_locked_history_is_told_and_the_change_waits_on(lab):
    ask(lab)
    with closing(sqlite3.connect(history(lab), isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        lab.button("Accept").click()
        expect(alert(lab)).to_contain_text("is locked by another process")
        assert lab.source(2) == STOCK
    lab.button("Accept").click()
    lab.until("m.cells[1].getSource() === arg", DOUBLED)


def test_a_damaged_history_is_told_with_what_to_do_and_the_notebook_stays(opened, model, tmp_path):
    with serving(tmp_path / "lab") as server:
        lab = opened("damaged.ipynb", STOCK, model=model, at=server)
        lab.run(1)
        lab.run(2)
        ask(lab)
        for part in history(lab).parent.glob("history.sqlite*"):
            part.unlink()
        history(lab).write_text("this is not a database " * 100, encoding="utf-8")
        expect(alert(lab).first).to_contain_text("is damaged")
        assert lab.source(2) == STOCK
        history(lab).unlink()  # moved aside, as it says
        say(lab)
        expect(lab.panel.locator(".jp-Selfcode-card")).to_have_count(1)
        lab.button("Accept").click()
        lab.until("m.cells[1].getSource() === arg", DOUBLED)


# ---- what is hostile, or large -------------------------------------------------------------------------------------


def test_what_a_trial_shows_as_html_is_never_drawn_in_the_sidebar(lab):
    card = ask(lab, SHOUTED)
    expect(card).to_contain_text("onerror")
    expect(lab.panel.locator("img, script, iframe")).to_have_count(0)
    assert lab.page.title() != "broken"


def test_a_change_of_a_megabyte_is_shown_in_part_and_kept_whole(lab):
    ask(lab)
    lab.button("Accept").click()
    lab.until("m.cells[1].getSource() === arg", DOUBLED)
    large = "".join(f"# {i:06d} and its fifty characters of something or other\n" for i in range(20_000)) + "later = 1"
    assert len(large) > 1_000_000
    lab.js("(m.cells[2].setSource(arg), 0)", large)
    lab.button("Undo").click()  # what was written by hand is a version of its own, and stays
    lab.until("m.cells[1].getSource() === arg", STOCK)
    assert lab.source(3) == large
    by_hand = lab.panel.locator(".jp-Selfcode-version[data-number='3']")
    by_hand.get_by_role("button").first.click()
    expect(by_hand).to_contain_text("more lines")
    assert by_hand.locator(".jp-Selfcode-line").count() <= 2_100
    by_hand.get_by_role("button", name="Full size").click()
    expect(lab.page.locator(".jp-SelfcodeCompare")).to_contain_text("019999 and its fifty")
