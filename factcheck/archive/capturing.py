"""One capture, from the order to the seal: fetching → extracting → requisites → storing → sealed.

Every wait in here is a socket with a deadline or a child process that is killed after its limit.
Bytes go into the store before any row names them; rows, ledger entry and the end of the job are one transaction.
"""

from __future__ import annotations

import hashlib
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import chain
from typing import IO, Any, Protocol, cast

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from factcheck.archive import blobs, browsing, media
from factcheck.archive.blocks import blocks_root
from factcheck.archive.browser.driving import browser_available
from factcheck.archive.browsing import Opened
from factcheck.archive.classify import Received, Verdict, classify
from factcheck.archive.errors import NotNow
from factcheck.archive.extracting import Extracted, extract
from factcheck.archive.extraction.limits import WALL_SECONDS
from factcheck.archive.media_facts import read_media
from factcheck.archive.models import CaptureRequest, Engine
from factcheck.archive.offsets import as_blob
from factcheck.archive.outcomes import Outcome
from factcheck.archive.outcomes import sentence as sentence_for
from factcheck.archive.requisites import Budget, Requisites, fetch_requisites
from factcheck.archive.services import Sealing, StoredLayer, place_of, seal_capture
from factcheck.archive.wacz import Indexed
from factcheck.archive.warc import ExtraRecord, WarcSummary, write_warc
from factcheck.jobs.leases import Lease
from factcheck.outbound.addresses import check_address
from factcheck.outbound.decoding import decode_into
from factcheck.outbound.errors import AddressRefused, OutboundError, Unreachable
from factcheck.outbound.recording import Exchange, Fetched, Limits, fetch_document

SOFTWARE = "Factcheck/0.1"
EXTRACTING_SECONDS = WALL_SECONDS
# Hashing, fsync and the database, on a slow disk.
SLACK_SECONDS = 30

# A site that is down is mostly back soon; after a night it is the editor's turn.
RETRY_AFTER = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=12),
)
# Until what was in the way has ended, mostly.
AGAIN_AFTER = timedelta(seconds=10)
# What is larger is read one at a time in each process: its text is held several times over.
LARGE_PAGE_BYTES = 2 * 1024 * 1024
# A wall seldom falls, and each knock may raise it: twice, and then it is sealed as what it is.
RETRY_BLOCKED_AFTER = (timedelta(hours=1), timedelta(hours=6))
RETRY_AFTER_MOST = timedelta(hours=6)
RETRY_AFTER_LEAST = timedelta(seconds=10)
# Of a wall, or of what is gone, nobody needs the pictures.
_SEEN_WITH_ITS_PARTS = frozenset((Outcome.CAPTURED, Outcome.CAPTURED_PARTIAL, Outcome.NEEDS_BROWSER))
_OVERLOADED = frozenset((429, 503))
_MAY_COME_BACK = frozenset(("dns", "connect", "timeout", "server"))
_REFUSED_AS = {
    "scheme": "scheme",
    "private_address": "ssrf",
    "name": "ssrf",
    "redirect_loop": "loop",
    "too_many_redirects": "loop",
}


@dataclass(frozen=True)
class Body:
    """What is known of the entity as its author wrote it; ``truncated`` is what cut it short ("" if nothing did)."""

    truncated: str
    media_type: str
    http_charset: str


def run_capture(lease: Lease) -> None:
    """Do the work of a capture's job; running it again, also at the same time, leaves one capture."""
    request = CaptureRequest.objects.get(public_id=lease.subject.removeprefix("capture-request/"))
    if request.state == CaptureRequest.State.SEALED:
        # Another attempt was quicker; only the row of this one is still open.
        return
    try:
        if request.engine == Engine.UPLOAD:
            # Uploads are sealed by the same means, which are in here.
            from factcheck.archive.uploading import run_upload

            run_upload(lease, request)
        elif request.engine == Engine.BROWSER:
            _run_in_a_browser(lease, request)
        else:
            _run_without_a_browser(lease, request)
    except NotNow as busy:
        # Two that are in each other's way would otherwise meet again and again.
        lease.put_off(timezone.now() + AGAIN_AFTER + timedelta(seconds=lease.job_id % 10), str(busy))


def _run_without_a_browser(lease: Lease, request: CaptureRequest) -> None:
    started_at = timezone.now()
    lease.stage("fetching")
    limits = limits_for(lease.seconds_left())
    with fetch_document(
        request.canonical_url,
        limits=limits,
        user_agent=user_agent_for(request),
        on_hop=_Sites(lease, request),
        despite_tls=request.unverified_tls,
    ) as fetched:
        if fetched.final is None:
            _end_without_answer(lease, request, fetched, started_at)
        else:
            _end_with_answer(lease, request, fetched, fetched.final, limits, started_at)


class _LargePages:
    def __init__(self) -> None:
        self._turn = threading.Lock()

    @contextmanager
    def one_at_a_time(self, size: int, lease: Lease) -> Iterator[None]:
        """Wait until no other large page is read in this process; small ones wait for nobody. Raises NotNow."""
        if size < LARGE_PAGE_BYTES:
            yield
            return
        if not self._turn.acquire(timeout=max(0.0, lease.seconds_left() - EXTRACTING_SECONDS - SLACK_SECONDS)):
            raise NotNow(_("Other large pages are being read; it is this one's turn soon."))
        try:
            yield
        finally:
            self._turn.release()


_large_pages = _LargePages()


class _Sites:
    """On the way through redirects, to be the only capture at each site before it is asked. Raises NotNow."""

    def __init__(self, lease: Lease, request: CaptureRequest) -> None:
        self._lease = lease
        self._here = {place_of(request.canonical_url)}

    def __call__(self, address: str) -> None:
        try:
            place = place_of(check_address(address).url)
        except AddressRefused:
            # It is not going to be asked.
            return
        if place not in self._here:
            if not self._lease.take_place(place):
                raise NotNow(_("The page leads to a site that is being archived."))
            self._here.add(place)


def _run_in_a_browser(lease: Lease, request: CaptureRequest) -> None:
    started_at = timezone.now()
    if not browser_available():
        # It was there when the order was taken.
        sealing = Sealing(outcome=Outcome.FAILED, reason="no_browser", started_at=started_at, attempts=lease.attempt)
        seal_capture(request, sealing, within=lease.finish())
        return
    limits = limits_for(lease.seconds_left())
    # What was sent and what was made of it are both read.
    seconds = min(
        float(settings.CAPTURE_BROWSER_SECONDS), lease.seconds_left() - 2 * EXTRACTING_SECONDS - SLACK_SECONDS / 2
    )
    with browsing.opened(lease, request, user_agent=user_agent_for(request), seconds=seconds) as page:
        if page.fetched.final is None:
            _end_without_answer(lease, request, page.fetched, started_at)
        else:
            _end_with_answer(lease, request, page.fetched, page.fetched.final, limits, started_at, page=page)


def give_up(subject: str, reason: str) -> None:
    """Seal what no attempt could bring to an end, so that nobody waits for it. Runs in the job's transaction."""
    request = CaptureRequest.objects.get(public_id=subject.removeprefix("capture-request/"))
    if request.state != CaptureRequest.State.SEALED:
        sealing = Sealing(
            outcome=Outcome.FAILED,
            reason="gave_up",
            detail=reason,
            started_at=request.created_at,
            attempts=_begun(request),
        )
        seal_capture(request, sealing, within=transaction.atomic())


def limits_for(seconds_left: float) -> Limits:
    return Limits(
        max_wire_bytes=settings.CAPTURE_MAX_BYTES,
        max_decoded_bytes=settings.CAPTURE_MAX_DECODED_BYTES,
        seconds=max(1.0, min(settings.CAPTURE_TIMEOUT_SECONDS, seconds_left - EXTRACTING_SECONDS - SLACK_SECONDS / 2)),
    )


def user_agent_for(request: CaptureRequest) -> str:
    agent: str = settings.ARCHIVE_DISCREET_USER_AGENT if request.discreet else settings.ARCHIVE_USER_AGENT
    return agent


def refusal_reason(error: AddressRefused) -> str:
    """The reason of outcome "refused" for an address that outbound does not open."""
    return _REFUSED_AS.get(error.code, "policy")


def _begun(request: CaptureRequest) -> int:
    return request.job.attempts if request.job else 1


def _end_without_answer(lease: Lease, request: CaptureRequest, fetched: Fetched, started_at: datetime) -> None:
    error = fetched.error
    assert error is not None
    verdict = verdict_of(error)
    if _tried_again(lease, request, verdict, str(error), after=None):
        return
    sealing = Sealing(
        outcome=verdict.outcome,
        reason=verdict.reason,
        detail=str(error),
        started_at=started_at,
        attempts=lease.attempt,
        final_url=fetched.final_url,
        redirects=_redirects(fetched),
        wire_bytes=fetched.wire_bytes,
    )
    seal_capture(request, sealing, within=lease.finish())


def verdict_of(error: OutboundError) -> Verdict:
    if isinstance(error, AddressRefused):
        return Verdict(Outcome.REFUSED, refusal_reason(error))
    if isinstance(error, Unreachable) and error.code == "tls":
        return Verdict(Outcome.TLS_ERROR)
    # What is cut off before its first line has ended (LimitReached) is no answer that could be read.
    return Verdict(Outcome.UNREACHABLE, error.code if isinstance(error, Unreachable) else "protocol")


def _end_with_answer(
    lease: Lease,
    request: CaptureRequest,
    fetched: Fetched,
    final: Exchange,
    limits: Limits,
    started_at: datetime,
    *,
    page: Opened | None = None,
) -> None:
    """``page`` is what a browser made of it, where one opened it: that is judged then, and its parts are there."""
    if final.status >= 400 and _may_retry(lease, request):
        # Looked at before it is stored: of a page that is asked for again, nothing stays behind.
        with tempfile.TemporaryFile() as file:
            body = write_body(final, limits, file)
            with _large_pages.one_at_a_time(file.tell(), lease):
                verdict = _verdict(fetched, final, body, _seen(read_text(file, body), page), page)
        if _tried_again(lease, request, verdict, _answered(final, verdict), after=_retry_after(final)):
            return

    lease.stage("extracting")
    with blobs.draft() as draft:
        body = write_body(final, limits, draft)
    stored = draft.blob
    with blobs.open_blob(stored.sha256) as file, _large_pages.one_at_a_time(stored.size, lease):
        extracted = _seen(read_text(file, body), page)
        facts = read_media(file, body.media_type)
        layers = store_layers(extracted)
        # From here on their words lie in the store alone: parts may take a minute, and others wait with large pages.
        extracted = replace(extracted, layers=())
    verdict = _verdict(fetched, final, body, extracted, page)
    if final.status < 400 and _tried_again(lease, request, verdict, _answered(final, verdict), after=None):
        # A wall that calls itself a page is known only by its text; its bytes stay in the store, named by nothing.
        return
    requisites = Requisites() if page is None else page.requisites
    try:
        if page is None and verdict.outcome in _SEEN_WITH_ITS_PARTS and extracted.links:
            requisites = _fetch_requisites(lease, request, fetched, final, extracted)
        lease.stage("storing")
        index = Indexed()
        warc = _store_warc(request, fetched, requisites, layers, limits, started_at, index, page)
        requisites_wire_bytes = requisites.wire_bytes
    finally:
        requisites.close()
    sealing = Sealing(
        outcome=verdict.outcome,
        reason=verdict.reason,
        detail=page.detail if page is not None and page.problem else _answered(final, verdict),
        started_at=started_at,
        attempts=lease.attempt,
        final_url=fetched.final_url,
        redirects=_redirects(fetched),
        wire_bytes=fetched.wire_bytes + requisites_wire_bytes,
        http_status=final.status,
        media_type=body.media_type[:100],
        charset=extracted.charset,
        charset_source=extracted.charset_source,
        replacements=extracted.replacements,
        title=extracted.title,
        noarchive=extracted.noarchive or _header_says_noarchive(final),
        ip=final.ip,
        tls=_tls_facts(final),
        truncated=body.truncated,
        body=stored,
        warc=blobs.Blob(warc.sha256, warc.bytes),
        records=warc.records,
        warc_index=index,
        layers=layers,
        renderings=page.renderings if page is not None else (),
        media=facts,
        unverified_tls=any(
            exchange.tls is not None and not exchange.tls.verified
            for exchange in [*fetched.exchanges, *requisites.exchanges]
        ),
        requisites_found=requisites.found,
        requisites_kept=requisites.kept,
        requisites_missed=requisites.missed,
    )
    seal_capture(request, sealing, within=lease.finish())


def _seen(extracted: Extracted, page: Opened | None) -> Extracted:
    return extracted if page is None else page.added_to(extracted)


def _verdict(fetched: Fetched, final: Exchange, body: Body, extracted: Extracted, page: Opened | None) -> Verdict:
    verdict = classified(fetched, final, body, extracted)
    return verdict if page is None else page.judged(verdict)


def _fetch_requisites(
    lease: Lease, request: CaptureRequest, fetched: Fetched, final: Exchange, extracted: Extracted
) -> Requisites:
    """The page's parts, within what is left of the job's time after what must still be done with the page."""
    seconds = min(float(settings.CAPTURE_REQUISITES_SECONDS), lease.seconds_left() - SLACK_SECONDS)
    if seconds <= 0 or not settings.CAPTURE_MAX_REQUISITES:
        why = "time" if settings.CAPTURE_MAX_REQUISITES else "too_many"
        return Requisites(found=len(extracted.links), missed={why: len(extracted.links)})
    lease.stage("requisites")
    return fetch_requisites(
        final.url,
        extracted.base,
        extracted.links,
        budget=Budget(
            count=settings.CAPTURE_MAX_REQUISITES,
            wire_bytes=max(0, settings.CAPTURE_MAX_TOTAL_BYTES - fetched.wire_bytes),
            each_bytes=settings.CAPTURE_MAX_REQUISITE_BYTES,
            seconds=seconds,
        ),
        user_agent=user_agent_for(request),
        read_links=_read_links,
        progress=lambda done, everything: lease.stage(f"requisites {done}/{everything}"),
        despite_tls=request.unverified_tls,
    )


def _read_links(file: IO[bytes], media_type: str, charset: str) -> tuple[str, Sequence[tuple[str, str]]]:
    read = extract(file, media_type, http_charset=charset)
    return read.base, read.links


class _Out(Protocol):
    def write(self, data: bytes, /) -> int: ...


def write_body(final: Exchange, limits: Limits, out: _Out) -> Body:
    """Write the entity without its codings, or as it came where they are none that we read. Never held as a whole."""
    beginning = b""

    def write(piece: bytes) -> None:
        nonlocal beginning
        if len(beginning) < media.HEAD_BYTES:
            beginning += piece[: media.HEAD_BYTES]
        out.write(piece)

    declared_type, http_charset = media.declared(final.header("content-type"))
    unpacked = decode_into(write, final, limits)
    if unpacked.truncated == "coding":
        for piece in final.payload():
            out.write(piece)
        return Body("coding", "application/octet-stream", "")
    truncated = final.truncated or {None: "", "length": "decoded", "ratio": "decoded"}.get(
        unpacked.truncated, "damaged"
    )
    return Body(truncated, media.sniff(beginning[: media.HEAD_BYTES], declared_type), http_charset)


def read_text(file: IO[bytes], body: Body) -> Extracted:
    file.seek(0)
    return extract(file, body.media_type, http_charset=body.http_charset)


def classified(fetched: Fetched, final: Exchange, body: Body, extracted: Extracted) -> Verdict:
    return classify(
        Received(
            status=final.status,
            headers={name.lower(): value for name, value in final.headers},
            url=fetched.url,
            final_url=fetched.final_url,
            title=extracted.title,
            facts=extracted.facts,
            truncated=body.truncated,
        )
    )


def _answered(final: Exchange, verdict: Verdict) -> str:
    if verdict.outcome in Outcome.with_evidence():
        return ""
    return _("The server answered with status %(status)d.") % {"status": final.status}


def _may_retry(lease: Lease, request: CaptureRequest) -> bool:
    return request.patient and lease.attempt <= len(RETRY_AFTER) and not lease.is_last_attempt


def _tried_again(
    lease: Lease, request: CaptureRequest, verdict: Verdict, detail: str, *, after: timedelta | None
) -> bool:
    """Put the job off, if this cause may go away by itself and there is patience left; whether it was."""
    waits = _waits(verdict)
    if lease.attempt > len(waits) or not _may_retry(lease, request):
        return False
    delay = after if after is not None and waits is RETRY_AFTER else waits[lease.attempt - 1]
    due_at = timezone.now() + delay
    # The whole site asks for patience, and not one of its pages.
    asked = due_at if after is not None and verdict.reason == "rate" else None
    with transaction.atomic():
        # The job first, as in every end of an attempt.
        lease.retry(due_at, detail or sentence_for(verdict.outcome, verdict.reason), place_free_at=asked)
        CaptureRequest.objects.filter(pk=request.pk).update(last_outcome=verdict.outcome, reason=verdict.reason)
    return True


def _waits(verdict: Verdict) -> tuple[timedelta, ...]:
    """How long to wait before each further try; empty for what does not go away by itself."""
    if verdict.outcome is Outcome.BLOCKED:
        return RETRY_AFTER if verdict.reason == "rate" else RETRY_BLOCKED_AFTER
    if verdict.outcome is Outcome.UNREACHABLE and verdict.reason in _MAY_COME_BACK:
        return RETRY_AFTER
    return ()


def _retry_after(final: Exchange) -> timedelta | None:
    """What the site asks for, within reason; None where it asks for nothing."""
    value = (final.header("retry-after") or "").strip() if final.status in _OVERLOADED else ""
    if not value:
        return None
    if value.isascii() and value.isdigit():
        asked = timedelta(seconds=min(int(value[:9]), int(RETRY_AFTER_MOST.total_seconds())))
    else:
        try:
            moment = parsedate_to_datetime(value)
        except (ValueError, OverflowError):
            return None
        asked = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - timezone.now()
    return min(max(asked, RETRY_AFTER_LEAST), RETRY_AFTER_MOST)


def _store_warc(
    request: CaptureRequest,
    fetched: Fetched,
    requisites: Requisites,
    layers: Sequence[StoredLayer],
    limits: Limits,
    started_at: datetime,
    index: Indexed,
    page: Opened | None,
) -> WarcSummary:
    with blobs.draft() as draft:
        summary = write_warc(
            cast(IO[bytes], draft),
            capture_id=request.public_id,
            exchanges=fetched.exchanges,
            requisites=requisites.exchanges,
            created=started_at,
            software=SOFTWARE,
            operator=settings.NEWSROOM_NAME,
            # One after the other, so that only one of them is held.
            extra_records=chain(
                _text_records(layers, fetched.final_url, started_at),
                page.records(fetched.final_url) if page is not None else (),
            ),
            limits=limits,
            info={
                "http-header-user-agent": user_agent_for(request),
                "discretion": "discreet" if request.discreet else "open",
            },
            facts={
                "requisites": {"found": requisites.found, "kept": requisites.kept, "missed": requisites.missed},
                **(page.about(fetched.final_url) if page is not None else {}),
            },
            on_record=index.add,
        )
    index.sha256, index.size, index.crc = summary.sha256, summary.bytes, summary.crc
    return summary


def _text_records(layers: Sequence[StoredLayer], url: str, created: datetime) -> Iterator[ExtraRecord]:
    """The text layers, the one that the eye reads under the name by which others look for a page's text."""
    for layer in layers:
        if layer.blob is not None:
            yield ExtraRecord(
                uri=f"urn:text:{url}" if layer.kind in ("visible", "pdf") else f"urn:text-{layer.kind}:{url}",
                media_type="text/plain; charset=utf-8",
                body=blobs.read(layer.blob.sha256),
                refers_to_uri=url,
                created=created,
            )


def store_layers(extracted: Extracted) -> tuple[StoredLayer, ...]:
    return tuple(
        StoredLayer(
            kind=layer.kind,
            extractor=layer.extractor,
            extractor_version=layer.version,
            outcome=layer.outcome,
            detail=layer.detail,
            blob=blobs.store(layer.text.encode()) if layer.text else None,
            blocks_root=blocks_root(layer.text) if layer.text else "",
            chars=len(layer.text),
            pages=layer.pages,
            offsets=blobs.store(as_blob(layer.offsets)) if layer.offsets else None,
        )
        for layer in extracted.layers
    )


def _redirects(fetched: Fetched) -> list[dict[str, Any]]:
    ips = {exchange.url: exchange.ip for exchange in fetched.exchanges}
    return [
        {"url": hop.url, "status": hop.status, "location": hop.location, "ip": ips.get(hop.url, "")}
        for hop in fetched.redirects
    ]


def _tls_facts(exchange: Exchange) -> dict[str, Any] | None:
    if exchange.tls is None:
        return None
    return {
        "version": exchange.tls.version,
        "cipher": exchange.tls.cipher,
        "verified": exchange.tls.verified,
        "problem": exchange.tls.problem[:200],
        "certificate_sha256": hashlib.sha256(exchange.tls.certificate_der).hexdigest(),
    }


def _header_says_noarchive(exchange: Exchange) -> bool:
    return any(name.lower() == "x-robots-tag" and "noarchive" in value.lower() for name, value in exchange.headers)
