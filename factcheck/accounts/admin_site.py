"""The admin site: for those who give roles, behind the one sign-in page."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from factcheck.accounts.models import User
from factcheck.accounts.permissions import Act, may


class Site(AdminSite):
    site_header = _("Behind the desk")
    site_title = _("Behind the desk")
    site_url = "/desk/"

    def has_permission(self, request: HttpRequest) -> bool:
        return isinstance(request.user, User) and may(request.user, Act.MANAGE_PEOPLE)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.user.is_authenticated and not self.has_permission(request):
            # Signing in once more would not help.
            raise PermissionDenied
        return redirect_to_login(request.GET.get("next") or reverse("admin:index"))
