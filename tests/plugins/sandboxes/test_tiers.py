"""Which cage this machine gives is found by running it, and what goes wrong means that there is none."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_selfcode.plugins.sandboxes import bubblewrap, cage, landlock, tiers
from jupyter_selfcode.plugins.sandboxes.contained import ContainedSandbox
from jupyter_selfcode.plugins.sandboxes.plan import Cage
from jupyter_selfcode.protocols import Limits
from jupyter_selfcode.values.errors import KernelUnavailable
from jupyter_selfcode.values.notebook import Notebook


def _forget(root):
    tiers.probe.cache_clear()
    for remembered in root.glob("*/tier-*"):
        remembered.unlink()


@pytest.fixture
def afresh(root, monkeypatch, caged):
    """No memory of earlier tests of this machine, in this process or in files."""
    caged("A")
    caged("B")
    _forget(root)
    yield monkeypatch
    tiers.probe.cache_clear()


def test_both_cages_close_on_this_machine(afresh):
    assert tiers.probe().reasons == {"A": "", "B": ""}
    assert (tiers.choose(), tiers.choose("B"), tiers.choose(network=True)) == ("A", "B", "A")


def test_what_passed_is_remembered_and_what_failed_is_tried_again(afresh, root):
    tiers.probe()
    tiers.probe.cache_clear()
    afresh.setattr(tiers, "_test", lambda *_: "it was run again")
    assert tiers.probe().reasons == {"A": "", "B": ""}
    _forget(root)
    assert tiers.probe().reasons == {"A": "it was run again", "B": "it was run again"}
    afresh.undo()
    tiers.probe.cache_clear()
    assert tiers.probe().best == "A"


@pytest.mark.parametrize(
    ("place", "found", "reasons"),
    [
        (bubblewrap, ("find", lambda: ("", "bubblewrap is not installed")), {"A": "bubblewrap is not installed", "B": ""}),
        (landlock, ("abi", lambda: 5), {"A": "", "B": "Landlock ABI 5, and 6 is needed"}),
        (landlock, ("abi", lambda: 0), {"A": "this system has no Landlock", "B": "this system has no Landlock"}),
    ],
    ids=["no bubblewrap", "an older Landlock", "no Landlock"],
)
def test_a_tier_falls_visibly_where_a_part_of_it_is_missing(afresh, place, found, reasons):
    afresh.setattr(place, *found)
    assert tiers.probe().reasons == reasons


def test_a_bubblewrap_that_cannot_make_namespaces_is_no_tier(afresh):
    afresh.setattr(bubblewrap, "find", lambda: ("/usr/bin/false", ""))
    assert tiers.probe().reasons["A"] == "exit code 1"
    assert tiers.choose() == "B"


def test_a_program_in_the_place_of_bubblewrap_that_lets_everything_through_is_found_out(afresh, tmp_path):
    """The self-test looks from inside: a wrapper that only runs the command gives no namespaces, so the kernel's own look
    and the attempts tell."""
    fake = tmp_path / "bwrap"
    fake.write_text('#!/bin/sh\nwhile [ "$1" != "--" ]; do shift; done\nshift\nexec "$@"\n')
    fake.chmod(0o755)
    afresh.setattr(bubblewrap, "find", lambda: (str(fake), ""))
    assert tiers.probe().reasons["A"]
    assert tiers.choose() == "B"


@pytest.mark.parametrize("left_out", ["landlock", "seccomp"])
def test_a_cage_with_a_hole_does_not_pass_its_self_test(afresh, left_out):
    whole = Cage.policy

    def with_a_hole(self):
        policy = whole(self)
        if left_out == "seccomp":
            return policy | {"seccomp": "0600000000" + "00ff7f"}  # one instruction: allow
        return policy | {"landlock": {**policy["landlock"], "allowed": [("/", policy["landlock"]["files"])]}}

    afresh.setattr(Cage, "policy", with_a_hole)
    assert "got through" in tiers.probe().reasons["B"]


def test_bubblewrap_is_taken_from_the_system_only_never_from_path(afresh, tmp_path, monkeypatch):
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin")
    monkeypatch.chdir(tmp_path)
    assert bubblewrap.find()[0] == "/usr/bin/bwrap"
    afresh.setattr(bubblewrap, "PLACES", (str(fake),))
    fake.chmod(0o777)
    assert "others may write" in bubblewrap.find()[1]


async def test_nothing_is_tried_where_no_cage_can_be_had_unless_a_person_names_tier_c(afresh, tmp_path):
    afresh.setattr(landlock, "abi", lambda: 0)
    none = ContainedSandbox()
    assert (none.tier, none.name) == (None, "none")
    assert "no Landlock" in none.promise
    with pytest.raises(KernelUnavailable, match=r"SelfCode\.sandbox = 'C'"):
        async with none.open(Notebook(), tmp_path, Limits()):
            pass
    assert ContainedSandbox("C").tier == "C"


@pytest.mark.parametrize(("wanted", "given"), [("A", {"network": True}), ("B", {}), ("auto", {})])
def test_a_tier_that_is_wanted_by_name_is_given_or_refused(afresh, wanted, given):
    assert tiers.choose(wanted, **given) == ("B" if wanted == "B" else "A")
    with pytest.raises(RuntimeError, match="in tier A only"):
        tiers.choose("B", network=True)


def test_root_gets_no_other_tier_than_b_without_becoming_somebody_else(afresh):
    afresh.setattr(tiers.os, "geteuid", lambda: 0)
    assert tiers.choose("auto", as_root=True) == "B"
    with pytest.raises(RuntimeError, match="only tier B"):
        tiers.choose("A", as_root=True)
    with pytest.raises(RuntimeError, match="only tier B"):
        tiers.choose("auto", as_root=True, network=True)


def test_a_root_without_the_rights_to_become_somebody_else_is_refused_with_what_it_lacks(afresh):
    afresh.setattr(tiers.os, "geteuid", lambda: 0)
    afresh.setattr(tiers, "_capabilities", lambda: ~(1 << 7))
    assert tiers.probe().reasons["A"] == "root lacks the rights to become somebody else: CAP_SETUID"


def test_the_promises_say_first_what_a_person_has_allowed(afresh):
    assert tiers.promise("A") == tiers.PROMISES["A"]
    assert tiers.promise("A", network=True).startswith("You allowed it the network")
    assert tiers.promise("B", as_root=True).startswith("You allowed it to run as root")


def test_the_cage_runs_nothing_where_it_cannot_be_closed(tmp_path):
    policy = {"limits": {}, "landlock": {"files": 2**40, "network": 0, "scope": 0, "allowed": []}, "seccomp": ""}
    (tmp_path / "policy.json").write_text(json.dumps(policy))
    mark = tmp_path / "ran"
    command = [sys.executable, "-I", "-S", cage.__file__, str(tmp_path / "policy.json"), "--", "touch", str(mark)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == cage.NOT_CAGED
    assert "the cage could not be closed: landlock_create_ruleset" in done.stderr
    assert not mark.exists()


def test_a_process_with_threads_is_not_caged(tmp_path):
    code = (
        f"import sys, threading; sys.path.insert(0, {str(Path(cage.__file__).parent)!r}); import cage\n"
        "threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
        "try:\n    cage.tighten({})\nexcept cage.NotCaged as e:\n    print(e)\n"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False, timeout=20)
    assert done.stdout == "2 threads run already, and would stay outside\n"
