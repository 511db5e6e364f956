"""Parts of a copy, read out of its archive file: under the kind that their bytes say, and nothing else of them."""

import gzip
import tracemalloc
import zlib

import pytest

from factcheck.archive import blobs, replaying
from factcheck.archive.extraction.rewriting import key
from factcheck.archive.replaying import parts_of, read_part, shown_type
from tests import web
from tests.archive.test_warc import exchange, write
from tests.public.test_replay_in_a_browser import PNG

SITE = "http://news.example"


def stored(*answers: tuple[str, bytes]) -> str:
    first, *parts = [exchange(raw, url=f"{SITE}{path}") for path, raw in answers]
    warc, _summary = write([first], requisites=parts)
    return blobs.store(warc).sha256


def content(sha256: str, path: str) -> bytes:
    parts = parts_of(sha256)
    return b"".join(read_part(sha256, parts.numbered[parts.by_key[key(f"{SITE}{path}")]]))


@pytest.mark.parametrize(
    ("beginning", "declared", "shown"),
    [
        (PNG, "text/html", "image/png"),
        (b"\xff\xd8\xff\xe0", "", "image/jpeg"),
        (b"\0\0\0\x1cftypavif", "image/avif", "image/avif"),
        (b"\0\0\x01\0\x01\0", "image/x-icon", "image/x-icon"),
        (b"wOF2\0\x01", "application/octet-stream", "font/woff2"),
        (b"\0\x01\0\0\0\x10", "", "font/ttf"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml", "image/svg+xml"),
        (b"p { color: red }", "text/css", "text/css"),
        (b"p { color: red }", "text/plain", ""),
        (b"<script>1</script>", "image/png", "text/html"),
        (b"alert(1)", "text/javascript", ""),
        (b"%PDF-1.7", "application/pdf", ""),
        (b"PK\x03\x04", "application/zip", ""),
        (b"<?xml version='1.0'?><x/>", "text/xml", ""),
        (b"\0\x02\x03\x04", "font/woff2", ""),
        (b"", "image/png", ""),
    ],
)
def test_the_bytes_say_under_which_type_a_part_is_shown_and_others_never_are(beginning, declared, shown):
    assert shown_type(beginning, declared) == shown


@pytest.mark.parametrize(
    "raw",
    [
        web.page(gzip.compress(PNG), headers={"Content-Encoding": "gzip"}),
        web.page(zlib.compress(PNG), headers={"Content-Encoding": "deflate"}),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(PNG), PNG),
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + web.page(PNG),
        b"HTTP/1.0 200 OK\n\n" + PNG,
    ],
    ids=["gzip", "deflate", "chunked", "interim", "until-close"],
)
def test_a_part_is_given_without_the_ways_of_its_transport(raw):
    assert content(stored(("/a.png", raw)), "/a.png") == PNG


def test_redirects_inside_the_package_are_followed_and_loops_end():
    sha256 = stored(
        ("/old", web.redirect("/newer")),
        ("/newer", web.redirect(f"{SITE}/a.png")),
        ("/a.png", web.page(PNG)),
        ("/loop", web.redirect("/loop2")),
        ("/loop2", web.redirect("/loop")),
        ("/away", web.redirect("http://elsewhere.example/")),
    )

    assert content(sha256, "/old") == PNG
    assert {key(f"{SITE}/{name}") for name in ("loop", "away")}.isdisjoint(parts_of(sha256).by_key)


def test_what_was_not_found_or_fails_is_no_part():
    sha256 = stored(("/a.png", web.page(PNG, status="404 Not Found")), ("/b.png", web.page(PNG, status="500 Oops")))

    assert parts_of(sha256).places == {}


def test_of_two_answers_the_one_that_can_be_shown_counts():
    sha256 = stored(("/a.png", web.page("busy", status="503 Busy")), ("/a.png", web.page(PNG)))

    assert content(sha256, "/a.png") == PNG


def test_a_part_that_breaks_off_is_given_as_far_as_it_goes():
    whole = web.page(gzip.compress(PNG + bytes(10_000)), headers={"Content-Encoding": "gzip"})

    assert (PNG + bytes(10_000)).startswith(content(stored(("/a.png", whole[:-9])), "/a.png"))


def test_a_part_that_unpacks_like_a_bomb_stops_at_its_limit(monkeypatch):
    raw = web.page(gzip.compress(PNG + bytes(60_000_000)), headers={"Content-Encoding": "gzip"})
    sha256 = stored(("/a.png", raw))

    parts = parts_of(sha256)
    assert sum(len(piece) for piece in read_part(sha256, parts.numbered[0])) < 30_000_000


def test_a_large_part_is_streamed_and_never_held_whole():
    sha256 = stored(("/a.png", web.page(PNG + bytes(range(256)) * 120_000)))
    part = parts_of(sha256).numbered[0]

    tracemalloc.start()
    size = sum(len(piece) for piece in read_part(sha256, part))
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert size == len(PNG) + 256 * 120_000
    assert peak < 2_000_000


def test_an_archive_file_with_too_many_answers_is_read_up_to_a_bound(monkeypatch):
    monkeypatch.setattr(replaying, "MAX_PARTS", 3)

    sha256 = stored(*((f"/{number}", web.page(PNG + bytes([number]))) for number in range(9)))

    assert len(parts_of(sha256).numbered) == 3


def test_bytes_that_two_addresses_share_are_found_under_both_though_they_are_recorded_once():
    sha256 = stored(("/a.png", web.page(PNG)), ("/same.png", web.page(PNG)))

    assert content(sha256, "/same.png") == content(sha256, "/a.png") == PNG
    assert len(parts_of(sha256).numbered) == 1
