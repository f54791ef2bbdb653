"""The panel's side in the kernel: what it shows are traits, what comes from it is a line, and an answer goes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jupyter_selfcode.commands import parse_line
from jupyter_selfcode.config import SelfCode
from jupyter_selfcode.hosts.widget.panel import BUILT, PAGE, Panel
from jupyter_selfcode.plugins.deployers.memory import MemoryDeployer
from jupyter_selfcode.plugins.models.scripted import ScriptedModel
from jupyter_selfcode.plugins.sandboxes.scripted import ScriptedSandbox
from jupyter_selfcode.plugins.stores.sql import SqlStore
from jupyter_selfcode.selfcode import Workspace, make_engine
from jupyter_selfcode.values.errors import BadInput, StoreError
from jupyter_selfcode.values.messages import AtWork, Changed, FromKernel, Rest, Working
from jupyter_selfcode.values.notebook import Cell, Notebook

NOTEBOOK = Notebook((Cell("a", "code", "x = 3"), Cell("b", "code", "y = x + 2")))
ANSWER = '<rationale>Twice.</rationale>\n<cell id="b" action="replace">\ny = x * 2\n</cell>'


class Desk:
    """A session that does at once what it is asked."""

    def __init__(self, workspace: Workspace) -> None:
        self.notebook = workspace
        self.heard: Callable[[FromKernel], None] = lambda message: None
        self.stopped = False

    def workspace(self) -> Workspace:
        return self.notebook

    def listen(self, heard: Callable[[FromKernel], None]) -> None:
        self.heard = heard

    def run(self, line: str, answered: Callable[[Mapping[str, Any] | None, str], None]) -> None:
        try:
            command, args = parse_line(line)
            reply = command.run(self.notebook, args, lambda event: None)
        except BadInput as e:
            answered(None, str(e))
            return
        answered({"data": reply.data, "view": reply.view.data(), "exit_code": reply.exit_code}, "")
        self.heard(Changed(None, tuple(self.notebook.waiting.all())))

    def stop(self) -> None:
        self.stopped = True


class Heard(Panel):
    """A panel whose messages can be read."""

    def send(self, content: Any, buffers: Any = None) -> None:
        self.__dict__.setdefault("sent", []).append(content)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    store, settings = SqlStore(tmp_path / "history.sqlite"), SelfCode(model="openai/x")
    engine = replace(make_engine(settings, store, ScriptedModel([ANSWER])), sandbox=ScriptedSandbox(), retrievers=())
    made = Workspace(settings, tmp_path, "nb.ipynb", [MemoryDeployer(NOTEBOOK)], store, engine)
    yield Desk(made)
    made.close()


@pytest.fixture
def panel(desk: Desk) -> Heard:
    return Heard(desk)


def press(panel: Heard, **message: Any) -> Any:
    """What the browser sends; the last answer."""
    panel._handle_custom_msg(message, [])
    return panel.sent[-1] if "sent" in panel.__dict__ else None


def test_the_bundle_is_small_and_built(panel):
    assert 10_000 < (BUILT / "widget.js").stat().st_size < 40_000
    assert panel._esm == (BUILT / "widget.js").read_text(encoding="utf-8")


def test_the_first_look_is_read_when_it_is_shown(panel):
    assert panel.state is None
    bundle = panel.bundle()
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == panel.model_id
    assert bundle["text/plain"] == ""
    assert (panel.state["notebook"], panel.state["store"], panel.rows) == ("nb.ipynb", "none", [])


def test_words_become_a_proposal_that_is_opened_accepted_and_a_version(panel):
    answer = press(panel, type="run", id="1", line="adapt twice")
    assert (answer["type"], answer["id"], answer["refusal"]) == ("answer", "1", "")
    (waits,) = panel.state["waiting"]
    assert waits["name"] == answer["reply"]["data"]["proposal"]
    detail = press(panel, type="open", kind="waiting", name=waits["name"])
    assert [c["after"] for c in detail["cells"]] == ["y = x * 2"]
    assert detail["view"]["blocks"]
    press(panel, type="run", id="2", line="accept")
    assert panel.state["waiting"] == []
    assert [row["kind"] for row in panel.rows] == ["adapt", "initial"]
    shown = press(panel, type="open", kind="version", name=panel.rows[0]["id"])
    assert shown["cells"][0]["before"] == "y = x + 2"


def test_a_refusal_is_one_line(panel):
    answer = press(panel, type="run", id="1", line="accept")
    assert (answer["reply"], answer["refusal"]) == (None, "Nothing waits for a decision.")
    gone = press(panel, type="open", kind="waiting", name="nothing")
    assert gone["refusal"] == "Nothing waits for a decision."


def test_what_is_at_work_is_shown_until_it_rests(panel, desk):
    desk.heard(AtWork(Working("adapt", started=1.0)))
    assert panel.now["line"] == "adapt"
    desk.heard(Rest())
    assert panel.now is None
    press(panel, type="stop")
    assert desk.stopped


def test_older_versions_come_when_they_are_asked_for(panel, desk):
    workspace = desk.notebook
    for n in range(PAGE + 5):
        workspace.amend(Notebook((Cell("a", "code", f"x = {n}"),)), f"step {n}")
    panel.bundle()
    assert len(panel.rows) == PAGE
    press(panel, type="older")
    assert [row["number"] for row in panel.rows] == list(range(PAGE + 6, 0, -1))


def test_a_history_that_cannot_be_read_is_said(panel, desk, monkeypatch):
    def broken(limit: int | None = None) -> Any:
        raise StoreError("The history is damaged.")

    monkeypatch.setattr(desk.notebook, "lineage", broken)
    panel.bundle()
    assert (panel.state["store"], panel.state["message"]) == ("broken", "The history is damaged.")


@pytest.mark.parametrize("message", [{}, {"type": "run"}, {"type": "run", "id": 1, "line": "undo"}, {"type": "open"}, "run"])
def test_what_is_no_message_of_ours_is_ignored(panel, message):
    panel._handle_custom_msg(message, [])
    assert "sent" not in panel.__dict__
