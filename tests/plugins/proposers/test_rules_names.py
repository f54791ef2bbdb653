"""Missing imports and misspelt names: only where one thing can be meant."""

from __future__ import annotations

import pytest

FRAME = "import pandas as pd\nsales = pd.DataFrame({'units': [1, 2]})\ntotals = sales.sum()"


@pytest.mark.parametrize(
    ("cell", "wanted"),
    [
        ("np.zeros(2)", "import numpy as np\nnp.zeros(2)"),
        ("%matplotlib inline\nplt.figure()", "import matplotlib.pyplot as plt\n%matplotlib inline\nplt.figure()"),
        ("%%time\n'''Why.'''\npd.Series([1])", "%%time\n'''Why.'''\nimport pandas as pd\npd.Series([1])"),
        ("from __future__ import annotations\nmath.pi", "from __future__ import annotations\nimport math\nmath.pi"),
        ("Path('.').exists()", "from pathlib import Path\nPath('.').exists()"),
        ("datetime.now()", "from datetime import datetime\ndatetime.now()"),
        ("datetime.datetime.now()", "import datetime\ndatetime.datetime.now()"),
        ("glob('*.csv')", "from glob import glob\nglob('*.csv')"),
        ("json.dumps(1)", "import json\njson.dumps(1)"),
    ],
)
async def test_an_import_that_everybody_means_is_added(mend, cell, wanted):
    mending = await mend(cell)
    assert mending.sources[0] == wanted
    assert mending.candidates[-1].warrant == ""


@pytest.mark.parametrize(
    "cell",
    [
        "string + 'a'",  # a forgotten variable, not the module
        "code",
        "statistics.revenue",
        "tensorflow_is_not_here.zeros(1)",
        "model.fit()",
        "df.head()",
    ],
)
async def test_no_import_is_guessed(mend, cell):
    assert (await mend(cell)).trials == []


@pytest.mark.parametrize(
    ("cell", "wanted"),
    [
        ("totls.max()", "totals.max()"),
        ("x = Totals.max()  # Totals", "x = totals.max()  # Totals"),
        ("pritn('x')", "print('x')"),
        ("pd.DataFrmae({'a': [1]})", "pd.DataFrame({'a': [1]})"),
        ("sales.gropuby('units').size()", "sales.groupby('units').size()"),
        ("'a b'.spilt()", "'a b'.split()"),
        ("from math import flooor\nflooor(1.5)", "from math import floor\nfloor(1.5)"),
        ("import numpyy as np\nnp.zeros(1)", "import numpy as np\nnp.zeros(1)"),
        ("import mathh\nmathh.pi", None),  # too short to be sure
        ("import itertoools\nitertoools.count()", "import itertools\nitertools.count()"),
        ("from sklearn.model_selecton import KFold", "from sklearn.model_selection import KFold"),
        ("import numpy as np\nnp.arrange(3)", "import numpy as np\nnp.arange(3)"),
    ],
)
async def test_a_misspelt_name_is_mended_where_one_name_is_near(mend, cell, wanted):
    mending = await mend(FRAME, cell)
    assert (mending.notebook.cells[1].source if mending.notebook else None) == wanted


@pytest.mark.parametrize(
    ("first", "cell"),
    [
        ("total = 1\ntotals = 2", "totall + 1"),  # two are near
        ("x_train = 1\nx_test = 2", "z_train"),
        ("df_a = 1", "df_b"),
        ("rate_2023 = 1", "rate_2024"),
        ("min_rate = 1", "max_rate"),
        ("y_train = 1", "x_train"),
        ("inputt_size = 1", "inputs"),
        ("import pandas as pd\ndf = pd.DataFrame({'median_': [1]})", "df.mediann"),  # a column and a method
    ],
)
async def test_a_name_that_may_mean_something_else_is_left_alone(mend, first, cell):
    assert (await mend(first, cell)).trials == []


async def test_a_name_that_a_cell_below_defines_is_not_a_misspelling(mend):
    assert (await mend("totals = 1", "total + 1", "total = 2")).trials == []


async def test_a_package_that_is_not_installed_is_not_exchanged_for_another(mend):
    assert (await mend("import tomli_wx")).trials == []
