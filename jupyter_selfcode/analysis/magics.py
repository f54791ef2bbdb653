"""IPython's own syntax, masked so that the rest can be read as Python, and put back afterwards.

Every masked line becomes a placeholder name on a line of its own, so that line numbers stay. IPython's transformer
(`IPython.core.inputtransformer2`) is the reference for what is syntax and what is not; it is not used because it
changes line lengths, cannot be undone, and this layer imports nothing but Python.
"""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass

PYTHON_BODIES = frozenset(
    {
        *("selfcode", "time", "timeit", "capture", "prun", "debug"),
        *("memit", "mprun", "lprun", "snakeviz", "pyinstrument", "scalene"),
    }
)
"""Cell magics whose body is Python for the same namespace; the body of any other `%%` magic is opaque."""

_OUTSIDE = re.compile(r"'''|\"\"\"|['\"]|#[^\n]*|[()\[\]{}]|\\\r?\n|\n")
_ENDS = {
    "'": re.compile(r"(?:\\\r?\n|\\.|[^'\\\n])*+'?"),
    '"': re.compile(r'(?:\\\r?\n|\\.|[^"\\\n])*+"?'),
    "'''": re.compile(r"(?:\\.|(?!''')[^\\])*+(?:''')?", re.DOTALL),
    '"""': re.compile(r'(?:\\.|(?!""")[^\\])*+(?:""")?', re.DOTALL),
}
"""The rest of a string literal, by its quotes."""
_CELL = re.compile(r"%%(\w\S*)")
_STATEMENT = re.compile(
    r"""(?P<line>%{1,2}(?=[^\W\d])|!(?!=)|\?{1,2}(?=\s*[%\w*])|[,;/](?=[^\W\d]))  # %magic, !shell, ?obj, /autocall
      |(?P<help>[%\w.*\[\]'"]*[\w*\])]\?{1,2}\s*;?\s*$)                           # obj?, obj.attr??, *name*?
      |(?P<assign>[^\W\d][\w.\[\]'", *()]*=\s*(?=!|%[^\W\d]))                       # x = !ls, a, b = %magic
    """,
    re.VERBOSE,
)

_BINDS_NOTHING = frozenset(
    {"matplotlib", "config", "precision", "pip", "conda", "selfcode", "load_ext", "reload_ext", "autoreload", "pwd", "who", "whos", "ls"}
)
"""Line magics that bind no name; those of `PYTHON_BODIES` bind what the code that they are given binds."""


@dataclass(frozen=True, slots=True)
class Magic:
    """One masked line: its placeholder, what stood there, its line (from 1) and where it stood.

    `kind` is `cell` (a `%%` line), `body` (a line of an opaque body, or a continuation), `line` (a whole statement) or
    `value` (the right side of an assignment).
    """

    placeholder: str
    text: str
    line: int
    kind: str


@dataclass(frozen=True, slots=True)
class Masked:
    """Python text with as many lines as the source. `opaque`: an unknown cell magic owns (part of) the text.

    `head` is the number of leading lines up to and with the last leading cell magic (0: there is none).
    """

    text: str
    magics: tuple[Magic, ...] = ()
    opaque: bool = False
    head: int = 0

    def restore(self, text: str) -> str:
        """What was masked, put back into `text` (this text after an edit elsewhere).

        Raises ValueError where a placeholder is not there exactly once.
        """
        for magic in self.magics:
            name = re.escape(magic.placeholder)
            pattern = rf"(?m)^[ \t]*{name}\b" if magic.kind == "body" else rf"\b{name}\b"
            whole = magic.text  # a function, so that backslashes in it are no group references
            text, times = re.subn(pattern, lambda _, whole=whole: whole, text)  # type: ignore[misc]
            if times != 1:
                raise ValueError(f"The line {magic.text.strip()!r} would be lost or doubled by this edit.")
        return text


def _logical_end(text: str, at: int) -> int:
    """Where the logical line that begins at `at` ends: strings, brackets and continuations span lines."""
    depth = 0
    while m := _OUTSIDE.search(text, at):
        token, at = m.group(), m.end()
        if token in _ENDS:
            ended = _ENDS[token].match(text, at)
            at = ended.end() if ended else at
        elif token in "([{":
            depth += 1
        elif token in ")]}":
            depth = max(0, depth - 1)
        elif token == "\n" and not depth:
            return at
    return len(text)


def mask(source: str) -> Masked:
    """The source with IPython's syntax masked; the same text where there is none."""
    if not re.search(r"[%!?]|^\s*[,;/]", source, re.MULTILINE):
        return Masked(source)
    stem = "_selfcode_magic_"
    while stem in source:
        stem += "_"
    lines = [line for line in re.split(r"(?<=\n)", source) if line]
    out, magics = list(lines), list[Magic]()

    def put(i: int, before: str, text: str, kind: str) -> None:
        name = f"{stem}{len(magics)}_"
        magics.append(Magic(name, text, i + 1, kind))
        ending = lines[i][len(lines[i].rstrip("\r\n")) :]
        out[i] = before + name + ending

    head = 0
    for i, line in enumerate(lines):  # leading cell magics, which may be nested: %%capture, then %%time
        found = _CELL.match(line)
        if not found:
            if line.strip():
                break
            continue
        put(i, "", line.rstrip("\r\n"), "cell")
        head = i + 1
        if found.group(1) not in PYTHON_BODIES:
            for k in range(i + 1, len(lines)):
                put(k, "", lines[k].rstrip("\r\n"), "body")
            return Masked("".join(out), tuple(magics), True, head)

    starts, at = list[int](), 0
    for line in lines:
        starts.append(at)
        at += len(line)
    number = {start: i for i, start in enumerate(starts)}
    i = head
    while i < len(lines):
        line = lines[i].rstrip("\r\n")
        bare = line.lstrip(" \t")
        indent = line[: len(line) - len(bare)]
        found = _STATEMENT.match(bare)
        if not found:
            i = number.get(_logical_end(source, starts[i]), len(lines))
            continue
        lead = found.group("assign") or ""
        put(i, indent + lead, bare[len(lead) :], "value" if lead else "line")
        i += 1
        while not found.group("help") and lines[i - 1].rstrip("\r\n").endswith("\\") and i < len(lines):
            put(i, indent, lines[i].rstrip("\r\n"), "body")
            i += 1
    return Masked("".join(out), tuple(magics), False, head)


def parse_masked(masked: Masked) -> ast.Module | None:
    """The tree of masked text, or None where it is no Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(masked.text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def parse(source: str) -> ast.Module | None:
    """The tree of a cell, its magics masked; None where it is no Python. Line numbers are the source's."""
    return parse_masked(mask(source))


def binds_unseen(source: str) -> bool:
    """Whether a cell has a magic that may bind names which its text does not show (`%run`, `%pylab`, an own one)."""
    for magic in mask(source).magics:
        first = magic.text.lstrip("%").split()[:1]
        shell, question = magic.text.startswith("!"), magic.text.rstrip().rstrip(";").endswith("?") or magic.text.startswith("?")
        if magic.kind != "body" and not shell and not question and not {*first} <= _BINDS_NOTHING | PYTHON_BODIES:
            return True
    return False
