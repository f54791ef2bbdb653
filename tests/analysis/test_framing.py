"""Which cells a change cannot affect: told from the code, and never wrongly."""

from __future__ import annotations

import random

import pytest

from jupyter_selfcode.analysis.framing import framed
from jupyter_selfcode.values.notebook import Cell, Notebook

from .random_notebooks import violations


def book(*sources: str) -> Notebook:
    return Notebook(tuple(Cell(f"c{i}", "code", s) for i, s in enumerate(sources)))


def reached(changed: int, *sources: str, new: str = "") -> set[str]:
    """The cells that are not proved to be out of reach when one of them becomes another."""
    before = book(*sources)
    after = book(*(f"{s}\n{new}" if i == changed else s for i, s in enumerate(sources)))
    return {i for i, frame in framed(before, after, {f"c{changed}"}).items() if frame != "proved"}


@pytest.mark.parametrize(
    "below",
    [
        "print(x)",
        "y = other\nprint(y)",
        "print(f())",
        "print(sorted([1], key=f))",
        "exec('1')",
        "print(open('a.txt').read())",
        "import os\nprint(os.environ.get('A'))",
        "print(_)",
        "%run other.py",
        "import random\nrandom.random()",
        "def g(n=x):\n    return n",
        "[q for q in x]",
    ],
)
def test_a_cell_that_may_read_what_the_change_makes_is_not_proved(below):
    changed = "x = other\nother.append(1)\nopen('a.txt', 'w').write('1')\nimport os, random\nos.environ['A'] = '1'\nrandom.seed(1)"
    assert "c2" in reached(1, "other = [1]\ndef f(n=0):\n    return other", changed, below)


@pytest.mark.parametrize(
    "below",
    [
        "print('hello')",
        "z = [1, 2]\nprint(sum(z))",
        "import pandas as pd\ndf = pd.read_csv('a.csv')\nprint(df.head())",
        "print(k + 1)",
        "print(g(2))",
        "x = 3\nprint(x)",
        "print(open('b.txt').read())",
    ],
)
def test_a_cell_that_cannot_read_what_the_change_makes_is_proved(below):
    assert reached(1, "k = 2\ndef g(n):\n    return n * k", "x = [1]\nopen('a.txt', 'w').write('1')", below) == set()


@pytest.mark.parametrize(
    "doubt",
    [
        "exec('b = a')",
        "from m import *",
        "globals()['b'] = a",
        "setattr(a, 'n', 1)",
        "class C:\n    pass",
        "import numpy as np\nnp.random.rand = print",
        "import local_module",
        "b = [a.append]\nb[0](1)",
        "g = (q for q in a)",
        "%load_ext other",
    ],
)
def test_below_a_cell_that_may_do_anything_nothing_is_proved(doubt):
    assert "c3" in reached(1, doubt, "x = 1", "y = 2", "print(3)")


def test_our_own_extension_is_no_doubt():
    assert reached(1, "%load_ext jupyter_selfcode", "x = 1", "%selfcode", "print(3)") == set()


def test_what_runs_before_the_change_is_out_of_its_reach():
    assert reached(2, "a = 1", "print(a)", "a = 2", "print(a)") == {"c3"}


def test_a_name_that_an_unaffected_cell_binds_anew_is_free_again():
    assert reached(0, "x = 1", "x = 2", "print(x)") == set()


def test_a_pattern_that_may_not_match_binds_nothing_for_certain():
    assert reached(0, "x = [1]", "match 5:\n    case [q, *x]:\n        pass", "print(x)") == {"c2"}


def test_what_the_old_code_made_counts_as_well():
    before, after = book("x = 1\ny = 2", "print(x)", "print(y)"), book("x = 1", "print(x)", "print(y)")
    assert framed(before, after, {"c0"})["c2"] == "unknown"


def test_a_deleted_cell_reaches_what_read_what_it_made():
    before = book("x = 1", "y = 2", "print(x)", "print(y)")
    after = Notebook(before.cells[1:])
    assert framed(before, after, {"c0"}) == {"c1": "proved", "c2": "unknown", "c3": "proved"}


def test_a_cell_that_has_moved_ends_every_proof():
    before = book("x = 1", "y = 2", "print(x)")
    after = Notebook((before.cells[1], before.cells[0], before.cells[2]))
    assert set(framed(before, after, {"c0"}).values()) == {"unknown"}


def test_the_examples_of_a_contract_are_read_too():
    assert reached(0, "x = 1", '"""Words.\n\n>>> x\n1\n"""\ny = 2') == {"c1"}


def test_no_proof_is_broken_by_running_random_notebooks_in_both_orders():
    labelled = proved = 0
    for seed in range(250):
        some, of_these, broken = violations(random.Random(seed))
        labelled, proved = labelled + some, proved + of_these
        assert not broken, f"seed {seed}\n{broken[0]}"
    assert proved > labelled / 4  # else it would prove nothing by saying nothing
