"""Varied requests on small, real analyses, each with a hidden check that the engine never sees.

A case is a notebook (cells as text), the files beside it, what is asked (words for `adapt`; None: the notebook is run and
must heal), and code that judges the result in a fresh kernel after the notebook's own cells: it raises where the result is
wrong. `expect` is `fixed`, or `refused` where the only right answer is to change nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Case:
    """One request with its hidden check."""

    name: str
    cells: tuple[str, ...]
    judge: str
    words: str | None = None
    files: dict[str, str] = field(default_factory=dict)
    expect: str = "fixed"


def table(header: str, rows: Callable[[int], str], count: int) -> str:
    return header + "\n" + "\n".join(rows(i) for i in range(count)) + "\n"


STORES = ("Leeds", "York", "Hull", "Bath")
SALES = table(
    "date,store,units,price",
    lambda i: f"2026-{1 + i // 28 % 6:02d}-{1 + i % 28:02d},{STORES[i % 4]},{3 + i * 7 % 11},{1.5 + i % 5}",
    168,
)
ORDERS = table("order_id,customer_id,amount", lambda i: f"{1000 + i},{i % 12},{10 + i % 7}.50", 60)
CUSTOMERS = "customer_id,city\n" + "".join(f"{i},{STORES[i % 4]}\n" for i in range(12)) + "3,York\n7,Bath\n"
LOAD = 'import pandas as pd\nsales = pd.read_csv("sales.csv", parse_dates=["date"])'
REVENUE = 'sales["revenue"] = sales["units"] * sales["price"]'

CASES: tuple[Case, ...] = (
    Case(
        "rolling mean per store",
        (LOAD, REVENUE, "daily = sales.groupby(['store', 'date'])['revenue'].sum().reset_index()"),
        "import numpy as np\n"
        "d = daily.sort_values(['store', 'date'])\n"
        "want = d.groupby('store')['revenue'].transform(lambda s: s.rolling(7).mean())\n"
        "got = d['rolling_7']\n"
        "assert np.allclose(want.dropna(), got[want.notna()])",
        "Add a column rolling_7 to daily: the mean of revenue over the last 7 rows of the same store, in order of date.",
        {"sales.csv": SALES},
    ),
    Case(
        "rename over several cells",
        (
            LOAD,
            REVENUE,
            "by_store = sales.groupby('store')['revenue'].sum()",
            "by_store.sort_values(ascending=False).head(2)",
        ),
        "assert 'by_store' not in globals() and store_revenue.sum() == sales['revenue'].sum()",
        "Rename the variable by_store to store_revenue wherever it is used.",
        {"sales.csv": SALES},
    ),
    Case(
        "a tolerated column, by words",
        (
            "import pandas as pd\n\ndef load(path):\n    frame = pd.read_csv(path)\n"
            "    return frame[['order_id', 'customer_id', 'amount', 'region']]",
            'orders = load("orders_2025.csv")',
            "orders.groupby('region')['amount'].sum()",
        ),
        'assert (load("orders.csv")["region"] == "unknown").all() and len(load("orders.csv")) == 60\n'
        'assert load("orders_2025.csv")["region"].tolist() == ["North", "South"]',
        "load must also take files without a region column (such as orders.csv); region is then 'unknown' for every row.",
        {"orders.csv": ORDERS, "orders_2025.csv": "order_id,customer_id,amount,region\n1,2,5.0,North\n2,3,6.0,South\n"},
    ),
    Case(
        "a join that doubles rows",
        (
            'import pandas as pd\norders = pd.read_csv("orders.csv")\ncustomers = pd.read_csv("customers.csv")',
            '%%selfcode\n"""Each order with the city of its customer, one row an order.\n\n'
            '>>> len(joined) == len(orders)\nTrue\n>>> bool(joined["order_id"].is_unique)\nTrue\n"""\n'
            'joined = orders.merge(customers, on="customer_id", how="left")',
            'joined.groupby("city")["amount"].sum()',
        ),
        "assert len(joined) == 60 and joined['amount'].sum() == orders['amount'].sum() and joined['city'].notna().all()\n"
        "assert set(joined.loc[joined.customer_id == 0, 'city']) == {'Leeds'}",
        None,
        {"orders.csv": ORDERS, "customers.csv": CUSTOMERS},
    ),
    Case(
        "thousands separators came",
        (
            'import pandas as pd\nledger = pd.read_csv("ledger.csv")',
            '%%selfcode\n"""Sum of the ledger in euros.\n\n>>> isinstance(total, float)\nTrue\n>>> total > 0\nTrue\n"""\n'
            'total = float(ledger["amount"].sum() / 100)',
        ),
        "assert abs(total - (1234.50 + 99 + 2000000 + 12.25) / 100) < 1e-9",
        None,
        {"ledger.csv": 'id,amount\n1,"1,234.50"\n2,99\n3,"2,000,000"\n4,12.25\n'},
    ),
    Case(
        "dates turned day-first",
        (
            'import pandas as pd\nvisits = pd.read_csv("visits.csv")',
            '%%selfcode\n"""Visits per month, 2026.\n\n>>> list(per_month.index)\n[1, 2, 3]\n>>> int(per_month.sum())\n6\n"""\n'
            'visits["day"] = pd.to_datetime(visits["day"], format="%Y-%m-%d")\n'
            'per_month = visits.groupby(visits["day"].dt.month)["n"].sum()',
        ),
        "assert per_month.to_dict() == {1: 3, 2: 1, 3: 2}",
        None,
        {"visits.csv": "day,n\n05/01/2026,1\n12/01/2026,2\n03/02/2026,1\n01/03/2026,1\n11/03/2026,1\n"},
    ),
    Case(
        "a column in another unit",
        (
            'import pandas as pd\nparcels = pd.read_csv("parcels.csv")',
            '%%selfcode\n"""Postage: 2 euros and 3 euros a kilogram.\n\n'
            '>>> bool(parcels["postage"].between(2, 100).all())\nTrue\n"""\n'
            'parcels["postage"] = 2 + 3 * parcels["weight_kg"]',
        ),
        "assert parcels['postage'].round(6).tolist() == [3.5, 8.0, 62.0]",
        None,
        {"parcels.csv": "id,weight_g\n1,500\n2,2000\n3,20000\n"},
    ),
    Case(
        "the separator changed",
        (
            'import pandas as pd\nstock = pd.read_csv("stock.csv")',
            'stock["value"] = stock["count"] * stock["cost"]\nassert stock["value"].gt(0).all()',
            'total = stock["value"].sum()',
        ),
        "assert abs(total - (3 * 1.25 + 4 * 2.5)) < 1e-9 and list(stock.columns) == ['item', 'count', 'cost', 'value']",
        None,
        {"stock.csv": "item;count;cost\nbolt;3;1,25\nnut;4;2,50\n"},
    ),
    Case(
        "the cause is two cells above",
        (
            LOAD,
            'monthly = sales.groupby(sales["date"].dt.month)["units"].sum',
            "months = [1, 2, 3, 4, 5, 6]",
            '%%selfcode\n"""Growth of units from month to month.\n\n>>> len(growth)\n5\n"""\n'
            "growth = [monthly[b] / monthly[a] - 1 for a, b in zip(months, months[1:])]",
        ),
        "assert len(monthly) == 6 and abs(growth[0] - (monthly[2] / monthly[1] - 1)) < 1e-12",
        None,
        {"sales.csv": SALES},
    ),
    Case(
        "a feature more than the model knows",
        (
            "from sklearn.datasets import load_wine\nfrom sklearn.linear_model import LogisticRegression\n"
            "from sklearn.pipeline import make_pipeline\nfrom sklearn.preprocessing import StandardScaler\n"
            "X, y = load_wine(return_X_y=True, as_frame=True)",
            "model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)).fit(X, y)",
            'X["ratio"] = X["alcohol"] / X["ash"]',
            '%%selfcode\n"""Share of wines that the model classifies as they are labelled.\n\n>>> accuracy > 0.95\nTrue\n"""\n'
            "accuracy = float(model.score(X, y))",
        ),
        "assert accuracy > 0.95 and abs(accuracy - float((model.predict(X[list(model.feature_names_in_)]) == y).mean())) < 1e-9",
        None,
    ),
    Case(
        "an analysis from words and a contract",
        (
            "from sklearn.datasets import load_diabetes\nframe = load_diabetes(as_frame=True).frame",
            "%%selfcode\nCorrelation of every feature with target, as a Series named correlation, strongest first by absolute value.\n\n"
            ">>> len(correlation)\n10\n>>> correlation.index[0]\n'bmi'",
        ),
        "import numpy as np\nwant = frame.corr()['target'].drop('target')\n"
        "assert np.allclose(correlation.sort_index(), want.sort_index()) and correlation.abs().is_monotonic_decreasing",
        None,
    ),
    Case(
        "a held-out score, by words",
        (
            "from sklearn.datasets import load_breast_cancer\nX, y = load_breast_cancer(return_X_y=True, as_frame=True)",
            "from sklearn.ensemble import RandomForestClassifier\n"
            "forest = RandomForestClassifier(n_estimators=30, random_state=0).fit(X, y)\nscore = forest.score(X, y)",
            'print(f"accuracy {score:.3f}")',
        ),
        "assert 0.9 < score < 0.999",
        "The score is measured on the data that the forest was trained on. Measure it on a stratified held-out 25 % with random_state=0.",
    ),
    Case(
        "a picture with a title",
        (
            LOAD,
            REVENUE,
            "import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nsales.groupby('date')['revenue'].sum().plot(ax=ax);",
        ),
        "assert ax.get_title() == 'Revenue per day' and ax.get_yscale() == 'log' and len(ax.lines) == 1",
        "Give the plot the title 'Revenue per day' and a logarithmic y axis.",
        {"sales.csv": SALES},
    ),
    Case(
        "off by one against the contract",
        (
            "prices = [100.0, 110.0, 99.0, 120.0]",
            '%%selfcode\n"""Relative changes from each price to the next.\n\n'
            '>>> [round(c, 3) for c in changes]\n[0.1, -0.1, 0.212]\n"""\n'
            "changes = [prices[i + 1] / prices[i] - 1 for i in range(len(prices))]",
        ),
        "prices2 = [2.0, 1.0]\nassert len(changes) == 3 and abs(changes[2] - (120 / 99 - 1)) < 1e-12",
        None,
    ),
    Case(
        "data that is not there is not invented",
        (
            'import pandas as pd\norders = pd.read_csv("orders.csv")',
            'per_region = orders.groupby("region")["amount"].sum()',
            "per_region.max()",
        ),
        "raise AssertionError('no region is known, so no sum per region is right')",
        None,
        {"orders.csv": ORDERS},
        "refused",
    ),
    Case(
        "a missing file is not mended by editing",
        ('import pandas as pd\nfares = pd.read_csv("fares_2026.csv")', "fares.describe()"),
        "raise AssertionError('the file is missing')",
        None,
        {"fares_2025.csv": "fare\n1\n2\n"},
        "refused",
    ),
    Case(
        "percent signs came",
        (
            'import pandas as pd\nrates = pd.read_csv("rates.csv")',
            '%%selfcode\n"""Interest of 1000 euros at each rate, in euros; rates are fractions (0.05 is five percent).\n\n'
            '>>> bool(rates["interest"].between(0, 200).all())\nTrue\n>>> float(rates["interest"].max())\n70.0\n"""\n'
            'rates["interest"] = (1000 * rates["rate"]).round(2)',
        ),
        "assert rates['interest'].tolist() == [50.0, 70.0, 25.0]",
        None,
        {"rates.csv": "bank,rate\nA,5%\nB,7%\nC,2.5%\n"},
    ),
    Case(
        "the encoding changed",
        (
            'import pandas as pd\ncities = pd.read_csv("cities.csv")',
            '%%selfcode\n"""Inhabitants by city.\n\n>>> int(people["Zürich"])\n420\n"""\n'
            'people = cities.set_index("city")["thousands"]',
        ),
        "assert people.to_dict() == {'Zürich': 420, 'Genève': 200}",
        None,
        {"cities.csv": "LATIN1:city,thousands\nZürich,420\nGenève,200\n"},
    ),
    Case(
        "a new category at prediction",
        (
            "import pandas as pd\nfrom sklearn.linear_model import LinearRegression\n"
            'train = pd.DataFrame({"kind": ["a", "b", "a", "b"], "size": [1.0, 2.0, 3.0, 4.0], "price": [10.0, 30.0, 30.0, 50.0]})\n'
            'new = pd.DataFrame({"kind": ["b", "c"], "size": [5.0, 1.0]})',
            'X = pd.get_dummies(train[["kind", "size"]])\nmodel = LinearRegression().fit(X, train["price"])',
            '%%selfcode\n"""A price for every new item; a kind that was not seen in training counts as none of the known ones.\n\n'
            '>>> len(predicted) == len(new)\nTrue\n>>> round(float(predicted[0]), 6)\n60.0\n"""\n'
            'predicted = model.predict(pd.get_dummies(new))',
        ),
        "want = model.predict(pd.get_dummies(new).reindex(columns=X.columns, fill_value=0))\n"
        "import numpy as np\nassert np.allclose(np.asarray(predicted, dtype=float), want)",
        None,
    ),
    Case(
        "Python 2 in an old notebook",
        (
            "counts = {'a': 3, 'b': 1}\nfor key, n in counts.iteritems():\n    print key, n",
            "total = reduce(lambda a, b: a + b, counts.values())\nassert total == 4",
        ),
        "assert counts == {'a': 3, 'b': 1} and total == 4",
    ),
    Case(
        "a renamed column of another meaning",
        (
            'import pandas as pd\nbills = pd.read_csv("bills.csv")',
            'total_net = float(bills["amount_net"].sum())',
            'print(f"net: {total_net:.2f}")',
        ),
        "raise AssertionError('amount_gross is no amount_net, and the rate of tax is not known')",
        None,
        {"bills.csv": "id,amount_gross\n1,119.0\n2,238.0\n"},
        "refused",
    ),
    Case(
        "times turned into another zone",
        (
            'import pandas as pd\ncalls = pd.read_csv("calls.csv")',
            '%%selfcode\n"""Calls per hour of the day in Berlin (the file says UTC).\n\n'
            '>>> per_hour.to_dict()\n{1: 1, 13: 2}\n"""\n'
            'when = pd.to_datetime(calls["when"]).dt.tz_localize("UTC").dt.tz_convert("Europe/Berlin")\n'
            'per_hour = calls.groupby(when.dt.hour)["n"].sum()',
        ),
        "assert per_hour.to_dict() == {1: 1, 13: 2}",
        None,
        {"calls.csv": "when,n\n2026-01-05T12:10:00Z,1\n2026-01-05T12:50:00Z,1\n2026-01-06T00:05:00Z,1\n"},
    ),
    Case(
        "a slow and wrong axis",
        (
            "import numpy as np\nscores = np.array([[3.0, 4.0], [6.0, 8.0], [0.0, 1.0]])",
            '%%selfcode\n"""Each row divided by its length (Euclidean norm).\n\n'
            '>>> np.allclose(np.linalg.norm(unit, axis=1), 1)\nTrue\n"""\n'
            "unit = scores / np.linalg.norm(scores, axis=1)",
        ),
        "assert np.allclose(unit, [[0.6, 0.8], [0.6, 0.8], [0.0, 1.0]])",
    ),
    Case(
        "several cells by words",
        (
            LOAD,
            "def clean(frame):\n    return frame.dropna()",
            "sales = clean(sales)",
            "top = sales.groupby('store')['units'].sum().nlargest(2)",
        ),
        "import pandas as pd\n"
        "assert clean(pd.DataFrame({'units': [1, -2, None], 'price': [1.0, 1.0, 1.0]}), minimum=0)['units'].tolist() == [1.0]\n"
        "assert len(sales) == 168 and len(top) == 3",
        "Give clean a keyword parameter minimum that drops rows with fewer units than it (None, the default, drops none), "
        "call it with minimum=1, and let top show three stores.",
        {"sales.csv": SALES},
    ),
)
