"""An article by its address: the page is archived, and what was read of the copy is looked at before it is saved."""

from dataclasses import asdict
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRefresh

from factcheck.accounts.permissions import Act
from factcheck.archive.models import Capture, CaptureRequest, Engine
from factcheck.archive.outcomes import NextStep
from factcheck.archive.selectors import Progress, capture_progress
from factcheck.archive.services import URL_MAX_CHARS, request_capture, retry_capture
from factcheck.articles.from_pages import read_page
from factcheck.articles.importing import Draft
from factcheck.articles.services import Details, import_page
from factcheck.desk.forms.from_page import AgainForm, FromPageForm, FromPagePreviewForm
from factcheck.desk.http import DeskRequest, desk_view
from factcheck.desk.preview import preview_context
from factcheck.desk.selectors_capture_list import requests_visible_to
from factcheck.desk.views.articles import article_is_in
from factcheck.lib.errors import FactcheckError


@desk_view(Act.WRITE_ARTICLE)
@require_http_methods(["GET", "HEAD", "POST"])
def article_from_page(request: DeskRequest) -> HttpResponse:
    if request.method != "POST":
        form = FromPageForm(initial={"url": request.GET.get("url", "")[:URL_MAX_CHARS]})
        return render(request, "desk/articles/from_page.html", {"form": form})
    form = FromPageForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        try:
            order = request_capture(given["url"], discreet=given["discreet"], patient=False, by=request.user)
        except FactcheckError as refusal:
            form.add_error("url", str(refusal))
        else:
            return redirect("desk:article_from_copy", order.public_id)
    return render(request, "desk/articles/from_page.html", {"form": form}, status=422)


@desk_view(Act.WRITE_ARTICLE)
@require_http_methods(["GET", "HEAD", "POST"])
def article_from_copy(request: DeskRequest, capture_id: str) -> HttpResponse:
    """How far the copy is; once it is there, what was read of it, to be looked at and saved."""
    order = _order(request, capture_id)
    progress = capture_progress(order)
    capture = progress.capture
    if request.htmx and request.method == "GET":
        if capture is not None:
            return HttpResponseClientRefresh()
        if request.GET.get("seen") == _stamp(progress):
            return HttpResponse(status=204)
        return render(request, "desk/articles/_from_page_progress.html", _waiting(order, progress))
    if capture is None or not capture.carries_evidence:
        return render(request, "desk/articles/from_page_waiting.html", _waiting(order, progress))
    try:
        _original, draft = read_page(capture)
    except FactcheckError as refusal:
        context = _waiting(order, progress) | {"refusal": str(refusal)}
        return render(request, "desk/articles/from_page_waiting.html", context)
    if request.method == "POST":
        return _save(request, order, capture, draft)
    found = Details(draft.title, draft.byline, draft.published, draft.language, order.url, order.discreet)
    form = FromPagePreviewForm(initial=asdict(found))
    return render(request, "desk/articles/from_page_preview.html", _preview(order, capture, draft, form))


def _save(request: DeskRequest, order: CaptureRequest, capture: Capture, draft: Draft) -> HttpResponse:
    form = FromPagePreviewForm(request.POST)
    if form.is_valid():
        try:
            revision = import_page(
                capture,
                details=form.details(),
                complete=True,
                remove=form.lines_to_remove(draft),
                public_id=form.cleaned_data["public_id"],
                by=request.user,
            )
        except FactcheckError as refusal:
            form.add_error(None, str(refusal))
        else:
            return article_is_in(request, revision)
    context = _preview(order, capture, draft, form)
    return render(request, "desk/articles/from_page_preview.html", context, status=422)


@desk_view(Act.WRITE_ARTICLE)
@require_POST
def article_from_page_again(request: DeskRequest, capture_id: str) -> HttpResponse:
    order = _order(request, capture_id)
    form = AgainForm(request.POST)
    engine = Engine(form.cleaned_data["engine"]) if form.is_valid() else Engine.HTTP
    try:
        again = retry_capture(order, engine=engine, by=request.user)
    except FactcheckError as refusal:
        context = _waiting(order, capture_progress(order)) | {"refusal": str(refusal)}
        return render(request, "desk/articles/from_page_waiting.html", context, status=422)
    return redirect("desk:article_from_copy", again.public_id)


def _order(request: DeskRequest, capture_id: str) -> CaptureRequest:
    order = requests_visible_to(request.user).filter(public_id=capture_id).select_related("job").first()
    if order is None:
        raise Http404
    return order


def _stamp(progress: Progress) -> str:
    """Another one when the page would look another way."""
    return f"{progress.attempts}.{'-'.join(stage.state[0] for stage in progress.stages)}.{bool(progress.retry_at)}"


def _waiting(order: CaptureRequest, progress: Progress) -> dict[str, Any]:
    steps = progress.next_steps
    return {
        "order": order,
        "progress": progress,
        "stamp": _stamp(progress),
        "may_retry": NextStep.RETRY in steps or NextStep.CAPTURE_IN_BROWSER in steps,
        "in_browser": NextStep.CAPTURE_IN_BROWSER in steps,
    }


def _preview(order: CaptureRequest, capture: Capture, draft: Draft, form: FromPagePreviewForm) -> dict[str, Any]:
    return {"order": order, "capture": capture} | preview_context(form, draft)
