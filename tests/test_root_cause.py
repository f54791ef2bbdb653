"""An error whose cause is in another cell is mended there, tried from the top, and only what depends on it runs again."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import replace

import pytest

from jupyter_selfcode.plugins.checks.fake_fixes import FakeFixCheck
from jupyter_selfcode.plugins.formats.cells import CellsFormat
from jupyter_selfcode.plugins.models.scripted import ScriptedModel
from jupyter_selfcode.plugins.proposers.llm import LlmProposer
from jupyter_selfcode.values.events import Tried
from tests.test_headless import World

CELLS = (
    "rows = [('north', '10'), ('south', '20')]",
    "import math",
    "amounts = {name: text for name, text in rows}",  # the cause: never made a number
    "note = 'unrelated'",
    "names = sorted(amounts)",
    "shown = len(names)",
    "limit = 25",
    "kept = {n: a for n, a in amounts.items()}",
    "parts = list(kept.values())",
    '"""The sum.\n\n>>> total\n30.0\n"""\ntotal = math.fsum(parts)',
)
CURE = '\n<cell id="c2" action="replace">\namounts = {name: float(text) for name, text in rows}\n</cell>\n'
PLASTER = '\n<cell id="c9" action="replace">\ntotal = 30.0\n</cell>\n'


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def ask(world, *answers):
    model = ScriptedModel(answers, usd=0.0)
    world.mends = LlmProposer(model, CellsFormat())
    return model


async def test_the_cause_seven_cells_above_is_mended_there_and_a_run_from_the_top_agrees(world):
    world.write(*CELLS)
    model = ask(world, "Amounts are text." + CURE)
    report = await world.run()
    assert (report.status, [v.cells for v in report.versions]) == ("healed", [("c2",)])
    assert world.sources()["c9"] == CELLS[9]
    assert report.failures[0].cell_id == "c9"
    tried = next(e.trial for e in world.events if isinstance(e, Tried))
    assert tried.kind == "fresh"
    assert [r.cell_id for r in tried.run.results] == [f"c{i}" for i in range(10)]
    assert world.kernels == 2, "from the top again, with the change in place"
    assert len(model.asked) == 1


async def test_the_model_is_told_which_cells_made_what_the_failing_line_reads(world):
    world.write(*CELLS)
    model = ask(world, "Amounts are text." + CURE)
    await world.run()
    told = model.asked[0].messages[-1].content
    assert '<cell id="c8" type="code" makes="parts">' in told
    assert '<cell id="c1" type="code" makes="math">' in told
    assert re.search(r'<cell id="c9" type="code" fails="yes">', told)
    assert "the cause may be there" in told


async def test_a_result_written_down_where_it_fails_is_not_deployed(world):
    world.write(*CELLS)
    ask(world, "Write it down." + PLASTER, "Amounts are text." + CURE)
    bench = world.bench

    @contextmanager
    def guarded(source, settings):
        with bench(source, settings) as opened:
            yield replace(opened, engine=replace(opened.engine, checks=(*opened.engine.checks, FakeFixCheck())))

    report = await world.run(bench=guarded)
    assert [v.cells for v in report.versions] == [("c2",)]
    assert [t.passed for t in report.trials] == [False, True]
