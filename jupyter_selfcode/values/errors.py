"""Errors of our own. Each message says what happened and what to do next, on one line.

A failing candidate is data (a `Trial` with findings), not an exception: these are for what stops the work itself.
`exit_code` is what the command line answers with.
"""

from __future__ import annotations

from .prompt import Cost


class SelfcodeError(Exception):
    """The root: catch this to catch every error that the package raises on purpose."""

    exit_code = 2


class BadInput(SelfcodeError):
    """What the person gave cannot be used: no such file, not a notebook, an unknown word, an unknown version."""


class PatchError(SelfcodeError):
    """A patch names a cell that is not there, or would make two cells with one id."""


class StalePatch(PatchError):
    """The notebook is no longer the one that the patch was made for; nothing was changed."""


class Locked(SelfcodeError):
    """A cell marked `editable: false` or `deletable: false` would be changed or deleted."""


class StoreError(SelfcodeError):
    """The history cannot be read or written: locked, corrupt, or from a newer version of this package."""


class DeployError(SelfcodeError):
    """A surface could not take the new notebook; every surface holds the old one again."""


class ModelError(SelfcodeError):
    """The model could not be reached or answered with an error. `transient` says whether trying again may help.

    `retry_after` is what the provider asked to wait, in seconds; `cost` is what the call cost although it failed (half a
    stream is paid for).
    """

    exit_code = 21

    def __init__(
        self, message: str, *, transient: bool = False, retry_after: float | None = None, cost: Cost | None = None
    ) -> None:
        super().__init__(message)
        self.transient = transient
        self.retry_after = retry_after
        self.cost = cost or Cost()


class BudgetSpent(SelfcodeError):
    """The next call would pass a limit of the budget, so it was not made. `limit` names the limit."""

    exit_code = 30

    def __init__(self, message: str, *, limit: str) -> None:
        super().__init__(message)
        self.limit = limit


class FormatError(SelfcodeError):
    """A model's answer does not hold edits in the agreed form. The message is fed back to the model."""


class Declined(SelfcodeError):
    """The model says that the request cannot be met within the rules; the message is its reason."""

    exit_code = 20


class KernelUnavailable(SelfcodeError):
    """The notebook's kernel is not installed here, is not Python, or would not start."""

    exit_code = 21
