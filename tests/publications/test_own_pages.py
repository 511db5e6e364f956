"""Our own page after publication: read when it is due, compared, and what differs offered as a new revision."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import override_settings
from django.utils import timezone

from factcheck.accounts.permissions import NotPermitted
from factcheck.archive import blobs
from factcheck.archive.collecting import collect
from factcheck.articles.errors import ArticleError, OwnPageOutdated
from factcheck.articles.models import Article, OwnPage, OwnPageState
from factcheck.articles.selectors import latest_revision
from factcheck.articles.services import (
    Details,
    OwnPageFound,
    change_details,
    look_at_own_page,
    put_own_page_back,
    set_own_page_aside,
    write_own_page,
)
from factcheck.claims.services import revise_article, take_own_page
from factcheck.ledger.insert_only import lifted
from factcheck.ledger.models import Entry
from factcheck.lib.errors import StaleVersion
from factcheck.outbound.errors import AddressRefused
from factcheck.publications.own_pages import expect_all, give_up, order_due
from factcheck.publications.services import publish
from factcheck.verdicts.selectors import check_of
from tests import factories, web
from tests.newsroom_web import do_due_work, site

pytestmark = pytest.mark.django_db(transaction=True)

AROUND = "<body><nav><a href='/'>Home</a> <a href='/news'>News</a></nav>{}<footer><p>© The Herald</p></footer>"


def as_page(text: str = factories.TEXT) -> bytes:
    head, *rest = text.strip().split("\n\n")
    body = f"<h1>{head}</h1>" + "".join(f"<p>{line}</p>" for line in rest)
    return web.page(f"<title>{head}</title>" + AROUND.format(f"<article>{body}</article>"))


@pytest.fixture
def served() -> Iterator[web.Site]:
    with site({"/bridge": as_page()}) as herald, override_settings(CAPTURE_HOST_SPACING_SECONDS=0):
        yield herald


def published(served: web.Site, **details: object) -> Article:
    article = factories.article(url=served.url("/bridge"), **details)
    for words in ("closes on 3 March 2025", "40 million euros", "18,000 people"):
        factories.signed_off(factories.claim(article, words))
    publish(article, by=factories.editor())
    return article


def read(article: Article) -> OwnPage:
    """Have the page read now, as the sweeper and a worker would."""
    OwnPage.objects.filter(article=article).update(next_at=timezone.now())
    assert order_due() == 1
    do_due_work()
    return OwnPage.objects.get(article=article)


def edited(served: web.Site, old: str, new: str) -> None:
    assert factories.TEXT.count(old) == 1
    served.pages["/bridge"] = as_page(factories.TEXT.replace(old, new))


def publish_again(article: Article) -> None:
    article.refresh_from_db()
    publish(article, note_kind="update", note="Newer figures.", by=factories.editor())


# --- when it is read


def test_publishing_has_the_page_read_and_it_says_the_same(served: web.Site):
    article = published(served)

    assert order_due() == 1
    assert order_due() == 0
    do_due_work()

    page = OwnPage.objects.get(article=article)
    assert (page.state, page.published, page.differences) == (OwnPageState.SAME, latest_revision(article), [])
    assert [request.path for request in served.requests] == ["/bridge"]
    assert served.requests[0].headers["user-agent"].startswith("Factcheck")


def test_before_publication_nobody_reads_the_page(served: web.Site):
    article = factories.article(url=served.url("/bridge"))

    assert order_due() == 0
    with pytest.raises(ArticleError, match="once the article is published"):
        look_at_own_page(article, by=factories.reporter())


def test_a_discreet_article_s_page_is_read_without_our_name(served: web.Site):
    read(published(served, discreet=True))

    assert served.requests[0].headers["user-agent"].startswith("Mozilla")


@pytest.mark.parametrize(("hours", "minutes"), [(1, 30), (23, 30), (25, 24 * 60)])
def test_it_is_read_often_on_the_first_day_and_then_daily(served: web.Site, hours: int, minutes: int):
    article = published(served)
    began = timezone.now()
    with lifted():
        article.publications.update(published_at=began - timedelta(hours=hours))

    page = read(article)

    assert page.next_at is not None
    assert 0 <= (page.next_at - began).total_seconds() - minutes * 60 < 60


def test_with_no_schedule_it_is_read_when_somebody_asks(served: web.Site):
    article = published(served)
    with override_settings(OWN_PAGE_MINUTES=0):
        assert read(article).next_at is None
        look_at_own_page(article, by=factories.reporter())
        assert order_due() == 1


def test_articles_that_were_published_before_there_was_a_schedule_get_one(served: web.Site):
    article = published(served)
    OwnPage.objects.all().delete()

    expect_all()

    assert OwnPage.objects.get().article == article
    assert order_due() == 1


def test_another_address_is_read_at_once_and_none_no_more(served: web.Site):
    article = published(served)
    edited(served, "40 million", "43 million")
    read(article)
    served.pages["/other"] = as_page()

    change_details(article, Details(title="A", url=served.url("/other")), version=None, by=factories.reporter())
    waiting = OwnPage.objects.get()
    assert (waiting.state, waiting.differences) == (OwnPageState.WAITING, [])
    assert order_due() == 1
    do_due_work()
    assert OwnPage.objects.get().state == OwnPageState.SAME

    change_details(article, Details(title="A", url=""), version=None, by=factories.reporter())
    assert OwnPage.objects.get().next_at is None
    with pytest.raises(ArticleError):
        look_at_own_page(article, by=factories.reporter())


@pytest.mark.parametrize(
    "url", ["ftp://herald.example/a", "http://127.0.0.1/a", "http://intranet/a", "https://h.example:99/"]
)
def test_an_address_that_is_no_page_of_the_public_web_is_not_taken(url: str):
    article = factories.article()

    with pytest.raises(AddressRefused):
        change_details(article, Details(title="A", url=url), version=None, by=factories.reporter())
    with pytest.raises(AddressRefused):
        factories.article(url=url)


# --- what is said of it


def test_an_edited_number_is_offered_with_its_paragraph(served: web.Site):
    article = published(served)
    edited(served, "40 million", "43 million")

    page = read(article)

    [difference] = page.differences
    assert page.state == OwnPageState.DIFFERS
    assert (difference.kind, "40 million" in difference.before, "43 million" in difference.after) == (
        "changed",
        True,
        True,
    )


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (web.page("<p>No.</p>", status="404 Not Found"), ("gone", "404")),
        (web.page("<p>Busy.</p>", status="503 Service Unavailable"), ("unreachable", "server")),
        (web.page('<div id="root"></div><script src="/a.js"></script>'), ("needs_browser", "")),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n<p>Harbour bridge", ("captured_partial", "disconnect")),
    ],
)
def test_a_page_that_cannot_be_read_is_said_to_be_that_and_no_difference(served: web.Site, answer: bytes, said):
    article = published(served)
    served.pages["/bridge"] = answer

    page = read(article)

    assert (page.state, page.outcome, page.reason, page.differences) == (OwnPageState.UNREAD, *said, [])
    assert page.sentence
    assert page.next_at > timezone.now()


def test_a_page_that_shows_little_of_the_article_is_no_difference(served: web.Site):
    article = published(served)
    served.pages["/bridge"] = web.page(
        "<h1>Harbour bridge to close for a year</h1><p>It was moved to another place of this site.</p>"
    )

    page = read(article)

    assert (page.state, page.differences) == (OwnPageState.NOT_ARTICLE, [])


def test_a_page_that_nobody_has_brought_up_to_date_shows_the_older_revision(served: web.Site):
    article = published(served)
    revise_article(article, factories.TEXT.replace("every day", "each day").encode(), version=None, by=None)
    publish_again(article)

    page = read(article)

    assert (page.state, page.shows.number, page.published.number) == (OwnPageState.OTHER, 1, 2)


def test_what_a_draft_changes_is_no_difference_of_the_page(served: web.Site):
    article = published(served)
    revise_article(article, factories.TEXT.replace("every day", "each day").encode(), version=None, by=None)
    edited(served, "40 million", "43 million")

    page = read(article)

    assert [difference.at for difference in page.differences] == [2]


def test_what_was_found_stays_offered_while_the_page_is_out_of_reach(served: web.Site):
    article = published(served)
    edited(served, "40 million", "43 million")
    found = read(article)
    page = served.pages.pop("/bridge")

    lost = read(article)
    assert (lost.state, lost.differences, lost.read_at) == (OwnPageState.DIFFERS, found.differences, found.read_at)
    assert lost.sentence
    assert blobs.read(lost.body_sha256)

    served.pages["/bridge"] = page
    assert (read(article).state, OwnPage.objects.get().sentence) == (OwnPageState.DIFFERS, "")


def test_only_news_stand_in_the_log(served: web.Site):
    article = published(served)
    read(article)
    read(article)
    edited(served, "40 million", "43 million")
    read(article)
    read(article)

    entries = Entry.objects.filter(action="article.own_page_read", subject=article.subject)
    assert entries.count() == 2


# --- what becomes of it


def test_taking_it_makes_a_revision_of_the_page_and_reopens_exactly_the_edited_claim(served: web.Site):
    article = published(served)
    edited(served, "40 million", "43 million")
    [difference] = read(article).differences

    revision = take_own_page(article, [difference.key], version=None, by=factories.reporter())

    assert revision.text == factories.TEXT.strip().replace("40 million", "43 million")
    assert b"43 million" in blobs.read(revision.original_sha256)
    stale = {checked.claim.anchors.get(revision=revision).changes[0] for checked in check_of(revision) if checked.stale}
    assert stale == {"40 → 43"}
    assert len([checked for checked in check_of(revision) if not checked.stale]) == 2
    page = OwnPage.objects.get()
    assert (page.state, page.shows, page.differences) == (OwnPageState.OTHER, revision, [])
    assert read(article).state == OwnPageState.OTHER
    collect(older_than_seconds=-60)
    assert blobs.read(revision.original_sha256)


def test_what_was_taken_and_published_is_the_same(served: web.Site):
    article = published(served)
    edited(served, "every day", "each day")
    [difference] = read(article).differences
    take_own_page(article, [difference.key], version=None, by=factories.reporter())
    publish_again(article)

    assert read(article).state == OwnPageState.SAME


def test_of_two_differences_the_one_that_was_not_taken_is_offered_again(served: web.Site):
    article = published(served)
    both = factories.TEXT.replace("40 million", "43 million").replace("18,000", "19,000")
    served.pages["/bridge"] = as_page(both)
    first, second = read(article).differences

    take_own_page(article, [first.key], version=None, by=factories.reporter())

    assert [difference.key for difference in read(article).differences] == [second.key]


def test_what_was_set_aside_is_not_offered_again_until_it_is_put_back(served: web.Site):
    article = published(served)
    edited(served, "40 million", "43 million")
    [difference] = read(article).differences

    set_own_page_aside(article, [difference.key], reason="A test of the website.", by=factories.checker())

    assert OwnPage.objects.get().state == OwnPageState.SAME
    assert read(article).state == OwnPageState.SAME
    put_own_page_back(article, difference.key, by=factories.checker())
    assert read(article).differences == [difference]


def test_other_words_in_the_place_of_what_was_set_aside_are_offered(served: web.Site):
    article = published(served)
    edited(served, "40 million", "43 million")
    [difference] = read(article).differences
    set_own_page_aside(article, [difference.key], reason="A test of the website.", by=factories.checker())
    edited(served, "40 million", "44 million")

    assert len(read(article).differences) == 1


def test_setting_aside_wants_a_reason_and_a_checker(served: web.Site):
    article = published(served)
    edited(served, "40 million", "43 million")
    [difference] = read(article).differences

    with pytest.raises(ArticleError, match="Say why"):
        set_own_page_aside(article, [difference.key], reason=" \u200b", by=factories.checker())
    with pytest.raises(NotPermitted, match="own page"):
        set_own_page_aside(article, [difference.key], reason="So.", by=factories.reporter())
    assert OwnPage.objects.get().state == OwnPageState.DIFFERS


def test_what_was_read_before_somebody_revised_the_article_is_not_taken(served: web.Site):
    article = published(served)
    edited(served, "40 million", "43 million")
    [difference] = read(article).differences
    version = Article.objects.get().version
    revise_article(article, factories.TEXT.replace("every day", "each day").encode(), version=None, by=None)

    with pytest.raises(StaleVersion):
        take_own_page(article, [difference.key], version=version, by=factories.reporter())
    with pytest.raises(OwnPageOutdated, match="newer revision"):
        take_own_page(article, [difference.key], version=None, by=factories.reporter())
    assert article.revisions.count() == 2


@pytest.mark.parametrize(("keys", "refusal"), [([], ArticleError), (["0" * 64], OwnPageOutdated)])
def test_nothing_and_what_is_not_there_cannot_be_taken(served: web.Site, keys: list[str], refusal: type[Exception]):
    article = published(served)
    edited(served, "40 million", "43 million")
    read(article)

    with pytest.raises(refusal):
        take_own_page(article, keys, version=None, by=factories.reporter())
    assert article.revisions.count() == 1


def test_a_look_that_a_new_revision_overtook_writes_nothing(served: web.Site):
    article = published(served)
    read(article)
    overtaken = OwnPageFound(OwnPageState.NOT_ARTICLE, article.url, latest_revision(article), latest_revision(article))
    revise_article(article, factories.TEXT.replace("every day", "each day").encode(), version=None, by=None)

    write_own_page(article, overtaken, next_at=None)

    page = OwnPage.objects.get()
    assert (page.state, page.next_at is None) == (OwnPageState.SAME, False)
    assert order_due() == 1


def test_a_look_at_the_address_before_writes_nothing(served: web.Site):
    article = published(served)
    read(article)
    before = OwnPageFound(OwnPageState.NOT_ARTICLE, article.url, latest_revision(article), latest_revision(article))
    change_details(article, Details(title="A", url=served.url("/other")), version=None, by=factories.reporter())

    write_own_page(article, before, next_at=None)

    assert OwnPage.objects.get().state == OwnPageState.WAITING
    assert order_due() == 1


def test_a_look_that_was_ordered_before_the_address_was_taken_away_asks_nobody(served: web.Site):
    article = published(served)
    assert order_due() == 1
    change_details(article, Details(title="A", url=""), version=None, by=factories.reporter())

    do_due_work()

    page = OwnPage.objects.get()
    assert (page.state, page.next_at, served.requests) == (OwnPageState.WAITING, None, [])


def test_a_look_that_is_given_up_is_due_again_as_usual(served: web.Site):
    article = published(served)

    give_up(article.subject, "deadline")

    assert OwnPage.objects.get().next_at > timezone.now() + timedelta(minutes=20)
    assert order_due() == 0
