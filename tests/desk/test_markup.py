"""What every page of the desk and of the readers owes to whoever does not see it."""

from collections import Counter

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from lxml import html

from factcheck.articles.models import Article
from factcheck.articles.selectors import latest_revision
from factcheck.claims.models import Claim
from factcheck.claims.services import revise_article
from factcheck.evidence.models import Evidence
from factcheck.evidence.services import Argument, attach_page
from factcheck.publications.models import Publication
from factcheck.publications.services import publish
from factcheck.verdicts.services import decide_claim, sign_off
from tests import factories, newsroom_web, web
from tests.desk.signed_in import client_of

# Captures close connections, which a transaction around the test would not survive.
pytestmark = pytest.mark.django_db(transaction=True)

PAGE = web.page("<title>City budget</title><p>The council met. Repairs will cost 40 million euros. It then rose.</p>")

ARABIC = """الجسر يغلق لمدة عام

يغلق الجسر في 3 مارس 2025 ويبقى مغلقا اثني عشر شهرا، وفقا للمدينة.

ستكلف أعمال الإصلاح 40 مليون يورو. ويعبر الجسر نحو 18 ألف شخص كل يوم.
"""


def faults(body: bytes) -> list[str]:
    """What is wrong with a page: headings, language, landmarks, names of fields, places it points to."""
    page = html.fromstring(body)
    found = []
    if len(page.xpath("//h1")) != 1:
        found.append(f"{len(page.xpath('//h1'))} h1")
    if not page.get("lang") or page.get("dir") not in ("ltr", "rtl"):
        found.append("no language or direction")
    found += [f"{len(page.xpath(f'//{tag}'))} {tag}" for tag in ("main",) if len(page.xpath(f"//{tag}")) != 1]
    found += [f"no {tag} of the page" for tag in ("header", "footer") if not page.xpath(f"//body/{tag}")]
    navs = page.xpath("//nav")
    if len(navs) > 1 and not all(nav.get("aria-label") or nav.get("aria-labelledby") for nav in navs):
        found.append("navs that nothing tells apart")
    ids = Counter(page.xpath("//@id"))
    found += [f"id {name} twice" for name, count in ids.items() if count > 1]
    for field in page.xpath("//input[not(@type='hidden') and not(@type='submit')] | //select | //textarea"):
        named = field.get("aria-label") or field.get("aria-labelledby") or field.xpath("ancestor::label")
        if not named and not page.xpath("//label[@for=$id]", id=field.get("id") or ""):
            found.append(f"no label for {field.get('name')}")
    for name in ("aria-labelledby", "aria-describedby"):
        pointed = " ".join(page.xpath(f"//@{name}")).split()
        found += [f"{name} {target} is not there" for target in pointed if target not in ids]
    targets = [address[1:] for address in page.xpath("//a/@href[starts-with(., '#')]")]
    return found + [f"#{target} is not there" for target in targets if target not in ids]


def archived_evidence() -> Evidence:
    """Evidence whose page is archived, in an article that is published and has one open claim beside."""
    claim = factories.claim()
    with newsroom_web.site({"/budget": PAGE}) as site:
        words = Argument(stance="for", quote="Repairs will cost 40 million euros", confirms_so=True)
        evidence = attach_page(claim, url=site.url("/budget"), argument=words, by=factories.reporter())
        newsroom_web.do_due_work()
    factories.signed_off(claim)
    publish(claim.article, by=factories.editor())
    factories.claim(claim.article, "18,000 people")
    return evidence


def test_every_page_of_the_desk_has_one_heading_landmarks_names_and_no_dead_end():
    page_evidence = archived_evidence()
    claim = page_evidence.claim
    slug, capture = claim.article.slug, page_evidence.capture_request.public_id
    revise_article(claim.article, factories.TEXT.replace("18,000", "19,000").encode(), version=None, by=None)
    moved = claim.article.claims.exclude(pk=claim.pk).get()
    addresses = [
        *(reverse(f"desk:{name}") for name in ("articles", "article_new", "ratings", "people")),
        *(
            reverse(f"desk:{name}", args=[slug])
            for name in ("article", "article_details", "article_revise", "article_history", "publish")
        ),
        *(
            reverse(f"desk:{name}", args=[each.public_id])
            for name in ("claim", "claim_change", "claim_place", "claim_withdraw")
            for each in (claim, moved)
        ),
        *(reverse("desk:evidence_new", args=[claim.public_id, kind]) for kind in ("page", "interview", "work")),
        reverse("desk:evidence", args=[page_evidence.public_id]),
        reverse("desk:capture", args=[capture]),
        reverse("desk:rating", args=["accurate"]),
        reverse("desk:rating_new"),
    ]
    client = client_of(factories.admin())

    answers = {address: client.get(address) for address in addresses}

    assert {address: answer.status_code for address, answer in answers.items() if answer.status_code != 200} == {}
    assert {address: found for address, answer in answers.items() if (found := faults(answer.content))} == {}


def test_every_page_of_the_readers_has_one_heading_landmarks_names_and_no_dead_end(client: Client):
    page_evidence = archived_evidence()
    claim = page_evidence.claim
    slug, capture = claim.article.slug, page_evidence.capture_request.public_id
    addresses = [
        *("/", "/corrections/", "/methodology/", "/ratings/", "/about/", settings.LOGIN_URL, "/nothing-here/"),
        *(f"/articles/{slug}/", f"/articles/{slug}/v1/", f"/claims/{claim.public_id}/", f"/captures/{capture}/"),
    ]

    found = {address: faults(client.get(address).content) for address in addresses}

    assert {address: wrong for address, wrong in found.items() if wrong} == {}


def test_an_arabic_article_runs_from_right_to_left_from_the_desk_to_the_reader(client: Client):
    reporter = client_of(factories.reporter())
    offered = reporter.post(reverse("desk:article_new"), {"text": ARABIC}).context["form"]
    details = {name: offered[name].value() or "" for name in ("raw", "title", "byline", "date", "language", "url")}
    reporter.post(reverse("desk:article_new"), {"step": "save", **details})
    article = Article.objects.get()
    assert (article.language, latest_revision(article).text) == ("ar", ARABIC.strip())
    start = ARABIC.index("ستكلف")
    reporter.post(
        reverse("desk:claim_mark", args=[article.slug]),
        {"spans": f"{start}-{start + 34}", "kind": "number", "speaker": "", "revision": 1},
    )
    claim = Claim.objects.get()
    workspace = html.fromstring(reporter.get(reverse("desk:article", args=[article.slug])).content)
    [text] = workspace.xpath("//*[@id='article-text']")
    assert (text.get("lang"), text.get("dir")) == ("ar", "rtl")
    factories.interview(claim)
    verdict = decide_claim(claim, rating=factories.rating(), reason="نعم.", version=None, by=factories.checker())
    sign_off(verdict, version=None, by=factories.editor())
    publish(article, by=factories.editor())

    page = html.fromstring(client.get(f"/articles/{article.slug}/").content)

    assert Publication.objects.count() == 1
    [shown] = page.xpath("//*[contains(@class, 'annotated__text')]")
    [heading] = page.xpath("//h1")
    assert {(each.get("lang"), each.get("dir")) for each in (shown, heading)} == {("ar", "rtl")}
    words = "".join(shown.xpath("//*[starts-with(@class, 'm ')]/text()"))
    assert words == ARABIC[start : start + 34]
    assert faults(client.get(f"/claims/{claim.public_id}/").content) == []
