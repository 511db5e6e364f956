"""Handing in an article by its address: archive, look, save."""

import pytest
from django.urls import reverse

from factcheck.archive.models import CaptureRequest
from factcheck.articles.models import Article, Revision
from factcheck.articles.selectors import latest_revision
from tests import factories, web
from tests.articles.test_from_pages import HTML
from tests.desk.signed_in import HTMX, client_of
from tests.newsroom_web import do_due_work, site

pytestmark = pytest.mark.django_db(transaction=True)


def order(url: str, person=None, **fields):
    return client_of(person or factories.reporter()).post(reverse("desk:article_from_page"), {"url": url, **fields})


def copy_page(person=None, **options):
    [request] = CaptureRequest.objects.all()
    return client_of(person or factories.reporter()).get(
        reverse("desk:article_from_copy", args=[request.public_id]), **options
    )


def save(page, **fields):
    form = page.context["form"]
    details = {name: form[name].value() or "" for name in ("title", "byline", "date", "language", "url", "public_id")}
    return client_of(factories.reporter()).post(page.request["PATH_INFO"], {**details, **fields})


def test_the_page_waits_then_shows_what_was_read_and_saves_nothing_by_itself():
    with site({"/bridge": web.page(HTML)}) as served:
        answer = order(served.url("/bridge"))
        waiting = copy_page()
        do_due_work()
        page = copy_page()
        url = served.url("/bridge")

    assert answer.status_code == 302
    assert "The page is being archived" in waiting.content.decode()
    text = page.content.decode()
    assert "The bridge over the harbour closes for twelve months" in text
    assert "evil" not in text
    assert page.context["form"]["url"].value() == url
    assert not Article.objects.exists()


def test_saving_makes_the_article_with_the_copy_as_its_original():
    with site({"/bridge": web.page(HTML)}) as served:
        order(served.url("/bridge"), discreet="on")
        do_due_work()
        page = copy_page()
        answer = save(page, title="The bridge", discreet="on", removal="all")

    article = Article.objects.get()
    revision = latest_revision(article)
    assert answer["Location"] == reverse("desk:article", args=[article.slug])
    assert (article.title, article.discreet, article.url) == ("The bridge", True, page.context["form"]["url"].value())
    assert "Advertisement" not in revision.text
    assert revision.capture == CaptureRequest.objects.get().sealed_capture


def test_a_second_click_makes_no_second_article():
    with site({"/bridge": web.page(HTML)}) as served:
        order(served.url("/bridge"))
        do_due_work()
        page = copy_page()
        save(page)
        save(page)

    assert Revision.objects.count() == 1


def test_a_refused_save_keeps_what_was_typed():
    with site({"/bridge": web.page(HTML)}) as served:
        order(served.url("/bridge"))
        do_due_work()
        answer = save(copy_page(), byline="Rosa", url="ftp://herald.example/")

    assert answer.status_code == 422
    assert 'value="Rosa"' in answer.content.decode()
    assert not Article.objects.exists()


@pytest.mark.parametrize(
    "url", ["", "ftp://herald.example/a", "http://127.0.0.1/admin", "javascript:alert(1)", "x" * 3000]
)
def test_an_address_that_is_not_opened_is_refused_where_it_was_typed(url: str):
    answer = order(url)

    assert answer.status_code == 422
    assert "errors" in answer.content.decode()
    assert not CaptureRequest.objects.exists()


def test_a_page_that_gives_no_article_says_why_and_what_can_be_done():
    with site({}) as served:
        order(served.url("/gone"))
        do_due_work()
        page = copy_page()
        text = page.content.decode()

    assert "The site says that there is no such page (404)." in text
    assert reverse("desk:article_new") in text
    assert "Try again now" in text


def test_a_picture_at_the_address_is_a_sentence_too():
    with site({"/a.png": web.page(b"\x89PNG\r\n\x1a\n" + b"0" * 50, media_type="image/png")}) as served:
        order(served.url("/a.png"))
        do_due_work()

        assert "there is no article to be read from it" in copy_page().content.decode()


def test_trying_again_is_a_new_order_that_leads_to_its_own_page():
    with site({}) as served:
        order(served.url("/bridge"))
        do_due_work()
        [first] = CaptureRequest.objects.all()
        served.pages["/bridge"] = web.page(HTML)
        again = client_of(factories.reporter()).post(
            reverse("desk:article_from_page_again", args=[first.public_id]), {"engine": "http"}
        )
        do_due_work()
        page = client_of(factories.reporter()).get(again["Location"])

    assert first.public_id not in again["Location"]
    assert "The bridge over the harbour" in page.content.decode()


def test_the_waiting_page_is_told_only_news_and_then_to_draw_itself_anew():
    with site({"/bridge": web.page(HTML)}) as served:
        order(served.url("/bridge"))
        stamp = copy_page().context["stamp"]
        same = copy_page(query_params={"seen": stamp}, headers=HTMX)
        other = copy_page(query_params={"seen": "x"}, headers=HTMX)
        do_due_work()
        done = copy_page(headers=HTMX)

    assert (same.status_code, other.status_code, done.headers.get("HX-Refresh")) == (204, 200, "true")


def test_a_copy_of_an_off_record_source_is_not_there_for_others():
    with site({"/bridge": web.page(HTML)}) as served:
        order(served.url("/bridge"))
    CaptureRequest.objects.update(confidential=True, requested_by=factories.editor())

    assert copy_page(factories.checker()).status_code == 404


def test_an_article_called_from_page_does_not_take_the_page_s_address():
    assert factories.article(title="From page").slug != "from-page"
