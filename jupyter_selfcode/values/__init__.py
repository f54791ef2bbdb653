"""WHAT FLOWS: frozen dataclasses and pure functions. Only Python is imported here."""
