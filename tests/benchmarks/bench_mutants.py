"""What the strength of a contract costs, and what it tells apart: candidates of `candidates_cases.py` on real notebooks.

    python tests/benchmarks/bench_mutants.py FOLDER [--only WORDS] [--start N] [--every N] [--seconds S]

FOLDER as for `bench_faults.py`. Every candidate is tried as `bench_candidates.py` tries it; the contract of each that passed
with one is measured, and a hidden check says whether the candidate is right. Printed: the share that was caught, seconds of
the measurement as a ratio to the trial in the same run, and for several bounds how many right and how many wrong candidates
would be asked about that would otherwise have been deployed.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path

from bench_candidates import changed, request_of, tried
from bench_faults import found, lay, seed
from candidates_cases import WRITTEN
from faults_books import BOOKS
from faults_cases import FAULTS, Fault

from jupyter_selfcode.config import SelfCode
from jupyter_selfcode.plugins.deployers.file import read_file
from jupyter_selfcode.selfcode import make_engine, open_store
from jupyter_selfcode.stages.decide import FEW, decide
from jupyter_selfcode.stages.mutate import measured as measured_of
from jupyter_selfcode.stages.validate import validate
from jupyter_selfcode.values.decision import Accept, Ask
from jupyter_selfcode.values.events import Tried
from jupyter_selfcode.values.patch import diff
from jupyter_selfcode.values.strength import Strength, summary, survives
from jupyter_selfcode.values.trial import Candidate, Run

BOUNDS = (0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9)


@dataclass(frozen=True)
class Measured:
    """One candidate that passed with a contract. `deployed`: without a bound it would have been, unasked."""

    kind: str
    right: bool
    deployed: bool
    strength: Strength
    trial: float


async def of_fault(fault: Fault, where: Path, folder: Path, seconds: float) -> list[Measured]:
    """What was measured for the candidates of one fault."""
    book = BOOKS[fault.book]
    place = where / next(p.name for p in where.iterdir() if p.name.endswith(book.repository))
    path = lay(book, fault, place, folder)
    truth = await asyncio.to_thread(found, book, fault, path)
    seed(fault, path)
    text, notebook = path.read_text("utf-8"), read_file(path)[0].notebook
    settings = SelfCode(policy="deploy", mutant_seconds=seconds)
    engine = make_engine(settings, open_store(settings, folder))
    runs: list[Run] = []
    async with aclosing(validate(notebook, len(notebook.cells), engine.sandbox, folder, engine.limits, runs)) as events:
        async for _ in events:
            pass
    measured = []
    for written in (w for w in WRITTEN if w.fault == fault.name):
        changed(written, path)
        mended, after = path.read_text("utf-8"), read_file(path)[0].notebook
        path.write_text(text, "utf-8")
        candidate = Candidate(diff(notebook.bare(), after.bare()), written.said, "written")
        trial = await tried(engine, candidate, request_of(fault, runs[0]), notebook, folder, runs[0])
        decision = decide([trial], replace(engine.policy, min_strength=0.0))
        if not isinstance(decision, Accept | Ask):
            continue
        strength = None
        async with aclosing(measured_of(decision, notebook, engine.sandbox, folder, engine.limits, seconds)) as told:
            async for event in told:
                strength = event.trial.strength if isinstance(event, Tried) else None
        if strength is None:
            continue
        path.write_text(mended, "utf-8")
        right = await asyncio.to_thread(found, book, fault, path) == truth
        path.write_text(text, "utf-8")
        measured.append(Measured(written.kind, right, isinstance(decision, Accept), strength, trial.seconds))
        end = "deployed" if measured[-1].deployed else "asked"
        print(f"{written.kind:7} {'right' if right else 'WRONG'} {end:8} {fault.name}: {written.said}: {summary(strength)} "
              f"{survives(strength)} ({strength.seconds:.1f} s, trial {trial.seconds:.1f} s)", flush=True)  # fmt: skip
    return measured


async def main(args: argparse.Namespace) -> None:
    """Print a line for each candidate, and what each bound would do."""
    faults = [f for f in FAULTS if any(w.fault == f.name for w in WRITTEN) and args.only in f.name][args.start :: args.every]
    rows: list[Measured] = []
    for fault in faults:
        try:
            rows += await of_fault(fault, args.folder, Path(tempfile.mkdtemp(prefix="selfcode-mutants-")), args.seconds)
        except (LookupError, ValueError) as e:  # data that is not there whole
            print(e)
    counted = [r for r in rows if r.strength.counted]
    print(f"{len(rows)} candidates with a contract passed, {len(counted)} were measured")
    if counted:
        shares = [r.strength.share or 0.0 for r in counted]
        ratios = [r.strength.seconds / r.trial for r in counted]
        print(f"caught: median {statistics.median(shares):.0%} of median {statistics.median(r.strength.counted for r in counted)} mistakes")
        print(f"seconds: median {statistics.median(r.strength.seconds for r in counted):.1f}, {statistics.median(ratios):.2f} of the trial's")
    deployed = [r for r in rows if r.deployed]
    for bound in (0.0, *BOUNDS):
        asked = [r for r in deployed if r.strength.counted >= FEW and (r.strength.share or 0.0) < bound]
        right = sum(r.right for r in asked)
        print(f"bound {bound:.2f}: asks about {right} of {sum(r.right for r in deployed)} right, "
              f"{len(asked) - right} of {sum(not r.right for r in deployed)} wrong that it would have deployed")  # fmt: skip
    for bound in BOUNDS:
        weak = [r for r in counted if r.strength.counted >= FEW and (r.strength.share or 0.0) < bound]
        print(f"bound {bound:.2f}, of all that passed: {sum(r.right for r in weak)} of {sum(r.right for r in counted)} right, "
              f"{sum(not r.right for r in weak)} of {sum(not r.right for r in counted)} wrong are below it")  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=10.0)
    asyncio.run(main(parser.parse_args()))
