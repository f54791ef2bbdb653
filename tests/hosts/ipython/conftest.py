"""A real IPython shell in this process, with an engine of shipped fakes: a scripted model and a sandbox without kernels."""

from __future__ import annotations

import atexit
from dataclasses import replace

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from jupyter_selfcode.hosts.ipython import extension as host
from jupyter_selfcode.plugins.models.scripted import ScriptedModel
from jupyter_selfcode.plugins.sandboxes.scripted import ScriptedSandbox
from jupyter_selfcode.selfcode import make_engine


class Person:
    """Someone at an IPython prompt."""

    def __init__(self, shell, capsys):
        self.shell, self.capsys = shell, capsys
        self.model = None

    def run(self, source, cell_id=None):
        """Run a cell; the result as IPython has it."""
        return self.shell.run_cell(source, store_history=True, cell_id=cell_id)

    def set(self, setting):
        """`%config SelfCode.setting`, in no cell: the scripted sandbox knows no magics."""
        self.shell.run_line_magic("config", f"SelfCode.{setting}")

    def told(self):
        """What was printed since the last time."""
        captured = self.capsys.readouterr()
        return captured.out + captured.err

    @property
    def extension(self):
        """What `%load_ext` made."""
        return host._loaded[self.shell]

    def model_says(self, *answers, usd=0.0):
        """From now on a scripted model answers, and trials run without kernels."""
        self.model = ScriptedModel(answers, usd=usd)
        self.sandbox = ScriptedSandbox()
        self.extension.settings.proposers = ["llm"]
        workspace = self.extension.workspace()
        workspace.engine = replace(make_engine(workspace.settings, workspace.store, self.model), sandbox=self.sandbox)

    @staticmethod
    def edit(cell_id, code):
        """A model's answer that replaces one cell."""
        return f'This does it.\n<cell id="{cell_id}" action="replace">\n{code}\n</cell>\n'

    def notebook(self):
        """What the session takes the notebook for."""
        return self.extension.workspace().notebook()


@pytest.fixture
def bare(tmp_path, monkeypatch, capsys):
    """A shell in an empty folder, without the extension."""
    monkeypatch.chdir(tmp_path)
    InteractiveShell.clear_instance()
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    shell = InteractiveShell.instance(config=config)
    yield Person(shell, capsys)
    host.unload(shell)
    atexit.unregister(shell.atexit_operations)
    shell.atexit_operations()
    InteractiveShell.clear_instance()


@pytest.fixture
def person(bare):
    """A shell with the extension."""
    bare.shell.run_line_magic("load_ext", "jupyter_selfcode")
    return bare
