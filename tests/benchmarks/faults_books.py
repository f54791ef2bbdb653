"""Real notebooks that faults are seeded into: which of their code cells are taken, and what they need to run today.

The notebooks are not copied here: they are read from clones of the two public repositories that hold them
(jakevdp/PythonDataScienceHandbook and wesm/pydata-book), whose folders are given to the benchmark. Cells that need the
network or a library that is not among the test requirements are left out; what newer libraries refuse is mended, so that a
book without a fault runs from the top to its end. `probes` are expressions that say what the whole analysis has found: what
a hidden check compares with the same expressions in the mended notebook.
"""

from __future__ import annotations

from dataclasses import dataclass, field

Edit = tuple[int, str, str]
"""In the code cell of this number (of the original notebook), this text, replaced by that."""

STYLE = ("seaborn-whitegrid", "seaborn-v0_8-whitegrid")


@dataclass(frozen=True)
class Book:
    """A notebook of a public repository, as far as it is used."""

    repository: str
    path: str
    cells: tuple[int, ...]
    probes: tuple[str, ...]
    edits: tuple[Edit, ...] = ()
    files: dict[str, str] = field(default_factory=dict)
    """Files beside the notebook: where they go, and where in the repository they come from (a folder ends with /)."""
    first: str = ""
    """A cell before the others: imports of cells that were left out."""


HANDBOOK, BOOK = "PythonDataScienceHandbook", "pydata-book"

BOOKS: dict[str, Book] = {
    "states": Book(
        HANDBOOK, "notebooks/03.07-Merge-and-Join.ipynb", (0, *range(20, 34)),
        ("density.sort_index()", "sorted(final['state'].unique())", "len(final)"),
        (
            (31, "data2010.set_index('state', inplace=True)", "data2010 = data2010.set_index('state')"),
        ),
        {f"data/state-{n}.csv": f"notebooks/data/state-{n}.csv" for n in ("population", "areas", "abbrevs")},
    ),
    "births": Book(
        HANDBOOK, "notebooks/03.09-Pivot-Tables.ipynb", tuple(range(10, 22)),
        (
            "births_by_date['births'].to_numpy()",
            "births.groupby('decade')['births'].sum()",
            "births.groupby('dayofweek')['births'].mean()",
        ),
        ((13, *STYLE), (19, "births.pivot_table('births', \n", "births.pivot_table('births',\n")),
        {"data/births.csv": "notebooks/data/births.csv"},
        "import numpy as np\nimport pandas as pd",
    ),
    "heights": Book(
        HANDBOOK, "notebooks/02.04-Computation-on-arrays-aggregates.ipynb", tuple(range(13, 18)),
        ("sorted(float(h) for h in heights)", "float(np.percentile(heights, 75))", "float(heights.mean())"),
        ((16, *STYLE),),
        {"data/president_heights.csv": "notebooks/data/president_heights.csv"},
        "import numpy as np",
    ),
    "iris": Book(
        HANDBOOK, "notebooks/05.03-Hyperparameters-and-Model-Validation.ipynb", tuple(range(9)),
        ("accuracy_score(y2, y2_model)", "accuracy_score(y1, y1_model)", "scores.mean()"),
    ),
    "curves": Book(
        HANDBOOK, "notebooks/05.03-Hyperparameters-and-Model-Validation.ipynb", (9, 10, 11, 12, 14, 15),
        ("np.median(val_score, 1)", "np.median(train_score2, 1)"),
        ((11, *STYLE),),
    ),
    "regression": Book(
        HANDBOOK, "notebooks/05.06-Linear-Regression.ipynb", tuple(range(9)),
        ("yfit", "float(y.sum())", "model.coef_", "model.intercept_"),
        ((0, *STYLE),),
    ),
    "digits": Book(
        HANDBOOK, "notebooks/05.09-Principal-Component-Analysis.ipynb", tuple(range(16)),
        ("np.abs(projected).sum(axis=0)", "pca.n_components_", "X_pca.shape"),
        ((0, *STYLE), (10, "plt.cm.get_cmap('rainbow', 10)", "plt.get_cmap('rainbow', 10)")),
    ),
    "clusters": Book(
        HANDBOOK, "notebooks/05.11-K-Means.ipynb", (0, 1, 2, 4, 5, 6, 10, 11, 13, 14),
        ("accuracy_score(digits.target, labels)", "kmeans.cluster_centers_.shape", "centers[np.argsort(centers[:, 0])]"),
        ((0, *STYLE),),
    ),
    "missing": Book(
        HANDBOOK, "notebooks/03.04-Missing-Values.ipynb", (0, *range(14, 30)),
        ("df", "data", "df.dropna(axis='rows', thresh=3)", "kept", "filled"),
        (
            (23, "df.dropna(axis='rows', thresh=3)", "kept = df.dropna(axis='rows', thresh=3)\nkept"),
            (26, "data.fillna(method='ffill')", "filled = data.ffill()\nfilled"),
            (27, "data.fillna(method='bfill')", "data.bfill()"),
            (29, "df.fillna(method='ffill', axis=1)", "df.ffill(axis=1)"),
        ),
    ),
    "levels": Book(
        HANDBOOK, "notebooks/03.05-Hierarchical-Indexing.ipynb", (0, 1, 4, 5, 6, 7, 8, 9, 10, 17, 20, 23, 25, 37, 38, 40),
        ("pop_flat", "f_u18", "by_year"),
        ((38, "pop.unstack(level=1)", "by_year = pop.unstack(level=1)\nby_year"),),
    ),
    "links": Book(
        BOOK, "ch13.ipynb", (0, 1, 2, *range(4, 14), 14, 18, 19, 20, 21, 22, 23, 24, 25),
        ("tz_counts.head(12)", "sorted(time_zones)[-5:]", "len(time_zones)", "agg_counts.sum().to_dict()", "results.value_counts().head(5)"),
        (),
        {"datasets/bitly_usagov/example.txt": "datasets/bitly_usagov/example.txt"},
    ),
    "names": Book(
        BOOK, "ch13.ipynb", (0, 51, 53, 54, 56, 57, 58, 60, 61, 62, 64, 65, 66, 67, 68, 71, 72, 73, 80, 81, 82),
        (
            "names['births'].sum()", "diversity.tail(3)", "table.tail(3)", "len(top1000)",
            "total_births['John'].sum()", "letter_prop['M'].loc['n'].tail(1)",
        ),
        (
            (51, "range(1880, 2011)", "range(1900, 1931)"),
            (54, 'names = names.groupby(["year", "sex"], group_keys=False).apply(add_prop)',
             'names["prop"] = names["births"] / names.groupby(["year", "sex"])["births"].transform("sum")'),
            (53, "aggfunc=sum", 'aggfunc="sum"'), (61, "aggfunc=sum", 'aggfunc="sum"'), (64, "aggfunc=sum", 'aggfunc="sum"'),
            (71, "aggfunc=sum", 'aggfunc="sum"'),
            (57, "top1000 = grouped.apply(get_top1000)", "top1000 = pd.concat([get_top1000(group) for _, group in grouped])"),
            (65, "2010", "1930"), (72, "[1910, 1960, 2010]", "[1910, 1920, 1930]"),
        ),
        {"datasets/babynames/": "datasets/babynames/"},
    ),
    "groups": Book(
        BOOK, "ch10.ipynb", (0, 2, 3, 4, 5, 6, 9, 14, 17, 19, 20, 23, 28, 50, 51, 52, 53, 60, 61, 69, 70, 75, 76, 77, 83, 85),
        ("means", "normalized", "data['Handedness'].value_counts()", "filled", "spread['data1']", "wavg"),
        (
            (53, "data.groupby(group_key).apply(fill_mean)", "filled = data.groupby(group_key).transform(fill_mean)\nfilled"),
            (28, "grouped.agg(peak_to_peak)", 'grouped = df.groupby("key1")[["data1", "data2"]]\nspread = grouped.agg(peak_to_peak)\nspread'),
            (61, "grouped.apply(get_wavg)", 'wavg = grouped[["data", "weights"]].apply(get_wavg)\nwavg'),
        ),
    ),
}  # fmt: skip
