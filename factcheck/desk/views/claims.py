from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from factcheck.accounts.permissions import Act
from factcheck.claims.models import Claim
from factcheck.desk import stale
from factcheck.desk.forms.verdicts import SendBackForm, SignOffForm, VerdictForm
from factcheck.desk.http import DeskRequest, desk_view
from factcheck.desk.selectors_claim import claim_page
from factcheck.lib.errors import FactcheckError
from factcheck.verdicts.models import Rating, Verdict
from factcheck.verdicts.services import begin_review, decide_claim, leave_review, send_back
from factcheck.verdicts.services import sign_off as sign_off_verdict
from factcheck.verdicts.workflow import steps_for


def find_claim(claim_id: str) -> Claim:
    return get_object_or_404(Claim.objects.select_related("article", "withdrawn_by"), public_id=claim_id)


@desk_view()
@require_safe
def claim(request: DeskRequest, claim_id: str) -> HttpResponse:
    subject = find_claim(claim_id)
    return render(request, "desk/claims/claim.html", _context(request, subject))


@desk_view(Act.DECIDE)
@require_POST
def decide(request: DeskRequest, claim_id: str) -> HttpResponse:
    subject = find_claim(claim_id)
    form = VerdictForm(request.POST, claim=subject)
    if stale.saved(form, subject, lambda given: decide_claim(subject, by=request.user, **given)):
        return _done(request, subject, _("The verdict is filed."))
    return _refused(request, _context(request, subject, verdict_form=form))


@desk_view(Act.SIGN_OFF)
@require_POST
def sign_off(request: DeskRequest, claim_id: str) -> HttpResponse:
    return _reviewed(request, claim_id, SignOffForm(request.POST), sign_off_verdict, _("The verdict is signed off."))


@desk_view(Act.SIGN_OFF)
@require_POST
def review_begin(request: DeskRequest, claim_id: str) -> HttpResponse:
    said = _("You are reviewing this verdict. Until you have finished, nobody changes the claim.")
    return _reviewed(request, claim_id, SignOffForm(request.POST), begin_review, said)


@desk_view(Act.SIGN_OFF)
@require_POST
def review_leave(request: DeskRequest, claim_id: str) -> HttpResponse:
    return _reviewed(request, claim_id, SignOffForm(request.POST), leave_review, _("The review has ended."))


@desk_view(Act.SIGN_OFF)
@require_POST
def verdict_send_back(request: DeskRequest, claim_id: str) -> HttpResponse:
    return _reviewed(request, claim_id, SendBackForm(request.POST), send_back, _("The verdict was sent back."))


def _reviewed(
    request: DeskRequest, claim_id: str, form: SignOffForm, act: Callable[..., object], sentence: str
) -> HttpResponse:
    """Take one step of the review, or say why it was refused; a comment that was typed stays."""
    subject = find_claim(claim_id)
    if form.is_valid():
        given = form.cleaned_data
        verdict = get_object_or_404(
            Verdict.objects.select_related("claim__article"), claim=subject, pk=given.pop("verdict")
        )
        try:
            act(verdict, by=request.user, **given)
        except FactcheckError as refusal:
            subject.refresh_from_db()
            form.add_error(None, str(refusal))
        else:
            return _done(request, subject, sentence)
    context = _context(
        request,
        subject,
        send_back_form=form if isinstance(form, SendBackForm) else None,
        sign_off_refusals=[str(error) for error in form.non_field_errors()],
    )
    return _refused(request, context)


def _done(request: DeskRequest, subject: Claim, sentence: str) -> HttpResponse:
    if request.htmx:
        return render(request, "desk/claims/_page.html", _context(request, subject) | {"status": sentence})
    messages.success(request, sentence)
    return redirect(reverse("desk:claim", args=[subject.public_id]) + "#verdict")


def _refused(request: DeskRequest, context: dict[str, Any]) -> HttpResponse:
    template = "desk/claims/_page.html" if request.htmx else "desk/claims/claim.html"
    return render(request, template, context, status=422)


def _context(
    request: DeskRequest,
    subject: Claim,
    *,
    verdict_form: VerdictForm | None = None,
    sign_off_refusals: list[str] | None = None,
    send_back_form: SendBackForm | None = None,
) -> dict[str, Any]:
    """What the claim page's templates need; a refused form in its place, everything else as it is now."""
    rows = Claim.objects.select_related("article", "withdrawn_by", "reviewer", "assigned_to")
    page = claim_page(rows.get(pk=subject.pk), request.user)
    verdict = page.checked.verdict
    read = {"version": page.claim.version, "verdict": verdict.pk if verdict else None}
    if send_back_form is not None:
        # What was typed stays, and the next try is about what is shown now.
        stale.refresh(send_back_form, **read)
    return {
        "page": page,
        "claim": page.claim,
        "article": page.claim.article,
        "verdict": verdict,
        "ratings": list(Rating.objects.current()),
        "verdict_form": verdict_form or VerdictForm(claim=page.claim, initial={"version": page.claim.version}),
        # Drawn in several forms: its hidden fields have no ids.
        "sign_off_form": SignOffForm(initial=read, auto_id=False),
        "send_back_form": send_back_form or SendBackForm(initial=read, auto_id="send_back_%s"),
        "steps": steps_for(page.checked, request.user),
        "sign_off_refusals": sign_off_refusals or [],
        "is_decider": verdict is not None and verdict.decided_by_id == request.user.pk,
    }
