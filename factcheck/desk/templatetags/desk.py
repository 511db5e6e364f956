"""What the desk's templates need beyond their context."""

from dataclasses import dataclass
from typing import Any

from django import template
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from factcheck.accounts.permissions import Act, may
from factcheck.articles.canonical import starts_with_marker
from factcheck.desk.http import DeskRequest
from factcheck.desk.preview import left_out

register = template.Library()
register.filter("has_marker", starts_with_marker)
register.filter("left_out", left_out)


@dataclass(frozen=True)
class NavLink:
    label: str
    address: str
    # "page" on that page, "true" below it, else "".
    here: str


@register.simple_tag(takes_context=True)
def desk_nav(context: dict[str, Any]) -> list[NavLink]:
    request: DeskRequest = context["request"]
    pages = [
        ("desk:articles", _("Articles")),
        ("desk:queue", _("Queue")),
        ("desk:captures", _("Captures")),
        ("desk:ratings", _("Ratings")),
    ]
    if may(request.user, Act.MANAGE_PEOPLE):
        pages.append(("desk:people", _("People")))
    return [NavLink(label, address := reverse(name), _here(request.path, address)) for name, label in pages]


def _here(path: str, address: str) -> str:
    if path == address:
        return "page"
    if address == reverse("desk:articles"):
        # Claims and evidence are reached through their article.
        elsewhere = (reverse("desk:queue"), reverse("desk:captures"), reverse("desk:ratings"), reverse("desk:people"))
        return "" if path.startswith(elsewhere) else "true"
    return "true" if path.startswith(address) else ""


@register.simple_tag(takes_context=True)
def person_may(context: dict[str, Any], act: str) -> bool:
    """Whether the signed-in person may do the act of this name: {% person_may "PUBLISH" as may_publish %}."""
    request: DeskRequest = context["request"]
    return may(request.user, Act[act])


@register.simple_tag
def missed_requisites(reason: str, number: int) -> str:
    """Why so many parts of a page are not in its copy."""
    sentences = {
        "absent": ngettext("%(n)d is not there.", "%(n)d are not there.", number),
        "asked_to_wait": ngettext(
            "%(n)d was not given, as we ask too often.", "%(n)d were not given, as we ask too often.", number
        ),
        "refused": ngettext(
            "%(n)d has an address that we do not open.", "%(n)d have addresses that we do not open.", number
        ),
        "time": ngettext("%(n)d did not come in time.", "%(n)d did not come in time.", number),
        "too_large": ngettext("%(n)d is too large.", "%(n)d are too large.", number),
        "too_many": ngettext(
            "%(n)d was left out, as there are too many.", "%(n)d were left out, as there are too many.", number
        ),
        "too_much": ngettext(
            "%(n)d was left out, as the copy was full.", "%(n)d were left out, as the copy was full.", number
        ),
        "unreachable": ngettext("%(n)d could not be reached.", "%(n)d could not be reached.", number),
    }
    other = ngettext("%(n)d is missing.", "%(n)d are missing.", number)
    return sentences.get(reason, other) % {"n": number}
