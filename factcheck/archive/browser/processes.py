"""Processes of this machine as /proc shows them, to find and end all that a browser has started."""

from __future__ import annotations

import contextlib
import os
import select
import signal
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True)
class Process:
    """``started`` is in clock ticks since the machine did; with it a number is never taken for a later process's."""

    pid: int
    parent: int
    session: int
    started: int


def running() -> dict[int, Process]:
    """All that have not ended; those that nobody has waited for yet are not among them."""
    found: dict[int, Process] = {}
    for name in os.listdir(_PROC):
        if name.isdigit() and (process := _read(int(name))) is not None:
            found[process.pid] = process
    return found


def descendants(of: int, among: dict[int, Process]) -> set[Process]:
    children: dict[int, list[Process]] = {}
    for process in among.values():
        children.setdefault(process.parent, []).append(process)
    found: set[Process] = set()
    waiting = [of]
    while waiting:
        for child in children.get(waiting.pop(), []):
            if child not in found:
                found.add(child)
                waiting.append(child.pid)
    return found


def with_word(word: str, among: dict[int, Process]) -> set[Process]:
    """Those that have the word in their command line or environment, and the rest of their sessions."""
    wanted = word.encode()
    own = os.getsid(0)
    named = {process for process in among.values() if process.pid != os.getpid() and _says(process.pid, wanted)}
    sessions = {process.session for process in named} - {own, 0}
    return named | {process for process in among.values() if process.session in sessions}


def memory(of: Iterable[Process]) -> int:
    """Bytes that are theirs alone or shared among them; what comes from files is not counted."""
    return sum(_memory(process.pid) for process in of)


def end(find: Callable[[], set[Process]]) -> None:
    """Kill what ``find`` finds until it finds nothing more; a process that is starting others is not faster."""
    for _round in range(200):
        left = find()
        if not left:
            return
        for process in left:
            with contextlib.suppress(OSError):
                os.kill(process.pid, signal.SIGKILL)
        for process in left:
            _wait(process)


def _wait(process: Process) -> None:
    """Until it is gone, at most a second: what sleeps in the kernel goes when it wakes."""
    with contextlib.suppress(OSError):
        descriptor = os.pidfd_open(process.pid)
        try:
            if _read(process.pid) == process:
                select.select([descriptor], [], [], 1.0)
        finally:
            os.close(descriptor)


def _read(pid: int) -> Process | None:
    try:
        stat = (_PROC / str(pid) / "stat").read_bytes()
    except OSError:
        return None
    # The name, in brackets, may hold anything.
    fields = stat.rpartition(b")")[2].split()
    if fields[0] in (b"Z", b"X"):
        return None
    return Process(pid, int(fields[1]), int(fields[3]), int(fields[19]))


def _says(pid: int, word: bytes) -> bool:
    for file in ("cmdline", "environ"):
        with contextlib.suppress(OSError):
            if word in (_PROC / str(pid) / file).read_bytes():
                return True
    return False


def _memory(pid: int) -> int:
    kilobytes = 0
    with contextlib.suppress(OSError, ValueError):
        for line in (_PROC / str(pid) / "status").read_bytes().splitlines():
            if line.startswith((b"RssAnon:", b"RssShmem:")):
                kilobytes += int(line.split()[1])
    return kilobytes * 1024
