"""Settings as Jupyter users expect them, which notebook metadata may only tighten."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from traitlets.config import Config

from jupyter_selfcode.config import SelfCode, load_config, plugin, plugins, settings
from jupyter_selfcode.values.decision import STRICTNESS
from jupyter_selfcode.values.errors import BadInput

numbers = st.one_of(st.none(), st.integers(-5, 10**6), st.floats(allow_nan=False), st.booleans(), st.text(max_size=3))


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "policy": st.one_of(st.sampled_from(STRICTNESS), st.text(max_size=5)),
            "budget_usd": numbers, "budget_tokens": numbers, "budget_attempts": numbers, "budget_seconds": numbers,
            "min_level": numbers, "model": st.just("openai/evil"), "api_base": st.just("http://evil"),
            "store_url": st.just("sqlite:///evil"),
        },
    ),
    st.sampled_from(STRICTNESS),
)
def test_notebook_metadata_never_loosens_a_setting(asked, policy):
    mine = SelfCode(policy=policy)
    got = mine.tightened({"jupyter_selfcode": asked})
    assert STRICTNESS.index(got.policy) <= STRICTNESS.index(mine.policy)
    assert got.budget_usd <= mine.budget_usd
    assert got.budget_tokens <= mine.budget_tokens
    assert got.budget_attempts <= mine.budget_attempts
    assert got.budget_seconds <= mine.budget_seconds
    assert got.min_level >= mine.min_level
    assert (got.model, got.api_base, got.store_url) == (mine.model, mine.api_base, mine.store_url)


def test_notebook_metadata_sets_a_limit_where_there_was_none():
    assert SelfCode(budget_usd=None).tightened({"jupyter_selfcode": {"budget_usd": 0.1}}).budget_usd == 0.1


def test_a_config_file_in_jupyters_folder_is_read(tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path))
    (tmp_path / "jupyter_selfcode_config.py").write_text("c.SelfCode.model = 'ollama/qwen'\nc.SelfCode.budget_usd = 0.5\n")
    made = settings()
    assert (made.model, made.budget_usd) == ("ollama/qwen", 0.5)


def test_what_is_given_wins_over_the_hosts_config_and_that_over_files(tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path))
    (tmp_path / "jupyter_selfcode_config.py").write_text("c.SelfCode.model = 'file'\nc.SelfCode.policy = 'report'\n")
    made = settings(Config({"SelfCode": {"model": "host", "min_level": 3}}), min_level=4)
    assert (made.policy, made.model, made.min_level) == ("report", "host", 4)


def test_a_broken_config_file_is_one_clear_line(tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path))
    (tmp_path / "jupyter_selfcode_config.py").write_text("c.SelfCode.model = \n")
    with pytest.raises(BadInput, match=r"jupyter_selfcode_config\.py cannot be read: SyntaxError"):
        load_config()


def test_a_setting_of_the_wrong_kind_is_one_clear_line():
    with pytest.raises(BadInput, match="policy") as bad:
        settings(policy="yolo")
    assert "\n" not in str(bad.value)


def test_plugins_are_listed_without_being_loaded_and_unknown_ones_are_named():
    assert {"rules", "llm"} <= set(plugins("proposers"))
    with pytest.raises(BadInput, match="no proposer named 'magic'; installed: llm, rules"):
        plugin("proposers", "magic")
