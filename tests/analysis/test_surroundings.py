"""What a process tells of itself beside its variables: the same when nothing was done, another when something was."""

from __future__ import annotations

import decimal
import json
import logging
import sys
import textwrap
import types
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_selfcode.analysis import copying, surroundings
from jupyter_selfcode.analysis.surroundings import digests, establish, kind_of, modules, settings, told

PACKAGES = ["json", "pandas", "textwrap"]


def libraries():
    """The modules of libraries: those of these tests hold what cannot be read."""
    return {name: rows for name, rows in modules(PACKAGES).items() if not name.startswith("tests.")}


def now():
    return told(PACKAGES, str(Path.cwd()), settings())


def test_where_nothing_is_done_the_same_is_told():
    pd.DataFrame({"a": [1, 2]}).groupby("a").size()
    assert now() == now()
    first, second = libraries(), libraries()
    assert digests(first) == digests(second)
    assert json.loads(json.dumps(now())) == now()


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda m: m.setenv("SELF_MADE", "x"), "the environment"),
        (lambda m: m.setattr(sys, "path", [*sys.path, "/nowhere/else"]), "sys.path"),
        (lambda m: m.setattr(logging.getLogger("mine"), "level", 10), "logging"),
        (lambda m: m.setattr("builtins.mine", 1, raising=False), "builtins"),
        (lambda m: m.chdir("/"), "the working folder"),
        (lambda m: m.setattr(decimal.getcontext(), "prec", 5), "decimal"),
        (lambda m: m.setattr(warnings, "filters", [("error", None, Warning, None, 0)]), "warnings"),
    ],
)
def test_what_is_done_to_a_process_is_told(change, name):
    folder = str(Path.cwd())
    before = told(PACKAGES, folder, settings())
    with pytest.MonkeyPatch.context() as patched:
        change(patched)
        after = told(PACKAGES, folder, settings())
    assert copying.apart(before, after) == name
    assert copying.apart(before, told(PACKAGES, folder, settings())) == ""


def test_a_function_that_was_replaced_a_method_that_was_added_and_a_constant_are_told(monkeypatch):
    before = libraries()

    def looked():
        after = libraries()
        named = copying.differing(before, digests(after))
        return copying.changed_in(before, {n: after[n] for n in named})

    assert looked() == ""
    monkeypatch.setattr(textwrap, "dedent", lambda text: text)
    assert looked() == "textwrap.dedent"
    monkeypatch.undo()
    monkeypatch.setattr(pd.DataFrame, "mine", lambda self: 1, raising=False)
    assert looked().endswith(".DataFrame")
    monkeypatch.undo()
    monkeypatch.setattr(pd.DataFrame, "sum", lambda self: 1)
    assert looked().endswith(".DataFrame")
    monkeypatch.undo()
    assert looked() == ""


def test_a_module_of_the_persons_own_is_told_whole_and_what_cannot_be_read_there_never_is_the_same(monkeypatch, tmp_path):
    own = types.ModuleType("own_module")
    own.__file__ = str(tmp_path / "own_module.py")
    own.LIMITS = {"a": [1]}
    monkeypatch.setitem(sys.modules, "own_module", own)
    first = modules([], ["own_module"])
    assert modules([], ["own_module"]) == first
    own.LIMITS["a"].append(2)
    assert modules([], ["own_module"]) != first
    own.LIMITS = {"a": object()}
    assert modules([], ["own_module"]) != modules([], ["own_module"])


@given(st.integers(0, 9), st.integers(1, 20), st.sampled_from(["warn", "ignore"]), st.integers(0, 2**32 - 1))
def test_settings_that_are_put_in_force_again_are_told_the_same(precision, digits, errors, seed):
    kept = settings()
    try:
        pd.set_option("display.precision", precision)
        np.set_printoptions(precision=digits)
        np.seterr(all=errors)
        np.random.seed(seed)
        wanted = settings()
        establish(kept)
        establish(wanted)
        assert {n: kind_of(v) for n, v in settings().items()} == {n: kind_of(v) for n, v in wanted.items()}
        assert (pd.get_option("display.precision"), np.get_printoptions()["precision"], np.geterr()["divide"]) == (precision, digits, errors)
    finally:
        establish(kept)


def test_an_open_figure_is_told():
    import matplotlib.pyplot as plt

    assert not surroundings.figures()
    figure = plt.figure()
    assert surroundings.figures()
    plt.close(figure)
