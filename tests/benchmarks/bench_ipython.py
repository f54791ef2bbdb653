"""What the IPython host costs: importing and loading it, and running a `%%selfcode` cell against the plain cell.

    python tests/benchmarks/bench_ipython.py

Goals: `import jupyter_selfcode` and `%load_ext` together 80 ms beyond IPython; a cell with the magic 3 ms more.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from time import perf_counter

LOAD = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
from time import perf_counter
import sys
start = perf_counter()
import jupyter_selfcode
imported = perf_counter()
shell.run_line_magic("load_ext", "jupyter_selfcode")
done = perf_counter()
heavy = [m for m in ("pydantic", "sqlalchemy", "rich", "nbclient", "nbformat", "libcst", "litellm", "pandas") if m in sys.modules]
print((imported - start) * 1000, (done - start) * 1000, ",".join(heavy) or "none")
"""

CELLS = {
    "assignment": "x = 1",
    "50 lines": "\n".join(f"v{i} = [{i}] * {i}" for i in range(50)),
}
RUNS = 200


def loading(times: int = 9) -> dict[str, object]:
    """Milliseconds in fresh processes: the middle of several."""
    rows = [subprocess.run([sys.executable, "-c", LOAD], capture_output=True, text=True, check=True).stdout.split() for _ in range(times)]
    return {
        "import_ms": statistics.median(float(r[0]) for r in rows),
        "import_and_load_ext_ms": statistics.median(float(r[1]) for r in rows),
        "heavy_modules": rows[0][2],
    }


def green_cells() -> dict[str, object]:
    """Milliseconds a cell, plain and with the magic, taken in turns; and where nothing of ours is loaded."""
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    found: dict[str, object] = {}

    def run(source: str) -> float:
        start = perf_counter()
        shell.run_cell(source, store_history=True)
        return (perf_counter() - start) * 1000

    bare = {name: statistics.median(run(source) for _ in range(RUNS)) for name, source in CELLS.items()}
    shell.run_line_magic("load_ext", "jupyter_selfcode")
    for name, source in CELLS.items():
        forms = {
            "plain": source, "marked": f"%%selfcode\n{source}", "described": f'%%selfcode\n"""What it does."""\n{source}',
            "contract": f'%%selfcode\n"""What it does.\n\n>>> 1 + 1\n2\n"""\n{source}',
        }  # fmt: skip
        for source_form in forms.values():
            run(source_form)
        times: dict[str, list[float]] = {form: [] for form in forms}
        for _ in range(RUNS):
            for form, text in forms.items():
                times[form].append(run(text))
        middle = {form: statistics.median(values) for form, values in times.items()}
        found[name] = {
            "not_loaded_ms": bare[name],
            **{f"{form}_ms": value for form, value in middle.items()},
            **{f"{form}_more_ms": value - middle["plain"] for form, value in middle.items() if form != "plain"},
        }
    return found


if __name__ == "__main__":
    print(json.dumps({"loading": loading(), "green_cells": green_cells()}, indent=1))
