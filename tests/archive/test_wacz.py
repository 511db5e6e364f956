"""The WACZ we write: the same bytes each time, read by others' readers too, and whatever is done to one is named."""

import gzip
import hashlib
import io
import json
import struct
import subprocess
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from warcio.archiveiterator import ArchiveIterator

from factcheck.archive import wacz, wacz_checking
from factcheck.archive.errors import WarcFault
from factcheck.archive.wacz import DATAPACKAGE, DIGEST, INDEX, PAGES, WARC, Indexed, indexed, lay_out, members, surt
from factcheck.archive.wacz_checking import check_wacz
from factcheck.archive.warc import ExtraRecord, write_warc
from factcheck.outbound.exchanges import Exchange
from tests import web
from tests.archive.test_warc import CHUNKED, exchange, records, write

PAGE = "https://www.news.example/costs"
SEALED = datetime(2026, 3, 4, 5, 6, 8, 900, tzinfo=UTC)
ORDER = [WARC, INDEX, PAGES, DATAPACKAGE, DIGEST]


def warc(*exchanges: Exchange) -> bytes:
    return write(list(exchanges) or [exchange(web.redirect(PAGE)), exchange(web.page("5.4 million"), url=PAGE)])[0]


def package(archive: bytes, *, url: str = PAGE, title: str = "Costs", **more) -> bytes:
    file = io.BytesIO(archive)
    laid_out = lay_out(file, page_id="7q2km4tz", page_url=url, title=title, created=SEALED, **more)
    whole = b"".join(laid_out.pieces(file))
    assert laid_out.length == len(whole)
    assert laid_out.sha256(file) == hashlib.sha256(whole).hexdigest()
    return whole


def files(whole: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(content: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in content.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return out.getvalue()


def listed_again(content: dict[str, bytes], **changed: object) -> dict[str, bytes]:
    """The files with the hashes that a careful forger would put right."""
    package_list = json.loads(content[DATAPACKAGE]) | changed
    package_list["resources"] = [
        {
            "name": name.rpartition("/")[2],
            "path": name,
            "hash": f"sha256:{hashlib.sha256(data).hexdigest()}",
            "bytes": len(data),
        }
        for name, data in content.items()
        if name not in (DATAPACKAGE, DIGEST)
    ]
    text = json.dumps(package_list).encode()
    digest = {"path": DATAPACKAGE, "hash": f"sha256:{hashlib.sha256(text).hexdigest()}"}
    return content | {DATAPACKAGE: text, DIGEST: json.dumps(digest).encode()}


def codes(whole: bytes, **how) -> set[str]:
    return {flaw.code for flaw in check_wacz(io.BytesIO(whole), **how)}


def lines(content: bytes) -> list[tuple[str, str, dict[str, str]]]:
    found = []
    for line in content.decode("ascii").splitlines():
        key, timestamp, fields = line.split(" ", 2)
        found.append((key, timestamp, json.loads(fields)))
    return found


# --- what is written --------------------------------------------------------------------------------------------------


def test_the_same_capture_gives_the_same_bytes_and_another_title_other_ones():
    archive = warc()

    assert package(archive) == package(archive)
    assert package(archive) != package(archive, title="Other")


def test_the_bytes_are_those_of_the_format_as_it_is_numbered():
    """A change of this hash is a change of every package ever given away: raise the number in SOFTWARE with it."""
    assert wacz.SOFTWARE == "Factcheck WACZ 2"
    record = (
        b"WARC/1.1\r\nWARC-Type: response\r\nWARC-Target-URI: https://www.news.example/costs\r\n"
        b"WARC-Date: 2026-03-04T05:06:06.123456Z\r\nWARC-Payload-Digest: sha256:00\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n\r\n\r\n"
    )
    # A stored gzip member by hand: no library's way of packing is in it.
    size = len(record)
    archive = b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x01" + struct.pack("<2H", size, size ^ 0xFFFF) + record
    archive += struct.pack("<2L", zlib.crc32(record), size)

    assert (
        hashlib.sha256(package(archive)).hexdigest()
        == "7364e0d8bd0fb86f68e879d820aa2442d19e1393d32d77b65430df13db45e058"
    )


def test_a_package_holds_the_archive_file_as_it_is_and_lists_all_it_holds():
    archive = warc()
    whole = package(archive)
    content = files(whole)

    assert list(content) == ORDER
    assert content[WARC] == archive
    with zipfile.ZipFile(io.BytesIO(whole)) as opened:
        assert {info.compress_type for info in opened.infolist()} == {zipfile.ZIP_STORED}
        assert {info.date_time for info in opened.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    told = json.loads(content[DATAPACKAGE])
    assert {key: told[key] for key in ("profile", "wacz_version", "title", "created", "modified")} == {
        "profile": "data-package",
        "wacz_version": "1.1.1",
        "title": "Costs",
        "created": "2026-03-04T05:06:08Z",
        "modified": "2026-03-04T05:06:08Z",
    }
    assert told["resources"][0] == {
        "name": "data.warc.gz",
        "path": WARC,
        "hash": f"sha256:{hashlib.sha256(archive).hexdigest()}",
        "bytes": len(archive),
    }
    assert json.loads(content[DIGEST]) == {
        "path": DATAPACKAGE,
        "hash": f"sha256:{hashlib.sha256(content[DATAPACKAGE]).hexdigest()}",
    }
    assert codes(whole) == set()


def test_the_page_is_the_address_at_the_end_of_all_redirects():
    content = files(package(warc()))
    head, page = (json.loads(line) for line in content[PAGES].splitlines())

    assert head == {"format": "json-pages-1.0", "id": "pages", "title": "All Pages"}
    assert page == {"id": "7q2km4tz", "url": PAGE, "ts": "2026-03-04T05:06:06.123456Z", "title": "Costs"}
    assert json.loads(content[DATAPACKAGE])["mainPageUrl"] == PAGE


def test_each_line_of_the_index_leads_warcio_to_its_record():
    extra = ExtraRecord("urn:text:" + PAGE, "text/plain; charset=utf-8", b"5.4 million", PAGE)
    archive, _summary = write([exchange(web.redirect(PAGE)), exchange(CHUNKED, url=PAGE)], extra_records=[extra])
    content = files(package(archive))

    found = lines(content[INDEX])
    assert content[INDEX].splitlines() == sorted(content[INDEX].splitlines())
    assert [(key, timestamp, fields["mime"], fields.get("status")) for key, timestamp, fields in found] == [
        ("dns:news.example", "20260304050606", "text/dns", None),
        ("example,news)/", "20260304050606", "text/html", "302"),
        ("example,news)/costs", "20260304050606", "unk", "200"),
        ("urn:text:https://www.news.example/costs", "20260304050607", "text/plain", None),
    ]
    for _key, _timestamp, fields in found:
        start, end = int(fields["offset"]), int(fields["offset"]) + int(fields["length"])
        (record,) = ArchiveIterator(io.BytesIO(archive[start:end]), no_record_parse=True)
        headers = record.rec_headers
        assert headers["WARC-Target-URI"] == fields["url"]
        assert fields["digest"] == (headers["WARC-Payload-Digest"] or headers["WARC-Block-Digest"])
        assert fields["recordDigest"] == f"sha256:{hashlib.sha256(archive[start:end]).hexdigest()}"
        assert fields["filename"] == "data.warc.gz"
    assert codes(package(archive)) == set()


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("http://www.example.com/", "com,example)/"),
        ("https://Example.com:443", "com,example)/"),
        ("http://example.com:8080/a/", "com,example:8080)/a"),
        ("https://news.example.co.uk/A/B?b=2&a=1", "uk,co,example,news)/a/b?a=1&b=2"),
        ("http://www2.example.com/x?", "com,example)/x"),
        ("http://www.com/", "com)/"),
        ("http://127.0.0.1:8000/a//b/?z&a=%C3%9C#f", "1,0,0,127:8000)/a/b?a=%c3%9c&z"),
        ("http://[2606:4700::1111]/", "[2606:4700::1111])/"),
        ("http://example.com/a b\n\u2028{", "com,example)/a%20b%e2%80%a8{"),
        ("urn:text:http://example.com/ x", "urn:text:http://example.com/%20x"),
        ("http://[::1", "http://[::1"),
    ],
)
def test_an_address_is_sorted_by_its_host_from_the_right(url, key):
    assert surt(url).lower() == key.lower()


@pytest.mark.parametrize(
    "title", ['"}\n{"url": "http://evil.example/"}', "\u2028\u2029\x85\0", "</script><b>", "\U0001f600" * 300, ""]
)
@pytest.mark.parametrize("url", [PAGE + "?a=1&b={%22}", PAGE + "?q=ü ' \"", PAGE + "/" + "x" * 7000])
def test_hostile_titles_and_addresses_stay_what_they_are(title, url):
    whole = package(warc(exchange(web.page("hello"), url=url)), url=url, title=title)

    assert codes(whole) == set()
    pages = files(whole)[PAGES].decode().splitlines()
    assert len(pages) == 2
    page = json.loads(pages[1])
    assert (page["title"], page["url"]) == (title or url, url)


def test_a_hostile_content_type_stays_within_its_line():
    answer = b'HTTP/1.1 200 OK\r\nContent-Type: text/"html {}\x85\r\n\r\nhello'

    assert codes(package(warc(exchange(answer, url=PAGE)))) == set()


def test_a_page_that_the_archive_file_does_not_hold_is_refused():
    with pytest.raises(WarcFault, match="own address"):
        package(warc(), url="https://elsewhere.example/")


@pytest.mark.parametrize("cut", [1, 9, 200])
def test_an_archive_file_that_breaks_off_is_refused(cut):
    with pytest.raises(WarcFault, match="middle of a record"):
        package(warc()[:-cut])


def test_what_is_no_archive_file_is_refused():
    with pytest.raises(WarcFault, match="not packed"):
        package(b"WARC/1.1\r\n")
    with pytest.raises(WarcFault, match="head of a record"):
        package(gzip.compress(b"WARC/1.0\r\n\r\n"))


def test_any_part_can_be_given_alone():
    archive = warc()
    file = io.BytesIO(archive)
    laid_out = lay_out(file, page_id="7q2km4tz", page_url=PAGE, title="Costs", created=SEALED)
    whole = b"".join(laid_out.pieces(file))
    edges = sorted({0, 1, len(laid_out.before), len(laid_out.before) + len(archive), len(whole)})
    cuts = sorted({max(0, edge + step) for edge in edges for step in (-1, 0, 1)})

    for start in cuts:
        for end in cuts:
            if start <= end:
                assert b"".join(laid_out.pieces(file, start, end)) == whole[start:end]


def test_an_archive_file_that_became_shorter_is_not_passed_off_as_whole():
    archive = warc()
    laid_out = lay_out(io.BytesIO(archive), page_id="7q2km4tz", page_url=PAGE, title="", created=SEALED)

    with pytest.raises(WarcFault, match="shorter"):
        list(laid_out.pieces(io.BytesIO(archive[:-1])))


def test_a_large_page_is_packed_without_being_held(tmp_path):
    large = exchange(b"HTTP/1.1 200 OK\r\n\r\n", url=PAGE)
    large.response.seek(0, io.SEEK_END)
    blank = bytes(1 << 20)
    for _count in range(60):
        large.response.write(blank)
    large.length += 60 << 20
    path = tmp_path / "7q2km4tz.warc.gz"
    words = {"capture_id": "7q2km4tz", "created": SEALED, "software": "Factcheck/0.1", "operator": "The newsroom"}
    write_warc(path, exchanges=[large], **words)
    large.close()

    with path.open("rb") as file:
        tracemalloc.start()
        try:
            laid_out = lay_out(file, page_id="7q2km4tz", page_url=PAGE, title="", created=SEALED)
            size = sum(len(piece) for piece in laid_out.pieces(file))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        file.seek(0)
        ends = [member.offset + member.length for member in members(file)]

    assert peak < 8_000_000
    assert size == laid_out.length
    assert ends[-1] == path.stat().st_size


def test_from_4_gb_on_the_sizes_stand_where_zip64_has_them(tmp_path):
    """A file with a hole of 4 GB, so that nothing that large is written."""
    size = 0x1_0000_0010
    before, after = wacz._zip_around(WARC, size, 0, [(INDEX, b"the index"), (PAGES, b"the pages")])
    path = tmp_path / "large.wacz"
    with path.open("wb") as file:
        file.write(before)
        file.seek(size, io.SEEK_CUR)
        file.write(after)

    with zipfile.ZipFile(path) as archive:
        large = archive.getinfo(WARC)
        assert (large.file_size, large.compress_size, large.header_offset) == (size, size, 0)
        assert archive.getinfo(INDEX).header_offset == len(before) + size
        assert (archive.read(INDEX), archive.read(PAGES)) == (b"the index", b"the pages")


@pytest.mark.parametrize("limit", [20, 400, 1_000])
def test_zip64_is_read_by_others_and_by_the_checker(monkeypatch, tmp_path, limit):
    """As if a ZIP could name no more than so many bytes: some sizes and offsets are too large, others are not."""
    ordinary = package(warc())
    monkeypatch.setattr(wacz, "ZIP64_FROM", limit)
    monkeypatch.setattr(wacz_checking, "ZIP64_FROM", limit)
    whole = package(warc())
    path = tmp_path / "large.wacz"
    path.write_bytes(whole)

    assert len(whole) > len(ordinary)
    assert files(whole) == files(ordinary)
    assert codes(whole) == set()
    assert codes(whole[:20] + b"\x09" + whole[21:]) == {"heads"}
    tested = subprocess.run(["unzip", "-t", path], capture_output=True, text=True)
    assert (tested.returncode, "No errors detected" in tested.stdout) == (0, True), tested.stdout + tested.stderr


# --- a signature ------------------------------------------------------------------------------------------------------


def signature_of(archive: bytes, **changed: str) -> dict[str, str]:
    unsigned = lay_out(io.BytesIO(archive), page_id="7q2km4tz", page_url=PAGE, title="Costs", created=SEALED)
    return {
        "hash": unsigned.hash,
        "created": unsigned.created,
        "software": "Factcheck",
        "version": "0.1.0",
        "signature": "c2ln",
        "publicKey": "a2V5",
        **changed,
    }


def test_a_signature_made_once_is_carried_and_asked_about():
    archive = warc()
    signed = signature_of(archive)
    whole = package(archive, signed_data=signed)
    asked = []

    def verifier(said):
        asked.append(said)
        return True

    assert codes(whole, verifier=verifier) == set()
    assert asked == [signed]
    assert codes(whole, verifier=lambda _said: False) == {"signature"}
    assert codes(whole) == {"signature"}


@pytest.mark.parametrize("changed", [{"hash": "sha256:00"}, {"created": "2020-01-01T00:00:00Z"}, {"domain": "x"}])
def test_a_signature_of_something_else_is_neither_written_nor_accepted(changed):
    archive = warc()
    other = signature_of(archive, **changed)
    with pytest.raises(ValueError, match="not of this package"):
        package(archive, signed_data=other)

    content = files(package(archive))
    content[DIGEST] = json.dumps(json.loads(content[DIGEST]) | {"signedData": other}).encode()
    assert codes(zipped(content), verifier=lambda _said: True) == {"signature"}


# --- what is done to one ----------------------------------------------------------------------------------------------

Content = dict[str, bytes]


def with_line(change: Callable[[dict[str, str]], dict[str, object]], *, key: str = "", time: str = "") -> Callable:
    """The line of the page itself, changed, with every hash put right."""

    def done(content: Content) -> Content:
        changed = []
        for name, timestamp, fields in lines(content[INDEX]):
            if name == "example,news)/costs":
                changed.append(f"{key or name} {time or timestamp} {json.dumps(change(fields))}\n")
            else:
                changed.append(f"{name} {timestamp} {json.dumps(fields)}\n")
        return listed_again(content | {INDEX: "".join(sorted(changed)).encode()})

    return done


def field(name: str, value: object) -> Callable:
    return with_line(lambda fields: fields | {name: value})


def with_page(**changed: str) -> Callable:
    def done(content: Content) -> Content:
        head, page = content[PAGES].splitlines()
        return listed_again(content | {PAGES: head + b"\n" + json.dumps(json.loads(page) | changed).encode() + b"\n"})

    return done


def flipped(name: str, place: int = -30) -> Callable:
    def done(content: Content) -> Content:
        data = bytearray(content[name])
        data[place] ^= 1
        return content | {name: bytes(data)}

    return done


def other_warc(change: Callable[[bytes], bytes]) -> Callable:
    """A record whose block was changed, packed again, and indexed rightly; only its own digest tells."""

    def done(content: Content) -> Content:
        archive = b"".join(
            gzip.compress(change(gzip.decompress(content[WARC][one.offset : one.offset + one.length])), mtime=0)
            for one in members(io.BytesIO(content[WARC]))
        )
        return files(package(archive))

    return done


DONE = {
    "a byte of the archive file changed": (flipped(WARC), "hash"),
    "a byte of the list changed": (
        lambda c: c | {DATAPACKAGE: c[DATAPACKAGE].replace(b'"Costs"', b'"Other"')},
        "digest",
    ),
    "a digest of another list": (lambda c: c | {DIGEST: c[DIGEST].replace(b"sha256:", b"sha256:0")}, "digest"),
    "no digest": (lambda c: {n: d for n, d in c.items() if n != DIGEST}, "missing"),
    "no list": (lambda c: {n: d for n, d in c.items() if n != DATAPACKAGE}, "missing"),
    "no archive file": (lambda c: {n: d for n, d in c.items() if n != WARC}, "missing"),
    "no index": (lambda c: listed_again({n: d for n, d in c.items() if n != INDEX}), "missing"),
    "no pages": (lambda c: listed_again({n: d for n, d in c.items() if n != PAGES}), "missing"),
    "a file more": (lambda c: c | {"notes.txt": b"hello"}, "unlisted"),
    "an archive file more": (lambda c: c | {"archive/more.warc.gz": c[WARC]}, "unlisted"),
    "a foreign file": (lambda c: listed_again(c | {"archive/notes.txt": b"hello"}), "foreign"),
    "a name that leads out": (lambda c: listed_again(c | {"archive/../../x.warc.gz": b"hello"}), "name"),
    "an absolute name": (lambda c: listed_again(c | {"/etc/x": b"hello"}), "name"),
    "a name with a backslash": (lambda c: listed_again(c | {"archive\\x": b"hello"}), "name"),
    "a name that differs in case": (lambda c: listed_again(c | {"Pages/pages.jsonl": b"hello"}), "duplicate"),
    "another version": (lambda c: listed_again(c, wacz_version="1.0.0"), "version"),
    "no resources": (
        lambda c: c | {DATAPACKAGE: json.dumps(json.loads(c[DATAPACKAGE]) | {"resources": []}).encode()},
        "unlisted",
    ),
    "a list with a name twice": (
        lambda c: c | {DATAPACKAGE: c[DATAPACKAGE].replace(b'"title"', b'"profile": "x", "title"')},
        "json",
    ),
    "a record's block changed": (other_warc(lambda record: record.replace(b"5.4 million", b"6.4 million")), "record"),
    "a record under another day": (with_line(lambda f: f, time="20250101000000"), "index_time"),
    "a record under another address": (with_line(lambda f: f, key="example,other)/costs"), "index_key"),
    "another address in the index": (field("url", "https://other.example/costs"), "index_url"),
    "another offset": (field("offset", "7"), "index_offset"),
    "another length": (field("length", "7"), "index_length"),
    "another digest": (field("digest", "sha256:00"), "index_digest"),
    "another digest of the record": (field("recordDigest", "sha256:00"), "index_recordDigest"),
    "another status": (field("status", "404"), "index_status"),
    "another type": (field("mime", "text/x"), "index_mime"),
    "another file": (field("filename", "other.warc.gz"), "index_offset"),
    "a field more": (field("cookie", "secret"), "index_fields"),
    "a line left out": (
        lambda c: listed_again(c | {INDEX: b"".join(c[INDEX].splitlines(keepends=True)[1:])}),
        "index_incomplete",
    ),
    "a line twice": (
        lambda c: listed_again(c | {INDEX: c[INDEX] + c[INDEX].splitlines(keepends=True)[-1]}),
        "index_offset",
    ),
    "lines out of order": (
        lambda c: listed_again(c | {INDEX: b"".join(reversed(c[INDEX].splitlines(keepends=True)))}),
        "index_order",
    ),
    "a line that is none": (lambda c: listed_again(c | {INDEX: b"hello\n" + c[INDEX]}), "index_line"),
    "a page of another day": (with_page(ts="2025-01-01T00:00:00Z"), "page_unknown"),
    "a page of another address": (with_page(url="https://other.example/"), "page_unknown"),
    "another main page": (lambda c: listed_again(c, mainPageUrl="https://other.example/"), "main_page"),
    "no page in the list": (lambda c: listed_again(c | {PAGES: c[PAGES].splitlines(keepends=True)[0]}), "pages_none"),
    "a list of pages without its head": (
        lambda c: listed_again(c | {PAGES: c[PAGES].splitlines(keepends=True)[1]}),
        "pages_head",
    ),
}


@pytest.mark.parametrize("what", DONE)
def test_what_is_done_to_a_package_is_named(what):
    change, code = DONE[what]
    content = files(package(warc()))
    assert codes(zipped(content)) == set()

    assert code in codes(zipped(change(dict(content))))


def twice(whole: bytes) -> bytes:
    out = io.BytesIO(whole)
    with zipfile.ZipFile(out, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr(zipfile.ZipInfo(PAGES), b"hello")
    return out.getvalue()


def encrypted(whole: bytes) -> bytes:
    place = whole.rindex(b"PK\x01\x02")
    return whole[: place + 8] + b"\x01" + whole[place + 9 :]


def link(whole: bytes) -> bytes:
    place = whole.rindex(b"PK\x01\x02")
    return whole[: place + 38] + struct.pack("<L", 0o120777 << 16) + whole[place + 42 :]


def later(whole: bytes) -> bytes:
    return whole[:12] + b"\x22" + whole[13:]


def bomb(whole: bytes) -> bytes:
    content = files(whole) | {INDEX: bytes(1 << 20)}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in listed_again(content).items():
            archive.writestr(name, data, zipfile.ZIP_STORED if name == WARC else zipfile.ZIP_DEFLATED)
    return out.getvalue()


def packed_again(whole: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files(whole).items():
            archive.writestr(name, data)
    return out.getvalue()


def hidden_between(whole: bytes) -> bytes:
    """Bytes that no file has, before the directory, whose place is put right."""
    (start,) = struct.unpack("<L", whole[-6:-2])
    return whole[:start] + b"secret" + whole[start:-6] + struct.pack("<L", start + 6) + whole[-2:]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (twice, "duplicate"),
        (encrypted, "encrypted"),
        (link, "kind"),
        (later, "heads"),
        (bomb, "ratio"),
        (packed_again, "compression"),
        (hidden_between, "gap"),
        (lambda whole: b"#!/bin/sh\n" + whole, "gap"),
        (lambda whole: whole + b"more", "gap"),
        (lambda whole: whole[:-40], "zip"),
        (lambda whole: whole.replace(b"datapackage.json", b"datapackagX.json", 1), "heads"),
        (lambda _whole: b"", "zip"),
    ],
)
def test_what_is_done_to_the_zip_is_named(change, code):
    assert codes(change(package(warc()))) == {code}


def test_a_byte_changed_anywhere_is_found():
    whole = package(warc(exchange(web.page("5.4 million"), url=PAGE)))
    for place in range(0, len(whole), 37):
        damaged = bytearray(whole)
        damaged[place] ^= 0x10
        # Of the ZIP's own words only who made it, and for whom it is to be read, stand there once.
        assert codes(bytes(damaged)) or files(bytes(damaged)) == files(whole), place


def test_a_cut_answer_and_one_without_a_body_can_be_packed():
    cut = exchange(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel", url=PAGE, truncated="disconnect")
    empty = exchange(b"HTTP/1.1 204 No Content\r\n\r\n", url=PAGE)

    assert codes(package(warc(cut))) == set()
    assert codes(package(warc(empty))) == set()


def test_what_is_gathered_while_a_warc_is_written_is_what_is_read_from_it() -> None:
    archive = io.BytesIO()
    gathered = Indexed()
    answers = [exchange(web.page("<p>Words</p>"), url=PAGE), exchange(web.page("x" * 300_000), url=f"{PAGE}big")]
    summary = write_warc(
        archive,
        capture_id="7q2km4tz",
        exchanges=answers,
        requisites=[exchange(web.page("<p>Words</p>"), url=f"{PAGE}again")],
        created=SEALED,
        software="Test",
        operator="Test",
        on_record=gathered.add,
    )
    gathered.sha256, gathered.size, gathered.crc = summary.sha256, summary.bytes, summary.crc

    assert gathered == indexed(io.BytesIO(archive.getvalue()))
    assert len(gathered.entries) >= 3


def test_what_was_answered_to_a_post_is_kept_and_found_by_nobody_who_looks_up_the_address() -> None:
    got = exchange(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", url="https://news.example/api")
    post = b"POST /api HTTP/1.1\r\nHost: news.example\r\nContent-Length: 0\r\n\r\n"
    posted = replace(exchange(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", url=got.url), request=post)

    warc, _summary = write([], requisites=[posted, got, posted])

    with_bytes = [block for record, block in records(warc) if record.rec_type == "response" and b"hello" in block]
    assert len(with_bytes) == 3
    found = [entry for entry in indexed(io.BytesIO(warc)).entries if entry.fields["url"] == got.url]
    assert [entry.kind for entry in found] == ["response"]
