"""A network for the browser in which there is nothing but the way to the proxy, where the kernel gives us one.

The second wall behind Chromium's switches: were one of them overlooked, there is nobody that could be reached.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import queue
import socket
import struct
import threading
from pathlib import Path

_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_SIOCSIFFLAGS = 0x8914
_IFF_UP = 1
_PIECE_BYTES = 1 << 16


def step_out(port: int) -> bool:
    """Move this thread, and what it starts from now on, into a network of its own; whether that worked.

    There, ``port`` of loopback leads to the same port of the one that we came from, and that is all there is. To be
    called before this process has other threads.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.geteuid(), os.getegid()
    if user != 0:
        if libc.unshare(_CLONE_NEWUSER) != 0:
            return False
        with contextlib.suppress(OSError):
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
            Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    # A thread keeps the network that it was started in: this one, and those that it starts, stay outside.
    doors: queue.SimpleQueue[socket.socket | None] = queue.SimpleQueue()
    threading.Thread(target=_lead_out, args=(doors, port), daemon=True).start()
    if libc.unshare(_CLONE_NEWNET) != 0:
        doors.put(None)
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _IFF_UP))
    doors.put(socket.create_server(("127.0.0.1", port), backlog=64))
    return True


def _lead_out(doors: queue.SimpleQueue[socket.socket | None], port: int) -> None:
    door = doors.get()
    while door is not None:
        try:
            inside, _peer = door.accept()
        except OSError:
            return
        try:
            outside = socket.create_connection(("127.0.0.1", port), timeout=5)
        except OSError:
            inside.close()
            continue
        outside.settimeout(None)
        for pair in ((inside, outside), (outside, inside)):
            threading.Thread(target=_carry, args=pair, daemon=True).start()


def _carry(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(_PIECE_BYTES):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
        return
    # One side is broken; the other would wait for ever.
    for side in (source, target):
        with contextlib.suppress(OSError):
            side.shutdown(socket.SHUT_RDWR)
