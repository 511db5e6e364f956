"""Which step leads from where, and who may take it: every step in every state by every person."""

import json
from collections.abc import Callable

import pytest
from django.db import transaction

from factcheck.accounts.models import User
from factcheck.accounts.permissions import NotPermitted
from factcheck.articles.selectors import latest_revision
from factcheck.claims.errors import ClaimError, ClaimInReview
from factcheck.claims.models import Claim
from factcheck.claims.selectors import place_of
from factcheck.claims.services import ask_query, assign_claims, change_claim, revise_article, withdraw_claim
from factcheck.evidence.services import Argument, attach_interview
from factcheck.ledger.actions import Action
from factcheck.ledger.models import Entry
from factcheck.lib.errors import FactcheckError
from factcheck.verdicts.errors import SignOffRefused
from factcheck.verdicts.models import SentBack, SignOff
from factcheck.verdicts.selectors import ClaimState, check_of_claim, current_verdict
from factcheck.verdicts.services import begin_review, decide_claim, leave_review, send_back, sign_off
from factcheck.verdicts.workflow import TRANSITIONS, Step, steps_for
from tests import factories

pytestmark = pytest.mark.django_db

# Chen decides and Carla reviews, wherever somebody has.
PEOPLE: dict[str, Callable[[], User]] = {
    "reporter": factories.reporter,
    "decider": factories.checker,
    "reviewer": factories.second_checker,
    "editor": factories.editor,
}
CHECKERS = {"decider", "reviewer", "editor"}
OTHERS = {"reviewer", "editor"}
OPEN = (ClaimState.MARKED, ClaimState.IN_CHECK, ClaimState.QUERY, ClaimState.DECIDED, ClaimState.SIGNED_OFF)
# Without asking the product: a row that is not here is a step that nobody may take.
MAY: dict[tuple[Step, ClaimState], set[str]] = {
    **{(Step.DECIDE, state): CHECKERS for state in OPEN},
    **{(Step.WITHDRAW, state): CHECKERS for state in OPEN},
    (Step.BEGIN_REVIEW, ClaimState.DECIDED): OTHERS,
    (Step.SIGN_OFF, ClaimState.DECIDED): OTHERS,
    (Step.SEND_BACK, ClaimState.DECIDED): OTHERS,
    (Step.SIGN_OFF, ClaimState.IN_REVIEW): {"reviewer"},
    (Step.SEND_BACK, ClaimState.IN_REVIEW): {"reviewer"},
    (Step.LEAVE_REVIEW, ClaimState.IN_REVIEW): OTHERS,
}


def claim_that_is(state: ClaimState) -> Claim:
    claim = factories.claim()
    if state is ClaimState.WITHDRAWN:
        withdraw_claim(claim, reason="It is an opinion.", version=None, by=factories.checker())
    elif state is not ClaimState.MARKED:
        factories.interview(claim)
    if state is ClaimState.QUERY:
        ask_query(claim, question="Which budget?", of=None, by=factories.checker())
    if state in (ClaimState.DECIDED, ClaimState.IN_REVIEW, ClaimState.SIGNED_OFF):
        verdict = factories.verdict(claim, evidence=False)
        if state is ClaimState.IN_REVIEW:
            begin_review(verdict, version=None, by=factories.second_checker())
        elif state is ClaimState.SIGNED_OFF:
            sign_off(verdict, version=None, by=factories.second_checker())
    return Claim.objects.get(pk=claim.pk)


def state_of(claim: Claim) -> ClaimState:
    return checked(claim).state


def checked(claim: Claim):
    claim = Claim.objects.get(pk=claim.pk)
    return check_of_claim(place_of(claim, latest_revision(claim.article)))


def take(step: Step, claim: Claim, by: User) -> object:
    verdict = current_verdict(claim)
    match step:
        case Step.DECIDE:
            # The one rating that needs no evidence, so that only the step itself can be in the way.
            return decide_claim(claim, rating=factories.rating("opinion"), reason="So it is.", version=None, by=by)
        case Step.WITHDRAW:
            return withdraw_claim(claim, reason="It is an opinion.", version=None, by=by)
    if verdict is None:
        raise SignOffRefused("There is nothing to review.")
    match step:
        case Step.BEGIN_REVIEW:
            return begin_review(verdict, version=None, by=by)
        case Step.LEAVE_REVIEW:
            return leave_review(verdict, version=None, by=by)
        case Step.SEND_BACK:
            return send_back(verdict, comment="Ask the city as well.", version=None, by=by)
        case Step.SIGN_OFF:
            return sign_off(verdict, version=None, by=by)


@pytest.mark.parametrize("state", ClaimState)
@pytest.mark.parametrize("step", Step)
def test_each_step_is_taken_from_each_state_by_those_and_only_those_who_may(step: Step, state: ClaimState):
    wrong = []
    for name, make in PEOPLE.items():
        with transaction.atomic():
            claim, person = claim_that_is(state), make()
            assert state_of(claim) is state
            expected = name in MAY.get((step, state), set())
            offered = step in steps_for(checked(claim), person)
            try:
                take(step, claim, person)
                taken = True
            except FactcheckError:
                taken = False
            arrived = state_of(claim)
            if (offered, taken) != (expected, expected):
                wrong.append((name, "offered" if offered else "not offered", "taken" if taken else "refused"))
            if arrived is not (TRANSITIONS[step].end if expected else state):
                wrong.append((name, "led to", arrived))
            transaction.set_rollback(True)

    assert wrong == []


@pytest.mark.parametrize("step", [Step.SIGN_OFF, Step.SEND_BACK, Step.BEGIN_REVIEW])
def test_who_tries_to_approve_their_own_verdict_is_refused_and_that_is_on_record(step: Step):
    claim = claim_that_is(ClaimState.DECIDED)

    with pytest.raises(SignOffRefused, match="someone other than the person who decided"):
        take(step, claim, factories.checker())

    entry = Entry.objects.filter(action=Action.ATTEMPT_REFUSED).select_related("opening").get()
    said = json.loads(entry.opening.body)
    assert (entry.subject, entry.actor, said["facts"]["step"]) == (claim.subject, factories.checker().actor_id, step)


def test_a_reporter_who_tries_to_sign_off_is_on_record_too():
    claim = claim_that_is(ClaimState.DECIDED)

    with pytest.raises(NotPermitted):
        take(Step.SIGN_OFF, claim, factories.reporter())

    assert Entry.objects.filter(action=Action.ATTEMPT_REFUSED).count() == 1


def test_a_verdict_is_not_sent_back_without_a_word():
    claim = claim_that_is(ClaimState.DECIDED)

    with pytest.raises(SignOffRefused, match="Say what is missing"):
        send_back(current_verdict(claim), comment=" ​ ", version=None, by=factories.editor())

    assert not SentBack.objects.exists()


def test_what_was_sent_back_is_in_check_until_it_is_decided_again():
    claim = claim_that_is(ClaimState.DECIDED)
    take(Step.SEND_BACK, claim, factories.editor())

    assert state_of(claim) is ClaimState.IN_CHECK
    with pytest.raises(SignOffRefused, match="sent back"):
        take(Step.SIGN_OFF, claim, factories.second_checker())
    take(Step.DECIDE, claim, factories.checker())
    assert state_of(claim) is ClaimState.DECIDED
    assert checked(claim).sent_back is None


@pytest.mark.parametrize(
    "change",
    [
        lambda claim: change_claim(claim, kind="date", speaker="", version=None, by=factories.reporter()),
        lambda claim: attach_interview(
            claim,
            contact="Marta",
            spoken_on=claim.marked_at.date(),
            spoken_how="telephone",
            heard_by="Rosa",
            argument=Argument(stance="for", note="She said so."),
            by=factories.reporter(),
        ),
        lambda claim: take(Step.DECIDE, claim, factories.second_checker()),
        lambda claim: take(Step.WITHDRAW, claim, factories.editor()),
    ],
    ids=["details", "evidence", "verdict", "withdrawal"],
)
def test_nobody_changes_a_claim_while_it_is_in_review(change: Callable[[Claim], object]):
    claim = claim_that_is(ClaimState.IN_REVIEW)

    with pytest.raises(ClaimInReview, match="Carla is reviewing this claim"):
        change(claim)


def test_a_review_of_words_that_are_no_longer_there_has_ended():
    claim = claim_that_is(ClaimState.IN_REVIEW)
    text = factories.TEXT.replace("40 million", "43 million")

    revise_article(claim.article, text.encode(), version=None, by=factories.reporter())

    assert Claim.objects.get(pk=claim.pk).reviewer is None
    assert state_of(claim) is ClaimState.IN_CHECK
    take(Step.DECIDE, claim, factories.checker())


def test_a_review_of_words_that_stayed_goes_on():
    claim = claim_that_is(ClaimState.IN_REVIEW)

    revise_article(claim.article, f"{factories.TEXT}\nOne more line.".encode(), version=None, by=factories.reporter())

    assert state_of(claim) is ClaimState.IN_REVIEW


def test_signing_off_ends_the_review():
    claim = claim_that_is(ClaimState.IN_REVIEW)

    take(Step.SIGN_OFF, claim, factories.second_checker())

    assert SignOff.objects.count() == 1
    assert Claim.objects.get(pk=claim.pk).reviewer is None


# --- assignment ------------------------------------------------------------------------------


def test_everybody_takes_and_leaves_claims_and_an_editor_gives_them_to_others():
    claim, rosa, chen = factories.claim(), factories.reporter(), factories.checker()

    assert assign_claims([claim], to=chen, by=chen) == 1
    assert assign_claims([claim], to=chen, by=chen) == 0
    with pytest.raises(NotPermitted):
        assign_claims([claim], to=rosa, by=rosa)
    assert assign_claims([claim], to=rosa, by=factories.editor()) == 1
    assert assign_claims([claim], to=None, by=rosa) == 1
    assert [entry.actor for entry in Entry.objects.filter(action=Action.CLAIM_ASSIGNED).order_by("pk")] == [
        chen.actor_id,
        factories.editor().actor_id,
        rosa.actor_id,
    ]


def test_nothing_is_given_to_somebody_who_has_left():
    gone = factories.second_checker()
    gone.is_active = False
    gone.save()

    with pytest.raises(ClaimError, match="no open account"):
        assign_claims([factories.claim()], to=gone, by=factories.editor())
