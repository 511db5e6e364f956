"""What a claim's page shows; of evidence only what the person may know of."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from django.db.models import F

from factcheck.accounts.models import User
from factcheck.articles.models import Revision
from factcheck.articles.selectors import latest_revision
from factcheck.claims.models import Claim, Query
from factcheck.claims.selectors import PlacedClaim, claims_in, last_words, place_of
from factcheck.claims.wording import Span, statement_sha256, words_at
from factcheck.desk.claim_states import DeskState, desk_state
from factcheck.desk.comparing import Comparison, compare_words
from factcheck.desk.evidence_cards import EvidenceCard, evidence_cards
from factcheck.desk.sentences import Sentence, sentences_with
from factcheck.evidence.models import Evidence
from factcheck.evidence.selectors import Standing, evidence_shown
from factcheck.ledger.actions import Action
from factcheck.ledger.models import Entry
from factcheck.publications.models import Citation
from factcheck.verdicts.models import SignOff, Verdict
from factcheck.verdicts.selectors import Checked, ClaimState, is_stale, verdict_history


@dataclass(frozen=True)
class Statement:
    """What a verdict was about."""

    speaker: str
    words: tuple[str, ...]

    @property
    def quote(self) -> str:
        return " … ".join(self.words)


@dataclass(frozen=True)
class Change:
    """What a stale verdict was about beside what the claim says now."""

    before: Statement
    after: Statement

    @cached_property
    def words(self) -> Comparison | None:
        if self.before.words == self.after.words:
            return None
        return compare_words(self.before.quote, self.after.quote)

    @property
    def speaker_changed(self) -> bool:
        return self.before.speaker != self.after.speaker


@dataclass(frozen=True)
class ClaimPage:
    checked: Checked
    revision: Revision
    # The place in the text, counted from 1; 0 for a claim without one.
    number: int
    previous: Claim | None
    next: Claim | None
    words: tuple[str, ...]
    sentences: list[Sentence]
    cards: list[EvidenceCard]
    withdrawn: list[Evidence]
    verdicts: list[Verdict]
    change: Change | None
    is_public: bool
    # What is open first.
    queries: list[Query]

    @property
    def claim(self) -> Claim:
        return self.checked.claim

    @property
    def state(self) -> DeskState:
        return desk_state(self.checked)

    @property
    def quote(self) -> str:
        return " … ".join(self.words)

    @property
    def past_verdicts(self) -> list[Verdict]:
        return self.verdicts[1:]

    @property
    def awaits_sign_off(self) -> bool:
        return self.checked.state in (ClaimState.DECIDED, ClaimState.IN_REVIEW)


def claim_page(claim: Claim, person: User) -> ClaimPage:
    """The number of queries does not depend on how many claims the article has."""
    revision = latest_revision(claim.article)
    revision.article = claim.article
    standing = [item for item in claims_in(revision) if item.is_placed]
    place = next((at for at, item in enumerate(standing) if item.claim.pk == claim.pk), None)
    # A claim that is withdrawn is not in the list, and may have had a place.
    placed = replace(standing[place], claim=claim) if place is not None else place_of(claim, revision)
    verdicts = verdict_history(claim)
    verdict = verdicts[0] if verdicts else None
    evidence = tuple(evidence_shown([claim], person)[claim.pk])
    checked = _checked(placed, verdict, evidence)
    return ClaimPage(
        checked=checked,
        revision=revision,
        number=place + 1 if place is not None else 0,
        previous=standing[place - 1].claim if place else None,
        next=standing[place + 1].claim if place is not None and place + 1 < len(standing) else None,
        words=placed.words or last_words(claim),
        sentences=sentences_with(revision.blocks, placed.spans),
        cards=evidence_cards(evidence),
        withdrawn=list(
            Evidence.objects.filter(claim=claim)
            .exclude(withdrawn_at=None)
            .visible_to(person)
            .select_related("source", "withdrawn_by")
        ),
        verdicts=verdicts,
        change=_change(verdict, placed) if verdict and checked.stale else None,
        queries=list(
            claim.queries.select_related(
                *("asked_by", "asked_of", "answered_by", "resolved_by", "question_row", "answer_row")
            ).order_by(F("resolved_at").asc(nulls_first=True), "pk")
        ),
        is_public=Citation.objects.filter(subject=claim.subject).exists(),
    )


def _checked(placed: PlacedClaim, verdict: Verdict | None, evidence: tuple[Standing, ...]) -> Checked:
    approval: SignOff | None = getattr(verdict, "sign_off", None) if verdict else None
    return Checked(placed, verdict, approval, verdict is not None and is_stale(verdict, placed), evidence)


def _change(verdict: Verdict, placed: PlacedClaim) -> Change | None:
    before = statement_of(verdict)
    if before is None or not placed.is_placed:
        return None
    return Change(before, Statement(placed.claim.speaker, placed.words))


def statement_of(verdict: Verdict) -> Statement | None:
    """The speaker and the words that the verdict was about; None where they cannot be told any more.

    A claim's place in a revision may be corrected, and its speaker too: what they had been is in the
    ledger, and the verdict's hash says which of it was meant.
    """
    claim, text = verdict.claim, verdict.revision.text
    spans: dict[tuple[Span, ...], None] = {
        tuple((anchor.start, anchor.end) for anchor in claim.anchors.filter(revision=verdict.revision)): None
    }
    speakers: dict[str, None] = {claim.speaker: None}
    actions = (Action.CLAIM_MARKED, Action.CLAIM_PLACED, Action.CLAIM_DETAILS_CHANGED)
    entries = Entry.objects.filter(subject=claim.subject, action__in=actions).select_related("opening")
    for entry in entries.order_by("-pk"):
        facts = json.loads(entry.opening.body)["facts"] if entry.opening.body else {}
        if facts.get("revision") == verdict.revision.number:
            spans[tuple((start, end) for start, end in facts["spans"])] = None
        if "speaker" in facts:
            speakers[facts["speaker"]] = None
    return _meant(verdict, text, list(spans), list(speakers))


def _meant(verdict: Verdict, text: str, spans: Sequence[tuple[Span, ...]], speakers: Sequence[str]) -> Statement | None:
    for span in spans:
        words = words_at(text, span)
        for speaker in speakers:
            if statement_sha256(speaker, words) == verdict.statement_sha256:
                return Statement(speaker, words)
    return None
