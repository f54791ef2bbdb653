"""Rules: free, offline, the same every time. `RulesProposer` is what the entry point names."""

from .proposer import RulesProposer

__all__ = ["RulesProposer"]
