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
from factcheck.desk.forms.verdicts import SignOffForm, VerdictForm
from factcheck.desk.http import DeskRequest, desk_view
from factcheck.desk.selectors_claim import claim_page
from factcheck.lib.errors import FactcheckError
from factcheck.verdicts.models import Rating, Verdict
from factcheck.verdicts.services import decide_claim
from factcheck.verdicts.services import sign_off as sign_off_verdict


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
    subject = find_claim(claim_id)
    form = SignOffForm(request.POST)
    if form.is_valid():
        verdict = get_object_or_404(
            Verdict.objects.select_related("claim"), claim=subject, pk=form.cleaned_data["verdict"]
        )
        try:
            sign_off_verdict(verdict, version=form.cleaned_data["version"], by=request.user)
        except FactcheckError as refusal:
            subject.refresh_from_db()
            form.add_error(None, str(refusal))
        else:
            return _done(request, subject, _("The verdict is signed off."))
    return _refused(
        request, _context(request, subject, sign_off_refusals=[str(error) for error in form.non_field_errors()])
    )


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
) -> dict[str, Any]:
    """What the claim page's templates need; a refused form in its place, everything else as it is now."""
    page = claim_page(Claim.objects.select_related("article", "withdrawn_by").get(pk=subject.pk), request.user)
    verdict = page.checked.verdict
    return {
        "page": page,
        "claim": page.claim,
        "article": page.claim.article,
        "verdict": verdict,
        "ratings": list(Rating.objects.current()),
        "verdict_form": verdict_form or VerdictForm(claim=page.claim, initial={"version": page.claim.version}),
        "sign_off_form": SignOffForm(
            initial={"version": page.claim.version, "verdict": verdict.pk if verdict else None}
        ),
        "sign_off_refusals": sign_off_refusals or [],
        "is_decider": verdict is not None and verdict.decided_by_id == request.user.pk,
    }
