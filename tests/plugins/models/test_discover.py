"""What can be reached, told without the value of any key."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_selfcode.plugins.models.discover import discover, key_variable, ollama_address, private

NO_OLLAMA = {"OLLAMA_HOST": "127.0.0.1:9"}


def test_a_variable_that_is_set_is_told_by_its_name_only():
    found = discover(environ=NO_OLLAMA | {"ANTHROPIC_API_KEY": "value-of-the-key"})
    assert any(f.provider == "anthropic" and f.reachable and "ANTHROPIC_API_KEY" in f.how for f in found)
    assert "value-of-the-key" not in repr(found)


def test_nothing_reachable_says_what_to_set_and_how_to_start_ollama():
    found = discover(environ=NO_OLLAMA)
    assert not any(f.reachable for f in found)
    assert any("OPENAI_API_KEY" in f.how for f in found)
    assert any("ollama serve" in f.how and "127.0.0.1:9" in f.how for f in found)


def test_an_endpoint_lists_its_models(endpoint: Any):
    endpoint.will("well")
    first = discover(endpoint.base, environ=NO_OLLAMA)[0]
    assert first.reachable
    assert first.models == ("openai/one", "openai/two")


def test_an_endpoint_that_wants_a_key_says_so(endpoint: Any):
    endpoint.will("401")
    found = [f for f in discover(endpoint.base, environ=NO_OLLAMA) if f.provider == endpoint.base]
    assert not found[0].reachable
    assert "--api-key-name" in found[0].how


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/v1", "file:///etc/passwd", "nonsense"])
def test_an_address_that_does_not_answer_is_one_clear_line(address: str):
    found = [f for f in discover(address, environ=NO_OLLAMA) if f.provider == address]
    assert not found[0].reachable
    assert "--api-base" in found[0].how


def test_ollama_is_looked_for_where_it_listens():
    assert ollama_address({}) == "http://127.0.0.1:11434"
    assert ollama_address({"OLLAMA_HOST": "0.0.0.0"}) == "http://127.0.0.1:11434"
    assert ollama_address({"OLLAMA_HOST": "box:1234"}) == "http://box:1234"
    assert ollama_address({"OLLAMA_HOST": "https://ollama.example.com"}) == "https://ollama.example.com"


def test_private_addresses_are_told_from_public_ones():
    assert all(
        map(private, ["http://localhost:1/v1", "http://10.0.0.3/v1", "http://[::1]:8/v1", "http://gpu-box:8000"])
    )
    assert not any(map(private, ["https://api.openai.com/v1", "http://8.8.8.8/v1"]))


def test_the_usual_variable_of_a_model_is_known():
    assert key_variable("gpt-4o") == "OPENAI_API_KEY"
    assert key_variable("claude-sonnet-4-5") == "ANTHROPIC_API_KEY"
    assert key_variable("gemini/gemini-2.5-pro") == "GEMINI_API_KEY"
    assert key_variable("ollama_chat/llama3.2") is None
