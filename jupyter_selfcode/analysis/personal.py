"""Rows of a table that may be sent as a sample: columns about people, and secrets, are masked.

A deny list of column names is a courtesy and no promise: a name may hide in a column called `notes`, so rows are sent only
where a person has chosen the level that sends them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from .key_files import looks_secret

MASKED = "▒▒▒"

_PERSONAL = frozenset(
    ["name", "names", "firstname", "lastname", "surname", "forename", "fullname", "nickname", "username", "user", "login", "email", "mail", "phone", "tel", "telephone", "mobile", "fax", "address", "street", "zip", "zipcode", "postal", "postcode", "postalcode", "birth", "birthday", "birthdate", "dob", "ssn", "nin", "iban", "bic", "account", "card", "pan", "cvv", "passport", "licence", "license", "ip", "ipaddress", "mac", "lat", "latitude", "lon", "lng", "longitude", "gender", "sex", "religion", "ethnicity", "nationality", "diagnosis", "patient", "salary", "income", "signature"]
)
_NEUTRAL = frozenset(["file", "column", "product", "item", "model", "country", "city", "region", "category", "event", "brand", "variable", "feature"])
"""`file_name` and `product_name` are no names of people."""


def personal(column: str) -> bool:
    """Whether a column of this name is likely to tell of a person, or to hold a secret."""
    words = [w.lower() for w in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+", column)]
    if looks_secret(column):
        return True
    found = set(words) & _PERSONAL
    return bool(found) and not (found <= {"name", "names"} and _NEUTRAL & set(words))


def masked(rows: Sequence[Sequence[str]], also: Collection[str] = ()) -> tuple[tuple[str, ...], ...]:
    """Column names and rows, without the values of personal columns and of those named in `also`."""
    if not rows:
        return ()
    names, *values = rows
    hidden = {i for i, name in enumerate(names) if personal(name) or name in also}
    return (tuple(names), *(tuple(MASKED if i in hidden else v for i, v in enumerate(row)) for row in values))
