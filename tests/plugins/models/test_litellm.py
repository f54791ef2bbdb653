"""The real litellm in its side process, against an endpoint on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from jupyter_selfcode.plugins.models.litellm import SIDE, LitellmModel
from jupyter_selfcode.plugins.models.prices import price_of
from jupyter_selfcode.values.errors import ModelError
from jupyter_selfcode.values.prompt import Completion, Message, Prompt

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(120),
]

KEY = "sk-proj-Zx81harmlessbutlooksreal77Qq"
PROMPT = Prompt((Message("system", "s"), Message("user", "mend it")), max_tokens=50, request="mend it")


def side_processes() -> list[int]:
    """Process ids of our side processes that still run (zombies aside)."""
    found = []
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if folder.name.isdigit() and {str(SIDE), str(os.getpid())} <= set(
                (folder / "cmdline").read_text().split("\0")
            ):
                found.append(int(folder.name))
    return found


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def model(endpoint: Any) -> AsyncIterator[LitellmModel]:
    os.environ["SELFCODE_TEST_KEY"] = KEY
    made = LitellmModel("openai/some-model", endpoint.base, "SELFCODE_TEST_KEY", silence_seconds=30)
    yield made
    await made.aclose()
    del os.environ["SELFCODE_TEST_KEY"]


async def ask(model: LitellmModel, prompt: Prompt = PROMPT) -> tuple[list[str], Completion]:
    pieces: list[str] = []
    async for piece in model.complete(prompt):
        if isinstance(piece, Completion):
            return pieces, piece
        pieces.append(piece)
    raise AssertionError("no completion")


async def refusal(model: LitellmModel, prompt: Prompt = PROMPT) -> ModelError:
    with pytest.raises(ModelError) as caught:
        await ask(model, prompt)
    assert "\n" not in str(caught.value)
    assert KEY not in str(caught.value)
    assert KEY not in repr(caught.value.__cause__)
    return caught.value


async def test_an_answer_streams_in_pieces_with_the_usage_that_the_provider_reports(endpoint: Any, model: LitellmModel):
    endpoint.will("well")
    pieces, completion = await ask(model)
    assert len(pieces) > 3
    assert "".join(pieces) == completion.text
    assert completion.text.endswith("x = 1\n")
    assert (completion.cost.prompt_tokens, completion.cost.completion_tokens) == (11, 22)
    assert not completion.cost.estimated
    assert completion.cost.usd == 0.0  # a server of one's own
    assert completion.finish_reason == "stop"


async def test_the_key_is_sent_to_the_endpoint_and_is_read_by_the_name_of_its_variable(
    endpoint: Any, model: LitellmModel
):
    endpoint.will("well")
    await ask(model)
    assert endpoint.keys == [f"Bearer {KEY}"]
    assert KEY not in repr(vars(model))


async def test_one_side_process_serves_several_calls_and_closing_ends_it(endpoint: Any, model: LitellmModel):
    endpoint.will("well")
    await ask(model)
    first = side_processes()
    await ask(model)
    assert side_processes() == first
    assert len(first) == 1
    await model.aclose()
    assert side_processes() == []


async def test_tokens_are_estimated_and_marked_where_the_provider_reports_none(endpoint: Any, model: LitellmModel):
    endpoint.will("uncounted")
    _, completion = await ask(model)
    assert completion.cost.estimated
    assert completion.cost.completion_tokens > 0


async def test_a_refused_key_is_told_with_the_name_of_its_variable_only(endpoint: Any, model: LitellmModel):
    endpoint.will("401")
    error = await refusal(model)
    assert "401" in str(error)
    assert "SELFCODE_TEST_KEY" in str(error)
    assert not error.transient


async def test_too_many_requests_is_transient_and_says_how_long_to_wait(endpoint: Any, model: LitellmModel):
    endpoint.will("429", "well")
    error = await refusal(model)
    assert error.transient
    assert error.retry_after == 7
    assert error.cost.calls == 0
    assert len(endpoint.requests) == 1  # no hidden retries: they would pass the budget
    _, completion = await ask(model)
    assert completion.text


async def test_a_server_error_is_transient_and_its_text_holds_no_key(endpoint: Any, model: LitellmModel):
    endpoint.will("500")
    error = await refusal(model)
    assert error.transient
    assert "500" in str(error)
    assert "it broke" in str(error)


async def test_an_unknown_model_is_told(endpoint: Any, model: LitellmModel):
    endpoint.will("404")
    error = await refusal(model)
    assert "404" in str(error)
    assert not error.transient


@pytest.mark.parametrize("how", ["half", "broken"])
async def test_half_a_stream_is_never_taken_for_an_answer_and_is_paid_for(endpoint: Any, model: LitellmModel, how: str):
    endpoint.will(how)
    error = await refusal(model)
    assert error.transient
    assert "middle of an answer" in str(error)
    assert error.cost.calls == 1
    assert error.cost.completion_tokens > 0
    assert error.cost.estimated


async def test_an_answer_that_reached_its_limit_says_so(endpoint: Any, model: LitellmModel):
    endpoint.will("long")
    _, completion = await ask(model)
    assert completion.finish_reason == "length"


async def test_nothing_is_an_empty_answer(endpoint: Any, model: LitellmModel):
    endpoint.will("nothing")
    pieces, completion = await ask(model)
    assert pieces == []
    assert completion.text == ""


async def test_nonsense_is_one_clear_line(endpoint: Any, model: LitellmModel):
    endpoint.will("nonsense")
    assert "sent no answer as a model does" in str(await refusal(model))


async def test_a_model_that_never_answers_is_stopped_by_the_budgets_time(endpoint: Any, model: LitellmModel):
    endpoint.will("never")
    error = await refusal(model, Prompt(PROMPT.messages, seconds=5.0))
    assert "5 s" in str(error)
    assert not error.transient
    assert side_processes() == []


async def test_silence_is_told_as_transient(endpoint: Any):
    endpoint.will("never")
    impatient = LitellmModel("openai/some-model", endpoint.base, silence_seconds=6.0)
    error = await refusal(impatient)
    assert error.transient
    assert side_processes() == []


async def test_cancelling_a_call_leaves_no_process(endpoint: Any, model: LitellmModel):
    endpoint.will("never")
    task = asyncio.create_task(ask(model))
    while not endpoint.requests:
        await asyncio.sleep(0.05)
    assert len(side_processes()) == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert side_processes() == []


async def test_leaving_a_stream_early_leaves_no_process(endpoint: Any, model: LitellmModel):
    endpoint.will("well")
    async with contextlib.aclosing(model.complete(PROMPT)) as pieces:
        async for _ in pieces:
            break
    assert side_processes() == []


async def test_a_refused_connection_is_transient():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    lonely = LitellmModel("openai/some-model", f"http://127.0.0.1:{port}/v1")
    error = await refusal(lonely)
    await lonely.aclose()
    assert error.transient
    assert "cannot be reached" in str(error)


async def test_a_variable_that_is_not_set_is_told_before_anything_is_sent(endpoint: Any):
    endpoint.will("well")
    nameless = LitellmModel("openai/some-model", endpoint.base, "SELFCODE_NOT_SET")
    error = await refusal(nameless)
    await nameless.aclose()
    assert "SELFCODE_NOT_SET" in str(error)
    assert endpoint.requests == []


async def test_the_side_process_dies_with_its_parent(endpoint: Any):
    endpoint.will("never")
    program = f"""
        import asyncio
        from jupyter_selfcode.plugins.models.litellm import LitellmModel
        from jupyter_selfcode.values.prompt import Message, Prompt
        async def main():
            async for _ in LitellmModel("openai/m", {endpoint.base!r}).complete(Prompt((Message("user", "x"),))):
                pass
        asyncio.run(main())
    """
    parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)])
    while not endpoint.requests:
        assert parent.poll() is None
        await asyncio.sleep(0.05)
    [side] = [
        int(p.name)
        for p in Path("/proc").iterdir()
        if p.name.isdigit()
        and (p / "cmdline").read_bytes().split(b"\0")[2:4] == [str(SIDE).encode(), str(parent.pid).encode()]
    ]
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    while Path(f"/proc/{side}").exists() and "\nState:\tZ" not in Path(f"/proc/{side}/status").read_text():
        await asyncio.sleep(0.05)


async def test_the_kernel_never_imports_litellm():
    program = (
        "import sys; from jupyter_selfcode.plugins.models.litellm import LitellmModel; "
        "from jupyter_selfcode.values.prompt import *; "
        "cost = LitellmModel('gpt-4o').estimate(Prompt((Message('user', 'x' * 350),), max_tokens=1000)); "
        "assert cost.usd > 0.01; assert cost.tokens >= 1100; "
        "assert not [m for m in sys.modules if m.split('.')[0] in ('litellm', 'openai', 'httpx', 'pydantic')]"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


async def test_an_unknown_price_is_not_zero_and_a_server_of_ones_own_is():
    prompt = Prompt((Message("user", "x"),))
    assert LitellmModel("openai/no-such-model-at-all").estimate(prompt).usd is None
    assert LitellmModel("openai/no-such-model-at-all", "http://192.168.1.5:8000/v1").estimate(prompt).usd == 0.0
    assert LitellmModel("ollama_chat/llama3.2").estimate(prompt).usd == 0.0
    assert LitellmModel("openai/no-such-model-at-all", "https://gateway.example.com/v1").estimate(prompt).usd is None


async def test_long_prompts_are_priced_at_the_dearer_rate():
    short, long = price_of("gemini/gemini-2.5-pro", tokens=1000), price_of("gemini/gemini-2.5-pro", tokens=300_000)
    assert short is not None
    assert long is not None
    assert long.prompt > short.prompt


@pytest.mark.parametrize("words", [["doctor"], ["history", "nb.ipynb"], ["run", "nb.ipynb"], ["model", "openai/x"]])
async def test_no_word_of_the_command_line_imports_litellm_into_its_own_process(words: list[str], tmp_path: Path):
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": "1", "outputs": [], "execution_count": None}
    notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (tmp_path / "nb.ipynb").write_text(json.dumps(notebook))
    program = (
        "import sys; from jupyter_selfcode.hosts.cli.main import main; "
        f"assert main([*{words!r}, '--model', 'openai/x']) in (0, 21); "
        "bad = [m for m in sys.modules if m.split('.')[0] in ('litellm', 'openai', 'httpx')]; assert not bad, bad"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


async def test_the_side_process_is_given_no_telemetry_no_foreign_price_list_and_no_proxy_for_this_machine():
    given = LitellmModel("ollama_chat/x")._environment(
        {"LITELLM_LOG": "DEBUG", "LITELLM_MODEL_COST_MAP_URL": "http://evil", "HTTP_PROXY": "http://proxy", "no_proxy": "a"}
    )
    assert given["LITELLM_LOCAL_MODEL_COST_MAP"] == "True"
    assert not {"LITELLM_LOG", "LITELLM_MODEL_COST_MAP_URL"} & set(given)
    assert given["no_proxy"] == "a,localhost,127.0.0.1,::1"
    assert "litellm.proxy" not in SIDE.read_text("utf-8")
