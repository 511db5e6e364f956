"""The walls around the child, put up by itself before it reads the first byte."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal

CPU_SECONDS = 10
ADDRESS_SPACE_BYTES = 950_000_000
WALL_SECONDS = 20
MARKUP_MAX_BYTES = 30 * 1024 * 1024
PLAIN_MAX_BYTES = 60 * 1024 * 1024
# Half of the address space: the reader needs the other half for its pages.
PDF_MAX_BYTES = 400 * 1024 * 1024
TAG_MAX_ATTRIBUTES = 5_000
# libxml2 stops at 2048, whatever it is asked.
TAG_MAX_DEPTH = 2_000
PDF_MAX_PAGES = 2_000
TEXT_MAX_CHARS = 20_000_000
# What the reading view may cost on top, after all that evidence rests on has been read and said.
MAIN_CPU_SECONDS = 2
# JSON of the largest text in the most wasteful script, and the facts around it.
OUTPUT_MAX_BYTES = 200 * 1024 * 1024

_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38


class LimitMet(Exception):
    """The file is beyond what is read here; the message is the limit's name."""


def leave_the_network() -> bool:
    """Step into a network namespace without interfaces, where the kernel lets us."""
    libc = ctypes.CDLL(None, use_errno=True)
    flags = _CLONE_NEWNET if os.geteuid() == 0 else _CLONE_NEWUSER | _CLONE_NEWNET
    return int(libc.unshare(flags)) == 0


def put_up(*, network_is_left: bool = False, threads: bool = False) -> None:
    """CPU, memory, no file, no child of its own, no network where possible, and an end with the parent.

    With ``threads`` it may have some; the kernel counts them as children.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if not network_is_left:
        with contextlib.suppress(OSError):
            leave_the_network()
    for kind, amount in (
        # Past the soft limit comes SIGXCPU, which tells a limit from a crash.
        (resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1)),
        (resource.RLIMIT_AS, (ADDRESS_SPACE_BYTES, ADDRESS_SPACE_BYTES)),
        (resource.RLIMIT_FSIZE, (0, 0)),
        (resource.RLIMIT_NOFILE, (64, 64)),
        (resource.RLIMIT_CORE, (0, 0)),
        *(() if threads else ((resource.RLIMIT_NPROC, (0, 0)),)),
    ):
        hard = resource.getrlimit(kind)[1]
        wanted = tuple(value if hard == resource.RLIM_INFINITY else min(value, hard) for value in amount)
        resource.setrlimit(kind, (wanted[0], wanted[1]))
    # Should the parent be too busy to stop us.
    signal.alarm(WALL_SECONDS)
