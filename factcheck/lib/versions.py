"""A form carries the version it was read at; a stale save is refused."""

from typing import Protocol

from factcheck.lib.errors import StaleVersion


class Versioned(Protocol):
    version: int


def check_version(row: Versioned, version: int | None, refusal: str) -> None:
    """Raise StaleVersion with the sentence ``refusal`` unless the row is as it was read.

    None is a caller that read no page: a command or a job.
    """
    if version is not None and row.version != version:
        raise StaleVersion(refusal)
