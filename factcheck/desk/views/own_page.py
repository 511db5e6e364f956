from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from factcheck.accounts.permissions import Act
from factcheck.articles.models import Article
from factcheck.articles.services import put_own_page_back, set_own_page_aside
from factcheck.claims.services import take_own_page
from factcheck.desk.forms.own_page import OwnPageAsideForm, TakeForm
from factcheck.desk.http import DeskRequest, desk_view
from factcheck.desk.selectors_own_page import own_page_view
from factcheck.desk.views.articles import found_again
from factcheck.lib.errors import FactcheckError
from factcheck.publications.own_pages import order_now

_LOST = gettext_lazy("It was lost on the way which ones you meant. Tick them once more.")


@desk_view()
@require_safe
def own_page(request: DeskRequest, slug: str) -> HttpResponse:
    """What was found on our own page; while it is being read the page asks again, and is answered only with news."""
    article = get_object_or_404(Article, slug=slug)
    context = _context(article)
    if request.htmx:
        if request.GET.get("seen") == context["view"].stamp and context["view"].is_waiting:
            return HttpResponse(status=204)
        return render(request, "desk/articles/_own_page.html", context | {"news": True})
    return render(request, "desk/articles/own_page.html", context)


@desk_view(Act.WRITE_ARTICLE)
@require_POST
def own_page_look(request: DeskRequest, slug: str) -> HttpResponse:
    article = get_object_or_404(Article, slug=slug)
    try:
        order_now(article, by=request.user)
    except FactcheckError as refusal:
        return _refused(request, article, str(refusal))
    return redirect("desk:own_page", article.slug)


@desk_view(Act.WRITE_ARTICLE)
@require_POST
def own_page_take(request: DeskRequest, slug: str) -> HttpResponse:
    article = get_object_or_404(Article, slug=slug)
    form = TakeForm(request.POST)
    if not form.is_valid():
        return _refused(request, article, str(_LOST))
    try:
        revision = take_own_page(
            article, form.cleaned_data["keys"], version=form.cleaned_data["version"], by=request.user
        )
    except FactcheckError as refusal:
        return _refused(request, article, str(refusal))
    messages.success(request, found_again(revision))
    return redirect("desk:article", article.slug)


@desk_view(Act.SET_OWN_PAGE_ASIDE)
@require_POST
def own_page_aside(request: DeskRequest, slug: str) -> HttpResponse:
    article = get_object_or_404(Article, slug=slug)
    form = OwnPageAsideForm(request.POST)
    if not form.is_valid():
        return _refused(request, article, str(_LOST))
    try:
        set_own_page_aside(article, form.cleaned_data["keys"], reason=form.cleaned_data["reason"], by=request.user)
    except FactcheckError as refusal:
        return _refused(request, article, str(refusal))
    messages.success(request, _("They stay as they are and are not offered again, with your reason."))
    return redirect("desk:own_page", article.slug)


@desk_view(Act.SET_OWN_PAGE_ASIDE)
@require_POST
def own_page_back(request: DeskRequest, slug: str) -> HttpResponse:
    article = get_object_or_404(Article, slug=slug)
    put_own_page_back(article, request.POST.get("key", ""), by=request.user)
    messages.success(request, _("It is offered again if our page still has it."))
    return redirect("desk:own_page", article.slug)


def _refused(request: DeskRequest, article: Article, refusal: str) -> HttpResponse:
    """The page again, with what was typed or ticked."""
    article.refresh_from_db()
    context = _context(article) | {"refusal": refusal}
    keys = request.POST.getlist("keys")
    if "reason" in request.POST:
        context |= {"refused": keys[0] if keys else "", "reason": request.POST["reason"]}
    else:
        context["ticked"] = keys
    return render(request, "desk/articles/own_page.html", context, status=422)


def _context(article: Article) -> dict[str, Any]:
    return {"article": article, "view": own_page_view(article)}
