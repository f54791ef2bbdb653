"""Which imports a kernel may have done before it is given a notebook, with nothing in it that a cell could tell.

Only the imports that the notebook begins with: as long as nothing else has run, whoever does them finds the same kernel,
and leaves the same one. (Below a `warnings.filterwarnings`, a `sys.path.insert` or an `os.environ[...] =` that no longer
holds.) They are done in the notebook's order and as they are written. What such an import shows, and what it reads beside
the notebook, is looked at when it is done and when the kernel is handed over.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import PurePath

from ..values.notebook import Notebook
from . import importing
from .contract import in_kernel
from .forms import executable, is_intent
from .magics import mask, parse_masked
from .marks import LINE

OURS = f"%load_ext jupyter_{LINE[1:]}"
"""Changes nothing for other imports, and stands above them in most notebooks that have it."""

UNREAD = frozenset((
    ".ipynb", ".py", ".csv", ".tsv", ".txt", ".md", ".rst", ".html", ".pdf", ".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp",
    ".parquet", ".feather", ".arrow", ".pkl", ".pickle", ".joblib", ".npy", ".npz", ".h5", ".hdf5", ".nc", ".xls", ".xlsx",
    ".db", ".sqlite", ".sqlite3", ".zip", ".gz", ".xz", ".bz2", ".tar", ".geojson", ".shp", ".shx", ".dbf", ".log", ".sh",
))  # fmt: skip
"""Endings of files that no library looks for in the working folder when it is imported; of a module, only one of that name."""

UNREAD_NAMES = frozenset((
    ".gitignore", ".gitattributes", ".dockerignore", ".python-version", "LICENSE", "README", "Makefile", "Dockerfile", "pyproject.toml",
    "environment.yml", "environment.yaml", "Pipfile", "Pipfile.lock", "poetry.lock", "uv.lock", "pixi.toml", "pixi.lock",
))  # fmt: skip
"""The same, by their whole name."""


def leading_imports(notebook: Notebook) -> tuple[str, ...]:
    """The import statements that the notebook begins with, one module or one `from` each, in order."""
    found: list[str] = []
    for cell in notebook.code_cells:
        if not cell.runs or is_intent(cell.source):
            continue
        masked = mask(executable(cell.source))
        tree = None if masked.opaque else parse_masked(masked)
        if tree is None:
            break
        aside = {m.placeholder for m in masked.magics if m.text.strip() == OURS or m.text.strip().split(" ")[0] == LINE}
        imports, ended = _read(tree.body, aside)
        found += imports
        if ended:
            break
    return tuple(dict.fromkeys(found))


def _read(body: Iterable[ast.stmt], aside: Collection[str]) -> tuple[list[str], bool]:
    """The imports up to the first statement that could matter to one, and whether there is such a statement."""
    found: list[str] = []
    for statement in body:
        match statement:
            case ast.Import(names):
                found += [f"import {a.name}" for a in names]
            case ast.ImportFrom(module="__future__"):
                pass
            case ast.ImportFrom(level=0):
                found.append(ast.unparse(statement))
            case ast.Expr(ast.Constant()):
                pass
            case ast.Expr(ast.Name(name)) if name in aside:
                pass
            case ast.Assign(targets, ast.Constant()) if all(isinstance(t, ast.Name) for t in targets):
                pass
            case _:
                return found, True
    return found, False


def read_by_imports(names: Iterable[tuple[str, bool]], asked: Collection[str]) -> Iterator[str]:
    """What lies in the working folder (`names`, and whether each is a folder) that an import may have read, or would have
    found in another's place. `asked` are the modules that were looked for, found or not."""
    for name, folder in names:
        stem, ending = name.partition(".")[0], PurePath(name).suffix.lower()
        if stem in asked or not (folder or ending in UNREAD or name in UNREAD_NAMES):
            yield name


def doing(statements: Sequence[str]) -> str:
    """Code for `Kernel.evaluate` that does these imports; its reply is that of `importing.do_imports`."""
    return in_kernel(inspect.getsource(importing), f"do_imports({list(statements)!r})")


LOOK_ANEW = in_kernel("import importlib\n", "importlib.invalidate_caches()")
"""Code for `Kernel.evaluate`: what the import system knows of folders is forgotten, as their content has changed."""
