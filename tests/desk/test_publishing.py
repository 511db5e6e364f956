"""The gate at the desk: what is in the way, passing it in writing, publishing."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from factcheck.articles.models import Article
from factcheck.publications.models import Override, Publication
from factcheck.publications.selectors import gate_of
from tests import factories
from tests.desk.signed_in import client_of

pytestmark = pytest.mark.django_db

REASON = "The council decides tonight, and we say so in the text."


def checked_article() -> Article:
    article = factories.article()
    factories.signed_off(factories.claim(article))
    return article


def publish(article: Article, person=None, **fields):
    article.refresh_from_db()
    data = {"version": article.version} | fields
    return client_of(person or factories.editor()).post(reverse("desk:publish", args=[article.slug]), data)


def override(article: Article, person=None, *, key: str | None = None, reason: str = REASON):
    if key is None:
        key = gate_of(article).blockers[0].key
    client = client_of(person or factories.editor())
    return client.post(reverse("desk:override", args=[article.slug]), {"key": key, "reason": reason})


def page_of(article: Article, person=None) -> str:
    return client_of(person or factories.editor()).get(reverse("desk:publish", args=[article.slug])).content.decode()


def test_each_blocker_is_a_sentence_with_the_way_to_its_claim():
    article = factories.article()
    claim = factories.claim(article)

    page = page_of(article, factories.reporter())

    assert "It has no verdict yet." in page
    assert reverse("desk:claim", args=[claim.public_id]) in page
    assert reverse("desk:override", args=[article.slug]) not in page


def test_a_closed_gate_refuses_and_shows_what_is_in_the_way():
    article = factories.article()
    factories.claim(article)

    answer = publish(article)

    assert answer.status_code == 422
    assert "cannot go out yet" in answer.content.decode()
    assert "It has no verdict yet." in answer.content.decode()
    assert not Publication.objects.exists()


def test_an_open_gate_lets_pass_and_the_way_to_readers_is_shown():
    article = checked_article()
    client = client_of(factories.editor())

    answer = client.post(reverse("desk:publish", args=[article.slug]), {"version": article.version}, follow=True)

    assert Publication.objects.get().version == 1
    assert f'<a href="/articles/{article.slug}/">See what readers see</a>' in answer.content.decode()


def test_what_goes_out_is_counted_by_rating():
    page = page_of(checked_article())

    assert "Nothing is in the way" in page
    assert "Accurate" in page
    assert "Publish version 1" in page


def test_a_second_version_says_what_has_changed_and_keeps_what_was_typed():
    article = checked_article()
    publish(article)

    refused = publish(article, note="A careful note.")
    let_pass = publish(article, note_kind="correction", note="The sum was wrong.")

    assert refused.status_code == 422
    assert "Say what sort of change this is" in refused.content.decode()
    assert "A careful note." in refused.content.decode()
    assert let_pass.status_code == 302
    assert Publication.objects.count() == 2


def test_publishing_a_page_that_is_out_of_date_is_refused_and_the_second_try_let_pass():
    article = checked_article()

    stale = publish(article, version=article.version - 1)

    assert stale.status_code == 422
    assert f'name="version" value="{article.version}"' in stale.content.decode()
    assert publish(article).status_code == 302


def test_only_editors_publish_and_everybody_may_look():
    article = checked_article()

    assert publish(article, factories.checker()).status_code == 403
    assert "An editor can publish it now." in page_of(article, factories.checker())
    assert not Publication.objects.exists()


def test_a_blocker_is_passed_with_a_reason_and_not_without():
    article = factories.article()
    claim = factories.claim(article)

    refused = override(article, reason=" ")
    let_pass = override(article)

    assert refused.status_code == 422
    assert "Write why the article may go out" in refused.content.decode()
    assert let_pass.status_code == 302
    assert Override.objects.count() == 1
    page = page_of(article)
    passed = page[page.index("Passed in writing") :]
    assert REASON in passed
    assert f'href="/desk/claims/{claim.public_id}/">Repairs will cost 40 million euros</a>' in passed


def test_the_page_costs_the_same_however_many_claims_blockers_and_overrides():
    article = factories.article()
    client = client_of(factories.editor())
    address = reverse("desk:publish", args=[article.slug])
    factories.signed_off(factories.claim(article, "40 million"))
    factories.claim(article, "3 March 2025")
    override(article)
    factories.claim(article, "18,000 people")
    client.get(address)
    with CaptureQueriesContext(connection) as few:
        client.get(address)
    factories.signed_off(factories.claim(article, "twelve months"))
    for words in ("the city", "the harbour"):
        factories.claim(article, words)
    override(article)
    factories.claim(article, "the bridge")

    with CaptureQueriesContext(connection) as many:
        client.get(address)

    assert len(many) == len(few)


def test_a_checker_passes_nothing():
    article = factories.article()
    factories.claim(article)

    assert override(article, factories.checker()).status_code == 403
    assert not Override.objects.exists()


def test_a_blocker_that_is_gone_cannot_be_passed_and_the_reason_is_not_lost():
    article = checked_article()

    answer = override(article, key="open:claim/aaaaaaaa")

    assert answer.status_code == 422
    assert "not in the way any more" in answer.content.decode()
    assert REASON in answer.content.decode()


def test_nobody_passes_their_own_unsigned_verdict():
    article = factories.article()
    claim = factories.claim(article)
    factories.interview(claim)
    client_of(factories.editor()).post(
        reverse("desk:decide", args=[claim.public_id]),
        {"version": 2, "rating": factories.rating().pk, "reason": "So it is."},
    )

    answer = override(article)

    assert answer.status_code == 422
    assert "You decided this verdict" in answer.content.decode()
    assert not Override.objects.exists()


def test_an_article_without_claims_does_not_go_out():
    article = factories.article()

    answer = publish(article)

    assert answer.status_code == 422
    assert "nothing in this article has been checked" in answer.content.decode()
