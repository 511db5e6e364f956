"""The sample newsroom's data is only worth something if every quoted word stands where it says."""

import re
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from io import BytesIO

import pypdfium2
import pytest
from lxml import html

from factcheck.archive.extracting import extract
from factcheck.articles.canonical import place_blocks
from factcheck.articles.importing import blocks_of, read_plain_text
from factcheck.articles.own_page import PageText, compare_page
from factcheck.operations.sample import newsroom
from factcheck.operations.sample_sources import REDIRECTS, make_server, our_page, pages

MARK = "Sample page written for the demonstration"
ALL_EVIDENCE = [evidence for claim in (*newsroom.CLAIMS, *newsroom.CORRECTIONS.values()) for evidence in claim.evidence]


def words_of(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def page_text(address: str) -> str:
    media_type, content = pages()[REDIRECTS.get(address, address)]
    if media_type == "application/pdf":
        document = pypdfium2.PdfDocument(BytesIO(content))
        return words_of(" ".join(page.get_textpage().get_text_bounded() for page in document))
    return words_of(html.fromstring(content.decode()).text_content())


@pytest.fixture
def sources() -> Iterator[str]:
    with make_server(0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_every_claim_stands_word_for_word_in_the_article():
    for claim in newsroom.CLAIMS:
        for passage in claim.passages:
            count = newsroom.article_bytes(1).decode().count(passage)
            assert count == claim.passages.count(passage), f"{claim.key}: {passage!r} stands {count} times"


def test_what_version_2_leaves_of_each_claim_is_either_unchanged_or_corrected():
    text = newsroom.article_bytes(2).decode()
    for claim in newsroom.CLAIMS:
        unchanged = all(text.count(passage) == claim.passages.count(passage) for passage in claim.passages)
        assert unchanged != (claim.key in newsroom.CORRECTIONS), claim.key
    for key, correction in newsroom.CORRECTIONS.items():
        assert all(text.count(passage) == 1 for passage in correction.passages), key


def test_every_quoted_word_stands_in_the_sample_page_that_it_names():
    for evidence in ALL_EVIDENCE:
        if evidence.path:
            assert words_of(evidence.quote) in page_text(evidence.path), evidence.quote


def test_evidence_is_exactly_one_of_page_interview_and_work():
    for evidence in ALL_EVIDENCE:
        assert [bool(evidence.path), bool(evidence.interview), bool(evidence.work)].count(True) == 1, evidence.quote


def test_the_sample_shows_every_kind_of_claim_every_rating_every_stance_and_every_sort_of_evidence():
    verdicts = [claim.verdict for claim in newsroom.CLAIMS]

    assert len(newsroom.CLAIMS) == 12
    assert {claim.kind for claim in newsroom.CLAIMS} == {"number", "date", "quote", "name", "event", "other"}
    assert {verdict.rating for verdict in verdicts} == {
        "accurate",
        "mostly_accurate",
        "needs_context",
        "unproven",
        "inaccurate",
        "opinion",
        "",
    }
    assert {evidence.stance for evidence in ALL_EVIDENCE} == {"for", "against", "context"}
    assert any(evidence.interview for evidence in ALL_EVIDENCE)
    assert any(evidence.work for evidence in ALL_EVIDENCE)
    assert any(evidence.off_record for evidence in ALL_EVIDENCE)
    assert any(claim.speaker for claim in newsroom.CLAIMS)
    assert any(len(claim.passages) > 1 for claim in newsroom.CLAIMS)


def test_a_claim_has_an_attribution_exactly_when_somebody_else_makes_it():
    for claim in newsroom.CLAIMS:
        assert bool(claim.verdict.attribution) == bool(claim.speaker), claim.key
        assert bool(claim.verdict.rating) != bool(claim.verdict.not_rated_reason), claim.key


def test_the_article_has_the_blemishes_that_the_demonstration_shows():
    text = newsroom.article_bytes(1).decode()
    lines = text.splitlines()

    assert lines.count("Advertisment") == 2
    assert sum(line.startswith("Also read: ") for line in lines) == 2
    assert lines.count("(With inputs from agencies)") == 1
    assert "Monday (Feb 04)" in text
    assert text.count("“") == text.count("”") + 1
    assert 450 <= len(text.split()) <= 600


def test_every_sample_page_says_that_it_is_one():
    for address, (media_type, _content) in pages().items():
        if address != "/" and not media_type.startswith("text/css"):
            assert MARK in page_text(address), address


def test_the_sources_answer_with_pages_a_redirect_and_not_found(sources: str):
    with urllib.request.urlopen(f"{sources}/press/2025/visit") as answer:
        assert answer.url == f"{sources}/statement"
        assert b"Statement on the visit" in answer.read()
    with urllib.request.urlopen(f"{sources}/report.pdf") as answer:
        assert answer.headers["Content-Type"] == "application/pdf"
        assert answer.read().startswith(b"%PDF-")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{sources}/report.html")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{sources}/../newsroom.py")


def test_our_own_page_of_the_sample_says_what_its_last_version_says():
    raw = newsroom.article_bytes(2)
    draft = read_plain_text(raw)
    blocks = place_blocks(blocks_of(draft, title=draft.title, remove=[line.number for line in draft.offered]))
    with tempfile.TemporaryFile() as file:
        file.write(our_page(raw.decode()))
        file.seek(0)
        texts = {layer.kind: layer.text for layer in extract(file, "text/html").layers}

    assert compare_page(blocks, PageText(texts["visible"], texts["main"])).differences == ()
