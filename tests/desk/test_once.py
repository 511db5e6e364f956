"""A second click on the same button: one thing is made, and the answer is the same."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from factcheck.articles.models import Article
from factcheck.claims.models import Claim
from factcheck.evidence.models import Evidence, Source
from tests import factories
from tests.desk.signed_in import client_of

pytestmark = pytest.mark.django_db

MARK = {"revision": 1, "words": "40 million euros", "kind": "number", "speaker": ""}
INTERVIEW = {
    "contact": "Marta Lindqvist",
    "spoken_on": "2025-02-20",
    "spoken_how": "telephone",
    "heard_by": "Rosa",
    "note": "She confirmed it.",
    "stance": "for",
    "visibility": "passage",
}


def chosen_id(page: str) -> str:
    """The id that the form on the page has chosen for what it makes."""
    found = re.search(r'name="public_id" value="([a-z0-9]{8})"', page)
    assert found
    return found[1]


def twice(client: Client, address: str, data: dict[str, object]) -> list[str]:
    answers = [client.post(address, data) for _click in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302]
    return [answer["Location"] for answer in answers]


def test_an_article_is_handed_in_once():
    client, address = client_of(factories.reporter()), reverse("desk:article_new")
    preview = client.post(address, {"text": factories.TEXT}).content.decode()
    raw = re.search(r'name="raw" value="([^"]+)"', preview)
    assert raw
    data = {"step": "save", "removal": "none", "raw": raw[1], "title": "Bridge", "language": "en"}

    first, second = twice(client, address, data | {"public_id": chosen_id(preview)})

    assert first == second
    assert Article.objects.count() == 1


def test_a_claim_is_marked_once():
    article = factories.article()
    client = client_of(factories.reporter())
    page = client.get(reverse("desk:article", args=[article.slug])).content.decode()

    first, second = twice(
        client, reverse("desk:claim_mark", args=[article.slug]), MARK | {"public_id": chosen_id(page)}
    )

    assert first == second
    assert Claim.objects.count() == 1


def test_evidence_is_attached_once():
    claim = factories.claim()
    client, address = client_of(factories.reporter()), reverse("desk:evidence_new", args=[claim.public_id, "interview"])
    page = client.get(address).content.decode()

    first, second = twice(client, address, INTERVIEW | {"public_id": chosen_id(page)})

    assert first == second
    assert (Evidence.objects.count(), Source.objects.count()) == (1, 1)


def test_the_form_drawn_anew_makes_another():
    claim = factories.claim()
    client, address = client_of(factories.reporter()), reverse("desk:evidence_new", args=[claim.public_id, "interview"])
    for _form in range(2):
        client.post(address, INTERVIEW | {"public_id": chosen_id(client.get(address).content.decode())})

    assert Evidence.objects.count() == 2


@pytest.mark.parametrize("wanted", ["", "short", "UPPERCAS", "../../..", "        "])
def test_what_is_no_id_is_replaced_by_one(wanted):
    claim = factories.claim()
    address = reverse("desk:evidence_new", args=[claim.public_id, "interview"])

    client_of(factories.reporter()).post(address, INTERVIEW | {"public_id": wanted})

    assert re.fullmatch("[a-z0-9]{8}", Evidence.objects.get().public_id)


def test_somebody_elses_id_gives_nothing_of_theirs_away():
    claim = factories.claim()
    hidden = factories.interview(claim, off_record=True)
    address = reverse("desk:evidence_new", args=[claim.public_id, "interview"])

    answer = client_of(factories.checker()).post(address, INTERVIEW | {"public_id": hidden.public_id})

    assert answer.status_code == 302
    assert hidden.public_id not in answer["Location"]
    assert Evidence.objects.count() == 2
