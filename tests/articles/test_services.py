import hashlib

import pytest

from factcheck.accounts.models import Role
from factcheck.accounts.permissions import NotPermitted
from factcheck.archive import blobs
from factcheck.articles.errors import ArticleError, UnreadableText
from factcheck.articles.models import Article, Revision
from factcheck.articles.selectors import latest_revision
from factcheck.articles.services import Details, add_revision, change_details, import_article
from factcheck.ledger.models import Entry
from factcheck.lib.errors import StaleVersion
from tests import factories

pytestmark = pytest.mark.django_db


def test_an_import_keeps_the_canonical_text_its_hash_and_the_original_bytes():
    raw = factories.TEXT.replace("\n", "\r\n").encode()

    revision = import_article(raw, by=factories.reporter())

    assert revision.number == 1
    assert "\r" not in revision.text
    assert revision.sha256 == hashlib.sha256(revision.text.encode()).hexdigest()
    with blobs.open_blob(revision.original_sha256) as original:
        assert original.read() == raw


def test_what_was_removed_is_recorded():
    raw = b"A title\n\nAdvertisment\n\nThe bridge closes on Monday, the city said."
    revision = import_article(raw, remove={3}, by=factories.reporter())

    assert revision.removed == ["Advertisment"]
    assert "Advertisment" not in revision.text


def test_a_line_that_was_not_offered_cannot_be_removed():
    raw = b"A title\n\nAdvertisment\n\nThe bridge closes on Monday, the city said."

    with pytest.raises(UnreadableText, match="Line 5 was not offered"):
        import_article(raw, remove={5}, by=factories.reporter())
    assert not Article.objects.exists()


def test_typed_details_win_over_found_ones():
    article = import_article(
        factories.TEXT.encode(), details=Details(title="Another title", byline="Rosa"), by=None
    ).article

    assert (article.title, article.byline, article.slug) == ("Another title", "Rosa", "another-title")
    assert latest_revision(article).blocks[0].text == "Another title"


def test_two_articles_of_one_title_have_two_addresses():
    first, second = factories.article(), factories.article()

    assert first.slug != second.slug


def test_a_title_without_latin_letters_has_an_address():
    article = factories.article(title="الجسر مغلق")

    assert article.slug == f"article-{article.public_id}"


def test_a_new_revision_follows_and_the_old_one_stays():
    article = factories.article()
    changed = factories.TEXT.replace("40 million", "43 million")

    revision = add_revision(article, changed.encode(), version=1, by=factories.reporter())

    assert revision.number == 2
    assert [row.number for row in Revision.objects.filter(article=article)] == [1, 2]
    assert "40 million" in article.revisions.get(number=1).text


def test_a_revision_without_a_changed_word_is_refused():
    article = factories.article()

    with pytest.raises(ArticleError, match="Not a word has changed"):
        add_revision(article, factories.TEXT.encode(), version=1, by=factories.reporter())


def test_a_save_from_an_old_page_is_refused():
    article = factories.article()
    change_details(article, Details(title="First"), version=1, by=factories.reporter())

    with pytest.raises(StaleVersion):
        change_details(article, Details(title="Second"), version=1, by=factories.reporter())
    article.refresh_from_db()
    assert article.title == "First"


def test_every_change_of_an_article_has_its_entry():
    article = factories.article()
    change_details(article, Details(title="First"), version=1, by=factories.reporter())

    actions = Entry.objects.filter(subject=article.subject).order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["article.imported", "article.details_changed"]


def test_nobody_whose_account_is_closed_hands_in_an_article():
    gone = factories.person("gone", Role.REPORTER)
    gone.is_active = False

    with pytest.raises(NotPermitted):
        import_article(factories.TEXT.encode(), by=gone)
