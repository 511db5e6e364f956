"""A process that has the libraries in memory and forks for each file, so that a page does not pay for their start.

It reads no file itself. Each message on its standard input (a socket) carries three descriptors: the
file, where to answer, and a line for control. When the child has ended, its exit code (negative: the
signal) is sent down that line; when the other end of the line is closed before, the child is killed.
The end of standard input is the end of everything.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
import selectors
import signal
import socket
from typing import Any

from . import charset, child, limits, markup, paged

MESSAGE_MAX_BYTES = 4096
_PR_SET_NO_NEW_PRIVS = 38


def _warm_up() -> bool:
    """Load what a first page would load, and leave the network for all children at once; whether it was left."""
    ctypes.CDLL(None).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    left = False
    with contextlib.suppress(OSError):
        left = limits.leave_the_network()
    page = markup.read("<title>a</title><p>b &amp; c</p>", b"")
    child.read_main(page.root)
    charset.decode(b"a")
    paged.version()
    gc.collect()
    # What is there now is the same for every child; the collector need not touch, and so copy, its pages.
    gc.freeze()
    return left


class _Nursery:
    def __init__(self, orders: socket.socket, *, network_is_left: bool) -> None:
        self._orders = orders
        self._network_is_left = network_is_left
        self._waiting = selectors.DefaultSelector()
        self._waiting.register(orders, selectors.EVENT_READ)
        # By the descriptors of a child: its process and its line of control.
        self._children: dict[int, tuple[int, int, socket.socket]] = {}

    def run(self) -> None:
        while True:
            for key, _events in self._waiting.select():
                if key.fileobj is self._orders:
                    if not self._take_order():
                        return
                elif key.fd in self._children:
                    self._look_after(key.fd)

    def stop(self) -> None:
        for pid, _pidfd, _control in set(self._children.values()):
            os.kill(pid, signal.SIGKILL)

    def _take_order(self) -> bool:
        message, descriptors, _flags, _address = socket.recv_fds(self._orders, MESSAGE_MAX_BYTES, 3)
        if not message:
            return False
        if len(descriptors) != 3:
            for descriptor in descriptors:
                os.close(descriptor)
            return True
        source, answer_to, line = descriptors
        pid = os.fork()
        if not pid:
            self._be_child(source, answer_to, json.loads(message))
        os.close(source)
        os.close(answer_to)
        pidfd, control = os.pidfd_open(pid), socket.socket(fileno=line)
        for descriptor in (pidfd, line):
            self._children[descriptor] = (pid, pidfd, control)
            self._waiting.register(descriptor, selectors.EVENT_READ)
        return True

    def _be_child(self, source: int, answer_to: int, order: dict[str, Any]) -> None:
        try:
            os.setsid()
            os.dup2(source, 0)
            os.dup2(answer_to, 3)
            os.closerange(4, 1024)
            limits.put_up(network_is_left=self._network_is_left)
            child.answer(0, 3, str(order["media_type"]), str(order["charset"]))
        finally:
            # Whatever it was: nothing of this process may go on as if it were the other.
            os._exit(1)

    def _look_after(self, descriptor: int) -> None:
        pid, pidfd, control = self._children[descriptor]
        if descriptor != pidfd:
            # Nobody waits for it any more; its end is then told like any other.
            self._waiting.unregister(descriptor)
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            return
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        with contextlib.suppress(OSError):
            control.send(str(code).encode())
        for key in (pidfd, control.fileno()):
            with contextlib.suppress(KeyError):
                self._waiting.unregister(key)
            del self._children[key]
        os.close(pidfd)
        control.close()


def main() -> None:
    with socket.socket(fileno=os.dup(0)) as orders:
        null = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(null, standard)
        nursery = _Nursery(orders, network_is_left=_warm_up())
        try:
            nursery.run()
        finally:
            nursery.stop()
