"""The archive host: archived markup on a host of its own, where it can reach nothing and nobody.

It runs as a process of its own with ``archive_urls``; the app never serves these bytes.
"""

import re
from urllib.parse import urlsplit

import webencodings
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from factcheck.archive import blobs
from factcheck.archive.models import Capture
from factcheck.archive.replay_links import is_key_for
from factcheck.public.read_only import read_only
from factcheck.publications.selectors import is_open_to_readers

# Inside a sandbox without allow-scripts nothing runs, no form is sent and no meta refresh is followed.
_POLICY = (
    "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:; media-src data:; "
    "form-action 'none'; base-uri 'none'; frame-ancestors {app}"
)
_SHOWN = {
    "text/html": "text/html",
    "text/plain": "text/plain",
    "image/png": "image/png",
    "image/jpeg": "image/jpeg",
    "image/gif": "image/gif",
    "image/webp": "image/webp",
}
_TEXT = ("text/html", "text/plain")
_LINK = re.compile(r"<link(?![a-z0-9-])", re.IGNORECASE)


@require_safe
@read_only
def replay(request: HttpRequest, capture_id: str) -> HttpResponse:
    # Under the app's own name the browser would send along the app's cookies.
    if request.get_host() != urlsplit(settings.ARCHIVE_URL).netloc:
        raise Http404
    if not (is_key_for(request.GET.get("key", ""), capture_id) or is_open_to_readers(capture_id)):
        raise Http404
    capture = Capture.objects.select_related("request").filter(request__public_id=capture_id).first()
    if capture is None or not capture.body_sha256:
        raise Http404
    with blobs.open_blob(capture.body_sha256) as file:
        body = file.read()
    media_type = _SHOWN.get(capture.media_type)
    if media_type in _TEXT:
        response = HttpResponse(_harmless(body, capture.charset), content_type=f"{media_type}; charset=utf-8")
    elif media_type is not None:
        response = HttpResponse(body, content_type=media_type)
    else:
        response = HttpResponse(body, content_type="application/octet-stream")
        response["Content-Disposition"] = f'attachment; filename="{capture_id}"'
    response["Content-Security-Policy"] = _POLICY.format(app=settings.PUBLIC_URL)
    response["X-Content-Type-Options"] = "nosniff"
    response["X-DNS-Prefetch-Control"] = "off"
    response["Referrer-Policy"] = "no-referrer"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Cross-Origin-Opener-Policy"] = "same-origin"
    response["X-Robots-Tag"] = "noindex, noarchive"
    response["Cache-Control"] = "private, no-store"
    return response


def _harmless(body: bytes, charset: str) -> str:
    """The text without elements that open connections of which no policy knows.

    ``<link rel=preconnect>`` tells the site who looks at our copy of it. No link does any good in
    here: what it would load is not fetched either.
    """
    text, _encoding = webencodings.decode(body, charset or "utf-8")
    return _LINK.sub("<x-link", text)


def not_found(_request: HttpRequest, exception: Exception) -> HttpResponse:
    sentence = _("There is no copy here, or the link has run out: open it once more from the page of the copy.")
    return HttpResponse(f"{sentence}\n", content_type="text/plain; charset=utf-8", status=404)


def failed(_request: HttpRequest) -> HttpResponse:
    sentence = _("This copy cannot be shown now.")
    return HttpResponse(f"{sentence}\n", content_type="text/plain; charset=utf-8", status=500)


urlpatterns = [path("replay/<slug:capture_id>/", replay, name="replay")]
