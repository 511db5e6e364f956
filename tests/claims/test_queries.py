"""A question about a claim: asked, answered, resolved; and nothing goes out past one that is open."""

import json

import pytest

from factcheck.accounts.permissions import NotPermitted
from factcheck.claims.errors import ClaimWithdrawn, QueryRefused
from factcheck.claims.models import Claim, Query
from factcheck.claims.services import answer_query, ask_query, resolve_query, withdraw_claim
from factcheck.ledger.actions import Action
from factcheck.ledger.models import Entry
from factcheck.publications.errors import GateClosed
from factcheck.publications.services import publish
from factcheck.verdicts.services import begin_review
from tests import factories

pytestmark = pytest.mark.django_db


def asked(claim: Claim | None = None) -> Query:
    return ask_query(
        claim or factories.claim(), question="Which budget?", of=factories.reporter(), by=factories.checker()
    )


def open_queries(query: Query) -> int:
    return Claim.objects.get(pk=query.claim_id).open_queries


def test_a_query_is_open_until_whoever_asked_it_says_that_it_is_resolved():
    query = asked()
    assert open_queries(query) == 1

    answer_query(query, answer="That of 2025.", by=factories.reporter())
    assert open_queries(query) == 1
    resolve_query(query, by=factories.checker())
    resolve_query(query, by=factories.checker())

    assert open_queries(query) == 0
    said = Query.objects.get()
    assert (said.answer, said.answered_by, said.resolved_by) == (
        "That of 2025.",
        factories.reporter(),
        factories.checker(),
    )
    actions = list(Entry.objects.filter(subject=query.claim.subject).order_by("pk").values_list("action", flat=True))
    assert actions[1:] == [Action.QUERY_ASKED, Action.QUERY_ANSWERED, Action.QUERY_RESOLVED]


def test_nobody_answers_their_own_question_and_nobody_answers_twice():
    query = asked()

    with pytest.raises(QueryRefused, match="yours"):
        answer_query(query, answer="That of 2025.", by=factories.checker())
    for _click in range(2):
        answer_query(query, answer="That of 2025.", by=factories.reporter())
    with pytest.raises(QueryRefused, match="meanwhile"):
        answer_query(query, answer="That of 2024.", by=factories.editor())

    assert Query.objects.get().answer == "That of 2025."
    assert Entry.objects.filter(action=Action.QUERY_ANSWERED).count() == 1


def test_others_do_not_resolve_it_but_for_an_editor():
    query = asked()

    with pytest.raises(NotPermitted):
        resolve_query(query, by=factories.reporter())
    resolve_query(query, by=factories.editor())

    assert open_queries(query) == 0


@pytest.mark.parametrize("words", ["", "  ", "\u200b\u2060"])
def test_a_question_or_an_answer_without_words_is_refused(words: str):
    query = asked()

    with pytest.raises(QueryRefused):
        ask_query(query.claim, question=words, of=None, by=factories.checker())
    with pytest.raises(QueryRefused):
        answer_query(query, answer=words, by=factories.reporter())


def test_nothing_is_asked_of_somebody_who_has_left_nor_about_a_withdrawn_claim():
    gone, claim = factories.second_checker(), factories.claim()
    gone.is_active = False
    gone.save()

    with pytest.raises(QueryRefused, match="no open account"):
        ask_query(claim, question="Which budget?", of=gone, by=factories.checker())
    withdraw_claim(claim, reason="It is an opinion.", version=None, by=factories.checker())
    with pytest.raises(ClaimWithdrawn):
        ask_query(claim, question="Which budget?", of=None, by=factories.checker())


def test_asking_twice_with_one_id_asks_once():
    claim = factories.claim()
    for _time in range(2):
        ask_query(claim, question="Which budget?", of=None, public_id="7q2km4tz", by=factories.checker())

    assert Query.objects.count() == 1


def test_a_reviewer_asks_without_leaving_the_review():
    verdict = factories.verdict()
    begin_review(verdict, version=None, by=factories.editor())

    ask_query(verdict.claim, question="Which budget?", of=None, by=factories.editor())

    assert Claim.objects.get().reviewer == factories.editor()


def test_an_article_does_not_go_out_past_an_open_query_and_readers_learn_no_more_than_that():
    claim = factories.signed_off().claim
    query = asked(claim)

    with pytest.raises(GateClosed) as closed:
        publish(claim.article, by=factories.editor())
    assert [blocker.sentence for blocker in closed.value.blockers] == ["A query about it is not resolved."]
    assert "Which budget" not in json.dumps([blocker.public_sentence for blocker in closed.value.blockers])
    resolve_query(query, by=factories.checker())
    publish(claim.article, by=factories.editor())
