"""A page opened in a real Chromium: what it shows, what is kept of it, and that it leads nowhere else."""

import io
import json
import zipfile
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings
from warcio.archiveiterator import ArchiveIterator

from factcheck.archive import blobs, wacz
from factcheck.archive.browser.driving import browser_available
from factcheck.archive.errors import CaptureNotPossible
from factcheck.archive.models import Capture, CaptureRequest, Engine, TextLayer
from factcheck.archive.outcomes import NextStep, next_steps
from factcheck.archive.payloads import received_payload
from factcheck.archive.selectors import capture_progress, layer_text, text_of
from factcheck.archive.services import request_capture, retry_capture
from factcheck.archive.verifying import check_captures
from factcheck.archive.wacz_checking import check_wacz
from factcheck.evidence.models import PassageOutcome
from factcheck.evidence.searching import Layer, find_quote
from factcheck.jobs.leases import lease_job
from factcheck.jobs.models import Job
from tests import factories, web
from tests.archive.conftest import attempt

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def chromium() -> None:
    if not browser_available():
        pytest.skip("needs Chromium and the extra 'browser'")


WORDS = "The council agreed to spend 40 million euros on the bridges of the old town."
EMPTY = """<!doctype html><html lang=en><head><title>Loading</title><link rel=stylesheet href=/a.css></head>
<body><div id=root></div><noscript>You need to enable JavaScript to run this app.</noscript>
<script src=/app.js></script></body></html>"""
SCRIPT = """
fetch("/words.json").then(answer => answer.json()).then(said => {
  document.title = said.title;
  document.getElementById("root").innerHTML = "<h1>" + said.title + "</h1>" + "<p>" + said.words + "</p>".repeat(1);
  fetch("/counted", {method: "POST", body: "1"});
});
"""


def filled_by_a_script() -> dict[str, web.Page]:
    said = json.dumps({"title": "Bridges", "words": " ".join([WORDS, *["More is said of it here."] * 80])})
    return {
        "/": web.page(EMPTY),
        "/app.js": web.page(SCRIPT, media_type="text/javascript"),
        "/a.css": web.page("h1 { color: green }", media_type="text/css"),
        "/words.json": web.page(said, media_type="application/json"),
        "/counted": web.page("{}", media_type="application/json"),
    }


def opened(url: str, **how: object) -> Capture:
    request = request_capture(url, by=None, patient=False, engine=Engine.BROWSER, **how)
    attempt(request)
    return Capture.objects.get(request=request)


def records(capture: Capture) -> list[tuple[str, str, bytes]]:
    found = []
    with blobs.open_blob(capture.warc_sha256) as file:
        for record in ArchiveIterator(file, no_record_parse=True):
            found.append((record.rec_type, record.rec_headers["WARC-Target-URI"] or "", record.raw_stream.read()))
    return found


def test_a_page_that_only_a_script_fills_is_offered_a_browser_and_then_has_its_words(site: web.Site) -> None:
    site.pages.update(filled_by_a_script())
    plain = request_capture(site.url("/"), by=factories.reporter())
    attempt(plain)
    empty = Capture.objects.get(request=plain)
    assert empty.outcome == "needs_browser"
    assert next_steps(empty.outcome)[0] == NextStep.CAPTURE_IN_BROWSER

    again = retry_capture(plain, by=factories.reporter(), engine=Engine.BROWSER)
    attempt(again)

    sealed = Capture.objects.get(request=again)
    assert (sealed.outcome, sealed.reason, sealed.engine, sealed.title) == ("captured", "", "browser", "Bridges")
    assert WORDS in text_of(sealed, TextLayer.Kind.RENDER)
    assert sealed.layers.get(kind="visible").outcome == "empty"


def test_all_that_came_over_the_net_is_kept_as_it_came_and_what_we_made_is_marked(site: web.Site) -> None:
    site.pages.update(filled_by_a_script())

    sealed = opened(site.url("/"))

    kept = records(sealed)
    answers = {url: block for kind, url, block in kept if kind == "response"}
    for path in ("/", "/app.js", "/a.css", "/words.json", "/counted"):
        assert answers[site.url(path)] == site.pages[path]
    made = {url: block for kind, url, block in kept if kind == "resource"}
    page = site.url("/")
    assert made[f"urn:view:{page}"].startswith(b"\x89PNG")
    assert made[f"urn:fullPage:{page}"].startswith(b"\x89PNG")
    assert made[f"urn:print:{page}"].startswith(b"%PDF")
    assert WORDS in made[f"urn:dom:{page}"].decode()
    assert WORDS in made[f"urn:text-render:{page}"].decode()
    said = json.loads(next(block for kind, _url, block in kept if kind == "metadata"))
    assert {f"urn:view:{page}", f"urn:dom:{page}", f"urn:text-render:{page}"} <= set(said["browser"]["rebuilt"])
    assert {rendering.kind for rendering in sealed.renderings.all()} >= {"view", "page", "dom", "print"}
    # The fifth is the icon that every browser asks for.
    assert (sealed.requisites_found, sealed.requisites_kept, sealed.requisites_missed) == (5, 4, {"absent": 1})


def test_the_package_of_what_a_browser_took_is_sound_and_leads_nobody_to_an_answer_to_a_post(site: web.Site) -> None:
    site.pages.update(filled_by_a_script())

    sealed = opened(site.url("/"))

    package = wacz.package_of(sealed)
    with blobs.open_blob(sealed.warc_sha256) as warc:
        whole = b"".join(package.pieces(warc))
    with blobs.open_blob(sealed.warc_sha256) as warc:
        found = {entry.fields["url"] for entry in wacz.indexed(warc).entries}
    assert not list(check_wacz(io.BytesIO(whole)))
    assert site.url("/words.json") in found
    assert site.url("/counted") not in found
    assert [faults for _capture, faults in check_captures([sealed]) if faults] == []


def test_the_way_to_the_page_is_told_hop_by_hop(site: web.Site) -> None:
    site.pages.update(filled_by_a_script())
    site.pages["/from"] = web.redirect("/between")
    site.pages["/between"] = web.page(f"<script>location.replace({site.url('/')!r})</script>")

    sealed = opened(site.url("/from"))

    assert [(hop["url"], hop["status"]) for hop in sealed.redirects] == [
        (site.url("/from"), 302),
        (site.url("/between"), 200),
    ]
    assert (sealed.final_url, sealed.outcome) == (site.url("/"), "captured")


def sound_package_of(capture: Capture) -> bytes:
    with blobs.open_blob(capture.warc_sha256) as warc:
        whole = b"".join(wacz.package_of(capture).pieces(warc))
    assert not list(check_wacz(io.BytesIO(whole)))
    return whole


def test_the_document_is_what_was_shown_and_not_what_scripts_and_frames_got_at_its_address(site: web.Site) -> None:
    answers = iter(range(100))

    def told_apart(visit: web.Visit) -> None:
        number = next(answers)
        asked = visit.request.headers.get("sec-fetch-dest")
        if asked == "document":
            script = "fetch(location.href, {cache: 'no-store'}).then(a => a.text()).then(() => here.append('Done.'))"
            visit.send(web.page(f"<p id=here>{WORDS * 30}</p><script>{script}</script>"))
        else:
            visit.send(web.page(f"<p>Answer {number} to {asked}</p>", headers={"Cache-Control": "no-store"}))

    leads = "frame.onload = () => fetch('/page').then(a => a.text()).then(() => location.href = '/page')"
    site.pages |= {"/": web.page(f"<iframe id=frame src=/page></iframe><script>{leads}</script>"), "/page": told_apart}

    sealed = opened(site.url("/"))

    assert text_of(sealed, TextLayer.Kind.RENDER).endswith("Done.")
    assert WORDS in text_of(sealed, TextLayer.Kind.VISIBLE)
    assert WORDS.encode() in b"".join(received_payload(sealed))
    with zipfile.ZipFile(io.BytesIO(sound_package_of(sealed))) as package:
        named = json.loads(package.read("datapackage.json"))["mainPageDate"]
        warc = package.read("archive/data.warc.gz")
    shown = [
        record.raw_stream.read()
        for record in ArchiveIterator(io.BytesIO(warc), no_record_parse=True)
        if record.rec_type == "response"
        and record.rec_headers["WARC-Date"] == named
        and record.rec_headers["WARC-Target-URI"] == sealed.final_url
    ]
    assert len(shown) == 1
    assert WORDS.encode() in shown[0]


def test_a_page_that_a_form_leads_to_by_itself_can_be_handed_on(site: web.Site) -> None:
    form = "<form method=post action=/shown><input name=a value=b></form><script>document.forms[0].submit()</script>"
    site.pages |= {"/": web.page(form), "/shown": web.page(f"<p>{WORDS * 30}</p>")}

    sealed = opened(site.url("/"))

    assert [request.method for request in site.requests if request.path == "/shown"] == ["POST"]
    assert (sealed.outcome, sealed.final_url) == ("captured", site.url("/shown"))
    assert WORDS in text_of(sealed, TextLayer.Kind.VISIBLE)
    assert sound_package_of(sealed)
    said = json.loads(next(block for kind, _url, block in records(sealed) if kind == "metadata"))
    assert [hop.get("method", "GET") for hop in said["hops"]] == ["GET", "POST"]


def test_the_same_frame_of_a_page_at_two_addresses_is_kept_for_both(site: web.Site) -> None:
    script = f"if (location.pathname == '/') location.href = '/page'; else document.body.append({WORDS!r})"
    site.pages |= dict.fromkeys(("/", "/page"), web.page(f"<body><script>{script}</script>"))

    sealed = opened(site.url("/"))

    assert (sealed.outcome, sealed.final_url) == ("captured", site.url("/page"))
    assert sound_package_of(sealed)


def test_a_page_whose_scripts_show_no_words_is_not_said_to_be_whole(site: web.Site) -> None:
    site.pages["/"] = web.page("<div id=root></div><noscript>Enable JavaScript.</noscript><script>1</script>")

    sealed = opened(site.url("/"))

    assert (sealed.outcome, sealed.reason) == ("captured_partial", "no_words")


def test_a_page_that_goes_to_what_it_made_itself_is_judged_by_what_was_sent(site: web.Site) -> None:
    leave = "<script>location = URL.createObjectURL(new Blob(['<p>Made'], {type: 'text/html'}))</script>"
    site.pages |= {"/whole": web.page(f"<p>{WORDS * 30}</p>{leave}"), "/empty": web.page(f"<div id=root></div>{leave}")}

    whole, empty = opened(site.url("/whole")), opened(site.url("/empty"))

    assert (whole.outcome, whole.final_url) == ("captured", site.url("/whole"))
    assert whole.layers.get(kind="render").outcome == "unsupported"
    assert (empty.outcome, empty.reason) == ("failed", "browser")


def test_a_page_that_is_whole_without_scripts_is_found_in_what_was_sent(site: web.Site) -> None:
    site.pages["/"] = web.page(f"<title>Bridges</title><p>{WORDS}</p>")

    sealed = opened(site.url("/"))

    rows = list(sealed.layers.all())
    layers = [Layer(row.kind, row.outcome, lambda row=row: layer_text(row), row) for row in reversed(rows)]
    finding = find_quote(layers, WORDS)
    assert {"visible", "render"} <= {row.kind for row in rows}
    assert finding.outcome is PassageOutcome.EXACT
    assert finding.layer is not None
    assert finding.layer.kind == "visible"


def test_a_page_leads_our_browser_to_no_address_that_we_do_not_open(site: web.Site) -> None:
    with web.serve({"/": web.page("inside")}) as canary:
        inside = canary.url("/")
        site.pages["/"] = web.page(
            f"<p>{WORDS * 30}</p><img src={inside}><iframe src={inside}></iframe><link rel=stylesheet href={inside}>"
            f"<script>fetch({inside!r}, {{mode: 'no-cors'}}); new Image().src = {inside!r};"
            f"navigator.sendBeacon({inside!r}); new WebSocket({inside.replace('http', 'ws')!r});</script>"
        )
        sealed = opened(site.url("/"))

        assert canary.connections == 0
    assert sealed.outcome == "captured"
    assert sealed.requisites_missed["refused"] >= 4


@pytest.mark.parametrize("way", ["named", "redirected to", "gone to by a script"])
def test_a_page_at_an_address_that_we_do_not_open_is_refused(site: web.Site, settings: Settings, way: str) -> None:
    with web.serve({"/": web.page("inside")}) as canary:
        settings.ARCHIVE_PORTS = [*settings.ARCHIVE_PORTS, canary.port]
        site.pages["/to"] = web.redirect(canary.url("/"))
        site.pages["/script"] = web.page(f"<script>location.href = {canary.url('/')!r}</script>")
        path = {"redirected to": "/to", "gone to by a script": "/script"}.get(way)
        if path is None:
            # Refusable at once, so that it is never ordered: the row is made as one of before a setting changed.
            order = request_capture(site.url("/"), by=None, patient=False, engine=Engine.BROWSER)
            CaptureRequest.objects.filter(pk=order.pk).update(canonical_url=canary.url("/"))
            attempt(order)
            sealed = Capture.objects.get(request=order)
        else:
            sealed = opened(site.url(path))

        assert canary.connections == 0
    assert (sealed.outcome, sealed.reason) == ("refused", "ssrf")


def test_what_is_not_there_is_told_as_it_is_without_a_browser(site: web.Site) -> None:
    site.pages["/round"] = web.redirect("/round")
    site.pages["/on"] = web.page(f"<p>{WORDS * 30}</p><script>location.href = '/on?' + Math.random()</script>")

    assert (gone := opened(site.url("/nothing"))).outcome == "gone"
    assert gone.http_status == 404
    for path in ("/round", "/on"):
        sealed = opened(site.url(path))
        assert (sealed.outcome, sealed.reason) == ("refused", "loop")


def test_a_site_that_cannot_be_reached_is_out_of_reach(settings: Settings) -> None:
    with web.serve() as site:
        settings.ARCHIVE_ALLOW_LOOPBACK = [site.pair]
    sealed = opened(site.url("/"))

    assert (sealed.outcome, sealed.reason) == ("unreachable", "connect")


def test_a_certificate_that_is_not_valid_is_not_passed_over(settings: Settings, tmp_path: Path) -> None:
    with web.serve({"/": web.page(WORDS)}, tls=web.certificate(tmp_path)) as site:
        settings.ARCHIVE_ALLOW_LOOPBACK = [site.pair]
        sealed = opened(site.url("/"))

        assert not site.requests
    assert sealed.outcome == "tls_error"


def test_a_script_without_end_costs_neither_what_was_sent_nor_the_worker(site: web.Site, settings: Settings) -> None:
    settings.CAPTURE_BROWSER_SECONDS = 12
    site.pages["/whole"] = web.page(f"<p>{WORDS * 30}</p><script>while (true) {{}}</script>")
    site.pages["/empty"] = web.page("<div id=root></div><script>while (true) {}</script>")
    site.pages["/next"] = web.page(f"<p>{WORDS}</p>")

    whole, empty, following = (opened(site.url(path)) for path in ("/whole", "/empty", "/next"))

    assert (whole.outcome, whole.reason) == ("captured_partial", "browser")
    assert WORDS in text_of(whole, TextLayer.Kind.VISIBLE)
    # Depending on when it was stopped.
    assert whole.layers.get(kind="render").outcome in ("limit", "ok")
    assert (empty.outcome, empty.reason) == ("failed", "browser")
    assert empty.warc_sha256
    assert following.outcome == "captured"


def test_a_file_that_no_browser_shows_is_kept_as_without_one(site: web.Site) -> None:
    site.pages["/data.csv"] = web.page("a,b\n1,2\n", media_type="text/csv")

    sealed = opened(site.url("/data.csv"))

    assert sealed.outcome == "captured"
    assert "1,2" in text_of(sealed, TextLayer.Kind.VISIBLE)
    assert sealed.layers.get(kind="render").outcome in ("ok", "unsupported")


def test_when_all_browsers_are_in_use_the_page_waits_and_no_attempt_is_spent(
    site: web.Site, settings: Settings
) -> None:
    settings.CAPTURE_BROWSERS = 0
    site.pages["/"] = web.page(WORDS)
    order = request_capture(site.url("/"), by=None, patient=False, engine=Engine.BROWSER)
    attempt(order)

    job = Job.objects.get(pk=order.job.pk)
    assert (job.state, job.attempts) == ("queued", 0)
    assert not site.requests
    settings.CAPTURE_BROWSERS = 1
    Job.objects.filter(pk=job.pk).update(due_at=job.created_at)
    attempt(order)
    assert Capture.objects.get(request=order).outcome == "captured"


def test_its_stages_are_those_of_a_browser(site: web.Site) -> None:
    order = request_capture(site.url("/"), by=None, patient=False, engine=Engine.BROWSER)
    lease = lease_job(order.job.pk)
    assert lease is not None
    lease.stage("photographing")

    stages = {stage.name: stage.state for stage in capture_progress(order).stages}

    assert (stages["opening"], stages["photographing"], stages["printing"]) == ("done", "now", "waiting")
    assert "fetching" not in stages


def test_a_plain_copy_is_no_answer_to_an_order_for_a_browser(site: web.Site) -> None:
    site.pages["/"] = web.page(f"<p>{WORDS * 30}</p>")
    plain = request_capture(site.url("/"), by=None)
    attempt(plain)

    assert request_capture(site.url("/"), by=None, engine=Engine.BROWSER) != plain
    assert request_capture(site.url("/"), by=None) in CaptureRequest.objects.all()


def test_where_no_browser_is_installed_none_is_offered(site: web.Site, settings: Settings) -> None:
    settings.CAPTURE_BROWSER = "/nowhere/chromium"

    assert NextStep.CAPTURE_IN_BROWSER not in next_steps("needs_browser")
    with pytest.raises(CaptureNotPossible):
        request_capture(site.url("/"), by=None, engine=Engine.BROWSER)
    with pytest.raises(CommandError, match="not installed"):
        call_command("archive", site.url("/"), "--engine", "browser")


def test_a_browser_that_is_gone_since_the_order_is_said_to_be(site: web.Site, settings: Settings) -> None:
    order = request_capture(site.url("/"), by=None, engine=Engine.BROWSER)
    settings.CAPTURE_BROWSER = "/nowhere/chromium"
    attempt(order)

    sealed = Capture.objects.get(request=order)
    assert (sealed.outcome, sealed.reason) == ("failed", "no_browser")
    assert not site.requests


def test_the_command_opens_a_page_in_a_browser(site: web.Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.pages.update(filled_by_a_script())

    call_command("archive", site.url("/"), "--engine", "browser", "--json")

    said = json.loads(capsys.readouterr().out)
    assert (said["state"], said["title"]) == ("captured", "Bridges")
    assert said["text_chars"] > 100
