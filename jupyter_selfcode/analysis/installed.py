"""Says INSIDE the kernel which versions of libraries it has. The text of this module is sent there, so it imports only
Python and nothing of this package; `libraries.PROBE` wraps it. Nothing is imported for it: a library that has not been
imported yet is asked for by the name of its package.
"""

import importlib.metadata
import platform
import sys

CHARACTERS = 40
"""Of a version, at most."""


def versions(names: "list[str]") -> "dict[str, dict[str, str]]":
    """The version of Python and of these top-level modules, where it is known."""
    found = {"python": platform.python_version()}
    for name in names:
        said = getattr(sys.modules.get(name), "__version__", None)
        try:
            said = said if isinstance(said, str) else importlib.metadata.version(name)
        except Exception:  # part of Python, or a package of another name
            continue
        found[name] = said[:CHARACTERS]
    return {"libraries": found}
