from __future__ import annotations

import hashlib
import json
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from factcheck.accounts.models import User
from factcheck.accounts.permissions import Act, require
from factcheck.archive import blobs
from factcheck.archive.browser.driving import browser_available
from factcheck.archive.canonical_url import canonical_url
from factcheck.archive.errors import CaptureNotPossible, UploadRefused, WarcFault
from factcheck.archive.media_facts import Media, Within, parts_of
from factcheck.archive.models import (
    Capture,
    CaptureRequest,
    CaptureWords,
    Engine,
    MediaFacts,
    PackageChecks,
    PictureWithin,
    Rendering,
    TextLayer,
    Upload,
)
from factcheck.archive.outcomes import Outcome, sentence
from factcheck.archive.receiving import Received
from factcheck.archive.row_facts import facts_of_row
from factcheck.archive.wacz import Indexed, indexed, lay_out_indexed, page_url_for
from factcheck.jobs.models import Job, Place
from factcheck.jobs.services import cancel, enqueue
from factcheck.jobs.waking import wake
from factcheck.ledger.actions import Action
from factcheck.ledger.services import keep_text, record
from factcheck.lib.legible import is_legible

JOB_KIND = "capture"
URL_MAX_CHARS = 2000
TITLE_MAX_CHARS = 300
DETAIL_MAX_CHARS = 500
UPLOAD_HOW_MAX_CHARS = 300
# Of advisory locks of two numbers, which are apart from those of one.
_ORDER_LOCK = 1


def host_of(address: str) -> str:
    """The host name of a canonical address; "" if it has none."""
    return (urlsplit(address).hostname or "")[:255]


def place_of(address: str) -> str:
    """What is asked for one page at a time: a host, with "www." and without, since one mostly leads to the other."""
    return host_of(address).removeprefix("www.")


def owner_of(person: User | None) -> str:
    """Whose turn in the queue it is; what a command orders is the newsroom's own."""
    return f"user/{person.pk}" if person else ""


@transaction.atomic
def request_capture(
    url: str,
    *,
    by: User | None,
    discreet: bool = False,
    confidential: bool = False,
    again: bool = False,
    patient: bool = True,
    engine: Engine = Engine.HTTP,
) -> CaptureRequest:
    """Order a copy of a page, or return the order that is under way or was lately fulfilled for it.

    ``again`` orders a new copy in any case, and so does ``confidential``, which answers no other
    order either. Without ``patient`` a site out of reach is not tried again over hours but sealed
    as what it was. Raises AddressRefused for what can be seen to be refusable without asking anybody,
    and CaptureNotPossible for an ``engine`` that is not installed here.
    """
    require(by, Act.ADD_EVIDENCE)
    _require_engine(engine)
    typed = url.strip()
    address = canonical_url(typed)
    if max(len(typed), len(address)) > URL_MAX_CHARS:
        raise CaptureNotPossible(
            _("The address is longer than %(most)d characters; find a shorter one.") % {"most": URL_MAX_CHARS}
        )
    if not (again or confidential):
        _one_order_at_a_time(address)
        since = timezone.now() - timedelta(minutes=settings.CAPTURE_WINDOW_MINUTES)
        existing = CaptureRequest.objects.good_or_running(
            address, since=since, discreet=discreet, in_a_browser=engine == Engine.BROWSER
        ).first()
        if existing is not None:
            return existing
    return _order(typed, address, by=by, discreet=discreet, confidential=confidential, patient=patient, engine=engine)


def _one_order_at_a_time(address: str) -> None:
    """Until the end of the transaction, whoever orders the same page waits, and then finds this order."""
    # On SQLite the transaction began with BEGIN IMMEDIATE and is the only writer there is.
    if connection.vendor == "postgresql":
        number = int.from_bytes(hashlib.sha256(address.encode()).digest()[:4], "big", signed=True)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_ORDER_LOCK, number])


def _require_engine(engine: Engine) -> None:
    if engine == Engine.BROWSER and not browser_available():
        raise CaptureNotPossible(_("No browser is installed here for archiving; the page can be fetched without one."))


@transaction.atomic
def retry_capture(
    request: CaptureRequest,
    *,
    by: User | None,
    bulk: bool = False,
    despite_tls: bool = False,
    engine: Engine | None = None,
) -> CaptureRequest:
    """Try again now: a new order beside an ended one, whose copy stays; or the one that is under way, brought forward.

    As one of many (``bulk``) a new order waits until nobody waits for a single one. With ``despite_tls`` the page is
    taken although its certificate does not verify: an editor's act, only after that has been found out, and the copy
    bears the mark for ever. Without ``engine`` it is the one of before; after an upload, the plain one. Another engine
    is a new order, also beside one that is still open. Raises CaptureNotPossible.
    """
    require(by, Act.CAPTURE_DESPITE_TLS if despite_tls else Act.ADD_EVIDENCE)
    request = CaptureRequest.objects.select_for_update().get(pk=request.pk)
    former = Engine.HTTP if request.engine == Engine.UPLOAD else Engine(request.engine)
    # The proxy that a browser is behind opens no connection that does not verify.
    engine = Engine.HTTP if despite_tls else engine or former
    _require_engine(engine)
    if request.state == CaptureRequest.State.OPEN and engine == request.engine:
        _bring_forward(request, bulk=bulk)
        return request
    if despite_tls and request.last_outcome != Outcome.TLS_ERROR:
        raise CaptureNotPossible(_("Only a page whose certificate was found not to be valid can be taken despite it."))
    # A second click, or another piece of evidence that rests on the same copy, means the same new one.
    under_way = request.retries.filter(
        state=CaptureRequest.State.OPEN, engine=engine, unverified_tls=despite_tls
    ).first()
    if under_way is not None:
        _bring_forward(under_way, bulk=bulk)
        return under_way
    return _order(
        request.url,
        request.canonical_url,
        by=by,
        discreet=request.discreet,
        confidential=request.confidential,
        patient=True,
        retry_of=request,
        bulk=bulk,
        despite_tls=despite_tls,
        engine=engine,
    )


def _bring_forward(request: CaptureRequest, *, bulk: bool) -> None:
    """Let it be worked on now, and before the many if somebody waits for it alone; a job at work is left alone."""
    if request.job is None:
        return
    now = timezone.now()
    waiting = Job.objects.filter(pk=request.job.pk, state=Job.State.QUEUED)
    sooner = waiting.filter(due_at__gt=now).update(due_at=now)
    if not bulk:
        # Whoever says "now" says it also of a site that asked for patience.
        Place.objects.filter(name=request.job.place, job=None, free_at__gt=now).update(free_at=now)
        sooner += waiting.filter(bulk=True).update(bulk=False)
    if sooner:
        transaction.on_commit(wake, robust=True)


@transaction.atomic
def cancel_capture(request: CaptureRequest, *, by: User) -> Capture:
    """End an order that is under way: sealed as failed, with nothing kept. A worker that has it writes nothing more.

    For whoever ordered it, and for editors. Raises CaptureNotPossible when it has ended already.
    """
    require(by, Act.ADD_EVIDENCE)
    if request.requested_by_id != by.pk:
        require(by, Act.CANCEL_CAPTURE)
    # Its job before itself, as in every end of a job: two who lock the same two rows must not do so crosswise.
    if request.job_id is not None:
        cancel(request.job_id, sentence(Outcome.FAILED, "cancelled"))
    request = CaptureRequest.objects.select_for_update().get(pk=request.pk)
    if request.state == CaptureRequest.State.SEALED:
        raise CaptureNotPossible(_("The capture has ended already; there is nothing to cancel."))
    attempts = request.job.attempts if request.job else 0
    record(Action.CAPTURE_CANCELLED, request.subject, {"attempts": attempts}, by=by.actor_id)
    sealing = Sealing(outcome=Outcome.FAILED, reason="cancelled", started_at=request.created_at, attempts=attempts)
    return seal_capture(request, sealing, within=transaction.atomic())


def _order(
    url: str,
    address: str,
    *,
    by: User | None,
    discreet: bool,
    confidential: bool,
    patient: bool,
    retry_of: CaptureRequest | None = None,
    bulk: bool = False,
    despite_tls: bool = False,
    engine: Engine = Engine.HTTP,
) -> CaptureRequest:
    request = CaptureRequest(
        url=url,
        engine=engine,
        canonical_url=address,
        host=host_of(address),
        requested_by=by,
        discreet=discreet,
        confidential=confidential,
        patient=patient,
        unverified_tls=despite_tls,
        retry_of=retry_of,
    )
    request.job = enqueue(JOB_KIND, request.subject, owner=owner_of(by), bulk=bulk, place=place_of(address))
    request.save()
    facts = {
        "url": address,
        "engine": request.engine,
        "discreet": discreet,
        "retry_of": retry_of.public_id if retry_of else None,
        **({"despite_tls": True} if despite_tls else {}),
    }
    record(Action.CAPTURE_REQUESTED, request.subject, facts, by=by.actor_id if by else None)
    return request


@transaction.atomic
def order_upload(
    url: str,
    received: Received,
    *,
    how: str,
    by: User,
    discreet: bool = False,
    confidential: bool = False,
    retry_of: CaptureRequest | None = None,
) -> CaptureRequest:
    """Take a person's own file as a copy of the page at ``url``. It is read and sealed by a job, as captures are.

    ``how`` is the person's line on how and when they made it. Raises AddressRefused and UploadRefused.
    """
    require(by, Act.ADD_EVIDENCE)
    typed, said = url.strip(), " ".join(how.split())
    # What was taken for an address once is not weighed again: nothing is fetched from it.
    address = retry_of.canonical_url if retry_of is not None and retry_of.url == typed else canonical_url(typed)
    if max(len(typed), len(address)) > URL_MAX_CHARS:
        raise CaptureNotPossible(
            _("The address is longer than %(most)d characters; find a shorter one.") % {"most": URL_MAX_CHARS}
        )
    if not is_legible(said):
        raise UploadRefused(_("Say how and when the copy was made."))
    if len(said) > UPLOAD_HOW_MAX_CHARS:
        raise UploadRefused(
            _("Say in at most %(most)d characters how and when the copy was made.") % {"most": UPLOAD_HOW_MAX_CHARS}
        )
    request = CaptureRequest(
        url=typed,
        canonical_url=address,
        host=host_of(address),
        requested_by=by,
        discreet=discreet,
        confidential=confidential,
        engine=Engine.UPLOAD,
        upload_sha256=received.blob.sha256,
        upload_name=received.name,
        retry_of=retry_of,
    )
    # Nothing is fetched for it, so that it waits for no site.
    request.job = enqueue(JOB_KIND, request.subject, owner=owner_of(by))
    request.save()
    Upload.objects.create(
        request=request, media_type=received.media_type, bytes=received.blob.size, how_row=keep_text(said)
    )
    facts = {
        "url": address,
        "engine": request.engine,
        "sha256": received.blob.sha256,
        "media_type": received.media_type,
        "how": said,
        "retry_of": retry_of.public_id if retry_of else None,
    }
    record(Action.CAPTURE_REQUESTED, request.subject, facts, by=by.actor_id)
    return request


@dataclass(frozen=True)
class StoredLayer:
    """A text layer whose words lie in the store already; ``blob`` is None where there are none."""

    kind: str
    extractor: str
    extractor_version: str
    outcome: str
    detail: str = ""
    blob: blobs.Blob | None = None
    # RFC 6962 root over the blocks of the text, "" where there is none (``archive.blocks``).
    blocks_root: str = ""
    chars: int = 0
    pages: list[list[int]] | None = None
    # The map of ``archive.offsets``.
    offsets: blobs.Blob | None = None


@dataclass(frozen=True)
class StoredRendering:
    """One of what a browser made of the page (Rendering.Kind), in the store already; pixels where it is a picture."""

    kind: str
    media_type: str
    blob: blobs.Blob
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True)
class Sealing:
    """Everything that a capture is sealed with. Bytes are in the store before this names them."""

    outcome: str
    started_at: datetime
    reason: str = ""
    detail: str = ""
    attempts: int = 1
    final_url: str = ""
    redirects: list[dict[str, Any]] = field(default_factory=list)
    wire_bytes: int = 0
    http_status: int | None = None
    media_type: str = ""
    charset: str = ""
    charset_source: str = ""
    replacements: int = 0
    title: str = ""
    noarchive: bool = False
    ip: str | None = None
    tls: dict[str, Any] | None = None
    truncated: str = ""
    body: blobs.Blob | None = None
    warc: blobs.Blob | None = None
    records: int = 0
    # As gathered while the WARC was written; without it, the file is read once more.
    warc_index: Indexed | None = None
    layers: tuple[StoredLayer, ...] = ()
    renderings: tuple[StoredRendering, ...] = ()
    media: Media | None = None
    # Of an uploaded package (``archive.package_checks``).
    package_checks: dict[str, Any] | None = None
    unverified_tls: bool = False
    requisites_found: int = 0
    requisites_kept: int = 0
    requisites_missed: dict[str, int] = field(default_factory=dict)

    @property
    def blobs(self) -> list[blobs.Blob]:
        of_layers = (blob for layer in self.layers for blob in (layer.blob, layer.offsets))
        of_renderings = (rendering.blob for rendering in self.renderings)
        return [blob for blob in (self.body, self.warc, *of_layers, *of_renderings) if blob is not None]


def seal_capture(request: CaptureRequest, sealing: Sealing, *, within: AbstractContextManager[None]) -> Capture:
    """Write the result of a request, once and for ever, in the transaction that ``within`` opens.

    Raises BlobMissing or BlobDamaged, and seals nothing, if any of its bytes cannot be read back.
    """
    for blob in sealing.blobs:
        blobs.verify(blob.sha256)
    words = CaptureWords(
        url=request.canonical_url,
        final_url=sealing.final_url,
        redirects=sealing.redirects,
        title=sealing.title[:TITLE_MAX_CHARS],
        detail=sealing.detail[:DETAIL_MAX_CHARS],
    )
    sealed_at = timezone.now()
    # Here, where the bytes are open anyway: who signs this opens none.
    wacz_hash = _package_hash(request, sealing, words, sealed_at)
    with within:
        request = CaptureRequest.objects.select_for_update().get(pk=request.pk)
        capture = Capture.objects.create(
            request=request,
            outcome=sealing.outcome,
            reason=sealing.reason,
            engine=request.engine,
            attempts=sealing.attempts,
            words_row=keep_text(json.dumps(asdict(words))),
            http_status=sealing.http_status,
            media_type=sealing.media_type,
            charset=sealing.charset,
            charset_source=sealing.charset_source,
            replacements=sealing.replacements,
            noarchive=sealing.noarchive,
            started_at=sealing.started_at,
            sealed_at=sealed_at,
            ip=sealing.ip,
            tls=sealing.tls,
            truncated=sealing.truncated,
            wire_bytes=sealing.wire_bytes,
            unverified_tls=sealing.unverified_tls,
            requisites_found=sealing.requisites_found,
            requisites_kept=sealing.requisites_kept,
            requisites_missed=sealing.requisites_missed,
            body_sha256=sealing.body.sha256 if sealing.body else "",
            body_bytes=sealing.body.size if sealing.body else None,
            warc_sha256=sealing.warc.sha256 if sealing.warc else "",
            warc_bytes=sealing.warc.size if sealing.warc else None,
            records=sealing.records,
            wacz_hash=wacz_hash,
        )
        for layer in sealing.layers:
            TextLayer.objects.create(
                capture=capture,
                kind=layer.kind,
                extractor=layer.extractor,
                extractor_version=layer.extractor_version,
                outcome=layer.outcome,
                detail=layer.detail,
                sha256=layer.blob.sha256 if layer.blob else "",
                chars=layer.chars,
                pages=layer.pages,
                offsets_sha256=layer.offsets.sha256 if layer.offsets else "",
            )
        for rendering in sealing.renderings:
            Rendering.objects.create(
                capture=capture,
                kind=rendering.kind,
                media_type=rendering.media_type,
                sha256=rendering.blob.sha256,
                bytes=rendering.blob.size,
                width=rendering.width,
                height=rendering.height,
            )
        if sealing.media is not None:
            _keep_media(capture, sealing.media)
        if sealing.package_checks is not None:
            PackageChecks.objects.create(capture=capture, facts_row=keep_text(json.dumps(sealing.package_checks)))
        request.state = CaptureRequest.State.SEALED
        request.last_outcome, request.reason = sealing.outcome, sealing.reason
        request.save(update_fields=["state", "last_outcome", "reason"])
        record(Action.CAPTURE_SEALED, capture.subject, _facts(capture, sealing), by=None)
    return capture


def _package_hash(request: CaptureRequest, sealing: Sealing, words: CaptureWords, sealed_at: datetime) -> str:
    """What there will be to sign; "" where no package can be made of the WARC, since it holds no page."""
    if sealing.warc is None:
        return ""
    try:
        index = sealing.warc_index
        if index is None:
            with blobs.open_blob(sealing.warc.sha256) as warc:
                index = indexed(warc)
        return lay_out_indexed(
            index,
            page_id=request.public_id,
            page_url=page_url_for(request, words),
            title=words.title,
            created=sealed_at,
        ).hash
    except WarcFault:
        return ""


def _keep_media(capture: Capture, media: Media) -> None:
    MediaFacts.objects.create(
        capture=capture,
        facts_row=keep_text(json.dumps(media.facts | {"problem": media.problem})),
        **_looks(media),
    )
    for picture in media.pictures:
        PictureWithin.objects.create(capture=capture, page=picture.page, **_looks(picture))


def _looks(picture: Media | Within) -> dict[str, Any]:
    parts = parts_of(picture.phash) if picture.phash else [None] * 4
    return {
        "width": picture.width,
        "height": picture.height,
        "phash": picture.phash,
        **{f"part_{number}": part for number, part in enumerate(parts)},
    }


def _facts(capture: Capture, sealing: Sealing) -> dict[str, Any]:
    return {
        "url": capture.url,
        "final_url": capture.final_url,
        "outcome": capture.outcome,
        "reason": capture.reason,
        "http_status": capture.http_status,
        "started_at": capture.started_at.isoformat(),
        "body_sha256": capture.body_sha256 or None,
        "warc_sha256": capture.warc_sha256 or None,
        "truncated": capture.truncated or None,
        **facts_of_row(capture),
        "layers": [
            {
                "kind": str(layer.kind),
                "extractor": f"{layer.extractor} {layer.extractor_version}",
                "outcome": str(layer.outcome),
                "sha256": layer.blob.sha256 if layer.blob else None,
                "blocks_root": layer.blocks_root or None,
            }
            for layer in sealing.layers
        ],
        "renderings": [
            {"kind": str(rendering.kind), "sha256": rendering.blob.sha256} for rendering in sealing.renderings
        ],
    }
