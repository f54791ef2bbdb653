"""A watched session: what fails is looked into while the person goes on; what it comes to waits, and drift is told."""

from __future__ import annotations

import re
import threading

import pandas as pd


def told(person):
    return re.sub(r"\s+", " ", person.told())


def ended(person):
    """Wait until the work in the background has ended."""
    person.extension._background._thread.join(60)


def watched(person, *answers):
    person.run("%selfcode watch on", "w")
    person.model_says(*answers)
    person.told()


def test_a_failure_is_looked_into_and_the_proposal_waits_while_the_cells_go_on(person):
    person.run("stock = [3, 1, 2]", "s")
    watched(person, person.edit("b", "n = len(stock)"))
    assert not person.run("n = length(stock)", "b").success
    assert "The cause is looked for" in told(person)
    ended(person)
    assert person.run("1 + 1", "c").result == 2
    said = told(person)
    assert "A change that mends NameError in b waits for you: %selfcode accept" in said
    assert "n" not in person.shell.user_ns, "nothing was deployed"
    assert person.run("%selfcode accept", "w").success
    assert person.shell.user_ns["n"] == 3


def test_nothing_is_deployed_from_the_background_whatever_the_policy(person):
    person.set("policy = 'deploy'")
    person.run("stock = [3, 1, 2]", "s")
    watched(person, person.edit("b", "n = len(stock)\nassert n == 3"))
    person.run("n = length(stock)\nassert n == 3", "b")
    ended(person)
    person.run("1", "c")
    assert len(person.extension.workspace().waiting.all()) == 1
    assert person.notebook().cell("b").source == "n = length(stock)\nassert n == 3"


def test_the_same_failure_is_looked_into_once(person):
    watched(person, *[person.edit("b", "n = nobody_else")] * 12)
    person.run("n = nobody", "b")
    ended(person)
    calls = len(person.model.asked)
    assert calls
    person.run("n = nobody", "b")
    ended(person)
    assert len(person.model.asked) == calls


def test_a_persons_command_ends_what_is_looked_into(person):
    begun, go_on = threading.Event(), threading.Event()
    watched(person, person.edit("b", "n = 1"))
    script = person.sandbox._script

    def slow(source):
        begun.set()
        go_on.wait(20)
        return script(source) if script else None

    person.sandbox._script = slow
    person.run("n = nobody", "b")
    assert begun.wait(20)
    threading.Timer(0.2, go_on.set).start()
    person.run("%selfcode history", "h")
    assert not person.extension._background.at_work
    assert person.extension.workspace().waiting.all() == {}


def test_data_that_is_no_longer_as_it_was_is_told_once(person):
    watched(person)
    person.shell.user_ns["pd"] = pd
    load = "df = pd.DataFrame({{'a': [v * {} for v in range(100)]}})"
    person.run(load.format(1), "l")
    person.run("total = df.a.sum()", "t")
    assert told(person) == ""
    person.run(load.format(1000), "l")
    person.run("total = df.a.sum()", "t")
    assert "The distribution of df['a'] has shifted" in told(person)
    person.run("total = df.a.sum()", "t")
    assert "shifted" not in told(person)


def test_without_the_watch_nothing_is_looked_into_and_off_ends_it(person):
    person.run("n = nobody", "b")
    assert person.extension._background is None
    person.run("%selfcode watch on", "w")
    assert person.extension._background is not None
    person.run("%selfcode watch off", "w")
    assert person.extension._background is None
    person.told()
    person.run("%selfcode watch", "w")
    assert "Nothing is watched." in told(person)


def test_the_watch_goes_on_in_the_next_session_of_the_notebook(person):
    person.run("%selfcode watch on", "w")
    person.shell.run_line_magic("unload_ext", "jupyter_selfcode")
    person.shell.run_line_magic("load_ext", "jupyter_selfcode")
    person.run("x = 1", "a")
    assert person.extension._background is not None
