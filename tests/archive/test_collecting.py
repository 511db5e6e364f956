"""What no row names goes after a day, and nothing else ever."""

import os
import time

import pytest
from django.db import transaction
from django.utils import timezone

from factcheck.archive import blobs, collecting
from factcheck.archive.collecting import collect, references
from factcheck.archive.models import CaptureRequest
from factcheck.archive.services import Sealing, StoredLayer, seal_capture

pytestmark = pytest.mark.django_db


def old(content: bytes) -> blobs.Blob:
    blob = blobs.store(content)
    then = time.time() - 2 * 24 * 3600
    os.utime(blobs.path_of(blob.sha256), (then, then))
    return blob


def test_old_bytes_that_no_row_names_are_deleted_and_new_ones_stay(store):
    forgotten, fresh = old(b"forgotten"), blobs.store(b"fresh")

    assert collect() == 1

    assert not blobs.exists(forgotten.sha256)
    assert blobs.exists(fresh.sha256)


def test_old_bytes_that_a_row_names_stay(store):
    kept = [old(name.encode()) for name in ("body", "warc", "text", "offsets")]
    layer = StoredLayer("visible", "test", "1", "ok", blob=kept[2], chars=4, offsets=kept[3])
    request = CaptureRequest.objects.create(url="https://paper.example/", canonical_url="https://paper.example/")
    sealing = Sealing(outcome="failed", started_at=timezone.now(), body=kept[0], warc=kept[1], layers=(layer,))
    seal_capture(request, sealing, within=transaction.atomic())

    assert collect() == 0
    assert all(blobs.exists(blob.sha256) for blob in kept)


@pytest.mark.parametrize("reference", sorted(references()), ids=".".join)
def test_the_columns_that_name_blobs_are_each_asked(store, reference, monkeypatch, django_assert_num_queries):
    old(b"forgotten")
    monkeypatch.setattr(collecting, "_references", {reference})

    # Once for the batch, and once more before the file goes.
    with django_assert_num_queries(2):
        assert collect() == 1


def test_bytes_that_are_stored_again_while_they_are_looked_up_stay(store, monkeypatch):
    forgotten = old(b"forgotten")
    named = collecting._named
    stored_again = []

    def store_after_the_question(hashes):
        answer = named(hashes)
        if not stored_again:
            stored_again.append(blobs.store(b"forgotten"))
        return answer

    monkeypatch.setattr(collecting, "_named", store_after_the_question)

    assert collect() == 0
    assert blobs.verify(forgotten.sha256)
    assert list(blobs.taken_folder().iterdir()) == []


def test_bytes_that_are_named_while_they_are_looked_up_stay(store, monkeypatch):
    """Also where their file stayed old: the row is asked for once more when the file is out of reach."""
    forgotten = old(b"forgotten")
    named = collecting._named
    requests = []

    def name_after_the_question(hashes):
        answer = named(hashes)
        if not requests:
            address = "https://paper.example/"
            requests.append(
                CaptureRequest.objects.create(url=address, canonical_url=address, upload_sha256=forgotten.sha256)
            )
        return answer

    monkeypatch.setattr(collecting, "_named", name_after_the_question)

    assert collect() == 0
    assert blobs.verify(forgotten.sha256)


def test_what_a_killed_collector_had_taken_is_put_back(store):
    taken = old(b"taken")
    blobs.path_of(taken.sha256).rename(blobs.taken_folder() / taken.sha256)

    collecting._put_back_what_a_killed_collector_took()

    assert blobs.verify(taken.sha256)
