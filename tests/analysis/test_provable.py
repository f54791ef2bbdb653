"""Only what a text says whole is asked of a prover."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_selfcode.analysis.provable import plain_type, questions
from jupyter_selfcode.values.notebook import Cell, Notebook

OLD = "def f(x: int) -> int:\n    return x + 1"
NEW = "def f(x: int) -> int:\n    '''Pre: no.'''\n    y: int = x\n    return 1 + y"


def book(source: str, *others: str) -> Notebook:
    return Notebook((*(Cell(f"o{i}", "code", s) for i, s in enumerate(others)), Cell("c0", "code", source)))


def asked(old: str, new: str, *others: str):
    return questions(book(old, *others), book(new, *others), ["c0"])


def test_a_question_is_two_modules_without_words_and_annotations():
    (question,) = asked(OLD, NEW)
    assert (question.name, question.asked, question.parameters, question.whole) == ("f", "kept", (("x", "int"),), True)
    assert question.before == "def f(x):\n    return x + 1"
    assert question.after == "def f(x):\n    y = x\n    return 1 + y"


def test_mistakes_come_with_a_question_and_one_of_them_always_differs():
    (question,) = asked(OLD, NEW)
    assert question.after not in question.mistakes
    assert "return [1 + y]" in question.mistakes[-1]


@pytest.mark.parametrize(
    "body",
    [
        "return hash(x)", "return open(x)", "return x.__class__", "return g(x)", "return OTHER + x", "import os\n    return x",
        "try:\n        return x\n    except Exception:\n        return 0", "try:\n        return x\n    except:\n        return 0",
        "raise SystemExit(x)", "return getattr(x, 'real')", "return x.real", "return [len for len in (x,)][0]", "return eval('x')",
        "with x:\n        return 1", "return '{0.real}'.format(x)", "return np.abs(x)", "return {x, 2}",
        "return [v for v in set((x, 1))][0]", "return {v for v in (x, 1)}", "return x is 3", "return x + 1 is not x", "return [k for k in {x: 1}.keys() - {2: 1}.keys()]",
        "try:\n        return x\n    except ValueError as e:\n        return str(e)",
    ],
)  # fmt: skip
def test_nothing_is_asked_of_code_that_reaches_further(body):
    assert asked(OLD, f"def f(x: int) -> int:\n    {body}", "OTHER = [1]", "import numpy as np") == ()


@pytest.mark.parametrize(
    "head",
    ["f(x)", "f(x: list)", "f(x: object)", "f(*x: int)", "f(x: int, /)", "f(*, x: int)", "f(x: int = [])", "f(x: 'Frame')", "f()", "f(y: int)"],
)
def test_nothing_is_asked_of_parameters_that_do_not_say_what_they_hold(head):
    assert asked(OLD.replace("f(x: int)", head), f"def {head} -> int:\n    return x") == () or head == "f(y: int)"
    assert asked(OLD, f"def {head} -> int:\n    return 2") == () or head in ("f(x)", "f(x: list)", "f(x: object)", "f(x: 'Frame')")


@pytest.mark.parametrize("other", ["sum = 3", "from numpy import *", "def sum(x):\n    return 0", "for sum in ():\n    pass", "exec('sum = 3')", "%pylab"])
def test_nothing_is_asked_where_the_notebook_may_bind_a_builtin(other):
    old, new = "def f(x: list[int]) -> int:\n    return sum(x)", "def f(x: list[int]) -> int:\n    return sum(list(x))"
    assert len(asked(old, new)) == 1
    assert asked(old, new, other) == ()


def test_functions_of_the_cell_and_plain_constants_of_the_notebook_come_along():
    old = "def g(x):\n    return x * RATE\n\ndef f(x: int) -> int:\n    return g(x) + 1"
    (question,) = asked(old, old.replace("g(x) + 1", "1 + g(x)"), "RATE = -3")
    assert question.before.startswith("RATE = -3\n")
    assert "def g(x):\n    return x * RATE" in question.after
    assert asked(old, old.replace("g(x) + 1", "1 + g(x)"), "RATE = -3", "RATE += 1") == ()
    assert asked(old, old.replace("g(x) + 1", "1 + g(x)"), "RATE = -3", "def g(x):\n    return x") == ()


def test_a_cell_is_not_whole_where_one_of_its_functions_cannot_be_asked_about():
    further = "\n\ndef h(x: int) -> int:\n    return hash(x)"
    (question,) = asked(OLD + further, NEW + further.replace("hash(x)", "hash(x) + 1"))
    assert not question.whole
    (question,) = asked(OLD + "\nz = 1", NEW + "\nz = 2")
    assert not question.whole


def test_assertions_that_a_function_began_with_are_what_its_callers_promise():
    old = "def f(a: int) -> int:\n    assert a > 0\n    r = a // 2\n    assert r < a\n    return r"
    kept, asserted = asked(old, old.replace("a // 2", "a >> 1"))
    assert (kept.asked, asserted.asked) == ("kept", "asserted")
    assert asserted.before == "def f(a):\n    assert a > 0\n    pass"
    assert [q.asked for q in asked(old, old.replace("assert r < a", "assert r <= a"))] == ["kept"]  # none that stood before


PLAIN = st.recursive(
    st.sampled_from(["int", "str", "bool", "float", "None"]),
    lambda inner: st.one_of(
        inner.map("list[{}]".format), inner.map("Optional[{}]".format), inner.map("'{}'".format).filter(lambda t: t.count("'") == 2),
        st.tuples(inner, inner).map("typing.Dict[{0[0]}, {0[1]}]".format), st.tuples(inner, inner).map("Union[{0[0]}, {0[1]}]".format),
        inner.map("Tuple[{}, ...]".format), st.tuples(inner, inner).map("{0[0]} | {0[1]}".format),
    ),
    max_leaves=4,
)  # fmt: skip


@given(PLAIN)
def test_a_plain_type_is_told_in_words_that_mean_the_same_again(annotation):
    told = plain_type(ast.parse(annotation, mode="eval").body)
    if "'" not in annotation or annotation[0] != "'" or " | " not in annotation:
        assert told
    assert plain_type(ast.parse(told, mode="eval").body) == told
