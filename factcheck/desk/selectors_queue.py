"""What waits for a person, over all articles. Each list costs the same number of queries however long it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext_lazy as _

from factcheck.accounts.models import User
from factcheck.accounts.permissions import Act, may
from factcheck.articles.models import Revision
from factcheck.claims.models import Anchor, Claim, Query
from factcheck.claims.selectors import PlacedClaim
from factcheck.claims.wording import words_at
from factcheck.desk.claim_states import DeskState
from factcheck.desk.selectors_articles import last_words_of, state_of
from factcheck.evidence.models import Evidence
from factcheck.verdicts.models import SentBack, SignOff, Verdict
from factcheck.verdicts.selectors import current_verdicts

ROWS_ON_A_PAGE = 50
# Of a long list only so many are counted.
COUNTED_TO = 500


class Queue(StrEnum):
    MINE = "mine"
    QUERIES = "queries"
    REVIEW = "review"
    FREE = "free"

    @property
    def label(self) -> str:
        return str(_LABELS[self])

    @property
    def about(self) -> str:
        return str(_ABOUT[self])


_LABELS = {
    Queue.MINE: _("My claims"),
    Queue.QUERIES: _("Queries"),
    Queue.REVIEW: _("To review"),
    Queue.FREE: _("Nobody’s"),
}
_ABOUT = {
    Queue.MINE: _("Claims that are yours to check, and your verdicts that were sent back."),
    Queue.QUERIES: _("Questions to you that wait for an answer, and your own that were answered and are not resolved."),
    Queue.REVIEW: _("Verdicts of others that wait for a second pair of eyes."),
    Queue.FREE: _("Claims without a verdict that nobody has taken."),
}


@dataclass(frozen=True)
class QueueRow:
    claim: Claim
    quote: str
    state: DeskState
    verdict: Verdict | None
    # What of its queries waits for this person.
    queries: tuple[Query, ...] = ()

    @property
    def sent_back(self) -> SentBack | None:
        found: SentBack | None = getattr(self.verdict, "sent_back", None) if self.verdict else None
        return found


@dataclass(frozen=True)
class QueueCount:
    queue: Queue
    number: int

    @property
    def is_more(self) -> bool:
        return self.number > COUNTED_TO


@dataclass(frozen=True)
class QueuePage:
    queue: Queue
    rows: list[QueueRow]
    counts: list[QueueCount]
    # The id after which the list goes on, or None at its end.
    after: int | None
    # Whom claims may be given to: everybody for an editor, else oneself alone.
    people: list[User]


def queue_page(person: User, queue: Queue, *, after: int = 0) -> QueuePage:
    """One page of a list, what has waited longest first."""
    claims = list(
        _waiting(person, queue)
        .filter(pk__gt=after)
        .select_related("article", "assigned_to", "reviewer")
        .order_by("pk")[: ROWS_ON_A_PAGE + 1]
    )
    shown = claims[:ROWS_ON_A_PAGE]
    rows = _rows(shown, person)
    if queue is Queue.REVIEW:
        # A verdict about words that have changed since waits for nobody's signature.
        rows = [row for row in rows if row.state in (DeskState.DECIDED, DeskState.IN_REVIEW)]
    elif queue is Queue.MINE:
        rows = [row for row in rows if row.state is not DeskState.SIGNED_OFF]
    return QueuePage(
        queue=queue,
        rows=rows,
        counts=[QueueCount(one, _waiting(person, one)[: COUNTED_TO + 1].count()) for one in Queue],
        after=shown[-1].pk if len(claims) > ROWS_ON_A_PAGE else None,
        people=list(User.objects.filter(is_active=True).order_by("name", "username"))
        if may(person, Act.ASSIGN)
        else [person],
    )


def _waiting(person: User, queue: Queue) -> QuerySet[Claim]:
    """What may be on the list as far as rows say it; whether words have changed is found out of what is shown."""
    verdicts = Verdict.objects.filter(claim=OuterRef("pk")).order_by("-pk")
    standing = Claim.objects.standing().annotate(verdict_id=Subquery(verdicts.values("pk")[:1]))
    match queue:
        case Queue.FREE:
            return standing.filter(assigned_to=None, verdict_id=None)
        case Queue.QUERIES:
            return standing.filter(open_queries__gt=0).filter(Exists(_waiting_queries(person, OuterRef("pk"))))
        case Queue.REVIEW:
            waiting = Verdict.objects.filter(pk=OuterRef("verdict_id"), sign_off=None, sent_back=None)
            return standing.filter(Exists(waiting.exclude(decided_by=person)))
        case Queue.MINE:
            newest = Revision.objects.filter(article=OuterRef("article")).order_by("-number").values("pk")[:1]
            signed = SignOff.objects.filter(verdict=OuterRef("verdict_id"), verdict__revision=OuterRef("revision_id"))
            back = SentBack.objects.filter(verdict=OuterRef("verdict_id"), verdict__decided_by=person)
            return (
                standing.annotate(revision_id=Subquery(newest))
                .filter(Q(assigned_to=person) | Exists(back))
                .exclude(Exists(signed))
            )


def _waiting_queries(person: User, claim: OuterRef | Sequence[Claim]) -> QuerySet[Query]:
    """Those to this person that nobody has answered, and their own that somebody has."""
    of_claim = {"claim": claim} if isinstance(claim, OuterRef) else {"claim__in": claim}
    return Query.objects.filter(
        Q(asked_of=person, answered_at=None) | Q(asked_by=person, answered_at__isnull=False),
        resolved_at=None,
        **of_claim,
    )


def _rows(claims: Sequence[Claim], person: User) -> list[QueueRow]:
    articles = {claim.article_id for claim in claims}
    newest = Revision.objects.filter(article=OuterRef("article")).order_by("-number").values("pk")[:1]
    revisions = {
        revision.article_id: revision
        for revision in Revision.objects.filter(article__in=articles, pk=Subquery(newest)).select_related("text_row")
    }
    anchors: dict[int, list[Anchor]] = {claim.pk: [] for claim in claims}
    for anchor in Anchor.objects.filter(claim__in=claims, revision__in=[item.pk for item in revisions.values()]):
        anchors[anchor.claim_id].append(anchor)
    verdicts = current_verdicts(claims)
    evidenced = set(
        Evidence.objects.filter(claim__in=claims).standing().visible_to(person).values_list("claim_id", flat=True)
    )
    before = last_words_of([claim for claim in claims if not anchors[claim.pk]])
    queries: dict[int, list[Query]] = {claim.pk: [] for claim in claims}
    open_ones = [claim for claim in claims if claim.open_queries]
    for query in _waiting_queries(person, open_ones).select_related(
        "asked_by", "answered_by", "question_row", "answer_row"
    ):
        queries[query.claim_id].append(query)
    rows = []
    for claim in claims:
        spans = tuple((anchor.start, anchor.end) for anchor in anchors[claim.pk])
        placed = PlacedClaim(claim, spans, words_at(revisions[claim.article_id].text, spans))
        verdict = verdicts.get(claim.pk)
        quote = " … ".join(placed.words or before.get(claim.pk, ()))
        rows.append(
            QueueRow(claim, quote, state_of(placed, verdict, claim.pk in evidenced), verdict, tuple(queries[claim.pk]))
        )
    return rows
