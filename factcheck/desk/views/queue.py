from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from factcheck.accounts.models import User
from factcheck.claims.models import Claim
from factcheck.claims.services import assign_claims
from factcheck.desk.http import DeskRequest, desk_view
from factcheck.desk.selectors_queue import ROWS_ON_A_PAGE, Queue, queue_page
from factcheck.lib.errors import FactcheckError


@desk_view()
@require_http_methods(["GET", "HEAD", "POST"])
def queue(request: DeskRequest) -> HttpResponse:
    """What waits for this person; a post gives the chosen claims to somebody, or to nobody."""
    asked = request.GET.get("list", "")
    chosen = next((one for one in Queue if one == asked), Queue.MINE)
    if request.method == "POST":
        _assign_chosen(request)
        return redirect(f"{reverse('desk:queue')}?list={chosen}")
    after = request.GET.get("after", "")
    page = queue_page(request.user, chosen, after=int(after[:15]) if after.isascii() and after.isdigit() else 0)
    return render(request, "desk/queue/queue.html", {"page": page})


def _assign_chosen(request: DeskRequest) -> None:
    ids = [public_id[:8].replace("\0", "") for public_id in request.POST.getlist("chosen")[:ROWS_ON_A_PAGE]]
    claims = list(Claim.objects.standing().filter(public_id__in=ids))
    name = request.POST.get("to", "")[:150].replace("\0", "")
    to = User.objects.filter(username=name).first() if name else None
    if not claims or (name and to is None):
        messages.error(request, _("Choose claims first, and then whose they are to be."))
        return
    try:
        changed = assign_claims(claims, to=to, by=request.user)
    except FactcheckError as refusal:
        messages.error(request, str(refusal))
        return
    if to is None:
        said = ngettext("%(number)d claim is nobody’s now.", "%(number)d claims are nobody’s now.", changed)
    else:
        said = ngettext("%(name)s has %(number)d claim more.", "%(name)s has %(number)d claims more.", changed)
    messages.success(request, said % {"number": changed, "name": to})
