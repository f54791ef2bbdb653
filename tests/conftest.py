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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests in a browser come last: its driver leaves an event loop running in this process, and no other can begin then."""
    items.sort(key=lambda item: "journeys/lab" in item.nodeid)


@pytest.fixture(autouse=True)
def _no_settings_of_ones_own(tmp_path_factory, monkeypatch):
    """Config files, keys and histories of the person who runs the tests have no say in them. No kernel waits."""
    folder = tmp_path_factory.mktemp("config")
    # a kernel that waits for a trial that does not come costs as much as one that is tested; `test_pool` has them
    (folder / "jupyter_selfcode_config.json").write_text('{"SelfCode": {"warm_kernels": 0}}', "utf-8")
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(folder))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
    # an in-process shell puts its own module in the place of __main__, which later spawned processes would miss
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    for name in ("JPY_SESSION_NAME", "JUPYTER_SELFCODE_HOST"):
        monkeypatch.delenv(name, raising=False)
