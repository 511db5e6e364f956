"""Files that can be made again from what is archived, kept for a while: the oldest go when there are too many bytes."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from threading import BoundedSemaphore

from django.conf import settings
from django.utils.translation import gettext as _

from factcheck.archive.errors import ReplayBusy

MAX_BYTES = 512 * 1024 * 1024
# Children cost a core and up to a gigabyte each.
MADE_AT_ONCE = 2
WAIT_SECONDS = 30
_UNFINISHED = ".part"
_ABANDONED_SECONDS = 3600
_making = BoundedSemaphore(MADE_AT_ONCE)


def kept_or_made(name: str, make: Callable[[], tuple[bytes, bool]]) -> bytes:
    """The bytes of this name, which must say everything that they depend on.

    ``make`` gives them and whether they are worth keeping. Raises ReplayBusy when too many are being made.
    """
    place = Path(settings.DERIVED_DIR) / hashlib.sha256(name.encode()).hexdigest()
    if (found := _read(place)) is not None:
        return found
    if not _making.acquire(timeout=WAIT_SECONDS):
        raise ReplayBusy(_("Too many copies are being opened at this moment. Try again in a minute."))
    try:
        # While we waited, another may have made it.
        if (found := _read(place)) is not None:
            return found
        content, worth_keeping = make()
    finally:
        _making.release()
    if worth_keeping:
        _keep(place, content)
    return content


def _read(place: Path) -> bytes | None:
    try:
        content = place.read_bytes()
        # What is looked at stays longest.
        os.utime(place)
    except OSError:
        return None
    return content


def _keep(place: Path, content: bytes) -> None:
    # Without a place to keep it, or room, the page is still shown.
    with contextlib.suppress(OSError):
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=place.parent, suffix=_UNFINISHED)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            Path(temporary).replace(place)
        finally:
            Path(temporary).unlink(missing_ok=True)
        _make_room(place.parent)


def _make_room(folder: Path) -> None:
    files = []
    with os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):
                facts = entry.stat()
                if entry.name.endswith(_UNFINISHED) and facts.st_mtime > time.time() - _ABANDONED_SECONDS:
                    continue
                files.append((facts.st_mtime, facts.st_size, entry.path))
    total = sum(size for _when, size, _path in files)
    for _when, size, path in sorted(files):
        if total <= MAX_BYTES:
            break
        Path(path).unlink(missing_ok=True)
        total -= size
