"""RFC 7089 over published copies, as clients speak it."""

import json
import re
from datetime import UTC, datetime, timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.http import http_date

from factcheck.archive.models import Capture, CaptureRequest, Engine
from factcheck.evidence.models import Evidence, Visibility
from factcheck.evidence.services import Argument, attach_page, set_visibility
from factcheck.ledger.services import erase_text, keep_text
from factcheck.public import memento
from factcheck.public.memento import http_moment
from factcheck.publications.models import Citation, Destination, Publication
from factcheck.publications.services import publish
from factcheck.verdicts.services import decide_claim, sign_off
from tests import factories, web
from tests.newsroom_web import do_due_work, site

pytestmark = pytest.mark.django_db(transaction=True)

WORDS = "Repairs will cost 40 million euros"
# With a link element, which the replay alters.
PAGE = f'<title>Budget</title><link rel="preconnect" href="https://x.example"><p>{WORDS}.</p>'.encode()
ADDRESS = "http://127.0.0.1:{port}/budget?year=2025&part=1;2"


@pytest.fixture(autouse=True)
def hosts(settings):
    settings.ARCHIVE_URL = "http://archive.example"
    settings.PUBLIC_URL = "http://app.example"
    settings.ALLOWED_HOSTS = ["archive.example", "testserver"]


def attached(path: str = "/budget?year=2025&part=1;2", *, page: bytes | None = None, **article: object) -> Evidence:
    with site({path: page or web.page(PAGE)}) as served:
        evidence = attach_page(
            factories.claim(factories.article(**article)),
            url=served.url(path),
            argument=Argument(stance="for", quote=WORDS, confirms_so=True, primary=True),
            by=factories.reporter(),
        )
        do_due_work()
    return evidence


def published(evidence: Evidence, *, visibility: str = Visibility.PUBLIC) -> Publication:
    if visibility != evidence.source.visibility:
        set_visibility(evidence.source, visibility, reason="The city publishes it.", by=factories.editor())
    verdict = decide_claim(
        evidence.claim, rating=factories.rating(), reason="The budget says so.", version=None, by=factories.checker()
    )
    sign_off(verdict, version=None, by=factories.editor())
    return publish(evidence.claim.article, by=factories.editor())


def at(year: int, month: int = 1, day: int = 1) -> datetime:
    return datetime(year, month, day, 12, tzinfo=UTC)


def copies(publication: Publication, *moments: datetime, **changes: object) -> list[str]:
    """More open copies of the page that the publication cites, one for each moment; their ids."""
    cited = Citation.objects.get(publication=publication, subject__startswith="capture/")
    first = Capture.objects.get(request__public_id=cited.subject.removeprefix("capture/"))
    content = json.loads(publication.content_row.body)
    (item,) = content["claims"][0]["evidence"]
    ids = []
    for moment in moments:
        request = CaptureRequest.objects.create(
            url=first.request.url, canonical_url=first.request.canonical_url, state=CaptureRequest.State.SEALED
        )
        values = {
            "outcome": "captured",
            "words_row": first.words_row,
            "media_type": "text/html",
            "body_sha256": first.body_sha256,
            "warc_sha256": first.warc_sha256,
        }
        Capture.objects.create(request=request, started_at=moment, **(values | changes))
        content["claims"][0]["evidence"].append(item | {"capture": item["capture"] | {"id": request.public_id}})
        ids.append(request.public_id)
    # A later version cites them too.
    last = publication.article.publications.order_by("-version")[0]
    again = Publication.objects.create(
        article=publication.article,
        version=last.version + 1,
        revision=publication.revision,
        sha256=publication.sha256,
        content_row=keep_text(json.dumps(content)),
        published_by=publication.published_by,
        published_at=publication.published_at,
    )
    subjects = [f"capture/{item['capture']['id']}" for item in content["claims"][0]["evidence"]]
    Citation.objects.bulk_create(Citation(publication=again, subject=subject) for subject in subjects)
    return ids


def original_of(evidence: Evidence) -> str:
    return evidence.capture_request.canonical_url


def timegate(original: str, moment: str | None = None, **more):
    headers = {} if moment is None else {"Accept-Datetime": moment}
    return Client().get(f"/timegate/{original}", headers=headers, **more)


def timemap(original: str, form: str = "link"):
    return Client().get(f"/timemap/{form}/{original}")


def get_memento(address: str, settings):
    settings.ROOT_URLCONF = "factcheck.archive_urls"
    try:
        return Client().get(address.removeprefix("http://archive.example"), headers={"host": "archive.example"})
    finally:
        settings.ROOT_URLCONF = "factcheck.urls"


def links(value: str) -> dict[str, tuple[str, dict[str, str]]]:
    """Each relation with its address and attributes, of a Link header or a TimeMap."""
    found = {}
    for address, rest in re.findall(r"<([^>]*)>([^<]*)", value):
        attributes = dict(re.findall(r'; (\w+)="([^"]*)"', rest))
        found[attributes.pop("rel")] = (address, attributes)
    return found


# --- TimeGate ----------------------------------------------------------------------------------


def test_the_timegate_leads_to_the_copy_nearest_to_the_time_asked_for():
    evidence = attached()
    old, middle = copies(published(evidence), at(2019), at(2021))
    original = original_of(evidence)

    for moment, expected in ((at(2000), old), (at(2019, 12, 30), old), (at(2020, 2), middle), (at(2021, 6), middle)):
        answer = timegate(original, http_date(moment.timestamp()))
        assert answer.status_code == 302
        assert answer["Location"] == f"http://archive.example/memento/{expected}"
    newest = f"http://archive.example/memento/{evidence.capture_request.public_id}"
    assert timegate(original, http_date(at(2090).timestamp()))["Location"] == newest
    assert timegate(original)["Location"] == newest


def test_the_timegate_says_what_it_knows_of_and_that_it_negotiates():
    evidence = attached()
    old, middle = copies(published(evidence), at(2019), at(2021))
    original = original_of(evidence)

    answer = timegate(original, "Fri, 01 Jan 2021 12:00:00 GMT")
    said = links(answer["Link"])

    assert "accept-datetime" in answer["Vary"].lower()
    assert "Memento-Datetime" not in answer
    assert said["original"] == (original, {})
    assert said["timemap"] == (
        f"http://app.example/timemap/link/{original}",
        {"type": "application/link-format"},
    )
    assert said["memento"] == (
        f"http://archive.example/memento/{middle}",
        {"datetime": "Fri, 01 Jan 2021 12:00:00 GMT"},
    )
    assert said["first prev memento"] == (
        f"http://archive.example/memento/{old}",
        {"datetime": "Tue, 01 Jan 2019 12:00:00 GMT"},
    )
    assert said["next last memento"][0].endswith(evidence.capture_request.public_id)


def test_of_two_as_near_the_earlier_is_given():
    evidence = attached()
    before, _after = copies(published(evidence), at(2019, 1, 1), at(2019, 1, 3))

    assert timegate(original_of(evidence), "Wed, 02 Jan 2019 12:00:00 GMT")["Location"].endswith(before)


@pytest.mark.parametrize(
    "moment",
    [
        "",
        "2007-05-31",
        "Thu, 31 May 2007 20:35:00",
        "Thu, 31 May 2007 20:35:00 +0000",
        "Wed, 31 May 2007 20:35:00 GMT",
        "Thu, 32 May 2007 20:35:00 GMT",
        "Thu, 31 May 2007 24:35:00 GMT",
        "Thu, 31 May 0000 20:35:00 GMT",
        "thu, 31 may 2007 20:35:00 gmt",
        "Thursday, 31-May-07 20:35:00 GMT",
        "Thu May 31 20:35:00 2007",
        "Thu, ٣١ May 2007 20:35:00 GMT",
        "Thu, 31 May 2007 20:35:00 GMT, Thu, 31 May 2007 20:35:00 GMT",
    ],
)
def test_a_date_that_is_none_is_refused(moment):
    answer = timegate("http://example.org/", moment)

    assert answer.status_code == 400
    assert "accept-datetime" in answer["Vary"].lower()


def test_the_standard_s_own_date_is_read():
    # RFC 7089, 2.1.1.
    assert http_moment("Thu, 31 May 2007 20:35:00 GMT") == datetime(2007, 5, 31, 20, 35, tzinfo=UTC)


def test_what_nobody_published_is_not_found():
    assert timegate("http://example.org/").status_code == 404
    assert timemap("http://example.org/").status_code == 404


# --- the address asked about ---------------------------------------------------------------------


def test_the_query_and_every_spelling_of_the_same_address_find_it():
    evidence = attached()
    published(evidence)
    original = original_of(evidence)
    assert "?year=2025&part=1;2" in original

    for spelling in (
        original,
        original.replace("http://", "HTTP://"),
        original.replace("http://", "http:/"),
        original.replace("&", "%26").replace("?", "%3F").replace("http://", "http%3A%2F%2F"),
        original + "#part",
    ):
        assert timegate("x", RAW_URI=f"/timegate/{spelling}").status_code == 302, spelling
    assert timegate(original.partition("?")[0]).status_code == 404


def test_the_address_is_taken_as_it_was_sent_not_decoded_and_put_together_again():
    evidence = attached("/budget%2F2025?q=a%26b")
    published(evidence)

    assert timegate("x", RAW_URI=f"/timegate/{original_of(evidence)}").status_code == 302
    decoded = original_of(evidence).replace("%2F", "/").replace("%26", "&")
    assert timegate("x", RAW_URI=f"/timegate/{decoded}").status_code == 404


def test_a_long_address_is_not_cut():
    tail = "a" * 1_500
    evidence = attached(f"/budget?q={tail}")
    published(evidence)

    assert timegate(original_of(evidence)).status_code == 302
    assert timegate(original_of(evidence)[:-1]).status_code == 404


@pytest.mark.parametrize(
    "target",
    [
        "http://example.org/%0d%0aSet-Cookie:%20a=b",
        "http://example.org/\r\nSet-Cookie: a=b",
        'http://example.org/>; rel="memento", <http://evil.example/',
        "http://user:secret@example.org/",
        "javascript:alert(1)",
        "//example.org/",
        "http://",
        "http://[::1",
        "http://" + "a" * 9_000,
        "\x00",
        "%00",
        "link/1/http://example.org/",
    ],
)
def test_hostile_addresses_are_not_found_and_nothing_of_them_comes_back(target):
    for prefix in ("/timegate/", "/timemap/link/", "/timemap/json/"):
        answer = Client().get(prefix + "x", RAW_URI=prefix + target)
        assert answer.status_code == 404
        assert "Link" not in answer
        assert "Set-Cookie" not in answer


def test_an_address_cannot_end_its_link_early():
    evidence = attached("/budget%3E;%20rel=%22memento%22,%3Chttp:")
    published(evidence)
    original = original_of(evidence)
    # As its client might write it, unencoded.
    loose = original.replace("%3E", ">").replace("%3C", "<").replace("%22", '"').replace("%20", " ")

    answer = timegate("x", RAW_URI=f"/timegate/{loose}")

    assert answer.status_code == 302
    assert set(links(answer["Link"])) == {"original", "timemap", "first last memento"}
    assert set(links(Client().get("/timemap/link/x", RAW_URI=f"/timemap/link/{loose}").content.decode())) == {
        "original",
        "timegate",
        "self",
        "first last memento",
    }


def redirected(*, path: str = "/moved", to: str = "/budget?year=2025&part=1;2") -> tuple[Evidence, str]:
    """Evidence on a page that a redirect led to, and that page's own address."""
    with site({path: web.redirect(to), to.partition("#")[0]: web.page(PAGE)}) as served:
        evidence = attach_page(
            factories.claim(),
            url=served.url(path),
            argument=Argument(stance="for", quote=WORDS, confirms_so=True, primary=True),
            by=factories.reporter(),
        )
        do_due_work()
        return evidence, served.url(to.partition("#")[0])


def test_a_copy_is_found_where_redirects_led_as_well_as_under_the_address_asked_for():
    evidence, led_to = redirected()
    published(evidence)

    for address in (original_of(evidence), led_to):
        assert timegate(address)["Location"].endswith(evidence.capture_request.public_id)
        said = links(timemap(address).content.decode())
        assert said["original"] == (address, {})
        assert said["first last memento"][0].endswith(evidence.capture_request.public_id)


def test_where_redirects_led_the_copies_of_both_orders_stand_together(settings):
    settings.CAPTURE_WINDOW_MINUTES = 0
    evidence, led_to = redirected()
    publication = published(evidence)
    (older,) = copies(publication, at(2019))
    direct = CaptureRequest.objects.get(public_id=older)
    CaptureRequest.objects.filter(pk=direct.pk).update(canonical_url=led_to, url=led_to)

    known = [one.capture_id for one in memento.mementos_of(led_to)]

    assert known == [older, evidence.capture_request.public_id]


def test_a_closed_copy_is_not_found_where_redirects_led_either():
    evidence, led_to = redirected()
    published(evidence, visibility=Visibility.PASSAGE)

    assert timegate(led_to).status_code == 404


def test_an_address_that_was_erased_leads_to_no_copy_any_more():
    evidence, led_to = redirected()
    published(evidence)
    erase_text(Capture.objects.get().words_row, erasure="erasure-1")

    assert timegate(led_to).status_code == 404


def test_what_was_published_before_is_found_where_redirects_led_once_the_table_is_filled():
    evidence, led_to = redirected()
    published(evidence)
    Destination.objects.all().delete()
    assert timegate(led_to).status_code == 404

    migration = import_module("factcheck.publications.migrations.0002_destinations")
    migration.derive(apps, None)

    assert timegate(led_to).status_code == 302


# --- TimeMap -------------------------------------------------------------------------------------


def test_the_timemap_lists_every_copy_with_its_time():
    evidence = attached()
    old, middle = copies(published(evidence), at(2019), at(2021))
    original = original_of(evidence)

    answer = timemap(original)
    said = links(answer.content.decode())

    assert answer["Content-Type"] == "application/link-format"
    assert said["original"] == (original, {})
    assert said["timegate"] == (f"http://app.example/timegate/{original}", {})
    address, attributes = said["self"]
    assert address == f"http://app.example/timemap/link/{original}"
    assert attributes["from"] == "Tue, 01 Jan 2019 12:00:00 GMT"
    assert said["first memento"][0].endswith(old)
    assert said["memento"] == (
        f"http://archive.example/memento/{middle}",
        {"datetime": "Fri, 01 Jan 2021 12:00:00 GMT"},
    )
    assert said["last memento"] == (
        f"http://archive.example/memento/{evidence.capture_request.public_id}",
        {"datetime": attributes["until"]},
    )


def test_the_timemap_is_also_json():
    evidence = attached()
    (old,) = copies(published(evidence), at(2019))

    answer = timemap(original_of(evidence), "json")
    said = answer.json()

    assert answer["Content-Type"] == "application/json"
    assert said["original_uri"] == original_of(evidence)
    assert said["mementos"]["first"] == {
        "datetime": "2019-01-01T12:00:00Z",
        "uri": f"http://archive.example/memento/{old}",
    }
    assert len(said["mementos"]["list"]) == 2


def test_other_forms_are_not_found():
    evidence = attached()
    published(evidence)

    assert timemap(original_of(evidence), "html").status_code == 404


def test_a_long_timemap_has_pages_that_name_each_other(monkeypatch):
    monkeypatch.setattr(memento, "ON_A_PAGE", 2)
    evidence = attached()
    ids = copies(published(evidence), at(2017), at(2018), at(2019), at(2020))
    original = original_of(evidence)

    first = Client().get(f"/timemap/link/{original}").content.decode()
    second = Client().get(f"/timemap/link/2/{original}").content.decode()

    assert [item for item in ids if item in first] == ids[:2]
    assert [item for item in ids if item in second] == ids[2:]
    assert links(second)["self"][0] == f"http://app.example/timemap/link/2/{original}"
    assert f"<http://app.example/timemap/link/2/{original}>" in first
    assert f"<http://app.example/timemap/link/3/{original}>" in first
    assert Client().get(f"/timemap/link/4/{original}").status_code == 404
    third = Client().get(f"/timemap/json/3/{original}").json()
    assert [item["uri"].rpartition("/")[2] for item in third["mementos"]["list"]] == [
        evidence.capture_request.public_id
    ]


def test_a_page_is_a_thousand_and_more_copies_cost_no_more_queries():
    assert memento.ON_A_PAGE == 1_000
    evidence = attached()
    publication = published(evidence)
    with CaptureQueriesContext(
        connection,
    ) as few:
        timemap(original_of(evidence))
    copies(publication, *(at(2019) + timedelta(days=day) for day in range(40)))
    with CaptureQueriesContext(connection) as many:
        assert timemap(original_of(evidence)).content.count(b"datetime=") == 41

    assert len(many) == len(few) <= 5


# --- mementos ------------------------------------------------------------------------------------


def test_a_memento_is_the_bytes_that_were_sent_with_their_time(settings):
    evidence = attached()
    published(evidence)
    original = original_of(evidence)
    capture = Capture.objects.get()

    answer = get_memento(timegate(original)["Location"], settings)
    said = links(answer["Link"])

    assert b"".join(answer.streaming_content) == PAGE
    assert answer["Memento-Datetime"] == http_date(int(capture.started_at.timestamp()))
    assert answer["Content-Type"] == "text/html; charset=utf-8"
    assert said["original"] == (original, {})
    assert said["timegate"] == (f"http://app.example/timegate/{original}", {})
    assert said["timemap"][0] == f"http://app.example/timemap/link/{original}"
    assert said["first last memento"][1] == {"datetime": answer["Memento-Datetime"]}


def test_no_browser_shows_a_memento_so_that_nothing_of_it_runs_or_calls(settings):
    evidence = attached()
    published(evidence)

    answer = get_memento(timegate(original_of(evidence))["Location"], settings)
    answer.close()

    assert answer["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer["Content-Security-Policy"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert not answer.cookies


def test_the_app_itself_serves_no_memento(settings):
    evidence = attached()
    published(evidence)
    capture_id = evidence.capture_request.public_id

    assert Client().get(f"/memento/{capture_id}").status_code == 404
    settings.ROOT_URLCONF = "factcheck.archive_urls"
    assert Client().get(f"/memento/{capture_id}", headers={"host": "testserver"}).status_code == 404


def test_what_we_show_in_part_says_no_memento_datetime(client):
    evidence = attached()
    published(evidence)
    capture_id = evidence.capture_request.public_id

    for address in (f"/captures/{capture_id}/", f"/captures/{capture_id}/text.txt"):
        assert "Memento-Datetime" not in client.get(address)


# --- what readers may not see --------------------------------------------------------------------


def nothing_of(evidence: Evidence, settings) -> bool:
    address = f"http://archive.example/memento/{evidence.capture_request.public_id}"
    return (
        timegate(original_of(evidence)).status_code == 404
        and timemap(original_of(evidence)).status_code == 404
        and get_memento(address, settings).status_code == 404
    )


def test_an_unpublished_copy_is_not_there(settings):
    evidence = attached()
    set_visibility(evidence.source, Visibility.PUBLIC, reason="It is public anyway.", by=factories.editor())

    assert nothing_of(evidence, settings)


@pytest.mark.parametrize("visibility", [Visibility.PASSAGE, Visibility.DESK])
def test_a_copy_of_which_readers_see_less_than_all_is_not_there(settings, visibility):
    evidence = attached()
    published(evidence, visibility=visibility)

    assert nothing_of(evidence, settings)


def test_a_source_that_was_closed_takes_its_copies_with_it(settings):
    evidence = attached()
    published(evidence)
    assert not nothing_of(evidence, settings)

    set_visibility(evidence.source, Visibility.PASSAGE, reason="The city asked.", by=factories.editor())
    article = evidence.claim.article
    publish(article, note_kind="update", note="A source is shown in part now.", by=factories.editor())

    assert nothing_of(evidence, settings)


def test_what_an_older_version_said_of_a_copy_does_not_close_it():
    evidence = attached()
    published(evidence, visibility=Visibility.PASSAGE)
    set_visibility(evidence.source, Visibility.PUBLIC, reason="The city agreed.", by=factories.editor())
    publication = publish(
        evidence.claim.article, note_kind="update", note="A source is shown whole now.", by=factories.editor()
    )
    # The first version also cites a copy that the second leaves out.
    request = CaptureRequest.objects.create(url=original_of(evidence), canonical_url=original_of(evidence))
    first = publication.article.publications.get(version=1)
    Citation.objects.create(publication=first, subject=f"capture/{request.public_id}")

    assert timegate(original_of(evidence)).status_code == 302


def test_a_newer_copy_that_no_publication_cites_is_not_there():
    evidence = attached()
    published(evidence)
    cited = Capture.objects.get()
    request = CaptureRequest.objects.create(url=cited.url, canonical_url=cited.url, state=CaptureRequest.State.SEALED)
    Capture.objects.create(
        request=request,
        outcome="captured",
        words_row=cited.words_row,
        started_at=at(2019),
        body_sha256=cited.body_sha256,
        warc_sha256=cited.warc_sha256,
    )

    assert request.public_id not in timemap(original_of(evidence)).content.decode()


@pytest.mark.parametrize(
    "changes",
    [
        {"outcome": "captured_partial", "reason": "length", "truncated": "length"},
        {"engine": Engine.UPLOAD},
        {"unverified_tls": True},
        {"outcome": "gone", "reason": "404"},
    ],
)
def test_only_what_the_site_sent_and_all_of_it_is_a_memento(settings, changes):
    evidence = attached()
    (other,) = copies(published(evidence), at(2019), **changes)

    assert other not in timemap(original_of(evidence)).content.decode()
    assert get_memento(f"http://archive.example/memento/{other}", settings).status_code == 404


def test_one_article_that_shows_less_closes_the_copy_for_all(settings):
    evidence = attached()
    publication = published(evidence)
    content = json.loads(publication.content_row.body)
    for claim in content["claims"]:
        for item in claim["evidence"]:
            item["capture"]["visibility"] = "passage"
    other = factories.article(title="Another article")
    another = Publication.objects.create(
        article=other,
        version=1,
        revision=other.revisions.get(),
        sha256=publication.sha256,
        content_row=keep_text(json.dumps(content)),
        published_at=publication.published_at,
    )
    Citation.objects.create(publication=another, subject=f"capture/{evidence.capture_request.public_id}")

    assert nothing_of(evidence, settings)


def test_one_article_whose_newest_version_left_the_copy_out_closes_it_for_all(settings):
    evidence = attached()
    publication = published(evidence)
    other = factories.article(title="Another article")
    for version in (1, 2):
        another = Publication.objects.create(
            article=other,
            version=version,
            revision=other.revisions.get(),
            sha256=publication.sha256,
            content_row=publication.content_row,
            published_at=publication.published_at,
        )
        if version == 1:
            Citation.objects.create(publication=another, subject=f"capture/{evidence.capture_request.public_id}")

    assert nothing_of(evidence, settings)


def test_nothing_but_get_and_head_is_answered():
    for address in ("/timegate/http://example.org/", "/timemap/link/http://example.org/"):
        assert Client().post(address).status_code == 405
