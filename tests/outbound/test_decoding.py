"""Unpacking within limits: what a page says, and what a bomb does not get."""

import gzip
import io
import tracemalloc
import zlib
from datetime import UTC, datetime
from functools import cache

import pytest

from factcheck.outbound.decoding import decoded
from factcheck.outbound.exchanges import Exchange, Limits, entity
from factcheck.outbound.messages import read_head

TEXT = "".join(f"<p>Paragraph {number} of the minutes.</p>\n" for number in range(5_000)).encode()
LIMITS = Limits(max_wire_bytes=10_000_000, max_decoded_bytes=2_000_000, seconds=5)


def exchange(body: bytes, *codings: str, chunk: int = 0) -> Exchange:
    head = "".join(f"Content-Encoding: {coding}\r\n" for coding in codings)
    if chunk:
        head += "Transfer-Encoding: chunked\r\n"
        pieces = (body[start : start + chunk] for start in range(0, len(body), chunk))
        body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    raw = f"HTTP/1.1 200 OK\r\n{head}\r\n".encode() + body
    return Exchange(
        url="http://news.example/",
        host="news.example",
        ip="93.184.216.34",
        addresses=("93.184.216.34",),
        started_at=datetime(2026, 3, 4, 5, 6, 7, 890, tzinfo=UTC),
        seconds=0.5,
        request=b"GET / HTTP/1.1\r\n\r\n",
        response=io.BytesIO(raw),
        length=len(raw),
        head=read_head(io.BytesIO(raw)),
        truncated=None,
        surplus=0,
        tls=None,
    )


def bare_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("body", "codings"),
    [
        (TEXT, []),
        (TEXT, ["identity"]),
        (gzip.compress(TEXT), ["gzip"]),
        (gzip.compress(TEXT), ["X-GZip"]),
        (gzip.compress(TEXT[:70_000]) + gzip.compress(TEXT[70_000:]), ["gzip"]),
        (gzip.compress(TEXT) + b"\0\0\0padding", ["gzip"]),
        (zlib.compress(TEXT), ["deflate"]),
        (zlib.compress(TEXT, 0), ["deflate"]),
        (bare_deflate(TEXT), ["deflate"]),
        (gzip.compress(zlib.compress(TEXT)), ["deflate, gzip"]),
        (gzip.compress(gzip.compress(TEXT)), ["gzip", "gzip"]),
    ],
)
@pytest.mark.parametrize("chunk", [0, 4_000])
def test_a_page_is_unpacked_whole(body, codings, chunk):
    page = decoded(exchange(body, *codings, chunk=chunk), LIMITS)

    assert page.bytes == TEXT
    assert (page.truncated, page.note) == (None, "")


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (gzip.compress(TEXT[:500]) + gzip.compress(TEXT[500:900]), "gzip"),
        (bare_deflate(TEXT[:900]), "deflate"),
        (gzip.compress(zlib.compress(TEXT[:900])), "deflate, gzip"),
    ],
)
def test_a_page_that_comes_in_chunks_of_one_byte_is_unpacked_whole(body, coding):
    assert decoded(exchange(body, coding, chunk=1), LIMITS).bytes == TEXT[:900]


def test_an_empty_page_stays_empty_whatever_coding_it_names():
    assert decoded(exchange(b"", "gzip"), LIMITS).bytes == b""
    assert decoded(exchange(b"", "gzip"), LIMITS).truncated is None
    assert decoded(exchange(gzip.compress(b""), "gzip"), LIMITS).truncated is None


@pytest.mark.parametrize("codings", [["br"], ["zstd"], ["gzip", "br"], ["gzip, gzip, gzip"], ["gzip", "gzip", "gzip"]])
def test_a_coding_that_was_not_asked_for_is_not_guessed_at(codings):
    page = decoded(exchange(b"whatever", *codings), LIMITS)

    assert (page.bytes, page.truncated) == (b"", "coding")
    assert page.note


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (gzip.compress(TEXT)[:-4_000], "gzip"),
        (gzip.compress(TEXT)[:-2], "gzip"),
        (gzip.compress(TEXT)[:-8] + b"\0" * 8, "gzip"),
        (zlib.compress(TEXT)[:-2], "deflate"),
        (gzip.compress(TEXT)[:1], "gzip"),
        (b"this was never packed", "gzip"),
    ],
)
def test_a_damaged_page_gives_what_there_is_and_says_so(body, coding):
    page = decoded(exchange(body, coding), LIMITS)

    assert page.truncated == "damaged"
    assert TEXT.startswith(page.bytes)
    assert page.note


def test_a_page_larger_than_the_limit_is_cut_at_exactly_the_limit():
    for body, codings in (
        (TEXT, []),
        (gzip.compress(TEXT), ["gzip"]),
        (gzip.compress(zlib.compress(TEXT)), ["deflate, gzip"]),
    ):
        page = decoded(exchange(body, *codings), Limits(10_000_000, 100_000, 5))
        assert (page.bytes, page.truncated) == (TEXT[:100_000], "length")
    whole = decoded(exchange(gzip.compress(TEXT), "gzip"), Limits(10_000_000, len(TEXT), 5))
    assert (whole.bytes, whole.truncated) == (TEXT, None)


@cache
def bomb() -> bytes:
    """300 MB of nothing in 300 kB."""
    packer = zlib.compressobj(1, wbits=31)
    zeros = bytes(1_000_000)
    return b"".join([*(packer.compress(zeros) for _ in range(300)), packer.flush()])


@pytest.mark.parametrize(
    ("body", "codings"),
    [
        (bomb, "gzip"),
        (lambda: gzip.compress(bomb()), "gzip, gzip"),
        (lambda: bomb()[10:-8], "deflate"),
    ],
    ids=["gzip", "gzip in gzip", "deflate"],
)
def test_a_bomb_is_stopped_early_and_cheaply(body, codings):
    whole = exchange(body(), codings)
    limits = Limits(max_wire_bytes=50_000_000, max_decoded_bytes=200_000_000, seconds=5)
    tracemalloc.start()
    try:
        page = decoded(whole, limits)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert page.truncated == "ratio"
    assert len(page.bytes) < 70_000_000
    assert peak < 80_000_000


def test_unpacking_never_takes_more_memory_than_the_limit():
    limits = Limits(max_wire_bytes=50_000_000, max_decoded_bytes=20_000_000, seconds=5, max_ratio=100_000)
    whole = exchange(bomb(), "gzip")
    tracemalloc.start()
    try:
        page = decoded(whole, limits)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert (len(page.bytes), page.truncated) == (20_000_000, "length")
    assert peak < 25_000_000


def test_a_bomb_hidden_between_two_codings_is_counted_too():
    """Its middle is huge and its end is nothing, so only the middle shows what it is."""
    # RFC 1952: a comment of any length may stand in the head of a member.
    packed = gzip.compress(b"end", mtime=0)
    middle = packed[:3] + b"\x10" + packed[4:10] + b"x" * 5_000_000 + b"\0" + packed[10:]
    assert gzip.decompress(middle) == b"end"
    body = gzip.compress(middle)

    by_ratio = decoded(exchange(body, "gzip, gzip"), Limits(50_000_000, 200_000_000, 5))
    by_length = decoded(exchange(body, "gzip, gzip"), Limits(50_000_000, 1_000_000, 5, max_ratio=100_000))

    assert (by_ratio.bytes, by_ratio.truncated) == (b"", "ratio")
    assert (by_length.bytes, by_length.truncated) == (b"", "length")


def test_a_page_of_countless_empty_members_is_stopped():
    page = decoded(exchange(gzip.compress(b"", mtime=0) * 20_000, "gzip"), LIMITS)

    assert (page.bytes, page.truncated) == (b"", "ratio")


@pytest.mark.parametrize("beyond", [0, 1, 200, 257, 258, 300])
def test_what_waits_inside_the_decoder_when_all_input_is_taken_is_not_forgotten(beyond):
    text = b"a" * (65_536 + beyond)

    page = decoded(exchange(bare_deflate(text), "deflate"), LIMITS)

    assert (page.bytes, page.truncated) == (text, None)


def test_the_entity_keeps_its_packing():
    packed = gzip.compress(TEXT)
    assert entity(exchange(packed, "gzip", chunk=1_000), 1_000_000) == packed
