"""Which effects of a trial are for a person: new kinds, code and settings, and what went untold."""

from __future__ import annotations

import pytest

from jupyter_selfcode.plugins.checks.effects import EffectsCheck
from jupyter_selfcode.values.effect import Effect
from jupyter_selfcode.values.notebook import Cell, Notebook
from jupyter_selfcode.values.patch import Patch, ReplaceSource, apply
from jupyter_selfcode.values.request import Request
from jupyter_selfcode.values.trial import Candidate, Run, Trial


def found(old: str, *effects: Effect, new: str = "x = 2", other: str = "y = 1", before: Run | None = None, unseen: int = 0, warrant: str = ""):
    """The findings on a change of cell `a` from `old` to `new`, in whose trial these effects were observed."""
    nb = Notebook((Cell("a", "code", old), Cell("b", "code", other)))
    change = Candidate(Patch(nb.digest, (ReplaceSource("a", new),)), "", "test", warrant=warrant)
    trial = Trial(change, Run(effects=effects, unseen=unseen), before or Run())
    check = EffectsCheck()
    assert check.screen(change, Request(""), nb, apply(change.patch, nb)) == ()
    return check.judge(trial, Request(""), nb, apply(change.patch, nb))


KINDS = {
    "creates": "report.csv", "changes": "data.csv", "deletes": "data.csv", "network": "10.0.0.1:80", "process": "ls",
    "environment": "HOME", "native": "libc.so.6", "reads": "~/secret.txt",
}  # fmt: skip


@pytest.mark.parametrize(("kind", "what"), KINDS.items())
@pytest.mark.parametrize("warrant", ["", "numpy 2.0 (link)"])
def test_a_new_kind_of_effect_is_for_a_person_even_with_a_warrant(kind, what, warrant):
    (finding,) = found("x = 1", Effect(kind, what, "a"), warrant=warrant)
    assert (finding.severity, finding.code, finding.cell_id) == ("ask", f"effects:{kind}", "a")
    assert what in finding.message


def test_the_words_are_for_a_person():
    (finding,) = found("x = 1", Effect("creates", "report.csv", "a"))
    assert finding.message == "It created report.csv; the cell did not do that before."
    (finding,) = found("x = 1", Effect("network", "10.0.0.1:80", "a", refused=True))
    assert finding.message == "It tried to use the network (10.0.0.1:80), and was refused; the cell did not do that before."


@pytest.mark.parametrize(("kind", "what"), KINDS.items())
def test_what_the_same_cell_was_observed_to_do_before_is_no_news(kind, what):
    assert not found("x = 1", Effect(kind, what, "a"), before=Run(effects=(Effect(kind, "other", "a"),)))


def test_what_another_cell_was_observed_to_do_is_news():
    assert found("x = 1", Effect("network", "x:1", "a"), before=Run(effects=(Effect("network", "x:1", "b"),)))


@pytest.mark.parametrize(
    ("old", "kind"),
    [
        ("df.to_csv('r.csv')", "creates"), ("plt.savefig('a.png')", "changes"), ("import requests", "network"),
        ("!ls", "process"), ("open('/x').read()", "reads"), ("os.environ['A'] = '1'", "environment"),
    ],
)  # fmt: skip
def test_what_the_old_source_could_have_done_is_no_news(old, kind):
    assert not found(old, Effect(kind, "/x", "a"))


def test_what_a_function_that_the_cell_calls_could_do_is_no_news():
    assert not found("save(x)", Effect("creates", "r.csv", "a"), other="def save(x):\n    x.to_csv('r.csv')")


def test_what_the_change_moves_from_one_cell_to_another_is_no_news():
    nb = Notebook((Cell("a", "code", "x = 1\nx.to_csv('r.csv')"), Cell("b", "code", "y = 1")))
    change = Candidate(Patch(nb.digest, (ReplaceSource("a", "x = 1"), ReplaceSource("b", "x.to_csv('r.csv')"))), "", "test")
    trial = Trial(change, Run(effects=(Effect("creates", "r.csv", "b"),)), Run())
    assert EffectsCheck().judge(trial, Request(""), nb, apply(change.patch, nb)) == []


def test_reading_in_the_notebooks_own_folder_is_not_asked_about():
    assert not found("x = 1", Effect("reads", "data.csv", "a"))


@pytest.mark.parametrize("what", ["mine.py", "x.pth", "other.ipynb", ".git/hooks/pre-commit", "sub/.env", "~/.bashrc", "/lib/sitecustomize.py"])
def test_code_notebooks_and_settings_are_asked_about_whatever_the_cell_did_before(what):
    (finding,) = found("df.to_csv('r.csv')", Effect("creates", what, "a"), before=Run(effects=(Effect("creates", what, "a"),)))
    assert (finding.severity, finding.code) == ("ask", "effects:code")


def test_code_that_an_untouched_cell_wrote_before_too_is_its_authors():
    assert not found("x = 1", Effect("creates", "mine.py", "b"), before=Run(effects=(Effect("creates", "mine.py", "b"),)))


def test_what_went_untold_is_for_a_person_unless_it_did_before():
    (finding,) = found("x = 1", unseen=3)
    assert (finding.severity, finding.code) == ("ask", "effects:unseen")
    assert not found("x = 1", unseen=3, before=Run(unseen=1))


def test_a_file_that_was_found_in_the_folder_is_news_where_no_cell_could_have_made_it():
    assert found("x = 1", Effect("creates", "r.bin"))
    assert not found("x = 1", Effect("creates", "r.bin"), other="df.to_parquet('r.bin')")
