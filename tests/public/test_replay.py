"""The archive host: whatever was archived, it is shown as data and runs nowhere."""

import re
from pathlib import Path
from time import time
from urllib.parse import urlsplit

import pytest
from django.conf import settings as project
from django.test import Client

from factcheck.archive.models import Capture
from factcheck.archive.replay_links import public_replay_url, replay_url
from factcheck.archive.services import request_capture
from factcheck.jobs.models import Job
from tests import newsroom_web, web

pytestmark = pytest.mark.django_db(transaction=True)

HOSTILE = "<title>x</title><script>document.title = 'run'</script><p>Repairs will cost 40 million.</p>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>'


@pytest.fixture(autouse=True)
def archive_host(settings):
    settings.ROOT_URLCONF = "factcheck.archive_urls"
    settings.ARCHIVE_URL = "http://archive.example"
    settings.PUBLIC_URL = "http://app.example"
    settings.ALLOWED_HOSTS = ["archive.example", "app.example"]
    settings.MIDDLEWARE = [
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.common.CommonMiddleware",
    ]


def archived(page: web.Page) -> Capture:
    with newsroom_web.site({"/page": page}) as site:
        request = request_capture(site.url("/page"), by=None, patient=False)
        newsroom_web.do_due_work()
    assert not Job.objects.filter(state=Job.State.QUEUED).exists()
    return Capture.objects.get(request=request)


def get(address: str, host: str = "archive.example"):
    parts = urlsplit(address)
    return Client(raise_request_exception=False).get(f"{parts.path}?{parts.query}", headers={"host": host})


def test_archived_markup_is_shown_in_a_sandbox_in_which_nothing_runs_or_is_fetched():
    answer = get(replay_url(archived(web.page(HOSTILE))))

    policy = [part.strip() for part in answer["Content-Security-Policy"].split(";")]
    assert answer.status_code == 200
    assert "sandbox" in policy
    assert "default-src 'none'" in policy
    assert not [part for part in policy if part.startswith("script-src")]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Type"] == "text/html; charset=utf-8"
    assert not answer.cookies


@pytest.mark.parametrize("charset", ["utf-8", "utf-16le", "windows-1252"])
def test_no_link_tells_a_site_who_looks_at_our_copy_of_it(charset):
    page = (
        '<title>Größe</title><LINK/rel=preconnect href="https://tracker.example"><p>Größe und Gewicht der Brücke.</p>'
    )
    answer = get(replay_url(archived(web.page(page.encode(charset), media_type=f"text/html; charset={charset}"))))

    shown = answer.content.decode()
    assert "<link" not in shown.lower()
    assert "Größe und Gewicht der Brücke." in shown
    assert answer["Content-Type"] == "text/html; charset=utf-8"


def test_a_text_is_shown_word_for_word_and_never_held_as_a_whole():
    text = "x" + "Brücke, Größe und Gewicht. " * 80_000
    answer = get(replay_url(archived(web.page(text.encode("utf-16"), media_type="text/plain"))))

    pieces = list(answer.streaming_content)
    assert b"".join(pieces).decode() == text
    assert max(map(len, pieces)) < len(text) // 2
    assert answer["Content-Type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize("media_type", ["image/svg+xml", "text/xml", "text/javascript"])
def test_what_could_run_otherwise_is_handed_over_as_a_file(media_type):
    answer = get(replay_url(archived(web.page(SVG, media_type=media_type))))

    assert answer.status_code == 200
    assert answer["Content-Type"] in ("application/octet-stream", "text/plain; charset=utf-8")
    assert "sandbox" in answer["Content-Security-Policy"]


def test_xhtml_is_shown_as_the_harmless_html_that_we_wrote_of_it():
    page = "<html xmlns='http://www.w3.org/1999/xhtml'><script>1</script><p>Repairs will cost 40 million.</p></html>"
    answer = get(replay_url(archived(web.page(page, media_type="application/xhtml+xml"))))

    assert answer["Content-Type"] == "text/html; charset=utf-8"
    assert "40 million" in answer.content.decode()
    assert "script" not in answer.content.decode()


def test_without_a_key_a_copy_that_is_not_public_is_not_found_in_words():
    capture = archived(web.page(HOSTILE))

    answer = get(public_replay_url(capture.public_id))

    assert answer.status_code == 404
    assert "There is no copy here" in answer.content.decode()


def test_a_key_opens_its_own_copy_for_ten_minutes_and_no_other(monkeypatch):
    one, other = archived(web.page(HOSTILE)), archived(web.page(HOSTILE))
    address = replay_url(one)
    assert get(address).status_code == 200
    assert get(address.replace(one.public_id, other.public_id)).status_code == 404

    monkeypatch.setattr("django.core.signing.time.time", lambda: time() - 601)
    stale = replay_url(one)
    monkeypatch.undo()

    assert get(stale).status_code == 404


def test_under_the_apps_name_where_its_cookies_are_nothing_archived_is_shown():
    address = replay_url(archived(web.page(HOSTILE)))

    assert get(address, host="app.example").status_code == 404
    assert get(address).status_code == 200


PDF = Path(project.BASE_DIR, "factcheck/operations/sample/sources/report.pdf").read_bytes()


def archived_pdf() -> Capture:
    return archived(web.page(PDF, media_type="application/pdf"))


def test_a_pdf_is_shown_as_pictures_of_its_pages_that_keep_the_key():
    address = replay_url(archived_pdf())
    page = get(address)

    assert page.status_code == 200
    assert '<img src="page-1.png" alt="Page 1">' in page.content.decode()
    assert "img-src 'self'" in page["Content-Security-Policy"]
    picture = get(f"{address}page-1.png")
    assert picture["Content-Type"] == "image/png"
    assert picture.content.startswith(b"\x89PNG")
    # The desk's page, another origin, shows it too.
    assert picture["Cross-Origin-Resource-Policy"] == "cross-origin"


@pytest.mark.parametrize("asked", ["0", "-1", "9999", "x", "1e3", "٣"])
def test_pages_that_a_pdf_does_not_have_are_not_found(asked):
    address = replay_url(archived_pdf())

    assert get(f"{address}?page={asked}").status_code == 404
    assert get(f"{address}page-9999.png").status_code == 404


def test_pictures_of_pages_and_the_file_ask_for_the_key_as_well():
    capture = archived_pdf()

    for place in ("page-1.png", "original", "r/0"):
        assert get(f"{public_replay_url(capture.public_id)}{place}").status_code == 404
        assert get(f"{replay_url(capture)}{place}", host="app.example").status_code == 404


def test_the_file_itself_is_handed_over_and_never_shown():
    answer = get(f"{replay_url(archived_pdf())}original")

    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment;")
    assert b"".join(answer.streaming_content) == PDF


def test_a_film_is_handed_over_as_a_file_that_a_player_opens():
    film = b"\0\0\0\x0cftypqt  " + bytes(100)

    answer = get(replay_url(archived(web.page(film, media_type="video/quicktime"))))

    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment;")
    assert answer["Content-Disposition"].endswith('.mov"')
    assert b"".join(answer.streaming_content) == film


def test_a_page_too_deep_to_be_rewritten_says_so():
    answer = get(replay_url(archived(web.page("<p>Words for a text layer</p>" + "<div>" * 2_500))))

    assert answer.status_code == 422
    assert "too large or too deep" in answer.content.decode()


def test_what_a_capture_took_along_is_what_its_copy_shows():
    page = '<title>Costs</title><link rel=stylesheet href="/s.css"><img src="/a.png" alt=""><p>Repairs will cost more.'
    pages = {
        "/page": web.page(page),
        "/a.png": web.page(b"\x89PNG\r\n\x1a\n and more", media_type="image/png"),
        "/s.css": web.page("p { background: url(/a.png) }", media_type="text/css"),
    }
    with newsroom_web.site(pages) as site:
        request = request_capture(site.url("/page"), by=None, patient=False)
        newsroom_web.do_due_work()
    address = replay_url(Capture.objects.get(request=request))

    shown = get(address).content.decode()
    picture = re.search('src="(r/[0-9]+)"', shown)[1]
    style = re.search('@import "(r/[0-9]+)"', shown)[1]

    assert b"".join(get(f"{address}{picture}").streaming_content) == b"\x89PNG\r\n\x1a\n and more"
    assert f'url("{picture.removeprefix("r/")}")' in get(f"{address}{style}").content.decode()
