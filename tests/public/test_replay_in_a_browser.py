"""A copy in a real browser: what was copied shows, nothing runs, and nobody outside hears of it."""

import base64
import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Error as Download
from playwright.sync_api import Page, sync_playwright

from factcheck.archive import blobs
from factcheck.archive.models import Capture
from factcheck.archive.replay_links import replay_url
from factcheck.archive.services import request_capture
from factcheck.ledger.insert_only import lifted
from tests import newsroom_web, web
from tests.archive.test_warc import exchange, write
from tests.browser.conftest import ARGUMENTS, CHROMIUM

FONT = Path("/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf")

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not FONT.exists(), reason="no DejaVu here: Debian's package fonts-dejavu-core has it"),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: Debian's package chromium has it"),
]

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="30" height="30"><script>parent.document.title="run"</script>'
    b'<image href="CANARY/svg-image"/><rect width="30" height="30" fill="green"/></svg>'
)


@pytest.fixture
def archive_url(settings, request) -> str:
    settings.ROOT_URLCONF = "factcheck.archive_urls"
    settings.MIDDLEWARE = [
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.common.CommonMiddleware",
    ]
    settings.ALLOWED_HOSTS = ["*"]
    settings.ARCHIVE_URL = request.getfixturevalue("live_server").url
    settings.PUBLIC_URL = "http://app.example"
    return settings.ARCHIVE_URL


@pytest.fixture
def canary() -> Iterator[web.Site]:
    """Somebody outside who wants to know who looks; "localhost", so that a name could be asked for ahead, too."""
    with web.serve() as listening:
        yield listening


def copied(page: str, parts: dict[str, tuple[str | bytes, str]], canary: web.Site) -> Capture:
    """A copy of the page and of parts given by path. CANARY in them is the canary's address."""
    there = canary.url("").rstrip("/")
    answers = {"/old.png": web.redirect("/a.png")}
    for path, (body, media_type) in parts.items():
        content = body if isinstance(body, bytes) else body.encode()
        answers[path] = web.page(content.replace(b"CANARY", there.encode()), media_type=media_type)
    main = web.page(page.replace("CANARY", there))
    with newsroom_web.site({"/page": main}) as site:
        request = request_capture(site.url("/page"), by=None, patient=False)
        newsroom_web.do_due_work()
        exchanges = [exchange(main, url=site.url("/page"))]
        exchanges += [exchange(answer, url=site.url(path)) for path, answer in answers.items()]
    capture = Capture.objects.get(request=request)
    warc, _summary = write(exchanges)
    with lifted():
        Capture.objects.filter(pk=capture.pk).update(warc_sha256=blobs.store(warc).sha256)
    canary.requests.clear()
    canary.connections = 0
    return Capture.objects.get(pk=capture.pk)


class Watched:
    """What a page asked for and did."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.requests: list[str] = []
        self.dialogs: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss()))


def opened(address: str, look) -> None:
    """Open the copy in a browser that is closed before the database is touched again."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        watched = Watched(browser.new_page())
        watched.page.goto(address, wait_until="networkidle")
        try:
            look(watched)
        finally:
            browser.close()


GOOD = """<!DOCTYPE html><html><head><title>Costs</title>
<link rel="stylesheet" href="/style.css" media="screen">
<style>#inline { background-image: url(/back.png) }</style></head><body>
<img id="plain" src="/a.png" alt="a"><img id="set" srcset="/b.png 2x, /gone.png 1x" alt="b">
<img id="lazy" src="data:image/gif;base64,R0lGODlhAQABAAAAACw=" data-src="/a.png" alt="lazy">
<img id="drawing" src="/drawing.svg" alt="drawing"><img id="sent-on" src="/old.png" alt="old">
<img id="missing" src="/missing.png" alt="The bridge">
<picture><source srcset="/gone.webp"><img id="picked" src="/a.png" alt="p"></picture>
<p id="inline">Words</p><p id="styled">Words</p><p id="imported">Words</p>
<iframe id="frame" src="/frame.html" width="300" height="100"></iframe>
<a id="away" href="https://elsewhere.example/">away</a>
<svg width="40" height="40"><use id="symbol" href="/symbols.svg#square"/></svg>
</body></html>"""
PARTS = {
    "/style.css": (
        '@import "more.css"; @font-face { font-family: Copied; src: url("font.woff2") }'
        "#styled { color: rgb(1, 2, 3); font-family: Copied; background: url(a.png) }",
        "text/css",
    ),
    "/more.css": ("#imported { color: rgb(4, 5, 6) }", "text/css"),
    "/a.png": (PNG, "image/png"),
    "/b.png": (PNG, "image/png"),
    "/back.png": (PNG, "image/png"),
    "/drawing.svg": (SVG, "image/svg+xml"),
    "/symbols.svg": (
        '<svg xmlns="http://www.w3.org/2000/svg"><symbol id="square"><rect width="30" height="20"/></symbol></svg>',
        "image/svg+xml",
    ),
    # A real one: Chromium shows no other.
    "/font.woff2": (FONT.read_bytes() if FONT.exists() else b"", "font/woff2"),
    "/frame.html": ("<title>Frame</title><p id='inside'>Inside</p><img id='in' src='/a.png' alt='x'>", "text/html"),
}


def test_the_copys_own_pictures_styles_and_frames_show_and_what_is_not_there_says_so(archive_url, canary):
    capture = copied(GOOD, PARTS, canary)

    def look(watched: Watched) -> None:
        page = watched.page

        def wide(name: str) -> int:
            return page.locator(f"#{name}").evaluate("image => image.naturalWidth")

        def style(name: str, what: str) -> str:
            return page.locator(f"#{name}").evaluate(f"element => getComputedStyle(element).{what}")

        assert {name: wide(name) for name in ("plain", "set", "lazy", "drawing", "sent-on", "picked")} == {
            **dict.fromkeys(("plain", "set", "lazy", "sent-on", "picked"), 1),
            "drawing": 30,
        }
        # A symbol that is not found has no extent.
        assert page.locator("#symbol").evaluate("use => [use.getBBox().width, use.getBBox().height]") == [30, 20]
        assert wide("missing") == 0
        assert page.locator("#missing").get_attribute("alt") == "The bridge (not in the copy)"
        assert style("missing", "outlineStyle") == "dashed"
        assert style("styled", "color") == "rgb(1, 2, 3)"
        assert style("imported", "color") == "rgb(4, 5, 6)"
        assert "/r/" in style("inline", "backgroundImage")
        frame = page.frame_locator("#frame")
        assert frame.locator("#inside").inner_text() == "Inside"
        assert frame.locator("#in").evaluate("image => image.naturalWidth") == 1
        fonts = [address for address in watched.requests if address.endswith(f"/r/{number_of(capture, 'font.woff2')}")]
        assert fonts, watched.requests
        states = watched.page.evaluate(
            "document.fonts.ready.then(() => [...document.fonts].map((font) => font.status))"
        )
        assert states == ["loaded"]
        page.locator("#away").click()
        assert page.url.partition("#")[0] == replay
        assert {address.split("/")[2] for address in watched.requests if address.startswith("http")} == {
            archive_url.partition("//")[2]
        }

    replay = replay_url(capture)
    opened(replay, look)


def number_of(capture: Capture, name: str) -> int:
    from factcheck.archive.replaying import parts_of

    return next(n for n, part in enumerate(parts_of(capture.warc_sha256).numbered) if part.url.endswith(name))


ATTACK = """<!DOCTYPE html><html manifest="CANARY/manifest"><head><title>still</title>
<base href="CANARY/base/"><base target="_blank">
<meta http-equiv="refresh" content="0;url=CANARY/refresh">
<meta http-equiv="Content-Security-Policy" content="default-src *">
<meta http-equiv="x-dns-prefetch-control" content="on">
<link rel="preconnect" href="CANARY"><LINK/rel="preconnect"href="CANARY"><link rel="dns-prefetch" href="CANARY">
<link rel="prefetch" href="CANARY/prefetch"><link rel="preload" as="image" href="CANARY/preload">
<link rel="modulepreload" href="CANARY/module"><link rel="manifest" href="CANARY/webmanifest">
<link rel="stylesheet" href="CANARY/style"><link rel="icon" href="CANARY/icon">
<script src="CANARY/script"></script><script>document.title = "run"; alert("script")</script>
<script type="speculationrules">{"prerender": [{"urls": ["CANARY/speculation"]}]}</script>
<style>@import "CANARY/import"; @import url(CANARY/import-url); @i\\6dport "CANARY/escaped";
body { background: u\\72l(CANARY/escaped-url); cursor: url("CANARY/cursor"), auto }
p::after { content: image-set("CANARY/is" 1x) }
@font-face { font-family: x; src: url(CANARY/font) } p { font-family: x }
</style><style><!-- </style><link rel=preconnect href="CANARY/late"> --></style></head>
<body onload="alert('onload')" background="CANARY/background" style="background: url('CANARY/attribute')">
<p style="background:url(&quot;CANARY/entity&quot;)">Repairs will cost 40 million, said the mayor.</p>
<img src="CANARY/img" srcset="CANARY/srcset 1x" onerror="alert('onerror')"><img src="x" onerror=alert(1)//
<image src="CANARY/image"></image><video src="CANARY/video" poster="CANARY/poster" autoplay></video>
<audio src="CANARY/audio" autoplay></audio><track src="CANARY/track">
<iframe src="CANARY/frame"></iframe><iframe srcdoc="<script>alert('srcdoc')</script><img src=CANARY/srcdoc>"></iframe>
<iframe src="data:text/html,<script>alert('data')</script><img src='CANARY/data'>"></iframe>
<iframe src="javascript:alert('frame')"></iframe><iframe src="/polyglot"></iframe>
<object data="CANARY/object"></object><embed src="CANARY/embed"><applet code="x" codebase="CANARY/applet"></applet>
<form id="f" action="CANARY/form"><input autofocus onfocus="alert('focus')" type="image" src="CANARY/input">
<button formaction="CANARY/button">x</button></form><script>document.forms[0].submit()</script>
<svg><script>alert("svg")</script><use href="CANARY/use#x"/><image href="CANARY/svgimage"/>
<rect fill="url(CANARY/fill#x)" width="9" height="9" filter="url('CANARY/filter#x')"/>
<a><animate attributeName="href" values="javascript:alert('animate')"/><text y="20">x</text></a></svg>
<math><mtext><table><mglyph><style><img src="CANARY/mglyph" onerror="alert('mxss')"></style></mglyph></table></mtext>
</math><noscript><p title="</noscript><img src=CANARY/noscript onerror=alert('noscript')>"></noscript>
<noscript><link rel="preconnect" href="CANARY/noscript-link"></noscript>
<template><img src="CANARY/template"></template>
<xmp><p title="</xmp><link rel=preconnect href=CANARY/xmp>"></xmp>
<textarea></textarea><link rel=preconnect href=CANARY/textarea></textarea>
<a id="away" href="CANARY/away" ping="CANARY/ping" target="_blank">away</a>
<a id="run" href="javascript:alert('href')">run</a>
<img src="/script.png" alt="x"><img src="/hostile.svg" alt="x">
<plaintext><link rel=preconnect href="CANARY/plaintext">"""
HOSTILE_PARTS = {
    "/polyglot": (
        "<script>alert('polyglot')</script><link rel=preconnect href=CANARY><img src=CANARY/poly>",
        "text/html",
    ),
    "/script.png": ("<script>alert('png')</script><img src=CANARY/png>", "image/png"),
    "/hostile.svg": (SVG, "image/svg+xml"),
    "/hostile.css": ("@import url(CANARY/css)", "text/css"),
}


def test_a_hostile_copy_runs_nothing_asks_nothing_and_reaches_nobody(archive_url, canary):
    capture = copied(ATTACK.replace('<base href="CANARY/base/">', ""), HOSTILE_PARTS, canary)

    def look(watched: Watched) -> None:
        page = watched.page
        page.locator("#away").click()
        page.locator("#run").click()
        page.wait_for_load_state("networkidle")
        assert page.title() == "still"
        assert "40 million" in page.inner_text("body")
        assert watched.dialogs == []
        assert page.url.startswith(archive_url)

    opened(replay_url(capture), look)

    assert canary.connections == 0
    assert canary.requests == []


def test_a_base_of_the_page_leads_nobody_out_either(archive_url, canary):
    capture = copied(ATTACK, HOSTILE_PARTS, canary)

    opened(replay_url(capture), lambda watched: None)

    assert canary.connections == 0


@pytest.mark.parametrize("path", ["/polyglot", "/hostile.svg", "/script.png", "/hostile.css"])
def test_a_part_that_is_opened_alone_runs_nothing_and_reaches_nobody(archive_url, canary, path):
    capture = copied(ATTACK, HOSTILE_PARTS, canary)
    address = f"{replay_url(capture)}r/{number_of(capture, path)}"

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        watched = Watched(browser.new_page())
        # What is handed over as a file is no page: the browser breaks the visit off and says so.
        with contextlib.suppress(Download):
            watched.page.goto(address, wait_until="networkidle")
        assert watched.dialogs == []
        browser.close()

    assert canary.connections == 0
