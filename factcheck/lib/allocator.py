"""Memory that threads give back: glibc keeps a store of its own for nearly each of them, which only grows."""

import contextlib
import ctypes

_M_ARENA_MAX = -8


def share_memory_among_threads() -> None:
    """For a process of many threads, before it starts them. Where there is no glibc it does nothing."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)
