"""A picture at the desk: its own words as words, its statement of origin in sentences, and its earlier uses."""

import pytest
from django.urls import reverse
from PIL import Image

from factcheck.evidence.models import Evidence
from tests import factories
from tests.archive.test_media_facts import saved, scene, signed
from tests.desk.signed_in import client_of
from tests.desk.test_evidence import attach
from tests.desk.test_uploads import SAID, file
from tests.newsroom_web import do_due_work

pytestmark = pytest.mark.django_db(transaction=True)


def pictured(content: bytes, url: str = "https://city.example/photo", **fields) -> Evidence:
    attach(factories.claim(), "page", url=url, file=file(content, "photo"), **SAID, **fields)
    do_due_work()
    return Evidence.objects.latest("pk")


def copy_page(evidence: Evidence, person=None) -> str:
    client = client_of(person or factories.reporter())
    return client.get(reverse("desk:capture", args=[evidence.capture_request.public_id])).content.decode()


def test_what_the_file_says_is_shown_as_words():
    exif = Image.Exif()
    exif[0x0110] = "<script>alert(1)</script>"
    exif.get_ifd(0x8825).update({1: "N", 2: (60.0, 30.0, 0.0), 3: "E", 4: (24.0, 0.0, 36.0)})

    page = copy_page(pictured(saved(scene(1), "JPEG", exif=exif)))

    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "60.5, 24.01" in page
    assert "600 × 400 pixels" in page


def test_a_picture_without_a_statement_of_origin_is_not_held_against_it():
    page = copy_page(pictured(saved(scene(1), "JPEG")))

    assert "speaks neither for nor against it" in page or "are not read on this machine" in page
    assert "forged" not in page


def test_signature_picture_and_signer_each_have_their_sentence():
    content, _root = signed(saved(scene(1), "JPEG"))
    changed = bytearray(content)
    changed[-500] ^= 1

    page = copy_page(pictured(bytes(changed)))

    assert "the statement of origin is as it was signed" in page
    assert "saved anew or changed after the statement was made" in page
    assert "the name is their own word" in page
    assert "Test camera" in page
    assert "forged" not in page


def test_the_same_picture_in_another_copy_is_named():
    first = pictured(saved(scene(1)))
    second = pictured(saved(scene(1), "JPEG", quality=50), url="https://other.example/photo")
    pictured(saved(scene(2)), url="https://third.example/photo")

    page = copy_page(second)

    assert reverse("desk:capture", args=[first.capture_request.public_id]) in page
    assert "third.example" not in page


def test_an_earlier_use_off_the_record_is_named_to_nobody_else():
    secret = pictured(saved(scene(1)), url="https://secret.example/photo", off_record="on")
    later = pictured(saved(scene(1), "JPEG"), url="https://other.example/photo")

    assert "secret.example" not in copy_page(later, factories.editor())
    assert "None among the copies that you may see." in copy_page(later, factories.editor())
    assert reverse("desk:capture", args=[secret.capture_request.public_id]) in copy_page(later, factories.reporter())


def test_a_page_of_words_has_no_picture():
    assert "media-heading" not in copy_page(pictured(b"<p>Words.</p>"))
