"""What is easily mistaken for what: the tables of `mutants`."""

from __future__ import annotations

from collections.abc import Mapping

COMPARE: Mapping[str, str] = {
    "Lt": "<=", "LtE": "<", "Gt": ">=", "GtE": ">", "Eq": "!=", "NotEq": "==",
    "In": "not in", "NotIn": "in", "Is": "is not", "IsNot": "is",
}  # fmt: skip
ARITHMETIC: Mapping[str, str] = {
    "Add": "-", "Sub": "+", "Mult": "/", "Div": "*", "FloorDiv": "/", "Mod": "*", "Pow": "*",
    "BitAnd": "|", "BitOr": "&",
}  # fmt: skip
SIGNS: Mapping[str, str] = {
    "Add": "+", "Sub": "-", "Mult": "*", "Div": "/", "FloorDiv": "//", "Mod": "%", "Pow": "**", "BitAnd": "&", "BitOr": "|",
    "Lt": "<", "LtE": "<=", "Gt": ">", "GtE": ">=", "Eq": "==", "NotEq": "!=", "In": "in", "NotIn": "not in", "Is": "is",
    "IsNot": "is not", "And": "and", "Or": "or",
}  # fmt: skip
AGGREGATES: Mapping[str, str] = {
    "sum": "mean", "mean": "median", "median": "mean", "min": "max", "max": "min", "count": "nunique", "size": "count",
    "nunique": "count", "std": "var", "var": "std", "first": "last", "last": "first", "head": "tail", "tail": "head",
    "nlargest": "nsmallest", "nsmallest": "nlargest", "idxmax": "idxmin", "idxmin": "idxmax", "cumsum": "cummax",
    "ffill": "bfill", "bfill": "ffill", "any": "all", "all": "any", "floor": "ceil", "ceil": "floor", "diff": "pct_change",
    "argmax": "argmin", "argmin": "argmax", "nansum": "nanmean", "nanmean": "nansum", "prod": "sum",
}  # fmt: skip
"""Methods and functions by which others are easily mistaken."""

BY_NAME = frozenset(("agg", "aggregate", "transform", "apply", "pivot_table", "crosstab", "resample"))
"""Calls that take the name of an aggregate as text."""

BY_COLUMN = frozenset((
    "groupby", "sort_values", "set_index", "merge", "join", "pivot", "pivot_table", "drop_duplicates", "nlargest", "nsmallest", "melt",
    "explode", "value_counts", "agg", "aggregate",
))  # fmt: skip
"""Calls that take names of columns as text."""

COLUMNS = 2
"""Other columns that are put in place of one."""

STEPS = frozenset((
    "dropna", "fillna", "drop_duplicates", "sort_values", "sort_index", "abs", "round", "strip", "lower", "upper", "clip",
    "shift", "ffill", "bfill", "reset_index", "query", "normalize", "interpolate",
))  # fmt: skip
"""Methods that are easily left out of a chain, what stands before them being of the same kind."""

WORDS: Mapping[str, Mapping[str, str]] = {
    "how": {"left": "inner", "inner": "left", "right": "inner", "outer": "inner", "any": "all", "all": "any"},
    "inclusive": {"both": "left", "left": "both", "right": "both", "neither": "both"},
    "keep": {"first": "last", "last": "first"},
    "method": {"ffill": "bfill", "bfill": "ffill", "pearson": "spearman"},
    "side": {"left": "right", "right": "left"},
    "closed": {"left": "right", "right": "left"},
    "aggfunc": AGGREGATES,
    "func": AGGREGATES,
}
"""Values of keywords, and what is put in their place."""

KINDS: Mapping[str, str] = {
    "how": "join", "inclusive": "boundary", "side": "boundary", "closed": "boundary", "keep": "aggregate",
    "method": "aggregate", "aggfunc": "aggregate", "func": "aggregate", "ascending": "order", "axis": "axis",
}  # fmt: skip
