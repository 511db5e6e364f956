"""What a film or a sound recording says of itself: MP4 and QuickTime boxes, Matroska and WebM elements.

Nothing is decoded. Only boxes of known meaning are opened, so that depth is bounded by what is known here; sizes
are believed as far as the file reaches, and so many headers are read and no more.
Formats: ISO/IEC 14496-12, https://developer.apple.com/documentation/quicktime-file-format, RFC 8794, RFC 9559.
"""

from __future__ import annotations

import contextlib
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import IO, Any

from .wording import one_line
from .xmp import PACKET_MAX_BYTES

EBML = frozenset(("video/webm", "video/x-matroska", "audio/webm"))
BOXES = frozenset(("video/mp4", "video/quicktime", "video/x-m4v", "audio/mp4"))
HEADERS_MAX = 100_000
TRACKS_MAX = 20
WORDS_MAX = 100
COVERS_MAX = 3
COVER_MAX_BYTES = 10 * 1024 * 1024
_VALUE_MAX_BYTES = 2_000
_ENTRY_BYTES = 100
_MAC_EPOCH = datetime(1904, 1, 1, tzinfo=UTC)
_MATROSKA_EPOCH = datetime(2001, 1, 1, tzinfo=UTC)
_SECONDS_MAX = 10 * 365 * 24 * 3600
_PLACE = re.compile(r"([+-]\d{1,3}(?:\.\d{1,10})?)([+-]\d{1,3}(?:\.\d{1,10})?)(?:[+-]\d+(?:\.\d+)?)?(?:CRS\S*)?/?")


class Broken(Exception):
    """A size leads out of the file, or something else breaks off."""


class TooMany(Exception):
    """More headers than are read here."""


@dataclass
class Film:
    container: str = ""
    brands: list[str] = field(default_factory=list)
    seconds: float | None = None
    created: str = ""
    changed: str = ""
    # It comes in pieces, as a stream does; the head need not know how long it is.
    fragmented: bool = False
    tracks: list[dict[str, Any]] = field(default_factory=list)
    # Name and value: a short name where the meaning is known (see ``_NAMES``), else the file's own.
    words: list[list[str]] = field(default_factory=list)
    place: list[float] | None = None
    # Where pictures lie in the file, as (start, length).
    covers: list[tuple[int, int]] = field(default_factory=list)
    # Where an XMP packet lies.
    packets: list[tuple[int, int]] = field(default_factory=list)
    problem: str = ""

    def say(self, name: str, value: Any) -> None:
        line = one_line(value)
        if line and len(self.words) < WORDS_MAX and [name, line] not in self.words:
            self.words.append([name, line])

    def facts(self) -> dict[str, Any]:
        size: tuple[int | None, int | None] = (None, None)
        for track in self.tracks:
            if track["kind"] == "video" and track.get("width") and track.get("height"):
                size = track["width"], track["height"]
                break
        return {
            "format": self.container,
            "brands": self.brands,
            "width": size[0],
            "height": size[1],
            "seconds": self.seconds,
            "created": self.created,
            "changed": self.changed,
            "fragmented": self.fragmented,
            "tracks": self.tracks,
            "words": self.words,
            "gps": self.place,
            "problem": self.problem,
        }


def read(file: IO[bytes], media_type: str) -> Film:
    """Always a film, also of the worst file: ``problem`` is "", "damaged" or "limit"."""
    file.seek(0, 2)
    source = _Source(file, file.tell())
    film = Film()
    walk = _Elements(source, film).file if media_type in EBML else _Boxes(source, film).file
    try:
        walk()
    except TooMany:
        film.problem = "limit"
    except (Broken, struct.error, OverflowError, ValueError):
        film.problem = "damaged"
    return film


class _Source:
    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file = file
        self.size = size
        self._left = HEADERS_MAX

    def at(self, start: int, length: int) -> bytes:
        """So many bytes from there. Raises Broken where the file ends before."""
        self._file.seek(start)
        found = self._file.read(length)
        if len(found) < length:
            raise Broken
        return found

    def count(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise TooMany


def _moment(seconds: int) -> str:
    """ISO time of so many seconds after the epoch of MP4; "" for none and for what is no time of a film."""
    if not 0 < seconds < 1 << 33:
        return ""
    return (_MAC_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _duration(units: float, per_second: float) -> float | None:
    seconds = units / per_second if per_second > 0 else 0
    return round(seconds, 3) if isfinite(seconds) and 0 < seconds < _SECONDS_MAX else None


def place_of(words: str) -> list[float] | None:
    """Latitude and longitude in degrees of an ISO 6709 line such as "+60.17+24.94+010/"."""
    found = _PLACE.fullmatch(words.strip())
    if not found:
        return None
    return _place(float(found[1]), float(found[2]))


def _place(latitude: float, longitude: float) -> list[float] | None:
    return [round(latitude, 6), round(longitude, 6)] if abs(latitude) <= 90 and abs(longitude) <= 180 else None


# --- MP4 and QuickTime -----------------------------------------------------------------------

_KINDS = {b"vide": "video", b"soun": "audio", b"text": "text", b"sbtl": "text", b"subt": "text", b"meta": "data"}
_NAMES = {
    "\xa9mak": "make",
    "\xa9mod": "model",
    "\xa9swr": "software",
    "\xa9too": "software",
    "\xa9enc": "software",
    "\xa9nam": "title",
    "\xa9art": "artist",
    "\xa9aut": "author",
    "\xa9cmt": "comment",
    "\xa9des": "description",
    "\xa9inf": "description",
    "\xa9cpy": "copyright",
    "\xa9day": "recorded",
    "\xa9xyz": "location",
    "desc": "description",
    "ldes": "description",
    "keyw": "keywords",
    "titl": "title",
    "auth": "author",
    "perf": "artist",
    "dscp": "description",
    "cprt": "copyright",
    "location": "location",
    "encoder": "software",
    "creation_time": "created",
    "com.apple.quicktime.make": "make",
    "com.apple.quicktime.model": "model",
    "com.apple.quicktime.software": "software",
    "com.apple.quicktime.creationdate": "recorded",
    "com.apple.quicktime.location.iso6709": "location",
    "com.apple.quicktime.title": "title",
    "com.apple.quicktime.author": "author",
    "com.apple.quicktime.artist": "artist",
    "com.apple.quicktime.comment": "comment",
    "com.apple.quicktime.description": "description",
    "com.apple.quicktime.copyright": "copyright",
    "com.apple.quicktime.keywords": "keywords",
    "com.android.manufacturer": "make",
    "com.android.model": "model",
    "com.android.version": "android",
}
# With a version, flags and a language before the words (3GPP TS 26.244).
_OF_3GPP = frozenset((b"titl", b"auth", b"perf", b"dscp", b"cprt"))
_XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_TURNED = {(0, 1): 90, (-1, 0): 180, (0, -1): 270}


@dataclass(frozen=True)
class _Box:
    kind: bytes
    # Of what is in it.
    start: int
    end: int


class _Boxes:
    def __init__(self, source: _Source, film: Film) -> None:
        self._source = source
        self._film = film

    def file(self) -> None:
        film, moov = self._film, False
        for box in self._in(0, self._source.size):
            match box.kind:
                case b"ftyp":
                    self._brands(box)
                case b"moov":
                    moov = True
                    self._moov(box)
                case b"moof":
                    film.fragmented = True
                case b"meta":
                    self._meta(box)
                case b"uuid" if self._payload(box, 16) == _XMP_UUID:
                    self._packet(box.start + 16, box.end)
        film.container = film.container or "QuickTime"
        if not moov:
            # Without it nobody can play the rest: so ends a recording that broke off.
            raise Broken

    def _in(self, start: int, end: int) -> Iterator[_Box]:
        """The boxes from there to there, up to the first that does not fit; then raises Broken."""
        while end - start >= 8:
            self._source.count()
            size, kind = struct.unpack(">I4s", self._source.at(start, 8))
            header = 8
            if size == 1:
                (size,) = struct.unpack(">Q", self._source.at(start + 8, 8))
                header = 16
            elif size == 0:
                # QuickTime ends a list in 'udta' by it; anywhere else it means "to the end".
                if start + 8 >= end or kind == b"\0\0\0\0":
                    return
                size = end - start
            if size < header or start + size > end:
                # What fits of it can still be read.
                if size >= header and end == self._source.size:
                    yield _Box(kind, start + header, end)
                raise Broken
            yield _Box(kind, start + header, start + size)
            start += size

    def _payload(self, box: _Box, most: int = _VALUE_MAX_BYTES) -> bytes:
        return self._source.at(box.start, min(box.end - box.start, most))

    def _packet(self, start: int, end: int) -> None:
        if 0 < end - start <= PACKET_MAX_BYTES and not self._film.packets:
            self._film.packets.append((start, end - start))

    def _brands(self, box: _Box) -> None:
        data = self._payload(box, 200)
        found = [data[:4], *(data[start : start + 4] for start in range(8, len(data) - 3, 4))]
        self._film.brands = list(dict.fromkeys(line for brand in found if (line := one_line(brand))))[:20]
        self._film.container = "QuickTime" if data[:4] == b"qt  " else "MP4"

    def _moov(self, moov: _Box) -> None:
        for box in self._in(moov.start, moov.end):
            match box.kind:
                case b"mvhd":
                    self._film.created, self._film.changed, self._film.seconds = self._times(box)
                case b"mvex":
                    self._film.fragmented = True
                case b"trak" if len(self._film.tracks) < TRACKS_MAX:
                    self._track(box)
                case b"udta":
                    self._user_data(box)
                case b"meta":
                    self._meta(box)

    def _times(self, box: _Box) -> tuple[str, str, float | None]:
        """Of 'mvhd' and 'mdhd', which begin alike."""
        data = self._payload(box, 36)
        if data[:1] == b"\x01":
            created, changed, scale, units = struct.unpack_from(">QQIQ", data, 4)
            endless = (1 << 64) - 1
        else:
            created, changed, scale, units = struct.unpack_from(">IIII", data, 4)
            endless = (1 << 32) - 1
        return _moment(created), _moment(changed), None if units == endless else _duration(units, scale)

    def _track(self, trak: _Box) -> None:
        track: dict[str, Any] = {"kind": "other", "codec": ""}
        self._film.tracks.append(track)
        for box in self._in(trak.start, trak.end):
            if box.kind == b"tkhd":
                self._track_head(box, track)
            elif box.kind == b"udta":
                self._user_data(box)
            elif box.kind == b"meta":
                self._meta(box)
            elif box.kind == b"mdia":
                for part in self._in(box.start, box.end):
                    if part.kind == b"mdhd":
                        track["created"], _changed, track["seconds"] = self._times(part)
                    elif part.kind == b"hdlr":
                        data = self._payload(part, 100)
                        track["kind"] = _KINDS.get(data[8:12], "other")
                        # A Pascal string in QuickTime, a C string in MP4; either may be empty.
                        track["name"] = one_line(data[24:].strip(b"\0"))
                    elif part.kind == b"minf":
                        self._media_info(part, track)
        if track.pop("turn", 0) in (90, 270) and track.get("width"):
            track["width"], track["height"] = track["height"], track["width"]

    def _track_head(self, box: _Box, track: dict[str, Any]) -> None:
        data = self._payload(box, 96)
        matrix = 52 if data[:1] == b"\x01" else 40
        a, b = struct.unpack_from(">ii", data, matrix)
        width, height = struct.unpack_from(">II", data, matrix + 36)
        track["turn"] = _TURNED.get(((a > 0) - (a < 0), (b > 0) - (b < 0)), 0)
        if width >> 16 and height >> 16:
            track["width"], track["height"] = width >> 16, height >> 16

    def _media_info(self, minf: _Box, track: dict[str, Any]) -> None:
        for table in self._in(minf.start, minf.end):
            if table.kind != b"stbl":
                continue
            for box in self._in(table.start, table.end):
                if box.kind == b"stsd":
                    self._entry(box, track)
                    return

    def _entry(self, stsd: _Box, track: dict[str, Any]) -> None:
        data = self._source.at(stsd.start + 8, min(_ENTRY_BYTES, stsd.end - stsd.start - 8))
        track["codec"] = one_line(data[4:8].decode("latin-1"))
        if track["kind"] == "video":
            width, height = struct.unpack_from(">HH", data, 32)
            if width and height:
                track["width"], track["height"] = width, height
            # Encoders write their name here, also when they packed anew what a camera had made.
            name = data[51 : 51 + min(data[50], 31)] if len(data) > 50 else b""
            track["encoder"] = one_line(name)
        elif track["kind"] == "audio":
            track["channels"], track["hertz"] = (
                struct.unpack_from(">H", data, 24)[0],
                struct.unpack_from(">I", data, 32)[0] >> 16,
            )

    def _user_data(self, udta: _Box) -> None:
        # A broken end of these words must not cost the rest of the file.
        with contextlib.suppress(Broken, struct.error):
            for box in self._in(udta.start, udta.end):
                if box.kind == b"meta":
                    self._meta(box)
                elif box.kind == b"loci":
                    self._loci(box)
                elif box.kind == b"XMP_":
                    self._packet(box.start, box.end)
                elif box.kind[:1] == b"\xa9":
                    data = self._payload(box)
                    (length,) = struct.unpack_from(">H", data)
                    self._word(box.kind.decode("latin-1"), _text(data[4 : 4 + length]))
                elif box.kind in _OF_3GPP:
                    self._word(box.kind.decode("latin-1"), _text(self._payload(box)[6:]))

    def _loci(self, box: _Box) -> None:
        name, _end, rest = self._payload(box)[6:].partition(b"\0")
        longitude, latitude = struct.unpack_from(">ii", rest, 1)
        self._film.place = self._film.place or _place(round(latitude / 65536, 4), round(longitude / 65536, 4))
        self._film.say("place", _text(name))

    def _meta(self, meta: _Box) -> None:
        with contextlib.suppress(Broken, struct.error):
            # ISO gave this box a version, QuickTime has none.
            bare = self._source.at(meta.start, min(8, meta.end - meta.start))[4:8] == b"hdlr"
            keys: list[str] = []
            for box in self._in(meta.start + (0 if bare else 4), meta.end):
                if box.kind == b"keys":
                    keys = self._keys(box)
                elif box.kind == b"ilst":
                    self._items(box, keys)

    def _keys(self, box: _Box) -> list[str]:
        start = box.start + 8
        keys: list[str] = []
        while box.end - start >= 8 and len(keys) < WORDS_MAX:
            (size,) = struct.unpack(">I", self._source.at(start, 4))
            if size < 8 or start + size > box.end:
                break
            keys.append(one_line(self._source.at(start + 8, min(size - 8, 100))))
            start += size
        return keys

    def _items(self, ilst: _Box, keys: list[str]) -> None:
        for item in self._in(ilst.start, ilst.end):
            number = int.from_bytes(item.kind, "big")
            name = keys[number - 1] if 0 < number <= len(keys) else item.kind.decode("latin-1")
            for box in self._in(item.start, item.end):
                if box.kind == b"name":
                    # Of an item of somebody's own making, '----'.
                    name = _text(self._payload(box)[4:])
                elif box.kind == b"data" and box.end - box.start >= 8:
                    self._value(name, box)

    def _value(self, name: str, box: _Box) -> None:
        kind = int.from_bytes(self._source.at(box.start, 4), "big")
        if kind in (13, 14):
            _add_cover(self._film, box.start + 8, box.end - box.start - 8)
            return
        data = self._payload(box)[8:]
        match kind:
            case 1:
                self._word(name, _text(data))
            case 2:
                self._word(name, data.decode("utf-16-be", "replace"))
            case 21 | 22 if len(data) <= 8:
                self._word(name, int.from_bytes(data, "big", signed=kind == 21))
            case 23 if len(data) == 4:
                self._word(name, round(struct.unpack(">f", data)[0], 6))
            case 24 if len(data) == 8:
                self._word(name, round(struct.unpack(">d", data)[0], 6))

    def _word(self, name: str, value: Any) -> None:
        known = _NAMES.get(name.lower(), "")
        if known == "location" and (place := place_of(str(value))):
            self._film.place = place
            return
        self._film.say(known or one_line(name), value)


def _text(data: bytes) -> str:
    if data.startswith((b"\xfe\xff", b"\xff\xfe")):
        return data.decode("utf-16", "replace").rstrip("\0")
    try:
        return data.decode("utf-8").rstrip("\0")
    except UnicodeDecodeError:
        return data.decode("mac-roman").rstrip("\0")


def _add_cover(film: Film, start: int, length: int) -> None:
    if 0 < length <= COVER_MAX_BYTES and len(film.covers) < COVERS_MAX:
        film.covers.append((start, length))


# --- Matroska and WebM -----------------------------------------------------------------------

_SEGMENT, _CLUSTER = 0x18538067, 0x1F43B675
_TRACK_KINDS = {1: "video", 2: "audio", 0x11: "text"}
_TAG_NAMES = {
    "ENCODER": "software",
    "ENCODED_BY": "software",
    "TITLE": "title",
    "ARTIST": "artist",
    "DIRECTOR": "author",
    "COMMENT": "comment",
    "DESCRIPTION": "description",
    "COPYRIGHT": "copyright",
    "DATE_RECORDED": "recorded",
    "DATE_DIGITIZED": "recorded",
    "RECORDING_LOCATION": "place",
    "MAKE": "make",
    "MODEL": "model",
}
_PICTURE_TYPES = (b"image/jpeg", b"image/png", b"image/webp")


@dataclass(frozen=True)
class _Element:
    id: int
    start: int
    # None: until something ends it.
    end: int | None


class _Elements:
    def __init__(self, source: _Source, film: Film) -> None:
        self._source = source
        self._film = film
        self._scale = 1_000_000
        self._units = 0.0

    def file(self) -> None:
        film, segment = self._film, False
        for element in self._in(0, self._source.size):
            if element.id == 0x1A45DFA3 and element.end is not None:
                for part in self._in(element.start, element.end):
                    if part.id == 0x4282:
                        film.brands = [one_line(self._bytes(part))]
                film.container = "WebM" if film.brands == ["webm"] else "Matroska"
            elif element.id == _SEGMENT:
                segment = True
                self._segment(element)
        if not segment:
            raise Broken

    def _segment(self, segment: _Element) -> None:
        for element in self._in(segment.start, segment.end or self._source.size):
            match element.id:
                case 0x1549A966:
                    self._info(element)
                case 0x1654AE6B:
                    self._tracks(element)
                case 0x1254C367:
                    self._tags(element)
                case 0x1941A469:
                    self._attachments(element)
                case 0x1F43B675 if element.end is None:
                    # As a browser writes it while it records: nobody went back to put in sizes.
                    self._film.fragmented = True

    def _in(self, start: int, end: int) -> Iterator[_Element]:
        while start < end:
            self._source.count()
            head = self._source.at(start, min(12, end - start))
            id_length = _vint_length(head[0], 4)
            element_id = int.from_bytes(head[:id_length], "big")
            length = _vint_length(head[id_length] if len(head) > id_length else 0, 8)
            if len(head) < id_length + length:
                raise Broken
            size = int.from_bytes(head[id_length : id_length + length], "big") & ((1 << 7 * length) - 1)
            begin = start + id_length + length
            if size == (1 << 7 * length) - 1:
                if element_id not in (_SEGMENT, _CLUSTER):
                    raise Broken
                yield _Element(element_id, begin, None)
                if element_id == _SEGMENT:
                    return
                # What is in the cluster is passed over piece by piece, as if it lay beside it.
                start = begin
                continue
            if begin + size > end:
                if end == self._source.size and element_id in (_SEGMENT, _CLUSTER):
                    yield _Element(element_id, begin, end)
                raise Broken
            yield _Element(element_id, begin, begin + size)
            start = begin + size

    def _parts(self, element: _Element) -> Iterator[_Element]:
        return self._in(element.start, element.end or element.start)

    def _bytes(self, element: _Element) -> bytes:
        return self._source.at(element.start, min((element.end or element.start) - element.start, _VALUE_MAX_BYTES))

    def _number(self, element: _Element) -> int:
        return int.from_bytes(self._bytes(element)[:8], "big")

    def _float(self, element: _Element) -> float:
        data = self._bytes(element)
        if len(data) not in (4, 8):
            return 0.0
        return float(struct.unpack(">f" if len(data) == 4 else ">d", data)[0])

    def _line(self, element: _Element) -> str:
        return self._bytes(element).decode("utf-8", "replace").rstrip("\0")

    def _info(self, info: _Element) -> None:
        film = self._film
        for part in self._parts(info):
            match part.id:
                case 0x2AD7B1:
                    self._scale = self._number(part)
                case 0x4489:
                    self._units = self._float(part)
                case 0x4461:
                    nanoseconds = int.from_bytes(self._bytes(part)[:8], "big", signed=True)
                    with contextlib.suppress(OverflowError):
                        moment = _MATROSKA_EPOCH + timedelta(microseconds=nanoseconds // 1000)
                        film.created = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
                case 0x7BA9:
                    film.say("title", self._line(part))
                case 0x4D80 | 0x5741:
                    film.say("software", self._line(part))
        film.seconds = _duration(self._units * self._scale, 1_000_000_000)

    def _tracks(self, tracks: _Element) -> None:
        for entry in self._parts(tracks):
            if entry.id != 0xAE or len(self._film.tracks) >= TRACKS_MAX:
                continue
            track: dict[str, Any] = {"kind": "other", "codec": ""}
            self._film.tracks.append(track)
            for part in self._parts(entry):
                match part.id:
                    case 0x83:
                        track["kind"] = _TRACK_KINDS.get(self._number(part), "other")
                    case 0x86:
                        track["codec"] = one_line(self._line(part))
                    case 0x536E:
                        track["name"] = one_line(self._line(part))
                    case 0xE0:
                        for fact in self._parts(part):
                            if fact.id in (0xB0, 0xBA):
                                track["width" if fact.id == 0xB0 else "height"] = self._number(fact)
                    case 0xE1:
                        for fact in self._parts(part):
                            if fact.id == 0x9F:
                                track["channels"] = self._number(fact)
                            elif fact.id == 0xB5:
                                hertz = self._float(fact)
                                track["hertz"] = int(hertz) if 0 < hertz < 1e7 else 0

    def _tags(self, tags: _Element) -> None:
        for tag in self._parts(tags):
            if tag.id != 0x7373:
                continue
            for simple in self._parts(tag):
                if simple.id != 0x67C8:
                    continue
                name = value = ""
                for part in self._parts(simple):
                    if part.id == 0x45A3:
                        name = self._line(part)
                    elif part.id == 0x4487:
                        value = self._line(part)
                self._tag(one_line(name), value)

    def _tag(self, name: str, value: str) -> None:
        known = _TAG_NAMES.get(name.upper(), "") or _NAMES.get(name.lower(), "")
        if known == "location" and (place := place_of(value)):
            self._film.place = place
        # How long and of how many bytes each track is, some write down for each track.
        elif name and not name.upper().startswith(("_STATISTICS", "BPS", "DURATION", "NUMBER_OF_")):
            self._film.say(known or name, value)

    def _attachments(self, attachments: _Element) -> None:
        for attached in self._parts(attachments):
            if attached.id != 0x61A7:
                continue
            name, media_type, data = "", b"", None
            for part in self._parts(attached):
                if part.id == 0x466E:
                    name = self._line(part)
                elif part.id == 0x4660:
                    media_type = self._bytes(part)
                elif part.id == 0x465C:
                    data = part
            self._film.say("attachment", name)
            if media_type in _PICTURE_TYPES and data is not None and data.end is not None:
                _add_cover(self._film, data.start, data.end - data.start)


def _vint_length(first: int, most: int) -> int:
    """Of a number whose leading zeroes tell how many bytes it has. Raises Broken."""
    length = 9 - first.bit_length()
    if not 1 <= length <= most:
        raise Broken
    return length
