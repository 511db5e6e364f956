"""From an order to its sealed result, with a small site on loopback as the web."""

import gzip
from collections.abc import Callable
from datetime import timedelta
from email.utils import format_datetime

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from factcheck.archive import blobs
from factcheck.archive.browser.driving import browser_available
from factcheck.archive.capturing import RETRY_AFTER
from factcheck.archive.models import Capture, CaptureRequest, TextLayer
from factcheck.archive.selectors import best_layer, capture_progress, layer_text, text_of
from factcheck.archive.services import request_capture, retry_capture
from factcheck.jobs.leases import lease_job
from factcheck.jobs.models import Job
from factcheck.jobs.running import run
from factcheck.ledger.models import Entry
from factcheck.outbound.errors import AddressRefused
from tests import web
from tests.archive.conftest import attempt

Capturing = Callable[..., Capture]

ARTICLE = "<title>Costs</title><p>The dam cost <b>40</b> million euros.</p>" + "<p>More words than a wall has.</p>" * 60

WALL = "<title>Just a moment...</title><p>Verify you are human</p><script>window._cf_chl_opt={}</script>"

pytestmark = pytest.mark.django_db


def test_a_page_is_captured_with_its_bytes_its_text_and_an_entry(site: web.Site, capture: Capturing) -> None:
    site.pages["/"] = web.page(ARTICLE)

    sealed = capture(site.url("/"))

    assert (sealed.outcome, sealed.http_status, sealed.media_type, sealed.title) == (
        "captured",
        200,
        "text/html",
        "Costs",
    )
    assert blobs.read(sealed.body_sha256) == ARTICLE.encode()
    assert site.pages["/"] in _unpacked(sealed)
    assert "The dam cost 40 million euros." in text_of(sealed, "visible")
    assert sealed.carries_evidence
    entries = Entry.objects.filter(subject=sealed.subject)
    assert [entry.action for entry in entries] == ["capture.sealed"]
    assert sealed.warc_sha256 in entries[0].opening.body
    request = CaptureRequest.objects.get()
    assert request.job is not None
    assert (request.state, request.job.state) == ("sealed", "done")


def _unpacked(sealed: Capture) -> bytes:
    return gzip.decompress(blobs.read(sealed.warc_sha256))


def test_a_redirect_is_followed_and_each_hop_is_written_down(site: web.Site, capture: Capturing) -> None:
    site.pages |= {"/old": web.redirect("/new", status="301 Moved"), "/new": web.page(ARTICLE)}

    sealed = capture(site.url("/old"))

    assert sealed.final_url == site.url("/new")
    assert [(hop["url"], hop["status"], hop["location"]) for hop in sealed.redirects] == [
        (site.url("/old"), 301, site.url("/new"))
    ]


def test_a_redirect_into_a_private_network_is_sealed_as_refused_with_the_reason(
    site: web.Site, capture: Capturing
) -> None:
    site.pages["/"] = web.redirect("http://10.0.0.1/admin")

    sealed = capture(site.url("/"))

    assert (sealed.outcome, sealed.reason) == ("refused", "ssrf")
    assert "10.0.0.1" in sealed.detail
    assert not sealed.carries_evidence
    assert sealed.warc_sha256 == ""


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://10.0.0.1/", "private_address"),
        ("http://127.0.0.1:9/", "port"),
        ("http://[::1]/", "private_address"),
        ("file:///etc/passwd", "scheme"),
        ("http://user:secret@example.org/", "userinfo"),
        ("http://example.org:22/", "port"),
    ],
)
def test_what_can_be_seen_to_be_refusable_is_refused_before_anything_is_ordered(url: str, code: str) -> None:
    with pytest.raises(AddressRefused) as refusal:
        request_capture(url, by=None)

    assert refusal.value.code == code
    assert not CaptureRequest.objects.exists()
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("status", "outcome", "reason"),
    [
        ("404 Not Found", "gone", "404"),
        ("410 Gone", "gone", "410"),
        ("401 Unauthorized", "blocked", "login"),
        ("403 Forbidden", "blocked", "status"),
        ("500 Oops", "unreachable", "server"),
        ("503 Busy", "unreachable", "server"),
        ("429 Slow down", "blocked", "rate"),
    ],
)
def test_an_error_page_is_named_for_what_it_is_and_kept_all_the_same(
    site: web.Site, capture: Capturing, status: str, outcome: str, reason: str
) -> None:
    site.pages["/"] = web.page(ARTICLE, status=status)

    sealed = capture(site.url("/"))

    assert (sealed.outcome, sealed.reason) == (outcome, reason)
    assert not sealed.carries_evidence
    assert site.pages["/"] in _unpacked(sealed)


def test_a_bot_wall_is_no_article(site: web.Site, capture: Capturing) -> None:
    site.pages |= {
        "/403": web.page(WALL, status="403 Forbidden"),
        "/200": web.page(WALL),
        "/503": web.page(WALL, status="503 Service Unavailable"),
        "/mitigated": web.page(ARTICLE, status="403 Forbidden", headers={"cf-mitigated": "challenge"}),
    }

    sealed = [capture(site.url(path)) for path in ("/403", "/200", "/503", "/mitigated")]

    assert {(one.outcome, one.reason) for one in sealed} == {("blocked", "bot_wall")}


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (web.page(WALL), "bot_wall"),
        (web.page(WALL, status="503 Service Unavailable", headers={"Retry-After": "60"}), "bot_wall"),
        (web.page(ARTICLE, status="403 Forbidden"), "status"),
    ],
    ids=["a wall that calls itself a page", "a wall with a status", "a refusal"],
)
def test_what_is_blocked_is_tried_twice_more_after_hours_and_then_sealed(
    site: web.Site, page: bytes, reason: str
) -> None:
    site.pages["/"] = page
    request = request_capture(site.url("/"), by=None)
    assert request.job is not None
    waits = []
    for _retry in range(2):
        before = timezone.now()
        attempt(request)
        assert not Capture.objects.exists()
        request.job.refresh_from_db()
        waits.append(request.job.due_at - before)
        Job.objects.update(due_at=before)
    attempt(request)

    assert [round(wait.total_seconds() / 3600) for wait in waits] == [1, 6]
    sealed = Capture.objects.get()
    assert (sealed.outcome, sealed.reason, sealed.attempts) == ("blocked", reason, 3)
    assert page in _unpacked(sealed)


def test_what_can_be_done_at_a_wall_can_be_done_before_the_last_try(site: web.Site) -> None:
    site.pages["/"] = web.page(WALL)
    request = request_capture(site.url("/"), by=None)

    attempt(request)

    progress = capture_progress(request)
    assert progress.sentence == "The site asks visitors to prove that they are human, and sent no article."
    assert [step.value for step in progress.next_steps] == [
        "wait",
        *(["capture_in_browser"] if browser_available() else []),
        "retry",
        "upload_own_copy",
        "find_other_source",
        "take_file_or_work",
    ]


def test_a_page_whose_words_only_a_script_would_write_needs_a_browser(site: web.Site, capture: Capturing) -> None:
    site.pages["/"] = web.page('<title>News</title><body><div id="root"></div><script src="/app.js"></script>')

    assert capture(site.url("/")).outcome == "needs_browser"


def test_a_page_that_breaks_off_is_captured_in_part(site: web.Site, capture: Capturing) -> None:
    site.pages["/"] = web.page(ARTICLE, headers={"Content-Length": "999999"})

    sealed = capture(site.url("/"))

    assert (sealed.outcome, sealed.reason) == ("captured_partial", "disconnect")
    assert "The dam cost 40 million" in text_of(sealed, "visible")


def test_a_page_over_the_limit_is_captured_in_part(site: web.Site, capture: Capturing, settings: Settings) -> None:
    settings.CAPTURE_MAX_BYTES = 1_000
    site.pages["/"] = web.page(ARTICLE)

    sealed = capture(site.url("/"))

    assert (sealed.outcome, sealed.reason, sealed.truncated) == ("captured_partial", "length", "length")


def test_nobody_at_home_is_tried_again_by_the_clock_and_sealed_after_the_last_try(settings: Settings) -> None:
    with web.serve() as gone:
        settings.ARCHIVE_ALLOW_LOOPBACK = [gone.pair]
        url = gone.url("/")
    request = request_capture(url, by=None)
    assert request.job is not None
    waits = []
    for _retry in RETRY_AFTER:
        before = timezone.now()
        attempt(request)
        request.job.refresh_from_db()
        assert request.job.state == Job.State.QUEUED
        waits.append(request.job.due_at - before)
        Job.objects.update(due_at=before)
    attempt(request)

    assert [round(wait.total_seconds() / 60) for wait in waits] == [1, 5, 30, 120, 720]
    sealed = Capture.objects.get()
    assert (sealed.outcome, sealed.reason, sealed.attempts) == ("unreachable", "connect", 6)
    assert sealed.warc_sha256 == ""


def test_a_waiting_retry_shows_its_reason_and_its_time(site: web.Site) -> None:
    site.pages["/"] = web.page("<p>Busy</p>", status="503 Busy", headers={"Retry-After": "1800"})
    request = request_capture(site.url("/"), by=None)
    before = timezone.now()

    attempt(request)

    progress = capture_progress(request)
    assert not progress.ended
    assert progress.sentence == "The site itself reports a fault on its side."
    assert progress.retry_at is not None
    assert timedelta(minutes=29) < progress.retry_at - before < timedelta(minutes=31)


@pytest.mark.parametrize(
    ("asked", "minutes"),
    [("999999", 360), ("0", 0), ("soon", 1), ("date", 120)],
)
def test_retry_after_is_obeyed_within_reason(site: web.Site, asked: str, minutes: int) -> None:
    value = format_datetime(timezone.now() + timedelta(hours=2), usegmt=False) if asked == "date" else asked
    site.pages["/"] = web.page("<p>Busy</p>", status="429 Too Many", headers={"Retry-After": value})
    request = request_capture(site.url("/"), by=None)
    before = timezone.now()

    attempt(request)

    assert request.job is not None
    request.job.refresh_from_db()
    assert round((request.job.due_at - before).total_seconds() / 60) == minutes


def test_a_site_that_came_back_is_captured_at_the_second_try(site: web.Site) -> None:
    site.pages["/"] = web.page("<p>Fault</p>", status="500 Fault")
    request = request_capture(site.url("/"), by=None)
    attempt(request)
    site.pages["/"] = web.page(ARTICLE)

    assert retry_capture(request, by=None) == request
    attempt(request)

    sealed = Capture.objects.get()
    assert (sealed.outcome, sealed.attempts) == ("captured", 2)


def test_gone_is_never_tried_again(site: web.Site) -> None:
    request = request_capture(site.url("/nowhere"), by=None)

    attempt(request)

    assert Capture.objects.get().outcome == "gone"


def test_a_second_order_within_the_window_is_the_first_one(site: web.Site) -> None:
    site.pages["/"] = web.page(ARTICLE)
    first = request_capture(site.url("/#top"), by=None)
    running = request_capture(site.url("/"), by=None)
    attempt(first)
    good = request_capture(site.url("/").replace("http", "HTTP"), by=None)
    CaptureRequest.objects.update(created_at=timezone.now() - timedelta(minutes=11))
    later = request_capture(site.url("/"), by=None)

    assert first == running == good
    assert later != first
    assert request_capture(site.url("/"), by=None, again=True) != later


def test_an_order_that_ended_badly_does_not_stand_in_for_a_new_one(site: web.Site) -> None:
    first = request_capture(site.url("/nowhere"), by=None)
    attempt(first)

    assert request_capture(site.url("/nowhere"), by=None) != first


def test_a_discreet_order_is_not_answered_by_an_open_one_and_says_an_ordinary_user_agent(
    site: web.Site, settings: Settings
) -> None:
    site.pages["/"] = web.page(ARTICLE)
    open_one = request_capture(site.url("/"), by=None)
    discreet = request_capture(site.url("/"), by=None, discreet=True)
    attempt(open_one)
    attempt(discreet)

    assert open_one != discreet
    assert [request.headers["user-agent"] for request in site.requests] == [
        settings.ARCHIVE_USER_AGENT,
        settings.ARCHIVE_DISCREET_USER_AGENT,
    ]


def test_retrying_an_ended_order_makes_another_and_leaves_its_copy(site: web.Site, capture: Capturing) -> None:
    old = capture(site.url("/nowhere"))
    site.pages["/nowhere"] = web.page(ARTICLE)

    again = retry_capture(old.request, by=None)
    attempt(again)

    assert again.retry_of == old.request
    assert [one.outcome for one in Capture.objects.order_by("pk")] == ["gone", "captured"]


def test_a_second_run_of_the_same_order_leaves_one_capture_and_one_entry(site: web.Site, capture: Capturing) -> None:
    site.pages["/"] = web.page(ARTICLE)
    sealed = capture(site.url("/"))
    # As if the first worker's end had been lost after its seal.
    Job.objects.update(state=Job.State.QUEUED, ended_at=None)

    attempt(sealed.request)

    assert Capture.objects.count() == 1
    assert Entry.objects.filter(action="capture.sealed").count() == 1
    assert len(site.requests) == 1


def test_a_worker_that_lost_its_job_in_mid_capture_seals_nothing(site: web.Site) -> None:
    site.pages["/"] = web.page(ARTICLE)
    request = request_capture(site.url("/"), by=None)
    assert request.job is not None
    lease = lease_job(request.job.pk)
    assert lease is not None
    lease.fence -= 1

    run(lease)

    assert not Capture.objects.exists()
    assert not Entry.objects.filter(action="capture.sealed").exists()


def test_when_every_attempt_broke_down_the_capture_is_sealed_as_failed(site: web.Site) -> None:
    request = request_capture(site.url("/"), by=None)
    assert request.job is not None
    lease = lease_job(request.job.pk)
    assert lease is not None

    lease.fail("The work ended with an internal error.")

    sealed = Capture.objects.get()
    assert (sealed.outcome, sealed.detail) == ("failed", "The work ended with an internal error.")
    assert capture_progress(request).ended


def test_what_asks_not_to_be_shown_as_a_copy_is_marked(site: web.Site, capture: Capturing) -> None:
    site.pages |= {
        "/meta": web.page('<meta name="robots" content="index, NOARCHIVE">' + ARTICLE),
        "/header": web.page(ARTICLE, headers={"X-Robots-Tag": "noarchive"}),
        "/neither": web.page(ARTICLE),
    }

    assert [capture(site.url(path)).noarchive for path in ("/meta", "/header", "/neither")] == [True, True, False]


def test_a_pdf_is_known_by_its_bytes_whatever_the_header_says(site: web.Site, capture: Capturing) -> None:
    site.pages["/"] = web.page(b"%PDF-1.4 broken", media_type="text/html")

    sealed = capture(site.url("/"))

    layer = TextLayer.objects.get(capture=sealed)
    assert (sealed.media_type, layer.kind, layer.outcome, layer.detail) == (
        "application/pdf",
        "pdf",
        "unsupported",
        "damaged",
    )


def test_packed_pages_are_unpacked_for_the_text_and_kept_packed_in_the_warc(site: web.Site, capture: Capturing) -> None:
    site.pages["/"] = web.page(gzip.compress(ARTICLE.encode()), headers={"Content-Encoding": "gzip"})

    sealed = capture(site.url("/"))

    assert blobs.read(sealed.body_sha256) == ARTICLE.encode()
    assert site.pages["/"] in _unpacked(sealed)


def test_the_best_layer_is_the_one_that_people_read(site: web.Site, capture: Capturing) -> None:
    site.pages["/"] = web.page("<p>Seen</p><p hidden>" + "unseen " * 1000 + "</p>")

    layer = best_layer(capture(site.url("/")))

    assert layer is not None
    assert layer_text(layer) == "Seen"
