"""WARC/1.1, the form in which a capture is kept and given away.

ISO 28500:2017, text: https://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/

Every record is a gzip member of its own. A response block holds all bytes of the message after TLS: interim responses,
chunk framing, content-coding. Its payload digest is of the body with the chunk framing removed and the content-coding
kept (iipc/warc-specifications issue 22); `warcio check` takes it over the framing and then complains (warcio issue 75).

The same input gives the same bytes: record ids are made from the capture's id and the record's place, and the gzip
heads carry no time.
"""

import hashlib
import json
import os
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any
from uuid import NAMESPACE_URL, uuid5

from isal import isal_zlib

from factcheck.archive import media
from factcheck.outbound.exchanges import Exchange, Limits
from factcheck.outbound.messages import Head

# Level 2 packs HTML at 630 MB/s, zlib's 6 at 56, for three points of size; media does not shrink at any level.
_GZIP_LEVEL = 2
_GZIP_FORMAT = 31
# To store as it is, zlib needs none of the 256 kB that it would set aside: the smallest window and tables.
_GZIP_STORED = (16 + 9, 1)
_PIECE_BYTES = 256 * 1024
_CONFORMS_TO = "https://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/"
_IDENTICAL = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
_UNSAFE = re.compile(r"[\x00-\x1f\x7f]")
_PACKED = re.compile(
    r"image/(?!svg|bmp|x-icon|vnd\.microsoft)|video/|audio/|font/woff|application/(?:zip|gzip|ogg|font-woff)"
)
# Ours, on an answer to anything but GET: whoever looks up the address must not be given it.
METHOD_FIELD = "Factcheck-Request-Method"


@dataclass(frozen=True)
class ExtraRecord:
    """Something made from the capture, kept beside it as a resource record: a text layer under `urn:text:<url>`."""

    uri: str
    media_type: str
    body: bytes
    refers_to_uri: str | None = None
    created: datetime | None = None


@dataclass(frozen=True)
class WarcSummary:
    """``bytes``, ``sha256`` and ``crc`` (CRC-32) are of the whole compressed file."""

    records: int
    bytes: int
    sha256: str
    crc: int = 0


Fields = list[tuple[str, str]]


@dataclass(slots=True)
class Written:
    """A record as it lies in the file; ``sha256`` is of the record as packed, ``http`` the head of an answer."""

    offset: int
    length: int
    sha256: str
    fields: Fields
    http: Head | None


OnRecord = Callable[[Written], None]


@dataclass
class _Writer:
    """Writes records, one gzip member each, and keeps count."""

    out: IO[bytes]
    capture_id: str
    on_record: OnRecord | None = None
    records: int = 0
    written: int = 0
    crc: int = 0
    # None for a file that hashes what is written to it.
    digest: Any = None

    def record_id(self, position: int) -> str:
        return f"<urn:uuid:{uuid5(NAMESPACE_URL, f'urn:factcheck:capture:{self.capture_id}:{position}')}>"

    def next_id(self, ahead: int = 0) -> str:
        return self.record_id(self.records + ahead)

    def write(
        self, fields: Fields, block: Iterable[bytes], *, http: Head | None = None, is_packed: bool = False
    ) -> None:
        """``is_packed`` says that packing the block once more would cost time and save nothing."""
        packer: Any = (
            zlib.compressobj(0, zlib.DEFLATED, *_GZIP_STORED)
            if is_packed
            else isal_zlib.compressobj(_GZIP_LEVEL, isal_zlib.DEFLATED, _GZIP_FORMAT)
        )
        lines = "\r\n".join([f"{name}: {value}" for name, value in fields])
        if len(_UNSAFE.findall(lines)) != 2 * (len(fields) - 1):
            raise ValueError(f"A WARC header cannot hold {lines[:2000]!r}.")
        offset, member = self.written, hashlib.sha256()

        def put(data: bytes) -> None:
            self.out.write(data)
            if self.digest is not None:
                self.digest.update(data)
            member.update(data)
            self.crc = isal_zlib.crc32(data, self.crc)
            self.written += len(data)

        packed = packer.compress(f"WARC/1.1\r\n{lines}\r\n\r\n".encode())
        for piece in block:
            packed += packer.compress(piece)
            if len(packed) >= _PIECE_BYTES:
                put(packed)
                packed = b""
        put(packed + packer.compress(b"\r\n\r\n") + packer.flush())
        self.records += 1
        if self.on_record is not None:
            self.on_record(Written(offset, self.written - offset, member.hexdigest(), fields, http))


def write_warc(
    path_or_file: Path | IO[bytes],
    *,
    capture_id: str,
    exchanges: Sequence[Exchange],
    requisites: Sequence[Exchange] = (),
    created: datetime,
    software: str,
    operator: str,
    extra_records: Iterable[ExtraRecord] = (),
    limits: Limits | None = None,
    info: Mapping[str, str] | None = None,
    facts: Mapping[str, Any] | None = None,
    on_record: OnRecord | None = None,
) -> WarcSummary:
    """Write the exchanges of one capture as a WARC.

    In this order: warcinfo; for every hop response and request; the same for ``requisites``; DNS answers and
    certificates; one metadata record with the hops, limits and TLS results (and ``facts``); ``extra_records``. An
    requisite whose payload is in the file already becomes a revisit of the first: never of another file. ``info`` adds
    fields to the warcinfo. A path is written beside its place (`.open`), synced and renamed; a file is left open and
    unsynced.
    """
    if isinstance(path_or_file, Path):
        draft = path_or_file.with_name(path_or_file.name + ".open")
        name = path_or_file.name
        opened: Any = draft.open("wb")
    else:
        draft = None
        name = f"{capture_id}.warc.gz"
        opened = nullcontext(path_or_file)
    try:
        with opened as out:
            hashing = getattr(out, "digest", None)
            writer = _Writer(out, capture_id, on_record, digest=hashlib.sha256() if hashing is None else None)
            warcinfo_id = _write_warcinfo(writer, name, created, software, operator, info or {})
            written: dict[str, _Original] = {}
            response_ids = [_write_pair(writer, exchange, warcinfo_id, written) for exchange in exchanges]
            for requisite in requisites:
                _write_pair(writer, requisite, warcinfo_id, written, is_part=True)
            _write_dns(writer, [*exchanges, *requisites], warcinfo_id)
            _write_certificates(writer, [*exchanges, *requisites], warcinfo_id)
            if exchanges:
                _write_metadata(writer, exchanges, response_ids, created, limits, facts or {}, warcinfo_id)
            for extra in extra_records:
                _write_extra(writer, extra, created, warcinfo_id)
            if draft is not None:
                out.flush()
                os.fsync(out.fileno())
    except BaseException:
        if draft is not None:
            draft.unlink(missing_ok=True)
        raise
    if draft is not None and isinstance(path_or_file, Path):
        draft.rename(path_or_file)
    digest = writer.digest if hashing is None else hashing
    return WarcSummary(writer.records, writer.written, digest.hexdigest(), writer.crc)


def _write_warcinfo(
    writer: _Writer, name: str, created: datetime, software: str, operator: str, info: Mapping[str, str]
) -> str:
    lines = {
        "software": software,
        "format": "WARC File Format 1.1",
        "conformsTo": _CONFORMS_TO,
        "operator": operator,
        "isPartOf": f"capture/{writer.capture_id}",
        "robots": "ignored, and not asked for: an editor asked for this page",
        **info,
    }
    block = "".join(f"{key}: {_one_line(value)}\r\n" for key, value in lines.items()).encode()
    record_id = writer.next_id()
    _write_block(
        writer,
        "warcinfo",
        created,
        block,
        "application/warc-fields",
        [("WARC-Filename", name)],
    )
    return record_id


@dataclass(frozen=True)
class _Original:
    """The first record of a payload."""

    record_id: str
    url: str
    date: str


def _write_pair(
    writer: _Writer, exchange: Exchange, warcinfo_id: str, written: dict[str, _Original], *, is_part: bool = False
) -> str:
    response_id, request_id = writer.next_id(), writer.next_id(1)
    date = _date(exchange.started_at)
    about: Fields = [("WARC-Target-URI", exchange.url), ("WARC-Date", date), ("WARC-IP-Address", exchange.ip)]
    protocol: Fields = [("WARC-Protocol", exchange.head.version.lower())]
    if exchange.tls is not None:
        # https://github.com/iipc/warc-specifications/issues/42 and 86
        protocol.append(("WARC-Protocol", exchange.tls.version.lower().replace("v", "/", 1)))
        protocol.append(("WARC-Cipher-Suite", exchange.tls.cipher))
    exchange = exchange.held()
    payload_digest, payload_bytes, kind, is_packed = _payload_facts(exchange)
    # ``POST`` in the browser's traffic; the archiver's own questions are all GET.
    method = exchange.request.partition(b" ")[0].decode("ascii", "replace")
    common: Fields = [
        ("WARC-Record-ID", response_id),
        *about,
        ("WARC-Concurrent-To", request_id),
        ("WARC-Warcinfo-ID", warcinfo_id),
        *protocol,
        ("WARC-Payload-Digest", payload_digest),
        # The page itself is found in the index also if a form led to it.
        *([(METHOD_FIELD, method)] if is_part and method != "GET" else []),
    ]
    # Empty payloads are all alike and say nothing, and half of one is no copy of another half.
    whole = payload_bytes > 0 and not exchange.truncated and method == "GET"
    # Of the page itself its package needs an answer of its own, though another address may have sent the same.
    original = written.get(payload_digest) if whole and is_part else None
    if original is not None:
        head = _head_bytes(exchange)
        revisit: Fields = [
            ("WARC-Type", "revisit"),
            *common,
            ("WARC-Profile", _IDENTICAL),
            ("WARC-Refers-To", original.record_id),
            ("WARC-Refers-To-Target-URI", original.url),
            ("WARC-Refers-To-Date", original.date),
            # The standard's part 6.7.2 wants it of a revisit without its payload.
            ("WARC-Truncated", "length"),
            ("WARC-Block-Digest", _sha256([head])),
            ("Content-Type", "application/http;msgtype=response"),
            ("Content-Length", str(len(head))),
        ]
        writer.write(revisit, [head], http=exchange.head)
    else:
        if whole:
            written.setdefault(payload_digest, _Original(response_id, exchange.url, date))
        response: Fields = [
            ("WARC-Type", "response"),
            *common,
            *([("WARC-Identified-Payload-Type", kind)] if kind else []),
            ("WARC-Block-Digest", _sha256(exchange.raw())),
            *([("WARC-Truncated", exchange.truncated)] if exchange.truncated else []),
            ("Content-Type", "application/http;msgtype=response"),
            ("Content-Length", str(exchange.length)),
        ]
        writer.write(response, exchange.raw(), http=exchange.head, is_packed=is_packed)
    request: Fields = [
        ("WARC-Type", "request"),
        ("WARC-Record-ID", request_id),
        *about,
        ("WARC-Concurrent-To", response_id),
        ("WARC-Warcinfo-ID", warcinfo_id),
        *protocol,
        ("WARC-Block-Digest", _sha256([exchange.request])),
        ("Content-Type", "application/http;msgtype=request"),
        ("Content-Length", str(len(exchange.request))),
    ]
    writer.write(request, [exchange.request])
    return response_id


def _payload_facts(exchange: Exchange) -> tuple[str, int, str, bool]:
    """Its digest and length; what its first bytes say that it is ("" if nothing); whether it is packed already."""
    digest, length, beginning = hashlib.sha256(), 0, b""
    for piece in exchange.payload():
        beginning = beginning or piece[: media.HEAD_BYTES]
        digest.update(piece)
        length += len(piece)
    has_coding = any(value.strip().lower() not in ("", "identity") for value in exchange.head.all("content-encoding"))
    found = ""
    if beginning and not has_coding:
        found = media.sniff(beginning, media.declared(exchange.header("content-type"))[0])
        found = "" if _UNSAFE.search(found) or not found.isascii() else found
    return f"sha256:{digest.hexdigest()}", length, found, has_coding or bool(_PACKED.match(found))


def _head_bytes(exchange: Exchange) -> bytes:
    exchange.response.seek(0)
    return exchange.response.read(exchange.head.end)


def _write_dns(writer: _Writer, exchanges: Sequence[Exchange], warcinfo_id: str) -> None:
    """One record per name asked for: a name is resolved once for each hop, and every answer counts."""
    written: set[tuple[str, tuple[str, ...]]] = set()
    for exchange in exchanges:
        key = (exchange.host, exchange.addresses)
        if exchange.addresses == (exchange.host,) or key in written:
            continue
        written.add(key)
        lines = ["; as answered by this machine's resolver, which does not tell how long an answer lives"]
        lines += [f"{exchange.host}. IN {'AAAA' if ':' in ip else 'A'} {ip}" for ip in exchange.addresses]
        _write_block(
            writer,
            "resource",
            exchange.started_at,
            "".join(line + "\r\n" for line in lines).encode(),
            "text/dns",
            [
                ("WARC-Target-URI", f"dns:{exchange.host}"),
                ("WARC-Refers-To-Target-URI", exchange.url),
                ("WARC-Warcinfo-ID", warcinfo_id),
            ],
        )


def _write_certificates(writer: _Writer, exchanges: Sequence[Exchange], warcinfo_id: str) -> None:
    written: set[tuple[str, ...]] = set()
    for exchange in exchanges:
        if exchange.tls is None or exchange.tls.chain_pem in written:
            continue
        written.add(exchange.tls.chain_pem)
        fingerprint = hashlib.sha256(exchange.tls.certificate_der).hexdigest()
        _write_block(
            writer,
            "resource",
            exchange.started_at,
            "".join(exchange.tls.chain_pem).encode("ascii"),
            "application/pem-certificate-chain",
            [
                ("WARC-Target-URI", f"urn:certificate:sha256:{fingerprint}"),
                ("WARC-Refers-To-Target-URI", exchange.url),
                ("WARC-IP-Address", exchange.ip),
                ("WARC-Warcinfo-ID", warcinfo_id),
            ],
        )


def _write_metadata(
    writer: _Writer,
    exchanges: Sequence[Exchange],
    response_ids: Sequence[str],
    created: datetime,
    limits: Limits | None,
    facts: Mapping[str, Any],
    warcinfo_id: str,
) -> None:
    content: dict[str, Any] = {
        "hops": [
            {
                "url": exchange.url,
                **({"method": "POST"} if exchange.request.startswith(b"POST ") else {}),
                "ip": exchange.ip,
                "resolved": list(exchange.addresses),
                "started_at": _date(exchange.started_at),
                "status": exchange.status,
                "interim": list(exchange.head.interim),
                "wire_bytes": exchange.length,
                "bytes_after_end": exchange.surplus,
                "truncated": exchange.truncated,
                "tls": exchange.tls
                and {
                    "version": exchange.tls.version,
                    "cipher": exchange.tls.cipher,
                    "verified": exchange.tls.verified,
                    "problem": exchange.tls.problem,
                    "certificate_sha256": hashlib.sha256(exchange.tls.certificate_der).hexdigest(),
                },
            }
            for exchange in exchanges
        ],
        "limits": limits
        and {
            "wire_bytes": limits.max_wire_bytes,
            "decoded_bytes": limits.max_decoded_bytes,
            "ratio": limits.max_ratio,
            "seconds": limits.seconds,
        },
        **facts,
    }
    _write_block(
        writer,
        "metadata",
        created,
        json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True).encode(),
        "application/json",
        [
            ("WARC-Target-URI", exchanges[-1].url),
            ("WARC-Refers-To", response_ids[-1]),
            ("WARC-Warcinfo-ID", warcinfo_id),
        ],
    )


def _write_extra(writer: _Writer, extra: ExtraRecord, created: datetime, warcinfo_id: str) -> None:
    fields: Fields = [("WARC-Target-URI", extra.uri)]
    if extra.refers_to_uri is not None:
        fields.append(("WARC-Refers-To-Target-URI", extra.refers_to_uri))
    fields.append(("WARC-Warcinfo-ID", warcinfo_id))
    _write_block(writer, "resource", extra.created or created, extra.body, extra.media_type, fields)


def _write_block(writer: _Writer, kind: str, when: datetime, block: bytes, media_type: str, more: Fields) -> None:
    writer.write(
        [
            ("WARC-Type", kind),
            ("WARC-Record-ID", writer.next_id()),
            ("WARC-Date", _date(when)),
            *more,
            ("WARC-Block-Digest", _sha256([block])),
            ("Content-Type", media_type),
            ("Content-Length", str(len(block))),
        ],
        _pieces(block),
    )


def _pieces(block: bytes) -> Iterator[bytes]:
    for start in range(0, len(block), _PIECE_BYTES):
        yield block[start : start + _PIECE_BYTES]


def _sha256(pieces: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return f"sha256:{digest.hexdigest()}"


def _date(when: datetime) -> str:
    return when.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _one_line(value: str) -> str:
    return _UNSAFE.sub(" ", value)
