"""The command line: `jupyter selfcode …`."""
