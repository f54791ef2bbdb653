"""What bandit says of a change, as notes beside the evidence. Optional: where bandit is not installed, it says nothing.

It is no gate. On 74 hostile cells of ours bandit saw 14, since it reads no magics and no attribute routes; what it adds are
its words and its numbers, which many people know. `# nosec` is ignored: whoever writes the code does not judge it.
"""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import no_type_check

from ...analysis.magics import mask
from ...values.notebook import Notebook
from ...values.request import Request
from ...values.trial import Candidate, Finding, Trial

UNTOLD = frozenset({"B101"})
"""Assertions, which are promises here and no fault."""

Issue = tuple[str, str, str]
"""Number, words, and the line that they are about."""


@no_type_check  # bandit has no types
@lru_cache(maxsize=256)
def _issues(source: str) -> tuple[tuple[Issue, int], ...]:
    """bandit's findings in a cell, with the line of each. Raises ImportError where bandit is not installed."""
    logging.getLogger("stevedore").setLevel(logging.CRITICAL)  # it minds that bandit's extras are not installed
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from bandit.core import config, manager

    checking = manager.BanditManager(config.BanditConfig(), "file", quiet=True, ignore_nosec=True)
    with tempfile.TemporaryDirectory(prefix="selfcode-bandit-") as folder:
        place = Path(folder) / "cell.py"
        place.write_text(mask(source).text, encoding="utf-8", errors="replace")
        checking.discover_files([str(place)])
        checking.run_tests()
    lines = source.splitlines()
    return tuple(
        ((i.test_id, i.text, lines[i.lineno - 1].strip() if 0 < i.lineno <= len(lines) else ""), i.lineno)
        for i in checking.get_issue_list()
        if i.test_id not in UNTOLD
    )


def _counted(sources: Iterable[str]) -> Counter[Issue]:
    return Counter(issue for source in sources for issue, _ in _issues(source))


class BanditCheck:
    """Notes what bandit finds in the changed cells and had not found before."""

    name = "bandit"

    def screen(self, candidate: Candidate, request: Request, before: Notebook, after: Notebook) -> Sequence[Finding]:
        """Gains only, each with bandit's number."""
        changed = [after.cell(i) for i in candidate.patch.cells if i in after and after.cell(i).type == "code"]
        try:
            had = _counted(before.cell(i).source for i in candidate.patch.cells if i in before)
            findings = []
            for cell in changed:
                for issue, line in _issues(cell.source):
                    if had[issue] > 0:
                        had[issue] -= 1
                    else:
                        said = f"bandit {issue[0]}, line {line}: {issue[1]}"
                        findings.append(Finding("bandit", said, "note", cell.id))
            return tuple(findings)
        except ImportError:
            return ()

    def judge(self, trial: Trial, request: Request, before: Notebook, after: Notebook) -> Sequence[Finding]:
        """Nothing more to see."""
        return ()
