"""Tier M: the same cage in the words of macOS's own sandbox (`sandbox-exec`, profiles of TrustedBSD's "seatbelt").

UNTESTED: written after the documentation and the profiles that Chromium and Bazel publish; nobody has run it on a Mac yet.
Its self-test (`tiers`) decides whether it is used, as everywhere. `sandbox-exec` is marked as deprecated since 2016 and is
still what these programs use. What macOS cannot do: no limit on address space, no namespace of processes (the launcher
kills the group and walks the children), and nothing ends with its parent by itself (the launcher polls).
"""

from __future__ import annotations

from pathlib import Path

from .plan import Cage

PROGRAM = "/usr/bin/sandbox-exec"
READABLE = (
    "/usr", "/bin", "/sbin", "/System", "/Library/Frameworks", "/Library/Fonts", "/Library/Developer/CommandLineTools",
    "/private/etc/localtime", "/private/etc/ssl", "/private/var/db/timezone", "/private/var/db/dyld", "/opt/homebrew",
)  # fmt: skip
"""What libraries and programs of the system read."""


def quoted(path: str | Path) -> str:
    """A path as a string of the profile's language (a Scheme)."""
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'


def below(paths: tuple[str | Path, ...]) -> str:
    """A filter for all that lies below these paths."""
    return " ".join(f"(subpath {quoted(p)})" for p in paths)


def profile(cage: Cage) -> str:
    """The profile: all is denied but what is listed. Denying by a path is denying by its real name, so paths are resolved."""
    real = (cage.content.resolve(), cage.private.resolve())
    read: tuple[str | Path, ...] = (*READABLE, *cage.readable, cage.folder.resolve(), cage.control.resolve(), *real)
    network = '(allow network-outbound (remote ip))\n(allow mach-lookup (global-name "com.apple.dnssd.service"))\n'
    return (
        "(version 1)\n(deny default)\n(import \"system.sb\")\n"
        "(allow process-exec process-fork)\n(allow signal (target same-sandbox))\n(allow sysctl-read)\n"
        "(allow file-read-metadata)\n"
        f"(allow file-read* {below(read)} (literal \"/dev/random\") (literal \"/dev/urandom\") (literal \"/dev/null\"))\n"
        f"(allow file-write* {below((*real, *cage.writable))} (literal \"/dev/null\"))\n"
        f"(allow ipc-posix-sem)\n"
        # it may make its sockets and listen, and replace none of them by a link
        f"(allow file-write-create (require-all (subpath {quoted(cage.control.resolve())}) (vnode-type SOCKET)))\n"
        f"(allow network-bind network-inbound (local unix-socket (subpath {quoted(cage.control.resolve())})))\n"
        + (network if cage.network else "")
    )
