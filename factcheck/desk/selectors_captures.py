"""What the desk shows of a copy. Copies of off-record sources are for the people who may know of these."""

from collections.abc import Sequence
from dataclasses import dataclass

from factcheck.accounts.models import User
from factcheck.archive.errors import BlobError, NoText
from factcheck.archive.models import Capture, CaptureRequest, Rendering, TextLayer
from factcheck.archive.page_images import page_count
from factcheck.archive.selectors import best_layer, layer_text, layers_of
from factcheck.claims.wording import Span
from factcheck.desk.sentences import Piece, cut_at
from factcheck.evidence.models import Evidence, PassageCheck

# A book as a PDF is read in parts; what is shown lies around the passage.
LONGEST_SHOWN = 150_000
# Of a PDF without text, so many pages; the archive host shows all.
PICTURES_SHOWN = 20


@dataclass(frozen=True)
class Sheet:
    """A part of a text layer: a page of a PDF, or the whole. ``number`` is 0 where there are no pages."""

    number: int
    pieces: tuple[Piece, ...]
    # The page's number where it can be drawn, else 0.
    picture: int = 0

    @property
    def is_cited(self) -> bool:
        return any(piece.marked for piece in self.pieces)


@dataclass(frozen=True)
class CapturePage:
    capture: Capture
    layers: list[TextLayer]
    layer: TextLayer | None
    sheets: list[Sheet]
    # Whether the text is longer than what is shown.
    is_part: bool
    uses: list[Evidence]
    # Why there is no text though there is a layer.
    missing: str
    # Pages that can be drawn though there is no text of them.
    pictures: list[int]
    # What a browser made of it; the page as its scripts left it is not among them.
    shown: list[Rendering]

    @property
    def seen(self) -> list[Rendering]:
        """The pictures among these, the first screen first."""
        return [rendering for rendering in self.shown if rendering.width]

    @property
    def print(self) -> Rendering | None:
        return next((rendering for rendering in self.shown if rendering.kind == Rendering.Kind.PRINT), None)

    @property
    def cited_pages(self) -> list[int]:
        return [sheet.picture for sheet in self.sheets if sheet.picture and sheet.is_cited]


def find_capture(public_id: str, person: User) -> Capture | None:
    """The capture, or None also where the person may know of nothing that it was made for."""
    capture = (
        Capture.objects.select_related("request__job", "request__requested_by")
        .filter(request__public_id=public_id)
        .first()
    )
    if capture is None:
        return None
    return capture if capture.pk in known_to(person, [capture]) else None


def known_to(person: User, captures: Sequence[Capture]) -> set[int]:
    """Ids of those of the copies that the person may know of: of what they were made for, or they for nothing.

    The number of queries depends on how often a copy was made again, and not on how many copies are asked about.
    """
    made_for = _evidence_of_each(captures)
    visible = set(
        Evidence.objects.filter(pk__in=set().union(*made_for.values())).visible_to(person).values_list("pk", flat=True)
    )
    return {pk for pk, evidence in made_for.items() if not evidence or evidence & visible}


def capture_page(capture: Capture, person: User, *, kind: str = "") -> CapturePage:
    layers = layers_of(capture)
    layer = next((item for item in layers if item.kind == kind and item.sha256), None) or best_layer(capture)
    uses = list(
        Evidence.objects.filter(pk__in=_evidence_of(capture))
        .visible_to(person)
        .select_related("claim__article", "source")
        .order_by("pk")
    )
    text, missing = "", ""
    if layer is not None:
        try:
            text = layer_text(layer)
        except (NoText, BlobError) as refusal:
            missing = str(refusal)
    spans = _spans(layer, uses) if text else []
    start, end = _window(len(text), spans)
    return CapturePage(
        capture=capture,
        layers=layers,
        layer=layer,
        sheets=_sheets(text, layer, spans, start, end) if text else [],
        is_part=end - start < len(text),
        uses=uses,
        missing=missing,
        pictures=[] if text else list(range(1, min(page_count(capture), PICTURES_SHOWN) + 1)),
        shown=list(capture.renderings.exclude(kind=Rendering.Kind.DOM)),
    )


def _evidence_of(capture: Capture) -> set[int]:
    return _evidence_of_each([capture])[capture.pk]


def _evidence_of_each(captures: Sequence[Capture]) -> dict[int, set[int]]:
    """By id of the copy, ids of the evidence that rests on it, or did before a newer one was made."""
    # Of each order, the copies that it was made for, or that it is to take the place of.
    older: dict[int, set[int]] = {capture.request_id: {capture.pk} for capture in captures}
    latest = set(older)
    while latest:
        retries = CaptureRequest.objects.filter(retry_of__in=latest).values_list("pk", "retry_of")
        latest = set()
        for request_id, retried_id in retries:
            assert retried_id is not None
            known = older.setdefault(request_id, set())
            if not older[retried_id] <= known:
                known |= older[retried_id]
                latest.add(request_id)
    found: dict[int, set[int]] = {capture.pk: set() for capture in captures}
    by_request = Evidence.objects.filter(capture_request__in=older).values_list("pk", "capture_request_id")
    for evidence_id, request_id in by_request:
        for capture_id in older[request_id]:
            found[capture_id].add(evidence_id)
    for evidence_id, capture_id in PassageCheck.objects.filter(capture__in=captures).values_list(
        "evidence_id", "capture_id"
    ):
        found[capture_id].add(evidence_id)
    return found


def _spans(layer: TextLayer | None, uses: Sequence[Evidence]) -> list[Span]:
    checks = PassageCheck.objects.filter(layer=layer, evidence__in=uses)
    words = {evidence.pk: evidence.quote_sha256 for evidence in uses}
    return [
        (start, end) for check in checks if words[check.evidence_id] == check.quote_sha256 for start, end in check.spans
    ]


def _window(length: int, spans: Sequence[Span]) -> Span:
    if length <= LONGEST_SHOWN:
        return 0, length
    first = max(0, min((start for start, _end in spans), default=0) - LONGEST_SHOWN // 4)
    return first, min(length, first + LONGEST_SHOWN)


def _sheets(text: str, layer: TextLayer | None, spans: Sequence[Span], start: int, end: int) -> list[Sheet]:
    pages: Sequence[Sequence[int]] = (layer.pages if layer else None) or [[0, len(text)]]
    numbered = len(pages) > 1
    sheets = []
    for number, (first, last) in enumerate(pages, start=1):
        begin, stop = max(first, start), min(last, end)
        if begin < stop:
            pieces = tuple(cut_at(text, spans, start=begin, end=stop))
            drawn = number if layer is not None and layer.kind == TextLayer.Kind.PDF else 0
            sheets.append(Sheet(number if numbered else 0, pieces, drawn))
    return sheets
