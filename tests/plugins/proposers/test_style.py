"""New code looks as the notebook's own does: formatted where that is formatted, and untouched where it is not."""

from __future__ import annotations

import pytest

from jupyter_selfcode.plugins.proposers.style import in_style
from jupyter_selfcode.values.notebook import Cell, Notebook
from jupyter_selfcode.values.patch import DeleteCell, InsertCell, ReplaceSource

TIDY = ("import os\n\nx = [1, 2]", "y = x[0] + 1", '%%selfcode\n"""Words   here."""\nz = {"a": 1}', "%%bash\nls    -l", "words of {} no python")
UGLY = "z={'a':1 , 'b' : f( 2,3 )}"
NEAT = 'z = {"a": 1, "b": f(2, 3)}'


def notebook(*sources: str) -> Notebook:
    return Notebook(tuple(Cell(f"c{i}", "code", s) for i, s in enumerate(sources)))


def test_new_code_is_formatted_where_the_notebook_is(tmp_path):
    ops = (ReplaceSource("c1", UGLY), DeleteCell("c0"), InsertCell(Cell("n", "code", "a=1"), "c1"), InsertCell(Cell("m", "markdown", "a=1")))
    found = in_style(ops, notebook(*TIDY), tmp_path)
    assert found == (ReplaceSource("c1", NEAT), ops[1], InsertCell(Cell("n", "code", "a = 1"), "c1"), ops[3])


@pytest.mark.parametrize("cells", [(*TIDY, "w=1"), TIDY[:2]], ids=["one cell is not", "too few cells to tell"])
def test_new_code_stays_as_it_came_where_the_notebook_is_not(cells, tmp_path):
    ops = (ReplaceSource("c1", UGLY),)
    assert in_style(ops, notebook(*cells), tmp_path) == ops


def test_magic_words_and_contract_stay_to_the_letter(tmp_path):
    head = '%%selfcode\n\'\'\'Words,   and  such.\n\n>>> f( 1,2 )\n3\n\'\'\'\n'
    (found,) = in_style((ReplaceSource("c2", head + UGLY),), notebook(*TIDY), tmp_path)
    assert found == ReplaceSource("c2", head + NEAT)


@pytest.mark.parametrize("source", ["x = (", "%%bash\nls   -l", "%%time\nx=1", "", "%%selfcode\nplot   revenue"])
def test_what_is_no_code_that_is_formatted_stays(source, tmp_path):
    ops = (ReplaceSource("c1", source),)
    assert in_style(ops, notebook(*TIDY), tmp_path) == ops


def test_magics_and_what_is_not_to_be_shown_stay(tmp_path):
    (found,) = in_style((ReplaceSource("c1", "%matplotlib inline\nplot( x );"),), notebook(*TIDY), tmp_path)
    assert found == ReplaceSource("c1", "%matplotlib inline\nplot(x);")


def test_the_settings_of_the_folder_count(tmp_path):
    (tmp_path / "ruff.toml").write_text('[format]\nquote-style = "single"\n')
    tidy = notebook("a = 'x'", "b = 'y'", "c = 'z'")
    (found,) = in_style((ReplaceSource("c1", 'b={"q":1}'),), tidy, tmp_path)
    assert found == ReplaceSource("c1", "b = {'q': 1}")
