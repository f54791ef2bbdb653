"""The house holds: rows, sizes, names, and an import that is quiet and light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "jupyter_selfcode"
SOURCES = sorted(p for p in PACKAGE.rglob("*.py") if "example_notebooks" not in p.parts)
PURE = [p for p in SOURCES if p.relative_to(PACKAGE).parts[0] in ("values", "analysis", "stages", "protocols.py")]
HEAVY = ("litellm", "pandas", "numpy", "sqlalchemy", "nbclient", "nbformat", "rich", "pydantic", "openai")


def name_of(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def imported(path: Path) -> set[str]:
    """Top-level names of what a file imports; its own package's relative imports left out."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {a.name.partition(".")[0] for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.partition(".")[0])
    return found


def test_imports_run_downward_only():
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint, "--no-cache"], cwd=PACKAGE.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]


@pytest.mark.parametrize("path", PURE, ids=name_of)
def test_values_analysis_stages_and_protocols_import_only_python(path):
    assert imported(path) <= set(sys.stdlib_module_names)


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_no_file_has_more_than_400_lines(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_no_class_has_more_than_12_public_methods(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef):
            public = [
                f.name
                for f in node.body
                if isinstance(f, (ast.FunctionDef, ast.AsyncFunctionDef)) and not f.name.startswith("_")
                # NodeVisitor's and NodeTransformer's hooks are called by name by the library
                and not f.name.startswith(("visit_", "leave_"))
            ]
            assert len(public) <= 12, f"{node.name}: {public}"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_every_module_says_what_it_is_for(path):
    assert path.read_text(encoding="utf-8").strip() == "" or ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_nothing_is_called_manager_helper_or_util(path):
    defined = [
        node.name.lower()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
    ]
    words = ("manager", "helper", "util")
    assert not [n for n in [*defined, path.stem.lower()] if any(w in n for w in words)]


@pytest.mark.parametrize("module", ["jupyter_selfcode", "jupyter_selfcode.hosts.ipython.extension"])
def test_importing_loads_nothing_heavy_and_says_nothing(module):
    code = f"import {module}, sys; bad = [m for m in {HEAVY!r} if m in sys.modules]; assert not bad, bad"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_no_text_of_ours_calls_anything_safe():
    """We print levels and assumptions. Validation does not prove a cell harmless."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert " is safe" not in node.value.lower(), f"{path.name}:{node.lineno}"
