"""From marked to signed off: which step leads from where to where, and who may take it.

The steps of a review and the claim's page ask this table. Deciding and withdrawing refuse by themselves what is
withdrawn or in review (``claims.services.lock_claim``); tests/verdicts/test_workflow.py holds them to the table, too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext as _

from factcheck.accounts.models import User
from factcheck.accounts.permissions import Act, may
from factcheck.verdicts.selectors import Checked, ClaimState


class Step(StrEnum):
    DECIDE = "decide"
    BEGIN_REVIEW = "begin_review"
    LEAVE_REVIEW = "leave_review"
    SEND_BACK = "send_back"
    SIGN_OFF = "sign_off"
    WITHDRAW = "withdraw"


@dataclass(frozen=True)
class Transition:
    """``starts`` are the states that it leads out of. What is stale is in check, and counts as undecided."""

    starts: frozenset[ClaimState]
    end: ClaimState
    act: Act
    # Four eyes: nobody approves, refuses or takes up their own verdict.
    not_by_the_decider: bool = False
    # Once somebody reviews it, it is theirs to end that.
    by_the_reviewer: bool = False


_UNDER_WAY = frozenset((ClaimState.MARKED, ClaimState.IN_CHECK, ClaimState.QUERY))
_TO_APPROVE = frozenset((ClaimState.DECIDED, ClaimState.IN_REVIEW))

TRANSITIONS: Mapping[Step, Transition] = {
    Step.DECIDE: Transition(_UNDER_WAY | {ClaimState.DECIDED, ClaimState.SIGNED_OFF}, ClaimState.DECIDED, Act.DECIDE),
    Step.BEGIN_REVIEW: Transition(
        frozenset((ClaimState.DECIDED,)), ClaimState.IN_REVIEW, Act.SIGN_OFF, not_by_the_decider=True
    ),
    Step.LEAVE_REVIEW: Transition(
        frozenset((ClaimState.IN_REVIEW,)), ClaimState.DECIDED, Act.SIGN_OFF, by_the_reviewer=True
    ),
    Step.SEND_BACK: Transition(
        _TO_APPROVE, ClaimState.IN_CHECK, Act.SIGN_OFF, not_by_the_decider=True, by_the_reviewer=True
    ),
    Step.SIGN_OFF: Transition(
        _TO_APPROVE, ClaimState.SIGNED_OFF, Act.SIGN_OFF, not_by_the_decider=True, by_the_reviewer=True
    ),
    Step.WITHDRAW: Transition(
        _UNDER_WAY | {ClaimState.DECIDED, ClaimState.SIGNED_OFF}, ClaimState.WITHDRAWN, Act.WITHDRAW_CLAIM
    ),
}


def refusal(step: Step, checked: Checked, person: User) -> str:
    """Why the person may not take this step now, as a sentence; "" where they may. Asks nothing of the database."""
    transition = TRANSITIONS[step]
    if not may(person, transition.act):
        return _("Your role (%(role)s) does not let you %(act)s.") % {
            "role": person.get_role_display(),
            "act": transition.act.label,
        }
    verdict, reviewer_id = checked.verdict, checked.claim.reviewer_id
    if transition.not_by_the_decider and verdict is not None and verdict.decided_by_id == person.pk:
        return _("A verdict is signed off by someone other than the person who decided it.")
    if checked.state not in transition.starts:
        return _from_here(checked)
    # An editor frees what somebody forgot; they do not decide in that person's place.
    frees = step is Step.LEAVE_REVIEW and may(person, Act.END_REVIEW)
    if transition.by_the_reviewer and reviewer_id not in (None, person.pk) and not frees:
        return _("%(name)s is reviewing this verdict. Wait for that, or ask an editor to end it.") % {
            "name": checked.claim.reviewer
        }
    return ""


def steps_for(checked: Checked, person: User) -> frozenset[Step]:
    return frozenset(step for step in TRANSITIONS if not refusal(step, checked, person))


def _from_here(checked: Checked) -> str:
    if checked.stale:
        return _("The words have changed since this verdict. Decide the claim again first.")
    if checked.sent_back is not None:
        return _("The verdict was sent back. It is to be decided again first.")
    return {
        ClaimState.MARKED: _("There is no verdict yet."),
        ClaimState.IN_CHECK: _("There is no verdict yet."),
        ClaimState.QUERY: _("There is no verdict yet."),
        ClaimState.DECIDED: _("Nobody is reviewing it."),
        ClaimState.IN_REVIEW: _("%(name)s is reviewing this claim. Until that has ended, nobody changes it.")
        % {"name": checked.claim.reviewer or "–"},
        ClaimState.SIGNED_OFF: _("This verdict has been signed off already."),
        ClaimState.WITHDRAWN: _("This claim was withdrawn."),
    }[checked.state]
