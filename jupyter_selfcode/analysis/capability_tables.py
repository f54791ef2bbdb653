"""What names mean for the screen: which reach outside, by which kind, in which words. Tables, not inference.

Where a module can do harm, what is *not* listed as plain counts as reach (`os`, `sys`, `shutil`, `importlib`); elsewhere
what is listed counts. `module.*` stands for all of a module, the longest entry decides, None is nothing to tell.
The cases come from the escapes of in-process sandboxes (RestrictedPython's and smolagents' advisories), from bandit's
lists and from hostile cells of our own.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..values.capability import Kind
from .known_calls import ALIASES, words

Entry = tuple[Kind, str] | None


def _table(*groups: tuple[Kind | None, str, str]) -> dict[str, Entry]:
    return {name: (kind, reason) if kind else None for kind, reason, names in groups for name in names.split()}


NAMES: Mapping[str, Entry] = _table(
    (
        "process",
        "run or end programs outside of Python",
        "os.system os.popen os.popen2 os.popen3 os.popen4 os.execl os.execle os.execlp os.execlpe os.execv os.execve "
        "os.execvp os.execvpe os.spawnl os.spawnle os.spawnlp os.spawnlpe os.spawnv os.spawnve os.spawnvp os.spawnvpe "
        "os.posix_spawn os.posix_spawnp os.fork os.forkpty os.kill os.killpg os.abort os._exit os.startfile "
        "os.login_tty os.openpty os.pidfd_open subprocess.* subprocess.run subprocess.Popen subprocess.call "
        "subprocess.check_call subprocess.check_output subprocess.getoutput subprocess.getstatusoutput pty.* asyncio.create_subprocess_exec "
        "asyncio.create_subprocess_shell asyncio.subprocess.* pexpect.* sh.* plumbum.* "
        "psutil.Popen pyautogui.* signal.pthread_kill signal.raise_signal",
    ),
    (
        "code",
        "run text or code objects as code",
        "eval exec execfile compile __import__ importlib.* imp.* runpy.* code.* codeop.* zipimport.* types.FunctionType "
        "types.CodeType types.LambdaType marshal.loads marshal.load pdb.* bdb.* trace.Trace numpy.testing.runstring numpy.testing.rundocs "
        "doctest.testmod doctest.run_docstring_examples pkgutil.get_loader pkgutil.find_loader pkgutil.resolve_name "
        "site.addsitedir breakpoint",
    ),
    ("objects", "reach the interpreter through an object's insides", "__builtins__ __loader__ __spec__ __build_class__"),
    (
        "native",
        "call native code, which no check of Python sees",
        "ctypes.* _ctypes.* cffi.* _cffi_backend.* numpy.ctypeslib.* numpy.f2py.* scipy.LowLevelCallable "
        "torch.utils.cpp_extension.* torch.ops.load_library tensorflow.load_op_library tensorflow.load_library "
        "cppyy.* pythonnet.* clr.* rpy2.* os.memfd_create",
    ),
    (
        "kernel",
        "reach the running kernel and what judges this notebook",
        "get_ipython IPython.get_ipython IPython.core.getipython.* IPython.core.interactiveshell.* IPython.start_ipython "
        "IPython.embed IPython.core.magic.* IPython.core.ultratb.* IPython.core.hooks.* IPython.utils.process.* "
        "IPython.utils.io.* IPython.paths.* ipykernel.* jupyter_client.* jupyter_core.* jupyter_server.* nbclient.* "
        "jupyter_selfcode.* zmq.* comm.* traitlets.config.*",
    ),
    (
        "delete",
        "delete files",
        "os.remove os.unlink os.rmdir os.removedirs os.truncate os.ftruncate shutil.rmtree send2trash.* "
        "pathlib.Path.unlink pathlib.Path.rmdir",
    ),
    (
        "alter",
        "move, link or re-permission files",
        "os.rename os.renames os.replace os.link os.symlink os.chmod os.lchmod os.fchmod os.chown os.lchown os.fchown "
        "os.utime os.setxattr os.removexattr os.mkfifo os.mknod os.chflags shutil.move shutil.chown shutil.copymode "
        "shutil.copystat pathlib.Path.rename pathlib.Path.replace",
    ),
    (
        "write",
        "write files",
        "os.mkdir os.makedirs os.open os.write os.fdopen os.sendfile os.copy_file_range shutil.copy shutil.copy2 "
        "shutil.copyfile shutil.copyfileobj shutil.copytree shutil.make_archive shutil.unpack_archive tempfile.* "
        "numpy.save numpy.savetxt numpy.savez numpy.savez_compressed numpy.lib.format.open_memmap pandas.ExcelWriter "
        "pandas.HDFStore joblib.dump joblib.Memory torch.save logging.FileHandler logging.handlers.* pickle.Pickler "
        "shelve.open dbm.open scipy.io.savemat scipy.io.wavfile.write scipy.sparse.save_npz scipy.io.mmwrite "
        "matplotlib.pyplot.imsave matplotlib.image.imsave imageio.imwrite imageio.imsave imageio.mimsave cv2.imwrite "
        "cv2.VideoWriter skimage.io.imsave sklearn.datasets.dump_svmlight_file sqlalchemy.create_engine "
        "matplotlib.backends.backend_pdf.PdfPages networkx.write_gml networkx.write_graphml os.fopen torch.onnx.export "
        "tensorflow.summary.create_file_writer tensorflow.keras.callbacks.ModelCheckpoint keras.callbacks.ModelCheckpoint",
    ),
    (
        "load",
        "load a format that may carry code",
        "pickle.load pickle.loads pickle.Unpickler _pickle.* pandas.read_pickle joblib.load torch.load yaml.load "
        "yaml.load_all yaml.full_load yaml.unsafe_load yaml.unsafe_load_all dill.load dill.loads cloudpickle.load "
        "cloudpickle.loads jsonpickle.decode shelve.* tensorflow.keras.models.load_model keras.models.load_model "
        "tensorflow.saved_model.load torch.jit.load torch.hub.load pandas.read_xml lxml.* mlflow.* skops.io.load "
        "numpy.lib.format.read_array statsmodels.iolib.smpickle.load_pickle statsmodels.api.load networkx.read_gpickle",
    ),
    (
        "network",
        "reach the network",
        "requests.* urllib.request.* urllib.urlopen urllib.urlretrieve urllib3.* http.client.* http.server.* httpx.* "
        "aiohttp.* socket.* socketserver.* ssl.* ftplib.* smtplib.* poplib.* imaplib.* nntplib.* telnetlib.* xmlrpc.* "
        "websocket.* websockets.* paramiko.* fabric.* boto3.* botocore.* s3fs.* gcsfs.* fsspec.* google.* azure.* "
        "yfinance.* pandas_datareader.* huggingface_hub.* datasets.load_dataset tensorflow_hub.* tensorflow_datasets.* "
        "openai.* anthropic.* litellm.* webbrowser.* antigravity.* dns.* scapy.* pymongo.* redis.* psycopg.* psycopg2.* "
        "pymysql.* asyncio.open_connection asyncio.start_server asyncio.open_unix_connection seaborn.load_dataset "
        "pandas.read_gbq pandas.read_clipboard nltk.download tensorflow.keras.utils.get_file keras.utils.get_file "
        "sklearn.datasets.fetch_20newsgroups sklearn.datasets.fetch_california_housing sklearn.datasets.fetch_covtype "
        "sklearn.datasets.fetch_kddcup99 sklearn.datasets.fetch_lfw_pairs sklearn.datasets.fetch_lfw_people "
        "sklearn.datasets.fetch_olivetti_faces sklearn.datasets.fetch_openml sklearn.datasets.fetch_rcv1 "
        "sklearn.datasets.fetch_species_distributions sklearn.datasets.fetch_file statsmodels.datasets.get_rdataset "
        "statsmodels.api.datasets.get_rdataset wget.* gdown.* kaggle.* pooch.* torch.hub.* selenium.* playwright.* "
        "torch.distributed.* dask.distributed.* distributed.* ray.* pyspark.*",
    ),
    (
        "environment",
        "read or change the environment, with the keys that stand in it",
        "os.environ os.environb os.getenv os.getenvb os.putenv os.unsetenv os.chdir os.fchdir os.umask dotenv.* keyring.* "
        "getpass.* pwd.* grp.* spwd.* os.getlogin os.uname os.path.expandvars platform.node platform.uname decouple.* environ.*",
    ),
    (
        "interpreter",
        "reach into the running interpreter",
        "os.* sys.* gc.* atexit.* signal.* faulthandler.* inspect.currentframe inspect.stack inspect.trace "
        "inspect.getouterframes inspect.getinnerframes inspect.getclosurevars threading.settrace threading.setprofile "
        "threading.settrace_all_threads threading.setprofile_all_threads __main__.* resource.* importlib.reload imp.reload "
        "reload "
        "traceback.walk_stack traceback.walk_tb exit quit shutil.* "
        "weakref.finalize builtins.* sys.exit asyncio.get_event_loop asyncio.get_running_loop asyncio.all_tasks "
        "contextvars.copy_context site.* logging.setLoggerClass linecache.* unittest.mock.* mock.* codecs.register codecs.register_error",
    ),
    (
        "lookup",
        "look up what is only known when it runs",
        "inspect.getattr_static inspect.getmembers inspect.unwrap types.ModuleType",
    ),
    (
        "text",
        "hand text to a library that runs it as code",
        "typing.get_type_hints typing.ForwardRef inspect.get_annotations sympy.sympify sympy.parse_expr sympy.parsing.sympy_parser.* "
        "sympy.lambdify",
    ),
    ("secret", "reach your home folder", "pathlib.Path.home pathlib.Path.expanduser os.path.expanduser"),
    (
        "patch",
        "give a library's own objects other behaviour",
        "pandas.api.extensions.register_dataframe_accessor pandas.api.extensions.register_series_accessor "
        "pandas.api.extensions.register_index_accessor xarray.register_dataset_accessor xarray.register_dataarray_accessor "
        "polars.api.register_dataframe_namespace matplotlib.colormaps.register",
    ),
    (
        "browser",
        "show HTML or JavaScript, which runs where the notebook is read",
        "IPython.display.HTML IPython.display.Javascript IPython.display.IFrame IPython.display.display_html "
        "IPython.display.display_javascript IPython.display.publish_display_data IPython.display.ScribdDocument "
        "IPython.display.VimeoVideo IPython.display.YouTubeVideo IPython.core.display.HTML "
        "IPython.core.display.Javascript IPython.core.display.display_html",
    ),
    (
        "obscure",
        "decode text that no reader can read",
        "base64.b64decode base64.b32decode base64.b16decode base64.a85decode base64.b85decode base64.decodebytes "
        "base64.urlsafe_b64decode base64.standard_b64decode base64.decodestring binascii.a2b_base64 binascii.unhexlify "
        "binascii.a2b_hex bytes.fromhex bytearray.fromhex codecs.decode zlib.decompress",
    ),
    (
        None,
        "",
        "os.path os.path.* os.sep os.linesep os.name os.pathsep os.extsep os.altsep os.curdir os.pardir os.getcwd os.getcwdu "
        "os.fspath os.PathLike os.cpu_count os.devnull os.errno os.stat os.listdir os.scandir os.walk os.urandom "
        "os.get_terminal_size os.access os.getpid os.error os.times os.F_OK os.R_OK os.process_cpu_count "
        "sys.version sys.version_info sys.platform sys.maxsize sys.maxint sys.maxunicode sys.getsizeof sys.float_info "
        "sys.int_info sys.byteorder sys.executable sys.prefix sys.base_prefix sys.argv sys.exc_info sys.getrecursionlimit "
        "sys.setrecursionlimit sys.implementation sys.stdout sys.stderr sys.stdin sys.stdlib_module_names sys.intern "
        "sys.getdefaultencoding sys.hexversion sys.builtin_module_names sys.stdout.* sys.stderr.* sys.getrefcount "
        "sys.version_info.* sys.float_info.* sys.getfilesystemencoding sys.api_version sys.copyright "
        "shutil.disk_usage shutil.which shutil.get_terminal_size shutil.Error importlib.metadata.* importlib.resources.* "
        "importlib.util.find_spec subprocess.PIPE subprocess.DEVNULL subprocess.STDOUT subprocess.CalledProcessError "
        "subprocess.TimeoutExpired subprocess.CompletedProcess signal.Signals urllib.request.pathname2url "
        "urllib.request.url2pathname requests.exceptions requests.exceptions.* requests.codes requests.codes.* "
        "socket.timeout socket.error http.client.HTTPException tempfile.gettempdir ast.literal_eval ssl.SSLError",
    ),
)  # fmt: skip

SAME: Mapping[str, str] = {
    **{"imp": "importlib", "commands": "subprocess", "urllib2": "urllib.request", "httplib": "http.client"},
    **{"cPickle": "pickle", "_pickle": "pickle", "thread": "_thread", "_ctypes": "ctypes", "posix": "os", "nt": "os"},
    **{"posixpath": "os.path", "ntpath": "os.path", "_io": "io", "_socket": "socket", "_signal": "signal"},
    **{"tensorflow.python.keras": "keras", "tensorflow.keras": "keras", "__builtin__": "builtins"},
    **{"IPython.core.display_functions": "IPython.display", "_posixsubprocess": "subprocess"},
    **{"sklearn.externals.joblib": "joblib", "tensorflow.python": "tensorflow"},
}
"""Other names of one module: what moved there, and what stands behind it."""

PLAIN_MODULES = words(
    "__future__ abc argparse array ast base64 binascii bisect calendar cmath codecs collections colorsys "
    "configparser contextlib copy csv dataclasses datetime decimal difflib enum errno fnmatch fractions functools "
    "getopt glob graphlib gzip bz2 hashlib heapq hmac html importlib inspect io itertools json keyword locale "
    "logging lzma math numbers operator os pathlib pickle pprint queue random re secrets shutil sqlite3 stat "
    "statistics string struct sys tempfile textwrap time timeit tomllib traceback types typing typing_extensions "
    "unicodedata urllib uuid warnings weakref xml zipfile tarfile zlib zoneinfo platform builtins imp cPickle "
    "StringIO cStringIO Queue ConfigParser six joblib shelve marshal email this numpy pandas scipy matplotlib "
    "mpl_toolkits pylab seaborn sklearn statsmodels patsy plotly altair bokeh holoviews hvplot networkx sympy "
    "mpmath polars pyarrow fastparquet duckdb xarray dask geopandas shapely pyproj folium cartopy skimage cv2 PIL "
    "imageio nltk spacy gensim wordcloud tqdm tensorflow keras torch torchvision xgboost lightgbm catboost shap "
    "umap hdbscan missingno openpyxl xlrd xlsxwriter tabulate pytz dateutil numexpr bottleneck numba jax optuna "
    "lifelines prophet imblearn category_encoders squarify h5py tables netCDF4 yaml toml rich plotnine arch "
    "pmdarima sktime tslearn IPython cycler threadpoolctl packaging attr attrs pydantic"
)
"""Modules whose import alone says nothing: Python's own that only compute, or whose names are judged above, and those of
ordinary data science."""

CONVENTION: Mapping[str, str] = {
    **ALIASES,
    **{name: name for name in words("ctypes builtins inspect gc torch joblib yaml dill marshal h5py sqlite3")},
    **{name: name for name in words("zipfile tarfile gzip codecs atexit runpy pty cffi IPython keras webbrowser")},
    **{"tf": "tensorflow", "smf": "statsmodels.formula.api", "ne": "numexpr", "mp": "multiprocessing"},
    **{"Path": "pathlib.Path", "urlopen": "urllib.request.urlopen", "urlretrieve": "urllib.request.urlretrieve"},
    **{"HTML": "IPython.display.HTML", "Javascript": "IPython.display.Javascript"},
    **{"import_module": "importlib.import_module", "Popen": "subprocess.Popen", "b64decode": "base64.b64decode"},
}
"""Names that mean a module or its member by convention, where another cell may have imported them."""

LOOSE = words("requests socket time random string copy operator types signal calendar platform io")
"""Conventional names that are as often variables: for these, only what is plainly the module's counts."""
PLAINLY: Mapping[str, frozenset[str]] = {
    "requests": words("get post put patch delete request Session session"),
    "socket": words("socket create_connection create_server getaddrinfo gethostbyname socketpair fromfd"),
    "types": words("FunctionType CodeType ModuleType LambdaType"),
}

ROOTS = words(
    "os sys subprocess builtins shutil socket importlib ctypes pickle marshal gc inspect pty runpy posix "
    "webbrowser multiprocessing"
)
"""Modules that are the same wherever they are reached from: `random._os`, `pd.io.common.os`."""
CARRIED = ROOTS - {"pickle"}
"""Those that are told also where they are handed about as values."""

INSIDES = words(
    "__class__ __bases__ __base__ __mro__ __subclasses__ __globals__ __builtins__ __import__ __code__ __closure__ "
    "__getattribute__ __loader__ __spec__ __self__ __func__ __dict__ __reduce__ __reduce_ex__ __defaults__ "
    "__kwdefaults__ __wrapped__ f_globals f_locals f_back f_builtins f_code gi_frame gi_code cr_frame cr_code "
    "ag_frame ag_code tb_frame co_code mro func_globals func_code im_func im_self im_class __objclass__"
)
"""Attributes that lead from any object into the interpreter."""

WRITERS = words(
    "to_excel to_parquet to_pickle to_feather to_sql to_hdf to_stata to_orc to_gbq to_clipboard to_netcdf to_zarr "
    "to_file savefig write_text write_bytes write_image write_html write_json write_csv write_parquet write_ipc "
    "write_excel write_ndjson write_avro write_database sink_csv sink_parquet sink_ipc imsave imwrite tofile "
    "savetxt savez savez_compressed save_model save_weights save_pretrained mkdir makedirs touch extractall "
    "save_npz savemat to_disk save_word2vec_format print_figure print_png bulk_insert executescript"
)
"""Methods that write, whatever they are methods of."""
TEXT_WRITERS = words("to_csv to_json to_html to_string to_latex to_markdown to_xml to_parquet")
"""Methods that write where they are given a place, and return text otherwise."""
PLACES = words(

    "path_or_buf path_or_buffer buf buffer path excel_writer fname filename file filepath fp"
)
ALTERERS = words("symlink_to hardlink_to link_to lchmod chmod")
EXTENDERS = words("enable_load_extension load_extension")
DELETERS = words("unlink rmdir rmtree removedirs")
FETCHERS = words("from_pretrained get_rdataset load_from_url read_gbq push_to_hub urlopen urlretrieve")
LOADERS = words("read_hdf load_model read_pickle load_pickle unsafe_load torch_load read_xml")

READERS = words(
    "read_csv read_excel read_parquet read_json read_table read_feather read_html read_fwf read_sas read_spss "
    "read_stata read_orc read_text read_bytes loadtxt genfromtxt fromfile imread loadmat read_file"
)
OPENERS: Mapping[str, tuple[int, str]] = {
    **dict.fromkeys(["open", "io.open", "codecs.open", "gzip.open", "bz2.open", "lzma.open", "gzip.GzipFile"], (1, "r")),
    **dict.fromkeys(["bz2.BZ2File", "lzma.LZMAFile", "zipfile.ZipFile", "tarfile.open", "tarfile.TarFile"], (1, "r")),
    **{"numpy.memmap": (2, "r+"), "h5py.File": (1, "r"), "netCDF4.Dataset": (1, "r"), "io.FileIO": (1, "r")},
    **{"wave.open": (1, "r"), "tables.open_file": (1, "r"), "pandas.HDFStore": (1, "a"), "os.fdopen": (1, "r")},
}
"""Functions that open files: where the mode stands, and what it is where it is left out."""
TEXT_RUNNERS = words(
    "timeit.timeit timeit.repeat timeit.Timer cProfile.run cProfile.runctx profile.run profile.runctx pandas.eval "
    "numexpr.evaluate numexpr.re_evaluate numexpr.NumExpr"
)
"""Functions that run a text they are given: the text is read as code."""
FORMULA_RUNNERS = ("statsmodels.formula.api.", "patsy.dmatri", "patsy.dmatrix", "patsy.ModelDesc")
PLAIN_IN_FORMULAS = words(
    "C Q I center scale standardize bs cr cc te Treatment Sum Poly Helmert Diff Group bool abs log log2 log10 "
    "log1p exp sqrt power sin cos np.log np.log2 np.log10 np.log1p np.exp np.sqrt np.power np.abs np.square "
    "np.sin np.cos np.maximum np.minimum"
)
"""Functions that formulas of models call for ordinary reasons."""
BY_ITSELF = words(

    "__reduce__ __reduce_ex__ __del__ __setstate__ __getattr__ __getattribute__ __init_subclass__"
)
SHOWN = words(

    "_repr_html_ _repr_javascript_ _repr_svg_ _repr_mimebundle_ _ipython_display_ _repr_markdown_ _repr_latex_"
)
"""Methods that Python, or the front end, calls by itself."""
COMPARING = words("__eq__ __ne__ __bool__ __contains__ __lt__ __le__ __gt__ __ge__ equals isclose allclose")
"""Methods by which results are judged."""
ENDINGS = words("SystemExit KeyboardInterrupt GeneratorExit")
WITHOUT_END = words("itertools.count itertools.cycle itertools.repeat")
PICTURES = words("Image Audio Video")
SETTINGS = words("options rcParams config backends defaults settings style plotting display")
"""Parts of a library that are there to be set."""
