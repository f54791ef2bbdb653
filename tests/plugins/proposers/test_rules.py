"""The proposer: what it proposes for, in which order, and what it never changes."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_selfcode.plugins.proposers.rules import RulesProposer, proposer
from jupyter_selfcode.plugins.proposers.rules.broken import Broken
from jupyter_selfcode.plugins.proposers.rules.proposer import DEPTH, RULES
from jupyter_selfcode.protocols import Proposer
from jupyter_selfcode.values.notebook import Cell, Notebook
from jupyter_selfcode.values.request import Failure, Request, Variable
from jupyter_selfcode.values.trial import CellResult, Run


def test_it_is_a_free_proposer():
    assert isinstance(RulesProposer(), Proposer)
    assert (RulesProposer.name, RulesProposer.price) == ("rules", 0.0)


async def test_for_words_it_has_nothing(mend):
    mending = await mend("import numpy as np\nnp.product([1])", request=Request("plot it", "words", "c0"))
    assert mending.trials == []


async def test_what_runs_from_the_top_is_only_run_again(mend):
    failure = Failure("c2", "NameError", "name 'x' is not defined")
    mending = await mend("x = 1", "y = 2", "x + 1", failure=failure)
    (candidate,) = mending.candidates
    assert not candidate.patch
    assert candidate.rerun == ("c0", "c2")


async def test_a_cell_outside_of_the_scope_is_left_alone(mend):
    assert (await mend("import numpy as np", "np.product([1])", scope=("c0",))).trials == []


async def test_an_error_that_no_rule_knows_has_no_candidates(mend):
    assert (await mend("1 / 0")).trials == []
    assert (await mend("raise KeyError('region')")).trials == []


async def test_a_whole_cell_of_python_2_is_mended_in_one_go(mend):
    mending = await mend(
        "%matplotlib inline\n"
        "import urllib2\n"
        "from StringIO import StringIO  # text\n"
        "d = {'a': 1}\n"
        "for k, v in d.iteritems():\n"
        "    if d.has_key(k) and k <> 'b':\n"
        "        print 'found', k,\n"
        "try:\n"
        "    raise ValueError, 'x'\n"
        "except ValueError, e:\n"
        "    print `e`, 0777, 10 / 4\n"
        "total = reduce(lambda a, b: a + b, xrange(3))\n"
    )
    (source,) = mending.sources
    assert source.startswith("%matplotlib inline\nimport urllib.request")
    assert "from io import StringIO  # text" in source
    assert "print('found', k, end=' ')" in source
    assert "except ValueError as e:" in source
    assert "repr(e), 0o777, 10 / 4" in source
    assert mending.candidates[-1].warrant == ""
    assert "look at each `/`" in mending.candidates[-1].rationale


@pytest.mark.parametrize("cell", ["x = = 3", "def f(:\n    pass", "for i in range(3)\n    pass", "print 'a"])
async def test_python_that_is_no_python_2_either_is_left_to_others(mend, cell):
    assert (await mend(cell)).notebook is None


async def test_python_2_builtins_in_a_cell_that_parses(mend):
    mending = await mend("names = [unicode(n) for n in xrange(3)]\nassert isinstance(names[0], basestring)")
    assert mending.sources[0] == "names = [str(n) for n in range(3)]\nassert isinstance(names[0], str)"


async def test_a_variable_with_the_name_of_an_old_builtin_is_left_alone(mend):
    mending = await mend("long = 3\nimport numpy as np", "long + np.product([2])")
    assert mending.sources[1] == "long + np.prod([2])"


async def test_a_chain_ends(mend):
    cell = "\n".join(f"df['Col {i}']" for i in range(12))
    columns = ", ".join(f"'col {i}': [1]" for i in range(12))
    mending = await mend(f"import pandas as pd\ndf = pd.DataFrame({{{columns}}})", cell)
    assert len(mending.trials) == DEPTH
    assert mending.notebook is None


async def test_it_proposes_the_same_every_time(mend):
    cells = ("import pandas as pd\ndf = pd.DataFrame({'Units': [1]})", "df = df.append(df)\ndf['units'].iteritems()")
    first, second = await mend(*cells), await mend(*cells)
    assert [c.patch for c in first.candidates] == [c.patch for c in second.candidates]


# ---- laws ---------------------------------------------------------------------------------------------------------------

FAILURES = [
    ("df = df.append(other)", "AttributeError", "'DataFrame' object has no attribute 'append'"),
    ("total = np.product(df.x)", "AttributeError", "module 'numpy' has no attribute 'product'"),
    ("df['Units'].sum()", "KeyError", "'Units'"),
    ("totls + 1", "NameError", "name 'totls' is not defined"),
    ("json.dumps(1)", "NameError", "name 'json' is not defined"),
    ("from collections import Mapping", "ImportError", "cannot import name 'Mapping' from 'collections'"),
    ("df.fillna(method='ffill')", "TypeError", "NDFrame.fillna() got an unexpected keyword argument 'method'"),
]
OTHER_LINES = st.sampled_from(
    [
        "%matplotlib inline",
        "!ls -l $HOME",
        "files = !ls",
        "x = 1  # a comment: df.append('Units') 'Units'",
        "label = 'Units'",
        "text = '''df.append(other)\n  np.product\n'''",
        "ax_title = f'{label} {x}'",
        "rows = []; rows.append(label)",
        "",
        "   ",
        "ünïcode = 'ß'  # é",
        "if x:\n\trows = [1]",
        "?df",
    ]
)
VARIABLES = (
    Variable("df", "pandas.DataFrame", "1 rows × 2 columns; units: int64, x: int64"),
    Variable("other", "pandas.DataFrame", "1 rows × 2 columns; units: int64, x: int64"),
    Variable("totals", "int"),
)


@settings(max_examples=120)
@given(
    st.sampled_from(FAILURES),
    st.lists(OTHER_LINES, max_size=4),
    st.lists(OTHER_LINES, max_size=4),
    st.sampled_from(["\n", "\r\n"]),
)
def test_a_rule_changes_the_failing_statement_and_adds_imports_and_nothing_else(case, above, below, newline):
    statement, ename, evalue = case
    first = Cell("a", "code", "import pandas as pd, numpy as np\ntotals = 1\nother = df = None")
    lines = newline.join(above).replace("\n", newline) if newline == "\n" else newline.join(above)
    head = lines + newline if above else ""
    tail = newline + newline.join(below) if below else ""
    source = head + statement + tail
    cell = Cell("b", "code", source)
    line = head.count("\n") + 1
    broken = Broken(Notebook((first, cell)), cell, Failure("b", ename, evalue), VARIABLES, line)
    for rule in RULES:
        for step in rule(broken):
            if step is None:
                continue
            kept = [part for part in step.source.split(newline) if part != "import json"]
            at = len(head.split(newline)) - 1
            after = len(tail.split(newline)) - 1
            assert kept[:at] == head.split(newline)[:at]
            assert after == 0 or kept[-after:] == tail.split(newline)[1:]
            assert step.said


@settings(max_examples=60)
@given(st.text(), st.sampled_from(FAILURES), st.integers(0, 5) | st.none())
def test_any_cell_can_be_looked_at(source, case, line):
    cell = Cell("b", "code", source + "\n" + case[0])
    broken = Broken(Notebook((cell,)), cell, Failure("b", case[1], case[2]), VARIABLES, line)
    for rule in RULES:
        for step in rule(broken):
            assert step is None or step.source != cell.source


def test_every_pattern_and_template_is_python():
    from jupyter_selfcode.analysis.removed import table

    for row in table():
        ast.parse(row.old, mode="eval")
        ast.parse(row.new)


@pytest.mark.parametrize(
    "frames",
    [
        "Cell In[1], line 1\n----> 1 get_ipython().run_cell_magic('time', '', …)\n\nFile <timed exec>:3\n",
        "Cell In[7], line 3\n----> 3 df = df.append(df)\n",  # what `%%capture` runs has a number of its own
    ],
)
def test_the_failing_line_below_a_cell_magic_is_found(frames):
    source = "%%time\nimport pandas as pd\ndf, rows = pd.DataFrame({'x': [1]}), []\ndf = df.append(df)\nrows.append(1)"
    notebook = Notebook((Cell("a", "code", source),))
    text = frames + "AttributeError: 'DataFrame' object has no attribute 'append'"
    failure = Failure(
        "a", "AttributeError", "'DataFrame' object has no attribute 'append'", text, 1 if "timed" in text else None
    )
    run = Run((CellResult("a", "error", execution_count=1, failure=failure),), "error")
    state = proposer._State(notebook, failure, run, ())
    assert proposer._places(state) == [("a", 4)]
    (cell_id, step), *_ = proposer._offers(state, Request("", "exception", "a", failure=failure), Path())
    assert (cell_id, step.source) == ("a", source.replace("df.append(df)", "pd.concat([df, df])"))
