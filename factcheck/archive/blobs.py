"""Bytes by their SHA-256: written once, never changed, found by hash alone.

temporary file → fsync → rename to the hash → fsync of the folder. A file under its hash is
therefore whole, whatever was killed in between; a half-written one lies apart and is tidied.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

from django.conf import settings
from django.utils.translation import gettext as _

from factcheck.archive.errors import BlobDamaged, BlobMissing

CHUNK_BYTES = 1 << 20
# Longer than any capture may take: a temporary file of that age has lost its writer.
TEMPORARY_FOR_SECONDS = 6 * 3600
_UNFINISHED = ".part"
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Blob:
    sha256: str
    size: int


def _root() -> Path:
    return Path(settings.BLOBS_DIR)


def _temporary_folder() -> Path:
    return _root() / "tmp"


def _temporary_file() -> tuple[int, str]:
    folder = _temporary_folder()
    try:
        return tempfile.mkstemp(dir=folder, suffix=_UNFINISHED)
    except FileNotFoundError:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return tempfile.mkstemp(dir=folder, suffix=_UNFINISHED)


def path_of(sha256: str) -> Path:
    """Where the bytes of this hash lie, whether or not they do."""
    if not _SHA256.fullmatch(sha256):
        raise ValueError(f"not a SHA-256 in lower-case hex: {sha256!r}")
    return _root() / sha256[:2] / sha256[2:4] / sha256


def _chunks(content: bytes | IO[bytes] | Iterable[bytes]) -> Iterable[bytes]:
    if isinstance(content, bytes):
        return (content,)
    if hasattr(content, "read"):
        file = content
        return iter(lambda: file.read(CHUNK_BYTES), b"")
    return content


# Folders that this process knows to be on the disk, names and all. At most 65,792, since none is ever removed.
_lasting_folders: set[Path] = set()


def _put_in_place(temporary: Path, place: Path) -> None:
    """Also over an older file of this hash: should that one be damaged, it is healed."""
    try:
        temporary.replace(place)
    except FileNotFoundError:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary.replace(place)
    _sync_folder(place.parent)
    for folder in (place.parent, place.parent.parent):
        # Whoever made it may not have come to this yet.
        if folder not in _lasting_folders:
            _sync_folder(folder.parent)
            _lasting_folders.add(folder)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Draft:
    """A file that is not yet under its hash. What it writes to is a file for ``write`` alone."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        # Of what was written so far, for who would have to hash the same once more.
        self.digest = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        self.size += len(data)
        return self._file.write(data)

    @property
    def blob(self) -> Blob:
        return Blob(self.digest.hexdigest(), self.size)


@contextlib.contextmanager
def draft() -> Iterator[Draft]:
    """Write bytes piece by piece; at the end of the block they lie under their hash, after an error nowhere."""
    descriptor, name = _temporary_file()
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            writing = Draft(file)
            yield writing
            file.flush()
            os.fchmod(descriptor, 0o400)
            os.fsync(descriptor)
        _put_in_place(temporary, path_of(writing.blob.sha256))
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def store(content: bytes | IO[bytes] | Iterable[bytes]) -> Blob:
    """Keep the bytes; the same bytes twice are one file."""
    with draft() as writing:
        for chunk in _chunks(content):
            writing.write(chunk)
    return writing.blob


def taken_folder() -> Path:
    """Where ``archive.collecting`` holds a file while it looks once more whether it may go."""
    folder = _root() / "taken"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def all_paths() -> Iterator[Path]:
    """Every file under its hash, one folder after the other."""
    for path in _root().glob("??/??/*"):
        if _SHA256.fullmatch(path.name):
            yield path


def exists(sha256: str) -> bool:
    return path_of(sha256).is_file()


def open_blob(sha256: str) -> BinaryIO:
    """The bytes for reading; raises BlobMissing."""
    try:
        return path_of(sha256).open("rb")
    except FileNotFoundError as error:
        raise BlobMissing(
            _("The archived bytes %(sha256)s are missing from the store.") % {"sha256": sha256}
        ) from error


def pieces(sha256: str) -> Iterator[bytes]:
    """The bytes one after the other, for a streaming answer. Raises BlobMissing at once."""
    return _pieces(open_blob(sha256))


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        yield from _chunks(file)


def read(sha256: str) -> bytes:
    with open_blob(sha256) as file:
        return file.read()


def verify(sha256: str) -> int:
    """Read the bytes again and return their number; raises BlobMissing or BlobDamaged."""
    digest = hashlib.sha256()
    size = 0
    with open_blob(sha256) as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
    if digest.hexdigest() != sha256:
        raise BlobDamaged(
            _("The archived bytes %(sha256)s have changed: they hash to %(found)s.")
            % {"sha256": sha256, "found": digest.hexdigest()}
        )
    return size


def tidy(*, older_than_seconds: float = TEMPORARY_FOR_SECONDS) -> int:
    """Remove what writers left half-written, and return how many files that were."""
    before = time.time() - older_than_seconds
    removed = 0
    for path in _temporary_folder().glob(f"*{_UNFINISHED}"):
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime <= before:
                path.unlink()
                removed += 1
    return removed
