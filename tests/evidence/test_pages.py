"""Evidence on a page of the web, really archived over loopback."""

import pytest

from factcheck.evidence.errors import EvidenceError, EvidenceIncomplete, VisibilityRefused
from factcheck.evidence.models import Evidence, PassageCheck, PassageOutcome, Visibility
from factcheck.evidence.selectors import Standing, standing_of
from factcheck.evidence.services import (
    Argument,
    archive_again,
    attach_page,
    change_quote,
    confirm_passage,
    set_visibility,
    withdraw_evidence,
)
from factcheck.ledger.models import Entry
from factcheck.outbound.errors import AddressRefused
from tests import factories, web
from tests.newsroom_web import do_due_work, site

pytestmark = pytest.mark.django_db(transaction=True)

BUDGET = "<title>Budget</title><p>The council agreed.</p><p>Repairs will cost “40 million” euros in <b>2025</b>.</p>"


def attach(served: web.Site, quote: str, path: str = "/budget", **argument: object) -> Evidence:
    return attach_page(
        factories.claim(),
        url=served.url(path),
        argument=Argument(stance="for", quote=quote, confirms_so=True, **argument),  # type: ignore[arg-type]
        by=factories.reporter(),
    )


def checked(page: str | bytes, quote: str) -> Standing:
    content = page if isinstance(page, bytes) else web.page(page)
    with site({"/budget": content}) as served:
        evidence = attach(served, quote)
        do_due_work()
    return standing_of(evidence)


def test_a_page_is_secured_once_its_words_are_found_in_the_sealed_copy():
    with site({"/budget": web.page(BUDGET)}) as served:
        evidence = attach(served, "Repairs will cost “40 million” euros in 2025.")
        before = standing_of(evidence)
        do_due_work()
    after = standing_of(evidence)

    assert (before.secured, before.waits) == (False, True)
    assert (after.secured, after.waits) == (True, False)
    assert after.check is not None
    assert after.check.outcome == PassageOutcome.EXACT


def test_another_typography_is_found_by_the_machine():
    found = checked(BUDGET, 'Repairs will  cost "40 million" euros')

    assert found.secured
    assert found.check is not None
    assert found.check.outcome == PassageOutcome.NORMALISED


def test_another_number_is_never_found_by_the_machine():
    found = checked(BUDGET, "Repairs will cost “43 million” euros in 2025.")

    assert not found.secured
    assert found.check is not None
    assert found.check.outcome == PassageOutcome.FUZZY
    assert "number" in found.check.warnings


def test_words_that_are_not_there_do_not_secure():
    found = checked(BUDGET, "The moon is made of cheese and always was.")

    assert not found.secured
    assert found.check is not None
    assert found.check.outcome == PassageOutcome.ABSENT


def test_words_in_a_hidden_part_do_not_secure():
    found = checked(
        "<p>Shown words stand here.</p><p hidden>Repairs will cost 40 million.</p>", "Repairs will cost 40 million."
    )

    assert not found.secured
    assert found.check is not None
    assert found.check.outcome == PassageOutcome.HIDDEN_ONLY


def test_a_page_without_text_says_nothing_about_the_words():
    found = checked(
        web.page(b"\x89PNG\r\n\x1a\n" + b"\x00" * 64, media_type="image/png"), "Repairs will cost 40 million."
    )

    assert not found.secured
    assert found.check is None or found.check.outcome in (PassageOutcome.NO_TEXT, PassageOutcome.IMAGE_ONLY)


def test_words_that_are_missing_from_a_copy_that_was_cut_off_are_not_called_absent():
    body = b"<p>The council agreed on the budget of the year.</p>"
    cut = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5000\r\n\r\n" + body

    found = checked(cut, "Repairs will cost 40 million euros in 2025.")

    assert found.capture is not None
    assert found.capture.outcome == "captured_partial"
    assert found.check is not None
    assert found.check.outcome == PassageOutcome.LIMIT


def test_a_page_without_quoted_words_is_not_secured():
    found = checked(BUDGET, "")

    assert not found.secured
    assert "no words of it are quoted" in found.sentence


def test_a_page_that_is_gone_is_not_secured_and_says_why():
    with site({}) as served:
        evidence = attach(served, "Repairs will cost 40 million euros.", "/nowhere")
        do_due_work()
    found = standing_of(evidence)

    assert not found.secured
    assert found.capture is not None
    assert found.capture.outcome == "gone"
    assert found.capture.sentence in found.sentence


def test_a_person_vouches_for_a_fuzzy_passage_and_only_with_a_reason():
    evidence = checked(BUDGET, "Repairs will cost “43 million” euros in 2025.").evidence

    with pytest.raises(EvidenceError, match="Say what you compared"):
        confirm_passage(evidence, reason=" ", version=None, by=factories.checker())
    confirm_passage(evidence, reason="The page rounds.", version=None, by=factories.checker())

    assert standing_of(evidence).secured


def test_nobody_vouches_for_words_that_are_absent():
    evidence = checked(BUDGET, "The moon is made of cheese and always was.").evidence

    with pytest.raises(EvidenceError, match="correct the quote"):
        confirm_passage(evidence, reason="I am sure.", version=None, by=factories.checker())


def test_a_corrected_quote_is_looked_for_again_and_the_old_check_stays():
    evidence = checked(BUDGET, "The moon is made of cheese and always was.").evidence

    change_quote(evidence, quote="Repairs will cost “40 million” euros", version=None, by=factories.reporter())
    assert not standing_of(evidence).secured
    do_due_work()

    assert standing_of(evidence).secured
    assert PassageCheck.objects.filter(evidence=evidence).count() == 2


def test_a_confirmation_is_worth_nothing_once_the_quote_changes():
    evidence = checked(BUDGET, "Repairs will cost “43 million” euros in 2025.").evidence
    confirm_passage(evidence, reason="The page rounds.", version=None, by=factories.checker())

    change_quote(evidence, quote="Repairs will cost “44 million” euros in 2025.", version=None, by=factories.reporter())
    do_due_work()

    assert not standing_of(evidence).secured


def test_a_new_copy_is_searched_anew():
    with site({"/budget": web.page("<p>Under construction. Come back for the words that matter.</p>")}) as served:
        evidence = attach(served, "Repairs will cost “40 million” euros")
        do_due_work()
        assert not standing_of(evidence).secured
        served.pages["/budget"] = web.page(BUDGET)
        archive_again(evidence, by=factories.reporter())
        do_due_work()
    found = standing_of(Evidence.objects.get(pk=evidence.pk))

    assert found.secured


def test_a_copy_that_secures_its_words_is_not_put_at_risk_by_another():
    evidence = checked(BUDGET, "Repairs will cost “40 million” euros").evidence

    with pytest.raises(EvidenceError, match="secured by the copy"):
        archive_again(evidence, by=factories.reporter())
    assert standing_of(evidence).secured


def test_a_check_that_is_delivered_twice_leaves_its_own_rows_only():
    with site({"/budget": web.page(BUDGET)}) as served:
        evidence = attach(served, "Repairs will cost “40 million” euros")
        do_due_work()
        do_due_work()

    assert PassageCheck.objects.filter(evidence=evidence).count() == 1


def test_an_address_that_can_never_be_fetched_is_refused_at_once():
    with pytest.raises(AddressRefused):
        attach_page(
            factories.claim(),
            url="http://192.168.0.1/",
            argument=Argument(stance="for", quote="x"),
            by=factories.reporter(),
        )
    assert not Evidence.objects.exists()


def test_a_whole_copy_is_opened_by_an_editor_with_a_reason():
    with site({"/budget": web.page(BUDGET)}) as served:
        source = attach(served, "Repairs will cost").source
        do_due_work()

    with pytest.raises(VisibilityRefused, match="Say why"):
        set_visibility(source, Visibility.PUBLIC, reason="", by=factories.editor())
    assert (
        set_visibility(source, Visibility.PUBLIC, reason="A public budget.", by=factories.editor()).visibility
        == "public"
    )


def test_a_page_that_asks_not_to_be_copied_is_not_opened():
    with site(
        {"/budget": web.page('<meta name="robots" content="noarchive"><p>Repairs will cost 40 million.</p>')}
    ) as served:
        source = attach(served, "Repairs will cost 40 million.").source
        do_due_work()

    with pytest.raises(VisibilityRefused, match="noarchive"):
        set_visibility(source, Visibility.PUBLIC, reason="A public budget.", by=factories.editor())


def test_whoever_attaches_a_page_again_may_close_it_but_not_open_it():
    with site({"/budget": web.page(BUDGET)}) as served:
        first = attach(served, "Repairs will cost")
        again = {
            "claim": first.claim,
            "url": served.url("/budget"),
            "argument": Argument(stance="for", quote="Repairs"),
        }
        with pytest.raises(VisibilityRefused):
            attach_page(**again, visibility=Visibility.PUBLIC, by=factories.reporter())
        attach_page(**again, visibility=Visibility.DESK, by=factories.reporter())

    first.source.refresh_from_db()
    assert first.source.visibility == Visibility.DESK


def test_a_known_page_gets_the_title_that_it_lacked_and_keeps_the_one_that_it_has():
    url = "https://source.example/budget"
    words = Argument(stance="for", quote="40 million")
    first = attach_page(factories.claim(), url=url, publisher="The city", argument=words, by=factories.reporter())
    attach_page(
        first.claim, url=url, title="City budget", publisher="Somebody", argument=words, by=factories.reporter()
    )

    first.source.refresh_from_db()
    assert (first.source.title, first.source.publisher) == ("City budget", "The city")


def test_withdrawn_evidence_keeps_its_reason_and_no_longer_counts():
    evidence = checked(BUDGET, "Repairs will cost").evidence

    with pytest.raises(EvidenceError, match="Say why"):
        withdraw_evidence(evidence, reason="", version=None, by=factories.reporter())
    withdraw_evidence(evidence, reason="The wrong budget.", version=None, by=factories.reporter())

    assert not Evidence.objects.standing().exists()
    assert Entry.objects.filter(subject=evidence.subject, action="evidence.withdrawn").exists()


def test_the_quote_may_not_be_emptied():
    evidence = checked(BUDGET, "Repairs will cost").evidence

    with pytest.raises(EvidenceIncomplete):
        change_quote(evidence, quote=" ", version=None, by=factories.reporter())


def test_what_was_typed_for_an_off_record_page_is_not_shown_to_whoever_attaches_the_page_later():
    with site({"/budget": web.page(BUDGET)}) as served:
        url = served.url("/budget")
        argument = Argument(stance="for", quote="Repairs will cost", off_record=True)
        hidden = attach_page(
            factories.claim(), url=url, title="From our man at the ministry", argument=argument, by=factories.reporter()
        )
        again = archive_again(hidden, by=factories.reporter())
        later = attach_page(
            hidden.claim, url=url, title="The budget", argument=Argument(stance="for"), by=factories.checker()
        )

    assert later.source.title == "The budget"
    assert later.source_id != hidden.source_id
    assert later.capture_request_id != again.pk


def test_what_is_off_the_record_neither_uses_nor_closes_the_source_that_everybody_sees():
    with site({"/budget": web.page(BUDGET)}) as served:
        known = attach(served, "Repairs will cost")
        hidden = attach_page(
            known.claim,
            url=served.url("/budget"),
            argument=Argument(stance="for", quote="Repairs", off_record=True),
            visibility=Visibility.DESK,
            by=factories.reporter(),
        )

    known.source.refresh_from_db()
    assert known.source.visibility == Visibility.PASSAGE
    assert hidden.source_id != known.source_id
    assert hidden.capture_request_id != known.capture_request_id


def test_whoever_may_not_know_of_evidence_changes_nothing_about_it():
    hidden = factories.interview(factories.claim(), off_record=True, quote="It costs forty.")

    with pytest.raises(EvidenceError, match="is no such evidence"):
        withdraw_evidence(hidden, reason="Away with it.", version=None, by=factories.admin())
    with pytest.raises(EvidenceError, match="is no such evidence"):
        change_quote(hidden, quote="It costs nothing.", version=None, by=factories.editor())
    with pytest.raises(VisibilityRefused, match="is no such source"):
        set_visibility(hidden.source, Visibility.DESK, reason="", by=factories.editor())
