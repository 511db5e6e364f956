"""One document in by standard input, one line of JSON out by standard output."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from importlib import import_module
from typing import Any

from factcheck.archive.extraction import limits
from factcheck.articles.reading.found import Found, TooLarge, Unreadable

_READERS = {"html": "markup", "markdown": "markdown", "docx": "docx", "odt": "odt", "pdf": "pdf"}


def read(data: bytes, form: str) -> Found:
    """Raises Unreadable, MemoryError, and whatever the libraries do."""
    if form not in _READERS:
        raise Unreadable("kind")
    # What a format needs is loaded for that format alone.
    found: Found = import_module(f"factcheck.articles.reading.{_READERS[form]}").read(data)
    return found


def main() -> None:
    form = sys.argv[1]
    answer_to = os.dup(1)
    # Libraries may print; only what is written here is the answer.
    os.dup2(2, 1)
    limits.put_up()
    answer: dict[str, Any]
    try:
        with os.fdopen(0, "rb", closefd=False) as file:
            data = file.read()
        answer = read(data, form).answer()
    except TooLarge as error:
        answer = {"too_large": str(error)}
    except Unreadable as error:
        answer = {"unreadable": str(error)}
    except (MemoryError, limits.LimitMet):
        answer = {"too_large": "memory"}
    with contextlib.suppress(BrokenPipeError), os.fdopen(answer_to, "wb") as out:
        out.write(json.dumps(answer).encode() + b"\n")
    os._exit(0)
