"""The Internet Archive as a witness, against a local stand-in of its documented interface."""

import gzip
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from pytest_django.fixtures import Settings

from factcheck.accounts.permissions import NotPermitted
from factcheck.archive import blobs, internet_archive, witnesses
from factcheck.archive.errors import WitnessNotAsked
from factcheck.archive.models import (
    Capture,
    CaptureRequest,
    Engine,
    WitnessAct,
    WitnessReport,
    WitnessRequest,
)
from factcheck.archive.services import request_capture
from factcheck.archive.witnessed import witness_lines
from factcheck.archive.witnesses import ask_witness
from factcheck.jobs.leases import lease_job
from factcheck.jobs.models import Job
from factcheck.jobs.running import run
from factcheck.ledger.models import Entry
from factcheck.ledger.services import erase_text
from tests import factories, spn2_stand_in, web
from tests.archive.conftest import attempt
from tests.spn2_stand_in import Answer, InternetArchive, error, pending, success

pytestmark = pytest.mark.django_db

PAGE = b"<title>Budget</title><p>Repairs will cost 40 million euros.</p>" + b"<p>More words than a wall has.</p>" * 60
TAKEN = "20261124120102"


@pytest.fixture
def archive(site: web.Site) -> Iterator[InternetArchive]:
    with spn2_stand_in.serve() as served:
        yield served


@pytest.fixture
def sealed(site: web.Site, capture: Callable[..., Capture]) -> Capture:
    site.pages["/budget"] = web.page(PAGE)
    return capture(site.url("/budget"))


def packed_capture(site: web.Site, capture: Callable[..., Capture]) -> Capture:
    body = gzip.compress(PAGE, mtime=0)
    site.pages["/packed"] = web.page(body, headers={"Content-Encoding": "gzip"})
    return capture(site.url("/packed"))


def asked(capture: Capture, act: str = WitnessAct.SAVE) -> WitnessRequest:
    return ask_witness(capture, act=act, by=None)


def turn(request: WitnessRequest) -> Job:
    """What a worker does with the job when its time has come; the job as it is then."""
    request.refresh_from_db()
    assert request.job is not None
    Job.objects.filter(pk=request.job.pk, state=Job.State.QUEUED).update(due_at=timezone.now())
    lease = lease_job(request.job.pk)
    assert lease is not None
    run(lease)
    return Job.objects.get(pk=request.job.pk)


def turns(request: WitnessRequest) -> WitnessReport:
    """Turn after turn, until it has ended."""
    while turn(request).state == Job.State.QUEUED:
        pass
    return WitnessReport.objects.select_related("words_row").get(request=request)


def wait_of(job: Job) -> timedelta:
    return job.due_at - timezone.now()


def in_about(job: Job, wait: timedelta) -> bool:
    return abs(wait_of(job) - wait) < timedelta(seconds=20)


# --- the way of an order ---------------------------------------------------------------------


def test_a_copy_is_ordered_and_counts_only_when_it_is_seen(archive: InternetArchive, sealed: Capture) -> None:
    archive.jobs[spn2_stand_in.JOB_ID] = [pending(), success(sealed.url, TAKEN)]
    archive.holds(sealed.url, PAGE, TAKEN)

    report = turns(asked(sealed))

    assert (report.outcome, report.agreement) == ("seen", "same-received")
    assert report.words.memento == f"{archive.url}/web/{TAKEN}/{sealed.url}"
    assert report.taken_at == internet_archive.moment_of(TAKEN)
    assert report.their_sha1 == report.our_received_sha1 == report.our_decoded_sha1
    assert archive.asked[1] == ("POST", "/save", {"url": sealed.url, "skip_first_archive": "1"})
    assert [entry.action for entry in Entry.objects.filter(subject=sealed.subject)][1:] == [
        "witness.asked",
        "witness.reported",
    ]


def test_sha1_is_written_as_the_index_writes_it() -> None:
    # RFC 3174's first example, and the digest that indexes show for an empty page.
    assert internet_archive.sha1_of(b"abc") == "VGMT4NSHA2AWVOR6EVYXQUGCNSONBWE5"
    assert internet_archive.sha1_of(b"") == "3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ" == witnesses._SHA1_OF_NOTHING


def test_their_word_alone_is_not_believed(archive: InternetArchive, sealed: Capture) -> None:
    archive.jobs[spn2_stand_in.JOB_ID] = [success(sealed.url, TAKEN)]

    report = turns(asked(sealed))

    assert (report.outcome, report.reason) == ("gave-up", "unconfirmed")
    assert archive.paths().count("GET /cdx/search/cdx") == len(witnesses.SEEK_AFTER) + 1


def test_a_copy_that_the_index_does_not_list_yet_is_fetched_and_hashed(
    archive: InternetArchive, sealed: Capture
) -> None:
    archive.jobs[spn2_stand_in.JOB_ID] = [success(sealed.url, TAKEN)]
    held = archive.holds(sealed.url, PAGE, TAKEN, listed=False)

    report = turns(asked(sealed))

    assert (report.outcome, report.seen_by, report.agreement) == ("seen", "bytes", "same-received")
    assert report.their_sha1 == held.digest


def test_a_redirect_to_the_nearest_copy_is_not_the_copy_that_they_claim(
    archive: InternetArchive, sealed: Capture
) -> None:
    archive.jobs[spn2_stand_in.JOB_ID] = [success(sealed.url, TAKEN)]
    archive.holds(sealed.url, PAGE, "20200101000000", listed=False)

    report = turns(asked(sealed))

    assert (report.outcome, report.reason) == ("gave-up", "unconfirmed")


def test_their_job_s_id_is_kept_so_that_a_killed_worker_orders_no_second_copy(
    archive: InternetArchive, sealed: Capture
) -> None:
    archive.jobs[spn2_stand_in.JOB_ID] = [pending()]
    request = asked(sealed)
    job = turn(request)
    assert in_about(job, witnesses.FIRST_POLL_AFTER)

    # A worker dies in its turn; the sweeper frees the row, and another one goes on.
    Job.objects.filter(pk=job.pk).update(due_at=timezone.now())
    assert lease_job(job.pk) is not None
    Job.objects.filter(pk=job.pk).update(state=Job.State.QUEUED, lease_until=None)
    turn(request)

    assert archive.paths().count("POST /save") == 1
    assert archive.paths()[-1] == f"GET /save/status/{spn2_stand_in.JOB_ID}"


def test_the_pauses_between_questions_grow(archive: InternetArchive, sealed: Capture) -> None:
    archive.jobs[spn2_stand_in.JOB_ID] = [pending()]
    request = asked(sealed)

    waits = [wait_of(turn(request)).total_seconds() for _turn in range(8)]

    assert [round(wait, -1) for wait in waits] == [10, 20, 40, 80, 160, 300, 300, 300]


def test_a_job_that_they_have_forgotten_is_looked_for_in_their_index(archive: InternetArchive, sealed: Capture) -> None:
    request = asked(sealed)
    turn(request)
    request.refresh_from_db()
    assert request.submitted_at is not None
    archive.holds(sealed.url, PAGE, internet_archive.timestamp_of(request.submitted_at + timedelta(seconds=40)))

    report = turns(request)

    assert (report.outcome, report.agreement) == ("seen", "same-received")
    assert archive.paths().count("POST /save") == 1


def test_a_job_that_is_pending_after_an_hour_counts_as_forgotten(archive: InternetArchive, sealed: Capture) -> None:
    archive.jobs[spn2_stand_in.JOB_ID] = [pending()]
    request = asked(sealed)
    turn(request)
    WitnessRequest.objects.update(submitted_at=timezone.now() - timedelta(minutes=61))

    report = turns(request)

    assert (report.outcome, report.reason) == ("gave-up", "forgotten")


def test_a_copy_from_before_the_order_is_not_taken_for_its_result(archive: InternetArchive, sealed: Capture) -> None:
    archive.holds(sealed.url, PAGE, "20200101000000")

    assert turns(asked(sealed)).outcome == "gave-up"


def test_a_redirect_that_they_followed_is_looked_for_under_its_own_address(
    archive: InternetArchive, sealed: Capture
) -> None:
    archive.jobs[spn2_stand_in.JOB_ID] = [success("https://example.org/moved", TAKEN)]
    archive.holds("https://example.org/moved", PAGE, TAKEN)

    assert turns(asked(sealed)).words.original == "https://example.org/moved"


# --- waiting and refusing --------------------------------------------------------------------


def test_nothing_is_ordered_while_no_order_is_left(archive: InternetArchive, sealed: Capture) -> None:
    archive.user = [{"available": 0, "processing": 12}, {"available": 3, "processing": 9}]
    request = asked(sealed)

    job = turn(request)
    assert "POST /save" not in archive.paths()
    assert in_about(job, witnesses.NO_QUOTA_AFTER)

    turn(request)
    assert "POST /save" in archive.paths()


@pytest.mark.parametrize("code", ["service-unavailable", "no-browsers-available", "browsing-timeout", "never-heard-of"])
def test_what_may_go_away_is_ordered_again_later(archive: InternetArchive, sealed: Capture, code: str) -> None:
    archive.jobs[spn2_stand_in.JOB_ID] = [error(code), success(sealed.url, TAKEN)]
    archive.holds(sealed.url, PAGE, TAKEN)
    request = asked(sealed)
    turn(request)

    job = turn(request)

    assert in_about(job, witnesses.RETRY_AFTER[0])
    assert job.reason == internet_archive.problem_sentence(code)
    assert turns(request).outcome == "seen"
    assert archive.paths().count("POST /save") == 2


@pytest.mark.parametrize("code", ["too-many-daily-captures", "max-daily-bandwidth-host"])
def test_what_is_used_up_for_today_is_ordered_again_tomorrow(
    archive: InternetArchive, sealed: Capture, code: str
) -> None:
    archive.save = [{"status": "error", "status_ext": f"error:{code}", "message": "Tomorrow."}]

    assert in_about(turn(asked(sealed)), witnesses.TOMORROW)


@pytest.mark.parametrize("code", sorted(internet_archive._FINAL))
def test_a_final_refusal_ends_it_with_a_sentence_of_its_own(
    archive: InternetArchive, sealed: Capture, code: str
) -> None:
    archive.jobs[spn2_stand_in.JOB_ID] = [error(code, "<b>No.</b>")]

    report = turns(asked(sealed))

    assert (report.outcome, report.reason, report.words.said) == ("refused", code, "<b>No.</b>")
    (line,) = witness_lines(sealed)
    assert line.sentence == internet_archive.problem_sentence(code) != internet_archive.problem_sentence("?")
    assert archive.paths().count("POST /save") == 1


def test_what_they_say_of_waiting_holds_for_all_that_they_are_asked(
    archive: InternetArchive, sealed: Capture, site: web.Site, capture: Callable[..., Capture]
) -> None:
    archive.user = [Answer({}, 429, (("Retry-After", "600"),))]
    other = asked(packed_capture(site, capture))

    job = turn(asked(sealed))

    assert in_about(job, timedelta(minutes=10))
    assert other.job is not None
    other.job.refresh_from_db()
    assert in_about(other.job, timedelta(minutes=10))


def test_retry_after_is_also_read_as_a_date_and_never_taken_for_longer_than_a_day(
    archive: InternetArchive, sealed: Capture
) -> None:
    archive.user = [Answer({}, 503, (("Retry-After", "Fri, 01 Jan 2100 00:00:00 GMT"),))]

    assert in_about(turn(asked(sealed)), internet_archive.WAIT_MOST)


@pytest.mark.parametrize(
    "said",
    [
        {"status": "error", "status_ext": "error:user-session-limit", "message": "You have reached the limit."},
        {"message": "You have already reached the limit of active Save Page Now sessions."},
        [],
        "no",
        Answer(b"<html>Slow down!</html>"),
        Answer(b"[" * 100_000),
        {"url": "https://example.org/", "job_id": "../status/user"},
    ],
)
def test_throttling_and_nonsense_with_status_200_are_no_success(
    archive: InternetArchive, sealed: Capture, said: object
) -> None:
    archive.save = [said]
    request = asked(sealed)

    job = turn(request)

    request.refresh_from_db()
    assert (job.state, request.remote_job_id) == ("queued", "")
    assert in_about(job, witnesses.RETRY_AFTER[0])


def test_throttling_while_their_job_runs_does_not_order_a_second_copy(
    archive: InternetArchive, sealed: Capture
) -> None:
    archive.jobs[spn2_stand_in.JOB_ID] = [
        {"status": "error", "status_ext": "error:too-many-requests", "message": "Slow down."},
        pending(),
    ]
    request = asked(sealed)

    for _turn in range(3):
        turn(request)

    assert archive.paths().count("POST /save") == 1


def test_patience_ends(archive: InternetArchive, sealed: Capture) -> None:
    archive.save = [error("service-unavailable")]

    report = turns(asked(sealed))

    assert (report.outcome, report.reason) == ("gave-up", "service-unavailable")
    assert archive.paths().count("POST /save") == len(witnesses.RETRY_AFTER) + 1


def test_one_question_at_a_time(archive: InternetArchive, sealed: Capture) -> None:
    request = asked(sealed)
    Job.objects.create(
        kind=witnesses.JOB_KIND,
        subject="witness-request/other",
        state=Job.State.RUNNING,
        due_at=timezone.now(),
        deadline_at=timezone.now(),
        lease_until=timezone.now() + timedelta(minutes=1),
    )

    assert turn(request).state == Job.State.QUEUED
    assert archive.asked == []


def test_redirects_of_the_interface_are_not_followed_with_the_key(
    archive: InternetArchive, sealed: Capture, site: web.Site
) -> None:
    archive.user = [Answer(b"", 302, (("Location", site.url("/stolen")),))]
    before = len(site.requests)

    turn(asked(sealed))

    assert len(site.requests) == before


def test_the_address_rule_holds_for_the_service_too(
    archive: InternetArchive, sealed: Capture, settings: Settings
) -> None:
    settings.WITNESS_IA_URL = "http://10.0.0.1"

    report = turns(asked(sealed))

    assert (report.outcome, report.reason) == ("refused", "address")


# --- the look ---------------------------------------------------------------------------------


def test_a_look_finds_the_copy_with_our_bytes_and_orders_nothing(archive: InternetArchive, sealed: Capture) -> None:
    archive.holds(sealed.url, b"<p>An older wording.</p>", "20260101000000")
    archive.holds(sealed.url, PAGE, "20260601000000")
    archive.holds(sealed.url, b"<p>A newer wording.</p>", TAKEN)

    report = turns(asked(sealed, WitnessAct.LOOK_UP))

    assert (report.outcome, report.agreement) == ("seen", "same-received")
    assert report.words.memento == f"{archive.url}/web/20260601000000/{sealed.url}"
    assert "POST /save" not in archive.paths()


def test_a_look_that_finds_nothing_says_so(archive: InternetArchive, sealed: Capture) -> None:
    archive.holds(sealed.url, b"Not found", TAKEN, status="404")

    assert turns(asked(sealed, WitnessAct.LOOK_UP)).outcome == "none"


def test_a_look_needs_no_key_and_sends_none(site: web.Site, sealed: Capture) -> None:
    with spn2_stand_in.serve(key=False) as archive:
        assert turns(asked(sealed, WitnessAct.LOOK_UP)).outcome == "none"
        with pytest.raises(WitnessNotAsked, match="key is not set"):
            asked(sealed)
        assert archive.paths() == ["GET /cdx/search/cdx"]


def test_an_index_that_answers_no_list_is_asked_again(archive: InternetArchive, sealed: Capture) -> None:
    archive.index = [Answer({"error": "busy"}), Answer([["timestamp"], ["hostile", 3], 7, ["20", "u", "200", "x"]])]
    request = asked(sealed, WitnessAct.LOOK_UP)

    assert turn(request).state == Job.State.QUEUED
    assert turns(request).outcome == "none"


# --- the comparison ---------------------------------------------------------------------------


def test_bytes_that_travelled_packed_are_the_same_once_unpacked(archive: InternetArchive, sealed: Capture) -> None:
    archive.holds(sealed.url, PAGE, TAKEN, packed=True)

    report = turns(asked(sealed, WitnessAct.LOOK_UP))

    assert (report.agreement, report.seen_by) == ("same-decoded", "bytes")


def test_our_packed_bytes_are_compared_with_their_packed_bytes(
    archive: InternetArchive, site: web.Site, capture: Callable[..., Capture]
) -> None:
    ours = packed_capture(site, capture)
    archive.holds(ours.url, PAGE, TAKEN, packed=True)

    report = turns(asked(ours, WitnessAct.LOOK_UP))

    assert report.agreement == "same-received"
    assert report.our_received_sha1 != report.our_decoded_sha1
    assert report.our_received_sha1 == internet_archive.sha1_of(gzip.compress(PAGE, mtime=0))


def test_our_packed_bytes_agree_with_their_unpacked_ones(
    archive: InternetArchive, site: web.Site, capture: Callable[..., Capture]
) -> None:
    ours = packed_capture(site, capture)
    archive.holds(ours.url, PAGE, TAKEN)

    report = turns(asked(ours, WitnessAct.LOOK_UP))

    assert (report.agreement, report.seen_by) == ("same-decoded", "index")


def test_other_bytes_are_said_to_be_other_bytes(archive: InternetArchive, sealed: Capture) -> None:
    archive.holds(sealed.url, PAGE.replace(b"40", b"43"), TAKEN)

    assert turns(asked(sealed, WitnessAct.LOOK_UP)).agreement == "different"


def test_two_empty_pages_prove_nothing(
    archive: InternetArchive, site: web.Site, capture: Callable[..., Capture]
) -> None:
    site.pages["/empty"] = web.page(b"")
    ours = capture(site.url("/empty"))
    archive.holds(ours.url, b"", TAKEN)

    assert turns(asked(ours, WitnessAct.LOOK_UP)).agreement == "not-comparable"


def test_a_copy_that_is_cut_off_is_not_compared(
    archive: InternetArchive, site: web.Site, capture: Callable[..., Capture], settings: Settings
) -> None:
    settings.CAPTURE_MAX_BYTES = 1_000
    # Its end is where the connection ends, so that only we know that it is cut.
    site.pages["/long"] = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + PAGE
    ours = capture(site.url("/long"))
    assert ours.truncated
    archive.holds(ours.url, PAGE, TAKEN)

    assert turns(asked(ours, WitnessAct.LOOK_UP)).agreement == "not-comparable"


def test_what_could_not_be_unpacked_whole_is_compared_as_it_was_received(
    archive: InternetArchive, site: web.Site, capture: Callable[..., Capture], settings: Settings
) -> None:
    settings.CAPTURE_MAX_DECODED_BYTES = 1_000
    ours = packed_capture(site, capture)
    assert ours.truncated == "decoded"
    archive.holds(ours.url, PAGE, TAKEN, packed=True)

    report = turns(asked(ours, WitnessAct.LOOK_UP))

    assert (report.agreement, report.our_decoded_sha1) == ("same-received", "")


def test_chunk_framing_is_no_part_of_what_is_compared(
    archive: InternetArchive, site: web.Site, capture: Callable[..., Capture]
) -> None:
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(PAGE), PAGE)
    site.pages["/chunked"] = (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks
    )
    ours = capture(site.url("/chunked"))
    archive.holds(ours.url, PAGE, TAKEN)

    assert turns(asked(ours, WitnessAct.LOOK_UP)).agreement == "same-received"


# --- who may be told what ----------------------------------------------------------------------


def test_nobody_outside_hears_of_a_discreet_article_or_a_confidential_source(
    archive: InternetArchive, site: web.Site
) -> None:
    site.pages["/"] = web.page(PAGE)
    for kind in ({"discreet": True}, {"confidential": True}):
        request = request_capture(site.url("/"), by=None, again=True, **kind)
        attempt(request)
        capture = Capture.objects.get(request=request)
        for act in WitnessAct:
            with pytest.raises(WitnessNotAsked, match="nobody outside may learn"):
                asked(capture, act)

    assert archive.asked == []


def test_an_uploaded_copy_is_not_asked_about(archive: InternetArchive, sealed: Capture) -> None:
    request = CaptureRequest.objects.create(url=sealed.url, canonical_url=sealed.url, engine=Engine.UPLOAD)
    uploaded = Capture.objects.create(
        request=request,
        outcome="captured",
        engine=Engine.UPLOAD,
        words_row=sealed.words_row,
        started_at=sealed.started_at,
        body_sha256=sealed.body_sha256,
        warc_sha256=sealed.warc_sha256,
    )

    with pytest.raises(WitnessNotAsked, match="uploaded by a person"):
        asked(uploaded, WitnessAct.LOOK_UP)


def test_asking_is_for_editors(archive: InternetArchive, sealed: Capture) -> None:
    with pytest.raises(NotPermitted):
        ask_witness(sealed, act=WitnessAct.SAVE, by=factories.checker())

    assert ask_witness(sealed, act=WitnessAct.SAVE, by=factories.editor()).requested_by == factories.editor()


def test_a_second_click_asks_nothing_new(archive: InternetArchive, sealed: Capture) -> None:
    first = asked(sealed)

    assert asked(sealed) == first
    with pytest.raises(IntegrityError), transaction.atomic():
        WitnessRequest.objects.create(capture=sealed, act=WitnessAct.SAVE)


def test_a_key_that_was_taken_away_ends_what_is_open(
    archive: InternetArchive, sealed: Capture, settings: Settings
) -> None:
    request = asked(sealed)
    settings.WITNESS_IA_SECRET = ""

    report = turns(request)

    assert report.outcome == "gave-up"
    assert "key is not set" in report.words.said
    assert archive.asked == []


def test_orders_at_once_begin_a_pause_apart(
    archive: InternetArchive, sealed: Capture, site: web.Site, capture: Callable[..., Capture]
) -> None:
    asked(sealed)

    second = asked(packed_capture(site, capture))

    assert second.job is not None
    assert timedelta(seconds=5) < wait_of(second.job) <= timedelta(seconds=10)


def test_a_report_whose_words_were_erased_keeps_its_hashes(archive: InternetArchive, sealed: Capture) -> None:
    archive.holds(sealed.url, PAGE, TAKEN)
    report = turns(asked(sealed, WitnessAct.LOOK_UP))

    erase_text(report.words_row, erasure="erasure-1")

    (line,) = witness_lines(sealed)
    assert line.report is not None
    assert (line.link, line.report.their_sha1) == ("", internet_archive.sha1_of(PAGE))


def test_the_store_s_loss_leaves_nothing_to_compare_and_breaks_nothing(
    archive: InternetArchive, sealed: Capture, store: object
) -> None:
    archive.holds(sealed.url, PAGE, TAKEN)
    blobs.path_of(sealed.warc_sha256).unlink()

    assert turns(asked(sealed, WitnessAct.LOOK_UP)).agreement == "not-comparable"
