"""What honest notebooks do goes on in the cage: a cage that nothing works in would stop every attack as well."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jupyter_selfcode.plugins.sandboxes.plan import CONTAINED, Contained
from tests.attacks.arena import Arena
from tests.attacks.users import ROOT, User

SHARED = "import multiprocessing as mp\nwith mp.get_context('fork').Pool(2) as p:\n    assert p.map(abs, [-1, -2]) == [1, 2]"
"""Needs shared memory: in tier B it is the user's own, and so refused to all but a user who is nobody else."""

HONEST = {
    "files": "import pandas as pd\nassert list(pd.read_csv('data.csv')['a']) == [1, 3]\nopen('new.txt', 'w').write('mine')\n"
    "import helpers, tempfile\nassert helpers.ANSWER == 42\nwith tempfile.NamedTemporaryFile() as f:\n    f.write(b'x')\n"
    "with open('/dev/null', 'w') as f:\n    f.write('x')",
    "shell": "out = !echo from the shell | tr a-z A-Z\nassert out == ['FROM THE SHELL'], out\nsubprocess.run(['ls', '-l'], check=True)",
    "copies": "import shutil\nshutil.copytree('sub', 'copy')\nos.chmod('copy/more.txt', 0o600)\nshutil.rmtree('copy')",
    "learning": "from sklearn.datasets import load_iris\nfrom sklearn.ensemble import RandomForestClassifier\n"
    "x, y = load_iris(return_X_y=True)\nassert RandomForestClassifier(20, n_jobs=2, random_state=0).fit(x, y).score(x, y) > .9",
    "pools": "from joblib import Parallel, delayed\nassert Parallel(2)(delayed(pow)(n, 2) for n in range(4)) == [0, 1, 4, 9]",
    "asynchronous": "import asyncio\np = await asyncio.create_subprocess_exec('true')\nassert await p.wait() == 0\nawait asyncio.sleep(0)",
    "database": "import sqlite3\ndb = sqlite3.connect('x.db')\ndb.execute('create table t (a)')\ndb.execute('insert into t values (1)')\n"
    "db.commit()\nassert db.execute('select a from t').fetchall() == [(1,)]\ndb.close()",
    "figures": "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.savefig('f.png')\nplt.show()",
    "numbers": "import numpy as np\na = np.random.default_rng(0).random((300, 300))\nassert np.allclose(a @ np.linalg.inv(a), np.eye(300))\n"
    "m = np.memmap('m.bin', mode='w+', shape=10)\nm[:] = 1\nm.flush()",
}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", HONEST)
@pytest.mark.parametrize("tier", CONTAINED)
def test_it_works_in_the_cage(arenas: Callable[[User], Arena], user: User, tier: Contained, name: str):
    arena = arenas(user)
    if reason := arena.why_no_cage(tier):
        pytest.skip(f"tier {tier} is not there for the {user.name} user: {reason}")
    order = {"folder": str(arena.world.folder), "facts": arena.world.facts, "limits": {}}
    before = arena.world.snapshot()
    answer = arena.driver(tier).order(cells=[HONEST[name]], **order, fresh=name == "files")
    assert answer["statuses"] == ["ok"], answer["text"]
    assert arena.world.changed(before, arena.world.snapshot()) == []


@pytest.mark.parametrize("tier", CONTAINED)
def test_a_pool_of_processes_works_where_shared_memory_is_its_own(
    arenas: Callable[[User], Arena], user: User, tier: Contained
):
    arena = arenas(user)
    if reason := arena.why_no_cage(tier):
        pytest.skip(f"tier {tier} is not there for the {user.name} user: {reason}")
    facts = arena.world.facts
    answer = arena.driver(tier).order(cells=[SHARED], folder=str(arena.world.folder), facts=facts, limits={}, fresh=True)
    if tier == "B" and user != ROOT:
        assert answer["enames"] == ["PermissionError"]
    else:
        assert answer["statuses"] == ["ok"], answer["text"]
