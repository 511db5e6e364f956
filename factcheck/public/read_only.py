"""Readers' views cannot write, whatever they or the code below them come to do.

A wrapper around every statement lets a plain SELECT pass and nothing else. It looks at the text
that goes to the database, so it holds for the ORM and for raw SQL alike.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.db import connections

Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")

# Where one database sees the end of a string or a comment and another does not: Django writes none of it.
_TWO_READINGS = re.compile(r"\b(?:E|U&)'|\$\w*\$|/\*(?:(?!\*/).)*/\*", re.IGNORECASE | re.DOTALL)
_COMMENT = r"--[^\n]*|/\*.*?\*/"
# A function may be called by its name in quotes.
_CALLED = re.compile(rf"\"(\w+)\"(?=(?:\s|{_COMMENT})*\()", re.DOTALL)
# Words in quotes are values or names, not commands.
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|" + _COMMENT, re.DOTALL)
# A SELECT can write, too: into a table, by locking rows, by a function, or as a second statement.
_WRITES = re.compile(
    r"\bINTO\b|\bFOR\s+(?:NO\s+KEY\s+)?(?:KEY\s+)?(?:UPDATE|SHARE)\b|;\s*\S"
    r"|\b(?:INSERT|UPDATE|DELETE|MERGE|CREATE|ALTER|DROP|TRUNCATE)\b"
    r"|\b(?:nextval|setval|set_config|load_extension|dblink\w*|lo_\w+|pg_(?!catalog\b)\w+)\s*\(",
    re.IGNORECASE,
)


class WriteRefused(RuntimeError):
    """A fault of ours, not a reader's: a public view tried to change something."""


def is_plain_select(sql: str) -> bool:
    if _TWO_READINGS.search(sql):
        return False
    bare = _QUOTED.sub(lambda found: "''" if found[0][0] in "'\"`" else " ", _CALLED.sub(r"\1", sql)).strip()
    return bare[:7].upper().rstrip() == "SELECT" and not _WRITES.search(bare)


def _refuse(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
    if many or not is_plain_select(sql):
        raise WriteRefused(f"A page for readers may only read, but this was tried: {sql[:200]}")
    return execute(sql, params, many, context)


@contextmanager
def reading_only() -> Iterator[None]:
    """Refuse every statement but a plain SELECT on every connection."""
    with ExitStack() as stack:
        for connection in connections.all():
            stack.enter_context(connection.execute_wrapper(_refuse))
        yield


def read_only(view: Callable[Asked, Answer]) -> Callable[Asked, Answer]:
    """The view, in which nothing can be written."""

    @wraps(view)
    def reading(*args: Asked.args, **kwargs: Asked.kwargs) -> Answer:
        with reading_only():
            return view(*args, **kwargs)

    return reading
