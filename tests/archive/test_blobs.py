"""Bytes lie under their hash whole or not at all."""

import hashlib
import io
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import transaction
from django.utils import timezone

from factcheck.archive import blobs
from factcheck.archive.errors import BlobDamaged, BlobMissing
from factcheck.archive.models import Capture, CaptureRequest
from factcheck.archive.services import Sealing, seal_capture


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("content", [b"words", io.BytesIO(b"words"), [b"wo", b"rds"]])
def test_bytes_are_found_by_their_hash(store: Path, content: object) -> None:
    blob = blobs.store(content)  # type: ignore[arg-type]

    assert blob == blobs.Blob(hashlib.sha256(b"words").hexdigest(), 5)
    assert blobs.read(blob.sha256) == b"words"
    assert _files(store) == [store / blob.sha256[:2] / blob.sha256[2:4] / blob.sha256]


def test_the_same_bytes_twice_are_one_file(store: Path) -> None:
    assert blobs.store(b"words") == blobs.store(b"words")
    assert len(_files(store)) == 1


def test_a_writer_that_fails_in_the_middle_leaves_nothing(store: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield b"half"
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        blobs.store(broken())

    assert _files(store) == []


def test_what_a_killed_writer_left_is_tidied_once_it_is_old_and_not_before(store: Path) -> None:
    kept = blobs.store(b"words")
    half_written = store / "tmp" / "abc.part"
    half_written.write_bytes(b"ha")

    assert blobs.tidy() == 0
    yesterday = time.time() - 86_400
    os.utime(half_written, (yesterday, yesterday))
    assert blobs.tidy() == 1
    assert not half_written.exists()
    assert blobs.read(kept.sha256) == b"words"


def test_bytes_that_have_changed_are_not_taken_for_what_they_were(store: Path) -> None:
    blob = blobs.store(b"words")
    path = blobs.path_of(blob.sha256)
    path.chmod(0o600)
    path.write_bytes(b"swords")

    with pytest.raises(BlobDamaged):
        blobs.verify(blob.sha256)


@pytest.mark.parametrize("name", ["../../etc/passwd", "A" * 64, "", "0" * 63])
def test_only_a_hash_is_a_place_in_the_store(name: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        blobs.path_of(name)


@pytest.mark.django_db
@pytest.mark.parametrize("damage", ["missing", "damaged"])
def test_nothing_is_sealed_whose_bytes_cannot_be_read_back(damage: str) -> None:
    request = CaptureRequest.objects.create(url="http://example.org/", canonical_url="http://example.org/")
    body, warc = blobs.store(b"words"), blobs.store(b"record")
    path = blobs.path_of(warc.sha256)
    if damage == "missing":
        path.unlink()
    else:
        path.chmod(0o600)
        path.write_bytes(b"another")
    sealing = Sealing(outcome="captured", started_at=timezone.now(), body=body, warc=warc)

    with pytest.raises(BlobMissing if damage == "missing" else BlobDamaged):
        seal_capture(request, sealing, within=transaction.atomic())

    assert not Capture.objects.exists()
    request.refresh_from_db()
    assert request.state == CaptureRequest.State.OPEN
