"""Memento (RFC 7089): what published sources said at a time, for programs that ask by date.

TimeGate and TimeMap are the app's; the mementos themselves are the archive host's, as the bytes that the site's own
program sent, unpacked and otherwise untouched. What we alter for showing, or show in part, is no memento.
"""

import json
import re
from calendar import timegm
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import path
from django.utils.http import http_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from factcheck.archive import blobs
from factcheck.archive.errors import BlobMissing
from factcheck.archive.models import Capture
from factcheck.outbound.addresses import read_address
from factcheck.outbound.errors import AddressRefused
from factcheck.public.answers import answer, public_page
from factcheck.public.read_only import read_only
from factcheck.publications.selectors import open_mementos

ON_A_PAGE = 1_000
LINK_FORMAT = "application/link-format"
_TIMEGATE, _TIMEMAP = "/timegate/", "/timemap/"
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_HTTP_DATE = re.compile(
    rf"({'|'.join(_DAYS)}), ([0-9]{{2}}) ({'|'.join(_MONTHS)}) ([0-9]{{4}}) ([0-9]{{2}}):([0-9]{{2}}):([0-9]{{2}}) GMT"
)
_ONE_SLASH = re.compile(r"(https?):/+", re.IGNORECASE)
_ENCODED_WHOLE = re.compile(r"https?%3A%2F%2F", re.IGNORECASE)
_PAGE = re.compile(r"([1-9][0-9]{0,5})/(?=https?(?::|%3A))", re.IGNORECASE)


@dataclass(frozen=True)
class Memento:
    capture_id: str
    taken_at: datetime

    @property
    def address(self) -> str:
        return f"{settings.ARCHIVE_URL}/memento/{self.capture_id}"

    @property
    def date(self) -> str:
        return http_date(timegm(self.taken_at.utctimetuple()))


# --- the app ---------------------------------------------------------------------------------


@public_page
def timegate(request: HttpRequest, url: str) -> HttpResponse:
    """On to the copy nearest to the time asked for; to the newest if none is."""
    asked_for = request.headers.get("Accept-Datetime")
    moment = None
    if asked_for is not None:
        moment = http_moment(asked_for)
        if moment is None:
            sentence = _("Accept-Datetime must be a date like “Thu, 31 May 2007 20:35:00 GMT”.")
            return _negotiated(HttpResponse(f"{sentence}\n", content_type="text/plain; charset=utf-8", status=400))
    original = _original(_raw_target(request, _TIMEGATE))
    known = mementos_of(original)
    if not known:
        raise Http404
    # Of two as near, the earlier: it was there at the time.
    chosen = known[-1] if moment is None else min(known, key=lambda item: (abs(item.taken_at - moment), item.taken_at))
    response = HttpResponse(status=302, headers={"Location": chosen.address, "Cache-Control": "no-cache"})
    response["Link"] = ", ".join((*_links_of(original, skip="timegate"), *_neighbours(known, chosen)))
    return _negotiated(response)


@public_page
def timemap(request: HttpRequest, form: str, url: str) -> HttpResponse:
    """All copies of an address, a thousand to a page: as links or as JSON."""
    if form not in ("link", "json"):
        raise Http404
    target = _raw_target(request, f"{_TIMEMAP}{form}/")
    paged = _PAGE.match(target)
    number = int(paged[1]) if paged else 1
    original = _original(target[paged.end() :] if paged else target)
    known = mementos_of(original)
    pages = [known[start : start + ON_A_PAGE] for start in range(0, len(known), ON_A_PAGE)]
    if number > len(pages):
        raise Http404
    if form == "json":
        return answer(request, _as_json(original, known, pages, number), "application/json")
    return answer(request, _as_links(original, known, pages, number), LINK_FORMAT)


def mementos_of(original: str) -> list[Memento]:
    """Of an address that was asked for, or that redirects led to; the oldest first, and only what is open whole."""
    return [Memento(capture_id, taken_at.replace(microsecond=0)) for capture_id, taken_at in open_mementos(original)]


def http_moment(text: str) -> datetime | None:
    """The moment of an HTTP date in its one preferred form (RFC 9110, 5.6.7); None for anything else."""
    found = _HTTP_DATE.fullmatch(text)
    if found is None:
        return None
    day, month, year, hour, minute, second = found[2], found[3], found[4], found[5], found[6], found[7]
    try:
        moment = datetime(
            int(year), _MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second), tzinfo=UTC
        )
    except ValueError:
        return None
    return moment if _DAYS[moment.weekday()] == found[1] else None


def _raw_target(request: HttpRequest, prefix: str) -> str:
    """What follows the prefix, as it was sent: decoded and put together again, an address is another one."""
    raw = str(request.META.get("RAW_URI") or "")
    if not raw.startswith(prefix):
        raw = request.get_full_path()
    return raw.removeprefix(prefix)


def _original(target: str) -> str:
    """The address in the one spelling in which copies are looked up."""
    if _ENCODED_WHOLE.match(target):
        target = unquote(target)
    # Servers in between take two slashes for one.
    target = _ONE_SLASH.sub(lambda found: f"{found[1]}://", target, count=1)
    try:
        # Not whether it may be fetched: which ports are open to captures today says nothing of those of last year.
        return read_address(target).url
    except AddressRefused as refusal:
        raise Http404 from refusal


def _negotiated(response: HttpResponse) -> HttpResponse:
    response["Vary"] = "accept-datetime"
    return response


# --- links -----------------------------------------------------------------------------------


def _link(address: str, rel: str, **more: str) -> str:
    # Addresses are in canonical spelling: ASCII, and without the signs that would end a link.
    return f'<{address}>; rel="{rel}"' + "".join(f'; {name}="{value}"' for name, value in more.items())


def _timegate_of(original: str) -> str:
    return f"{settings.PUBLIC_URL}{_TIMEGATE}{original}"


def _timemap_of(original: str, form: str = "link", number: int = 1) -> str:
    return f"{settings.PUBLIC_URL}{_TIMEMAP}{form}/{f'{number}/' if number > 1 else ''}{original}"


def _links_of(original: str, *, skip: str = "") -> list[str]:
    links = {
        "original": _link(original, "original"),
        "timegate": _link(_timegate_of(original), "timegate"),
        "timemap": _link(_timemap_of(original), "timemap", type=LINK_FORMAT),
    }
    return [link for rel, link in links.items() if rel != skip]


def _neighbours(known: Sequence[Memento], chosen: Memento) -> list[str]:
    """The chosen memento with the first, the last and those beside it, each named once."""
    place = known.index(chosen)
    rels: dict[int, list[str]] = {}
    for at, rel in ((0, "first"), (place - 1, "prev"), (place, ""), (place + 1, "next"), (len(known) - 1, "last")):
        if 0 <= at < len(known):
            rels.setdefault(at, []).extend([rel] if rel else [])
    return [
        _link(known[at].address, " ".join((*names, "memento")), datetime=known[at].date)
        for at, names in sorted(rels.items())
    ]


def _as_links(original: str, known: list[Memento], pages: list[list[Memento]], number: int) -> bytes:
    shown = pages[number - 1]
    span = {"from": shown[0].date, "until": shown[-1].date}
    lines = [
        _link(original, "original"),
        _link(_timegate_of(original), "timegate"),
        _link(_timemap_of(original, number=number), "self", type=LINK_FORMAT, **span),
    ]
    for other, page in enumerate(pages, start=1):
        if other != number:
            span = {"from": page[0].date, "until": page[-1].date}
            lines.append(_link(_timemap_of(original, number=other), "timemap", type=LINK_FORMAT, **span))
    for memento in shown:
        names = [name for name, end in (("first", known[0]), ("last", known[-1])) if memento is end]
        lines.append(_link(memento.address, " ".join((*names, "memento")), datetime=memento.date))
    return (",\n".join(lines) + "\n").encode("ascii")


def _as_json(original: str, known: list[Memento], pages: list[list[Memento]], number: int) -> bytes:
    def entry(memento: Memento) -> dict[str, str]:
        return {"datetime": memento.taken_at.strftime("%Y-%m-%dT%H:%M:%SZ"), "uri": memento.address}

    content = {
        "original_uri": original,
        "self": _timemap_of(original, "json", number),
        "timegate_uri": _timegate_of(original),
        "timemap_uri": {"link_format": _timemap_of(original), "json_format": _timemap_of(original, "json")},
        "mementos": {
            "first": entry(known[0]),
            "last": entry(known[-1]),
            "list": [entry(memento) for memento in pages[number - 1]],
        },
        "pages": [_timemap_of(original, "json", other) for other in range(1, len(pages) + 1)],
    }
    return (json.dumps(content, indent=1) + "\n").encode("ascii")


# --- the archive host ------------------------------------------------------------------------


@require_safe
@read_only
def memento(request: HttpRequest, capture_id: str) -> HttpResponseBase:
    """The bytes as they are, as a file: no browser shows them, so nothing has to be altered in them."""
    if request.get_host() != urlsplit(settings.ARCHIVE_URL).netloc:
        raise Http404
    capture = Capture.objects.select_related("request").filter(request__public_id=capture_id).first()
    if capture is None:
        raise Http404
    original = capture.request.canonical_url
    known = mementos_of(original)
    this = next((item for item in known if item.capture_id == capture_id), None)
    if this is None:
        raise Http404
    try:
        file = blobs.open_blob(capture.body_sha256)
    except BlobMissing as missing:
        raise Http404 from missing
    charset = f"; charset={capture.charset}" if re.fullmatch(r"[A-Za-z0-9_.:-]+", capture.charset) else ""
    response = FileResponse(
        file, as_attachment=True, filename=capture_id, content_type=f"{capture.media_type}{charset}"
    )
    response["Memento-Datetime"] = this.date
    response["Link"] = ", ".join((*_links_of(original), *_neighbours(known, this)))
    response["Content-Security-Policy"] = "sandbox; default-src 'none'; form-action 'none'; base-uri 'none'"
    response["X-Content-Type-Options"] = "nosniff"
    response["Referrer-Policy"] = "no-referrer"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["X-Robots-Tag"] = "noindex, noarchive"
    response["Cache-Control"] = "private, no-store"
    return response


urlpatterns = [path("memento/<slug:capture_id>", memento, name="memento")]
