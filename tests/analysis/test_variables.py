"""Names, types and summaries of variables without their values, and what may be told of tables beside them."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from jupyter_selfcode.analysis.surveying import NAMES
from jupyter_selfcode.analysis.variables import PROBE, UNSTEADY, read_unsteady, read_variables, summarise


class Hostile:
    """Everything that could be asked of it fails."""

    def __repr__(self):
        raise SystemExit("repr was called")

    __str__ = __len__ = __iter__ = __repr__

    @property
    def shape(self):
        raise SystemExit("shape was asked")


class Meta(type):
    def __getattribute__(cls, name):
        raise ValueError(name)


def as_kernel(namespace: dict, probe: str = PROBE) -> dict:
    replies: list[dict] = []
    exec(probe, {**namespace, "_selfcode_reply": lambda reply: replies.append(json.loads(json.dumps(reply)))})
    return replies[0]


NAMESPACE = {
    "df": pd.DataFrame({"month": ["secret"], "revenue": [41.5]}),
    "s": pd.Series([1.5], name="r"),
    "a": np.ones((2, 3)),
    "f": lambda x, y=2: x,
    "np": np,
    "d": {"key": "secret"},
    "xs": [1, "secret"],
    "n": 123456789,
    "t": "secret",
    "h": Hostile(),
    "_hidden": 1,
}


def test_types_and_shapes_are_told():
    found = {v.name: (v.type, v.summary) for v in summarise(NAMESPACE)}
    assert found["df"][1] == f"1 rows × 2 columns; month: {NAMESPACE['df']['month'].dtype}, revenue: float64"
    assert found["a"] == ("numpy.ndarray", "shape (2, 3), dtype float64")
    assert found["s"][1] == "length 1, dtype float64, name r"
    assert found["f"] == ("function", "(x, y)")
    assert found["np"][1].startswith("module numpy")
    assert found["d"] == ("dict", "length 1")
    assert found["xs"] == ("list", "length 2 of int, str")
    assert found["n"] == ("int", "")
    assert "_hidden" not in found


def test_values_are_never_told_and_hostile_objects_are_not_asked():
    told = repr([(v.name, v.type, v.summary, v.statistics) for v in summarise(NAMESPACE)])
    assert [v.name for v in summarise(NAMESPACE) if v.rows] == ["df"]
    assert "secret" not in told
    assert "123456789" not in told
    assert "41.5" not in told
    assert any(v.name == "h" and v.type.endswith("Hostile") for v in summarise(NAMESPACE))


def test_the_kernel_is_told_the_same_as_this_process():
    assert read_variables(as_kernel(NAMESPACE)) == summarise(NAMESPACE)


SALES = pd.DataFrame(
    {
        "region": ["north", None, "south", "x" * 90, "e", "f"],
        "amount": [1.0, 2.5, np.nan, 1234.5, 5.0, 6.0],
        "day": pd.to_datetime(["2024-01-31", "2024-02-01", None, "2025-12-24", "2024-03-01", "2024-03-02"]),
        "paid": [True, False, True, True, True, True],
        "note": [[1], {"a": 1}, b"x", Hostile(), 1, "t"],
    }
)


def of(name: str, value: object):
    return next(v for v in summarise({name: value}) if v.name == name)


def test_of_columns_nulls_are_counted_and_limits_rounded():
    told = of("sales", SALES).statistics
    assert told == "region: 1 null; amount: 1 null, 1 … 1.2e+03; day: 1 null, 2024-01 … 2025-12"
    assert "1234" not in told


def test_a_series_and_an_array_are_measured_and_what_is_too_large_is_not():
    assert of("s", SALES["amount"]).statistics == "1 null, 1 … 1.2e+03"
    assert of("a", np.array([[-7, 8123]])).statistics == "-7 … 8.1e+03"
    assert of("a", np.array([1.0, np.nan])).statistics == "1 null"
    assert of("a", np.zeros(5_000_001, dtype=np.int8)).statistics == ""
    assert of("a", np.array(["secret"])).statistics == ""
    assert of("t", "secret").statistics == ""


def test_at_most_five_rows_are_kept_as_short_texts_and_objects_are_not_asked():
    rows = of("sales", SALES).rows
    assert len(rows) == 6
    assert rows[0] == ("region", "amount", "day", "paid", "note")
    assert rows[1] == ("north", "1.0", "2024-01-31 00:00:00", "True", "list")
    assert rows[4][0] == "x" * 40
    assert [row[4] for row in rows[1:]] == ["list", "dict", "bytes", "Hostile", "1"]


def test_a_hostile_type_does_not_stop_the_rest():
    names = {v.name for v in summarise({"bad": Meta("Bad", (), {})(), "x": 1})}
    assert "x" in names


def test_there_are_caps():
    many = {f"v{i}": i for i in range(500)} | {"long": {"k" * 5000: 1}}
    found = summarise(many)
    assert len(found) == NAMES
    assert all(len(v.summary) <= 400 for v in found)


def test_the_probe_leaves_no_name_behind():
    namespace = {"x": 1, "_selfcode_reply": lambda reply: None}
    exec(PROBE, namespace)
    assert set(namespace) == {"x", "_selfcode_reply", "__builtins__"}


@pytest.mark.parametrize(
    "reply", [{}, {"variables": None}, {"variables": [1, ["a"], ["a", 1, ""]]}, {"variables": "abc"}]
)
def test_a_reply_without_the_agreed_form_is_no_variable(reply):
    assert read_variables(reply) == ()


def test_what_reading_may_change_is_named_and_nothing_is_read(tmp_path):
    namespace = {"np": np, "n": 1, "xs": [1], "text": "a", "df": NAMESPACE["df"], "f": lambda: 1, "kind": Hostile}
    changing = {"g": (i for i in [1]), "z": map(str, [1]), "held": [iter([1])], "by_name": {"a": iter("a")}}
    made: dict = {"__name__": "__main__"}
    exec("class Own:\n    pass", made)
    changing["own"] = made["Own"]()
    changing["meta"] = Meta("Odd", (), {})()
    with (tmp_path / "a").open("w") as file:
        reply = as_kernel({**namespace, **changing, "file": file}, UNSTEADY)
    assert read_unsteady(reply) == {*changing, "file"}
    assert next(changing["g"]) == 1
    assert next(changing["by_name"]["a"]) == "a"


def test_a_kernel_that_does_not_say_is_not_taken_to_have_nothing_unsteady():
    assert read_unsteady({}) is None
    assert read_unsteady({"unsteady": []}) == frozenset()
