"""`jupyter selfcode`: reads the command line, calls what does the work, and answers with text, JSON and an exit code.

Standard output holds the answer (with `--json` one document and nothing else), standard error the progress. What is not
needed for the word at hand is not imported.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn

from ...values.errors import BadInput, SelfcodeError

PROG = "jupyter selfcode"
USAGE = f"{PROG} WORD NOTEBOOK [ARGUMENTS] [OPTIONS]"
WITHOUT_NOTEBOOK = ("doctor", "model")
"""Words whose notebook may be left out."""
INTERRUPTED = 130


class Parser(argparse.ArgumentParser):
    """Says what is wrong with a command line in one line."""

    def error(self, message: str) -> NoReturn:
        raise BadInput(f"{self.prog}: {message} (see {self.prog} --help)")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line; the exit code. Every error is one line on standard error."""
    words = list(sys.argv[1:] if argv is None else argv)
    signal.signal(signal.SIGTERM, _terminated)
    debug = "--debug" in words
    try:
        code = dispatch(words)
        sys.stdout.flush()
        return code
    except SelfcodeError as e:
        if debug:
            raise
        return _fail(words, str(e), e.exit_code)
    except KeyboardInterrupt as e:
        return _fail(words, str(e) or "Stopped; nothing was changed.", INTERRUPTED)
    except BrokenPipeError:  # whoever read our output has gone (`| head`); Python must not complain at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as e:
        if debug:
            raise
        text = " ".join(str(e).split())
        return _fail(words, f"Unexpected {type(e).__name__}: {text}. Run it again with --debug for the traceback.", 1)


def _terminated(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _fail(words: Sequence[str], message: str, code: int) -> int:
    print(" ".join(message.splitlines()), file=sys.stderr)
    if "--json" in words:
        print_json({"status": "error", "message": message, "exit_code": code})
    return code


def print_json(data: Mapping[str, Any]) -> None:
    from ...codec import to_json

    print(to_json(data, indent=1))


def dispatch(words: list[str]) -> int:
    """Run a command line; its exit code. Raises `SelfcodeError`, `KeyboardInterrupt`."""
    from .options import add_settings

    word = words[0] if words else "--help"
    if word in ("-V", "--version"):
        print(f"jupyter_selfcode {version('jupyter_selfcode')}")
        return 0
    if word in ("-h", "--help", "help"):
        print(overview())
        return 0
    if word == "schema":
        from ...codec import schema
        from ...values.report import RunReport

        print_json(schema(RunReport))
        return 0
    if word == "run":
        from .run import run_command as command
    elif word == "demo":
        from .demo import demo_command as command
    else:
        return _word(words)
    parser = Parser(prog=f"{PROG} {word}", formatter_class=argparse.RawDescriptionHelpFormatter)
    return command(parser, add_settings, words[1:])


def overview() -> str:
    """All words, with what each does."""
    from ...commands import COMMANDS

    own = {
        "run": "run a notebook from the top as papermill does, healed under guard",
        "demo": "a drifted notebook, healed, adapted, rolled back: in a minute, without a key",
    }
    lines = [f"usage: {USAGE}", "", "Notebooks whose cells keep their promise. Each word has its own --help.", ""]
    rows = own | {name: c.help for name, c in COMMANDS.items() if name}
    rows |= {"schema": "the JSON Schema of what run --json answers", "NOTEBOOK": COMMANDS[""].help}
    lines += [f"  {name:<10}{text}" for name, text in rows.items()]
    lines += [
        "",
        "exit codes: 0 done · 10 healed and deployed · 11 a change waits for a decision · 20 could not be healed ·",
        "            21 environment or passing trouble · 30 budget spent · 2 usage · 130 stopped",
    ]
    return "\n".join(lines)


def _word(words: list[str]) -> int:
    from ...commands import COMMANDS
    from ...grammar import add_arguments
    from .options import add_settings, settings_of

    word = words[0]
    if word in COMMANDS:
        command, rest = COMMANDS[word], words[1:]
    elif word.endswith(".ipynb") or Path(word).is_file():
        command, rest = COMMANDS[""], words
    elif word.startswith("-"):
        raise BadInput(f"Say first what to do, then the options: {USAGE}")
    else:
        raise BadInput(
            f"{PROG} does not know the word {word!r}. It knows: run, demo, {', '.join(n for n in COMMANDS if n)}."
        )
    parser = Parser(prog=f"{PROG} {command.name}".strip(), description=command.help, conflict_handler="resolve")
    parser.add_argument(
        "notebook", type=Path, nargs="?" if command.name in WITHOUT_NOTEBOOK else None, help="path of the notebook"
    )
    if command.name in ("adapt", "fix"):
        parser.add_argument("--yes", action="store_true", help="accept what passed, in your name")
    add_settings(parser)
    add_arguments(parser, command.arguments)
    args = parser.parse_intermixed_args(rest)
    if command.name == "model" and args.notebook and not args.name and args.notebook.suffix != ".ipynb":
        args.notebook, args.name = None, str(args.notebook)  # `model NAME`, as in a notebook
    return _answer(command.name, command.run, args, settings_of(args))


def _answer(name: str, run: Any, args: argparse.Namespace, settings: Any) -> int:
    from ...commands import COMMANDS
    from ...plugins.deployers.patch_file import patch_path
    from .notebook import opened
    from .progress import Progress

    with opened(args.notebook, settings) as workspace:
        waited = set(workspace.waiting.all()) if name in ("accept", "reject") else set[str]()
        with Progress(f"{name or 'selfcode'} {workspace.path}".strip()) as tell:
            reply = run(workspace, args, tell)
            if getattr(args, "yes", False) and reply.data.get("proposal"):
                args.name, args.cell = reply.data["proposal"], None
                reply = COMMANDS["accept"].run(workspace, args, tell)
        for decided in waited.difference(workspace.waiting.all() if waited else ()):
            with contextlib.suppress(OSError):  # a patch file that cannot be removed is only out of date
                patch_path(args.notebook, decided).unlink(missing_ok=True)
        if getattr(args, "json", True):  # `export` has a --json of its own, and no other form
            print_json(reply.data)
        else:
            show(reply.view)
    return int(reply.exit_code)


def show(view: Any) -> None:
    """Print a view, coloured in a terminal."""
    import shutil

    color = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    print(view.text(width=shutil.get_terminal_size().columns if sys.stdout.isatty() else 100, color=color))
