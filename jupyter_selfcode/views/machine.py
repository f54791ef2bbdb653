"""What this machine gives, and short answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from .blocks import Block, Facts, Fold, Listing, Paragraph, Source, Span, Spans, Table, Title, View, code, dim, say
from .words import count


def message(text: str, kind: Literal["ok", "warning", "error", "plain"] = "plain") -> View:
    """A short answer. One line is a title; more lines are shown as they stand."""
    if kind == "plain" or "\n" in text:
        return View((Source(text),))
    return View((Title(text, kind),))


def _found(found: Sequence[Mapping[str, Any]]) -> Table:
    rows: list[tuple[Spans, ...]] = []
    for f in found:
        names = ", ".join(f["models"][:6]) + (f" and {len(f['models']) - 6} more" if len(f["models"]) > 6 else "")
        mark = Span("reachable", "ok") if f["reachable"] else dim("not here")
        rows.append((say(f["provider"]), say(mark), say(names, "  " if names else "", dim(f["how"]))))
    return Table(("", "", ""), tuple(rows), wide=2)


def models(data: Mapping[str, Any]) -> View:
    """The model in use, and what can be reached. Keys are named, never shown."""
    used = data["model"] or "none: the free rules work alone, nothing leaves this machine"
    facts = [("in use", say(used))]
    if data["model"] and data.get("level"):
        facts.append(("level", say(data["level"], dim("  what leaves of the data; see: send"))))
    if data["api_base"]:
        facts.append(("at", say(data["api_base"])))
    note = [Paragraph(say(data["note"]))] if data.get("note") else []
    return View((Title("Models", "plain"), Facts(tuple(facts)), *note, _found(data["found"])))


def taken_out(redacted: Mapping[str, int]) -> str:
    """What was taken out, by kind; never what it was."""
    return ", ".join(f"{kind} × {n}" for kind, n in redacted.items()) or "nothing"


def would_send(data: Mapping[str, Any]) -> View:
    """The very request that a model would be sent, before it is; or why none would be."""
    if data["status"] == "nothing":
        return message(f"Nothing would be sent. {data['reason']}", "ok")
    facts = Facts(
        (
            ("to", say(data["model"])),
            ("level", say(data["level"])),
            ("size", say(f"{data['characters']:,} characters, about {data['tokens']:,} tokens")),
            ("taken out", say(taken_out(data["redacted"]))),
            ("hash", say(code(data["hash"]))),
        )
    )
    messages = (Fold(m["role"], (Source(m["content"]),), shown=True) for m in data["messages"])
    note = Paragraph(say(dim("--json on the command line gives the messages byte for byte; here long lines are wrapped.")))
    return View((Title("Would be sent; nothing was", "plain"), facts, *messages, note))


def doctor(data: Mapping[str, Any]) -> View:
    """What was found here and what to do about it; problems first."""
    problems = data["problems"]
    blocks: list[Block] = [
        Title(
            "Nothing is wrong here" if data["ok"] else count(len(problems), "problem"), "ok" if data["ok"] else "error"
        )
    ]
    if problems:
        blocks.append(Listing(tuple(say(p) for p in problems)))
    blocks.append(Listing(tuple(say(n) for n in data["notes"])))
    blocks.append(
        Facts(
            (
                ("python", say(data["python"])),
                ("versions", say(" · ".join(f"{k} {v}" for k, v in data["versions"].items()))),
                ("sandbox", say(code(data["sandbox"]["name"]), f"  {data['sandbox']['promise']}")),
                *((f"not tier {tier}", say(reason)) for tier, reason in data["sandbox"]["missing"].items()),
                ("always", say(dim(data["sandbox"]["always"]))),
            )
        )
    )
    blocks.append(_found(data["models"]["found"]))
    plugins = Facts(tuple((g, say(", ".join(names) or "none")) for g, names in data["plugins"].items()))
    blocks.append(Fold("plug-ins", (plugins,)))
    blocks.append(Fold("settings", (Facts(tuple((k, say(str(v))) for k, v in data["settings"].items())),)))
    return View(tuple(blocks))


def verified(versions: int, problems: Sequence[str]) -> View:
    """Whether the history is what it was when it was written."""
    if not problems:
        return View(
            (Title(f"Every hash of the history is right ({count(versions, 'version')} of this notebook)", "ok"),)
        )
    lines = Listing(tuple(say(p) for p in problems))
    told = Paragraph(say("The history was changed from outside or damaged; keep a copy of it before you go on."))
    return View(
        (Title(f"The history is not what was written: {count(len(problems), 'problem')}", "error"), lines, told)
    )
