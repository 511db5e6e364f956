"""A page opened in a browser: what the browser asked for and got, and what it then showed.

Everything that came over the net is in the WARC as the bytes that came, taken by the recording proxy. What the browser
made of it (pictures, the page as its scripts left it, its text, a print) is kept beside that and marked as rebuilt:
nobody but our browser has ever sent it.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from factcheck.archive import blobs
from factcheck.archive.blobs import Blob
from factcheck.archive.browser.bounds import MAX_HOPS
from factcheck.archive.browser.driving import File, Order, Rendered, rendering
from factcheck.archive.classify import Verdict
from factcheck.archive.errors import NotNow
from factcheck.archive.extracting import Extracted, Layer, extract
from factcheck.archive.models import CaptureRequest, Rendering, TextLayer
from factcheck.archive.outcomes import Outcome
from factcheck.archive.requisites import Requisites
from factcheck.archive.services import StoredRendering
from factcheck.archive.warc import ExtraRecord
from factcheck.jobs.leases import Lease
from factcheck.outbound.addresses import check_address
from factcheck.outbound.errors import AddressRefused, OutboundError, Unreachable
from factcheck.outbound.exchanges import Exchange, Fetched, Redirect
from factcheck.outbound.proxying import ProxyLimits, RecordingProxy

EXTRACTOR, EXTRACTOR_VERSION = "browser", "1"
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_PNG, _PDF, _HTML = "image/png", "application/pdf", "text/html; charset=utf-8"
# Of each: the name in the WARC ("view" and "fullPage" as other archivers call them), and its type.
_KINDS = {
    Rendering.Kind.VIEW: ("urn:view:", _PNG),
    Rendering.Kind.PAGE: ("urn:fullPage:", _PNG),
    Rendering.Kind.ALTERED: ("urn:altered:", _PNG),
    Rendering.Kind.DOM: ("urn:dom:", _HTML),
    Rendering.Kind.PRINT: ("urn:print:", _PDF),
}


class _Slots:
    """A browser with a page takes hundreds of megabytes, so that this process opens only a few at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken = 0

    @contextlib.contextmanager
    def one(self) -> Iterator[None]:
        with self._lock:
            if self._taken >= settings.CAPTURE_BROWSERS:
                raise NotNow(_("All browsers are in use; it is this page's turn soon."))
            self._taken += 1
        try:
            yield
        finally:
            with self._lock:
                self._taken -= 1


_slots = _Slots()


@dataclass
class Opened:
    """A page that was opened. ``fetched`` is its own way, ``requisites`` all else that the browser asked for."""

    fetched: Fetched
    requisites: Requisites
    # "limit" or "crash": the browser did not come to the end; "unsupported": it shows no such file.
    problem: str = ""
    # It came to the end of a page whose scripts had to be stopped.
    stopped: bool = False
    detail: str = ""
    title: str = ""
    text: str = ""
    # As the child read the DOM, for the verdict: a page is judged by what it shows.
    drawn: Extracted | None = None
    renderings: tuple[StoredRendering, ...] = ()
    hidden: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)

    def added_to(self, extracted: Extracted) -> Extracted:
        """The layers of the document as it was sent, and what the browser showed as a further one."""
        if self.problem and not self.text:
            layer = Layer(TextLayer.Kind.RENDER, EXTRACTOR, EXTRACTOR_VERSION, self.problem, detail=self.detail[:200])
        else:
            result = TextLayer.Result.OK if self.text else TextLayer.Result.EMPTY
            layer = Layer(TextLayer.Kind.RENDER, EXTRACTOR, EXTRACTOR_VERSION, result, text=self.text)
        facts, noarchive = extracted.facts, extracted.noarchive
        if self.drawn is not None and self.drawn.facts:
            # Once a script has shown something, that there is one says nothing any more.
            facts = self.drawn.facts | ({"scripts": 0} if self.text and not self.stopped else {})
            noarchive = noarchive or self.drawn.noarchive
        return replace(
            extracted,
            layers=(*extracted.layers, layer),
            title=self.title or extracted.title,
            facts=facts,
            noarchive=noarchive,
        )

    def judged(self, verdict: Verdict) -> Verdict:
        """What the page turned out to be, in the light of how far the browser came with it."""
        to_its_end = self.problem not in ("limit", "crash") and not self.stopped
        if verdict.outcome is Outcome.NEEDS_BROWSER:
            # What there is to see may be in the pictures.
            seen = to_its_end and not self.problem
            return Verdict(Outcome.CAPTURED_PARTIAL, "no_words") if seen else Verdict(Outcome.FAILED, "browser")
        if to_its_end:
            return verdict
        return Verdict(Outcome.CAPTURED_PARTIAL, "browser") if verdict.outcome is Outcome.CAPTURED else verdict

    def records(self, url: str) -> Iterator[ExtraRecord]:
        """What the browser made, as resource records. Its text is one of the text layers and not among them."""
        for one in self.renderings:
            name, media_type = _KINDS[Rendering.Kind(one.kind)]
            yield ExtraRecord(name + url, media_type, blobs.read(one.blob.sha256), refers_to_uri=url)

    def about(self, url: str) -> dict[str, Any]:
        """For the metadata record: what is not the site's own bytes, and what was done to the page."""
        rebuilt = [_KINDS[Rendering.Kind(one.kind)][0] + url for one in self.renderings]
        return {
            "browser": {
                **self.facts,
                "rebuilt": [*rebuilt, *([f"urn:text-render:{url}"] if self.text else [])],
                "hidden_in_altered": list(self.hidden),
                "notes": list(self.notes),
                "problem": self.problem or None,
            }
        }


@contextlib.contextmanager
def opened(lease: Lease, request: CaptureRequest, *, user_agent: str, seconds: float) -> Iterator[Opened]:
    """Open the page of a request, within ``seconds``. Raises NotNow.

    Its exchanges, like those of ``fetch_document``, are there until the end of the block.
    """
    limits = ProxyLimits(
        # The document itself is one of them.
        count=settings.CAPTURE_MAX_REQUISITES + 1,
        wire_bytes=settings.CAPTURE_MAX_TOTAL_BYTES,
        each_bytes=settings.CAPTURE_MAX_BYTES,
        seconds=seconds,
        part_bytes=settings.CAPTURE_MAX_REQUISITE_BYTES,
    )
    with _slots.one(), RecordingProxy(limits) as proxy:
        order = Order(
            url=request.canonical_url,
            proxy_port=proxy.port,
            proxy_user=proxy.user,
            proxy_password=proxy.password,
            key_hash=proxy.key_hash,
            user_agent=user_agent,
            language="",
            seconds=seconds,
        )
        with rendering(order, stage=lease.stage) as rendered:
            # What a script still asks for now is of no page that anybody saw.
            proxy.stop()
            yield _put_together(request, proxy, rendered)


def _put_together(request: CaptureRequest, proxy: RecordingProxy, rendered: Rendered) -> Opened:
    exchanges = proxy.exchanges
    way = _way(exchanges, rendered.chain or (request.canonical_url,))
    others = [exchange for exchange in exchanges if not any(exchange is hop for hop in way)]
    absent = sum(exchange.status >= 400 and not exchange.truncated for exchange in others)
    missed = dict(proxy.missed) | ({"absent": absent} if absent else {})
    error = _error(proxy, rendered, way, _plain((rendered.chain or (request.canonical_url,))[-1]))
    fetched = Fetched(
        url=request.canonical_url,
        exchanges=way,
        redirects=[
            Redirect(hop.url, hop.status, hop.header("location") or onward.url) for hop, onward in pairwise(way)
        ],
        final_url=way[-1].url if way else "",
        error=error,
    )
    kept = sum(not one.truncated and one.status < 400 for one in others)
    requisites = Requisites(exchanges=others, found=kept + sum(missed.values()), kept=kept, missed=missed)
    if error is not None:
        return Opened(fetched, requisites)
    return Opened(
        fetched,
        requisites,
        problem={"ok": "", "unreachable": "unsupported"}.get(rendered.outcome, rendered.outcome),
        stopped=rendered.stopped,
        detail=rendered.detail,
        title=rendered.title,
        text=rendered.text,
        drawn=_drawn(rendered),
        renderings=tuple(_stored(rendered)),
        hidden=rendered.hidden,
        notes=rendered.notes,
        facts={"final_url": rendered.final_url},
    )


def _error(proxy: RecordingProxy, rendered: Rendered, way: list[Exchange], last: str) -> OutboundError | None:
    """Why there is no page, or None where its own answer is there, also if no browser shows such a file."""
    if len(rendered.chain) >= MAX_HOPS:
        return AddressRefused("too_many_redirects", _("The page leads on and on, and never to a page."))
    if way and rendered.outcome != "unreachable":
        return None
    if not way or way[-1].url != last:
        return proxy.errors.get(last) or Unreachable("connect", _("The browser could not open the page."))
    if way[-1].status in _REDIRECTS:
        return AddressRefused("too_many_redirects", _("The page leads on and on, and never to a page."))
    return None


def _way(exchanges: list[Exchange], chain: Iterable[str]) -> list[Exchange]:
    """The answers of the main frame's documents, in the order in which the browser went from one to the next.

    A hop that the browser took by itself (to https, as it remembers) was never asked for, and is not among them.
    """
    way: list[Exchange] = []
    left = list(exchanges)
    for address in map(_plain, chain):
        asked = [one for one in left if one.url == address]
        # A script or a frame may have asked the same address before; a document that the browser had kept from then
        # was not asked for again.
        found = next((rank for rank in (_as_document, _as_any) if any(map(rank, asked))), None)
        if found is not None:
            hop = next(filter(found, asked))
            way.append(hop)
            left = [one for one in left if one is not hop]
    return way


def _as_document(exchange: Exchange) -> bool:
    """Whether this was asked for to be shown as a page. A browser says so, and lets no script say it."""
    said = {name.lower(): value.strip() for name, value in _request_headers(exchange)}
    # Over plain http it says less: there, a frame looks like the page.
    return said.get("sec-fetch-dest", "document") == "document" and said.get("upgrade-insecure-requests") == "1"


def _as_any(exchange: Exchange) -> bool:
    return not exchange.request.startswith(b"OPTIONS ")


def _request_headers(exchange: Exchange) -> Iterator[tuple[str, str]]:
    for line in exchange.request.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]:
        name, _colon, value = line.partition(":")
        yield name, value


def _plain(url: str) -> str:
    """An address as the transport writes it; as it is where it is none."""
    try:
        return check_address(url).url
    except OutboundError:
        return url


def _drawn(rendered: Rendered) -> Extracted | None:
    if rendered.dom is None:
        return None
    with rendered.dom.path.open("rb") as file:
        return extract(file, "text/html", http_charset="utf-8")


def _stored(rendered: Rendered) -> Iterator[StoredRendering]:
    files: list[tuple[Rendering.Kind, File | None]] = [
        (Rendering.Kind.VIEW, rendered.view),
        (Rendering.Kind.PAGE, rendered.page),
        (Rendering.Kind.ALTERED, rendered.altered),
        (Rendering.Kind.DOM, rendered.dom),
        (Rendering.Kind.PRINT, rendered.print),
    ]
    for kind, file in files:
        if file is not None:
            yield StoredRendering(kind, _KINDS[kind][1], _store(file.path), file.width, file.height)


def _store(path: Path) -> Blob:
    with path.open("rb") as file:
        return blobs.store(file)
