"""Which cells run so that the variables are what the notebook says, and what happens where one fails."""

from __future__ import annotations

import pytest

from jupyter_selfcode.hosts.ipython.namespace import Namespace, bereft, orphans, plan
from jupyter_selfcode.values.errors import DeployError
from jupyter_selfcode.values.notebook import Cell, Notebook


def notebook(**cells):
    return Notebook(tuple(Cell(i, "code", s) for i, s in cells.items()))


BASE = {
    "load": "df = [1, 2]",
    "other": "z = 0",
    "clean": "clean = sum(df)",
    "grow": "df.append(3)",
    "show": "print(clean)",
}
ALL = tuple(BASE)


@pytest.mark.parametrize(
    ("changed", "ran", "expected"),
    [
        ({"clean": "clean = len(df)"}, ALL, ("clean", "show")),
        ({"other": "z = 1"}, ALL, ("other",)),
        ({"clean": "clean = df[:1]"}, ("load", "other"), ()),
        ({"grow": "df.append(4)"}, ALL, ("load", "clean", "grow", "show")),
        ({"load": "df = [5]"}, ("load", "other", "clean"), ("load", "clean")),
        ({"show": "%%selfcode\nShow it."}, ALL, ()),
    ],
)
def test_what_changed_runs_with_what_it_needs_anew_and_what_depends_on_it(changed, ran, expected):
    assert plan(notebook(**BASE), notebook(**{**BASE, **changed}), ran) == expected


def test_a_new_cell_runs_where_what_it_needs_has_run():
    after = notebook(**BASE, new="total = sum(df)")
    assert plan(notebook(**BASE), after, ("load", "grow"), {"df"}) == ("new",)
    assert plan(notebook(**BASE), after, ()) == ()
    two = Notebook((*after.cells, Cell("more", "code", "more = total")))
    assert plan(notebook(**BASE), two, ("load",), {"df"}) == ("new", "more")


def test_words_that_became_code_run_though_the_cell_never_ran():
    before, after = (
        notebook(**BASE, w="%%selfcode\nSum it."),
        notebook(**BASE, w='%%selfcode\n"""Sum it."""\ns = sum(df)'),
    )
    assert plan(before, after, ALL, {"df"}) == ("w",)
    assert plan(after, before, (*ALL, "w")) == ()
    assert orphans(after, before, (*ALL, "w")) == {"s"}


def test_a_name_that_another_cell_made_before_is_made_again():
    before = notebook(a="n = 1", b="n = n + 1", c="m = n")
    assert plan(before, notebook(a="n = 1", c="m = n"), ("a", "b", "c")) == ("a", "c")
    assert plan(before, notebook(a="n = 1", b="n = n + 5", c="m = n"), ("a", "b", "c")) == ("a", "b", "c")


def test_what_needs_a_name_that_is_gone_cannot_run_nor_what_needs_its_names():
    cells = notebook(a="m = n", b="k = m", c="free = 1", d="n = 2\nn", e="m = 0")
    assert bereft(cells, ("a", "b", "c", "d"), {"n"}) == {"a": "n", "b": "m"}
    assert bereft(cells, ("d", "a"), {"n"}) == {}


@pytest.fixture
def namespace(person):
    document = person.extension.workspace().document
    return Namespace(person.shell, person.extension.session, document)


def test_cells_run_and_variables_follow(person, namespace):
    person.run("n = 1", "a")
    person.run("n += 1", "b")
    namespace.rerun(("b", "a"))
    assert person.shell.user_ns["n"] == 2
    assert "cells 1 (a), 2 (b)" in namespace.report()
    assert person.extension.session.log[-1].cell_id == "b"  # what we run is not taken for the person's


def test_a_cell_that_fails_puts_names_back(person, namespace):
    person.run("n = 1", "a")
    person.run("n = 2\nmade = 1\n1 / (1 if 'ok' in globals() else 0)", "b")
    person.shell.user_ns["n"] = 1
    person.shell.user_ns.pop("made", None)
    with pytest.raises(DeployError, match="ZeroDivisionError"):
        namespace.rerun(("b",))
    assert person.shell.user_ns["n"] == 1
    assert "made" not in person.shell.user_ns


def test_a_state_that_fails_may_be_brought_back_and_is_told(person, namespace):
    person.shell.user_ns["n"] = 1
    namespace.run(notebook(a="n = 2", b="n = nobody", c="n = 3"), ("a", "b", "c"), may_fail=True)
    assert person.shell.user_ns["n"] == 2
    assert "Cell 2 (b) fails as it is now (NameError): what follows it was not run again" in namespace.report()


def test_an_interrupt_is_passed_on_with_names_put_back(person, namespace):
    person.run("n = 1", "a")
    person.run("n = 2\nif 'armed' in globals(): raise KeyboardInterrupt", "b")
    person.shell.user_ns.update(n=1, armed=True)
    with pytest.raises(KeyboardInterrupt):
        namespace.rerun(("b",))
    assert person.shell.user_ns["n"] == 1
