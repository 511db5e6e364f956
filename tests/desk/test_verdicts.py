"""Deciding a claim and signing off, as the desk does it."""

import pytest
from django.urls import reverse

from factcheck.claims.models import Claim
from factcheck.verdicts.models import SignOff, Verdict
from factcheck.verdicts.services import RatingDraft, save_rating
from tests import factories
from tests.desk.signed_in import HTMX, client_of

pytestmark = pytest.mark.django_db

WHY = "The budget paper says so."


def decide(claim: Claim, *, headers=None, person=None, **fields):
    claim.refresh_from_db()
    data = {"version": claim.version, "rating": factories.rating().pk, "reason": WHY} | fields
    client = client_of(person or factories.checker())
    return client.post(reverse("desk:decide", args=[claim.public_id]), data, headers=headers or {})


def sign(verdict: Verdict, person, *, headers=None, **fields):
    claim = Claim.objects.get(pk=verdict.claim_id)
    data = {"version": claim.version, "verdict": verdict.pk} | fields
    return client_of(person).post(reverse("desk:sign_off", args=[claim.public_id]), data, headers=headers or {})


def checkable() -> Claim:
    claim = factories.claim()
    factories.interview(claim)
    return claim


def test_a_verdict_is_filed_and_the_page_comes_back():
    claim = checkable()

    answer = decide(claim)

    assert answer.status_code == 302
    assert answer["Location"] == reverse("desk:claim", args=[claim.public_id]) + "#verdict"
    assert Verdict.objects.get().decided_by == factories.checker()


def test_htmx_gets_the_part_with_the_verdict():
    answer = decide(checkable(), headers=HTMX)

    assert answer.status_code == 200
    page = answer.content.decode()
    assert "<html" not in page
    assert WHY in page
    assert "Decided by Chen" in page


def test_a_refused_verdict_keeps_what_was_typed():
    claim = factories.claim()
    rating = factories.rating("needs_context")

    answer = decide(claim, rating=rating.pk, reason="A long and careful reason.")

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "needs secured evidence" in page
    assert "A long and careful reason." in page
    assert f'value="{rating.pk}" checked' in page
    assert not Verdict.objects.exists()


def test_a_refusal_reaches_htmx_as_the_same_part():
    answer = decide(factories.claim(), headers=HTMX)

    assert answer.status_code == 422
    assert "<html" not in answer.content.decode()
    assert "needs secured evidence" in answer.content.decode()


def test_a_claim_of_ours_is_not_filed_without_a_rating():
    answer = decide(checkable(), rating="")

    assert answer.status_code == 422
    assert "Choose a rating." in answer.content.decode()


def test_somebody_elses_claim_gets_two_answers_or_the_reason_for_one():
    claim = factories.claim(None, "We could have had this cheaper", kind="quote", speaker="Marta Lindqvist")
    factories.interview(claim)

    without = decide(claim, rating="none", attribution="said", not_rated_reason="")
    unanswered = decide(claim, rating="none", not_rated_reason="An opinion.")
    filed = decide(claim, rating="none", attribution="said", not_rated_reason="An opinion.")

    assert (without.status_code, unanswered.status_code, filed.status_code) == (422, 422, 302)
    assert "write why it is not rated" in without.content.decode()
    verdict = Verdict.objects.get()
    assert (verdict.attribution, verdict.rating, verdict.not_rated_reason) == ("said", None, "An opinion.")


def test_not_rated_is_no_answer_for_a_claim_of_ours():
    answer = decide(checkable(), rating="none")

    assert answer.status_code == 422
    assert not Verdict.objects.exists()


def test_a_verdict_on_a_page_that_is_out_of_date_is_refused_and_the_second_try_is_let_pass():
    claim = checkable()
    read_at = Claim.objects.get(pk=claim.pk).version
    factories.interview(claim)

    stale = decide(claim, version=read_at)
    current = Claim.objects.get(pk=claim.pk).version

    assert stale.status_code == 422
    page = stale.content.decode()
    assert "Somebody changed this claim" in page
    assert WHY in page
    assert f'name="version" value="{current}"' in page
    assert decide(claim, version=current).status_code == 302


def test_a_rating_that_changed_meanwhile_is_chosen_anew():
    claim = checkable()
    old = factories.rating()
    draft = RatingDraft("Accurate", "Another meaning.", 1, 5, True, True, "check", "good")
    save_rating(old.slug, draft, version=None, by=factories.editor())

    answer = decide(claim, rating=old.pk)

    assert answer.status_code == 422
    assert "This rating has changed" in answer.content.decode()


def test_a_reporter_files_no_verdict():
    assert decide(checkable(), person=factories.reporter()).status_code == 403
    assert not Verdict.objects.exists()


def test_the_decider_does_not_sign_off_their_own_verdict():
    verdict = factories.verdict()

    answer = sign(verdict, factories.checker())

    assert answer.status_code == 422
    assert "someone other than the person who decided it" in answer.content.decode()
    assert not SignOff.objects.exists()


def test_the_decider_is_not_offered_to_sign_off_and_a_second_person_is():
    verdict = factories.verdict()
    address = reverse("desk:claim", args=[verdict.claim.public_id])
    action = reverse("desk:sign_off", args=[verdict.claim.public_id])

    assert action not in client_of(factories.checker()).get(address).content.decode()
    assert action in client_of(factories.second_checker()).get(address).content.decode()


def test_a_second_person_signs_off():
    verdict = factories.verdict()

    answer = sign(verdict, factories.editor())

    assert answer.status_code == 302
    assert SignOff.objects.get().signed_by == factories.editor()


def test_htmx_gets_the_part_with_the_sign_off():
    answer = sign(factories.verdict(), factories.editor(), headers=HTMX)

    assert answer.status_code == 200
    assert "Signed off by Erik" in answer.content.decode()


def test_a_newer_verdict_than_the_one_that_was_read_is_not_signed_by_accident():
    claim = factories.claim()
    read = factories.verdict(claim)
    decide(claim, reason="Another look.")

    answer = sign(read, factories.editor())

    assert answer.status_code == 422
    assert "A newer verdict follows this one" in answer.content.decode()
    assert not SignOff.objects.exists()


def test_earlier_verdicts_stay_on_the_page():
    claim = factories.claim()
    factories.verdict(claim)
    decide(claim, reason="Another look.")

    page = client_of(factories.checker()).get(reverse("desk:claim", args=[claim.public_id])).content.decode()

    assert "Earlier verdicts" in page
    assert page.index("Another look.") < page.index(WHY)
