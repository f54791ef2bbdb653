"""How long the history takes with many versions, and how large it is: `python tests/benchmarks/bench_store.py [VERSIONS]`.

A notebook of 30 cells; every version replaces the source of one of them and carries what `why` shows of an ordinary
adaptation (six options, two findings, two candidates). Goal: `history` of 10,000 versions in 100 ms.
"""

from __future__ import annotations

import gc
import sys
import tempfile
import time
from argparse import Namespace
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from jupyter_selfcode.commands import COMMANDS
from jupyter_selfcode.config import SelfCode
from jupyter_selfcode.plugins.deployers.memory import MemoryDeployer
from jupyter_selfcode.plugins.stores.sql import SqlStore, beside
from jupyter_selfcode.selfcode import Workspace, make_engine
from jupyter_selfcode.values.notebook import Cell, Notebook
from jupyter_selfcode.values.patch import Patch, ReplaceSource
from jupyter_selfcode.values.prompt import Cost
from jupyter_selfcode.values.request import Option
from jupyter_selfcode.values.trial import Finding
from jupyter_selfcode.values.version import Attempt, Version, head, make_version

CELLS = 30
SOURCE = "\n".join(f"frame_{i} = pd.read_csv('data/{i}.csv').groupby('region').sum()" for i in range(12))
OPTIONS = tuple(
    Option(name, name == "rules", "a removed name, and a rule is free")
    for name in ("nothing", "rerun", "rollback", "rules", "model", "ask")
)
FINDINGS = tuple(Finding("outputs", "the output of a cell differs in one line", "note", f"cell-{i}") for i in range(2))


def build(store: SqlStore, count: int, path: str = "notebook.ipynb") -> None:
    """Fill the store with `count` versions, one cell changed in each."""
    notebook = Notebook(tuple(Cell(f"cell-{i}", "code", f"{SOURCE}\n# {i}") for i in range(CELLS)))
    parents: tuple[str, ...] = ()
    for i in range(count):
        base, cell = notebook.digest, notebook.cells[i % CELLS]
        source = f"{SOURCE}\n# version {i}"
        cells = tuple(replace(c, source=source) if c is cell else c for c in notebook.cells)
        notebook = Notebook(cells, notebook.metadata)
        version = make_version(
            parents=parents, patch=Patch(base, (ReplaceSource(cell.id, source),)), notebook=notebook.digest, kind="adapt",
            by="policy", at=f"2026-01-01T00:00:00.{i:06}+00:00", words=f"Load every CSV and plot revenue per month in {path}",
            trigger="exception", triage="code: an AttributeError, and the name was removed", options=OPTIONS,
            proposer="rules", rationale="append was removed from pandas 2; concat is documented as its replacement",
            level=2, assumptions=("ran from the top in a clean kernel, 30 cells", "2 examples of the contract hold"),
            findings=FINDINGS, trial_kind="fresh", cost=Cost(0.01, 1000, 200, 1, 3.2), seconds=4.5,
            tried=(Attempt("rules", "0123456789ab", True, FINDINGS), Attempt("rules", "ab0123456789", False, FINDINGS)),
        )  # fmt: skip
        store.begin(path, version, notebook)
        store.finish(version.id, "deployed")
        parents = (version.id,)


def timed(work: Callable[[], Any], repeat: int = 7) -> tuple[float, Any]:
    """Median wall time in milliseconds, and the last result."""
    times, result = [], None
    for _ in range(repeat):
        del result
        gc.collect()
        start = time.perf_counter()
        result = work()
        times.append((time.perf_counter() - start) * 1e3)
    return median(times), result


def listed(v: Version) -> tuple[object, ...]:
    """What a table of versions shows."""
    return v.kind, v.by, v.at, v.words, v.level, v.cost.usd, v.seconds, v.patch.cells


def main(count: int = 10_000) -> None:
    """Print one line for each figure."""
    with tempfile.TemporaryDirectory() as folder:
        file = beside(Path(folder))
        store = SqlStore(file)
        start = time.perf_counter()
        build(store, count)
        spent = time.perf_counter() - start
        print(f"{count:,} versions of {CELLS} cells: {1e3 * spent / count:.2f} ms for a begin and a finish")
        store.close()
        print(f"size: {file.stat().st_size / 2**20:.1f} MiB, {file.stat().st_size / count / 1024:.2f} KiB a version")

        def fresh() -> Any:
            again = SqlStore(file)
            lineage = again.lineage("notebook.ipynb")
            again.close()
            return lineage

        print(f"lineage, store just opened: {timed(fresh)[0]:.0f} ms")
        ms, lineage = timed(lambda: store.lineage("notebook.ipynb"))
        print(f"lineage, all {len(lineage):,}: {ms:.0f} ms")
        ms, _ = timed(lambda: [listed(r.version) for r in store.lineage("notebook.ipynb")])
        print(f"lineage, and every field that a table shows: {ms:.0f} ms")
        ms, _ = timed(lambda: [r.version.tried for r in store.lineage("notebook.ipynb")])
        print(f"lineage, and why of every version: {ms:.0f} ms")
        ms, _ = timed(lambda: store.lineage("notebook.ipynb", 20))
        print(f"lineage, the newest 20: {ms:.1f} ms")
        settings = SelfCode()
        surface = MemoryDeployer(store.notebook(lineage[-1].version.notebook))
        at_work = Workspace(settings, Path(folder), "notebook.ipynb", [surface], store, make_engine(settings, store))
        words: dict[str, dict[str, Any]] = {"history": {"graph": True, "all": False}, "blame": {"cell": "cell-3"}}
        for word, given in words.items():
            command = COMMANDS[word]
            ms, _ = timed(lambda c=command, g=given: c.run(at_work, Namespace(**g), lambda e: None).view.text(width=100))
            print(f"{word}, drawn: {ms:.0f} ms")
        newest = head(lineage)
        assert newest is not None
        ms, _ = timed(lambda: store.notebook(newest.version.notebook))
        print(f"one notebook: {ms:.1f} ms")
        ms, wrong = timed(store.verify, 1)
        print(f"verify: {ms / 1e3:.1f} s, {len(wrong)} problems")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
