"""Recorded completions: what is found by words and attempt, what is not, and what a recorder writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_selfcode.plugins.models.replay import Recorder, ReplayModel, prompt_hash
from jupyter_selfcode.plugins.models.scripted import Cut, ScriptedModel
from jupyter_selfcode.protocols import Model
from jupyter_selfcode.values.errors import BadInput, ModelError
from jupyter_selfcode.values.prompt import Completion, Message, Prompt


def prompt(request: str, attempt: int = 1, wording: str = "do it") -> Prompt:
    return Prompt((Message("user", wording),), attempt, request=request)


async def whole(model: Model, given_prompt: Prompt) -> Completion:
    pieces: list[str] = []
    async for piece in model.complete(given_prompt):
        if isinstance(piece, Completion):
            assert "".join(pieces) == piece.text
            return piece
        pieces.append(piece)
    raise AssertionError("no completion")


def write(path: Path, *records: dict[str, object]) -> Path:
    path.write_text("\n".join(json.dumps(r) for r in records) + "\n", "utf-8")
    return path


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    return write(
        tmp_path / "r.jsonl",
        {"request": "plot it", "attempt": 1, "answer": "one", "kind": "recorded", "model": "m", "prompt_tokens": 7},
        {"request": "plot it", "attempt": 2, "answer": "two", "kind": "scripted", "completion_tokens": 3},
    )


async def test_an_answer_is_found_by_words_and_attempt_whatever_the_prompt_says(recorded: Path):
    model = ReplayModel(recorded)
    assert (await whole(model, prompt("plot it", 1, "old wording"))).text == "one"
    assert (await whole(model, prompt(" plot\n  it ", 1, "new wording"))).text == "one"
    assert (await whole(model, prompt("plot it", 2))).text == "two"


async def test_a_replayed_answer_costs_no_money_and_says_that_it_is_replayed(recorded: Path):
    completion = await whole(ReplayModel(recorded), prompt("plot it"))
    assert completion.cost.usd == 0.0
    assert completion.cost.prompt_tokens == 7
    assert completion.cost.replayed
    assert completion.model == "m (replayed)"
    assert (await whole(ReplayModel(recorded), prompt("plot it", 2))).model == "written by hand"


async def test_another_request_is_refused_with_the_requests_that_the_file_answers(recorded: Path):
    with pytest.raises(ModelError, match="plot it") as caught:
        await whole(ReplayModel(recorded), prompt("delete it"))
    assert not caught.value.transient


async def test_another_attempt_is_refused_with_the_attempts_that_the_file_holds(recorded: Path):
    with pytest.raises(ModelError, match="attempts 1, 2"):
        await whole(ReplayModel(recorded), prompt("plot it", 3))


@pytest.mark.parametrize(
    "line", ["not json", "[1]", '{"request": "x"}', '{"request": "x", "attempt": "first", "answer": "y"}',
             '{"request": "x", "attempt": 1, "answer": 5}', '{"request": 5, "attempt": 1, "answer": "y"}']
)  # fmt: skip
def test_a_line_that_is_no_record_is_told_with_its_number(tmp_path: Path, line: str):
    file = tmp_path / "bad.jsonl"
    file.write_text('{"request": "a", "attempt": 1, "answer": "b"}\n\n' + line + "\n")
    with pytest.raises(BadInput, match="Line 3"):
        ReplayModel(file)


def test_a_file_that_is_not_there_is_bad_input(tmp_path: Path):
    with pytest.raises(BadInput, match="nowhere"):
        ReplayModel(tmp_path / "nowhere.jsonl")


async def test_what_is_recorded_is_replayed(tmp_path: Path):
    file = tmp_path / "r.jsonl"
    recorder = Recorder(ScriptedModel(["first\u2028", "second"]), file, messages=True)
    asked = prompt("do", 1)
    await whole(recorder, asked)
    await whole(recorder, prompt("do", 2))
    assert (await whole(ReplayModel(file), prompt("do", 1))).text == "first\u2028"
    assert (await whole(ReplayModel(file), prompt("do", 2))).text == "second"
    record = json.loads(file.read_text("utf-8").split("\n")[0])
    assert record["prompt_hash"] == prompt_hash(asked)
    assert record["messages"] == [{"role": "user", "content": "do it"}]


async def test_half_an_answer_is_not_recorded(tmp_path: Path):
    file = tmp_path / "r.jsonl"
    with pytest.raises(ModelError):
        await whole(Recorder(ScriptedModel([Cut("half")]), file), prompt("do"))
    assert not file.exists()


@given(st.text(), st.text(), st.integers(1, 9))
def test_every_recorded_answer_comes_back(
    tmp_path_factory: pytest.TempPathFactory, words: str, answer: str, attempt: int
):
    import asyncio

    try:
        (words + answer).encode()
    except UnicodeEncodeError:
        return
    file = tmp_path_factory.mktemp("r") / "r.jsonl"
    asyncio.run(whole(Recorder(ScriptedModel([answer]), file), prompt(words, attempt)))
    assert asyncio.run(whole(ReplayModel(file), prompt(words, attempt))).text == answer
