"""Columns that tell of people are masked in samples, ordinary ones are not."""

from __future__ import annotations

import pytest

from jupyter_selfcode.analysis.personal import MASKED, masked, personal


@pytest.mark.parametrize(
    "column", ["email", "E-Mail", "customer_name", "LastName", "phone number", "birthDate", "IBAN", "api_key", "ip_address", "salary"]
)
def test_columns_about_people_and_secrets_are_told_by_their_names(column: str):
    assert personal(column)


@pytest.mark.parametrize("column", ["amount", "file_name", "productName", "region", "date", "zipped", "shipment", "panel", "x"])
def test_ordinary_columns_are_not(column: str):
    assert not personal(column)


def test_only_the_values_are_masked_and_rows_of_any_length_are_taken():
    assert masked((("email", "n"), ("a@b.c", "1"), ("d",)), ()) == (("email", "n"), (MASKED, "1"), (MASKED,))
    assert masked((("email", "n"), ("a@b.c", "1")), ("n",))[1] == (MASKED, MASKED)
    assert masked(()) == ()
