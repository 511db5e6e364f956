"""Whether a package's index, list of pages and signature fit what is in it. Its hashes are looked at elsewhere.

Other people's tools write packages in many ways: nothing is counted as wrong here that a common one does. What is
wrong is told from what is merely missing, and how often, by a code. The answer is a line of JSON for each part, so that
what was said before a limit was met counts.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import json
import os
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import IO, Any
from urllib.parse import urlsplit

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed

from . import limits
from .package_signatures import check_signature
from .packages import RECORDS_MAX, Flawed, check_layout, read_small, same_address

_PIECE_BYTES = 256 * 1024
# Parts of a packed index are small, and what follows a part is copied.
_FEED_BYTES = 4 * 1024
_URLS_MAX_CHARS = 64 * 1024 * 1024
_UNPACKED_MAX_BYTES = 128 * 1024 * 1024
_DAY_SECONDS = 24 * 3600
_LINE = re.compile(rb"(\S+) ([0-9]{12,17}) (\{.*\})\s*")
_PART = re.compile(r"(\S+(?: [0-9]+)?) (\{.*\})\s*")
_WRONG = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ArchiveLoadFailed, ValueError)


@dataclass(frozen=True)
class Record:
    offset: int
    length: int
    kind: str
    url: str
    # 14 digits, or "" for a date that is none.
    moment: str
    status: str
    digest: str
    packed: bool


@dataclass
class Found:
    """How often each thing was found wrong or missing, by its code."""

    lines: int = 0
    wrong: Counter[str] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)

    def said(self) -> dict[str, Any]:
        return {"lines": self.lines, "wrong": dict(self.wrong), "missing": dict(self.missing)}


def check(file: IO[bytes]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What was found of signature, index and pages, each as soon as it is known.

    Raises LimitMet, Flawed, and any of ``_WRONG`` for what is no package.
    """
    package = zipfile.ZipFile(file)
    check_layout(package)
    yield "signature", check_signature(package)
    recordings = {
        name.rpartition("/")[2]: list(_records(package, name))
        for name in package.namelist()
        if name.startswith("archive/") and not name.endswith("/")
    }
    yield "pages", _check_pages(package, recordings).said()
    yield "index", _check_index(package, recordings).said()


def _records(package: zipfile.ZipFile, name: str) -> Iterator[Record]:
    with package.open(name) as member:
        records = ArchiveIterator(member)
        urls = 0
        for number, record in enumerate(records):
            if number >= RECORDS_MAX:
                raise limits.LimitMet("records")
            url = record.rec_headers.get_header("WARC-Target-URI") or ""
            urls += len(url)
            if urls > _URLS_MAX_CHARS:
                raise limits.LimitMet("records")
            status = record.http_headers.get_statuscode() if record.http_headers is not None else ""
            packed = bool(records.reader.decompressor)
            yield Record(
                offset=records.get_record_offset(),
                length=records.get_record_length(),
                kind=record.rec_type,
                url=url,
                moment=_digits(record.rec_headers.get_header("WARC-Date") or ""),
                status=status if record.rec_type == "response" else "",
                digest=(record.rec_headers.get_header("WARC-Payload-Digest") or "")[:200],
                packed=packed,
            )


def _digits(date: str) -> str:
    digits = re.sub("[^0-9]", "", date)[:14]
    return digits if len(digits) == 14 else ""


# --- the index -------------------------------------------------------------------------------


def _check_index(package: zipfile.ZipFile, recordings: dict[str, list[Record]]) -> Found:
    found = Found()
    at = {name: {record.offset: record for record in records} for name, records in recordings.items()}
    named: set[tuple[str, int]] = set()
    digests: dict[str, dict[int, str]] = {}
    names = [name for name in package.namelist() if name.startswith("indexes/") and not name.endswith("/")]
    for name in names:
        if name.endswith(".idx"):
            continue
        before = b""
        for line in _index_lines(package, name):
            if not line.strip() or line.startswith(b"!"):
                continue
            found.lines += 1
            if found.lines > RECORDS_MAX:
                raise limits.LimitMet("index")
            if line < before:
                found.missing["order"] += 1
            before = line
            match = _LINE.fullmatch(line)
            fields = _object(match[3]) if match else None
            if match is None or fields is None:
                found.wrong["unreadable"] += 1
                continue
            filename = str(fields.get("filename")).rpartition("/")[2]
            offset = _number(fields.get("offset"))
            if filename not in at:
                found.wrong["file"] += 1
                continue
            record = at[filename].get(offset)
            if record is None:
                found.wrong["offset"] += 1
                continue
            named.add((filename, offset))
            if "recordDigest" in fields:
                digests.setdefault(filename, {})[offset] = str(fields["recordDigest"])
            for code in _differences(match[1], match[2], fields, record):
                found.wrong[code] += 1
    for filename, said in digests.items():
        found.wrong["record"] += _other_bytes(package, filename, at[filename], said)
    for name in names:
        if name.endswith(".idx"):
            found.wrong["part"] += _wrong_parts(package, name, names)
    if not found.lines:
        found.missing["index"] += 1
    else:
        found.missing["record"] = sum(
            (filename, record.offset) not in named
            for filename, records in recordings.items()
            for record in records
            if record.kind in ("response", "revisit", "resource") and record.url.startswith(("http://", "https://"))
        )
    found.wrong, found.missing = +found.wrong, +found.missing
    return found


def _differences(key: bytes, moment: bytes, fields: dict[str, Any], record: Record) -> Iterator[str]:
    url = str(fields.get("url", ""))
    posted = str(fields.get("method", "GET")) != "GET"
    if same_address(url) != same_address(record.url) and not (posted and url.startswith(record.url)):
        yield "url"
    if not _key_fits(key.decode("utf-8", "replace"), record.url):
        yield "key"
    if record.moment and moment.decode()[:14].ljust(14, "0") != record.moment:
        yield "time"
    # Unpacked files end a record with an empty line, which some count in and some do not.
    if not 0 <= _number(fields.get("length")) - record.length <= (0 if record.packed else 4):
        yield "length"
    if (
        record.digest
        and (said := str(fields.get("digest") or ""))
        and _digest_bytes(said) != _digest_bytes(record.digest)
    ):
        yield "digest"
    if record.status and str(fields.get("status") or record.status) != record.status:
        yield "status"


def _key_fits(key: str, url: str) -> bool:
    """Whether a page is found under its own host. Of paths and queries each tool makes something else."""
    host = (urlsplit(url).hostname or "") if url.startswith(("http://", "https://")) else ""
    if not host or ":" in host or not host.isascii() or ")" not in key:
        return True
    under = key.partition(")")[0].lower().removeprefix("http://(").removeprefix("https://(").rstrip(",")
    labels = under.partition(":")[0].split(",")
    plain = re.sub(r"^www[0-9]*\.(?=.)", "", host.rstrip("."))
    return any(sorted(labels) == sorted(name.split(".")) for name in (host.rstrip("."), plain))


def _digest_bytes(text: str) -> bytes:
    """A digest is written in base32 or in hex, with its kind before it or without."""
    value = text.rpartition(":")[2]
    with contextlib.suppress(binascii.Error, ValueError):
        if re.fullmatch("[0-9a-fA-F]{32,128}", value) and len(value) in (32, 40, 64, 96, 128):
            return bytes.fromhex(value)
        return base64.b32decode(value.rstrip("=").upper() + "=" * (-len(value.rstrip("=")) % 8))
    return value.encode("utf-8", "replace")


def _other_bytes(package: zipfile.ZipFile, filename: str, records: dict[int, Record], said: dict[int, str]) -> int:
    """How many records have another hash than the index says of their bytes."""
    other = 0
    name = next(one for one in package.namelist() if one.startswith("archive/") and one.endswith(f"/{filename}"))
    with package.open(name) as member:
        place = 0
        for offset in sorted(said):
            place += _skip(member, offset - place)
            digest, left = hashlib.sha256(), records[offset].length
            while left and (piece := member.read(min(left, _PIECE_BYTES))):
                digest.update(piece)
                left -= len(piece)
                place += len(piece)
            other += said[offset].rpartition(":")[2].lower() != digest.hexdigest()
    return other


def _skip(member: IO[bytes], amount: int) -> int:
    left = amount
    while left and (piece := member.read(min(left, _PIECE_BYTES))):
        left -= len(piece)
    return amount - left


def _index_lines(package: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    if not name.endswith(".gz"):
        yield from read_small(package, name).splitlines()
        return
    rest = b""
    for _offset, _length, _digest, content in _parts(package, name):
        *lines, rest = (rest + content).split(b"\n")
        yield from lines
    yield rest


def _parts(package: zipfile.ZipFile, name: str) -> Iterator[tuple[int, int, str, bytes]]:
    """Each gzip member of a packed index: where it lies, its hash and its content."""
    packed, offset, unpacked = read_small(package, name), 0, 0
    while offset < len(packed):
        unpacker, content, end = zlib.decompressobj(31), bytearray(), offset
        while not unpacker.eof:
            piece = packed[end : end + _FEED_BYTES]
            if not piece:
                raise ValueError("a packed index that breaks off")
            content += unpacker.decompress(piece, _UNPACKED_MAX_BYTES)
            end += len(piece)
            if unpacker.unconsumed_tail or unpacked + len(content) > _UNPACKED_MAX_BYTES:
                raise limits.LimitMet("index")
        end -= len(unpacker.unused_data)
        unpacked += len(content)
        yield offset, end - offset, hashlib.sha256(packed[offset:end]).hexdigest(), bytes(content)
        offset = end


def _wrong_parts(package: zipfile.ZipFile, name: str, names: list[str]) -> int:
    """How many lines of an index of a packed index say something else than that one."""
    known = {
        (offset, length): (digest, content.partition(b"\n")[0].partition(b" {")[0].decode("utf-8", "replace"))
        for packed in names
        if packed.endswith(".gz")
        for offset, length, digest, content in _parts(package, packed)
    }
    wrong = 0
    for line in read_small(package, name).decode("utf-8", "replace").splitlines():
        if not line.strip() or line.startswith("!"):
            continue
        match = _PART.fullmatch(line)
        fields = _object(match[2]) if match else None
        part = known.get((_number(fields.get("offset")), _number(fields.get("length")))) if fields else None
        if match is None or fields is None or part is None:
            wrong += 1
            continue
        digest, key = part
        wrong += key != match[1] or str(fields.get("digest", digest)).rpartition(":")[2] != digest
    return wrong


# --- the pages -------------------------------------------------------------------------------


def _check_pages(package: zipfile.ZipFile, recordings: dict[str, list[Record]]) -> Found:
    found = Found()
    moments: dict[str, list[float]] = {}
    for record in (record for records in recordings.values() for record in records):
        if record.kind in ("response", "revisit", "resource"):
            moments.setdefault(same_address(record.url), []).append(_seconds(record.moment))
    for name in package.namelist():
        if not name.startswith("pages/") or not name.endswith(".jsonl"):
            continue
        for line in read_small(package, name).splitlines():
            page = _object(line)
            if page is not None and "format" in page and "url" not in page:
                continue
            found.lines += 1
            if found.lines > RECORDS_MAX:
                raise limits.LimitMet("pages")
            if page is None or not isinstance(page.get("url"), str):
                found.wrong["unreadable"] += 1
                continue
            recorded = moments.get(same_address(page["url"]))
            if recorded is None:
                found.missing["page"] += 1
            elif (said := _seconds(_digits(str(page.get("ts", ""))))) and all(
                abs(said - one) > _DAY_SECONDS for one in recorded
            ):
                found.wrong["time"] += 1
    if not found.lines:
        found.missing["pages"] += 1
    main = (_object(read_small(package, "datapackage.json")) or {}).get("mainPageUrl")
    if isinstance(main, str) and main and same_address(main) not in moments:
        found.missing["main"] += 1
    return found


def _seconds(moment: str) -> float:
    try:
        return datetime.strptime(moment, "%Y%m%d%H%M%S").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return 0.0


def _number(value: Any) -> int:
    try:
        return int(value) if isinstance(value, (int, str)) and len(str(value)) < 20 else -1
    except ValueError:
        return -1


def _object(text: bytes | str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def main() -> None:
    answer_to = os.dup(1)
    os.dup2(2, 1)
    limits.put_up()
    with (
        contextlib.suppress(BrokenPipeError),
        os.fdopen(answer_to, "wb") as out,
        os.fdopen(0, "rb", closefd=False) as file,
        # What was not said could not be looked at; why, nobody needs to know.
        contextlib.suppress(limits.LimitMet, MemoryError, Flawed, *_WRONG),
    ):
        for part, said in check(file):
            out.write(json.dumps({part: said}).encode() + b"\n")
            out.flush()
    os._exit(0)
