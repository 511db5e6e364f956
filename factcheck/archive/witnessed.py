"""What the desk shows of outside witnesses: what was asked, what came of it, and what may be asked now."""

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
    link = report.words.memento if report.words.memento.startswith(("https://", "http://")) else ""
    return WitnessLine(request, report, sentence, agreement, link, report.words.said, None)
