"""What a proof may take for granted: calls that are known to change nothing, or only what is named here.

`known_calls` serves slices, where a wrong guess costs a cell that is run once too often. A proof has no such room, so
these tables are stricter: a library's function is listed by its full name, and what is not listed is in doubt. They say
what the documentation of Python, NumPy, pandas, Matplotlib and scikit-learn says; that a library keeps to it is an
assumption, and is printed with every proof.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

from .known_calls import OWN_METHODS, READING_METHODS, words

PURE_BUILTINS = words(
    "print len sum min max sorted range enumerate zip list dict set tuple str int float bool complex abs round isinstance "
    "issubclass type repr ascii format any all map filter reversed hasattr callable divmod pow ord chr hash id frozenset "
    "bytes bytearray slice display iter bin hex oct "
    "Exception ValueError TypeError KeyError IndexError RuntimeError AssertionError ZeroDivisionError StopIteration"
)
FRESH = words(
    "print len int float str bool complex isinstance issubclass repr ascii format any all ord chr hash id callable hasattr "
    "range bin hex oct display bytes"
)
"""Builtins whose result holds nothing of what they were given."""
LAZY = words("map filter zip enumerate reversed iter")
"""Builtins that read what they are given when their result is read."""
CONSUMING = words(
    "sum min max sorted list dict set tuple any all frozenset bytes bytearray map filter zip enumerate iter"
)
"""Builtins that go through what they are given: an iterator is used up."""
IMMUTABLE = words(
    "len int float str bool complex repr ascii format ord chr hash id isinstance hasattr callable bin hex oct"
)
"""Builtins whose result cannot be changed."""

_STDLIB = {
    "math": "*", "statistics": "*", "string": "*", "textwrap": "*", "calendar": "monthrange isleap month_name monthcalendar",
    "datetime": "*", "fractions": "*", "decimal": "Decimal", "zlib": "*", "base64": "*", "hashlib": "*", "typing": "*",
    "re": "compile match search fullmatch findall split sub subn escape", "json": "loads dumps",
    "copy": "copy deepcopy", "collections": "Counter OrderedDict deque", "bisect": "bisect bisect_left bisect_right",
    "time": "time perf_counter monotonic strftime process_time sleep", "pprint": "pprint pformat",
    "os.path": "join basename dirname splitext split normpath", "platform": "*", "functools": "reduce",
    "unicodedata": "*", "html": "escape unescape", "heapq": "nlargest nsmallest", "uuid": "UUID",
    "operator": "itemgetter attrgetter add sub mul truediv floordiv mod neg eq lt gt le ge",
    "pathlib": "Path PurePath",
}  # fmt: skip
_NUMPY = (
    "array asarray zeros ones empty full arange linspace logspace eye identity zeros_like ones_like full_like mean sum std var "
    "median min max amin amax argmin argmax argsort sort unique where concatenate vstack hstack stack column_stack split "
    "array_split reshape ravel transpose dot matmul outer inner cross cumsum cumprod diff abs absolute sqrt exp log log2 "
    "log10 log1p expm1 sin cos tan arcsin arccos arctan arctan2 power sign floor ceil round around clip isnan isfinite isinf "
    "nan_to_num percentile quantile nanmean nansum nanstd nanmedian nanmin nanmax nanpercentile histogram bincount "
    "digitize interp corrcoef cov isclose allclose array_equal all any count_nonzero nonzero argwhere isin in1d union1d "
    "intersect1d setdiff1d tile repeat meshgrid roll flip rot90 expand_dims squeeze broadcast_to maximum minimum add "
    "subtract multiply divide mod prod trace average searchsorted triu tril gradient trapz trapezoid polyfit polyval "
    "convolve float64 float32 int64 int32 int8 uint8 bool_ datetime64 timedelta64 linalg.norm linalg.inv linalg.solve "
    "linalg.det linalg.eig linalg.svd fft.fft fft.ifft"
)
_PANDAS = (
    "DataFrame Series Index MultiIndex MultiIndex.from_tuples MultiIndex.from_product Timestamp Timedelta Period Interval "
    "Categorical DatetimeIndex RangeIndex NamedAgg Grouper concat merge merge_asof merge_ordered to_datetime to_numeric "
    "to_timedelta date_range period_range timedelta_range bdate_range cut qcut get_dummies crosstab pivot pivot_table melt "
    "isna isnull notna notnull unique factorize value_counts json_normalize wide_to_long DateOffset "
    "DataFrame.from_dict DataFrame.from_records"
)
ALLOWED: Mapping[str, frozenset[str]] = {
    **{name: words(listed) for name, listed in _STDLIB.items()}, "numpy": words(_NUMPY), "pandas": words(_PANDAS),
}  # fmt: skip
"""By module, what may be called; `*` is all of it."""
READS_FILES = words(
    "read_csv read_excel read_parquet read_json read_table read_feather read_pickle read_fwf read_html read_xml read_stata"
)
"""pandas functions that read one file and change nothing else."""
CONSTANTS = words(
    "numpy.nan numpy.inf numpy.pi numpy.e numpy.newaxis numpy.float64 numpy.float32 numpy.int64 numpy.int32 numpy.int8 "
    "numpy.uint8 numpy.bool_ math.pi math.e math.inf math.nan math.tau string.ascii_letters string.ascii_lowercase "
    "string.ascii_uppercase string.digits string.punctuation pandas.NA pandas.NaT numpy.mean numpy.sum numpy.median "
    "numpy.std numpy.min numpy.max math.sqrt math.log re.IGNORECASE re.MULTILINE re.DOTALL re.VERBOSE"
)
"""Values of modules that cannot be changed, or that nobody would."""
PLOT_CALLS = words(
    "plot scatter bar barh hist hist2d pie boxplot violinplot errorbar fill_between step stem imshow contour contourf axhline "
    "axvline axhspan axvspan text annotate title xlabel ylabel xlim ylim xticks yticks legend grid tight_layout figure "
    "subplots subplot show suptitle colorbar close subplots_adjust semilogx semilogy loglog "
    "lineplot scatterplot barplot histplot boxplot heatmap countplot kdeplot pairplot regplot jointplot stripplot lmplot "
    "relplot catplot displot"
)
"""Calls of pyplot and seaborn that draw. What they draw on is closed with the cell, as Jupyter's inline backend does."""
RANDOM = ("random", "numpy.random")
RANDOM_CALLS = words(
    "random randint choice choices sample shuffle uniform gauss normalvariate seed rand randn normal permutation "
    "default_rng poisson binomial exponential randrange random_sample standard_normal integers triangular betavariate"
)
CHANGES_FIRST = words("shuffle")

_REFUSED_READING = words(
    "eval query get_group filter map apply applymap agg aggregate transform pipe items iterrows itertuples iteritems glob "
    "rglob iterdir resolve read score"
)
READING = READING_METHODS - _REFUSED_READING | words(
    "get_xlabel get_ylabel get_title get_xlim get_ylim get_label get_text"
)
"""Methods that leave their object as it was, and call nothing that they are given."""
HIGHER = words("map apply applymap agg aggregate transform pipe filter")
"""Methods that call what they are given."""
LAZY_METHODS = words("iterrows itertuples iteritems items")
FRESH_METHODS = words(
    "mean median std var count nunique sem skew kurt corr cov describe memory_usage any all equals isna isnull notna notnull "
    "duplicated isin info startswith endswith upper lower strip lstrip rstrip title capitalize isdigit isalpha split "
    "splitlines encode decode strftime isoformat total_seconds index find rfind"
)
"""Methods whose result holds nothing that could be changed through it."""
OWN = OWN_METHODS - words("fit partial_fit fit_transform") | words("set")
LEARNING = words("fit partial_fit fit_transform")
"""Methods of estimators, which may use the random numbers of the whole process."""
TAKES_ITERABLE = words("extend update join intersection union difference symmetric_difference issubset extendleft")
WRITING_METHODS = words(
    "to_csv to_excel to_parquet to_pickle to_json to_feather write_text write_bytes write writelines"
)

_QUIET_LIBRARIES = words(
    "numpy pandas scipy matplotlib seaborn sklearn polars plotly statsmodels requests pyarrow openpyxl duckdb PIL bs4 lxml "
    "sympy networkx tqdm yaml joblib IPython"
)
_LOUD = words(
    "this antigravity readline rlcompleter tkinter turtle idlelib sitecustomize usercustomize __future__ builtins"
)


def quiet_import(module: str) -> bool:
    """Whether importing a module is known to do nothing but bind its name and be there."""
    top = module.partition(".")[0]
    return top not in _LOUD and (top in sys.stdlib_module_names or top in _QUIET_LIBRARIES)


def allowed(full: str) -> bool:
    """Whether a function of a module, by its full name, is known to change nothing that it is not said to change."""
    module, _, name = full.partition(".")
    if module == "os" and name.startswith("path."):
        module, name = "os.path", name.removeprefix("path.")
    listed = ALLOWED.get(module, frozenset())
    return "*" in listed or name in listed
