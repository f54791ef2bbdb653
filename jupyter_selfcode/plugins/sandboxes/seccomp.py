"""Which system calls a candidate may make: a seccomp filter, assembled here, since no kept library on PyPI does it without
a C library of the system (pyseccomp of 2021 needs libseccomp). Pure: a policy in, the bytes of the program out.

A Jupyter kernel only ever listens, so `connect` can be refused outright: that is what makes a cage without namespaces
possible, for Landlock stops connecting to Unix sockets in the file system (D-Bus, docker, ssh-agent) from ABI 9 on only.

Refusals are chosen so that libraries go on, each found by trying: AF_NETLINK must give EOPNOTSUPP (libzmq aborts at EPERM),
`clone3` ENOSYS (glibc then uses `clone`, whose flags a filter can read), and what changes owners, modes and times *pretends
to succeed* where no mount protects the user's files: `copystat` and `touch` are called by honest code, which ignores them.
"""

from __future__ import annotations

import errno
import platform
import struct
from collections.abc import Iterable, Sequence

AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""AUDIT_ARCH_* of <linux/audit.h>, for the machines whose numbers are known here. (aarch64 was not tried.)"""

# fmt: off
NUMBERS: dict[str, tuple[int | None, int | None]] = {
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "pidfd_getfd": (438, 438), "process_madvise": (440, 440), "process_mrelease": (448, 448),
    "migrate_pages": (256, 238), "move_pages": (279, 239), "personality": (135, 92), "vmsplice": (278, 75),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "bpf": (321, 280),
    "perf_event_open": (298, 241), "userfaultfd": (323, 282), "fanotify_init": (300, 262), "lookup_dcookie": (212, 18),
    "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218), "syslog": (103, 116),
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "init_module": (175, 105), "finit_module": (313, 273),
    "delete_module": (176, 106), "open_by_handle_at": (304, 265), "swapon": (167, 224), "swapoff": (168, 225),
    "reboot": (169, 142), "acct": (163, 89), "quotactl": (179, 60), "quotactl_fd": (443, 443),
    "settimeofday": (164, 170), "clock_settime": (227, 112), "adjtimex": (159, 171), "clock_adjtime": (305, 266),
    "sethostname": (170, 161), "setdomainname": (171, 162), "vhangup": (153, 58),
    "iopl": (172, None), "ioperm": (173, None), "modify_ldt": (154, None), "uselib": (134, None),
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41),
    "chroot": (161, 51), "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433),
    "move_mount": (429, 429), "open_tree": (428, 428), "mount_setattr": (442, 442),
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "clone": (56, 220), "clone3": (435, 435),
    "connect": (42, 203), "socket": (41, 198), "socketpair": (53, 199), "ioctl": (16, 29), "prlimit64": (302, 261),
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452), "chown": (92, None),
    "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54), "utime": (132, None), "utimes": (235, None),
    "futimesat": (261, None), "utimensat": (280, 88), "setsid": (112, 157), "setpgid": (109, 154),
    "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7), "removexattr": (197, 14),
    "lremovexattr": (198, 15), "fremovexattr": (199, 16),
    "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195), "msgget": (68, 186), "msgsnd": (69, 189),
    "msgrcv": (70, 188), "msgctl": (71, 187), "semget": (64, 190), "semop": (65, 193), "semtimedop": (220, 192),
    "semctl": (66, 191), "mq_open": (240, 180), "mq_unlink": (241, 181),
    "setpriority": (141, 140), "ioprio_set": (251, 30), "sched_setaffinity": (203, 122), "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119), "sched_setattr": (314, 274),
}
"""Numbers of the system calls named here, on x86_64 and aarch64 (None: it has none): <asm/unistd_64.h>, <asm-generic/unistd.h>."""

REFUSED = (
    "ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_getfd", "process_madvise", "process_mrelease",
    "migrate_pages", "move_pages", "personality", "vmsplice", "io_uring_setup", "io_uring_enter", "io_uring_register",
    "bpf", "perf_event_open", "userfaultfd", "fanotify_init", "lookup_dcookie", "keyctl", "add_key", "request_key",
    "syslog", "kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "open_by_handle_at",
    "swapon", "swapoff", "reboot", "acct", "quotactl", "quotactl_fd", "settimeofday", "clock_settime", "adjtimex",
    "clock_adjtime", "sethostname", "setdomainname", "vhangup", "iopl", "ioperm", "modify_ldt", "uselib",
    "unshare", "setns", "mount", "umount2", "pivot_root", "chroot", "fsopen", "fsconfig", "fsmount", "fspick",
    "move_mount", "open_tree", "mount_setattr",
)
"""EPERM, always: other processes' memory, the kernel's own doors, clocks, namespaces and mounts."""

PRETENDED = (
    "chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "fchown", "lchown", "fchownat", "utime", "utimes", "futimesat",
    "utimensat", "setsid", "setpgid", "setpriority", "ioprio_set", "sched_setaffinity", "sched_setparam",
    "sched_setscheduler", "sched_setattr",
)
"""Success that does nothing, where no namespace keeps the user's files and processes apart (tier B): Landlock knows no
rule for metadata and priorities, and who cannot leave the process group is reached by one `killpg`."""

NO_XATTR = ("setxattr", "lsetxattr", "fsetxattr", "removexattr", "lremovexattr", "fremovexattr")
NO_IPC = (
    "shmget", "shmat", "shmctl", "msgget", "msgsnd", "msgrcv", "msgctl", "semget", "semop", "semtimedop", "semctl",
    "mq_open", "mq_unlink",
)
UNSEEN_MEMORY = ("memfd_create", "memfd_secret")
"""Memory that no limit of a process counts."""
# fmt: on

NEWEST = 462
"""System calls above this number (mseal) are refused as unknown: the newer ones change mounts and attributes by new doors."""

AF_UNIX, AF_INET, AF_INET6, AF_NETLINK = 1, 2, 10, 16
SOCK_STREAM, SOCK_SEQPACKET = 1, 5
NEW_NAMESPACES = 0x7E020080
"""All CLONE_NEW* bits: NEWNS, NEWTIME (which is 0x80), NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET."""
TIOCSTI, TIOCLINUX = 0x5412, 0x541C
"""Typing into a terminal that is shared with others."""
FILE_IOCTLS = tuple(ord(kind) << 8 for kind in "fXv\x94")
"""Kinds of ioctl (its second byte) that change a file, its flags or its file system, through a descriptor that was opened
for reading; Landlock knows rules for those of devices only."""

LOAD, AND, JUMP, EQUAL, GREATER, ANY_BIT, RETURN = 0x20, 0x54, 0x05, 0x15, 0x25, 0x45, 0x06
ALLOW, KILL = 0x7FFF0000, 0x80000000
NUMBER, ARCH = 0, 4

Instruction = tuple[int, int, int, int]


def refuse(error: int) -> int:
    """The return value that makes a call fail with this errno; 0: it seems to succeed."""
    return 0x00050000 | error


def argument(index: int) -> int:
    """Where the low half of an argument stands in `seccomp_data` (little-endian machines)."""
    return 16 + 8 * index


def _give(value: int) -> Instruction:
    return (RETURN, 0, 0, value)


def _any_of(numbers: Sequence[int], value: int) -> list[Instruction]:
    """Return `value` where the number of the call is one of these."""
    found: list[Instruction] = []
    for at in range(0, len(numbers), 200):  # a jump reaches 255 instructions
        some = numbers[at : at + 200]
        found += [(EQUAL, len(some) - i, 0, n) for i, n in enumerate(some)]
        found += [(JUMP, 0, 0, 1), _give(value)]
    return found


def _where(number: int | None, body: list[Instruction]) -> list[Instruction]:
    """Run `body`, which ends in a return on every way, where this is the call."""
    return [] if number is None else [(EQUAL, 0, len(body), number), *body]


def _sockets(domains: Iterable[int]) -> list[Instruction]:
    """Unix streams (asyncio and pools need pairs of them), and nothing else of Unix: datagrams may be sent without
    connecting, and the kernel takes a raw Unix socket for one of datagrams."""
    body: list[Instruction] = [
        (LOAD, 0, 0, argument(0)),
        (EQUAL, 0, 6, AF_UNIX),
        (LOAD, 0, 0, argument(1)), (AND, 0, 0, 0xF), (EQUAL, 1, 0, SOCK_STREAM), (EQUAL, 0, 1, SOCK_SEQPACKET),
        _give(ALLOW), _give(refuse(errno.EPERM)),
    ]  # fmt: skip
    for domain in domains:
        body += [(EQUAL, 0, 1, domain), _give(ALLOW)]
    return [*body, (EQUAL, 0, 1, AF_NETLINK), _give(refuse(errno.EOPNOTSUPP)), _give(refuse(errno.EAFNOSUPPORT))]


def known(machine: str = "") -> bool:
    """Whether a filter can be made for this machine; where not, there is no cage."""
    return (machine or platform.machine()) in AUDIT_ARCH


def program(*, namespaces: bool, network: bool = False, machine: str = "") -> bytes:
    """The filter. `namespaces`: the process runs in its own (tier A), so only what they leave open is refused; `network`:
    it may connect to Internet addresses. Raises `KeyError` for a machine whose numbers are not known."""
    machine = machine or platform.machine()
    column = ("x86_64", "aarch64").index(machine) if machine in AUDIT_ARCH else -1
    arch = AUDIT_ARCH[machine]

    def numbers(*names: str) -> list[int]:
        return [n for name in names if (n := NUMBERS[name][column]) is not None]

    def number(name: str) -> int | None:
        return NUMBERS[name][column]

    code: list[Instruction] = [(LOAD, 0, 0, ARCH), (EQUAL, 1, 0, arch), _give(KILL), (LOAD, 0, 0, NUMBER)]
    if machine == "x86_64":  # the x32 way to the same calls
        code += [(0x35, 0, 1, 0x40000000), _give(refuse(errno.EPERM))]
    code += _any_of(numbers(*REFUSED), refuse(errno.EPERM))
    code += _any_of(numbers("clone3", *UNSEEN_MEMORY), refuse(errno.ENOSYS))
    if not network:
        code += _any_of(numbers("connect"), refuse(errno.EPERM))
    if not namespaces:
        code += _any_of(numbers(*PRETENDED), refuse(0))
        code += _any_of(numbers(*NO_XATTR), refuse(errno.ENOTSUP))
        code += _any_of(numbers(*NO_IPC), refuse(errno.ENOSYS))
    code += [(GREATER, 0, 1, NEWEST), _give(refuse(errno.ENOSYS))]
    code += _where(
        number("clone"),
        [(LOAD, 0, 0, argument(0)), (ANY_BIT, 0, 1, NEW_NAMESPACES), _give(refuse(errno.EPERM)), _give(ALLOW)],
    )
    # the limits of another process; its own are given as process 0
    code += _where(
        number("prlimit64"), [(LOAD, 0, 0, argument(0)), (EQUAL, 1, 0, 0), _give(refuse(errno.EPERM)), _give(ALLOW)]
    )
    typing = [(EQUAL, 0, 1, TIOCSTI), _give(refuse(errno.EPERM)), (EQUAL, 0, 1, TIOCLINUX), _give(refuse(errno.EPERM))]
    # as a file system answers that has no such ioctl, which programs know how to go on from
    files = [] if namespaces else [(AND, 0, 0, 0xFF00), *_any_of(FILE_IOCTLS, refuse(errno.ENOTTY))]
    code += _where(number("ioctl"), [(LOAD, 0, 0, argument(1)), *typing, *files, _give(ALLOW)])
    code += _where(number("socket"), _sockets((AF_INET, AF_INET6) if network else ()))
    code += _where(number("socketpair"), _sockets(()))
    code.append(_give(ALLOW))
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)
