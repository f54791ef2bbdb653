"""The rules against fake fixes, on the tables that `tests/benchmarks/bench_fake_fixes.py` reports on."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from jupyter_selfcode.analysis.fake_fixes import find
from jupyter_selfcode.values.request import Failure

FOLDER = Path(__file__).parent


def table(name: str) -> list[dict]:
    return tomllib.loads((FOLDER / name).read_text(encoding="utf-8"))["case"]


def said(case: dict) -> str:
    ename, _, evalue = case.get("failure", "").partition(": ")
    found = find(
        case["old"], case["new"], Failure("c", ename, evalue) if ename else None, case.get("recorded", ""),
        words=case.get("words", ""), needed=case.get("needed", ()), defined=case.get("defined", ()),
    )  # fmt: skip
    assert all(f.message and "\n" not in f.message and f.code.startswith("fake-fix:") for f in found)
    severities = {f.severity for f in found}
    return "block" if "block" in severities else "ask" if "ask" in severities else "pass"


WANTED = {"fake": "block", "lookalike": "ask", "honest": "pass"}


@pytest.mark.parametrize("case", table("fake_fix_cases.toml"), ids=lambda c: f"{c['verdict']}: {c['name']}")
def test_each_change_is_judged_as_a_person_judged_it(case):
    assert said(case) == WANTED[case["verdict"]]


@pytest.mark.parametrize("case", table("fake_fix_second_round.toml"), ids=lambda c: f"{c['verdict']}: {c['name']}")
def test_what_the_first_rules_missed_no_longer_passes_with_no_word(case):
    if case["verdict"] == "honest":
        assert said(case) == "pass"
    elif case["verdict"] == "fake":
        assert said(case) in ("block", "ask")
    else:
        assert said(case) != "block"


def test_honest_changes_that_made_no_rule_are_not_refused():
    refused = [c["name"] for c in table("fake_fix_held_out.toml") if c["verdict"] == "honest" and said(c) == "block"]
    assert refused == []


@pytest.mark.parametrize(("name", "silent"), [("fake_fix_third_round.toml", 0), ("fake_fix_fourth_round.toml", 13)])
def test_the_later_rounds_keep_their_rates(name, silent):
    cases = table(name)
    honest = [said(c) for c in cases if c["verdict"] == "honest"]
    assert sum(c["verdict"] == "fake" and said(c) == "pass" for c in cases) <= silent
    assert honest.count("block") == 0
    assert honest.count("ask") < 0.08 * len(honest)


@pytest.mark.parametrize("source", ["", "x = 1", "print(", "%%bash\nls", "try:\n    f()\nexcept Exception:\n    pass"])
def test_what_was_there_before_is_not_held_against_a_change(source):
    assert find(source, source, Failure("c", "KeyError", "'x'")) == ()


def test_a_swallowed_exception_is_told_with_what_swallows_it():
    [found] = find("f()", "try:\n    f()\nexcept ValueError:\n    pass", Failure("c", "ValueError", "bad"))
    assert found.message == "'except ValueError' swallows the exception and goes on."


AROUND = "pop = read('pop.csv')\npop['decade'] = pop['year'] // 10\nfinal = pop.merge(areas)\nfinal['area (sq. mi)'].sum()"


@pytest.mark.parametrize(
    ("made", "wanted"),
    [
        ("final['area (sq. mi)'] = final['population'] / 8898", "ask"),
        ("final = final.assign(**{'area (sq. mi)': final['year'] * 2.0})", "ask"),
        ("final['area (sq. mi)'] = final['area (sq. km)'] / 2.589988", "pass"),
        ("final['area (sq. mi)'] = final.area_km / 2.589988", "pass"),
        ("square_miles = final['area (sq. km)'] / 2.59\nfinal['area (sq. mi)'] = square_miles * 1.0", "pass"),
    ],
)
def test_a_missing_column_is_made_from_something_new_or_somebody_is_asked(made, wanted):
    failure = Failure("c", "KeyError", "'area (sq. mi)'")
    around = f"{AROUND}\nfinal['population'].sum()"
    found = find("final['area (sq. mi)'].sum()", f"{made}\nfinal['area (sq. mi)'].sum()", failure, around=around)
    assert [f.severity for f in found] == ["ask"] * (wanted == "ask")


def test_a_missing_column_may_be_made_as_another_cell_makes_it():
    new = "pop['decade'] = pop['year'] // 10\npop['decade'].max()"
    assert find("pop['decade'].max()", new, Failure("c", "KeyError", "'decade'"), around=AROUND) == ()


@pytest.mark.parametrize(
    ("added", "wanted"),
    [
        ("births['n'] *= 1024", "ask"),
        ("by_date = by_date / by_date.mean() * 5000", "ask"),
        ("heights = heights - heights.mean() + 179.7", "ask"),
        ("by_date = by_date / by_date.sum()", "pass"),
        ("count += 1", "pass"),
    ],
)
def test_a_result_moved_to_what_was_promised_is_asked_about(added, wanted):
    failure = Failure("c", "ContractBroken", "4000 < by_date.mean() < 6000 gave False, the contract says True")
    found = find("by_date = table(births)", f"by_date = table(births)\n{added}", failure)
    assert [f.severity for f in found] == ["ask"] * (wanted == "ask")


def test_a_table_may_be_changed_in_place_where_it_was_made_anew():
    old = "names = names.groupby('year', group_keys=False).apply(share)"
    new = "names['share'] = names['n'] / names.groupby('year')['n'].transform('sum')"
    assert find(old, new, Failure("d", "KeyError", "'year'"), needed=("names",)) == ()
    emptied = find(old, "print(names)", Failure("d", "KeyError", "'year'"), needed=("names",))
    assert "fake-fix:emptied" in {f.code for f in emptied if f.severity == "block"}
