from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import reswap, retarget

from factcheck.accounts.permissions import Act
from factcheck.articles.models import Article
from factcheck.articles.selectors import latest_revision
from factcheck.claims.models import Claim
from factcheck.claims.selectors import likely_place
from factcheck.claims.services import change_claim, mark_claim, place_claim, withdraw_claim
from factcheck.claims.wording import words_at
from factcheck.desk import stale
from factcheck.desk.forms.marking import ChangeForm, MarkForm, PlaceForm, WithdrawForm
from factcheck.desk.http import DeskRequest, desk_view
from factcheck.desk.selectors_articles import workspace
from factcheck.desk.views.articles import workspace_context
from factcheck.lib.errors import FactcheckError, StaleVersion


@desk_view(Act.MARK_CLAIM)
@require_POST
def claim_mark(request: DeskRequest, slug: str) -> HttpResponse:
    article = get_object_or_404(Article, slug=slug)
    selected = bool(request.POST.get("spans", "").strip())
    form = MarkForm(request.POST, auto_id="bar_%s" if selected else "words_%s")
    if form.is_valid():
        cleaned = form.cleaned_data
        try:
            claim = mark_claim(
                article,
                passages=form.passages(latest_revision(article).text),
                kind=cleaned["kind"],
                speaker=cleaned["speaker"],
                revision_number=cleaned["revision"],
                public_id=cleaned["public_id"],
                by=request.user,
            )
        except FactcheckError as refusal:
            form.add_error(None, str(refusal))
        else:
            return _marked(request, article, claim)
    context = workspace_context(article, request, form)
    if not request.htmx:
        return render(request, "desk/articles/workspace.html", context, status=422)
    part = "desk/marking/_bar.html" if selected else "desk/marking/_words.html"
    target = "#marking-bar" if selected else "#marking-words"
    return reswap(retarget(render(request, part, context, status=422), target), "outerHTML")


def _marked(request: DeskRequest, article: Article, claim: Claim) -> HttpResponse:
    if not request.htmx:
        messages.success(request, _("The claim is marked."))
        return redirect(f"{reverse('desk:article', args=[article.slug])}#claim-{claim.public_id}")
    context = workspace_context(article, request)
    number = next(card.number for card in context["work"].cards if card.claim == claim)
    context["status"] = _("Claim %(number)s is marked.") % {"number": number}
    context["marked"] = claim
    return render(request, "desk/articles/_workspace.html", context)


@desk_view(Act.MARK_CLAIM)
@require_http_methods(["GET", "HEAD", "POST"])
def claim_place(request: DeskRequest, claim_id: str) -> HttpResponse:
    claim = get_object_or_404(Claim.objects.select_related("article"), public_id=claim_id)
    if request.method != "POST":
        form = PlaceForm(initial={"version": claim.version, "revision": latest_revision(claim.article).number})
        return render(request, "desk/marking/place.html", _place_context(request, claim, form))
    form = PlaceForm(request.POST)
    if form.is_valid():
        cleaned = form.cleaned_data
        try:
            place_claim(
                claim,
                passages=form.passages(latest_revision(claim.article).text),
                revision_number=cleaned["revision"],
                version=cleaned["version"],
                by=request.user,
            )
        except StaleVersion as refusal:
            claim.refresh_from_db()
            form.add_error(None, str(refusal))
            # The selection counted on a text that may be another now; written words are looked for again.
            stale.refresh(form, version=claim.version, revision=latest_revision(claim.article).number, spans="")
        except FactcheckError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("The claim is placed."))
            return redirect(f"{reverse('desk:article', args=[claim.article.slug])}#claim-{claim.public_id}")
    return render(request, "desk/marking/place.html", _place_context(request, claim, form), status=422)


def _place_context(request: DeskRequest, claim: Claim, form: PlaceForm) -> dict[str, Any]:
    work = workspace(claim.article, request.user)
    card = next((card for card in [*work.cards, *work.unplaced] if card.claim == claim), None)
    context = {"claim": claim, "article": claim.article, "work": work, "card": card, "form": form}
    if card is not None and not card.checked.placed.is_placed:
        likely = likely_place(claim, work.revision)
        if likely.spans:
            context["likely"] = Likely(
                words=" … ".join(words_at(work.revision.text, likely.spans)),
                spans=",".join(f"{start}-{end}" for start, end in likely.spans),
                changes=likely.changes,
            )
    return context


@dataclass(frozen=True)
class Likely:
    """A place to confirm; ``spans`` as the form sends them."""

    words: str
    spans: str
    changes: tuple[str, ...]


@desk_view(Act.MARK_CLAIM)
@require_http_methods(["GET", "HEAD", "POST"])
def claim_change(request: DeskRequest, claim_id: str) -> HttpResponse:
    claim = get_object_or_404(Claim.objects.select_related("article"), public_id=claim_id)
    context: dict[str, Any] = {"claim": claim, "article": claim.article}
    if request.method != "POST":
        form = ChangeForm(initial={"kind": claim.kind, "speaker": claim.speaker, "version": claim.version})
        return render(request, "desk/marking/change.html", context | _quoted(request, claim) | {"form": form})
    form = ChangeForm(request.POST)
    if stale.saved(form, claim, lambda given: change_claim(claim, by=request.user, **given)):
        messages.success(request, _("The claim is changed."))
        return redirect("desk:claim", claim.public_id)
    if stale.is_stale(form):
        context["differences"] = stale.differences(form, {"kind": claim.kind, "speaker": claim.speaker})
    return render(request, "desk/marking/change.html", context | _quoted(request, claim) | {"form": form}, status=422)


@desk_view(Act.WITHDRAW_CLAIM)
@require_http_methods(["GET", "HEAD", "POST"])
def claim_withdraw(request: DeskRequest, claim_id: str) -> HttpResponse:
    claim = get_object_or_404(Claim.objects.select_related("article"), public_id=claim_id)
    context: dict[str, Any] = {"claim": claim, "article": claim.article}
    if request.method != "POST":
        form = WithdrawForm(initial={"version": claim.version})
        return render(request, "desk/marking/withdraw.html", context | _quoted(request, claim) | {"form": form})
    form = WithdrawForm(request.POST)
    if stale.saved(form, claim, lambda given: withdraw_claim(claim, by=request.user, **given)):
        messages.success(request, _("The claim is withdrawn."))
        return redirect("desk:article", claim.article.slug)
    return render(request, "desk/marking/withdraw.html", context | _quoted(request, claim) | {"form": form}, status=422)


def _quoted(request: DeskRequest, claim: Claim) -> dict[str, Any]:
    """The claim's words, now or where they stood last."""
    work = workspace(claim.article, request.user)
    card = next((card for card in [*work.cards, *work.unplaced] if card.claim == claim), None)
    return {"quote": card.quote if card else "", "card": card}
