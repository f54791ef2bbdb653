"""What a trial did, as its parent knows it: told by the witness in the kernel, and found in the folder afterwards.

What the witness tells comes through a process that the candidate may have taken over: text, bounded in bytes, lines and
lengths, cleaned and redacted. It can lie, and be silenced, which shows. What has changed in the throw-away copy of the
folder is looked at from here, and cannot be forged from there.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import re
import stat
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

from ...analysis.secrets import Redactor
from ...values.effect import Effect, EffectKind
from ...values.request import Failure
from .witness import write_witness

BYTES, LINE, TOLD, WIDTH = 4 * 2**20, 4096, 500, 200
"""Of one trial: bytes that are read from the witness, bytes of a line, effects that are kept, characters of one."""

PIPE = 2**20
"""Bytes that the pipe may hold while nobody reads; what the system allows, if that is less."""

SEEN, FEW = 40_000, 2_000
"""Entries of a folder that are looked at: twice what a copy holds; and so few that it is looked at after every cell."""

KINDS = frozenset(get_args(EffectKind))
_CONTROL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?)|[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")  # fmt: skip

Folder = Mapping[str, tuple[int, ...]]
"""What a folder holds: by relative path what tells that it is another file, or the same one changed."""


def look(folder: Path, entries: int = SEEN) -> tuple[Folder, bool]:
    """The files and links in a folder, links not followed; and whether that is all. The time of the last change of an
    inode is among what is kept: unlike the time of modification no program can set it."""
    found: dict[str, tuple[int, ...]] = {}
    left = [""]
    while left:
        relative = left.pop()
        with contextlib.suppress(OSError), os.scandir(folder / relative) as inside:
            for entry in inside:
                if len(found) >= entries:
                    return found, False
                name = os.path.join(relative, entry.name)  # noqa: PTH118 (many of them)
                with contextlib.suppress(OSError):
                    s = entry.stat(follow_symlinks=False)
                    if stat.S_ISDIR(s.st_mode):
                        left.append(name)
                    else:
                        found[name] = (s.st_mode, s.st_size, s.st_ino, s.st_mtime_ns, s.st_ctime_ns)
    return found, True


def difference(before: Folder, after: Folder) -> tuple[Effect, ...]:
    """What was created, changed and deleted between two looks."""
    kinds: dict[str, EffectKind] = {n: "creates" for n in after if n not in before}
    kinds |= {n: "changes" for n in after if n in before and before[n] != after[n]}
    kinds |= {n: "deletes" for n in before if n not in after}
    return tuple(Effect(kind, name) for name, kind in sorted(kinds.items()))


@dataclass(frozen=True, slots=True)
class Watched:
    """A trial, as far as it is watched: the notebook's real `folder`, its copy `work` and where the kernel `seen` it, and
    the `private` folders of the kernel. `contained`: it is in a cage without a network, so that is refused."""

    folder: Path
    work: Path
    seen: Path
    private: Path
    contained: bool = False

    @property
    def aside(self) -> tuple[Path, ...]:
        """Where a kernel writes beside its work: thrown away with it, and of no interest to a person."""
        own = tuple(self.private / name for name in ("ipython", "matplotlib", "tmp"))
        return own + ((Path("/tmp"), Path("/dev/shm")) if self.contained and self.seen == self.folder else ())


class Observed:
    """The reading end of the witness's pipe, and the folder as it was. `given` is the end for the kernel. Used from one
    event loop. `told` is a descriptor to read from, where the kernel has the other end already."""

    def __init__(self, watched: Watched, told: int = -1) -> None:
        self.cell_id = ""
        self._heard = self._awake = False
        self.watched = watched
        roots = {str(p) for path in (watched.work, watched.folder, watched.seen) for p in (path, path.resolve())}
        self._roots = sorted(roots, key=len, reverse=True)
        self._last: Folder = {}
        self._whole = True
        self._redactor = Redactor.for_folder(watched.folder)
        self._effects: dict[Effect, None] = {}
        self.early = 0
        """How much was told before any cell, and left out."""
        self._unseen = self._bytes = 0
        self._rest = b""
        self._open = False
        self._read, self.given = (told, -1) if told >= 0 else os.pipe()
        os.set_blocking(self._read, False)
        if told >= 0:
            return
        os.set_blocking(self.given, False)
        with contextlib.suppress(OSError, AttributeError):
            fcntl.fcntl(self.given, fcntl.F_SETPIPE_SZ, PIPE)

    async def listen(self) -> None:
        """The kernel is up and has its end of the pipe: close ours, read what comes, and look at the folder."""
        if self.given >= 0:
            os.close(self.given)
        self.given, self._open = -1, True
        asyncio.get_running_loop().add_reader(self._read, self.drain)
        self._last, self._whole = await asyncio.to_thread(look, self.watched.work)

    async def look_anew(self) -> None:
        """The folder was laid out after the kernel was up: what is there now is what it begins with."""
        self._redactor, (self._last, self._whole) = await asyncio.to_thread(
            lambda: (Redactor.for_folder(self.watched.folder), look(self.watched.work))
        )

    def drain(self) -> None:
        """Take in all that has been told so far, as the doing of the cell that is at work."""
        while self._open:
            try:
                came = os.read(self._read, 2**16)
            except BlockingIOError:
                return
            self._bytes += len(came)
            if not came or self._bytes > BYTES:  # silenced, or a flood: what follows is not known
                self._unseen += bool(self.cell_id)
                self._stop()
                return
            *lines, self._rest = (self._rest + came).split(b"\n")
            if len(self._rest) > LINE:
                self._rest, lines = b"", [*lines, self._rest]
            for line in lines:
                self._take(line)

    def begin(self, cell_id: str) -> None:
        """A cell is about to run; what is told from now on is its doing."""
        self.drain()
        self.cell_id, self._heard, self._awake = cell_id, self._awake or self._heard, False

    def settle(self, failure: Failure | None) -> None:
        """A cell has ended. Where it was refused something (`PermissionError`, EPERM), the last effect that its message
        names, or else its last one, is what was refused. A witness that was heard before and is not now was silenced."""
        self.drain()
        self._unseen += self._heard and not self._awake
        if len(self._last) < FEW:
            self._compare(self.cell_id)
        if failure is None or not (failure.ename == "PermissionError" or "Operation not permitted" in failure.evalue):
            return
        mine = [e for e in self._effects if e.cell_id == failure.cell_id]
        named = [e for e in mine if e.what.rpartition("/")[2] in failure.evalue]
        for effect in (named or mine)[-1:]:
            self._mark(effect)

    def told(self) -> tuple[tuple[Effect, ...], int]:
        """All effects, and how many events are known to have gone untold. Looks at the folder: not quick."""
        self._compare(None)
        return tuple(self._effects), self._unseen + (not self._whole)

    def close(self) -> None:
        """Both ends."""
        self._stop()
        for fd in (self.given, self._read):
            if fd >= 0:
                os.close(fd)
        self.given = self._read = -1

    def _stop(self) -> None:
        if self._open:
            self._open = False
            asyncio.get_running_loop().remove_reader(self._read)

    def _take(self, line: bytes) -> None:
        try:
            row = json.loads(line) if len(line) <= LINE else None
        except (ValueError, RecursionError):
            row = None
        if row == ["awake"]:
            self._awake = True
        elif not self.cell_id:  # the kernel itself, before any cell
            self.early += 1
        elif row == ["refused"]:
            for effect in [e for e in self._effects if e.cell_id == self.cell_id][-1:]:
                self._mark(effect)
        elif isinstance(row, list) and len(row) == 2 and all(isinstance(p, str) for p in row) and row[0] in KINDS:
            refused = row[0] == "network" and self.watched.contained
            self._add(Effect(row[0], self._clean(row[1]), self.cell_id, refused))
        else:  # no line of the witness, or one that says how many were dropped
            self._unseen += 1

    def _compare(self, cell_id: str | None) -> None:
        """What has changed in the folder since the last look, and was not told by the witness."""
        last, (self._last, whole) = self._last, look(self.watched.work)
        self._whole &= whole
        told = {e.what: e for e in self._effects if e.kind in ("creates", "changes", "deletes")}
        for effect in difference(last, self._last):
            what = self._clean(effect.what)
            known = told.get(what)
            if known is None or (effect.kind == "deletes") != (known.kind == "deletes"):
                self._add(Effect(effect.kind, what, cell_id))

    def _add(self, effect: Effect) -> None:
        if len(self._effects) < TOLD:
            self._effects.setdefault(effect)
        elif effect not in self._effects:
            self._unseen += 1

    def _mark(self, effect: Effect) -> None:
        self._effects = {(replace(e, refused=True) if e == effect else e): None for e in self._effects}

    def _clean(self, text: str) -> str:
        """Text from the candidate as it may be shown: no control characters, no secrets, paths from the folder on."""
        text = _CONTROL.sub("", text[: 4 * WIDTH])
        for root in self._roots:
            text = "." if text == root else text.removeprefix(root + "/")
        if text.startswith(home := f"{self.watched.private}/home"):
            text = "~" + text.removeprefix(home)
        text = self._redactor.text(text)
        return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"


@contextlib.asynccontextmanager
async def observing(watched: Watched) -> AsyncIterator[Observed]:
    """What is observed of one kernel, which is to start with the IPython folder in `watched.private`."""
    observed = Observed(watched)
    try:
        write_witness(watched.private / "ipython", observed.given, watched.seen, watched.aside)
        yield observed
    finally:
        observed.close()
