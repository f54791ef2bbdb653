"""What is kept and told holds no secret; sources, ids and prompts are exact."""

from __future__ import annotations

from jupyter_selfcode.analysis.censoring import censored
from jupyter_selfcode.analysis.secrets import Redactor
from jupyter_selfcode.codec import from_json, to_json
from jupyter_selfcode.values.decision import Ask
from jupyter_selfcode.values.events import Asked, Decided
from jupyter_selfcode.values.notebook import Cell
from jupyter_selfcode.values.patch import InsertCell, Patch, ReplaceSource
from jupyter_selfcode.values.prompt import Message, Prompt
from jupyter_selfcode.values.request import Failure, Option, Request, Triage
from jupyter_selfcode.values.trial import Candidate, CellResult, Example, Finding, Run, Trial

SECRET = "a-value-that-nobody-may-see"
PATCH = Patch("0" * 64, (ReplaceSource("a", f"key = '{SECRET}'"), InsertCell(Cell("b", "code", SECRET), "a")))
PICTURE = "iVBORw0KGgo" + SECRET


def decided() -> Decided:
    failure = Failure("a", "KeyError", f"'{SECRET}'", f"\x1b[31mKeyError\x1b[0m: {SECRET}", 1)
    outputs = (
        {"output_type": "stream", "name": "stdout", "text": [f"it is {SECRET}\n", "end"]},
        {"output_type": "display_data", "data": {"text/plain": SECRET, "image/png": PICTURE}, "metadata": {}},
    )
    run = Run(
        (CellResult("a", "error", outputs, failure=failure),), "error", SECRET, examples=(Example("a", SECRET, SECRET, SECRET, False),)
    )
    candidate = Candidate(PATCH, f"because of {SECRET}", "llm", model="openai/x")
    trial = Trial(candidate, run, run, (Finding("runs", SECRET, "ask", "a"),), assumptions=(SECRET,))
    return Decided(
        Request(f"use {SECRET}", "exception", "a", ("a",), failure), Ask(trial, SECRET),
        Triage("code", SECRET, (Option("rules", True, SECRET),)), (trial,),
    )  # fmt: skip


def test_every_text_is_redacted_and_every_source_is_exact():
    told = censored(decided(), Redactor([SECRET]))
    text = to_json(told)
    assert text.count(SECRET) == to_json(PATCH).count(SECRET) * 2 + text.count(PICTURE)
    assert told.decision.trial.candidate.patch == PATCH
    assert told.request.failure is not None
    assert told.request.failure.traceback == "KeyError: «secret»"
    assert told.decision.trial.run.results[0].outputs[1]["data"] == {"text/plain": "«secret»", "image/png": PICTURE}


def test_what_was_one_stays_one_and_can_be_read_again():
    told = censored(decided(), Redactor([SECRET]))
    assert told.decision.trial is told.trials[0]
    assert from_json(Decided, to_json(told)) == told


def test_a_secret_that_is_one_of_our_own_words_breaks_no_value():
    value = decided()
    told = censored(value, Redactor(["exception", "stdout", "openai/x"]))
    assert (told.request.trigger, told.kind) == (value.request.trigger, value.kind)
    assert told.decision.trial.run.results[0].outputs[0]["name"] == "stdout"
    assert from_json(Decided, to_json(told)) == told


def test_a_prompt_is_told_as_it_is_sent():
    prompt = Prompt((Message("user", "key = «secret-1»\n\x1b[31m"),))
    assert censored(Asked(1, "m", 2, prompt), Redactor([SECRET])).prompt == prompt
