from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from factcheck.accounts.permissions import Act, may
from factcheck.articles.models import Article
from factcheck.desk import stale
from factcheck.desk.forms.publishing import OverrideForm, PublishForm
from factcheck.desk.http import DeskRequest, desk_view
from factcheck.desk.selectors_publishing import publish_page
from factcheck.lib.errors import FactcheckError, StaleVersion
from factcheck.pages import addresses
from factcheck.publications.services import override_blocker
from factcheck.publications.services import publish as publish_article


@desk_view()
@require_http_methods(["GET", "HEAD", "POST"])
def publish(request: DeskRequest, slug: str) -> HttpResponse:
    """Everybody sees what is in the way; editors publish."""
    article = get_object_or_404(Article, slug=slug)
    first = not article.publications.exists()
    if request.method != "POST":
        form = PublishForm(first=first, initial={"version": article.version})
        return render(request, "desk/publishing/publish.html", _context(article, form))
    if not may(request.user, Act.PUBLISH):
        raise PermissionDenied(_("Only editors publish articles."))
    form = PublishForm(request.POST, first=first)
    if form.is_valid():
        try:
            publication = publish_article(article, by=request.user, **form.cleaned_data)
        except StaleVersion as refusal:
            article.refresh_from_db()
            form.add_error(None, str(refusal))
            stale.refresh(form, version=article.version)
        except FactcheckError as refusal:
            form.add_error(None, str(refusal))
        else:
            sentence = _("Version %(number)s is published.") % {"number": publication.version}
            link = format_html('<a href="{}">{}</a>', addresses.article(article.slug), _("See what readers see"))
            messages.success(request, format_html("{} {}", sentence, link))
            return redirect("desk:article", article.slug)
    return render(request, "desk/publishing/publish.html", _context(article, form), status=422)


@desk_view(Act.OVERRIDE)
@require_POST
def override(request: DeskRequest, slug: str) -> HttpResponse:
    article = get_object_or_404(Article, slug=slug)
    form = OverrideForm(request.POST)
    if form.is_valid():
        try:
            override_blocker(article, by=request.user, **form.cleaned_data)
        except FactcheckError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("Passed in writing. Your reason goes out with the article."))
            return redirect("desk:publish", article.slug)
    publish_form = PublishForm(first=not article.publications.exists(), initial={"version": article.version})
    return render(request, "desk/publishing/publish.html", _context(article, publish_form, form), status=422)


def _context(article: Article, form: PublishForm, override_form: OverrideForm | None = None) -> dict[str, Any]:
    page = publish_page(article)
    refused = override_form["key"].value() if override_form else ""
    rows = [
        (
            obstacle,
            override_form
            if override_form and obstacle.blocker.key == refused
            else OverrideForm(initial={"key": obstacle.blocker.key}, auto_id=f"override_{place}_%s"),
        )
        for place, obstacle in enumerate(page.obstacles, start=1)
    ]
    known = any(form is override_form for _obstacle, form in rows)
    return {
        "article": article,
        "page": page,
        "form": form,
        "rows": rows,
        # What was refused for a blocker that is not in the list any more.
        "lost_form": override_form if override_form and not known else None,
    }
