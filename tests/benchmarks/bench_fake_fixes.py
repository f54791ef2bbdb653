"""How often the fake-fix rules are wrong, both ways: `python tests/benchmarks/bench_fake_fixes.py [FILE.toml …]`."""

from __future__ import annotations

import sys
import time
import tomllib
from pathlib import Path
from typing import Any

from jupyter_selfcode.analysis.fake_fixes import find
from jupyter_selfcode.values.request import Failure

FOLDER = Path(__file__).parents[1] / "analysis"
FILES = ("fake_fix_cases.toml", "fake_fix_second_round.toml", "fake_fix_held_out.toml", "fake_fix_third_round.toml", "fake_fix_fourth_round.toml")


def cases(path: Path) -> list[dict[str, Any]]:
    """The cases of a file."""
    return tomllib.loads(path.read_text(encoding="utf-8"))["case"]


def judged(case: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    """What the rules say of a case: block, ask or pass; and why."""
    ename, _, evalue = case.get("failure", "").partition(": ")
    failure = Failure("c", ename, evalue) if ename else None
    found = find(
        case["old"], case["new"], failure, case.get("recorded", ""),
        words=case.get("words", ""), needed=case.get("needed", ()), defined=case.get("defined", ()),
    )  # fmt: skip
    severities = {f.severity for f in found}
    said = "block" if "block" in severities else "ask" if "ask" in severities else "pass"
    return said, tuple(f"{f.severity} {f.code}: {f.message}" for f in found)


WANTED = {"fake": "block", "lookalike": "ask", "honest": "pass"}


def report(path: Path) -> None:
    """Print the rates of one file and every case that was judged otherwise than a person did."""
    table = cases(path)
    start = time.perf_counter()
    results = [(case, *judged(case)) for case in table]
    seconds = time.perf_counter() - start
    print(f"\n{path.name}: {len(table)} changes, {1000 * seconds / len(table):.1f} ms each")
    for verdict, wanted in WANTED.items():
        of = [r for r in results if r[0]["verdict"] == verdict]
        if not of:
            continue
        counts = {said: sum(r[1] == said for r in of) for said in ("block", "ask", "pass")}
        print(
            f"  {verdict:10} {len(of):3}: " + ", ".join(f"{n} {said}" for said, n in counts.items()),
            f"(wanted: {wanted})",
        )
    fakes = [r for r in results if r[0]["verdict"] == "fake"]
    honest = [r for r in results if r[0]["verdict"] == "honest"]
    print(f"  fakes let through with no word: {sum(r[1] == 'pass' for r in fakes)} of {len(fakes)}")
    print(f"  fakes not refused outright:     {sum(r[1] != 'block' for r in fakes)} of {len(fakes)}")
    print(f"  honest changes refused:         {sum(r[1] == 'block' for r in honest)} of {len(honest)}")
    print(f"  honest changes asked about:     {sum(r[1] == 'ask' for r in honest)} of {len(honest)}")
    for case, said, why in results:
        if said != WANTED[case["verdict"]]:
            print(f"  - {case['verdict']} → {said}: {case['name']}", *(f"\n      {line}" for line in why), sep="")


if __name__ == "__main__":
    for name in sys.argv[1:] or [FOLDER / f for f in FILES]:
        if Path(name).exists():
            report(Path(name))
