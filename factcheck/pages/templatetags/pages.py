"""How public pages write dates, sizes, directions and addresses."""

from datetime import UTC, date, datetime

from django import template
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from factcheck.articles.canonical import starts_with_marker
from factcheck.pages import addresses

register = template.Library()

# The primary subtags of languages that are written from right to left.
RIGHT_TO_LEFT = frozenset({"ar", "arc", "ckb", "dv", "fa", "he", "ks", "ku", "nqo", "ps", "sd", "ug", "ur", "yi"})

register.filter("article_address", addresses.article)
register.filter("claim_address", addresses.claim)
register.filter("capture_address", addresses.capture)
register.filter("capture_text_address", addresses.capture_text)
register.filter("capture_warc_address", addresses.capture_warc)
register.filter("capture_wacz_address", addresses.capture_wacz)
register.filter("version_address", addresses.article_version)
register.filter("has_marker", starts_with_marker)


@register.filter
def moment(value: datetime) -> SafeString:
    """Date and time in the newsroom's zone, with the offset, and UTC for machines."""
    here = timezone.localtime(value)
    offset = here.strftime("%z")
    zone = "UTC" if offset in {"+0000", ""} else f"UTC{offset[:3]}:{offset[3:]}"
    return format_html(
        '<time datetime="{}">{}, {} {}</time>',
        value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        date_format(here, "j F Y"),
        date_format(here, "H:i"),
        zone,
    )


@register.filter
def day(value: datetime | str) -> SafeString | str:
    """A date as people write it; text that is no date stays as it was typed."""
    if isinstance(value, datetime):
        value = timezone.localtime(value).date().isoformat()
    try:
        parsed = date.fromisoformat(value)
    except ValueError:
        return value
    return format_html('<time datetime="{}">{}</time>', parsed.isoformat(), date_format(parsed, "j F Y"))


@register.filter
def direction(language: str) -> str:
    return "rtl" if language.replace("_", "-").split("-")[0].lower() in RIGHT_TO_LEFT else "ltr"


@register.filter
def size(count: int) -> str:
    return filesizeformat(count)


@register.filter
def names(people: tuple[str, ...]) -> str:
    """One, two, or more names as a sentence has them."""
    if len(people) < 2:
        return "".join(people)
    return _("%(some)s and %(last)s") % {"some": ", ".join(people[:-1]), "last": people[-1]}
