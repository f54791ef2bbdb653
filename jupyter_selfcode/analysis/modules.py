"""Which modules exist here, and the short names that everybody gives them.

The table of short names is small on purpose: a name belongs here only if nearly every notebook that uses it means the
same thing. pyflyby's database of imports was looked at and not taken: it holds thousands of names, most of them one
site's own, and brings black and prompt_toolkit with it.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib import util

from . import near

SHORT_NAMES: dict[str, str] = {
    "np": "import numpy as np",
    "pd": "import pandas as pd",
    "pl": "import polars as pl",
    "plt": "import matplotlib.pyplot as plt",
    "mpl": "import matplotlib as mpl",
    "sns": "import seaborn as sns",
    "px": "import plotly.express as px",
    "go": "import plotly.graph_objects as go",
    "sm": "import statsmodels.api as sm",
    "smf": "import statsmodels.formula.api as smf",
    "sp": "import scipy as sp",
    "nx": "import networkx as nx",
    "tf": "import tensorflow as tf",
    "xr": "import xarray as xr",
    "gpd": "import geopandas as gpd",
    "alt": "import altair as alt",
    "pa": "import pyarrow as pa",
    "pq": "import pyarrow.parquet as pq",
    "da": "import dask.array as da",
    "dd": "import dask.dataframe as dd",
    "jnp": "import jax.numpy as jnp",
    "xgb": "import xgboost as xgb",
    "lgb": "import lightgbm as lgb",
    "cv2": "import cv2",
    "torch": "import torch",
    "numpy": "import numpy",
    "pandas": "import pandas",
    "scipy": "import scipy",
    "sklearn": "import sklearn",
    "matplotlib": "import matplotlib",
    "requests": "import requests",
    "tqdm": "from tqdm.auto import tqdm",
    "ET": "import xml.etree.ElementTree as ET",
    "Path": "from pathlib import Path",
    "Counter": "from collections import Counter",
    "defaultdict": "from collections import defaultdict",
    "OrderedDict": "from collections import OrderedDict",
    "namedtuple": "from collections import namedtuple",
    "deque": "from collections import deque",
    "partial": "from functools import partial",
    "lru_cache": "from functools import lru_cache",
    "dataclass": "from dataclasses import dataclass",
    "timedelta": "from datetime import timedelta",
    "Decimal": "from decimal import Decimal",
    "Fraction": "from fractions import Fraction",
    "BytesIO": "from io import BytesIO",
    "StringIO": "from io import StringIO",
    "urlopen": "from urllib.request import urlopen",
    "urlparse": "from urllib.parse import urlparse",
    "sqrt": "from math import sqrt",
    "deepcopy": "from copy import deepcopy",
    "Any": "from typing import Any",
    "Optional": "from typing import Optional",
    "DataFrame": "from pandas import DataFrame",
    "train_test_split": "from sklearn.model_selection import train_test_split",
    "cross_val_score": "from sklearn.model_selection import cross_val_score",
    "GridSearchCV": "from sklearn.model_selection import GridSearchCV",
    "StandardScaler": "from sklearn.preprocessing import StandardScaler",
    "LinearRegression": "from sklearn.linear_model import LinearRegression",
    "LogisticRegression": "from sklearn.linear_model import LogisticRegression",
    "RandomForestClassifier": "from sklearn.ensemble import RandomForestClassifier",
    "RandomForestRegressor": "from sklearn.ensemble import RandomForestRegressor",
    "KMeans": "from sklearn.cluster import KMeans",
    "PCA": "from sklearn.decomposition import PCA",
    "Pipeline": "from sklearn.pipeline import Pipeline",
    "make_pipeline": "from sklearn.pipeline import make_pipeline",
    "accuracy_score": "from sklearn.metrics import accuracy_score",
    "mean_squared_error": "from sklearn.metrics import mean_squared_error",
    "confusion_matrix": "from sklearn.metrics import confusion_matrix",
    "classification_report": "from sklearn.metrics import classification_report",
}

SAME_NAMED = frozenset({"datetime", "time", "glob", "copy", "pprint"})
"""Modules of Python whose best known member has the same name: what is meant shows in how the name is used."""

_LIBRARIES = frozenset({
    "numpy", "pandas", "polars", "matplotlib", "seaborn", "sklearn", "scipy", "statsmodels", "plotly", "requests",
    "tensorflow", "torch", "xgboost", "lightgbm", "networkx", "xarray", "altair", "pyarrow", "sympy", "bokeh", "joblib",
    "tqdm", "sqlalchemy", "keras", "transformers",
})  # fmt: skip

WELL_KNOWN = _LIBRARIES | {m for m in sys.stdlib_module_names if len(m) >= 5 and not m.startswith("_")}
"""Modules whose misspelling is taken for one. For any other name, near names are other packages (`toml`, `tomli`)."""


@cache
def importable(module: str) -> bool:
    """Whether a top-level module is found here. Nothing is imported."""
    try:
        return module in sys.builtin_module_names or util.find_spec(module) is not None
    except (ImportError, ValueError, AttributeError):
        return False


def import_of(name: str) -> str | None:
    """The import statement that nearly everybody means by an undefined name, if the module exists here."""
    statement = SHORT_NAMES.get(name)
    if statement is None and name in sys.stdlib_module_names and not name.startswith("_"):
        statement = f"import {name}"
    return statement if statement and importable(statement.split()[1].partition(".")[0]) else None


@cache
def misspelt(module: str) -> str | None:
    """The well-known module, installed here, that a name which is not found may be a misspelling of."""
    return near.nearest(module, [m for m in WELL_KNOWN if importable(m)])
