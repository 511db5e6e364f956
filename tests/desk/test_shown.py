"""What a browser made of a page, at the desk. The browser itself is in tests/archive/test_browsing.py."""

import pytest
from django.urls import reverse

from factcheck.archive import blobs
from factcheck.archive.models import Capture, Rendering, TextLayer
from factcheck.evidence.checking import find_passage, write_check
from factcheck.evidence.models import Evidence
from factcheck.evidence.services import Argument, attach_page
from tests import factories, web
from tests.desk.signed_in import client_of
from tests.newsroom_web import do_due_work, site

pytestmark = pytest.mark.django_db(transaction=True)

WORDS = "Repairs will cost 40 million euros."
PNG = b"\x89PNG\r\n\x1a\n picture"
KINDS = {"view": "image/png", "altered": "image/png", "print": "application/pdf", "dom": "text/html; charset=utf-8"}


def opened_in_a_browser(**argument) -> Evidence:
    """Evidence with a copy as a browser leaves it: pictures, and a text that was not sent."""
    with site({"/budget": web.page("<title>Budget</title><p>Wait.</p>")}) as served:
        evidence = attach_page(
            factories.claim(),
            url=served.url("/budget"),
            argument=Argument(stance="for", quote=WORDS, **argument),
            by=factories.reporter(),
        )
        do_due_work()
    capture = Capture.objects.get()
    for kind, media_type in KINDS.items():
        kept = blobs.store(PNG + kind.encode())
        size = {"width": 1280, "height": 900} if media_type == "image/png" else {}
        Rendering.objects.create(
            capture=capture, kind=kind, media_type=media_type, sha256=kept.sha256, bytes=kept.size, **size
        )
    text = blobs.store(f"Budget\n{WORDS}".encode())
    TextLayer.objects.create(
        capture=capture,
        kind="render",
        extractor="browser",
        extractor_version="1",
        outcome="ok",
        sha256=text.sha256,
        chars=len(WORDS) + 7,
    )
    write_check(evidence, capture, find_passage(capture, evidence))
    return evidence


def shown(evidence: Evidence, kind: str, person=None):
    address = reverse("desk:capture_shown", args=[evidence.capture_request.public_id, kind])
    return client_of(person or factories.checker()).get(address)


def test_a_picture_is_given_as_a_picture_and_can_run_nothing():
    answer = shown(opened_in_a_browser(), "view")

    assert b"".join(answer.streaming_content) == PNG + b"view"
    assert answer["Content-Type"] == "image/png"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]


def test_a_print_is_given_as_a_file_and_the_pages_markup_not_at_all():
    evidence = opened_in_a_browser()

    assert shown(evidence, "print")["Content-Disposition"].startswith("attachment")
    assert shown(evidence, "dom").status_code == 404
    assert shown(evidence, "page").status_code == 404


def test_who_may_not_know_of_the_source_sees_no_picture_of_it():
    evidence = opened_in_a_browser(off_record=True)

    assert shown(evidence, "view").status_code == 404
    assert shown(evidence, "view", factories.reporter()).status_code == 200


def test_the_page_of_the_copy_shows_the_pictures_and_calls_the_altered_one_altered():
    evidence = opened_in_a_browser()

    address = reverse("desk:capture", args=[evidence.capture_request.public_id])
    page = client_of(factories.checker()).get(address).content.decode()

    assert page.count("<figure>") == 2
    assert page.count("Altered by us:") == 1
    assert page.index("Altered by us:") > page.index("/shown/altered/")


def test_words_that_only_the_browser_showed_secure_the_evidence_and_are_said_to_be_that():
    evidence = opened_in_a_browser()

    page = client_of(factories.checker()).get(reverse("desk:evidence", args=[evidence.public_id])).content.decode()

    assert "in what our browser showed of the page" in page
    assert WORDS in page
