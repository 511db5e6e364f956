"""Words from a stranger's file, cut to what a line of a page holds."""

from __future__ import annotations

from typing import Any

VALUE_MAX_CHARS = 200


def one_line(value: Any) -> str:
    """Printable characters alone, at most so many; "" for bytes that are no words."""
    if isinstance(value, bytes):
        # Makers' notes are bytes for their own programs.
        value = value.rstrip(b"\x00").decode("ascii", "ignore") if len(value) <= VALUE_MAX_CHARS else ""
    elif isinstance(value, tuple):
        value = ", ".join(str(part) for part in value[:20])
    return "".join(char for char in str(value)[:VALUE_MAX_CHARS] if char.isprintable()).strip()
