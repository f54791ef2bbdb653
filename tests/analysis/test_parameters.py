"""Parameters as papermill has them: how values are read, written, and where they go."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_selfcode.analysis.parameters import for_source, inject, parse_value
from jupyter_selfcode.values.notebook import Cell, Notebook
from jupyter_selfcode.values.patch import InsertCell, MoveCell, Patch, apply

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4) | st.tuples(inner)
    ),
    max_leaves=10,
)


def same(a, b):
    if isinstance(a, float) and isinstance(b, float):
        return (math.isnan(a) and math.isnan(b)) or a == b
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    return type(a) is type(b) and a == b


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("True", True), ("False", False), ("None", None), ("3", 3), ("-3", -3), ("1.5", 1.5), ("1e3", 1000.0), ("x", "x"),
        ("", ""), ("true", "true"), ("[1, 'a']", [1, "a"]), ("{'a': None}", {"a": None}), ("(1,)", (1,)), ("[1, b]", "[1, b]"),
        ("2026-01", "2026-01"), ("[", "["), ("1 2", "1 2"),
    ],
)  # fmt: skip
def test_values_are_read_as_papermill_reads_them(text, value):
    assert same(parse_value(text), value)


def test_papermill_agrees_on_plain_values():
    from papermill import cli

    for text in (
        "True",
        "False",
        "None",
        "3",
        "-3",
        "1.5",
        "1e3",
        "x",
        "",
        "true",
        "nan",
        "inf",
        "1_000",
        "007",
        "0x1",
    ):
        assert same(parse_value(text), cli._resolve_type(text)), text


@given(VALUES)
def test_a_value_survives_being_written_as_python(value):
    notebook, _ = inject(Notebook(), {"given": value})
    namespace = {}
    exec(notebook.cells[0].source, namespace)
    assert same(namespace["given"], value)


def test_without_parameters_nothing_is_injected():
    notebook = Notebook((Cell("a", "code", "x = 1", {"tags": ["parameters"]}),))
    assert inject(notebook, {}) == (notebook, ())


def test_a_patch_for_what_ran_becomes_one_for_the_source():
    source = Notebook(
        (Cell("a", "code", "x = 1", {"tags": ["parameters"]}), Cell("b", "code", "x"), Cell("c", "code", ""))
    )
    ran, _ = inject(source, {"x": 2})
    ops = (InsertCell(Cell("n", "code", "y"), "injected-parameters"), MoveCell("c", "injected-parameters"))
    after = apply(for_source(Patch(ran.digest, ops), ran, source), source)
    assert [c.id for c in after.cells] == ["a", "c", "n", "b"]


def test_the_top_is_the_top_where_the_injected_cell_is_the_first():
    source = Notebook((Cell("b", "code", "x"),))
    ran, _ = inject(source, {"x": 2})
    patch = Patch(ran.digest, (InsertCell(Cell("n", "code", "y"), "injected-parameters"),))
    assert [c.id for c in apply(for_source(patch, ran, source), source).cells] == ["n", "b"]


def test_an_id_that_is_taken_is_not_given_twice():
    notebook, _ = inject(Notebook((Cell("injected-parameters", "code", "1"),)), {"x": 2})
    assert [c.id for c in notebook.cells] == ["injected-parameters-2", "injected-parameters"]
