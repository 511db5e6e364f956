from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from factcheck.accounts.models import User
from factcheck.accounts.permissions import Act, NotPermitted, require
from factcheck.articles.selectors import latest_revision
from factcheck.claims.models import Claim
from factcheck.claims.selectors import place_of
from factcheck.claims.services import lock_claim, touch_claim
from factcheck.evidence.selectors import evidence_by_claim
from factcheck.ledger.actions import Action
from factcheck.ledger.services import keep_text, record
from factcheck.lib.errors import StaleVersion
from factcheck.lib.legible import is_legible
from factcheck.verdicts.errors import RatingRefused, SignOffRefused, VerdictRefused
from factcheck.verdicts.models import Attribution, Rating, SentBack, Shape, SignOff, Tone, Verdict
from factcheck.verdicts.selectors import backs_attribution, backs_content, check_of_claim, current_verdict
from factcheck.verdicts.workflow import TRANSITIONS, Step, refusal


@transaction.atomic
def decide_claim(
    claim: Claim,
    *,
    rating: Rating | None,
    reason: str,
    attribution: str = "",
    not_rated_reason: str = "",
    version: int | None,
    by: User,
) -> Verdict:
    """File a verdict about the claim's words as they stand in the latest revision.

    A claim of ours gets a rating. A claim by somebody else gets the answer whether it was said,
    and a rating or the reason why there is none. Raises VerdictRefused, StaleVersion.
    """
    require(by, Act.DECIDE)
    claim = lock_claim(claim, version)
    revision = latest_revision(claim.article)
    placed = place_of(claim, revision)
    if not placed.is_placed:
        raise VerdictRefused(_("This claim has no place in the latest revision. Place it or withdraw it first."))
    if not is_legible(reason):
        raise VerdictRefused(_("Write the reason: readers are shown it."))
    if rating is not None and (
        rating.retired or rating.pk not in Rating.objects.current().values_list("pk", flat=True)
    ):
        raise VerdictRefused(
            _("This rating has changed since you opened the page. Choose from the scale as it is now.")
        )
    if claim.is_ours:
        _check_our_answers(rating, attribution)
    else:
        _check_two_answers(rating, attribution, not_rated_reason)
    evidence = evidence_by_claim([claim])[claim.pk]
    if attribution == Attribution.SAID and not any(backs_attribution(item) for item in evidence):
        raise VerdictRefused(_("That it was said needs secured evidence with the tick “confirms that it was said”."))
    if rating is not None and rating.needs_evidence and not any(backs_content(item) for item in evidence):
        raise VerdictRefused(
            _("“%(rating)s” needs secured evidence: it confirms that it is so, speaks against it, or gives context.")
            % {"rating": rating.label}
        )
    verdict = Verdict.objects.create(
        claim=claim,
        revision=revision,
        statement_sha256=placed.statement_sha256,
        attribution=attribution,
        rating=rating,
        reason_row=keep_text(reason.strip()),
        not_rated_row=keep_text(not_rated_reason.strip()) if rating is None else None,
        decided_by=by,
    )
    touch_claim(claim)
    record(
        Action.VERDICT_FILED,
        claim.subject,
        {
            "verdict": verdict.pk,
            "statement_sha256": verdict.statement_sha256,
            "revision_sha256": revision.sha256,
            "attribution": attribution,
            "rating": rating.slug if rating else None,
            "rating_version": rating.version if rating else None,
            "reason": reason.strip(),
        },
        by=by.actor_id,
    )
    return verdict


def sign_off(verdict: Verdict, *, version: int | None, by: User) -> SignOff:
    """Approve a verdict as the second pair of eyes, and end the review of it if there is one.

    Raises StaleVersion if the claim changed since the page was read, NotPermitted, and SignOffRefused if the signer
    decided it, somebody else reviews it, it is stale, sent back or not the claim's latest, or it is signed off already.
    A refused attempt is on record.
    """
    with _refusals_recorded(Step.SIGN_OFF, verdict, by), transaction.atomic():
        claim = _to_review(verdict, Step.SIGN_OFF, version, by)
        approval = SignOff.objects.create(verdict=verdict, signed_by=by)
        _end_review(claim)
        record(Action.VERDICT_SIGNED_OFF, claim.subject, {"verdict": verdict.pk}, by=by.actor_id)
    return approval


def begin_review(verdict: Verdict, *, version: int | None, by: User) -> Claim:
    """Take a verdict up as the second pair of eyes; nobody changes the claim until that ends. Raises as sign_off."""
    with _refusals_recorded(Step.BEGIN_REVIEW, verdict, by), transaction.atomic():
        claim = _to_review(verdict, Step.BEGIN_REVIEW, version, by)
        claim.reviewer, claim.review_begun_at = by, timezone.now()
        claim.save(update_fields=["reviewer", "review_begun_at"])
        touch_claim(claim)
        record(Action.REVIEW_BEGUN, claim.subject, {"verdict": verdict.pk}, by=by.actor_id)
    return claim


def leave_review(verdict: Verdict, *, version: int | None, by: User) -> Claim:
    """End a review without a result: one's own, or as an editor anybody's. Raises as ``sign_off``."""
    with _refusals_recorded(Step.LEAVE_REVIEW, verdict, by), transaction.atomic():
        claim = _to_review(verdict, Step.LEAVE_REVIEW, version, by)
        _end_review(claim)
        record(Action.REVIEW_ENDED, claim.subject, {"verdict": verdict.pk, "outcome": "left"}, by=by.actor_id)
    return claim


def send_back(verdict: Verdict, *, comment: str, version: int | None, by: User) -> SentBack:
    """Refuse to sign a verdict and say what is missing. Raises as ``sign_off``, and without a comment."""
    with _refusals_recorded(Step.SEND_BACK, verdict, by), transaction.atomic():
        claim = _to_review(verdict, Step.SEND_BACK, version, by)
        if not is_legible(comment):
            raise SignOffRefused(_("Say what is missing: whoever decided it has to know what to do."))
        sent_back = SentBack.objects.create(verdict=verdict, comment_row=keep_text(comment.strip()), sent_by=by)
        _end_review(claim)
        facts = {"verdict": verdict.pk, "comment": comment.strip()}
        record(Action.VERDICT_SENT_BACK, claim.subject, facts, by=by.actor_id)
    return sent_back


def _to_review(verdict: Verdict, step: Step, version: int | None, by: User) -> Claim:
    """The verdict's claim, locked, if this person may take this step with it now."""
    require(by, TRANSITIONS[step].act)
    claim = lock_claim(verdict.claim, version, in_review=True)
    current = current_verdict(claim)
    if current is None or current.pk != verdict.pk:
        raise SignOffRefused(_("A newer verdict follows this one. Look at that first."))
    checked = check_of_claim(place_of(claim, latest_revision(claim.article)))
    if why := refusal(step, checked, by):
        raise SignOffRefused(why)
    return claim


def _end_review(claim: Claim) -> None:
    claim.reviewer, claim.review_begun_at = None, None
    claim.save(update_fields=["reviewer", "review_begun_at"])
    touch_claim(claim)


@contextmanager
def _refusals_recorded(step: Step, verdict: Verdict, by: User) -> Iterator[None]:
    """Who tried to get past the second pair of eyes stays on record, though nothing else of the attempt does."""
    try:
        yield
    except (SignOffRefused, NotPermitted) as refused:
        with transaction.atomic():
            facts = {"step": str(step), "verdict": verdict.pk, "refused": type(refused).__name__}
            record(Action.ATTEMPT_REFUSED, verdict.claim.subject, facts, by=by.actor_id)
        raise


@dataclass(frozen=True)
class RatingDraft:
    """What a person fills in for a value of the scale."""

    label: str
    meaning: str
    order: int
    truth_value: int | None
    needs_evidence: bool
    releases: bool
    shape: str
    tone: str
    retired: bool = False


@transaction.atomic
def save_rating(slug: str, draft: RatingDraft, *, version: int | None, by: User | None) -> Rating:
    """Add a value to the scale (``slug`` empty) or the next version of one. Raises RatingRefused, StaleVersion."""
    require(by, Act.EDIT_RATINGS)
    if not draft.label.strip() or not draft.meaning.strip():
        raise RatingRefused(_("A rating needs a label and a meaning that readers understand."))
    if draft.truth_value is not None and not 1 <= draft.truth_value <= 5:
        raise RatingRefused(_("The truth value counts from 1 (false) to 5 (true), or is empty."))
    if draft.shape not in Shape.values or draft.tone not in Tone.values:
        raise RatingRefused(_("Choose a shape and a tone: ratings are told apart by both."))
    scale = list(Rating.objects.current())
    if any(rating.label.lower() == draft.label.strip().lower() and rating.slug != slug for rating in scale):
        raise RatingRefused(_("There is a rating called “%(label)s” already.") % {"label": draft.label.strip()})
    if draft.retired and len(scale) <= 1:
        raise RatingRefused(_("The last rating of the scale cannot be retired."))
    latest = Rating.objects.filter(slug=slug).order_by("-version").first() if slug else None
    if slug and latest is None:
        raise RatingRefused(_("There is no such rating."))
    if latest is not None and version is not None and latest.version != version:
        raise StaleVersion(_("Somebody changed this rating since you opened the page. Look at it again first."))
    rating = Rating.objects.create(
        slug=slug or _free_slug(draft.label),
        version=latest.version + 1 if latest else 1,
        label=draft.label.strip(),
        meaning=draft.meaning.strip(),
        order=draft.order,
        truth_value=draft.truth_value,
        needs_evidence=draft.needs_evidence,
        releases=draft.releases,
        shape=draft.shape,
        tone=draft.tone,
        retired=draft.retired,
        made_by=by,
    )
    record(
        Action.RATING_CHANGED,
        rating.subject,
        {
            "version": rating.version,
            "label": rating.label,
            "meaning": rating.meaning,
            "truth_value": rating.truth_value,
            "needs_evidence": rating.needs_evidence,
            "releases": rating.releases,
            "retired": rating.retired,
        },
        by=by.actor_id if by else None,
    )
    return rating


def _check_our_answers(rating: Rating | None, attribution: str) -> None:
    if rating is None:
        raise VerdictRefused(_("A claim of ours gets a rating."))
    if attribution:
        raise VerdictRefused(_("A claim of ours has no attribution to confirm."))


def _check_two_answers(rating: Rating | None, attribution: str, not_rated_reason: str) -> None:
    if attribution not in Attribution.values:
        raise VerdictRefused(_("Say whether it was said by the person to whom the article gives it."))
    if rating is None and not is_legible(not_rated_reason):
        raise VerdictRefused(_("Rate what was said, or write why it is not rated."))


def _free_slug(label: str) -> str:
    slug = slugify(label).replace("-", "_")[:40] or "rating"
    number = 1
    candidate = slug
    while Rating.objects.filter(slug=candidate).exists():
        number += 1
        candidate = f"{slug[:36]}_{number}"
    return candidate
