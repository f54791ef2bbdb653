"""A notebook file with all that has to survive a change, and the bytes of it in several forms."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from jupyter_selfcode.plugins.deployers.file import FileDeployer
from jupyter_selfcode.values.notebook import Notebook
from jupyter_selfcode.values.patch import Patch
from jupyter_selfcode.values.version import make_version

VERSION = make_version(parents=(), patch=Patch("n"), notebook="n", kind="adapt", by="person", at="2026-01-01")
IMAGE = {"image/png": "aGk=\n"}


def raw_notebook() -> dict[str, Any]:
    """A notebook with all that has to survive, in the form that Jupyter writes."""
    return {
        "cells": [
            {
                "attachments": {"a.png": IMAGE},
                "cell_type": "markdown",
                "id": "top",
                "metadata": {"slideshow": {"slide_type": "slide"}},
                "source": ["# Été\n", "![a](attachment:a.png)"],
            },
            {
                "cell_type": "code",
                "execution_count": 3,
                "id": "load",
                "metadata": {"tags": ["parameters"], "vendor": {"z": 1, "a": [1.0, 1e-7]}},
                "outputs": [
                    {"name": "stdout", "output_type": "stream", "text": ["one\n", "two"]},
                    {
                        "data": {"application/json": {"n": [1, 2.50]}, "text/plain": ["{'n':\n", "1}"]},
                        "execution_count": 3,
                        "metadata": {},
                        "output_type": "execute_result",
                    },
                ],
                "source": ["x = 1\n", "x"],
            },
            {
                "cell_type": "code",
                "execution_count": 4,
                "id": "use",
                "metadata": {},
                "outputs": [],
                "source": ["x + 1"],
            },
            {"cell_type": "raw", "id": "raw", "metadata": {}, "source": []},
        ],
        "metadata": {"kernelspec": {"display_name": "P", "language": "python", "name": "py-env"}, "unknown": [1]},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def jupyter(raw: Any, **form: Any) -> bytes:
    """The bytes that Jupyter writes, or another form of them."""
    style = {"indent": 1, "sort_keys": True, "separators": (",", ": "), "ensure_ascii": False} | form
    return (json.dumps(raw, **style) + "\n").encode()


def with_source(notebook: Notebook, cell_id: str, source: str) -> Notebook:
    cells = tuple(replace(c, source=source) if c.id == cell_id else c for c in notebook.cells)
    return Notebook(cells, notebook.metadata)


def deploy(path: Path, after: Notebook) -> None:
    surface = FileDeployer(path)
    surface.prepare(surface.read(), after, VERSION).commit()
