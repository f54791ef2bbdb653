"""Whether the variables of a live kernel are what the cells above a change have made, and which of them the rest needs.

The names that go along are those that cells above bind: what only the cells below bind is not there before they have run, and a
change that no longer makes it has to fail. The runs of the session are followed with what the code of each may change
(`effects`, conservative: an unknown call may change all that it is given). A run that is no part of the one way from the top to
the change taints what it may have changed, until a cell above makes that anew; what is needed and tainted is not taken for what
the cells above give. When in doubt the answer is no, and the cells above run again.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..values.notebook import Cell, Notebook
from . import surroundings, unpickling
from .contract import executable, in_kernel
from .effects import BUILTINS, Effects, Whole, effects_of, effects_through
from .forms import is_intent
from .magics import mask, parse_masked
from .marks import LINE
from .preloading import OURS
from .staleness import Ran
from .trees import imports, root, stored

HISTORY = re.compile(r"_{1,3}|_i{1,3}|_\d+|_i\d+|_ih|_oh|_dh|In|Out")
"""Names by which IPython gives what ran before."""

LISTING = frozenset(("vars", "dir", "locals", "globals"))
"""Functions that, asked of nothing, give all names: in an order, and with names, that are not to be had again."""

SETTERS = re.compile(
    r"set_\w+|seed|manual_seed|use|rc|rcdefaults|rc_file|set|seterr|seterrcall|simplefilter|filterwarnings|resetwarnings|basicConfig|dictConfig|"
    r"setlocale|setrecursionlimit|patch|chdir|putenv|unsetenv|load_dotenv|register\w*|setcontext|pandas|install|enable\w*|disable\w*|"
    r"setdefaulttimeout|tzset|init\w*|setup|configure|ion|ioff|switch_backend|reload"
)
"""Functions of modules that are likely to change settings of a library or of the process."""

SETTING = re.compile(r"setLevel|addHandler|removeHandler|setattr|delattr")
"""The same, whoever has them."""

ASIDE = re.compile(
    r"(?:plt|pyplot|matplotlib|mpl|sns|seaborn)\.(?!.*\b(?:ion|ioff|switch_backend|use|register)\b).*|"
    r"(?:pd|pandas)\.(?:set_option|reset_option|options\..*)|(?:np|numpy)\.(?:random\.seed|set_printoptions|seterr|save\w*|random\.shuffle|put\w*|copyto|fill_diagonal)|"
    r"random\.\w+|warnings\.\w+|time\.sleep|(?:os|shutil|Path|pathlib)\..*|logging\..*|(?:json|pickle|joblib|csv)\.\w+|gc\.collect|"
    r"sys\.(?:setrecursionlimit|stdout\..*|stderr\..*|path\..*)|torch\.manual_seed|sklearn\.set_config|locale\.setlocale|subprocess\.\w+|decimal\..*|"
    r"display|pprint|pprint\.pprint|clear_output|seed|shuffle|sleep|makedirs|filterwarnings|simplefilter|set_option|set_printoptions|heapq\.\w+|bisect\.\w+|"
    r"heappush|heapify|insort"
)
"""Functions of modules that are called for what they do beside their value: what these do is carried, compared, or in a file."""

QUIET = frozenset(("matplotlib", "pwd", "who", "whos", "history", "lsmagic", "pinfo", "pinfo2", "time", "timeit", "prun", "memit", "pip", "conda", LINE[1:]))
"""Line magics above a change whose doing is in no variable, and needs not be done again."""

OURSELVES = (OURS, "%config SelfCode.")
"""Lines that are about us, and do nothing in a trial."""

COMMON = frozenset(("np", "pd", "plt", "os", "sys", "mpl", "sns", "warnings", "random", "torch", "matplotlib", "pandas", "numpy"))
"""Names that are modules also where the cell itself does not say."""

KNOWN = re.compile(r"\.rcParams\b|\.options\.|\.environ\b")
"""Settings that are carried, or compared."""

OUTSIDE = re.compile(r"(?:/|~|\.\./|[A-Za-z]:\\|[a-z][a-z0-9+.-]*://).*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Failed:
    """The cell that has failed last, and the line where."""

    cell_id: str
    line: int | None


def above(notebook: Notebook, place: int) -> tuple[Cell, ...]:
    """The cells that have code to run before the cell at this place."""
    return tuple(c for c in notebook.cells[:place] if c.type == "code" and c.runs and not is_intent(c.source))


def _effects(cell: Cell) -> Effects:
    return effects_of(executable(cell.source))


def bound(cells: Iterable[Cell]) -> frozenset[str]:
    """Names that these cells bind."""
    return frozenset[str]().union(*(_effects(c).writes for c in cells)) - {"*"}


def _taken_in(source: str, effects: Effects) -> set[str]:
    """What code may read or change; of Python's own names too, which a cell may have bound to something else."""
    named = {n.id for n in ast.walk(_tree(source)) if isinstance(n, ast.Name)}
    return {*effects.reads, *effects.mutates, *(named & BUILTINS)}


def asked(cells: Iterable[Cell]) -> frozenset[str] | None:
    """Names that these cells may read or change, made by themselves or not; None where that cannot be told, so all of them."""
    found = set[str]()
    for cell in cells:
        effects = _effects(cell)
        if effects.unknown:
            return None
        found |= _taken_in(cell.source, effects)
    return frozenset(n for n in found if not n.startswith("@"))


def wanted(names: Iterable[str], cells: Sequence[Cell], below: Sequence[Cell]) -> frozenset[str]:
    """Of these names, which the `cells` above bind, those that the cells below may read or change, themselves or through functions
    that cells above define; all of them where that cannot be told."""
    own = asked(below)
    if own is None:
        return frozenset(names)
    whole = Whole([_effects(c) for c in (*cells, *below)])
    reached = whole.reached(own)
    return frozenset(n for n in names if whole.first(n) in reached)


def rest(notebook: Notebook, place: int) -> tuple[Cell, ...]:
    """The cells from this place on that have code to run."""
    return tuple(c for c in notebook.cells[place:] if c.type == "code" and c.runs and not is_intent(c.source))


def worth(cells: Iterable[Cell], seconds: Mapping[str, float], least: float) -> bool:
    """Whether it is better to copy than to let these cells run again: they took at least so many seconds, or are likely to be
    refused in the cage, since they use the network, or change files outside of the folder."""
    if sum(seconds.get(c.id, 0.0) for c in cells) >= least:
        return True
    for cell in cells:
        effects = _effects(cell)
        if "@net" in effects.reads | effects.changes:
            return True
        if "@fs" in effects.mutates and any(OUTSIDE.fullmatch(text) for text in _texts(cell.source)):
            return True
    return False


def _tree(source: str) -> ast.Module:
    """The code of a cell; nothing where it cannot be read."""
    masked = mask(executable(source))
    return (None if masked.opaque else parse_masked(masked)) or ast.Module([], [])


def _texts(source: str) -> list[str]:
    return [n.value for n in ast.walk(_tree(source)) if isinstance(n, ast.Constant) and isinstance(n.value, str)]


# ---- whether it is the state above -----------------------------------------------------------------------------------


def steps(cells: Sequence[Cell], runs: Sequence[Ran]) -> tuple[int, ...] | str:
    """Which runs are the way through these cells from the top, in order; or why there is none in this session."""
    way, before = list[int](), -1
    for cell in cells:
        last = max((i for i, r in enumerate(runs) if r.cell_id == cell.id), default=-1)
        if last < 0 or runs[last].source != cell.source:
            return f"cell {cell.id} has not run as it is now"
        if not runs[last].ok and "raises-exception" not in cell.tags:
            return f"cell {cell.id} has failed"
        if last < before:
            return f"cell {cell.id} ran last before a cell above it did"
        way.append(last)
        before = last
    return tuple(way)


def unfaithful(
    cells: Sequence[Cell], way: Sequence[int], runs: Sequence[Ran], names: Collection[str], *, fixed: Callable[[str], bool],
    unsteady: Collection[str] = (), failed: Failed | None = None,
) -> Mapping[str, str] | str:
    """Of these names those that may hold something else than the cells above have given them, and the cell that may have changed
    each; or why that cannot be told of any.

    `way`: what `steps` gave. `fixed`: whether the value of a name cannot change in place; `unsteady`: names that reading changes.
    `failed`: where the last run of a cell has ended, so that what stands below did not happen.
    """
    modules = {name for cell in cells for name, _ in imports(ast.walk(_tree(cell.source)))} | COMMON
    for cell in cells:
        if _effects(cell).unknown:
            return f"what cell {cell.id} has made cannot be told from its code"
        if said := unheard_of(cell, modules):
            return said
    clean, known = set(way), {c.source for c in cells}
    effects = [effects_of(executable(r.source)) for r in runs]
    whole = Whole(effects)
    ended = max((i for i, r in enumerate(runs) if failed and r.cell_id == failed.cell_id and not r.ok), default=-1)
    tainted: dict[str, str] = {}
    for i, (run, found) in enumerate(zip(runs, effects, strict=True)):
        if i in clean:
            read = whole.reached(_taken_in(run.source, found))
            spoiled = next((by for name, by in tainted.items() if whole.first(name) in read), "")
            for name in found.writes:
                tainted.pop(name, None)
            if spoiled:
                tainted |= dict.fromkeys(found.changes, spoiled)
            continue
        if not run.ok and _no_python(run.source):
            continue  # a syntax error: nothing of it has run
        if i == ended and failed is not None:
            found = effects_through(executable(run.source), failed.line) or found
        if run.source not in known and unsettles(run.source):
            return f"cell {run.cell_id} may have changed settings that the cells above do not"
        touched = whole.touched(found)
        for name in names:
            reached = found.unknown or whole.first(name) in touched or (name in unsteady and name in found.reads)
            if reached and not (fixed(name) and name not in found.writes and not found.unknown):
                tainted[name] = run.cell_id
    return {name: by for name, by in tainted.items() if name in names}


def _no_python(source: str) -> bool:
    masked = mask(executable(source))
    return not masked.opaque and parse_masked(masked) is None


def unsettles(source: str) -> bool:
    """Whether code may change settings of a library or of the process, which are in no variable."""
    masked = mask(executable(source))
    tree = None if masked.opaque else parse_masked(masked)
    if tree is None:
        return True
    lines = (m.text.strip() for m in masked.magics if m.kind != "cell")
    if any(t.startswith("%") and not t.startswith(OURSELVES) and t.lstrip("%").split(None, 1)[0] not in QUIET for t in lines):
        return True
    modules = {name for name, _ in imports(ast.walk(tree))} | COMMON
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id if isinstance(node.func, ast.Name) else ""
            if SETTING.fullmatch(called) or (SETTERS.fullmatch(called) and root(node.func) in modules):
                return True
        elif isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load) and root(node) in modules:
            return True
    return False


def _beside(cell: Cell, modules: Collection[str]) -> str:
    """What a cell does to a module that is neither carried nor compared: what it sets there, functions that it calls for no value,
    what registers itself; empty where there is nothing."""
    for node in ast.walk(_tree(cell.source)):
        if isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load) and root(node) in modules:
            if not KNOWN.search(ast.unparse(node)):
                return ast.unparse(node)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            called = ast.unparse(node.value.func)
            first = root(node.value.args[0]) if SETTING.fullmatch(called) and node.value.args else root(node.value.func)
            if first in modules and not ASIDE.fullmatch(called):
                return f"{called}()"
        for decorator in getattr(node, "decorator_list", ()):
            if "register" in ast.unparse(decorator):
                return ast.unparse(decorator)
    return ""


def unheard_of(cell: Cell, modules: Collection[str] = COMMON) -> str:
    """Why what a cell does beside its names is not known to be carried; empty where it is."""
    for magic in mask(executable(cell.source)).magics:
        text = magic.text.strip()
        name = text.lstrip("%").split(None, 1)[0] if text.lstrip("%") else ""
        if text.startswith((*OURSELVES, "!")) or (text.startswith("%") and name in QUIET) or ("?" in text and not text.startswith("%")):
            continue
        if magic.kind == "cell" and name in ("time", "capture", "timeit", LINE[1:]):
            continue
        return f"what {text[:40]!r} in cell {cell.id} does is in no variable"
    if _lists(cell):
        return f"cell {cell.id} takes in all names"
    beside = _beside(cell, modules)
    return f"what {beside[:60]} in cell {cell.id} does is in no variable" if beside else ""


# ---- what a change asks for ------------------------------------------------------------------------------------------


def lacking(cells: Sequence[Cell], below: Sequence[Cell], left_out: Mapping[str, str]) -> str:
    """Why the cells below cannot go on from the variables of the `cells` above; empty where they can. `left_out`: names that were not
    copied though they are there, and why."""
    for cell in below:
        if name := _of_history(cell.source):
            return f"cell {cell.id} reads {name}, which IPython keeps"
        if _lists(cell):
            return f"cell {cell.id} takes in all names"
    name = min(wanted(left_out, cells, below), default="")
    return f"`{name}` ({left_out[name]})" if name else ""


def _lists(cell: Cell) -> bool:
    calls = (n for n in ast.walk(_tree(cell.source)) if isinstance(n, ast.Call) and not n.args)
    return any(isinstance(n.func, ast.Name) and n.func.id in LISTING for n in calls)


def _of_history(source: str) -> str:
    masked = mask(executable(source))
    tree = None if masked.opaque else parse_masked(masked)
    if tree is None:
        return ""
    own = set(stored(tree.body)) | {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
    read = (n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load))
    placeholders = {m.placeholder for m in masked.magics}
    return next((n for n in read if n not in own and n not in placeholders and HISTORY.fullmatch(n)), "")


def modules_of(cells: Iterable[Cell]) -> tuple[str, ...]:
    """Modules that the import statements of these cells name, in order; from `from a import b` also `a.b`, which may be one."""
    found: dict[str, None] = {}
    for cell in cells:
        for node in ast.walk(_tree(cell.source)):
            if isinstance(node, ast.Import):
                found |= dict.fromkeys(a.name for a in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found |= dict.fromkeys([node.module, *(f"{node.module}.{a.name}" for a in node.names)])
    return tuple(found)


def loading(descriptor: int, names: Collection[str], modules: Sequence[str], count: int) -> str:
    """Code for `Kernel.evaluate` that takes the variables in from an open file; its reply is that of `unpickling.load`."""
    text = "\n\n".join(inspect.getsource(m) for m in (surroundings, unpickling))
    return in_kernel(text, f"load({descriptor}, {sorted(names)!r}, {list(modules)!r}, {count}, namespace, establish)")


def looking(packages: Collection[str], folder: str) -> str:
    """Code for `Kernel.evaluate` that tells the state which belongs to no variable: `told` and `modules` (their digests)."""
    call = f"{{'told': told({sorted(packages)!r}, {folder!r}, settings()), 'modules': digests(modules({sorted(packages)!r}))}}"
    return in_kernel(inspect.getsource(surroundings), call)


def looking_at(packages: Collection[str], only: Collection[str]) -> str:
    """Code for `Kernel.evaluate` that tells these modules in full."""
    return in_kernel(inspect.getsource(surroundings), f"modules({sorted(packages)!r}, {sorted(only)!r})")


def apart(here: Mapping[str, str], there: object) -> str:
    """What the other process does not have as this one has it; empty where all is alike."""
    other = there if isinstance(there, Mapping) else {}
    return next((name for name, value in here.items() if other.get(name) != value), "")


def differing(here: Mapping[str, Mapping[str, str]], digests: object) -> list[str]:
    """Modules that both have loaded, and that are not the same."""
    other = digests if isinstance(digests, Mapping) else {}
    return [name for name, told in surroundings.digests({n: dict(r) for n, r in here.items()}).items() if other.get(name, told) != told]


def changed_in(here: Mapping[str, Mapping[str, str]], there: Mapping[str, object]) -> str:
    """What stands in both of a module, and is another thing; what only one has was brought by use."""
    for name, rows in there.items():
        for key, told in rows.items() if isinstance(rows, Mapping) else ():
            if here.get(name, {}).get(key, told) != told:
                return f"{name}.{key}"
    return ""
