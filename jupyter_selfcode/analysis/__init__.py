"""WHAT CODE SAYS: pure reading of source. Nothing here runs the code, and only Python is imported."""
