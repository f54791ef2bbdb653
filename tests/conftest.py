"""Shared by all tests: Hypothesis without deadlines (the machine may be busy), and no settings of the person who runs them."""

from __future__ import annotations

import os
import sys

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
# a submission is judged on the same examples each time; new ones are looked for at every other run
settings.register_profile("ci", settings.get_profile("default"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")


@pytest.fixture(autouse=True)
def _no_settings_of_ones_own(tmp_path_factory, monkeypatch):
    """Config files, keys and histories of the person who runs the tests have no say in them."""
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path_factory.mktemp("config")))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
    # an in-process shell puts its own module in the place of __main__, which later spawned processes would miss
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    for name in ("JPY_SESSION_NAME", "JUPYTER_SELFCODE_HOST"):
        monkeypatch.delenv(name, raising=False)
