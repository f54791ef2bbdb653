"""Does imports INSIDE the kernel. The text of this module is sent there, so it imports only Python and nothing of this package;
`preloading.doing` wraps it."""

import sys


def do_imports(statements: "list[str]") -> "dict[str, object]":
    """Do the imports, binding no name. Gives the modules that were looked for, found or not, by their first parts (`asked`),
    the `files` that were loaded, the folders that are looked in (`places`), and the statement that `failed`, or an empty text.
    """
    asked: set[str] = set()
    before = set(sys.modules)

    class Asking:
        @staticmethod
        def find_spec(name: str, path: object = None, target: object = None) -> None:
            asked.add(name.partition(".")[0])

    failed = ""
    sys.meta_path.insert(0, Asking)
    try:
        for statement in statements:
            failed = statement
            exec(compile(statement, "<selfcode>", "exec"), {"__name__": "__main__"})
            failed = ""
    except BaseException:  # whatever an import raises, it will raise it again in the cell
        pass
    finally:
        sys.meta_path[:] = [f for f in sys.meta_path if f is not Asking]
    specs = [getattr(sys.modules.get(name), "__spec__", None) for name in set(sys.modules) - before]
    files = sorted({s.origin for s in specs if s is not None and s.has_location and isinstance(s.origin, str)})
    return {"asked": sorted(asked), "files": files, "places": [p for p in sys.path if p], "failed": failed}
