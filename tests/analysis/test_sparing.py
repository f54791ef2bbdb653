"""Cells below a change that a trial need not run: random notebooks, run with and without them, show that nothing is missed."""

from __future__ import annotations

import random

import pytest

from jupyter_selfcode.analysis.sparing import spared
from jupyter_selfcode.values.notebook import Cell, Notebook
from tests.analysis.random_notebooks import changed, differ, names_bound, notebook, run


def book(*sources):
    return Notebook(tuple(Cell(f"c{i}", "code", s) for i, s in enumerate(sources)))


def with_cell(before, place, source):
    return Notebook(tuple(Cell(c.id, "code", source) if i == place else c for i, c in enumerate(before.cells)))


@pytest.mark.parametrize(
    ("below", "left_out"),
    [
        (["print(y)"], ["c2"]),
        (["print(x)"], []),
        (["z = [y]", "print(z)"], ["c2", "c3"]),
        (["z = [y]", "print(z, x)"], []),
        (["z = [y]\nprint(x)", "print(z)"], []),
        (["open('a.txt', 'w').write('1')", "print(open('a.txt').read(), x)"], []),
        (["import random\nrandom.seed(1)", "print(random.random(), x)"], []),
        (["assert y"], []),
        (['"""Words.\n\n>>> y\n2\n"""\nw = y'], []),
        (["exec('w = 1')", "print(y)"], []),
        (["y + 1", "print(_, x)"], []),
    ],
)
def test_what_the_change_cannot_reach_and_nothing_needs(below, left_out):
    before = book("x = 1", "y = 2", *below)
    after = with_cell(before, 0, "x = 3")
    assert list(spared(before, after, ["c0"], len(after.cells), {c.id for c in after.cells} - {"c1"})) == left_out


def test_only_what_is_dear_below_the_change_and_within_what_runs():
    before = book("a = 1", "x = 1", "print(2)", "print(3)", "print(4)")
    after = with_cell(before, 1, "x = 2")
    everything = {c.id for c in after.cells}
    assert spared(before, after, ["c1"], 5, everything) == ("c2", "c3", "c4")
    assert spared(before, after, ["c1"], 4, everything) == ("c2", "c3")
    assert spared(before, after, ["c1"], 5, {"c0", "c3"}) == ("c3",)
    assert spared(before, after, ["c1"], 5, ()) == ()


def violations(rng):
    """How many cells of a random notebook were spared after a random change, and what is wrong with it."""
    before = notebook(rng)
    after, replaced = changed(rng, before)
    left_out = spared(before, after, [replaced], len(after.cells), {c.id for c in after.cells} - {replaced})
    if not left_out:
        return 0, []
    binds = {c.id: names_bound(c) for c in before.cells}
    old, whole = run(before.cells, binds), run(after.cells, binds)
    part = run([c for c in after.cells if c.id not in left_out], binds)
    wrong = [i for i in part if differ(whole[i], part[i])] + [i for i in left_out if differ(old[i], whole[i])]
    told = "\n".join(f"[{c.id}]\n{c.source}" for c in before.cells)
    return len(left_out), [f"{told}\n--- {replaced}: {after.cell(replaced).source}\n--- {left_out}: {wrong}"] * bool(wrong)


def test_what_runs_gives_the_same_without_them_in_random_notebooks():
    count = 0
    for seed in range(400):
        some, wrong = violations(random.Random(seed))
        count += some
        assert not wrong, f"seed {seed}\n{wrong[0]}"
    assert count > 150  # else nothing would be shown
