"""The author's back-up of an article: what each note is about now, and which claims and evidence it has led to."""

from collections import defaultdict
from dataclasses import dataclass

from factcheck.accounts.models import User
from factcheck.archive.canonical_url import canonical_url
from factcheck.articles.anchoring import sentence_spans
from factcheck.articles.models import Article, BackUpOutcome, Revision
from factcheck.articles.selectors import StandingNote, back_up, latest_revision
from factcheck.claims.models import Claim
from factcheck.claims.selectors import claims_in
from factcheck.claims.wording import Span
from factcheck.evidence.models import Evidence
from factcheck.lib.errors import FactcheckError


@dataclass(frozen=True)
class NumberedClaim:
    claim: Claim
    number: int
    # Whether the note's address is evidence of it already, as far as this person may know.
    has_it: bool


@dataclass(frozen=True)
class BackUpRow:
    standing: StandingNote
    # The words that it is about, and whether they stand in the latest revision, in one place.
    passage: str
    stands: bool
    # What their sentences say before and behind them.
    before: str
    after: str
    claims: tuple[NumberedClaim, ...]

    @property
    def sentence(self) -> str:
        """A number alone may stand in many places: what is marked is the sentence around it."""
        return f"{self.before}{self.passage}{self.after}"

    @property
    def outcome(self) -> BackUpOutcome:
        """A note whose address is evidence is used, without anybody's word; a person's word goes before that."""
        if self.standing.decision is None and any(claim.has_it for claim in self.claims):
            return BackUpOutcome.USED
        return self.standing.outcome


@dataclass(frozen=True)
class BackUpView:
    article: Article
    revision: Revision
    rows: tuple[BackUpRow, ...]

    @property
    def open(self) -> list[BackUpRow]:
        return [row for row in self.rows if row.outcome == BackUpOutcome.OPEN]

    @property
    def used(self) -> list[BackUpRow]:
        return [row for row in self.rows if row.outcome == BackUpOutcome.USED]

    @property
    def set_aside(self) -> list[BackUpRow]:
        return [row for row in self.rows if row.outcome == BackUpOutcome.SET_ASIDE]


def back_up_of(article: Article, person: User) -> BackUpView:
    revision = latest_revision(article)
    notes = back_up(article)
    placed = [item for item in claims_in(revision) if item.is_placed] if notes else []
    addresses = _addresses(article, person) if notes else {}
    sentences = sentence_spans(revision.text) if notes else []
    rows = []
    for standing in notes:
        passage, span = _place(standing, revision)
        url = _canonical(standing.note.url)
        claims = tuple(
            NumberedClaim(item.claim, number, bool(url) and url in addresses[item.claim.pk])
            for number, item in enumerate(placed, start=1)
            if span and any(start < span[1] and end > span[0] for start, end in item.spans)
        )
        before, after = _around(span, revision.text, sentences) if span else ("", "")
        rows.append(BackUpRow(standing, passage, span is not None, before, after, claims))
    return BackUpView(article, revision, tuple(rows))


def _place(standing: StandingNote, revision: Revision) -> tuple[str, Span | None]:
    note = standing.note
    passage = note.passage
    if not passage:
        return "", None
    if note.revision_id == revision.pk:
        return passage, (note.start, note.end)
    at = revision.text.find(passage)
    if at < 0 or revision.text.find(passage, at + 1) >= 0:
        return passage, None
    return passage, (at, at + len(passage))


def _around(span: Span, text: str, sentences: list[Span]) -> tuple[str, str]:
    inside = [sentence for sentence in sentences if sentence[0] < span[1] and sentence[1] > span[0]]
    if not inside:
        return "", ""
    return text[inside[0][0] : span[0]], text[span[1] : inside[-1][1]]


def _addresses(article: Article, person: User) -> defaultdict[int, set[str]]:
    """By claim: the pages that are evidence of it."""
    evidence = Evidence.objects.filter(claim__article=article).standing().visible_to(person).select_related("source")
    found: defaultdict[int, set[str]] = defaultdict(set)
    for item in evidence:
        if item.source.canonical_url:
            found[item.claim_id].add(item.source.canonical_url)
    return found


def _canonical(url: str) -> str:
    try:
        return canonical_url(url) if url else ""
    except FactcheckError:
        return ""
