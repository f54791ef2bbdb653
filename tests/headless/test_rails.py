"""Several runs of one notebook: what one has tried the next does not, and what one has deployed has to prove itself."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from jupyter_selfcode.config import SelfCode
from jupyter_selfcode.headless import open_bench, rails
from jupyter_selfcode.ledger import Ledger
from jupyter_selfcode.plugins.stores.sql import SqlStore, beside
from jupyter_selfcode.selfcode import open_notebook
from jupyter_selfcode.stages.behave import SEEN
from jupyter_selfcode.values.events import Said
from jupyter_selfcode.watching import Watching
from tests.test_headless import World

FIXED = "a = row['b']"


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def ledger(world, **rails):
    return Ledger(SqlStore(beside(world.folder)), world.path.name, SelfCode(**rails).rails())


def said(world):
    return [e.text for e in world.events if isinstance(e, Said)]


async def healed_once(world, *below):
    """A night on which version 2 mends cell 1; the data is in a file that the nights change."""
    (world.folder / "row.txt").write_text("{'b': 1}")
    world.write("row = eval(open('row.txt').read())", "a = row['a']", *below)
    world.mends.sources = {"c1": FIXED}
    report = await world.run()
    assert [v.number for v in report.versions] == [2]
    return report


# ---- no second attempt ---------------------------------------------------------------------------------------------


async def test_what_failed_in_vain_is_not_tried_again_and_says_when_it_was(world):
    world.write("x = 1", "x.nope")
    first = await world.run()
    second = await world.run()
    assert (first.status, second.status) == ("failed", "failed")
    assert len(world.mends.asked) == 1
    assert "This very failure was tried on" in second.message
    assert "nothing that was tried passed" in second.message
    assert [h.ended for h in first.heals] == ["failed"]
    assert second.heals == ()


async def test_another_model_is_worth_another_try(world):
    world.write("x = 1", "x.nope")
    await world.run()
    world.settings.model = "openai/other"
    world.settings.cool_down_seconds = 0
    await world.run()
    assert len(world.mends.asked) == 2


async def test_code_that_was_tried_in_vain_rests_and_fails_in_another_way_meanwhile(world):
    (world.folder / "kind.txt").write_text("x.nope")
    world.write("x = 1", "kind = open('kind.txt').read()\neval(kind)")
    await world.run()
    (world.folder / "kind.txt").write_text("1 / 0")
    resting = await world.run()
    assert "left alone for" in resting.message
    world.settings.cool_down_seconds = 0
    await world.run()
    assert len(world.mends.asked) == 2


async def test_code_that_a_person_has_changed_is_tried_at_once(world):
    world.write("x = 1", "x.nope")
    await world.run()
    world.write("x = 1", "x.nada")
    world.mends.sources = {"c1": "x.real"}
    assert (await world.run()).status == "healed"


async def test_a_proposal_that_waits_is_told_again_and_not_made_again(world):
    world.settings.policy = "propose"
    world.write("x = 1", "x.nope")
    world.mends.sources = {"c1": "x.real"}
    first = await world.run()
    second = await world.run()
    assert (second.status, second.exit_code, second.waiting) == ("proposed", 11, first.waiting)
    assert second.patch_file == first.patch_file
    assert len(world.mends.asked) == 1


async def test_trouble_of_the_environment_is_no_attempt(world):
    world.write("open('gone.csv')")
    await world.run()
    report = await world.run()
    assert (report.status, report.heals) == ("environment", ())
    assert not beside(world.folder).exists()


# ---- probation -----------------------------------------------------------------------------------------------------


async def test_a_new_failure_of_what_a_version_made_takes_it_back_and_says_so(world):
    await healed_once(world)
    (world.folder / "row.txt").write_text("{'a': 1}")  # the next night the data is as it was
    report = await world.run()
    assert (report.status, report.exit_code) == ("healed", 10)
    assert world.sources()["c1"] == "a = row['a']"
    (back,) = report.versions
    assert (back.kind, back.by, back.restores, back.number) == ("rollback", "policy", 1, 3)
    assert "Version 2 is on probation" in said(world)[0]
    assert [h.ended for h in ledger(world).heals()] == ["rolled back"]


async def test_what_was_rolled_back_is_not_deployed_again_for_the_same_failure(world):
    await healed_once(world)
    (world.folder / "row.txt").write_text("{'a': 1}")
    await world.run()
    (world.folder / "row.txt").write_text("{'b': 1}")
    report = await world.run()
    assert report.status == "failed"
    assert "was rolled back on probation" in report.message
    assert len(world.mends.asked) == 1


async def test_a_failure_of_something_else_takes_nothing_back(world):
    (world.folder / "other.txt").write_text("1")
    await healed_once(world, "other = int(open('other.txt').read())")
    (world.folder / "other.txt").write_text("none")
    world.mends.sources["c2"] = "other = open('other.txt').read()"
    report = await world.run()
    assert [(v.kind, v.cells) for v in report.versions] == [("adapt", ("c2",))]
    assert world.sources()["c1"] == FIXED


async def test_a_failure_below_that_reads_what_the_version_made_takes_it_back(world):
    await healed_once(world, "assert a == 1")
    (world.folder / "row.txt").write_text("{'a': 1, 'b': 2}")
    report = await world.run()
    assert [v.kind for v in report.versions] == ["rollback"]
    assert report.status == "healed"


async def test_trouble_further_down_that_the_first_failure_had_hidden_takes_nothing_back(world):
    world.settings.policy = "propose"
    (world.folder / "row.txt").write_text("{'b': 1}")
    world.write("row = eval(open('row.txt').read())", "a = row['a']", "a.nope")
    world.mends.sources = {"c1": FIXED}
    await world.run()
    workspace = open_notebook(world.path, world.settings)
    workspace.accept(workspace.waiting.pick()[1])
    workspace.close()
    world.settings.policy = "deploy"
    world.mends.sources["c2"] = "a.real"
    report = await world.run()
    assert [(v.kind, v.cells) for v in report.versions] == [("adapt", ("c2",))]
    assert world.sources()["c1"] == FIXED


async def test_enough_good_runs_end_the_probation(world):
    report = await healed_once(world)
    assert report.probation == (2,)
    for left in ((2,), (2,), ()):
        assert (await world.run()).probation == left
    (world.folder / "row.txt").write_text("{'c': 1}")
    world.mends.sources = {"c1": "a = row['c']"}
    report = await world.run()
    assert [(v.kind, v.number) for v in report.versions] == [("adapt", 3)]


async def test_the_policy_propose_says_how_to_take_it_back_and_does_not(world):
    await healed_once(world)
    (world.folder / "row.txt").write_text("{'a': 1}")
    world.settings.policy = "propose"
    report = await world.run()
    assert world.sources()["c1"] == FIXED
    assert "jupyter selfcode rollback" in report.warnings[0]


async def test_what_a_person_changed_since_is_not_taken_back_with_it(world):
    await healed_once(world)
    with open_bench(world.path, world.settings) as bench:
        now = bench.file.read()
        bench.engine.amend(now.__class__(now.cells[:1] + now.cells[1:], {**now.metadata, "mine": 1}), [bench.file], bench.path, "person", "a check")
    (world.folder / "row.txt").write_text("{'a': 1}")
    world.mends.sources = {}
    report = await world.run()
    assert world.sources()["c1"] == FIXED
    assert report.versions == ()


# ---- the breaker ---------------------------------------------------------------------------------------------------


async def test_after_some_vain_attempts_in_a_row_no_model_is_asked_and_it_is_said(world):
    world.settings.cool_down_seconds = 0
    world.mends.price = 1.0
    for night in range(4):
        world.write("x = 1", f"x.nope_{night}")
        report = await world.run()
        assert report.status == "failed"
    assert len(world.mends.asked) == 3
    assert any("3 changes in a row came to nothing, so no model is asked" in line for line in said(world))


async def test_free_rules_go_on_where_no_model_is_asked(world):
    world.settings.breaker = 1
    world.settings.cool_down_seconds = 0
    for night in range(2):
        world.write("x = 1", f"x.nope_{night}")
        await world.run()
    assert len(world.mends.asked) == 2


async def test_a_run_that_goes_well_closes_the_breaker(world):
    world.settings.breaker = 1
    world.mends.price = 1.0
    world.write("x = 1", "x.nope")
    await world.run()
    world.write("x = 1")
    assert (await world.run()).status == "ok"
    world.write("x = 1", "x.nada")
    await world.run()
    assert len(world.mends.asked) == 2


# ---- libraries -----------------------------------------------------------------------------------------------------


async def test_a_library_that_is_another_one_than_in_the_last_good_run_is_told_with_the_failure_and_to_the_model(world):
    (world.folder / "lib.py").write_text("__version__ = '1.0'\ndef f(): return 1")
    read = "import types, sys\nlib = types.ModuleType('lib')\nexec(open('lib.py').read(), vars(lib))\nsys.modules['lib'] = lib"
    world.write("x = 1", "x.nope")
    world.mends.sources = {"c1": "x.real"}
    await world.run()  # there is a history from here on
    world.write(read, "import lib\nlib.f()")
    assert (await world.run()).status == "ok"
    (world.folder / "lib.py").write_text("__version__ = '2.0'")
    report = await world.run()
    assert report.since[0].startswith("lib was 1.0 when this notebook last ran well")
    assert "and is 2.0 now." in report.failures[0].reason
    assert world.mends.asked[-1].request.since == report.since


# ---- watching ------------------------------------------------------------------------------------------------------

READ = "import pandas as pd\ndf = pd.read_csv('d.csv')"


def watch(world):
    Watching(SqlStore(beside(world.folder)), world.path.name).turn(True)


def data(world, **columns):
    pd.DataFrame(columns).to_csv(world.folder / "d.csv", index=False)


async def test_drift_without_a_failure_is_a_notice_told_once_and_changes_nothing(world):
    world.write(READ, "total = df.a.sum()")
    before = world.path.read_bytes()
    watch(world)
    data(world, a=range(100))
    assert (await world.run()).notices == ()
    data(world, a=[v * 1000 for v in range(100)])
    report = await world.run()
    assert (report.status, report.exit_code) == ("ok", 0)
    assert "The distribution of df['a'] has shifted" in report.notices[0]
    assert (await world.run()).notices == (), "told once"
    data(world, a=[v * 1000 for v in range(100)], b=1)
    assert (await world.run()).notices == ("df has the new column b.",)
    assert world.path.read_bytes() == before
    assert world.mends.asked == []


async def test_drift_is_told_with_the_failure_and_to_the_model(world):
    world.write(READ, "total = df.a.sum()", "df = None")
    watch(world)
    data(world, a=range(100))
    world.write(READ, "total = df.a.sum()")
    await world.run()
    data(world, b=range(100))
    report = await world.run()
    assert report.since == ("df no longer has the column a.", "df has the new column b.")
    assert "df no longer has the column a." in report.failures[0].reason
    assert world.mends.asked[-1].request.since == report.since


async def test_what_is_not_watched_is_not_recorded(world):
    world.write(READ, "total = df.a.sum()")
    data(world, a=range(100))
    await world.run()
    assert not beside(world.folder).exists()


async def test_turning_the_watch_on_closes_the_breaker_and_takes_a_new_record(world):
    world.settings.breaker = 1
    world.mends.price = 1.0
    world.write("x = 1", "x.nope")
    await world.run()
    watch(world)
    world.write("x = 1", "x.nada")
    await world.run()
    assert len(world.mends.asked) == 2


# ---- what functions gave ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("record", "long"), [(True, 0.0), (False, 0.0), (True, 1e9)])
async def test_a_good_run_keeps_what_functions_gave_where_there_is_a_history(world, record, long, monkeypatch):
    monkeypatch.setattr(rails, "LONG", long)
    world.settings.record = record
    world.write("def parse(text: str) -> int:\n    return int(text)", "texts = ['12', '7']", "amounts = [parse(t) for t in texts]")
    report = await world.run()
    assert report.status == "ok"
    assert not (world.folder / ".selfcode").exists()
    kept = ledger(world).store
    kept.put_note(world.path.name, "lesson", "0", "keep it short")  # there is a history now
    report = await world.run()
    assert report.warnings == ()
    notes = kept.notes(world.path.name, SEEN)
    assert notes.keys() == ({"parse"} if record and not long else set())
    assert not notes or [gave for _, gave in json.loads(notes["parse"])] == ["12", "7"]
