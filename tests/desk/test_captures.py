"""A copy on the desk: its text with the passage, its facts, and its bytes."""

import hashlib
import io
from urllib.parse import urlsplit

import pytest
from django.test import override_settings
from django.urls import reverse

from factcheck.archive.replay_links import is_key_for
from factcheck.archive.wacz_checking import check_wacz
from factcheck.evidence.models import Evidence
from factcheck.evidence.services import Argument, archive_again, attach_page
from tests import factories, web
from tests.desk.signed_in import client_of
from tests.newsroom_web import do_due_work, site

pytestmark = pytest.mark.django_db(transaction=True)

WORDS = "Repairs will cost 40 million euros."
PAGE = f"<title>Budget</title><p>The council &lt;b&gt;agreed&lt;/b&gt;.</p><p>{WORDS}</p><p hidden>Unseen words.</p>"


def archived(*, page: str = PAGE, again: bool = False, **argument) -> Evidence:
    with site({"/budget": web.page(page)}) as served:
        evidence = attach_page(
            factories.claim(),
            url=served.url("/budget"),
            argument=Argument(stance="for", quote=WORDS, **argument),
            by=factories.reporter(),
        )
        do_due_work()
        if again:
            archive_again(evidence, by=factories.reporter())
            do_due_work()
    return evidence


def get(name: str, evidence: Evidence, person=None, **query):
    address = reverse(f"desk:{name}", args=[evidence.capture_request.public_id])
    return client_of(person or factories.checker()).get(address, query)


def test_the_text_stands_with_the_passage_marked_and_nothing_of_it_runs():
    page = get("capture", archived()).content.decode()

    assert f"<mark>{WORDS}</mark>" in page
    assert "The council &lt;b&gt;agreed&lt;/b&gt;." in page


def test_another_layer_is_shown_when_asked_for():
    evidence = archived()

    assert "Unseen words." not in get("capture", evidence).content.decode()
    assert "Unseen words." in get("capture", evidence, layer="hidden").content.decode()


def test_the_archive_file_is_given_as_a_file_and_is_the_one_of_the_hash():
    evidence = archived()

    answer = get("capture_warc", evidence)

    body = b"".join(answer.streaming_content)
    assert answer["Content-Disposition"].startswith("attachment;")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert hashlib.sha256(body).hexdigest() == evidence.capture_request.sealed_capture.warc_sha256


def test_the_package_is_given_as_a_file_and_is_whole():
    evidence = archived()

    answer = get("capture_wacz", evidence)

    body = b"".join(answer.streaming_content)
    assert answer["Content-Type"] == "application/wacz"
    assert answer["Content-Disposition"].startswith("attachment;")
    assert answer["Content-Length"] == str(len(body))
    assert check_wacz(io.BytesIO(body)) == []
    assert (
        reverse("desk:capture_wacz", args=[evidence.capture_request.public_id])
        in get("capture", evidence).content.decode()
    )


def test_a_long_text_is_shown_around_its_passage():
    filler = "<p>" + "Nothing of note happened on that day. " * 4500 + "</p>"
    page = get("capture", archived(page=f"{filler}<p>{WORDS}</p>{filler}")).content.decode()

    assert "The text is long" in page
    assert f"<mark>{WORDS}</mark>" in page


@override_settings(ARCHIVE_URL="http://archive.example")
def test_the_way_to_the_archive_host_has_a_key_made_now():
    evidence = archived()

    answer = get("capture_replay", evidence)

    address = urlsplit(answer["Location"])
    capture_id = evidence.capture_request.public_id
    assert address.netloc == "archive.example"
    before, key, after = address.path.rpartition("/k/")[0], address.path.split("/")[-2], address.path[-1]
    assert (before, after) == (f"/replay/{capture_id}", "/")
    assert is_key_for(key, capture_id)


def test_a_copy_of_an_off_record_page_is_not_there_for_a_stranger():
    evidence = archived(off_record=True)

    for name in ("capture", "capture_warc", "capture_wacz", "capture_replay"):
        assert get(name, evidence, factories.admin()).status_code == 404
        assert get(name, evidence, factories.reporter()).status_code in (200, 302)


def test_an_older_copy_of_an_off_record_page_is_no_more_public_than_the_new_one():
    evidence = archived(page="<p>Other words than those.</p>", off_record=True)
    older = Evidence.objects.get(pk=evidence.pk)
    with site({}):
        archive_again(evidence, by=factories.reporter())

    assert get("capture", older, factories.admin()).status_code == 404
    assert get("capture", older, factories.reporter()).status_code == 200


def test_a_copy_that_serves_two_claims_names_only_what_the_person_may_know():
    with site({"/budget": web.page(PAGE)}) as served:
        url = served.url("/budget")
        open_one = attach_page(
            factories.claim(), url=url, argument=Argument(stance="for", quote=WORDS), by=factories.reporter()
        )
        hidden = attach_page(
            open_one.claim,
            url=url,
            argument=Argument(stance="against", quote="The council", off_record=True),
            by=factories.reporter(),
        )
        # As it was kept before off-record copies had orders of their own.
        Evidence.objects.filter(pk=hidden.pk).update(capture_request=open_one.capture_request)
        do_due_work()

    page = get("capture", open_one, factories.admin()).content.decode()

    assert f"<mark>{WORDS}</mark>" in page
    assert "<mark>The council</mark>" not in page
    assert hidden.public_id not in page


def test_a_copy_that_holds_nothing_says_what_happened():
    with site({}) as served:
        evidence = attach_page(
            factories.claim(),
            url=served.url("/nowhere"),
            argument=Argument(stance="for", quote=WORDS),
            by=factories.reporter(),
        )
        do_due_work()

    page = get("capture", evidence).content.decode()

    assert "no such page (404)" in page


def test_a_copy_that_is_not_there_is_not_found():
    client = client_of(factories.checker())

    assert client.get(reverse("desk:capture", args=["aaaaaaaa"])).status_code == 404
