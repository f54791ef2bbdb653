"""Fix rate and silent-wrong rate on faults seeded into real notebooks, through the command line as a schedule would run it.

    python tests/benchmarks/bench_faults.py FOLDER [--verify] [--model NAME --api-base URL] [--only WORDS] [--kinds K,…]
        [--start N] [--every N] [--keep DIR] [--set NAME=VALUE …] [--without-variables]

FOLDER holds clones of the repositories that `faults_books.py` names. Every fault has its first night, on which the notebook
is whole and runs; then the fault comes, and the next run must heal under policy deploy. What was deployed unasked is
judged by a hidden check (the values that the notebook gave on the first night); what was asked about is accepted and run
again, and judged too, but counts as asked. Then every version is rolled back, and the notebook must be what it was, cell by
cell. `--verify` asks nobody: it shows that every book is whole, and that every fault makes it fail, break its promise, or
give something else. `--without-variables` tells the model nothing of the live variables, to see what they are worth.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import nbformat
from faults_books import BOOKS, Book
from faults_cases import FAULTS, Fault
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError
from rich.console import Console
from rich.table import Table

BLIND = """
import sys
from jupyter_selfcode.hosts.cli.main import main
from jupyter_selfcode.stages import gather
gather.ranked_variables = lambda *_: ()
sys.exit(main())
"""

PROBE = '''
def _value(x):
    import numpy as np, pandas as pd
    if isinstance(x, pd.DataFrame):
        return [[str(c) for c in x.columns], [_value(r) for r in x.index], [_value(x.iloc[:, i].tolist()) for i in range(x.shape[1])]]
    if isinstance(x, pd.Series):
        return [[_value(i) for i in x.index], _value(x.tolist())]
    if isinstance(x, np.ndarray):
        return _value(x.tolist())
    if isinstance(x, dict):
        return sorted(([_value(k), _value(v)] for k, v in x.items()), key=str)
    if isinstance(x, (list, tuple, set, pd.Index)):
        return [_value(v) for v in x]
    if isinstance(x, (bool, np.bool_)) or x is None or isinstance(x, str):
        return str(x)
    try:
        return "missing" if x != x else float(f"{float(x):.9g}")
    except (TypeError, ValueError):
        return str(x)
import json as _json
'''


def lay(book: Book, fault: Fault, where: Path, folder: Path) -> Path:
    """The whole notebook and its files in a folder, with the promises of the fault."""
    original = nbformat.read(where / book.path, 4)
    code = [c for c in original.cells if c.cell_type == "code"]
    cells = [nbformat.v4.new_code_cell(book.first, id="first")] if book.first else []
    promises = dict(fault.promises)
    for number in book.cells:
        source = code[number].source
        for at, old, new in book.edits:
            if at == number:
                if old not in source:
                    sys.exit(f"{book.path}: cell {number} does not hold {old!r}")
                source = source.replace(old, new)
        if number in promises:
            source = f'"""What must hold.\n\n{promises[number]}\n"""\n{source}'
        cells.append(nbformat.v4.new_code_cell(source, id=f"cell-{number}"))
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path = folder / "notebook.ipynb"
    nbformat.write(notebook, path)
    for name, source in book.files.items():
        origin, place = where / source, folder / name
        for file in sorted(origin.glob("*.txt")) if name.endswith("/") else [origin]:
            target = place / file.name if name.endswith("/") else place
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read_bytes())
    return path


def seed(fault: Fault, path: Path) -> None:
    """The fault comes."""
    for name, change in fault.files.items():
        place = path.parent / name
        for file in sorted(place.iterdir()) if name.endswith("/") else [place]:
            if change is None:
                file.unlink()
            else:
                file.write_bytes(change(file.read_bytes()))
    notebook = nbformat.read(path, 4)
    by_id = {c.id: c for c in notebook.cells}
    for number, old, new in fault.cells:
        cell = by_id[f"cell-{number}"]
        if old not in cell.source:
            sys.exit(f"{fault.name}: cell {number} does not hold {old!r}")
        cell.source = cell.source.replace(old, new)
    gone = {"first" if n < 0 else f"cell-{n}" for n in fault.dropped}
    notebook.cells = [c for c in notebook.cells if c.id not in gone]
    if fault.moved:
        moved = by_id[f"cell-{fault.moved[0]}"]
        notebook.cells.remove(moved)
        notebook.cells.insert(notebook.cells.index(by_id[f"cell-{fault.moved[1]}"]) + 1, moved)
    nbformat.write(notebook, path)


def found(book: Book, fault: Fault, path: Path) -> list[Any] | str:
    """What the probes say of the notebook, run from the top in a plain kernel; or how it failed."""
    notebook = nbformat.read(path, 4)
    for cell in notebook.cells:
        if cell.source.startswith("%%selfcode"):
            cell.source = cell.source.partition("\n")[2]
    probes = ", ".join(f"_value({p})" for p in (*book.probes, *fault.probes))
    notebook.cells.append(nbformat.v4.new_code_cell(PROBE + f"print(_json.dumps([{probes}]))"))
    try:
        NotebookClient(notebook, timeout=90, resources={"metadata": {"path": str(path.parent)}}).execute()
    except CellExecutionError as e:
        return f"{e.ename}: {e.evalue}"
    except CellTimeoutError:
        return "it did not come to an end"
    said = "".join(o.get("text", "") for o in notebook.cells[-1].outputs if o.output_type == "stream")
    return json.loads(said.splitlines()[-1])


START = ["-m", "jupyter_selfcode"]


def command(*words: str, folder: Path) -> tuple[int, dict[str, Any]]:
    """A command as a person types it, and what it says as JSON."""
    done = subprocess.run([sys.executable, *START, *words, "--json"], cwd=folder, capture_output=True, text=True, check=False)
    try:
        return done.returncode, json.loads(done.stdout)
    except ValueError:
        return done.returncode, {"error": done.stderr[-2000:]}


def heal(fault: Fault, path: Path, options: list[str]) -> tuple[int, dict[str, Any]]:
    """One night, or one wish."""
    if fault.words:
        return command("adapt", path.name, fault.words, "--policy", "deploy", *options, folder=path.parent)
    return command("run", path.name, "out.ipynb", "--policy", "deploy", *options, folder=path.parent)


def sources(path: Path) -> list[tuple[str, str]]:
    """What a notebook says, cell by cell."""
    return [(c.id, c.source) for c in nbformat.read(path, 4).cells]


def attempt(fault: Fault, where: Path, folder: Path, options: list[str]) -> dict[str, Any]:
    """One fault, from the first night to the rollback."""
    book = BOOKS[fault.book]
    path = lay(book, fault, where / next(p.name for p in where.iterdir() if p.name.endswith(book.repository)), folder)
    truth = found(book, fault, path)
    first, _ = command("run", path.name, "first.ipynb", *options, folder=folder)
    seed(fault, path)
    broken = sources(path)
    start = time.monotonic()
    code, said = heal(fault, path, options)
    result: dict[str, Any] = {
        "name": fault.name, "kind": fault.kind, "first night": first, "exit": code, "seconds": time.monotonic() - start, "said": said,
    }  # fmt: skip
    cost = said.get("cost") or {}
    result["calls"] = said.get("calls", cost.get("calls", 0)) or 0
    result["tokens"] = said.get("tokens") or cost.get("prompt_tokens", 0) + cost.get("completion_tokens", 0)
    result["executed"] = said.get("executed")
    deployed = code == 10 or said.get("status") in ("deployed", "healed")
    right = found(book, fault, path) == truth
    result["right"] = right if deployed else None
    if code == 11:
        for _ in range(4):  # a person accepts and runs it again, until nothing waits any more
            command("accept", path.name, folder=folder)
            if fault.words or heal(fault, path, options)[0] != 11:
                break
        result["right if accepted"] = found(book, fault, path) == truth
    if deployed or code == 11:
        for _ in range(9):
            if sources(path) == broken or command("undo", path.name, folder=folder)[0]:
                break
        result["rolled back"] = sources(path) == broken
    if fault.expect == "fixed":
        result["end"] = ("fixed" if right else "SILENT-WRONG") if deployed else "asked" if code == 11 else "not fixed"
    else:
        result["end"] = "SILENT-WRONG" if deployed else "asked" if code == 11 else "left alone, rightly"
    if fault.expect == "fixed" and not deployed and code == 0 and not right:
        result["end"] = "not noticed"
    return result


def verify(faults: list[Fault], where: Path, root: Path) -> bool:
    """Whether every book is whole and every fault is one. Prints a line for each."""
    well = True
    for i, fault in enumerate(faults):
        folder, book = root / str(i), BOOKS[fault.book]
        folder.mkdir()
        path = lay(book, fault, where / next(p.name for p in where.iterdir() if p.name.endswith(book.repository)), folder)
        truth = found(book, fault, path)
        before, said = command("run", path.name, "first.ipynb", folder=folder)
        seed(fault, path)
        after = found(book, fault, path)
        broken, _ = command("run", path.name, "out.ipynb", "--policy", "report", folder=folder)
        line = f"{fault.name}: whole {before}, broken {broken}"
        good = isinstance(truth, list) and before == 0 and (after == truth) == (fault.expect == "unchanged" or fault.kind == "slow loop")
        good = good and (bool(broken) or fault.expect == "unchanged" or bool(fault.words))
        well &= good
        print(("ok   " if good else "WRONG ") + line, "" if good else f"{str(truth)[:200]} | {str(after)[:200]} | {said.get('failures')}", flush=True)
    return well


def main() -> None:
    """Print a line for each fault, a table and the sums."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--verify", action="store_true")
    parser.add_argument("--model")
    parser.add_argument("--api-base")
    parser.add_argument("--proposers")
    parser.add_argument("--only", default="")
    parser.add_argument("--kinds", default="")
    parser.add_argument("--start", type=int, default=0, help="leave out so many faults at the beginning")
    parser.add_argument("--every", type=int, default=1, help="only each Nth fault")
    parser.add_argument("--keep", type=Path, help="folder in which the cases are left for inspection")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting, for an ablation")
    parser.add_argument("--without-variables", action="store_true", help="the prompt tells of no variable, for an ablation")
    args = parser.parse_args()
    if args.without_variables:
        START[:] = ["-c", BLIND]
    kinds = set(filter(None, args.kinds.split(",")))
    faults = [f for f in FAULTS if args.only in f.name and (not kinds or f.kind in kinds)][args.start :: args.every]
    root = args.keep or Path(tempfile.mkdtemp(prefix="selfcode-faults-"))
    root.mkdir(parents=True, exist_ok=True)
    if args.verify:
        sys.exit(not verify(faults, args.folder, root))
    options = []
    for name in ("model", "api_base", "proposers"):
        if value := getattr(args, name):
            options += [f"--{name.replace('_', '-')}", value]
    for each in args.set:
        name, _, value = each.partition("=")
        options += [f"--{name.replace('_', '-')}", value]
    results = []
    for i, fault in enumerate(faults):
        folder = root / f"{i:02d}"
        folder.mkdir()
        results.append(attempt(fault, args.folder, folder, options))
        (root / "results.json").write_text(json.dumps(results, indent=1), encoding="utf-8")
        r = results[-1]
        print(f"{r['name']}: {r['end']} ({r['seconds']:.0f} s, exit {r['exit']})", file=sys.stderr, flush=True)
    shown = Table("fault", "kind", "end", "right if accepted", "exit", "calls", "tokens", "seconds", "rolled back")
    for r in results:
        shown.add_row(
            r["name"], r["kind"], r["end"], str(r.get("right if accepted", "")), str(r["exit"]), str(r["calls"]), str(r["tokens"]),
            f"{r['seconds']:.1f}", str(r.get("rolled back", "")),
        )  # fmt: skip
    Console(width=150).print(shown)
    ends = Counter(r["end"] for r in results)
    asked = [r for r in results if r["end"] == "asked"]
    undone = [r["rolled back"] for r in results if "rolled back" in r]
    print(f"{len(results)} faults in {len({f.book for f in faults})} notebooks: " + ", ".join(f"{n} {end}" for end, n in ends.most_common()))
    print(f"of {len(asked)} asked, {sum(bool(r.get('right if accepted')) for r in asked)} right when accepted; {sum(undone)} of {len(undone)} rolled back whole")
    print(f"{sum(r['calls'] for r in results)} calls, {sum(r['tokens'] for r in results):,} tokens, {sum(r['seconds'] for r in results):.0f} s")


if __name__ == "__main__":
    main()
