"""Takes one page out of somebody's own recording: a WARC, or a WACZ around one.

The answer is a line of JSON and then the page's bytes, without chunk framing and content-coding.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any
from urllib.parse import urljoin, urlsplit, urlunsplit

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed

from . import limits

PAGE_MAX_BYTES = 50 * 1024 * 1024
RECORDS_MAX = 50_000
_FILES_MAX = 1_000
_LIST_MAX_BYTES = 16 * 1024 * 1024
# Lists of a package shrink to a tenth; what shrinks to a thousandth was made to do harm.
_RATIO_MAX = 200
_HOPS_MAX = 10
_PIECE_BYTES = 256 * 1024
_DATAPACKAGE, _DIGEST, _PAGES = "datapackage.json", "datapackage-digest.json", "pages/pages.jsonl"
_MARKUP = ("text/html", "application/xhtml+xml")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_REDIRECTS = frozenset((301, 302, 303, 307, 308))

Opening = Callable[[], IO[bytes]]


class Flawed(Exception):
    """No page can be taken out of it; the message names the flaw."""


@dataclass(frozen=True)
class Found:
    """An answer in the recording; ``place`` is the file in the package and the record's number in that."""

    place: tuple[int, int]
    url: str
    status: int
    media_type: str
    location: str = ""


@dataclass
class Package:
    warcs: list[Opening]
    main_page: str = ""
    # What was compared on the way, for the record.
    checked: list[str] = field(default_factory=list)


def take_out(file: IO[bytes], kind: str, wanted: str) -> tuple[dict[str, Any], bytes]:
    """The facts and the bytes of the page that was asked for, or else of the recording's own main page.

    Raises Flawed and LimitMet.
    """
    package = _of_wacz(file) if kind == "wacz" else Package([lambda: _rewound(file)])
    answers = list(_answers(package))
    found = _led_to(answers, wanted)
    asked_for = found is not None
    found = found or _led_to(answers, package.main_page) or _first_page(answers)
    if found is None:
        raise Flawed("no_page")
    record = _record_at(package, found.place)
    body = _entity(record)
    headers = record.http_headers
    return {
        "url": found.url[:4000],
        "asked_for": asked_for,
        "status": found.status,
        "content_type": (headers.get_header("Content-Type") or "" if headers else found.media_type)[:300],
        "recorded_at": (record.rec_headers.get_header("WARC-Date") or "")[:40],
        "truncated": (record.rec_headers.get_header("WARC-Truncated") or "")[:20],
        "answers": len(answers),
        "checked": package.checked,
    }, body


def _rewound(file: IO[bytes]) -> IO[bytes]:
    file.seek(0)
    return file


def _answers(package: Package) -> Iterator[Found]:
    for number, opened in enumerate(package.warcs):
        for place, record in _records(opened):
            url = record.rec_headers.get_header("WARC-Target-URI") or ""
            if not url.startswith(("http://", "https://")):
                continue
            if record.rec_type == "response" and record.http_headers is not None:
                status = record.http_headers.get_statuscode()
                yield Found(
                    (number, place),
                    url,
                    int(status) if status and status.isdigit() else 0,
                    _media_type(record.http_headers.get_header("Content-Type")),
                    (record.http_headers.get_header("Location") or "")[:4000],
                )
            elif record.rec_type == "resource":
                yield Found((number, place), url, 200, _media_type(record.rec_headers.get_header("Content-Type")))


def _records(opened: Opening) -> Iterator[tuple[int, Any]]:
    try:
        for place, record in enumerate(ArchiveIterator(opened(), check_digests=True)):
            if place >= RECORDS_MAX:
                raise limits.LimitMet("records")
            yield place, record
    except (ArchiveLoadFailed, EOFError, zlib.error, ValueError) as error:
        raise Flawed("warc") from error


def _record_at(package: Package, place: tuple[int, int]) -> Any:
    for number, record in _records(package.warcs[place[0]]):
        if number == place[1]:
            return record
    raise Flawed("warc")


def _entity(record: Any) -> bytes:
    body = bytearray()
    stream = record.content_stream()
    try:
        while piece := stream.read(_PIECE_BYTES):
            body += piece
            if len(body) > PAGE_MAX_BYTES:
                raise limits.LimitMet("size")
    except (ArchiveLoadFailed, EOFError, zlib.error, ValueError) as error:
        raise Flawed("warc") from error
    if record.raw_stream.limit:
        # The file ends before the record does.
        raise Flawed("warc")
    # The payload's digest is written in two ways, over the chunk framing and without it: only the block's counts.
    if any("block digest" in str(problem) for problem in record.digest_checker.problems):
        raise Flawed("digest")
    return bytes(body)


def _media_type(content_type: str | None) -> str:
    return (content_type or "").partition(";")[0].strip().lower()


def same_address(url: str) -> str:
    """The address as it counts here: without its fragment, the host in small letters, no default port."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return url
    if port not in (None, _DEFAULT_PORTS.get(parts.scheme)):
        host = f"{host}:{port}"
    return urlunsplit((parts.scheme, host, parts.path or "/", parts.query, ""))


def _led_to(answers: list[Found], url: str) -> Found | None:
    """The page at this address, along the redirects that were recorded."""
    for _hop in range(_HOPS_MAX):
        here = [answer for answer in answers if same_address(answer.url) == same_address(url)] if url else []
        page = next((answer for answer in here if 200 <= answer.status < 300), None)
        if page is not None:
            return page
        moved = next((answer for answer in here if answer.status in _REDIRECTS and answer.location), None)
        if moved is None:
            return None
        url = urljoin(moved.url, moved.location)
    return None


def _first_page(answers: list[Found]) -> Found | None:
    good = [answer for answer in answers if 200 <= answer.status < 300]
    return next((answer for answer in good if answer.media_type in _MARKUP), next(iter(good), None))


def _of_wacz(file: IO[bytes]) -> Package:
    try:
        package = zipfile.ZipFile(file)
        check_layout(package)
        listed = _json_of(package, _DATAPACKAGE)
        warcs = _check_list(package, listed)
        main_page = listed.get("mainPageUrl") or _first_listed_page(package)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, UnicodeDecodeError) as error:
        raise Flawed("zip") from error
    return Package(
        [lambda name=name: package.open(name) for name in warcs],  # type: ignore[misc]
        main_page if isinstance(main_page, str) else "",
        ["names", "hashes"],
    )


def check_layout(package: zipfile.ZipFile) -> None:
    infos = package.infolist()
    if len(infos) > _FILES_MAX:
        raise limits.LimitMet("files")
    seen: set[str] = set()
    for info in infos:
        # zipfile cuts a name at a NUL; the name that stands there is the one that counts.
        name = info.orig_filename
        if info.is_dir():
            name = name.removesuffix("/")
        if "\x00" in name or "\\" in name or ":" in name or {"", ".", ".."} & {*name.split("/")}:
            raise Flawed("name")
        if name.lower() in seen:
            raise Flawed("name")
        seen.add(name.lower())
        if info.flag_bits & 1:
            raise Flawed("encrypted")
        if info.file_size > _RATIO_MAX * max(info.compress_size, 1):
            raise Flawed("ratio")


def _check_list(package: zipfile.ZipFile, listed: dict[str, Any]) -> list[str]:
    """The recordings of the package, once every listed file has the hash that is listed for it."""
    resources = listed.get("resources")
    if not isinstance(resources, list) or not all(isinstance(one, dict) for one in resources):
        raise Flawed("list")
    present = {name for name in package.namelist() if not name.endswith("/")} - {_DATAPACKAGE, _DIGEST}
    paths = [str(one.get("path")) for one in resources]
    if len(set(paths)) != len(paths) or {*paths} - present:
        raise Flawed("list")
    for one in resources:
        kind, _colon, value = str(one.get("hash")).partition(":")
        if kind not in ("sha256", "md5") or digest_of(package, one["path"], kind) != value:
            raise Flawed("hash")
    warcs = sorted(name for name in present if name.startswith("archive/"))
    if {*warcs} - {*paths}:
        raise Flawed("list")
    return warcs


def digest_of(package: zipfile.ZipFile, name: str, kind: str) -> str:
    digest = hashlib.new(kind, usedforsecurity=False)
    with package.open(name) as member:
        while piece := member.read(_PIECE_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def read_small(package: zipfile.ZipFile, name: str) -> bytes:
    if name not in package.namelist():
        raise Flawed("list")
    with package.open(name) as member:
        content = member.read(_LIST_MAX_BYTES + 1)
    if len(content) > _LIST_MAX_BYTES:
        raise limits.LimitMet("list")
    return content


def _json_of(package: zipfile.ZipFile, name: str) -> dict[str, Any]:
    try:
        value = json.loads(read_small(package, name))
    except (ValueError, RecursionError) as error:
        raise Flawed("list") from error
    if not isinstance(value, dict):
        raise Flawed("list")
    return value


def _first_listed_page(package: zipfile.ZipFile) -> str:
    if _PAGES not in package.namelist():
        return ""
    for line in read_small(package, _PAGES).splitlines()[:RECORDS_MAX]:
        with contextlib.suppress(ValueError, RecursionError):
            page = json.loads(line)
            if isinstance(page, dict) and isinstance(page.get("url"), str):
                return str(page["url"])
    return ""


def main() -> None:
    kind, wanted = sys.argv[1:3]
    answer_to = os.dup(1)
    os.dup2(2, 1)
    limits.put_up()
    body = b""
    try:
        with os.fdopen(0, "rb", closefd=False) as file:
            facts, body = take_out(file, kind, wanted)
    except limits.LimitMet as error:
        facts = {"limit": str(error)}
    except Flawed as error:
        facts = {"flaw": str(error)}
    except MemoryError:
        facts = {"limit": "memory"}
    with contextlib.suppress(BrokenPipeError), os.fdopen(answer_to, "wb") as out:
        out.write(json.dumps(facts).encode() + b"\n" + body)
    os._exit(0)
