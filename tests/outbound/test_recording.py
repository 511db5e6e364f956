"""The recording transport against servers that answer oddly, slowly, endlessly or not at all."""

import gc
import gzip
import os
import shutil
import socket
from http.client import HTTPConnection

import pytest

from factcheck.outbound import recording
from factcheck.outbound.errors import AddressRefused, LimitReached, Unreachable
from factcheck.outbound.exchanges import Limits, entity
from tests import web
from tests.outbound.test_addresses import spelled

SHORT = Limits(max_wire_bytes=100_000, max_decoded_bytes=1_000_000, seconds=0.4)


def stored(exchange) -> bytes:
    return b"".join(exchange.raw())


# --- bytes -----------------------------------------------------------------------------------

# What a server may send, and the payload in it.
ODD_RESPONSES = {
    "plain": (web.page("<p>Hello</p>"), b"<p>Hello</p>"),
    "no space after colon, odd case, doubled": (
        b"HTTP/1.1 200 OK\r\nX-Tight:x\r\ncontent-LENGTH:  2 \r\nX-Tight:\ty\r\n\r\nab",
        b"ab",
    ),
    "lf only": (b"HTTP/1.1 200 OK\nContent-Length: 2\nX: 1\n\nab", b"ab"),
    "lf and crlf mixed": (b"HTTP/1.1 200 OK\r\nContent-Length: 2\nX: 1\r\n\nab", b"ab"),
    "bytes beyond ascii in the head": (b"HTTP/1.1 200 Tr\xe8s bien\r\nX-Name: caf\xe9 \xff\r\n\r\nab", b"ab"),
    "no reason": (b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nab", b"ab"),
    "folded header": (b"HTTP/1.1 200 OK\r\nX-Long: a\r\n  b\r\nContent-Length: 2\r\n\r\nab", b"ab"),
    "line without colon": (b"HTTP/1.1 200 OK\r\nnonsense\r\nContent-Length: 2\r\n\r\nab", b"ab"),
    "http 1.0 until close": (b"HTTP/1.0 200 OK\r\n\r\n" + b"ab" * 50_000, b"ab" * 50_000),
    "early hints": (
        b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab",
        b"ab",
    ),
    "several interim responses": (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\n\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab",
        b"ab",
    ),
    "chunked": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n",
        b"hello world",
    ),
    "chunked in other sizes with trailer": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
        b"00A\r\nhello worl\r\n1 \nd\n0\r\nX-Sum: 1\r\nY: 2\r\n\r\n",
        b"hello world",
    ),
    "chunked wins over length": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
        b"ab",
    ),
    "same length twice": (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab", b"ab"),
    "length that is no number": (b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nab", b"ab"),
    "empty": (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    "length zero": (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b""),
    "gzip stays packed": (
        web.page(gzip.compress(b"hello" * 100, mtime=0), headers={"Content-Encoding": "gzip"}),
        gzip.compress(b"hello" * 100, mtime=0),
    ),
    "content with nul and line ends": (web.page(b"\x00\r\n\r\n\n\xff" * 30_000), b"\x00\r\n\r\n\n\xff" * 30_000),
}


@pytest.mark.parametrize("name", ODD_RESPONSES)
def test_what_is_stored_is_byte_for_byte_what_was_sent(name, allow, fetch):
    sent, payload = ODD_RESPONSES[name]
    with web.serve({"/": sent}) as site:
        allow(site)
        fetched = fetch(site.url("/"))

    assert fetched.error is None
    assert stored(fetched.final) == sent
    assert fetched.final.length == len(sent)
    assert entity(fetched.final, 1_000_000) == payload
    assert fetched.final.truncated is None
    assert fetched.final.request == site.requests[0].raw


def test_a_response_that_arrives_byte_by_byte_is_stored_the_same(allow, fetch):
    sent = ODD_RESPONSES["chunked"][0]

    def slowly(visit):
        for position in range(len(sent)):
            visit.send(sent[position : position + 1])

    with web.serve({"/": slowly}) as site:
        allow(site)
        assert stored(fetch(site.url("/")).final) == sent


def test_headers_are_given_as_they_arrived(allow, fetch):
    with web.serve({"/": ODD_RESPONSES["no space after colon, odd case, doubled"][0]}) as site:
        allow(site)
        final = fetch(site.url("/")).final

    assert final.headers == [("X-Tight", "x"), ("content-LENGTH", "2"), ("X-Tight", "y")]
    assert (final.status, final.reason, final.header("x-tight"), final.header("none")) == (200, "OK", "x", None)


def test_interim_responses_are_passed_over_and_named(allow, fetch):
    with web.serve({"/": ODD_RESPONSES["several interim responses"][0]}) as site:
        allow(site)
        head = fetch(site.url("/")).final.head

    assert (head.interim, head.status) == ((100, 102), 200)


def test_the_request_is_plain_and_says_who_asks(allow, fetch):
    with web.serve({"/a%20b": web.page()}) as site:
        allow(site)
        fetch(site.url("/a b?q=100%&x=%C3%BC#part"))

    request = site.requests[0]
    assert request.target == "/a%20b?q=100%&x=%C3%BC"
    assert request.headers == {
        "host": site.pair,
        "user-agent": "Factcheck test",
        "accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "accept-encoding": "gzip, deflate",
        "connection": "close",
    }


def test_an_entity_larger_than_asked_for_is_refused(allow, fetch):
    with web.serve({"/": web.page("x" * 100)}) as site:
        allow(site)
        final = fetch(site.url("/")).final

    assert len(entity(final, 100)) == 100
    with pytest.raises(LimitReached):
        entity(final, 99)


def test_what_follows_the_end_of_the_message_is_not_stored(allow, fetch):
    with web.serve({"/": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabHTTP/1.1 200 OK\r\n\r\nsmuggled"}) as site:
        allow(site)
        final = fetch(site.url("/")).final

    assert stored(final) == b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab"
    assert (final.truncated, final.surplus > 0) == (None, True)


# --- cut off ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sent",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nno size\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello, longer than said\r\n0\r\n\r\n",
    ],
)
def test_a_body_that_ends_before_its_end_is_kept_and_named_as_cut(sent, allow, fetch):
    with web.serve({"/": sent}) as site:
        allow(site)
        final = fetch(site.url("/")).final

    assert final.truncated == "disconnect"
    assert stored(final) == sent
    assert entity(final, 1000).startswith(b"hello")


def test_a_connection_reset_in_the_body_keeps_what_had_come(allow, fetch):
    def breaking(visit):
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello")
        # Only when the client has read what came does it meet the reset and not lose it.
        visit.pause(0.1)
        visit.reset()

    with web.serve({"/": breaking}) as site:
        allow(site)
        final = fetch(site.url("/")).final

    assert (final.truncated, entity(final, 1000)) == ("disconnect", b"hello")


def drip(visit):
    visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while visit.pause(0.02) and visit.send(b"x"):
        pass


def fall_silent(visit):
    visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nhello")
    visit.wait_for_hangup()


def drip_chunk_sizes(visit):
    visit.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
    while visit.pause(0.02) and visit.send(b"0"):
        pass


@pytest.mark.parametrize("page", [drip, fall_silent, drip_chunk_sizes])
def test_a_body_that_takes_too_long_is_cut_at_the_deadline(page, allow, fetch):
    with web.serve({"/": page}) as site:
        allow(site)
        fetched = fetch(site.url("/"), limits=SHORT)

    assert fetched.error is None
    assert fetched.final.truncated == "time"
    assert entity(fetched.final, 1000)


def say_nothing(visit):
    visit.wait_for_hangup()


def endless_head(visit):
    visit.send(b"HTTP/1.1 200 OK\r\nX: ")
    while visit.pause(0.02) and visit.send(b"x"):
        pass


def endless_hints(visit):
    while visit.pause(0.03) and visit.send(b"HTTP/1.1 103 Early Hints\r\n\r\n"):
        pass


@pytest.mark.parametrize("page", [say_nothing, endless_head, endless_hints])
def test_a_head_that_takes_too_long_is_a_site_that_did_not_answer(page, allow, fetch):
    with web.serve({"/": page}) as site:
        allow(site)
        fetched = fetch(site.url("/"), limits=SHORT)

    assert fetched.final is None
    assert isinstance(fetched.error, Unreachable)
    assert fetched.error.code == "timeout"


def pour(visit):
    visit.send(b"HTTP/1.1 200 OK\r\n\r\n")
    while visit.send(b"x" * 65_536):
        pass


def pour_chunks(visit):
    visit.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while visit.send(b"10000\r\n" + b"x" * 65_536 + b"\r\n"):
        pass


def pour_one_chunk_size(visit):
    visit.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n1;")
    while visit.send(b"x" * 65_536):
        pass


@pytest.mark.parametrize("page", [pour, pour_chunks])
def test_an_endless_body_is_cut_at_exactly_the_limit(page, allow, fetch):
    with web.serve({"/": page}) as site:
        allow(site)
        final = fetch(site.url("/")).final

    assert final.truncated == "length"
    assert final.length == len(stored(final)) == 1_000_000


def test_an_endless_line_of_framing_is_not_waited_for(allow, fetch):
    with web.serve({"/": pour_one_chunk_size}) as site:
        allow(site)
        final = fetch(site.url("/")).final

    assert final.truncated == "disconnect"
    assert final.length < 200_000


def test_a_body_of_exactly_the_limit_is_whole(allow, fetch):
    sent = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1000
    with web.serve({"/": sent}) as site:
        allow(site)
        whole = fetch(site.url("/"), limits=Limits(len(sent), 10_000, 5)).final
        cut = fetch(site.url("/"), limits=Limits(len(sent) - 1, 10_000, 5)).final

    assert (whole.truncated, whole.length) == (None, len(sent))
    assert (cut.truncated, cut.length) == ("length", len(sent) - 1)


def test_a_head_larger_than_the_limit_is_refused(allow, fetch):
    with web.serve({"/": b"HTTP/1.1 200 OK\r\n" + b"X: " + b"x" * 5000 + b"\r\n\r\n"}) as site:
        allow(site)
        fetched = fetch(site.url("/"), limits=Limits(1000, 1000, 5))

    assert isinstance(fetched.error, LimitReached)


# --- no answer -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"", "connect"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "protocol"),
        (b"\r\nHTTP/1.1 200 OK\r\n\r\n", "protocol"),
        (b"HTTP/1.1 2 OK\r\n\r\n", "protocol"),
        (b"<html>no head</html>", "protocol"),
        (b"HTTP/1.1 200 OK\r\nContent-Len", "protocol"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", "protocol"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n", "protocol"),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n" * 50 + b"HTTP/1.1 200 OK\r\n\r\n", "protocol"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc", "protocol"),
    ],
)
def test_what_is_no_answer_is_named(sent, code, allow, fetch):
    with web.serve({"/": sent}) as site:
        allow(site)
        fetched = fetch(site.url("/"))

    assert isinstance(fetched.error, Unreachable)
    assert fetched.error.code == code
    assert (fetched.final, fetched.exchanges) == (None, [])


def test_a_port_where_nobody_listens_is_unreachable(allow, fetch):
    with web.serve() as site:
        allow(site)
    fetched = fetch(site.url("/"))

    assert (type(fetched.error), fetched.error.code) == (Unreachable, "connect")


def test_the_next_address_of_a_name_is_tried_when_the_first_does_not_answer(allow, fetch):
    with web.serve({"/": web.page("hello")}) as site:
        allow(site, names=["news.example"])
        final = fetch(
            site.url("/", host="news.example"), resolve=lambda name, seconds: ["127.0.0.9", "127.0.0.1"]
        ).final

    assert (final.ip, final.addresses) == ("127.0.0.1", ("127.0.0.9", "127.0.0.1"))


# --- where it goes ---------------------------------------------------------------------------


@pytest.fixture
def canary(settings):
    """A server that must never be reached, on a port that the rule would allow."""
    with web.serve({"/": web.page("the crown jewels")}) as site:
        settings.ARCHIVE_PORTS = [80, 443, site.port]
        yield site


def test_no_spelling_of_an_address_of_this_machine_reaches_it(canary, fetch):
    for url in spelled(canary.port):
        fetched = fetch(url, resolve=lambda name, seconds: ["127.0.0.1"])
        assert isinstance(fetched.error, AddressRefused), url
    assert canary.connections == 0


def test_no_redirect_to_any_spelling_reaches_it(canary, allow, fetch):
    targets = [url for url in spelled(canary.port) if "\r" not in url]
    pages = {f"/{number}": web.redirect(url.encode().decode("latin-1")) for number, url in enumerate(targets)}
    with web.serve(pages) as site:
        allow(site)
        for number, url in enumerate(targets):
            fetched = fetch(site.url(f"/{number}"), resolve=lambda name, seconds: ["127.0.0.1"])
            # Read as a relative address, what is no URL of its own leads back to the harmless site.
            harmless = fetched.final is not None and fetched.final.ip == site.host and fetched.final.status == 404
            assert isinstance(fetched.error, AddressRefused) or harmless, url
            assert fetched.exchanges[0].status == 302
    assert canary.connections == 0


def test_a_name_that_resolves_to_a_private_address_reaches_nothing(canary, fetch):
    fetched = fetch(canary.url("/", host="news.example"), resolve=lambda name, seconds: ["127.0.0.1"])

    assert isinstance(fetched.error, AddressRefused)
    assert fetched.error.code == "private_address"
    assert canary.connections == 0


def test_a_name_that_resolves_differently_the_second_time_gains_nothing(allow, fetch):
    """The connection goes to what was vetted: there is no second look-up that could answer otherwise."""
    answers = [["127.0.0.1"], ["127.0.0.2"], ["10.0.0.1"]]
    with (
        web.serve({"/": web.page("vetted")}) as site,
        socket.create_server(("127.0.0.2", site.port)) as other,
    ):
        other.setblocking(False)
        allow(site, names=["news.example"])
        final = fetch(site.url("/", host="news.example"), resolve=lambda name, seconds: answers.pop(0)).final
        with pytest.raises(BlockingIOError):
            other.accept()

    assert (final.ip, len(answers)) == ("127.0.0.1", 2)
    assert entity(final, 100) == b"vetted"
    assert site.requests[0].headers["host"] == f"news.example:{site.port}"


def test_a_connection_that_arrives_elsewhere_is_given_up(allow, fetch, monkeypatch):
    class Diverted(socket.socket):
        """As behind a router that rewrites addresses."""

        def getpeername(self):
            return ("192.168.0.1", 80)

    with web.serve({"/": web.page("inside")}) as site:
        allow(site)
        monkeypatch.setattr(socket, "socket", Diverted)
        fetched = fetch(site.url("/"))
        monkeypatch.undo()

    assert fetched.error.code == "private_address"
    assert site.requests == []


def test_each_hop_is_vetted_again_and_what_came_before_is_kept(canary, allow, fetch):
    with web.serve({"/": web.redirect(canary.url("/", host="inside.example"))}) as site:
        allow(site)
        fetched = fetch(site.url("/"), resolve=lambda name, seconds: ["192.168.0.1"])

    assert fetched.error.code == "private_address"
    assert "inside.example" in str(fetched.error)
    assert [exchange.status for exchange in fetched.exchanges] == [302]
    assert fetched.final is None
    assert fetched.final_url == canary.url("/", host="inside.example")


def test_the_same_name_is_vetted_again_at_each_hop(allow, fetch):
    answers = [["127.0.0.1"], ["10.0.0.1"]]
    with web.serve({"/": web.redirect("/next"), "/next": web.page("never")}) as site:
        allow(site, names=["news.example"])
        fetched = fetch(site.url("/", host="news.example"), resolve=lambda name, seconds: answers.pop(0))

    assert isinstance(fetched.error, AddressRefused)
    assert [request.path for request in site.requests] == ["/"]


def test_proxies_and_passwords_of_the_environment_are_ignored(canary, allow, fetch, monkeypatch, tmp_path):
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, canary.url(""))
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login anna password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with web.serve({"/": web.page("direct")}) as site:
        allow(site)
        final = fetch(site.url("/")).final

    assert entity(final, 100) == b"direct"
    assert "authorization" not in site.requests[0].headers
    assert canary.connections == 0


def test_nothing_of_the_process_is_patched():
    assert socket.socket.__module__ == "socket"
    assert HTTPConnection.__module__ == "http.client"
    assert HTTPConnection.response_class.__module__ == "http.client"


# --- redirects -------------------------------------------------------------------------------


def test_redirects_are_walked_and_every_hop_is_kept(allow, fetch):
    with web.serve() as first, web.serve({"/end": web.page("here")}) as second:
        allow(first, second)
        first.pages["/"] = web.redirect("next?x=1#part", status="301 Moved Permanently")
        first.pages["/next"] = web.redirect(second.url("/end"), status="307 Temporary Redirect")
        hops = []
        fetched = fetch(first.url("/"), on_hop=hops.append)

    assert [exchange.status for exchange in fetched.exchanges] == [301, 307, 200]
    assert [(hop.status, hop.location) for hop in fetched.redirects] == [
        (301, first.url("/next?x=1#part")),
        (307, second.url("/end")),
    ]
    assert fetched.final_url == second.url("/end")
    assert fetched.final.url == second.url("/end")
    assert entity(fetched.final, 100) == b"here"
    assert hops == [first.url("/"), first.url("/next?x=1#part"), second.url("/end")]


def test_a_location_in_raw_utf8_is_followed(allow, fetch):
    with web.serve({"/": web.redirect("/ä".encode().decode("latin-1")), "/%C3%A4": web.page("ä")}) as site:
        allow(site)
        assert entity(fetch(site.url("/")).final, 100) == "ä".encode()


@pytest.mark.parametrize("headers", [{}, {"Location": ""}])
def test_a_redirect_that_leads_nowhere_is_the_answer(headers, allow, fetch):
    with web.serve({"/": web.page("moved, ask at the desk", status="302 Found", headers=headers)}) as site:
        allow(site)
        fetched = fetch(site.url("/"))

    assert (fetched.error, fetched.final.status) == (None, 302)
    assert entity(fetched.final, 100) == b"moved, ask at the desk"


def test_a_circle_of_redirects_is_named(allow, fetch):
    with web.serve({"/a": web.redirect("/b"), "/b": web.redirect("/a#again")}) as site:
        allow(site)
        fetched = fetch(site.url("/a"))

    assert fetched.error.code == "redirect_loop"
    assert site.url("/a") in str(fetched.error)
    assert len(fetched.exchanges) == 2


def test_ten_redirects_are_followed_and_not_eleven(allow, fetch):
    pages = {f"/{number}": web.redirect(f"/{number + 1}") for number in range(20)}
    with web.serve({**pages, "/20": web.page("here")}) as site:
        allow(site)
        far = fetch(site.url("/10"))
        too_far = fetch(site.url("/9"))

    assert far.final.status == 200
    assert too_far.error.code == "too_many_redirects"
    assert len(too_far.exchanges) == 11


def test_a_cookie_set_on_the_way_is_not_sent_on(allow, fetch):
    cookie = {"Set-Cookie": "visitor=1; Path=/"}
    with web.serve({"/": web.redirect("/next", headers=cookie), "/next": web.page(headers=cookie)}) as site:
        allow(site)
        fetch(site.url("/"))
        fetch(site.url("/next"))

    assert len(site.requests) == 3
    assert all("cookie" not in request.headers for request in site.requests)


def test_no_referrer_or_credentials_follow_a_redirect(allow, fetch):
    with web.serve() as site:
        allow(site)
        site.pages["/"] = web.redirect(f"http://anna:secret@{site.pair}/next")
        fetched = fetch(site.url("/"))

    assert fetched.error.code == "userinfo"
    assert len(site.requests) == 1


def test_the_endless_body_of_a_redirect_does_not_cost_the_page_behind_it(allow, fetch):
    def pour_and_redirect(visit):
        visit.send(b"HTTP/1.1 302 Found\r\nLocation: /next\r\n\r\n")
        while visit.send(b"x" * 65_536):
            pass

    with web.serve({"/": pour_and_redirect, "/next": web.page("here")}) as site:
        allow(site)
        fetched = fetch(site.url("/"), limits=Limits(3_000_000, 3_000_000, 5))

    assert fetched.exchanges[0].truncated == "length"
    assert fetched.exchanges[0].length < 1_200_000
    assert entity(fetched.final, 100) == b"here"


def test_the_silent_body_of_a_redirect_does_not_cost_the_page_behind_it(allow, fetch, monkeypatch):
    monkeypatch.setattr(recording, "REDIRECT_BODY_SECONDS", 0.2)

    def redirect_and_fall_silent(visit):
        visit.send(b"HTTP/1.1 302 Found\r\nLocation: /next\r\nContent-Length: 9\r\n\r\nx")
        visit.wait_for_hangup()

    with web.serve({"/": redirect_and_fall_silent, "/next": web.page("here")}) as site:
        allow(site)
        fetched = fetch(site.url("/"))

    assert fetched.exchanges[0].truncated == "time"
    assert entity(fetched.final, 100) == b"here"


def test_a_packed_bomb_as_the_body_of_a_redirect_is_never_unpacked(allow, fetch):
    bomb = gzip.compress(b"\0" * 50_000_000)
    with web.serve(
        {
            "/": web.page(bomb, status="302 Found", headers={"Location": "/next", "Content-Encoding": "gzip"}),
            "/next": web.page("here"),
        }
    ) as site:
        allow(site)
        fetched = fetch(site.url("/"))

    assert fetched.exchanges[0].length < 60_000
    assert entity(fetched.final, 100) == b"here"


def test_the_limits_hold_for_all_hops_together(allow, fetch):
    with web.serve({"/": web.page("x" * 900, status="302 Found", headers={"Location": "/next"})}) as site:
        allow(site)
        site.pages["/next"] = web.page("x" * 900)
        final = fetch(site.url("/"), limits=Limits(1_500, 10_000, 5)).final
        site.pages["/next"] = drip
        slow = fetch(site.url("/"), limits=SHORT).final

    assert final.truncated == "length"
    assert slow.truncated == "time"


def test_what_the_hop_callback_raises_goes_through(allow, fetch):
    class Cancelled(Exception):
        pass

    def cancel(url):
        raise Cancelled

    with web.serve({"/": web.page()}) as site:
        allow(site)
        with pytest.raises(Cancelled):
            fetch(site.url("/"), on_hop=cancel)

    assert site.requests == []


# --- TLS -------------------------------------------------------------------------------------


@pytest.fixture
def certificate(tmp_path):
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl command to make a certificate")
    return web.certificate(tmp_path)


def test_over_tls_the_bytes_inside_and_the_facts_of_the_connection_are_kept(certificate, allow, fetch):
    sent = ODD_RESPONSES["chunked"][0]
    with web.serve({"/": sent}, tls=certificate) as site:
        allow(site, names=["localhost"])
        url = site.url("/", host="localhost")
        final = fetch(url, resolve=lambda name, seconds: ["127.0.0.1"], ca_file=str(certificate.file)).final

    assert stored(final) == sent
    assert final.request == site.requests[0].raw
    assert final.tls.version in ("TLSv1.2", "TLSv1.3")
    assert final.tls.cipher
    assert final.tls.verified
    assert final.tls.certificate_pem.strip() == certificate.file.read_text().strip()
    assert final.url.startswith("https://localhost:")


def test_a_certificate_by_nobody_known_is_not_accepted(certificate, allow, fetch):
    with web.serve({"/": web.page("secret")}, tls=certificate) as site:
        allow(site)
        fetched = fetch(site.url("/"))

    assert (type(fetched.error), fetched.error.code) == (Unreachable, "tls")
    assert "self-signed" in fetched.error.detail
    assert site.requests == []


def test_a_certificate_for_another_name_is_not_accepted(certificate, allow, fetch):
    with web.serve({"/": web.page("secret")}, tls=certificate) as site:
        allow(site, names=["news.example"])
        url = site.url("/", host="news.example")
        fetched = fetch(url, resolve=lambda name, seconds: ["127.0.0.1"], ca_file=str(certificate.file))

    assert fetched.error.code == "tls"
    assert "news.example" in fetched.error.detail
    assert site.requests == []


def test_a_site_that_speaks_no_tls_is_named_so(allow, fetch):
    with web.serve({"/": web.page("plain")}) as site:
        allow(site)
        fetched = fetch(site.url("/").replace("http:", "https:"))

    assert fetched.error.code == "tls"


def test_a_handshake_that_never_comes_ends_at_the_deadline(allow, fetch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        allow(web.Site("127.0.0.1", port, "https"))
        fetched = fetch(f"https://127.0.0.1:{port}/", limits=SHORT)

    assert (type(fetched.error), fetched.error.code) == (Unreachable, "timeout")


def test_no_socket_and_no_file_is_left_open(allow, fetch, recwarn):
    with web.serve({"/": web.redirect("/next"), "/next": web.page("x" * 2_000_000)}) as site:
        allow(site)
        before = len(os.listdir("/proc/self/fd"))
        fetch(site.url("/"), limits=Limits(5_000_000, 5_000_000, 5)).close()
        fetch(site.url("/").replace("http:", "https:")).close()
        gc.collect()

    # The server's own end of each connection is gone with the server.
    assert len(os.listdir("/proc/self/fd")) < before
    assert not [warning for warning in recwarn if issubclass(warning.category, ResourceWarning)]
