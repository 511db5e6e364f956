"""All captures on one page. Whoever may not know of what a page was captured for does not see it in any number."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from factcheck.accounts.models import User
from factcheck.accounts.permissions import Act, may
from factcheck.archive.models import CaptureRequest
from factcheck.archive.outcomes import Outcome, sentence
from factcheck.articles.models import Article
from factcheck.evidence.models import Evidence, PassageCheck
from factcheck.jobs.models import Job

ROWS_ON_A_PAGE = 50
ARTICLES_OFFERED = 200
TAKEN_BACK_WITHIN = timedelta(hours=24)
STATES = ("open", "waiting", "trouble", "captured")


@dataclass(frozen=True)
class Filters:
    """What was asked for, from a hostile address line; what is not known counts as not asked."""

    state: str = ""
    outcome: str = ""
    host: str = ""
    person: str = ""
    article: str = ""
    words: str = ""

    @property
    def narrowed(self) -> bool:
        return any(vars(self).values())

    def query(self, **changed: str) -> str:
        return urlencode({name: value for name, value in (vars(self) | changed).items() if value})


@dataclass(frozen=True)
class StateCount:
    state: str
    label: str
    number: int
    query: str


@dataclass(frozen=True)
class Row:
    request: CaptureRequest
    state: str
    label: str
    tone: str
    sentence: str
    retry_at: datetime | None
    attempts: int
    taken_back: int
    # What the person may know of that rests on it.
    uses: tuple[Evidence, ...]
    may_retry: bool
    may_cancel: bool

    @property
    def title(self) -> str:
        capture = self.request.sealed_capture
        return capture.title if capture else ""


@dataclass(frozen=True)
class CaptureList:
    rows: list[Row]
    counts: list[StateCount]
    # The public id to go on from, "" on the last page.
    older: str
    # Of all that fit the filters.
    taken_back: int
    # Of all work of the newsroom, within TAKEN_BACK_WITHIN.
    taken_back_lately: int
    people: list[User]
    articles: list[Article]

    @property
    def anything_to_choose(self) -> bool:
        return any(row.may_retry or row.may_cancel for row in self.rows)


def requests_visible_to(person: User) -> QuerySet[CaptureRequest]:
    """Orders that the person may know of, by the rule of ``selectors_captures.find_capture``."""
    used = Exists(Evidence.objects.filter(capture_request=OuterRef("pk")))
    seen = Exists(Evidence.objects.visible_to(person).filter(capture_request=OuterRef("pk")))
    # A copy that a newer one replaced is known by the searches that were made in it.
    searched = Exists(
        PassageCheck.objects.filter(
            capture__request=OuterRef("pk"), evidence__in=Evidence.objects.visible_to(person).values("pk")
        )
    )
    own = Q(requested_by=person) & ~Q(used)
    return CaptureRequest.objects.filter(
        Q(seen) | (Q(confidential=False) & ~Q(used)) | (Q(confidential=True) & (Q(searched) | own))
    )


def capture_list(person: User, filters: Filters, *, before: str = "") -> CaptureList:
    now = timezone.now()
    fitting = _fitting(person, filters)
    asked = fitting.filter(_in_state(filters.state, now)) if filters.state in STATES else fitting
    # By the same rule: where the list goes on would tell that there is something and when it was ordered.
    if start := requests_visible_to(person).filter(public_id=before).values("created_at", "pk").first():
        at, pk = start["created_at"], start["pk"]
        asked = asked.filter(Q(created_at__lt=at) | Q(created_at=at, pk__lt=pk))
    found = list(
        asked.select_related("job", "requested_by", "capture__words_row").order_by("-created_at", "-pk")[
            : ROWS_ON_A_PAGE + 1
        ]
    )
    shown = found[:ROWS_ON_A_PAGE]
    numbers = fitting.aggregate(
        taken_back=Sum("job__taken_back"), **{state: Count("pk", filter=_in_state(state, now)) for state in STATES}
    )
    counts = [StateCount("", _("All"), sum(numbers[state] for state in STATES), filters.query(state=""))]
    counts += [StateCount(state, _label(state), numbers[state], filters.query(state=state)) for state in STATES]
    return CaptureList(
        rows=_rows(shown, person, now),
        counts=counts,
        older=shown[-1].public_id if len(found) > len(shown) else "",
        taken_back=numbers["taken_back"] or 0,
        taken_back_lately=Job.objects.filter(taken_back_at__gte=now - TAKEN_BACK_WITHIN).count(),
        people=list(User.objects.order_by("name", "username")),
        articles=list(Article.objects.order_by("-pk")[:ARTICLES_OFFERED]),
    )


def uses_of(requests: Iterable[CaptureRequest], person: User) -> dict[int, list[Evidence]]:
    """Evidence that rests on each order and that the person may know of."""
    uses: dict[int, list[Evidence]] = {}
    for evidence in (
        Evidence.objects.visible_to(person)
        .filter(capture_request__in=[request.pk for request in requests])
        .select_related("claim__article")
        .order_by("pk")
    ):
        assert evidence.capture_request_id is not None
        uses.setdefault(evidence.capture_request_id, []).append(evidence)
    return uses


def may_cancel(request: CaptureRequest, person: User) -> bool:
    """What ``archive.services.cancel_capture`` would say."""
    own = request.requested_by_id == person.pk and may(person, Act.ADD_EVIDENCE)
    return request.state == CaptureRequest.State.OPEN and (own or may(person, Act.CANCEL_CAPTURE))


def _fitting(person: User, filters: Filters) -> QuerySet[CaptureRequest]:
    fitting = requests_visible_to(person)
    if filters.outcome in Outcome.values:
        fitting = fitting.filter(capture__outcome=filters.outcome)
    if filters.host:
        fitting = fitting.filter(host=filters.host.lower())
    if filters.person:
        fitting = fitting.filter(requested_by__username=filters.person)
    if filters.words:
        fitting = fitting.filter(url__icontains=filters.words)
    if filters.article:
        of_article = Evidence.objects.visible_to(person).filter(claim__article__slug=filters.article)
        fitting = fitting.filter(Exists(of_article.filter(capture_request=OuterRef("pk"))))
    return fitting


def _in_state(state: str, now: datetime) -> Q:
    waiting = Q(job__state=Job.State.QUEUED, job__attempts__gt=0, job__due_at__gt=now)
    return {
        "open": Q(state=CaptureRequest.State.OPEN) & ~waiting,
        "waiting": Q(state=CaptureRequest.State.OPEN) & waiting,
        "trouble": Q(state=CaptureRequest.State.SEALED) & ~Q(capture__outcome__in=Outcome.with_evidence()),
        "captured": Q(state=CaptureRequest.State.SEALED, capture__outcome__in=Outcome.with_evidence()),
    }[state]


def _label(state: str) -> str:
    return {
        "open": _("In work"),
        "waiting": _("Waiting for a retry"),
        "trouble": _("In trouble"),
        "captured": _("Captured"),
    }[state]


def _rows(requests: list[CaptureRequest], person: User, now: datetime) -> list[Row]:
    uses = uses_of(requests, person)
    return [_row(request, tuple(uses.get(request.pk, ())), person, now) for request in requests]


def _row(request: CaptureRequest, uses: tuple[Evidence, ...], person: User, now: datetime) -> Row:
    capture, job = request.sealed_capture, request.job
    retry_at = None
    if capture is not None:
        state = "captured" if capture.carries_evidence else "trouble"
        label, said = capture.get_outcome_display(), capture.sentence
    elif job is not None and job.state == Job.State.QUEUED and job.attempts and job.due_at > now:
        state, label, retry_at = "waiting", _label("waiting"), job.due_at
        said = sentence(request.last_outcome, request.reason) if request.last_outcome else job.reason
    else:
        state, label, said = "open", _label("open"), ""
        if job is not None and job.state == Job.State.QUEUED:
            said = _("It waits for its turn.")
    tones = {"open": "neutral", "waiting": "mixed", "trouble": "bad", "captured": "good"}
    may_add = may(person, Act.ADD_EVIDENCE)
    return Row(
        request=request,
        state=state,
        label=label,
        tone=tones[state],
        sentence=said,
        retry_at=retry_at,
        attempts=capture.attempts if capture else job.attempts if job else 0,
        taken_back=job.taken_back if job else 0,
        uses=uses,
        may_retry=may_add and state in ("waiting", "trouble") and request.upload_sha256 == "",
        may_cancel=may_cancel(request, person),
    )
