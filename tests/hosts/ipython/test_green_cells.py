"""A `%%selfcode` cell that holds code runs as that code, and costs other cells nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_selfcode.analysis.marks import is_command, is_marked
from jupyter_selfcode.hosts.ipython.green import plain_lines

CODE = '%%selfcode\n"""Count.\n\n>>> n\n3\n"""\nn = 3\nn'


def transformed(source, names=()):
    return "".join(plain_lines(source.splitlines(keepends=True), names))


def test_the_last_expression_is_the_result_and_variables_live(person):
    result = person.run(CODE)
    assert result.success
    assert result.result == 3
    assert person.shell.user_ns["n"] == 3


def test_a_traceback_has_the_line_of_the_cell(person):
    person.run('%%selfcode\n"""Divide."""\nx = 1\n\nx / 0')
    assert person.extension.session.failure().line == 5
    assert "5" in person.told()


def test_magics_and_await_work_inside(person):
    assert person.run('%%selfcode\n"""Wait."""\nimport asyncio\nawait asyncio.sleep(0)\nt = %pwd\nt').success
    assert person.run("%%selfcode\n%%capture out\nprint('caught')").success
    assert person.shell.user_ns["out"].stdout == "caught\n"


def test_the_history_keeps_the_cell_as_it_was_typed(person):
    person.run(CODE)
    assert person.shell.user_ns["In"][-1] != ""
    assert person.extension.session.log[-1].source == CODE


def test_words_on_the_line_and_code_below_run_the_code(person):
    assert person.run("%%selfcode count {them} for $5\nm = 4\nm").result == 4


@given(st.text(max_size=80))
def test_any_other_cell_is_left_as_it_is(source):
    if source.lstrip().startswith("%"):
        return
    lines = source.splitlines(keepends=True)
    assert plain_lines(lines, ()) is lines


@given(
    st.text(st.characters(codec="utf-8"), max_size=60),
    st.sampled_from(["", "x = 1\nx", "import os\n", '"""w"""\nx = 2']),
)
def test_rewriting_is_pure_and_keeps_lines(words, code):
    source = f"%%selfcode {words.splitlines()[0] if words.splitlines() else ''}\n{code}"
    lines = source.splitlines(keepends=True)
    given = list(lines)
    once = plain_lines(lines, ())
    assert lines == given
    assert plain_lines(list(given), ()) == once
    if code and is_marked(source) and len(source.splitlines()) == source.count("\n") + (not source.endswith("\n")):
        assert len(once) == len(given)


def test_a_live_name_alone_is_code_and_an_unknown_one_is_words():
    assert transformed("%%selfcode\nrevenue", {"revenue"}) == "#\nrevenue"
    assert transformed("%%selfcode\nrevenue") == "get_ipython().run_cell_magic('selfcode', '', 'revenue')\n"


def test_examples_among_words_are_not_stripped_as_pasted_prompts(person):
    words = "Revenue per store, don't round.\n\n>>> len(revenue)\n2\n"
    assert (
        person.shell.transform_cell("%%selfcode\n" + words)
        == f"get_ipython().run_cell_magic('selfcode', '', {words!r})\n"
    )


def test_a_question_at_the_end_of_a_line_is_no_call_for_help():
    assert (
        transformed("%selfcode adapt why is it slow?\n")
        == "get_ipython().run_line_magic('selfcode', 'adapt why is it slow?')\n"
    )
    assert transformed("%selfcode?") == "%selfcode?"


def test_a_terminal_does_not_run_a_marked_cell_after_its_first_line(person):
    assert person.shell.check_complete("%%selfcode\nx = 1")[0] == "incomplete"


@pytest.mark.parametrize(
    ("source", "marked", "command"),
    [
        ("%%selfcode", True, False), ("\n  %%selfcode x\ny", True, False), ("%%selfcoded\n", False, False), ("%selfcode accept", False, True),
        ("# then\n%selfcode accept\n\n%selfcode history", False, True), ("%selfcode accept\nx = 1", False, False), ("", False, False),
    ],
)  # fmt: skip
def test_marked_cells_and_commands_are_told_apart(source, marked, command):
    assert (is_marked(source), is_command(source)) == (marked, command)


def test_loading_twice_and_unloading_leave_the_shell_as_it_was(bare):
    shell = bare.shell
    transformers = list(shell.input_transformers_cleanup)
    for _ in range(2):
        bare.run("%load_ext jupyter_selfcode")
    assert len(shell.input_transformers_cleanup) == len(transformers) + 1
    for _ in range(2):
        bare.run("%unload_ext jupyter_selfcode")
    assert shell.input_transformers_cleanup == transformers
    assert not any(type(c).__name__ == "SelfCode" for c in shell.configurables)
    assert not bare.run("%selfcode").success
    bare.run("%load_ext jupyter_selfcode")
    assert bare.run(CODE).result == 3


@pytest.mark.parametrize("host", ["trial", "run"])
def test_in_a_trial_cells_run_as_code_and_nothing_adapts(bare, monkeypatch, host):
    monkeypatch.setenv("JUPYTER_SELFCODE_HOST", host)
    bare.run("%load_ext jupyter_selfcode\n%config SelfCode.policy = 'deploy'")
    assert bare.run(CODE).result == 3
    bare.told()
    assert bare.run("%selfcode adapt this").success
    assert bare.told().count("\n") == 1
    assert not bare.run("%%selfcode\n1 / 0").success
    assert "Proposed" not in bare.told()
