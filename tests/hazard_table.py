"""What has to survive a copy of a kernel, and what has to keep one from being made: a cell above, and one that is changed.

Rows whose libraries are not there are skipped, and say so; benchmarks/bench_hazards.py prints a line for each.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """`fresh`: a word of the reason why no copy is made; empty where a copy has to give what a fresh kernel gives. `needs`:
    libraries that may not be there; `heavy`: its own import takes long."""

    above: str
    changed: str
    fresh: str = ""
    needs: tuple[str, ...] = ()
    heavy: bool = False


FITTED = (
    "import numpy as np\nfrom {} import {} as M\nX = np.arange(4000.).reshape(-1, 2) % 97; y = X[:, 0] * 2\n"
    "m = M({}).fit(X, y); a = m.predict(X[:3])"
)
AGAIN = "bool(np.allclose(M({}).fit(X, y).predict(X[:3]), a)), m.predict(X[:3]).tolist()"

SURVIVES = {
    "numpy": Row(
        "import numpy as np\na = np.random.default_rng(0).random((300, 300)); b = a @ a", "float((a @ a - b).sum())"
    ),
    "numpy's random state": Row("import numpy as np\nnp.random.seed(3); g = np.random.default_rng(5)", "np.random.rand(), g.random()"),
    "Python's random state": Row("import random\nrandom.seed(3); first = random.random()", "random.random()"),
    "OpenMP, used before": Row(
        FITTED.format("sklearn.ensemble", "HistGradientBoostingRegressor", "max_iter=5"), AGAIN.format("max_iter=5"), heavy=True
    ),
    "OpenMP, KMeans": Row(
        FITTED.format("sklearn.cluster", "KMeans", "3, n_init=1, random_state=0"), AGAIN.format("3, n_init=1, random_state=0"),
        heavy=True,
    ),
    "threads of joblib, a forest": Row(
        FITTED.format("sklearn.ensemble", "RandomForestRegressor", "5, n_jobs=2, random_state=0"),
        AGAIN.format("5, n_jobs=2, random_state=0"), heavy=True,
    ),
    "processes of joblib, alive": Row(
        "from joblib import Parallel, delayed\nr = Parallel(n_jobs=2)(delayed(abs)(-n) for n in range(3))",
        "Parallel(n_jobs=2)(delayed(abs)(-n) for n in range(4))", heavy=True,
    ),
    "a finished thread pool": Row(
        "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor(2) as p: r = list(p.map(abs, [-1]))", "r"
    ),
    "a pool of processes made in the copy": Row(
        "import multiprocessing as mp", "with mp.get_context('fork').Pool(2) as p: r = p.map(abs, [-1, -2])\nr", heavy=True
    ),
    "a database in memory": Row(
        "import sqlite3\ndb = sqlite3.connect(':memory:'); _ = db.execute('create table t as select 7 as n')",
        "db.execute('select n from t').fetchone()",
    ),
    "an asyncio task": Row(
        "import asyncio\nasync def f():\n    await asyncio.sleep(.05)\n    return 5\nt = asyncio.ensure_future(f())", "await t"
    ),
    "a figure": Row("import matplotlib.pyplot as plt\nfig, ax = plt.subplots(); plt.close(fig)", "len(ax.plot([1, 2]))", heavy=True),
    "a file open to be read": Row("f = open('data'); head = f.read(1)", "f.read(1)"),
    "a file open to be read, without a buffer": Row("f = open('data', 'rb', buffering=0); head = f.read(1)", "f.read(1)"),
    "a temporary folder": Row(
        "import tempfile, os\nd = tempfile.TemporaryDirectory()\n_ = open(d.name + '/f', 'w').write('x')",
        "os.listdir(d.name)",
    ),
    "other programs": Row("import subprocess\nr = subprocess.run(['echo', 'a'], capture_output=True).stdout", "!echo b\nr"),
    "logging": Row("import logging\nlog = logging.getLogger('a'); log.warning('x')", "log.warning('y')"),
    "a requests session without a connection": Row("import requests\ns = requests.Session()", "len(s.adapters)", heavy=True),
    "a progress bar and its thread": Row(
        "from tqdm import tqdm\nimport sys\nn = sum(tqdm(range(3), file=sys.stderr))", "sum(tqdm(range(4), file=sys.stderr))"
    ),
    "a thread that has ended": Row("import threading\nt = threading.Thread(target=abs, args=(1,)); t.start(); t.join()", "t.is_alive()"),
    "pyarrow": Row(
        "import pyarrow as pa, pyarrow.compute as pc, pyarrow.parquet as pq\nt = pa.table({'a': list(range(100000))}); s = pc.sum(t['a'])\n"
        "b = pa.BufferOutputStream(); pq.write_table(t, b)",
        "pc.sum(t['a']) == s, pq.read_table(pa.BufferReader(b.getvalue())).num_rows", needs=("pyarrow",),
    ),
    "LightGBM": Row(
        FITTED.format("lightgbm", "LGBMRegressor", "n_estimators=5, verbose=-1"), AGAIN.format("n_estimators=5, verbose=-1"),
        needs=("lightgbm",),
    ),
    "XGBoost": Row(FITTED.format("xgboost", "XGBRegressor", "n_estimators=5"), AGAIN.format("n_estimators=5"), needs=("xgboost",)),
    "torch": Row(
        "import torch\na = torch.ones(500, 500, requires_grad=True); (a @ a).sum().backward()", "float((a @ a).sum())",
        needs=("torch",),
    ),
    "loky": Row(
        "from loky import get_reusable_executor as g\nr = list(g(2).map(abs, [-1]))", "list(g(2).map(abs, [-2]))", needs=("loky",)
    ),
}

REFUSED = {
    "a thread of the user": Row(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()", "0", "threads are alive"
    ),
    "a lock that another thread holds": Row(
        "import threading, time\nlock = threading.Lock()\ndef hold():\n    with lock: time.sleep(60)\n"
        "threading.Thread(target=hold, daemon=True).start()", "lock.locked()", "threads are alive",
    ),
    "a thread that Python does not list": Row("import _thread, time\n_ = _thread.start_new_thread(time.sleep, (60,))", "0", "no rule knows"),
    "a live thread pool": Row(
        "from concurrent.futures import ThreadPoolExecutor\npool = ThreadPoolExecutor(1)\npool.submit(int).result()", "0", "threads are alive"
    ),
    "a live pool of processes": Row(
        "from concurrent.futures import ProcessPoolExecutor\nimport multiprocessing as mp\n"
        "pool = ProcessPoolExecutor(1, mp_context=mp.get_context('fork')); pool.submit(int).result()", "0", "alive",
    ),
    "a live pool of multiprocessing": Row("import multiprocessing\npool = multiprocessing.get_context('fork').Pool(1)", "0", "alive"),
    "a child process": Row("import subprocess\nchild = subprocess.Popen(['sleep', '60'])", "child.poll() is None", "process"),
    "a connection": Row("import socket\npair = socket.socketpair()", "0", "a connection is open"),
    "a file open to be written": Row("f = open('log', 'w')", "0", "open to be written (log)"),
    "a database in a file": Row(
        "import sqlite3\ndb = sqlite3.connect('d.sqlite'); _ = db.execute('create table t (n)'); db.commit()", "0", "open to be written"
    ),
    "memory shared with others": Row("import mmap\nshared = mmap.mmap(-1, 4096)", "0", "memory is shared"),
    "a file mapped to be written": Row(
        "import numpy as np\nm = np.memmap('m', mode='w+', shape=(4,)); m[0] = 1", "int(m[0])", "open to be written (m)"
    ),
    "polars, used": Row("import polars as pl\nn = pl.DataFrame({'a': range(100000)}).select(pl.col('a').sum()).item()", "n", "polars", needs=("polars",)),
    "numba in parallel": Row(
        "import numba, numpy as np\n@numba.njit(parallel=True)\ndef f(n):\n    t = 0\n    for i in numba.prange(n):\n"
        "        t += i\n    return t\nn = f(100)", "n", "numba", needs=("numba",),
    ),
    "duckdb in memory": Row(
        "import duckdb\nd = duckdb.connect(); _ = d.execute('create table t as select range n from range(200000)')",
        "d.execute('select sum(n) from t').fetchone()", "no rule knows", needs=("duckdb",),
    ),
    "a torch loader at work": Row(
        "import torch  # what the workers give are numbers: tensors go over a connection, which no cage allows\n"
        "l = iter(torch.utils.data.DataLoader(list(range(9)), num_workers=1, collate_fn=list)); _ = next(l)", "0", "alive",
        needs=("torch",), heavy=True,
    ),
}
