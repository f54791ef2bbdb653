"""`jupyter selfcode run`: a notebook from the top, as papermill runs it, healed under guard."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...bridge import Bridge
from ...config import SelfCode
from ...headless import Job, run
from ...values.canonical import plain
from ...values.errors import BadInput
from ...values.events import RunEnded
from ...values.report import RunReport
from .options import settings_of
from .progress import Progress

if TYPE_CHECKING:
    from ...views.blocks import View

_ABOUT = """Run a notebook from the top as papermill does. Where a cell fails and code is the cause, a change is
proposed, tried in another kernel and, as the policy says, waits for a decision (propose, the default), is deployed when
it passed (deploy), or is not looked for at all (report). The run then goes on.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `run`."""
    parser.description = _ABOUT
    parser.add_argument("notebook", type=Path, help="path of the notebook")
    parser.add_argument("output", type=Path, nargs="?", help="where the executed notebook goes (none: it is not kept)")
    for flags, about in (
        (("-p", "--parameters"), "a parameter; numbers, True, False, None, lists and dicts are read as such"),
        (("-r", "--parameters-raw"), "a parameter as text, whatever it looks like"),
    ):
        parser.add_argument(*flags, nargs=2, action="append", default=[], metavar=("NAME", "VALUE"), help=about)
    parser.add_argument("--timeout", type=float, metavar="SECONDS", help="per cell of the run itself (default: none)")
    parser.add_argument("--retries", type=int, default=3, help="of a cell that met passing trouble (default: 3)")
    parser.add_argument("--heals", type=int, default=8, help="changes that a run may make (default: 8)")


def job_of(args: argparse.Namespace) -> Job:
    """What to run. Raises `BadInput`."""
    from ...analysis.parameters import parse_value

    parameters: dict[str, Any] = {}
    given = [(n, parse_value(v)) for n, v in args.parameters] + [(n, v) for n, v in args.parameters_raw]
    for name, value in given:
        if not name.isidentifier():
            raise BadInput(f"{name!r} cannot be the name of a parameter: it is not a Python name.")
        parameters[name] = value
    if args.timeout is not None and args.timeout <= 0:
        raise BadInput(f"--timeout {args.timeout:g} leaves a cell no time; leave it out for no limit.")
    job = Job(args.notebook, args.output, parameters, args.retries, args.heals)
    return replace(job, limits=replace(job.limits, cell_seconds=args.timeout))


def run_command(
    parser: argparse.ArgumentParser, add_settings: Callable[[argparse.ArgumentParser], None], words: Sequence[str]
) -> int:
    """Run, show what happened, answer with the exit code of the report."""
    add_arguments(parser)
    add_settings(parser)
    args = parser.parse_intermixed_args(list(words))
    settings = settings_of(args)
    report, _ = follow(job_of(args), settings, f"run {args.notebook.name}")
    if args.json:
        from .main import print_json

        print_json(plain(report))
        print(report.message, file=sys.stderr)
    else:
        from .main import show

        show(told(report))
        if report.versions or report.waiting:
            print()
            show(changed(report, args.notebook, settings))
    return report.exit_code


def follow(job: Job, settings: SelfCode, label: str) -> tuple[RunReport, Progress]:
    """Run a job with its progress shown. A Ctrl-C stops cell and kernel; what was deployed before it is said."""
    bridge, ended = Bridge(), None
    progress = Progress(label)
    try:
        with progress:
            for event in bridge.iterate(lambda: run(job, settings), tick=progress.tick):
                progress(event)
                if isinstance(event, RunEnded):
                    ended = event.report
    except KeyboardInterrupt:
        if not progress.deployed:
            raise
        done = ", ".join(str(d.number) for d in progress.deployed)
        raise KeyboardInterrupt(
            f"Stopped. Deployed before that: version {done}; take it back with: jupyter selfcode undo {job.source}"
        ) from None
    finally:
        bridge.close()
    if ended is None:
        raise RuntimeError("the run ended without a report")
    return ended, progress


def told(report: RunReport) -> View:
    """The report for people."""
    from ...views.blocks import Block, Facts, Listing, Paragraph, Span, Steps, Title, View, code, dim, say
    from ...views.words import count, duration, money

    kinds = {"ok": "ok", "healed": "ok", "proposed": "warning"}
    spent = [count(report.executed, "cell run", "cells run"), duration(report.seconds)]
    if report.tier:
        spent.append(f"contained, tier {report.tier}")
    if report.calls:
        spent += [count(report.calls, "call"), f"{report.tokens:,} tokens", money(report.cost_usd)]
    blocks: list[Block] = [Title(report.message, kinds.get(report.status, "error"), " · ".join(spent))]  # type: ignore[arg-type]
    blocks += [Paragraph(say(dim(w))) for w in report.warnings]
    blocks += [Paragraph(say(Span(w, "warning"))) for w in report.notices]
    rows = [
        (f.cell_id, say(f"{f.ename}: {f.evalue}", dim(f"  {f.triage}" + (", mended" if f.healed else ""))))
        for f in report.failures
    ]
    if rows:
        blocks.append(Facts(tuple(rows)))
    versions = (
        say(f"version {v.number}: {', '.join(v.cells)}", dim(f"  {v.proposer}, level {v.level}, by {v.by}"))
        for v in report.versions
    )
    if report.versions:
        blocks.append(Listing(tuple(versions)))
    if report.output:
        blocks.append(Paragraph(say("Executed notebook: ", code(report.output))))
    elif report.executed:
        kept = "only what was deployed is" if report.versions else "nothing was"
        blocks.append(Paragraph(say(dim(f"No executed notebook was written, so {kept} saved."))))
    if report.patch_file:
        blocks.append(Paragraph(say("Patch with its evidence: ", code(report.patch_file))))
    if report.versions:
        before = report.versions[0].number - 1
        blocks.append(Steps(((f"jupyter selfcode rollback {report.notebook} {before}", "as it was before this run"),)))
    return View(tuple(blocks))


def changed(report: RunReport, notebook: Path, settings: SelfCode) -> View:
    """What the run changed, or would change: the diff, with the evidence of what waits."""
    from ... import reading, views
    from ...reply import spoken
    from .notebook import opened

    with opened(notebook, settings) as workspace:
        now = workspace.notebook()
        if report.waiting:
            _, decided = workspace.waiting.pick(report.waiting)
            promise = workspace.engine.sandbox.promise
            return views.proposal(decided, now, promise=promise, speak=spoken(workspace))
        first = reading.find(workspace, str(report.versions[0].number - 1))
        before = workspace.store.notebook(first.version.notebook)
        return views.diff(before, now, f"v{first.number} → v{report.versions[-1].number}")
