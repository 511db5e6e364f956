"""An article from an archived page: what is read of it, and what is kept as its original."""

import pytest

from factcheck.archive import blobs
from factcheck.archive.browser.driving import browser_available
from factcheck.archive.models import Capture, Engine
from factcheck.archive.services import request_capture
from factcheck.articles.errors import UnreadableText
from factcheck.articles.from_pages import read_page
from factcheck.articles.services import Details, import_page
from factcheck.ledger.models import Entry
from tests import factories, web
from tests.newsroom_web import do_due_work, site

pytestmark = pytest.mark.django_db(transaction=True)

HTML = """<!doctype html><html lang="en"><head><title>Harbour bridge to close - The Herald</title></head><body>
<nav><a href="/">Home</a></nav><article><h1>Harbour bridge to close</h1>
<p>The bridge over the harbour closes for twelve months, the città said.</p><p>Advertisement</p>
<h2>What it costs</h2><ul><li>Repairs cost 40 million euros.</li></ul>
<script>document.write("evil")</script></article><footer>© The Herald</footer></body></html>"""


def captured(page: web.Page) -> Capture:
    with site({"/bridge": page}) as served:
        request = request_capture(served.url("/bridge"), by=factories.reporter(), patient=False)
        do_due_work()
        request.refresh_from_db()
    assert request.sealed_capture is not None
    return request.sealed_capture


def test_its_blocks_are_the_page_s_article_and_its_original_the_copy():
    capture = captured(web.page(HTML))

    revision = import_page(capture, details=Details(url=""), by=factories.reporter())

    assert [(str(block.kind), block.text) for block in revision.blocks] == [
        ("headline", "Harbour bridge to close"),
        ("paragraph", "The bridge over the harbour closes for twelve months, the città said."),
        ("paragraph", "Advertisement"),
        ("heading", "What it costs"),
        ("item", "Repairs cost 40 million euros."),
    ]
    assert (revision.capture, revision.original_sha256) == (capture, capture.body_sha256)
    assert capture.public_id in Entry.objects.get(action="article.imported").opening.body


def test_lines_of_the_website_go_only_when_a_person_says_so():
    capture = captured(web.page(HTML))
    _original, draft = read_page(capture)
    [offered] = [line for line in draft.offered if line.text == "Advertisement"]

    revision = import_page(capture, remove=[offered.number], by=factories.reporter())

    assert "Advertisement" not in revision.text
    assert revision.removed == ["Advertisement"]


def test_the_charset_that_only_the_header_names_is_read():
    page = web.page(HTML.encode("iso-8859-1", "replace"), media_type="text/html; charset=iso-8859-1")

    assert "the città said" in import_page(captured(page), by=factories.reporter()).text


def test_of_a_page_that_a_script_fills_the_original_is_what_the_browser_made_of_it():
    if not browser_available():
        pytest.skip("needs Chromium and the extra 'browser'")
    words = "The council agreed to spend 40 million euros on the bridges of the old città."
    script = f"document.getElementById('root').innerHTML = '<article><h1>Bridges</h1><p>{words}</p></article>'"
    with site(
        {
            "/": web.page(
                "<html><head><meta charset=iso-8859-1><title>Loading</title></head><body><div id=root></div>"
                "<script src=/app.js></script></body></html>",
                media_type="text/html; charset=iso-8859-1",
            ),
            "/app.js": web.page(script, media_type="text/javascript; charset=utf-8"),
        }
    ) as served:
        request = request_capture(served.url("/"), by=factories.reporter(), patient=False, engine=Engine.BROWSER)
        do_due_work()
        request.refresh_from_db()

    revision = import_page(request.sealed_capture, by=factories.reporter())

    assert words in revision.text
    assert words.encode() in blobs.read(revision.original_sha256)


def test_who_asks_twice_gets_the_same_article():
    capture = captured(web.page(HTML))

    first = import_page(capture, public_id="abcd2345", by=factories.reporter())

    assert import_page(capture, public_id="abcd2345", by=factories.reporter()) == first


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (web.page("<p>No.</p>", status="404 Not Found"), "no such page"),
        (web.page(b"\x89PNG\r\n\x1a\n" + b"0" * 50, media_type="image/png"), "no text"),
        (web.page("<html><body><script>x()</script></body></html>"), "."),
    ],
)
def test_what_is_no_article_is_a_sentence(page: web.Page, said: str):
    capture = captured(page)

    with pytest.raises(UnreadableText, match=said):
        import_page(capture, by=factories.reporter())
