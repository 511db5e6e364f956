"""The author's back-up: what comes along with a document, and what becomes of it."""

import pytest

from factcheck.accounts.permissions import NotPermitted
from factcheck.archive import blobs
from factcheck.articles.errors import ArticleError
from factcheck.articles.formats import Format
from factcheck.articles.models import BackUpNote, Revision
from factcheck.articles.services import decide_back_up, import_article
from factcheck.claims.services import revise_article
from factcheck.ledger.models import Entry
from factcheck.ledger.services import erase_text
from factcheck.ledger.verifying import verify
from tests import factories
from tests.articles.documents import docx, paragraph, run

pytestmark = pytest.mark.django_db

COMMENT = '<w:comment w:id="{id}" w:author="Rosa"><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:comment>'


def with_comments(*texts: str, words: str = "Repairs cost 40 million.") -> bytes:
    marks = "".join(f'<w:commentRangeStart w:id="{number}"/>' for number, _text in enumerate(texts))
    ends = "".join(f'<w:commentRangeEnd w:id="{number}"/>' for number, _text in enumerate(texts))
    return docx(
        paragraph("Bridge closes", "Titel") + paragraph(marks + run(words) + ends),
        comments="".join(COMMENT.format(id=number, text=text) for number, text in enumerate(texts)),
    )


def imported(*texts: str) -> Revision:
    return import_article(with_comments(*texts), form=Format.DOCX, by=factories.reporter())


def test_an_import_keeps_the_document_what_it_was_read_as_and_its_notes():
    revision = imported("See https://example.org/budget.")

    with blobs.open_blob(revision.original_sha256) as original:
        assert original.read() == with_comments("See https://example.org/budget.")
    assert revision.original_format == "docx"
    [note] = revision.back_up.all()
    assert (note.kind, note.author, note.url) == ("comment", "Rosa", "https://example.org/budget")
    assert note.passage == "Repairs cost 40 million."


def test_the_words_of_a_note_can_be_erased_and_the_log_still_holds():
    [note] = imported("Jane Doe told me at home.").back_up.all()

    erase_text(note.words_row, erasure="erasure-1")

    note = BackUpNote.objects.get()
    assert (note.text, note.author, note.url) == ("", "", "")
    assert verify().fault is None


def test_a_note_is_used_set_aside_with_a_reason_and_opened_again():
    [note] = imported("See the budget.").back_up.all()
    checker = factories.checker()

    decide_back_up(note, "used", by=checker)
    decide_back_up(note, "set_aside", reason="It is about the old bridge.", by=checker)
    decide_back_up(note, "open", by=checker)

    assert [(decision.outcome, decision.reason) for decision in note.decisions.all()] == [
        ("used", ""),
        ("set_aside", "It is about the old bridge."),
        ("open", ""),
    ]
    entries = Entry.objects.filter(action="article.back_up_decided").select_related("opening")
    assert len(entries) == 3
    assert not any("old bridge" in entry.opening.body for entry in entries)


def test_deciding_the_same_twice_is_one_decision():
    [note] = imported("See the budget.").back_up.all()

    decide_back_up(note, "open", by=factories.checker())
    decide_back_up(note, "used", by=factories.checker())
    decide_back_up(note, "used", by=factories.checker())

    assert note.decisions.count() == 1


@pytest.mark.parametrize("reason", ["", "  ", "…"])
def test_a_note_is_not_set_aside_without_a_reason(reason: str):
    [note] = imported("See the budget.").back_up.all()

    with pytest.raises(ArticleError, match="Say why"):
        decide_back_up(note, "set_aside", reason=reason, by=factories.checker())
    assert not note.decisions.exists()


def test_who_may_not_attach_evidence_decides_nothing_of_the_backup():
    [note] = imported("See the budget.").back_up.all()

    left = factories.checker()
    left.is_active = False

    with pytest.raises(NotPermitted):
        decide_back_up(note, "used", by=left)


def test_the_same_words_with_a_new_note_are_a_revision_and_without_one_are_not():
    first = imported("See the budget.")

    again = revise_article(
        first.article, with_comments("See the budget.", "And ask Jo."), form=Format.DOCX, version=None, by=None
    )

    assert [note.text for note in again.back_up.all()] == ["See the budget.", "And ask Jo."]
    with pytest.raises(ArticleError, match="Not a word"):
        revise_article(first.article, with_comments("And ask Jo."), form=Format.DOCX, version=None, by=None)
