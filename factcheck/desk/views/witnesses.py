from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from factcheck.accounts.permissions import Act
from factcheck.archive.models import WitnessAct
from factcheck.desk.http import DeskRequest, desk_view
from factcheck.desk.selectors_captures import capture_page
from factcheck.desk.views.captures import find_or_404
from factcheck.desk.witness_panel import witness_panel
from factcheck.evidence.witnessing import ask_about
from factcheck.lib.errors import FactcheckError


@desk_view(Act.ASK_WITNESS)
@require_POST
def capture_witness(request: DeskRequest, capture_id: str) -> HttpResponse:
    capture = find_or_404(request, capture_id)
    act = request.POST.get("act", "")
    refusal = ""
    if act not in WitnessAct.values:
        refusal = _("Say what the Internet Archive is to be asked: press one of the buttons.")
    else:
        try:
            ask_about(capture, act=act, by=request.user)
        except FactcheckError as error:
            refusal = str(error)
    if refusal:
        page = capture_page(capture, request.user)
        context = {"page": page, "capture": capture, "witnesses": witness_panel(capture), "witness_refusal": refusal}
        return render(request, "desk/captures/capture.html", context, status=422)
    messages.success(request, _("The Internet Archive is asked. Its answer will stand under “Outside witnesses”."))
    return redirect(reverse("desk:capture", args=[capture_id]) + "#witnesses")
