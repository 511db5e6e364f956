"""A claim's page: its words, its evidence, and what has changed."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from factcheck.articles.selectors import latest_revision
from factcheck.claims.models import Claim
from factcheck.claims.services import change_claim, place_claim, revise_article, withdraw_claim
from factcheck.desk.comparing import compare_words
from factcheck.desk.selectors_claim import statement_of
from factcheck.desk.sentences import sentences_with
from factcheck.verdicts.selectors import current_verdict
from tests import factories
from tests.desk.signed_in import client_of

pytestmark = pytest.mark.django_db


def page_of(claim: Claim, person=None, status: int = 200) -> str:
    answer = client_of(person or factories.checker()).get(reverse("desk:claim", args=[claim.public_id]))
    assert answer.status_code == status
    return answer.content.decode()


def test_the_words_stand_marked_in_their_sentence():
    page = page_of(factories.claim(None, "40 million"))

    assert "Repairs will cost </span><mark>40 million</mark>" in page
    assert "said the engineer" not in page


def test_passages_of_one_claim_each_bring_their_sentence():
    claim = factories.claim(None, "40 million", "18,000 people")
    revision = latest_revision(claim.article)
    spans = [(anchor.start, anchor.end) for anchor in claim.anchors.all()]

    found = ["".join(piece.text for piece in item.pieces) for item in sentences_with(revision.blocks, spans)]

    assert found == ["Repairs will cost 40 million euros.", "About 18,000 people cross the bridge every day."]


def test_a_claim_that_is_not_there_is_not_found():
    assert client_of(factories.checker()).get("/desk/claims/aaaaaaaa/").status_code == 404


def test_a_claim_knows_its_neighbours_in_the_text():
    article = factories.article()
    second = factories.claim(article, "18,000 people")
    first = factories.claim(article, "40 million")

    page = page_of(first)

    assert f'rel="next" href="{reverse("desk:claim", args=[second.public_id])}"' in page
    assert 'rel="prev"' not in page


def test_queries_do_not_grow_with_the_claims_of_the_article():
    article = factories.article()
    claim = factories.claim(article, "40 million")
    factories.signed_off(claim)
    client = client_of(factories.checker())
    address = reverse("desk:claim", args=[claim.public_id])
    client.get(address)
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get(address)
    for words in ("18,000 people", "3 March 2025", "twelve months"):
        factories.signed_off(factories.claim(article, words))

    with CaptureQueriesContext(connection) as many:
        client.get(address)

    assert len(many) == len(few)


def test_queries_do_not_grow_with_the_evidence_of_the_claim():
    claim = factories.claim()
    factories.interview(claim)
    client = client_of(factories.checker())
    address = reverse("desk:claim", args=[claim.public_id])
    client.get(address)
    with CaptureQueriesContext(connection) as few:
        client.get(address)
    for _number in range(3):
        factories.interview(claim)

    with CaptureQueriesContext(connection) as many:
        client.get(address)

    assert len(many) == len(few)


def test_off_the_record_is_for_who_heard_it_and_whom_they_named():
    claim = factories.claim()
    factories.interview(claim, off_record=True, shown_to=[factories.checker()])

    assert "Marta Lindqvist" in page_of(claim, factories.reporter())
    assert "Marta Lindqvist" in page_of(claim, factories.checker())
    for stranger in (factories.editor(), factories.admin(), factories.second_checker()):
        page = page_of(claim, stranger)
        assert "Marta Lindqvist" not in page
        assert '<span class="count">0</span>' in page
        assert "Marked" in page


def test_a_stale_verdict_shows_what_the_words_were_and_are():
    claim = factories.claim(None, "Repairs will cost 40 million euros")
    factories.signed_off(claim)
    text = latest_revision(claim.article).text.replace("40 million", "46 million")
    revise_article(claim.article, text.encode(), version=None, by=factories.reporter())
    spans = factories.spans_of(claim.article, "Repairs will cost 46 million euros")
    place_claim(claim, passages=spans, version=None, by=factories.reporter())

    page = page_of(claim)

    assert "The verdict is about other words" in page
    assert "Repairs will cost <del>40</del> million euros" in page
    assert "Repairs will cost <ins>46</ins> million euros" in page


def test_a_verdict_about_a_place_that_was_corrected_still_knows_its_words():
    claim = factories.claim(None, "40 million")
    factories.verdict(claim)
    place_claim(
        claim, passages=factories.spans_of(claim.article, "18,000 people"), version=None, by=factories.reporter()
    )

    statement = statement_of(current_verdict(claim))

    assert statement is not None
    assert statement.words == ("40 million",)


def test_another_speaker_makes_the_verdict_stale_and_the_page_says_whose_it_was():
    claim = factories.claim()
    factories.verdict(claim)
    change_claim(claim, kind="number", speaker="The city", version=None, by=factories.reporter())

    page = page_of(claim)

    assert "Then said by" in page
    assert "<dd>us</dd>" in page


def test_a_fresh_verdict_is_called_stale_nowhere():
    claim = factories.claim()
    factories.verdict(claim)

    assert "The verdict is about other words" not in page_of(claim)


def test_a_withdrawn_claim_offers_no_form_and_says_why():
    claim = factories.claim()
    withdraw_claim(claim, reason="The sentence is gone.", version=None, by=factories.checker())

    page = page_of(claim)

    assert "The sentence is gone." in page
    assert reverse("desk:decide", args=[claim.public_id]) not in page
    assert reverse("desk:evidence_new", args=[claim.public_id, "page"]) not in page


def test_what_a_role_may_not_do_is_not_offered():
    claim = factories.claim()

    assert reverse("desk:decide", args=[claim.public_id]) not in page_of(claim, factories.reporter())
    assert reverse("desk:decide", args=[claim.public_id]) in page_of(claim, factories.checker())


def test_hostile_words_are_shown_and_not_run():
    claim = factories.claim()
    factories.interview(claim, quote="<script>alert(1)</script>")

    page = page_of(claim)

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page


def test_a_comparison_keeps_both_wordings_whole():
    before, after = "It cost  5.4 million, not more.", "It cost 6.4 million,\nnot more."

    compared = compare_words(before, after)

    assert "".join(part.text for part in compared.before) == before
    assert "".join(part.text for part in compared.after) == after
    assert [part.text for part in compared.before if part.kind == "gone"] != []
