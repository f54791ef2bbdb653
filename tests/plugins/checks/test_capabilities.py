"""What a change gains is refused or asked about; what was there, was moved here, or is ordinary is not."""

from __future__ import annotations

import builtins

import pytest

from jupyter_selfcode.plugins.checks.bandit import BanditCheck, _issues
from jupyter_selfcode.plugins.checks.capabilities import CapabilitiesCheck
from jupyter_selfcode.values.notebook import Cell, Notebook
from jupyter_selfcode.values.patch import CellOp, DeleteCell, InsertCell, Patch, ReplaceSource, apply
from jupyter_selfcode.values.request import Request
from jupyter_selfcode.values.trial import Candidate, Finding

WORDS = Request("make it so", "words")


def book(*sources: str) -> Notebook:
    return Notebook(tuple(Cell(f"c{i}", "code", s) for i, s in enumerate(sources)))


def found(nb: Notebook, *ops: CellOp, check: type = CapabilitiesCheck, warrant: str = "") -> list[Finding]:
    candidate = Candidate(Patch(nb.digest, ops), "because", "test", warrant=warrant)
    return list(check().screen(candidate, WORDS, nb, apply(candidate.patch, nb)))


def kinds(nb: Notebook, *ops: CellOp) -> list[tuple[str, str]]:
    return [(f.severity, f.code.removeprefix("capability:")) for f in found(nb, *ops)]


@pytest.mark.parametrize(
    ("new", "kind"),
    [
        ("!rm -rf data", "process"),
        ("!rm -rf a? ; ls", "process"),
        ("%pip install evil", "install"),
        ("%env A=1", "magic"),
        ("%run other.py", "magic"),
        ("%load_ext evil", "magic"),
        ("%%writefile a.py\nx = 1", "magic"),
        ("%%html\n<script></script>", "magic"),
        ("%config SelfCode.policy = 'deploy'", "magic"),
        ("%selfcode accept", "magic"),
        ("files = !ls", "process"),
        ("get_ipython().system('ls')", "kernel"),
        ("os.remove('data.csv')", "delete"),
    ],
)
def test_what_reaches_outside_of_python_is_refused(new, kind):
    assert ("block", kind) in kinds(book("a = 1", "print(a)"), ReplaceSource("c1", new))


@pytest.mark.parametrize(
    "new",
    [
        *("%matplotlib inline\nx = 1", "%%time\nx = 1", "await f()", "s = '!ls'", "%timeit f()", "%%selfcode plot\nx = 1"),
        *("df?", "%timeit?", "%%selfcode\neval the model", '%%selfcode\n"""See https://x.org."""\nx = 1'),
        *("model.eval()", "re.compile('a')", "df.query('a > @limit')", "text = df.to_csv()", "type(x).__name__"),
        *("os.path.join(a, b)", "open('data.csv').read()", "while True:\n    x += 1\n    if x > 3:\n        break"),
    ],
)
def test_what_only_computes_is_not_asked_about(new):
    assert kinds(book("a = 1", "print(a)"), ReplaceSource("c1", new)) == []


def test_the_line_and_the_gain_are_said_for_a_person():
    [said] = found(book("df = 1"), ReplaceSource("c0", "df = 2\n\ndf.to_csv('out.csv')"))
    assert (said.severity, said.code, said.cell_id) == ("ask", "capability:write", "c0")
    assert said.message == "Line 3 could write files (df.to_csv('out.csv')), which the cell could not do before."


@pytest.mark.parametrize("habit", ["!ls", "plt.savefig('a.png')", "import requests\nrequests.get(u)", "%load_ext autoreload"])
def test_what_the_cell_did_before_it_may_go_on_doing(habit):
    assert kinds(book(f"x = 1\n{habit}"), ReplaceSource("c0", f"x = 2\n{habit}")) == []


def test_another_file_or_another_program_is_a_gain():
    assert kinds(book("df.to_csv('a.csv')"), ReplaceSource("c0", "df.to_csv('data.csv')")) == [("ask", "write")]
    assert kinds(book("!ls"), ReplaceSource("c0", "!rm -rf .")) == [("block", "process")]


def test_the_same_call_with_other_arguments_is_asked_about():
    nb = book("import subprocess\nsubprocess.run(['ls'])")
    [said] = found(nb, ReplaceSource("c0", "import subprocess\nsubprocess.run(['ls'], check=True)"))
    assert said.severity == "ask"
    assert "other arguments" in said.message
    assert ("block", "process") in kinds(nb, ReplaceSource("c0", "import subprocess\nsubprocess.Popen(['ls'])"))
    kernel = book("get_ipython().run_line_magic('matplotlib', 'inline')")
    assert kinds(kernel, ReplaceSource("c0", "get_ipython().system('ls')")) == [("block", "kernel")]


def test_what_a_change_moves_from_one_cell_to_another_is_no_gain():
    nb = book("a = 1\ndf.to_csv('a.csv')", "b = 1")
    assert kinds(nb, ReplaceSource("c0", "a = 1"), ReplaceSource("c1", "b = 1\ndf.to_csv('a.csv')")) == []
    moved = InsertCell(Cell("new", "code", "df.to_csv('a.csv')"))
    assert kinds(nb, DeleteCell("c0"), moved) == []
    assert kinds(nb, moved) == [("ask", "write")]  # now it happens twice


def test_a_module_that_the_notebook_imports_already_may_be_imported_again():
    nb = book("import fancylib", "b = 1")
    assert kinds(nb, ReplaceSource("c1", "import fancylib")) == []
    assert kinds(nb, ReplaceSource("c1", "import otherlib")) == [("ask", "import")]


def test_names_mean_what_other_cells_import():
    assert kinds(book("import os as helper", "b = 1"), ReplaceSource("c1", "helper.system('ls')")) == [("block", "process")]


def test_a_name_that_is_data_is_no_module():
    nb = book("from pandas_datareader import data", "data = 3", "b = 1")
    assert kinds(nb, ReplaceSource("c2", "b = data.head()")) == []


def test_a_documented_replacement_is_asked_about_all_the_same():
    [said] = found(book("a = 1"), ReplaceSource("c0", "df.to_csv('a.csv')"), warrant="the library's own guide")
    assert said.severity == "ask"


def test_a_cell_that_is_translated_from_python_2_gains_nothing():
    old = "print 'saved'\ndf.to_csv('a.csv')\nprint os.environ['HOME']"
    new = "print('saved')\ndf.to_csv('a.csv')\nprint(os.environ['HOME'])"
    assert kinds(book(old), ReplaceSource("c0", new)) == []


def test_bandit_notes_gains_and_minds_no_mark_that_tells_it_to_look_away():
    nb = book("x = eval(a)\nassert x")
    assert found(nb, ReplaceSource("c0", "x = eval(a)\nassert x, 'no'\ny = 1"), check=BanditCheck) == []
    [note] = found(nb, ReplaceSource("c0", "x = eval(a)\nimport pickle  # nosec"), check=BanditCheck)
    assert (note.severity, note.code, note.cell_id) == ("note", "bandit", "c0")
    assert note.message.startswith("bandit B403, line 2: ")


def test_without_bandit_its_check_says_nothing(monkeypatch):
    imports = builtins.__import__

    def missing(name, *rest):
        if name.startswith("bandit"):
            raise ImportError(name)
        return imports(name, *rest)

    _issues.cache_clear()
    monkeypatch.setattr(builtins, "__import__", missing)
    assert found(book("a = 1"), ReplaceSource("c0", "import pickle"), check=BanditCheck) == []
