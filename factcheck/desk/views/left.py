from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from factcheck.accounts.permissions import Act
from factcheck.articles.models import Article
from factcheck.claims.services import dismiss_finding, set_sentence_aside, take_back_aside
from factcheck.desk.forms.left import AsideForm
from factcheck.desk.http import DeskRequest, desk_view
from factcheck.desk.selectors_left import left_on
from factcheck.lib.errors import FactcheckError


@desk_view()
@require_safe
def left(request: DeskRequest, slug: str) -> HttpResponse:
    article = get_object_or_404(Article, slug=slug)
    return render(request, "desk/articles/left.html", _context(request, article))


@desk_view(Act.MARK_CLAIM)
@require_POST
def set_aside(request: DeskRequest, slug: str) -> HttpResponse:
    article = get_object_or_404(Article, slug=slug)
    form = AsideForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        try:
            if given["act"] == "sentence":
                set_sentence_aside(
                    article,
                    key=given["key"],
                    kind=given["kind"],
                    reason=given["reason"],
                    revision_number=given["revision"],
                    by=request.user,
                )
                messages.success(request, _("The sentence is set aside, with your reason."))
            elif given["act"] == "finding":
                dismiss_finding(
                    article,
                    key=given["key"],
                    reason=given["reason"],
                    revision_number=given["revision"],
                    by=request.user,
                )
                messages.success(request, _("The finding is dismissed, with your reason."))
            else:
                take_back_aside(article, key=given["key"], by=request.user)
                messages.success(request, _("It is back on the list."))
        except FactcheckError as refusal:
            form.add_error(None, str(refusal))
        else:
            return redirect("desk:article_left", article.slug)
    return render(request, "desk/articles/left.html", _context(request, article) | {"form": form}, status=422)


def _context(request: DeskRequest, article: Article) -> dict[str, Any]:
    return {"article": article, "left": left_on(article, request.user), "kinds": AsideForm.base_fields["kind"]}
