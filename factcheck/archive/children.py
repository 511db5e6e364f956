"""A child process that reads somebody else's file: what it says is taken within limits, and it always ends."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from dataclasses import dataclass

from factcheck.archive.extraction.limits import OUTPUT_MAX_BYTES, WALL_SECONDS

_CHUNK_BYTES = 1 << 16
# What happened to the child is told by the signal that ended it.
# Libraries in C++ and Rust abort where they are given no more memory.
_LIMIT_SIGNALS = {signal.SIGXCPU: "cpu", signal.SIGALRM: "wall", signal.SIGXFSZ: "file", signal.SIGABRT: "memory"}


@dataclass(frozen=True)
class Answer:
    """``output`` is what was said until the end, also where that was a bad one."""

    output: bytes = b""
    # "" or "limit" or "crash"
    problem: str = ""
    detail: str = ""


def run_child(
    command: list[str],
    stdin: int,
    *,
    wall_seconds: float = WALL_SECONDS,
    output_max_bytes: int = OUTPUT_MAX_BYTES,
) -> Answer:
    """Run to the end, the wall limit or the output limit, whichever comes first; then nothing of it is left."""
    child = subprocess.Popen(
        command,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
        cwd="/",
        start_new_session=True,
    )
    assert child.stdout is not None
    deadline = time.monotonic() + wall_seconds
    try:
        output, stopped = read_answer(child.stdout.fileno(), deadline=deadline, max_bytes=output_max_bytes)
        if not stopped:
            try:
                child.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                stopped = "wall"
    finally:
        # The group, so that nothing which it may have started stays behind. Once it has been waited
        # for, its number may be another's.
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        child.stdout.close()
    if stopped:
        return Answer(output=output, problem="limit", detail=stopped)
    return answer_of(output, child.returncode)


def read_answer(descriptor: int, *, deadline: float, max_bytes: int) -> tuple[bytes, str]:
    """All that comes until the other end closes, and what stopped the reading before: "wall", "output" or ""."""
    output = bytearray()
    with selectors.DefaultSelector() as waiting:
        waiting.register(descriptor, selectors.EVENT_READ)
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or not waiting.select(left):
                return bytes(output), "wall"
            chunk = os.read(descriptor, _CHUNK_BYTES)
            if not chunk:
                return bytes(output), ""
            output += chunk
            if len(output) > max_bytes:
                return bytes(output), "output"


def answer_of(output: bytes, code: int) -> Answer:
    """By the exit code, negative for a signal, as subprocess has it."""
    if code < 0:
        ended_by = signal.Signals(-code)
        if ended_by in _LIMIT_SIGNALS:
            return Answer(output=output, problem="limit", detail=_LIMIT_SIGNALS[ended_by])
        return Answer(output=output, problem="crash", detail=ended_by.name)
    if code:
        return Answer(output=output, problem="crash", detail=f"exit {code}")
    return Answer(output=output)
