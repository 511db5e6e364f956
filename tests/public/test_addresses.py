import gzip
import hashlib
import io
import re

import brotli
import pytest
from django.test import Client
from django.urls import reverse

from factcheck.archive.wacz_checking import check_wacz
from factcheck.claims.services import place_claim, revise_article
from factcheck.evidence.models import Stance, Visibility
from factcheck.evidence.services import Argument, attach_page, set_visibility
from factcheck.pages import addresses
from factcheck.publications.models import Publication
from factcheck.publications.services import publish
from factcheck.verdicts.services import decide_claim, sign_off
from tests import factories, newsroom_web, web
from tests.pages.markup import read

pytestmark = pytest.mark.django_db

PAGE = web.page("<title>City budget</title><p>The council met. Repairs will cost 40 million euros. It then rose.</p>")


@pytest.fixture
def published() -> Publication:
    article = factories.article()
    factories.signed_off(factories.claim(article))
    return publish(article, by=factories.editor())


def publish_again(first: Publication, *, kind: str = "correction", note: str = "43, not 40 million.") -> Publication:
    article = first.article
    claim = article.claims.get()
    revise_article(article, factories.TEXT.replace("40", "43").encode(), version=None, by=factories.reporter())
    spans = factories.spans_of(article, "Repairs will cost 43 million euros")
    place_claim(claim, passages=spans, version=None, by=factories.reporter())
    factories.signed_off(claim)
    article.refresh_from_db()
    return publish(article, note_kind=kind, note=note, by=factories.editor())


def archived(*, visibility: str = Visibility.PASSAGE) -> tuple[Publication, str]:
    """An article whose claim rests on a page that was really copied, and the copy's id."""
    article = factories.article()
    claim = factories.claim(article)
    with newsroom_web.site({"/budget": PAGE}) as site:
        evidence = attach_page(
            claim,
            url=site.url("/budget"),
            argument=Argument(
                stance=Stance.FOR, quote="Repairs will cost 40 million euros", confirms_so=True, primary=True
            ),
            by=factories.reporter(),
        )
        newsroom_web.do_due_work()
    if visibility != Visibility.PASSAGE:
        set_visibility(evidence.source, visibility, reason="The city publishes it.", by=factories.editor())
    verdict = decide_claim(
        claim,
        rating=factories.rating("accurate"),
        attribution="",
        reason="The budget paper says so.",
        version=None,
        by=factories.checker(),
    )
    sign_off(verdict, version=None, by=factories.editor())
    publication = publish(article, by=factories.editor())
    (item,) = publication.content["claims"][0]["evidence"]
    return publication, item["capture"]["id"]


def article_address(publication: Publication) -> str:
    return addresses.article(publication.article.slug)


def test_pages_and_urls_agree_on_every_address():
    assert reverse("public:index") == addresses.INDEX
    assert reverse("public:article", args=["a-b"]) == addresses.article("a-b")
    assert reverse("public:article_version", args=["a-b", 2]) == addresses.article_version("a-b", 2)
    assert reverse("public:claim", args=["7q2km4tz"]) == addresses.claim("7q2km4tz")
    assert reverse("public:capture", args=["7q2km4tz"]) == addresses.capture("7q2km4tz")
    assert reverse("public:capture_text", args=["7q2km4tz"]) == addresses.capture_text("7q2km4tz")
    assert reverse("public:capture_warc", args=["7q2km4tz"]) == addresses.capture_warc("7q2km4tz")
    assert reverse("public:capture_wacz", args=["7q2km4tz"]) == addresses.capture_wacz("7q2km4tz")
    for name in ("corrections", "methodology", "ratings", "about"):
        assert reverse(f"public:{name}") == getattr(addresses, name.upper())


def test_a_reader_goes_from_the_front_page_to_the_article_to_the_claim(client: Client, published: Publication):
    front = read(client.get("/").content)
    (to_article,) = [link for link in front.find("a") if link.text == published.content["article"]["title"]]
    article = read(client.get(to_article.attributes["href"]).content)
    (note,) = article.find("a", role="doc-noteref")
    (card,) = [
        element for element in article.find("li") if "#" + element.attributes.get("id", "") == note.attributes["href"]
    ]
    claim_id = card.attributes["id"].removeprefix("claim-")
    claim = read(client.get(addresses.claim(claim_id)).content)

    assert "Repairs will cost 40 million euros" in claim.find("h1")[0].text
    assert "The budget paper says so." in claim.find("main")[0].text


def test_nothing_unpublished_has_an_address(client: Client):
    article = factories.article()
    claim = factories.claim(article)

    for address in (
        addresses.article(article.slug),
        addresses.article_version(article.slug, 1),
        addresses.claim(claim.public_id),
        addresses.capture("7q2km4tz"),
        addresses.capture_text("7q2km4tz"),
        addresses.capture_warc("7q2km4tz"),
        addresses.capture_wacz("7q2km4tz"),
    ):
        assert client.get(address).status_code == 404


def test_a_new_version_takes_the_address_and_the_old_one_keeps_its_own(client: Client, published: Publication):
    publish_again(published)

    latest = client.get(article_address(published)).content.decode()
    first = client.get(addresses.article_version(published.article.slug, 1)).content.decode()

    assert "43 million" in latest
    assert "43, not 40 million." in latest
    assert "40 million" in first
    assert "This is version 1" in first
    assert "version 2" in first


def test_what_one_version_said_does_not_change_when_the_desk_goes_on(client: Client, published: Publication):
    before = client.get(article_address(published)).content
    claim = published.article.claims.get()
    factories.verdict(claim, slug="inaccurate")
    published.article.title = "Another title"
    published.article.save()

    assert client.get(article_address(published)).content == before


def test_a_correction_stands_on_the_corrections_page_and_an_update_does_not(client: Client, published: Publication):
    publish_again(published, kind="update", note="Numbers of the council added.")
    assert "Numbers of the council added." not in client.get("/corrections/").content.decode()


def test_a_correction_is_listed_with_its_text(client: Client, published: Publication):
    publish_again(published)

    assert "43, not 40 million." in client.get("/corrections/").content.decode()


def test_the_claims_history_has_a_line_for_each_version(client: Client, published: Publication):
    claim = published.article.claims.get()
    publish_again(published)

    page = read(client.get(addresses.claim(claim.public_id)).content)

    (history,) = page.with_class("history")
    assert "Version 2" in history.text
    assert "Version 1" in history.text
    assert "40 million" in history.text


@pytest.mark.django_db(transaction=True)
def test_the_copy_is_shown_as_far_as_its_passage(client: Client):
    _publication, capture_id = archived()

    page = client.get(addresses.capture(capture_id))

    assert "Repairs will cost 40 million euros" in [mark.text for mark in read(page.content).find("mark")]
    assert client.get(addresses.capture_text(capture_id)).status_code == 404
    assert client.get(addresses.capture_warc(capture_id)).status_code == 404
    assert client.get(addresses.capture_wacz(capture_id)).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_a_copy_that_an_editor_opened_can_be_had_whole_and_its_hash_is_the_one_on_the_page(client: Client):
    _publication, capture_id = archived(visibility=Visibility.PUBLIC)

    page = client.get(addresses.capture(capture_id)).content.decode()
    text = client.get(addresses.capture_text(capture_id))
    warc = client.get(addresses.capture_warc(capture_id))
    body = b"".join(warc.streaming_content)

    assert "The council met." in text.content.decode()
    assert hashlib.sha256(body).hexdigest() in page
    assert gzip.decompress(body).startswith(b"WARC/1.1")
    assert warc["Content-Disposition"] == f'attachment; filename="{capture_id}.warc.gz"'
    assert "noindex" in warc["X-Robots-Tag"]


@pytest.mark.django_db(transaction=True)
def test_a_copy_is_closed_with_the_version_after_its_source_was(client: Client):
    first, capture_id = archived(visibility=Visibility.PUBLIC)
    claim = first.article.claims.get()
    factories.signed_off(claim)
    set_visibility(claim.evidence.get(source__kind="page").source, Visibility.DESK, reason="", by=factories.editor())
    assert client.get(addresses.capture_warc(capture_id)).status_code == 200

    publish(first.article, note_kind="update", note="A source less.", by=factories.editor())

    assert client.get(addresses.capture_warc(capture_id)).status_code == 404
    assert client.get(addresses.capture_wacz(capture_id)).status_code == 404
    assert client.get(addresses.capture_text(capture_id)).status_code == 404
    assert "capture.warc.gz" not in client.get(addresses.capture(capture_id)).content.decode()


@pytest.mark.django_db(transaction=True)
def test_the_package_of_an_open_copy_can_be_had_whole_and_in_parts(client: Client):
    _publication, capture_id = archived(visibility=Visibility.PUBLIC)
    address = addresses.capture_wacz(capture_id)
    assert address in client.get(addresses.capture(capture_id)).content.decode()

    first = client.get(address)
    body = b"".join(first.streaming_content)
    tag = first["ETag"]

    assert check_wacz(io.BytesIO(body)) == []
    assert (first["Content-Type"], first["Content-Length"]) == ("application/wacz", str(len(body)))
    assert first["Content-Disposition"] == f'attachment; filename="{capture_id}.wacz"'
    assert first["Accept-Ranges"] == "bytes"
    assert "noindex" in first["X-Robots-Tag"]
    assert client.get(address, headers={"if-none-match": tag}).status_code == 304

    def part(asked: str, **headers: str) -> tuple[int, str | None, bytes]:
        answer = client.get(address, headers={"range": asked, **headers})
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        return answer.status_code, answer.get("Content-Range"), content

    size = len(body)
    assert part("bytes=0-9") == (206, f"bytes 0-9/{size}", body[:10])
    assert part("bytes=30-99", **{"if-range": tag}) == (206, f"bytes 30-99/{size}", body[30:100])
    assert part("bytes=100-") == (206, f"bytes 100-{size - 1}/{size}", body[100:])
    assert part("bytes=-22") == (206, f"bytes {size - 22}-{size - 1}/{size}", body[-22:])
    assert part(f"bytes=9-{size * 2}") == (206, f"bytes 9-{size - 1}/{size}", body[9:])
    assert part(f"bytes={size}-") == part("bytes=-0") == (416, f"bytes */{size}", b"")
    for whole in ("bytes=0-1,4-5", "bytes=9-3", "lines=0-9", "bytes=x-"):
        assert part(whole) == (200, None, body)
    assert part("bytes=0-9", **{"if-range": '"of another"'}) == (200, None, body)


ALL = ["/", "/corrections/", "/methodology/", "/ratings/", "/about/", "/robots.txt"]


@pytest.mark.parametrize("address", ALL)
def test_readers_get_no_cookie_no_script_and_the_same_answer_in_every_language(client: Client, address):
    english, german = (client.get(address, headers={"accept-language": language}) for language in ("en", "de"))

    assert english.content == german.content
    assert not english.cookies
    assert english["Vary"] == "Accept-Encoding"
    assert "script-src 'none'" in english["Content-Security-Policy"]
    assert "default-src 'none'" in english["Content-Security-Policy"]


@pytest.mark.parametrize("address", ALL)
def test_nothing_but_get_and_head_is_answered(client: Client, address):
    assert client.head(address).status_code == 200
    for method in (client.post, client.put, client.patch, client.delete):
        assert method(address).status_code == 405


def test_the_etag_is_the_hash_of_the_bytes_and_spares_them_next_time(client: Client, published: Publication):
    first = client.get(article_address(published))
    again = client.get(article_address(published), headers={"if-none-match": first["ETag"]})

    assert first["ETag"] == f'"{hashlib.sha256(first.content).hexdigest()}"'
    assert first["Cache-Control"] == "public, max-age=0, must-revalidate"
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])


def test_a_reader_with_the_old_version_gets_the_new_one(client: Client, published: Publication):
    old = client.get(article_address(published))["ETag"]
    publish_again(published)

    assert client.get(article_address(published), headers={"if-none-match": old}).status_code == 200


@pytest.mark.parametrize(
    ("accepted", "encoding"), [("gzip, br;q=0.9", "br"), ("gzip", "gzip"), ("br;q=0, gzip;q=0", "")]
)
def test_the_page_is_packed_as_the_reader_takes_it(client: Client, published: Publication, accepted, encoding):
    plain = client.get(article_address(published)).content
    packed = client.get(article_address(published), headers={"accept-encoding": accepted})

    assert packed.get("Content-Encoding", "") == encoding
    unpack = {"br": brotli.decompress, "gzip": gzip.decompress, "": bytes}[encoding]
    assert unpack(packed.content) == plain
    again = client.get(
        article_address(published), headers={"accept-encoding": accepted, "if-none-match": packed["ETag"]}
    )
    assert again.status_code == 304


def test_the_front_page_has_pages_and_an_unknown_one_is_none(client: Client, published: Publication):
    assert client.get("/?page=1").status_code == 200
    for page in ("0", "2", "-1", "x", "²", ""):
        assert client.get("/", {"page": page}).status_code == 404


def test_health_is_answered_without_the_database_and_readiness_with_it(client: Client, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert client.get("/healthz").status_code == 200
    with django_assert_num_queries(1):
        assert client.get("/readyz").status_code == 200


def test_an_article_costs_the_same_few_queries_whatever_its_claims(client: Client, django_assert_max_num_queries):
    article = factories.article()
    for words in ("closes on 3 March 2025", "Repairs will cost 40 million euros", "About 18,000 people"):
        factories.signed_off(factories.claim(article, words))
    published = publish(article, by=factories.editor())

    with django_assert_max_num_queries(3):
        client.get(article_address(published))


def test_a_claims_page_costs_the_same_few_queries_whatever_its_versions_and_neighbours(
    client: Client, published: Publication, django_assert_max_num_queries
):
    claim = published.article.claims.get()
    factories.signed_off(factories.claim(published.article, "18,000 people"))
    publish_again_with = {"note_kind": "update", "note": "One claim more."}
    for _version in range(2):
        publish(published.article, by=factories.editor(), **publish_again_with)

    with django_assert_max_num_queries(4):
        assert client.get(addresses.claim(claim.public_id)).status_code == 200


def test_the_front_page_and_the_corrections_cost_the_same_however_many_articles(
    client: Client, published: Publication, django_assert_max_num_queries
):
    publish_again(published)
    for _article in range(2):
        another = factories.article()
        factories.signed_off(factories.claim(another))
        publish_again(publish(another, by=factories.editor()))

    with django_assert_max_num_queries(2):
        assert client.get("/").status_code == 200
    with django_assert_max_num_queries(1):
        assert client.get("/corrections/").status_code == 200


def test_an_address_that_is_not_there_has_a_page_of_ours(client: Client):
    page = read(client.get("/nothing-here/").content)

    assert "There is nothing at this address" in page.find("h1")[0].text


def test_the_release_on_the_page_is_the_programs_own(settings):
    project = (settings.BASE_DIR / "pyproject.toml").read_text()

    assert re.search(r'^version = "(.+)"', project, re.MULTILINE)[1] == settings.RELEASE
