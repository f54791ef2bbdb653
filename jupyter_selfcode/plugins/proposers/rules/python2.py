"""Cells that are Python 2: print statements, `except X, e`, backticks, `<>`, `exec code`, `0777`, `ur""`, `has_key` …

fissix does it: the maintained fork of lib2to3, which Python 3.13 no longer has. It keeps comments and layout, needs no
compiler, and knows far more of Python 2 than a table here could. (modernize and futurize build on the same, for code that
must run on both; parso and libcst no longer read Python 2.)
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from .broken import Broken, Step
from .spans import parsed

_LEFT_OUT = frozenset({"future", "import", "input"})
"""`import` looks for files beside the module; `input` would make `eval(input())`, which asks for trouble."""


@cache
def _tool() -> Any:
    from fissix.refactor import RefactoringTool, get_fixers_from_package  # type: ignore[import-untyped]

    fixers = [f for f in get_fixers_from_package("fissix.fixes") if f.rpartition("fix_")[2] not in _LEFT_OUT]
    return RefactoringTool(fixers)


def python2(broken: Broken) -> Iterator[Step | None]:
    """The cell as Python 3, where it is no Python 3 but is Python 2."""
    source = broken.masked.text
    if broken.masked.opaque or broken.failure.ename not in ("SyntaxError", "IndentationError") or parsed(source):
        return
    logging.getLogger("RefactoringTool").setLevel(logging.CRITICAL)
    logging.getLogger("fissix").setLevel(logging.CRITICAL)
    newline = "" if source.endswith("\n") else "\n"
    try:
        text = str(_tool().refactor_string(source + newline, "<cell>"))
    except Exception:  # fissix raises errors of many kinds on what is no Python 2 either
        return
    text = text.removesuffix(newline) if newline else text
    said = "The cell is Python 2; it was rewritten as Python 3 (by fissix, the fork of 2to3)."
    if re.search(r"(?<!/)/(?!/)", re.sub(r"#.*|'[^'\n]*'|\"[^\"\n]*\"", "", source)):
        said += " Division of whole numbers gives fractions now: look at each `/`."
    yield broken.step(text, said)
