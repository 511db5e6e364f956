"""JSON that everybody writes with the same bytes, so that a hash of it can be compared.

RFC 8785 (JSON Canonicalization Scheme), without floating-point numbers: the product has none
worth hashing, and their spelling is where implementations differ.
"""

import json
from collections.abc import Callable
from typing import Any

# Beyond this a reader with IEEE doubles (every browser) sees another number: RFC 8785, appendix B.
LARGEST_INTEGER = 2**53 - 1

# With ensure_ascii off, Python escapes as RFC 8785 3.2.2.2 wants: the two-letter escapes, \u00xx in
# lower case for the other control characters, and nothing else.
_quote = json.JSONEncoder(ensure_ascii=False).encode


def dumps(value: Any) -> bytes:
    """The canonical UTF-8 bytes of ``value``.

    Takes str, int, bool, None, list, tuple, and dict with str keys. Raises TypeError for anything
    else, floats included, and ValueError for an integer beyond ±(2^53 - 1), a lone surrogate, or a
    structure that is nested too deeply or contains itself.
    """
    parts: list[str] = []
    try:
        _write(value, parts.append)
    except RecursionError:
        raise ValueError("The value is nested too deeply for canonical JSON.") from None
    return "".join(parts).encode("utf-8")


def _write(value: Any, out: Callable[[str], None]) -> None:
    if value is None:
        out("null")
    elif value is True:
        out("true")
    elif value is False:
        out("false")
    elif isinstance(value, str):
        out(_quote(value))
    elif isinstance(value, int):
        if abs(value) > LARGEST_INTEGER:
            raise ValueError(f"The integer {int(value)} is too large for canonical JSON.")
        out(int.__repr__(value))
    elif isinstance(value, list | tuple):
        out("[")
        for index, item in enumerate(value):
            if index:
                out(",")
            _write(item, out)
        out("]")
    elif isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise TypeError(f"A key of canonical JSON is a string, not {type(key).__name__}.")
        out("{")
        # RFC 8785 orders keys by UTF-16 unit, Python by code point; over ASCII keys they agree.
        for index, key in enumerate(sorted(value, key=_utf16)):
            if index:
                out(",")
            out(_quote(key))
            out(":")
            _write(value[key], out)
        out("}")
    else:
        raise TypeError(f"Canonical JSON has no {type(value).__name__}.")


def _utf16(key: str) -> bytes:
    return key.encode("utf-16-be")
