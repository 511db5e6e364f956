"""Documents and pasted markup on the desk: what is shown, what is saved, and that nothing typed is lost."""

import re
import time

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.urls import reverse

from factcheck.archive import blobs
from factcheck.articles.models import Article, BackUpNote, Revision
from factcheck.articles.selectors import latest_revision
from factcheck.ledger.models import Entry
from tests import factories
from tests.articles.documents import docx, paragraph, run
from tests.desk.signed_in import client_of

pytestmark = pytest.mark.django_db

DOCUMENT = docx(
    paragraph("Bridge closes", "Titel")
    + paragraph("By Rosa Ibarra")
    + paragraph('<w:commentRangeStart w:id="1"/>' + run("Repairs cost 40 million.") + '<w:commentRangeEnd w:id="1"/>')
    + paragraph("What now", "berschrift2")
    + paragraph("Walk", numbering=5),
    comments='<w:comment w:id="1" w:author="Rosa"><w:p><w:r><w:t>&lt;b&gt;Budget&lt;/b&gt; https://example.org/b'
    "</w:t></w:r></w:p></w:comment>",
)
MARKUP = (
    "<meta charset=windows-1252><h1>Bridge closes</h1><p>Repairs cost <b>40</b> million €.</p>"
    "<script>alert(1)</script><ul><li>Walk</ul>"
)
NAMES = ("title", "byline", "date", "language", "url")


def upload(raw: bytes = DOCUMENT, name: str = "article.docx") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, raw)


def hand_in(**fields: object) -> HttpResponse:
    return client_of(factories.reporter()).post(reverse("desk:article_new"), fields)


def hidden(page: HttpResponse, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page.content.decode())
    return found[1] if found else ""


def carried(page: HttpResponse) -> dict[str, str]:
    form = page.context["form"]
    details = {name: form[name].value() or "" for name in NAMES if name in form.fields}
    return {"kept": hidden(page, "kept"), "raw": hidden(page, "raw"), **details}


def words(page: HttpResponse) -> str:
    return page.content.decode()


def test_the_preview_of_a_document_shows_its_blocks_and_its_backup_and_saves_nothing():
    page = hand_in(file=upload())

    assert page.status_code == 200
    assert not Article.objects.exists()
    assert not Entry.objects.exists()
    assert [(part.kind, part.text) for part in page.context["parts"]][-1] == ("item", "Walk")
    assert '<p class="block--heading">' in words(page)
    assert "&lt;b&gt;Budget&lt;/b&gt; https://example.org/b" in words(page)
    assert len(hidden(page, "kept")) < 400
    assert hidden(page, "raw") == ""


def test_a_document_is_saved_as_it_was_shown_without_the_lines_that_were_ticked():
    page = hand_in(file=upload())
    [byline] = page.context["draft"].offered

    saved = hand_in(step="save", removal="ticked", remove=byline.number, **carried(page))

    assert saved.status_code == 302
    revision = Revision.objects.get()
    assert [(block.kind, block.text) for block in revision.blocks] == [
        ("headline", "Bridge closes"),
        ("paragraph", "Repairs cost 40 million."),
        ("heading", "What now"),
        ("item", "Walk"),
    ]
    assert blobs.read(revision.original_sha256) == DOCUMENT
    assert BackUpNote.objects.get().passage == "Repairs cost 40 million."


@pytest.mark.parametrize("kept", ["", "nonsense", "WyJhYSIsImRvY3giXQ:1abc:AAAA"])
def test_nobody_gets_bytes_out_of_the_store_by_naming_them(kept: str):
    fields = carried(hand_in(file=upload())) | {"kept": kept}

    page = hand_in(step="save", **fields)

    assert page.status_code == 422
    assert not Article.objects.exists()
    assert page.context["form"]["title"].value() == "Bridge closes"


@pytest.mark.parametrize("step", ["save", "edit"])
def test_a_document_that_somebody_handed_in_is_read_for_nobody_else(step: str):
    fields = carried(hand_in(file=upload())) | {"step": step}

    page = client_of(factories.editor()).post(reverse("desk:article_new"), fields)

    assert "lost on the way" in words(page)
    assert "Repairs cost 40 million." not in words(page)
    assert not Article.objects.exists()


def test_a_document_is_asked_for_again_before_the_store_may_have_deleted_it(monkeypatch: pytest.MonkeyPatch):
    fields = carried(hand_in(file=upload()))
    now = time.time
    monkeypatch.setattr("django.core.signing.time.time", lambda: now() + 20 * 3600 + 1)

    page = hand_in(step="save", **fields)

    assert "lost on the way" in words(page)
    assert not Article.objects.exists()


def test_a_document_that_the_store_has_no_more_is_asked_for_again():
    fields = carried(hand_in(file=upload()))
    for path in blobs.all_paths():
        path.unlink()

    page = hand_in(step="save", **fields)

    assert page.status_code == 422
    assert "lost on the way" in words(page)
    assert page.context["form"]["title"].value() == "Bridge closes"


def test_pasted_markup_is_read_as_such_and_nothing_of_it_is_run():
    page = hand_in(text="Bridge closes\nRepairs cost 40 million.\nWalk", markup=MARKUP)

    assert [(part.kind, part.text) for part in page.context["parts"]] == [
        ("headline", "Bridge closes"),
        ("paragraph", "Repairs cost 40 million €."),
        ("item", "Walk"),
    ]
    assert "alert(1)" not in words(page)
    hand_in(step="save", removal="none", **carried(page))
    assert Revision.objects.get().original_format == "html"


def test_back_to_the_text_keeps_the_markup_that_was_pasted():
    page = hand_in(step="edit", **carried(hand_in(text="Bridge closes", markup=MARKUP, byline="Rosa")))

    form = page.context["form"]
    assert form["markup"].value() == MARKUP
    assert form["text"].value().startswith("Bridge closes")
    assert form["byline"].value() == "Rosa"
    assert "<script>alert" not in words(page)


def test_back_to_the_text_of_a_document_gives_its_words_and_says_what_they_lack():
    page = hand_in(step="edit", **carried(hand_in(file=upload())))

    assert "Repairs cost 40 million." in page.context["form"]["text"].value()
    assert "without its headings, lists and notes" in words(page)


@pytest.mark.parametrize(
    ("raw", "name", "sentence"),
    [
        (DOCUMENT[:-100], "article.docx", "is damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "article.doc", "old Word"),
        (b"{\\rtf1}", "article.rtf", "rich text file"),
        (b"x" * (31 * 1024 * 1024), "article.pdf", "too large"),
        (b"x" * (3 * 1024 * 1024), "article.txt", "larger than 2 MB"),
    ],
)
def test_a_document_that_cannot_be_read_is_one_sentence_and_what_was_typed_stays(raw: bytes, name: str, sentence: str):
    page = hand_in(file=upload(raw, name), title="My title", byline="Rosa")

    assert page.status_code == 422
    assert sentence in words(page)
    assert page.context["form"]["title"].value() == "My title"
    assert page.context["form"]["byline"].value() == "Rosa"


def test_a_revision_can_be_a_document():
    article = factories.article("Bridge closes\n\nRepairs cost 30 million.\n\nWalk")
    address = reverse("desk:article_revise", args=[article.slug])
    client = client_of(factories.reporter())
    began = client.get(address).context["form"]
    prefilled = {name: began[name].value() for name in ("text", "began_as", "version")}
    page = client.post(address, prefilled | {"file": upload()})
    assert page.status_code == 200

    saved = client.post(
        address, {"step": "save", "removal": "none", "version": article.version, "kept": hidden(page, "kept")}
    )

    assert saved.status_code == 302
    revision = latest_revision(article)
    assert (revision.number, revision.original_format) == (2, "docx")
    assert revision.back_up.count() == 1
