"""What could reach the judge, and what ordinary analyses do that could not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_selfcode.analysis.capabilities import names_bound
from jupyter_selfcode.analysis.forging import gained, reaches
from jupyter_selfcode.values.notebook import Cell, Notebook


@pytest.mark.parametrize(
    "source",
    [
        "ip = get_ipython()", "exec('x')", "eval('1')", "__import__('os')", "globals()['x'] = 1", "setattr(pd, 'x', 1)", "getattr(x, n)",
        "import pandas as pd\npd.DataFrame.equals = lambda *a: True", "from pandas import DataFrame\nDataFrame.equals = f",
        "K = type(df)\nK.equals = f", "import math\nmath.isclose = f", "import numpy as np\nnp.testing.assert_allclose = f",
        "class A:\n    def __eq__(self, o):\n        return True", "class A:\n    __eq__ = f", "class A(metaclass=M):\n    pass",
        "import pandas as pd\nclass A(pd.DataFrame):\n    pass", "x.__class__", "().__class__.__base__.__subclasses__()",
        "import gc", "import ctypes", "from unittest import mock", "import mine", "from . import mine", "!ls", "%run x.py",
        "%load_ext y", "import pickle\nx = pickle.load(f)", "from os import _exit", "sys.modules['x'] = 1",
        "import numpy as np\nnp.load('a', allow_pickle=True)", "for math.isclose in [f]:\n    pass", "with open('a') as __builtins__:\n    pass",
        "import builtins as b\nb.repr = f", "%%bash\nls",
    ],
)  # fmt: skip
def test_it_could_reach_the_judge(source):
    assert reaches(source, names_bound(["import math", source]))


@pytest.mark.parametrize(
    "source",
    [
        "import pandas as pd\nimport numpy as np\ndf = pd.read_csv('a.csv')\ndf['x'] = df.y * 2\ndf.columns = ['a', 'b']\ndf.loc[0, 'a'] = 1",
        "import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nax.plot(x)\nplt.title('x')\nplt.rcParams['figure.figsize'] = (4, 3)",
        "%matplotlib inline\nx = 1", "%%time\nx = sorted(y, key=len)",
        "from dataclasses import dataclass\n@dataclass(frozen=True)\nclass P:\n    x: int\n    def area(self):\n        self.y = 1",
        "class Model:\n    def __init__(self):\n        self.w = 0\n    def fit(self):\n        self.w += 1",
        "from sklearn.linear_model import LinearRegression\nm = LinearRegression().fit(x, y)", "df.query('a > 1').eval('b = a + 1')",
        "import json\nx = json.loads(t)", "if __name__ == '__main__':\n    pass", "f = lambda n: n.__name__",
        "%%selfcode\n'''Words.'''\nx = 1",
    ],
)  # fmt: skip
def test_ordinary_code_could_not(source):
    assert not reaches(source, names_bound([source]))


def book(*sources: str) -> Notebook:
    return Notebook(tuple(Cell(f"c{i}", "code", s) for i, s in enumerate(sources)))


def test_only_what_a_change_gains_counts_and_what_it_moves_is_no_gain():
    old = book("x = eval('1')", "y = 2")
    assert gained(old, book("x = eval('1') + 1", "y = 2"), ["c0"]) == ()
    assert gained(old, book("x = 1", "y = eval('1')"), ["c0", "c1"]) == ()
    assert len(gained(old, book("import gc\nx = eval('1')", "y = 2"), ["c0"])) == 1
    assert gained(old, book("x = eval('1')\nK.equals = f", "y = 2"), ["c0"]) == ("sets the attribute K.equals",)


def test_a_module_that_another_cell_imports_is_known():
    assert gained(book("import math", "x = 1"), book("import math", "math.isclose = f"), ["c1"])


@given(st.text())
def test_any_text_is_read_and_gains_nothing_over_itself(source):
    assert gained(book(source), book(source), ["c0"]) == ()
