"""The courses of action when something is wrong, each weighed: what it may bring, what it takes, what it may do.

The figures are estimates that are known beforehand: a re-run takes what the run so far took, a model at most the calls of
the budget. `brings` is no probability, for none is known; it says whether the course can mend this kind of trouble at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ..values.request import Benefit, Option, Request, TriageKind
from ..values.trial import Run

_EDIT = {
    "transient": "Nothing in the code is wrong; an edit could only hide it.",
    "environment": "No edit can bring back what is missing here; it could only hide that it is missing.",
    "stale": "The code runs from the top as it is.",
}


def weigh(kind: TriageKind, request: Request, before: Run | None) -> tuple[Option, ...]:
    """The options for a kind of trouble, the chosen ones marked, each with the reason for or against it."""
    failed, code = request.failure is not None, kind == "code"
    seconds = before.seconds if before else None
    edit = _EDIT.get(kind, "")
    stays = {
        "transient": "A second try costs little.",
        "environment": "The code was left as it is; what is missing is said above.",
        "stale": "The variables would stay out of date.",
        "code": "It would fail again in the same way." if failed else "The wish would stay open.",
    }[kind]
    again = {
        "transient": "The same cell again after a pause, without an edit.",
        "environment": "It would fail again until the environment is mended.",
        "stale": "The cells that it depends on, in order, and then itself.",
        "code": "The notebook as it is fails from the top too." if failed else "Nothing has failed.",
    }[kind]
    reruns: Benefit = "may mend it" if kind == "transient" else "mends it" if kind == "stale" else "nothing"
    back = (
        "The cause is not a change of the notebook that is known here; `rollback` is there if it was one."
        if failed
        else "Nothing has failed."
    )
    asks = "A person is asked where what was tried leaves a question open." if code else "There is nothing to decide."
    rules = edit or ("Free and the same every time, so they go first." if failed else "Rules mend failures; this is a wish.")
    model = edit or ("Only if no rule mends it." if failed else "Words need a model that writes code.")
    mends: Benefit = "may mend it" if code else "nothing"
    return (
        Option("do nothing", kind == "environment", stays, "nothing", 0.0, 0, "it stays as it is"),
        Option("re-run", kind in ("transient", "stale"), again, reruns, seconds, 0, "what the cells do to files happens again"),
        Option("roll back", False, back, "nothing", seconds, 0, "an earlier change is lost from the notebook, not from the history"),
        Option("ask", False, asks, mends, None, 0, "it waits for a person"),
        Option("rules", code and failed, rules, mends if failed else "nothing", seconds, 0, "code changes; it can be undone"),
        Option(
            "model", code and not failed, model, mends, request.budget.seconds, request.budget.attempts or 0,
            "code changes; it can be undone, and what was told to the model cannot",
        ),
    )  # fmt: skip


def settled(options: Iterable[Option], proposer: str, asked: bool) -> tuple[Option, ...]:
    """The options as they came out: what made the change is the one that was chosen, with `ask` where a person decided."""
    chosen = {"rules" if proposer == "rules" else "model", *(["ask"] if asked else [])}
    return tuple(
        replace(o, chosen=o.name in chosen) if o.name in ("rules", "model", "ask") else o for o in options
    )


def rolled_back(reason: str, seconds: float | None = None) -> tuple[Option, ...]:
    """The options where a version on probation was taken back."""
    return (
        Option("do nothing", False, "What the version made would fail again.", "nothing", 0.0, 0, "it stays as it is"),
        Option("roll back", True, reason, "may mend it", seconds, 0, "a change is lost from the notebook, not from the history"),
        Option("rules", False, "What is on probation and fails is taken back before anything is built on it.", "nothing"),
        Option("model", False, "What is on probation and fails is taken back before money is spent on it.", "nothing"),
    )
