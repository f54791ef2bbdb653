"""What hosts hold: which sandbox an engine gets."""

from __future__ import annotations

import pytest

from jupyter_selfcode.config import SelfCode
from jupyter_selfcode.plugins.sandboxes.contained import ContainedSandbox
from jupyter_selfcode.plugins.sandboxes.forked import ForkedSandbox
from jupyter_selfcode.plugins.stores.sql import SqlStore
from jupyter_selfcode.selfcode import make_engine


@pytest.mark.parametrize(
    ("forked", "live", "kind"),
    [
        ("auto", True, ForkedSandbox), ("auto", False, ContainedSandbox), ("always", False, ForkedSandbox),
        ("never", True, ContainedSandbox),
    ],
)  # fmt: skip
def test_a_live_session_tries_in_copies_and_others_where_they_are_told_to(tmp_path, forked, live, kind):
    store = SqlStore(f"sqlite:///{tmp_path / 'history.sqlite'}")
    try:
        assert type(make_engine(SelfCode(forked=forked), store, live=live).sandbox) is kind
    finally:
        store.close()
