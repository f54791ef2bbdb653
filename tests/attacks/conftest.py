"""Arenas for each user, tiers that this machine gives, and a table at the end of the run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.attacks.arena import Arena
from tests.attacks.attacks import Attack
from tests.attacks.users import ORDINARY, ROOT, User, why_not

HERE = Path(__file__).parent
AS_ROOT = frozenset((
    "read-ssh-key", "read-dotenv", "tcp-socket", "unix-stream", "kill-victim", "write-notebook-files", "metadata-by-path",
    "no-new-privileges", "daemon",
))  # fmt: skip
SCORE = pytest.StashKey[Counter[tuple[str, str]]]()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of them behind one marker: they start some hundred kernels, and what they do is no company for other tests.

    As root the cage is the same, but for who enters it: there only what tells that is tried where slow tests are left out.
    """
    for item in (i for i in items if HERE in i.path.parents):
        item.add_marker("attacks")
        given = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
        attack = given.get("attack")
        if isinstance(attack, Attack) and given.get("user") == ROOT and not (attack.needs_root or attack.id in AS_ROOT):
            item.add_marker("slow")


@pytest.fixture(scope="session")
def arenas() -> Iterator[Callable[[User], Arena]]:
    """A user's arena, made when it is first asked for."""
    made: dict[str, Arena] = {}

    def arena(user: User) -> Arena:
        if user.name not in made:
            made[user.name] = Arena(user).__enter__()
        return made[user.name]

    yield arena
    for one in made.values():
        one.__exit__()


@pytest.fixture(scope="session", params=[ORDINARY, ROOT], ids=lambda user: user.name)
def user(request: pytest.FixtureRequest) -> User:
    """Somebody who can run the sandbox here."""
    who: User = request.param
    if reason := why_not(who):
        pytest.skip(reason)
    return who


@pytest.fixture(scope="session")
def score(request: pytest.FixtureRequest) -> Counter[tuple[str, str]]:
    """Counts, by place and by what happened; printed at the end."""
    return request.config.stash.setdefault(SCORE, Counter())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say how many attacks ran, and how many got through."""
    score = config.stash.get(SCORE, Counter())
    for place in sorted({place for place, _ in score}):
        counts = ", ".join(f"{n} {what}" for (where, what), n in sorted(score.items()) if where == place)
        terminalreporter.write_line(f"attacks, {place}: {counts}")
