"""Trouble that a cage makes and the notebook does not have: a file that a trial may not read, a network that it has not.

Without this a refusal would say that a file does not exist, or, worse, code would be changed to do without it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

_FILE = ("FileNotFoundError", "NotADirectoryError", "PermissionError", "OSError", "FileExistsError")
_QUOTED = re.compile(r"['\"]([^'\"]+)['\"]")
_NO_NETWORK = re.compile(
    r"name resolution|getaddrinfo failed|Name or service not known|NameResolutionError|Failed to establish a new connection"
    r"|\[Errno (?:97|101|111|-2|-3)\]|Address family not supported|Network is unreachable|could not translate host name"
    r"|Connection ?refused|urlopen error|Could not connect to server|connection to server .* failed|Can't connect to",
    re.IGNORECASE,
)


def out_of_reach(name: str, said: str, folder: Path) -> str | None:
    """Why an exception of a contained kernel is its cage's doing, and what to do; None where it is not.

    `folder` is the notebook's, as it is outside; files are only looked for.
    """
    if name in _FILE or "No such file" in said or "Permission denied" in said:
        for text in _QUOTED.findall(said):
            path = Path(os.path.normpath(folder / text))
            try:
                there, inside = path.exists() and os.access(path, os.R_OK), path.is_relative_to(folder.resolve())
            except (OSError, ValueError):
                continue
            if there and not inside:
                return (
                    f"{text} is there, but a contained kernel may read only the notebook's folder. Allow it by "
                    f"SelfCode.sandbox_read (--sandbox-read {path}), then ask again; the code was left alone."
                )
            if there:
                return f"{text} is there, but it is kept from a contained kernel, since its name or its folder's says secret or hidden."
    if _NO_NETWORK.search(f"{name} {said}") or (name == "PermissionError" and "Operation not permitted" in said and "'" not in said):
        return (
            "A contained kernel has no network, so this cannot be tried here. Load the data into a file beside the notebook "
            "first, or allow the network by SelfCode.sandbox_network (--sandbox-network true); the code was left alone."
        )
    return None
