"""What was: the versions of a notebook, who made which line, and what it took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..values.events import Decided
from ..values.notebook import Cell
from ..values.request import Option
from ..values.version import Lineage, Recorded, head, left_behind
from .blocks import (
    Block,
    Facts,
    Fold,
    Listing,
    Paragraph,
    Span,
    Spans,
    Steps,
    Table,
    Title,
    View,
    code,
    dim,
    first_line,
    say,
)
from .change import facts_of
from .words import Speak, briefly, count, duration, findings, in_magic, money, when

NEWEST = 50
"""How many adaptations `cost` lists one by one."""


def _waiting(waiting: Mapping[str, Decided]) -> list[Block]:
    if not waiting:
        return []
    rows = []
    for name, d in waiting.items():
        trial = getattr(d.decision, "trial", None)
        what = d.request.text or (trial.candidate.rationale if trial else "") or d.request.trigger
        cells = ", ".join(trial.candidate.patch.cells) if trial else ""
        rows.append((say(code(name)), say(first_line(what, 60)), say(dim(cells))))
    return [
        Paragraph(
            say(Span(f"{count(len(rows), 'proposal')} {'wait' if len(rows) > 1 else 'waits'} for you", "warning"))
        ),
        Table(("", "", ""), tuple(rows), wide=1),
    ]


def panel(
    path: str,
    lineage: Lineage,
    waiting: Mapping[str, Decided],
    cost: Mapping[str, Any],
    settings: Mapping[str, Any],
    *,
    rows: Sequence[Mapping[str, Any]] = (),
    speak: Speak = in_magic,
    stale: Sequence[str] = (),
) -> View:
    """The first look: versions, what waits, what it cost, settings. `rows` are the newest versions, to be shown as a table;
    `stale` tells which cells are out of date."""
    newest = head(lineage)
    if newest is None:
        state: Spans = say("none yet; the first change begins the history")
    else:
        v = newest.version
        state = say(
            f"{len(lineage)}, newest {newest.number}: {v.kind}",
            f", {first_line(v.words, 60)}" if v.words else "",
            dim(f"  {when(v.at)} by {v.by}"),
        )
    model = settings.get("model") or "none (rules only, nothing leaves this machine)"
    limits = [
        f"{label.replace('$', money(settings[key])) if label == '$' else f'{settings[key]:,g} {label}'}"
        for key, label in (
            ("budget_usd", "$"),
            ("budget_tokens", "tokens"),
            ("budget_attempts", "calls"),
            ("budget_seconds", "s"),
        )
        if settings.get(key) is not None
    ]
    facts = Facts(
        (
            ("versions", state),
            ("spent", say(_total(cost))),
            ("model", say(str(model))),
            (
                "policy",
                say(f"{settings.get('policy', '')}, level {settings.get('min_level', '')} or higher to deploy unasked"),
            ),
            ("budget", say("per request: " + (", ".join(limits) or "no limit"))),
        )
    )
    steps: tuple[tuple[str, str], ...] = (
        (speak('adapt "words"'), "change the notebook as the words say"),
        (speak("fix"), "repair the last error"),
        (speak("history"), "the versions"),
    )
    quiet = Fold("all settings", (Facts(tuple((k, say(str(v))) for k, v in settings.items())),))
    if waiting:
        steps = ((speak("accept"), "deploy the newest of what waits"), (speak("reject why"), "forget it"))
    recent = [_table(rows)] if rows else []
    blocks: list[Block] = [
        Title("selfcode", "plain", path), facts, *_stale(stale), *_waiting(waiting), *recent, Steps(steps),
    ]  # fmt: skip
    return View((*blocks, quiet) if speak is in_magic else tuple(blocks))


def _total(cost: Mapping[str, Any]) -> str:
    calls = count(cost["calls"], "replayed call" if cost.get("replayed") else "model call")
    tokens = cost["prompt_tokens"] + cost["completion_tokens"]
    return f"{money(cost['usd'], cost['estimated'])} · {calls} · {tokens:,} tokens · {duration(cost['seconds'])}"


_KIND = {"initial": "as found", "edit": "by hand", "check": "contract"}


def _lanes(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """For each version, oldest first, the lanes of the graph: a restored version joins the one it came from.

    A version that restores an older one leaves what lies between behind; those stand in a lane of their own.
    """
    left = left_behind((r["id"], r["restores"], r["kind"]) for r in rows if r["outcome"] == "deployed")
    behind = {i for i, r in enumerate(rows) if r["id"] in left}
    drawn = []
    for i, r in enumerate(rows):
        if r["outcome"] != "deployed":
            drawn.append("│ ✗" if i else "✗")
        elif i in behind:
            opens = i - 1 not in behind
            drawn.append("├─○" if opens else "│ ○")
        elif r["restores"]:
            drawn.append("●─╯" if i - 1 in behind else "●")
        else:
            drawn.append("●")
    return drawn


def _table(rows: Sequence[Mapping[str, Any]], graph: bool = False) -> Table:
    """Versions, newest first."""
    lanes = _lanes(rows) if graph else []
    by_id = {r["id"]: r["number"] for r in rows}
    table = []
    for i, r in reversed(list(enumerate(rows))):
        back = f" to {by_id.get(r['restores'], 'an older one')}" if r["restores"] else ""
        kind = _KIND.get(r["kind"], r["kind"]) + back
        told = "" if r["kind"] in ("initial", "edit") else r["words"] or r["rationale"]
        what = say(dim(f"{kind}  "), first_line(told, 200 if r["words"] else 80)) if told else say(kind)
        if r["outcome"] != "deployed":
            what += say(Span(f"  {r['outcome'] or 'interrupted'}", "warning"))
        level = "" if r["level"] is None else str(r["level"])
        cost = money(r["usd"]) if r["calls"] or r["usd"] else ""
        cells = r["cells"]
        row = (
            say(str(r["number"])),
            say(dim(briefly(r["at"]))),
            say(r["by"]),
            what,
            say(dim(", ".join(c[:8] for c in cells) if len(cells) < 2 else count(len(cells), "cell"))),
            say(dim(level)),
            say(cost),
        )
        table.append((say(code(lanes[i])), *row) if graph else row)
    shift = 1 if graph else 0
    columns = ("", "when", "by", "what", "cells", "level", "cost")
    return Table(
        ("", *columns) if graph else columns,
        tuple(table),
        frozenset({shift, 6 + shift}),
        frozenset({0}) if graph else frozenset(),
        3 + shift,
    )


def history(
    path: str,
    rows: Sequence[Mapping[str, Any]],
    waiting: Mapping[str, Decided],
    graph: bool = False,
    *,
    total: int | None = None,
    speak: Speak = in_magic,
) -> View:
    """The versions as a table, newest first; with `graph`, lanes that show what was left behind by going back.

    `rows` are the newest of `total` versions (None: they are all).
    """
    if not rows:
        return View(
            (
                Title("No history yet", "plain", path),
                Paragraph(say("The first change begins it.")),
                *_waiting(waiting),
            )
        )
    older = max(0, (total or 0) - len(rows))
    number = rows[-1]["number"]
    steps = [
        (speak(f"show {number}"), "one version, whole"),
        (speak(f"rollback {max(1, number - 1)}"), "a new version that restores it"),
    ]
    if waiting:
        steps.insert(0, (speak("accept"), "deploy the newest of what waits"))
    return View(
        (
            Title("History", "plain", f"{path} · {count(len(rows) + older, 'version')}"),
            _table(rows, graph),
            *(
                [Paragraph(say(dim(f"{count(older, 'older version')} not shown: "), code(speak("history --all"))))]
                if older
                else []
            ),
            *_waiting(waiting),
            Steps(tuple(steps)),
        )
    )


def blame(cell: Cell, rows: Sequence[Mapping[str, Any]]) -> View:
    """The lines of a cell, each with the version that brought it."""
    table, previous = [], object()
    for r in rows:
        same = r["version"] == previous
        who = say(dim("")) if same else say(f"v{r['version']}" if r["version"] else "now")
        by = () if same else say(dim(r["by"] or str(r["kind"])))
        at = () if same else say(dim(when(r["at"]) if r["at"] else ""))
        previous = r["version"]
        table.append((who, by, at, say(r["line"])))
    versions = {r["version"] for r in rows if r["version"]}
    return View(
        (
            Title(f"Cell {cell.id}", "plain", f"{count(len(rows), 'line')} from {count(len(versions), 'version')}"),
            Table(("", "by", "when", ""), tuple(table), code=frozenset({3}), wide=3),
        )
    )


def _stale(lines: Sequence[str]) -> list[Block]:
    return [Listing(tuple(say(Span(line, "warning")) for line in lines))] if lines else []


def why(recorded: Recorded, back: str = "", stale: Sequence[str] = ()) -> View:
    """Why a cell is as it is: what was asked, weighed, tried and found for the version that made it so; `back` says which
    later one brought that state back, `stale` why it is out of date in this session."""
    v = recorded.version
    blocks: list[Block] = [
        Title(
            f"Version {recorded.number}: {v.kind}",
            "plain",
            " · ".join(p for p in ("cells " + ", ".join(v.patch.cells) if v.patch.cells else "", back) if p),
        ),
        *_stale(stale),
        Facts(tuple(facts_of(v))),
    ]
    if v.findings:
        blocks.append(Listing(findings(v.findings)))
    if v.options:
        weighed = tuple(
            say(Span(o.name, "strong" if o.chosen else ""), dim(" — "), o.reason, dim(_figures(o))) for o in v.options
        )
        blocks.append(Fold(f"weighed: {count(len(weighed), 'option')}", (Listing(weighed),), shown=True))
    if v.tried:
        tried = tuple(
            say(
                f"{t.proposer} ",
                dim(t.patch),
                "  passed" if t.passed else "  refused: ",
                "" if t.passed else _first_block(t.findings),
            )
            for t in v.tried
        )
        blocks.append(Fold(f"tried: {count(len(tried), 'candidate')}", (Listing(tried),), shown=True))
    return View(tuple(blocks))


def _figures(option: Option) -> str:
    """What an option brings, takes at most and risks."""
    takes = [duration(option.seconds)] if option.seconds else []
    takes += [count(option.calls, "call")] if option.calls else []
    parts = [option.brings and f"brings: {option.brings}", takes and f"takes up to {', '.join(takes)}", option.risk]
    return "".join(f" · {p}" for p in parts if p)


def _first_block(found: Sequence[Any]) -> str:
    return next((first_line(f.message, 240) for f in found if f.severity == "block"), "it did not run")


def cost(data: Mapping[str, Any]) -> View:
    """What was spent, in all, per version, and per change that is still alive."""
    log = [*_unasked(data.get("unasked", ())), *_sent(data.get("sent", ()))]
    if not data["versions"]:
        return View((Title("Nothing was spent", "plain"), Paragraph(say("No adaptation was made yet.")), *log))
    alive = data["alive"]
    facts = Facts(
        (
            ("in all", say(_total(data))),
            ("still alive", say(f"{alive} of {count(data['versions'], 'adaptation')}")),
            (
                "each of these",
                say(
                    "none is left"
                    if not alive
                    else f"{money(data['usd_per_change_alive'], data['estimated'])} · {data['tokens_per_change_alive']:,.0f} tokens"
                ),
            ),
        )
    )
    rows = tuple(
        (
            say(str(r["number"])),
            say(first_line(r["words"] or r["trigger"], 120)),
            say(dim(r["model"] or r["proposer"])),
            say(str(r["calls"])),
            say(f"{r['tokens']:,}"),
            say(money(r["usd"])),
            say(duration(r["seconds"])),
        )
        for r in data["by_version"][-NEWEST:]
    )
    notes: list[Block] = []
    if (older := len(data["by_version"]) - NEWEST) > 0:
        notes.append(
            Paragraph(say(dim(f"{count(older, 'older adaptation')} not shown one by one; --json has them all.")))
        )
    if data["estimated"]:
        notes.append(Paragraph(say(dim("Some tokens are estimates: the provider did not count them."))))
    if data["replayed"]:
        notes.append(
            Paragraph(
                say(
                    dim("Replayed completions cost nothing now; what they cost when they were recorded is not counted.")
                )
            )
        )
    return View(
        (
            Title("Cost", "plain"),
            facts,
            Table(("", "asked", "model", "calls", "tokens", "money", "time"), rows, frozenset({0, 3, 4, 5, 6}), wide=1),
            *notes,
            *log,
        )
    )


def _unasked(heals: Sequence[Mapping[str, Any]]) -> list[Block]:
    """What was tried that nobody asked for, newest first."""
    if not heals:
        return []
    rows = tuple(
        (
            say(dim(briefly(h["at"]))),
            say(f"{h['ename']} in {h['cell_id']}"),
            say(Span(h["ended"], "ok" if h["ended"] == "deployed" else "warning")),
            say(dim(h["proposer"])),
            say(f"{h['tokens']:,}"),
        )
        for h in reversed(heals[-NEWEST:])
    )
    table = Table(("when", "failure", "came to", "by", "tokens"), rows, frozenset({4}), wide=1)
    return [Fold(f"tried unasked: {count(len(heals), 'attempt')}", (table,), shown=True)]


def _sent(lines: Sequence[Mapping[str, Any]]) -> list[Block]:
    """The log of what was sent, newest first."""
    if not lines:
        return []
    rows = tuple(
        (
            say(dim(briefly(line["at"]))),
            say(line["model"]),
            say(line["level"]),
            say(f"{line['characters']:,}"),
            say(code(line["hash"][:12])),
        )
        for line in reversed(lines[-NEWEST:])
    )
    table = Table(("when", "to", "level", "characters", "hash"), rows, frozenset({3}), wide=1)
    return [Fold(f"sent to models: {count(len(lines), 'call')}", (table,), shown=True)]
