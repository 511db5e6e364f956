from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from factcheck.accounts.permissions import Act
from factcheck.archive.errors import UploadRefused
from factcheck.archive.models import Engine
from factcheck.archive.selectors import layers_of
from factcheck.archive.services import URL_MAX_CHARS
from factcheck.claims.models import Claim
from factcheck.claims.selectors import last_words
from factcheck.desk import stale
from factcheck.desk.evidence_cards import EvidenceCard, evidence_card
from factcheck.desk.forms.evidence import (
    FORMS,
    ArgumentFields,
    ConfirmForm,
    OwnCopyForm,
    PageForm,
    QuoteForm,
    VisibilityForm,
    WithdrawEvidenceForm,
)
from factcheck.desk.http import DeskRequest, desk_view
from factcheck.desk.upload_limit import file_was_too_large
from factcheck.desk.views.claims import find_claim
from factcheck.evidence.models import Evidence, Source, SourceKind, Visibility
from factcheck.evidence.selectors import standing_of
from factcheck.evidence.services import (
    archive_again,
    attach_interview,
    attach_page,
    attach_work,
    change_quote,
    confirm_passage,
    set_visibility,
    use_own_copy,
    withdraw_evidence,
)
from factcheck.lib.errors import FactcheckError


def find_evidence(request: DeskRequest, evidence_id: str) -> Evidence:
    """Whoever may not know of it gets the same answer as for what was never there."""
    rows = Evidence.objects.visible_to(request.user).select_related("claim__article", "source", "withdrawn_by")
    return get_object_or_404(rows, public_id=evidence_id)


# --- attach ----------------------------------------------------------------------------------


@desk_view(Act.ADD_EVIDENCE)
@require_http_methods(["GET", "HEAD", "POST"])
def evidence_new(request: DeskRequest, claim_id: str, kind: str) -> HttpResponse:
    claim = find_claim(claim_id)
    if kind not in FORMS:
        raise Http404
    if request.method != "POST":
        # An address that the author's back-up names.
        suggested = {"url": request.GET.get("url", "")[:URL_MAX_CHARS]} if kind == SourceKind.PAGE else {}
        form = FORMS[kind](person=request.user, initial=suggested)
        return render(request, "desk/evidence/new.html", _new_context(claim, kind, form))
    form = FORMS[kind](request.POST, request.FILES, person=request.user)
    if form.is_valid():
        try:
            evidence = _ATTACH[kind](claim, argument=form.argument(), by=request.user, **form.source())
        except UploadRefused as refusal:
            form.add_error("file", str(refusal))
        except FactcheckError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("The evidence is attached."))
            return redirect(reverse("desk:claim", args=[claim.public_id]) + f"#evidence-{evidence.public_id}")
    if isinstance(form, PageForm):
        form.explain_lost_file(too_large=file_was_too_large(request))
    return render(request, "desk/evidence/new.html", _new_context(claim, kind, form), status=422)


def _new_context(claim: Claim, kind: str, form: ArgumentFields) -> dict[str, Any]:
    return {
        "claim": claim,
        "article": claim.article,
        "quote": " … ".join(last_words(claim)),
        "kind": kind,
        "kinds": SourceKind.choices,
        "form": form,
    }


_ATTACH: dict[str, Callable[..., Evidence]] = {
    SourceKind.PAGE: attach_page,
    SourceKind.INTERVIEW: attach_interview,
    SourceKind.WORK: attach_work,
}


# --- look ------------------------------------------------------------------------------------


@desk_view()
@require_safe
def evidence(request: DeskRequest, evidence_id: str) -> HttpResponse:
    subject = find_evidence(request, evidence_id)
    return render(request, "desk/evidence/evidence.html", _context(subject))


@desk_view()
@require_safe
def evidence_card_part(request: DeskRequest, evidence_id: str) -> HttpResponse:
    """How far the copy is: asked every second while it is under way, and answered only with news."""
    subject = find_evidence(request, evidence_id)
    if not request.htmx:
        return redirect("desk:evidence", subject.public_id)
    card = evidence_card(standing_of(subject))
    if request.GET.get("seen") == card.fingerprint:
        return HttpResponse(status=204)
    if request.GET.get("part") == "standing":
        return render(request, "desk/evidence/_standing.html", _context(subject, card=card) | {"news": card.stage})
    context = {"card": card, "claim": subject.claim, "news": card.stage}
    return render(request, "desk/evidence/_card.html", context)


def _context(
    subject: Evidence,
    *,
    card: EvidenceCard | None = None,
    quote_form: QuoteForm | None = None,
    confirm_form: ConfirmForm | None = None,
    withdraw_form: WithdrawEvidenceForm | None = None,
    refusal: str = "",
) -> dict[str, Any]:
    card = card or evidence_card(standing_of(subject))
    current = card.evidence
    version = {"version": current.version}
    return {
        "card": card,
        "evidence": current,
        "source": current.source,
        "claim": subject.claim,
        "article": subject.claim.article,
        "quote": " … ".join(last_words(subject.claim)),
        "layers": layers_of(card.capture) if card.capture else [],
        "quote_form": quote_form or QuoteForm(initial=version | {"quote": current.quote}, auto_id="quote_%s"),
        "confirm_form": confirm_form or ConfirmForm(initial=version, auto_id="confirm_%s"),
        "withdraw_form": withdraw_form or WithdrawEvidenceForm(initial=version, auto_id="withdraw_%s"),
        "refusal": refusal,
    }


# --- change ----------------------------------------------------------------------------------


@desk_view(Act.ADD_EVIDENCE)
@require_POST
def evidence_quote(request: DeskRequest, evidence_id: str) -> HttpResponse:
    subject = find_evidence(request, evidence_id)
    form = QuoteForm(request.POST, auto_id="quote_%s")
    if stale.saved(form, subject, lambda given: change_quote(subject, by=request.user, **given)):
        return _done(request, subject, _("The words are corrected and looked for again."))
    context = _context(subject, quote_form=form)
    if stale.is_stale(form):
        context["differences"] = stale.differences(form, {"quote": subject.quote})
    return _refused(request, context)


@desk_view(Act.CONFIRM_PASSAGE)
@require_POST
def evidence_confirm(request: DeskRequest, evidence_id: str) -> HttpResponse:
    subject = find_evidence(request, evidence_id)
    form = ConfirmForm(request.POST, auto_id="confirm_%s")
    if stale.saved(form, subject, lambda given: confirm_passage(subject, by=request.user, **given)):
        return _done(request, subject, _("You vouch for the passage; your reason is kept with it."))
    return _refused(request, _context(subject, confirm_form=form))


@desk_view(Act.ADD_EVIDENCE)
@require_POST
def evidence_withdraw(request: DeskRequest, evidence_id: str) -> HttpResponse:
    subject = find_evidence(request, evidence_id)
    form = WithdrawEvidenceForm(request.POST, auto_id="withdraw_%s")
    if stale.saved(form, subject, lambda given: withdraw_evidence(subject, by=request.user, **given)):
        messages.success(request, _("The evidence is taken back."))
        return redirect("desk:claim", subject.claim.public_id)
    return _refused(request, _context(subject, withdraw_form=form))


@desk_view(Act.ADD_EVIDENCE)
@require_POST
def evidence_archive_again(request: DeskRequest, evidence_id: str) -> HttpResponse:
    subject = find_evidence(request, evidence_id)
    try:
        archive_again(subject, by=request.user)
    except FactcheckError as refusal:
        return _refused(request, _context(subject, refusal=str(refusal)))
    return _done(request, subject, _("A new copy is being made."))


@desk_view(Act.ADD_EVIDENCE)
@require_POST
def evidence_in_browser(request: DeskRequest, evidence_id: str) -> HttpResponse:
    subject = find_evidence(request, evidence_id)
    try:
        archive_again(subject, by=request.user, engine=Engine.BROWSER)
    except FactcheckError as refusal:
        return _refused(request, _context(subject, refusal=str(refusal)))
    return _done(request, subject, _("The page is being opened in a browser."))


@desk_view(Act.CAPTURE_DESPITE_TLS)
@require_POST
def evidence_despite_tls(request: DeskRequest, evidence_id: str) -> HttpResponse:
    subject = find_evidence(request, evidence_id)
    try:
        archive_again(subject, by=request.user, despite_tls=True)
    except FactcheckError as refusal:
        return _refused(request, _context(subject, refusal=str(refusal)))
    return _done(request, subject, _("A copy is being made that will say for ever that its sender is not proven."))


@desk_view(Act.ADD_EVIDENCE)
@require_http_methods(["GET", "HEAD", "POST"])
def evidence_own_copy(request: DeskRequest, evidence_id: str) -> HttpResponse:
    subject = find_evidence(request, evidence_id)
    if subject.source.kind != SourceKind.PAGE:
        raise Http404
    context: dict[str, Any] = {"evidence": subject, "source": subject.source, "claim": subject.claim}
    if request.method != "POST":
        form = OwnCopyForm(initial={"version": subject.version})
        return render(request, "desk/evidence/own_copy.html", context | {"form": form})
    form = OwnCopyForm(request.POST, request.FILES)
    if form.is_valid():
        given = form.cleaned_data
        try:
            use_own_copy(subject, form.received(), how=given["upload_how"], version=given["version"], by=request.user)
        except UploadRefused as refusal:
            form.add_error("file", str(refusal))
        except FactcheckError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("Your copy is on file. It is read now, and the words are looked for in it."))
            return redirect("desk:evidence", subject.public_id)
    form.explain_lost_file(too_large=file_was_too_large(request))
    return render(request, "desk/evidence/own_copy.html", context | {"form": form}, status=422)


def _done(request: DeskRequest, subject: Evidence, sentence: str) -> HttpResponse:
    if request.htmx:
        fresh = find_evidence(request, subject.public_id)
        return render(request, "desk/evidence/_page.html", _context(fresh) | {"status": sentence})
    messages.success(request, sentence)
    return redirect("desk:evidence", subject.public_id)


def _refused(request: DeskRequest, context: dict[str, Any]) -> HttpResponse:
    template = "desk/evidence/_page.html" if request.htmx else "desk/evidence/evidence.html"
    return render(request, template, context, status=422)


# --- sources ---------------------------------------------------------------------------------


@desk_view(Act.SET_VISIBILITY)
@require_http_methods(["GET", "HEAD", "POST"])
def source_visibility(request: DeskRequest, source_id: str) -> HttpResponse:
    known = Evidence.objects.visible_to(request.user).filter(source__public_id=source_id)
    evidence = list(known.select_related("claim__article", "capture_request__requested_by").order_by("pk"))
    if not evidence:
        raise Http404
    source = Source.objects.get(public_id=source_id)
    came_from = request.GET.get("evidence", "")
    back = next((item for item in evidence if item.public_id == came_from), evidence[0])
    context: dict[str, Any] = {
        "source": source,
        "uses": evidence,
        "back": back,
        "asks_not": _asks_not_to_be_shown(evidence),
        "uploaded": [item.capture_request for item in evidence if _is_uploaded(item)],
    }
    if request.method != "POST":
        form = VisibilityForm(source=source, initial={"visibility": source.visibility})
        return render(request, "desk/evidence/visibility.html", context | {"form": form})
    form = VisibilityForm(request.POST, source=source)
    if form.is_valid():
        try:
            set_visibility(source, by=request.user, **form.cleaned_data)
        except FactcheckError as refusal:
            form.add_error(None, str(refusal))
        else:
            label = Visibility(form.cleaned_data["visibility"]).label
            messages.success(request, _("From the next publication on, readers see: %(what)s.") % {"what": label})
            return redirect("desk:evidence", back.public_id)
    return render(request, "desk/evidence/visibility.html", context | {"form": form}, status=422)


def _is_uploaded(evidence: Evidence) -> bool:
    return evidence.capture_request is not None and evidence.capture_request.engine == Engine.UPLOAD


def _asks_not_to_be_shown(evidence: list[Evidence]) -> bool:
    return Evidence.objects.filter(
        pk__in=[item.pk for item in evidence], capture_request__capture__noarchive=True
    ).exists()
