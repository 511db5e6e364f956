"""Our own pages of published articles: read on a schedule, and compared with what was published."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Value
from django.db.models.functions import Concat
from django.utils import timezone

from factcheck.accounts.models import User
from factcheck.archive import blobs
from factcheck.archive.looking import Look, look_at
from factcheck.archive.outcomes import Outcome
from factcheck.archive.services import owner_of, place_of
from factcheck.articles.models import Article, OwnPage, OwnPageAside, OwnPageState, Revision
from factcheck.articles.own_page import PageText, compare_page, offered, says_the_same
from factcheck.articles.services import OwnPageFound, expect_own_page, look_at_own_page, write_own_page
from factcheck.jobs.leases import Lease
from factcheck.jobs.models import Job
from factcheck.jobs.services import enqueue
from factcheck.publications.models import Publication

JOB_KIND = "own-page"
# So often the sweeper looks which are due.
ORDER_EVERY_SECONDS = 10
ORDERED_AT_ONCE = 50
# Which may also be what the page has the words of: it was not brought up to date, or is ahead of us.
OTHER_REVISIONS = 20
FIRST_DAY = timedelta(days=1)


def order_due() -> int:
    """Order a look at each page that is due and has none ordered yet; how many."""
    unfinished = Job.objects.filter(
        kind=JOB_KIND, state__in=Job.UNFINISHED, subject=Concat(Value("article/"), OuterRef("article__public_id"))
    )
    due = OwnPage.objects.filter(~Exists(unfinished), next_at__lte=timezone.now(), article__url__gt="")
    ordered = 0
    for page in due.select_related("article").order_by("next_at")[:ORDERED_AT_ONCE]:
        enqueue(JOB_KIND, page.article.subject, bulk=True, place=place_of(page.article.url))
        ordered += 1
    return ordered


@transaction.atomic
def order_now(article: Article, *, by: User | None) -> None:
    """Have the page read before all that is only due. Raises ArticleError where there is none to read."""
    look_at_own_page(article, by=by)
    waiting = Job.objects.filter(kind=JOB_KIND, subject=article.subject, state__in=Job.UNFINISHED)
    if not waiting.exists():
        enqueue(JOB_KIND, article.subject, owner=owner_of(by), place=place_of(article.url))


def expect_all() -> None:
    """See to it that every published article with an address has its page read: some were published before that."""
    missing = Article.objects.filter(
        Exists(Publication.objects.filter(article=OuterRef("pk"))), url__gt="", own_page__isnull=True
    )
    for article in missing.iterator():
        expect_own_page(article)


def run_look(lease: Lease) -> None:
    """Read the page once; a page out of reach is not tried again before it is due again."""
    article = Article.objects.get(public_id=lease.subject.removeprefix("article/"))
    publication = article.publications.order_by("-version").first()
    if publication is None or not article.url:
        with lease.finish():
            OwnPage.objects.filter(article=article).update(next_at=None)
        return
    lease.stage("fetching")
    look = look_at(article.url, discreet=article.discreet, seconds=lease.seconds_left())
    revisions = list(article.revisions.select_related("text_row").order_by("-number"))
    published = next(revision for revision in revisions if revision.pk == publication.revision_id)
    set_aside = set(OwnPageAside.objects.filter(article=article).values_list("key", flat=True))
    found = judge(look, published, revisions, set_aside, url=article.url)
    with lease.finish():
        write_own_page(article, found, next_at=_next(publication))


def give_up(subject: str, reason: str) -> None:
    """Nothing was found out; the page is due again as usual."""
    article = Article.objects.get(public_id=subject.removeprefix("article/"))
    publication = article.publications.order_by("-version").first()
    OwnPage.objects.filter(article=article).update(next_at=_next(publication) if publication else None)


def judge(look: Look, published: Revision, revisions: list[Revision], set_aside: set[str], *, url: str) -> OwnPageFound:
    """What the look says of the page. ``revisions`` are all of the article, the newest first."""
    latest = revisions[0]
    if look.outcome is not Outcome.CAPTURED or not look.texts.get("visible"):
        # Of half a page, nobody can say what is gone from it.
        outcome = Outcome.NEEDS_BROWSER if look.outcome is Outcome.CAPTURED else look.outcome
        return OwnPageFound(OwnPageState.UNREAD, url, published, latest, outcome=str(outcome), reason=look.reason)
    page = PageText(look.texts["visible"], look.texts.get("main", ""))
    if says_the_same(published.blocks, page):
        return OwnPageFound(OwnPageState.SAME, url, published, latest)
    for revision in [each for each in revisions if each != published][:OTHER_REVISIONS]:
        if says_the_same(revision.blocks, page):
            return OwnPageFound(OwnPageState.OTHER, url, published, latest, shows=revision)
    compared = compare_page(published.blocks, page)
    if not compared.is_the_article:
        return OwnPageFound(OwnPageState.NOT_ARTICLE, url, published, latest)
    found = compared if latest == published else compare_page(latest.blocks, page)
    differences = offered(compared.differences, found.differences, set_aside)
    if differences:
        body = blobs.store(look.body)
        return OwnPageFound(
            OwnPageState.DIFFERS, url, published, latest, differences=differences, body_sha256=body.sha256
        )
    if offered(compared.differences, compared.differences, set_aside):
        # What is different on it was taken over already, into a revision that is not published.
        return OwnPageFound(OwnPageState.OTHER, url, published, latest, shows=latest)
    return OwnPageFound(OwnPageState.SAME, url, published, latest)


def _next(publication: Publication) -> datetime | None:
    now = timezone.now()
    minutes = settings.OWN_PAGE_MINUTES
    if minutes and now - publication.published_at >= FIRST_DAY:
        minutes = settings.OWN_PAGE_LATER_MINUTES
    return now + timedelta(minutes=minutes) if minutes else None
