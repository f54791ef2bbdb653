"""WHAT IS SWAPPED IN: a folder per protocol, found by entry points, loaded at first use."""
