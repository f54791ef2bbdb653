"""Calls are read off the names that a run leaves, and only where both sides are still what they were."""

from __future__ import annotations

import json

import pytest

from jupyter_selfcode.analysis.extension import read_calls
from jupyter_selfcode.analysis.kept_calls import reading
from jupyter_selfcode.analysis.rereading import CALLS
from jupyter_selfcode.plugins.sandboxes.scripted import ScriptedSandbox
from jupyter_selfcode.protocols import Limits
from jupyter_selfcode.values.notebook import Cell, Notebook

PARSE = "def parse(t, base=10):\n    return int(t, base)"


async def left(tmp_path, *sources: str) -> dict[str, list[tuple[object, object, object]]]:
    """By function what was read after a run: arguments by position and by name, and what was given."""
    notebook = Notebook(tuple(Cell(f"c{i}", "code", s) for i, s in enumerate(sources)))
    async with ScriptedSandbox().open(notebook, tmp_path, Limits()) as kernel:
        for cell in notebook.cells:
            result = await kernel.execute(cell)
            assert result.status == "ok", result
        code = reading(notebook)
        calls = read_calls(await kernel.evaluate(code)) if code else {}
        again = read_calls(await kernel.evaluate(code)) if code else {}
    assert calls == again
    found: dict[str, list[tuple[object, object, object]]] = {}
    for name, rows in calls.items():
        for took, gave in rows:
            _, (args, kwargs) = json.loads(took)
            found.setdefault(name, []).append((args[1], [list(k) for k in kwargs[1]], json.loads(gave)))
    return found


async def test_a_call_and_a_list_of_calls_are_read(tmp_path):
    found = await left(tmp_path, PARSE, "texts = ['12', '7']", "amounts = [parse(t) for t in texts]\neight = parse('7', base=8)\nprint(sum(amounts))")
    assert found == {"parse": [(["12"], [], 12), (["7"], [], 7), (["7"], [["base", 8]], 7)]}


@pytest.mark.parametrize(
    "below",
    [
        "texts.append('3')", "other = texts\nother.append('3')", "amounts.sort()", "def change():\n    amounts.clear()", "amounts = []",
        "exec('texts = []')", "%run other.py", "from os.path import *", "for texts in ():\n    pass", "somebody(amounts)",
        "parse = str", "def parse(t):\n    return t", "amounts[0] = 3", "del texts",
    ],
)  # fmt: skip
def test_nothing_is_read_of_what_may_be_another_by_then(below):
    cells = ["import os", PARSE, "texts = ['12', '7']", "amounts = [parse(t) for t in texts]"]
    assert reading(Notebook(tuple(Cell(f"c{i}", "code", s) for i, s in enumerate(cells))))
    assert not reading(Notebook(tuple(Cell(f"c{i}", "code", s) for i, s in enumerate([*cells, below]))))


@pytest.mark.parametrize(
    "function",
    ["def f(t):\n    return open(t).read()", "import random\ndef f(t):\n    return random.random()", "def f(t):\n    t.append(1)", "f = str", "rate = 2\nrate = 3\ndef f(t):\n    return rate"],
)
def test_nothing_is_read_of_functions_that_do_more_than_give_a_value(function):
    assert not reading(Notebook((Cell("c0", "code", function), Cell("c1", "code", "xs = [[]]\nys = [f(x) for x in xs]\nz = f(xs)"))))


async def test_what_is_large_or_no_data_is_left_out_and_the_rest_is_bounded(tmp_path):
    found = await left(tmp_path, PARSE, "texts = [str(n) for n in range(1000)]\nlong = '1' * 5000", "amounts = [parse(t) for t in texts]\nmany = parse(long, 2)")
    assert len(found["parse"]) == CALLS
    assert await left(tmp_path, "def same(t):\n    return t", "class Own:\n    pass", "own = Own()\nagain = same(own)") == {}
