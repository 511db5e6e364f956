"""A person's own copy, from the file in the store to the seal.

It becomes a capture of its own engine: its WARC holds the file as a resource record under
``urn:factcheck:upload:<sha256>`` and never a response, since nobody here has seen the site answer.
"""

from __future__ import annotations

import json
import mmap
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, cast

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from factcheck.archive import blobs, media
from factcheck.archive.capturing import SOFTWARE, store_layers
from factcheck.archive.extracting import PACKAGE_START, extract, run_child
from factcheck.archive.media_facts import read_media
from factcheck.archive.models import CaptureRequest
from factcheck.archive.outcomes import Outcome
from factcheck.archive.package_checks import check_package, is_unsound
from factcheck.archive.receiving import WACZ, WARC
from factcheck.archive.services import Sealing, seal_capture
from factcheck.archive.warc import ExtraRecord, WarcSummary, write_warc
from factcheck.jobs.leases import Lease

_FOLDER = Path(__file__).resolve().parent
# The page of at most 50 MB, and the line before it.
_ANSWER_MAX_BYTES = 51 * 1024 * 1024


@dataclass(frozen=True)
class _Page:
    """What of the file is the page: the whole of it, or one answer out of a recording."""

    body: blobs.Blob
    media_type: str
    url: str
    http_charset: str = ""
    reason: str = "upload"
    outcome: Outcome = Outcome.CAPTURED
    detail: str = ""
    truncated: str = ""
    # What the recording says of itself.
    said: dict[str, Any] | None = None
    # Of a package: whether it fits together (``archive.package_checks``).
    checks: dict[str, Any] | None = None


class _NoPage(Exception):
    """The recording gives no page; the message is the sentence for the desk."""


def run_upload(lease: Lease, request: CaptureRequest) -> None:
    """Do the work of an upload's job; running it again leaves one capture."""
    started_at = timezone.now()
    lease.stage("storing")
    upload = request.upload
    try:
        page = _page(request, upload.media_type)
    except _NoPage as refusal:
        warc = _store_warc(request, started_at, said=None)
        sealing = Sealing(
            outcome=Outcome.FAILED,
            reason="upload",
            detail=str(refusal),
            started_at=started_at,
            attempts=lease.attempt,
            final_url=request.canonical_url,
            media_type=upload.media_type,
            warc=blobs.Blob(warc.sha256, warc.bytes),
            records=warc.records,
        )
        seal_capture(request, sealing, within=lease.finish())
        return
    warc = _store_warc(request, started_at, said=page.said)
    lease.stage("extracting")
    with blobs.open_blob(page.body.sha256) as file:
        extracted = extract(file, page.media_type, http_charset=page.http_charset)
        facts = read_media(file, page.media_type)
    outcome, reason = page.outcome, page.reason
    if (
        facts is not None
        and facts.kind in ("picture", "film")
        and facts.problem == "damaged"
        and outcome == Outcome.CAPTURED
    ):
        outcome, reason = Outcome.CAPTURED_PARTIAL, "upload_damaged"
    sealing = Sealing(
        outcome=outcome,
        reason=reason,
        detail=page.detail,
        started_at=started_at,
        attempts=lease.attempt,
        final_url=page.url,
        media_type=page.media_type[:100],
        charset=extracted.charset,
        charset_source=extracted.charset_source,
        replacements=extracted.replacements,
        title=extracted.title,
        noarchive=extracted.noarchive,
        truncated=page.truncated,
        body=page.body,
        warc=blobs.Blob(warc.sha256, warc.bytes),
        records=warc.records,
        layers=store_layers(extracted),
        media=facts,
        package_checks=page.checks,
    )
    seal_capture(request, sealing, within=lease.finish())


def _page(request: CaptureRequest, media_type: str) -> _Page:
    if media_type in (WARC, WACZ):
        return _out_of_recording(request, "wacz" if media_type == WACZ else "warc")
    return _Page(
        blobs.Blob(request.upload_sha256, request.upload.bytes),
        media_type,
        request.canonical_url,
    )


def _out_of_recording(request: CaptureRequest, kind: str) -> _Page:
    with blobs.open_blob(request.upload_sha256) as file:
        answer = run_child(
            [sys.executable, "-I", "-c", PACKAGE_START, str(_FOLDER), kind, request.canonical_url],
            file.fileno(),
            output_max_bytes=_ANSWER_MAX_BYTES,
        )
    if answer.problem:
        raise _NoPage(_flaw(answer.problem))
    line, _newline, body = answer.output.partition(b"\n")
    try:
        said: dict[str, Any] = json.loads(line)
        if flaw := said.get("flaw") or ("limit" if "limit" in said else ""):
            raise _NoPage(_flaw(str(flaw)))
        declared, charset = media.declared(str(said["content_type"]))
        url = str(said["url"])[:2000]
        asked_for, truncated = bool(said["asked_for"]), str(said["truncated"])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise _NoPage(_flaw("crash")) from error
    if not body:
        raise _NoPage(_flaw("no_page"))
    checks: dict[str, Any] | None = None
    if kind == "wacz":
        with blobs.open_blob(request.upload_sha256) as file:
            said["checks"] = checks = check_package(file)
    reason = "upload_other" if not asked_for else "upload_cut" if truncated else "upload"
    if checks is not None and is_unsound(checks):
        # Before the others: which page it is, the detail says all the same.
        reason = "upload_unsound"
    return _Page(
        blobs.store(body),
        media.sniff(body[: media.HEAD_BYTES], declared),
        url,
        http_charset=charset,
        outcome=Outcome.CAPTURED if reason == "upload" else Outcome.CAPTURED_PARTIAL,
        reason=reason,
        truncated=truncated,
        detail="" if asked_for else _("The page that was taken out of it: %(url)s") % {"url": url},
        said=said,
        checks=checks,
    )


def _flaw(code: str) -> str:
    sentences = {
        "zip": _("The package is no whole ZIP file."),
        "name": _("The package holds a file whose name leads out of it, or two files of one name."),
        "encrypted": _("The package is encrypted."),
        "ratio": _("A file in the package unpacks to too many times its size."),
        "list": _("The package does not list its files as a WACZ does."),
        "hash": _("A file in the package does not have the hash that is listed for it: it was changed or damaged."),
        "digest": _("The page in the recording does not have the digest that the recording says."),
        "warc": _("The recording cannot be read to its end as a WARC."),
        "no_page": _("The recording holds no page."),
        "limit": _("The recording is larger than what can be read here."),
    }
    return sentences.get(code) or _("The recording could not be read.")


def _store_warc(request: CaptureRequest, started_at: datetime, *, said: dict[str, Any] | None) -> WarcSummary:
    upload = request.upload
    uri = f"urn:factcheck:upload:{request.upload_sha256}"
    facts = {
        "claimed_url": request.url,
        "claimed_origin": upload.how,
        "uploaded_by": request.requested_by.actor_id if request.requested_by else None,
        "uploaded_at": upload.uploaded_at.isoformat(),
        "name": request.upload_name,
        "sha256": request.upload_sha256,
        "bytes": upload.bytes,
        "media_type": upload.media_type,
        "recording": said,
    }
    about = json.dumps(facts, ensure_ascii=False, indent=1, sort_keys=True).encode()
    with (
        blobs.open_blob(request.upload_sha256) as file,
        # Mapped and not read, so that a large file costs no memory.
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
        blobs.draft() as draft,
    ):
        return write_warc(
            cast(IO[bytes], draft),
            capture_id=request.public_id,
            exchanges=(),
            created=started_at,
            software=SOFTWARE,
            operator=settings.NEWSROOM_NAME,
            extra_records=(
                ExtraRecord(uri, upload.media_type, cast(bytes, content), created=upload.uploaded_at),
                ExtraRecord(f"{uri}:facts", "application/json", about, refers_to_uri=uri),
            ),
            info={
                "description": "uploaded by a person, not fetched from the web",
                "robots": "not asked: a person uploaded this file",
            },
        )
