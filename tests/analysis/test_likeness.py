"""Two values say the same, or they do not: told from data alone, by a process that has neither of them."""

from __future__ import annotations

import json

import matplotlib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_selfcode.analysis.arrays import read_array
from jupyter_selfcode.analysis.carrying import Packer, Refused
from jupyter_selfcode.analysis.likeness import compared, same_value
from jupyter_selfcode.analysis.outlining import observe
from tests.analysis.test_carrying import FRAME, VALUES

matplotlib.use("agg")
import matplotlib.pyplot as plt


def told(**names: object) -> dict:
    """What a kernel with these variables tells of them, after it went as text."""
    return json.loads(json.dumps(observe(list(names), names, lambda value, budget: Packer(budget).pack(value), Refused)))


def verdict(a: object, b: object) -> tuple[str, str]:
    (found,) = compared("c", ["x"], told(x=a), told(x=b))
    return found.verdict, found.said


DF = pd.DataFrame({"a": [1.0, 2, 3], "b": list("xyz")})
NARROW = DF.assign(a=DF.a.astype("float32"))


@pytest.mark.parametrize(
    ("a", "b", "remark"),
    [
        (DF, DF.assign(a=DF.a + 1e-13), "rounding"),
        (NARROW, NARROW.assign(a=NARROW.a * np.float32(1 + 1e-6)), "rounding"),
        (np.array([1e12, 0.0]), np.array([1e12, 1e-4]), "rounding"),
        (0.1 + 0.2, 0.3, "rounding"),
        (3, np.int64(3), "NumPy's or Python's"),
        ([1.5], [np.float64(1.5)], "NumPy's or Python's"),
        ({"k": 1, "l": 2}, {"l": 2, "k": 1}, "another order"),
        (DF, pd.DataFrame(DF.to_numpy(), columns=DF.columns, index=pd.Index(np.array([0, 1, 2]))).astype(DF.dtypes), "written out"),
        (np.asfortranarray(np.arange(6.0).reshape(2, 3)), np.arange(6.0).reshape(2, 3), ""),
    ],
    ids=["frame", "single precision", "beside a large one", "sum", "scalar", "scalar in a list", "dict", "labels", "order in memory"],
)
def test_what_nobody_could_tell_apart_is_close_and_says_why(a, b, remark):
    found, said = verdict(a, b)
    assert (found, remark in said) == ("close", True)


@pytest.mark.parametrize(
    ("a", "b", "where"),
    [
        (DF, DF.assign(a=DF.a + 1e-3), "column a row 0"),
        (DF, DF[["b", "a"]], "columns"),
        (DF, DF.iloc[::-1], "labels"),
        (DF, DF.rename(columns={"a": "A"}), "columns"),
        (DF, NARROW, "type"),
        (DF.a, DF.a.rename("c"), "name"),
        (DF, DF.head(2), "labels"),
        (3, 3.0, "was 3, is 3.0"),
        (True, 1, "was True, is 1"),
        ([1, 2], (1, 2), "was a list, is a tuple"),
        ([1, 2], [2, 1], "item 0"),
        ({1, 2}, {1, 3}, "1 members are gone"),
        ({"k": 1}, {"l": 1}, "no longer there"),
        (np.arange(3), np.arange(4), "shape"),
        (["float", "1"], ["float", "1.0"], "item 1"),
        (None, 0, "was None"),
        (float("nan"), 1.0, "was nan"),
        (pd, np, "was pandas, is numpy"),
    ],
)
def test_what_code_further_down_could_tell_apart_differs_and_says_where(a, b, where):
    found, said = verdict(a, b)
    assert (found, where in said) == ("differs", True), said
    assert verdict(b, a)[0] == "differs"


@given(VALUES)
def test_a_value_is_the_same_as_itself(value):
    assert same_value(Packer().pack(value), json.loads(json.dumps(Packer().pack(value))))[0]


@given(VALUES, VALUES)
def test_likeness_does_not_depend_on_which_comes_first(a, b):
    a, b = Packer().pack(a), Packer().pack(b)
    assert same_value(a, b)[0] == same_value(b, a)[0]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1), st.integers(0), st.floats(1e-6, 1e6))
def test_a_single_number_that_is_off_is_found(items, place, factor):
    a = np.array(items, dtype="float64")
    b = a.copy()
    b[place % len(b)] += (abs(a).max() + 1) * 1e-4 * (1 + factor)
    assert verdict(a, b)[0] == "differs"


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text() | st.floats(), lambda i: st.lists(i) | st.dictionaries(st.text(), i), max_leaves=8))
def test_what_a_hostile_kernel_sends_never_raises(sent):
    same_value(["array", sent], ["array", [sent]])
    same_value(["DataFrame", sent, sent, sent], ["DataFrame", [sent], [sent], [sent]])
    same_value(["large", sent], ["large", sent, sent])
    same_value(["dict", sent], ["dict", [sent]])
    compared("c", ["x"], {"told": {"x": sent}}, {"told": sent, "untold": sent})


def test_every_kind_of_column_can_be_compared():
    assert verdict(FRAME, FRAME.copy())[0] == "same"
    for column in FRAME.columns:
        changed = FRAME.copy()
        changed[column] = FRAME[column].iloc[[1, 0, 2]].array
        assert verdict(FRAME, changed)[0] == "differs", column


@pytest.mark.parametrize("dtype", ["f8", "f4", "i8", "i4", "u1", "?", "c16", "U3", ">f8", ">i4", "M8[ns]"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_are_read_as_numpy_reads_them(dtype, order):
    a = np.array(np.arange(24).reshape(2, 3, 4), order=order).astype(dtype)
    found = read_array(Packer().pack(a)[1])
    want = a.ravel().view("i8") if a.dtype.kind == "M" else a.ravel().view("f8") if a.dtype.kind == "c" else a.ravel()
    assert (found.shape, list(found.elements or ())) == (a.shape, want.tolist())


# ---- what cannot be carried whole -----------------------------------------------------------------------------------


BIG = pd.DataFrame(np.random.default_rng(0).random((50_000, 3)), columns=list("abc"))


def test_a_large_table_is_compared_by_its_digest_or_by_sums_and_spread_rows_and_that_is_said():
    (same,) = compared("c", ["x"], told(x=BIG), told(x=BIG.copy()))
    assert (same.verdict, same.sampled) == ("same", False)
    (close,) = compared("c", ["x"], told(x=BIG), told(x=BIG * (1 + 1e-15)))
    assert (close.verdict, close.sampled) == ("close", True)
    assert verdict([1.5] * 10**5, [np.float64(1.5)] * 10**5) == ("close", "a number is NumPy's or Python's")
    assert verdict(BIG, BIG.assign(a=0.0))[0] == "differs"
    assert verdict(list(range(10**5)), [*range(10**5 - 1), 0])[0] == "differs"
    off = BIG.copy()
    off.iloc[77, 1] += 1.0
    assert verdict(BIG, off)[0] == "differs", "one number of 150,000, in no row that was shown"


def drawn(heights: list[float], title: str = "t"):
    figure, axes = plt.subplots()
    axes.bar([1, 2], heights)
    axes.plot([1, 2, 3])
    axes.set_title(title)
    plt.close(figure)
    return figure


def test_a_figure_is_what_is_drawn_in_it():
    assert verdict(drawn([3, 4]), drawn([3, 4]))[0] == "same"
    assert verdict(drawn([3, 4]), drawn([3, 4.5]))[0] == "differs"
    assert verdict(drawn([3, 4]), drawn([3, 4], "u"))[0] == "differs"


def test_a_fitted_model_is_what_it_was_told_what_it_learned_and_what_it_says():
    from sklearn.linear_model import LinearRegression
    from sklearn.tree import DecisionTreeRegressor

    x = np.random.default_rng(0).random((60, 3)) * 100
    y = x.sum(1)
    assert verdict(LinearRegression().fit(x, y), LinearRegression().fit(x, y))[0] == "same"
    assert verdict(LinearRegression().fit(x, y), LinearRegression().fit(x, y + x[:, 0]))[0] == "differs"
    a, b = (DecisionTreeRegressor(random_state=0, max_leaf_nodes=n).fit(x, y).set_params(max_leaf_nodes=None) for n in (9, 10))
    one, other = (told(x=m, data=x) for m in (a, b))
    assert compared("c", ["x"], one, other)[0].verdict == "differs", "by what it says of the data at hand"


def test_a_function_with_other_code_is_not_said_to_be_the_same():
    assert verdict(lambda n: n + 1, lambda n: n + 1)[0] == "same"
    assert verdict(lambda n: n + 1, lambda n: n + 2)[0] == "unknown"
    assert verdict(object(), object())[0] == "unknown"
