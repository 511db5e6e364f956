"""Whether a WACZ is whole, and is what it says: stricter than the format's own validator.

Nothing is unpacked to disk. Every byte of the ZIP belongs to a file that is listed with its hash, every record is as it
says, and index and pages say of each record what the record says itself: so that nobody can put a page under another
address or another day by changing the lists and their hashes.
"""

import hashlib
import json
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any

from django.utils.translation import gettext as _

from factcheck.archive.errors import WarcFault
from factcheck.archive.wacz import (
    DATAPACKAGE,
    DIGEST,
    PAGE_KINDS,
    PAGES,
    SIGNED_ANONYMOUSLY,
    VERSION,
    ZIP64_FROM,
    ZIP64_MARK,
    ZIP_VERSION,
    Entry,
    index_entry,
    members,
    zip64_fields,
    zip_end,
)
from factcheck.archive.warc_reading import read_records

# Whether signature and public key in an anonymous signedData are of its hash.
Verifier = Callable[[Mapping[str, str]], bool]

_PIECE_BYTES = 256 * 1024
_SMALL_BYTES = 64 << 20
_MOST_FILES = 1000
_MOST_RATIO = 100
# PKWARE's APPNOTE 4.3.7 and 4.3.12.
_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL_BYTES = 46
_PLACES = {
    "archive": re.compile(r"archive/[\w.-]+\.warc\.gz", re.ASCII),
    "indexes": re.compile(r"indexes/[\w.-]+\.cdxj?", re.ASCII),
    "pages": re.compile(r"pages/[\w.-]+\.jsonl", re.ASCII),
}
_LINE = re.compile(rb"([\x21-\x7e]+) ([0-9]{14,17}) (\{.*\})")
_FORMAT = "json-pages-1.0"


@dataclass(frozen=True)
class Flaw:
    """``code`` names the rule that is broken, ``part`` the file in the package; ``message`` is a sentence."""

    code: str
    part: str
    message: str


class _Flawed(Exception):
    def __init__(self, code: str, part: str, message: str) -> None:
        self.flaw = Flaw(code, part, message)


def check_wacz(file: IO[bytes], *, verifier: Verifier | None = None) -> list[Flaw]:
    """Everything that is wrong with a package, or an empty list.

    Where the ZIP, its list or a hash is wrong the rest is not looked at: it would not be known what it is of. A
    signature that nobody here can verify is a flaw, since it must not pass for one that was verified.
    """
    try:
        with zipfile.ZipFile(file) as package:
            _check_layout(file, package)
            datapackage = _check_list(package)
            _check_digest(package, datapackage, verifier)
            entries: dict[tuple[str, str], Entry] = {}
            for name in _names(package, "archive"):
                entries |= _read_warc(package, name)
            return [*_index_flaws(package, entries), *_page_flaws(package, datapackage, entries)]
    except _Flawed as flawed:
        return [flawed.flaw]
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, UnicodeDecodeError) as error:
        return [Flaw("zip", "", _("The file is no whole ZIP: %(error)s") % {"error": error})]


def _names(package: zipfile.ZipFile, place: str) -> list[str]:
    return [name for name in package.namelist() if name.startswith(f"{place}/")]


def _check_layout(file: IO[bytes], package: zipfile.ZipFile) -> None:
    """The ZIP as such: no name that could be another's or lie elsewhere, no byte that belongs to no file."""
    infos = package.infolist()
    if len(infos) > _MOST_FILES:
        raise _Flawed("too_many", "", _("The package holds more files than anybody lists."))
    seen: set[str] = set()
    for info in infos:
        name = info.filename
        # zipfile cuts a name at a NUL; the name that stands there is the one that counts.
        parts = info.orig_filename.split("/")
        if (
            not re.fullmatch(r"[\x20-\x7e]+", info.orig_filename)
            or "\\" in name
            or ":" in name
            or {"", ".", ".."} & {*parts}
        ):
            raise _Flawed("name", name, _("A file in the package has a name that leads out of it."))
        if name.lower() in seen:
            raise _Flawed("duplicate", name, _("Two files in the package have the same name."))
        seen.add(name.lower())
        if info.flag_bits & 1:
            raise _Flawed("encrypted", name, _("A file in the package is encrypted."))
        if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
            raise _Flawed("kind", name, _("Something in the package is not a plain file."))
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or (
            info.compress_type != zipfile.ZIP_STORED and name.endswith(".gz")
        ):
            raise _Flawed("compression", name, _("A packed file is packed again, or in a way that nobody expects."))
        if info.file_size > _MOST_RATIO * max(info.compress_size, 1):
            raise _Flawed("ratio", name, _("A file in the package unpacks to too many times its size."))
    place = 0
    for info in sorted(infos, key=lambda one: one.header_offset):
        if info.header_offset != place:
            raise _Flawed("gap", info.filename, _("The package holds bytes that belong to no file in it."))
        file.seek(info.header_offset)
        expected = _local_head_of(info)
        if file.read(len(expected)) != expected:
            raise _Flawed("heads", info.filename, _("The package's directory and the head of a file disagree."))
        place += len(expected) + info.compress_size
    file.seek(0, 2)
    size, listed = file.tell(), 0
    for info in infos:
        extra = zip64_fields(info.file_size, info.compress_size, info.header_offset)
        if info.extra != extra or info.comment:
            raise _Flawed("heads", info.filename, _("The package's directory says more of a file than it should."))
        listed += _CENTRAL_BYTES + len(info.orig_filename) + len(extra)
    end = zip_end(len(infos), place, listed)
    file.seek(place + listed)
    if package.start_dir != place or size != place + listed + len(end) or file.read(len(end)) != end:
        raise _Flawed("gap", "", _("The package holds bytes that belong to no file in it."))


def _local_head_of(info: zipfile.ZipInfo) -> bytes:
    year, month, day, hour, minute, second = info.date_time
    moment = (hour << 11 | minute << 5 | second >> 1, (year - 1980) << 9 | month << 5 | day)
    sizes, version, extra = (info.compress_size, info.file_size), info.extract_version, b""
    # Both sizes stand in a head's ZIP64 field as soon as one of them has to: APPNOTE 4.5.3.
    if max(sizes) >= ZIP64_FROM:
        extra = struct.pack("<2H2Q", 1, 16, info.file_size, info.compress_size)
        sizes = (ZIP64_MARK, ZIP64_MARK)
    elif info.header_offset >= ZIP64_FROM:
        # Only the directory needs ZIP64 to say where a small file lies.
        version = ZIP_VERSION
    name = info.orig_filename.encode()
    fixed = (version, info.flag_bits, info.compress_type, *moment, info.CRC, *sizes)
    return _LOCAL.pack(b"PK\x03\x04", *fixed, len(name), len(extra)) + name + extra


def _check_list(package: zipfile.ZipFile) -> dict[str, Any]:
    """datapackage.json: it lists every file but itself and its digest, once, with size and hash."""
    datapackage = _read_json(package, DATAPACKAGE)
    if datapackage.get("profile") != "data-package" or datapackage.get("wacz_version") != VERSION:
        raise _Flawed("version", DATAPACKAGE, _("This is no package of version %(version)s.") % {"version": VERSION})
    resources = datapackage.get("resources")
    if not isinstance(resources, list) or not all(isinstance(one, dict) for one in resources):
        raise _Flawed("list", DATAPACKAGE, _("The package does not list its files."))
    listed = [str(one.get("path")) for one in resources]
    present = [name for name in package.namelist() if name not in (DATAPACKAGE, DIGEST)]
    if len(set(listed)) != len(listed):
        raise _Flawed("list", DATAPACKAGE, _("The package lists a file twice."))
    for name in sorted({*listed} ^ {*present}):
        code, message = (
            ("missing", _("A file is listed and is not there."))
            if name in listed
            else ("unlisted", _("A file is there and is not listed."))
        )
        raise _Flawed(code, name, message)
    for place, pattern in _PLACES.items():
        names = _names(package, place)
        if not names or (place == "pages" and PAGES not in names):
            raise _Flawed("missing", f"{place}/", _("The package lacks what has to be there."))
        for name in names:
            if not pattern.fullmatch(name):
                raise _Flawed("foreign", name, _("A file lies where only files of another kind may."))
    for one in resources:
        sha256, size = _hash(package, one["path"])
        if one.get("hash") != f"sha256:{sha256}":
            raise _Flawed("hash", one["path"], _("A file does not have the hash that is listed for it."))
        if one.get("bytes") != size:
            raise _Flawed("size", one["path"], _("A file does not have the size that is listed for it."))
    return datapackage


def _check_digest(package: zipfile.ZipFile, datapackage: Mapping[str, Any], verifier: Verifier | None) -> None:
    digest = _read_json(package, DIGEST)
    sha256, _size = _hash(package, DATAPACKAGE)
    if digest.get("path") != DATAPACKAGE or digest.get("hash") != f"sha256:{sha256}":
        raise _Flawed("digest", DIGEST, _("The list of files does not have the hash that its digest says."))
    if "signedData" not in digest:
        return
    signed = digest["signedData"]
    if (
        not isinstance(signed, dict)
        or signed.keys() != SIGNED_ANONYMOUSLY
        or signed["hash"] != digest["hash"]
        or signed["created"] != datapackage.get("created")
    ):
        raise _Flawed("signature", DIGEST, _("The signature is of another package, or in a form that is not known."))
    if verifier is None or not verifier(signed):
        raise _Flawed("signature", DIGEST, _("The signature could not be verified."))


def _read_warc(package: zipfile.ZipFile, name: str) -> dict[tuple[str, str], Entry]:
    """What an index has to say of each record, by file and offset; every digest in the WARC is compared."""
    filename = name.rpartition("/")[2]
    try:
        with package.open(name) as warc:
            for _record in read_records(warc):
                pass
        with package.open(name) as warc:
            found = [index_entry(member, filename) for member in members(warc)]
    except WarcFault as fault:
        raise _Flawed("record", name, str(fault)) from fault
    return {(filename, entry.fields["offset"]): entry for entry in found if entry is not None}


def _index_flaws(package: zipfile.ZipFile, entries: Mapping[tuple[str, str], Entry]) -> Iterator[Flaw]:
    left = dict(entries)
    for name in _names(package, "indexes"):
        before = b""
        for line in _lines(package, name):
            match = _LINE.fullmatch(line)
            fields = _json_object(match[3]) if match else None
            if not match or fields is None:
                yield Flaw("index_line", name, _("A line of the index cannot be read."))
                continue
            if line < before:
                yield Flaw("index_order", name, _("The lines of the index are not in order."))
            before = line
            entry = left.pop((str(fields.get("filename")), str(fields.get("offset"))), None)
            if entry is None:
                yield Flaw("index_offset", name, _("A line of the index points to where no record begins, or again."))
                continue
            said = {key: str(value) for key, value in fields.items()}
            if said.keys() != entry.fields.keys():
                yield Flaw("index_fields", name, _("A line of the index has other fields than it should."))
            for key in sorted(said.keys() & entry.fields.keys()):
                if said[key] != entry.fields[key]:
                    message = _("A line of the index says another %(field)s than the record.")
                    yield Flaw(f"index_{key}", name, message % {"field": key})
            if match[1].decode() != entry.key:
                yield Flaw("index_key", name, _("A line of the index stands under another address than the record's."))
            if not match[2].decode().startswith(entry.timestamp):
                yield Flaw("index_time", name, _("A line of the index says another time than the record."))
    if left:
        yield Flaw("index_incomplete", "indexes/", _("The index leaves out a record."))


def _page_flaws(
    package: zipfile.ZipFile, datapackage: Mapping[str, Any], entries: Mapping[tuple[str, str], Entry]
) -> Iterator[Flaw]:
    answers = {(entry.fields["url"], entry.date) for entry in entries.values() if entry.kind in PAGE_KINDS}
    pages: list[tuple[Any, Any]] = []
    for name in _names(package, "pages"):
        lines = [_json_object(line) for line in _lines(package, name)]
        if not lines or lines[0] is None or lines[0].get("format") != _FORMAT:
            yield Flaw("pages_head", name, _("The list of pages does not begin as one."))
        for page in lines[1:]:
            if page is None or not isinstance(page.get("url"), str) or not isinstance(page.get("ts"), str):
                yield Flaw("page_line", name, _("A line of the list of pages cannot be read."))
                continue
            pages.append((page["url"], page["ts"]))
            if pages[-1] not in answers:
                yield Flaw("page_unknown", name, _("A page has no record of that address and time."))
    if not pages:
        yield Flaw("pages_none", PAGES, _("The package names no page."))
    elif (datapackage.get("mainPageUrl"), datapackage.get("mainPageDate")) not in pages:
        yield Flaw("main_page", DATAPACKAGE, _("The main page is not among the pages."))


def _hash(package: zipfile.ZipFile, name: str) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with package.open(name) as member:
        while piece := member.read(_PIECE_BYTES):
            digest.update(piece)
            size += len(piece)
    return digest.hexdigest(), size


def _read_small(package: zipfile.ZipFile, name: str) -> bytes:
    if name not in package.namelist():
        raise _Flawed("missing", name, _("The package lacks what has to be there."))
    with package.open(name) as member:
        content = member.read(_SMALL_BYTES + 1)
    if len(content) > _SMALL_BYTES:
        raise _Flawed("too_large", name, _("A list in the package is too large to be one."))
    return content


def _lines(package: zipfile.ZipFile, name: str) -> list[bytes]:
    return _read_small(package, name).removesuffix(b"\n").split(b"\n")


def _read_json(package: zipfile.ZipFile, name: str) -> dict[str, Any]:
    value = _json_object(_read_small(package, name))
    if value is None:
        raise _Flawed("json", name, _("A list in the package cannot be read."))
    return value


def _json_object(text: bytes) -> dict[str, Any] | None:
    """None for what is no object, and for one that says two things under one name."""
    try:
        value = json.loads(text, object_pairs_hook=_each_once)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _value in pairs}) != len(pairs):
        raise ValueError("a name twice")
    return dict(pairs)
