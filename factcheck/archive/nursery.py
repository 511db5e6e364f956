"""The worker's line to the process that forks a child for each file (``extraction.nursery``), one for each process.

It is started when the first file is to be read and ends with the process that started it; a dead one is replaced.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from factcheck.archive.children import Answer, answer_of, read_answer

_FOLDER = Path(__file__).resolve().parent
_START = "import sys; sys.path.append(sys.argv.pop(1)); from extraction.nursery import main; main()"


class _Line:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def order(self, message: bytes, descriptors: list[int]) -> None:
        """Raises OSError if even a new process does not take it."""
        with self._lock:
            if self._socket is not None:
                with contextlib.suppress(OSError):
                    socket.send_fds(self._socket, [message], descriptors)
                    return
            self._start()
            assert self._socket is not None
            socket.send_fds(self._socket, [message], descriptors)

    def _start(self) -> None:
        self.close()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", _START, str(_FOLDER)],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
                cwd="/",
                start_new_session=True,
            )
        self._socket = ours

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        if self._process is not None:
            # Without its line it ends by itself; one that hangs is not waited for.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(1)
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()
        self._socket = self._process = None

    def forget(self) -> None:
        """In a fork of the process: the line is the parent's."""
        if self._socket is not None:
            self._socket.close()
        self._lock, self._socket, self._process = threading.Lock(), None, None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None


_line = _Line()
os.register_at_fork(after_in_child=_line.forget)


def close() -> None:
    """End the process now and not with this one; the next file starts another."""
    with _line._lock:
        _line.close()


def pid() -> int | None:
    """The number of the process, for who measures it."""
    return _line.pid


def read_with_a_child(
    source: int, media_type: str, charset: str, *, wall_seconds: float, output_max_bytes: int
) -> Answer:
    """Have the file read by a child of the nursery; what it said, and how it ended."""
    deadline = time.monotonic() + wall_seconds
    reading, writing = os.pipe()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, os.fdopen(reading, "rb", closefd=True):
        try:
            with theirs:
                message = json.dumps({"media_type": media_type, "charset": charset[:100]}).encode()
                _line.order(message, [source, writing, theirs.fileno()])
        finally:
            os.close(writing)
        output, stopped = read_answer(reading, deadline=deadline, max_bytes=output_max_bytes)
        if stopped:
            # Closing the line kills the child.
            return Answer(output=output, problem="limit", detail=stopped)
        ours.settimeout(max(0.1, deadline - time.monotonic()))
        try:
            code = ours.recv(20)
        except TimeoutError:
            return Answer(output=output, problem="limit", detail="wall")
    if not code:
        return Answer(output=output, problem="crash", detail="nursery")
    return answer_of(output, int(code))
