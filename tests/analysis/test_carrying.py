"""Values that go from one kernel to another come out as they went in, and what is no data is refused."""

from __future__ import annotations

import collections
import datetime
import decimal
import fractions
import json
import zoneinfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_selfcode.analysis import carrying
from jupyter_selfcode.analysis.carrying import Packer, Refused, export, hold, unpack
from jupyter_selfcode.analysis.probing import run_examples

KEYS = st.one_of(st.integers(), st.text(), st.booleans(), st.none(), st.dates())
VALUES = st.recursive(
    st.one_of(
        KEYS, st.floats(), st.binary(), st.complex_numbers(), st.datetimes(), st.datetimes(timezones=st.timezones()), st.times(),
        st.timedeltas(), st.decimals(allow_nan=False), st.fractions(),
    ),
    lambda inner: st.one_of(
        st.lists(inner), st.tuples(inner, inner), st.sets(KEYS), st.frozensets(KEYS), st.dictionaries(KEYS, inner),
    ),
    max_leaves=10,
)  # fmt: skip


def carried(value):
    """The value after it went as text."""
    return unpack(json.loads(json.dumps(Packer().pack(value))))


@given(VALUES)
def test_pythons_own_values_are_the_same_after_the_way(value):
    assert sorted(repr(carried(value))) == sorted(repr(value)), "but for the order of sets"


@given(st.lists(st.floats(allow_nan=False)), st.sampled_from(["float64", "float32", "complex128", "object"]))
def test_arrays_are_the_same_after_the_way(items, dtype):
    value = np.array(items, dtype=dtype)
    np.testing.assert_array_equal(carried(value), value)
    assert carried(value).dtype == value.dtype


FRAME = pd.DataFrame(
    {
        "number": [1, 2, 3], "text": ["x", None, "é"], "kind": pd.Categorical(["p", "q", "p"], ordered=True),
        "when": pd.date_range("2020", periods=3), "zoned": pd.date_range("2020", periods=3, tz="Europe/Paris"),
        "whole": pd.array([1, None, 3], dtype="Int64"), "string": pd.array(["a", None, "c"], dtype="string"),
        "month": pd.period_range("2020", periods=3, freq="M"), "span": pd.to_timedelta([1, 2, 3], unit="s"),
        "real": [1.5, np.nan, 2], "mixed": [[1], {2}, None], "between": pd.interval_range(0, 3),
        "truth": pd.array([True, None, False], dtype="boolean"),
    }
)  # fmt: skip


@pytest.mark.parametrize(
    "frame",
    [
        FRAME, FRAME.set_index("text"), FRAME.set_index(["number", "when"]), FRAME.set_index("zoned"), pd.DataFrame(),
        pd.DataFrame(index=[1, 2]), pd.DataFrame([[1, "x"]], columns=["a", "a"]),
        FRAME.pivot_table(index="number", columns=["kind", "text"], values="real", observed=True),
    ],
)  # fmt: skip
def test_frames_are_the_same_after_the_way(frame):
    pd.testing.assert_frame_equal(carried(frame), frame)
    for name in frame:
        if isinstance(frame[name], pd.Series):
            pd.testing.assert_series_equal(carried(frame[name]), frame[name])
    pd.testing.assert_index_equal(carried(frame.columns), frame.columns)


@pytest.mark.parametrize(
    "value",
    [
        np.float64(1.5), np.datetime64("2020-01-01"), np.array([(1, 2.0)], dtype=[("a", int), ("b", float)]), pd.NaT, pd.NA,
        pd.Timestamp("2020-01-01 12:00"), pd.Timestamp("2020-07-01", tz="Asia/Tokyo"), pd.Timedelta("1s"), pd.Period("2020-01"),
        pd.Interval(0, 1), pd.date_range("2020", periods=4, freq="ME"), pd.RangeIndex(3, name="n"), collections.Counter("aab"),
        collections.defaultdict(list, {"a": [1]}), collections.deque([1]), collections.OrderedDict(a=1), range(3), slice(1, None),
        datetime.datetime(2020, 10, 25, 2, 30, fold=1, tzinfo=zoneinfo.ZoneInfo("Europe/Paris")),
        decimal.Decimal("NaN"), fractions.Fraction(1, 3), bytearray(b"x"),
    ],
    ids=repr,
)  # fmt: skip
def test_other_values_are_the_same_after_the_way(value):
    assert type(carried(value)) is type(value)
    assert repr(carried(value)) == repr(value)


def test_an_array_keeps_its_layout():
    assert carried(np.asfortranarray(np.ones((2, 3)))).flags.f_contiguous


class Own(pd.DataFrame):
    pass


class Whole(int):
    pass


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (lambda: 1, "a function"), (len, "a builtin_function"), (object(), "a object"), (Own(), "a Own"), (Whole(3), "a Whole"),
        (np.ma.array([1]), "a MaskedArray"), (np.zeros(10**6), "too large"), ("x" * 10**6, "too large"), (json, "a module"),
        (np.array([(1,)], dtype=[("a", object)]), "hold objects"), (collections.defaultdict(lambda: 1), "by a function"),
    ],
    ids=range(11),
)  # fmt: skip
def test_what_is_no_data_is_refused_and_says_why(value, why):
    with pytest.raises(Refused, match=why):
        Packer().pack(value)


def test_what_is_nested_too_deep_or_holds_itself_is_refused():
    loop: list = []
    loop.append(loop)
    with pytest.raises(Refused, match="too deep"):
        Packer().pack(loop)


def test_nothing_that_is_written_as_a_kind_runs():
    for kind in ("eval", "__class__", "__init__", "__getattr__", "import", ""):
        with pytest.raises((Refused, TypeError)):
            unpack([kind, "print('ran')"])


def test_an_export_names_what_is_there_what_is_not_and_what_is_missing():
    got = export(["x", "f", "gone"], ["x", "y"], {"x": (1,), "f": len})
    assert got["values"] == {"x": ["tuple", [1]]}
    assert set(got["refused"]) == {"f", "gone"}
    assert got["absent"] == ["y"]
    json.dumps(got)


def test_examples_are_held_against_what_came_out():
    payload = {
        "imports": {"sqrt": "math.sqrt", "pd": "pandas"}, "values": {"x": ["list", [4, 9]]}, "options": {},
        "defines": ["def twice(n):\n    return 2 * n"], "sources": ["[sqrt(n) for n in x]\n", "twice(x[0])\n", "gone\n"],
    }  # fmt: skip
    got = hold(payload, lambda sources, names: run_examples(sources, names))["got"]
    assert got[:2] == [["[2.0, 3.0]\n", None], ["8\n", None]]
    assert got[2][1].startswith("NameError")
    assert "failed" in hold({**payload, "imports": {"x": "no_such_module"}}, run_examples)


def test_values_are_shown_as_the_notebook_has_set():
    with pd.option_context("display.precision", 2):
        options = export([], [], {})["options"]
    assert options["pandas"]["precision"] == 2
    assert set(options["numpy"]) <= set(carrying.NUMPY)
