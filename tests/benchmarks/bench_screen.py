"""How often the screen asks about ordinary cells, what hostile ones pass it, and what it costs.

    python tests/benchmarks/bench_screen.py [FOLDER of notebooks]

Ordinary cells are judged as if they were new (against an empty old cell), which is the most that the screen can say of them.
The hostile tables: `hostile_cells.toml` was written with the rules, so it says only that they do what they are for. The
figures that matter are those of the cells that were written *against* the rules and counted before they were answered: of 30
such cells 19 passed with no word, of 20 later ones 16. The screen will be evaded by code written to evade it.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
import tomllib
from collections import Counter
from pathlib import Path

from jupyter_selfcode.analysis import capabilities as screen

TESTS = Path(__file__).parents[1]
FILES = ("hostile_cells.toml", "hostile_held_out.toml", "hostile_second_round.toml")


def code_cells(path: Path) -> list[str]:
    """The code cells of a notebook that hold anything; none where the file is no notebook."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    except (ValueError, KeyError):
        return []
    sources = ("".join(c.get("source", "")) for c in cells if c.get("cell_type") == "code")
    return [source for source in sources if source.strip()]


def verdict(found: tuple[tuple[object, str], ...]) -> str:
    """block, ask or pass."""
    return "block" if any(severity == "block" for _, severity in found) else "ask" if found else "pass"


def ordinary(folder: Path) -> None:
    """Print shares, kinds and time per cell over the notebooks of a folder."""
    verdicts, kinds, reasons, seconds = Counter[str](), Counter[str](), Counter[str](), list[float]()
    for path in sorted(folder.rglob("*.ipynb")):
        sources = code_cells(path)
        names = screen.names_bound(sources)
        for source in sources:
            screen.forget()
            start = time.perf_counter()
            found = screen.gains("", source, names)
            seconds.append(time.perf_counter() - start)
            verdicts[verdict(found)] += 1
            kinds.update({c.kind for c, _ in found})
            reasons.update({c.reason.partition(" (")[0] for c, _ in found})
    total = sum(verdicts.values())
    if not total:
        print(f"No code cells below {folder}.")
        return
    print(f"{folder}: {total} code cells, each as if it were new")
    print("  " + ", ".join(f"{100 * verdicts[v] / total:.2f} % {v} ({verdicts[v]})" for v in ("block", "ask", "pass")))
    print(f"  flagged: {100 * (total - verdicts['pass']) / total:.2f} % (goal: under 6 %)")
    ms = sorted(1000 * s for s in seconds)
    print(f"  per cell: median {statistics.median(ms):.3f} ms, p99 {ms[int(0.99 * total)]:.1f} ms (goal: median under 1 ms)")
    print("  cells by kind: " + ", ".join(f"{kind} {n}" for kind, n in kinds.most_common()))
    for reason, n in reasons.most_common(10):
        print(f"  {n:4} × {reason[:100]}")


def hostile(path: Path) -> None:
    """Print what becomes of the hostile cells of a file, and which pass."""
    cases = tomllib.loads(path.read_text(encoding="utf-8"))["case"]
    found = {case["name"]: verdict(screen.gains("", case["code"])) for case in cases}
    counts = Counter(found.values())
    print(f"\n{path.name}: {len(cases)} cells: " + ", ".join(f"{counts[v]} {v}" for v in ("block", "ask", "pass")))
    if first := sum(case.get("passed", False) for case in cases):
        print(f"  passed with no word when they were written: {first} of {len(cases)}")
    for name, said in found.items():
        if said == "pass":
            print(f"  - passes: {name}")


if __name__ == "__main__":
    ordinary(Path(sys.argv[1]) if len(sys.argv) > 1 else TESTS.parent / "example_notebooks")
    for name in FILES:
        hostile(TESTS / "analysis" / name)
    print(f"\n{screen.PROMISE}")
