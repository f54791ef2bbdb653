"""Whether the variables of a session go along for a request, and what is said where they do not: told in the session's own process."""

from __future__ import annotations

import contextlib
import threading

import numpy as np
import pytest

from jupyter_selfcode.analysis import unpickling
from jupyter_selfcode.hosts.ipython.copying import sandbox_for, taking_along
from jupyter_selfcode.plugins.sandboxes.forked import ForkedSandbox
from jupyter_selfcode.plugins.sandboxes.taken_over import CopiedSandbox
from jupyter_selfcode.values.request import Failure, Request

pytestmark = pytest.mark.timeout(120, method="thread")

REQUEST = Request("", "exception", "z", failure=Failure("z", "NameError", "nothing", line=1))


@pytest.fixture
def session(person):
    """A session in which it is always worth it."""
    person.set("copied_seconds = 0.0")
    return person


@contextlib.contextmanager
def asked(session, request=REQUEST):
    """The sandbox of a request; nothing of it stays."""
    made = sandbox_for(session.extension.workspace(), request)
    try:
        yield made
    finally:
        if made is not None and made.taken is not None:
            made.taken.pickled.close()


def why(session, request=REQUEST):
    """Why nothing was copied."""
    with asked(session, request) as made:
        assert isinstance(made, CopiedSandbox)
        assert made.taken is None, made.taken
        return made.why[0]


def test_the_names_of_the_cells_above_go_along_and_those_of_the_cell_itself_do_not(session):
    session.run("x = [1]\ny = 2", "a")
    session.run("def f(): return x + [y]", "b")
    session.run("z = f()\nlater = 1", "z")
    session.run("z = f() + nothing\n", "z")
    with asked(session) as made:
        assert set(made.taken.pickled.names) == {"x", "y", "f"}
        assert made.taken.place == 2
        assert made.taken.ended == {"z": "NameError"}


def test_the_random_numbers_are_those_that_the_cells_above_have_left(session):
    session.run("import random, numpy as np\nrandom.seed(3)\nnp.random.seed(3)", "a")
    session.run("random.random(), np.random.rand(), nothing", "z")
    with asked(session) as made:
        names = {}
        unpickling.load(made.taken.pickled.reader(), list(made.taken.pickled.names), [], 1, names, names.update)
    import random

    random.seed(3)
    assert names["random"] == random.getstate()
    assert names["numpy.random"][2] == np.random.RandomState(3).get_state()[2]


def test_random_numbers_that_another_cell_drew_in_between_are_missed_where_there_was_a_seed(session):
    for cell_id in "abzy":
        session.run("0", cell_id)
    for seeds, drawing in (("", "random.random()"), ("random.seed(1)", "1"), ("random.seed(1)", "random.random()")):
        session.run(f"import random\n{seeds}", "a")
        session.run(drawing, "y")
        session.run("x = 1", "b")
        session.run("nothing", "z")
        if seeds and "random" in drawing:
            assert why(session) == "cell y may have drawn random numbers in between"
        else:
            with asked(session) as made:
                assert made.taken, made.why


@pytest.mark.parametrize(
    ("above", "then", "said"),
    [
        ("x = [1]", "x.append(2)\nnothing", "`x` (cell z may have changed it)"),
        ("x = (i for i in range(3))", "nothing", ""),
        ("x = (i for i in range(3))", "nothing\nx", "`x` (generator)"),
        ("x = (i for i in range(3))", "x, nothing", "`x` (cell z may have changed it)"),
        ("api_key = 'no-such-key'", "api_key, nothing", "`api_key` (its name looks secret)"),
        ("x = 1", "Out, nothing", "cell z reads Out, which IPython keeps"),
        ("%precision 3\nx = 1", "nothing", "does is in no variable"),
        ("x = globals()", "nothing", "cannot be told from its code"),
    ],
)
def test_what_speaks_against_it_is_said(session, above, then, said):
    session.run(above, "a")
    session.run("first = 1\n" + then, "z")
    request = Request("", "exception", "z", failure=Failure("z", "NameError", "nothing", line=2 + then[: then.index("nothing")].count("\n")))
    if said:
        assert said in why(session, request)
    else:
        with asked(session, request) as made:
            assert "x" not in made.taken.pickled.names


def test_a_secret_that_nothing_needs_stays_at_home_and_a_change_that_reads_it_is_tried_elsewhere(session):
    session.run("api_key = 'no-such-key'\nx = 1", "a")
    session.run("nothing", "z")
    with asked(session) as made:
        assert made.taken.pickled.names == ("x",)
        notebook = session.notebook()
        assert made.taken.lacking(notebook) == ""
        wished = type(notebook)(tuple(c if c.id != "z" else type(c)("z", "code", "api_key") for c in notebook.cells))
        assert "`api_key` (its name looks secret)" in made.taken.lacking(wished)


def test_code_of_the_notebook_that_is_at_work_in_the_background_speaks_against_it(session):
    session.run("import threading\nstop = threading.Event()\ndef work(): stop.wait()\nthread = threading.Thread(target=work)\nthread.start()\nx = 1", "a")
    session.run("nothing", "z")
    try:
        assert "at work in the background" in why(session)
    finally:
        session.shell.user_ns["stop"].set()
        threading.Event().wait(0.01)


def test_cells_that_have_not_run_or_are_others_now_run_again(session):
    session.run("x = 1", "a")
    session.run("nothing", "z")
    session.extension.workspace().document.hold(type(session.notebook())((type(session.notebook().cells[0])("a", "code", "x = 2"), *session.notebook().cells[1:])))
    assert why(session) == "cell a has not run as it is now"


@pytest.mark.parametrize(
    ("setting", "request_"),
    [
        ("copied_seconds = None", REQUEST),
        ("copied_seconds = 60.0", REQUEST),
        ("forked = 'never'", REQUEST),
        ("sandbox_network = True", REQUEST),
        ("policy = 'propose'", Request("faster", "slow", "z", ("z",))),
        ("policy = 'propose'", Request("any cell may change")),
        ("policy = 'propose'", Request("the first cell", "words", "a", ("a",))),
    ],
)
def test_where_it_is_not_wished_or_not_worth_it_the_cells_above_run_as_always(session, setting, request_):
    session.set(setting)
    session.run("x = 1", "a")
    session.run("nothing", "z")
    with asked(session, request_) as made:
        assert made is None


def test_for_the_time_of_the_request_alone_the_engine_goes_on_from_them(session):
    session.run("x = 1", "a")
    session.run("nothing", "z")
    workspace = session.extension.workspace()
    before = workspace.engine
    with taking_along(workspace, REQUEST):
        taken = workspace.engine.sandbox.taken
        assert isinstance(workspace.engine.sandbox.fresh, ForkedSandbox)
        assert not taken.pickled.file.closed
    assert workspace.engine is before
    assert taken.pickled.file.closed
    with pytest.raises(KeyError), taking_along(workspace, REQUEST):
        raise KeyError
    assert workspace.engine is before


def test_what_a_library_raises_when_it_is_asked_how_it_stands_does_not_end_the_request(session, monkeypatch):
    from jupyter_selfcode.analysis import surroundings

    def broken():
        raise RuntimeError("no")

    monkeypatch.setattr(surroundings, "settings", broken)
    session.run("x = 1", "a")
    session.run("nothing", "z")
    assert "RuntimeError in telling" in why(session)


def test_every_run_is_timed_and_a_session_that_draws_nothing_keeps_one_state_of_the_generators(session):
    session.run("x = 1", "a")
    session.run("y = 2", "b")
    session.run("import random\nrandom.random()", "c")
    session.run("z = 2", "d")
    took = session.extension.session.took
    assert all(t.seconds >= 0 for t in took)
    assert took[1].drawn is took[2].drawn
    assert took[3].drawn is not took[2].drawn


