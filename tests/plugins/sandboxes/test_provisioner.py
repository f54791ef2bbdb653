"""The provisioner by itself."""

from __future__ import annotations

import os
import signal
import subprocess

from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import KernelProvisionerFactory

from jupyter_selfcode.plugins.sandboxes import provisioner
from jupyter_selfcode.plugins.sandboxes.kernels import kernel_of, provisioned
from jupyter_selfcode.plugins.sandboxes.provisioner import PASSED_ON, LimitedProvisioner, scrubbed, secret
from jupyter_selfcode.values.notebook import Notebook


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


async def test_where_the_launcher_gets_no_time_to_end_the_tree_nobody_of_it_goes_on(root, left, monkeypatch):
    for name in ("STOP_SECONDS", "HELPED_SECONDS"):
        monkeypatch.setattr(provisioner, name, 0.3)
    name, spec = kernel_of(Notebook())
    kernels = AsyncKernelManager(kernel_name=name)
    kernels._kernel_spec = provisioned(spec, "selfcode-limited")
    await kernels.start_kernel(stderr=subprocess.DEVNULL)
    client = kernels.client()
    client.start_channels()
    try:
        await client.wait_for_ready(timeout=30)
        request = client.execute(f"import subprocess\nchild = subprocess.Popen(['sleep', '300.{os.getpid()}'])")
        while (await client.get_shell_msg(timeout=10))["parent_header"].get("msg_id") != request:
            pass
        assert any("sleep" in said for said in left())
        kernels.provisioner.process.send_signal(signal.SIGSTOP)
    finally:
        client.stop_channels()
        await kernels.shutdown_kernel(now=True)
    assert [said for said in left() if "sleep" in said] == []
