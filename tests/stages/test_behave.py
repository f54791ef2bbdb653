"""A repair gives what was given before, wherever something was given: on what was recorded, and on what is made up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jupyter_selfcode.analysis.extension import changed_functions, pure_functions
from jupyter_selfcode.analysis.secrets import Redactor
from jupyter_selfcode.config import plugin, plugins
from jupyter_selfcode.engine import Engine
from jupyter_selfcode.plugins.formats.cells import CellsFormat
from jupyter_selfcode.plugins.models.scripted import ScriptedModel
from jupyter_selfcode.plugins.proposers.llm import LlmProposer
from jupyter_selfcode.plugins.sandboxes.contained import ContainedSandbox
from jupyter_selfcode.plugins.sandboxes.scripted import ScriptedSandbox
from jupyter_selfcode.plugins.stores.sql import SqlStore
from jupyter_selfcode.stages.behave import FUNCTIONS, KEPT, SEEN, keep
from jupyter_selfcode.values.decision import Accept, Ask, Policy
from jupyter_selfcode.values.events import Decided
from jupyter_selfcode.values.notebook import Cell, Notebook
from jupyter_selfcode.values.request import Failure, Request
from tests.test_engine import replacing

PATH = "case.ipynb"
PARSE = "def parse(text: str) -> int:\n    return int(text)"
USE = '"""Amounts.\n\n>>> amounts\n[12, 7, 1200]\n"""\namounts = [parse(t) for t in texts]'
GOOD = "def parse(text: str) -> int:\n    return int(text.replace(',', ''))"
WORSE = "def parse(text: str) -> int:\n    return abs(int(text.replace(',', '')))"


@pytest.fixture
def store(tmp_path):
    made = SqlStore(f"sqlite:///{tmp_path / 'history.sqlite'}")
    yield made
    made.close()


def book(texts: list[str], parse: str = PARSE) -> Notebook:
    return Notebook((Cell("c0", "code", f"texts = {texts!r}"), Cell("c1", "code", parse), Cell("c2", "code", USE)))


async def asked(store: SqlStore, folder: Path, notebook: Notebook, request: Request, change: str, sandbox: object = None, **options: object) -> Decided:
    proposer = LlmProposer(ScriptedModel([replacing("c1", change)], usd=0.0), CellsFormat(), waits=(), repairs=0, fresh=0)
    checks = [plugin("checks", name)() for name in plugins("checks")]
    engine = Engine([proposer], sandbox or ScriptedSandbox(), checks, store, policy=Policy("deploy"), **options)  # type: ignore[arg-type]
    last = None
    async for event in engine.propose(request, notebook, folder, PATH):
        last = event
    assert isinstance(last, Decided)
    return last


FAILS = Request("", "exception", "c2", failure=Failure("c2", "ValueError", "invalid literal for int() with base 10: '1,200'"))
LONG_AGO = {"parse": [[json.dumps(["list", [["list", ["-5"]], ["dict", []]]]), "-5"]]}
BROKEN = book(["12", "7", "1,200"])


@pytest.mark.parametrize("sandbox", [ContainedSandbox, ScriptedSandbox])
async def test_a_repair_that_keeps_what_worked_reaches_level_3(store, tmp_path, sandbox):
    decided = await asked(store, tmp_path, BROKEN, FAILS, GOOD, sandbox())
    assert isinstance(decided.decision, Accept), decided.decision
    trial = decided.decision.trial
    assert trial.level == 3
    (found,) = trial.behaviour
    assert (found.recorded, found.differs, found.whole) == (2, "", True)
    assert any(a.startswith("parse gives what it gave, on 2 recorded and ") for a in trial.assumptions)


async def test_a_repair_that_changes_what_worked_is_refused_where_the_input_was_real(store, tmp_path):
    decided = await asked(store, tmp_path, book(["-12", "7", "1,200"]), FAILS, WORSE)
    assert ("block", "behaviour:differs") in {(f.severity, f.code) for t in decided.trials for f in t.findings}
    said = next(f.message for t in decided.trials for f in t.findings if f.code == "behaviour:differs")
    assert "parse('-12') gave -12, now it gives 12 (recorded input)" in said


async def test_what_only_made_up_inputs_show_is_for_a_person(store, tmp_path):
    size = "def size(n: int) -> int:\n    return n.bit_length() if n != 0 else n.bits()"
    mended = "def size(n: int) -> int:\n    return n.bit_length() if n > 0 else n.bit_count()"
    use = '"""Sizes.\n\n>>> out\n[3, 0]\n"""\nout = [size(n) for n in texts]'
    notebook = Notebook((Cell("c0", "code", "texts = [4, 0]"), Cell("c1", "code", size), Cell("c2", "code", use)))
    failing = Request("", "exception", "c2", failure=Failure("c2", "AttributeError", "'int' object has no attribute 'bits'"))
    decided = await asked(store, tmp_path, notebook, failing, mended)
    assert isinstance(decided.decision, Ask)
    assert [f.message.endswith("(generated input).") for f in decided.decision.trial.asks if f.code == "behaviour:differs"] == [True]


async def test_a_good_run_of_long_ago_speaks_where_the_old_code_no_longer_runs(store, tmp_path):
    """`string.atoi` once worked: what it gave then is known, though nothing here can run it now."""
    keep(store, PATH, LONG_AGO, Redactor(()))
    old = "import string\ndef parse(text):\n    return string.atoi(text)"
    wrong = "import string\ndef parse(text):\n    return int(text.strip('-'))"
    failing = Request("", "exception", "c2", failure=Failure("c2", "AttributeError", "module 'string' has no attribute 'atoi'"))
    decided = await asked(store, tmp_path, book(["12", "7", "1200"], old), failing, wrong)
    said = [f.message for t in decided.trials for f in t.findings if f.code == "behaviour:differs"]
    assert said == ["The repair changes what worked: parse('-5') gave -5, now it gives 5 (recorded input)."]


async def test_what_was_wished_in_words_may_be_another_value_and_that_is_told(store, tmp_path):
    keep(store, PATH, LONG_AGO, Redactor(()))
    decided = await asked(store, tmp_path, book(["12", "7", "1200"]), Request("amounts are never negative"), WORSE)
    assert {(f.severity, f.code) for t in decided.trials for f in t.findings} >= {("note", "behaviour:differs")}


# ---- what is kept ----------------------------------------------------------------------------------------------------


async def test_calls_are_kept_in_the_history_small_and_few_and_not_at_all_where_that_is_switched_off(store, tmp_path):
    many = book([*map(str, range(40)), "9" * 5000, "x"])
    await asked(store, tmp_path, many, FAILS, GOOD, record=False)
    assert not store.notes(PATH, SEEN)
    await asked(store, tmp_path, many, FAILS, GOOD)
    rows = json.loads(store.notes(PATH, SEEN)["parse"])
    assert len(rows) == KEPT
    assert json.loads(rows[0][1]) == 0


def test_a_call_that_holds_a_secret_is_not_kept_and_the_rest_is_bounded(store):
    secret = "hunter2-canary-0001"
    redactor = Redactor([secret])
    keep(store, PATH, {"login": [[json.dumps(secret), "true"], ['"ok"', "true"]]}, redactor)
    assert json.loads(store.notes(PATH, SEEN)["login"]) == [['"ok"', "true"]]
    keep(store, PATH, {f"f{i}": [["1", "2"]] for i in range(2 * FUNCTIONS)}, redactor)
    assert len(store.notes(PATH, SEEN)) == FUNCTIONS
    keep(store, PATH, {"login": [[str(i), "0"] for i in range(3 * KEPT)]}, redactor)
    assert len(json.loads(store.notes(PATH, SEEN)["login"])) == KEPT


def test_only_functions_without_a_trace_are_called_again():
    source = (
        "total = 0\ndef plain(a):\n    return a + 1\ndef reads(p):\n    return open(p).read()\ndef counts(a):\n    global total\n"
        "    total += a\ndef luck():\n    return random.random()\ndef _own(a):\n    return a\ndef lazily(a):\n    yield a"
    )
    assert set(pure_functions("import random\n" + source)) == {"plain"}


def test_that_nothing_else_was_changed_is_told_from_the_trees():
    assert changed_functions("x = 1\ndef f(a):\n    return a", "x = 1\ndef f(a):\n    return a + 0") == (("f",), True)
    assert changed_functions("x = 1\ndef f(a):\n    return a", "x = 2\ndef f(a):\n    return a + 0") == (("f",), False)
    assert changed_functions("def f(a):\n    return a", "# words\ndef f(a):\n    return a") == ((), False)
