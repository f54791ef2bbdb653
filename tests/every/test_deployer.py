"""What every surface keeps to, run over every surface of the package that needs no front end."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from jupyter_selfcode.plugins.deployers.file import FileDeployer
from jupyter_selfcode.plugins.deployers.memory import MemoryDeployer
from jupyter_selfcode.protocols import Deployer
from jupyter_selfcode.values.canonical import same
from jupyter_selfcode.values.errors import StalePatch
from jupyter_selfcode.values.notebook import Notebook
from tests.notebook_files import VERSION, jupyter, raw_notebook, with_source
from tests.strategies import notebooks


@pytest.fixture(params=["file", "memory"])
def surface(request: pytest.FixtureRequest, tmp_path: Path) -> Deployer:
    file = tmp_path / "nb.ipynb"
    file.write_bytes(jupyter(raw_notebook()))
    made = FileDeployer(file)
    return made if request.param == "file" else MemoryDeployer(made.read())


def test_it_is_a_deployer_with_a_line_to_say(surface: Deployer):
    assert isinstance(surface, Deployer)
    assert surface.report()
    assert "\n" not in surface.report()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(after=notebooks())
def test_it_holds_what_was_committed_and_the_old_after_a_revert(surface: Deployer, after: Notebook):
    before = surface.read()
    staged = surface.prepare(before, after, VERSION)
    assert same(surface.read(), before)
    staged.commit()
    assert same(surface.read(), after.over(before))
    staged.revert()
    assert same(surface.read(), before)
    surface.prepare(before, after, VERSION).commit()
    assert same(surface.read(), after.over(before))


def test_what_is_discarded_was_never_there(surface: Deployer):
    before = surface.read()
    staged = surface.prepare(before, with_source(before, "use", "2"), VERSION)
    staged.discard()
    staged.discard()
    assert same(surface.read(), before)


def test_to_revert_what_was_not_committed_changes_nothing(surface: Deployer):
    before = surface.read()
    surface.prepare(before, with_source(before, "use", "2"), VERSION).revert()
    assert same(surface.read(), before)


def test_another_base_is_refused(surface: Deployer):
    before = surface.read()
    with pytest.raises(StalePatch):
        surface.prepare(with_source(before, "use", "other"), before, VERSION)
    assert same(surface.read(), before)
