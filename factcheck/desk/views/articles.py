from dataclasses import asdict
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from factcheck.accounts.permissions import Act
from factcheck.articles.errors import UnreadableText
from factcheck.articles.formats import Format
from factcheck.articles.importing import Draft, read_draft
from factcheck.articles.models import Article, Revision
from factcheck.articles.selectors import has_back_up, latest_revision
from factcheck.articles.services import change_details, import_article
from factcheck.claims.models import Claim, Placing
from factcheck.claims.services import revise_article
from factcheck.desk import stale
from factcheck.desk.forms.articles import (
    PASTED,
    DetailsForm,
    HandInForm,
    HandInPreviewForm,
    ReviseForm,
    RevisePreviewForm,
    carried,
    details_initial,
    lines_sha256,
)
from factcheck.desk.forms.marking import MarkForm
from factcheck.desk.http import DeskRequest, desk_view
from factcheck.desk.preview import preview_context
from factcheck.desk.selectors_articles import article_rows, workspace
from factcheck.desk.selectors_back_up import back_up_of
from factcheck.desk.selectors_history import article_entries, events
from factcheck.desk.selectors_own_page import own_page_line
from factcheck.desk.selectors_revisions import last_checked_revision
from factcheck.desk.upload_limit import file_was_too_large
from factcheck.lib.errors import FactcheckError, StaleVersion

ARTICLES_ON_A_PAGE = 25
EVENTS_ON_A_PAGE = 50
SUGGESTED_CHARS = 2_000


@desk_view()
@require_safe
def articles(request: DeskRequest) -> HttpResponse:
    page = Paginator(Article.objects.all(), ARTICLES_ON_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "desk/articles/list.html", {"page": page, "rows": article_rows(list(page), request.user)})


@desk_view()
@require_safe
def article(request: DeskRequest, slug: str) -> HttpResponse:
    subject = get_object_or_404(Article, slug=slug)
    return render(request, "desk/articles/workspace.html", workspace_context(subject, request))


def workspace_context(article: Article, request: DeskRequest, form: MarkForm | None = None) -> dict[str, Any]:
    """What the workspace's templates need; ``form`` is a refused one, in the place that it came from."""
    work = workspace(article, request.user)
    initial = {"revision": work.revision.number}
    # A sentence of the page "What is left", to be marked.
    suggested = request.GET.get("words", "")[:SUGGESTED_CHARS] if request.method == "GET" else ""
    selected = form is not None and bool(form["spans"].value())
    return {
        "work": work,
        "article": article,
        "bar_form": form if form and selected else MarkForm(initial=initial, auto_id="bar_%s"),
        "words_form": form
        if form and not selected
        else MarkForm(initial=initial | {"words": suggested}, auto_id="words_%s"),
        "suggested": bool(suggested),
        "own_page": own_page_line(article),
        "back_up": back_up_of(article, request.user) if has_back_up(article) else None,
        "last_checked": last_checked_revision(article, request.user) if work.revision.number > 1 else None,
    }


@desk_view(Act.WRITE_ARTICLE)
@require_http_methods(["GET", "HEAD", "POST"])
def article_new(request: DeskRequest) -> HttpResponse:
    """Hand in a text, look at what was read of it, save; the step is in the request, nothing is kept between."""
    step = request.POST.get("step")
    if step == "save":
        return _save_new(request)
    if step == "edit":
        return render(request, "desk/articles/new.html", {"form": _hand_in_again(request)})
    if request.method != "POST":
        return render(request, "desk/articles/new.html", {"form": HandInForm()})
    form = HandInForm(request.POST, request.FILES)
    if form.is_valid():
        raw: bytes = form.cleaned_data["raw"]
        kind: Format = form.cleaned_data["form"]
        try:
            draft = read_draft(raw, kind)
        except FactcheckError as refusal:
            form.add_error(None, str(refusal))
        else:
            typed = form.details()
            found = {
                "title": typed.title or draft.title,
                "byline": typed.byline or draft.byline,
                "date": typed.date or draft.published,
                "language": typed.language or draft.language,
            }
            initial = asdict(typed) | found | carried(raw, kind, by=request.user)
            preview = HandInPreviewForm(initial=initial, by=request.user)
            return render(request, "desk/articles/new_preview.html", preview_context(preview, draft))
    form.explain_lost_file(too_large=file_was_too_large(request))
    return render(request, "desk/articles/new.html", {"form": form}, status=422)


def _save_new(request: DeskRequest) -> HttpResponse:
    form = HandInPreviewForm(request.POST, by=request.user)
    form.is_valid()
    try:
        draft = _draft_carried(form)
    except FactcheckError as refusal:
        lost = HandInForm(request.POST)
        lost.full_clean()
        lost.add_error(None, str(refusal))
        return render(request, "desk/articles/new.html", {"form": lost}, status=422)
    if form.is_valid():
        try:
            revision = import_article(
                form.cleaned_data["raw"],
                form=form.cleaned_data["form"],
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
    return render(request, "desk/articles/new_preview.html", preview_context(form, draft), status=422)


def article_is_in(request: DeskRequest, revision: Revision) -> HttpResponse:
    messages.success(request, _("The article is in. Select words to mark the first claim."))
    return redirect("desk:article", revision.article.slug)


def _hand_in_again(request: DeskRequest) -> HandInForm:
    """The first step with everything that the second had."""
    form = HandInPreviewForm(request.POST, by=request.user)
    form.is_valid()
    fields = ("title", "byline", "date", "language", "url", "discreet")
    typed = {name: form[name].value() for name in fields}
    return HandInForm(initial=typed | _words_again(request, form))


def _draft_carried(form: HandInPreviewForm | RevisePreviewForm) -> Draft:
    """Raises UnreadableText."""
    raw: bytes = form.cleaned_data.get("raw", b"")
    if not raw:
        raise UnreadableText(_("The text was lost on the way. Hand it in once more."))
    return read_draft(raw, form.cleaned_data.get("form", Format.TEXT))


def _words_again(request: DeskRequest, form: HandInPreviewForm | RevisePreviewForm) -> dict[str, str]:
    """The first step's fields for what the second one carried."""
    try:
        draft = _draft_carried(form)
    except FactcheckError as refusal:
        messages.error(request, str(refusal))
        return {}
    words = {"text": "\n".join(draft.lines)}
    raw: bytes = form.cleaned_data["raw"]
    if draft.format is Format.HTML and raw.startswith(PASTED):
        words["markup"] = raw.removeprefix(PASTED).decode()
    elif draft.format is not Format.TEXT:
        messages.info(
            request,
            _(
                "Here is the document’s text without its headings, lists and notes. To keep those, empty the text and "
                "choose the file again."
            ),
        )
    return words


@desk_view(Act.WRITE_ARTICLE)
@require_http_methods(["GET", "HEAD", "POST"])
def article_details(request: DeskRequest, slug: str) -> HttpResponse:
    subject = get_object_or_404(Article, slug=slug)
    context: dict[str, Any] = {"article": subject}
    if request.method != "POST":
        form = DetailsForm(initial=details_initial(subject))
        return render(request, "desk/articles/details.html", context | {"form": form})
    form = DetailsForm(request.POST)
    if form.is_valid():
        try:
            change_details(subject, form.details(), version=form.cleaned_data["version"], by=request.user)
        except StaleVersion as refusal:
            subject.refresh_from_db()
            stored = details_initial(subject)
            context["differences"] = stale.differences(form, stored)
            form.add_error(None, str(refusal))
            stale.refresh(form, version=subject.version)
        except FactcheckError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("The details are saved."))
            return redirect("desk:article", subject.slug)
    return render(request, "desk/articles/details.html", context | {"form": form}, status=422)


@desk_view(Act.WRITE_ARTICLE)
@require_http_methods(["GET", "HEAD", "POST"])
def article_revise(request: DeskRequest, slug: str) -> HttpResponse:
    subject = get_object_or_404(Article, slug=slug)
    latest = latest_revision(subject)
    context: dict[str, Any] = {"article": subject, "latest": latest}
    step = request.POST.get("step")
    if step == "save":
        return _save_revision(request, context)
    if request.method != "POST":
        return render(request, "desk/articles/revise.html", context | {"form": _revise_form(latest)})
    if step == "edit":
        return render(request, "desk/articles/revise.html", context | {"form": _revise_again(request, latest)})
    form = ReviseForm(request.POST, request.FILES)
    if form.is_valid():
        raw: bytes = form.cleaned_data["raw"]
        kind: Format = form.cleaned_data["form"]
        try:
            draft = read_draft(raw, kind)
        except FactcheckError as refusal:
            form.add_error(None, str(refusal))
        else:
            initial = {"version": form.cleaned_data["version"]} | carried(raw, kind, by=request.user)
            preview = RevisePreviewForm(initial=initial, by=request.user)
            return render(request, "desk/articles/revise_preview.html", context | preview_context(preview, draft))
    form.explain_lost_file(too_large=file_was_too_large(request))
    return render(request, "desk/articles/revise.html", context | {"form": form}, status=422)


def _save_revision(request: DeskRequest, context: dict[str, Any]) -> HttpResponse:
    subject: Article = context["article"]
    form = RevisePreviewForm(request.POST, by=request.user)
    form.is_valid()
    try:
        draft = _draft_carried(form)
    except FactcheckError as refusal:
        lost = _revise_form(context["latest"])
        return render(
            request, "desk/articles/revise.html", context | {"form": lost, "refusal": str(refusal)}, status=422
        )
    if form.is_valid():
        try:
            revision = revise_article(
                subject,
                form.cleaned_data["raw"],
                form=form.cleaned_data["form"],
                version=form.cleaned_data["version"],
                remove=form.lines_to_remove(draft),
                by=request.user,
            )
        except StaleVersion as refusal:
            subject.refresh_from_db()
            form.add_error(None, str(refusal))
            stale.refresh(form, version=subject.version)
            context["stored"] = latest_revision(subject)
        except FactcheckError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, found_again(revision))
            return redirect("desk:article", subject.slug)
    return render(request, "desk/articles/revise_preview.html", context | preview_context(form, draft), status=422)


def _revise_form(latest: Revision) -> ReviseForm:
    return ReviseForm(
        initial={"text": latest.text, "version": latest.article.version, "began_as": lines_sha256(latest.text)}
    )


def _revise_again(request: DeskRequest, latest: Revision) -> ReviseForm:
    preview = RevisePreviewForm(request.POST, by=request.user)
    preview.is_valid()
    form = _revise_form(latest)
    # What was read at first stays the version that the save is measured by.
    form.initial["version"] = preview["version"].value()
    form.initial.update(_words_again(request, preview))
    return form


def found_again(revision: Revision) -> str:
    """What became of the claims in a new revision, in sentences."""
    standing = Claim.objects.standing().filter(article=revision.article_id)
    total = standing.count()
    found = standing.filter(anchors__revision=revision).distinct().count()
    sentence = _("Revision %(number)s is saved.") % {"number": revision.number}
    if not total:
        return sentence
    again = ngettext("%(count)s claim was found again.", "%(count)s claims were found again.", found) % {"count": found}
    changed = standing.filter(anchors__revision=revision, anchors__placing=Placing.CHANGED).distinct().count()
    if changed:
        again += " " + ngettext(
            "%(count)s of them has other words now and needs a new check.",
            "%(count)s of them have other words now and need a new check.",
            changed,
        ) % {"count": changed}
    if found == total:
        return f"{sentence} {again}"
    missing = ngettext(
        "%(count)s claim must be placed by a person.", "%(count)s claims must be placed by a person.", total - found
    ) % {"count": total - found}
    return f"{sentence} {again} {missing}"


@desk_view()
@require_safe
def article_history(request: DeskRequest, slug: str) -> HttpResponse:
    subject = get_object_or_404(Article, slug=slug)
    page = Paginator(article_entries(subject), EVENTS_ON_A_PAGE).get_page(request.GET.get("page"))
    context = {"article": subject, "page": page, "events": events(page)}
    return render(request, "desk/articles/history.html", context)
