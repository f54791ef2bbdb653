"""What is known of calls that notebooks make: which leave everything as it was, which change only their own object,
and which touch files, the network, random numbers, the environment or plots.

A table and not an inference: whatever is not here may change all that it can reach.
"""

from __future__ import annotations

from collections.abc import Mapping


def words(text: str) -> frozenset[str]:
    """The words of a text: tables are read and compared more easily so."""
    return frozenset(text.split())


PURE_FUNCTIONS = words(
    "print len sum min max sorted range enumerate zip list dict set tuple str int float bool complex abs round "
    "isinstance issubclass type repr ascii format any all map filter reversed hasattr getattr callable divmod pow ord "
    "chr hash id frozenset bytes bytearray slice display iter dir bin hex oct Path Counter defaultdict deque namedtuple "
    "OrderedDict date datetime timedelta Decimal Fraction partial super object property deepcopy"
)
"""Builtins, and names that everybody imports under their own name."""

DYNAMIC = words("exec eval compile __import__ globals locals get_ipython reload import_module run_cell run_line_magic")
"""Calls after which nothing is known."""

READING_METHODS = words(
    # frames, series, arrays
    "head tail sample describe info copy mean median mode sum std var min max count nunique unique value_counts "
    "groupby agg aggregate transform apply applymap map pipe filter query eval merge join concat sort_values sort_index "
    "reset_index set_index rename rename_axis assign astype isna isnull notna notnull fillna dropna drop "
    "drop_duplicates duplicated replace where mask between clip round abs cumsum cumprod cummax cummin diff pct_change "
    "shift rolling expanding ewm resample pivot pivot_table melt stack unstack explode isin nlargest nsmallest idxmax "
    "idxmin quantile rank corr cov T transpose to_dict to_list tolist to_numpy to_frame to_string to_markdown to_html "
    "to_records items iterrows itertuples keys values get get_group equals any all memory_usage select_dtypes dot "
    "reshape ravel flatten argmax argmin argsort nonzero squeeze swapaxes prod ptp interpolate ffill bfill "
    "convert_dtypes infer_objects tz_localize tz_convert to_period to_timestamp strftime isocalendar normalize day_name "
    "month_name total_seconds first last nth size ngroups sem skew kurt item asfreq add sub mul div truediv "
    "add_prefix add_suffix combine_first reindex align crosstab iteritems cumcount swaplevel droplevel xs at_time "
    # text
    "split rsplit splitlines strip lstrip rstrip lower upper title capitalize casefold startswith endswith find rfind "
    "index rindex encode decode format join zfill ljust rjust center partition rpartition isdigit isalpha isnumeric "
    "contains match fullmatch extract extractall len cat slice get_dummies "
    # containers, paths, dates
    "most_common elements union intersection difference symmetric_difference issubset issuperset isdisjoint "
    "with_suffix with_name joinpath relative_to resolve as_posix is_absolute date time timestamp isoformat weekday "
    # estimators that only answer
    "predict predict_proba score decision_function get_params get_feature_names_out inverse_transform"
)
"""Methods that leave their object as it was (unless `inplace=True`)."""

OWN_METHODS = words(
    "append extend insert remove pop popitem clear update setdefault sort reverse discard appendleft popleft "
    "extendleft rotate intersection_update difference_update fill put resize partition setflags subtract "
    "scatter bar barh hist2d imshow pie violinplot fill_between errorbar axhline axvline set_title set_xlabel set_ylabel "
    "set_xticks set_yticks set_xlim set_ylim legend grid annotate text tick_params set_xticklabels fit partial_fit "
    "fit_transform suptitle tight_layout colorbar"
)
"""Methods that change their own object and nothing else."""

FILE_READS = words(
    "read_text read_bytes exists is_file is_dir glob rglob iterdir stat listdir walk scandir getsize read"
)
FILE_WRITES = words(
    "to_csv to_excel to_parquet to_pickle to_json to_feather to_sql to_hdf to_stata savefig write_text write_bytes "
    "write writelines mkdir makedirs unlink rmdir rename touch dump save savez savetxt tofile remove rmtree copyfile "
    "copy2 copytree move symlink_to chmod write_image write_html"
)

_MODULES = words(
    "math json re os sys time random statistics itertools functools collections datetime decimal fractions string "
    "textwrap operator copy csv io pathlib warnings logging requests urllib httpx shutil subprocess pickle glob pandas "
    "numpy scipy calendar zlib base64 hashlib platform matplotlib seaborn tempfile socket importlib heapq bisect pprint "
    "types typing dataclasses enum contextlib gc threading asyncio"
)
ALIASES: Mapping[str, str] = {
    **{name: name for name in _MODULES},
    **{"pd": "pandas", "np": "numpy", "plt": "matplotlib.pyplot", "sns": "seaborn", "mpl": "matplotlib"},
    **{"sp": "scipy", "pl": "polars", "px": "plotly.express", "go": "plotly.graph_objects", "sm": "statsmodels.api"},
}
"""Names that are modules by convention, where the cell itself does not say."""

PURE_MODULES = words(
    "pandas numpy math json re statistics itertools functools collections datetime decimal fractions string textwrap "
    "operator copy scipy polars calendar zlib base64 hashlib platform pprint types typing dataclasses enum time io bisect"
)
PLOTS = words("matplotlib matplotlib.pyplot seaborn plotly plotly.express plotly.graph_objects altair bokeh")
NETWORK = words("requests urllib httpx socket aiohttp urllib3 ftplib smtplib boto3 yfinance")
FILES = words("os shutil pathlib pickle glob csv tempfile joblib")

CHANGES_FIRST_ARGUMENT = words(
    "shuffle copyto place put putmask heappush heappop heapify insort insort_left insort_right"
)

QUIET_MAGICS = words(
    "matplotlib config load_ext reload_ext autoreload precision pwd who whos history lsmagic pinfo pinfo2 pip conda "
    "time timeit prun memit pylab selfcode"
)
"""Line magics that bind no names of the user (those of `TIMED` are read as the Python that they run)."""

TIMED = words("time timeit prun memit")
