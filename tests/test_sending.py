"""What `send` shows is what the model gets, to the byte; nothing is sent by it, and every call is logged without its text."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyter_selfcode import sending
from jupyter_selfcode.commands import COMMANDS, Reply
from jupyter_selfcode.config import SelfCode
from jupyter_selfcode.plugins.deployers.memory import MemoryDeployer
from jupyter_selfcode.plugins.models.scripted import ScriptedModel
from jupyter_selfcode.plugins.sandboxes.scripted import ScriptedSandbox
from jupyter_selfcode.plugins.stores.sql import SqlStore
from jupyter_selfcode.selfcode import Workspace, make_engine
from jupyter_selfcode.values.canonical import digest, plain
from jupyter_selfcode.values.errors import BadInput, StoreError
from jupyter_selfcode.values.events import Said
from jupyter_selfcode.values.notebook import Cell, Notebook

SECRET = "a-value-that-nobody-may-see"
NOTEBOOK = Notebook(
    (
        Cell("a", "code", f"key = '{SECRET}'\nx = 3"),
        Cell("b", "code", f"print('{SECRET}', x)"),
        Cell("c", "code", '"""Twice x.\n\n>>> y\n6\n"""\ny = x + 2'),
    )
)
ANSWERS = tuple(f'<rationale>{n}</rationale>\n<cell id="c" action="replace">\ny = {n}\n</cell>' for n in range(9))


@pytest.fixture(autouse=True)
def _a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALES_TOKEN", SECRET)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    made = SqlStore(tmp_path / "history.sqlite")
    yield made
    made.close()


def workspace(store: SqlStore, answers: Sequence[str] = ANSWERS, notebook: Notebook = NOTEBOOK) -> tuple[Workspace, ScriptedModel]:
    settings, model = SelfCode(model="openai/x", context_level="full"), ScriptedModel(answers)
    engine = replace(make_engine(settings, store, model), sandbox=ScriptedSandbox(), retrievers=())
    return Workspace(settings, Path(store._url.database or "").parent, "nb.ipynb", [MemoryDeployer(notebook)], store, engine), model


def typed(workspace: Workspace, word: str, words: str = "", cell: list[str] | None = None) -> Reply:
    return COMMANDS[word].run(workspace, Namespace(words=words, cell=cell), lambda event: None)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(min_size=1).map(lambda w: f"use {w} and {SECRET}"), st.sampled_from([None, ["c"], ["a", "b"]]))
def test_what_is_shown_for_words_is_what_the_model_gets_for_them(store: SqlStore, words: str, cell: list[str] | None):
    work, model = workspace(store)
    shown = typed(work, "send", words, cell).data
    assert model.asked == []
    typed(work, "adapt", words, cell)
    assert shown["messages"] == [plain(m) for m in model.asked[0].messages]
    assert shown["hash"] == digest(model.asked[0].messages)
    assert SECRET not in json.dumps(shown)
    work.close()


def test_what_is_shown_for_the_last_error_is_what_the_model_gets_failed_trials_of_rules_included(store: SqlStore):
    broken = Notebook((Cell("m", "code", "import math\nmath.sqroot(4)"), *NOTEBOOK.cells))
    work, model = workspace(store, notebook=broken)
    shown = typed(work, "send").data
    typed(work, "fix")
    assert shown["messages"] == [plain(m) for m in model.asked[0].messages]
    assert "AttributeError" in shown["messages"][1]["content"]
    work.close()


def test_what_was_taken_out_is_told_by_kind_and_count_and_level_and_size_are_told(store: SqlStore):
    work, _ = workspace(store)
    reply = typed(work, "send", "mend it")
    assert (reply.data["level"], reply.data["model"], reply.data["sent"]) == ("full", "scripted", False)
    assert reply.data["redacted"]["known value"] >= 3
    assert reply.data["characters"] == sum(len(m["content"]) for m in reply.data["messages"])
    for text in (reply.view.text(), reply.view.html(), json.dumps(reply.data)):
        assert SECRET not in text
    assert "known value ×" in reply.view.text(200)
    work.close()


def test_showing_leaves_nothing_behind(store: SqlStore, tmp_path: Path):
    work, _ = workspace(store)
    typed(work, "send", "mend it")
    assert list(tmp_path.iterdir()) == []
    assert sending.log(work) == []
    assert work.waiting.all() == {}
    work.close()


def test_every_call_is_logged_before_it_is_made_without_a_word_of_it(store: SqlStore):
    work, model = workspace(store)
    typed(work, "adapt", "mend it with care")
    lines = sending.log(work)
    assert [line["hash"] for line in lines] == [digest(p.messages) for p in model.asked]
    assert all(line["level"] == "full" and line["model"] == "scripted" for line in lines)
    assert [line["characters"] for line in lines] == [p.characters for p in model.asked]
    assert "care" not in json.dumps(lines)
    cost = COMMANDS["cost"].run(work, Namespace(), lambda event: None)
    assert cost.data["sent"] == lines
    assert lines[0]["hash"][:12] in cost.view.text(200)
    work.close()


def test_a_log_that_cannot_be_written_is_said_and_stops_nothing(store: SqlStore, monkeypatch: pytest.MonkeyPatch):
    def full(*_: object) -> None:
        raise StoreError("The disk is full.")

    work, model = workspace(store)
    said: list[str] = []
    monkeypatch.setattr(store, "put_note", full)
    COMMANDS["adapt"].run(
        work, Namespace(words="mend it", cell=None), lambda e: said.append(e.text) if isinstance(e, Said) else None
    )
    assert model.asked
    assert "What is sent could not be logged: The disk is full." in said
    work.close()


def test_where_the_free_rules_mend_it_nothing_would_be_sent(store: SqlStore):
    work, model = workspace(store, notebook=Notebook((Cell("a", "code", "print(math.pi)"),)))
    reply = typed(work, "send")
    assert reply.data["status"] == "nothing"
    assert "rules" in reply.data["reason"]
    assert "Nothing would be sent" in reply.view.text()
    assert model.asked == []
    work.close()


def test_without_a_model_or_an_error_it_says_what_to_do(store: SqlStore):
    work, _ = workspace(store, notebook=Notebook((Cell("a", "code", "1"),)))
    with pytest.raises(BadInput, match=r"Nothing has failed\. Give the words"):
        typed(work, "send")
    work.engine = make_engine(SelfCode(), store)
    work.settings = SelfCode()
    with pytest.raises(BadInput, match=r"Nothing is sent anywhere.*none is set"):
        typed(work, "send", "mend it")
    work.close()
