"""Settings as Jupyter users expect them, which notebook metadata may only tighten."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from traitlets.config import Config

from jupyter_selfcode.config import SelfCode, load_config, plugin, plugins, settings
from jupyter_selfcode.values.decision import STRICTNESS
from jupyter_selfcode.values.errors import BadInput
from jupyter_selfcode.values.request import LEVELS

numbers = st.one_of(st.none(), st.integers(-5, 10**6), st.floats(allow_nan=False), st.booleans(), st.text(max_size=3))


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "policy": st.one_of(st.sampled_from(STRICTNESS), st.text(max_size=5)),
            "budget_usd": numbers, "budget_tokens": numbers, "budget_attempts": numbers, "budget_seconds": numbers,
            "min_level": numbers, "min_strength": numbers, "model": st.just("openai/evil"), "api_base": st.just("http://evil"),
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
    assert mine.min_strength <= got.min_strength <= 1
    assert (got.model, got.api_base, got.store_url) == (mine.model, mine.api_base, mine.store_url)


def test_notebook_metadata_sets_a_limit_where_there_was_none():
    assert SelfCode(budget_usd=None).tightened({"jupyter_selfcode": {"budget_usd": 0.1}}).budget_usd == 0.1


@pytest.mark.parametrize(
    ("model", "api_base", "level"),
    [
        ("openai/gpt-4o", "", "summary"), ("", "", "summary"), ("replay:x.jsonl", "", "summary"),
        ("ollama_chat/qwen", "", "full"), ("ollama/gpt-oss:120b-cloud", "", "summary"), ("ollama/q", "http://10.0.0.2:11434", "summary"),
        ("openai/x", "http://127.0.0.1:8000/v1", "full"), ("openai/x", "http://localhost.evil.example/v1", "summary"),
        ("openai/x", "http://[::1]:8000", "full"), ("openai/x", "http://127.0.0.1@evil.example", "summary"),
        ("hosted_vllm/x", "", "summary"), ("llamafile/x", "", "full"),
    ],
)  # fmt: skip
def test_all_is_told_to_a_model_on_this_machine_and_a_summary_to_any_other(model, api_base, level, monkeypatch):
    for name in ("OLLAMA_API_BASE", "LLAMAFILE_API_BASE", "HOSTED_VLLM_API_BASE"):
        monkeypatch.delenv(name, raising=False)
    assert SelfCode(model=model, api_base=api_base).level() == level
    assert SelfCode(model=model, api_base=api_base, context_level="schema").level() == "schema"


def test_an_ollama_that_a_variable_puts_elsewhere_is_not_on_this_machine(monkeypatch):
    monkeypatch.setenv("OLLAMA_API_BASE", "http://gpu.example.com:11434")
    assert SelfCode(model="ollama_chat/qwen").level() == "summary"


@given(st.sampled_from(("auto", *LEVELS)), st.one_of(st.sampled_from(("auto", *LEVELS)), st.text(), st.none(), st.integers()))
def test_notebook_metadata_only_lowers_how_much_leaves_whatever_model_is_named_later(mine, asked):
    made = SelfCode(context_level=mine)
    got = made.tightened({"jupyter_selfcode": {"context_level": asked}})
    for model in ("openai/x", "ollama_chat/qwen", "llamafile/x"):
        made.model = got.model = model
        assert LEVELS.index(got.level()) <= LEVELS.index(made.level())
        if asked in LEVELS:
            assert LEVELS.index(got.level()) <= LEVELS.index(asked)


def test_what_was_tightened_once_stays_so():
    once = SelfCode(model="ollama_chat/qwen").tightened({"jupyter_selfcode": {"context_level": "schema"}})
    assert once.tightened({}).level() == "schema"


@pytest.mark.parametrize("name", ["model", "api_base", "api_key_name", "store_url", "proposers", "masked_columns", "sandbox", "highest_level"])
def test_notebook_metadata_chooses_no_model_no_address_and_no_key(name):
    got = SelfCode().tightened({"jupyter_selfcode": {name: "C" if name == "sandbox" else "evil"}})
    assert getattr(got, name) == getattr(SelfCode(), name)


@pytest.mark.parametrize("key", ["sk-proj-abcDEF123456ghiJKL7890mnoPQR", "AKIAIOSFODNN7EXAMPLE", "hf_abcdefghijklmnopqrstuvwxyzABCDEFGH"])
def test_a_key_in_the_place_of_its_variables_name_is_refused_and_not_repeated(key):
    with pytest.raises(BadInput, match="NAME of the environment variable") as refused:
        settings(api_key_name=key)
    assert key not in str(refused.value)


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


@pytest.mark.parametrize(("said", "meant"), [("observe", "report"), ("suggest", "suggest"), ("approve", "propose"), ("auto", "deploy")])
def test_the_rungs_of_the_ladder_are_names_of_the_policies(said, meant):
    assert SelfCode(policy=said).policy == meant
    assert SelfCode(policy="deploy").tightened({"jupyter_selfcode": {"policy": said}}).policy == meant


def test_a_class_of_effects_may_have_a_stricter_policy():
    policy = SelfCode(policy="auto", policy_by_effect=["writes=approve", "deletes=observe"]).decisions()
    assert policy.for_effects(["reads"]) == ("deploy", None)
    assert policy.for_effects(["creates"]) == ("propose", "writes")
    assert policy.for_effects(["creates", "deletes"]) == ("report", "deletes")
    with pytest.raises(BadInput, match="CLASS=POLICY"):
        settings(policy_by_effect=["writing=never"])
