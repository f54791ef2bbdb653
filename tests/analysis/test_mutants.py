"""A mistake is one edit: the cell still parses, reads otherwise, and keeps its contract, its magics and its words."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_selfcode.analysis.contract import examples_of, executable, read
from jupyter_selfcode.analysis.evidence import asserted
from jupyter_selfcode.analysis.magics import mask, parse
from jupyter_selfcode.analysis.mutants import columns_named, slips

LINES = (
    "total = 0", "total += price * quantity", "é = df[df['größe'] >= -1.5]  # größer", "df = df.dropna(subset=['a'])",
    "out = df.merge(other, on='k', how='left')", "out = df.merge(other, on='k')", "m = df.groupby('k')['v'].agg('sum')",
    "m = df.groupby('k').agg({'v': ['min', 'max'], 'w': 'mean'})", "m = m.sort_values('v', ascending=False).head(10)",
    "x = np.mean(a, axis=0)", "ok = x > 1 and not y or z is None", "keep = (df.a > 1) & ~(df.b == 'x')",
    "if total:\n    total = -total\nelse:\n    total = abs(total)", "for i in range(1, n):\n    total -= i % 2",
    "def f(a, b=1):\n    '''Doc 1 < 2.\n\n    >>> 1 + 1\n    2\n    '''\n    return a // b if a else b", "%matplotlib inline",
    "files = !ls 1 2", "%%time", "assert total == 1 + 1", "import os", "print(total + 1)", "df['new'] = df['a'] - 1",
    "names = sorted(set(names))", "s = s.between(1, 2, inclusive='both')", "w: int = 3", "while n < 3: n = n + 1",
    "r = df.rolling(7).mean().fillna(0).round(2)", "text = f'{total + 1} of {n}' + 'x' * 3", "df.drop(columns=['a'], inplace=True)",
    "del total", "class C:\n    n = 1\n    def g(self):\n        return self.n + 1", "x = 10 ** 2; y = 7 % 3", "v = [1, 2][0:1]",
    "t = pd.cut(a, 3, right=True)", "é = 'größe' in names and 'é' < 'ü'", "x = a\\\n    + b", "x = (a  # + 1\n     + b)",
)  # fmt: skip
CELLS = st.builds(
    lambda head, lines: head + "\n".join(lines),
    st.sampled_from(["", '%%selfcode\n"""Words.\n\n>>> total + 1\n2\n"""\n', "%%selfcode words < 3\n", '"""Words.\n\n>>> 1 < 2\nTrue\n"""\n']),
    st.lists(st.sampled_from(LINES), min_size=1, max_size=6),
)  # fmt: skip


def notebooks() -> list[str]:
    """Every code cell of the example notebooks."""
    folder = Path(__file__).parents[2] / "example_notebooks"
    found = []
    for path in sorted(folder.rglob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        found += ["".join(c["source"]) for c in cells if c["cell_type"] == "code"]
    return found


def hold(source: str) -> None:
    """The law, for every mistake in a cell."""
    tree = parse(executable(source))
    known = {ast.dump(tree)} if tree else set()
    for slip in slips("c", source):
        changed = parse(executable(slip.source))
        assert changed is not None, f"no Python: {slip}"
        assert ast.dump(changed) not in known, f"the same again: {slip}"
        known.add(ast.dump(changed))
        assert [e.source for e in examples_of(slip.source)] == [e.source for e in examples_of(source)]
        assert [e.want for e in examples_of(slip.source)] == [e.want for e in examples_of(source)]
        assert asserted(slip.source) == asserted(source)
        assert [m.text for m in mask(slip.source).magics] == [m.text for m in mask(source).magics]
        assert read(slip.source).words == read(source).words
        assert 1 <= slip.line <= source.count("\n") + 1


@given(CELLS)
def test_every_mistake_parses_differs_and_leaves_contract_magics_and_words_alone(source):
    hold(source)


@pytest.mark.parametrize("source", notebooks(), ids=lambda source: source[:20].replace("\n", " "))
def test_the_law_holds_for_the_cells_of_the_example_notebooks(source):
    hold(source)


def said(source: str, before: str = "") -> set[str]:
    return {s.said for s in slips("c", source, before)}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("big = df[df.x >= 10]", {">= → >", "10 → 11", "10 → 9"}),
        ("r = df.x * df.y", {"* → /"}),
        ("m = a.merge(b, on='k')", {"how='left' added"}),
        ("m = a.merge(b, on='k', how='left')", {"'left' → 'inner'"}),
        ("t = df.groupby('k').x.sum()", {"sum → mean"}),
        ("t = df.groupby('k').agg({'x': 'sum'})", {"'sum' → 'mean'"}),
        ("t = np.mean(a, axis=1)", {"mean → median", "1 → 0", "1 → 2"}),
        ("t = df.sort_values('x')", {".sort_values('x') left out", "ascending=False added"}),
        ("t = df.dropna()", {".dropna() left out"}),
        ("df = df.dropna()", {".dropna() left out", "df = df.dropna() left out"}),
        ("df['a'] = df.b", {"df['a'] = df.b left out"}),
        ("s = x.between(1, 1, inclusive='both')", {"'both' → 'left'", "1 → 2", "1 → 0"}),
        ("import math\nprint(1 + 1)\nassert x == 1", set()),
        ("p = f'{x + 1}'", set()),
        ("name = 'a' + b", set()),
        ("t = df['a'] + df['b']", {"+ → -", "'a' → 'b'", "'b' → 'a'"}),
        ("df['n'] = df[['a', 'b']].sum(axis=1)", {"sum → mean", "1 → 0", "1 → 2", "df['n'] = df[['a', 'b']].sum(axis=1) left out", "'a' → 'b'", "'a' → 'n'", "'b' → 'n'", "'b' → 'a'"}),
        ("lots of words that are no Python", set()),
        ("%%bash\nls 1", set()),
    ],
)
def test_the_mistakes_that_are_made(source, expected):
    assert said(source) == expected


def test_what_the_change_brought_comes_first_and_is_marked():
    before = "a = x + 1\nb = y.sum()\nc = z - 2"
    found = list(slips("c", "a = x + 1\nb = y.max()\nc = z - 2", before))
    assert [s.said for s in found if s.new] == ["max → min"]
    assert found[0].said == "max → min"
    assert {s.said for s in found[1:]} == {"+ → -", "1 → 2", "1 → 0", "- → +", "2 → 3", "2 → 1"}


def test_columns_that_other_cells_name_are_taken_by_mistake_too():
    columns = columns_named(["df['a']", "g = df.groupby(['k', 'm'])[['b']].agg('sum')", "x = words['", "d.get('no')"])
    assert columns == ("a", "b", "k", "m")
    assert {s.said for s in slips("c", "t = df['a']", "", columns)} == {"'a' → 'b'", "'a' → 'k'"}
    assert {s.said for s in slips("c", "t = df.groupby('k').size()", "", columns)} >= {"'k' → 'a'", "'k' → 'b'"}


def test_a_bounded_number_holds_every_kind_and_every_statement():
    source = "a = x + 1 + 2 + 3 + 4\nb = y.sum()\nc = z >= 3"
    first = list(slips("c", source))[:5]
    assert {s.line for s in first} == {1, 2, 3}
    assert {"arithmetic", "aggregate", "boundary"} <= {s.kind for s in first}


def test_lines_are_counted_in_the_cell():
    (slip,) = [s for s in slips("c", '%%selfcode\n"""Words.\n\n>>> a\n1\n"""\nimport os\na = b < c') if s.kind == "boundary"]
    assert slip.line == 8
    assert slip.source.endswith("a = b <= c")
    assert slip.source.startswith('%%selfcode\n"""Words.')
