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
    made_for = _evidence_of(capture)
    if made_for and not Evidence.objects.filter(pk__in=made_for).visible_to(person).exists():
        return None
    return capture


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


def _evidence_of(capture: Capture) -> list[int]:
    """Ids of the evidence that rests on this copy, or did before a newer one was made."""
    newer = {capture.request_id}
    latest = newer
    while latest:
        latest = set(CaptureRequest.objects.filter(retry_of__in=latest).values_list("pk", flat=True)) - newer
        newer |= latest
    by_request = Evidence.objects.filter(capture_request__in=newer).values_list("pk", flat=True)
    by_check = PassageCheck.objects.filter(capture=capture).values_list("evidence_id", flat=True)
    return sorted({*by_request, *by_check})


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
