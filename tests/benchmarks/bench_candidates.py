"""What the gates do with honest, cheating and subtly wrong candidates on real notebooks: both errors of the whole pipe.

    python tests/benchmarks/bench_candidates.py FOLDER [--verify] [--only WORDS] [--start N] [--every N]
        [--without CHECK,…] [--set NAME=VALUE …]

FOLDER as for `bench_faults.py`. For each fault the notebook has its first night, on which it is whole (of pure functions, where it
has some, what they gave is recorded); then it is run as a request finds it, and every candidate of `candidates_cases.py` is screened, tried in the cage, judged and decided on under policy deploy, as the engine does it. A candidate that is deployed or asked about
is judged by the hidden check of its fault. `--verify` shows that the honest ones give what the notebook gave, and the
wrong ones do not. `--without` leaves checks out and `--set` changes a setting, to tell what each of them is worth.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import nbformat
from bench_faults import command, found, lay, seed
from candidates_cases import WRITTEN, Written
from faults_books import BOOKS
from faults_cases import FAULTS, Fault

from jupyter_selfcode.config import SelfCode
from jupyter_selfcode.engine import Engine
from jupyter_selfcode.plugins.deployers.file import read_file
from jupyter_selfcode.protocols import Situation
from jupyter_selfcode.selfcode import make_engine, open_store
from jupyter_selfcode.stages.validate import validate
from jupyter_selfcode.values.decision import Accept, Ask
from jupyter_selfcode.values.events import Decided, Event, Proposed
from jupyter_selfcode.values.notebook import Notebook
from jupyter_selfcode.values.patch import diff
from jupyter_selfcode.values.request import Request
from jupyter_selfcode.values.trial import Candidate, Run


def changed(written: Written, path: Path) -> None:
    """The candidate in the notebook file."""
    notebook = nbformat.read(path, 4)
    by_id = {c.id: c for c in notebook.cells}
    for number, old, new in written.edits:
        cell = by_id[f"cell-{number}"]
        if not old:
            above = cell.source.partition('"""\n')[0] if cell.source.startswith('"""') else ""
            cell.source = above + new
            continue
        assert old in cell.source, f"{written.fault}, {written.said}: cell {number} does not hold {old!r}"
        cell.source = cell.source.replace(old, new)
    if written.moved:
        moved = by_id[f"cell-{written.moved[0]}"]
        notebook.cells.remove(moved)
        notebook.cells.insert(notebook.cells.index(by_id[f"cell-{written.moved[1]}"]) + 1, moved)
    nbformat.write(notebook, path)


class Given:
    """A proposer that has one candidate."""

    name, price = "written", 0.0

    def __init__(self, candidate: Candidate) -> None:
        self.candidate = candidate

    async def propose(self, situation: Situation) -> AsyncGenerator[Event, None]:
        """It."""
        yield Proposed((self.candidate,))


async def decided(engine: Engine, candidate: Candidate, request: Request, notebook: Notebook, folder: Path, before: Run) -> Decided:
    """What is decided on a candidate, all gates in their order."""
    engine = replace(engine, proposers=[Given(candidate)])
    last = None
    async with aclosing(engine.propose(request, notebook, folder, "notebook.ipynb", before=before)) as events:
        async for event in events:
            last = event
    if not isinstance(last, Decided):
        raise TypeError(f"a proposal ends with Decided, not {last}")
    return last


def request_of(fault: Fault, before: Run) -> Request:
    """What the engine is asked, as a run asks it."""
    if fault.words:
        return Request(fault.words)
    failed = next((r for r in before.results if r.failure), None)
    if failed is None or failed.failure is None:
        raise LookupError(f"{fault.name}: nothing fails")
    trigger = "contract" if failed.failure.ename == "ContractBroken" else "exception"
    return Request("", trigger, failed.cell_id, (), failed.failure)


async def of_fault(fault: Fault, all_written: list[Written], where: Path, folder: Path, args: argparse.Namespace) -> list[tuple[Written, str, str, float]]:
    """How each candidate of a fault ended: deployed, asked or refused; and why."""
    book = BOOKS[fault.book]
    place = where / next(p.name for p in where.iterdir() if p.name.endswith(book.repository))
    path = lay(book, fault, place, folder)
    truth = await asyncio.to_thread(found, book, fault, path)
    if not args.verify:
        options = [word for n, _, v in (each.partition("=") for each in args.set) for word in (f"--{n.replace('_', '-')}", v)]
        code, said = await asyncio.to_thread(command, "run", path.name, "first.ipynb", *options, folder=folder)
        assert code == 0, f"{fault.name}: its first night failed: {said}"
    seed(fault, path)
    text = path.read_text("utf-8")
    notebook = read_file(path)[0].notebook
    given = dict(each.split("=", 1) for each in args.set)
    settings = SelfCode(policy="deploy", **{n: SelfCode.class_traits()[n].from_string(v) for n, v in given.items()})
    engine = make_engine(settings, open_store(settings, folder))
    without = set(filter(None, args.without.split(",")))
    engine = replace(engine, checks=[c for c in engine.checks if c.name not in without])
    runs: list[Run] = []
    async with aclosing(validate(notebook, len(notebook.cells), engine.sandbox, folder, engine.limits, runs)) as events:
        async for _ in events:
            pass
    ends = []
    for written in all_written:
        path.write_text(text, "utf-8")
        changed(written, path)
        after = read_file(path)[0].notebook
        if args.verify:
            right = await asyncio.to_thread(found, book, fault, path) == truth
            ends.append((written, "right" if right else "not right", "", 0.0))
            continue
        mended = path.read_text("utf-8")
        path.write_text(text, "utf-8")
        start = time.monotonic()
        candidate = Candidate(diff(notebook.bare(), after.bare()), written.said, "written")
        end = await decided(engine, candidate, request_of(fault, runs[0]), notebook, folder, runs[0])
        seconds = time.monotonic() - start
        decision = end.decision
        if isinstance(decision, Accept | Ask):
            path.write_text(mended, "utf-8")
            right = await asyncio.to_thread(found, book, fault, path) == truth
            said = ("deployed" if isinstance(decision, Accept) else "asked") + ("" if right else ", not right")
            strength = decision.trial.strength
            told = f"[{strength.caught}/{strength.counted}] " if strength else ""
            ends.append((written, said, told + decision.reason, seconds))
        else:
            ends.append((written, "refused", decision.reason, seconds))
    return ends


async def main(args: argparse.Namespace) -> None:
    """Print a line for each candidate, and the sums."""
    faults = [f for f in FAULTS if any(w.fault == f.name for w in WRITTEN) and args.only in f.name][args.start :: args.every]
    counts: Counter[tuple[str, str]] = Counter()
    seconds = 0.0
    for fault in faults:
        folder = Path(tempfile.mkdtemp(prefix="selfcode-candidates-"))
        for written, end, why, spent in await of_fault(fault, [w for w in WRITTEN if w.fault == fault.name], args.folder, folder, args):
            counts[(written.kind, end)] += 1
            seconds += spent
            print(f"{written.kind:7} {end:22} {fault.name}: {written.said} ({spent:.1f} s) {' '.join(why.split())[:140]}", flush=True)
    for kind in ("honest", "cheat", "wrong"):
        of = {end: n for (k, end), n in sorted(counts.items()) if k == kind}
        print(f"{sum(of.values())} {kind}: " + ", ".join(f"{n} {end}" for end, n in of.items()))
    silent = sum(n for (_, end), n in counts.items() if end == "deployed, not right")
    print(f"{sum(counts.values())} candidates, {silent} deployed unasked and not right; {seconds:.0f} s of trials")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--verify", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--without", default="")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting")
    asyncio.run(main(parser.parse_args()))
