"""Live self-adapting notebooks for Jupyter and IPython.

`%load_ext jupyter_selfcode` in a notebook, `jupyter selfcode --help` in a terminal. Importing this package loads nothing
heavy and no provider.
"""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"


def load_ipython_extension(shell: Any) -> None:
    """Called by `%load_ext jupyter_selfcode`."""
    from .hosts.ipython.extension import load

    load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """Called by `%unload_ext jupyter_selfcode`."""
    from .hosts.ipython.extension import unload

    unload(shell)


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """Where Jupyter's server finds our extension."""
    return [{"module": "jupyter_selfcode.hosts.server.extension"}]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Where `jupyter-builder develop` finds the front end that was built here."""
    return [{"src": "labextension", "dest": "jupyter-selfcode"}]
