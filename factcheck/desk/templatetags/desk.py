"""What the desk's templates need beyond their context."""

from dataclasses import dataclass
from typing import Any

from django import template
from django.urls import reverse
from django.utils.translation import gettext as _

from factcheck.accounts.permissions import Act, may
from factcheck.desk.http import DeskRequest

register = template.Library()


@dataclass(frozen=True)
class NavLink:
    label: str
    address: str
    # "page" on that page, "true" below it, else "".
    here: str


@register.simple_tag(takes_context=True)
def desk_nav(context: dict[str, Any]) -> list[NavLink]:
    request: DeskRequest = context["request"]
    pages = [("desk:articles", _("Articles")), ("desk:captures", _("Captures")), ("desk:ratings", _("Ratings"))]
    if may(request.user, Act.MANAGE_PEOPLE):
        pages.append(("desk:people", _("People")))
    return [NavLink(label, address := reverse(name), _here(request.path, address)) for name, label in pages]


def _here(path: str, address: str) -> str:
    if path == address:
        return "page"
    if address == reverse("desk:articles"):
        # Claims and evidence are reached through their article.
        elsewhere = (reverse("desk:captures"), reverse("desk:ratings"), reverse("desk:people"))
        return "" if path.startswith(elsewhere) else "true"
    return "true" if path.startswith(address) else ""


@register.simple_tag(takes_context=True)
def person_may(context: dict[str, Any], act: str) -> bool:
    """Whether the signed-in person may do the act of this name: {% person_may "PUBLISH" as may_publish %}."""
    request: DeskRequest = context["request"]
    return may(request.user, Act[act])
