"""Pages in a real Chromium: what they show is taken, what they try is borne, and nothing of them stays."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from PIL import Image

from factcheck.archive.browser import processes
from factcheck.archive.browser.bounds import PAGE_MAX_HEIGHT, VIEW_HEIGHT, VIEW_WIDTH
from factcheck.archive.browser.driving import Order, browser_available, remove_leftovers, rendering
from factcheck.outbound.proxying import ProxyLimits, RecordingProxy
from tests import web

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not browser_available(),
        reason="no Chromium here, or no Playwright: Debian's package chromium, the extra browser",
    ),
]

LIMITS = ProxyLimits(count=100, wire_bytes=10_000_000, each_bytes=5_000_000, seconds=60)
SECONDS = 25.0


@pytest.fixture(autouse=True)
def own_folder(monkeypatch):
    """Where the browsers of this test put their files, so that what is left is theirs; its name must be short."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="d-") as folder:
        monkeypatch.setattr("tempfile.tempdir", folder)
        yield Path(folder)


def order_for(url, proxy, **more):
    return Order(
        **{
            "url": url,
            "proxy_port": proxy.port,
            "proxy_user": proxy.user,
            "proxy_password": proxy.password,
            "key_hash": proxy.key_hash,
            "user_agent": "Factcheck test",
            "language": "de",
            "seconds": SECONDS,
            **more,
        }
    )


@contextmanager
def shown(url, *, ca_file=None, limits=LIMITS, stage=lambda _name: None, own_network=True, **more):
    with (
        RecordingProxy(limits, ca_file=ca_file) as proxy,
        rendering(order_for(url, proxy, **more), stage=stage, own_network=own_network) as it,
    ):
        yield it


def of_the_browser(folder):
    """The processes that belong to a rendering with files below the folder."""
    return processes.with_word(str(folder / "factcheck-browser-"), processes.running())


def comes_true(question, *, seconds=20):
    """Wait for what another process does."""
    until = time.monotonic() + seconds
    while not question():
        if time.monotonic() > until:
            return False
        threading.Event().wait(0.05)
    return True


def colour_at(file, x, y):
    with Image.open(file.path) as picture:
        return picture.getpixel((x, y))[:3]


# --- what is taken


def test_words_that_only_a_script_brings_are_in_text_and_dom(site):
    script = "fetch('/words').then(a => a.text()).then(w => here.append(w))"
    page = f"<title>News</title><p id=here></p><script>{script}</script>"
    site.pages |= {"/": web.page(page), "/words": web.page("It cost 40 million")}

    with shown(site.url("/")) as rendered:
        assert rendered.outcome == "ok"
        assert rendered.title == "News"
        assert rendered.text == "It cost 40 million"
        assert '<p id="here">It cost 40 million</p>' in rendered.dom.path.read_text()


def test_the_chain_has_every_document_that_led_to_the_last(site):
    site.pages |= {
        "/": web.redirect("/a"),
        "/a": web.page("<script>location.replace('/b#place')</script>"),
        "/b": web.page("<p>Here</p><iframe src=/frame></iframe>"),
        "/frame": web.page("<p>There</p>"),
    }

    with shown(site.url("/")) as rendered:
        assert rendered.chain == (site.url("/"), site.url("/a"), site.url("/b"))
        assert rendered.final_url == site.url("/b")


def test_pictures_are_of_the_window_and_of_all_of_the_page(site):
    site.pages["/"] = web.page('<body style="margin:0"><div style="height:3000px;background:#00f"></div>')

    with shown(site.url("/")) as rendered:
        for file, height in ((rendered.view, VIEW_HEIGHT), (rendered.page, 3000)):
            with Image.open(file.path) as picture:
                assert (picture.format, picture.size) == ("PNG", (VIEW_WIDTH, height))
                assert (file.width, file.height, file.cut) == (VIEW_WIDTH, height, False)
        assert rendered.print.path.read_bytes().startswith(b"%PDF-")


def test_a_page_without_end_is_photographed_down_to_a_limit(site):
    bands = "".join(f'<div style="height:1000px;background:rgb({n},0,255)"></div>' for n in range(100))
    site.pages["/"] = web.page(f'<body style="margin:0">{bands}')

    with shown(site.url("/")) as rendered:
        assert (rendered.page.height, rendered.page.cut) == (PAGE_MAX_HEIGHT, True)
        with Image.open(rendered.page.path) as picture:
            for band in range(PAGE_MAX_HEIGHT // 1000):
                assert picture.getpixel((600, band * 1000 + 500))[:3] == (band, 0, 255)


def test_what_loads_when_it_comes_into_view_is_loaded(site):
    page = '<body><div style="height:8000px"></div><p id=low></p><script>new IntersectionObserver(seen => seen[0]'
    page += ".isIntersecting && fetch('/low').then(a => a.text()).then(w => low.append(w))).observe(low)</script>"
    site.pages |= {"/": web.page(page), "/low": web.page("Found below")}

    with shown(site.url("/")) as rendered:
        assert "Found below" in rendered.text


def test_what_lies_over_the_page_is_hidden_in_the_altered_picture_alone(site):
    site.pages["/"] = web.page(
        '<body style="margin:0;overflow:hidden;background:#fff"><p>Words of the page</p>'
        '<div id="consent" style="position:fixed;inset:0;background:#f00">We value your privacy</div>'
    )

    with shown(site.url("/")) as rendered:
        assert rendered.hidden == ("div#consent, fixed, 100 % of the screen",)
        assert "We value your privacy" in rendered.text
        assert colour_at(rendered.view, 640, 450) == (255, 0, 0)
        assert colour_at(rendered.page, 640, 450) == (255, 0, 0)
        assert colour_at(rendered.altered, 640, 450) == (255, 255, 255)


def test_a_page_with_nothing_over_it_has_no_altered_picture(site):
    site.pages["/"] = web.page(
        '<header style="position:sticky;top:0;height:60px">Head</header>'
        f'<main style="position:fixed;inset:60px 0 0;overflow:auto">{"The page itself. " * 50}</main>'
    )

    with shown(site.url("/")) as rendered:
        assert rendered.altered is None
        assert rendered.hidden == ()


def test_no_script_of_the_page_says_what_its_text_is(site):
    page = "<img name=body><img name=documentElement><p>True words</p><script>"
    page += "for (const [type, name] of [[HTMLElement, 'innerText'], [Element, 'outerHTML'], [Document, 'body']])"
    page += "Object.defineProperty(type.prototype, name, {get: () => 'Forged'});"
    page += "String.prototype.slice = JSON.stringify = () => 'Forged'</script>"
    site.pages["/"] = web.page(page)

    with shown(site.url("/")) as rendered:
        assert rendered.text.strip() == "True words"
        assert "<p>True words</p>" in rendered.dom.path.read_text()


def test_words_in_shadow_trees_are_taken_where_they_are_shown(site):
    page = "<p>Before <b>it</b></p><x-box><i>in the slot</i></x-box><p>After</p><script>"
    page += "document.querySelector('x-box').attachShadow({mode: 'open'}).innerHTML = "
    page += "'<style>p {color: red}</style><p>In the shadow, <slot></slot></p><p hidden>Not shown</p>'</script>"
    site.pages["/"] = web.page(page)

    with shown(site.url("/")) as rendered:
        assert rendered.text.split("\n") == ["Before it", "", "In the shadow, in the slot", "", "After"]


def test_a_secure_site_is_shown_when_its_certificate_is_valid_and_else_not(site, settings, tmp_path):
    certificate = web.certificate(tmp_path)
    with web.serve({"/": web.page("<p>Secured")}, tls=certificate) as secure:
        settings.ARCHIVE_ALLOW_LOOPBACK = [secure.pair]
        with shown(secure.url("/"), ca_file=str(certificate.file)) as rendered:
            assert rendered.text == "Secured"
        with shown(secure.url("/")) as rendered:
            assert rendered.outcome == "unreachable"
            assert rendered.chain == (secure.url("/"),)
            assert rendered.text == ""


def test_the_stages_are_told_in_their_order(site):
    site.pages["/"] = web.page("x")
    told = []

    with shown(site.url("/"), stage=told.append):
        assert told == ["opening", "scrolling", "photographing", "printing", "photographing"]


def test_a_page_is_told_that_it_is_on_line(site):
    site.pages["/"] = web.page("<p id=it></p><script>it.append(navigator.onLine)</script>")

    with shown(site.url("/")) as rendered:
        assert rendered.text == "true"


def test_a_page_that_is_filled_from_another_site_after_asking_leave_is_filled(site, settings):
    script = "fetch('TO', {method: 'POST', body: '{}', headers: {'Content-Type': 'application/json', 'X-Key': '1'}})"
    leave = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "content-type, x-key"}

    def answer(visit):
        words = "From elsewhere" if visit.request.method == "POST" and visit.request.headers.get("x-key") else ""
        visit.send(web.page(words, headers=leave))

    with web.serve({"/words": answer}) as elsewhere:
        settings.ARCHIVE_ALLOW_LOOPBACK = [site.pair, elsewhere.pair]
        script = script.replace("TO", elsewhere.url("/words"))
        site.pages["/"] = web.page(
            f"<p id=it></p><script>{script}.then(a => a.text()).then(w => it.append(w))</script>"
        )

        with shown(site.url("/")) as rendered:
            assert rendered.text == "From elsewhere"


# --- what is borne


HOSTILE = {
    "a loop without end": "for (;;);",
    "a loop that begins later": "setTimeout(() => { for (;;); }, 300)",
    "alerts without end": "for (;;) alert('x')",
    "alerts again and again": "setInterval(() => alert('x'), 1)",
    "refuses to be left": "addEventListener('beforeunload', e => { e.preventDefault(); e.returnValue = 'x'; })",
    "a storm of windows": "setInterval(() => { for (let i = 0; i < 50; i++) open('/other') }, 10)",
    "a download": "location = '/download'",
    "leaves again and again": "setInterval(() => { location = '/?' + Math.random() }, 700)",
    "a file of this machine": "location = 'file:///etc/passwd'",
    "a page in its address": "location = 'data:text/html,Elsewhere'",
    "the printer": "print()",
}


@pytest.mark.parametrize("script", HOSTILE.values(), ids=HOSTILE.keys())
def test_the_words_of_a_hostile_page_are_taken_and_nothing_of_it_stays(site, own_folder, script):
    site.pages |= {
        "/": web.page(f"<p>Words of the page</p><script>{script}</script>"),
        "/other": web.page("<p>Other words</p>"),
        "/download": web.page("x", headers={"Content-Disposition": "attachment"}),
    }

    with shown(site.url("/"), seconds=15.0) as rendered:
        assert rendered.outcome == "ok", rendered
        assert rendered.text == "Words of the page"
        assert rendered.view is not None
        assert not of_the_browser(own_folder)
    assert not list(own_folder.glob("factcheck-browser-*"))


def test_a_site_that_never_answers_meets_the_limit(site, own_folder):
    site.pages["/"] = lambda visit: visit.wait_for_hangup()

    with shown(site.url("/"), seconds=6.0) as rendered:
        assert rendered.outcome == "limit"
        assert rendered.chain == (site.url("/"),)
        assert not of_the_browser(own_folder)


def test_a_page_that_takes_all_memory_meets_the_limit(site, own_folder, monkeypatch):
    monkeypatch.setattr("factcheck.archive.browser.driving.MEMORY_MAX_BYTES", 700 * 1024 * 1024)
    script = "const all = []; for (;;) { const a = new Uint8Array(1e7); a.fill(1); all.push(a) }"
    site.pages["/"] = web.page(f"<p>Words</p><script>{script}</script>")

    with shown(site.url("/")) as rendered:
        assert rendered.outcome in ("limit", "crash")
        assert not of_the_browser(own_folder)


def test_what_is_no_page_is_not_shown(site):
    site.pages |= {
        "/file": web.page("x", headers={"Content-Disposition": "attachment"}),
        "/none": web.page("", status="204 No Content"),
        "/paper": web.page(b"%PDF-1.4\n%%EOF", media_type="application/pdf"),
        # Around this Chromium draws a page of its own, with words of its own.
        "/feed": web.page("<feed><title>News</title></feed>", media_type="application/xml"),
    }

    for path in ("/file", "/none", "/paper", "/feed"):
        with shown(site.url(path)) as rendered:
            assert (path, rendered.outcome, rendered.text) == (path, "unreachable", "")
            assert rendered.chain == (site.url(path),)


def test_an_error_of_the_browser_is_never_the_text(site):
    site.pages["/"] = web.page("<p>Old words</p><meta http-equiv=refresh content='0;url=http://127.0.0.1:9/'>")

    with shown(site.url("/")) as rendered:
        assert rendered.outcome == "unreachable"
        assert rendered.text == ""


# --- what stays


def test_when_the_child_is_killed_the_browser_goes_with_it(site, own_folder):
    site.pages["/"] = web.page("<p>Words</p>")
    children = []

    def kill(_stage):
        children.extend(process.pid for process in of_the_browser(own_folder) if process.parent == os.getpid())
        for pid in children:
            os.kill(pid, signal.SIGKILL)

    with shown(site.url("/"), stage=kill) as rendered:
        assert children
        assert rendered.outcome == "crash"
        assert not of_the_browser(own_folder)
    assert not list(own_folder.glob("factcheck-browser-*"))


def test_an_error_in_the_middle_ends_the_browser(site, own_folder):
    site.pages["/"] = web.page("<p>Words</p>")

    def break_off(_stage):
        raise RuntimeError("cancelled")

    with pytest.raises(RuntimeError, match="cancelled"), shown(site.url("/"), stage=break_off):
        pass
    assert not of_the_browser(own_folder)
    assert not list(own_folder.glob("factcheck-browser-*"))


WORKER = """
import os, sys, tempfile
tempfile.tempdir = sys.argv[1]
from factcheck.archive.browser.driving import Order, rendering
with rendering(Order(sys.argv[2], int(sys.argv[3]), "capture", sys.argv[4], "x", "x", "", 60.0),
               stage=lambda name: print(name, flush=True)):
    pass
"""


def test_when_the_worker_is_killed_neither_browser_nor_files_stay(site, own_folder):
    site.pages["/"] = lambda visit: visit.wait_for_hangup()
    with RecordingProxy(LIMITS) as proxy:
        arguments = [str(own_folder), site.url("/"), str(proxy.port), proxy.password]
        environment = os.environ | {"DJANGO_SETTINGS_MODULE": "factcheck.settings"}
        worker = subprocess.Popen(
            [sys.executable, "-c", WORKER, *arguments], stdout=subprocess.PIPE, env=environment, text=True
        )
        with worker:
            assert worker.stdout.readline() == "opening\n"
            assert comes_true(lambda: site.requests)
            worker.kill()
        assert comes_true(lambda: not of_the_browser(own_folder))
        assert comes_true(lambda: not list(own_folder.glob("factcheck-browser-*")))


def test_the_folder_of_a_worker_that_could_not_tidy_up_is_removed_when_it_is_old(own_folder):
    old, new = own_folder / "factcheck-browser-old", own_folder / "factcheck-browser-new"
    for folder in (old, new):
        (folder / "home").mkdir(parents=True)
    os.utime(old, (time.time() - 7200, time.time() - 7200))

    remove_leftovers()

    assert not old.exists()
    assert new.exists()


# --- what is not reached


@contextmanager
def canaries():
    """Ports that nobody may knock at, for connections and for datagrams; yields them and who has knocked."""
    knocked = []
    with (
        socket.create_server(("127.0.0.1", 0)) as stream,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
    ):
        port = stream.getsockname()[1]
        datagrams.bind(("127.0.0.1", port))

        def count_connections():
            with suppress(OSError):
                while True:
                    stream.accept()[0].close()
                    knocked.append("connection")

        def count_datagrams():
            with suppress(OSError):
                while datagrams.recv(2000) != b"end":
                    knocked.append("datagram")

        threads = [threading.Thread(target=count_connections), threading.Thread(target=count_datagrams)]
        for thread in threads:
            thread.start()
        try:
            yield port, knocked
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
                last.sendto(b"end", ("127.0.0.1", port))
            stream.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join()


TRIES = """<!DOCTYPE html><title>x</title>
<link rel=dns-prefetch href="//localhost:PORT"><link rel=preconnect href="http://127.0.0.1:PORT">
<link rel=preconnect href="https://127.0.0.1:PORT"><link rel=prefetch href="http://127.0.0.1:PORT/prefetch">
<link rel=prerender href="http://127.0.0.1:PORT/prerender"><link rel=modulepreload href="http://127.0.0.1:PORT/m.js">
<link rel=stylesheet href="http://127.0.0.1:PORT/style"><link rel=icon href="http://127.0.0.1:PORT/icon">
<link rel=manifest href="http://127.0.0.1:PORT/manifest">
<script type=speculationrules>{"prerender": [{"source": "list", "urls": ["http://127.0.0.1:PORT/speculation"]}]}</script>
<style>@font-face {font-family: f; src: url("http://127.0.0.1:PORT/font")} p {font-family: f;
background: url("http://localhost:PORT/background")}</style>
<p>Words</p><img src="http://127.0.0.1:PORT/img"><img src="http://[::1]:PORT/img"><img src="/to-canary">
<img src="http://localhost:PORT/img"><iframe src="http://127.0.0.1:PORT/frame"></iframe>
<object data="http://127.0.0.1:PORT/object"></object><embed src="http://127.0.0.1:PORT/embed">
<video src="http://127.0.0.1:PORT/video" autoplay></video><iframe name=inner></iframe>
<form action="http://127.0.0.1:PORT/form" method=post target=inner><input name=a value=b></form>
<a ping="http://127.0.0.1:PORT/ping" href="#here">a</a>
<script>
const at = "127.0.0.1:PORT";
const tries = [
  () => fetch("http://" + at + "/fetch", {mode: "no-cors"}),
  () => fetch("http://" + at + "/posted", {mode: "no-cors", method: "POST", body: "x", keepalive: true}),
  () => { const x = new XMLHttpRequest(); x.open("GET", "http://" + at + "/xhr"); x.send() },
  () => new WebSocket("ws://" + at + "/socket"), () => new WebSocket("wss://" + at + "/socket"),
  () => new WebSocket("ws://localhost:PORT/socket"),
  () => new EventSource("http://" + at + "/events"),
  () => navigator.sendBeacon("http://" + at + "/beacon", "x"),
  () => new WebTransport("https://" + at + "/transport"),
  () => navigator.serviceWorker.register("/worker.js"),
  () => new Worker(URL.createObjectURL(new Blob(["fetch('http://" + at + "/worker', {mode: 'no-cors'})"]))),
  () => new SharedWorker(URL.createObjectURL(new Blob(["fetch('http://" + at + "/shared', {mode: 'no-cors'})"]))),
  () => window.open("http://" + at + "/window"),
  () => document.forms[0].submit(), () => document.links[0].click(),
  async () => {
    const line = new RTCPeerConnection({iceServers: [{urls: ["stun:" + at, "stun:localhost:PORT"]},
      {urls: ["turn:" + at + "?transport=udp", "turn:" + at + "?transport=tcp", "turns:" + at], username: "a",
       credential: "b"}]});
    line.createDataChannel("x");
    await line.setLocalDescription(await line.createOffer());
    await line.setRemoteDescription({type: "answer", sdp: line.localDescription.sdp}).catch(() => 0);
    line.addIceCandidate({candidate: "candidate:1 1 udp 2113937151 127.0.0.1 PORT typ host", sdpMLineIndex: 0});
  },
];
for (const one of tries) { try { Promise.resolve(one()).catch(() => 0) } catch (error) {} }
</script>"""


@pytest.mark.parametrize("own_network", [True, False], ids=["own network", "switches alone"])
def test_nothing_that_a_page_tries_reaches_an_address_that_the_proxy_refuses(site, own_network):
    with canaries() as (port, knocked):
        site.pages |= {
            "/": web.page(TRIES.replace("PORT", str(port))),
            "/to-canary": web.redirect(f"http://127.0.0.1:{port}/redirected"),
            "/worker.js": web.page(
                f"fetch('http://127.0.0.1:{port}/sw', {{mode: 'no-cors'}})", media_type="text/javascript"
            ),
        }

        with shown(site.url("/"), own_network=own_network) as rendered:
            assert "Words" in rendered.text

        assert knocked == []


@pytest.mark.parametrize(
    "leads",
    [
        lambda to: web.redirect(to),
        lambda to: web.page(f"<meta http-equiv=refresh content='0;url={to}'>"),
        lambda to: web.page(f"<script>location = '{to}'</script>"),
        lambda to: web.page(f"<form method=post action='{to}'></form><script>document.forms[0].submit()</script>"),
    ],
    ids=["redirect", "refresh", "script", "form"],
)
def test_a_page_that_leads_to_an_address_that_is_refused_is_not_followed(site, leads):
    with canaries() as (port, knocked):
        site.pages["/"] = leads(f"http://127.0.0.1:{port}/")

        with shown(site.url("/")) as rendered:
            assert rendered.outcome == "unreachable"
            assert rendered.chain == (site.url("/"), f"http://127.0.0.1:{port}/")

        assert knocked == []
