"""The archive host: archived markup on a host of its own, where it can reach nothing and nobody.

It runs as a process of its own with ``archive_urls``; the app never serves these bytes. A page leads to its pictures,
styles, fonts and frames by addresses below its own, so that the key in the path holds for them as well.
"""

from urllib.parse import urlsplit

import webencodings
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from factcheck.archive import blobs, page_images, replaying
from factcheck.archive.errors import BlobMissing, ReplayBusy
from factcheck.archive.models import Capture
from factcheck.archive.replay_links import is_key_for
from factcheck.archive.rewriting import Rewritten
from factcheck.public.read_only import read_only
from factcheck.publications.selectors import is_open_to_readers

# Inside a sandbox without allow-scripts nothing runs, no form is sent and no meta refresh is followed.
_NOTHING = "sandbox; default-src 'none'; form-action 'none'; base-uri 'none'"
_POLICY = (
    f"{_NOTHING}; img-src 'self' data:; style-src 'self' 'unsafe-inline'; font-src 'self' data:; "
    "media-src 'self' data:; frame-src 'self'"
)
# Of a page that we wrote ourselves, and in which links and downloads are to work.
_PAGES_POLICY = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'"
_PICTURE_POLICY = f"{_NOTHING}; img-src data:; style-src 'unsafe-inline'"
PAGES_AT_ONCE = 4
_SHOWN = frozenset(("image/png", "image/jpeg", "image/gif", "image/webp"))
_MARKUP = frozenset(("text/html", "application/xhtml+xml"))
_SUFFIXES = {
    "application/pdf": ".pdf",
    "video/mp4": ".mp4",
    "video/x-m4v": ".m4v",
    "video/quicktime": ".mov",
    "video/webm": ".webm",
    "video/x-matroska": ".mkv",
    "audio/mp4": ".m4a",
    "audio/mpeg": ".mp3",
    "audio/wav": ".wav",
    "audio/flac": ".flac",
}


def _may_be_seen(request: HttpRequest, capture_id: str, key: str) -> Capture:
    # Under the app's own name the browser would send along the app's cookies.
    if request.get_host() != urlsplit(settings.ARCHIVE_URL).netloc:
        raise Http404
    if not (is_key_for(key, capture_id) if key else is_open_to_readers(capture_id)):
        raise Http404
    capture = Capture.objects.select_related("request").filter(request__public_id=capture_id).first()
    if capture is None or not capture.body_sha256:
        raise Http404
    return capture


@require_safe
@read_only
def replay(request: HttpRequest, capture_id: str, key: str = "") -> HttpResponseBase:
    capture = _may_be_seen(request, capture_id, key)
    policy = _POLICY
    try:
        if pages := page_images.page_count(capture):
            policy = _PAGES_POLICY
            response: HttpResponseBase = _pages(request.GET.get("page", "1"), pages)
        else:
            response = _document(capture)
    except BlobMissing as missing:
        raise Http404 from missing
    except ReplayBusy as busy:
        return _sentence(str(busy), status=503)
    response["Content-Security-Policy"] = f"{policy}; frame-ancestors {settings.PUBLIC_URL}"
    return _for_a_visitor(response)


def _pages(asked: str, count: int) -> HttpResponse:
    first = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 7 else 0
    if not 1 <= first <= count:
        raise Http404
    context = {
        "numbers": range(first, min(first + PAGES_AT_ONCE, count + 1)),
        "count": count,
        "before": max(first - PAGES_AT_ONCE, 1) if first > 1 else 0,
        "after": first + PAGES_AT_ONCE if first + PAGES_AT_ONCE <= count else 0,
    }
    return HttpResponse(render_to_string("public/replay_pages.html", context))


def _document(capture: Capture) -> HttpResponseBase:
    if capture.media_type in _MARKUP:
        return _rewritten(replaying.page(capture, left_out=_left_out()))
    if capture.media_type == "text/plain":
        text, _encoding = webencodings.iter_decode(blobs.pieces(capture.body_sha256), capture.charset or "utf-8")
        # Piece by piece: a text may be as large as all that a page may unpack to.
        return StreamingHttpResponse(map(str.encode, text), content_type="text/plain; charset=utf-8")
    if capture.media_type in _SHOWN:
        return StreamingHttpResponse(blobs.pieces(capture.body_sha256), content_type=capture.media_type)
    return _file(capture)


def _file(capture: Capture) -> HttpResponseBase:
    # So that the reader's computer knows what opens it; other names are none of its business.
    suffix = _SUFFIXES.get(capture.media_type, "")
    return StreamingHttpResponse(
        blobs.pieces(capture.body_sha256),
        content_type="application/octet-stream",
        headers={"Content-Disposition": f'attachment; filename="{capture.public_id}{suffix}"'},
    )


@require_safe
@read_only
def original(request: HttpRequest, capture_id: str, key: str = "") -> HttpResponseBase:
    """The bytes themselves, handed over as a file whatever they are."""
    try:
        response = _file(_may_be_seen(request, capture_id, key))
    except BlobMissing as missing:
        raise Http404 from missing
    response["Content-Security-Policy"] = _NOTHING
    return _for_a_visitor(response)


@require_safe
@read_only
def part(request: HttpRequest, capture_id: str, number: int, key: str = "") -> HttpResponseBase:
    """A picture, style sheet, font or frame of a copy, by its place in the archive file."""
    capture = _may_be_seen(request, capture_id, key)
    try:
        found = replaying.part(capture, number)
        if found is None:
            raise Http404
        if found.kind in ("page", "style"):
            media_type = "text/html" if found.kind == "page" else "text/css"
            response: HttpResponseBase = _rewritten(replaying.framed(capture, found, left_out=_left_out()), media_type)
        else:
            response = StreamingHttpResponse(
                replaying.read_part(capture.warc_sha256, found), content_type=found.media_type
            )
    except BlobMissing as missing:
        raise Http404 from missing
    except ReplayBusy as busy:
        return _sentence(str(busy), status=503)
    # A frame stands in a page without an origin, which no frame-ancestors could name.
    response["Content-Security-Policy"] = _POLICY if found.kind == "page" else _PICTURE_POLICY
    if found.media_type == "image/svg+xml":
        # Shown in pages all the same; opened alone it would be a document that may open connections.
        response["Content-Disposition"] = f'attachment; filename="{capture_id}-{number}.svg"'
    return _for_the_page(response)


@require_safe
@read_only
def page_image(request: HttpRequest, capture_id: str, number: int, key: str = "") -> HttpResponseBase:
    """A page of a PDF as a picture."""
    capture = _may_be_seen(request, capture_id, key)
    try:
        image = page_images.page_image(capture, number)
    except BlobMissing as missing:
        raise Http404 from missing
    except ReplayBusy as busy:
        return _sentence(str(busy), status=503)
    if image.problem == "none":
        raise Http404
    if image.problem:
        return _sentence(_("This page is too large or too tangled to be drawn; the text and the file remain."), 422)
    response = HttpResponse(image.png, content_type="image/png")
    response["Content-Security-Policy"] = _PICTURE_POLICY
    return _for_the_page(response)


def _rewritten(result: Rewritten, media_type: str = "text/html") -> HttpResponse:
    if not result.problem:
        return HttpResponse(result.content, content_type=f"{media_type}; charset=utf-8")
    if media_type != "text/html":
        raise Http404
    if result.problem == "limit":
        words = _("This page is too large or too deep to be shown as it looked; its text and its file remain.")
    else:
        words = _("The reader broke down on this page, so it cannot be shown as it looked; its file remains.")
    return HttpResponse(f"{words}\n", content_type="text/plain; charset=utf-8", status=422)


def _left_out() -> str:
    return _("not in the copy")


def _for_a_visitor(response: HttpResponseBase) -> HttpResponseBase:
    response["Cross-Origin-Opener-Policy"] = "same-origin"
    return _sealed_off(response, "same-origin")


def _for_the_page(response: HttpResponseBase) -> HttpResponseBase:
    """The page has no origin: to it, its own parts are another's, and fonts and frames ask for leave."""
    response["Access-Control-Allow-Origin"] = "*"
    return _sealed_off(response, "cross-origin")


def _sealed_off(response: HttpResponseBase, resource_policy: str) -> HttpResponseBase:
    response["X-Content-Type-Options"] = "nosniff"
    response["X-DNS-Prefetch-Control"] = "off"
    response["Referrer-Policy"] = "no-referrer"
    response["Cross-Origin-Resource-Policy"] = resource_policy
    response["X-Robots-Tag"] = "noindex, noarchive"
    response["Cache-Control"] = "private, no-store"
    return response


def _sentence(sentence: str, status: int) -> HttpResponse:
    return HttpResponse(f"{sentence}\n", content_type="text/plain; charset=utf-8", status=status)


def not_found(_request: HttpRequest, exception: Exception) -> HttpResponse:
    return _sentence(
        _("There is no copy here, or the link has run out: open it once more from the page of the copy."), 404
    )


def failed(_request: HttpRequest) -> HttpResponse:
    return _sentence(_("This copy cannot be shown now."), 500)


urlpatterns = [
    path(f"replay/<slug:capture_id>/{key}{place}", view, name=f"{name}{'_by_key' if key else ''}")
    for key in ("", "k/<str:key>/")
    for place, view, name in (
        ("", replay, "replay"),
        ("original", original, "replay_original"),
        ("r/<int:number>", part, "replay_part"),
        ("page-<int:number>.png", page_image, "replay_page_image"),
    )
]
