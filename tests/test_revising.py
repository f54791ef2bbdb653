"""A person edits what waits: the edited text is tried anew, waits in the place of the other, and says whose it is."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from jupyter_selfcode.commands import COMMANDS, Reply, parse_line
from jupyter_selfcode.config import SelfCode
from jupyter_selfcode.plugins.deployers.memory import MemoryDeployer
from jupyter_selfcode.plugins.models.scripted import ScriptedModel
from jupyter_selfcode.plugins.sandboxes.scripted import ScriptedSandbox
from jupyter_selfcode.plugins.stores.sql import SqlStore
from jupyter_selfcode.revising import EDITED
from jupyter_selfcode.selfcode import Workspace, make_engine
from jupyter_selfcode.values.errors import BadInput
from jupyter_selfcode.values.notebook import Cell, Notebook

NOTEBOOK = Notebook((Cell("a", "code", "x = 3"), Cell("b", "code", "y = x + 2")))
ANSWER = '<rationale>Twice.</rationale>\n<cell id="b" action="replace">\ny = x * 2\n</cell>'
MINE = "y = 2 * x  # --name is only a comment"


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    store, settings = SqlStore(tmp_path / "history.sqlite"), SelfCode(model="openai/x")
    engine = replace(make_engine(settings, store, ScriptedModel([ANSWER])), sandbox=ScriptedSandbox(), retrievers=())
    made = Workspace(settings, tmp_path, "nb.ipynb", [MemoryDeployer(NOTEBOOK)], store, engine)
    say(made, "adapt twice")
    yield made
    made.close()


def say(workspace: Workspace, line: str) -> Reply:
    command, args = parse_line(line)
    return command.run(workspace, args, lambda event: None)


def as_typed(sources: dict[str, str]) -> str:
    """As a front end sends it: nothing in it looks like a flag."""
    return json.dumps(sources).replace("--", "\\u002d\\u002d")


def test_the_edited_text_waits_in_the_place_of_the_proposal_and_says_so(workspace):
    (name,) = workspace.waiting.all()
    reply = say(workspace, f"revise --name {name} {as_typed({'b': MINE})}")
    assert reply.data["status"] == "proposed"
    ((other, decided),) = workspace.waiting.all().items()
    assert other == reply.data["proposal"] != name
    trial = decided.decision.trial
    assert trial.candidate.rationale == f"Twice. {EDITED}"
    assert trial.run is not None
    assert trial.run.result("b").status == "ok"
    say(workspace, "accept")
    assert workspace.notebook().cell("b").source == MINE
    newest = workspace.lineage()[-1].version
    assert (newest.by, newest.words, newest.rationale.endswith(EDITED)) == ("person", "twice", True)


def test_it_is_said_once_however_often_it_was_edited(workspace):
    for source in ("y = 4 * x", "y = 5 * x"):
        say(workspace, f"revise {as_typed({'b': source})}")
    ((_, decided),) = workspace.waiting.all().items()
    assert decided.decision.trial.candidate.rationale == f"Twice. {EDITED}"


def test_what_was_spent_stays_what_the_proposal_cost(workspace):
    ((_, before),) = workspace.waiting.all().items()
    say(workspace, f"revise {as_typed({'b': MINE})}")
    ((_, after),) = workspace.waiting.all().items()
    assert after.cost == before.cost
    assert after.cost.calls == 1


def test_what_cannot_run_leaves_the_proposal_as_it_was(workspace):
    before = workspace.waiting.all()
    reply = say(workspace, f"revise {as_typed({'b': 'y = ('})}")
    assert reply.exit_code == 20
    assert workspace.waiting.all().keys() == before.keys()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "as JSON"),
        ("[1]", "as JSON"),
        ('{"b": 3}', "as JSON"),
        ('{"a": "x = 4"}', "changes no cell 'a'; it changes b"),
        ('{"b": "y = x + 2"}', "nothing would change"),
    ],
)
def test_what_cannot_be_meant_is_one_clear_line(workspace, words, said):
    with pytest.raises(BadInput, match=said):
        say(workspace, f"revise {words}")
    assert len(workspace.waiting.all()) == 1


def test_a_shell_gives_the_words_one_by_one(workspace):
    words = as_typed({"b": MINE}).split(" ")
    COMMANDS["revise"].run(workspace, Namespace(sources=words, name=None), lambda event: None)
    ((_, decided),) = workspace.waiting.all().items()
    assert decided.decision.trial.candidate.patch.ops[0].source == MINE
