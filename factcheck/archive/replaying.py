"""What a copy looks like: its records found by address, read out of the WARC, and made harmless for showing.

Pages and style sheets are rewritten by a child (``archive.rewriting``); pictures and fonts are given as they are, under
the kind that their first bytes say.
"""

from __future__ import annotations

import functools
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import IO, Any
from urllib.parse import urljoin

from factcheck.archive import blobs, media, wacz
from factcheck.archive.errors import WarcFault
from factcheck.archive.extraction.rewriting import DRAWING_MAX_CHARS, key
from factcheck.archive.models import Capture, Engine, Rendering
from factcheck.archive.rewriting import Rewritten, rewritten
from factcheck.outbound.decoding import decoded_pieces
from factcheck.outbound.exchanges import Limits
from factcheck.outbound.messages import Body, Broken, read_head

MAX_PARTS = 5_000
MAX_REDIRECTS = 10
_PIECE_BYTES = 65_536
_DRAWINGS_MAX_BYTES = 1_500_000
_SNIFFED_BYTES = 512
_PART_LIMITS = Limits(max_wire_bytes=1 << 28, max_decoded_bytes=1 << 27, seconds=60)
_REDIRECTS = frozenset(("301", "302", "303", "307", "308"))

_IMAGES = frozenset(("image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml"))
_MEDIA = frozenset(("video/mp4", "video/webm", "audio/mpeg", "application/ogg"))
_PAGES = frozenset(("text/html", "application/xhtml+xml"))
# Those that archive.media does not tell apart, since they carry no evidence.
_SIGNATURES = (
    (re.compile(rb"\A.{4}ftypavi[fs]", re.DOTALL), "image/avif"),
    (re.compile(rb"\A\x00\x00\x01\x00"), "image/x-icon"),
    (re.compile(rb"\AwOF2"), "font/woff2"),
    (re.compile(rb"\AwOFF"), "font/woff"),
    (re.compile(rb"\AOTTO"), "font/otf"),
    (re.compile(rb"\A(?:\x00\x01\x00\x00|true|ttcf)"), "font/ttf"),
)


@dataclass(frozen=True)
class Part:
    """A recorded answer: where its record lies, and what it is, "" for what is never shown."""

    url: str
    offset: int
    # "page", "style", "image", "font" or "media"
    kind: str
    media_type: str
    charset: str


@dataclass(frozen=True)
class Parts:
    numbered: tuple[Part, ...]
    # The number of the answer behind each address, redirects followed.
    by_key: Mapping[str, int]

    @property
    def places(self) -> dict[str, tuple[int, str]]:
        return {
            address: (number, self.numbered[number].kind)
            for address, number in self.by_key.items()
            if self.numbered[number].kind
        }


@functools.lru_cache(maxsize=32)
def parts_of(warc_sha256: str) -> Parts:
    """The answers of a WARC. Raises BlobMissing and WarcFault."""
    numbered: list[Part] = []
    answered: dict[str, int] = {}
    sent_on: dict[str, str] = {}
    by_id: dict[str, int] = {}
    with blobs.open_blob(warc_sha256) as warc:
        for member in wacz.members(warc):
            entry = wacz.index_entry(member)
            if entry is None or entry.kind == "resource" or len(answered) >= MAX_PARTS:
                continue
            fields = _fields(member.head)
            address = key(entry.fields["url"])
            if entry.kind == "revisit":
                if (same := by_id.get(fields.get("warc-refers-to", ""))) is not None:
                    answered.setdefault(address, same)
                continue
            status = entry.fields.get("status", "")
            if status in _REDIRECTS:
                if location := _location(member.head):
                    sent_on.setdefault(address, key(_joined(entry.fields["url"], location)))
                continue
            part = _part(entry.fields["url"], member.offset, member.head)
            by_id[fields.get("warc-record-id", "")] = len(numbered)
            # Of an address that was asked twice, the answer that is none is passed over.
            if address not in answered or not numbered[answered[address]].kind:
                answered[address] = len(numbered)
            numbered.append(part)
    for address in sent_on:
        if address not in answered and (found := _followed(address, sent_on, answered)) is not None:
            answered[address] = found
    return Parts(tuple(numbered), answered)


def _followed(address: str, sent_on: Mapping[str, str], answered: Mapping[str, int]) -> int | None:
    for _hop in range(MAX_REDIRECTS):
        address = sent_on.get(address, "")
        if address in answered:
            return answered[address]
    return None


def _joined(base: str, address: str) -> str:
    try:
        return urljoin(base, address)
    except ValueError:
        return ""


def _fields(head: bytes) -> dict[str, str]:
    lines = head.partition(b"\r\n\r\n")[0].decode("utf-8", "replace").split("\r\n")
    return {name.strip().lower(): value.strip() for name, _colon, value in (line.partition(":") for line in lines)}


def _message(record: bytes) -> BytesIO:
    """The beginning of the recorded message, without the end of the record behind a short one."""
    length = _fields(record).get("content-length", "")
    return BytesIO(record.partition(b"\r\n\r\n")[2][: int(length) if length.isdigit() else 0])


def _location(record: bytes) -> str:
    try:
        return next(iter(read_head(_message(record)).all("location")), "")
    except Broken:
        return ""


def _part(url: str, offset: int, record: bytes) -> Part:
    message = _message(record)
    try:
        head = read_head(message)
    except Broken:
        return Part(url, offset, "", "", "")
    declared, charset = media.declared(next(iter(head.all("content-type")), None))
    if not 200 <= head.status < 300:
        return Part(url, offset, "", "", "")
    beginning = bytearray()
    for piece in decoded_pieces(head, iter(Body(message, head)), _PART_LIMITS):
        beginning += piece
        if len(beginning) >= media.HEAD_BYTES:
            break
    media_type = shown_type(bytes(beginning), declared)
    return Part(url, offset, _kind(media_type), media_type, charset)


def shown_type(beginning: bytes, declared: str) -> str:
    """The media type under which bytes may be shown; "" for all others, whatever their header says."""
    for signature, media_type in _SIGNATURES:
        if signature.match(beginning):
            return media_type
    sniffed = media.sniff(beginning[: media.HEAD_BYTES], declared)
    if sniffed in _IMAGES | _MEDIA | _PAGES:
        return sniffed
    # Style sheets have no mark of their own; as browsers do, the header is believed.
    return "text/css" if declared == "text/css" and sniffed == "text/css" else ""


def _kind(media_type: str) -> str:
    if media_type in _PAGES:
        return "page"
    if media_type == "text/css":
        return "style"
    if media_type in _MEDIA:
        return "media"
    return media_type.partition("/")[0]


def read_part(warc_sha256: str, part: Part) -> Iterator[bytes]:
    """The answer's content, unpacked, piece by piece. Opens the file at the first piece and closes it at the end."""
    with blobs.open_blob(warc_sha256) as warc:
        warc.seek(part.offset)
        message = _Record(warc)
        try:
            length = 0
            while (line := message.readline(_PIECE_BYTES)) not in (b"\r\n", b""):
                name, _colon, value = line.partition(b":")
                if name.lower() == b"content-length" and value.strip().isdigit():
                    length = int(value)
            message.end_after(length)
            head = read_head(message)
            yield from decoded_pieces(head, iter(Body(message, head)), _PART_LIMITS)
        except (Broken, zlib.error):
            return


class _Record:
    """One gzip member as a file that is read once, forward."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._unpacker = zlib.decompressobj(31)
        self._packed = b""
        self._ready = b""
        self._position = 0
        self._left: int | None = None

    def end_after(self, size: int) -> None:
        """What follows the block is the record's own end, not the message's."""
        self._left = size

    def _most(self, size: int) -> int:
        return size if self._left is None else min(size, self._left)

    def _taken(self, piece: bytes) -> bytes:
        self._position += len(piece)
        if self._left is not None:
            self._left -= len(piece)
        return piece

    def _more(self) -> bool:
        while not self._unpacker.eof:
            packed = self._packed or self._file.read(_PIECE_BYTES)
            data = self._unpacker.decompress(packed, _PIECE_BYTES)
            self._packed = self._unpacker.unconsumed_tail
            if data:
                self._ready = self._ready[self._position :] + data
                self._position = 0
                return True
            if not packed:
                return False
        return False

    def read(self, size: int, /) -> bytes:
        if self._position >= len(self._ready) and not self._more():
            return b""
        return self._taken(self._ready[self._position : self._position + self._most(size)])

    def readline(self, size: int, /) -> bytes:
        size = self._most(size)
        while True:
            end = self._ready.find(b"\n", self._position, self._position + size)
            if end >= 0:
                break
            if len(self._ready) - self._position >= size or not self._more():
                end = min(len(self._ready), self._position + size) - 1
                break
        return self._taken(self._ready[self._position : end + 1])


def page(capture: Capture, *, left_out: str) -> Rewritten:
    """The page of a copy: what the browser made of it where a browser took it, else as it was received.

    Raises BlobMissing and ReplayBusy.
    """
    sha256, charset = capture.body_sha256, capture.charset
    if capture.engine == Engine.BROWSER:
        drawn = Rendering.objects.filter(capture=capture, kind=Rendering.Kind.DOM).first()
        if drawn is not None:
            sha256, charset = drawn.sha256, "utf-8"
    order = _order("page", capture, capture.final_url or capture.url, charset, prefix="r/", left_out=left_out)
    with blobs.open_blob(sha256) as file:
        return rewritten(sha256, iter(lambda: file.read(_PIECE_BYTES), b""), order)


def part(capture: Capture, number: int) -> Part | None:
    """The answer of this number, or None for one that is not there or is never shown."""
    try:
        numbered = parts_of(capture.warc_sha256).numbered if capture.warc_sha256 else ()
    except WarcFault:
        return None
    return numbered[number] if number < len(numbered) and numbered[number].kind else None


def framed(capture: Capture, found: Part, *, left_out: str) -> Rewritten:
    """A page inside the page, or a style sheet. Raises BlobMissing and ReplayBusy."""
    order = _order(found.kind, capture, found.url, found.charset, prefix="", left_out=left_out)
    content: Iterable[bytes] = read_part(capture.warc_sha256, found)
    return rewritten(f"{capture.warc_sha256}-{found.offset}", content, order)


@functools.lru_cache(maxsize=16)
def _drawings(warc_sha256: str) -> dict[str, str]:
    """The text of the package's SVGs by key, as far as they are small: a page may take symbols out of them."""
    found, size = {}, 0
    parts = parts_of(warc_sha256)
    for address, number in parts.by_key.items():
        part = parts.numbered[number]
        if part.media_type != "image/svg+xml":
            continue
        content = bytearray()
        for piece in read_part(warc_sha256, part):
            content += piece
            if len(content) > DRAWING_MAX_CHARS:
                break
        if len(content) <= DRAWING_MAX_CHARS:
            size += len(content)
            if size > _DRAWINGS_MAX_BYTES:
                break
            found[address] = bytes(content).decode("utf-8", "replace")
    return found


def _order(kind: str, capture: Capture, base: str, charset: str, *, prefix: str, left_out: str) -> dict[str, Any]:
    try:
        places = parts_of(capture.warc_sha256).places if capture.warc_sha256 else {}
    except WarcFault:
        places = {}
    return {
        "kind": kind,
        "drawings": _drawings(capture.warc_sha256) if kind == "page" and places else {},
        "base": base,
        "charset": charset,
        "prefix": prefix,
        "left_out": left_out,
        # Frames are shown one level deep.
        "frames": bool(prefix),
        "places": places,
    }
