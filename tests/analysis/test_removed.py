"""What is known of removed APIs, as data."""

from __future__ import annotations

import pytest

from jupyter_selfcode.analysis import modules
from jupyter_selfcode.analysis.removed import Api, here, installed, removed, table


def row(gone: str, library: str = "python") -> Api:
    return Api(library, "a.b", "a.c", gone, "https://example.org")


def test_a_row_counts_from_the_version_it_names():
    version = installed("python")
    assert here(row(version))
    assert here(row("2.7"))
    assert not here(row("99.0"))
    assert not here(row("1.0", "a-library-that-nobody-has"))


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("sklearn.cross_validation", True),
        ("sklearn.cross_validation.train_test_split", True),
        ("collections.Mapping", True),
        ("collections.MappingProxy", False),
        ("urllib2", True),
        ("pandas.DataFrame", False),
        ("seaborn", False),
    ],
)
def test_a_name_is_known_with_all_that_is_below_it(name, found):
    assert (removed(name) is not None) == found


def test_only_what_is_documented_as_equivalent_is_a_warrant():
    for api in table():
        assert bool(api.warrant) == api.same
        assert not api.same or (api.library in api.warrant and api.link in api.warrant)


def test_short_names_are_offered_only_for_modules_that_exist():
    assert modules.import_of("np") == "import numpy as np"
    assert modules.import_of("json") == "import json"
    assert modules.import_of("frame") is None
    assert modules.misspelt("numpyy") == "numpy"
    assert modules.misspelt("toml") is None
