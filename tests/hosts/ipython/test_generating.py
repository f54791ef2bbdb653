"""Words in a cell become code: proposed, decided by a person, live, and taken back."""

from __future__ import annotations

import re

import pytest

from jupyter_selfcode.plugins.models.scripted import Hang

WORDS = '%%selfcode\nDon\'t use {braces}: count to 3, "quoted", 100 % for $5.'


def test_words_are_proposed_and_nothing_changes_until_accepted(person):
    person.model_says(person.edit("w", "n = 3\nn"))
    result = person.run(WORDS, "w")
    told = person.told()
    for said in (
        "Proposed: 1 cell would change",
        "+ n = 3",
        "Don't use {braces}",
        "$5",
        "%selfcode accept",
        "not checked",
    ):
        assert said in told
    assert not result.success  # so that what stands below is not run
    assert "n" not in person.shell.user_ns
    assert person.notebook().cell("w").source == WORDS

    assert person.run("%selfcode accept", "x").success
    assert person.shell.user_ns["n"] == 3
    cell = person.notebook().cell("w").source
    assert cell.startswith('%%selfcode\n"""Don\'t use {braces}')
    assert cell.endswith("n = 3\nn")
    assert person.shell.rl_next_input == cell
    assert "stands at the next prompt" in person.told()


def test_running_the_words_again_takes_the_accepted_code(person):
    person.model_says(person.edit("w", "n = 3\nn"))
    person.run(WORDS, "w")
    person.run("%selfcode accept", "x")
    person.shell.user_ns.pop("n")
    person.told()
    result = person.run(WORDS, "w")
    assert result.success
    assert person.shell.user_ns["n"] == 3
    assert len(person.model.asked) == 1
    assert "answered before" in person.told()


def test_the_words_of_the_grammar_are_listed_when_asked_for(person):
    for line in ("help", "--help", "-h"):
        assert person.run(f"%selfcode {line}").success
        told = person.told()
        assert "%selfcode rollback" in told
        assert "%%selfcode" in told


def test_a_policy_that_deploys_still_asks_where_no_contract_says_that_it_is_right(person):
    person.set("policy = 'deploy'")
    person.model_says(person.edit("w", "n = 3"))
    assert not person.run(WORDS, "w").success
    assert "no contract says" in re.sub(r"\s+", " ", person.told())


def test_with_a_contract_and_the_policy_deploy_the_code_is_there_at_once(person):
    person.set("policy = 'deploy'")
    person.model_says(person.edit("w", "n = 3"))
    result = person.run("%%selfcode\nCount to 3.\n\n>>> n\n3\n", "w")
    assert result.success
    assert person.shell.user_ns["n"] == 3
    assert "Deployed" in person.told()


def test_a_proposal_holds_while_cells_below_are_run_and_not_when_one_above_changes(person):
    person.run("a = 1", "a")
    person.model_says(person.edit("w", "n = a"), person.edit("w", "n = a"))
    person.run(WORDS, "w")
    person.run("z = 5", "z")
    assert person.run("%selfcode accept", "x").success
    assert person.shell.user_ns["n"] == 1

    person.run("%selfcode undo", "x")
    assert "n" not in person.shell.user_ns
    person.run(WORDS, "w")
    person.run("a = 2", "a")
    person.told()
    assert not person.run("%selfcode accept", "x").success
    assert "Ask again" in person.told()
    assert "n" not in person.shell.user_ns


def test_rejecting_with_a_reason_makes_a_lesson_of_it(person):
    person.model_says(person.edit("w", "n = 3"), person.edit("w", "n = 4"))
    person.run(WORDS, "w")
    person.run("%selfcode reject start at 0, don't ask {why}", "x")
    person.told()
    person.run(WORDS, "w")
    assert "start at 0, don't ask {why}" in person.model.asked[1].messages[-1].content
    assert not person.run("%selfcode accept nothing-like-it").success


def test_undo_and_redo_bring_back_cells_and_variables(person):
    person.run("n = 0", "a")
    person.model_says(person.edit("a", "n = 10"))
    person.run("%selfcode adapt start at ten", "x")
    person.run("%selfcode accept", "x")
    assert person.shell.user_ns["n"] == 10
    person.run("%selfcode undo", "x")
    assert person.shell.user_ns["n"] == 0
    assert person.notebook().cell("a").source == "n = 0"
    person.run("%selfcode redo", "x")
    assert person.shell.user_ns["n"] == 10
    person.run("%selfcode rollback 1", "x")
    assert person.shell.user_ns["n"] == 0
    person.told()
    for line in (
        "",
        "history",
        "history --graph",
        "show 2",
        "diff 1 2",
        "blame a",
        "why a",
        "cost",
        "verify",
        "export --json",
    ):
        assert person.run(f"%selfcode {line}", "x").success, person.told()
    assert "start at ten" in person.told()


def test_undo_does_not_run_what_needs_a_name_that_is_gone(person):
    person.model_says(person.edit("w", "n = 3"))
    person.run(WORDS, "w")
    person.run("m = n + 1", "m")
    person.run("%selfcode accept", "x")
    person.run("m = n + 1", "m")
    person.told()
    assert person.run("%selfcode undo", "x").success
    told = " ".join(person.told().split())
    assert "NameError" not in told
    assert "Cell 2 (m) needs n, which is gone now: it was not run again." in told
    assert "n" not in person.shell.user_ns
    assert person.run("%selfcode redo", "x").success
    assert person.shell.user_ns["m"] == 4


def test_undo_and_redo_leave_alone_what_was_written_since(person):
    person.run("n = 0", "a")
    person.model_says(person.edit("a", "n = 10"))
    person.run("%selfcode adapt start at ten", "x")
    person.run("%selfcode accept", "x")
    person.run("mine = 5", "m")
    for word, n, source in (("undo", 0, "n = 0"), ("redo", 10, "n = 10"), ("undo", 0, "n = 0")):
        assert person.run(f"%selfcode {word}", "x").success, person.told()
        assert (person.shell.user_ns["n"], person.shell.user_ns["mine"]) == (n, 5)
        assert [(c.id, c.source) for c in person.notebook().cells] == [("a", source), ("m", "mine = 5")]
    person.run("n = 77", "a")
    person.told()
    assert not person.run("%selfcode redo", "x").success
    assert "Cell a was edited since" in person.told()
    assert person.notebook().cell("a").source == "n = 77"
    assert person.run("%selfcode rollback 1", "x").success, person.told()
    assert [(c.id, c.source) for c in person.notebook().cells] == [("a", "n = 0")]


def test_an_interrupt_stops_at_once_and_changes_nothing(person):
    import _thread
    import signal
    import threading
    import time

    signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever ran in this process before: as in a kernel
    person.model_says(Hang())

    def interrupt_when_the_model_is_asked():
        while not person.model.asked:
            time.sleep(0.05)
        time.sleep(0.2)
        _thread.interrupt_main()

    thread = threading.Thread(target=interrupt_when_the_model_is_asked, daemon=True)
    thread.start()
    result = person.run(WORDS, "w")
    thread.join()
    assert not result.success
    assert isinstance(result.error_in_exec, KeyboardInterrupt)
    assert "Stopped; nothing was changed." in person.told()
    assert person.model.open == 0
    assert person.sandbox.opened == person.sandbox.closed
    assert person.run("1 + 1").result == 2


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("%selfcode nonsense", "does not know the word 'nonsense'"),
        ("%selfcode accept", "Nothing waits for a decision"),
        ("%selfcode rollback 7", "no history"),
        ("%selfcode adapt", "Say in words"),
        ("%%selfcode", "Say below"),
        ("%selfcode blame --help", "usage"),
    ],
)
def test_bad_input_is_one_line_and_the_cell_has_failed(person, line, said):
    person.told()
    assert not person.run(line).success
    told = person.told()
    assert said in told
    assert "Traceback" not in told
    assert told.strip().count("\n") == 0 or "usage" in told


def test_a_model_that_fails_leaves_a_cell_that_failed_and_says_why(person):
    from jupyter_selfcode.values.errors import ModelError

    person.model_says(ModelError("The key in OPENAI_API_KEY was refused; set another."))
    assert not person.run(WORDS, "w").success
    assert "OPENAI_API_KEY" in person.told()


def test_settings_of_the_session_reach_the_work(person):
    person.run("%config SelfCode.budget_attempts = 2")
    assert person.extension.workspace().settings.budget_attempts == 2
    person.run("%selfcode model openai/some-model")
    assert person.extension.settings.model == "openai/some-model"
    assert person.extension.workspace().settings.model == "openai/some-model"


def test_the_very_request_is_shown_in_a_cell_and_nothing_is_sent(person):
    person.model_says(person.edit("a", "n = 2"))
    person.run("n = 1", "a")
    person.told()
    assert person.run("%selfcode send count to 2, don't {stop}", "x").success
    told = person.told()
    assert "Would be sent; nothing was" in told
    assert "count to 2, don't {stop}" in told
    assert person.model.asked == []
    assert person.shell.user_ns["n"] == 1
