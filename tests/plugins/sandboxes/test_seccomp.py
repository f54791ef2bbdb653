"""The filter says what it was asked for: run here by a small interpreter of its instructions, over all calls and arguments."""

from __future__ import annotations

import errno
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_selfcode.plugins.sandboxes import seccomp
from jupyter_selfcode.plugins.sandboxes.seccomp import (
    ALLOW,
    AUDIT_ARCH,
    KILL,
    NUMBERS,
    PRETENDED,
    REFUSED,
    program,
    refuse,
)

MACHINES = tuple(AUDIT_ARCH)
CALLS = {m: {name: n[i] for name, n in NUMBERS.items() if n[i] is not None} for i, m in enumerate(MACHINES)}


def judged(code: bytes, number: int, arguments: tuple[int, ...] = (), arch: int = AUDIT_ARCH["x86_64"]) -> int:
    """What the kernel would do with this call: classic BPF, as far as the filter uses it (seccomp(2))."""
    data = struct.pack("<IIQ6Q", number, arch, 0, *(*arguments, *[0] * 6)[:6])
    instructions = [struct.unpack_from("=HBBI", code, at) for at in range(0, len(code), 8)]
    at = value = 0
    while True:
        kind, yes, no, k = instructions[at]
        at += 1
        if kind == 0x06:
            return k
        if kind == 0x20:
            value = struct.unpack_from("<I", data, k)[0]
        elif kind == 0x54:
            value &= k
        elif kind == 0x05:
            at += k
        else:
            holds = {0x15: value == k, 0x25: value > k, 0x35: value >= k, 0x45: bool(value & k)}[kind]
            at += yes if holds else no


@pytest.fixture(params=MACHINES)
def machine(request):
    return request.param


def ask(machine, name, *arguments, **given):
    code = program(machine=machine, **{"namespaces": True, **given})
    return judged(code, CALLS[machine][name], arguments, AUDIT_ARCH[machine])


@pytest.mark.parametrize("namespaces", [True, False])
def test_what_is_refused_is_refused_whatever_its_arguments(machine, namespaces):
    for name in (n for n in REFUSED if n in CALLS[machine]):
        for arguments in ((), (2**64 - 1,) * 6):
            assert ask(machine, name, *arguments, namespaces=namespaces) == refuse(errno.EPERM), name


def test_files_and_processes_of_the_user_cannot_be_changed_where_no_namespace_keeps_them_apart(machine):
    for name in (n for n in PRETENDED if n in CALLS[machine]):
        assert ask(machine, name, namespaces=False) == refuse(0), name
        assert ask(machine, name, namespaces=True) == ALLOW, name


def test_connecting_is_refused_outright_unless_the_network_was_granted(machine):
    assert ask(machine, "connect", 3, 0) == refuse(errno.EPERM)
    assert ask(machine, "connect", 3, 0, network=True) == ALLOW


@pytest.mark.parametrize("network", [True, False])
def test_sockets_are_unix_streams_and_with_the_network_internet_ones(machine, network):
    def made(*arguments):
        return ask(machine, "socket", *arguments, network=network)

    assert made(seccomp.AF_UNIX, 1) == ALLOW
    assert made(seccomp.AF_UNIX, 1 | 0o2000000) == ALLOW  # with SOCK_CLOEXEC
    assert made(seccomp.AF_UNIX, 2) == refuse(errno.EPERM)
    assert made(seccomp.AF_UNIX, 2 | 0o2004000) == refuse(errno.EPERM)  # a datagram whatever flags it has
    assert made(seccomp.AF_UNIX, 3) == refuse(errno.EPERM)  # raw: the kernel makes it one of datagrams
    assert made(seccomp.AF_UNIX, 5) == ALLOW
    assert made(seccomp.AF_NETLINK, 3) == refuse(errno.EOPNOTSUPP)
    for domain in (17, 21, 29, 31, 38, 40, 44):  # packet, rds, can, bluetooth, alg, vsock, xdp
        assert made(domain, 1) == refuse(errno.EAFNOSUPPORT)
    for domain in (seccomp.AF_INET, seccomp.AF_INET6):
        assert made(domain, 1) == (ALLOW if network else refuse(errno.EAFNOSUPPORT))


def test_pairs_are_never_datagrams(machine):
    assert ask(machine, "socketpair", 1, 1) == ALLOW
    assert ask(machine, "socketpair", 1, 2) == ask(machine, "socketpair", 1, 3) == refuse(errno.EPERM)


@given(flags=st.integers(0, 2**64 - 1))
def test_no_combination_of_flags_makes_a_namespace(flags):
    made = ask("x86_64", "clone", flags)
    assert made == (refuse(errno.EPERM) if flags & seccomp.NEW_NAMESPACES else ALLOW)
    assert ask("x86_64", "clone3", flags) == refuse(errno.ENOSYS)


def test_threads_and_children_can_be_made(machine):
    for flags in (0x3D0F00, 0x1200011, 17):  # a thread of glibc, a fork, vfork
        assert ask(machine, "clone", flags) == ALLOW


def test_a_process_sets_its_own_limits_only_and_types_into_no_terminal(machine):
    assert ask(machine, "prlimit64", 0) == ALLOW
    assert ask(machine, "prlimit64", 1234) == refuse(errno.EPERM)
    assert ask(machine, "ioctl", 0, seccomp.TIOCSTI) == refuse(errno.EPERM)
    assert ask(machine, "ioctl", 0, seccomp.TIOCLINUX) == refuse(errno.EPERM)
    assert ask(machine, "ioctl", 0, 0x5401) == ALLOW


def test_what_changes_a_file_that_was_opened_for_reading_is_unknown_where_no_mount_protects_it(machine):
    for request in (0x40086602, 0x401C5820, 0x40087602, 0x50009401):  # flags, attributes, version, subvolume
        assert ask(machine, "ioctl", 0, request, namespaces=False) == refuse(errno.ENOTTY)
        assert ask(machine, "ioctl", 0, request, namespaces=True) == ALLOW
    for request in (0x5401, 0x541B, 0x5421):  # of terminals and sockets
        assert ask(machine, "ioctl", 0, request, namespaces=False) == ALLOW


def test_another_architecture_is_ended_and_the_x32_way_refused():
    code = program(namespaces=True, machine="x86_64")
    assert judged(code, 0, arch=0x40000003) == KILL
    assert judged(code, 0x40000000 | 42) == refuse(errno.EPERM)


@given(number=st.integers(0, 2**32 - 1), arguments=st.tuples(*[st.integers(0, 2**64 - 1)] * 6))
def test_every_call_has_an_answer_and_what_is_unknown_is_refused(number, arguments):
    for namespaces in (True, False):
        answer = judged(program(namespaces=namespaces, machine="x86_64"), number, arguments)
        assert answer in (ALLOW, *(refuse(e) for e in (0, 1, 38, 95, 97)))
        if number > seccomp.NEWEST:
            assert answer != ALLOW


def test_a_machine_whose_numbers_are_not_known_gets_no_filter():
    assert not seccomp.known("riscv64")
    with pytest.raises(KeyError):
        program(namespaces=True, machine="riscv64")
