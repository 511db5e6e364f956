"""Kept connections against servers that answer oddly: each exchange has its own bytes and no other's."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from factcheck.outbound.errors import AddressRefused, OutboundError, Unreachable
from factcheck.outbound.exchanges import Exchange
from factcheck.outbound.keeping import KeptConnection
from factcheck.outbound.messages import MAX_CHUNKS
from tests import web

Allow = Callable[..., None]
HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
AFTER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nafter"


@pytest.fixture
def kept() -> Iterator[KeptConnection]:
    connection = KeptConnection()
    yield connection
    connection.close()


def get(connection: KeptConnection, url: str, *, max_bytes: int = 1_000_000, seconds: float = 5) -> Exchange:
    return connection.get(url, {"Connection": "keep-alive"}, deadline=time.monotonic() + seconds, max_bytes=max_bytes)


def stored(exchange: Exchange) -> bytes:
    return b"".join(exchange.raw())


def next_request(visit: web.Visit) -> bytes:
    """The next request on the same connection; empty when the other side has gone."""
    raw = b""
    visit.connection.settimeout(0.05)
    while b"\r\n\r\n" not in raw:
        try:
            piece = visit.connection.recv(65_536)
        except TimeoutError:
            if visit.closing.is_set():
                return b""
            continue
        except OSError:
            return b""
        if not piece:
            return b""
        raw += piece
    return raw


def answering(*answers: bytes) -> Callable[[web.Visit], None]:
    """Each request on a connection gets the next of these; the last is given again and again."""

    def answer(visit: web.Visit) -> None:
        for number in range(100):
            if not visit.send(answers[min(number, len(answers) - 1)]) or not next_request(visit):
                return

    return answer


# What is sent, what of it is stored, the payload in it, how it was cut, and whether the connection may be asked again.
ANSWERS = {
    "plain": (HELLO, HELLO, b"hello", None, True),
    "lf only": (b"HTTP/1.1 200 OK\nContent-Length: 2\n\nab", None, b"ab", None, True),
    "folded": (b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nab", None, b"ab", None, True),
    "early hints": (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + HELLO, None, b"hello", None, True),
    "chunked with trailers": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nab\r\n0\r\nX-Sum: 1\r\n\r\n",
        None,
        b"ab",
        None,
        True,
    ),
    "no content": (b"HTTP/1.1 204 No Content\r\n\r\n", None, b"", None, True),
    "not modified, with the length of what is not sent": (
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
        None,
        b"",
        None,
        True,
    ),
    "asks for an end": (
        b"HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 2\r\n\r\nab",
        None,
        b"ab",
        None,
        False,
    ),
    "http 1.0 that says it keeps": (
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nab",
        None,
        b"ab",
        None,
        False,
    ),
    "length and chunks": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 60\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
        None,
        b"ab",
        None,
        False,
    ),
    "another protocol": (b"HTTP/1.1 101 Switching\r\nContent-Length: 0\r\n\r\n", None, b"", None, False),
    "bytes after its end": (HELLO + AFTER, HELLO, b"hello", None, False),
    "a body where none may be": (
        b"HTTP/1.1 204 No Content\r\n\r\n" + AFTER,
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"",
        None,
        False,
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_each_exchange_has_the_bytes_of_its_own_answer(name: str, allow: Allow, kept: KeptConnection) -> None:
    sent, expected, payload, truncated, again = ANSWERS[name]
    with web.serve({"/": answering(sent, AFTER), "/second": answering(AFTER)}) as site:
        allow(site)

        first = get(kept, site.url("/"))
        second = get(kept, site.url("/second"))

        assert stored(first) == (expected or sent)
        assert b"".join(first.payload()) == payload
        assert first.truncated == truncated
        assert first.request == f"GET / HTTP/1.1\r\nHost: {site.pair}\r\nConnection: keep-alive\r\n\r\n".encode()
        assert (stored(second), second.request[:12]) == (AFTER, b"GET /second ")
        assert site.connections == (1 if again else 2)


@pytest.mark.parametrize(
    ("sent", "payload", "truncated"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\nuntil close", b"until close", None),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", b"ab", None),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nab", b"ab", "disconnect"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nab", b"ab", "disconnect"),
    ],
)
def test_what_ends_with_its_connection_is_kept_as_far_as_it_came(
    sent: bytes, payload: bytes, truncated: str | None, allow: Allow, kept: KeptConnection
) -> None:
    with web.serve({"/": sent, "/second": AFTER}) as site:
        allow(site)

        first = get(kept, site.url("/"))

        assert (stored(first), b"".join(first.payload()), first.truncated) == (sent, payload, truncated)
        assert stored(get(kept, site.url("/second"))) == AFTER


def test_an_answer_that_nobody_asked_for_is_not_the_answer_to_the_next_question(
    allow: Allow, kept: KeptConnection
) -> None:
    connections = []

    def early(visit: web.Visit) -> None:
        connections.append(visit.connection)
        visit.send(HELLO)
        next_request(visit)

    with web.serve({"/": early, "/second": AFTER}) as site:
        allow(site)
        get(kept, site.url("/"))
        # It comes only after the first answer was read to its end.
        connections[0].sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nforge")

        assert stored(get(kept, site.url("/second"))) == AFTER


def test_a_connection_closed_while_idle_is_opened_again_once(allow: Allow, kept: KeptConnection) -> None:
    asked = []

    def closes_at_the_second(visit: web.Visit) -> None:
        visit.send(HELLO)
        asked.append(next_request(visit)[:12])

    with web.serve({"/": closes_at_the_second, "/second": AFTER}) as site:
        allow(site)
        get(kept, site.url("/"))

        assert stored(get(kept, site.url("/second"))) == AFTER
        assert asked == [b"GET /second "]
        assert site.connections == 2


def test_a_fresh_connection_that_closes_without_a_word_is_not_asked_again(allow: Allow, kept: KeptConnection) -> None:
    with web.serve({"/": b""}) as site:
        allow(site)

        with pytest.raises(Unreachable, match="without an answer"):
            get(kept, site.url("/"))

        assert site.connections == 1


def test_a_kept_connection_is_not_used_for_another_port_or_name(allow: Allow, kept: KeptConnection) -> None:
    with web.serve({"/": answering(HELLO)}) as site, web.serve({"/": answering(AFTER)}) as other:
        allow(site, other, names=("localhost",))

        assert stored(get(kept, site.url("/"))) == HELLO
        assert stored(get(kept, other.url("/"))) == AFTER
        assert stored(get(kept, other.url("/", host="localhost"))) == AFTER
        assert (site.connections, other.connections) == (1, 2)
        with pytest.raises(AddressRefused):
            get(kept, f"http://127.0.0.1:{other.port + 1}/")


@pytest.mark.parametrize(
    "sent",
    [
        b"HTTP/1.1 103 Early Hints\r\n\r\n" * 10_000 + HELLO,
        b"HTTP/1.1 200 OK\r\n" + b"a\n" * 300_000 + b"\n",
        b"HTTP/1.1 200 OK\r\nX: a\r\n" + b" a\n" * 30_000 + b"\n",
        b"HTTP/1.1 200 OK\r\n" + (b"X: " + b"a" * 60_000 + b"\r\n") * 100 + b"\r\n",
        b"HTTP/1.\x01 200 OK\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=["interim", "lines", "folded", "bytes", "version"],
)
def test_a_head_without_measure_is_no_answer(sent: bytes, allow: Allow, kept: KeptConnection) -> None:
    with web.serve({"/": sent}) as site:
        allow(site)

        with pytest.raises(Unreachable) as caught:
            get(kept, site.url("/"), max_bytes=20_000_000)

        assert caught.value.code == "protocol"


def test_a_body_of_chunks_without_measure_is_kept_as_one_that_broke_off(allow: Allow, kept: KeptConnection) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    with web.serve({"/": head + b"1\r\na\r\n" * (MAX_CHUNKS + 1) + b"0\r\n\r\n"}) as site:
        allow(site)

        exchange = get(kept, site.url("/"), max_bytes=10_000_000)

        assert exchange.truncated == "disconnect"
        assert len(b"".join(exchange.payload())) == MAX_CHUNKS + 1


def test_the_body_of_a_redirect_is_not_waited_for_to_its_end(allow: Allow, kept: KeptConnection) -> None:
    head = b"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 4000000\r\n\r\n"
    with web.serve({"/": head + b"x" * 4_000_000}) as site:
        allow(site)

        exchange = get(kept, site.url("/"), max_bytes=10_000_000)

        assert exchange.truncated == "length"
        assert exchange.length < 1_200_000


def test_what_is_larger_than_allowed_is_kept_to_the_last_byte_allowed(allow: Allow, kept: KeptConnection) -> None:
    sent = web.page(b"x" * 300_000)
    with web.serve({"/": sent}) as site:
        allow(site)

        cut = get(kept, site.url("/"), max_bytes=200_000)
        just = get(kept, site.url("/"), max_bytes=len(sent))

        assert (stored(cut), cut.truncated) == (sent[:200_000], "length")
        assert (stored(just), just.truncated) == (sent, None)


def test_over_tls_the_same_bytes_and_one_handshake(allow: Allow, tmp_path: Path) -> None:
    made = web.certificate(tmp_path)
    with web.serve({"/": answering(HELLO, AFTER)}, tls=made) as site:
        allow(site)
        kept = KeptConnection(ca_file=str(made.file))
        try:
            first, second = get(kept, site.url("/")), get(kept, site.url("/"))
            assert (stored(first), stored(second)) == (HELLO, AFTER)
            assert first.tls is not None
            assert first.tls == second.tls
            assert first.tls.verified
            assert site.connections == 1
        finally:
            kept.close()


def test_a_certificate_that_does_not_verify_is_no_connection(
    allow: Allow, tmp_path: Path, kept: KeptConnection
) -> None:
    with web.serve({"/": HELLO}, tls=web.certificate(tmp_path)) as site:
        allow(site)

        with pytest.raises(OutboundError) as caught:
            get(kept, site.url("/"))

        assert caught.value.code == "tls"
        assert not site.requests
