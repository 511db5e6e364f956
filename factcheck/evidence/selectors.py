from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _

from factcheck.accounts.models import User
from factcheck.archive.models import Capture
from factcheck.claims.models import Claim
from factcheck.evidence.models import (
    FOUND_BY_MACHINE,
    Evidence,
    PassageCheck,
    PassageConfirmation,
    PassageOutcome,
    SourceKind,
)


@dataclass(frozen=True)
class Standing:
    """A piece of evidence with what is known of its copy and passage, and whether it is secured."""

    evidence: Evidence
    capture: Capture | None
    check: PassageCheck | None
    confirmation: PassageConfirmation | None
    secured: bool
    # What is missing, or by what it is secured: one sentence for the desk.
    sentence: str

    @property
    def waits(self) -> bool:
        """Whether a job is still going to say more."""
        request = self.evidence.capture_request
        if request is None:
            return False
        return self.capture is None or (
            self.capture.carries_evidence and bool(self.evidence.quote) and self.check is None
        )


def evidence_by_claim(claims: Iterable[Claim]) -> dict[int, list[Standing]]:
    """All standing evidence of the claims by claim id, off the record included: for the gate's eyes only.

    Four queries, however many claims.
    """
    return _by_claim(Evidence.objects.filter(claim__in=[claim.pk for claim in claims]).standing())


def evidence_shown(claims: Iterable[Claim], person: User) -> dict[int, list[Standing]]:
    """The standing evidence of the claims that the person may know of, by claim id."""
    rows = Evidence.objects.filter(claim__in=[claim.pk for claim in claims]).standing().visible_to(person)
    return _by_claim(rows)


def standing_of(evidence: Evidence) -> Standing:
    [standing] = _standings(Evidence.objects.filter(pk=evidence.pk))
    return standing


def current_check(evidence: Evidence) -> PassageCheck | None:
    """The newest check of the words and the copy as they are now."""
    return standing_of(evidence).check


def _by_claim(rows: QuerySet[Evidence]) -> dict[int, list[Standing]]:
    found: dict[int, list[Standing]] = defaultdict(list)
    for standing in _standings(rows):
        found[standing.evidence.claim_id].append(standing)
    return found


def _standings(rows: QuerySet[Evidence]) -> list[Standing]:
    checks = Prefetch(
        "checks",
        PassageCheck.objects.select_related("confirmation__reason_row", "confirmation__confirmed_by", "layer"),
    )
    related = rows.select_related(
        "source",
        "added_by",
        "capture_request__capture__words_row",
        "capture_request__job",
        "capture_request__requested_by",
    )
    return [_standing(evidence) for evidence in related.prefetch_related(checks)]


def _standing(evidence: Evidence) -> Standing:
    request = evidence.capture_request
    capture: Capture | None = getattr(request, "capture", None) if request else None
    words = evidence.quote_sha256
    check = None
    if capture is not None:
        for row in evidence.checks.all():
            if row.capture_id == capture.pk and row.quote_sha256 == words:
                check = row
    confirmation: PassageConfirmation | None = getattr(check, "confirmation", None) if check else None
    secured, sentence = _secured(evidence, capture, check, confirmation)
    return Standing(evidence, capture, check, confirmation, secured, sentence)


def _secured(
    evidence: Evidence,
    capture: Capture | None,
    check: PassageCheck | None,
    confirmation: PassageConfirmation | None,
) -> tuple[bool, str]:
    source = evidence.source
    if source.kind == SourceKind.INTERVIEW:
        whole = all((source.contact, source.spoken_on, source.spoken_how, source.heard_by))
        return whole, (
            _("Who, when, how and heard by whom are on file.")
            if whole
            else _("Something of who, when, how or heard by is missing.")
        )
    if source.kind == SourceKind.WORK:
        whole = all((source.edition, source.page, source.transcription))
        return whole, (
            _("Edition, page and transcription are on file.")
            if whole
            else _("Edition, page or transcription is missing.")
        )
    if capture is None:
        return False, _("The page is still being archived.")
    if not capture.carries_evidence:
        return False, _("There is no copy that could be shown: %(sentence)s") % {"sentence": capture.sentence}
    if not evidence.quote:
        return False, _("Archived, but no words of it are quoted: say which passage this rests on.")
    if check is None:
        return False, _("Archived; the copy is being searched for the words.")
    if check.outcome in FOUND_BY_MACHINE:
        return True, str(PassageOutcome(check.outcome).label)
    if confirmation is not None:
        return True, _("%(name)s compared the words with the copy and vouches for them.") % {
            "name": confirmation.confirmed_by
        }
    return False, str(PassageOutcome(check.outcome).label)
