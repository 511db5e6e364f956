"""Orders that meet: for one page at once, for a copy that somebody else has asked for already, and ends that cross."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import override_settings
from django.utils import timezone
from pytest_django.fixtures import Settings

from factcheck.archive.errors import CaptureNotPossible
from factcheck.archive.models import Capture, CaptureRequest
from factcheck.archive.services import cancel_capture, request_capture, retry_capture
from factcheck.evidence.models import Stance
from factcheck.evidence.services import Argument, archive_again, attach_page
from factcheck.jobs.leases import lease_due_job, lease_job
from factcheck.jobs.models import Job, Place
from factcheck.jobs.running import run
from factcheck.jobs.sweeping import sweep
from tests import factories, web
from tests.archive.conftest import attempt

PAGE = "https://paper.example/page"


def side_by_side(*acts: Callable[[], object]) -> list[Exception]:
    """Do all of it at once, each with a connection of its own; what they raised."""
    gate = threading.Barrier(len(acts))
    raised: list[Exception] = []

    def one(act: Callable[[], object]) -> None:
        try:
            gate.wait()
            act()
        except Exception as error:
            raised.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


@pytest.mark.django_db(transaction=True)
def test_who_order_the_same_page_at_once_get_the_same_order() -> None:
    def order() -> None:
        request_capture(PAGE, by=None)

    assert side_by_side(order, order, order, order) == []

    assert CaptureRequest.objects.count() == 1
    assert Job.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_copy_that_is_cancelled_while_the_sweeper_gives_it_up_is_sealed_once() -> None:
    editor = factories.editor()
    for number in range(8):
        request = request_capture(f"https://{number}.example/", by=editor)
        assert request.job is not None
        assert lease_job(request.job.pk) is not None
        Job.objects.filter(pk=request.job.pk).update(lease_until=timezone.now() - timedelta(seconds=5), attempts=8)

        raised = side_by_side(lambda order=request: cancel_capture(order, by=editor), sweep)  # type: ignore[misc]

        assert all(isinstance(error, CaptureNotPossible) for error in raised), raised
        assert Capture.objects.filter(request=request).count() == 1


@pytest.mark.django_db
def test_trying_again_twice_is_one_new_order_and_goes_before_the_many(site: web.Site) -> None:
    ended = request_capture(site.url("/nowhere"), by=None)
    attempt(ended)

    as_one_of_many = retry_capture(ended, by=None, bulk=True)
    alone = retry_capture(ended, by=None)

    assert alone == as_one_of_many
    assert CaptureRequest.objects.count() == 2
    assert alone.job is not None
    alone.job.refresh_from_db()
    assert not alone.job.bulk


@pytest.mark.django_db
def test_trying_again_after_the_second_try_has_ended_is_a_third(site: web.Site) -> None:
    first = request_capture(site.url("/nowhere"), by=None)
    attempt(first)
    second = retry_capture(first, by=None)
    attempt(second)

    assert retry_capture(first, by=None) not in (first, second)


@pytest.mark.django_db
def test_evidence_that_rests_on_one_copy_shares_the_new_one() -> None:
    claim = factories.claim()
    both = [
        attach_page(claim, url=PAGE, argument=Argument(stance=stance, quote="40 million"), by=factories.reporter())
        for stance in (Stance.FOR, Stance.CONTEXT)
    ]
    assert both[0].capture_request is not None
    cancel_capture(both[0].capture_request, by=factories.editor())

    new = {archive_again(evidence, by=factories.reporter()).public_id for evidence in both}

    assert len(new) == 1


@pytest.mark.django_db
def test_a_site_is_one_place_with_www_and_without() -> None:
    request_capture("https://www.paper.example/one", by=None)
    request_capture("https://paper.example/two", by=None)

    assert lease_due_job() is not None
    assert lease_due_job() is None


@pytest.mark.django_db
@pytest.mark.parametrize(
    "value",
    ["Tue, 24 Nov 99999999999 10:00:00 GMT", "Tue, 24 Nov 2026 10:00:00 +99999999999999", "-1", "1.5", "\x01", "("],
)
def test_a_wish_for_patience_that_is_no_time_is_none(site: web.Site, value: str) -> None:
    site.pages["/"] = web.page("<p>Busy</p>", status="503 Busy", headers={"Retry-After": value})
    request = request_capture(site.url("/"), by=None)
    before = timezone.now()

    attempt(request)

    assert request.job is not None
    request.job.refresh_from_db()
    assert round((request.job.due_at - before).total_seconds() / 60) == 1
    assert request.job.reason == "The server answered with status 503."


@pytest.mark.django_db
def test_a_site_that_asks_for_patience_is_asked_for_no_other_page_until_a_person_says_now(site: web.Site) -> None:
    site.pages["/"] = web.page("<p>Slowly</p>", status="429 Too Many", headers={"Retry-After": "600"})
    first = request_capture(site.url("/"), by=None)
    other = request_capture(site.url("/other"), by=None)
    attempt(first)

    assert lease_due_job() is None
    retry_capture(other, by=None)
    lease = lease_due_job()

    assert lease is not None
    assert lease.subject == other.subject


@pytest.fixture
def two_sites(settings: Settings) -> Iterator[tuple[web.Site, str]]:
    """A site that leads to another one, and the address there."""
    with web.serve() as here, web.serve({"/": web.page(f"<p>{'The council agreed. ' * 80}</p>")}) as there:
        settings.ARCHIVE_ALLOW_LOOPBACK = [here.pair, f"localhost:{there.port}"]
        address = there.url("/", host="localhost")
        here.pages["/"] = web.redirect(address)
        yield here, address


@pytest.mark.django_db
def test_a_page_that_leads_to_a_site_that_is_being_archived_waits_for_that_and_loses_no_attempt(
    two_sites: tuple[web.Site, str],
) -> None:
    here, address = two_sites
    there = request_capture(address, by=None)
    leads_there = request_capture(here.url("/"), by=None)
    assert there.job is not None
    assert leads_there.job is not None
    at_work = lease_job(there.job.pk)
    assert at_work is not None

    attempt(leads_there)

    leads_there.job.refresh_from_db()
    assert (leads_there.job.state, leads_there.job.attempts) == ("queued", 0)
    assert not Place.objects.filter(job=leads_there.job).exists()
    run(at_work)
    Place.objects.update(free_at=timezone.now())
    Job.objects.filter(pk=leads_there.job.pk).update(due_at=timezone.now())
    attempt(leads_there)
    assert Capture.objects.get(request=leads_there).final_url == address


@pytest.mark.django_db
def test_a_site_that_a_page_led_to_is_asked_for_no_other_page_meanwhile_and_both_are_left_at_the_end(
    two_sites: tuple[web.Site, str], settings: Settings
) -> None:
    settings.CAPTURE_HOST_SPACING_SECONDS = 60
    here, address = two_sites
    request = request_capture(here.url("/"), by=None)
    attempt(request)
    resting = set(Place.objects.filter(free_at__gt=timezone.now()).values_list("name", flat=True))

    assert Capture.objects.get(request=request).outcome == "captured"
    assert resting == {"127.0.0.1", "localhost"}
    assert not Place.objects.filter(job__isnull=False).exists()
    other = request_capture(address, by=None, again=True)
    assert other.job is not None
    assert lease_due_job() is None


@pytest.mark.django_db
def test_a_page_that_leads_away_and_back_again_meets_nobody_but_itself(two_sites: tuple[web.Site, str]) -> None:
    here, _address = two_sites
    here.pages["/"] = web.page(f"<p>{'The council agreed. ' * 80}</p>")
    with web.serve({"/": web.redirect(here.url("/"))}) as bounce:
        settings_pairs = [*django_settings.ARCHIVE_ALLOW_LOOPBACK, f"localhost:{bounce.port}"]
        with override_settings(ARCHIVE_ALLOW_LOOPBACK=settings_pairs):
            here.pages["/away"] = web.redirect(bounce.url("/", host="localhost"))
            request = request_capture(here.url("/away"), by=None)
            attempt(request)

    assert Capture.objects.get(request=request).final_url == here.url("/")
