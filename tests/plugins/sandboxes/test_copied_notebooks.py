"""Random notebooks, run as a person might: what goes on from copied variables gives what a run from the top gives.

Cells run again, out of order, between others and on what is no cell any more; names share objects, functions change globals. Either
it is said that nothing may be copied, or the cells below show and bind the same as after a run of the cells above in a new process
(here: names of their own, and modules as they were). Notebooks that write files are left out (a copy has them, a new run only its own), and those that break Python itself.
"""

from __future__ import annotations

import builtins
import contextlib
import math
import os
import random
import sys
import tempfile
import warnings
from collections import Counter

import pytest

from jupyter_selfcode.analysis import copying, surroundings, surveying, unpickling
from jupyter_selfcode.analysis.staleness import Ran
from jupyter_selfcode.hosts.ipython.copying import FIXED, draws
from jupyter_selfcode.plugins.sandboxes.pickled import CannotCopy, take
from jupyter_selfcode.values.notebook import Cell
from tests.analysis import random_notebooks as notebooks

pytestmark = pytest.mark.timeout(170, method="thread")

MODULES = (builtins, math, random, os)
NAMES = (*notebooks.DATA, *notebooks.FUNCTIONS, "k", "m")


@contextlib.contextmanager
def process():
    """What a process has beside names, as new; given is what makes the modules new again in between."""
    kept = [(m, dict(vars(m))) for m in MODULES]
    environment, folder, drawn, hook, filters = dict(os.environ), os.getcwd(), random.getstate(), sys.displayhook, list(warnings.filters)  # noqa: PTH109

    def anew():
        for module, names in kept:
            for name in set(vars(module)) - set(names):
                delattr(module, name)
            vars(module).update(names)
        os.environ.clear()
        os.environ.update(environment)

    random.seed(1)
    with tempfile.TemporaryDirectory() as made:
        os.chdir(made)
        try:
            yield anew
        finally:
            anew()
            os.chdir(folder)
            random.setstate(drawn)
            sys.displayhook = hook
            warnings.filters[:] = filters


def ran(cell, names):
    """The error that a cell ends with, and what it shows."""
    return notebooks._cell(cell, names, frozenset())[:2]


def session(rng, book, place):
    """The names after the cells above have run, with others between and after; the runs, and the random numbers (None where another
    cell drew some in between). None where one of the cells above fails."""
    names, runs = {"__name__": "__main__"}, []

    def run(cell):
        failed = ran(cell, names)[0]
        runs.append(Ran(cell.id, cell.source, not failed))
        return failed

    gone = [Cell(f"x{i}", "code", "\n".join(notebooks.statement(rng) for _ in range(rng.choice((1, 2))))) for i in range(2)]
    others, often = [*book.cells[5:], *gone], rng.choice((0.0, 0.15))
    drawn, between = random.getstate(), False
    for cell in copying.above(book, place):
        while rng.random() < often:
            run(rng.choice(others))
            between = between or random.getstate() != drawn
        if run(cell):
            return None
        drawn = random.getstate()
    for _ in range(rng.choice((0, 0, 1, 1, 2))):
        run(rng.choice(others))
    return names, runs, None if between else drawn


def copied(names, runs, drawn, book, place, anew):
    """The names in another process, or None where nothing may be copied."""
    cells, below = copying.above(book, place), copying.rest(book, place)
    way = copying.steps(cells, runs)
    if isinstance(way, str) or drawn is None:
        return None
    there = {n for n in copying.bound(cells) if n in names}
    unsteady = {*surveying.unsteady({n: names[n] for n in there})["unsteady"], *(n for n in there if draws(names[n]))}
    changed = copying.unfaithful(cells, way, runs, copying.bound(cells), fixed=lambda n: isinstance(names.get(n), FIXED), unsteady=unsteady)
    if isinstance(changed, str) or copying.lacking(cells, below, dict(changed)):
        return None
    needed, settings = copying.wanted(there, cells, below), surroundings.settings() | {"random": drawn}
    modules = [m for m in copying.modules_of(cells) if m in sys.modules]
    told = surroundings.told(modules, os.getcwd(), settings), surroundings.modules(modules, modules)  # noqa: PTH109
    try:
        pickled = take(names, sorted(needed), sorted(there - needed - set(changed)), settings, seconds=30.0)
    except CannotCopy:
        return None
    anew()
    found = {"__name__": "__main__"}
    with contextlib.closing(pickled):
        reply = unpickling.load(pickled.reader(), list(pickled.names), modules, 1, found, lambda s: random.setstate(s["random"]))
    left_out = {**changed, **pickled.left_out}
    if reply["failed"] or set(reply["came"]) & set(left_out) or copying.lacking(cells, below, left_out):
        return None
    there = surroundings.modules(modules, modules)
    if copying.apart(told[0], surroundings.told(modules, os.getcwd(), surroundings.settings())) or copying.changed_in(told[1], there):  # noqa: PTH109
        return None
    return found


def outcome(cells, names):
    """What these cells show, and then hold."""
    shown = [ran(c, names) for c in cells]
    return shown, {n: notebooks.state(names[n]) for n in NAMES if n in names}


def test_what_goes_on_from_copied_variables_gives_what_a_run_from_the_top_gives():
    happened = Counter()
    for seed in range(400):
        rng = random.Random(seed)
        book = notebooks.notebook(rng)
        if any(word in c.source for c in book.cells for word in ("p.txt", "r.txt", "listdir", "builtins")):
            continue
        place = rng.randint(5, len(book.cells) - 1)
        cells, below = copying.above(book, place), copying.rest(book, place)
        with process() as anew, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            lived = session(rng, book, place)
            names = copied(*lived, book, place, anew) if lived else None
            if names is None:
                happened["not copied" if lived else "failed"] += 1
                continue
            happened["copied"] += 1
            shown, held = outcome(below, names)
        with process():
            fresh = {"__name__": "__main__"}
            for cell in cells:
                ran(cell, fresh)
            expected, wanted = outcome(below, fresh)
        told = "\n".join(f"[{c.id}]\n{c.source}" for c in book.cells) + f"\n{[(r.cell_id, r.source) for r in lived[1]]}\n{place}"
        used = copying.wanted(copying.bound(cells), cells, below) | (copying.bound(below) - copying.bound(cells))
        assert shown == expected, told
        assert {n: held.get(n) for n in used} == {n: wanted.get(n) for n in used}, told
    assert happened["copied"] > 20
    assert happened["not copied"] > 20
