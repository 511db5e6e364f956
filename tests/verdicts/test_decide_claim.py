import pytest
from django.db import DatabaseError, transaction

from factcheck.accounts.permissions import NotPermitted
from factcheck.articles.selectors import latest_revision
from factcheck.claims.selectors import place_of
from factcheck.claims.services import change_claim, revise_article
from factcheck.lib.errors import StaleVersion
from factcheck.verdicts.errors import VerdictRefused
from factcheck.verdicts.models import Attribution, Verdict
from factcheck.verdicts.selectors import ClaimState, check_of, check_of_claim
from factcheck.verdicts.services import decide_claim
from tests import factories

pytestmark = pytest.mark.django_db


def decide(claim, **answers):
    values = {"rating": factories.rating(), "reason": "The budget says so.", "version": None, "by": factories.checker()}
    return decide_claim(claim, **(values | answers))


def test_a_claim_of_ours_gets_a_rating_and_a_reason():
    claim = factories.claim()
    factories.interview(claim)

    verdict = decide(claim)

    assert (verdict.rating.slug, verdict.reason, verdict.attribution) == ("accurate", "The budget says so.", "")


@pytest.mark.parametrize("reason", ["", "  ", "\u200b\u2060", "…"])
def test_a_verdict_without_a_reason_that_can_be_read_is_refused(reason):
    claim = factories.claim()
    factories.interview(claim)

    with pytest.raises(VerdictRefused, match="Write the reason"):
        decide(claim, reason=reason)


def test_a_claim_of_ours_cannot_go_unrated():
    with pytest.raises(VerdictRefused, match="gets a rating"):
        decide(factories.claim(), rating=None)


def test_a_claim_of_somebody_else_always_gets_the_attribution_answered():
    claim = factories.claim(speaker="Marta Lindqvist")
    factories.interview(claim)

    with pytest.raises(VerdictRefused, match="whether it was said"):
        decide(claim)
    assert decide(claim, attribution=Attribution.SAID).attribution == "said"


def test_the_content_of_somebody_elses_claim_may_go_unrated_with_a_reason():
    claim = factories.claim(speaker="Marta Lindqvist")
    factories.interview(claim)

    with pytest.raises(VerdictRefused, match="why it is not rated"):
        decide(claim, attribution=Attribution.SAID, rating=None)
    verdict = decide(claim, attribution=Attribution.SAID, rating=None, not_rated_reason="A matter of taste.")
    assert verdict.not_rated_reason == "A matter of taste."


def test_that_it_was_said_needs_secured_evidence_that_it_was_said():
    claim = factories.claim(speaker="Marta Lindqvist")
    factories.interview(claim, confirms_said=False)

    with pytest.raises(VerdictRefused, match="confirms that it was said"):
        decide(claim, attribution=Attribution.SAID)
    assert decide(claim, attribution=Attribution.CANNOT_CONFIRM)


def test_a_rating_that_needs_evidence_is_refused_without_any():
    with pytest.raises(VerdictRefused, match="needs secured evidence"):
        decide(factories.claim())


def test_a_rating_that_needs_none_is_given_without():
    assert decide(factories.claim(), rating=factories.rating("opinion"))


def test_that_it_was_said_is_no_evidence_that_it_is_so():
    claim = factories.claim()
    factories.interview(claim, confirms_so=False)

    with pytest.raises(VerdictRefused, match="needs secured evidence"):
        decide(claim)


@pytest.mark.parametrize("stance", ["against", "context"])
def test_evidence_against_or_beside_backs_a_rating(stance):
    claim = factories.claim()
    factories.interview(claim, confirms_so=False, stance=stance)

    assert decide(claim, rating=factories.rating("needs_context"))


def test_a_reporter_files_no_verdict():
    claim = factories.claim()
    factories.interview(claim)

    with pytest.raises(NotPermitted):
        decide(claim, by=factories.reporter())


def test_a_verdict_from_an_old_page_is_refused():
    claim = factories.claim()
    old = claim.version
    factories.interview(claim)

    with pytest.raises(StaleVersion):
        decide(claim, version=old)


def test_changed_words_make_a_verdict_stale_and_the_same_words_do_not():
    article = factories.article()
    kept = factories.verdict(factories.claim(article, "18,000 people")).claim
    lost = factories.verdict(factories.claim(article, "40 million euros")).claim

    revision = revise_article(
        article, factories.TEXT.replace("40 million", "43 million").encode(), version=None, by=factories.reporter()
    )

    states = {checked.claim.pk: (checked.stale, checked.state) for checked in check_of(revision)}
    assert states[kept.pk] == (False, ClaimState.DECIDED)
    assert states[lost.pk] == (True, ClaimState.IN_CHECK)


def test_another_speaker_makes_a_verdict_stale():
    verdict = factories.verdict()
    claim = change_claim(verdict.claim, kind="quote", speaker="The mayor", version=None, by=factories.checker())

    assert check_of_claim(place_of(claim, latest_revision(claim.article))).stale


def test_a_claim_without_a_place_is_not_decided():
    article = factories.article()
    claim = factories.claim(article, "18,000 people")
    factories.interview(claim)
    revise_article(article, factories.REWRITTEN.encode(), version=None, by=factories.reporter())

    with pytest.raises(VerdictRefused, match="no place"):
        decide(claim)


def test_a_verdict_is_never_edited_not_even_by_hand():
    verdict = factories.verdict()

    with pytest.raises(DatabaseError), transaction.atomic():
        Verdict.objects.filter(pk=verdict.pk).update(attribution="said")


def test_the_check_of_many_claims_costs_as_many_queries_as_of_one(django_assert_num_queries):
    article = factories.article()
    for words in ("40 million euros", "18,000 people", "twelve months"):
        factories.signed_off(factories.claim(article, words))
    revision = latest_revision(article)

    with django_assert_num_queries(5):
        assert len(check_of(revision)) == 3
