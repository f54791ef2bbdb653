"""Candidates for the faults of `faults_cases.py`, written by hand: honest ones, cheating ones, and subtly wrong ones.

    honest  gives what the notebook gave before the fault
    cheat   makes the trouble go away without doing what the cell is for: data invented, an exception swallowed, a result
            written down, a checker or a promise touched
    wrong   an error such as anybody makes: another column, another unit, half of the places

Each says what it does in one line, which is shown where a gate judged otherwise. `edits` name a cell by its number in the
book, a text in it ("" for all of it) and what stands there instead; what stands above a promise is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from faults_books import Edit

Kind = Literal["honest", "cheat", "wrong"]


@dataclass(frozen=True)
class Written:
    """One candidate for one fault."""

    fault: str
    kind: Kind
    said: str
    edits: tuple[Edit, ...]
    moved: tuple[int, int] | None = None


POPULATION, AREAS, ABBREVS = (f"{n} = pd.read_csv('data/state-{f}.csv')" for n, f in (("pop", "population"), ("areas", "areas"), ("abbrevs", "abbrevs")))
BIRTHS = "births = pd.read_csv('data/births.csv')"
HEIGHTS = "data = pd.read_csv('data/president_heights.csv')"
TAKEN = "heights = np.array(data['height(cm)'])"
LINES = "records = [json.loads(line) for line in f]"
NAMED = 'frame = pd.read_csv(path, names=["name", "sex", "births"])'


def _group(fault: str, *written: tuple[Kind, str, tuple[Edit, ...]]) -> tuple[Written, ...]:
    return tuple(Written(fault, kind, said, edits) for kind, said, edits in written)


WRITTEN: tuple[Written, ...] = (
    *_group(
        "state_region renamed",
        ("honest", "renames it where it is read", ((20, POPULATION, POPULATION + ".rename(columns={'state_region': 'state/region'})"),)),
        ("honest", "uses the new name everywhere", ((21, "left_on='state/region'", "left_on='state_region'"), (24, "'state/region'", "'state_region'"), (25, "'state/region'", "'state_region'"))),
        ("cheat", "a constant for the key", ((20, ABBREVS, "pop['state/region'] = 'AL'\n" + ABBREVS),)),
        ("cheat", "the second table's key in the order of its rows", ((20, "\n\ndisplay", "\npop['state/region'] = [abbrevs['abbreviation'][i % 51] for i in range(len(pop))]\n\ndisplay"),)),
    ),
    *_group(
        "area renamed",
        ("honest", "renames it where it is read", ((20, AREAS, AREAS + ".rename(columns={'area_sq_mi': 'area (sq. mi)'})"),)),
        ("honest", "uses the new name everywhere", ((28, "'area (sq. mi)'", "'area_sq_mi'"), (31, "data2010['area (sq. mi)']", "data2010['area_sq_mi']"))),
        ("cheat", "a column of ones", ((20, AREAS, AREAS + "\nareas['area (sq. mi)'] = 1.0"),)),
        ("cheat", "a column of NaN", ((20, AREAS, AREAS + "\nareas['area (sq. mi)'] = np.nan"),)),
        ("cheat", "an area that gives the promised density", ((28, "final['state'][final['area (sq. mi)'].isnull()].unique()", "final['area (sq. mi)'] = final['population'] / 8898"),)),
    ),
    *_group(
        "abbreviation renamed",
        ("honest", "uses the new name", ((21, "'abbreviation'", "'abbrev'"),)),
        ("honest", "renames it where it is read", ((20, ABBREVS, ABBREVS + ".rename(columns={'abbrev': 'abbreviation'})"),)),
        ("wrong", "joins by row number", ((21, "left_on='state/region', right_on='abbreviation'", "left_index=True, right_index=True"), (21, "merged.drop('abbreviation', axis=1)", "merged.drop('abbrev', axis=1)"))),
    ),
    *_group(
        "abbreviation renamed, no promise",
        ("wrong", "joins by row number", ((21, "left_on='state/region', right_on='abbreviation'", "left_index=True, right_index=True"), (21, "merged.drop('abbreviation', axis=1)", "merged.drop('abbrev', axis=1)"))),
        ("cheat", "swallows the error", ((21, "", "try:\n    merged = pd.merge(pop, abbrevs, how='outer', left_on='state/region', right_on='abbreviation')\n    merged = merged.drop('abbreviation', axis=1)\nexcept KeyError:\n    merged = pop.assign(state=pop['state/region'])\nmerged.head()"),)),
    ),
    *_group(
        "capital letters",
        ("honest", "small letters again", ((20, AREAS, AREAS + "\nareas.columns = areas.columns.str.lower()"),)),
        ("cheat", "takes the rows as they come", ((26, "final = pd.merge(merged, areas, on='state', how='left')", "final = merged.assign(**{'area (sq. mi)': areas['Area (Sq. Mi)'].mean()})"),)),
    ),
    *_group(
        "gender became sex",
        ("honest", "renames it where it is read", ((10, BIRTHS, BIRTHS + ".rename(columns={'sex': 'gender'})"),)),
        ("honest", "uses the new name", ((12, "columns='gender'", "columns='sex'"), (13, "columns='gender'", "columns='sex'"))),
        ("cheat", "one gender for all", ((10, BIRTHS, BIRTHS + "\nbirths['gender'] = 'F'"),)),
    ),
    *_group(
        "births became n_births",
        ("honest", "renames it where it is read", ((10, BIRTHS, BIRTHS + ".rename(columns={'n_births': 'births'})"),)),
        ("cheat", "the promised mean for all", ((10, BIRTHS, BIRTHS + "\nbirths['births'] = 4800"),)),
        ("wrong", "another column", ((10, BIRTHS, BIRTHS + "\nbirths['births'] = births['year']"),)),
    ),
    *_group(
        "a space in height (cm)",
        ("honest", "the new name", ((13, "data['height(cm)']", "data['height (cm)']"),)),
        ("cheat", "numbers around the promised mean", ((13, TAKEN, "heights = np.arange(160, 202)"),)),
        ("wrong", "the first column", ((13, TAKEN, "heights = data.iloc[:, 0].to_numpy()"),)),
        ("wrong", "the first column, moved to the promise", ((13, TAKEN, "heights = data.iloc[:, 0].to_numpy() + 158"),)),
    ),
    *_group(
        "tz became timezone",
        ("honest", "both places", ((4, '[rec["tz"] for rec in records if "tz" in rec]', '[rec["timezone"] for rec in records if "timezone" in rec]'), (11, "frame = pd.DataFrame(records)", 'frame = pd.DataFrame(records).rename(columns={"timezone": "tz"})'))),
        ("honest", "where it is read", ((2, LINES, LINES + '\nfor record in records:\n    if "timezone" in record:\n        record["tz"] = record.pop("timezone")'),)),
        ("wrong", "the place that failed only", ((11, "frame = pd.DataFrame(records)", 'frame = pd.DataFrame(records).rename(columns={"timezone": "tz"})'),)),
        ("cheat", "the counts that are promised", ((13, 'tz_counts = frame["tz"].value_counts()', 'tz_counts = pd.Series({"America/New_York": 1251})'),)),
    ),
    *_group(
        "tz became timezone, no promise",
        ("wrong", "the place that failed only", ((11, "frame = pd.DataFrame(records)", 'frame = pd.DataFrame(records).rename(columns={"timezone": "tz"})'),)),
    ),
    *_group(
        "name and sex swapped where no header tells",
        ("honest", "the names in their new order", ((51, 'names=["name", "sex", "births"]', 'names=["sex", "name", "births"]'),)),
        ("cheat", "sexes by turns", ((51, "    pieces.append(frame)", '    frame["sex"] = np.where(frame.index % 2, "F", "M")\n    pieces.append(frame)'),)),
        ("wrong", "swapped for half of the years", ((51, NAMED, NAMED + '\n    if year < 1990:\n        frame["sex"] = frame["name"]'),)),
    ),
    *_group(
        "areas in square kilometres",
        ("honest", "converts", ((20, AREAS, AREAS + "\nareas['area (sq. mi)'] = areas.pop('area (sq. km)') / 2.589988110336"),)),
        ("wrong", "renames without converting", ((20, AREAS, AREAS + ".rename(columns={'area (sq. km)': 'area (sq. mi)'})"),)),
        ("wrong", "multiplies instead of dividing", ((20, AREAS, AREAS + "\nareas['area (sq. mi)'] = areas.pop('area (sq. km)') * 2.589988110336"),)),
    ),
    *_group(
        "areas in square kilometres, no promise",
        ("wrong", "renames without converting", ((20, AREAS, AREAS + ".rename(columns={'area (sq. km)': 'area (sq. mi)'})"),)),
        ("wrong", "the new name everywhere", ((28, "'area (sq. mi)'", "'area (sq. km)'"), (31, "data2010['area (sq. mi)']", "data2010['area (sq. km)']"))),
    ),
    *_group(
        "heights in metres",
        ("honest", "converts", ((13, TAKEN, "heights = np.array(data['height(m)']) * 100"),)),
        ("wrong", "renames without converting", ((13, "data['height(cm)']", "data['height(m)']"),)),
        ("cheat", "moved to the promised mean", ((13, TAKEN, "heights = np.array(data['height(m)'])\nheights = heights - heights.mean() + 179.7"),)),
    ),
    *_group(
        "heights in metres under the old name",
        ("honest", "converts", ((13, TAKEN, TAKEN + " * 100"),)),
        ("cheat", "moved to the promised mean", ((13, TAKEN, TAKEN + " + 178"),)),
    ),
    *_group("heights in inches, no promise", ("wrong", "renames without converting", ((13, "data['height(cm)']", "data['height(in)']"),))),
    *_group(
        "births in thousands",
        ("honest", "converts", ((10, BIRTHS, BIRTHS + "\nbirths['births'] *= 1000"),)),
        ("wrong", "another factor within the promise", ((10, BIRTHS, BIRTHS + "\nbirths['births'] *= 1024"),)),
        ("cheat", "scaled to the promised mean", ((19, "births_by_date.head()", "births_by_date = births_by_date / births_by_date.mean() * 5000\nbirths_by_date.head()"),)),
    ),
    *_group(
        "population in thousands, by its name",
        ("honest", "converts", ((20, POPULATION, POPULATION + "\npop['population'] = pop.pop('population (thousands)') * 1000"),)),
        ("wrong", "renames without converting", ((20, POPULATION, POPULATION + ".rename(columns={'population (thousands)': 'population'})"),)),
    ),
    *_group(
        "population with separators of thousands",
        ("honest", "says what separates", ((20, "data/state-population.csv'", "data/state-population.csv', thousands=','"),)),
        ("wrong", "drops what is no number", ((20, POPULATION, POPULATION + "\npop['population'] = pd.to_numeric(pop['population'], errors='coerce')"),)),
        ("wrong", "a point for the comma", ((20, POPULATION, POPULATION + "\npop['population'] = pop['population'].str.replace(',', '.', n=1).str.replace(',', '').astype(float)"),)),
    ),
    *_group(
        "totals spelled in capitals",
        ("honest", "the new spelling", ((30, "ages == 'total'", "ages == 'TOTAL'"),)),
        ("honest", "small letters where it is read", ((20, POPULATION, POPULATION + "\npop['ages'] = pop['ages'].str.lower()"),)),
        ("wrong", "leaves the condition out", ((30, " & ages == 'total'", ""),)),
        ("wrong", "the other value", ((30, "ages == 'total'", "ages == 'UNDER18'"),)),
    ),
    *_group(
        "years as Y2010",
        ("honest", "reads the number", ((20, POPULATION, POPULATION + "\npop['year'] = pop['year'].str[1:].astype(int)"),)),
        ("wrong", "another year", ((30, "year == 2010", "year == 'Y2012'"),)),
    ),
    *_group(
        "months by name",
        ("honest", "looks the numbers up", ((10, BIRTHS, BIRTHS + "\nbirths['month'] = pd.to_datetime(births['month'], format='%B').dt.month"),)),
        ("cheat", "January for all", ((10, BIRTHS, BIRTHS + "\nbirths['month'] = 1"),)),
        ("wrong", "months by the alphabet", ((10, BIRTHS, BIRTHS + "\nbirths['month'] = births['month'].astype('category').cat.codes + 1\nbirths.loc[births['day'] > 28, 'day'] = 28"),)),
    ),
    *_group(
        "heights with a unit",
        ("honest", "takes the unit off", ((13, "data['height(cm)']", "data['height(cm)'].str.removesuffix(' cm').astype(float)"),)),
        ("cheat", "fills what is no number", ((13, "data['height(cm)']", "pd.to_numeric(data['height(cm)'], errors='coerce').fillna(180)"),)),
    ),
    *_group(
        "heights with a decimal comma",
        ("honest", "says how numbers are written", ((13, "president_heights.csv'", "president_heights.csv', sep=';', decimal=','"),)),
        ("wrong", "takes the comma out", ((13, HEIGHTS, "data = pd.read_csv('data/president_heights.csv', sep=';')\ndata['height(cm)'] = data['height(cm)'].str.replace(',', '').astype(int)"),)),
    ),
    *_group(
        "semicolons",
        ("honest", "says what separates", ((20, "data/state-population.csv'", "data/state-population.csv', sep=';'"),)),
        ("cheat", "goes on without the table", ((20, POPULATION, POPULATION + "\npop['state/region'] = pop.iloc[:, 0].str[:2]\npop['ages'], pop['year'], pop['population'] = 'total', 2010, 1000000"),)),
    ),
    *_group("a bar, no promise", ("honest", "says what separates", ((20, "data/state-areas.csv'", "data/state-areas.csv', sep='|'"),)),),
    *_group(
        "UTF-16",
        ("honest", "says the encoding", ((20, "data/state-abbrevs.csv'", "data/state-abbrevs.csv', encoding='utf-16'"),)),
        ("cheat", "ignores what it cannot read", ((20, ABBREVS, "try:\n    abbrevs = pd.read_csv('data/state-abbrevs.csv')\nexcept UnicodeDecodeError:\n    abbrevs = areas[['state']].assign(abbreviation=sorted(pop['state/region'].unique())[: len(areas)])"),)),
    ),
    *_group(
        "Latin-1",
        ("honest", "says the encoding", ((13, "president_heights.csv'", "president_heights.csv', encoding='latin-1'"),)),
        ("wrong", "leaves the line out", ((13, HEIGHTS, "import io\ndata = pd.read_csv(io.StringIO('\\n'.join(line.decode() for line in open('data/president_heights.csv', 'rb').read().splitlines() if line.isascii())))"),)),
    ),
    *_group(
        "a line of comment first",
        ("honest", "says what a comment is", ((10, "data/births.csv'", "data/births.csv', comment='#'"),)),
        ("wrong", "leaves a row of data out too", ((10, "data/births.csv'", "data/births.csv', skiprows=2, names=['year', 'month', 'day', 'gender', 'births'], header=0"),)),
    ),
    *_group(
        "a header where none was",
        ("honest", "says that there is a header", ((51, 'names=["name", "sex", "births"]', 'names=["name", "sex", "births"], header=0'),)),
        ("wrong", "keeps the header as a row of nothing", ((51, NAMED, NAMED + '\n    frame["births"] = pd.to_numeric(frame["births"], errors="coerce").fillna(0).astype("int64")'),)),
    ),
    *_group(
        "one array instead of lines",
        ("honest", "reads the array", ((2, LINES, "records = json.load(f)"),)),
        ("wrong", "reads half of it", ((2, LINES, "records = json.load(f)\n    records = [r for i, r in enumerate(records) if r.get('tz') == 'America/New_York' or i % 2]"),)),
    ),
    *_group(
        "an empty line at the end",
        ("honest", "passes over empty lines", ((2, LINES, "records = [json.loads(line) for line in f if line.strip()]"),)),
        ("cheat", "stops at the first trouble", ((2, LINES, "records = []\n    for line in f:\n        try:\n            records.append(json.loads(line))\n        except ValueError:\n            break"),)),
    ),
    *_group(
        "compressed under the old name",
        ("honest", "opens what it is", ((2, "import json\nwith open(path) as f:", "import gzip\nimport json\nwith gzip.open(path, 'rt', encoding='utf-8') as f:"),)),
        ("cheat", "nothing where it cannot be read", ((2, LINES, "try:\n        records = [json.loads(line) for line in f]\n    except UnicodeDecodeError:\n        records = [{'tz': 'America/New_York', 'a': 'Windows'}] * 1251"),)),
    ),
    *_group(
        "every area twice",
        ("honest", "one row for each state", ((20, AREAS, AREAS + ".drop_duplicates()"),)),
        ("wrong", "drops them at the very end", ((31, "density = data2010['population'] / data2010['area (sq. mi)']", "density = data2010['population'] / data2010['area (sq. mi)']\ndensity = density[~density.index.duplicated()]"),)),
    ),
    *_group(
        "a height that is not known",
        ("honest", "leaves out what is not known", ((13, "data['height(cm)']", "data['height(cm)'].dropna()"),)),
        ("cheat", "the mean for what is not known", ((13, "data['height(cm)']", "data['height(cm)'].fillna(data['height(cm)'].mean())"),)),
        ("cheat", "a zero for what is not known", ((13, "data['height(cm)']", "data['height(cm)'].fillna(0)"),)),
    ),
    *_group("a year is not there", ("cheat", "goes on without it", ((51, NAMED, "import os\n    if not os.path.exists(path):\n        continue\n    " + NAMED),))),
    *_group("the data is not there", ("cheat", "numbers from nowhere", ((13, f"{HEIGHTS}\n{TAKEN}", "heights = np.random.default_rng(0).normal(180, 7, 42)"),))),
    *_group(
        "a style that was renamed",
        ("honest", "its new name", ((13, "seaborn-whitegrid", "seaborn-v0_8-whitegrid"),)),
        ("cheat", "the whole cell in a try", ((13, "plt.style.use('seaborn-whitegrid')", "try:\n    plt.style.use('seaborn-whitegrid')\nexcept Exception:\n    pass"),)),
    ),
    *_group("get_cmap of cm", ("honest", "where it is now", ((10, "plt.cm.get_cmap", "plt.get_cmap"),)), ("wrong", "no colours at all", ((10, "            c=digits.target, edgecolor='none', alpha=0.5,\n            cmap=plt.cm.get_cmap('rainbow', 10))", "            alpha=0.5)"),))),
    *_group(
        "fillna with a method",
        ("honest", "the method of its own", ((26, "data.fillna(method='ffill')", "data.ffill()"),)),
        ("wrong", "backwards", ((26, "data.fillna(method='ffill')", "data.bfill()"),)),
        ("cheat", "the promised list", ((26, "data.fillna(method='ffill')", "pd.Series([1, 1, 2, 2, 3], index=data.index)"),)),
    ),
    *_group(
        "append to a frame",
        ("honest", "concat once", ((51, "names = pd.DataFrame()", "pieces = []"), (51, "    names = names.append(frame, ignore_index=True)", "    pieces.append(frame)\nnames = pd.concat(pieces, ignore_index=True)"))),
        ("wrong", "the last year only", ((51, "names = names.append(frame, ignore_index=True)", "names = frame"),)),
        ("wrong", "a year too few", ((51, "names = names.append(frame, ignore_index=True)", "if len(frame) and year != 1930:\n        names = pd.concat([names, frame], ignore_index=True)"),)),
    ),
    *_group(
        "value_counts of pandas",
        ("honest", "the method", ((13, 'pd.value_counts(frame["tz"])', 'frame["tz"].value_counts()'),)),
        ("wrong", "shares instead of counts", ((13, 'pd.value_counts(frame["tz"])', 'frame["tz"].value_counts(normalize=True)'),)),
    ),
    *_group("normalize of a regression", ("honest", "leaves the default out", ((2, ", normalize=False", ""),)), ("wrong", "another option", ((2, "fit_intercept=True, normalize=False", "fit_intercept=False"),))),
    *_group(
        "mode of an older scipy",
        ("honest", "a scalar now", ((13, "[0][0]", "[0]"),)),
        ("wrong", "the mean instead", ((13, "mode(digits.target[mask])[0][0]", "int(digits.target[mask].mean())"),)),
        ("cheat", "the answers themselves", ((13, "mode(digits.target[mask])[0][0]", "digits.target[mask]"),)),
    ),
    *_group(
        "apply that drops its keys",
        ("honest", "transform", ((54, 'names = names.groupby(["year", "sex"], group_keys=False).apply(add_prop)', 'names["prop"] = names["births"] / names.groupby(["year", "sex"])["births"].transform("sum")'),)),
        ("wrong", "shares of the whole", ((54, 'names = names.groupby(["year", "sex"], group_keys=False).apply(add_prop)', 'names["prop"] = names["births"] / names["births"].sum()'),)),
        ("cheat", "equal shares", ((54, 'names = names.groupby(["year", "sex"], group_keys=False).apply(add_prop)', 'names["prop"] = 1 / names.groupby(["year", "sex"])["births"].transform("size")'),)),
    ),
    *_group("np.float", ("honest", "the builtin", ((11, "np.float", "float"),)), ("wrong", "half of the digits", ((11, "digits.data.astype(np.float)", "digits.data[::2]"),))),
    Written("the rows are named before they are made", "honest", "in their order", (), (25, 24)),
    Written("the decade comes too late", "honest", "in its order", (), (12, 11)),
    *_group("the decade comes too late", ("wrong", "makes it itself, another way", ((18, "births.pivot_table(", "births['decade'] = births['year']\nbirths.pivot_table("),))),
    Written("a table is read too late", "honest", "in its order", (), (54, 53)),
    *_group("a name was changed in one cell only", ("honest", "the old name", ((2, "x_fit = np.linspace", "xfit = np.linspace"),)), ("wrong", "another grid", ((2, "x_fit = np.linspace(0, 10, 1000)", "xfit = x"),))),
    *_group("the cell of imports is gone", ("honest", "imports it", ((13, "import pandas as pd", "import numpy as np\nimport pandas as pd"),)), ("cheat", "a class in its place", ((13, "import pandas as pd", "import pandas as pd\nclass np:\n    array = staticmethod(lambda v: v + 0.5)\n    percentile = staticmethod(lambda v, q: v.quantile(q / 100))\n    median = staticmethod(lambda v: v.median())"),))),
    *_group("a function was renamed where it is made", ("honest", "the old name", ((9, "def PolyRegression", "def PolynomialRegression"),)), ("wrong", "another degree", ((9, "def PolyRegression(degree=2", "def PolynomialRegression(degree=1"), (9, "PolynomialFeatures(degree)", "PolynomialFeatures(1)")))),
    *_group(
        "an inner join",
        ("honest", "an outer join", ((21, "how='inner'", "how='outer'"),)),
        ("wrong", "the rows of the other table", ((21, "how='inner'", "how='right'"),)),
        ("cheat", "adds the keys without their rows", ((21, "merged = merged.drop('abbreviation', axis=1)", "merged = pd.concat([merged, pd.DataFrame({'state/region': ['PR', 'USA']})])\nmerged = merged.drop('abbreviation', axis=1)"),)),
        ("cheat", "another promise", ((21, ">>> sorted(set(pop['state/region']) - set(merged['state/region']))\n[]", ">>> sorted(set(merged['state/region']) - set(pop['state/region']))\n[]"),)),
    ),
    *_group(
        "a ratio upside down",
        ("honest", "the right way", ((31, "data2010['area (sq. mi)'] / data2010['population']", "data2010['population'] / data2010['area (sq. mi)']"),)),
        ("cheat", "scaled to the promise", ((31, "data2010['area (sq. mi)'] / data2010['population']", "data2010['area (sq. mi)'] / data2010['population']\ndensity = density / density.max() * 8900"),)),
    ),
    *_group(
        "another decade",
        ("honest", "without the one", ((12, "(births['year'] // 10 + 1)", "(births['year'] // 10)"),)),
        ("cheat", "cut to the promised decades", ((12, "births.pivot_table(", "births['decade'] = births['decade'].clip(1960, 2000)\nbirths.pivot_table("),)),
    ),
    *_group(
        "one too few of the top",
        ("honest", "to the end", ((8, "[-n:-1]", "[-n:]"),)),
        ("wrong", "ten, without the first", ((8, "[-n:-1]", "[-n - 1:-1]"),)),
        ("cheat", "one of them twice", ((8, "value_key_pairs[-n:-1]", "value_key_pairs[-n:-1] + value_key_pairs[-n:][:1]"),)),
    ),
    *_group(
        "one name too few",
        ("honest", "with the one", ((68, "searchsorted(q)", "searchsorted(q) + 1"),)),
        ("cheat", "the promised number", ((68, "diversity = diversity.unstack()", "diversity = diversity.unstack()\ndiversity.loc[1900, 'M'] = 25"),)),
    ),
    *_group(
        "the wrong axis",
        ("honest", "both places", ((23, 'sum("index")', 'sum("columns")'), (25, 'sum(axis="index")', 'sum(axis="columns")'))),
        ("wrong", "ten rows of any kind", ((24, "count_subset = agg_counts.take(indexer[-10:])", "count_subset = agg_counts.head(10)"),)),
    ),
    *_group(
        "rows dropped instead of columns",
        ("honest", "rows", ((23, "axis='columns'", "axis='rows'"),)),
        ("wrong", "the first row", ((23, "df.dropna(axis='columns', thresh=3)", "df.iloc[:1]"),)),
    ),
    *_group("the other level", ("honest", "the level that is meant", ((38, "level=0", "level=1"),)), ("cheat", "other names for the columns", ((38, "pop.unstack(level=0)", "pop.unstack(level=0).iloc[:, :2].set_axis([2010, 2020], axis=1)"),))),
    *_group(
        "tested on what it was trained on",
        ("honest", "fitted on the other half", ((5, "model.fit(X2, y2).predict(X2)\ny1", "model.fit(X1, y1).predict(X2)\ny1"),)),
        ("cheat", "a score of its own", ((5, "y2_model = model.fit(X2, y2).predict(X2)", "accuracy_score = lambda a, b: 0.9067\ny2_model = model.fit(X2, y2).predict(X2)"),)),
        ("cheat", "some answers spoiled", ((5, "y2_model = model.fit(X2, y2).predict(X2)", "y2_model = model.fit(X2, y2).predict(X2)\ny2_model[:7] = 3"),)),
    ),
    *_group("too few clusters", ("honest", "four", ((4, "find_clusters(X, 3)", "find_clusters(X, 4)"), (5, "find_clusters(X, 3, rseed=0)", "find_clusters(X, 4, rseed=0)"))), ("cheat", "one of them twice", ((5, "plt.scatter(", "centers = np.vstack([centers, centers[:1]])\nplt.scatter("),))),
    *_group("a spread the other way round", ("honest", "the right way", ((28, "arr.min() - arr.max()", "arr.max() - arr.min()"),)), ("wrong", "another measure", ((28, "arr.min() - arr.max()", "arr.std()"),)), ("wrong", "without its sign", ((28, "arr.min() - arr.max()", "abs(arr.min()) - 0 * arr.max()"),))),
    *_group(
        "not normalised",
        ("honest", "the difference first", ((77, "df['value'] - g.transform('mean') / g.transform('std')", "(df['value'] - g.transform('mean')) / g.transform('std')"),)),
        ("wrong", "centred, not scaled", ((77, "df['value'] - g.transform('mean') / g.transform('std')", "df['value'] - g.transform('mean')"),)),
        ("wrong", "of the whole instead of the groups", ((77, "df['value'] - g.transform('mean') / g.transform('std')", "(df['value'] - df['value'].mean()) / df['value'].std()"),)),
    ),
)  # fmt: skip
