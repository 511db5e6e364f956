"""The page of all captures: what is found, who sees what, and what is done with many."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from factcheck.accounts.permissions import NotPermitted
from factcheck.archive.errors import CaptureNotPossible
from factcheck.archive.models import Capture, CaptureRequest
from factcheck.archive.services import cancel_capture, request_capture
from factcheck.desk.selectors_capture_list import ROWS_ON_A_PAGE
from factcheck.desk.selectors_captures import find_capture
from factcheck.evidence.services import Argument, archive_again, attach_page
from factcheck.jobs.leases import lease_job
from factcheck.jobs.models import Job, Place
from factcheck.jobs.running import run
from factcheck.jobs.sweeping import sweep
from factcheck.ledger.models import Entry
from tests import factories, web
from tests.desk.signed_in import client_of
from tests.newsroom_web import do_due_work, site

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "desk:captures"


def order(path: str = "/a", *, host: str = "paper.example", by=None, **more) -> CaptureRequest:
    return request_capture(f"https://{host}{path}", by=by or factories.reporter(), **more)


def seal(request: CaptureRequest) -> Capture:
    return cancel_capture(request, by=factories.editor())


def page(person=None, **query) -> str:
    return client_of(person or factories.checker()).get(reverse(LIST), query).content.decode()


def post(person, act: str, *orders: CaptureRequest):
    chosen = [order.public_id for order in orders]
    return client_of(person).post(reverse(LIST), {"act": act, "chosen": chosen}, follow=True).content.decode()


def test_captures_are_found_by_state_host_person_outcome_and_words():
    order("/open")
    seal(order("/ended", host="other.example", by=factories.checker()))
    waiting = order("/waiting")
    Job.objects.filter(pk=waiting.job.pk).update(attempts=1, due_at=timezone.now() + timedelta(hours=1))

    client = client_of(factories.second_checker())

    def shown(**query):
        text = client.get(reverse(LIST), query).content.decode()
        return [path for path in ("/open", "/ended", "/waiting") if f"example{path}" in text]

    assert shown() == ["/open", "/ended", "/waiting"]
    assert shown(state="open") == ["/open"]
    assert shown(state="waiting") == ["/waiting"]
    assert shown(state="trouble") == ["/ended"]
    assert shown(state="captured") == []
    assert shown(host="Other.example") == ["/ended"]
    assert shown(person="rosa") == ["/open", "/waiting"]
    assert shown(outcome="failed") == ["/ended"]
    assert shown(words="/op") == ["/open"]
    assert shown(state="nonsense", outcome="\0") == ["/open", "/ended", "/waiting"]


def test_captures_of_an_article_are_found_by_it():
    claim = factories.claim()
    attach_page(claim, url="https://paper.example/cited", argument=Argument(stance="for"), by=factories.reporter())
    order("/other")

    text = page(article=claim.article.slug)

    assert "example/cited" in text
    assert "example/other" not in text


def test_what_is_off_the_record_is_in_no_row_and_no_number_of_a_stranger():
    argument = Argument(stance="for", off_record=True)
    attach_page(factories.claim(), url="https://paper.example/secret", argument=argument, by=factories.reporter())

    for query in ({}, {"words": "secret"}, {"host": "paper.example"}, {"state": "open"}):
        stranger = page(factories.admin(), **query)
        assert 'class="captures__row' not in stranger
        assert 'In work&nbsp;<span class="count">0</span>' in stranger
        assert "example/secret" in page(factories.reporter(), **query)


def test_a_stranger_neither_cancels_nor_retries_what_is_off_the_record():
    argument = Argument(stance="for", off_record=True)
    evidence = attach_page(
        factories.claim(), url="https://paper.example/secret", argument=argument, by=factories.reporter()
    )
    request = evidence.capture_request

    post(factories.admin(), "cancel", request)
    answer = client_of(factories.admin()).post(reverse("desk:capture_cancel", args=[request.public_id]))

    assert answer.status_code == 404
    request.refresh_from_db()
    assert request.state == CaptureRequest.State.OPEN


def test_the_list_hides_every_copy_that_its_own_page_hides():
    with site({"/budget": web.page("<p>Other words.</p>")}) as served:
        argument = Argument(stance="for", quote="Repairs will cost", off_record=True)
        evidence = attach_page(factories.claim(), url=served.url("/budget"), argument=argument, by=factories.reporter())
        do_due_work()
        archive_again(evidence, by=factories.reporter())
        do_due_work()

    for person in (factories.reporter(), factories.admin()):
        listed = page(person)
        for request in CaptureRequest.objects.all():
            assert (f"title-{request.public_id}" in listed) == (find_capture(request.public_id, person) is not None)


def test_the_number_of_queries_does_not_grow_with_the_rows():
    person = factories.editor()
    client = client_of(person)

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            client.get(reverse(LIST))
        return len(asked)

    def attach(number: int) -> None:
        url = f"https://paper.example/{number}"
        attach_page(claim, url=url, argument=Argument(stance="for"), by=factories.reporter())

    claim = factories.claim()
    for number in range(5):
        attach(number)
    few = queries()
    for number in range(5, 60):
        attach(number)

    assert queries() == few


def test_pages_follow_one_another_without_a_gap_or_a_row_twice():
    orders = [order(f"/{number}") for number in range(ROWS_ON_A_PAGE + 3)]
    client = client_of(factories.checker())

    first = client.get(reverse(LIST)).context["page"]
    second = client.get(reverse(LIST), {"before": first.older}).context["page"]

    seen = [row.request.public_id for row in [*first.rows, *second.rows]]
    assert sorted(seen) == sorted(order.public_id for order in orders)
    assert second.older == ""


def test_where_to_go_on_from_tells_nothing_of_what_is_off_the_record():
    order("/older")
    secret = attach_page(
        factories.claim(),
        url="https://secret.example/a",
        argument=Argument(stance="for", off_record=True),
        by=factories.reporter(),
    ).capture_request
    order("/newer")

    def shown(before):
        page = client_of(factories.checker()).get(reverse(LIST), {"before": before}).context["page"]
        return [row.request.canonical_url for row in page.rows]

    assert shown(secret.public_id) == shown("no-such") == ["https://paper.example/newer", "https://paper.example/older"]


def test_no_character_of_the_address_line_or_the_form_breaks_the_list():
    client = client_of(factories.checker())
    query = dict.fromkeys(("before", "words", "host", "person", "article", "state", "outcome"), "\0'")

    assert client.get(reverse(LIST), query).status_code == 200
    assert client.post(reverse(LIST), {"act": "retry", "chosen": ["\0'"]}).status_code == 302


def test_the_chosen_ones_are_tried_again_as_bulk_and_their_evidence_goes_with_them():
    evidence = attach_page(
        factories.claim(), url="https://paper.example/a", argument=Argument(stance="for"), by=factories.reporter()
    )
    first = evidence.capture_request
    seal(first)

    answer = post(factories.checker(), "retry", first)

    assert "1 capture is tried again." in answer
    evidence.refresh_from_db()
    assert evidence.capture_request.retry_of == first
    assert evidence.capture_request.job.bulk


def test_the_chosen_ones_are_cancelled_and_what_one_may_not_is_said():
    own, others = order("/own", by=factories.checker()), order("/others")

    answer = post(factories.checker(), "cancel", own, others)

    assert "1 capture is cancelled." in answer
    assert "does not let you cancel a capture that somebody else ordered" in answer
    states = dict(CaptureRequest.objects.values_list("public_id", "state"))
    assert states == {own.public_id: "sealed", others.public_id: "open"}


def test_whoever_ordered_it_or_an_editor_cancels_and_nobody_else():
    for person in (factories.reporter(), factories.editor()):
        capture = cancel_capture(order(f"/{person.pk}"), by=person)
        assert (capture.outcome, capture.reason) == ("failed", "cancelled")
        entry = Entry.objects.get(action="capture.cancelled", subject=capture.request.subject)
        assert entry.actor == person.actor_id

    with pytest.raises(NotPermitted):
        cancel_capture(order("/third"), by=factories.checker())


def test_what_has_ended_is_not_cancelled():
    request = order()
    seal(request)

    with pytest.raises(CaptureNotPossible, match="ended already"):
        cancel_capture(request, by=factories.editor())
    assert Capture.objects.count() == 1


def test_a_worker_whose_capture_is_cancelled_loses_it_and_its_place():
    request = order()
    lease = lease_job(request.job.pk)

    seal(request)

    run(lease)
    assert Capture.objects.get().outcome == "failed"
    assert not Place.objects.filter(job__isnull=False).exists()
    assert sweep().freed == 0


def test_evidence_that_waits_for_a_cancelled_capture_waits_no_longer():
    evidence = attach_page(
        factories.claim(),
        url="https://paper.example/a",
        argument=Argument(stance="for", quote="Repairs will cost 40 million euros."),
        by=factories.reporter(),
    )
    client = client_of(factories.reporter())
    address = reverse("desk:capture_cancel", args=[evidence.capture_request.public_id])
    assert address in client.get(reverse("desk:evidence", args=[evidence.public_id])).content.decode()
    assert "Cancel this capture?" in client.get(address).content.decode()

    answer = client.post(address)
    do_due_work()

    assert answer["Location"] == reverse("desk:evidence", args=[evidence.public_id])
    shown = client.get(answer["Location"]).content.decode()
    assert "The capture was cancelled before it was made" in shown
    assert not Job.objects.filter(state__in=Job.UNFINISHED).exists()


def test_jobs_that_were_taken_back_are_counted():
    request = order()
    for _time in range(2):
        lease_job(request.job.pk)
        Job.objects.filter(pk=request.job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
        assert sweep().freed == 1

    text = page()

    assert "taken back 2 times" in text
    assert "1 job was taken back in the last 24 hours" in text
