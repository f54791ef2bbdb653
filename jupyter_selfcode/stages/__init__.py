"""WHAT HAPPENS: a verb a file, none knows another. Their order is in `engine`."""
