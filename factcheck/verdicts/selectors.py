from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext_lazy as _

from factcheck.articles.models import Revision
from factcheck.claims.models import Claim
from factcheck.claims.selectors import PlacedClaim, claims_in
from factcheck.evidence.models import Stance
from factcheck.evidence.selectors import Standing, evidence_by_claim
from factcheck.verdicts.models import SentBack, SignOff, Verdict


class ClaimState(StrEnum):
    MARKED = "marked"
    IN_CHECK = "in_check"
    QUERY = "query"
    DECIDED = "decided"
    IN_REVIEW = "in_review"
    SIGNED_OFF = "signed_off"
    WITHDRAWN = "withdrawn"

    @property
    def label(self) -> str:
        return str(_STATE_LABELS[self])


_STATE_LABELS = {
    ClaimState.MARKED: _("Marked"),
    ClaimState.IN_CHECK: _("In check"),
    ClaimState.QUERY: _("Query"),
    ClaimState.DECIDED: _("Decided"),
    ClaimState.IN_REVIEW: _("In review"),
    ClaimState.SIGNED_OFF: _("Signed off"),
    ClaimState.WITHDRAWN: _("Withdrawn"),
}


@dataclass(frozen=True)
class Checked:
    """A claim with everything that the check has brought so far; all of it computed from rows."""

    placed: PlacedClaim
    verdict: Verdict | None
    sign_off: SignOff | None
    stale: bool
    # Off the record included: this is for rules and counts, never for a page.
    evidence: tuple[Standing, ...]

    @property
    def claim(self) -> Claim:
        return self.placed.claim

    @property
    def sent_back(self) -> SentBack | None:
        """Why the second person did not sign the verdict, or None."""
        found: SentBack | None = getattr(self.verdict, "sent_back", None) if self.verdict else None
        return found

    @property
    def state(self) -> ClaimState:
        if self.claim.withdrawn_at is not None:
            return ClaimState.WITHDRAWN
        if self.verdict is not None and not self.stale and self.sent_back is None:
            if self.sign_off:
                return ClaimState.SIGNED_OFF
            return ClaimState.IN_REVIEW if self.claim.reviewer_id else ClaimState.DECIDED
        if self.claim.open_queries:
            return ClaimState.QUERY
        return ClaimState.IN_CHECK if self.evidence or self.verdict else ClaimState.MARKED


def check_of(revision: Revision) -> list[Checked]:
    """Every standing claim of the article with its check, in the order of the revision's text.

    The number of queries does not depend on the number of claims.
    """
    placed = claims_in(revision)
    claims = [item.claim for item in placed]
    verdicts = current_verdicts(claims)
    evidence = evidence_by_claim(claims)
    return [_checked(item, verdicts.get(item.claim.pk), evidence[item.claim.pk]) for item in placed]


def check_of_claim(placed: PlacedClaim) -> Checked:
    claim = placed.claim
    return _checked(placed, current_verdict(claim), evidence_by_claim([claim])[claim.pk])


def current_verdict(claim: Claim) -> Verdict | None:
    """The claim's latest verdict, stale or not; None while undecided."""
    return current_verdicts([claim]).get(claim.pk)


def current_verdicts(claims: Iterable[Claim]) -> dict[int, Verdict]:
    # The latest row of each claim: verdicts only follow one another.
    return {verdict.claim_id: verdict for verdict in _with_everything(claims)}


def verdict_history(claim: Claim) -> list[Verdict]:
    """All verdicts, the latest first."""
    return list(reversed(_with_everything([claim])))


def is_stale(verdict: Verdict, placed: PlacedClaim) -> bool:
    return verdict.statement_sha256 != placed.statement_sha256


def backs_attribution(item: Standing) -> bool:
    """Whether secured evidence shows that the words were said."""
    return item.secured and item.evidence.confirms_said


def backs_content(item: Standing) -> bool:
    """Whether secured evidence says something about whether it is so; that it was said is not enough."""
    return item.secured and (item.evidence.confirms_so or item.evidence.stance in (Stance.AGAINST, Stance.CONTEXT))


def _with_everything(claims: Iterable[Claim]) -> list[Verdict]:
    return list(
        Verdict.objects.filter(claim__in=[claim.pk for claim in claims])
        .select_related(
            *("claim", "rating", "decided_by", "reason_row", "not_rated_row", "revision"),
            *("sign_off__signed_by", "sent_back__sent_by", "sent_back__comment_row"),
        )
        .order_by("pk")
    )


def _checked(placed: PlacedClaim, verdict: Verdict | None, evidence: Iterable[Standing]) -> Checked:
    approval: SignOff | None = getattr(verdict, "sign_off", None) if verdict else None
    stale = verdict is not None and is_stale(verdict, placed)
    return Checked(placed, verdict, approval, stale, tuple(evidence))
