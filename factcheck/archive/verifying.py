"""Whether the archive still holds what its captures say: every hash again, and every WARC record read strictly."""

from __future__ import annotations

import hashlib
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from factcheck.archive import blobs
from factcheck.archive.errors import BlobError, WarcFault
from factcheck.archive.models import Capture
from factcheck.outbound.messages import Body, Broken, read_head

_PIECE_BYTES = 65_536
_HEAD_MAX_BYTES = 64 * 1024
_SPOOL_BYTES = 1 << 20
_REQUIRED = ("warc-type", "warc-record-id", "warc-date", "content-length", "warc-block-digest")


@dataclass(frozen=True)
class Fault:
    """``capture`` is the public id; ``part`` says which of its files or records."""

    capture: str
    part: str
    message: str


@dataclass(frozen=True)
class Record:
    kind: str
    url: str


def check_captures(captures: QuerySet[Capture] | Iterable[Capture]) -> Iterator[tuple[Capture, list[Fault]]]:
    """Each capture with all that is wrong with it."""
    for capture in captures:
        yield capture, list(_faults(capture))


def _faults(capture: Capture) -> Iterator[Fault]:
    public_id = capture.request.public_id
    if capture.warc_sha256:
        yield from _blob_faults(public_id, "warc", capture.warc_sha256, capture.warc_bytes)
        try:
            records = list(read_warc(capture.warc_sha256))
        except WarcFault as fault:
            yield Fault(public_id, "warc", str(fault))
        except BlobError:
            # Said above already.
            pass
        else:
            if len(records) != capture.records:
                message = _("The WARC has %(found)d records; the capture says %(said)d.")
                yield Fault(public_id, "warc", message % {"found": len(records), "said": capture.records})
    if capture.body_sha256:
        yield from _blob_faults(public_id, "body", capture.body_sha256, capture.body_bytes)
    for layer in capture.layers.all():
        if layer.sha256:
            yield from _blob_faults(public_id, f"text layer {layer.kind}", layer.sha256, None)


def _blob_faults(public_id: str, part: str, sha256: str, size: int | None) -> Iterator[Fault]:
    try:
        found = blobs.verify(sha256)
    except BlobError as error:
        yield Fault(public_id, part, str(error))
        return
    if size is not None and found != size:
        message = _("There are %(found)d bytes; the capture says %(said)d.")
        yield Fault(public_id, part, message % {"found": found, "said": size})


def read_warc(sha256: str) -> Iterator[Record]:
    """Read a WARC record by record, as strictly as it was written, and compare every digest.

    Raises WarcFault at the first record that is not as it says.
    """
    with blobs.open_blob(sha256) as file:
        yield from read_records(file)


def read_records(file: IO[bytes]) -> Iterator[Record]:
    """The same of a WARC that is open already."""
    for number, member in enumerate(_members(file), 1):
        try:
            yield _read_record(member)
        except WarcFault as fault:
            raise WarcFault(_("Record %(number)d: %(fault)s") % {"number": number, "fault": fault}) from fault


def _members(file: IO[bytes]) -> Iterator[IO[bytes]]:
    """Each gzip member unpacked: in a .warc.gz every record is one, so that it can be read alone."""
    packed = file.read(_PIECE_BYTES)
    while packed:
        with tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES) as member:
            unpacker = zlib.decompressobj(31)
            while not unpacker.eof:
                try:
                    member.write(unpacker.decompress(packed))
                except zlib.error as error:
                    raise WarcFault(_("The file is not packed as a WARC is.")) from error
                packed = unpacker.unused_data or file.read(_PIECE_BYTES)
                if not packed and not unpacker.eof:
                    raise WarcFault(_("The file ends in the middle of a record."))
            member.seek(0)
            yield member


def _read_record(member: IO[bytes]) -> Record:
    fields = _read_fields(member)
    missing = [name for name in _REQUIRED if name not in fields]
    if missing:
        raise WarcFault(_("The field %(name)s is missing.") % {"name": missing[0]})
    begin = member.tell()
    length = int(fields["content-length"]) if fields["content-length"].isdigit() else -1
    member.seek(0, 2)
    if length < 0 or member.tell() != begin + length + 4:
        raise WarcFault(_("Its length is not what Content-Length says."))
    member.seek(begin + length)
    if member.read(4) != b"\r\n\r\n":
        raise WarcFault(_("It does not end with two empty lines."))
    member.seek(begin)
    if fields["warc-block-digest"] != _digest(_slice(member, length)):
        raise WarcFault(_("Its block does not have the digest that it says."))
    if said := fields.get("warc-payload-digest"):
        member.seek(begin)
        if said != _digest(_payload(_slice(member, length))):
            raise WarcFault(_("Its payload does not have the digest that it says."))
    return Record(fields["warc-type"], fields.get("warc-target-uri", ""))


def _read_fields(member: IO[bytes]) -> dict[str, str]:
    if member.readline(_HEAD_MAX_BYTES) != b"WARC/1.1\r\n":
        raise WarcFault(_("It does not begin with WARC/1.1."))
    fields: dict[str, str] = {}
    left = _HEAD_MAX_BYTES
    while (line := member.readline(_HEAD_MAX_BYTES)) != b"\r\n":
        left -= len(line)
        name, colon, value = line.decode("utf-8", "replace").partition(":")
        if not colon or not line.endswith(b"\r\n") or left < 0:
            raise WarcFault(_("Its head cannot be read."))
        # WARC-Protocol may stand there twice; no field that is compared here may.
        fields.setdefault(name.strip().lower(), value.strip())
    return fields


def _slice(member: IO[bytes], length: int) -> Iterator[bytes]:
    while length:
        piece = member.read(min(length, _PIECE_BYTES))
        if not piece:
            return
        length -= len(piece)
        yield piece


def _payload(block: Iterator[bytes]) -> Iterator[bytes]:
    """The body of a recorded response, its chunk framing removed; of one that breaks off, what there is."""
    with tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES) as message:
        for piece in block:
            message.write(piece)
        message.seek(0)
        try:
            head = read_head(message)
            message.seek(head.end)
            yield from Body(message, head)
        except Broken:
            return


def _digest(pieces: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return f"sha256:{digest.hexdigest()}"
