from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from factcheck.accounts.models import User
from factcheck.accounts.permissions import Act
from factcheck.archive.models import CaptureRequest
from factcheck.archive.outcomes import Outcome
from factcheck.archive.services import cancel_capture, retry_capture
from factcheck.desk.http import DeskRequest, desk_view
from factcheck.desk.selectors_capture_list import (
    ROWS_ON_A_PAGE,
    Filters,
    capture_list,
    may_cancel,
    requests_visible_to,
    uses_of,
)
from factcheck.evidence.services import archive_again
from factcheck.lib.errors import FactcheckError

FILTER_MAX_CHARS = 255


@desk_view()
@require_http_methods(["GET", "HEAD", "POST"])
def captures(request: DeskRequest) -> HttpResponse:
    """Every capture that the person may know of; a post is about the chosen ones."""
    filters = _filters(request)
    if request.method == "POST":
        _act_on_chosen(request)
        return redirect(f"{reverse('desk:captures')}?{filters.query()}")
    page = capture_list(request.user, filters, before=_storable(request.GET.get("before", "")))
    context = {"page": page, "filters": filters, "outcomes": Outcome.choices, "here": filters.query()}
    return render(request, "desk/captures/list.html", context)


@desk_view(Act.ADD_EVIDENCE)
@require_http_methods(["GET", "HEAD", "POST"])
def capture_cancel(request: DeskRequest, capture_id: str) -> HttpResponse:
    """Asks first: the card that leads here changes every second, and a slip would cost the copy."""
    order = requests_visible_to(request.user).filter(public_id=capture_id).select_related("requested_by").first()
    if order is None:
        raise Http404
    uses = uses_of([order], request.user).get(order.pk, [])
    context = {"order": order, "uses": uses, "may_cancel": may_cancel(order, request.user)}
    if request.method != "POST":
        return render(request, "desk/captures/cancel.html", context)
    try:
        cancel_capture(order, by=request.user)
    except FactcheckError as refusal:
        return render(request, "desk/captures/cancel.html", context | {"refusal": str(refusal)}, status=422)
    messages.success(request, _("The capture is cancelled."))
    return redirect("desk:evidence", uses[0].public_id) if uses else redirect("desk:captures")


def _filters(request: DeskRequest) -> Filters:
    asked = {name: request.GET.get(name, "").strip()[:FILTER_MAX_CHARS] for name in Filters.__dataclass_fields__}
    return Filters(**{name: _storable(value) for name, value in asked.items()})


def _storable(text: str) -> str:
    """PostgreSQL takes no NUL in a text."""
    return text.replace("\0", "")


def _act_on_chosen(request: DeskRequest) -> None:
    acts: dict[str, Callable[[CaptureRequest, User], None]] = {"retry": _retry, "cancel": _cancel}
    act = acts.get(request.POST.get("act", ""))
    chosen = [_storable(public_id[:8]) for public_id in request.POST.getlist("chosen")[:ROWS_ON_A_PAGE]]
    if act is None or not chosen:
        messages.error(request, _("Choose captures first, and then what is to be done with them."))
        return
    done, refusals = 0, []
    for order in requests_visible_to(request.user).filter(public_id__in=chosen):
        try:
            act(order, request.user)
            done += 1
        except FactcheckError as refusal:
            refusals.append(f"{order.canonical_url[:80]}: {refusal}")
    if done:
        said = {
            "retry": ngettext("%(number)d capture is tried again.", "%(number)d captures are tried again.", done),
            "cancel": ngettext("%(number)d capture is cancelled.", "%(number)d captures are cancelled.", done),
        }[request.POST["act"]]
        messages.success(request, said % {"number": done})
    for sentence in refusals:
        messages.warning(request, sentence)


def _cancel(order: CaptureRequest, person: User) -> None:
    cancel_capture(order, by=person)


def _retry(order: CaptureRequest, person: User) -> None:
    """For each piece of evidence that waits for it; nobody waits for the others."""
    uses = [] if order.state == CaptureRequest.State.OPEN else uses_of([order], person).get(order.pk, [])
    for evidence in uses:
        archive_again(evidence, by=person, bulk=True)
    if not uses:
        retry_capture(order, by=person, bulk=True)
