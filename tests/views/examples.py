"""Values as the engine makes them, for looking at every view: used by the tests of the views and by nothing else."""

from __future__ import annotations

from jupyter_selfcode import views
from jupyter_selfcode.values.decision import Ask, Reject
from jupyter_selfcode.values.effect import Effect
from jupyter_selfcode.values.events import Decided
from jupyter_selfcode.values.notebook import Cell, Notebook
from jupyter_selfcode.values.patch import diff
from jupyter_selfcode.values.prompt import Cost
from jupyter_selfcode.values.request import Failure, Option, Request, Triage
from jupyter_selfcode.values.size import Size
from jupyter_selfcode.values.strength import Mutant, Strength
from jupyter_selfcode.values.trial import Candidate, CellResult, Example, Finding, Run, Trial
from jupyter_selfcode.values.version import Attempt, Recorded, make_version

OLD = """import pandas as pd
import glob

frames = []
for path in glob.glob("data/*.csv"):
    frames.append(pd.read_csv(path))

sales = pd.DataFrame()
for frame in frames:
    sales = sales.append(frame)
sales["month"] = pd.to_datetime(sales["date"]).dt.month
"""
NEW = OLD.replace(
    """sales = pd.DataFrame()
for frame in frames:
    sales = sales.append(frame)
""",
    """# DataFrame.append was removed in pandas 2.0
sales = pd.concat(frames, ignore_index=True)
""",
)


def printed(text):
    """An nbformat stream output."""
    return {"output_type": "stream", "name": "stdout", "text": text}


def build(
    words="Plot revenue per month", cell="3f2a91c0", out="total  4711\n", why="It does what DataFrame.append did."
):
    """Every view by name, made of the texts given (which may be hostile)."""
    before = Notebook(
        (Cell("intro", "markdown", f"# {words}"), Cell(cell, "code", OLD), Cell("b7", "code", "sales.sum()"))
    )
    after = Notebook(
        (before.cells[0], Cell(cell, "code", NEW), before.cells[2], Cell("new1", "code", f"print({out!r})"))
    )
    failure = Failure(cell, "AttributeError", "'DataFrame' object has no attribute 'append'", line=9)
    request = Request(words, "exception", cell, (), failure)
    triage = Triage(
        "code",
        f"pandas has no such attribute: {why}",
        (
            Option("do nothing", False, "the cell would go on failing"),
            Option("rules", True, "free, a documented replacement"),
        ),
    )
    run0 = Run((CellResult(cell, "error", (), failure=failure),), "error")
    run1 = Run(
        (CellResult(cell, "ok"), CellResult("b7", "ok", (printed(out),)), CellResult("new1", "ok", (printed(words),))),
        examples=(
            Example(cell, "len(sales) > 0\n", "True\n", "True\n", True),
            Example(cell, f"{words!r}\n", "1\n", out, False),
        ),
        sandbox="limited",
        effects=(
            Effect("creates", f"report {out}", cell),
            Effect("reads", words, cell),
            Effect("network", out, "b7", refused=True),
            Effect("deletes", cell),
        ),
        unseen=1,
    )
    good = Trial(
        Candidate(diff(before, after), why, "llm", Cost(0.0123, 3100, 420, 2, 8.1), "openai/gpt-4o"),
        run1,
        run0,
        (
            Finding("contract", "2 examples hold and none names an empty folder", "note", cell),
            Finding("outputs", "the output of a cell that was not edited changed", "ask", "b7"),
        ),
        "fresh",
        2,
        (
            "ran from the top in a clean kernel (limited), 3 cells",
            "1 example of the contract holds; what it does not say is not checked",
        ),
        4.2,
        strength=Strength(
            (
                Mutant(cell, 10, "aggregate", f"sum → {out}", "caught", by=(words,)),
                Mutant(cell, 10, "flag", f"True → False {why}", "survived", differs=(words,)),
                Mutant(cell, 9, "statement", f"{out} left out", "same"),
                Mutant(cell, 9, "constant", "0 → 1", "failed"),
            ),
            3.1,
            f"the 10 s set aside were enough for {out}",
            f"no promise looks at {words}",
        ),
        size=Size(2, 3, -1),
    )
    bad = Trial(
        Candidate(
            diff(
                before,
                Notebook(
                    (
                        before.cells[0],
                        Cell(cell, "code", "try:\n    pass\nexcept Exception:\n    pass"),
                        before.cells[2],
                    )
                ),
            ),
            f"Catch it. {words}",
            "llm",
            model="openai/gpt-4o",
        ),
        None,
        run0,
        (Finding("fake-fix", f"the exception is swallowed: {out}", "block", cell),),
        "none",
    )
    cost = Cost(0.0123, 3100, 420, 2, 8.1)
    decided = Decided(
        request, Ask(good, "A person decides (policy propose)."), triage, (bad, good), cost, "c0ffee", 12.4
    )
    missing = Decided(
        request,
        Reject(triage.reason, "environment"),
        Triage("environment", triage.reason, triage.options),
        (),
        Cost(),
        "",
        1.2,
    )
    failed = Decided(
        request,
        Reject("The one candidate did not pass: the exception is swallowed"),
        triage,
        (bad,),
        cost,
        "",
        9.1,
    )
    first = make_version(
        parents=(),
        patch=diff(before, before),
        notebook=before.digest,
        kind="initial",
        by="person",
        at="2026-05-02T09:12:00+00:00",
        words="as it was found",
    )
    second = make_version(
        parents=(first.id,),
        patch=diff(before, after),
        notebook=after.digest,
        kind="adapt",
        by="person",
        at="2026-05-02T09:14:31+00:00",
        words=words,
        trigger="exception",
        triage=f"code: {triage.reason}",
        options=triage.options,
        proposer="llm",
        model="openai/gpt-4o",
        rationale=why,
        level=2,
        assumptions=good.assumptions,
        findings=good.findings,
        cost=cost,
        seconds=12.4,
        tried=(Attempt("llm", "abc", False, bad.findings), Attempt("llm", "def", True)),
    )
    third = make_version(
        parents=(second.id,),
        patch=diff(after, before),
        notebook=before.digest,
        kind="undo",
        by="person",
        at="2026-05-02T10:00:00+00:00",
        restores=first.id,
    )
    lineage = tuple(
        Recorded(v, o, i)
        for i, (v, o) in enumerate(((first, "deployed"), (second, "deployed"), (third, "deployed")), 1)
    )
    rows = [
        {
            "number": r.number,
            "id": r.version.id,
            "kind": r.version.kind,
            "outcome": r.outcome,
            "by": r.version.by,
            "at": r.version.at,
            "words": r.version.words,
            "trigger": r.version.trigger,
            "proposer": r.version.proposer,
            "model": r.version.model,
            "level": r.version.level,
            "cells": list(r.version.patch.cells),
            "parents": list(r.version.parents),
            "restores": r.version.restores,
            "usd": r.version.cost.usd,
            "tokens": r.version.cost.tokens,
            "calls": r.version.cost.calls,
            "seconds": r.version.seconds,
            "replayed": False,
            "rationale": r.version.rationale,
        }
        for r in lineage
    ]
    costs = {
        "versions": 1,
        "alive": 1,
        "calls": 2,
        "prompt_tokens": 3100,
        "completion_tokens": 420,
        "usd": 0.0123,
        "seconds": 12.4,
        "estimated": False,
        "replayed": False,
        "usd_per_change_alive": 0.0123,
        "tokens_per_change_alive": 3520.0,
        "by_version": rows[1:2],
    }
    settings = {
        "model": words,
        "policy": "propose",
        "min_level": 2,
        "budget_usd": 1.0,
        "budget_tokens": 200000,
        "budget_attempts": 6,
        "budget_seconds": 900.0,
    }
    found = {
        "model": words,
        "api_base": out,
        "found": [
            {"provider": "ollama", "reachable": True, "models": ("ollama_chat/qwen3", cell), "how": why},
            {
                "provider": "keys",
                "reachable": False,
                "models": (),
                "how": "Set one of OPENAI_API_KEY, ANTHROPIC_API_KEY.",
            },
        ],
    }
    lines = [
        {
            "line": text,
            "version": 1 if i < 7 else 2 if i < 9 else None,
            "by": "person",
            "at": "2026-05-02T09:12:00+00:00",
            "kind": "adapt",
        }
        for i, text in enumerate([*NEW.splitlines(), out])
    ]
    data = {
        "ok": False,
        "problems": [why],
        "notes": [words],
        "python": "3.12.4",
        "versions": {"ipython": "9.18", "litellm": "not installed"},
        "sandbox": {
            "name": "limited",
            "tier": "C",
            "promise": "It runs with your rights, with limits on time and memory. We do not auto-accept.",
            "missing": {"A": "bubblewrap is not installed (package bubblewrap)", "B": "this system has no Landlock"},
            "always": "Validation does not prove that the cell is harmless or right.",
        },
        "models": found,
        "plugins": {"stores": ["sql"]},
        "settings": settings,
    }
    suggested = {
        "cell": cell, "mistakes": 12, "caught_now": 2, "caught_with": 9, "said": out,
        "suggestions": [
            {"number": 1, "expression": words, "kind": "relation", "reason": why, "tells": True, "catches": 7},
            {"number": 2, "expression": out, "kind": "schema", "reason": why, "tells": False, "catches": 0},
        ],
    }  # fmt: skip
    return {
        "suggested": views.suggested(cell, suggested),
        "nothing suggested": views.suggested(cell, {**suggested, "suggestions": []}),
        "suggested unmeasured": views.suggested(cell, {**suggested, "mistakes": None, "said": ""}),
        "proposal": views.proposal(decided, before, promise=data["sandbox"]["promise"]),
        "environment": views.proposal(missing, before),
        "failed": views.proposal(failed, before),
        "deployed": views.deployed(second, 2, before, after, [f"Cell {cell} of this notebook was replaced.", out]),
        "panel": views.panel(words, lineage, {"ab12cd": decided}, costs, settings),
        "history": views.history(words, rows, {"ab12cd": decided}, graph=True),
        "no history": views.history(words, [], {}),
        "version": views.version(lineage[1], before, after),
        "first version": views.version(lineage[0], before, before),
        "diff": views.diff(before, after, f"v1 → {words}"),
        "no diff": views.diff(before, before, words),
        "blame": views.blame(after.cells[1], lines),
        "why": views.why(lineage[1]),
        "cost": views.cost(costs),
        "models": views.models(found),
        "doctor": views.doctor(data),
        "verified": views.verified(3, []),
        "not verified": views.verified(3, [out, words]),
        "message": views.message(words, "error"),
        "plain message": views.message(out + words),
    }
