"""Whether the archive still holds what its captures say, and its captures what the log says of them.

Every file is hashed again, every record of every WARC read strictly, every package laid out and checked as a stranger
would check it, and every row compared with the entry that was written when it was sealed. Nothing is held whole but
one text layer.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from factcheck.archive import blobs, wacz
from factcheck.archive.blocks import blocks_root
from factcheck.archive.errors import BlobError, WarcFault
from factcheck.archive.models import Capture, Engine, PackageChecks, TextLayer, WaczSignature
from factcheck.archive.row_facts import facts_of_row
from factcheck.archive.signatures import is_good, signed_data
from factcheck.archive.wacz_checking import check_wacz
from factcheck.archive.warc_reading import read_warc
from factcheck.ledger.actions import Action
from factcheck.ledger.commitments import salted_sha256
from factcheck.ledger.models import Entry, Text

_BUFFER_BYTES = 256 * 1024
_HEAD_BYTES = 4 * 1024
_ENTRIES_AT_ONCE = 500


@dataclass(frozen=True)
class Fault:
    """``capture`` is the public id; ``part`` says which of its files, records or rows."""

    capture: str
    part: str
    message: str


def check_captures(captures: QuerySet[Capture] | Iterable[Capture]) -> Iterator[tuple[Capture, list[Fault]]]:
    """Each capture with all that is wrong with it."""
    for capture in captures:
        yield capture, list(_faults(capture))


def lost_captures() -> Iterator[Fault]:
    """Captures that the log says were sealed, and whose rows are gone."""
    entries = Entry.objects.filter(action=Action.CAPTURE_SEALED).order_by("pk").values_list("subject", flat=True)
    batch: list[str] = []
    for subject in entries.iterator(chunk_size=_ENTRIES_AT_ONCE):
        batch.append(subject.removeprefix("capture/"))
        if len(batch) == _ENTRIES_AT_ONCE:
            yield from _without_row(batch)
            batch = []
    yield from _without_row(batch)


def _without_row(public_ids: list[str]) -> Iterator[Fault]:
    there = set(Capture.objects.filter(request__public_id__in=public_ids).values_list("request__public_id", flat=True))
    for public_id in public_ids:
        if public_id not in there:
            yield Fault(public_id, "row", _("The log says that it was sealed, and there is no such capture."))


def _faults(capture: Capture) -> Iterator[Fault]:
    public_id = capture.public_id
    layers = list(capture.layers.all())
    for part, message in [
        *_blob_faults(capture, layers),
        *_record_faults(capture),
        *_check_faults(capture),
        *_row_faults(capture, layers),
        *_layer_faults(layers),
        *_package_faults(capture),
        *_signature_faults(capture),
    ]:
        yield Fault(public_id, part, message)


Faults = Iterator[tuple[str, str]]


def _blob_faults(capture: Capture, layers: list[TextLayer]) -> Faults:
    files: list[tuple[str, str, int | None]] = [
        ("warc", capture.warc_sha256, capture.warc_bytes),
        ("body", capture.body_sha256, capture.body_bytes),
    ]
    if capture.engine == Engine.UPLOAD:
        files.append(("uploaded file", capture.request.upload_sha256, None))
    for layer in layers:
        files.append((f"text layer {layer.kind}", layer.sha256, None))
        files.append((f"offsets of text layer {layer.kind}", layer.offsets_sha256, None))
    files += [(f"rendering {one.kind}", one.sha256, one.bytes) for one in capture.renderings.all()]
    for part, sha256, size in files:
        if not sha256:
            continue
        try:
            found = blobs.verify(sha256)
        except (BlobError, ValueError) as error:
            yield part, str(error)
            continue
        if size is not None and found != size:
            yield part, _("There are %(found)d bytes; the capture says %(said)d.") % {"found": found, "said": size}


def _record_faults(capture: Capture) -> Faults:
    if not capture.warc_sha256:
        return
    try:
        found = sum(1 for _record in read_warc(capture.warc_sha256))
    except WarcFault as fault:
        yield "warc", str(fault)
    except (BlobError, ValueError):
        # Said of the file already.
        return
    else:
        if found != capture.records:
            message = _("The WARC has %(found)d records; the capture says %(said)d.")
            yield "warc", message % {"found": found, "said": capture.records}


def _check_faults(capture: Capture) -> Faults:
    """What was found of an uploaded package also stands in the WARC, whose hash the log has."""
    row = PackageChecks.objects.select_related("facts_row").filter(capture=capture).first()
    if row is None or row.facts is None:
        return
    uri = f"urn:factcheck:upload:{capture.request.upload_sha256}:facts".encode()
    try:
        with blobs.open_blob(capture.warc_sha256) as warc:
            about = next((member.head for member in wacz.members(warc) if uri in member.head[:_HEAD_BYTES]), b"")
        said = json.loads(about.partition(b"\r\n\r\n")[2].strip() or b"{}")
        recording = said.get("recording") or {}
    except (BlobError, WarcFault, ValueError, AttributeError):
        # Said of the file already.
        return
    if recording.get("checks") != row.facts:
        yield "package checks", _("They are not what was found when the package was handed in.")


def _row_faults(capture: Capture, layers: list[TextLayer]) -> Faults:
    """Row and entry were written in one transaction; whoever changes one of them leaves the other."""
    words_erased = bool(capture.words_row.erased_by)
    if not words_erased and not _is_whole(capture.words_row):
        yield "words", _("The addresses and words are not those that were sealed.")
    entries = _entries(Action.CAPTURE_SEALED, capture.subject)
    if not entries:
        yield "row", _("The log has no entry of its sealing.")
        return
    if len(entries) > 1:
        yield "row", _("The log says more than once that it was sealed.")
    facts = entries[0]
    if facts is None:
        # Erased, or not the bytes that the log has a commitment to, which verify_ledger names.
        return
    said_of_layers = facts.pop("layers", [])
    # Entries from before there was a browser say nothing of these.
    said_of_renderings = facts.pop("renderings", None)
    row = {
        "outcome": capture.outcome,
        "reason": capture.reason,
        "http_status": capture.http_status,
        "started_at": capture.started_at.isoformat(),
        "body_sha256": capture.body_sha256 or None,
        "warc_sha256": capture.warc_sha256 or None,
        "truncated": capture.truncated or None,
        **facts_of_row(capture),
    }
    if not words_erased:
        row |= {"url": capture.url, "final_url": capture.final_url}
    for name in sorted(row.keys() & facts.keys()):
        if row[name] != facts[name]:
            message = _("The row says %(row)s for %(name)s, and the log %(log)s.")
            yield "row", message % {"row": _shown(row[name]), "name": name, "log": _shown(facts[name])}
    yield from _said_of_layers(layers, said_of_layers)
    if said_of_renderings is not None:
        logged = {one["kind"]: one["sha256"] for one in said_of_renderings}
        there = {str(one.kind): one.sha256 for one in capture.renderings.all()}
        for kind in sorted(logged.keys() | there.keys()):
            if logged.get(kind) != there.get(kind):
                yield f"rendering {kind}", _("The row says another one than the log.")


def _said_of_layers(layers: list[TextLayer], said: list[dict[str, Any]]) -> Faults:
    logged = {(one["kind"], one["extractor"]): one for one in said}
    for layer in layers:
        one = logged.pop((layer.kind, f"{layer.extractor} {layer.extractor_version}"), None)
        part = f"text layer {layer.kind}"
        if one is None:
            yield part, _("The log knows of no such text.")
        elif (layer.outcome, layer.sha256 or None) != (one["outcome"], one["sha256"]):
            yield part, _("The row says another text than the log.")
        elif one.get("blocks_root") and layer.sha256:
            with suppress(BlobError, UnicodeDecodeError):
                if blocks_root(blobs.read(layer.sha256).decode()) != one["blocks_root"]:
                    yield part, _("Its blocks do not give the root that the log has.")
    for kind, _extractor in logged:
        yield f"text layer {kind}", _("The log says that there was such a text, and it is gone.")


def _layer_faults(layers: list[TextLayer]) -> Faults:
    for layer in layers:
        if not layer.sha256:
            continue
        part = f"text layer {layer.kind}"
        try:
            text = blobs.read(layer.sha256).decode()
        except UnicodeDecodeError:
            yield part, _("It is no text.")
            continue
        except (BlobError, ValueError):
            continue
        if len(text) != layer.chars:
            message = _("It has %(found)d characters; the row says %(said)d.")
            yield part, message % {"found": len(text), "said": layer.chars}
        ends = [0]
        for start, end in layer.pages or []:
            if not ends[-1] <= start <= end <= len(text):
                yield part, _("Its pages do not lie in the text one after the other.")
                break
            ends.append(end)


def _package_faults(capture: Capture) -> Faults:
    if not capture.wacz_hash or capture.words_row.erased_by:
        return
    try:
        package = wacz.lay_out_anew(capture)
        if package.hash != capture.wacz_hash:
            yield "package", _("Laid out now it has another hash than when it was sealed.")
        if (signature := capture.signature) is not None:
            with suppress(ValueError):
                package = package.signed(signed_data(signature))
        with blobs.open_blob(capture.warc_sha256) as warc:
            file = io.BufferedReader(wacz.WholeFile(package, warc), _BUFFER_BYTES)
            flaws = check_wacz(cast(io.BytesIO, file), verifier=is_good)
    except WarcFault as fault:
        yield "package", _("It can no longer be laid out: %(fault)s") % {"fault": fault}
    except (BlobError, ValueError):
        return
    else:
        for flaw in flaws:
            yield "package", f"{flaw.part}: {flaw.message}"


def _signature_faults(capture: Capture) -> Faults:
    signature = capture.signature
    logged = _entries(Action.PACKAGE_SIGNED, capture.subject)
    if signature is None:
        if logged:
            yield "signature", _("The log says that the package was signed, and the signature is gone.")
        return
    if signature.hash != capture.wacz_hash or signature.created != wacz.moment(capture.sealed_at):
        yield "signature", _("It is of another package.")
    if not is_good(signed_data(signature)):
        yield "signature", _("It does not verify with the key that stands beside it.")
    if not _is_ours(signature):
        yield (
            "signature",
            _("The log knows of no key of the newsroom with the fingerprint %(fingerprint)s.")
            % {"fingerprint": signature.fingerprint},
        )
    # None is an erased entry, which can contradict nothing.
    if None not in logged and signature.facts not in logged:
        yield "signature", _("It is not the one that the log has.")


def _is_ours(signature: WaczSignature) -> bool:
    made = _entries(Action.KEY_MADE, f"signing-key/{signature.fingerprint}")
    return any(facts is None or facts.get("public_key") == signature.public_key for facts in made)


def _entries(action: Action, subject: str) -> list[dict[str, Any] | None]:
    """The facts of each entry; None for one whose opening is erased or is not what the log committed to."""
    found: list[dict[str, Any] | None] = []
    for entry in Entry.objects.filter(action=action, subject=subject).select_related("opening").order_by("pk"):
        opened = not entry.opening.erased_by and entry.commitment == entry.opening.sha256 and _is_whole(entry.opening)
        found.append(json.loads(entry.opening.body)["facts"] if opened else None)
    return found


def _is_whole(text: Text) -> bool:
    try:
        return salted_sha256(bytes.fromhex(text.salt), text.body) == text.sha256
    except ValueError:
        return False


def _shown(value: object) -> str:
    text = str(value)
    return text if len(text) <= 100 else f"{text[:60]}… ({hashlib.sha256(text.encode()).hexdigest()[:12]})"
