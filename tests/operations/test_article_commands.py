"""import_article and publish: the keys that scripts rely on, and when they fail."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from factcheck.articles.models import Article, Revision
from factcheck.publications.models import Publication
from tests import factories, web
from tests.articles.documents import docx, paragraph, run
from tests.articles.test_from_pages import HTML
from tests.newsroom_web import site

pytestmark = pytest.mark.django_db

SCRAPED = """The bridge closes

The bridge over the harbour closes for twelve months, the city said on Tuesday.

Advertisment

About 18,000 people cross the bridge every day.
"""


def said(*words: str) -> dict[str, object]:
    out = StringIO()
    call_command(*words, "--json", stdout=out)
    [line] = out.getvalue().splitlines()
    answer: dict[str, object] = json.loads(line)
    return answer


@pytest.fixture
def scraped(tmp_path: Path) -> str:
    path = tmp_path / "article.txt"
    path.write_text(SCRAPED)
    return str(path)


def test_import_article_offers_and_removes_nothing_unasked(scraped: str):
    answer = said("import_article", scraped)

    article = Article.objects.get()
    revision = Revision.objects.get()
    assert answer == {
        "article": article.public_id,
        "slug": "the-bridge-closes",
        "revision": 1,
        "sha256": revision.sha256,
        "paragraphs": 3,
        "offered": ["Advertisment"],
        "removed": [],
        "format": "text",
        "back_up": 0,
        "capture": None,
    }
    assert "Advertisment" in revision.text


def test_import_article_reads_a_document_and_counts_the_notes_that_came_with_it(tmp_path: Path):
    path = tmp_path / "article.docx"
    marked = '<w:commentRangeStart w:id="1"/>' + run("Repairs cost 40 million.") + '<w:commentRangeEnd w:id="1"/>'
    comments = '<w:comment w:id="1"><w:p><w:r><w:t>See the budget.</w:t></w:r></w:p></w:comment>'
    path.write_bytes(docx(paragraph("Bridge closes", "Titel") + paragraph(marked), comments=comments))

    answer = said("import_article", str(path))

    assert (answer["slug"], answer["paragraphs"], answer["format"], answer["back_up"]) == (
        "bridge-closes",
        1,
        "docx",
        1,
    )


def test_import_article_refuses_a_broken_document_in_one_sentence(tmp_path: Path):
    path = tmp_path / "article.docx"
    path.write_bytes(b"PK\x03\x04 rubbish")

    with pytest.raises(CommandError, match="damaged"):
        call_command("import_article", str(path))
    assert not Article.objects.exists()


def test_import_article_removes_what_it_offers_on_request(scraped: str):
    answer = said("import_article", scraped, "--remove-boilerplate")

    assert (answer["paragraphs"], answer["offered"], answer["removed"]) == (2, ["Advertisment"], ["Advertisment"])
    assert "Advertisment" not in Revision.objects.get().text


def test_import_article_takes_what_it_is_told_of_the_article(scraped: str):
    said(
        "import_article",
        scraped,
        "--title",
        "Closed",
        "--date",
        "2025-02-04",
        "--language",
        "en",
        "--url",
        "https://us.example/1",
    )

    article = Article.objects.get()
    assert (article.title, str(article.date), article.language, article.url) == (
        "Closed",
        "2025-02-04",
        "en",
        "https://us.example/1",
    )


def test_import_article_fails_on_what_is_no_text(tmp_path: Path):
    (tmp_path / "binary").write_bytes(b"\x00\x01\x02" * 50)

    for path in (tmp_path / "binary", tmp_path / "missing"):
        with pytest.raises(CommandError):
            call_command("import_article", str(path), "--json")
    assert not Article.objects.exists()


def test_publish_says_what_is_out_and_where(settings):
    settings.PUBLIC_URL = "https://check.example"
    article = factories.article()
    factories.signed_off(factories.claim(article))
    factories.editor()

    answer = said("publish", article.slug, "--as", "erik")

    publication = Publication.objects.get()
    assert publication.published_by == factories.editor()
    assert answer == {
        "slug": article.slug,
        "version": 1,
        "sha256": publication.sha256,
        "url": f"https://check.example/articles/{article.slug}/",
    }


def test_publish_names_every_blocker_and_fails():
    article = factories.article()
    claim = factories.claim(article)
    out = StringIO()

    with pytest.raises(CommandError):
        call_command("publish", article.slug, "--json", stdout=out)

    answer = json.loads(out.getvalue())
    assert list(answer) == ["blockers"]
    assert [(blocker["kind"], blocker["claim"]) for blocker in answer["blockers"]] == [("open", claim.public_id)]
    assert not Publication.objects.exists()


def test_publish_asks_for_the_permission_of_whom_it_acts_for():
    article = factories.article()
    factories.signed_off(factories.claim(article))

    with pytest.raises(CommandError, match="does not let you"):
        call_command("publish", article.slug, "--as", "chen", "--json")
    with pytest.raises(CommandError, match="nobody"):
        call_command("publish", article.slug, "--as", "nobody-here", "--json")
    with pytest.raises(CommandError, match="no article"):
        call_command("publish", "no-such-article", "--json")
    assert not Publication.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_import_article_takes_an_address_and_keeps_the_copy():
    with site({"/bridge": web.page(HTML)}) as served:
        answer = said("import_article", served.url("/bridge"), "--remove-boilerplate")

    revision = Revision.objects.get()
    assert answer["capture"] == revision.capture.public_id
    assert answer["removed"] == ["Advertisement"]
    assert revision.article.url.endswith("/bridge")


@pytest.mark.django_db(transaction=True)
def test_import_article_says_why_an_address_gives_no_article():
    with site({}) as served, pytest.raises(CommandError, match="no such page"):
        call_command("import_article", served.url("/gone"))
    with pytest.raises(CommandError, match="not an address on the public internet"):
        call_command("import_article", "http://127.0.0.1/")

    assert not Article.objects.exists()
