"""Every setting is an option, and an option means what the setting means."""

from __future__ import annotations

import argparse

import pytest

from jupyter_selfcode.config import SelfCode
from jupyter_selfcode.hosts.cli.options import add_settings, settings_of
from jupyter_selfcode.values.errors import BadInput


def given(*words):
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_settings(parser)
    return settings_of(parser.parse_args([str(w) for w in words]))


@pytest.mark.parametrize("name", sorted(SelfCode.class_trait_names(config=True)))
def test_every_setting_is_an_option(name):
    parser = argparse.ArgumentParser()
    add_settings(parser)
    assert f"--{name.replace('_', '-')}" in parser.format_help()


def test_options_are_read_as_their_settings_are_typed():
    made = given(
        "--model", "ollama/qwen", "--policy", "deploy", "--budget-usd", "0.25", "--budget-tokens", "1000",
        "--proposers", "rules, llm", "--context-level", "schema", "--cell-seconds", "None",
    )  # fmt: skip
    assert (made.model, made.policy, made.budget_usd, made.budget_tokens) == ("ollama/qwen", "deploy", 0.25, 1000)
    assert (made.proposers, made.context_level, made.cell_seconds) == (["rules", "llm"], "schema", None)


def test_what_is_not_given_is_left_to_the_config_files(tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path))
    (tmp_path / "jupyter_selfcode_config.py").write_text("c.SelfCode.model = 'a'\nc.SelfCode.min_level = 0\n")
    more = tmp_path / "more.py"
    more.write_text("c.SelfCode.model = 'b'\n")
    assert (given().model, given().min_level) == ("a", 0)
    assert (given("--config", more).model, given("--config", more).min_level) == ("b", 0)
    assert given("--config", more, "--model", "c").model == "c"


def test_a_limit_that_is_lifted_by_an_option_is_lifted_though_a_file_sets_it(tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path))
    (tmp_path / "jupyter_selfcode_config.py").write_text("c.SelfCode.budget_usd = 0.1\n")
    assert given("--budget-usd", "None").budget_usd is None


def test_a_value_out_of_range_is_one_clear_line():
    with pytest.raises(BadInput, match="min_level"):
        given("--min-level", "9")
    with pytest.raises(argparse.ArgumentError, match="'x' cannot be used"):
        given("--budget-usd", "x")
