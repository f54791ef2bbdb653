"""The provisioner by itself, and its launcher."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import KernelProvisionerFactory

from jupyter_selfcode.plugins.sandboxes import launcher
from jupyter_selfcode.plugins.sandboxes.kernels import kernel_of, provisioned
from jupyter_selfcode.plugins.sandboxes.provisioner import PASSED_ON, LimitedProvisioner, scrubbed, secret
from jupyter_selfcode.values.notebook import Notebook

POLICY = {"memory": None, "processes": None, "file_size": 2**20}


def launch(code, **policy):
    arguments = [json.dumps({"parent": os.getpid(), **POLICY, **policy}), "--", sys.executable, "-c", code]
    return subprocess.run(
        [sys.executable, "-I", "-S", launcher.__file__, *arguments],
        capture_output=True, text=True, check=False, timeout=30, start_new_session=True,
    )  # fmt: skip


def test_only_what_is_on_the_list_and_looks_harmless_is_passed_on():
    given = {
        "PATH": "/bin", "LC_ALL": "C", "OMP_NUM_THREADS": "2", "PYTHONPATH": "/lib", "AWS_ACCESS_KEY_ID": "AKIA",
        "GITHUB_TOKEN": "x", "RANDOM": "1", "http_proxy": "http://user:hunter2@proxy:80", "https_proxy": "http://proxy",
        "JUPYTER_TOKEN": "t", "SSH_AUTH_SOCK": "/run/x", "DATABASE_URL": "postgres://u:p@h/d",
    }  # fmt: skip
    assert scrubbed(given) == {
        "PATH": "/bin", "LC_ALL": "C", "OMP_NUM_THREADS": "2", "PYTHONPATH": "/lib", "https_proxy": "http://proxy",
    }  # fmt: skip
    assert scrubbed(given, ["RANDOM", "DATABASE_URL", "GITHUB_TOKEN"]).keys() - scrubbed(given).keys() == {"RANDOM"}


def test_an_empty_environment_stays_empty():
    assert scrubbed({}) == {}


def test_no_name_on_the_list_looks_secret_itself():
    assert [name for name in PASSED_ON if secret(name, "1")] == []


def test_jupyter_finds_it_by_its_name():
    entry = KernelProvisionerFactory.instance().get_provisioner_entries()["selfcode-limited"]
    assert entry.endswith(":LimitedProvisioner")


async def test_any_kernel_spec_may_name_it_and_it_cleans_up_after_itself(root):
    name, spec = kernel_of(Notebook())
    spec = provisioned(spec, "selfcode-limited")
    spec.env = {"FROM_SPEC": "kept", "SPEC_API_KEY": "dropped-1"}
    kernels = AsyncKernelManager(kernel_name=name)
    kernels._kernel_spec = spec
    await kernels.start_kernel(stderr=subprocess.DEVNULL)
    client = kernels.client()
    client.start_channels()
    try:
        await client.wait_for_ready(timeout=30)
        assert isinstance(kernels.provisioner, LimitedProvisioner)
        request = client.execute("import os; print(os.environ.get('FROM_SPEC'), 'SPEC_API_KEY' in os.environ)")
        said = ""
        while "\n" not in said:
            message = await client.get_iopub_msg(timeout=10)
            if message["parent_header"].get("msg_id") == request:
                said += message["content"].get("text", "")
        assert said == "kept False\n"
        await kernels.interrupt_kernel()
        assert await kernels.is_alive()
    finally:
        client.stop_channels()
        await kernels.shutdown_kernel(now=True)
    assert [p for p in root.iterdir() if p.name.startswith("selfcode-")] == []


@pytest.mark.parametrize(
    ("code", "ends"),
    [
        ("pass", 0),
        ("raise SystemExit(9)", 9),
        ("import os; os.abort()", -6),
        ("import os; os.kill(os.getpid(), 9)", -9),
    ],
)
def test_the_launcher_ends_as_its_command_ended(code, ends):
    assert launch(code).returncode == ends


def test_the_limits_are_set_in_the_command():
    code = "import resource as r; print([r.getrlimit(k)[0] for k in (r.RLIMIT_CORE, r.RLIMIT_FSIZE, r.RLIMIT_AS)])"
    assert json.loads(launch(code, memory=2**30).stdout) == [0, 2**20, 2**30 + launcher.RESERVE]


def test_a_file_beyond_the_limit_is_refused_to_it(tmp_path):
    done = launch(
        f"open({str(tmp_path / 'f')!r}, 'wb', buffering=0).write(b'x' * 2**21); print('wrote')", file_size=1000
    )
    assert (tmp_path / "f").stat().st_size <= 1000
    assert done.returncode == 0
    assert "wrote" in done.stdout or "File too large" in done.stderr


def test_memory_and_processes_beyond_their_limits_have_codes_of_their_own():
    assert launch("x = bytearray(2**28); import time; time.sleep(20)", memory=2**27).returncode == launcher.MEMORY
    many = "import subprocess, time; p = [subprocess.Popen(['sleep', '20']) for _ in range(20)]; time.sleep(20)"
    assert launch(many, processes=10).returncode == launcher.PROCESSES


def test_pages_that_workers_share_count_once():
    code = (
        "import os, time\nx = bytearray(os.urandom(1024)) * (100 * 1024)\n"
        "pids = [os.fork() for _ in range(1)]\n"
        "if os.fork() == 0 or 0 in pids:\n    time.sleep(0.6); os._exit(0)\n"
        "time.sleep(0.6)"
    )
    assert launch(code, memory=180 * 2**20).returncode == 0


def test_a_command_that_is_not_there_is_said():
    done = subprocess.run(
        [sys.executable, "-I", "-S", launcher.__file__, json.dumps({"parent": os.getpid(), **POLICY}), "--", "/no/such"],
        capture_output=True, text=True, check=False, start_new_session=True,
    )  # fmt: skip
    assert done.returncode == launcher.NOT_STARTED
    assert done.stderr.startswith("/no/such: ")


def test_a_launcher_whose_caller_is_not_its_parent_starts_nothing():
    assert launch("print('ran')", parent=1).stdout == ""


def test_interrupts_reach_the_command_and_not_the_launcher():
    code = "import time\nprint('up', flush=True)\ntry:\n    time.sleep(20)\nexcept KeyboardInterrupt:\n    print('interrupted')"
    arguments = [json.dumps({"parent": os.getpid(), **POLICY}), "--", sys.executable, "-c", code]
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", launcher.__file__, *arguments], stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    process.send_signal(2)
    assert process.stdout.readline() == b"interrupted\n"
    assert process.wait(timeout=10) == 0
