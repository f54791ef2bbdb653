"""What in a cell's code could reach the judge: make evidence look right that is gathered in the cell's own process.

Where a change gains nothing of this kind, what was judged in its own process counts as evidence too. It is read from the
text, so in doubt it says that the judge could be reached: dynamic code, reflection, attributes set on what is not plainly
data, methods by which objects answer for themselves, modules that are in no list of ordinary ones, native code.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Collection, Iterable, Iterator

from ..values.notebook import Notebook
from .contract import executable
from .magics import PYTHON_BODIES, mask, parse_masked
from .trees import dotted, imported, root

ORDINARY = frozenset((
    "__future__", "abc", "argparse", "base64", "bisect", "calendar", "collections", "contextlib", "copy", "csv", "dataclasses", "datetime", "decimal", "difflib", "enum", "fractions",
    "functools", "glob", "gzip", "hashlib", "heapq", "html", "io", "itertools", "json", "locale", "math", "numbers", "operator", "os",
    "pathlib", "pprint", "random", "re", "secrets", "shutil", "statistics", "string", "tempfile", "textwrap", "time",
    "typing", "unicodedata", "uuid", "warnings", "zipfile", "zoneinfo", "xml", "sqlite3", "urllib", "logging",
    "numpy", "pandas", "scipy", "matplotlib", "seaborn", "sklearn", "statsmodels", "polars", "pyarrow", "plotly", "altair",
    "bokeh", "networkx", "requests", "tqdm", "openpyxl", "xarray", "dateutil", "pytz", "geopandas", "shapely", "nltk",
    "sympy", "patsy", "lightgbm", "xgboost", "torch", "tensorflow", "bs4", "lxml", "PIL", "cv2", "skimage", "IPython.display",
))  # fmt: skip
"""Modules that ordinary analyses import, and that do not by themselves change what other code does."""

REFLECTION = frozenset((
    "eval", "exec", "compile", "__import__", "globals", "locals", "vars", "setattr", "delattr", "getattr", "breakpoint",
    "get_ipython", "memoryview", "__builtins__", "__loader__", "__spec__", "exit", "quit", "In", "Out",
))  # fmt: skip
DATA = frozenset((
    "columns", "index", "name", "names", "dtype", "shape", "freq", "values", "loc", "iloc", "at", "iat", "attrs", "title",
    "cache", "random_state",
))  # fmt: skip
"""Attributes that analyses set on their own data."""

METHODS = frozenset(("__init__", "__post_init__", "__call__", "__enter__", "__exit__", "__len__", "__iter__", "__getitem__"))
"""Special methods by which an object does not answer for itself when it is compared, shown, copied or thrown away."""

INNER = ("f_globals", "f_locals", "f_back", "gi_frame", "cr_frame", "tb_frame", "user_ns", "modules")
CALLS = ("read_pickle", "run_line_magic", "run_cell_magic", "settrace", "setprofile", "_exit", "fork", "kill")
UNPICKLE = ("pickle", "dill", "joblib", "marshal", "torch", "np", "numpy", "cloudpickle")

MAGICS = (PYTHON_BODIES - {"debug", "prun"}) | {"matplotlib", "precision"}


def _target(node: ast.expr, imports: Collection[str]) -> Iterator[str]:
    if isinstance(node, ast.Attribute):
        base = root(node)
        own = base == "self" or (isinstance(node.value, ast.Name) and node.attr in DATA)
        if base in imports or not own:
            yield f"sets the attribute {ast.unparse(node)}"
    elif isinstance(node, ast.Subscript):
        said = ast.unparse(node.value)
        if root(node) in imports and said not in ("os.environ", "plt.rcParams", "mpl.rcParams", "matplotlib.rcParams"):
            yield f"sets an item of {said}"
    elif isinstance(node, (ast.Tuple, ast.List)):
        for element in node.elts:
            yield from _target(element, imports)
    elif isinstance(node, ast.Starred):
        yield from _target(node.value, imports)


def _node(node: ast.AST, imports: Collection[str]) -> Iterator[str]:
    if isinstance(node, ast.Name) and node.id in REFLECTION:
        yield f"uses {node.id}"
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id.startswith("__"):
        yield f"binds {node.id}"
    elif isinstance(node, ast.Attribute) and (node.attr in INNER or (node.attr.startswith("__") and node.attr != "__name__")):
        yield f"reaches {node.attr}"
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        modules = [a.name for a in node.names] if isinstance(node, ast.Import) else [("." * node.level) + (node.module or "")]
        for module in modules:
            if module.partition(".")[0] not in ORDINARY and module not in ORDINARY:
                yield f"imports {module}"
        if isinstance(node, ast.ImportFrom) and any(a.name.startswith("_") for a in node.names):
            yield f"imports what {node.module} keeps to itself"
    elif isinstance(node, ast.ClassDef):
        special = [s.name for s in node.body if isinstance(s, ast.FunctionDef) and s.name.startswith("__") and s.name not in METHODS]
        special += [t.id for s in node.body if isinstance(s, ast.Assign) for t in s.targets if isinstance(t, ast.Name) and t.id.startswith("__")]
        if special or node.keywords or any("dataclass" not in ast.unparse(d) for d in node.decorator_list):
            yield f"defines how {node.name} answers for itself"
        elif any(dotted(b).partition(".")[0] in imports for b in node.bases):
            yield f"makes a kind of its own of {', '.join(map(ast.unparse, node.bases))}"
    elif isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.For, ast.Delete)):
        targets = node.targets if isinstance(node, (ast.Assign, ast.Delete)) else [node.target]
        for target in targets:
            yield from _target(target, imports)
    elif isinstance(node, ast.Call):
        name = dotted(node.func)
        first, last = name.partition(".")[0], name.rpartition(".")[2]
        texts = (c.value for a in node.args for c in ast.walk(a) if isinstance(c, ast.Constant))
        if last in CALLS or (last in ("load", "loads") and first in UNPICKLE):
            yield f"calls {name}"
        elif last in ("eval", "query") and any(isinstance(text, str) and "@" in text for text in texts):
            yield f"calls {name} with names of its own"


def reaches(source: str, imports: Collection[str] = ()) -> Counter[str]:
    """In words, all in a source that could reach the judge. `imports`: names that other cells bind to modules."""
    masked = mask(executable(source))
    found = Counter(f"runs {m.text.strip().split()[0]}" for m in masked.magics if m.kind != "body" and not _harmless(m.text))
    tree = None if masked.opaque else parse_masked(masked)
    if tree is None:
        return found + Counter(["is no Python that can be read"])
    known = {*imports, *imported(ast.walk(tree))}
    for node in ast.walk(tree):
        found.update(_node(node, known))
    return found


def _harmless(magic: str) -> bool:
    name = magic.strip().lstrip("%").split()
    return magic.strip().startswith("%") and bool(name) and name[0] in MAGICS


def gained(before: Notebook, after: Notebook, touched: Iterable[str]) -> tuple[str, ...]:
    """What a change gains that could reach the judge, in words; what another cell lost by the same change is no gain."""
    ids = sorted(set(touched))

    def count(notebook: Notebook) -> Counter[str]:
        names = {n for c in notebook.code_cells for n in _bound(c.source)}
        cells = [notebook.cell(i) for i in ids if i in notebook]
        return sum((reaches(c.source, names) for c in cells if c.type == "code"), Counter[str]())

    return tuple(sorted(count(after) - count(before)))


def _bound(source: str) -> Iterable[str]:
    masked = mask(source)
    tree = None if masked.opaque else parse_masked(masked)
    return imported(ast.walk(tree)) if tree else ()
