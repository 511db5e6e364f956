from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from factcheck.accounts.models import Role, User
from factcheck.accounts.permissions import PERMISSIONS, Act
from factcheck.accounts.services import change_role
from factcheck.desk.forms.people import RoleForm
from factcheck.desk.http import DeskRequest, desk_view
from factcheck.lib.errors import FactcheckError


@desk_view(Act.MANAGE_PEOPLE)
@require_http_methods(["GET", "HEAD", "POST"])
def people(request: DeskRequest) -> HttpResponse:
    if request.method != "POST":
        return _page(request, None)
    form = RoleForm(request.POST)
    if form.is_valid():
        person = get_object_or_404(User, actor_id=form.cleaned_data["person"])
        try:
            person = change_role(person, form.cleaned_data["role"], by=request.user)
        except FactcheckError as refusal:
            form.add_error(None, str(refusal))
        else:
            sentence = _("%(name)s is now %(role)s.") % {"name": person, "role": person.get_role_display()}
            messages.success(request, sentence)
            # Who has given away the role may not see this page any more.
            return redirect("desk:people" if person != request.user else "desk:articles")
    return _page(request, form)


def _page(request: DeskRequest, refused: RoleForm | None) -> HttpResponse:
    whose = refused["person"].value() if refused else ""
    rows = [
        (
            person,
            refused
            if refused and person.actor_id == whose
            else RoleForm(initial={"person": person.actor_id, "role": person.role}, auto_id=f"{person.actor_id}_%s"),
        )
        for person in User.objects.order_by("-is_active", "name", "pk")
    ]
    context = {
        "rows": rows,
        "form": refused,
        "roles": [(role, [act for act in Act if act in PERMISSIONS[role]]) for role in Role],
    }
    return render(request, "desk/people/people.html", context, status=422 if refused else 200)
