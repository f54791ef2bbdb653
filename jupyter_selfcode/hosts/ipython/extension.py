"""`%load_ext jupyter_selfcode`. Light: what is heavy is imported when a command is used.

In the kernel of a trial, of a headless run or in a cage (`JUPYTER_SELFCODE_HOST`) the extension is inert: cells run as plain code,
nothing adapts, and the magics say in one line that they do nothing there. Otherwise a notebook that loads this extension
would start trials inside of its own trial.
"""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from IPython.core.magic import no_var_expand

from ...analysis.marks import is_marked
from ...config import SelfCode
from .channel import Channel
from .green import Transformer
from .session import LiveSession
from .stops import CommandError

if TYPE_CHECKING:
    from .background import Background
    from .workspace import LiveWorkspace

HOST = "JUPYTER_SELFCODE_HOST"
OUTSIDE = "selfcode does nothing in the kernel of a trial or of a headless run: the command outside of it does the work."
INERT = {
    "trial": OUTSIDE,
    "run": OUTSIDE,
    "contained": "This kernel is contained: it can neither start trials nor ask a model. Adapt the notebook from outside of "
    "it: jupyter selfcode adapt NOTEBOOK \"words\" (or fix, history, …).",
}
"""What the magics say where they do nothing, by what the kernel is for."""

_loaded: WeakKeyDictionary[Any, Extension] = WeakKeyDictionary()


def load(shell: Any) -> None:
    """Give a shell the magics and the watch over its cells. Does nothing where it has them."""
    if shell not in _loaded:
        _loaded[shell] = Extension(shell, INERT.get(os.environ.get(HOST, ""), ""))
        _loaded[shell].attach()


def unload(shell: Any) -> None:
    """Take back all that `load` gave."""
    if extension := _loaded.pop(shell, None):
        extension.detach()


class Extension:
    """The package in one shell."""

    def __init__(self, shell: Any, inert: str = "") -> None:
        self.shell = shell
        self.inert = inert
        self.session = LiveSession(shell)
        self.settings = SelfCode(config=shell.config)
        self.given: set[str] = set()
        """Names of the settings that were set in this session (`%config`)."""
        self._transformer = Transformer(shell, self._is_old)
        self._workspace: LiveWorkspace | None = None
        self.panel: Any = None
        """The panel with buttons, once `%selfcode` has shown it."""
        self._hinted = False
        self._proving: dict[str, str] = {}
        """What is on probation: by the first cell that it changed, the id of the version."""
        self._background: Background | None = None
        """There is one where the notebook is watched."""
        self._began = 0.0
        self._looked = False

    def attach(self) -> None:
        """Register everything."""
        shell = self.shell
        self.settings.observe(lambda change: self.given.add(change.name), self.settings.trait_names(config=True))
        shell.configurables.append(self.settings)
        # first: IPython's own would take the examples of a contract for pasted prompts and strip their `>>>`
        shell.input_transformers_cleanup.insert(0, self._transformer)
        shell.register_magic_function(self.line, "line", "selfcode")
        shell.register_magic_function(self.cell, "cell", "selfcode")
        if self.inert:
            return
        shell.events.register("pre_run_cell", self.before_cell)
        shell.events.register("post_run_cell", self.after_cell)
        if self.session.kernel:
            self.session.channel = Channel(shell.kernel)
            self.session.channel.settings = lambda: {n: getattr(self.settings, n) for n in self.settings.trait_names(config=True)}
            self.session.channel.open()

    def detach(self) -> None:
        """Take everything back."""
        shell = self.shell
        shell.configurables[:] = [c for c in shell.configurables if c is not self.settings]
        shell.input_transformers_cleanup[:] = [
            t for t in shell.input_transformers_cleanup if t is not self._transformer
        ]
        for kind in ("line", "cell"):
            shell.magics_manager.magics[kind].pop("selfcode", None)
        if not self.inert:
            shell.events.unregister("pre_run_cell", self.before_cell)
            shell.events.unregister("post_run_cell", self.after_cell)
        if self.session.channel is not None:
            self.session.channel.close()
        if self._workspace is not None:
            self._workspace.close()
            self._workspace = None

    def workspace(self) -> LiveWorkspace:
        """The notebook of this session at work, made at first use and again where settings have changed."""
        from .workspace import open_workspace

        self._workspace = open_workspace(self.shell, self.session, self.settings, self.given, self._workspace)
        return self._workspace

    def look_again(self) -> None:
        """The history may be another one now: what is on probation is read anew."""
        from ...watching import Watching
        from .rails import proving

        self._looked = True
        workspace = self.workspace()
        self._proving = proving(workspace)
        watched = Watching(workspace.store, workspace.path).since is not None
        if watched and self._background is None:
            from .background import Background

            self._background = Background(self.session)
        elif not watched:
            self.leave_off()
            self._background = None

    def leave_off(self) -> None:
        """A person's command goes first: what is looked into in the background ends."""
        if self._background is not None:
            self._background.stop()

    def _watch(self, cell_id: str, result: Any) -> None:
        """What the watch does after a cell: look into its failure, or compare what it took in; and say what came of it."""
        watch, lines = self._background, list[str]()
        if watch is None:
            return
        workspace, names = self.workspace(), self.shell.user_ns
        if result.success:
            lines += watch.compare(workspace, cell_id, time.monotonic() - self._began, names)
        elif (failure := self.session.failure()) is not None and watch.look_into(workspace, failure, names):
            lines.append("The cause is looked for; what it comes to will wait for you.")
        for line in [*watch.settle(workspace), *lines]:
            print(f"\x1b[2mselfcode: {line}\x1b[0m")

    def _prove(self, cell_id: str, version_id: str | None) -> None:
        """A cell that a version on probation made has run well once more."""
        if version_id is not None and cell_id in self._proving:
            from .rails import ran_well

            ran_well(self.workspace(), version_id)

    def _may_be_blamed(self) -> bool:
        """Whether something here could be on probation: told without opening anything."""
        return bool(self._proving) if self._workspace else (self.session.folder / ".selfcode" / "history.sqlite").is_file()

    def _is_old(self, source: str) -> bool:
        if self.inert or self._workspace is None or self.session.busy:
            return False
        cell_id = self.session.running_cell_id()
        return cell_id is not None and self._workspace.document.shows_old(cell_id, source)

    # ---- what IPython calls ------------------------------------------------------------------------------------------

    @no_var_expand
    def line(self, line: str) -> None:
        """%selfcode: change this notebook, and read its history. `%selfcode` alone shows where you are."""
        if self.inert:
            print(self.inert)
            return
        from .magics import run_line

        run_line(self, line)

    @no_var_expand
    def cell(self, line: str, cell: str) -> None:
        """%%selfcode: say in words what the cell should do; with a docstring and code, the code runs and is kept working."""
        if self.inert:
            print("This cell holds only words: its code is yet to be generated. " + self.inert)
            return
        from .magics import run_words

        run_words(self, line, cell)

    def before_cell(self, info: Any) -> None:
        """IPython's `pre_run_cell`."""
        if not self.session.busy:
            if self.session.channel is not None:
                self.session.channel.meet()
            self.session.begin(info)
            self._began = time.monotonic()

    def after_cell(self, result: Any) -> None:
        """IPython's `post_run_cell`. Whatever goes wrong here becomes one line and leaves the cell as it is."""
        session = self.session
        if session.busy or result is None or session.running is None:
            return
        try:
            if session.stopping is not None:
                self._stop(result, session.stopping)
                return
            if isinstance(result.error_in_exec, CommandError):
                return
            session.end(result)
            cell = session.running
            cell_id = session.named(cell.cell_id)
            if not self._looked and not cell.command and self._may_be_blamed():
                self._looked = True  # a history from before: once, for it has to be opened
                self.look_again()
            due = self._proving.get(cell_id)
            if cell.command or not (is_marked(cell.source) or not result.success):
                if not cell.command:
                    self._prove(cell_id, due)
                    self._watch(cell_id, result)
                return
            if is_marked(cell.source):
                if not result.success or ">>>" in cell.source:
                    from .adapting import after_marked_cell

                    after_marked_cell(self, cell, result)
                if result.success:
                    self._prove(cell_id, due)
                    self._watch(cell_id, result)
                return
            if (failure := session.failure()) is not None and self._may_be_blamed():
                from .adapting import take_back

                if take_back(self, failure):
                    return
            self._watch(cell_id, result)
            if not self._hinted and session.failure() is not None and (session.identified or sys.stdout.isatty()):
                self._hinted = True
                print("\x1b[2m%selfcode fix looks for the cause and proposes a repair.\x1b[0m")
        except KeyboardInterrupt:
            print("Stopped; nothing was changed.")
        except Exception as e:
            print(
                f"selfcode could not look after this cell: {type(e).__name__}: {' '.join(str(e).split())}",
                file=sys.stderr,
            )
        finally:
            session.running = None

    def _stop(self, result: Any, reason: BaseException) -> None:
        # ipykernel reads this same object for its reply: an error there stops the cells that are queued behind, and
        # nbclient, without one more line on the screen
        if result.success:
            result.error_in_exec = reason
            self.shell.last_execution_succeeded = False
            if self.session.kernel:  # what nbclient puts into its exception
                self.shell._last_traceback = [f"{type(reason).__name__}: {reason}"]
