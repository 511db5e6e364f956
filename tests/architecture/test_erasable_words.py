"""Rows that are never changed hold ids, hashes and times; words that may have to go lie in texts."""

import pytest
from django.apps import apps
from django.conf import settings
from django.db import models

from factcheck.archive.models import Capture
from factcheck.evidence.selectors import standing_of
from factcheck.ledger.services import erase_text
from factcheck.ledger.verifying import verify
from tests import web
from tests.evidence.test_pages import attach
from tests.newsroom_web import do_due_work, site

# Codes from fixed lists, signatures and keys, and the newsroom's own scale: docs/decisions/0007 says why.
CODES = {
    "archive.TextLayer.detail",
    "archive.WaczSignature.signature",
    "archive.WaczSignature.public_key",
    "publications.Override.blocker",
    "verdicts.Rating.meaning",
}


@pytest.mark.parametrize("label", settings.INSERT_ONLY_MODELS)
def test_no_insert_only_table_has_a_column_for_long_words(label: str):
    for field in apps.get_model(label)._meta.concrete_fields:
        long = isinstance(field, models.TextField) or (isinstance(field, models.CharField) and field.max_length > 100)
        assert not long or f"{label}.{field.name}" in CODES, f"{label}.{field.name}"


@pytest.mark.django_db(transaction=True)
def test_a_capture_whose_words_were_erased_keeps_its_hashes_and_its_place_in_the_log():
    with site({"/budget": web.page("<title>Jane Doe’s budget</title><p>Repairs will cost 40 million.</p>")}) as served:
        evidence = attach(served, "Repairs will cost 40 million.")
        do_due_work()
    capture = Capture.objects.get()
    before = (capture.body_sha256, capture.warc_sha256)
    assert capture.title == "Jane Doe’s budget"

    erase_text(capture.words_row, erasure="erasure-1")

    capture = Capture.objects.get()
    assert (capture.title, capture.url, capture.redirects) == ("", "", [])
    assert (capture.body_sha256, capture.warc_sha256) == before
    assert standing_of(evidence).secured
    assert verify().fault is None
