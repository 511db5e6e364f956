from csp.decorators import csp_update
from django.conf import settings
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from factcheck.archive import blobs
from factcheck.archive.downloads import package_answer
from factcheck.archive.errors import BlobMissing, WarcFault
from factcheck.archive.models import Capture, Rendering
from factcheck.archive.package_checks import findings_about
from factcheck.archive.replay_links import page_image_url, replay_url
from factcheck.desk.http import DeskRequest, desk_view
from factcheck.desk.media_panel import media_panel
from factcheck.desk.selectors_captures import capture_page, find_capture
from factcheck.desk.witness_panel import witness_panel


def find_or_404(request: DeskRequest, capture_id: str) -> Capture:
    found = find_capture(capture_id, request.user)
    if found is None:
        raise Http404
    return found


# Pages of a PDF are drawn on the archive host.
@csp_update({"img-src": [settings.ARCHIVE_URL]})
@desk_view()
@require_safe
def capture(request: DeskRequest, capture_id: str) -> HttpResponse:
    page = capture_page(find_or_404(request, capture_id), request.user, kind=request.GET.get("layer", ""))
    context = {
        "page": page,
        "capture": page.capture,
        "witnesses": witness_panel(page.capture),
        "media": media_panel(page.capture, request.user),
        "package": findings_about(page.capture),
    }
    return render(request, "desk/captures/capture.html", context)


@desk_view()
@require_safe
def capture_warc(request: DeskRequest, capture_id: str) -> HttpResponseBase:
    """The archived bytes as a file: never shown by the browser on this host, whatever they are."""
    found = find_or_404(request, capture_id)
    if not found.warc_sha256:
        raise Http404
    try:
        body = blobs.open_blob(found.warc_sha256)
    except BlobMissing as error:
        raise Http404(str(error)) from error
    headers = {"X-Content-Type-Options": "nosniff"}
    return FileResponse(
        body,
        as_attachment=True,
        filename=f"{found.public_id}.warc.gz",
        content_type="application/gzip",
        headers=headers,
    )


@desk_view()
@require_safe
def capture_wacz(request: DeskRequest, capture_id: str) -> HttpResponseBase:
    """The same as a package that replay tools open, made now; always the same, but for the signature it gets once."""
    found = find_or_404(request, capture_id)
    if not found.warc_sha256:
        raise Http404
    try:
        response = package_answer(request, found)
    except (BlobMissing, WarcFault) as error:
        raise Http404(str(error)) from error
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, max-age=0, must-revalidate"
    return response


@desk_view()
@require_safe
def capture_shown(request: DeskRequest, capture_id: str, kind: str) -> HttpResponseBase:
    """A picture or print that our browser made of the page. Its markup is shown on the archive host alone."""
    found = find_or_404(request, capture_id)
    rendering = found.renderings.filter(kind=kind).exclude(kind=Rendering.Kind.DOM).first()
    if rendering is None:
        raise Http404
    try:
        body = blobs.open_blob(rendering.sha256)
    except BlobMissing as error:
        raise Http404(str(error)) from error
    picture = rendering.media_type == "image/png"
    headers = {
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    return FileResponse(
        body,
        as_attachment=not picture,
        filename=f"{found.public_id}-{kind}.{'png' if picture else 'pdf'}",
        content_type="image/png" if picture else "application/pdf",
        headers=headers,
    )


@desk_view()
@require_safe
def capture_replay(request: DeskRequest, capture_id: str) -> HttpResponse:
    """Away to the archive host, with a key made now: a link in an open page would have run out."""
    found = find_or_404(request, capture_id)
    if not found.body_sha256:
        raise Http404
    page = request.GET.get("page", "")
    return redirect(replay_url(found) + (f"?page={page}" if page.isascii() and page.isdigit() else ""))


@desk_view()
@require_safe
def capture_page_image(request: DeskRequest, capture_id: str, number: int) -> HttpResponse:
    """A page of a PDF as a picture, on the archive host, in the same way."""
    return redirect(page_image_url(find_or_404(request, capture_id), number))
