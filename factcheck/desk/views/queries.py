from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from factcheck.accounts.permissions import Act
from factcheck.claims.models import Query
from factcheck.claims.selectors import last_words
from factcheck.claims.services import answer_query, ask_query, resolve_query
from factcheck.desk.forms.queries import AnswerForm, AskForm
from factcheck.desk.http import DeskRequest, desk_view
from factcheck.desk.views.claims import find_claim
from factcheck.lib.errors import FactcheckError


def find_query(query_id: str) -> Query:
    rows = Query.objects.select_related("claim__article", "asked_by", "asked_of", "answered_by", "resolved_by")
    return get_object_or_404(rows, public_id=query_id)


@desk_view(Act.MARK_CLAIM)
@require_http_methods(["GET", "HEAD", "POST"])
def query_new(request: DeskRequest, claim_id: str) -> HttpResponse:
    claim = find_claim(claim_id)
    context: dict[str, Any] = {"claim": claim, "article": claim.article, "quote": " … ".join(last_words(claim))}
    if request.method != "POST":
        return render(request, "desk/queries/new.html", context | {"form": AskForm(asker=request.user)})
    form = AskForm(request.POST, asker=request.user)
    if form.is_valid():
        try:
            query = ask_query(claim, by=request.user, **form.cleaned_data)
        except FactcheckError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("The query is asked. It stands on the list of whoever it is to."))
            return redirect(reverse("desk:claim", args=[claim.public_id]) + f"#query-{query.public_id}")
    return render(request, "desk/queries/new.html", context | {"form": form}, status=422)


@desk_view(Act.MARK_CLAIM)
@require_http_methods(["GET", "HEAD", "POST"])
def query_answer(request: DeskRequest, query_id: str) -> HttpResponse:
    query = find_query(query_id)
    claim = query.claim
    context: dict[str, Any] = {
        "query": query,
        "claim": claim,
        "article": claim.article,
        "quote": " … ".join(last_words(claim)),
    }
    if request.method != "POST":
        return render(request, "desk/queries/answer.html", context | {"form": AnswerForm()})
    form = AnswerForm(request.POST)
    if form.is_valid():
        try:
            answer_query(query, answer=form.cleaned_data["answer"], by=request.user)
        except FactcheckError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("The query is answered; whoever asked says whether it is resolved."))
            return redirect(reverse("desk:claim", args=[claim.public_id]) + f"#query-{query.public_id}")
    return render(request, "desk/queries/answer.html", context | {"form": form}, status=422)


@desk_view(Act.MARK_CLAIM)
@require_POST
def query_resolve(request: DeskRequest, query_id: str) -> HttpResponse:
    query = find_query(query_id)
    try:
        resolve_query(query, by=request.user)
    except FactcheckError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("The query is resolved."))
    return redirect(reverse("desk:claim", args=[query.claim.public_id]) + f"#query-{query.public_id}")
