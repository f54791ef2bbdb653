"""How a line is read: the arguments of a word of the grammar, and free text, which is taken as it stands."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from .values.errors import BadInput


@dataclass(frozen=True)
class Argument:
    """One argument, as `argparse` takes it. `free` takes the rest of the line as it is."""

    flags: tuple[str, ...]
    free: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def optional(self) -> bool:
        """Whether it is given by a flag."""
        return self.flags[0].startswith("-")


def argument(*flags: str, free: bool = False, **options: Any) -> Argument:
    """An argument, with the options of `argparse`."""
    return Argument(flags, free, options)


def unquoted(words: str | Sequence[str] | None) -> str:
    """Words in one line, without the quotes around all of them."""
    text = (words if isinstance(words, str) else " ".join(words or ())).strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" and text[0] not in text[1:-1]:
        text = text[1:-1].strip()
    return text


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise BadInput(f"{self.prog}: {message}. {self.format_usage().strip()}")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:  # --help in a magic must not end the kernel
        raise BadInput((message or self.format_usage()).strip())

    def print_help(self, file: Any = None) -> None:
        raise BadInput(self.format_help().strip())


def add_arguments(parser: argparse.ArgumentParser, arguments: Sequence[Argument]) -> None:
    """Give a host's parser the arguments of a command."""
    for a in arguments:
        parser.add_argument(*a.flags, **a.options)


def read(prog: str, arguments: Sequence[Argument], rest: str) -> argparse.Namespace:
    """What follows the word in a magic's line. Free text may hold braces, quotes, `%` or `$`. Raises `BadInput`."""
    parser = _Parser(prog=prog)
    add_arguments(parser, arguments)
    free = next((a for a in arguments if a.free), None)
    if free is None:
        return parser.parse_args([unquoted(t) for t in rest.split()])
    flags = [re.escape(f) for a in arguments if a.optional and "action" not in a.options for f in a.flags]
    flags += [re.escape(f) for a in arguments if a.options.get("action") == "append" for f in a.flags]
    bare = [re.escape(f) for a in arguments if a.options.get("action") == "store_true" for f in a.flags]
    options: list[str] = []
    if bare:

        def switch(match: re.Match[str]) -> str:
            options.append(match[1])
            return ""

        rest = re.sub(rf"(?:(?<=\s)|^)({'|'.join(bare)})(?=\s|$)", switch, rest)
    if flags:
        pattern = re.compile(rf"(?:(?<=\s)|^)({'|'.join(flags)})[=\s]\s*(\S+)")

        def take(match: re.Match[str]) -> str:
            options.extend((match[1], match[2].strip("\"'")))
            return ""

        rest = pattern.sub(take, rest)
    if rest.strip() in ("-h", "--help"):
        parser.print_help()
    args = parser.parse_args(options)
    setattr(args, free.flags[0], rest.strip())
    return args
