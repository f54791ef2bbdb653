"""describe: what kind of trouble it is, before anything is proposed or any model is asked.

Pure reading of what a failure says, its whole chain of exceptions included; files are only looked for. When in doubt
the code is *not* blamed: an edit cannot bring back a network, a file or a package, it can only hide that they are gone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ..analysis import effects, modules, near, removed
from ..analysis.contract import executable
from ..analysis.magics import parse
from ..analysis.options import weigh
from ..analysis.out_of_reach import out_of_reach
from ..values.notebook import Notebook
from ..values.request import Failure, Request, Triage, TriageKind
from ..values.trial import CAGES, Run

_CODE = frozenset(
    [
        "TypeError",
        "NameError",
        "UnboundLocalError",
        "AttributeError",
        "SyntaxError",
        "IndentationError",
        "TabError",
        "KeyError",
        "IndexError",
        "ZeroDivisionError",
        "AssertionError",
        "ImportError",
        "UnicodeDecodeError",
        "RecursionError",
        "ContractBroken",
    ]
)
"""Exceptions whose own text is about code or data, whatever words it holds (`unexpected keyword argument 'timeout'`)."""

_STOPPED = frozenset(
    [
        "CellTimeoutError",
        "OutputLimitError",
        "DiskLimitError",
        "DeadKernelError",
        "StdinNotImplementedError",
        "KeyboardInterrupt",
        "SystemExit",
    ]
)

_NETWORK = re.compile(
    r"name resolution|getaddrinfo failed|Name or service not known|nodename nor servname|NameResolutionError"
    r"|Connection ?refused|ConnectionRefusedError|\[Errno 111\]|\[Errno 61\]|Network is unreachable|No route to host"
    r"|could not translate host name|ProxyError|Failed to establish a new connection|ERR_INTERNET_DISCONNECTED|Could not connect to server"
    r"|connection to server .* failed|Can't connect to",
    re.IGNORECASE,
)
_TRANSIENT_NAMES = re.compile(
    r"^(ConnectionReset|ConnectionAborted|BrokenPipe|RemoteDisconnected|IncompleteRead|ChunkedEncoding|Protocol|\w*Timeout"
    r"|TimedOut|Timeout|RateLimit|TooManyRequests|ServiceUnavailable|InternalServer|BadGateway|SSLEOF|ServerTimeout"
    r"|ServerDisconnected|APIConnection|Throttling|Deadlock\w*|MaxRetry)(Error|Exception)?$"
)
_TRANSIENT = re.compile(
    r"Connection ?reset|connection was aborted|Connection aborted|timed out|Read timeout|HTTP Error (429|5\d\d)"
    r"|\b(429|5\d\d) (Server|Client) Error|(status|error)[ _]?code\W{1,4}(429|5\d\d)|Too Many Requests|Service Unavailable|Bad Gateway|Gateway Time-?out|rate limit"
    r"|temporarily|database is locked|database table is locked|server closed the connection|deadlock detected"
    r"|could not serialize access|try again later|Remote end closed connection|EOF occurred in violation of protocol",
    re.IGNORECASE,
)
_KEYS = re.compile(
    r"api[_ ]?key|credentials|AuthenticationError|\b401\b.*Unauthorized|Unauthorized.*\b401\b|Invalid authentication"
    r"|access token|NoCredentialsError|password authentication failed",
    re.IGNORECASE,
)
_LIBRARY = re.compile(
    r"cannot open shared object file|DLL load failed|Library not loaded|undefined symbol|GLIBC(XX)?_[\d.]+. not found"
    r"|incompatible architecture|Unable to find (the )?(any )?[\w.]+ (library|executable)"
)
_OPTIONAL = re.compile(
    r"(Missing optional dependency|Import) [`']?(?P<a>[\w.-]+)[`']?( failed)?|Unable to find a usable engine"
    r"|(?P<b>[\w-]+) (is required|must be installed|not found\. Please (install|update))|requires (?P<c>[\w-]+) to be installed"
    r"|pip install (?P<d>[\w-]+)"
)
_EXCEPTION_LINE = re.compile(r"^(?P<name>(?:[A-Za-z_]\w*\.)*[A-Z]\w*)(?:: (?P<said>.*))?$")
_LINK = re.compile(
    r"^(?:The above exception was the (direct cause) of the following exception:"
    r"|During handling of the above exception, another exception occurred:)\s*$",
    re.MULTILINE,
)


_LIBRARYS_OWN = "is not a valid package style"
"""matplotlib looks for a style of this name as a file too, last; but it is a name of its own, which it has changed."""


def chain(failure: Failure) -> tuple[tuple[str, str], ...]:
    """(type, message) of the exception and of those that caused it, the last raised first.

    One that was only being handled when the last was raised counts where the last says nothing about code itself: a
    missing module behind `except ImportError:` is not the reason for a `TypeError` further down.
    """
    found = [(failure.ename.rpartition(".")[2], failure.evalue)]
    if _LIBRARYS_OWN in failure.evalue:
        return tuple(found)
    links = [m.group(1) for m in _LINK.finditer(failure.traceback)]
    parts = re.split(_LINK, failure.traceback)[::2]  # one group: every second piece is what it matched
    for part, cause in zip(reversed(parts[:-1]), reversed(links), strict=True):
        if not cause and found[0][0] in _CODE:
            break
        for line in reversed(part.strip().split("\n")):
            if m := _EXCEPTION_LINE.match(line.strip()):
                found.append((m["name"].rpartition(".")[2], m["said"] or ""))
                break
    return tuple(found)


def _short(text: str, width: int = 160) -> str:
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1] + "…"


# ---- what is not the code's fault -------------------------------------------------------------------------------------


def _near_file(name: str, folder: Path) -> str:
    """A sentence about what exists in place of a file that is missing."""
    wanted = Path(name)
    path = wanted if wanted.is_absolute() else folder / wanted
    try:
        parent = path.parent
        if not parent.is_dir():
            existing = next((p for p in parent.parents if p.is_dir()), folder)
            there = sorted(p.name for p in existing.iterdir())[:1000]
            meant = near.nearest(parent.name, [n for n in there if (existing / n).is_dir()])
            return f"The folder {wanted.parent} does not exist" + (f"; there is {meant}." if meant else ".")
        names = sorted(p.name for p in parent.iterdir())[:5000]
        meant = near.nearest(wanted.stem, [n.rpartition(".")[0] or n for n in names])
        if not meant and (same := [n for n in names if n.rpartition(".")[0] == wanted.stem]):
            return f"{_place(wanted, same[0])} does exist."
        if meant:
            match = next(n for n in names if (n.rpartition(".")[0] or n) == meant)
            return f"{_place(wanted, match)} does exist."
        if wanted.parent != Path() and (folder / wanted.name).is_file():
            return f"{wanted.name} does exist, in the notebook's own folder."
        for below in sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))[:50]:
            if (below / wanted.name).is_file():
                return f"{below.name}/{wanted.name} does exist."
    except (OSError, ValueError):
        return ""
    return "No file with a name like it is there."


def _place(wanted: Path, name: str) -> str:
    return str(wanted.parent / name) if wanted.parent != Path() else name


def _missing_module(said: str) -> str | None:
    """Why a module that is not found is the environment's trouble; None where the code names a wrong one."""
    m = re.search(r"No module named '?([\w.]+)'?", said)
    if not m:
        return None
    module = m.group(1)
    top = module.partition(".")[0]
    if removed.removed(module) or modules.misspelt(top):
        return None
    if top != module and modules.importable(top):
        return None  # the library is there and has no such part (any more)
    return (
        f"The module {top} is not installed here. Install what provides it (often: %pip install {top}), "
        "then run again; the code was left alone."
    )


def _environment(name: str, said: str, failure: Failure, folder: Path) -> str | None:
    """Why this exception is the environment's trouble, in one line; None where it is not."""
    if name == "KeyboardInterrupt":
        return "A person interrupted it."
    if name == "SystemExit":
        return f"The cell itself asked to stop (exit {_short(said) or '0'}); that is not a failure of its code."
    if name in _STOPPED:
        return f"It was stopped: {_short(said) or name}."
    if name in ("ModuleNotFoundError", "ImportError"):
        if _LIBRARY.search(said):
            return f"A shared library is missing on this machine: {_short(said)}"
        if reason := _missing_module(said):
            return reason
        if "cannot import name" not in said and "has been removed" not in said and (m := _OPTIONAL.search(said)):
            needed = next((g for g in (m["a"], m["b"], m["c"], m["d"]) if g), "")
            return f"An optional package is not installed here{': ' + needed if needed else ''}. {_short(said)}"
        return None
    if name == "KeyError" and re.search(r"_Environ|environ\[|<frozen os>|[/\\]os\.py\b", failure.traceback):
        return f"The environment variable {said} is not set. Set it where the kernel starts, then run again."
    if name in ("FileNotFoundError", "NotADirectoryError") or (name == "OSError" and "No such file" in said):
        quoted = re.findall(r"['\"]([^'\"]+)['\"]", said) or re.findall(r"(?:directory|exist|file): (\S+)", said)
        path = quoted[0] if quoted else ""
        return f"The file {path or _short(said)} does not exist. {_near_file(path, folder) if path else ''}".strip()
    if name == "PermissionError" or "Read-only file system" in said or "unable to open database file" in said:
        return f"The system does not allow it: {_short(said)}"
    if name == "MemoryError" or name.endswith("OutOfMemoryError") or "Unable to allocate" in said:
        return f"There is not enough memory: {_short(said) or 'MemoryError'}"
    if "No space left on device" in said or "Disk quota exceeded" in said:
        return "The disk is full."
    if name in _CODE:
        return None
    if _NETWORK.search(f"{name} {said}"):
        return f"The network or a service cannot be reached: {_short(said)}"
    if _KEYS.search(f"{name} {said}"):
        return f"A key or a sign-in is missing or refused: {_short(said)}"
    if _LIBRARY.search(said):
        return f"A shared library is missing on this machine: {_short(said)}"
    return None


def _transient(name: str, said: str) -> str | None:
    if name in _CODE or name in _STOPPED or name in ("MemoryError", "ValueError"):
        return None
    if _TRANSIENT_NAMES.match(name) or _TRANSIENT.search(said):
        return f"It may pass by itself: {name}: {_short(said)}"
    return None


# ---- the rest -----------------------------------------------------------------------------------------------------------


def _unrun(failure: Failure, notebook: Notebook) -> str | None:
    """The name that a `NameError` is about, if a cell above binds it."""
    m = re.search(r"name '(\w+)' is not defined", failure.evalue)
    if failure.ename not in ("NameError", "UnboundLocalError") or not m or failure.cell_id not in notebook:
        return None
    above = notebook.cells[: notebook.index(failure.cell_id)]
    return m.group(1) if any(m.group(1) in effects.bound_names(c.source) for c in above if c.runs) else None


def _code(failure: Failure, notebook: Notebook) -> str:
    name, said = failure.ename.rpartition(".")[2], failure.evalue
    if name == "ContractBroken":
        return f"The cell ran and its contract does not hold: {_short(said)}"
    if name in ("SyntaxError", "IndentationError", "TabError"):
        cell = notebook.cell(failure.cell_id) if failure.cell_id in notebook else None
        two = (
            cell is not None
            and parse(executable(cell.source)) is None
            and re.search(r"(?m)^\s*print [^(=]", cell.source)
        )
        return "The cell is Python 2." if two else f"The cell is not valid Python: {_short(said)}"
    if api := next((api for dotted in _named(said) if (api := removed.removed(dotted))), None):
        return f"{api.library.capitalize()} no longer has {api.old} (since {api.gone}); the code must change."
    return f"The code and its libraries or data do not fit: {name}: {_short(said)}"


def _named(said: str) -> Iterator[str]:
    """Full names that a message says are not there."""
    yield from re.findall(r"No module named '([\w.]+)'", said)
    yield from (f"{o}.{name}" for o, name in re.findall(r"module '([\w.]+)' has no attribute '(\w+)'", said))
    yield from (f"{owner}.{name}" for name, owner in re.findall(r"cannot import name '(\w+)' from '([\w.]+)'", said))


def _took(request: Request, before: Run | None) -> str:
    """The cell that is to be faster, and the seconds it took."""
    result = before.result(request.target) if before and request.target else None
    return f"Cell {request.target}, which took {result.seconds:.2g} s," if result else "The notebook"


def triage(request: Request, notebook: Notebook, before: Run | None, folder: Path) -> Triage:
    """What kind of trouble the request is about, the reason in one line, and the options that were weighed.

    `before` is a run of the notebook as it is (None: there is none yet). `stale` names the cells to run again in order.
    A wish without a failure is `code`.
    """
    failure = request.failure
    if caged := _caged(before, folder):
        return Triage("environment", caged, weigh("environment", request, before))
    if failure is None:
        words = {
            "intent": "Nothing has failed; words want their code.",
            "drift": f"The data has changed: {_short(request.text)}",
            "slow": f"{_took(request, before)} is to be faster, with the same results. {_short(request.text)}".strip(),
        }
        said = words.get(request.trigger, "Nothing has failed; a change is wished.")
        return Triage("code", said, weigh("code", request, before))

    def made(kind: TriageKind, reason: str, rerun: tuple[str, ...] = ()) -> Triage:
        return Triage(kind, " ".join([*reason.split(), *request.since]), weigh(kind, request, before), rerun)

    links = chain(failure)
    for name, said in links:  # a network that is not there is told apart from one that falters, so it goes first
        if reason := _environment(name, said, failure, folder):
            if not _recovered(failure, before):
                return made("environment", reason)
            break
    for name, said in links:
        if reason := _transient(name, said):
            return made("transient", reason)
    known = failure.cell_id in notebook
    rerun = (*effects.slice_above(notebook, failure.cell_id), failure.cell_id) if known else ()
    if _recovered(failure, before):
        return made(
            "stale", "It does not fail when the notebook runs from the top: what ran before is out of date.", rerun
        )
    if before is None and (unrun := _unrun(failure, notebook)):
        return made("stale", f"{unrun} is defined by a cell above that has not run, or has changed since.", rerun)
    if before is not None and before.result(failure.cell_id) is None and (earlier := before.failure):
        where = notebook.index(earlier.cell_id) + 1 if earlier.cell_id in notebook else "?"
        return made(
            "code",
            f"From the top, an earlier cell fails first (cell {where}): {earlier.ename}: {_short(earlier.evalue)}",
        )
    return made("code", _code(failure, notebook))


def _caged(before: Run | None, folder: Path) -> str | None:
    """Why a run in a cage says nothing about the notebook: it failed at what only the cage keeps from it."""
    if before is None or before.tier not in CAGES or before.failure is None:
        return None
    found = (out_of_reach(name, said, folder) for name, said in chain(before.failure))
    return next((reason for reason in found if reason), None)


def _recovered(failure: Failure, before: Run | None) -> bool:
    """Whether the cell did run in `before`, and it was well."""
    if before is None or before.state != "complete" or before.failure is not None:
        return False
    result = before.result(failure.cell_id)
    return result is not None and result.status == "ok"
