"""What of a promise is judged elsewhere, what it needs there, and what has to stay."""

from __future__ import annotations

import pytest

from jupyter_selfcode.analysis.claims import claims_of
from jupyter_selfcode.values.notebook import Cell, Notebook


def claims(*sources: str, touched: str = "c0", promised: tuple[str, ...] = (), at: str = "c1"):
    nb = Notebook(tuple(Cell(f"c{i}", "code", s) for i, s in enumerate(sources)))
    return claims_of(nb, nb, {touched}, {c.id for c in nb.cells}, promised).get(at)


def cell(*examples: str, code: str = "z = 1") -> str:
    lines = "\n".join(f">>> {e}" for e in examples)
    return f'"""C.\n\n{lines}\n"""\n{code}'


def test_names_are_carried_imports_made_anew_and_functions_of_untouched_cells_defined():
    found = claims("import numpy as np\nfrom math import sqrt\nk = 2", cell("np.sum(x)", "twice(sqrt(x))", "sum(x)", code="def twice(n):\n    return k * n"))
    assert found.names == {"x", "k"}
    assert found.imports == {"np": "numpy", "sqrt": "math.sqrt"}
    assert found.defines == ("def twice(n):\n    return k * n",)
    assert [sorted(c.needs) for c in found.claims] == [["x"], ["k", "x"], ["x"]]


def test_a_function_that_the_change_brought_is_carried_and_so_refused():
    assert claims("def f():\n    return 1", cell("f()")).names == {"f"}


def test_a_name_that_is_bound_anew_is_a_value():
    found = claims("import numpy as np", cell("np", "f()"), "", touched="c2")
    assert found.imports == {"np": "numpy"}
    found = claims("try:\n    import numpy as np\nexcept ImportError:\n    pass", cell("np"))
    assert found.imports == {"np": "numpy"}
    found = claims("import numpy as np\nnp = 3\ndef f():\n    pass\nf = 2", cell("np", "f()"), "", touched="c2")
    assert (found.imports, found.defines, found.names) == ({}, (), {"np", "f"})


@pytest.mark.parametrize("example", ["open('a').read()", "np.random.rand()", "exec('x')", "plt.gcf()"])
def test_what_depends_on_its_process_stays(example):
    found = claims("import numpy as np\nimport matplotlib.pyplot as plt", cell(example))
    assert all(c.inside for c in found.claims)


def test_what_depends_on_one_that_stays_stays_too():
    found = claims("x = 1", cell("text = open('a').read()", "len(text)", "x"))
    assert [bool(c.inside) for c in found.claims] == [True, True, False]


def test_what_could_not_be_carried_takes_with_it_what_depends_on_it():
    found = claims("x = 1", cell("n = f(3)", "n + 1", "x"))
    opened = found.open({"values": {"x": 1}, "refused": {"f": "a function"}})
    assert [c.inside for c in opened] == ["f could not be carried: a function", "it depends on one that has to stay", ""]


def test_assertions_that_were_promised_are_claims_unless_what_they_look_at_changes_below():
    source = "x = 1\nassert x == 1\nassert y > 0\nx = 2"
    found = claims(source, touched="c0", promised=("x == 1", "y > 0"), at="c0")
    assert [(c.source, bool(c.inside)) for c in found.claims] == [("assert x == 1\n", True), ("assert y > 0\n", False)]
    assert claims(source, touched="c0", at="c0").claims == ()


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("x = 1\ny: int = 2\ny += 1", ("x", "y")), ("a, (b, c) = z", ("a", "b", "c")), ("import numpy as np\ndef f(): pass", ("np", "f")),
        ("if k:\n    x = 1", ()), ("x = 1\ndel x", ()), ("x: int", ()), ("from math import *", ()), ("%reset -f\nx = 1", ()),
        ("get_ipython()\nx = 1", ("x",)), ("for i in z:\n    x = i", ()), ("d['k'] = 1", ()),
    ],
)  # fmt: skip
def test_names_that_a_cell_binds_whatever_happens_must_be_there(source, names):
    found = claims(source, touched="c0", at="c0")
    assert sorted(found.assigned if found else ()) == sorted(names)


def test_of_untouched_cells_nothing_must_be_there():
    assert claims("x = 1", "y = 2", touched="c0") is None


def test_another_answer_is_the_candidates_only_where_modules_answer_alike():
    assert claims("import numpy as np", cell("np.sum(x)")).plain
    assert not claims("import mine", cell("mine.f(x)")).plain
