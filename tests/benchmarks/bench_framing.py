"""How often a proof that a cell cannot be affected is wrong: random notebooks, each run in two orders and with a change.

    python -m tests.benchmarks.bench_framing [NOTEBOOKS] [FIRST_SEED]

Prints how many cells were labelled, how many of these `proved`, and every violation. Ends with 1 where there is one.
"""

from __future__ import annotations

import random
import sys
import time

from tests.analysis.random_notebooks import violations


def main(count: int, first: int) -> int:
    """Run them all."""
    start, labelled, proved, broken = time.perf_counter(), 0, 0, 0
    for seed in range(first, first + count):
        some, of_these, reports = violations(random.Random(seed))
        labelled, proved, broken = labelled + some, proved + of_these, broken + len(reports)
        for report in reports:
            print(f"seed {seed}\n{report}\n")
    print(
        f"{count:,} notebooks, {labelled:,} labels, {proved:,} proved ({proved / labelled:.0%}), {broken} violations, "
        f"{time.perf_counter() - start:.0f} s"
    )
    return 1 if broken else 0


if __name__ == "__main__":
    arguments = [int(a) for a in sys.argv[1:]]
    raise SystemExit(main(arguments[0] if arguments else 20_000, arguments[1] if len(arguments) > 1 else 0))
