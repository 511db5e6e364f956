"""The desk's page about our own page: what it says, what is offered, and what becomes of it."""

import re
from collections.abc import Iterator

import pytest
from django.test import override_settings
from django.urls import reverse

from factcheck.articles.models import Article, OwnPage, OwnPageAside, OwnPageState
from factcheck.claims.services import revise_article
from factcheck.desk.selectors_own_page import own_page_line
from factcheck.desk.selectors_revisions import last_checked_revision
from factcheck.ledger.services import erase_text
from factcheck.publications.services import publish
from factcheck.verdicts.services import sign_off
from tests import factories, web
from tests.desk.signed_in import HTMX, client_of
from tests.newsroom_web import do_due_work, site
from tests.publications.test_own_pages import as_page, edited, published, read

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def served() -> Iterator[web.Site]:
    with site({"/bridge": as_page()}) as herald, override_settings(CAPTURE_HOST_SPACING_SECONDS=0):
        yield herald


def differing(served: web.Site) -> Article:
    article = published(served)
    edited(served, "40 million", "43 million")
    read(article)
    article.refresh_from_db()
    return article


def own_page(article: Article, person=None):
    return client_of(person or factories.reporter()).get(reverse("desk:own_page", args=[article.slug]))


def post(article: Article, what: str, person=None, **fields):
    person = person or factories.checker()
    return client_of(person).post(reverse(f"desk:own_page_{what}", args=[article.slug]), fields)


def key_of(article: Article) -> str:
    [difference] = OwnPage.objects.get(article=article).differences
    return difference.key


# --- what it says


def test_an_article_without_an_address_or_before_publication_has_no_line_and_the_page_says_why():
    plain, waiting = factories.article(), factories.article(url="https://herald.example/bridge")

    assert (own_page_line(plain), own_page_line(waiting)) == (None, None)
    assert "not known where the article stands" in own_page(plain).content.decode()
    assert "once the article is published" in own_page(waiting).content.decode()


def test_the_article_s_page_and_the_list_say_that_our_page_differs(served: web.Site):
    article = differing(served)
    client = client_of(factories.reporter())

    workspace = client.get(reverse("desk:article", args=[article.slug])).content.decode()
    listed = client.get(reverse("desk:articles")).content.decode()

    assert "Our page differs in 1 paragraph." in workspace
    assert "Our page differs" in listed


def test_a_page_that_says_the_same_is_said_to_and_the_list_is_silent(served: web.Site):
    article = published(served)
    read(article)
    client = client_of(factories.reporter())

    assert "Our page says what was published here." in own_page(article).content.decode()
    assert "Our page differs" not in client.get(reverse("desk:articles")).content.decode()


def test_a_page_that_is_gone_is_said_to_be_gone_with_what_can_be_done(served: web.Site):
    article = published(served)
    del served.pages["/bridge"]
    read(article)

    said = own_page(article).content.decode()

    assert "The site says that there is no such page (404)." in said
    assert reverse("desk:article_details", args=[article.slug]) in said
    assert "What differs" not in said


def test_the_changed_words_stand_side_by_side_with_the_claim_that_they_touch(served: web.Site):
    article = differing(served)

    page = own_page(article)
    text = page.content.decode()

    assert "<del>40</del>" in text
    assert "<ins>43</ins>" in text
    assert [claim.words for claim in page.context["view"].rows[0].claims] == ["40 million euros"]
    assert f'value="{key_of(article)}" checked' in text


def test_a_paragraph_that_would_be_taken_out_is_not_ticked_beforehand(served: web.Site):
    article = published(served)
    served.pages["/bridge"] = as_page(factories.TEXT.replace("About 18,000 people cross the bridge every day.", ""))
    read(article)

    text = own_page(article).content.decode()

    assert f'value="{key_of(article)}"' in text
    assert "checked" not in text


def test_hostile_words_of_the_page_are_shown_as_words(served: web.Site):
    article = published(served)
    served.pages["/bridge"] = as_page(
        factories.TEXT.replace("40 million", "&lt;script&gt;alert(1)&lt;/script&gt;40 million")
    )
    read(article)

    text = own_page(article).content.decode()

    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_a_newer_draft_is_named_before_anything_is_taken(served: web.Site):
    article = differing(served)
    revise_article(article, factories.TEXT.replace("every day", "each day").encode(), version=None, by=None)
    read(article)

    assert "Revision 2 is newer than what is published." in own_page(article).content.decode()


def test_an_erased_difference_shows_nothing_of_itself(served: web.Site):
    article = differing(served)
    erase_text(OwnPage.objects.get().found_row, erasure="erasure-1")

    answer = own_page(article)

    assert answer.status_code == 200
    assert answer.context["view"].rows == ()


# --- what becomes of it


def test_what_is_ticked_becomes_a_revision_and_the_touched_claim_is_named(served: web.Site):
    article = differing(served)

    answer = post(article, "take", keys=[key_of(article)], version=article.version)

    assert answer["Location"] == reverse("desk:article", args=[article.slug])
    workspace = client_of(factories.reporter()).get(answer["Location"]).content.decode()
    assert "40 → 43" in workspace
    assert re.search(r"Our page has words of revision\s+2 already", workspace)


@pytest.mark.parametrize("fields", [{}, {"keys": ["0" * 64]}, {"keys": ["x"]}, {"keys": ["0" * 64] * 500}])
def test_a_refused_take_keeps_the_page_and_says_why(served: web.Site, fields: dict[str, list[str]]):
    article = differing(served)

    answer = post(article, "take", version=article.version, **fields)

    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    assert article.revisions.count() == 1


def test_an_older_page_of_the_desk_takes_nothing(served: web.Site):
    article = differing(served)

    answer = post(article, "take", keys=[key_of(article)], version=article.version - 1)

    assert answer.status_code == 422
    assert "Somebody changed this article" in answer.content.decode()
    assert f'value="{key_of(article)}" checked' in answer.content.decode()


def test_what_is_set_aside_is_kept_with_its_reason_and_can_be_offered_again(served: web.Site):
    article = differing(served)
    key = key_of(article)

    post(article, "aside", keys=[key], reason="The website rounds.")
    page = own_page(article, factories.checker()).content.decode()
    assert "The website rounds." in page
    assert OwnPage.objects.get().state == OwnPageState.SAME

    post(article, "back", key=key)
    assert not OwnPageAside.objects.exists()


def test_setting_aside_without_a_reason_is_refused_beside_what_was_meant(served: web.Site):
    article = differing(served)

    answer = post(article, "aside", keys=[key_of(article)], reason="")

    assert answer.status_code == 422
    assert "Say why in a few words" in answer.content.decode()
    assert answer.context["refused"] == key_of(article)


def test_a_reporter_is_not_offered_to_set_aside(served: web.Site):
    article = differing(served)

    assert "Set it aside" not in own_page(article, factories.reporter()).content.decode()
    assert "Set it aside" in own_page(article, factories.checker()).content.decode()


def test_reading_it_now_is_one_order_however_often_it_is_pressed(served: web.Site):
    article = published(served)
    read(article)
    before = len(served.requests)

    for _press in range(3):
        assert post(article, "look").status_code == 302
    waiting = own_page(article).context["view"]
    assert waiting.is_waiting
    asking = client_of(factories.reporter())
    address = reverse("desk:own_page", args=[article.slug])
    assert asking.get(address, {"seen": waiting.stamp}, headers=HTMX).status_code == 204
    do_due_work()

    assert len(served.requests) == before + 1
    assert asking.get(address, {"seen": waiting.stamp}, headers=HTMX).status_code == 200
    assert not own_page(article).context["view"].is_waiting


def test_before_publication_reading_it_now_is_refused():
    article = factories.article(url="https://herald.example/bridge")

    answer = post(article, "look")

    assert answer.status_code == 422
    assert "once the article is published" in answer.content.decode()


# --- since my last check


def test_the_article_s_page_leads_to_what_changed_since_the_person_checked_last(served: web.Site):
    article = factories.article()
    filed = factories.verdict(factories.claim(article, "18,000 people"))
    for number in ("41", "42"):
        revise_article(
            article, factories.TEXT.replace("40 million", f"{number} million").encode(), version=None, by=None
        )
    address = f"{reverse('desk:article_compare', args=[article.slug])}?from=1&amp;to=3"

    def workspace(person) -> str:
        return client_of(person).get(reverse("desk:article", args=[article.slug])).content.decode()

    assert address in workspace(factories.checker())
    assert "since your last check" not in workspace(factories.reporter())
    sign_off(filed, version=None, by=factories.editor())
    assert last_checked_revision(article, factories.editor()) == 3
    assert "since your last check" not in workspace(factories.editor())


def test_the_page_of_a_published_article_is_read_after_publishing_without_anybody_asking(served: web.Site):
    article = factories.article(url=served.url("/bridge"))
    factories.signed_off(factories.claim(article, "18,000 people"))
    publish(article, by=factories.editor())

    assert own_page(article).context["view"].is_waiting
