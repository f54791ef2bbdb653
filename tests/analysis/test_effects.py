"""What cells read, bind and may change, and what follows for other cells."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_selfcode.analysis.effects import effects_of, names_undefined, resumable, slice_above, slice_below
from jupyter_selfcode.values.notebook import Cell, Notebook


def book(*sources: str) -> Notebook:
    return Notebook(tuple(Cell(f"c{i}", "code", s) for i, s in enumerate(sources)))


@pytest.mark.parametrize(
    ("source", "reads", "writes", "mutates"),
    [
        ("x = y", {"y"}, {"x"}, set()),
        ("df['b'] = df.a * 2", {"df"}, set(), {"df"}),
        ("lst.append(row)", {"lst", "row"}, set(), {"lst"}),
        ("model.fit(X, y)", {"model", "X", "y"}, set(), {"model"}),
        ("train(model, X)", {"train", "model", "X"}, set(), {"model", "X"}),
        ("n += 1", {"n"}, {"n"}, {"n"}),
        ("print(df.head())", {"df"}, set(), set()),
        ("df.drop(columns='a', inplace=True)", {"df"}, set(), {"df"}),
        ("import numpy as np\nx = np.mean(y)", {"y"}, {"np", "x"}, set()),
        ("def f(a):\n    return a + K", {"K"}, {"f"}, set()),
        ("[i for i in xs]", {"xs"}, set(), set()),
        ("%time x = f(1)", {"f"}, {"x"}, set()),
        ("with open('a') as h:\n    t = h.read()", {"@fs"}, {"h", "t"}, set()),
        ("df.to_csv('a.csv')", {"df", "@fs"}, set(), {"@fs"}),
        ("x = np.random.rand(3)", {"np", "@rng"}, {"x"}, {"@rng"}),
        ("import os\nos.chdir('a')", {"@cwd"}, {"os"}, {"@cwd"}),
        ("del x", {"x"}, {"x"}, {"x"}),
        ("for r in rows:\n    r.done = 1", {"rows"}, {"r"}, {"r"}),
    ],
)
def test_what_a_cell_reads_binds_and_may_change(source, reads, writes, mutates):
    e = effects_of(source)
    assert (set(e.reads), set(e.writes), set(e.mutates), e.unknown) == (reads, writes, mutates, False)


@pytest.mark.parametrize(
    "source",
    ["exec('x = 1')", "from m import *", "globals()['x'] = 1", "%%bash\nls", "%run other.py", "x = (", "eval(s)"],
)
def test_dynamic_code_is_unknown(source):
    assert effects_of(source).unknown


def test_a_slice_above_follows_names_mutations_and_what_functions_carry():
    nb = book(
        "K = 2", "def f(a):\n    return a * K", "other = 1", "xs = [1]", "ys = xs", "ys.append(2)", "print(f(xs))"
    )
    assert slice_above(nb, "c6") == ("c0", "c1", "c3", "c4", "c5")


def test_a_slice_below_follows_names_aliases_and_functions_defined_above():
    nb = book("def f():\n    return K", "K = 2", "print(f())", "x = 1", "print(x)", "exec(s)")
    assert slice_below(nb, "c1") == ("c2", "c5")


def test_a_call_reaches_what_the_function_changes():
    nb = book("n = 0", "def f():\n    global n\n    n += 1", "f()", "print(n)", "m = 1")
    assert slice_below(nb, "c2") == ("c3",)
    assert slice_above(nb, "c3") == ("c0", "c1", "c2")
    nb = book("log = []", "def g(x):\n    log.append(x)", "list(map(g, [1]))", "print(log)")
    assert slice_below(nb, "c2") == ("c3",)


def test_a_change_through_an_alias_reaches_the_first_name():
    nb = book("a = []", "b = a", "b.append(1)", "print(a)", "c = 3")
    assert slice_below(nb, "c2") == ("c3",)


def test_an_unknown_cell_depends_on_all_and_reaches_all():
    nb = book("a = 1", "exec(s)", "b = 2")
    assert slice_above(nb, "c1") == ("c0",)
    assert slice_below(nb, "c1") == ("c2",)
    assert "c1" in slice_below(nb, "c0")


def test_files_link_cells():
    nb = book("df.to_csv('a.csv')", "x = pd.read_csv('a.csv')", "y = 1")
    assert slice_below(nb, "c0") == ("c1",)
    assert slice_above(nb, "c1") == ("c0",)


def test_names_that_a_cell_needs_from_elsewhere():
    assert names_undefined("x = len(y)\nz = x + w") == {"y", "w"}
    assert names_undefined("df = pd.read_csv('a')") == {"pd"}
    assert names_undefined("x = (") == set()


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("df = pd.read_csv('a.csv')\nx = df['Revenu']", 2),
        ("df['b'] = df['missing'] * 2", 1),
        ("xs = []\nxs.append(1)\nboom", 3),
        ("print(df.head())\n1/0", 2),
        ("monthly = df.groupby('m')['r'].sum()\nprint(monthly)\nmonthly.foo", 3),
        ("import numpy as np\nx = np.float(1)\ndf['b'] = x", 2),
        ("%%time\nx = 1\n1/0", 3),
    ],
)
def test_a_cell_that_has_changed_nothing_can_resume(source, line):
    assert resumable(source, line)


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("df['b'] = 1\ndf['c'] = df['missing']", 2),
        ("log.append(1)\nboom", 2),
        ("x = x + 1\nboom", 2),
        ("a = compute(x)\nboom", 2),
        ("b = a\nb.append(1)\nboom", 3),
        ("df.to_csv('a.csv')\nboom", 2),
        ("del x\nboom", 2),
        ("n += 1\nboom", 2),
        ("!rm a.csv\nboom", 2),
        ("for r in rows:\n    out.append(r)\n    boom", 3),
        ("df.dropna(inplace=True)\nboom", 2),
        ("x = np.random.rand()\nboom", 2),
        ("x = (", 1),
        ("boom", None),
        ("(n := n + 1)\nboom", 2),
        ("%%time\nlog.append(1)\nboom", 1),
        ("%%time\nlog.append(1)\nboom", 2),
    ],
)
def test_a_cell_that_may_have_changed_something_cannot_resume(source, line):
    assert not resumable(source, line)


@pytest.mark.parametrize("source", ["total = sum(lines)\nboom", "x = thing.value\nboom", "plt.plot(xs)\nboom"])
def test_a_cell_that_reads_what_reading_changes_cannot_resume(source):
    source = "import matplotlib.pyplot as plt\n" + source
    assert resumable(source, 3)
    assert not resumable(source, 3, {"lines", "thing", "@plt"})
    assert resumable(source, 3, {"other"})


STATEMENTS = [
    "a = b",
    "b.append(a)",
    "c = f(a)",
    "def f(x):\n    return x + b",
    "print(c)",
    "exec(a)",
    "!ls",
    "b = [a, c]",
    "a += 1",
]


@given(st.lists(st.sampled_from(STATEMENTS), min_size=2, max_size=7), st.data())
def test_a_cell_above_that_is_depended_on_reaches_this_one(sources, data):
    nb = book(*sources)
    upper = data.draw(st.integers(0, len(sources) - 2))
    lower = data.draw(st.integers(upper + 1, len(sources) - 1))
    e, f = effects_of(sources[upper]), effects_of(sources[lower])
    if e.changes & (f.reads | f.mutates) or e.unknown or f.unknown:
        assert f"c{lower}" in slice_below(nb, f"c{upper}")
        assert f"c{upper}" in slice_above(nb, f"c{lower}")


@given(st.text(max_size=200))
def test_any_text_can_be_asked(source):
    effects_of(source)
    resumable(source, 1)
