from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from factcheck.articles.models import Article, Revision
from factcheck.desk.http import DeskRequest, desk_view
from factcheck.desk.selectors_revisions import revision_pair


@desk_view()
@require_safe
def compare(request: DeskRequest, slug: str) -> HttpResponse:
    """Two revisions beside each other, or with ``view=inline`` in one column."""
    article = get_object_or_404(Article, slug=slug)
    first, second = (_number(request.GET.get(name, "")) for name in ("from", "to"))
    try:
        pair = revision_pair(article, first, second, request.user)
    except Revision.DoesNotExist:
        raise Http404(_("This article has no revision of that number.")) from None
    inline = request.GET.get("view") == "inline"
    return render(request, "desk/articles/compare.html", {"article": article, "pair": pair, "inline": inline})


def _number(typed: str) -> int | None:
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 9 else None
