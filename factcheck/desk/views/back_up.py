from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from factcheck.accounts.permissions import Act
from factcheck.articles.models import Article, BackUpNote, BackUpOutcome
from factcheck.articles.services import decide_back_up
from factcheck.desk.forms.back_up import BackUpForm
from factcheck.desk.http import DeskRequest, desk_view
from factcheck.desk.selectors_back_up import back_up_of
from factcheck.lib.errors import FactcheckError


@desk_view()
@require_safe
def back_up(request: DeskRequest, slug: str) -> HttpResponse:
    article = get_object_or_404(Article, slug=slug)
    context = {"article": article, "view": back_up_of(article, request.user)}
    return render(request, "desk/articles/back_up.html", context)


@desk_view(Act.ADD_EVIDENCE)
@require_POST
def back_up_decide(request: DeskRequest, slug: str) -> HttpResponse:
    article = get_object_or_404(Article, slug=slug)
    form = BackUpForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        note = BackUpNote.objects.filter(pk=given["note"], revision__article=article).first()
        if note is None:
            raise Http404
        try:
            decide_back_up(note, given["outcome"], reason=given["reason"], by=request.user)
        except FactcheckError as refusal:
            form.add_error("reason", str(refusal))
        else:
            messages.success(request, _SAID[given["outcome"]]())
            return redirect("desk:back_up", article.slug)
    context = {"article": article, "view": back_up_of(article, request.user), "form": form}
    return render(request, "desk/articles/back_up.html", context, status=422)


_SAID = {
    BackUpOutcome.OPEN: lambda: _("The note is open again."),
    BackUpOutcome.USED: lambda: _("The note is done."),
    BackUpOutcome.SET_ASIDE: lambda: _("The note is set aside, with your reason."),
}
