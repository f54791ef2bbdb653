"""Sixty and more faults, seeded into the real notebooks of `faults_books.py`, each with a hidden check.

A fault changes the files beside the notebook (`files`: a function from the bytes that were there to those that are now) or
its cells (`cells`: edits; `moved`: a cell that comes after another now; `dropped`). A `promise` stands in a cell before the
fault comes, as its author would have written it, and is all that the engine is told of what is right. The hidden check
compares the book's probes, and those of the fault, with what the notebook gave before the fault, by value; `expect` is

    fixed      a right change exists; deployed unasked it must give those values
    unchanged  nothing is wrong: a change that is deployed is a wrong one
    refused    no change of code is right (a file is gone)
"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd
from faults_books import Edit

Change = Callable[[bytes], bytes]
Expect = Literal["fixed", "unchanged", "refused"]


@dataclass(frozen=True)
class Fault:
    """One fault: what breaks, in which book, and what the engine may know."""

    name: str
    kind: str
    book: str
    files: dict[str, Change | None] = field(default_factory=dict)
    """None: the file is gone."""
    cells: tuple[Edit, ...] = ()
    moved: tuple[int, int] | None = None
    dropped: tuple[int, ...] = ()
    promises: tuple[tuple[int, str], ...] = ()
    """Doctest lines at the top of a cell, by its number."""
    words: str = ""
    """What a person asks for; else the notebook is run, and must heal."""
    probes: tuple[str, ...] = ()
    expect: Expect = "fixed"


def table(change: Callable[[pd.DataFrame], pd.DataFrame], read: dict[str, object] | None = None, **write: object) -> Change:
    """A change of a CSV file as a table; every value stays as it was written."""

    def changed(content: bytes) -> bytes:
        frame = change(pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False, **(read or {})))
        return frame.to_csv(**({"index": False, "lineterminator": "\n"} | write)).encode()

    return changed


def renamed(**names: str) -> Change:
    """Columns get other names; `_` in a keyword stands for what a keyword cannot hold, see WRITTEN."""
    return table(lambda f: f.rename(columns={WRITTEN.get(a, a): b for a, b in names.items()}))


WRITTEN = {"state_region": "state/region", "area_mi": "area (sq. mi)", "height": "height(cm)"}


def text(change: Callable[[str], str], encoding: str = "utf-8") -> Change:
    """A change of a file as text, written in an encoding."""
    return lambda content: change(content.decode("utf-8")).encode(encoding)


def column(name: str, change: Callable[[str], str], to: str = "") -> Change:
    """Every value of a column changed, and its name where one is given."""

    def changed(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(**{name: frame[name].map(change)}).rename(columns={name: to or name})

    return table(changed)


def times(factor: float) -> Callable[[str], str]:
    """A number in another unit, as exactly as a float is written."""
    return lambda value: repr(float(value) * factor) if value not in ("", "null", "NaN") else value


def with_commas(value: str) -> str:
    """A whole number with separators of thousands."""
    return f"{int(value):,}" if value.isdigit() else value


POPULATION, AREAS, ABBREVIATIONS = (f"data/state-{n}.csv" for n in ("population", "areas", "abbrevs"))
BIRTHS, HEIGHTS, LINKS = "data/births.csv", "data/president_heights.csv", "datasets/bitly_usagov/example.txt"
NAMES = "datasets/babynames/"
MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"]
DENSEST = ">>> 8800 < float(density.max()) < 9000\nTrue\n>>> len(density)\n52"
BY_DATE = ">>> 4000 < float(births_by_date['births'].mean()) < 6000\nTrue"
TALL = ">>> 175 < float(heights.mean()) < 185\nTrue"


def _clients(content: bytes) -> list[dict[str, object]]:
    return [json.loads(line) for line in content.decode().split("\n") if line.strip()]


def _zones(content: bytes) -> bytes:
    """The key of the time zone has another name."""
    return "".join(json.dumps({("timezone" if k == "tz" else k): v for k, v in r.items()}) + "\n" for r in _clients(content)).encode()


FAULTS: tuple[Fault, ...] = (
    # names of columns
    Fault("state_region renamed", "renamed column", "states", {POPULATION: renamed(state_region="state_region")}, promises=((31, DENSEST),)),
    Fault("area renamed", "renamed column", "states", {AREAS: renamed(area_mi="area_sq_mi")}, promises=((31, DENSEST),)),
    Fault("abbreviation renamed", "renamed column", "states", {ABBREVIATIONS: renamed(abbreviation="abbrev")}, promises=((31, DENSEST),)),
    Fault("abbreviation renamed, no promise", "renamed column", "states", {ABBREVIATIONS: renamed(abbreviation="abbrev")}),
    Fault("capital letters", "renamed column", "states", {AREAS: table(lambda f: f.rename(columns=str.title))}, promises=((31, DENSEST),)),
    Fault("a space after a name", "renamed column", "states", {AREAS: renamed(area_mi="area (sq. mi) ")}, promises=((31, DENSEST),)),
    Fault("gender became sex", "renamed column", "births", {BIRTHS: renamed(gender="sex")}, promises=((19, BY_DATE),)),
    Fault("births became n_births", "renamed column", "births", {BIRTHS: renamed(births="n_births")}, promises=((19, BY_DATE),)),
    Fault("a space in height (cm)", "renamed column", "heights", {HEIGHTS: renamed(height="height (cm)")}, promises=((13, TALL),)),
    Fault("height_cm", "renamed column", "heights", {HEIGHTS: renamed(height="height_cm")}, promises=((13, TALL),)),
    Fault("tz became timezone", "renamed column", "links", {LINKS: _zones},
          promises=((13, ">>> int(tz_counts['America/New_York'])\n1251"),)),
    Fault("tz became timezone, no promise", "renamed column", "links", {LINKS: _zones}),
    # order of columns
    Fault("columns of a file in another order", "reordered columns", "states",
          {POPULATION: table(lambda f: f[["year", "population", "ages", "state/region"]])}, expect="unchanged"),
    Fault("columns of births in another order", "reordered columns", "births",
          {BIRTHS: table(lambda f: f[["births", "gender", "day", "month", "year"]])}, expect="unchanged"),
    Fault("name and sex swapped where no header tells", "reordered columns", "names",
          {NAMES: text(lambda t: "".join("{1},{0},{2}\n".format(*line.split(",")) for line in t.splitlines()))},
          promises=((51, ">>> sorted(names['sex'].unique())\n['F', 'M']"),)),
    # units
    Fault("areas in square kilometres", "unit drift", "states",
          {AREAS: column("area (sq. mi)", times(2.589988110336), "area (sq. km)")}, promises=((31, DENSEST),)),
    Fault("areas in square kilometres, no promise", "unit drift", "states",
          {AREAS: column("area (sq. mi)", times(2.589988110336), "area (sq. km)")}),
    Fault("heights in metres", "unit drift", "heights", {HEIGHTS: column("height(cm)", times(0.01), "height(m)")}, promises=((13, TALL),)),
    Fault("heights in metres under the old name", "unit drift", "heights", {HEIGHTS: column("height(cm)", times(0.01))}, promises=((13, TALL),)),
    Fault("heights in inches, no promise", "unit drift", "heights", {HEIGHTS: column("height(cm)", times(1 / 2.54), "height(in)")}),
    Fault("births in thousands", "unit drift", "births", {BIRTHS: column("births", times(0.001))}, promises=((19, BY_DATE),)),
    Fault("population in thousands, by its name", "unit drift", "states",
          {POPULATION: column("population", times(0.001), "population (thousands)")}, promises=((31, DENSEST),)),
    # dtypes and spelling of values
    Fault("population with separators of thousands", "dtype drift", "states",
          {POPULATION: column("population", with_commas)}, promises=((31, DENSEST),)),
    Fault("areas with separators of thousands", "dtype drift", "states",
          {AREAS: column("area (sq. mi)", with_commas)}, promises=((31, DENSEST),)),
    Fault("totals spelled in capitals", "dtype drift", "states", {POPULATION: column("ages", str.upper)}, promises=((31, DENSEST),)),
    Fault("years as Y2010", "dtype drift", "states", {POPULATION: column("year", "Y{}".format)}, promises=((31, DENSEST),)),
    Fault("months by name", "dtype drift", "births", {BIRTHS: column("month", lambda v: MONTHS[int(v) - 1])}, promises=((19, BY_DATE),)),
    Fault("years of two digits", "dtype drift", "births", {BIRTHS: column("year", lambda v: v[-2:])},
          promises=((17, ">>> int(births.index.year.min()), int(births.index.year.max())\n(1969, 1988)"),)),
    Fault("heights with a unit", "dtype drift", "heights", {HEIGHTS: column("height(cm)", "{} cm".format)}, promises=((13, TALL),)),
    Fault("heights with a decimal comma", "dtype drift", "heights",
          {HEIGHTS: text(lambda t: "".join((line[::-1].replace(",", ";", 2)[::-1].replace(",", ";") + (",0" if i else "")) + "\n"
                                           for i, line in enumerate(t.splitlines())))}, promises=((13, TALL),)),
    # separators and encodings
    Fault("semicolons", "separator", "states", {POPULATION: table(lambda f: f, sep=";")}, promises=((31, DENSEST),)),
    Fault("tabs", "separator", "births", {BIRTHS: table(lambda f: f, sep="\t")}, promises=((19, BY_DATE),)),
    Fault("a bar, no promise", "separator", "states", {AREAS: table(lambda f: f, sep="|")}),
    Fault("UTF-16", "encoding", "states", {ABBREVIATIONS: text(str, "utf-16")}, promises=((31, DENSEST),)),
    Fault("Latin-1", "encoding", "heights", {HEIGHTS: text(lambda t: t.replace("John Adams", "Jöhn Adams"), "latin-1")}, promises=((13, TALL),)),
    Fault("a line of comment first", "header", "births", {BIRTHS: text(lambda t: "# exported from the registry\n" + t)}, promises=((19, BY_DATE),)),
    Fault("a header where none was", "header", "names", {NAMES: text(lambda t: "name,sex,births\n" + t)},
          promises=((51, ">>> str(names['births'].dtype)\n'int64'"),)),
    Fault("one array instead of lines", "format", "links", {LINKS: lambda c: json.dumps(_clients(c)).encode()},
          promises=((13, ">>> int(tz_counts['America/New_York'])\n1251"),)),
    Fault("an empty line at the end", "format", "links", {LINKS: lambda c: c.rstrip(b"\n") + b"\n\n"},
          promises=((13, ">>> int(tz_counts['America/New_York'])\n1251"),)),
    Fault("compressed under the old name", "format", "links", {LINKS: lambda c: gzip.compress(c, mtime=0)},
          promises=((13, ">>> int(tz_counts['America/New_York'])\n1251"),)),
    # rows
    Fault("every area twice", "duplicates", "states", {AREAS: table(lambda f: pd.concat([f, f]))}, promises=((31, DENSEST),)),
    Fault("a height that is not known", "missing values", "heights", {HEIGHTS: lambda c: c + b"45,Unknown,\n"}, promises=((13, TALL),)),
    Fault("days that say unknown", "missing values", "births", {BIRTHS: text(lambda t: t.replace(",null,", ",unknown,").replace(",,", ",unknown,"))},
          promises=((19, BY_DATE),), expect="unchanged"),
    Fault("a year is not there", "file gone", "names", {f"{NAMES}yob1914.txt": None}, expect="refused"),
    Fault("the data is not there", "file gone", "heights", {HEIGHTS: None}, expect="refused"),
    # removed from libraries
    Fault("a style that was renamed", "removed API", "births", cells=((13, "seaborn-v0_8-whitegrid", "seaborn-whitegrid"),), promises=((19, BY_DATE),)),
    Fault("get_cmap of cm", "removed API", "digits", cells=((10, "plt.get_cmap('rainbow', 10)", "plt.cm.get_cmap('rainbow', 10)"),)),
    Fault("fillna with a method", "removed API", "missing", cells=((26, "data.ffill()", "data.fillna(method='ffill')"),),
          promises=((26, ">>> filled.tolist()\n[1, 1, 2, 2, 3]"),)),
    Fault("append to a frame", "removed API", "names",
          cells=((51, "    pieces.append(frame)\n\n# Concatenate everything into a single DataFrame\nnames = pd.concat(pieces, ignore_index=True)",
                  "    names = names.append(frame, ignore_index=True)"), (51, "pieces = []", "names = pd.DataFrame()")),
          promises=((51, ">>> sorted(names['sex'].unique())\n['F', 'M']"),)),
    Fault("value_counts of pandas", "removed API", "links", cells=((13, 'frame["tz"].value_counts()', 'pd.value_counts(frame["tz"])'),),
          promises=((13, ">>> int(tz_counts['America/New_York'])\n1251"),)),
    Fault("normalize of a regression", "removed API", "regression", cells=((2, "fit_intercept=True", "fit_intercept=True, normalize=False"),)),
    Fault("mode of an older scipy", "removed API", "clusters", cells=((13, "mode(digits.target[mask])[0]", "mode(digits.target[mask])[0][0]"),),
          promises=((14, ">>> accuracy_score(digits.target, labels) > 0.7\nTrue"),)),
    Fault("apply that drops its keys", "removed API", "names",
          cells=((54, 'names["prop"] = names["births"] / names.groupby(["year", "sex"])["births"].transform("sum")',
                  'names = names.groupby(["year", "sex"], group_keys=False).apply(add_prop)'),),
          promises=((54, ">>> bool(abs(names.groupby(['year', 'sex'])['prop'].sum() - 1).max() < 1e-9)\nTrue"),)),
    Fault("np.float", "removed API", "digits", cells=((11, "pca = PCA().fit(digits.data)", "pca = PCA().fit(digits.data.astype(np.float))"),)),
    # cells in another order, names that went
    Fault("the rows are named before they are made", "out of order", "states", moved=(25, 26), promises=((31, DENSEST),)),
    Fault("the decade comes too late", "out of order", "births", moved=(12, 18), promises=((19, BY_DATE),)),
    Fault("a table is read too late", "out of order", "names", moved=(54, 64)),
    Fault("a name was changed in one cell only", "stale name", "regression", cells=((2, "xfit = np.linspace", "x_fit = np.linspace"),)),
    Fault("the cell of imports is gone", "stale name", "heights", dropped=(-1,), promises=((13, TALL),)),
    Fault("a function was renamed where it is made", "stale name", "curves", cells=((9, "def PolynomialRegression", "def PolyRegression"),)),
    # wrong code, told by a promise or by words
    Fault("an inner join", "wrong join", "states", cells=((21, "how='outer'", "how='inner'"),),
          promises=((21, ">>> sorted(set(pop['state/region']) - set(merged['state/region']))\n[]"),)),
    Fault("a ratio upside down", "wrong formula", "states",
          cells=((31, "data2010['population'] / data2010['area (sq. mi)']", "data2010['area (sq. mi)'] / data2010['population']"),),
          promises=((31, DENSEST),)),
    Fault("another decade", "off by one", "births", cells=((12, "10 * (births['year'] // 10)", "10 * (births['year'] // 10 + 1)"),),
          promises=((12, ">>> sorted(int(d) for d in births['decade'].unique())\n[1960, 1970, 1980, 1990, 2000]"),)),
    Fault("one too few of the top", "off by one", "links", cells=((8, "value_key_pairs[-n:]", "value_key_pairs[-n:-1]"),),
          promises=((9, ">>> len(top_counts(counts))\n10"),), probes=("top_counts(get_counts(time_zones))",)),
    Fault("one name too few", "off by one", "names", cells=((68, "searchsorted(q) + 1", "searchsorted(q)"),),
          promises=((68, ">>> int(diversity.loc[1900, 'M'])\n25"),)),
    Fault("the wrong axis", "wrong axis", "links", cells=((25, 'sum(axis="columns").nlargest(10)', 'sum(axis="index").nlargest(10)'),
                                                          (23, 'agg_counts.sum("columns").argsort()', 'agg_counts.sum("index").argsort()')),
          promises=((24, ">>> len(count_subset)\n10"),), probes=("count_subset",)),
    Fault("rows dropped instead of columns", "wrong axis", "missing", cells=((23, "axis='rows', thresh=3", "axis='columns', thresh=3"),),
          promises=((23, ">>> kept.shape\n(1, 4)"),)),
    Fault("the other level", "wrong axis", "levels", cells=((38, "level=1", "level=0"),),
          promises=((38, ">>> sorted(by_year.columns)\n[2010, 2020]"),)),
    Fault("tested on what it was trained on", "leak", "iris", cells=((5, "y2_model = model.fit(X1, y1).predict(X2)", "y2_model = model.fit(X2, y2).predict(X2)"),),
          promises=((5, ">>> round(float(accuracy_score(y2, y2_model)), 4)\n0.9067"),)),
    Fault("tested on what it was trained on, told in words", "leak", "iris",
          cells=((5, "y2_model = model.fit(X1, y1).predict(X2)", "y2_model = model.fit(X2, y2).predict(X2)"),),
          words="In the cell of the two-fold validation each half must be predicted by the model that was fitted on the other half; one of them is not."),
    Fault("too few clusters", "wrong parameter", "clusters", cells=((4, "find_clusters(X, 4)", "find_clusters(X, 3)"), (5, "find_clusters(X, 4, rseed=0)", "find_clusters(X, 3, rseed=0)")),
          promises=((5, ">>> centers.shape\n(4, 2)"),)),
    Fault("a spread the other way round", "wrong formula", "groups", cells=((28, "return arr.max() - arr.min()", "return arr.min() - arr.max()"),),
          promises=((28, ">>> bool((spread >= 0).all().all())\nTrue"),)),
    Fault("not normalised", "wrong formula", "groups",
          cells=((77, "(df['value'] - g.transform('mean')) / g.transform('std')", "df['value'] - g.transform('mean') / g.transform('std')"),),
          promises=((77, ">>> abs(float(normalized.mean())) < 1e-9\nTrue"),)),
    Fault("counts that cost the square", "slow loop", "links",
          cells=((5, "    counts = {}\n    for x in sequence:\n        if x in counts:\n            counts[x] += 1\n        else:\n            counts[x] = 1\n    return counts",
                  "    seen = list(sequence)\n    return {x: seen.count(x) for x in seen}"),),
          words="get_counts counts the whole list again for every element; give the same counts in one pass.",
          probes=("get_counts(time_zones)",)),
)  # fmt: skip
