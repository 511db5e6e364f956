"""Outside witnesses at the desk, and what publishing asks of them."""

import pytest
from django.test import override_settings
from django.urls import reverse

from factcheck.archive.models import Capture, WitnessReport, WitnessRequest
from factcheck.archive.outcomes import NextStep, Outcome, next_steps
from factcheck.archive.witnesses import ask_witness
from factcheck.articles.models import Article
from factcheck.evidence.models import Evidence
from factcheck.evidence.services import Argument, attach_page
from factcheck.jobs.models import Job
from factcheck.ledger.models import Entry
from factcheck.publications.services import publish
from factcheck.verdicts.services import decide_claim, sign_off
from tests import factories, spn2_stand_in, web
from tests.desk.signed_in import client_of
from tests.newsroom_web import do_due_work, site
from tests.spn2_stand_in import pending, success

pytestmark = pytest.mark.django_db(transaction=True)

WORDS = "Repairs will cost 40 million euros"
PAGE = f"<title>Budget</title><p>{WORDS}.</p>".encode()
TAKEN = "20261124120102"


def archived(*, discreet: bool = False, page: bytes | None = None, **argument: object) -> Evidence:
    with site({"/budget": web.page(PAGE) if page is None else page}) as served:
        evidence = attach_page(
            factories.claim(factories.article(discreet=discreet)),
            url=served.url("/budget"),
            argument=Argument(stance="for", quote=WORDS, confirms_so=True, primary=True, **argument),
            by=factories.reporter(),
        )
        do_due_work()
    return evidence


def signed_off(evidence: Evidence) -> Article:
    verdict = decide_claim(
        evidence.claim, rating=factories.rating(), reason="The budget says so.", version=None, by=factories.checker()
    )
    sign_off(verdict, version=None, by=factories.editor())
    return evidence.claim.article


def page_of(evidence: Evidence, person=None) -> str:
    address = reverse("desk:capture", args=[evidence.capture_request.public_id])
    return client_of(person or factories.editor()).get(address).content.decode()


def press(evidence: Evidence, act: str = "save", person=None):
    address = reverse("desk:capture_witness", args=[evidence.capture_request.public_id])
    return client_of(person or factories.editor()).post(address, {"act": act})


def test_an_editor_asks_and_reads_the_answer_with_its_link_and_what_agrees():
    evidence = archived()
    with spn2_stand_in.serve() as archive:
        archive.holds(evidence.capture_request.canonical_url, PAGE, TAKEN)
        assert press(evidence, "look-up").status_code == 302
        do_due_work()
        page = page_of(evidence)

    assert f"{archive.url}/web/{TAKEN}/{evidence.capture_request.canonical_url}" in page
    assert "There is a copy there." in page
    assert "The same bytes as we received." in page


def test_an_order_under_way_says_how_it_stands_and_is_not_offered_again():
    evidence = archived()
    with spn2_stand_in.serve() as archive:
        archive.jobs[spn2_stand_in.JOB_ID] = [pending()]
        press(evidence)
        do_due_work()
        page = page_of(evidence)

    assert "The Internet Archive is making its copy." in page
    assert 'value="save"' not in page
    assert 'value="look-up"' in page


def test_without_a_key_no_copy_is_offered_and_without_an_address_nothing_is():
    evidence = archived()
    with spn2_stand_in.serve(key=False):
        page = page_of(evidence)
        assert 'value="save"' not in page
        assert 'value="look-up"' in page
        assert press(evidence).status_code == 422
    with override_settings(WITNESS_IA_URL=""):
        assert "Internet Archive" not in page_of(evidence)
        assert press(evidence, "look-up").status_code == 422
    assert not WitnessRequest.objects.exists()


def test_who_may_not_ask_sees_no_button():
    evidence = archived()

    assert 'value="look-up"' in page_of(evidence)
    assert 'value="look-up"' not in page_of(evidence, factories.checker())


def test_a_discreet_article_s_page_is_refused_with_the_reason_where_the_button_would_be():
    evidence = archived(discreet=True)
    with spn2_stand_in.serve() as archive:
        assert "nobody outside may learn of it" in page_of(evidence)
        answer = press(evidence)
        assert archive.asked == []

    assert answer.status_code == 422
    assert "nobody outside may learn of it" in answer.content.decode()


def test_one_discreet_article_is_enough():
    evidence = archived()
    Article.objects.update(discreet=True)
    with spn2_stand_in.serve():
        assert "A discreet article uses this page" in press(evidence).content.decode()

    assert not WitnessRequest.objects.exists()


def test_an_order_is_not_carried_out_once_an_article_has_become_discreet():
    evidence = archived()
    with spn2_stand_in.serve() as archive:
        press(evidence)
        Article.objects.update(discreet=True)
        do_due_work()
        page = page_of(evidence)
        assert archive.asked == []

    report = WitnessReport.objects.get()
    assert (report.outcome, report.reason) == ("gave-up", "stopped")
    assert WitnessRequest.objects.get().state == WitnessRequest.State.ENDED
    assert "We stopped before the Internet Archive was asked." in page
    assert "A discreet article uses this page" in page


def test_where_they_were_told_before_an_article_became_discreet_the_report_says_so_and_nobody_asks_again():
    evidence = archived()
    with spn2_stand_in.serve() as archive:
        archive.jobs[spn2_stand_in.JOB_ID] = [pending()]
        press(evidence)
        do_due_work()
        asked = len(archive.asked)
        assert WitnessRequest.objects.get().remote_job_id

        Article.objects.update(discreet=True)
        Job.objects.filter(kind="witness").update(due_at="2020-01-01T00:00:00Z")
        do_due_work()
        page = page_of(evidence)
        assert len(archive.asked) == asked

    assert WitnessReport.objects.get().reason == "stopped-late"
    assert "may have been told of the page before" in page


def test_an_off_record_source_is_refused():
    evidence = archived(off_record=True)
    with spn2_stand_in.serve():
        answer = press(evidence, person=factories.reporter())
        assert answer.status_code == 403
        evidence.shown_to.add(factories.editor())
        assert "confidential" in press(evidence).content.decode()

    assert not WitnessRequest.objects.exists()


def test_their_words_are_shown_as_words():
    evidence = archived()
    with spn2_stand_in.serve() as archive:
        archive.save = [spn2_stand_in.error("blocked", "<script>alert(1)</script>")]
        press(evidence)
        do_due_work()
        page = page_of(evidence)

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "The site does not let the Internet Archive in." in page


# --- at publication ----------------------------------------------------------------------------


def test_what_a_publication_cites_is_asked_for_when_it_is_published_and_not_before():
    evidence = archived()
    with spn2_stand_in.serve() as archive:
        archive.jobs[spn2_stand_in.JOB_ID] = [success(evidence.capture_request.canonical_url, TAKEN)]
        archive.holds(evidence.capture_request.canonical_url, PAGE, TAKEN)
        article = signed_off(evidence)
        do_due_work()
        assert archive.asked == []

        publish(article, by=factories.editor())
        do_due_work()
        Job.objects.filter(kind="witness").update(due_at="2020-01-01T00:00:00Z")
        do_due_work()

    report = WitnessReport.objects.get()
    assert (report.outcome, report.agreement) == ("seen", "same-received")
    assert Entry.objects.get(action="witness.asked").actor == factories.editor().actor_id


def test_a_second_version_asks_only_for_what_has_no_copy_there_yet():
    evidence = archived()
    with spn2_stand_in.serve():
        article = signed_off(evidence)
        publish(article, by=factories.editor())
        publish(article, note_kind="update", note="The photo is new.", by=factories.editor())

    assert WitnessRequest.objects.count() == 1


def test_publishing_a_discreet_article_asks_nobody():
    evidence = archived(discreet=True)
    with spn2_stand_in.serve() as archive:
        publish(signed_off(evidence), by=factories.editor())
        do_due_work()

    assert archive.asked == []
    assert not WitnessRequest.objects.exists()


def test_publishing_without_a_key_or_with_the_switch_off_asks_nobody():
    evidence = archived()
    article = signed_off(evidence)
    with spn2_stand_in.serve(key=False) as archive:
        publish(article, by=factories.editor())
        do_due_work()
        assert archive.asked == []
    with spn2_stand_in.serve(), override_settings(WITNESS_AT_PUBLICATION=False):
        publish(article, note_kind="update", note="The photo is new.", by=factories.editor())

    assert not WitnessRequest.objects.exists()


# --- as a next step ------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", [Outcome.BLOCKED, Outcome.NEEDS_BROWSER, Outcome.GONE, Outcome.UNREACHABLE])
def test_what_we_could_not_see_may_be_asked_for_where_somebody_is_set_to_be_asked(outcome):
    assert NextStep.ASK_INTERNET_ARCHIVE in next_steps(outcome)
    with override_settings(WITNESS_IA_URL=""):
        assert NextStep.ASK_INTERNET_ARCHIVE not in next_steps(outcome)


def test_a_page_that_is_gone_leads_from_its_evidence_to_the_witnesses():
    evidence = archived(page=web.page("<p>Not here</p>", status="404 Not Found"))
    page = client_of(factories.editor()).get(reverse("desk:evidence", args=[evidence.public_id])).content.decode()

    assert f"{reverse('desk:capture', args=[evidence.capture_request.public_id])}#witnesses" in page


def test_a_page_that_is_gone_here_can_have_been_seen_there():
    evidence = archived(page=web.page("<p>Not here</p>", status="404 Not Found"))
    capture = Capture.objects.get()
    with spn2_stand_in.serve() as archive:
        archive.holds(capture.url, PAGE, TAKEN)
        ask_witness(capture, act="look-up", by=factories.editor())
        do_due_work()

    assert "There is a copy there." in page_of(evidence)
    assert WitnessReport.objects.get().outcome == "seen"
