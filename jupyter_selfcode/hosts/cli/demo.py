"""`jupyter selfcode demo`: a drifted notebook fails, is healed by rules, adapted by words, rolled back; in about a minute.

Every step but the first is a command line that anyone can type, run by the very code that runs it then. What is replayed
is said where it is used. The files are left to be looked at.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from ...plugins.deployers.file import FileDeployer
from ...values.errors import BadInput, SelfcodeError

NOTEBOOK = "drifted_sales_report.ipynb"
RECORDED = "recorded/drifted_sales_report.jsonl"
NEEDED = ("pandas", "numpy", "matplotlib")
WORDS = (
    "After the table, add a cell that computes per region how many times larger its revenue was in June than in January, "
    "as a Series named growth_by_region, the largest first, and prints the region that grew most with its factor. Its "
    "docstring says what it promises, with examples that hold."
)
"""What is asked for in the demo; the recorded completion is found by these words."""


def examples() -> Path:
    """The folder of the example notebooks: in the installed package, or beside it in a checkout. Raises `BadInput`."""
    package = Path(__file__).parents[2]
    for folder in (package / "example_notebooks", package.parent / "example_notebooks"):
        if (folder / NOTEBOOK).is_file():
            return folder
    raise BadInput("The example notebooks are not installed; install jupyter_selfcode again, or run it from a clone.")


def _place(wished: Path | None) -> Path:
    """A folder for the files of the demo that nothing is in. Raises `BadInput`."""
    if wished is not None:
        if wished.exists() and (not wished.is_dir() or any(wished.iterdir())):
            raise BadInput(f"{wished} is not empty; name a new folder: --folder DIR.")
        return wished
    names = (Path("selfcode-demo" if n == 1 else f"selfcode-demo-{n}") for n in range(1, 1000))
    return next(p for p in names if not p.exists() or (p.is_dir() and not any(p.iterdir())))


def _copy(folder: Path) -> None:
    found = examples()
    try:
        for name in (NOTEBOOK, "data/sales_2026.csv", RECORDED):
            if (found / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(found / name, folder / name)
    except OSError as e:
        raise BadInput(f"{folder} cannot be written ({e.strerror}); name another one: --folder DIR.") from None


class DemoEnded(SelfcodeError):
    """A step did not do what it says."""

    exit_code = 20


class _Stage:
    """Says what comes, types it, runs it, and holds it to what it should answer."""

    def __init__(self, options: Sequence[str] = ()) -> None:
        self.step = 0
        self.options = options
        """What is added to every command that tries something."""

    def say(self, title: str, *lines: str) -> None:
        """The head of a step."""
        from ...views import View
        from ...views.blocks import Paragraph, Title, dim, say
        from .main import show

        self.step += 1
        print()
        show(View((Title(f"{self.step}. {title}"), *(Paragraph(say(dim(line))) for line in lines))))
        print()

    def type(self, *words: str, answers: int | Sequence[int]) -> int:
        """Run a command line as if it were typed. Raises `DemoEnded` where its exit code is another."""
        from .main import dispatch

        if words[0] in ("run", "adapt"):
            words = (*words, *self.options)
        print(f"$ jupyter selfcode {shlex.join(words)}", flush=True)
        code = dispatch(list(words))
        sys.stdout.flush()
        wanted = (answers,) if isinstance(answers, int) else answers
        if code not in wanted:
            raise DemoEnded(
                f"The demo ends here: step {self.step} answered with exit code {code} and not {' or '.join(map(str, wanted))}. "
                "The files are left as they are."
            )
        return code


def _fails_under_nbclient() -> str:
    """The error that plain nbclient ends with. Raises `DemoEnded` where the notebook runs."""
    line = [sys.executable, "-c", "from nbclient.cli import main; main()", NOTEBOOK]
    print(f"$ jupyter execute {NOTEBOOK}", flush=True)
    done = subprocess.run(line, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    said = [re.sub(r"\x1b\[[\d;]*m", "", t).strip() for t in done.stderr.splitlines() if t.strip()]
    if done.returncode == 0:
        raise DemoEnded("The notebook runs with the libraries that are installed here, so there is nothing to heal.")
    return said[-1] if said else f"exit code {done.returncode}"


def demo_command(
    parser: argparse.ArgumentParser, add_settings: Callable[[argparse.ArgumentParser], None], words: Sequence[str]
) -> int:
    """Run the demo; 0 only where every step did what it says."""
    parser.description = "A drifted notebook fails, is healed by rules, adapted by words, rolled back. Needs no key."
    parser.add_argument("--folder", type=Path, help="where its files go (default: ./selfcode-demo)")
    parser.add_argument("--debug", action="store_true", help="the whole traceback of an unexpected error")
    args = parser.parse_args(list(words))
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        raise BadInput(
            f"The demo needs {', '.join(missing)}. Install: {Path(sys.executable).name} -m pip install "
            f"{' '.join(missing)} (or jupyter_selfcode with its extra: demo)"
        )
    folder = _place(args.folder)
    _copy(folder)
    from ...plugins.sandboxes import tiers

    given = tiers.probe()
    with contextlib.chdir(folder):
        _play(_Stage(() if given.best else ("--sandbox", "C")), "; ".join(set(given.reasons.values())))
    print(f"\nThe files are in {folder}. Try next, in that folder:")
    for line in _try_next():
        print(f"  {line}")
    return 0


def _heal(stage: _Stage) -> None:
    """Heal it unasked; where that is not allowed, since no cage can be had, accept each change as a person would."""
    words = ("run", NOTEBOOK, "report.ipynb", "--policy", "deploy", "--proposers", "rules", "--heals", "12")
    if not stage.options:
        stage.type(*words, answers=10)
        return
    for _ in range(12):
        if stage.type(*words, answers=(11, 0)) == 0:
            return
        stage.type("accept", NOTEBOOK, answers=0)
    raise DemoEnded("The demo ends here: after twelve changes the notebook still fails.")


def _play(stage: _Stage, uncaged: str) -> None:
    stage.say(
        "It fails",
        "A sales report written for pandas 1.3 and NumPy 1.20. Both have removed what it uses, and its CSV file has renamed "
        "a column. Plain nbclient says:",
    )
    print(_fails_under_nbclient())

    stage.say(
        "The rules heal it",
        "No model, no key, nothing leaves this machine. Every change is tried in another kernel and held to the examples in "
        "the docstrings before it is deployed.",
        *([f"NO CAGE can be had here ({uncaged}): limits only are used, so nothing is deployed unasked, and this demo accepts "
           "each change as a person would."] if stage.options else []),
    )  # fmt: skip
    _heal(stage)
    healed = FileDeployer(NOTEBOOK).read().digest

    stage.say(
        "A behaviour, described in words",
        f"The answer of the model is REPLAYED from {RECORDED}: no model is asked in this demo. Trial and verdict are real.",
    )
    stage.type(
        "adapt",
        NOTEBOOK,
        WORDS,
        "--model",
        f"replay:{RECORDED}",
        "--proposers",
        "llm",
        "--policy",
        "propose",
        answers=11,
    )

    stage.say("A person accepts it", "Until now nothing was changed. That is what accepting does, and only that.")
    stage.type("accept", NOTEBOOK, answers=0)

    stage.say("What happened, and what it cost")
    stage.type("history", NOTEBOOK, answers=0)
    stage.type("cost", NOTEBOOK, answers=0)

    stage.say("One step back", "A new version that restores the one before. Nothing is lost: redo would bring it back.")
    stage.type("undo", NOTEBOOK, answers=0)
    if FileDeployer(NOTEBOOK).read().digest != healed:
        raise DemoEnded("The demo ends here: after undo the notebook is not what it was before.")
    stage.type("verify", NOTEBOOK, answers=0)

    stage.say("And it runs")
    stage.type("run", NOTEBOOK, "report.ipynb", "--policy", "report", answers=0)


def _try_next() -> Iterator[str]:
    yield f"jupyter selfcode why {NOTEBOOK} by-region         # why a cell is as it is"
    yield f"jupyter selfcode rollback {NOTEBOOK} 1            # as it was found"
    yield f"jupyter selfcode redo {NOTEBOOK}                  # what undo took"
    yield f'jupyter selfcode adapt {NOTEBOOK} "your words" --model NAME   # which: jupyter selfcode doctor'
    yield f"jupyter lab {NOTEBOOK}"
