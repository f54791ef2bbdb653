"""Names, types and summaries of variables, and never their values."""

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
    assert found["d"] == ("dict", "length 1, keys key")
    assert found["xs"] == ("list", "length 2 of int, str")
    assert found["n"] == ("int", "")
    assert "_hidden" not in found


def test_values_are_never_told_and_hostile_objects_are_not_asked():
    told = repr(summarise(NAMESPACE))
    assert "secret" not in told
    assert "123456789" not in told
    assert "41.5" not in told
    assert any(v.name == "h" and v.type.endswith("Hostile") for v in summarise(NAMESPACE))


def test_the_kernel_is_told_the_same_as_this_process():
    assert read_variables(as_kernel(NAMESPACE)) == summarise(NAMESPACE)


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
