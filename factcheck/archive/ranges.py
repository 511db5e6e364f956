"""Which part of a file is asked for: RFC 9110, part 14, one range at a time."""

import re

from django.http import HttpRequest

_RANGE = re.compile(r"bytes=\s*(?:([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18}))\s*")


def asked_range(request: HttpRequest, *, etag: str, length: int) -> tuple[int, int] | None:
    """Start and end (half-open) of the part, with the end no greater than the start if the file has no such part.

    None where the whole is to be sent: nothing asked for, several parts, or the rest of a file that has changed.
    """
    match = _RANGE.fullmatch(request.headers.get("Range", ""))
    if match is None or request.headers.get("If-Range", etag) != etag:
        return None
    first, last, suffix = match.groups()
    if suffix is not None:
        return max(length - int(suffix), 0), length
    if last and int(last) < int(first):
        return None
    return int(first), min(int(last) + 1 if last else length, length)
