"""The notebook file as a surface, and the output notebook of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...values.errors import BadInput, DeployError, StalePatch
from ...values.notebook import POINTER, Notebook
from ...values.trial import CellResult
from ...values.version import Version
from . import atomic
from .notebook_file import NotebookFile, joined_outputs, parse, render


def read_file(path: Path) -> tuple[NotebookFile, bytes]:
    """A notebook file and its bytes. Raises `BadInput` with one line that says what is wrong and what to do."""
    try:
        if path.is_dir():
            raise BadInput(f"{path} is a folder; give the path of a notebook in it.")
        if path.exists() and not path.is_file():
            raise BadInput(f"{path} is not a regular file; give the path of a notebook.")
        data = path.read_bytes()
    except FileNotFoundError:
        raise BadInput(f"There is no notebook {path}; check the path.") from None
    except OSError as e:
        raise BadInput(f"{path} could not be read: {e.strerror or e}.") from e
    return parse(data, str(path)), data


def read_notebook(path: Path) -> Notebook:
    """The notebook in a file. Raises `BadInput`."""
    return read_file(path)[0].notebook


def kernel_name(notebook: Notebook) -> str:
    """The kernel that the notebook asks for; `python3` where it asks for none."""
    spec = notebook.metadata.get("kernelspec")
    name = spec.get("name") if isinstance(spec, Mapping) else None
    return name if isinstance(name, str) and name else "python3"


def language(notebook: Notebook) -> str:
    """The language of the notebook in lower case, as its metadata has it; `python` where it says nothing."""
    for key, name in (("language_info", "name"), ("kernelspec", "language")):
        held = notebook.metadata.get(key)
        said = held.get(name) if isinstance(held, Mapping) else None
        if isinstance(said, str) and said:
            return said.lower()
    return "python"


class FileDeployer:
    """A notebook file. Written whole or not at all; what a change does not touch stays byte for byte."""

    name = "file"

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def read(self) -> Notebook:
        """What the file holds now. Raises `BadInput`."""
        return read_notebook(self.path)

    def outputs(self) -> dict[str, tuple[Mapping[str, Any], ...]]:
        """Outputs in the file by id of their code cell, texts in one piece as a kernel sends them. Raises `BadInput`."""
        cells = read_file(self.path)[0].cells
        return {i: joined_outputs(c["outputs"]) for i, c in cells.items() if c.get("outputs")}

    def prepare(self, before: Notebook, after: Notebook, version: Version) -> StagedFile:
        """Write the new file beside the old one. Raises `StalePatch`, or `DeployError` with the old file whole."""
        seen = _signature(self.path)
        try:
            file, old = read_file(self.path)
        except BadInput as e:
            raise StalePatch(f"The notebook can no longer be read: {e}") from e
        if file.notebook.digest != before.digest:
            raise StalePatch(f"{self.path} was changed on disk since this change was prepared. Ask again.")
        try:
            new = render(file, after.over(file.notebook), name=str(self.path))
        except BadInput as e:
            raise DeployError(f"The change was not deployed: {e}") from e
        staged = StagedFile(atomic.AtomicWrite(self.path, new), old, seen)
        staged.write.prepare()
        return staged

    def report(self) -> str:
        """One line for the person."""
        return f"Saved {self.path}; where it is open, reload it from disk."


@dataclass
class StagedFile:
    """The new file, on the disk and ready to take the name of the old one."""

    write: atomic.AtomicWrite
    old: bytes
    seen: object

    def commit(self) -> None:
        """Rename it into place. Raises `StalePatch` where the file was saved by another program in the meantime."""
        if _signature(self.write.path) != self.seen:
            self.discard()
            raise StalePatch(f"{self.write.path} was saved by another program just now. Ask again.")
        self.write.commit()

    def revert(self) -> None:
        """Put the old bytes back; no change where they are there. Raises `DeployError` where others have written since."""
        self.discard()
        try:
            now = self.write.target.read_bytes()
        except OSError:
            now = b""
        if now == self.write.data and now != self.old:
            atomic.write(self.write.path, self.old)
        elif now != self.old:
            raise DeployError(
                f"{self.write.path} was saved by another program just now, so it was left as that program wrote it."
            )

    def discard(self) -> None:
        """Remove what was prepared."""
        self.write.discard()


def _signature(path: Path) -> object:
    """Changes when a file is written or replaced; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def write_executed(
    source_path: Path,
    out_path: Path,
    notebook: Notebook,
    results: Sequence[CellResult],
    extra_metadata: Mapping[str, Any] | None = None,
) -> None:
    """Write a notebook with what its cells gave in a run, atomically. Raises `BadInput`, `DeployError`.

    What `notebook` does not say (attachments, unknown keys, style of the text) is taken from `source_path`. A cell that the
    run did not reach has no outputs, a skipped one keeps those of the source. `extra_metadata` is added to the notebook's
    own `jupyter_selfcode` metadata.
    """
    file, _ = read_file(source_path)
    if extra_metadata:
        own = notebook.metadata.get(POINTER)
        kept = own if isinstance(own, Mapping) else {}
        notebook = Notebook(notebook.cells, {**notebook.metadata, POINTER: {**kept, **extra_metadata}})
    try:
        data = render(file, notebook, {r.cell_id: r for r in results}, name=str(source_path))
    except BadInput as e:
        raise DeployError(f"{out_path} was not written: {e}") from e
    if not out_path.parent.is_dir():
        raise BadInput(f"There is no folder {out_path.parent} to write {out_path.name} in; create it first.")
    atomic.write(out_path, data)
