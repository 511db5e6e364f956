"""Evidence at the desk: attaching it, watching its copy, comparing, taking back."""

import pytest
from django.urls import reverse

from factcheck.claims.models import Claim
from factcheck.evidence.models import Evidence, Visibility
from factcheck.evidence.selectors import standing_of
from factcheck.evidence.services import Argument, attach_page, change_quote, withdraw_evidence
from tests import factories, web
from tests.desk.signed_in import HTMX, client_of
from tests.newsroom_web import do_due_work, site

pytestmark = pytest.mark.django_db(transaction=True)

BUDGET = "<title>Budget</title><p>The council agreed.</p><p>Repairs will cost 40 million euros in 2025.</p>"
WORDS = "Repairs will cost 40 million euros in 2025."


def attach(claim: Claim, kind: str, person=None, **fields):
    data = {"stance": "for", "visibility": "passage"} | fields
    client = client_of(person or factories.reporter())
    return client.post(reverse("desk:evidence_new", args=[claim.public_id, kind]), data)


def attached(served: web.Site, quote: str = WORDS, path: str = "/budget", claim: Claim | None = None) -> Evidence:
    argument = Argument(stance="for", quote=quote, confirms_so=True)
    return attach_page(claim or factories.claim(), url=served.url(path), argument=argument, by=factories.reporter())


def archived(quote: str = WORDS, page: str = BUDGET) -> Evidence:
    with site({"/budget": web.page(page)}) as served:
        evidence = attached(served, quote)
        do_due_work()
    return evidence


def look(evidence: Evidence, person=None, status: int = 200) -> str:
    client = client_of(person or factories.checker())
    answer = client.get(reverse("desk:evidence", args=[evidence.public_id]))
    assert answer.status_code == status
    return answer.content.decode()


def poll(evidence: Evidence, person=None, **query):
    client = client_of(person or factories.checker())
    return client.get(reverse("desk:evidence_card", args=[evidence.public_id]), query, headers=HTMX)


def post(name: str, evidence: Evidence, person=None, headers=None, **fields):
    client = client_of(person or factories.checker())
    return client.post(reverse(f"desk:{name}", args=[evidence.public_id]), fields, headers=headers or {})


# --- attach ----------------------------------------------------------------------------------


def test_a_page_is_attached_and_its_copy_ordered():
    claim = factories.claim()
    with site({"/budget": web.page(BUDGET)}) as served:
        answer = attach(claim, "page", url=served.url("/budget"), quote=WORDS, confirms_so="on", primary="on")
    evidence = Evidence.objects.get()

    assert answer["Location"] == reverse("desk:claim", args=[claim.public_id]) + f"#evidence-{evidence.public_id}"
    assert evidence.capture_request is not None
    assert (evidence.confirms_said, evidence.confirms_so, evidence.primary) == (False, True, True)


def test_a_refused_address_keeps_what_was_typed():
    answer = attach(factories.claim(), "page", url="http://192.168.0.1/secret", quote="Some careful words.")

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "http://192.168.0.1/secret" in page
    assert "Some careful words." in page
    assert 'role="alert"' in page
    assert not Evidence.objects.exists()


def test_an_interview_without_who_heard_it_is_refused_and_a_whole_one_let_pass():
    claim = factories.claim()
    fields = {"contact": "Marta", "spoken_on": "2025-02-20", "spoken_how": "telephone", "quote": "Forty million."}

    refused = attach(claim, "interview", **fields, heard_by="")
    let_pass = attach(claim, "interview", **fields, heard_by="Rosa")

    assert refused.status_code == 422
    assert "who of us heard it" in refused.content.decode()
    assert let_pass.status_code == 302


def test_a_work_without_its_edition_is_refused_and_a_whole_one_let_pass():
    claim = factories.claim()
    fields = {"title": "Bridges", "page": "12", "transcription": "It cost 40 million."}

    assert attach(claim, "work", **fields).status_code == 422
    assert attach(claim, "work", **fields, edition="2nd, 2020").status_code == 302


def test_there_is_no_fourth_kind_of_source():
    assert attach(factories.claim(), "rumour").status_code == 404


def test_off_the_record_is_shown_to_whom_the_form_names():
    claim = factories.claim()
    fields = {"contact": "M", "spoken_on": "2025-02-20", "spoken_how": "telephone", "heard_by": "Rosa", "note": "n"}
    attach(claim, "interview", **fields, off_record="on", shown_to=[factories.editor().pk])
    evidence = Evidence.objects.get()

    assert evidence.off_record
    look(evidence, factories.editor())
    look(evidence, factories.admin(), status=404)


@pytest.mark.parametrize("number", ["9" * 20, "9" * 400, "-1", "x"])
def test_people_that_are_nobody_are_refused_and_nothing_is_attached(number):
    fields = {"contact": "M", "spoken_on": "2025-02-20", "spoken_how": "telephone", "heard_by": "Rosa", "note": "n"}

    answer = attach(factories.claim(), "interview", **fields, off_record="on", shown_to=[number])

    assert answer.status_code == 422
    assert not Evidence.objects.exists()


def test_whole_copies_cannot_be_opened_while_attaching():
    answer = attach(factories.claim(), "page", factories.editor(), url="http://example.org/", visibility="public")

    assert answer.status_code == 422
    assert not Evidence.objects.exists()


# --- watch -----------------------------------------------------------------------------------


def test_the_card_asks_until_the_words_are_found_and_then_stops():
    with site({"/budget": web.page(BUDGET)}) as served:
        evidence = attached(served)
        waiting = poll(evidence).content.decode()
        do_due_work()
    found = poll(evidence).content.decode()

    assert 'hx-trigger="every 1s"' in waiting
    assert "Fetching the page" in waiting
    assert "hx-trigger" not in found
    assert f"<mark>{WORDS}</mark>" in found
    assert "<strong>Secured.</strong>" in found


def test_a_poll_without_news_is_answered_with_nothing():
    with site({"/budget": web.page(BUDGET)}) as served:
        evidence = attached(served)
        seen = poll(evidence).content.decode().split("?seen=")[1].split('"')[0]
        again = poll(evidence, seen=seen)
        do_due_work()
        news = poll(evidence, seen=seen)

    assert (again.status_code, again.content) == (204, b"")
    assert news.status_code == 200


def test_news_is_read_aloud():
    with site({"/budget": web.page(BUDGET)}) as served:
        evidence = attached(served)
        page = poll(evidence).content.decode()

    assert 'hx-swap-oob="innerHTML:#status"' in page


def test_the_page_of_evidence_brings_the_copy_with_the_last_poll():
    with site({"/budget": web.page(BUDGET)}) as served:
        evidence = attached(served)
        before = look(evidence)
        do_due_work()
        news = poll(evidence, part="standing").content.decode()

    assert "part=standing&amp;seen=" in before
    assert '<div id="copy" hx-swap-oob="outerHTML"><section' in news
    assert "hx-trigger" not in news


def test_a_browser_without_script_is_sent_to_the_page():
    evidence = factories.interview(factories.claim())
    answer = client_of(factories.checker()).get(reverse("desk:evidence_card", args=[evidence.public_id]))

    assert answer["Location"] == reverse("desk:evidence", args=[evidence.public_id])


def test_a_page_that_is_gone_says_so_and_offers_another_try():
    with site({}) as served:
        evidence = attached(served, path="/nowhere")
        do_due_work()

    page = look(evidence)

    assert "no such page (404)" in page
    assert "Try again now" in page
    assert reverse("desk:evidence_archive_again", args=[evidence.public_id]) in page


def test_what_a_page_calls_itself_is_shown_and_not_run():
    page = look(archived(page="<title>&lt;script&gt;alert(1)&lt;/script&gt;</title><p>" + WORDS + "</p>"))

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_off_record_evidence_is_not_there_for_a_stranger_by_any_address():
    claim = factories.claim()
    evidence = factories.interview(claim, off_record=True)
    stranger = factories.admin()
    client = client_of(stranger)

    look(evidence, stranger, status=404)
    assert poll(evidence, stranger).status_code == 404
    for name in ("evidence_quote", "evidence_confirm", "evidence_withdraw", "evidence_archive_again"):
        assert post(name, evidence, stranger, version=1, quote="x", reason="x").status_code == 404
    assert client.get(reverse("desk:source_visibility", args=[evidence.source.public_id])).status_code == 404
    assert Evidence.objects.get().withdrawn_at is None


# --- compare ---------------------------------------------------------------------------------


def test_a_fuzzy_passage_stands_beside_the_quote_with_every_difference_marked_and_named():
    page = look(archived("Repairs will cost 43 million euros in 2025."))

    assert "<del>43</del>" in page
    assert "<ins>40</ins>" in page
    assert "A number differs." in page


def test_a_checker_vouches_with_a_reason_and_not_without():
    evidence = archived("Repairs will cost 43 million euros in 2025.")

    refused = post("evidence_confirm", evidence, version=1, reason=" ")
    let_pass = post("evidence_confirm", evidence, version=1, reason="The page rounds.")

    assert refused.status_code == 422
    assert "Say what you compared" in refused.content.decode()
    assert let_pass.status_code == 302
    assert standing_of(evidence).secured
    assert "The page rounds." in look(evidence)


def test_a_reporter_vouches_for_nothing():
    evidence = archived("Repairs will cost 43 million euros in 2025.")

    assert post("evidence_confirm", evidence, factories.reporter(), version=1, reason="Sure.").status_code == 403
    assert reverse("desk:evidence_confirm", args=[evidence.public_id]) not in look(evidence, factories.reporter())


def test_vouching_on_a_page_that_is_out_of_date_is_refused():
    evidence = archived("Repairs will cost 43 million euros in 2025.")
    change_quote(evidence, quote="Repairs will cost 44 million euros in 2025.", version=None, by=factories.reporter())
    do_due_work()

    answer = post("evidence_confirm", evidence, version=1, reason="The page rounds.")

    assert answer.status_code == 422
    assert "Somebody changed this evidence" in answer.content.decode()
    assert "The page rounds." in answer.content.decode()
    assert not standing_of(evidence).secured


def test_every_place_of_an_ambiguous_quote_is_shown():
    page = look(archived("The bridge", page="<p>The bridge is old. It creaks.</p><p>The bridge is long. It sways.</p>"))

    assert "Place 1" in page
    assert "Place 2" in page
    assert "so that only one place fits" in page


# --- change ----------------------------------------------------------------------------------


def test_a_corrected_quote_is_looked_for_again():
    evidence = archived("The moon is made of cheese and always was.")

    answer = post("evidence_quote", evidence, factories.reporter(), version=1, quote=WORDS)
    do_due_work()

    assert answer.status_code == 302
    assert standing_of(evidence).secured


def test_htmx_gets_the_part_with_the_corrected_quote():
    evidence = archived("The moon is made of cheese and always was.")

    answer = post("evidence_quote", evidence, headers=HTMX, version=1, quote=WORDS)

    page = answer.content.decode()
    assert answer.status_code == 200
    assert "<html" not in page
    assert "looked for again" in page
    assert 'hx-trigger="every 1s"' in page


def test_an_empty_quote_is_refused():
    answer = post("evidence_quote", archived(), version=1, quote=" ")

    assert answer.status_code == 422
    assert "Give the words of the page" in answer.content.decode()


def test_a_stale_quote_shows_both_and_the_second_save_is_a_conscious_one():
    evidence = archived()
    change_quote(evidence, quote="Their words.", version=None, by=factories.reporter())

    stale = post("evidence_quote", evidence, version=1, quote="My words.")

    page = stale.content.decode()
    assert stale.status_code == 422
    assert "My words." in page
    assert "Their words." in page
    assert 'name="version" value="2" id="quote_version"' in page
    assert post("evidence_quote", evidence, version=2, quote="My words.").status_code == 302


def test_evidence_is_taken_back_with_a_reason_and_not_without():
    evidence = factories.interview(factories.claim())

    refused = post("evidence_withdraw", evidence, version=1, reason="")
    let_pass = post("evidence_withdraw", evidence, version=1, reason="The wrong engineer.")

    assert refused.status_code == 422
    assert let_pass.status_code == 302
    page = look(evidence)
    assert "The wrong engineer." in page
    assert reverse("desk:evidence_withdraw", args=[evidence.public_id]) not in page
    claim_page = client_of(factories.checker()).get(reverse("desk:claim", args=[evidence.claim.public_id]))
    assert "The wrong engineer." in claim_page.content.decode()


def test_what_was_taken_back_is_not_copied_again():
    evidence = archived()
    withdraw_evidence(evidence, reason="Wrong.", version=None, by=factories.reporter())

    answer = post("evidence_archive_again", evidence)

    assert answer.status_code == 422
    assert "was taken back" in answer.content.decode()


def test_a_page_is_copied_again():
    evidence = archived("Words that nobody can find there.")
    before = evidence.capture_request_id

    answer = post("evidence_archive_again", evidence, factories.reporter())

    evidence.refresh_from_db()
    assert answer.status_code == 302
    assert evidence.capture_request_id != before


def test_an_interview_cannot_be_copied():
    answer = post("evidence_archive_again", factories.interview(factories.claim()))

    assert answer.status_code == 422
    assert "Only a page can be archived" in answer.content.decode()


# --- what readers see ------------------------------------------------------------------------


def open_source(evidence: Evidence, person=None, **fields):
    client = client_of(person or factories.editor())
    return client.post(reverse("desk:source_visibility", args=[evidence.source.public_id]), fields)


def test_an_editor_opens_the_whole_copy_with_a_reason_and_not_without():
    evidence = archived()

    refused = open_source(evidence, visibility="public", reason="")
    let_pass = open_source(evidence, visibility="public", reason="A public budget.")

    evidence.source.refresh_from_db()
    assert refused.status_code == 422
    assert "Say why" in refused.content.decode()
    assert let_pass.status_code == 302
    assert evidence.source.visibility == Visibility.PUBLIC


def test_a_page_that_asks_not_to_be_copied_says_so_before_anybody_tries():
    evidence = archived(page='<meta name="robots" content="noarchive"><p>' + WORDS + "</p>")
    address = reverse("desk:source_visibility", args=[evidence.source.public_id])

    assert "(noarchive)" in client_of(factories.editor()).get(address).content.decode()
    assert open_source(evidence, visibility="public", reason="I want to.").status_code == 422


def test_a_checker_does_not_decide_what_readers_see():
    assert open_source(archived(), factories.checker(), visibility="desk").status_code == 403


def test_an_interview_has_no_copy_to_be_opened():
    evidence = factories.interview(factories.claim())

    assert open_source(evidence, visibility="public", reason="x").status_code == 422
    assert open_source(evidence, visibility="desk", reason="").status_code == 302


def test_the_way_back_leads_to_the_evidence_one_came_from():
    with site({"/budget": web.page(BUDGET)}) as served:
        first = attached(served)
        second = attached(
            served, claim=factories.claim(factories.article("Another headline\n\nIt cost 9 euros."), "9 euros")
        )
    address = reverse("desk:source_visibility", args=[first.source.public_id])

    answer = client_of(factories.editor()).post(f"{address}?evidence={second.public_id}", {"visibility": "desk"})

    assert answer["Location"] == reverse("desk:evidence", args=[second.public_id])


def test_where_nothing_was_archived_no_other_words_are_asked_for():
    with site({}) as served:
        evidence = attached(served, path="/nowhere")
        do_due_work()

    assert reverse("desk:evidence_quote", args=[evidence.public_id]) not in look(evidence)
    found = archived()
    assert reverse("desk:evidence_quote", args=[found.public_id]) in look(found)
