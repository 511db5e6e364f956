"""What is shown of outside witnesses: at the desk what was asked and what came of it, to readers what they hold."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from factcheck.archive.internet_archive import problem_sentence
from factcheck.archive.models import Agreement, Capture, WitnessReport, WitnessRequest
from factcheck.jobs.models import Job

SHOWN = 10


@dataclass(frozen=True)
class WitnessLine:
    """One order and how it stands. ``said`` are the service's own words: hostile text, only ever shown escaped."""

    request: WitnessRequest
    report: WitnessReport | None
    sentence: str
    agreement: str
    # Empty, or an address at the service that was set for it.
    link: str
    said: str
    again_at: datetime | None


def witness_lines(capture: Capture) -> list[WitnessLine]:
    """The newest first."""
    asked = WitnessRequest.objects.filter(capture=capture).select_related("job", "report__words_row", "requested_by")
    return [_line(request) for request in asked.order_by("-created_at", "-pk")[:SHOWN]]


def _line(request: WitnessRequest) -> WitnessLine:
    report: WitnessReport | None = getattr(request, "report", None)
    if report is None:
        job = request.job
        waits = job is not None and job.state == Job.State.QUEUED and job.due_at > timezone.now()
        return WitnessLine(
            request, None, job.reason if job else "", "", "", "", job.due_at if job is not None and waits else None
        )
    sentence = problem_sentence(report.reason) if report.reason else report.get_outcome_display()
    agreement = str(Agreement(report.agreement).label) if report.agreement else ""
    return WitnessLine(request, report, sentence, agreement, _link(report), report.words.said, None)


# Of one copy of ours: whoever looks every day sees the same one again, or the next.
MOST_HELD = 3
_MOST_REPORTS = 500
_BEST_FIRST = (Agreement.SAME_RECEIVED, Agreement.SAME_DECODED, Agreement.DIFFERENT, Agreement.NOT_COMPARABLE)


@dataclass(frozen=True)
class Held:
    """A copy that an outside archive was seen to hold."""

    capture_id: str
    service: str
    taken_at: datetime
    seen_at: datetime
    # "" where the address was erased.
    link: str
    agreement: str


def held_elsewhere(capture_ids: Collection[str]) -> list[Held]:
    """What outside archives hold of these pages, for each first what agrees best, then the oldest; one query.

    Each of their copies once, as it was seen last.
    """
    if not capture_ids:
        return []
    seen = WitnessReport.objects.filter(
        capture__request__public_id__in=capture_ids, outcome=WitnessReport.Outcome.SEEN
    ).select_related("words_row", "request", "capture__request")
    copies: dict[tuple[str, str, datetime], Held] = {}
    for report in seen[:_MOST_REPORTS]:
        assert report.taken_at is not None
        held = Held(
            capture_id=report.capture.public_id,
            service=report.request.service,
            taken_at=report.taken_at,
            seen_at=report.reported_at,
            link=_link(report),
            agreement=report.agreement,
        )
        copies.setdefault((held.capture_id, held.service, held.taken_at), held)
    ranks = {str(agreement): rank for rank, agreement in enumerate(_BEST_FIRST)}
    best_first = sorted(copies.values(), key=lambda held: (ranks.get(held.agreement, len(ranks)), held.taken_at))
    counts: dict[str, int] = {}
    shown = []
    for held in best_first:
        counts[held.capture_id] = counts.get(held.capture_id, 0) + 1
        if counts[held.capture_id] <= MOST_HELD:
            shown.append(held)
    return shown


def _link(report: WitnessReport) -> str:
    memento = report.words.memento
    return memento if memento.startswith(("https://", "http://")) else ""
