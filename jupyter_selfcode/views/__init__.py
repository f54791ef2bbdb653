"""Value to MIME bundle: what people see of proposals, versions, costs and findings.

A view is built of blocks (`blocks`), which are drawn twice: as HTML for notebooks (`html`) and by rich for terminals
(`terminal`). Builders are grouped by what they show: `change`, `checks`, `lineage`, `machine`. What a change does *not* cover is
said before what it does.
"""

from .blocks import View
from .change import deployed, diff, proposal, version
from .checks import suggested
from .lineage import blame, cost, history, panel, why
from .machine import doctor, message, models, verified, would_send
from .words import in_magic

__all__ = [
    "View",
    "blame",
    "cost",
    "deployed",
    "diff",
    "doctor",
    "history",
    "in_magic",
    "message",
    "models",
    "panel",
    "proposal",
    "suggested",
    "verified",
    "version",
    "why",
    "would_send",
]
