"""Fix rate and silent-wrong rate of the whole product on `requests_cases.py`, through the command line as a person uses it.

    python tests/benchmarks/bench_requests.py [--model NAME --api-base URL] [--only WORDS] [--keep DIR]

Without a model the rules work alone. Every case runs under policy deploy. What was deployed unasked is judged by the hidden
check; what was asked about is accepted in a second step and judged too, but counts as asked. Prints a table and a summary;
silent-wrong = deployed unasked and the hidden check fails (or anything deployed where nothing should have been).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from requests_cases import CASES, Case
from rich.console import Console
from rich.table import Table


def lay(case: Case, folder: Path) -> Path:
    """The case's notebook and files in a folder."""
    cells = [nbformat.v4.new_code_cell(source, id=f"cell-{i + 1}") for i, source in enumerate(case.cells)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path = folder / "case.ipynb"
    nbformat.write(notebook, path)
    for name, text in case.files.items():
        encoding = "latin-1" if text.startswith("LATIN1:") else "utf-8"
        (folder / name).write_text(text.removeprefix("LATIN1:"), encoding=encoding)
    return path


def judge(case: Case, path: Path) -> bool:
    """Whether the notebook, run from the top in a fresh kernel, holds the hidden check."""
    notebook = nbformat.read(path, 4)
    for cell in notebook.cells:
        if cell.source.startswith("%%selfcode"):
            cell.source = cell.source.partition("\n")[2]
    notebook.cells.append(nbformat.v4.new_code_cell(case.judge))
    try:
        NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(path.parent)}}).execute()
    except CellExecutionError as e:
        print(f"    hidden check: {e.ename}: {e.evalue}", file=sys.stderr)
        return False
    return True


def command(*words: str, folder: Path) -> tuple[int, dict]:
    done = subprocess.run(
        [sys.executable, "-m", "jupyter_selfcode", *words, "--json"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        return done.returncode, json.loads(done.stdout)
    except ValueError:
        return done.returncode, {"error": done.stderr[-2000:]}


def attempt(case: Case, folder: Path, options: list[str]) -> dict:
    """Run one case and say how it ended."""
    path = lay(case, folder)
    start = time.monotonic()
    if case.words:
        code, said = command("adapt", path.name, case.words, "--policy", "deploy", *options, folder=folder)
    else:
        code, said = command("run", path.name, "out.ipynb", "--policy", "deploy", *options, folder=folder)
    deployed = code == 10 or said.get("status") in ("deployed", "healed")
    result = {"name": case.name, "exit": code, "seconds": time.monotonic() - start, "said": said, "asked": code == 11}
    cost = said.get("cost") or {}
    result["calls"] = said.get("calls", cost.get("calls", 0)) or 0
    result["tokens"] = said.get("tokens") or cost.get("prompt_tokens", 0) + cost.get("completion_tokens", 0)
    right = judge(case, path) if deployed else None
    if code == 11:
        for _ in range(4):  # a person accepts and runs it again, until nothing waits any more
            command("accept", path.name, folder=folder)
            if case.words or command("run", path.name, "--policy", "deploy", *options, folder=folder)[0] != 11:
                break
        result["right_if_accepted"] = judge(case, path)
    if case.expect == "refused":
        result["end"] = "silent-wrong" if deployed else "asked" if code == 11 else "refused, rightly"
    elif deployed:
        result["end"] = "fixed" if right else "silent-wrong"
    else:
        result["end"] = "asked" if code == 11 else "not fixed"
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--model")
    parser.add_argument("--api-base")
    parser.add_argument("--proposers")
    parser.add_argument("--only", default="")
    parser.add_argument("--keep", type=Path, help="folder in which the cases are left for inspection")
    args = parser.parse_args()
    options = []
    for name in ("model", "api_base", "proposers"):
        if value := getattr(args, name):
            options += [f"--{name.replace('_', '-')}", value]
    root = args.keep or Path(tempfile.mkdtemp(prefix="selfcode-bench-"))
    results = []
    for i, case in enumerate(c for c in CASES if args.only in c.name):
        folder = root / f"{i:02d}-{case.name.replace(' ', '-').replace(',', '')}"
        folder.mkdir(parents=True)
        results.append(attempt(case, folder, options))
        (root / "results.json").write_text(json.dumps(results, indent=1), encoding="utf-8")
        print(f"{case.name}: {results[-1]['end']} ({results[-1]['seconds']:.0f} s)", file=sys.stderr, flush=True)
    table = Table("case", "end", "right if accepted", "exit", "calls", "tokens", "seconds")
    for r in results:
        table.add_row(
            r["name"],
            r["end"],
            str(r.get("right_if_accepted", "")),
            str(r["exit"]),
            str(r["calls"]),
            str(r["tokens"]),
            f"{r['seconds']:.1f}",
        )
    Console(width=120).print(table)
    ends = [r["end"] for r in results]
    good = ends.count("fixed") + ends.count("refused, rightly")
    asked_right = sum(bool(r.get("right_if_accepted")) for r in results)
    print(
        f"{len(ends)} requests: {good} right unasked, {ends.count('asked')} asked ({asked_right} of them right), "
        f"{ends.count('not fixed')} not fixed, {ends.count('silent-wrong')} silent-wrong; "
        f"{sum(r['calls'] for r in results)} calls, {sum(r['tokens'] for r in results):,} tokens"
    )


if __name__ == "__main__":
    main()
