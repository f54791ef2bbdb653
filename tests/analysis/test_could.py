"""Which kinds of effect a source could have."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_selfcode.analysis.could import could


@pytest.mark.parametrize(
    ("source", "kinds"),
    [
        ("x = df.groupby('a').sum()", set()),
        ("open('a').read()", {"reads"}),
        ("open('a', 'w')", {"creates", "changes"}),
        ("open('a', mode)", {"creates", "changes"}),
        ("Path('a').open('x')", {"creates", "changes"}),
        ("df = pd.read_csv('https://x/y.csv')", {"reads", "network"}),
        ("df.to_parquet('a')", {"creates", "changes"}),
        ("fig.savefig('a.png')", {"creates", "changes"}),
        ("os.remove('a')", {"deletes"}),
        ("shutil.rmtree('a')", {"deletes"}),
        ("import requests", {"network"}),
        ("from urllib.request import urlopen", {"network"}),
        ("subprocess.run(['ls'])", {"process", "network", "reads", "creates", "changes", "deletes"}),
        ("%env A=1", {"environment"}),
        ("os.environ['A'] = '1'", {"environment"}),
        ("import ctypes", {"native"}),
        ("%%writefile a.txt\nhello", {"creates", "changes"}),
        ("%%time\ndf.to_csv('a')", {"creates", "changes"}),
        ("this is no python", set()),
    ],
)
def test_a_source_could_have_these_effects(source, kinds):
    assert could(source) == kinds


def test_a_shell_line_could_do_nearly_anything():
    assert could("!ls") >= {"process", "network", "creates", "deletes"}


def test_functions_of_other_cells_count_where_they_are_called():
    helpers = ("def save(x):\n    write(x)", "def write(x):\n    x.to_csv('a')", "import requests")
    assert could("save(df)", helpers) == {"creates", "changes"}
    assert could("df.sum()", helpers) == set()


@given(st.text())
def test_any_text_is_read(source):
    assert could(source) == could(source)


@given(st.sampled_from(["x = 1", "open('a', 'w')", "import requests"]), st.sampled_from(["y = 2", "!ls", "os.remove('a')"]))
def test_more_code_could_do_no_less(a, b):
    assert could(a) <= could(f"{a}\n{b}")
