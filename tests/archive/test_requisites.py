"""What belongs to a page is in its copy, byte for byte, and can never cost the page."""

import threading
import time
from collections.abc import Callable
from io import BytesIO

import pytest
from pytest_django.fixtures import Settings
from warcio.archiveiterator import ArchiveIterator

from factcheck.archive import blobs
from factcheck.archive.models import Capture
from factcheck.archive.wacz import open_package
from factcheck.archive.wacz_checking import check_wacz
from factcheck.jobs.errors import LostLease
from tests import web

pytestmark = pytest.mark.django_db(transaction=True)

Capturing = Callable[[str], Capture]

PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
    b"\x00\x00\x00\rIDATx\x9cc\xf8\xff\xff?\x00\x05\xfe\x02\xfe\xdcD\xb6\x16\x00\x00\x00\x00IEND\xaeB`\x82"
)
ARTICLE = "<p>" + "The city counts its bridges every year. " * 20 + "</p>"


def records(capture: Capture) -> list[tuple[str, str, bytes]]:
    """Type, address and block of each record."""
    with blobs.open_blob(capture.warc_sha256) as file:
        return [
            (record.rec_type, record.rec_headers.get_header("WARC-Target-URI") or "", record.raw_stream.read())
            for record in ArchiveIterator(file, no_record_parse=True)
        ]


def paths(capture: Capture, site: web.Site, kind: str = "response") -> list[str]:
    return [url.removeprefix(site.url("")) for type_, url, _block in records(capture) if type_ == kind]


def picture(name: str) -> bytes:
    return web.page(PNG + name.encode(), media_type="image/png")


def test_every_kind_of_part_is_in_the_copy_as_it_was_sent(site: web.Site, capture: Capturing) -> None:
    page = f"""<html><head><base href="/in/"><title>T</title>
        <link rel=stylesheet href="a.css"><link rel=icon href="/icon.png"><meta property="og:image" content="/og.png">
        <link rel=preload as=font href="f.woff2"><script src="s.js"></script>
        <style>body {{ background: url('bg.png') }} @import "b.css";</style></head>
        <body>{ARTICLE}<img src="i.png" srcset="i2.png 2x, i3.png 3x"><img data-src="lazy.png">
        <picture><source srcset="p.png"><img src="q.png"></picture><video poster="poster.png" src="film.mp4"></video>
        <p style="background: url(style.png)">x</p><iframe src="frame.html"></iframe><input type=image src="in.png">
        <svg><image href="svg.png"/></svg><img src="data:image/png;base64,xxxx"><img src="#top"></body></html>"""
    parts = {f"/in/{name}.png": picture(name) for name in ("bg", "i", "i2", "i3", "lazy", "p", "q", "poster", "style")}
    parts |= {f"/in/{name}.png": picture(name) for name in ("in", "svg", "from-css", "framed", "set")}
    parts |= {path: picture(path) for path in ("/icon.png", "/og.png", "/deep.png")}
    parts |= {
        "/in/a.css": web.page("@import url('c.css'); p { background: url(from-css.png) }", media_type="text/css"),
        "/in/b.css": web.page("p {}", media_type="text/css"),
        "/in/c.css": web.page(
            "p { background: url('../deep.png') } b { background: image-set('set.png' type('image/png') 1x) }",
            media_type="text/css",
        ),
        "/in/f.woff2": web.page(b"wOF2abc", media_type="font/woff2"),
        "/in/s.js": web.page("alert(1)", media_type="text/javascript"),
        "/in/frame.html": web.page("<p>In the frame <img src=framed.png></p>"),
    }
    site.pages.update(parts | {"/": web.page(page)})

    sealed = capture(site.url("/"))

    assert sealed.outcome == "captured"
    kept = {url.removeprefix(site.url("")): block for type_, url, block in records(sealed) if type_ == "response"}
    assert set(kept) == {"/", *parts}
    assert all(kept[path] == site.pages[path] for path in parts)
    assert (sealed.requisites_found, sealed.requisites_kept, sealed.requisites_missed) == (len(parts), len(parts), {})
    assert site.requests[0].path == "/"
    with open_file(sealed) as package:
        assert check_wacz(package) == []


def open_file(capture: Capture) -> BytesIO:
    return BytesIO(b"".join(open_package(capture)))


def test_scripts_come_last_and_the_order_in_the_file_is_that_of_the_page(site: web.Site, capture: Capturing) -> None:
    names = [f"/{number}.png" for number in range(12)]
    site.pages.update({name: picture(name) for name in names})
    site.pages["/s.js"] = web.page("x", media_type="text/javascript")
    images = "".join(f"<img src={name}>" for name in names)
    site.pages["/"] = web.page(f"<script src=/s.js></script>{ARTICLE}{images}")

    sealed = capture(site.url("/"))

    assert paths(sealed, site) == ["/", *names, "/s.js"]


def test_the_same_payload_twice_is_a_revisit_and_an_empty_one_never(site: web.Site, capture: Capturing) -> None:
    site.pages.update(
        {
            "/": web.page(f"{ARTICLE}<img src=/a.png><img src=/b.png><img src=/c.gif><img src=/d.gif>"),
            "/a.png": picture("same"),
            "/b.png": picture("same"),
            "/c.gif": web.page(b"", media_type="image/gif"),
            "/d.gif": web.page(b"", media_type="image/gif"),
        }
    )

    sealed = capture(site.url("/"))

    assert paths(sealed, site, "revisit") == ["/b.png"]
    assert paths(sealed, site) == ["/", "/a.png", "/c.gif", "/d.gif"]
    with open_file(sealed) as package:
        assert check_wacz(package) == []


def test_the_text_of_the_page_is_a_record_too(site: web.Site, capture: Capturing) -> None:
    site.pages["/"] = web.page(ARTICLE)

    sealed = capture(site.url("/"))

    texts = {url: block for _type, url, block in records(sealed) if url.startswith("urn:text:")}
    assert b"counts its bridges" in texts[f"urn:text:{site.url('/')}"]


def test_a_part_behind_a_redirect_is_there_hop_by_hop(site: web.Site, capture: Capturing) -> None:
    site.pages.update(
        {"/": web.page(f"{ARTICLE}<img src=/old.png>"), "/old.png": web.redirect("/new.png"), "/new.png": picture("n")}
    )

    sealed = capture(site.url("/"))

    assert paths(sealed, site) == ["/", "/old.png", "/new.png"]
    assert (sealed.requisites_found, sealed.requisites_kept) == (1, 1)


@pytest.mark.parametrize("way", ["named", "redirected", "in a style"])
def test_a_part_in_a_private_network_is_never_asked_for(
    site: web.Site, capture: Capturing, settings: Settings, way: str
) -> None:
    with web.serve({"/secret.png": picture("secret")}) as private:
        secret = private.url("/secret.png")
        site.pages["/hop.png"] = web.redirect(secret)
        site.pages["/a.css"] = web.page(f"p {{ background: url({secret}) }}", media_type="text/css")
        page = {"named": f"<img src={secret}>", "redirected": "<img src=/hop.png>"}.get(
            way, "<link rel=stylesheet href=/a.css>"
        )
        site.pages["/"] = web.page(ARTICLE + page)

        sealed = capture(site.url("/"))

        assert sealed.outcome == "captured"
        assert sealed.requisites_missed == {"refused": 1}
        assert private.connections == 0


def test_what_is_missing_is_counted_by_its_reason(site: web.Site, capture: Capturing, settings: Settings) -> None:
    settings.CAPTURE_MAX_REQUISITE_BYTES = 50_000
    site.pages.update(
        {
            "/": web.page(f"{ARTICLE}<img src=/gone.png><img src=/big.png><img src=/reset.png><img src=/ok.png>"),
            "/big.png": web.page(b"x" * 200_000, media_type="image/png"),
            "/reset.png": lambda visit: visit.reset(),
            "/ok.png": picture("ok"),
        }
    )

    sealed = capture(site.url("/"))

    assert sealed.outcome == "captured"
    assert sealed.requisites_missed == {"absent": 1, "too_large": 1, "unreachable": 1}
    assert (sealed.requisites_found, sealed.requisites_kept) == (4, 1)


def test_five_thousand_parts_end_at_the_count_that_is_allowed(
    site: web.Site, capture: Capturing, settings: Settings
) -> None:
    settings.CAPTURE_MAX_REQUISITES = 10
    site.pages["/"] = web.page(ARTICLE + "".join(f"<img src=/{number}.png>" for number in range(5_000)))

    sealed = capture(site.url("/"))

    assert len(site.requests) == 11
    assert sealed.requisites_found == 5_000
    assert sealed.requisites_missed == {"absent": 10, "too_many": 4_990}


def test_a_part_that_never_ends_costs_its_time_and_nothing_else(
    site: web.Site, capture: Capturing, settings: Settings
) -> None:
    settings.CAPTURE_REQUISITES_SECONDS = 1

    def silent(visit: web.Visit) -> None:
        visit.wait_for_hangup()

    site.pages.update({"/": web.page(f"{ARTICLE}<img src=/silent.png><img src=/ok.png>"), "/silent.png": silent})
    site.pages["/ok.png"] = picture("ok")

    sealed = capture(site.url("/"))

    assert sealed.outcome == "captured"
    assert sealed.requisites_missed == {"time": 1}
    assert sealed.requisites_kept == 1


def test_a_few_that_drip_do_not_cost_the_others(
    site: web.Site, capture: Capturing, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("factcheck.archive.requisites.EACH_SECONDS", 1.0)

    def drip(visit: web.Visit) -> None:
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 100000\r\n\r\n")
        while visit.send(b"x") and visit.pause(0.1):
            pass

    drips = [f"/drip{number}.png" for number in range(4)]
    good = [f"/{number}.png" for number in range(20)]
    site.pages.update({"/": web.page(ARTICLE + "".join(f"<img src={name}>" for name in [*drips, *good]))})
    site.pages.update(dict.fromkeys(drips, drip) | {name: picture(name) for name in good})

    sealed = capture(site.url("/"))

    assert sealed.requisites_kept == 20
    assert sealed.requisites_missed == {"time": 4}


def test_small_parts_are_not_lost_to_what_is_set_aside_for_large_ones(
    site: web.Site, capture: Capturing, settings: Settings
) -> None:
    settings.CAPTURE_MAX_TOTAL_BYTES = 15 * 1024 * 1024
    names = [f"/{number}.png" for number in range(40)]
    site.pages.update({"/": web.page(ARTICLE + "".join(f"<img src={name}>" for name in names))})
    site.pages.update({name: picture(name) for name in names})

    assert capture(site.url("/")).requisites_kept == 40


def test_a_part_that_is_sent_to_the_page_itself_is_not_there(site: web.Site, capture: Capturing) -> None:
    site.pages.update({"/": web.page(f"{ARTICLE}<img src=/gone.png>"), "/gone.png": web.redirect("/")})

    assert capture(site.url("/")).requisites_missed == {"absent": 1}


def test_all_parts_together_stay_within_the_bytes_of_a_capture(
    site: web.Site, capture: Capturing, settings: Settings
) -> None:
    settings.CAPTURE_MAX_TOTAL_BYTES = 300_000
    site.pages["/"] = web.page(ARTICLE + "".join(f"<img src=/{number}.png>" for number in range(20)))
    for number in range(20):
        site.pages[f"/{number}.png"] = web.page(bytes([number]) * 100_000, media_type="image/png")

    sealed = capture(site.url("/"))

    assert sealed.wire_bytes <= 300_000
    assert sealed.requisites_kept < 3
    assert sum(sealed.requisites_missed.values()) + sealed.requisites_kept == 20


@pytest.mark.parametrize(("asked", "visits"), [("0", 2), ("3600", 1)])
def test_a_host_that_asks_for_patience_gets_it_once_or_is_left_alone(
    site: web.Site, capture: Capturing, asked: str, visits: int
) -> None:
    seen: list[str] = []

    def busy(visit: web.Visit) -> None:
        seen.append(visit.request.path)
        if len(seen) == 1:
            visit.send(web.page(b"", status="503 Busy", headers={"Retry-After": asked}))
        else:
            visit.send(picture("at last"))

    site.pages.update({"/": web.page(f"{ARTICLE}<img src=/a.png>"), "/a.png": busy})

    sealed = capture(site.url("/"))

    assert len(seen) == visits
    assert sealed.requisites_missed == ({} if visits == 2 else {"asked_to_wait": 1})


def test_a_wall_brings_no_pictures(site: web.Site, capture: Capturing) -> None:
    site.pages["/"] = web.page("<title>Just a moment...</title><img src=/a.png>", status="403 Forbidden")

    sealed = capture(site.url("/"))

    assert sealed.outcome == "blocked"
    assert [request.path for request in site.requests] == ["/"]


def test_no_more_than_four_connections_to_one_host(site: web.Site, capture: Capturing) -> None:
    lock = threading.Lock()
    four = threading.Barrier(4, timeout=10)
    now, most = 0, 0

    def counted(visit: web.Visit) -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        # Nobody goes on before four are here, so that a fifth would be seen.
        four.wait()
        with lock:
            now -= 1
        visit.send(picture(visit.request.path))

    names = [f"/{number}.png" for number in range(16)]
    site.pages.update({"/": web.page(ARTICLE + "".join(f"<img src={name}>" for name in names))})
    site.pages.update(dict.fromkeys(names, counted))

    sealed = capture(site.url("/"))

    assert sealed.requisites_kept == 16
    assert most == 4


def keeping(parts: dict[str, bytes], *, close_after: int = 10_000) -> Callable[[web.Visit], None]:
    """A site that keeps its connections, and closes each without a word after so many answers."""

    def answer(visit: web.Visit) -> None:
        request, answered = visit.request.raw, 0
        visit.connection.settimeout(5)
        while answered < close_after:
            target = request.split(b" ", 2)[1].decode()
            body = parts[target]
            visit.send(b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            answered += 1
            request = b""
            while b"\r\n\r\n" not in request:
                try:
                    piece = visit.connection.recv(65_536)
                except OSError:
                    return
                if not piece:
                    return
                request += piece

    return answer


@pytest.mark.parametrize("close_after", [10_000, 1, 3])
def test_kept_connections_give_each_exchange_its_own_bytes(
    site: web.Site, capture: Capturing, close_after: int
) -> None:
    names = [f"/{number}.png" for number in range(30)]
    bodies = {name: PNG + name.encode() * 50 for name in names}
    site.pages["/"] = web.page(ARTICLE + "".join(f"<img src={name}>" for name in names))
    site.pages.update(dict.fromkeys(names, keeping(bodies, close_after=close_after)))

    sealed = capture(site.url("/"))

    assert sealed.requisites_kept == 30
    for type_, url, block in records(sealed):
        name = url.removeprefix(site.url(""))
        if name in bodies and type_ == "response":
            assert block.endswith(b"\r\n\r\n" + bodies[name])
            assert block.startswith(b"HTTP/1.1 200 OK\r\n")
        if name in bodies and type_ == "request":
            assert block.startswith(f"GET {name} HTTP/1.1\r\nHost: {site.pair}\r\n".encode())
    if close_after == 10_000:
        assert site.connections <= 5


def test_a_capture_that_was_taken_over_among_its_pictures_seals_nothing(site: web.Site, settings: Settings) -> None:
    from factcheck.archive.requisites import Budget, fetch_requisites

    def told(_done: int, _all: int) -> None:
        raise LostLease("taken over")

    def slow(visit: web.Visit) -> None:
        visit.pause(1.5)
        visit.send(picture("slow"))

    site.pages["/a.png"] = slow
    began = time.monotonic()
    with pytest.raises(LostLease):
        fetch_requisites(
            site.url("/"),
            "",
            [("image", "/a.png")],
            budget=Budget(10, 10**6, 10**6, 30),
            user_agent="Test",
            read_links=lambda *_file: ("", []),
            progress=told,
        )
    assert time.monotonic() - began < 25
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("requisites-")]
