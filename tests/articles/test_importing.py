from datetime import date
from pathlib import Path

import pytest

from factcheck.articles.canonical import BlockKind
from factcheck.articles.errors import UnreadableText
from factcheck.articles.importing import MAX_BYTES, blocks_of, furniture, read_plain_text

SCRAPED = """Harbour bridge to close for a year

By Rosa Ibarra

Published: 4 March 2025

The bridge over the harbour closes on Monday and stays closed for twelve months, the city said.

Advertisment

Also read: The best places for herring: Where are they and who owns them?

'Ferries run every ten minutes'

Repairs will cost 40 million euros, the mayor said at a meeting with residents on Friday.

(With inputs from agencies)"""

SAMPLE = Path(__file__).parents[3] / "shared" / "samples" / "el-salvador-deal.txt"


def test_title_byline_date_and_language_are_found():
    draft = read_plain_text(SCRAPED.encode())

    assert draft.title == "Harbour bridge to close for a year"
    assert draft.byline == "Rosa Ibarra"
    assert draft.published == date(2025, 3, 4)
    assert draft.language == "en"


def test_each_line_of_a_websites_furniture_is_offered_with_its_reason():
    offered = read_plain_text(SCRAPED.encode()).offered

    assert [(line.text.split(":")[0], line.reason) for line in offered] == [
        ("By Rosa Ibarra", "byline"),
        ("Published", "date"),
        ("Advertisment", "advertisement"),
        ("Also read", "link"),
        ("(With inputs from agencies)", "agency"),
    ]


def test_nothing_is_removed_that_nobody_agreed_to_remove():
    draft = read_plain_text(SCRAPED.encode())

    texts = [block.text for block in blocks_of(draft, title=draft.title, remove=())]

    assert "Advertisment" in texts
    assert len(texts) == 9


def test_only_the_agreed_lines_are_removed():
    draft = read_plain_text(SCRAPED.encode())
    advertisement = next(line for line in draft.offered if line.reason == "advertisement")

    texts = [block.text for block in blocks_of(draft, title=draft.title, remove={advertisement.number})]

    assert "Advertisment" not in texts
    assert "(With inputs from agencies)" in texts


def test_the_first_line_becomes_the_headline_and_a_short_line_a_heading():
    draft = read_plain_text(SCRAPED.encode())

    kinds = {block.text: block.kind for block in blocks_of(draft, title=draft.title, remove=())}

    assert kinds["Harbour bridge to close for a year"] is BlockKind.HEADLINE
    assert kinds["'Ferries run every ten minutes'"] is BlockKind.HEADING
    assert kinds["By Rosa Ibarra"] is BlockKind.PARAGRAPH


def test_a_title_that_the_text_lacks_comes_first():
    draft = read_plain_text(b"The bridge closes on Monday, the city said.\n\nRepairs cost 40 million euros.")

    blocks = blocks_of(draft, title="Bridge closes", remove=())

    assert draft.title == ""
    assert (blocks[0].kind, blocks[0].text) == (BlockKind.HEADLINE, "Bridge closes")
    assert len(blocks) == 3


@pytest.mark.parametrize(
    "sentence",
    [
        "Advertisement spending rose by 4 percent.",
        "Read more books, she said: it helps.",
        "The mayor also read: a poem.",
        "With inputs from agencies the ministry made its own estimate.",
        "By noon the bridge was closed.",
        "Related companies paid nothing.",
    ],
)
def test_a_sentence_that_begins_like_furniture_is_not_offered(sentence: str):
    assert furniture(sentence) is None
    assert read_plain_text(f"A title\n\n{sentence}\n\nMore text follows here.".encode()).offered == ()


def test_a_text_of_one_line_a_paragraph_is_split_at_its_lines():
    draft = read_plain_text(b"Title of it\nThe first paragraph ends.\nThe second one too.")

    assert len(blocks_of(draft, title=draft.title, remove=())) == 3


def test_bytes_of_windows_and_of_utf_16_are_read():
    assert read_plain_text("Fahrt über die Brücke – heute.".encode("cp1252")).lines == (
        "Fahrt über die Brücke – heute.",
    )
    assert read_plain_text("Fahrt über die Brücke.".encode("utf-16")).lines == ("Fahrt über die Brücke.",)


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"", "no text"),
        (b" \n\t\n", "no text"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00", "not plain text"),
        (b"x" * (MAX_BYTES + 1), "larger than"),
        (b"A line.\n\n" * 5_001, "more than 5,?000 paragraphs"),
    ],
)
def test_what_is_no_text_is_refused_with_a_sentence(raw: bytes, sentence: str):
    with pytest.raises(UnreadableText, match=sentence):
        read_plain_text(raw)


def test_arabic_and_emoji_survive():
    draft = read_plain_text(
        "الجسر مغلق\n\nأُغلق الجسر 👩‍👩‍👧 يوم الاثنين، كما قالت المدينة في بيان رسمي صدر اليوم.".encode()
    )

    assert draft.language == "ar"
    assert "👩‍👩‍👧" in draft.lines[2]


@pytest.mark.skipif(not SAMPLE.exists(), reason="shared: the scraped sample article is not here")
def test_the_scraped_sample_offers_its_furniture_and_nothing_else():
    draft = read_plain_text(SAMPLE.read_bytes())

    assert [line.text.split(":")[0] for line in draft.offered] == [
        "Advertisment",
        "Also read",
        "Advertisment",
        "Advertisment",
        "Also read",
        "Also read",
        "Also read",
        "(With inputs from agencies)",
    ]
    blocks = blocks_of(draft, title="", remove={line.number for line in draft.offered})
    assert len(blocks) == 16
    assert [block.text for block in blocks if block.kind is BlockKind.HEADING] == [
        "'El Salvador to accept deportation of any illegal alien in the United States'"
    ]
