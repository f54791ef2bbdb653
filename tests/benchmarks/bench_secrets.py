"""How long it takes to take secrets out, and how often ordinary cells are taken for secrets:
`python tests/benchmarks/bench_secrets.py [FOLDER of notebooks]`."""

from __future__ import annotations

import ast
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from jupyter_selfcode.analysis.key_files import secrets_of
from jupyter_selfcode.analysis.secrets import Redactor, forms_in
from tests import canaries

KILOBYTES = 2
ROUNDS, TIMES = 7, 200
CODE = Path(__file__).read_text("utf-8") * 3


def microseconds(work: Callable[[], object]) -> float:
    """The best of some rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(TIMES):
            work()
        best = min(best, (time.perf_counter() - start) / TIMES)
    return best * 1e6


def cells(folder: Path) -> Iterator[tuple[str, str]]:
    """The code cells of all notebooks below a folder."""
    for file in sorted(folder.rglob("*.ipynb")):
        try:
            held = json.loads(file.read_text("utf-8"))
        except (ValueError, OSError):
            continue
        for cell in held.get("cells", ()):
            if cell.get("cell_type") == "code":
                yield file.name, "".join(cell.get("source", ()))


def main() -> None:
    text = CODE[: KILOBYTES * 1024].rpartition("\n\n\n")[0]
    ordinary = "import pandas as pd\ndf = pd.read_csv('data.csv')\ndf.groupby('region')['amount'].sum().plot()\n" * 30
    with tempfile.TemporaryDirectory() as home:
        canaries.put(Path(home))
        known = Redactor(secrets_of({}, Path(home)), home)
        for label, given in (("this code, about keys", text), ("ordinary code", ordinary[: KILOBYTES * 1024].rpartition("\n")[0])):
            nothing = microseconds(lambda given=given: Redactor().text(given))
            told = microseconds(lambda given=given: known.text(given))
            parsed = microseconds(lambda given=given: ast.parse(given))
            print(f"{KILOBYTES} kB of {label}: {told:.0f} µs with {len(canaries.IN_HOME)} key files, {nothing:.0f} µs with none known "
                  f"({told / parsed:.2f} × parsing it)")  # fmt: skip
        print(f"what is known of a folder: {microseconds(lambda: Redactor.for_folder(Path(home))):.0f} µs")
    for folder in sys.argv[1:]:
        found, seen, taken = Counter[str](), 0, 0.0
        for name, source in cells(Path(folder)):
            seen += 1
            start = time.perf_counter()
            forms = forms_in(source)
            taken += time.perf_counter() - start
            for form in forms:
                found[form] += 1
                print(f"  {name}: {form}: {_near(source)}")
        rate = 100 * sum(found.values()) / max(1, seen)
        print(f"{folder}: {seen} code cells, {sum(found.values())} with a form of a key ({rate:.2f} %), "
              f"{taken / max(1, seen) * 1e6:.1f} µs a cell: {dict(found)}")  # fmt: skip


def _near(source: str) -> str:
    """The lines of a cell that were changed, as they are told."""
    told = Redactor().text(source).split("\n")
    return " / ".join(line.strip()[:120] for line in told if "«secret»" in line)


if __name__ == "__main__":
    main()
