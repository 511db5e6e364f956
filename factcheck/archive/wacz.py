"""WACZ 1.1.1, the package that replay tools open: a capture's WARC as it was sealed, with an index and its page.

https://specs.webrecorder.net/wacz/1.1.1/. Nothing of it is kept: it is laid out from the sealed capture when somebody
asks for it, and the same capture always gives the same bytes. So the ZIP is written here and not by zipfile, which does
not promise that its heads stay as they are, and puts sizes after the data where it cannot seek back.

The WARC is stored first; all else is small. A ``Package`` holds that small rest, and gives any part of the whole.
"""

import contextlib
import functools
import hashlib
import io
import json
import re
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import IO, Any, cast
from urllib.parse import quote, urlsplit

from django.utils.translation import gettext as _
from isal import isal_zlib

from factcheck.archive import blobs, media
from factcheck.archive.errors import WarcFault
from factcheck.archive.models import Capture, CaptureRequest, CaptureWords, Engine, WaczSignature
from factcheck.archive.signatures import signed_data as data_of
from factcheck.archive.warc import METHOD_FIELD, Written
from factcheck.outbound.messages import MAX_HEAD_BYTES, Broken, Head, read_head

# Raise the number whenever the same capture would give other bytes than before.
SOFTWARE = "Factcheck WACZ 2"
VERSION = "1.1.1"
MEDIA_TYPE = "application/wacz"
WARC, INDEX, PAGES = "archive/data.warc.gz", "indexes/index.cdx", "pages/pages.jsonl"
_FILENAME = WARC.rpartition("/")[2]
DATAPACKAGE, DIGEST = "datapackage.json", "datapackage-digest.json"
# https://specs.webrecorder.net/wacz-auth/0.1.0/: the anonymous form has these properties and no other.
SIGNED_ANONYMOUSLY = frozenset(("hash", "created", "software", "version", "signature", "publicKey"))

# Its types say that this is an exception, where it is the class of one.
_NotPacked = cast(type[Exception], isal_zlib.error)
_PIECE_BYTES = 256 * 1024
# The longest head of an answer, with that of its record before it.
_HEAD_BYTES = MAX_HEAD_BYTES + (1 << 18)
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]{1,9})?Z")
_INDEXED = frozenset(("response", "revisit", "resource"))
# What a page can be: an answer from the web, or a file that a person handed in.
PAGE_KINDS = frozenset(("response", "resource"))
_DEFAULT_PORTS = {"http": 80, "https": 443}
_PRINTABLE = "".join(chr(code) for code in range(0x21, 0x7F))

# PKWARE's APPNOTE 4.3. From 4 GiB on a size or offset stands in ZIP64's fields, and this in its old place.
ZIP64_FROM = ZIP64_MARK = 0xFFFF_FFFF
_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64 = struct.Struct("<4sLQL")
ZIP_VERSION, _ZIP64_VERSION, _UNIX, _FILE_MODE = 20, 45, 3 << 8, 0o100644 << 16
# The first day that a ZIP can name: any real time would make the same capture differ.
_TIME, _DAY = 0, (1 << 5) | 1


@dataclass(frozen=True)
class Member:
    """One gzip member of a WARC, that is one record: where it lies, its SHA-256 as packed, and its first bytes."""

    offset: int
    length: int
    sha256: str
    head: bytes


@dataclass(frozen=True)
class Entry:
    """A line of the index. ``timestamp`` has 14 digits."""

    key: str
    timestamp: str
    fields: Mapping[str, str]
    # The record's own words for what the index shortens.
    kind: str
    date: str
    record_id: str = ""

    @property
    def line(self) -> bytes:
        return f"{self.key} {self.timestamp} {json.dumps(self.fields)}\n".encode("ascii")


@dataclass(frozen=True)
class Package:
    """A WACZ without its WARC, which lies between ``before`` and ``after`` unchanged.

    ``hash`` is what a signature is of: that of datapackage.json, in the form "sha256:…".
    """

    before: bytes
    warc_bytes: int
    after: bytes
    hash: str
    created: str
    warc_crc: int
    small: tuple[tuple[str, bytes], ...]

    def signed(self, signed_data: Mapping[str, str]) -> "Package":
        """The same with its signature, in the anonymous form; ValueError if it is one of something else."""
        said = (signed_data.get("hash"), signed_data.get("created"))
        if signed_data.keys() != SIGNED_ANONYMOUSLY or said != (self.hash, self.created):
            raise ValueError("This signature is not of this package.")
        digest = _json_file({"path": DATAPACKAGE, "hash": self.hash, "signedData": dict(sorted(signed_data.items()))})
        small = (*(part for part in self.small if part[0] != DIGEST), (DIGEST, digest))
        before, after = _zip_around(WARC, self.warc_bytes, self.warc_crc, small)
        return replace(self, before=before, after=after, small=small)

    @property
    def length(self) -> int:
        return len(self.before) + self.warc_bytes + len(self.after)

    @property
    def fingerprint(self) -> str:
        """Names these bytes as well as their SHA-256 would, without reading the WARC: its hash is in what follows."""
        return hashlib.sha256(self.before + self.after).hexdigest()

    def pieces(self, warc: IO[bytes], start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes from ``start`` up to ``end``, with the WARC read from its file."""
        stop = self.length if end is None else min(end, self.length)
        yield self.before[start:stop]
        begin, finish = len(self.before), len(self.before) + self.warc_bytes
        position = max(start, begin)
        warc.seek(position - begin)
        while position < min(stop, finish):
            piece = warc.read(min(_PIECE_BYTES, min(stop, finish) - position))
            if not piece:
                raise WarcFault(_("The archive file is shorter than it was."))
            yield piece
            position += len(piece)
        yield self.after[max(start - finish, 0) : max(stop - finish, 0)]

    def sha256(self, warc: IO[bytes]) -> str:
        digest = hashlib.sha256()
        for piece in self.pieces(warc):
            digest.update(piece)
        return digest.hexdigest()


class WholeFile(io.RawIOBase):
    """A package as a file to be read from any place, without being written anywhere."""

    def __init__(self, package: Package, warc: IO[bytes]) -> None:
        self._package, self._warc, self._place = package, warc, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._package.length}[whence]
        self._place = max(start + offset, 0)
        return self._place

    def readinto(self, buffer: Any) -> int:
        read = b"".join(self._package.pieces(self._warc, self._place, self._place + len(buffer)))
        buffer[: len(read)] = read
        self._place += len(read)
        return len(read)


class Part:
    """A part of a package, for a streaming answer, which closes it."""

    def __init__(self, package: Package, warc: IO[bytes], start: int, end: int) -> None:
        self._package, self._warc, self._start, self._end = package, warc, start, end

    def __iter__(self) -> Iterator[bytes]:
        return self._package.pieces(self._warc, self._start, self._end)

    @property
    def length(self) -> int:
        return self._end - self._start

    def close(self) -> None:
        self._warc.close()


def open_package(capture: Capture, start: int = 0, end: int | None = None) -> Part:
    """The bytes of ``package_of(capture)``. Raises what that does."""
    return open_part(capture, package_of(capture), start, end)


def open_part(capture: Capture, package: Package, start: int = 0, end: int | None = None) -> Part:
    """The same of a package that was laid out already: it may have been signed since."""
    return Part(package, blobs.open_blob(capture.warc_sha256), start, package.length if end is None else end)


def package_of(capture: Capture) -> Package:
    """The WACZ of a capture that has a WARC, signed as soon as it is.

    Raises BlobMissing, or WarcFault for a WARC that cannot be read or holds no page.
    """
    signature = WaczSignature.objects.filter(capture=capture).first()
    package = _package(*_about(capture))
    if signature is not None:
        # A signature of something else is given to nobody; verify_archive names it.
        with contextlib.suppress(ValueError):
            return package.signed(data_of(signature))
    return package


def lay_out_anew(capture: Capture) -> Package:
    """The same without its signature, and as the WARC is at this moment."""
    return _package.__wrapped__(*_about(capture))


def _about(capture: Capture) -> tuple[str, str, str, str, datetime]:
    page_url = page_url_for(capture.request, capture.words)
    return capture.warc_sha256, capture.public_id, page_url, capture.title, capture.sealed_at


def page_url_for(request: CaptureRequest, words: CaptureWords) -> str:
    """Under which address the WARC has the page; a person's own copy is nobody's answer from the web."""
    if request.engine == Engine.UPLOAD:
        return f"urn:factcheck:upload:{request.upload_sha256}"
    return words.final_url or words.url


# A replay tool asks for many small parts of one package; and what is sealed does not change, so nothing grows old here.
@functools.lru_cache(maxsize=16)
def _package(
    warc_sha256: str,
    page_id: str,
    page_url: str,
    title: str,
    sealed_at: datetime,
) -> Package:
    with blobs.open_blob(warc_sha256) as warc:
        return lay_out(warc, page_id=page_id, page_url=page_url, title=title, created=sealed_at)


def moment(when: datetime) -> str:
    """As ``created`` stands in a package and in what is signed."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def lay_out(
    warc: IO[bytes],
    *,
    page_id: str,
    page_url: str,
    title: str,
    created: datetime,
    signed_data: Mapping[str, str] | None = None,
) -> Package:
    """The package of one WARC and one page, whose address is that of the answer at the end of all redirects.

    A signature is made once and kept: laid out without it, the package says what to sign, and with it (in the anonymous
    form) carries it; ValueError if it is of something else. Raises WarcFault.
    """
    return lay_out_indexed(
        indexed(warc), page_id=page_id, page_url=page_url, title=title, created=created, signed_data=signed_data
    )


@dataclass
class Indexed:
    """What a package says of its WARC; ``add`` takes the records in the order of the file while it is written."""

    entries: list[Entry] = field(default_factory=list)
    sha256: str = ""
    size: int = 0
    crc: int = 0
    # The record of the page's own answer: the same address may have been asked again by a script.
    page_record: str = ""

    def add(self, record: Written) -> None:
        fields = {name.lower(): value for name, value in record.fields}
        self.page_record = self.page_record or _page_record(fields)
        if record.fields[0][1] in _INDEXED:
            entry = _entry(fields, record.http, record.offset, record.length, record.sha256, _FILENAME)
            if entry is not None:
                self.entries.append(entry)


def indexed(warc: IO[bytes]) -> Indexed:
    """The same of a file that is read. Raises WarcFault."""
    reading = _Reading(warc)
    entries, page_record = [], ""
    for member in members(reading):
        if (entry := index_entry(member)) is not None:
            entries.append(entry)
        else:
            page_record = page_record or page_record_of(member)
    return Indexed(entries, reading.digest.hexdigest(), reading.size, reading.crc, page_record)


def lay_out_indexed(
    reading: Indexed,
    *,
    page_id: str,
    page_url: str,
    title: str,
    created: datetime,
    signed_data: Mapping[str, str] | None = None,
) -> Package:
    """``lay_out`` without the WARC at hand. Raises WarcFault, ValueError."""
    entries = reading.entries
    answers = [entry for entry in entries if entry.kind in PAGE_KINDS and entry.fields["url"] == page_url]
    if not answers:
        raise WarcFault(_("The archive file holds no answer from the page's own address."))
    page_date = next((one for one in answers if one.record_id == reading.page_record), answers[-1]).date
    index = b"".join(sorted(entry.line for entry in entries))
    pages = _json_line({"format": "json-pages-1.0", "id": "pages", "title": "All Pages"}) + _json_line(
        {"id": page_id, "url": page_url, "ts": page_date, "title": title or page_url}
    )
    made_at = moment(created)
    datapackage = _json_file(
        {
            "profile": "data-package",
            "wacz_version": VERSION,
            "title": title or page_url,
            "created": made_at,
            "modified": made_at,
            "software": SOFTWARE,
            "mainPageUrl": page_url,
            "mainPageDate": page_date,
            "resources": [
                _resource(WARC, reading.sha256, reading.size),
                _resource(INDEX, hashlib.sha256(index).hexdigest(), len(index)),
                _resource(PAGES, hashlib.sha256(pages).hexdigest(), len(pages)),
            ],
        }
    )
    hash_ = f"sha256:{hashlib.sha256(datapackage).hexdigest()}"
    digest = _json_file({"path": DATAPACKAGE, "hash": hash_})
    small = ((INDEX, index), (PAGES, pages), (DATAPACKAGE, datapackage), (DIGEST, digest))
    before, after = _zip_around(WARC, reading.size, reading.crc, small)
    package = Package(before, reading.size, after, hash_, made_at, reading.crc, small)
    return package if signed_data is None else package.signed(signed_data)


class _Reading:
    """A file that is hashed while somebody else reads it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()
        self.crc = 0
        self.size = 0

    def read(self, size: int) -> bytes:
        piece = self._file.read(size)
        self.digest.update(piece)
        self.crc = isal_zlib.crc32(piece, self.crc)
        self.size += len(piece)
        return piece


def members(warc: IO[bytes] | _Reading) -> Iterator[Member]:
    """Each record of a .warc.gz, in the order of the file and to its last byte. Raises WarcFault."""
    offset = 0
    packed = warc.read(_PIECE_BYTES)
    while packed:
        unpacker = isal_zlib.decompressobj(31)
        digest, length, head = hashlib.sha256(), 0, bytearray()
        while not unpacker.eof:
            try:
                # Bounded: a page of nothing but blanks unpacks to a thousand times its size.
                data = unpacker.decompress(packed, _PIECE_BYTES)
            except isal_zlib.IsalError as error:  # type: ignore[misc]
                raise WarcFault(_("The file is not packed as a WARC is.")) from error
            if not packed and not data and not unpacker.eof:
                raise WarcFault(_("The file ends in the middle of a record."))
            head += data[: _HEAD_BYTES - len(head)]
            rest = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
            used = packed[: len(packed) - len(rest)]
            digest.update(used)
            length += len(used)
            packed = rest or warc.read(_PIECE_BYTES)
        yield Member(offset, length, digest.hexdigest(), bytes(head))
        offset += length


def index_entry(member: Member, filename: str = _FILENAME) -> Entry | None:
    """The index's line for a record, or None for one that nobody looks up. Raises WarcFault."""
    fields, block = _warc_fields(member.head)
    http = None
    if fields.get("warc-type") == "response":
        with contextlib.suppress(Broken):
            http = read_head(io.BytesIO(block))
    return _entry(fields, http, member.offset, member.length, member.sha256, filename)


def _entry(
    fields: Mapping[str, str], http: Head | None, offset: int, length: int, sha256: str, filename: str
) -> Entry | None:
    kind, url, date = fields.get("warc-type", ""), fields.get("warc-target-uri", ""), fields.get("warc-date", "")
    if kind not in _INDEXED or METHOD_FIELD.lower() in fields:
        return None
    written = _DATE.fullmatch(date)
    if not written or not url:
        raise WarcFault(_("A record does not say what it is a copy of, or of when."))
    mime, status = fields.get("content-type", "").partition(";")[0].strip() or "unk", ""
    if kind == "revisit":
        mime = "warc/revisit"
    elif kind == "response":
        mime = "unk"
        if http is not None:
            mime = media.declared(next(iter(http.all("content-type")), None))[0] or "unk"
            status = str(http.status)
    return Entry(
        key=surt(url),
        timestamp="".join(written.groups()),
        fields={
            "url": url,
            "digest": fields.get("warc-payload-digest") or fields.get("warc-block-digest", ""),
            "mime": mime,
            "offset": str(offset),
            "length": str(length),
            "recordDigest": f"sha256:{sha256}",
            **({"status": status} if status else {}),
            "filename": filename,
        },
        kind=kind,
        date=date,
        record_id=fields.get("warc-record-id", ""),
    )


def page_record_of(member: Member) -> str:
    """The id of the page's own answer, where the record says it, which only the one about the capture does."""
    return _page_record(_warc_fields(member.head)[0])


def _page_record(fields: Mapping[str, str]) -> str:
    return fields.get("warc-refers-to", "") if fields.get("warc-type") == "metadata" else ""


def surt(url: str) -> str:
    """An address as indexes sort it: host from the right, no scheme, "www." or default port, small letters.

    https://iipc.github.io/warc-specifications/ calls it SURT; query parts are put in order, as look-ups expect.
    """
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        host, port = "", None
    if not host or parts.scheme not in _DEFAULT_PORTS:
        return quote(url, safe=_PRINTABLE)
    if ":" in host:
        reversed_host = f"[{host}]"
    else:
        reversed_host = ",".join(reversed(re.sub(r"^www[0-9]*\.(?=.)", "", host).split(".")))
    if port not in (None, _DEFAULT_PORTS[parts.scheme]):
        reversed_host += f":{port}"
    path = re.sub("/{2,}", "/", parts.path).removesuffix("/") or "/"
    query = "?" + "&".join(sorted(parts.query.split("&"))) if parts.query else ""
    return quote(f"{reversed_host}){path}{query}".lower(), safe=_PRINTABLE)


def _warc_fields(head: bytes) -> tuple[dict[str, str], bytes]:
    top, end, block = head.partition(b"\r\n\r\n")
    first, *lines = top.decode("utf-8", "replace").split("\r\n")
    if not end or first != "WARC/1.1":
        raise WarcFault(_("The head of a record cannot be read."))
    fields: dict[str, str] = {}
    for line in lines:
        name, _colon, value = line.partition(":")
        fields.setdefault(name.strip().lower(), value.strip())
    return fields, block


def _resource(path: str, sha256: str, size: int) -> dict[str, Any]:
    return {"name": path.rpartition("/")[2], "path": path, "hash": f"sha256:{sha256}", "bytes": size}


# In ASCII, so that no title can end a line for those to whom U+2028 does.
def _json_line(value: Mapping[str, Any]) -> bytes:
    return f"{json.dumps(value)}\n".encode("ascii")


def _json_file(value: Mapping[str, Any]) -> bytes:
    return f"{json.dumps(value, indent=2)}\n".encode("ascii")


def _zip_around(name: str, size: int, crc: int, small: Sequence[tuple[str, bytes]]) -> tuple[bytes, bytes]:
    """What stands before and after the one large file in a ZIP of files that are all stored as they are."""
    before = _local_head(name, size, crc)
    after = bytearray()
    directory = [_central_head(name, size, crc, 0)]
    for path, content in small:
        place, checksum = len(before) + size + len(after), zlib.crc32(content)
        directory.append(_central_head(path, len(content), checksum, place))
        after += _local_head(path, len(content), checksum) + content
    start, listed = len(before) + size + len(after), b"".join(directory)
    return before, bytes(after) + listed + zip_end(len(directory), start, len(listed))


def zip_end(files: int, start: int, length: int) -> bytes:
    """What follows a directory of so many files, that begins at ``start`` and has ``length`` bytes."""
    end64 = b""
    if start >= ZIP64_FROM:
        versions = (_ZIP64_VERSION | _UNIX, _ZIP64_VERSION)
        end64 = _END64.pack(b"PK\x06\x06", _END64.size - 12, *versions, 0, 0, files, files, length, start)
        end64 += _LOCATOR64.pack(b"PK\x06\x07", 0, start + length, 1)
        start = ZIP64_MARK
    return end64 + _END.pack(b"PK\x05\x06", 0, 0, files, files, length, start, 0)


def zip64_fields(*numbers: int) -> bytes:
    """The extra field for those of the numbers that are too large for their own places."""
    large = [number for number in numbers if number >= ZIP64_FROM]
    return struct.pack(f"<2H{len(large)}Q", 1, 8 * len(large), *large) if large else b""


def _local_head(name: str, size: int, crc: int) -> bytes:
    extra = zip64_fields(size, size)
    version, said = (_ZIP64_VERSION, ZIP64_MARK) if extra else (ZIP_VERSION, size)
    fixed = (version, 0, 0, _TIME, _DAY, crc, said, said, len(name), len(extra))
    return _LOCAL.pack(b"PK\x03\x04", *fixed) + name.encode() + extra


def _central_head(name: str, size: int, crc: int, offset: int) -> bytes:
    extra = zip64_fields(size, size, offset)
    version = _ZIP64_VERSION if extra else ZIP_VERSION
    said, place = (ZIP64_MARK if number >= ZIP64_FROM else number for number in (size, offset))
    fixed = (version | _UNIX, version, 0, 0, _TIME, _DAY, crc, said, said, len(name), len(extra), 0, 0, 0)
    return _CENTRAL.pack(b"PK\x01\x02", *fixed, _FILE_MODE, place) + name.encode() + extra
