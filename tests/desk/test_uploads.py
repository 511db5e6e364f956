"""A person's own copy at the desk: handing it in, refusals, and the mark that it bears everywhere."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from factcheck.archive.models import Engine
from factcheck.desk.upload_limit import file_was_too_large
from factcheck.evidence.models import Evidence, Visibility
from factcheck.evidence.selectors import standing_of
from factcheck.evidence.services import set_visibility
from factcheck.ledger.models import Entry
from factcheck.publications.models import Publication
from factcheck.publications.services import publish
from factcheck.verdicts.services import decide_claim, sign_off
from tests import factories, web
from tests.desk.signed_in import client_of
from tests.desk.test_evidence import BUDGET, WORDS, attach, attached, look
from tests.newsroom_web import do_due_work, site

pytestmark = pytest.mark.django_db(transaction=True)

MARK = "not fetched by us."
URL = "https://city.example/budget"
SAID = {"upload_how": "Saved in Firefox on 3 March.", "upload_confirmed": "on"}


def file(content: bytes = BUDGET.encode(), name: str = "budget.html") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def hand_in(evidence: Evidence, person=None, content: bytes = BUDGET.encode(), name: str = "budget.html", **fields):
    client = client_of(person or factories.reporter())
    data = {"version": evidence.version, "file": file(content, name)} | SAID | fields
    return client.post(reverse("desk:evidence_own_copy", args=[evidence.public_id]), data)


def gone() -> Evidence:
    with site({}) as served:
        evidence = attached(served)
        do_due_work()
    return evidence


def attached_upload(**fields) -> Evidence:
    attach(factories.claim(), "page", url=URL, quote=WORDS, confirms_so="on", file=file(), **SAID, **fields)
    do_due_work()
    return Evidence.objects.get()


# --- instead of a copy that could not be made --------------------------------------------------


def test_a_page_that_is_gone_offers_the_upload():
    evidence = gone()

    page = look(evidence, factories.reporter())

    assert reverse("desk:evidence_own_copy", args=[evidence.public_id]) in page


def test_an_uploaded_copy_takes_the_place_of_the_failed_one_and_secures_the_words():
    evidence = gone()
    former = evidence.capture_request

    answer = hand_in(evidence)
    do_due_work()

    assert answer["Location"] == reverse("desk:evidence", args=[evidence.public_id])
    standing = standing_of(evidence)
    assert standing.secured
    assert standing.capture is not None
    assert standing.capture.engine == Engine.UPLOAD
    assert standing.capture.request.retry_of == former
    assert former.capture.outcome == "gone"


def test_words_that_are_not_in_the_upload_are_not_secured():
    evidence = gone()

    hand_in(evidence, content=b"<p>Something else altogether.</p>")
    do_due_work()

    assert not standing_of(evidence).secured


def test_secured_words_are_not_replaced_by_an_upload():
    with site({"/budget": web.page(BUDGET)}) as served:
        evidence = attached(served)
        do_due_work()

    answer = hand_in(evidence)

    assert answer.status_code == 422
    assert "secured by the copy that is there" in answer.content.decode()
    assert standing_of(evidence).capture.engine == Engine.HTTP


def test_a_second_click_makes_no_second_copy():
    evidence = gone()
    hand_in(evidence)

    answer = hand_in(evidence)

    assert answer.status_code == 422
    assert "Somebody changed this evidence" in answer.content.decode()
    assert Entry.objects.filter(action="capture.requested").count() == 2


def test_an_upload_for_the_off_the_record_stays_as_confidential():
    evidence = attached_upload(off_record="on")

    assert evidence.capture_request.confidential
    look(evidence, factories.editor(), status=404)


def test_nobody_uploads_for_evidence_that_they_may_not_know_of():
    evidence = attached_upload(off_record="on")

    assert hand_in(evidence, factories.editor()).status_code == 404


# --- while attaching ---------------------------------------------------------------------------


def test_evidence_is_attached_with_an_own_copy_and_nothing_is_fetched():
    with site({"/budget": web.page("<p>Another page.</p>")}) as served:
        answer = attach(factories.claim(), "page", url=served.url("/budget"), quote=WORDS, file=file(), **SAID)
        do_due_work()
        assert served.requests == []
    evidence = Evidence.objects.get()

    assert answer.status_code == 302
    assert standing_of(evidence).secured
    assert evidence.capture_request.engine == Engine.UPLOAD


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"upload_how": "", "upload_confirmed": "on"}, "Say how and when"),
        ({"upload_how": "Saved.", "upload_confirmed": ""}, "Confirm that the file"),
    ],
)
def test_a_file_without_what_has_to_be_said_of_it_is_refused_and_nothing_typed_is_lost(fields, sentence):
    answer = attach(factories.claim(), "page", url=URL, quote=WORDS, file=file(), **fields)

    page = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in page
    assert "Choose the file again" in page
    assert WORDS in page
    assert URL in page
    assert not Evidence.objects.exists()


def test_an_origin_without_its_file_is_refused():
    answer = attach(factories.claim(), "page", url=URL, quote=WORDS, upload_how="Saved on 3 March.")

    assert answer.status_code == 422
    assert "Choose the file." in answer.content.decode()
    assert not Evidence.objects.exists()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"MZ" + bytes(100), "This file is a program."), (b"", "The file is empty."), (b"<svg></svg>", "An SVG picture")],
)
def test_a_file_that_is_not_taken_is_refused_at_its_field(content, sentence):
    answer = attach(factories.claim(), "page", url=URL, quote=WORDS, file=file(content), **SAID)

    page = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in page
    assert "Saved in Firefox on 3 March." in page
    assert not Evidence.objects.exists()


def test_a_file_that_is_too_large_is_refused_and_what_was_typed_stays(settings):
    settings.CAPTURE_UPLOAD_MAX_BYTES = 200_000

    refused = attach(factories.claim(), "page", url=URL, quote=WORDS, file=file(b"x" * 200_001), **SAID)
    let_pass = attach(factories.claim(), "page", url=URL, quote=WORDS, file=file(b"x" * 200_000), **SAID)

    page = refused.content.decode()
    assert refused.status_code == 422
    assert "larger than" in page
    assert WORDS in page
    assert "Saved in Firefox on 3 March." in page
    assert let_pass.status_code == 302


def test_what_is_too_large_never_becomes_a_file_on_disk(settings, rf):
    settings.CAPTURE_UPLOAD_MAX_BYTES = 200_000

    request = rf.post("/", {"quote": WORDS, "file": file(b"x" * 5_000_000)})

    assert request.POST["quote"] == WORDS
    assert not request.FILES
    assert file_was_too_large(request)


def test_a_name_full_of_markup_is_shown_as_words():
    attach(factories.claim(), "page", url=URL, quote=WORDS, file=file(name="<img src=x onerror=alert(1)>.html"), **SAID)
    do_due_work()

    page = look(Evidence.objects.get())

    assert "<img src=x" not in page
    assert "&lt;img src=x" in page


# --- the mark ----------------------------------------------------------------------------------


def test_the_mark_stands_wherever_the_desk_shows_the_copy():
    evidence = attached_upload()
    client = client_of(factories.checker())
    pages = [
        reverse("desk:claim", args=[evidence.claim.public_id]),
        reverse("desk:evidence", args=[evidence.public_id]),
        reverse("desk:capture", args=[evidence.capture_request.public_id]),
    ]

    for address in pages:
        page = client.get(address).content.decode()
        assert "Uploaded by Rosa on" in page, address
        assert MARK in page, address


def test_of_an_upload_no_stage_says_that_it_is_fetched():
    attach(factories.claim(), "page", url=URL, quote=WORDS, file=file(), **SAID)

    page = look(Evidence.objects.get())

    assert "The uploaded copy is being read." in page or "Reading the text" in page
    assert "Fetching the page" not in page


def test_a_copy_that_we_fetched_bears_no_mark():
    with site({"/budget": web.page(BUDGET)}) as served:
        evidence = attached(served)
        do_due_work()

    assert MARK not in look(evidence)


def published(evidence: Evidence) -> Publication:
    claim = evidence.claim
    verdict = decide_claim(
        claim, rating=factories.rating(), reason="The budget says so.", version=None, by=factories.checker()
    )
    sign_off(verdict, version=None, by=factories.editor())
    return publish(claim.article, by=factories.editor())


def test_the_mark_is_frozen_with_the_publication_and_readers_see_it():
    evidence = attached_upload()

    published(evidence)

    content = json.loads(Publication.objects.get().content_row.body)
    [frozen] = [item for claim in content["claims"] for item in claim["evidence"]]
    assert frozen["capture"]["engine"] == "upload"
    assert frozen["capture"]["uploaded"]["by"] == {"name": "Rosa"}
    client = client_of(factories.reporter())
    for address in (
        reverse("public:claim", args=[evidence.claim.public_id]),
        reverse("public:capture", args=[evidence.capture_request.public_id]),
    ):
        page = client.get(address).content.decode()
        assert "Uploaded by Rosa on" in page, address
        assert MARK in page, address


def test_readers_see_the_passage_of_an_upload_and_not_the_file():
    evidence = attached_upload()
    published(evidence)
    client = client_of(factories.reporter())
    public_id = evidence.capture_request.public_id

    assert evidence.source.visibility == Visibility.PASSAGE
    assert client.get(reverse("public:capture_warc", args=[public_id])).status_code == 404


def test_a_source_that_was_open_is_closed_when_a_copy_is_uploaded_for_it():
    with site({}) as served:
        evidence = attached(served)
        do_due_work()
    set_visibility(evidence.source, Visibility.PUBLIC, reason="It is public anyway.", by=factories.editor())

    hand_in(evidence)

    evidence.source.refresh_from_db()
    assert evidence.source.visibility == Visibility.PASSAGE


def test_an_editor_opens_an_upload_with_a_reason_and_is_told_what_it_is():
    evidence = attached_upload()
    address = reverse("desk:source_visibility", args=[evidence.source.public_id])
    client = client_of(factories.editor())

    assert "a person’s own file" in client.get(address).content.decode()
    refused = client.post(address, {"visibility": "public", "reason": ""})
    let_pass = client.post(address, {"visibility": "public", "reason": "Our own photograph."})

    assert (refused.status_code, let_pass.status_code) == (422, 302)
