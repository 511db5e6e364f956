"""Bytes in the store that no row names: a killed worker left them, or an attempt that was tried again.

They are deleted when they are a day old. Every column that names a blob must be known here; tests/architecture holds
that. Storing bytes again makes their file new, so that what a capture is about to name is never a day old.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from django.apps import apps

from factcheck.archive import blobs

OLDER_THAN_SECONDS = 24 * 3600
BATCH = 500

# (model, column) of every column that names a blob. Packages above register theirs in their AppConfig.ready().
_references: set[tuple[str, str]] = {
    ("archive.CaptureRequest", "upload_sha256"),
    ("archive.Capture", "body_sha256"),
    ("archive.Capture", "warc_sha256"),
    ("archive.TextLayer", "sha256"),
    ("archive.TextLayer", "offsets_sha256"),
    ("archive.Rendering", "sha256"),
}


def register_reference(model: str, column: str) -> None:
    """What this column names is kept."""
    _references.add((model, column))


def references() -> frozenset[tuple[str, str]]:
    return frozenset(_references)


def collect(*, older_than_seconds: float = OLDER_THAN_SECONDS) -> int:
    """Delete old files that no row names, and return how many that were."""
    _put_back_what_a_killed_collector_took()
    before = time.time() - older_than_seconds
    deleted = 0
    for batch in _batches(_old(before)):
        named = _named(path.name for path in batch)
        deleted += sum(_delete(path, before) for path in batch if path.name not in named)
    return deleted


def _batches(paths: Iterator[Path]) -> Iterator[tuple[Path, ...]]:
    while batch := tuple(islice(paths, BATCH)):
        yield batch


def _old(before: float) -> Iterator[Path]:
    for path in blobs.all_paths():
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < before:
                yield path


def _named(hashes: Iterable[str]) -> set[str]:
    wanted = list(hashes)
    named: set[str] = set()
    for model, column in _references:
        rows = apps.get_model(model)._default_manager.filter(**{f"{column}__in": wanted})
        named.update(rows.values_list(column, flat=True))
    return named


def _delete(path: Path, before: float) -> bool:
    """Take the file away first, and then look whether it is still what it was: another writer may just have stored it.

    Whoever stores these bytes after that makes a new file, which this does not touch.
    """
    taken = blobs.taken_folder() / path.name
    try:
        path.rename(taken)
    except FileNotFoundError:
        return False
    if taken.stat().st_mtime >= before or _named([path.name]):
        _put_back(taken)
        return False
    taken.unlink(missing_ok=True)
    return True


def _put_back(taken: Path) -> None:
    with contextlib.suppress(FileExistsError):
        # A file that somebody stored meanwhile is the same bytes, and newer.
        blobs.path_of(taken.name).hardlink_to(taken)
    taken.unlink(missing_ok=True)


def _put_back_what_a_killed_collector_took() -> None:
    for taken in blobs.taken_folder().iterdir():
        _put_back(taken)
