"""What a sandbox that copies kernels has from the one that makes fresh ones, and a fresh kernel in the place of a copy."""

from __future__ import annotations

from typing import Any

from ...protocols import Kernel, Sandbox
from ...values.trial import Served, Tier


class Around:
    """A sandbox that copies kernels, in the cage of the one that makes fresh ones."""

    __slots__ = ()
    fresh: Sandbox

    @property
    def name(self) -> str:
        """That of the cage."""
        return self.fresh.name

    @property
    def tier(self) -> Tier | None:
        """That of the cage."""
        return self.fresh.tier

    @property
    def promise(self) -> str:
        """That of the cage."""
        return self.fresh.promise


def fresh_because(kernel: Kernel, reason: str) -> Kernel:
    """A fresh kernel, which says why it is no copy."""
    return _Fresh(kernel, reason)


class _Fresh:
    """A fresh kernel, and why it is no copy."""

    def __init__(self, kernel: Kernel, reason: str) -> None:
        self._kernel, self.served = kernel, Served("fresh", reason)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kernel, name)
