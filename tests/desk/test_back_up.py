"""The author's back-up on the desk: what leads from a note to a claim and its evidence."""

import html
import re

import pytest
from django.http import HttpResponse
from django.urls import reverse

from factcheck.articles.formats import Format
from factcheck.articles.models import Article, BackUpNote
from factcheck.articles.services import import_article
from factcheck.claims.services import mark_claim, revise_article
from factcheck.desk.selectors_back_up import back_up_of
from factcheck.evidence.services import Argument, attach_page
from factcheck.ledger.services import erase_text
from tests import factories
from tests.articles.documents import docx, paragraph, run
from tests.desk.signed_in import client_of

pytestmark = pytest.mark.django_db

SENTENCE = "Repairs cost 40 million."


def document(*comments: str, sentence: str = SENTENCE, before: str = "Nobody knows why.") -> bytes:
    starts = "".join(f'<w:commentRangeStart w:id="{number}"/>' for number, _comment in enumerate(comments))
    ends = "".join(f'<w:commentRangeEnd w:id="{number}"/>' for number, _comment in enumerate(comments))
    return docx(
        paragraph("Bridge closes", "Titel") + paragraph(before) + paragraph(starts + run(sentence) + ends),
        comments="".join(
            f'<w:comment w:id="{number}" w:author="Rosa"><w:p><w:r><w:t>{html.escape(comment)}</w:t></w:r></w:p>'
            "</w:comment>"
            for number, comment in enumerate(comments)
        ),
    )


def handed_in(*comments: str) -> Article:
    return import_article(document(*comments), form=Format.DOCX, by=factories.reporter()).article


def page(article: Article) -> str:
    return client_of(factories.checker()).get(reverse("desk:back_up", args=[article.slug])).content.decode()


def decide(article: Article, outcome: str, reason: str = "", note: int | None = None) -> HttpResponse:
    number = note or BackUpNote.objects.filter(revision__article=article).first().pk
    return client_of(factories.checker()).post(
        reverse("desk:back_up_decide", args=[article.slug]), {"note": number, "outcome": outcome, "reason": reason}
    )


def outcomes(article: Article) -> list[str]:
    return [row.outcome.value for row in back_up_of(article, factories.checker()).rows]


def test_a_note_leads_to_its_words_marked_as_a_claim():
    article = handed_in("See https://example.org/b?x=1&y=2")

    shown = page(article)

    assert 'name="words" value="Repairs cost 40 million."' in shown
    workspace = client_of(factories.checker()).get(reverse("desk:article", args=[article.slug]), {"words": SENTENCE})
    assert workspace.context["words_form"]["words"].value() == SENTENCE


def test_a_note_to_a_number_leads_to_the_whole_sentence():
    comments = '<w:comment w:id="1"><w:p><w:r><w:t>Budget.</w:t></w:r></w:p></w:comment>'
    number = '<w:commentRangeStart w:id="1"/>' + run("40") + '<w:commentRangeEnd w:id="1"/>'
    sentence = run("It took 40 days. Repairs cost ") + number + run(" million. Nobody knows why.")
    raw = docx(paragraph("Bridge closes", "Titel") + paragraph(sentence), comments=comments)

    shown = page(import_article(raw, form=Format.DOCX, by=factories.reporter()).article)

    assert "Repairs cost <mark>40</mark> million." in shown
    assert 'name="words" value="Repairs cost 40 million."' in shown


def test_a_marked_note_leads_to_its_page_as_evidence_of_the_claim():
    article = handed_in("See https://example.org/b?x=1&y=2")
    claim = factories.claim(article, SENTENCE)

    [link] = re.findall(r'href="([^"]*/evidence/page/[^"]*)"', page(article))

    form = client_of(factories.checker()).get(html.unescape(link)).context["form"]
    assert claim.public_id in link
    assert form["url"].value() == "https://example.org/b?x=1&y=2"


def test_a_note_whose_page_is_evidence_of_its_claim_is_used_without_anybodys_word():
    article = handed_in("See https://EXAMPLE.org/b#part", "See https://example.org/other")
    attach_page(
        factories.claim(article, SENTENCE),
        url="https://example.org/b",
        argument=Argument(stance="for", quote="40 million"),
        by=factories.reporter(),
    )

    assert outcomes(article) == ["used", "open"]


def test_a_note_is_set_aside_with_a_reason_and_opened_again():
    article = handed_in("See the budget.")

    refused = decide(article, "set_aside")
    assert refused.status_code == 422
    assert "Say why in a few words" in refused.content.decode()
    decide(article, "set_aside", "It is about the old bridge.")
    assert outcomes(article) == ["set_aside"]
    assert "It is about the old bridge." in page(article)
    decide(article, "open")
    assert outcomes(article) == ["open"]


def test_a_note_that_comes_again_with_a_revision_stays_decided():
    article = handed_in("See the budget.")
    decide(article, "used")

    again = document("See the budget.", "And ask Jo.", before="Nobody knows.")
    revise_article(article, again, form=Format.DOCX, version=None, by=None)

    rows = back_up_of(article, factories.checker()).rows
    assert [(row.standing.note.text, row.outcome.value, row.standing.note.revision.number) for row in rows] == [
        ("See the budget.", "used", 2),
        ("And ask Jo.", "open", 2),
    ]


def test_a_note_of_an_earlier_revision_is_about_the_same_words_where_they_stand_now():
    article = handed_in("See https://example.org/b")
    revise_article(article, f"Bridge closes\n\nMore before it.\n\n{SENTENCE}".encode(), version=None, by=None)
    factories.claim(article, SENTENCE)

    [row] = back_up_of(article, factories.checker()).rows

    assert [claim.number for claim in row.claims] == [1]


def test_a_note_whose_words_are_gone_says_so_and_touches_no_claim():
    article = handed_in("See https://example.org/b")
    revise_article(article, b"Bridge closes\n\nRepairs cost 50 million.", version=None, by=None)
    mark_claim(article, passages=[(15, 39)], kind="number", by=factories.checker())

    [row] = back_up_of(article, factories.checker()).rows

    assert (row.passage, row.stands, row.claims) == (SENTENCE, False, ())
    assert "do not stand in the latest revision" in page(article)


def test_a_note_whose_words_stand_twice_by_now_is_about_neither():
    article = handed_in("See https://example.org/b")
    revise_article(article, f"Bridge closes\n\n{SENTENCE}\n\nMore.\n\n{SENTENCE}".encode(), version=None, by=None)

    [row] = back_up_of(article, factories.checker()).rows

    assert (row.passage, row.stands) == (SENTENCE, False)


def test_what_a_note_says_is_text_on_the_page():
    article = handed_in("<script>alert(1)</script>", "javascript:alert(2)")

    shown = page(article)

    assert "<script>alert" not in shown
    assert 'href="javascript' not in shown


def test_erased_notes_are_empty_and_do_not_become_one():
    article = handed_in("Jane told me.", "Jo told me.")
    for note in BackUpNote.objects.all():
        erase_text(note.words_row, erasure="erasure-1")

    assert len(back_up_of(article, factories.checker()).rows) == 2
    assert "told me" not in page(article)


def test_a_note_of_another_article_cannot_be_decided_here():
    other = BackUpNote.objects.get(revision__article=handed_in("See the budget."))

    assert decide(factories.article(), "used", note=other.pk).status_code == 404
    assert not other.decisions.exists()


def test_the_workspace_counts_the_open_notes_and_says_nothing_where_there_are_none():
    client = client_of(factories.checker())

    with_notes = client.get(reverse("desk:article", args=[handed_in("One.", "Two.").slug])).content.decode()
    without = client.get(reverse("desk:article", args=[factories.article().slug])).content.decode()

    assert re.search(r'back-up <span class="count">2</span>', with_notes)
    assert "back-up/" not in without
