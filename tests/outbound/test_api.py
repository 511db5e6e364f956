"""One request to a service that the operator has chosen: whole answers, within limits, to vetted addresses only."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from factcheck.outbound.api import call, json_of
from factcheck.outbound.errors import AddressRefused, LimitReached, Unreachable
from factcheck.outbound.exchanges import Exchange, entity
from tests import web


def get(site: web.Site, path: str = "/", **more: object) -> Exchange:
    return call("GET", site.url(path), headers={"User-Agent": "tests"}, **more)  # type: ignore[arg-type]


@pytest.fixture
def site(settings: Settings) -> Iterator[web.Site]:
    with web.serve() as served:
        settings.ARCHIVE_ALLOW_LOOPBACK = [served.pair]
        yield served


def test_an_answer_is_read_whole_whatever_its_framing(site: web.Site) -> None:
    site.pages["/chunked"] = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n2\r\n1}\r\n0\r\n\r\n'
    site.pages["/closed"] = b'HTTP/1.0 200 OK\r\n\r\n{"a":1}'
    site.pages["/interim"] = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + web.page('{"a":1}')

    for path in ("/chunked", "/closed", "/interim"):
        assert json_of(get(site, path)) == {"a": 1}, path


def test_a_form_is_sent_as_a_form_and_headers_as_they_are(site: web.Site) -> None:
    bodies: list[bytes] = []

    def read(visit: web.Visit) -> None:
        raw = visit.request.raw.partition(b"\r\n\r\n")[2]
        while len(raw) < int(visit.request.headers["content-length"]):
            raw += visit.connection.recv(1_000)
        bodies.append(raw)
        visit.send(web.page("{}"))

    site.pages["/save"] = read
    call("POST", site.url("/save"), headers={"Authorization": "LOW a:b"}, form={"url": "https://e.org/?a=1&b=ü"})

    (request,) = site.requests
    assert (request.method, request.headers["authorization"]) == ("POST", "LOW a:b")
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.headers["host"] == site.pair
    assert bodies == [b"url=https%3A%2F%2Fe.org%2F%3Fa%3D1%26b%3D%C3%BC"]


def test_a_redirect_is_an_answer_and_not_followed(site: web.Site) -> None:
    site.pages |= {"/": web.redirect("/elsewhere"), "/elsewhere": web.page("{}")}

    assert get(site).status == 302
    assert len(site.requests) == 1


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1/", "http://127.0.0.1:1/", "file:///etc/passwd", "http://metadata.internal/"]
)
def test_the_address_rule_holds(url: str) -> None:
    with pytest.raises(AddressRefused):
        call("GET", url, headers={})


def test_a_name_that_leads_to_a_private_address_is_refused() -> None:
    with pytest.raises(AddressRefused, match="not an address on the public internet"):
        call("GET", "http://api.example.org/", headers={}, resolve=lambda _name, _seconds: ["192.168.0.7"])


def test_more_than_the_limit_is_not_read(site: web.Site) -> None:
    site.pages["/"] = web.page("x" * 100_000)

    with pytest.raises(LimitReached):
        get(site, max_bytes=50_000)


def test_a_service_that_drips_is_left_at_the_deadline(site: web.Site) -> None:
    def drip(visit: web.Visit) -> None:
        visit.send(b"HTTP/1.1 200 OK\r\n\r\n")
        while visit.send(b"x") and visit.pause(0.02):
            pass

    site.pages["/"] = drip

    with pytest.raises(Unreachable, match="in time"):
        get(site, seconds=0.3)


@pytest.mark.parametrize(
    "answer",
    [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", b"HTTP/1.1 200 OK\r\nA: b"],
)
def test_an_answer_that_ends_early_is_none(site: web.Site, answer: bytes) -> None:
    site.pages["/"] = answer

    with pytest.raises(Unreachable) as caught:
        get(site)
    assert caught.value.code == "protocol"


def test_a_reset_is_out_of_reach(site: web.Site) -> None:
    site.pages["/"] = lambda visit: visit.reset()

    with pytest.raises(Unreachable):
        get(site)


def test_what_follows_the_message_is_no_part_of_it(site: web.Site) -> None:
    site.pages["/"] = web.page("{}") + b"surplus"

    exchange = get(site)

    assert entity(exchange, 100) == b"{}"
    assert b"surplus" not in b"".join(exchange.raw())


@pytest.mark.parametrize("body", ["", "<html>", "[" * 100_000, "\x00", '{"a":'])
def test_what_is_no_json_is_said_to_be_none(site: web.Site, body: str) -> None:
    site.pages["/"] = web.page(body)

    with pytest.raises(Unreachable):
        json_of(get(site))


def test_a_header_cannot_begin_another(site: web.Site) -> None:
    with pytest.raises(ValueError, match="control characters"):
        call("GET", site.url("/"), headers={"Authorization": "LOW a\r\nX: y"})
    assert site.requests == []


def test_a_certificate_is_checked_for_the_name(settings: Settings, tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl command to make a certificate")
    made = web.certificate(tmp_path)
    with web.serve({"/": web.page("{}")}, tls=made) as site:
        settings.ARCHIVE_ALLOW_LOOPBACK = [f"localhost:{site.port}", f"other.example:{site.port}"]

        def to(host: str, ca_file: str | None) -> Exchange:
            here = ["127.0.0.1"]
            return call("GET", site.url("/", host=host), headers={}, resolve=lambda _n, _s: here, ca_file=ca_file)

        assert json_of(to("localhost", str(made.file))) == {}
        for host, ca_file in (("localhost", None), ("other.example", str(made.file))):
            with pytest.raises(Unreachable) as caught:
                to(host, ca_file)
            assert caught.value.code == "tls"
