"""How public bytes are answered: a strong ETag, 304, compressed where asked for, never a cookie."""

import gzip
import hashlib
from collections.abc import Callable

import brotli
from csp.constants import NONE, SELF
from csp.decorators import csp_replace
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from factcheck.public.read_only import read_only

View = Callable[..., HttpResponseBase]

# Readers' pages run no script and send no form, so nothing of the kind is allowed either.
_POLICY = {
    "default-src": [NONE],
    "style-src": [SELF],
    "img-src": [SELF],
    # Named too, since the app's own policy names them and would stay beside this one.
    "script-src": [NONE],
    "font-src": [NONE],
    "connect-src": [NONE],
    "base-uri": [NONE],
    "form-action": [NONE],
    "frame-ancestors": [NONE],
}
# Smaller answers gain nothing.
_WORTH_PACKING_BYTES = 500


class PublicResponse(HttpResponse):
    """Marks what depends on nobody's cookie and nobody's language: see ``PublicHeaders``."""


class PublicHeaders:
    """Takes back what other middleware says of pages that are the same for everybody.

    LocaleMiddleware says that every answer varies by Accept-Language. These do not, and a cache
    that believed it would keep a copy for each way of writing that header. Stands before it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if isinstance(response, PublicResponse):
            response.headers["Vary"] = "Accept-Encoding"
        return response


def public_page(view: View) -> View:
    """A view for everybody: GET and HEAD, reading only, with the strictest policy."""
    return require_safe(csp_replace(_POLICY)(read_only(view)))


def answer(
    request: HttpRequest, body: bytes, content_type: str = "text/html; charset=utf-8", *, pack: bool = True
) -> HttpResponse:
    """The bytes, or 304 if the reader has them; the ETag is their SHA-256 and says how they are packed."""
    etag = hashlib.sha256(body).hexdigest()
    encoding = _encoding(request) if pack and len(body) >= _WORTH_PACKING_BYTES else ""
    tag = f'"{etag}-{encoding}"' if encoding else f'"{etag}"'
    # A version of each encoding is the same page: the reader's copy is good, however it came.
    known = {f'"{etag}"', f'"{etag}-br"', f'"{etag}-gzip"'} & set(_tags(request))
    response: HttpResponse = PublicResponse(content_type=content_type)
    response["ETag"] = next(iter(sorted(known)), tag)
    # Kept anywhere, but asked about each time: a correction must not wait for a cache.
    response["Cache-Control"] = "public, max-age=0, must-revalidate"
    response["Content-Language"] = settings.LANGUAGE_CODE
    if known or "*" in _tags(request):
        response.status_code = 304
        del response["Content-Type"]
        return response
    response.content = _packed(body, encoding)
    if encoding:
        response["Content-Encoding"] = encoding
    response["Content-Length"] = str(len(response.content))
    return response


def _tags(request: HttpRequest) -> list[str]:
    return [tag.strip().removeprefix("W/") for tag in request.headers.get("If-None-Match", "").split(",")]


def _encoding(request: HttpRequest) -> str:
    """The best packing that the reader takes; a quality of 0 is a refusal."""
    accepted = set()
    for part in request.headers.get("Accept-Encoding", "").lower().split(","):
        name, _semicolon, quality = part.strip().partition(";")
        if quality.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}:
            accepted.add(name.strip())
    return next((encoding for encoding in ("br", "gzip") if encoding in accepted), "")


def _packed(body: bytes, encoding: str) -> bytes:
    if encoding == "br":
        packed: bytes = brotli.compress(body, quality=5)
        return packed
    if encoding == "gzip":
        # Without the time of packing the same page is the same bytes.
        return gzip.compress(body, 6, mtime=0)
    return body
