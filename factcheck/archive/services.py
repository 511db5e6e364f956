from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from factcheck.accounts.models import User
from factcheck.accounts.permissions import Act, require
from factcheck.archive.canonical_url import canonical_url
from factcheck.archive.errors import CaptureNotPossible
from factcheck.archive.models import CaptureRequest
from factcheck.jobs.models import Job
from factcheck.jobs.services import enqueue
from factcheck.jobs.waking import wake
from factcheck.ledger.actions import Action
from factcheck.ledger.services import record

JOB_KIND = "capture"
# Within this time a second order for the same page is the first one's.
WINDOW = timedelta(minutes=10)
URL_MAX_CHARS = 2000


@transaction.atomic
def request_capture(
    url: str, *, by: User | None, discreet: bool = False, again: bool = False, patient: bool = True
) -> CaptureRequest:
    """Order a copy of a page, or return the order that is under way or was lately fulfilled for it.

    ``again`` orders a new copy in any case. Without ``patient`` a site out of reach is not tried
    again over hours but sealed as what it was. Raises AddressRefused for what can be seen to be
    refusable without asking anybody.
    """
    require(by, Act.ADD_EVIDENCE)
    typed = url.strip()
    address = canonical_url(typed)
    if max(len(typed), len(address)) > URL_MAX_CHARS:
        raise CaptureNotPossible(
            _("The address is longer than %(most)d characters; find a shorter one.") % {"most": URL_MAX_CHARS}
        )
    if not again:
        since = timezone.now() - WINDOW
        existing = CaptureRequest.objects.good_or_running(address, since=since, discreet=discreet).first()
        if existing is not None:
            return existing
    return _order(typed, address, by=by, discreet=discreet, patient=patient)


@transaction.atomic
def retry_capture(request: CaptureRequest, *, by: User | None) -> CaptureRequest:
    """Try again now: a new order beside an ended one, whose copy stays; or the same one, brought forward."""
    require(by, Act.ADD_EVIDENCE)
    request = CaptureRequest.objects.select_for_update().get(pk=request.pk)
    if request.state == CaptureRequest.State.OPEN:
        now = timezone.now()
        if Job.objects.filter(pk=request.job_id, state=Job.State.QUEUED, due_at__gt=now).update(due_at=now):
            transaction.on_commit(wake, robust=True)
        return request
    return _order(request.url, request.canonical_url, by=by, discreet=request.discreet, patient=True, retry_of=request)


def _order(
    url: str,
    address: str,
    *,
    by: User | None,
    discreet: bool,
    patient: bool,
    retry_of: CaptureRequest | None = None,
) -> CaptureRequest:
    request = CaptureRequest(
        url=url, canonical_url=address, requested_by=by, discreet=discreet, patient=patient, retry_of=retry_of
    )
    request.job = enqueue(JOB_KIND, request.subject)
    request.save()
    facts = {
        "url": address,
        "engine": request.engine,
        "discreet": discreet,
        "retry_of": retry_of.public_id if retry_of else None,
    }
    record(Action.CAPTURE_REQUESTED, request.subject, facts, by=by.actor_id if by else None)
    return request
