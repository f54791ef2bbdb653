"""What `optimize` says of changes whose worth is known: right and faster ones, as fast ones, and faster ones that are wrong.

    python -m tests.benchmarks.bench_optimize [NAME…]

Every case is a cell of an analysis, as people write it, and a change of it. Told are the verdict, the interval, and the seconds of
the whole request (its trial, the timing and the comparison). Hidden from the engine is only which changes are right.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from jupyter_selfcode.analysis.paces import gain_of
from jupyter_selfcode.config import plugin, plugins
from jupyter_selfcode.engine import Engine
from jupyter_selfcode.plugins.formats.cells import CellsFormat
from jupyter_selfcode.plugins.models.scripted import ScriptedModel
from jupyter_selfcode.plugins.proposers.llm import LlmProposer
from jupyter_selfcode.plugins.sandboxes.contained import ContainedSandbox
from jupyter_selfcode.plugins.stores.sql import SqlStore
from jupyter_selfcode.values.decision import Accept, Ask, Policy
from jupyter_selfcode.values.events import Decided
from jupyter_selfcode.values.notebook import Cell, Notebook
from jupyter_selfcode.values.request import Request

LOAD = """import numpy as np
import pandas as pd
rng = np.random.default_rng(0)
n = 20_000
df = pd.DataFrame({"city": rng.choice(list("abcdefgh"), n), "price": rng.random(n) * 100, "qty": rng.integers(1, 9, n)})
ids = rng.integers(0, 6_000, 3_000).tolist()
text = " ".join(rng.choice(["red", "green", "blue", "grey"], 60_000))"""


class Case(NamedTuple):
    """A cell, a change of it, and what a person who knows would say: `faster`, `same` (no gain) or `wrong`."""

    name: str
    old: str
    new: str
    truth: str
    below: str = ""


CASES = [
    Case("apply, axis=1", 'df["total"] = df.apply(lambda r: r["price"] * r["qty"], axis=1)', 'df["total"] = df["price"] * df["qty"]', "faster", "df.total.sum()"),
    Case("iterrows to a list", 'totals = []\nfor i, row in df.head(4000).iterrows():\n    totals.append(row["price"] * row["qty"])', 'part = df.head(4000)\ntotals = (part["price"] * part["qty"]).tolist()', "faster", "len(totals)"),
    Case("groupby apply", 'means = df.groupby("city")["price"].apply(lambda s: s.sum() / len(s))', 'means = df.groupby("city")["price"].mean()', "faster", "means.max()"),
    Case("sum in another order", "total = 0.0\nfor p in df.price:\n    total += p", "total = float(df.price.sum())", "faster", "round(total, 2)"),
    Case("list membership", "hits = [x for x in range(4000) if x in ids]", "known = set(ids)\nhits = [x for x in range(4000) if x in known]", "faster", "len(hits)"),
    Case("counting words", "counts = {w: text.split().count(w) for w in sorted(set(text.split()))}", "counts = {}\nfor w in text.split():\n    counts[w] = counts.get(w, 0) + 1", "faster", "sorted(counts.items())"),
    Case("concat in a loop", 'parts = pd.DataFrame()\nfor c in sorted(df.city.unique()) * 6:\n    parts = pd.concat([parts, df[df.city == c]], ignore_index=True)', 'parts = pd.concat([df[df.city == c] for c in sorted(df.city.unique()) * 6], ignore_index=True)', "faster", "parts.shape"),
    Case("copies of the frame", "for k in range(30):\n    work = df.copy()\n    work['z'] = work.price * k\nlast = work", "last = df.assign(z=df.price * 29)", "faster", "last.z.max()"),
    Case("only renamed", 'top = df.sort_values("price").head(50)', 'ordered = df.sort_values("price")\ntop = ordered.head(50)', "same", "len(top)"),
    Case("a loop for a loop", "sq = [i * i for i in range(100_000)]", "sq = [j * j for j in range(100_000)]", "same", "len(sq)"),
    Case("rows in another order", 'agg = df.groupby("city", as_index=False).price.apply(lambda s: s.sum())', 'agg = df.groupby("city", as_index=False, sort=False).price.sum()', "wrong", "agg.shape"),
    Case("single precision", 'z = df.apply(lambda r: r["price"] * 1.1, axis=1)', 'z = df["price"].astype("float32") * 1.1', "wrong", "z.mean().round(3)"),
    Case("off by one", "run = [sum(df.qty[:i]) for i in range(1, 400)]", "run = df.qty.cumsum()[1:400].tolist()", "wrong", "run[3]"),
    Case("missing group", 'means = {c: df[df.city == c].price.mean() for c in sorted(set(df.city)) * 20}', 'means = df[df.price < 99.99].groupby("city").price.mean().to_dict()', "wrong", "len(means)"),
    Case("integers become floats", "w = df.qty.apply(lambda q: q * 2)", "w = df.qty * 2.0", "wrong", "w.sum()"),
    Case("a sample", "m = df.price.apply(lambda p: p ** 2).mean()", "m = (df.price.sample(5000, random_state=0) ** 2).mean()", "wrong", "round(m, -4)"),
]


async def asked(case: Case) -> tuple[str, str, float]:
    """Verdict, interval or reason, seconds."""
    answer = f'<rationale>\nFaster.\n</rationale>\n<cell id="c1" action="replace">\n{case.new}\n</cell>'
    with tempfile.TemporaryDirectory() as folder:
        store = SqlStore(f"sqlite:///{folder}/history.sqlite")
        notebook = Notebook((Cell("c0", "code", LOAD), Cell("c1", "code", case.old), Cell("c2", "code", case.below)))
        proposer = LlmProposer(ScriptedModel([answer], usd=0.0), CellsFormat(), waits=(), repairs=0, fresh=0)
        checks = [plugin("checks", name)() for name in plugins("checks")]
        engine = Engine([proposer], ContainedSandbox(), checks, store, policy=Policy("deploy"))
        begun, decided = time.monotonic(), None
        async for event in engine.propose(Request("", "slow", "c1", ("c1",)), notebook, Path(folder), "case.ipynb"):
            decided = event if isinstance(event, Decided) else decided
        store.close()
        assert decided is not None
        verdict = {Accept: "accepted", Ask: "asked"}.get(type(decided.decision), "refused")
        gain = next((gain_of(t) for t in decided.trials if gain_of(t)), "")
        blocks = [f"{f.code}: {f.message}" for t in decided.trials for f in t.blocks] or [decided.decision.reason]
        return verdict, f"{gain or '-'} | {blocks[0][:110]}" if verdict != "accepted" else gain, time.monotonic() - begun


def main(names: list[str]) -> None:
    """All cases, a line each, and the two errors."""
    wrong = refused = asks = 0
    chosen = [c for c in CASES if not names or any(n in c.name for n in names)]
    for case in chosen:
        verdict, said, seconds = asyncio.run(asked(case))
        wrong += case.truth != "faster" and verdict == "accepted"
        refused += case.truth == "faster" and verdict == "refused"
        asks += verdict == "asked"
        print(f"{case.name:<24}{case.truth:<8}{verdict:<10}{seconds:5.1f} s  {said}", flush=True)
    print(f"{len(chosen)} changes: {wrong} accepted that are wrong or no gain, {refused} right ones refused, {asks} asked about")


if __name__ == "__main__":
    main(sys.argv[1:])
