"""What was found of an uploaded package, at the desk and for readers."""

import json

import pytest
from django.test import Client
from django.urls import reverse

from factcheck.evidence.models import Evidence
from factcheck.publications.models import Publication
from tests import factories
from tests.archive.test_package_checks import Parts, anonymously, lines_of, pages_of, written
from tests.archive.test_uploading import recording
from tests.desk.signed_in import client_of
from tests.desk.test_evidence import BUDGET, WORDS, attach
from tests.desk.test_uploads import SAID, URL, file, published
from tests.newsroom_web import do_due_work

pytestmark = pytest.mark.django_db(transaction=True)

BROKEN = "Its signature is broken"


def attached_package(*, broken: bool) -> Evidence:
    warc = recording((URL, 200, "text/html", BUDGET.encode()))
    lie = {"signed.signature": anonymously("sha256:other")["signature"]} if broken else {}
    parts = Parts(
        warc=warc,
        index={"indexes/index.cdx": written(lines_of(warc))},
        pages=pages_of((URL, "")),
        signer=anonymously,
        digest=lie,
    )
    attach(
        factories.claim(), "page", url=URL, quote=WORDS, confirms_so="on", file=file(parts.packed, "copy.wacz"), **SAID
    )
    do_due_work()
    return Evidence.objects.get()


def desk_page(evidence: Evidence) -> str:
    address = reverse("desk:capture", args=[evidence.capture_request.public_id])
    return client_of(factories.checker()).get(address).content.decode()


def readers_page(evidence: Evidence) -> str:
    return Client().get(reverse("public:capture", args=[evidence.capture_request.public_id])).content.decode()


def test_the_desk_reads_what_is_right_and_wrong_in_a_package_and_that_it_contradicts_itself():
    page = desk_page(attached_package(broken=True))

    assert BROKEN in page
    assert "Its index is right" in page
    assert "It contradicts itself" in page


def test_the_desk_reads_nothing_of_packages_beside_another_file():
    attach(factories.claim(), "page", url=URL, quote=WORDS, confirms_so="on", file=file(), **SAID)
    do_due_work()

    assert "package-heading" not in desk_page(Evidence.objects.get())


@pytest.mark.parametrize("broken", [True, False])
def test_readers_read_the_same_and_it_is_frozen_with_the_publication(broken: bool):
    evidence = attached_package(broken=broken)
    published(evidence)

    page = readers_page(evidence)
    assert (BROKEN in page) == broken
    assert "Its index is right" in page
    content = json.loads(Publication.objects.get().content_row.body)
    (frozen,) = [item for claim in content["claims"] for item in claim["evidence"]]
    said = {finding["text"]: finding["tone"] for finding in frozen["capture"]["uploaded"]["package"]}
    assert len(said) == 3
    assert ("bad" in said.values()) == broken
    assert all(text in page for text in said if "'" not in text)
