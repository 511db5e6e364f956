"""What every view of the desk shares: the typed request, and who may come in."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from factcheck.accounts.models import User
from factcheck.accounts.permissions import Act, may


class DeskRequest(HttpRequest):
    """A request of somebody who is signed in."""

    user: User
    htmx: HtmxDetails


View = Callable[..., HttpResponseBase]


def desk_view(act: Act = Act.SEE_DESK) -> Callable[[View], View]:
    """Let in who is signed in and whose role allows the act; a stranger goes to the sign-in page.

    The answer is never kept by a cache, and varies with htmx, which gets parts instead of pages.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def inner(request: DeskRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                if request.htmx:
                    # Followed inside the page, a redirect would put the sign-in page where a part belongs.
                    here = request.htmx.current_url_abs_path or reverse("desk:articles")
                    return HttpResponseClientRedirect(redirect_to_login(here).url)
                return redirect_to_login(request.get_full_path())
            if not may(request.user, act):
                raise PermissionDenied(
                    _("Your role (%(role)s) does not let you %(act)s.")
                    % {"role": request.user.get_role_display(), "act": act.label}
                )
            response = view(request, *args, **kwargs)
            patch_vary_headers(response, ["HX-Request"])
            patch_cache_control(response, private=True, no_store=True)
            return response

        inner.act = act  # type: ignore[attr-defined]
        return inner

    return decorate
