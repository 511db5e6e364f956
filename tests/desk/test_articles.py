"""Handing in, details, revisions, the list, the workspace and the history."""

import base64
import html
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from factcheck.archive import blobs
from factcheck.articles.models import Article
from factcheck.articles.selectors import latest_revision
from factcheck.claims.models import Claim
from factcheck.claims.services import revise_article, withdraw_claim
from factcheck.desk.claim_states import DeskState
from factcheck.desk.forms.articles import lines_sha256
from factcheck.desk.selectors_articles import article_rows
from factcheck.evidence.services import withdraw_evidence
from factcheck.ledger.models import Entry
from factcheck.ledger.services import erase_text
from tests import factories
from tests.desk.signed_in import client_of

pytestmark = pytest.mark.django_db

SCRAPED = """Harbour bridge to close

By Rosa Delgado

4 February 2025

The bridge over the harbour closes for twelve months, the city said on Tuesday.

Advertisement

About 18,000 people cross the bridge every day, and most of them will walk.

Also read: The tunnel that never was
"""


def hand_in(text: str = SCRAPED, person=None, **fields):
    return client_of(person or factories.reporter()).post(reverse("desk:article_new"), {"text": text, **fields})


def hidden_raw(page) -> str:
    return re.search(r'name="raw" value="([^"]*)"', page.content.decode()).group(1)


def save(page, **fields):
    """The second step, with the details that the page of the first offers."""
    form = page.context["form"]
    names = ("title", "byline", "date", "language", "url")
    details = {name: form[name].value() or "" for name in names}
    return client_of(factories.reporter()).post(
        reverse("desk:article_new"), {"step": "save", "raw": hidden_raw(page), **details, **fields}
    )


def offered(page) -> dict[str, int]:
    return {part.offered.text: part.offered.number for part in page.context["parts"] if part.offered}


# --- handing in ----------------------------------------------------------------------------------


def test_the_preview_saves_nothing():
    page = hand_in()

    assert page.status_code == 200
    assert not Article.objects.exists()
    assert not Entry.objects.exists()


def test_the_preview_fills_in_what_the_text_says_of_itself():
    form = hand_in().context["form"]

    assert form["title"].value() == "Harbour bridge to close"
    assert form["byline"].value() == "Rosa Delgado"
    assert form["date"].value().isoformat() == "2025-02-04"
    assert form["language"].value() == "en"


def test_what_the_person_gave_is_not_replaced_by_what_was_found():
    form = hand_in(title="The bridge", language="de").context["form"]

    assert form["title"].value() == "The bridge"
    assert form["language"].value() == "de"


def test_each_offered_line_stands_in_its_place_with_its_reason_and_an_unticked_box():
    page = hand_in().content.decode()

    body = page[page.index('class="preview"') : page.index('id="found"')]
    assert body.index("closes for twelve months") < body.index("Advertisement") < body.index("About 18,000 people")
    assert "looks like the label of an advertisement" in body
    assert body.count('type="checkbox"') == 4
    assert "checked" not in body


def test_without_a_tick_every_line_stays():
    save(hand_in(), removal="ticked")

    revision = latest_revision(Article.objects.get())
    assert "Advertisement" in revision.text
    assert revision.removed == []


def test_only_ticked_lines_go_and_what_went_is_recorded():
    page = hand_in()
    save(page, removal="ticked", remove=[offered(page)["Advertisement"]])

    revision = latest_revision(Article.objects.get())
    assert "Advertisement" not in revision.text
    assert "Also read" in revision.text
    assert revision.removed == ["Advertisement"]


def test_removing_none_keeps_even_the_ticked_lines():
    page = hand_in()
    save(page, removal="none", remove=[offered(page)["Advertisement"]])

    assert "Advertisement" in latest_revision(Article.objects.get()).text


def test_removing_all_takes_every_offered_line():
    page = hand_in()
    save(page, removal="all")

    assert latest_revision(Article.objects.get()).removed == list(offered(page))


def test_a_line_that_was_not_offered_cannot_go():
    answer = save(hand_in(), removal="ticked", remove=[7])

    assert answer.status_code == 422
    assert "was not offered for removal" in answer.content.decode()
    assert not Article.objects.exists()


def test_a_detail_that_the_person_emptied_stays_empty():
    save(hand_in(), byline="", date="", removal="none")

    saved = Article.objects.get()
    assert saved.byline == ""
    assert saved.date is None


def test_an_article_is_as_discreet_as_its_form_says():
    save(hand_in(), discreet="on", removal="none")

    assert Article.objects.get().discreet


def test_the_original_bytes_of_an_upload_survive_both_steps():
    raw = "Headline\r\n\r\nEl señor pagó 40 € — “caro”, dijo.\r\n".encode("cp1252")
    upload = SimpleUploadedFile("article.txt", raw, content_type="text/plain")
    page = client_of(factories.reporter()).post(reverse("desk:article_new"), {"file": upload})

    save(page, removal="none")

    revision = latest_revision(Article.objects.get())
    assert blobs.read(revision.original_sha256) == raw
    assert "El señor pagó 40 € — “caro”, dijo." in revision.text


def test_a_binary_file_is_refused_and_the_details_stay():
    upload = SimpleUploadedFile("article.txt", b"\x7fELF\n\x00\x01\x02\x03" * 50)
    answer = client_of(factories.reporter()).post(reverse("desk:article_new"), {"file": upload, "title": "My title"})

    assert answer.status_code == 422
    assert "This is not plain text" in answer.content.decode()
    assert 'value="My title"' in answer.content.decode()


def test_a_text_and_a_file_together_are_refused():
    upload = SimpleUploadedFile("article.txt", b"Another text.")
    answer = client_of(factories.reporter()).post(reverse("desk:article_new"), {"file": upload, "text": "A text."})

    assert answer.status_code == 422
    assert "There is a text and a file" in answer.content.decode()
    assert "A text." in answer.content.decode()


def test_handing_in_nothing_is_refused():
    answer = hand_in("   ")

    assert answer.status_code == 422
    assert "Paste a text or choose a file" in answer.content.decode()


def test_a_refused_second_step_keeps_text_details_and_ticks():
    page = hand_in()
    number = offered(page)["Advertisement"]
    answer = save(page, byline="Somebody Else", url="not an address", remove=[number], removal="ticked")

    text = answer.content.decode()
    assert answer.status_code == 422
    assert hidden_raw(answer) == hidden_raw(page)
    assert 'value="Somebody Else"' in text
    assert f'value="{number}" checked' in text
    assert not Article.objects.exists()


@pytest.mark.parametrize("raw", ["!!! not base64 !!!", "été"])
def test_a_text_that_was_lost_on_the_way_is_refused(raw):
    answer = save(hand_in(), raw=raw)

    assert answer.status_code == 422
    assert not Article.objects.exists()


def test_going_back_brings_text_and_details_along():
    page = hand_in()
    answer = save(page, step="edit", byline="Somebody Else")

    form = answer.context["form"]
    assert form["text"].value().strip() == SCRAPED.strip()
    assert form["byline"].value() == "Somebody Else"


def test_markup_in_a_text_is_shown_as_text():
    page = hand_in("Headline\n\n<script>alert(1)</script> is what it said.\n\nAlso read: <img src=x onerror=y>\n")

    assert "<script>alert" not in page.content.decode()
    assert "<img src=x" not in page.content.decode()
    assert html.escape("<script>alert(1)</script>") in page.content.decode()


def test_an_article_called_new_has_a_page():
    save(hand_in("New\n\nThis is a text that is long enough to be one.\n"), removal="none")

    saved = Article.objects.get()
    page = client_of(factories.reporter()).get(reverse("desk:article", args=[saved.slug]))
    assert page.context["article"] == saved


# --- details -------------------------------------------------------------------------------------


def change_details(article, version=None, **fields):
    values = {"title": article.title, "language": "en", "version": version or article.version} | fields
    return client_of(factories.reporter()).post(reverse("desk:article_details", args=[article.slug]), values)


def test_details_are_changed():
    article = factories.article()

    answer = change_details(article, byline="Rosa Delgado", date="2025-02-04")

    article.refresh_from_db()
    assert answer.status_code == 302
    assert (article.byline, article.date.isoformat()) == ("Rosa Delgado", "2025-02-04")


def test_an_article_without_a_title_is_refused():
    article = factories.article()

    assert change_details(article, title="").status_code == 422
    article.refresh_from_db()
    assert article.title


def test_a_stale_save_of_details_shows_both_texts_and_overwrites_only_the_second_time():
    article = factories.article()
    read_at = article.version
    change_details(article, byline="First Hand")

    refused = change_details(article, version=read_at, byline="Second Hand")

    text = refused.content.decode()
    assert refused.status_code == 422
    assert "<ins>Second Hand</ins>" in text
    assert ">First Hand<" in text
    article.refresh_from_db()
    assert article.byline == "First Hand"

    knowingly = refused.context["form"]["version"].value()
    assert change_details(article, version=knowingly, byline="Second Hand").status_code == 302
    article.refresh_from_db()
    assert article.byline == "Second Hand"


# --- revisions -----------------------------------------------------------------------------------


def revise(article, text, version=None, **fields):
    """Both steps, ``version`` as the first page had it."""
    client = client_of(factories.reporter())
    address = reverse("desk:article_revise", args=[article.slug])
    page = client.post(address, {"text": text, "version": version or article.version})
    raw = hidden_raw(page)
    version = page.context["form"]["version"].value()
    return client.post(
        address, {"step": "save", "raw": raw, "version": version, "removal": "none", **fields}, follow=True
    )


def test_a_revision_begins_with_the_text_as_it_is():
    article = factories.article()

    page = client_of(factories.reporter()).get(reverse("desk:article_revise", args=[article.slug]))

    assert page.context["form"]["text"].value() == latest_revision(article).text


def test_after_a_revision_the_desk_says_how_many_claims_were_found_again():
    article = factories.article()
    factories.claim(article, "Repairs will cost 40 million euros")
    factories.claim(article, "18,000 people")

    page = revise(article, factories.REWRITTEN)

    text = page.content.decode()
    assert "1 claim was found again." in text
    assert "1 claim must be placed by a person." in text
    assert latest_revision(article).number == 2


def test_a_preview_of_a_revision_saves_nothing():
    article = factories.article()

    client_of(factories.reporter()).post(
        reverse("desk:article_revise", args=[article.slug]), {"text": "Another text.", "version": article.version}
    )

    assert article.revisions.count() == 1


def test_a_revision_that_changes_no_word_is_refused():
    article = factories.article()

    answer = revise(article, factories.TEXT)

    assert answer.status_code == 422
    assert "Not a word has changed" in answer.content.decode()


def test_a_stale_revision_shows_both_texts_and_is_saved_only_the_second_time():
    article = factories.article()
    read_at = article.version
    revise_article(article, factories.TEXT.replace("40 million", "50 million").encode(), version=None, by=None)

    refused = revise(article, factories.TEXT.replace("40 million", "60 million"), version=read_at)

    text = refused.content.decode()
    assert refused.status_code == 422
    assert "60 million" in text
    assert "50 million" in text
    assert article.revisions.count() == 2

    client_of(factories.reporter()).post(
        reverse("desk:article_revise", args=[article.slug]),
        {
            "step": "save",
            "raw": hidden_raw(refused),
            "version": refused.context["form"]["version"].value(),
            "removal": "none",
        },
    )
    assert "60 million" in latest_revision(article).text


def test_a_file_takes_the_place_of_a_text_that_nobody_touched():
    article = factories.article()
    text = latest_revision(article).text
    upload = SimpleUploadedFile("new.txt", b"A headline\n\nA wholly new text, and a good one.\n")

    page = client_of(factories.reporter()).post(
        reverse("desk:article_revise", args=[article.slug]),
        # As a browser sends it back.
        {
            "text": text.replace("\n", "\r\n"),
            "began_as": lines_sha256(text),
            "file": upload,
            "version": article.version,
        },
    )

    assert page.status_code == 200
    assert base64.b64decode(hidden_raw(page)).startswith(b"A headline")


def test_a_file_beside_a_text_that_somebody_edited_is_refused():
    article = factories.article()
    text = latest_revision(article).text
    upload = SimpleUploadedFile("new.txt", b"A headline\n\nA wholly new text, and a good one.\n")

    page = client_of(factories.reporter()).post(
        reverse("desk:article_revise", args=[article.slug]),
        {"text": text + "!", "began_as": lines_sha256(text), "file": upload, "version": article.version},
    )

    assert page.status_code == 422


# --- the list ------------------------------------------------------------------------------------


def states(article, person) -> dict[DeskState, int]:
    [row] = article_rows([article], person)
    return dict(row.bar.counts)


def test_the_list_counts_claims_by_how_far_they_are():
    article = factories.article()
    factories.claim(article, "twelve months")
    factories.interview(factories.claim(article, "3 March 2025"))
    factories.verdict(factories.claim(article, "40 million euros"))
    factories.signed_off(factories.claim(article, "harbour"))
    factories.claim(article, "18,000 people")
    withdraw_claim(factories.claim(article, "every day"), reason="Said twice.", version=None, by=factories.checker())
    revise_article(article, factories.REWRITTEN.encode(), version=None, by=None)

    assert states(article, factories.editor()) == {
        DeskState.TO_PLACE: 1,
        DeskState.MARKED: 1,
        DeskState.IN_CHECK: 1,
        DeskState.DECIDED: 1,
        DeskState.SIGNED_OFF: 1,
    }


def test_off_record_evidence_moves_a_claim_only_for_the_people_who_know_of_it():
    claim = factories.claim()
    evidence = factories.interview(claim, off_record=True, shown_to=[factories.checker()])

    for person in (factories.reporter(), factories.checker()):
        assert states(claim.article, person) == {DeskState.IN_CHECK: 1}
    for person in (factories.second_checker(), factories.editor(), factories.admin()):
        assert states(claim.article, person) == {DeskState.MARKED: 1}

    withdraw_evidence(evidence, reason="A mistake.", version=None, by=factories.reporter())
    assert states(claim.article, factories.reporter()) == {DeskState.MARKED: 1}


def test_the_list_costs_the_same_however_many_articles_and_claims():
    def queries() -> int:
        client = client_of(factories.editor())
        with CaptureQueriesContext(
            connection,
        ) as found:
            client.get(reverse("desk:articles"))
        return len(found)

    factories.signed_off(factories.claim(factories.article()))
    few = queries()
    for _number in range(3):
        article = factories.article()
        factories.signed_off(factories.claim(article, "harbour"))
        factories.verdict(factories.claim(article, "40 million euros"))

    assert queries() == few


def test_the_list_shows_twenty_five_articles_on_a_page():
    for number in range(26):
        factories.article(f"Headline {number}\n\nThis is the text of article number {number}.\n")

    client = client_of(factories.reporter())
    assert len(client.get(reverse("desk:articles")).context["rows"]) == 25
    assert len(client.get(reverse("desk:articles") + "?page=2").context["rows"]) == 1


def test_an_empty_list_invites_to_hand_in():
    page = client_of(factories.reporter()).get(reverse("desk:articles")).content.decode()

    assert "No article yet" in page
    assert reverse("desk:article_new") in page


# --- the workspace -------------------------------------------------------------------------------


def workspace(article, person=None):
    return client_of(person or factories.reporter()).get(reverse("desk:article", args=[article.slug]))


def shown_blocks(page: str) -> list[tuple[int, str]]:
    """Each block's offset and its text as a browser has it."""
    found = re.findall(r'<(?:h2|h3|p) class="marked-text__\w+" data-start="(\d+)">(.*?)</(?:h2|h3|p)>', page, re.DOTALL)
    return [(int(start), html.unescape(re.sub(r"<[^>]*>", "", inside))) for start, inside in found]


def test_the_texts_on_the_page_are_the_canonical_text_with_its_offsets():
    article = factories.article(
        'Brücke 🌉 & "Co"\n\nTwo lines\nin one <b>block</b>, café.\n\nThe bridge cost 40 million, said 🧑‍🚒 Marta.\n'
    )
    factories.claim(article, "bridge cost 40 million")
    factories.claim(article, "40 million, said", "café")
    text = latest_revision(article).text

    blocks = shown_blocks(workspace(article).content.decode())

    assert "\n\n".join(words for _start, words in blocks) == text
    for start, words in blocks:
        assert text[start : start + len(words)] == words


def test_overlapping_claims_are_pieces_that_know_both():
    article = factories.article()
    first = factories.claim(article, "Repairs will cost 40 million")
    second = factories.claim(article, "40 million euros")

    page = workspace(article).content.decode()

    assert f'data-claims="{first.public_id} {second.public_id}">40 million</span>' in page
    assert f'data-claims="{second.public_id}"> euros</span>' in page


def test_every_placed_claim_has_one_note_that_names_number_and_state():
    article = factories.article()
    factories.claim(article, "twelve months", "40 million euros")
    factories.claim(article, "18,000 people")

    page = workspace(article).content.decode()

    assert page.count('aria-label="Claim 1: Marked"') == 1
    assert page.count('aria-label="Claim 2: Marked"') == 1


def test_a_claim_without_a_place_waits_in_the_box_with_its_last_words():
    article = factories.article()
    claim = factories.claim(article, "18,000 people")
    revise_article(article, factories.REWRITTEN.encode(), version=None, by=None)

    page = workspace(article).content.decode()

    box = page[page.index("Place these claims") : page.index('id="claims-heading"')]
    assert "18,000 people" in box
    assert reverse("desk:claim_place", args=[claim.public_id]) in box


def test_the_workspace_costs_the_same_however_many_claims():
    def queries(article) -> int:
        client = client_of(factories.editor())
        with CaptureQueriesContext(connection) as found:
            client.get(reverse("desk:article", args=[article.slug]))
        return len(found)

    article = factories.article()
    factories.signed_off(factories.claim(article, "harbour"))
    factories.claim(article, "18,000 people")
    revise_article(article, factories.REWRITTEN.encode(), version=None, by=None)
    few = queries(article)
    factories.signed_off(factories.claim(article, "40 million euros"))
    factories.verdict(factories.claim(article, "3 March 2025"))
    factories.claim(article, "19,000 people")
    revise_article(article, factories.REWRITTEN.replace("19,000", "20,000").encode(), version=None, by=None)

    assert queries(article) == few


def test_evidence_off_the_record_is_not_counted_for_others():
    claim = factories.claim()
    factories.interview(claim, off_record=True)

    assert "1 piece of evidence" in workspace(claim.article, factories.reporter()).content.decode()
    other = workspace(claim.article, factories.editor()).content.decode()
    assert "no evidence" in other
    assert "piece of evidence" not in other


# --- the history ---------------------------------------------------------------------------------


def history(article, person=None):
    return client_of(person or factories.reporter()).get(reverse("desk:article_history", args=[article.slug]))


def test_the_history_says_who_did_what_the_newest_first():
    article = factories.article()
    claim = factories.claim(article, "18,000 people", speaker="The city")
    withdraw_claim(claim, reason="Nobody can know.", version=None, by=factories.checker())

    found = history(article).context["events"]

    assert [(event.what, event.who) for event in found] == [
        ("Claim withdrawn", "Chen"),
        ("Claim marked", "Rosa"),
        ("Article handed in", "Rosa"),
    ]
    assert "Reason: Nobody can know." in found[0].facts
    assert found[0].claim_words == "18,000 people"


def test_the_history_says_nothing_of_evidence():
    claim = factories.claim()
    factories.interview(claim, off_record=True)

    page = history(claim.article, factories.editor()).content.decode()

    assert "Marta Lindqvist" not in page
    assert "vidence" not in page[page.index("<main") :]


def test_an_erased_entry_stays_in_the_history_without_its_words():
    article = factories.article()
    entry = Entry.objects.get(subject=article.subject)
    erase_text(entry.opening, erasure="erasure/1")

    [event] = history(article).context["events"]

    assert event.what == "Article handed in"
    assert event.facts == ["What it said was erased."]


def test_the_history_of_one_article_is_not_that_of_another():
    one, other = factories.article(), factories.article()
    claim = factories.claim(other, "18,000 people")

    assert claim.public_id not in history(one).content.decode()
    assert Claim.objects.get().article == other
