"""Random notebooks that share names, objects, iterators, functions and resources in awkward ways, and a way to run them.

Each is run cell by cell in this process; what a cell shows and the state of what it binds are noted as it ends, so that two
runs can be compared. A cell that fails is noted too, and the next one runs, as a run of Jupyter would not.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import io
import os
import random
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jupyter_selfcode.analysis.framing import framed
from jupyter_selfcode.analysis.trees import stored
from jupyter_selfcode.values.notebook import Cell, Notebook

DATA = ("a", "b", "c", "d", "e")
FUNCTIONS = ("f", "g", "h")
TEMPLATES = (
    *("D = [1, 2, N]", "D = {'k': D, 'n': N}", "D = D", "D = N", "D = (D, D)", "D = [D, D]", "D = D[0]", "D = D['k']"),
    *("D.append(N)", "D.append(D)", "D += [N]", "D += N", "D = D + [N]", "D[0] = D", "D['k'] = N", "del D", "D.sort()"),
    *("print(D)", "D", "print(len(D), N)", "print(sum(D))", "print(D is D)", "print(sorted(D, key=F))", "print(max(D))"),
    *("D = iter(D)", "D = map(F, D)", "D = list(map(F, D))", "D = zip(D, D)", "D = enumerate(D)", "print(next(D))"),
    *("D = (q for q in D)", "D = [q for q in D]", "D = [q * K for q in D]", "D = [w for q in D for w in q]", "D, D = D"),
    *("for q in D:\n    D.append(q) if len(D) < 9 else None", "for q in D:\n    q.append(N)", "[q.append(N) for q in D]"),
    *("K = N", "K += 1", "print(K)", "F = lambda x: x", "F = lambda x: K", "F = len", "print(F(D))", "D = F(D)", "F()"),
    *("def F(x=N):\n    return x", "def F(x=D):\n    return x", "def F(x=[]):\n    x.append(N)\n    return x"),
    *("def F(x):\n    x.append(K)\n    return x", "def F(x):\n    global D\n    D = x\n    return K"),
    *("def F(x):\n    y = D\n    y.append(N)\n    return y", "def F(x):\n    return G(x)", "def F(x=0):\n    return D"),
    *("def F(x):\n    D.append(x)\n    return N", "def F(x):\n    yield from D", "def F(x=0):\n    return [K, x]"),
    *("def F(x=0):\n    global K\n    K = N\n    return x", "def F(x=0):\n    return list(D)", "F.t = N", "print(F.t)"),
    *("def F(x=0):\n    def inner():\n        return D\n    return inner", "D = F()()", "def F(x):\n    for q in x: return q"),
    *("D = D.copy()", "D = list(D)", "D = sorted(D)", "D = tuple(D)", "D = dict(D)", "D = copy.deepcopy(D)", "D = D.pop"),
    *("D = D.append", "D(N)", "print(D.get('k'))", "D.get('k').append(N)", "D.update(D)", "D.extend(D)", "D.setdefault('k', D)"),
    *("import random", "random.seed(N)", "print(random.random())", "from random import random as F", "random.shuffle(D)"),
    *("import os", "os.environ['Q'] = 'N'", "print(os.environ.get('Q'))", "import math\nprint(math.floor(N))", "import copy"),
    *("math.pi = N", "import math", "print(math.pi)", "random.random = lambda: N", "setattr(math, 'e', N)", "print(math.e)"),
    *("exec('D = N')", "globals()['D'] = N", "eval('D.append(N)')", "print(eval('D'))", "from math import *", "print(locals()['K'])"),
    *("len = F", "print = print", "sum = lambda x: N", "import builtins\nbuiltins.len = lambda x: N", "del len", "_", "print(_)"),
    *("open('p.txt', 'w').write('N')", "print(open('p.txt').read())", "open('r.txt', 'w').write('N')", "print(open('./p.txt').read())"),
    *("with open('p.txt', 'a') as D:\n    D.write('N')", "print(os.listdir())", "D = open('p.txt')", "print(D.read())", "os.remove('p.txt')"),
    *("class C:\n    def __init__(self): D.append(N)", "C()", "class C:\n    t = N\n    def __repr__(self): D.append(N); return 'C'"),
    *("D = C()", "C.t = N", "print(C.t)", "if K:\n    D = [N]", "while len(D) < 3:\n    D.append(N)", "K = len(D)", "D = D or D"),
    *("try:\n    D.append(D[9])\nexcept Exception as q:\n    D = [N]", "assert D", "(D := [N]).append(K)", "print([*D, *D])", "N in D"),
    *("D = [F]", "D = {'f': F}", "print(D[0](1))", "D['f'](D)", "F(F)", "print(F(G(N)))", "D = [G, F]", "F = G", "print(D == D)"),
    *("match D:\n    case [q, *D]:\n        print(q)", "D = D if K else D", "D = f'{len(D)} {K}'", "D = str(K)", "print(*D)", "D[:] = D"),
    *("import warnings\nwarnings.simplefilter('ignore')", "import sys\nsys.stdout.q = 1", "D.reverse()", "D = reversed(D)"),
    *("import collections\nD = collections.Counter(D)", "D = collections.defaultdict(list)", "D['z']", "D['z'].append(N)"),
    *("import functools\nprint(functools.reduce(F, D, N))", "@functools.lru_cache\ndef F(x=0):\n    return K", "D = functools.partial(F, D)"),
    *("def F(x):\n    x = x[0]\n    x.append(N)\n    return x", "def F(x):\n    D = [x]\n    D.append(N)\n    return D", "setattr(F, 't', D)"),
    *("def F(x):\n    return [q for q in D]", "def F(x=0):\n    z = [D]\n    z[0].append(N)", "def F(x, *y, **z):\n    return x, y, z"),
    *("def F(x):\n    return map(G, x)", "def F(x):\n    return iter(D)", "def F(x):\n    D[0] = x", "def F(x):\n    return lambda: K"),
    *("D = vars()", "print(dir())", "D.clear()", "D.insert(0, D)", "print(str(K) + str(N))", "print(D.pop())", "D = D.items()", "D = D.keys()"),
    *("D = getattr(D, 'append')", "D.__init__([N])", "D.__class__", "D = set(D)", "D.add(N)", "D |= {N}", "D -= {N}", "D.discard(N)"),
)  # fmt: skip


def statement(rng: random.Random) -> str:
    """One statement, its capital letters replaced by names and numbers."""
    words = {"D": DATA, "F": FUNCTIONS, "G": FUNCTIONS, "K": ("k", "m"), "N": ("1", "2", "3", "7")}
    text, out, i = rng.choice(TEMPLATES), [], 0
    while i < len(text):
        alone = not (text[i - 1 : i].isalnum() if i else False) and not text[i + 1 : i + 2].isalnum()
        out.append(rng.choice(words[text[i]]) if text[i] in words and alone else text[i])
        i += 1
    return "".join(out)


USUAL = ("import random, math, os, copy", "a = [1, 2]\nb = a", "c = {'k': [3]}\nd = 5", "k = 2\nm = 3\ne = [[1], [2]]",
         "def f(x=0):\n    return x\ndef g(x=0):\n    return [k]\ndef h(x=0):\n    return a")  # fmt: skip


def notebook(rng: random.Random) -> Notebook:
    """A few cells that make what the others use, then three to eight cells of one to three statements."""
    sources = list(USUAL)
    sources += ["\n".join(statement(rng) for _ in range(rng.choice((1, 1, 2, 3)))) for _ in range(rng.randint(3, 8))]
    return Notebook(tuple(Cell(f"c{i}", "code", s) for i, s in enumerate(sources)))


def changed(rng: random.Random, before: Notebook) -> tuple[Notebook, str]:
    """The notebook with one cell replaced by another, and its id."""
    cell = rng.choice(before.cells)
    source = "\n".join(statement(rng) for _ in range(rng.choice((1, 1, 2))))
    return Notebook(tuple(Cell(c.id, "code", source) if c is cell else c for c in before.cells)), cell.id


def state(value: Any, seen: tuple[int, ...] = ()) -> Any:
    """A picture of a value that does not change it: containers to their ground, iterators by what is left of them."""
    if id(value) in seen or len(seen) > 6:
        return "…"
    inner = (*seen, id(value))
    if isinstance(value, str) and " at 0x" in value:
        return "an address"
    if isinstance(value, (int, float, str, bool, type(None), bytes)):
        return (type(value).__name__, value)
    if isinstance(value, (list, tuple)):
        return (type(value).__name__, *(state(v, inner) for v in value))
    if isinstance(value, (set, frozenset)):
        return (type(value).__name__, *sorted(map(repr, (state(v, inner) for v in value))))
    if isinstance(value, dict) and "__builtins__" in value:
        return "the namespace"
    if isinstance(value, dict):
        return (type(value).__name__, *((state(k, inner), state(v, inner)) for k, v in value.items()))
    if type(value).__name__ in ("list_iterator", "list_reverseiterator", "tuple_iterator"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return (type(value).__name__, state(value.__reduce__()[1:], inner))
    return (type(value).__name__, getattr(value, "__name__", ""))


class _Stop(BaseException):
    """A cell of a random notebook ran for too long."""


def run(cells: Sequence[Cell], binds: dict[str, frozenset[str]]) -> dict[str, Any]:
    """What each cell shows, and the state of what it binds, in a run of these cells in this order."""
    import builtins
    import math
    import sys

    namespace: dict[str, Any] = {"__name__": "__main__"}
    found: dict[str, Any] = {}
    kept = [(m, dict(vars(m))) for m in (builtins, math, random, os)]
    environment, folder, rng_state, hook = dict(os.environ), Path.cwd(), random.getstate(), sys.displayhook
    random.seed(1)
    try:
        with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as made:
            os.chdir(made)
            for cell in cells:
                found[cell.id] = _cell(cell, namespace, binds.get(cell.id, frozenset()))
            os.chdir(folder)
    finally:
        for module, names in kept:
            for name in set(vars(module)) - set(names):
                delattr(module, name)
            for name, value in names.items():
                if vars(module).get(name) is not value:
                    setattr(module, name, value)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        random.setstate(rng_state)
        sys.displayhook = hook
    return found


def _cell(cell: Cell, namespace: dict[str, Any], binds: frozenset[str]) -> Any:
    import sys

    out = io.StringIO()
    steps, had = 0, {n: namespace.get(n) for n in binds}

    def count(*_: Any) -> Any:
        nonlocal steps
        steps += 1
        if steps > 3000:
            raise _Stop
        return count

    error = ""
    with contextlib.redirect_stdout(out), warnings.catch_warnings():
        try:
            tree = ast.parse(cell.source)
            sys.settrace(count)
            for node in tree.body:
                if isinstance(node, ast.Expr):
                    exec(compile(ast.Interactive([node]), "<cell>", "single"), namespace)
                else:
                    exec(compile(ast.Module([node], []), "<cell>", "exec"), namespace)
        except BaseException as e:
            error = type(e).__name__
        finally:
            sys.settrace(None)
    shown = out.getvalue()
    if error:  # a run would end here: what the cell was to bind is nothing from now on, in every order
        namespace |= dict.fromkeys(binds)
    bound = [] if error else [n for n in sorted(binds) if namespace.get(n) is not had[n]]
    made = {n: copy.copy(state(namespace[n])) if n in namespace else "gone" for n in bound}
    return error, shown if " at 0x" not in shown else "", made


def differ(first: Any, second: Any) -> bool:
    """Whether a cell showed something else, or bound a name to something else that it bound in both runs."""
    made = first[2].keys() & second[2].keys()
    return bool(first[:2] != second[:2] or any(first[2][n] != second[2][n] for n in made))


def violations(rng: random.Random) -> tuple[int, int, list[str]]:
    """One random notebook, run in its order, with a cell moved to the end, and with a cell replaced. How many cells were
    labelled, how many of these `proved`, and a report for each of those that was affected nevertheless."""
    before = notebook(rng)
    after, replaced = changed(rng, before)
    moved = rng.choice(before.cells)
    without = Notebook(tuple(c for c in before.cells if c is not moved))
    binds = {c.id: names_bound(c) for c in before.cells}
    first = run(before.cells, binds)
    labelled = proved = 0
    reports = []
    for there, order, touched in (
        (without, [*without.cells, moved], {moved.id}),
        (after, list(after.cells), {replaced}),
    ):
        labels = framed(before, there, touched)
        labelled += len(labels)
        second = run(order, binds)
        for cell_id, label in labels.items():
            proved += label == "proved"
            if label == "proved" and differ(first[cell_id], second[cell_id]):
                told = "\n".join(f"[{c.id}]\n{c.source}" for c in before.cells)
                new = there.cell(replaced).source if there is after else "moved to the end"
                reports.append(
                    f"{told}\n--- changed {touched}: {new}\n--- {cell_id}: {first[cell_id]} / {second[cell_id]}"
                )
    return labelled, proved, reports


def names_bound(cell: Cell) -> frozenset[str]:
    """Names that a cell may bind."""
    return frozenset(_stored(cell.source))


def _stored(source: str) -> set[str]:
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return set()
    return set(stored(tree.body))
