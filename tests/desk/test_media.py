"""Films and PDFs at the desk: facts in words, what they are worth, and the same elsewhere."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from factcheck.archive import blobs
from factcheck.evidence.models import Evidence, PassageOutcome
from factcheck.evidence.selectors import standing_of
from factcheck.evidence.services import confirm_passage
from tests import factories, web
from tests.archive import pdfs
from tests.archive.test_media_facts import saved, scene
from tests.archive.test_media_facts_documents import INFO, XMP, paper, signed_until
from tests.archive.test_media_facts_films import TRAM_MOV, TRAM_WEBM
from tests.desk.test_pictures import copy_page, pictured
from tests.evidence.test_pages import attach
from tests.newsroom_web import do_due_work, site

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_film_says_how_long_it_is_what_took_it_and_what_that_is_worth():
    page = copy_page(pictured(TRAM_MOV))

    assert "QuickTime, 0:01 long, 64 × 48 pixels" in page
    assert "Picture: H.264 (avc1), 64 × 48 pixels, packed by Lavc59.37.100 libx264" in page
    assert "Sound: AAC (mp4a), 1 channel" in page
    assert '<dt dir="auto">Device</dt><dd dir="auto">A1</dd>' in page
    assert "2025-03-03T10:00:00Z" in page
    assert "60.17, 24.94" in page
    assert "Anybody can write this into a file" in page
    assert "platforms replace them by the time of upload" in page
    assert "nothing here unpacks films" in page


def test_a_pdf_says_what_was_done_to_it_and_what_it_carries():
    content = pdfs.simple(
        INFO,
        pdfs.packed(XMP, b"/Type/Metadata/Subtype/XML"),
        b"<</S/JavaScript/JS(app.alert\\(1\\))>>",
        catalogue=b"/Metadata 7 0 R/OpenAction 8 0 R",
        trailer=b"/Info 6 0 R",
    )
    changed = pdfs.updated(content, 4, pdfs.stream(b""), b"/Info 6 0 R")

    page = copy_page(pictured(changed))

    assert "PDF 1.7, 1 page, the first is 210 × 297 mm" in page
    assert "changed and saved on top of itself once" in page
    assert "It holds a program (JavaScript), which is not run here." in page
    assert "Draft budget" in page
    assert "Created (XMP)" in page
    assert "often those of a template" in page


def test_a_signature_is_said_to_be_there_and_not_to_hold():
    page = copy_page(pictured(signed_until(b"300")))

    assert "Whose it is, and whether it holds, is not checked here." in page
    assert "No signature covers the file to its end" in page


def test_a_photograph_names_the_page_of_a_paper_that_shows_it():
    pictured(paper(), url="https://city.example/paper")

    page = copy_page(pictured(saved(scene(2), "JPEG"), url="https://other.example/photo"))

    assert "city.example/paper" in page
    assert "looks the same as the one on page 3 there" in page


def test_a_paper_off_the_record_that_shows_a_picture_is_named_to_nobody_else():
    pictured(paper(), url="https://secret.example/paper", off_record="on")
    later = pictured(saved(scene(2), "JPEG"), url="https://other.example/photo")

    assert "secret.example" not in copy_page(later, factories.editor())
    assert "secret.example" in copy_page(later, factories.reporter())


def test_the_number_of_queries_does_not_grow_with_the_copies_that_look_alike():
    def queries(seen: Evidence) -> int:
        with CaptureQueriesContext(connection) as asked:
            copy_page(seen)
        return len(asked)

    photo = saved(scene(2), "JPEG")
    first = pictured(photo, url="https://one.example/photo")
    pictured(photo, url="https://two.example/photo")
    # The person who looks has been there before.
    copy_page(first)
    few = queries(first)
    for number in range(3):
        pictured(photo, url=f"https://more.example/{number}")

    assert copy_page(first).count("more.example") >= 3
    assert queries(first) == few


def test_the_same_film_elsewhere_is_named_as_the_same():
    pictured(TRAM_WEBM, url="https://first.example/film")

    page = copy_page(pictured(TRAM_WEBM, url="https://second.example/film"))

    assert "first.example" in page
    assert "the same file, byte for byte" in page


def test_hostile_words_of_a_file_are_words():
    hostile = pdfs.simple(b"<</Title(<script>alert\\(1\\)</script>)/Author(\\353\\000)>>", trailer=b"/Info 6 0 R")

    page = copy_page(pictured(hostile))

    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def filmed() -> Evidence:
    with site({"/film": web.page(TRAM_MOV, media_type="video/quicktime")}) as served:
        evidence = attach(served, "The tram will be built by 2025.", "/film")
        do_due_work()
    return evidence


def test_a_film_as_the_page_itself_carries_evidence_by_a_persons_word_alone():
    evidence = filmed()
    found = standing_of(evidence)
    assert found.capture is not None
    assert found.check is not None
    assert (found.capture.outcome, found.capture.media_type) == ("captured", "video/quicktime")
    assert (found.secured, found.check.outcome) == (False, PassageOutcome.NO_TEXT)

    confirm_passage(evidence, reason="She says it at 0:01.", version=None, by=factories.checker())

    assert standing_of(evidence).secured


def test_the_bytes_of_a_film_are_those_that_were_sent():
    found = standing_of(filmed()).capture
    assert found is not None

    assert blobs.read(found.body_sha256) == TRAM_MOV
