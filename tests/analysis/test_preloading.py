"""The imports that a notebook begins with, and what beside it they may read."""

from __future__ import annotations

import ast
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_selfcode.analysis.importing import do_imports
from jupyter_selfcode.analysis.preloading import doing, leading_imports, read_by_imports
from jupyter_selfcode.values.notebook import Cell, Notebook


def notebook(*sources):
    return Notebook(tuple(Cell(str(i), "code", s) for i, s in enumerate(sources)))


@pytest.mark.parametrize(
    ("sources", "imports"),
    [
        (["import numpy as np, pandas as pd"], ["import numpy", "import pandas"]),
        (["import os.path\nfrom json import dumps as d"], ["import os.path", "from json import dumps as d"]),
        (['"""Words."""\nimport numpy\nYEAR = 2026', "import pandas"], ["import numpy", "import pandas"]),
        (["%load_ext jupyter_selfcode", "import numpy"], ["import numpy"]),
        (["%selfcode model x/y\n%selfcode", "import numpy"], ["import numpy"]),
        (['%%selfcode\n"""Load it.\n\n>>> 1\n1\n"""\nimport numpy\n'], ["import numpy"]),
        (["%%selfcode\nload all that is there", "import numpy"], ["import numpy"]),
        (["from __future__ import annotations\nimport numpy"], ["import numpy"]),
        (["import numpy", "import numpy\nimport pandas"], ["import numpy", "import pandas"]),
        (["import warnings\nwarnings.filterwarnings('ignore')\nimport pandas"], ["import warnings"]),
        (["import sys\nsys.path.insert(0, 'src')\nimport mine"], ["import sys"]),
        (["import os\nos.environ['X'] = '1'\nimport torch"], ["import os"]),
        (["%matplotlib inline\nimport pandas"], []),
        (["!pip install x", "import x"], []),
        (["%%time\nimport pandas"], []),
        (["%%bash\necho 1", "import pandas"], []),
        (["print('a')\nimport pandas"], []),
        (["def f(): pass\nimport pandas"], []),
        (["x = [1]\nimport pandas"], []),
        (["x = y\nimport pandas"], []),
        (["try:\n    import a\nexcept ImportError:\n    import b"], []),
        (["from . import a\nimport b"], []),
        (["import a\nimport ("], []),
    ],
)
def test_only_what_the_notebook_begins_with(sources, imports):
    assert leading_imports(notebook(*sources)) == tuple(imports)


def test_cells_that_do_not_run_are_passed_over():
    cells = (Cell("a", "markdown", "import this"), Cell("b", "raw", "import that"), Cell("c", "code", "import json"))
    assert leading_imports(Notebook(cells)) == ("import json",)


@given(st.lists(st.sampled_from(["import a", "from b import c", "x = 1", "f()", "%magic", "'words'"]), max_size=6))
def test_nothing_that_stands_below_what_could_matter_is_taken(lines):
    found = leading_imports(notebook(*lines))
    first = next((i for i, line in enumerate(lines) if line in ("f()", "%magic")), len(lines))
    assert list(found) == list(dict.fromkeys(line for line in lines[:first] if line.startswith(("import", "from"))))
    for statement in found:
        assert isinstance(ast.parse(statement).body[0], (ast.Import, ast.ImportFrom))


@pytest.mark.parametrize(
    ("name", "folder", "read"),
    [
        ("data.csv", False, False), ("nb.ipynb", False, False), ("helpers.py", False, False), ("data", True, False), (".git", True, False),
        ("README.md", False, False), ("pyproject.toml", False, False), ("pandas.py", False, True), ("pandas", True, True),
        ("pandas.cpython-311-x86_64-linux-gnu.so", False, True), ("pandas.csv", False, True), ("matplotlibrc", False, True),
        (".numba_config.yaml", False, True), ("other.so", False, True), ("settings.ini", False, True),
    ],
)  # fmt: skip
def test_what_an_import_may_read_beside_the_notebook(name, folder, read):
    assert list(read_by_imports([(name, folder)], {"pandas", "bottleneck"})) == [name] * read


def test_doing_them_tells_what_was_looked_for_what_was_loaded_and_what_failed(tmp_path, monkeypatch):
    (tmp_path / "selfcode_one.py").write_text("try:\n    import selfcode_absent\nexcept ImportError:\n    pass\n", "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    told = do_imports(["import selfcode_one", "import selfcode_two", "import json"])
    assert told["asked"] == ["selfcode_absent", "selfcode_one", "selfcode_two"]
    assert told["files"] == [str(tmp_path / "selfcode_one.py")]
    assert told["failed"] == "import selfcode_two"
    assert str(tmp_path) in told["places"]


def test_it_leaves_no_name_behind():
    told: list[object] = []
    names = {"__name__": "user", "_selfcode_reply": told.append}
    before = set(names)
    exec(doing(["import json as other"]), names)
    assert set(names) - {"__builtins__"} == before
    assert json.dumps(told[0])
