"""A trip in terminal IPython, typed by a person at a pseudo-terminal."""

from __future__ import annotations

import json
import os
import re
import sys

import pexpect
import pytest

pytestmark = pytest.mark.timeout(240)
WORDS = "Don't use {braces}: twice $n, 100 %."
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\r")


@pytest.fixture
def terminal(tmp_path):
    """IPython at work in a folder, with an answer of the model on file."""
    answer = 'This does it.\n<cell id="in-5" action="replace">\ndouble = 2 * n\ndouble\n</cell>\n'
    (tmp_path / "answers.jsonl").write_text(
        json.dumps({"request": WORDS, "attempt": 1, "answer": answer, "kind": "scripted"}) + "\n"
    )
    child = pexpect.spawn(
        sys.executable,
        ["-m", "IPython", "--simple-prompt", "--no-banner", "--no-confirm-exit", "--colors=NoColor", "--HistoryManager.enabled=False"],
        cwd=str(tmp_path), encoding="utf-8", timeout=60, dimensions=(60, 100), env={**os.environ, "TERM": "xterm"},
    )  # fmt: skip
    child.expect_exact("In [1]: ")
    yield child
    child.close(force=True)


def type_in(child, line, number):
    """Type one input and wait for the next prompt; what was shown, without colours."""
    for part in line.split("\n"):
        child.sendline(part)
    if "\n" in line or line.startswith("%%"):
        child.sendline("")
        child.sendline("")
    child.expect_exact(f"In [{number}]: ")
    return ANSI.sub("", child.before)


def test_words_at_the_prompt_become_code_at_the_next_prompt(terminal):
    type_in(terminal, "%load_ext jupyter_selfcode", 2)
    type_in(terminal, "%config SelfCode.model = 'replay:answers.jsonl'", 3)
    type_in(terminal, "%config SelfCode.proposers = ['llm']", 4)
    type_in(terminal, "n = 21", 5)
    shown = type_in(terminal, f"%%selfcode\n{WORDS}", 6)
    assert "Proposed: 1 cell would change" in shown
    assert "+ double = 2 * n" in shown
    assert "{braces}" in shown
    assert "%selfcode accept" in shown
    accepted = type_in(terminal, "%selfcode accept", 7)
    assert "Deployed" in accepted
    assert "42" in accepted
    assert "stands at the next prompt" in accepted
    assert "42" in type_in(terminal, "double", 8)
    assert "double = 2 * n" in type_in(terminal, "%selfcode history --graph", 9) + type_in(
        terminal, "%selfcode show", 10
    )
    refused = type_in(terminal, "%selfcode accept", 11)
    assert "selfcode: Nothing waits for a decision." in refused
    assert "Traceback" not in refused


def test_a_kept_cell_of_several_lines_can_be_typed(terminal):
    type_in(terminal, "%load_ext jupyter_selfcode", 2)
    assert "7" in type_in(terminal, '%%selfcode\n"""Seven."""\nseven = 7\nseven', 3)
