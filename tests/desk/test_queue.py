"""What waits for whom, over all articles."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from factcheck.accounts.models import User
from factcheck.claims.models import Claim
from factcheck.claims.services import answer_query, ask_query, assign_claims, resolve_query, revise_article
from factcheck.desk.selectors_queue import Queue, queue_page
from factcheck.verdicts.services import begin_review, send_back, sign_off
from tests import factories
from tests.desk.signed_in import client_of

pytestmark = pytest.mark.django_db


def listed(person: User, queue: Queue) -> list[Claim]:
    return [row.claim for row in queue_page(person, queue).rows]


def counted(person: User) -> dict[Queue, int]:
    return {count.queue: count.number for count in queue_page(person, Queue.MINE).counts}


def show(person: User, **query) -> str:
    answer = client_of(person).get(reverse("desk:queue"), query)
    assert answer.status_code == 200
    return answer.content.decode()


def give(person: User, claim: Claim, to: str):
    return client_of(person).post(reverse("desk:queue"), {"chosen": [claim.public_id], "to": to}, follow=True)


def test_a_verdict_waits_for_everybody_but_the_one_who_decided():
    verdict = factories.verdict()

    assert listed(factories.second_checker(), Queue.REVIEW) == [verdict.claim]
    assert listed(factories.checker(), Queue.REVIEW) == []


def test_what_is_signed_off_or_sent_back_waits_for_no_signature():
    signed, returned = factories.verdict(), factories.verdict()
    sign_off(signed, version=None, by=factories.editor())
    send_back(returned, comment="Ask the city.", version=None, by=factories.editor())

    assert listed(factories.editor(), Queue.REVIEW) == []


def test_a_verdict_about_words_that_have_changed_waits_for_no_signature():
    claim = factories.verdict().claim
    revise_article(claim.article, factories.TEXT.replace("40 million", "43 million").encode(), version=None, by=None)

    assert listed(factories.editor(), Queue.REVIEW) == []


def test_what_was_sent_back_is_on_the_list_of_whoever_decided_it_with_the_comment():
    verdict = factories.verdict()
    send_back(verdict, comment="Ask the city.", version=None, by=factories.editor())

    assert "Ask the city." in show(factories.checker())
    assert listed(factories.second_checker(), Queue.MINE) == []


def test_ones_own_claims_are_listed_until_they_are_signed_off_and_again_when_their_words_change():
    claim = factories.claim()
    assign_claims([claim], to=factories.checker(), by=factories.editor())
    assert listed(factories.checker(), Queue.MINE) == [claim]

    factories.signed_off(claim)
    assert listed(factories.checker(), Queue.MINE) == []
    revise_article(claim.article, factories.TEXT.replace("18,000", "19,000").encode(), version=None, by=None)
    assert listed(factories.checker(), Queue.MINE) == []
    again = factories.TEXT.replace("18,000", "19,000").replace("40 million", "43 million")
    revise_article(claim.article, again.encode(), version=None, by=None)
    assert listed(factories.checker(), Queue.MINE) == [claim]


def test_what_nobody_has_taken_and_nobody_has_decided_is_nobodys():
    free, taken = factories.claim(), factories.claim()
    factories.verdict()
    assign_claims([taken], to=factories.checker(), by=factories.checker())

    assert listed(factories.checker(), Queue.FREE) == [free]
    assert counted(factories.checker()) == {Queue.MINE: 1, Queue.QUERIES: 0, Queue.REVIEW: 0, Queue.FREE: 1}


def test_a_checker_takes_claims_from_the_list_and_may_not_give_them_to_others():
    claim = factories.claim()
    factories.second_checker()

    assert "Chen has 1 claim more." in give(factories.checker(), claim, "chen").content.decode()
    assert Claim.objects.get().assigned_to == factories.checker()
    assert "does not let you give claims to others" in give(factories.checker(), claim, "carla").content.decode()
    assert Claim.objects.get().assigned_to == factories.checker()
    assert "Carla has 1 claim more." in give(factories.editor(), claim, "carla").content.decode()
    assert "1 claim is nobody’s now." in give(factories.editor(), claim, "").content.decode()


def test_who_reviews_what_is_told():
    begin_review(factories.verdict(), version=None, by=factories.second_checker())

    assert "Carla is reviewing it." in show(factories.editor(), list="review")


@pytest.mark.parametrize(
    "query", [{"list": "\0"}, {"list": "all"}, {"after": "²"}, {"after": "-1"}, {"after": "9" * 40}]
)
def test_a_query_that_nobody_would_type_is_a_page(query):
    show(factories.checker(), **query)


@pytest.mark.parametrize("queue", Queue)
def test_the_number_of_queries_does_not_grow_with_the_list(queue):
    def wait_for(person: User) -> None:
        assign_claims([factories.claim()], to=person, by=person)
        ask_query(factories.claim(), question="Which budget?", of=person, by=factories.checker())
        send_back(factories.verdict(), comment="Ask the city.", version=None, by=person)
        begin_review(factories.verdict(), version=None, by=factories.editor())

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            show(person, list=queue)
        return len(asked)

    person = factories.second_checker()
    wait_for(person)
    few = queries()
    for _time in range(4):
        wait_for(person)

    assert len(listed(person, queue)) >= 5
    assert queries() == few


def test_what_is_too_long_or_in_any_script_is_refused_or_kept_as_it_was_typed():
    claim, chen = factories.claim(), factories.checker()
    address = reverse("desk:query_new", args=[claim.public_id])
    words = "أي ميزانية؟ 🧮 e\u0301"

    long = client_of(chen).post(address, {"question": words + "x" * 5_000})
    assert (long.status_code, words in long.content.decode()) == (422, True)
    client_of(chen).post(address, {"question": words})

    assert claim.queries.get().question == words


def test_a_query_stands_on_the_list_of_whom_it_asks_and_then_on_that_of_who_asked():
    claim = factories.claim()
    query = ask_query(claim, question="Which budget?", of=factories.reporter(), by=factories.checker())
    assert "Which budget?" in show(factories.reporter(), list="queries")
    assert listed(factories.checker(), Queue.QUERIES) == []

    answer_query(query, answer="That of 2025.", by=factories.reporter())
    assert listed(factories.reporter(), Queue.QUERIES) == []
    assert "That of 2025." in show(factories.checker(), list="queries")

    resolve_query(query, by=factories.checker())
    assert listed(factories.checker(), Queue.QUERIES) == []


def test_a_query_is_asked_answered_and_resolved_on_the_desk():
    claim, rosa, chen = factories.claim(), factories.reporter(), factories.checker()
    address = reverse("desk:claim", args=[claim.public_id])

    empty = client_of(chen).post(reverse("desk:query_new", args=[claim.public_id]), {"question": " ", "of": rosa.pk})
    assert (empty.status_code, "Write what you want to know." in empty.content.decode()) == (422, True)
    client_of(chen).post(reverse("desk:query_new", args=[claim.public_id]), {"question": "Which?", "of": rosa.pk})
    query = claim.queries.get()
    assert "Chen asks Rosa" in client_of(rosa).get(address).content.decode()
    answer = reverse("desk:query_answer", args=[query.public_id])
    assert "Which?" in client_of(rosa).get(answer).content.decode()
    client_of(rosa).post(answer, {"answer": "<b>That one.</b>"})
    page = client_of(chen).get(address).content.decode()
    assert "&lt;b&gt;That one.&lt;/b&gt;" in page
    client_of(chen).post(reverse("desk:query_resolve", args=[query.public_id]))
    assert "Resolved by Chen" in client_of(rosa).get(address).content.decode()


def test_a_claim_that_is_asked_about_or_in_review_is_counted_among_what_is_in_check():
    claim = factories.verdict().claim
    begin_review(claim.verdicts.get(), version=None, by=factories.editor())
    other = factories.claim(claim.article, "About 18,000 people cross the bridge every day")
    ask_query(other, question="Which budget?", of=None, by=factories.checker())

    left = client_of(factories.checker()).get(reverse("desk:article_left", args=[claim.article.slug]))
    articles = client_of(factories.checker()).get(reverse("desk:articles"))

    assert left.status_code == 200
    assert "In review" in articles.content.decode()
    assert "Query" in articles.content.decode()
