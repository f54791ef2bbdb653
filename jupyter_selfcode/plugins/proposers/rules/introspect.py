"""What an installed library has, asked in a process of its own.

Nothing of the user's runs (`-I`: not the notebook's folder, no start-up files of the person), nothing heavy enters this
process, and keys are not in its environment.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import lru_cache

from ....analysis.modules import importable
from ....analysis.secrets import looks_secret

SECONDS = 20.0

_PROGRAM = """
import importlib, json, os, pkgutil, sys
out = os.fdopen(os.dup(1), "w"); os.dup2(2, 1)
parts = sys.argv[1].split(".")
found = None
for cut in range(len(parts), 0, -1):
    try:
        found = importlib.import_module(".".join(parts[:cut]))
    except ImportError:
        continue
    for part in parts[cut:]:
        found = getattr(found, part)
    break
names = set() if found is None else set(dir(found))
names |= {m.name for m in pkgutil.iter_modules(getattr(found, "__path__", []))}
json.dump(sorted(names), out)
out.flush()
os._exit(0)
"""


@lru_cache(maxsize=64)
def names_in(full: str) -> frozenset[str]:
    """The names of a module or class, by its full name, submodules included; empty where it cannot be told."""
    if not importable(full.partition(".")[0]):
        return frozenset()
    environment = {k: v for k, v in os.environ.items() if not looks_secret(k)} | {"MPLBACKEND": "Agg"}
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-c", _PROGRAM, full],
            capture_output=True, timeout=SECONDS, check=True, env=environment, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        return frozenset(json.loads(done.stdout))
    except (OSError, subprocess.SubprocessError, ValueError):
        return frozenset()
