"""What is known to be slow is rewritten where it is as simple as it looks, and gives the same."""

from __future__ import annotations

import pandas as pd
import pytest

from jupyter_selfcode.plugins.proposers.rules.slow import steps
from jupyter_selfcode.values.notebook import Cell, Notebook
from jupyter_selfcode.values.request import Variable

LOAD = "import pandas as pd\ndf = pd.DataFrame({'a': [1.5, 2.0, -3.0], 'b c': [2.0, 0.5, 1.0], 'n': [1, 2, 3]})\nitems = [3, 5, 8]\nk = 2"
KINDS = (Variable("items", "list"), Variable("df", "pandas.DataFrame"))


def rewritten(source: str) -> list[str]:
    cell = Cell("c1", "code", source)
    return [s.source for s in steps(Notebook((Cell("c0", "code", LOAD), cell)), cell, KINDS)]


SLOW = {
    "df['z'] = df.apply(lambda r: (r['a'] - 1) / r['b c'], axis=1)": "df['z'] = (df['a'] - 1) / df['b c']",
    "z = df['a'].apply(lambda x: k * x + 1).sum()": "z = (k * df['a'] + 1).sum()",
    "z = df['n'].map(lambda v: -v * v)": "z = -df['n'] * df['n']",
    "out = []\nfor i, row in df.iterrows():\n    out.append((i, row['a'] * row['b c']))":
        "out = []\nfor i, row_a, row_b_c in zip(df.index, df['a'], df['b c']):\n    out.append((i, row_a * row_b_c))",
    "res = pd.DataFrame()\nfor i in range(3):\n    part = df.head(i)\n    res = pd.concat([res, part], ignore_index=True)\nlen(res)":
        "res = pd.DataFrame()\nres_parts = [res]\nfor i in range(3):\n    part = df.head(i)\n    res_parts.append(part)\nres = pd.concat(res_parts, ignore_index=True)\nlen(res)",
    "hits = [x for x in range(9) if x in items]": "items_set = set(items)\nhits = [x for x in range(9) if x in items_set]",
    "n = 0\nfor x in range(9):\n    if x not in items:\n        n += items.index(3) if False else 1" : None,
}  # fmt: skip


@pytest.mark.parametrize(("source", "want"), [(s, w) for s, w in SLOW.items() if w])
def test_a_slow_pattern_becomes_what_says_the_same(source, want):
    assert rewritten(source) == [want]
    was, now = ({}, {})
    exec(f"{LOAD}\n{source}", was)
    exec(f"{LOAD}\n{want}", now)
    for name in ("df", "z", "out", "res", "hits"):
        if isinstance(was.get(name), (pd.DataFrame, pd.Series)):
            assert was[name].equals(now[name])
        else:
            assert was.get(name) == now.get(name)


@pytest.mark.parametrize(
    "source",
    [
        "z = df.apply(lambda r: f(r['a']), axis=1)",
        "z = df.apply(lambda r: r['a'] if r['n'] else 0, axis=1)",
        "z = df.apply(lambda r: r['a'] * r.sum(), axis=1)",
        "z = df.apply(lambda r: 2, axis=1)",
        "z = df['a'].apply(lambda x: x)",
        "z = df['a'].apply(lambda x: x ** k)",
        "for i, row in df.iterrows():\n    df.loc[i, 'a'] = row['a']",
        "for i, row in df.iterrows():\n    print(row)",
        "for i, row in df.iterrows():\n    x = row['a']\nprint(row['a'])",
        "res = pd.DataFrame()\nfor i in range(3):\n    res = pd.concat([res, df.head(len(res))])",
        "res = df\nfor i in range(3):\n    res = pd.concat([res, df])",
        "res = pd.DataFrame()\nfor i in range(3):\n    res = pd.concat([res, df], axis=1)",
        "for x in range(9):\n    if x in items:\n        items.append(x)",
        "for x in range(9):\n    if x in items:\n        grow(items)",
        "hits = [x for x in range(9) if x in df]",
        "5 in items",
        "x = (",
    ],
)
def test_what_is_not_as_simple_as_it_looks_is_left_alone(source):
    assert rewritten(source) == []


def test_several_patterns_are_offered_together_and_then_one_by_one():
    found = rewritten("z = df['a'].map(lambda v: v * 2)\nhits = [x for x in range(9) if x in items]")
    assert len(found) == 3
    assert "df['a'] * 2" in found[0]
    assert "items_set" in found[0]


def test_a_contract_and_magics_stay():
    (found,) = rewritten('%%selfcode\n"""Z.\n\n>>> len(z)\n3\n"""\nz = df["a"].map(lambda v: v * 2)')
    assert found == '%%selfcode\n"""Z.\n\n>>> len(z)\n3\n"""\nz = df["a"] * 2'
