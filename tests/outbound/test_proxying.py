"""The proxy that a browser is behind: nothing passes it unvetted, unrecorded or over budget."""

import base64
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from factcheck.outbound.proxying import POST_MAX_BYTES, ProxyLimits, RecordingProxy
from tests import web

LIMITS = ProxyLimits(count=20, wire_bytes=1_000_000, each_bytes=500_000, seconds=10)


@contextmanager
def speaking_to(proxy):
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as line:
        yield line


def credentials(proxy):
    token = base64.b64encode(f"{proxy.user}:{proxy.password}".encode()).decode()
    return f"Proxy-Authorization: Basic {token}\r\n"


def answer(line):
    """One whole response by its Content-Length."""
    with line.makefile("rb") as reader:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            piece = reader.readline()
            if not piece:
                return head, b""
            head += piece
        length = next(int(row.split(b":")[1]) for row in head.split(b"\r\n") if row.startswith(b"Content-Length"))
        return head, reader.read(length)


def ask(proxy, url, *, method="GET", headers="", body=b"", known=True):
    with speaking_to(proxy) as line:
        who = credentials(proxy) if known else ""
        line.sendall(f"{method} {url} HTTP/1.1\r\nHost: x\r\n{who}{headers}\r\n".encode() + body)
        return answer(line)


def test_what_the_browser_gets_is_kept_byte_for_byte(allow):
    sent = web.page("<p>Hello</p>", headers={"X-Odd": "  two  "})
    with web.serve({"/": sent}) as site, RecordingProxy(LIMITS) as proxy:
        allow(site)

        head, body = ask(proxy, site.url("/"))

        assert head.startswith(b"HTTP/1.1 200 OK")
        assert body == b"<p>Hello</p>"
        [exchange] = proxy.exchanges
        assert b"".join(exchange.raw()) == sent
        assert exchange.request == site.requests[0].raw


def test_who_does_not_know_the_word_of_this_capture_is_not_served(allow):
    with web.serve({"/": web.page("x")}) as site, RecordingProxy(LIMITS) as proxy:
        allow(site)

        head, _body = ask(proxy, site.url("/"), known=False)

        assert head.startswith(b"HTTP/1.1 407")
        assert site.connections == 0


def test_a_private_address_is_not_connected_to():
    with web.serve({"/": web.page("secret")}) as canary, RecordingProxy(LIMITS) as proxy:
        for url in (canary.url("/"), canary.url("/", host="localhost"), "http://169.254.169.254/", "http://[::1]/"):
            head, body = ask(proxy, url)
            assert head.startswith(b"HTTP/1.1 502")
            assert body == b""

        assert canary.connections == 0
        assert proxy.missed == {"refused": 4}


def test_a_name_that_resolves_to_a_private_address_is_not_connected_to():
    with (
        web.serve({"/": web.page("secret")}) as canary,
        RecordingProxy(LIMITS, resolve=lambda _name, _seconds: ["127.0.0.1"]) as proxy,
    ):
        head, _body = ask(proxy, "http://rebinding.example/")

        assert head.startswith(b"HTTP/1.1 502")
        assert canary.connections == 0


def test_redirects_go_back_to_the_browser_unfollowed(allow):
    with web.serve({"/": web.redirect("/next"), "/next": web.page("x")}) as site, RecordingProxy(LIMITS) as proxy:
        allow(site)

        head, _body = ask(proxy, site.url("/"))

        assert head.startswith(b"HTTP/1.1 302")
        assert b"Location: /next" in head
        assert [request.path for request in site.requests] == ["/"]


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "CONNECTED", "TRACE"])
def test_methods_that_change_something_or_have_no_body_do_not_reach_the_site(allow, method):
    with web.serve({"/": web.page("x")}) as site, RecordingProxy(LIMITS) as proxy:
        allow(site)

        head, _body = ask(proxy, site.url("/"), method=method)

        assert head.startswith(b"HTTP/1.1 501")
        assert site.connections == 0


def test_a_browser_may_ask_whether_a_script_may_ask(allow):
    permission = web.page("", status="204 No Content", headers={"Access-Control-Allow-Headers": "x-key"})
    asked = "Origin: https://news.example\r\nAccess-Control-Request-Method: POST\r\n"
    asked += "Access-Control-Request-Headers: x-key\r\n"
    with web.serve({"/": permission}) as site, RecordingProxy(LIMITS) as proxy:
        allow(site)
        with speaking_to(proxy) as line:
            line.sendall(f"OPTIONS {site.url('/')} HTTP/1.1\r\nHost: x\r\n{credentials(proxy)}{asked}\r\n".encode())
            head = line.recv(65_536)

        assert head.startswith(b"HTTP/1.1 204")
        assert b"Access-Control-Allow-Headers: x-key" in head
        [request] = site.requests
        assert request.headers["access-control-request-headers"] == "x-key"
        assert request.method == "OPTIONS"


def test_what_a_script_adds_to_its_question_arrives_and_what_the_browser_says_of_itself_does_not(allow):
    with web.serve({"/": web.page("x")}) as site, RecordingProxy(LIMITS) as proxy:
        allow(site)

        ask(proxy, site.url("/"), headers="X-Key: 1\r\nSec-CH-UA: Headless\r\nProxy-X: 1\r\nForwarded: for=me\r\n")

        [request] = site.requests
        assert request.headers["x-key"] == "1"
        assert not {"sec-ch-ua", "proxy-x", "forwarded", "proxy-authorization"} & set(request.headers)


def test_a_websocket_does_not_reach_the_site(allow):
    with web.serve({"/": web.page("x")}) as site, RecordingProxy(LIMITS) as proxy:
        allow(site)

        head, _body = ask(proxy, site.url("/"), headers="Connection: Upgrade\r\nUpgrade: websocket\r\n")

        assert head.startswith(b"HTTP/1.1 501")
        assert site.connections == 0


def test_a_post_arrives_with_its_body_and_no_word_for_the_proxy(allow):
    with web.serve({"/": web.page("done")}) as site, RecordingProxy(LIMITS) as proxy:
        allow(site)

        _head, body = ask(proxy, site.url("/"), method="POST", headers="Content-Length: 3\r\n", body=b"a=b")

        assert body == b"done"
        assert proxy.exchanges[0].request.endswith(b"\r\n\r\na=b")
        assert "proxy-authorization" not in site.requests[0].headers


def test_a_post_that_is_too_large_does_not_reach_the_site(allow):
    with web.serve({"/": web.page("done")}) as site, RecordingProxy(LIMITS) as proxy:
        allow(site)

        ask(proxy, site.url("/"), method="POST", headers=f"Content-Length: {POST_MAX_BYTES + 1}\r\n")

        assert site.connections == 0


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        (ProxyLimits(count=1, wire_bytes=1_000_000, each_bytes=500_000, seconds=10), "too_many"),
        (ProxyLimits(count=9, wire_bytes=500, each_bytes=500, seconds=10), "too_large"),
    ],
)
def test_what_is_over_budget_is_not_asked_for_and_counted(allow, limits, why):
    with web.serve({"/": web.page("x" * 300)}) as site, RecordingProxy(limits) as proxy:
        allow(site)

        ask(proxy, site.url("/"))
        ask(proxy, site.url("/"))

        assert proxy.missed[why] == 1


def test_many_small_answers_at_once_are_not_over_a_budget_that_has_room_for_them(allow):
    def when_all_have_asked(visit):
        while proxy.asked < 6 and visit.pause(0.02):
            pass
        visit.send(web.page("x"))

    limits = ProxyLimits(count=20, wire_bytes=1_000_000, each_bytes=500_000, seconds=30)
    with (
        web.serve({"/": when_all_have_asked}) as site,
        RecordingProxy(limits) as proxy,
        ThreadPoolExecutor(6) as askers,
    ):
        allow(site)

        answers = list(askers.map(lambda _number: ask(proxy, site.url("/")), range(6)))

        assert {body for _head, body in answers} == {b"x"}
        assert not proxy.missed


def test_of_a_part_of_a_page_less_is_taken_than_of_a_page(allow):
    limits = ProxyLimits(count=20, wire_bytes=1_000_000, each_bytes=500_000, seconds=10, part_bytes=1_000)
    with web.serve({"/": web.page("x" * 5_000)}) as site, RecordingProxy(limits) as proxy:
        allow(site)

        ask(proxy, site.url("/"))
        _head, page = ask(proxy, site.url("/"), headers="Upgrade-Insecure-Requests: 1\r\n")

        assert len(page) == 5_000
        assert [exchange.truncated for exchange in proxy.exchanges] == ["length", None]


def test_a_site_that_asks_for_the_proxys_word_does_not_get_it(allow):
    wants = web.page("", status="407 Proxy Authentication Required", headers={"Proxy-Authenticate": "Basic"})
    with web.serve({"/": wants}) as site, RecordingProxy(LIMITS) as proxy:
        allow(site)

        head, _body = ask(proxy, site.url("/"))

        assert head.startswith(b"HTTP/1.1 502")


def secured(line, proxy, authority):
    line.sendall(f"CONNECT {authority} HTTP/1.1\r\n{credentials(proxy)}\r\n".encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += line.recv(1)
    assert head.startswith(b"HTTP/1.1 200")
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(line, server_hostname="localhost")


def test_behind_a_secure_tunnel_everything_is_recorded_too(allow, tmp_path):
    certificate = web.certificate(tmp_path)
    with (
        web.serve({"/": web.page("private")}, tls=certificate) as site,
        RecordingProxy(LIMITS, ca_file=str(certificate.file)) as proxy,
        speaking_to(proxy) as line,
    ):
        allow(site)
        with secured(line, proxy, f"127.0.0.1:{site.port}") as tunnel:
            tunnel.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            _head, body = answer(tunnel)

        assert body == b"private"
        [exchange] = proxy.exchanges
        assert exchange.url == site.url("/")
        assert exchange.tls is not None
        assert exchange.tls.verified


def test_a_site_whose_certificate_is_not_valid_is_not_shown_to_the_browser(allow, tmp_path):
    certificate = web.certificate(tmp_path)
    with (
        web.serve({"/": web.page("private")}, tls=certificate) as site,
        RecordingProxy(LIMITS) as proxy,
        speaking_to(proxy) as line,
    ):
        allow(site)
        with secured(line, proxy, f"127.0.0.1:{site.port}") as tunnel:
            tunnel.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            head, _body = answer(tunnel)

        assert head.startswith(b"HTTP/1.1 502")
        assert site.requests == []


def test_what_is_posted_is_never_posted_twice(allow):
    on_a_kept_connection = []

    def keeps_and_then_hangs_up(visit):
        visit.send(web.page("x", headers={"Connection": "keep-alive"}))
        if visit.request.method == "GET":
            on_a_kept_connection.append(visit.connection.recv(65_536))

    with (
        web.serve({"/": keeps_and_then_hangs_up}) as site,
        RecordingProxy(LIMITS) as proxy,
        speaking_to(proxy) as line,
    ):
        allow(site)
        for method in ("GET", "POST"):
            line.sendall(f"{method} {site.url('/')} HTTP/1.1\r\nHost: x\r\n{credentials(proxy)}\r\n".encode())
            head, _body = answer(line)
            assert head.startswith(b"HTTP/1.1 200")

        assert [request.method for request in site.requests] == ["GET", "POST"]
    assert on_a_kept_connection == [b""]
