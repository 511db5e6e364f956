"""The page's bytes as they were received, out of a capture's WARC: chunk framing removed, content-coding kept."""

import tempfile
import zlib
from collections.abc import Iterator
from typing import IO

from django.utils.translation import gettext as _

from factcheck.archive import blobs, wacz
from factcheck.archive.errors import WarcFault
from factcheck.archive.models import Capture, Engine
from factcheck.outbound.messages import Body, Broken, read_head

_PIECE_BYTES = 65_536
_SPOOL_BYTES = 512 * 1024


def received_payload(capture: Capture) -> Iterator[bytes]:
    """Of the answer at the end of all redirects. Raises BlobMissing, or WarcFault where there is none."""
    wanted = capture.final_url or capture.url
    offsets: dict[str, int] = {}
    page_record = ""
    with blobs.open_blob(capture.warc_sha256) as warc:
        for member in wacz.members(warc):
            entry = wacz.index_entry(member)
            if entry is None:
                page_record = page_record or wacz.page_record_of(member)
            elif entry.kind == "response" and entry.fields["url"] == wanted:
                offsets[entry.record_id] = member.offset
                if capture.engine != Engine.BROWSER:
                    # Asked once; a browser may have loaded the page again, and its scripts have asked for it.
                    break
        offset = offsets.get(page_record, next(iter(offsets.values()), None))
        if offset is None:
            raise WarcFault(_("The archive file holds no answer from the page's own address."))
        warc.seek(offset)
        with tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES) as record:
            _unpack(warc, record)
            record.seek(0)
            while record.readline() not in (b"\r\n", b""):
                pass
            begin = record.tell()
            try:
                head = read_head(record)
                record.seek(begin + head.end)
                yield from Body(record, head)
            except Broken as broken:
                raise WarcFault(_("The recorded answer breaks off.")) from broken


def _unpack(warc: IO[bytes], record: IO[bytes]) -> None:
    unpacker = zlib.decompressobj(31)
    while not unpacker.eof and (packed := warc.read(_PIECE_BYTES)):
        while packed and not unpacker.eof:
            record.write(unpacker.decompress(packed, _PIECE_BYTES))
            packed = unpacker.unconsumed_tail
