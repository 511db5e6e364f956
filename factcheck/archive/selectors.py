from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from factcheck.archive import blobs
from factcheck.archive.errors import NoText
from factcheck.archive.models import Capture, CaptureRequest, Engine, TextLayer
from factcheck.archive.outcomes import NextStep, next_steps, sentence
from factcheck.jobs.models import Job

STAGES = {
    Engine.HTTP: ("queued", "fetching", "extracting", "requisites", "storing", "sealed"),
    Engine.BROWSER: (
        *("queued", "opening", "scrolling", "photographing", "printing"),
        *("extracting", "storing", "sealed"),
    ),
    Engine.UPLOAD: ("queued", "extracting", "storing", "sealed"),
}


READ_BY_PEOPLE = (TextLayer.Kind.VISIBLE, TextLayer.Kind.PDF, TextLayer.Kind.RENDER)


@dataclass(frozen=True)
class Stage:
    name: str
    label: str
    # "done", "now" or "waiting"
    state: str


@dataclass(frozen=True)
class Progress:
    """How far a capture is, in words for the desk. ``capture`` is None until it has ended."""

    stages: tuple[Stage, ...]
    sentence: str
    # The site's or the rule's own words about it, from hostile text: only ever shown escaped.
    detail: str
    next_steps: tuple[NextStep, ...]
    ended: bool
    retry_at: datetime | None
    attempts: int
    capture: Capture | None


def _label(name: str) -> str:
    return {
        "queued": _("Waiting for its turn"),
        "fetching": _("Fetching the page"),
        "opening": _("Opening the page in a browser"),
        "scrolling": _("Scrolling to its end"),
        "photographing": _("Taking pictures of it"),
        "printing": _("Printing it"),
        "storing": _("Storing the bytes"),
        "extracting": _("Reading the text"),
        "requisites": _("Fetching pictures and styles"),
        "sealed": _("Sealed"),
    }[name]


def _stages(now: str, *, engine: str, ended: bool) -> tuple[Stage, ...]:
    """``now`` is a stage's name, and after a space how far it is: "requisites 12/40"."""
    names = STAGES[Engine(engine)]
    name_now, _space, far = now.partition(" ")
    reached = names.index(name_now) if name_now in names else 0
    stages = []
    for place, name in enumerate(names):
        is_now = place == reached and not ended
        state = "done" if ended or place < reached else "now" if is_now else "waiting"
        stages.append(Stage(name, f"{_label(name)} {far}".strip() if is_now else _label(name), state))
    return tuple(stages)


def capture_progress(request: CaptureRequest) -> Progress:
    # Read anew: the page asks every second, and may hold an object from before the end.
    request = CaptureRequest.objects.select_related("capture__words_row", "job").get(pk=request.pk)
    capture = request.sealed_capture
    job = request.job
    fetched = request.engine != Engine.UPLOAD
    if capture is not None:
        return Progress(
            stages=_stages("sealed", engine=request.engine, ended=True),
            sentence=sentence(capture.outcome, capture.reason),
            detail=capture.detail,
            next_steps=next_steps(capture.outcome, capture.reason),
            ended=True,
            retry_at=None,
            attempts=capture.attempts,
            capture=capture,
        )
    attempts = job.attempts if job else 0
    if job is not None and job.state == Job.State.QUEUED and job.attempts and job.due_at > timezone.now():
        said = sentence(request.last_outcome, request.reason) if request.last_outcome else job.reason
        # Nobody has to wait the hours out: what can be done at the end can be done now.
        meanwhile = next_steps(request.last_outcome, request.reason) if request.last_outcome else (NextStep.RETRY,)
        # Others are asked from the page of the copy, which is not there yet.
        meanwhile = tuple(step for step in meanwhile if step is not NextStep.ASK_INTERNET_ARCHIVE)
        return Progress(
            stages=_stages("queued", engine=request.engine, ended=False),
            sentence=said,
            detail=job.reason,
            next_steps=(NextStep.WAIT, *meanwhile),
            ended=False,
            retry_at=job.due_at,
            attempts=attempts,
            capture=None,
        )
    stage = job.stage if job is not None and job.state == Job.State.RUNNING else ""
    return Progress(
        stages=_stages(stage, engine=request.engine, ended=False),
        sentence=_("The page is being archived.") if fetched else _("The uploaded copy is being read."),
        detail="",
        next_steps=(NextStep.WAIT,),
        ended=False,
        retry_at=None,
        attempts=attempts,
        capture=None,
    )


def layers_of(capture: Capture) -> list[TextLayer]:
    return list(TextLayer.objects.filter(capture=capture).order_by("pk"))


def best_layer(capture: Capture) -> TextLayer | None:
    """The layer that people read: what the browser showed, the visible text or the PDF's pages; None without words."""
    return (
        TextLayer.objects.filter(capture=capture, kind__in=READ_BY_PEOPLE, outcome=TextLayer.Result.OK)
        .order_by("-chars", "pk")
        .first()
    )


def layer_text(layer: TextLayer) -> str:
    """The words of a layer. Raises NoText for one without words, BlobMissing if the store has lost them."""
    if not layer.sha256:
        raise NoText(_("This copy has no text that could be read."))
    return blobs.read(layer.sha256).decode("utf-8")


def text_of(capture: Capture, kind: str) -> str:
    """The words of the capture's layer of this kind. Raises NoText."""
    layer = TextLayer.objects.filter(capture=capture, kind=kind, outcome=TextLayer.Result.OK).order_by("-pk").first()
    if layer is None:
        raise NoText(_("This copy has no text of that kind."))
    return layer_text(layer)


def capture_named(public_id: str) -> Capture | None:
    """The capture of this public id, or None while there is none."""
    return Capture.objects.select_related("request").filter(request__public_id=public_id).first()
