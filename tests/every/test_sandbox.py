"""One suite for every sandbox: what a trial means does not depend on where it ran."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from jupyter_selfcode.analysis.contract import examples_of, judge_examples, probe
from jupyter_selfcode.analysis.variables import PROBE, read_variables
from jupyter_selfcode.plugins.sandboxes.contained import ContainedSandbox
from jupyter_selfcode.plugins.sandboxes.forked import ForkedSandbox
from jupyter_selfcode.plugins.sandboxes.scripted import ScriptedSandbox
from jupyter_selfcode.plugins.sandboxes.tiers import PROMISES
from jupyter_selfcode.protocols import Limits, Sandbox
from jupyter_selfcode.values.notebook import Cell, Notebook

CONTRACT = '''%%selfcode
"""A list of squares.

>>> squares[:3]
[0, 1, 4]
>>> len(squares)
7
"""
squares = [n * n for n in range(10)]'''


class InCopies(ForkedSandbox):
    """Every cell counts as changed, so all run in a copy as far as a copy serves."""

    def __init__(self):
        super().__init__(ContainedSandbox())

    @contextlib.asynccontextmanager
    async def open(self, notebook, folder, limits):
        try:
            async with super().open_from(Notebook(), notebook, folder, limits) as kernel:
                yield kernel
        finally:
            await self.aclose()


@pytest.fixture(params=[ContainedSandbox, ScriptedSandbox, InCopies], ids=lambda kind: kind.__name__)
def sandbox(request):
    return request.param()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data.csv").write_text("a,b\n1,2\n")
    (tmp_path / "mine.py").write_text("ANSWER = 42\n")
    return tmp_path


def cell(source, name="c", **metadata):
    return Cell(name, "code", source, metadata)


def test_a_sandbox_has_a_name_and_a_promise(sandbox):
    assert isinstance(sandbox, Sandbox)
    assert sandbox.name
    assert "\n" not in sandbox.promise
    assert sandbox.promise in PROMISES.values() or "rights" in sandbox.promise
    assert sandbox.tier in PROMISES


async def test_cells_share_their_names_and_give_streams_and_values(sandbox, folder):
    async with sandbox.open(Notebook(), folder, Limits()) as kernel:
        first = await kernel.execute(cell("x = 20\nprint('hello')", "one"))
        second = await kernel.execute(cell("x + 1", "two"))
        quiet = await kernel.execute(cell("x + 1;", "three"))
    assert (first.cell_id, first.status, first.execution_count, first.failure) == ("one", "ok", 1, None)
    assert first.outputs == ({"output_type": "stream", "name": "stdout", "text": "hello\n"},)
    assert second.outputs == (
        {"output_type": "execute_result", "metadata": {}, "data": {"text/plain": "21"}, "execution_count": 2},
    )
    assert (quiet.status, quiet.outputs) == ("ok", ())
    assert (kernel.state, kernel.detail) == ("complete", "")


async def test_an_exception_is_a_result_that_names_the_innermost_line_of_the_cell(sandbox, folder):
    async with sandbox.open(Notebook(), folder, Limits()) as kernel:
        await kernel.execute(cell("import json\ndef read(text):\n    return json.loads(text)", "above"))
        result = await kernel.execute(cell("def outer():\n    n = 1\n    return read('{') + n\n\nouter()", "c"))
        after = await kernel.execute(cell("'alive'", "d"))
    assert result.status == "error"
    assert result.failure.ename == "JSONDecodeError"
    assert result.failure.evalue.startswith("Expecting property name")
    assert result.failure.line == 3
    assert "JSONDecodeError" in result.failure.traceback
    assert "\x1b" not in result.failure.traceback + result.failure.evalue
    assert result.outputs[-1]["output_type"] == "error"
    assert after.status == "ok"
    assert kernel.state == "complete"


async def test_a_syntax_error_names_its_line(sandbox, folder):
    async with sandbox.open(Notebook(), folder, Limits()) as kernel:
        result = await kernel.execute(cell("x = 1\ny = = 2"))
    assert (result.status, result.failure.ename, result.failure.line) == ("error", "SyntaxError", 2)


async def test_sys_exit_is_an_error_and_never_a_pass(sandbox, folder):
    async with sandbox.open(Notebook(), folder, Limits()) as kernel:
        result = await kernel.execute(cell("import sys\nsys.exit(0)"))
    assert (result.status, result.failure.ename) == ("error", "SystemExit")


async def test_asking_for_keyboard_input_stops_the_run_and_says_why(sandbox, folder):
    async with sandbox.open(Notebook(), folder, Limits()) as kernel:
        result = await kernel.execute(cell("name = input('who? ')"))
        after = await kernel.execute(cell("1"))
    assert (result.status, result.failure.ename) == ("stopped", "StdinNotImplementedError")
    assert kernel.state == "stdin"
    assert "keyboard input" in kernel.detail
    assert kernel.detail == result.failure.evalue
    assert after.status == "stopped"


async def test_a_cell_that_may_raise_may_ask_for_input_too(sandbox, folder):
    async with sandbox.open(Notebook(), folder, Limits()) as kernel:
        result = await kernel.execute(cell("input()", tags=["raises-exception"]))
    assert (result.status, kernel.state) == ("error", "complete")


async def test_the_code_of_a_selfcode_cell_runs_and_line_numbers_are_kept(sandbox, folder):
    async with sandbox.open(Notebook(), folder, Limits()) as kernel:
        ran = await kernel.execute(cell('%%selfcode\n"""Words."""\nx = 7\nx', "a"))
        failed = await kernel.execute(cell("%%selfcode count things\n\n1 / 0", "b"))
    assert ran.outputs[0]["data"]["text/plain"] == "7"
    assert failed.failure.line == 3


async def test_files_are_there_and_what_is_written_stays_in_the_copy(sandbox, folder):
    here = Path.cwd()
    async with sandbox.open(Notebook(), folder, Limits()) as kernel:
        read = await kernel.execute(cell("open('data.csv').read()"))
        wrote = await kernel.execute(
            cell("open('data.csv', 'w').write('gone')\nopen('new.txt', 'w').write('new')\nopen('data.csv').read()")
        )
        module = await kernel.execute(cell("exec(open('mine.py').read())\nANSWER"))
    assert "1,2" in read.outputs[0]["data"]["text/plain"]
    assert wrote.outputs[-1]["data"]["text/plain"] == "'gone'"
    assert module.outputs[0]["data"]["text/plain"] == "42"
    assert (folder / "data.csv").read_text() == "a,b\n1,2\n"
    assert sorted(p.name for p in folder.iterdir()) == ["data.csv", "mine.py"]
    assert Path.cwd() == here


async def test_evaluate_gives_the_json_object_that_was_replied(sandbox, folder):
    async with sandbox.open(Notebook(), folder, Limits()) as kernel:
        await kernel.execute(cell("total = 6"))
        assert await kernel.evaluate("_selfcode_reply({'got': [total * 7, None, 'é']})") == {"got": [42, None, "é"]}
        assert await kernel.evaluate("print('loud')\n_selfcode_reply({'ok': True})") == {"ok": True}


async def test_evaluate_gives_nothing_where_it_failed_and_the_kernel_is_well(sandbox, folder):
    failing = (
        "1 / 0", "this is no code", "pass", "_selfcode_reply(object())", "_selfcode_reply([1])",
        "_selfcode_reply({'big': 'x' * 2_000_000})", "_selfcode_reply({}); raise SystemExit",
    )  # fmt: skip
    async with sandbox.open(Notebook(), folder, Limits()) as kernel:
        assert [await kernel.evaluate(code) for code in failing] == [{}] * len(failing)
        assert await kernel.evaluate("_selfcode_reply({'well': 1})") == {"well": 1}


async def test_evaluate_leaves_no_trace(sandbox, folder):
    look = "print(sorted(n for n in globals() if not n.startswith('_i')), _ if '_' in globals() else None)"
    async with sandbox.open(Notebook(), folder, Limits()) as kernel:
        await kernel.execute(cell("5 + 5"))
        before = await kernel.execute(cell(look))
        await kernel.evaluate("import json\nx = 5\ny = x + 1\ny\n_selfcode_reply({'y': y})")
        await kernel.evaluate("leak = 1\n1 / 0")
        after = await kernel.execute(cell(look))
    assert before.outputs == after.outputs
    assert after.execution_count == before.execution_count + 1


async def test_the_examples_of_a_contract_are_run_and_judged_outside(sandbox, folder):
    examples = examples_of(CONTRACT)
    async with sandbox.open(Notebook(), folder, Limits()) as kernel:
        assert (await kernel.execute(cell(CONTRACT))).status == "ok"
        judged = judge_examples("c", examples, await kernel.evaluate(probe(examples)))
    assert [e.passed for e in judged] == [True, False]
    assert judged[1].got.strip() == "10"


async def test_variables_are_reported_without_their_values(sandbox, folder):
    async with sandbox.open(Notebook(), folder, Limits()) as kernel:
        await kernel.execute(cell("secret = 'swordfish'\nnumbers = [1, 2, 3]"))
        found = read_variables(await kernel.evaluate(PROBE))
    assert {v.name for v in found} == {"secret", "numbers"}
    assert "swordfish" not in str(found)


async def test_words_without_code_run_as_nothing(sandbox, folder):
    async with sandbox.open(Notebook(), folder, Limits()) as kernel:
        result = await kernel.execute(cell("%%selfcode\nLoad every file and add them up."))
    assert (result.status, result.outputs, result.failure) == ("ok", (), None)


async def test_what_changed_in_the_folder_is_known_and_the_real_one_is_as_it_was(sandbox, folder):
    async with sandbox.open(Notebook(), folder, Limits()) as kernel:
        await kernel.execute(cell("import os\nopen('new.txt', 'w').write('n')\nos.remove('mine.py')\nopen('data.csv', 'a').write('3,4')"))
        effects, unseen = await kernel.effects()
    assert {(e.kind, e.what) for e in effects} == {("creates", "new.txt"), ("deletes", "mine.py"), ("changes", "data.csv")}
    assert unseen == 0
    assert sorted(p.name for p in folder.iterdir()) == ["data.csv", "mine.py"]
