"""A `%%selfcode` cell with code adapts when it raises or when its contract breaks; other cells are only remembered."""

from __future__ import annotations

import re

BROKEN = '%%selfcode\n"""Three things.\n\n>>> len(things)\n3\n"""\nthings = sorted(stok)'
MENDED = "things = sorted(stock)"


def test_a_cell_that_raises_keeps_its_error_and_gets_a_proposal_under_it(person):
    person.run("stock = [3, 1, 2]", "s")
    person.model_says(person.edit("g", MENDED))
    result = person.run(BROKEN, "g")
    told = person.told()
    assert isinstance(result.error_in_exec, NameError)
    assert told.index("NameError") < told.index("Proposed: 1 cell would change")
    assert "Three things" in told
    assert "things" not in person.shell.user_ns
    assert person.run("%selfcode accept", "x").success
    assert person.shell.user_ns["things"] == [1, 2, 3]
    assert person.extension.session.failure() is None


def test_with_the_policy_deploy_the_new_code_is_the_cells_result(person):
    person.set("policy = 'deploy'")
    person.run("stock = [3, 1, 2]", "s")
    person.model_says(person.edit("g", MENDED + "\nlen(things)"))
    result = person.run(BROKEN.replace(">>> len(things)\n3", ">>> things\n[1, 2, 3]"), "g")
    assert result.success, person.told()
    assert result.error_in_exec is None
    assert result.result == 3
    assert person.shell.last_execution_succeeded
    assert person.shell.user_ns["things"] == [1, 2, 3]
    assert person.notebook().cell("g").source.endswith(MENDED + "\nlen(things)")


def test_a_broken_contract_is_a_short_error_and_adapts(person):
    person.run("stock = [3, 1, 2]", "s")
    person.model_says(person.edit("g", MENDED))
    result = person.run(BROKEN.replace("stok", "stock[:1]"), "g")
    told = person.told()
    assert type(result.error_in_exec).__name__ == "ContractBroken"
    assert "ContractBroken: len(things) gave 1, the contract says 3" in told
    assert "Traceback" not in told
    assert "Proposed" in told
    assert person.extension.session.failure().ename == "ContractBroken"


def test_a_contract_that_holds_is_quiet_and_leaves_no_name_behind(person):
    before = set(person.shell.user_ns)
    result = person.run('%%selfcode\n"""Two.\n\n>>> left_behind = 1\n>>> n\n2\n"""\nn = 2')
    assert result.success
    assert person.told() == ""
    assert {n for n in set(person.shell.user_ns) - before if not n.startswith("_")} == {"n"}


def test_an_example_may_be_interrupted(person):
    source = '%%selfcode\n"""Slow.\n\n>>> raise KeyboardInterrupt\n"""\nn = 2'
    result = person.run(source)
    assert "Stopped" in person.told()
    assert result.success


def test_an_interrupted_cell_never_adapts(person):
    person.run("stock = [3, 1, 2]", "s")
    person.model_says(person.edit("g", MENDED))
    person.run("%%selfcode\n'''Wait.'''\nraise KeyboardInterrupt", "g")
    assert person.model.asked == []
    assert person.extension.session.failure() is None


def test_a_plain_cell_that_fails_is_remembered_for_fix(person):
    person.run("x = [1, 2]", "a")
    person.model_says(person.edit("b", "len(x)"))
    assert not person.run("length(x)", "b").success
    assert person.model.asked == []
    person.told()
    assert person.run("%selfcode fix it's {so} easy", "c").success
    assert "Proposed" in person.told()
    assert "it's {so} easy" in person.model.asked[0].messages[-1].content
    person.run("%selfcode accept", "c")
    assert person.extension.session.failure() is None
    person.told()
    person.run("%selfcode fix", "c")
    assert "Nothing has failed" in person.told()


def test_a_cause_above_is_mended_above_and_what_depends_on_it_runs_again(person):
    person.run("rate = '2'", "a")
    person.run("seen = []", "b")
    person.run("seen.append(1)", "s")
    person.model_says(person.edit("a", "rate = 2"))
    assert not person.run("total = rate * 2 + 1", "c").success
    person.run("%selfcode fix", "x")
    person.told()
    person.run("%selfcode accept", "x")
    told = re.sub(r"\s+", " ", person.told())
    assert person.shell.user_ns["rate"] == 2
    assert person.shell.user_ns["total"] == 5
    assert person.shell.user_ns["seen"] == [1]
    assert "Ran here: cells 1 (a), 4 (c)." in told


def test_what_fails_in_the_live_session_is_not_deployed_and_names_are_as_they_were(person):
    person.run("x = 1", "a")
    person.model_says(person.edit("a", "x = 2\nmade = 1\nassert 'only_here' not in globals()"))
    person.run("%selfcode adapt make it two", "b")
    person.shell.user_ns["only_here"] = True
    person.told()
    assert not person.run("%selfcode accept", "b").success
    told = person.told()
    assert "fails in this session (AssertionError" in told
    assert person.shell.user_ns["x"] == 1
    assert "made" not in person.shell.user_ns
    assert person.notebook().cell("a").source == "x = 1"
    assert person.extension.workspace().lineage()[-1].outcome == "undone"


def test_trouble_of_our_own_is_one_line_and_the_cell_stays_as_it_is(person):
    (person.extension.session.folder / ".selfcode").write_text("a file where the folder of the history should be")
    person.model_says(person.edit("g", "1 / 1"))
    person.told()
    result = person.run("%%selfcode\n'''Divide.'''\n1 / 0", "g")
    assert isinstance(result.error_in_exec, ZeroDivisionError)
    told = person.told()
    assert [line for line in told.splitlines() if "selfcode:" in line or "selfcode could not" in line]
    assert "InteractiveShell" not in told
    assert person.run("2").result == 2


def test_what_a_syntax_error_says_is_the_same_in_every_session(person):
    person.run("x = = 3", "s")
    assert person.extension.session.failure().evalue == "invalid syntax (line 1)"


def test_of_a_proposal_for_two_cells_one_may_be_accepted_and_reaches_no_level(person):
    person.run("x = 1", "a")
    person.run("y = 2", "b")
    person.model_says(person.edit("a", "x = 10") + person.edit("b", "y = 20"))
    person.run("%selfcode adapt ten times as much", "w")
    person.run("%selfcode accept --cell nobody", "w")
    assert "This proposal changes no cell 'nobody'; it changes a, b." in " ".join(person.told().split())
    assert person.run("%selfcode accept --cell b", "w").success, person.told()
    assert [c.source for c in person.notebook().cells] == ["x = 1", "y = 20"]
    version = person.extension.workspace().lineage()[-1].version
    assert (version.kind, version.level) == ("adapt", None)
    assert "the evidence is about the whole" in version.assumptions[0]
    assert not person.extension.workspace().waiting.all()
