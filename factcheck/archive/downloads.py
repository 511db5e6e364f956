"""A capture's package as an answer, whole or a part of it, for the desk and for readers alike."""

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from factcheck.archive import wacz
from factcheck.archive.models import Capture
from factcheck.archive.ranges import asked_range


def package_answer(request: HttpRequest, capture: Capture) -> HttpResponseBase:
    """Raises BlobMissing and WarcFault. A package that was signed meanwhile is another one, with another ETag."""
    package = wacz.package_of(capture)
    etag = f'"{package.fingerprint}"'
    part = asked_range(request, etag=etag, length=package.length)
    start, end = part or (0, package.length)
    if etag in request.headers.get("If-None-Match", ""):
        response: HttpResponseBase = HttpResponse(status=304)
    elif end <= start:
        response = HttpResponse(status=416, headers={"Content-Range": f"bytes */{package.length}"})
    else:
        response = StreamingHttpResponse(
            wacz.open_part(capture, package, start, end),
            content_type=wacz.MEDIA_TYPE,
            headers={
                "Content-Length": str(end - start),
                "Content-Disposition": f'attachment; filename="{capture.public_id}.wacz"',
            },
        )
        if part is not None:
            response.status_code = 206
            response["Content-Range"] = f"bytes {start}-{end - 1}/{package.length}"
    response["ETag"] = etag
    response["Accept-Ranges"] = "bytes"
    return response
