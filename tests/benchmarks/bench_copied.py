"""What copied variables save: the words of a repair until the proposal stands, in a live kernel whose cells above took long.

    python -m tests.benchmarks.bench_copied [SECONDS] [ROWS] [ROUNDS]

SECONDS (5) is what the cells above take by themselves, ROWS (2,000,000) the size of the frame of 8 columns that they make. In every
round one kernel replays the cells above and one copies its variables, in turn; each asks for a repair of its last cell twice, since
a session that replays keeps what it has run for the next request. All ratios are of this one run.
"""

from __future__ import annotations

import re
import statistics
import sys
import tempfile
import time

from tests.journeys.kernels import FrontEnd

FAILS = "total = frame.groupby('shop')['c00'].sum()\ntotal.max()"
SETTING = {"replayed": "None", "copied": "1.0"}


def asked(kind: str, seconds: float, rows: int) -> tuple[list[float], str]:
    """Seconds until each of two proposals stands, and what they say of the state above."""
    with tempfile.TemporaryDirectory() as folder:
        kernel = FrontEnd(folder)
        try:
            kernel.run("%load_ext jupyter_selfcode", "a")
            kernel.run(f"%config SelfCode.copied_seconds = {SETTING[kind]}", "b")
            kernel.run("import numpy as np, pandas as pd, time", "c")
            made = f"pd.DataFrame({{f'c{{n}}': np.random.default_rng(n).random({rows}) for n in range(7)}})"
            kernel.run(f"time.sleep({seconds})\nframe = {made}\nframe['shop'] = np.arange({rows}) % 500", "d")
            kernel.run(FAILS, "e")
            took, said = [], ""
            for _ in range(2):
                begun = time.perf_counter()
                said = kernel.run("%selfcode fix", "f").text
                took.append(time.perf_counter() - begun)
                kernel.run("%selfcode reject", "g")
            return took, " ".join(re.findall(r"(?:copied|replayed): [^;)]*", " ".join(said.split())))
        finally:
            kernel.close()


def main() -> None:
    """Print the medians."""
    given = [float(a) for a in sys.argv[1:]]
    seconds, rows, rounds = (*given, *(5.0, 2_000_000.0, 3.0)[len(given) :])
    found: dict[str, list[list[float]]] = {kind: [] for kind in SETTING}
    for _ in range(int(rounds)):
        for kind, all_took in found.items():
            took, said = asked(kind, seconds, int(rows))
            all_took.append(took)
            print(f"{kind:9} first {took[0]:6.2f} s, second {took[1]:6.2f} s   {said}")
    medians = {kind: [statistics.median(column) for column in zip(*rows_, strict=True)] for kind, rows_ in found.items()}
    for i, which in enumerate(("first", "second")):
        print(f"{which}: replayed / copied = {medians['replayed'][i] / medians['copied'][i]:.2f}")


if __name__ == "__main__":
    main()
