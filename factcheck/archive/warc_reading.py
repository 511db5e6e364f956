"""A WARC read as strictly as it was written: every record, every digest, and where each revisit leads."""

from __future__ import annotations

import hashlib
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO

from django.utils.translation import gettext as _

from factcheck.archive import blobs
from factcheck.archive.errors import WarcFault
from factcheck.outbound.messages import Body, Broken, read_head

_PIECE_BYTES = 65_536
_UNPACKED_BYTES = 1 << 20
_HEAD_MAX_BYTES = 64 * 1024
_SPOOL_BYTES = 1 << 20
_REQUIRED = ("warc-type", "warc-record-id", "warc-date", "content-length", "warc-block-digest")
# WARC/1.1, part 6.7.2: the same payload as another record's, which is what makes it whole.
_SAME_PAYLOAD = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"


@dataclass(frozen=True)
class Record:
    kind: str
    url: str
    id: str = ""
    date: str = ""
    payload: str = ""
    # Of a revisit: id, address and date of the record that has its payload.
    refers_to: tuple[str, str, str] | None = None


def read_warc(sha256: str) -> Iterator[Record]:
    """Read a WARC record by record, as strictly as it was written, and compare every digest.

    Raises WarcFault at the first record that is not as it says.
    """
    with blobs.open_blob(sha256) as file:
        yield from read_records(file)


def read_records(file: IO[bytes]) -> Iterator[Record]:
    """The same of a WARC that is open already."""
    whole: dict[str, Record] = {}
    revisits: list[tuple[int, Record]] = []
    seen: set[str] = set()
    for number, member in enumerate(_members(file), 1):
        try:
            record = _read_record(member)
            if record.id in seen:
                raise WarcFault(_("An earlier record has the same id."))
        except WarcFault as fault:
            raise WarcFault(_("Record %(number)d: %(fault)s") % {"number": number, "fault": fault}) from fault
        seen.add(record.id)
        if record.kind == "response":
            whole[record.id] = record
        elif record.kind == "revisit":
            revisits.append((number, record))
        yield record
    for number, record in revisits:
        meant = whole.get(record.refers_to[0]) if record.refers_to else None
        if meant is None or record.refers_to != (meant.id, meant.url, meant.date) or record.payload != meant.payload:
            raise WarcFault(
                _("Record %(number)d: No answer in this file is the one whose payload it repeats.") % {"number": number}
            )


def _members(file: IO[bytes]) -> Iterator[IO[bytes]]:
    """Each gzip member unpacked: in a .warc.gz every record is one, so that it can be read alone."""
    packed = file.read(_PIECE_BYTES)
    while packed:
        with tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES) as member:
            unpacker = zlib.decompressobj(31)
            while not unpacker.eof:
                try:
                    unpacked = unpacker.decompress(packed, _UNPACKED_BYTES)
                except zlib.error as error:
                    raise WarcFault(_("The file is not packed as a WARC is.")) from error
                member.write(unpacked)
                packed = unpacker.unused_data or unpacker.unconsumed_tail or file.read(_PIECE_BYTES)
                if not packed and not unpacked and not unpacker.eof:
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
    kind, payload, refers_to = fields["warc-type"], fields.get("warc-payload-digest", ""), None
    if kind == "revisit":
        if fields.get("warc-profile") != _SAME_PAYLOAD or not payload:
            raise WarcFault(_("It does not say which payload it repeats."))
        named = ("warc-refers-to", "warc-refers-to-target-uri", "warc-refers-to-date")
        refers_to = (fields.get(named[0], ""), fields.get(named[1], ""), fields.get(named[2], ""))
    elif payload:
        member.seek(begin)
        if payload != _digest(_payload(_slice(member, length))):
            raise WarcFault(_("Its payload does not have the digest that it says."))
    return Record(
        kind, fields.get("warc-target-uri", ""), fields["warc-record-id"], fields["warc-date"], payload, refers_to
    )


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
