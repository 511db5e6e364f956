"""What is a difference between our page and our text, and what is only the website around it."""

import pytest

from factcheck.articles.canonical import Block, BlockKind, place_blocks
from factcheck.articles.own_page import PageText, compare_page, offered, says_the_same, with_differences

ARTICLE = (
    ("headline", "Harbour bridge to close for a year"),
    ("paragraph", "The bridge over the harbour closes on 3 March 2025 and stays closed for twelve months."),
    ("heading", "What it costs"),
    ("paragraph", 'Repairs will cost 40 million euros. "We could have had this cheaper," said Marta Lindqvist.'),
    ("item", "- About 18,000 people cross the bridge every day."),
    ("item", "- Most of them will walk, the city thinks - or take the ferry."),
)
AROUND_BEFORE = ("Home", "News", "Harbour bridge to close for a year", "The Daily Herald")
AROUND_AFTER = ("Related stories", "The tunnel that never was.", "12 comments", "© The Daily Herald 2025.")


def placed(pieces=ARTICLE):
    return place_blocks([Block(f"b{n}", BlockKind(kind), text) for n, (kind, text) in enumerate(pieces, start=1)])


def body(*changes: tuple[str, str]) -> list[str]:
    """The article's paragraphs as a page has them, some words replaced."""
    lines = [text.removeprefix("- ") for _kind, text in ARTICLE]
    for old, new in changes:
        assert sum(old in line for line in lines) == 1
        lines = [line.replace(old, new) for line in lines]
    return lines


def compared(lines: list[str], *, main: bool = True):
    visible = "\n\n".join([*AROUND_BEFORE, *lines, *AROUND_AFTER])
    page = PageText(visible, "\n".join(lines) if main else "")
    comparison = compare_page(placed(), page)
    assert says_the_same(placed(), page) == (not comparison.differences)
    return comparison


def found(lines: list[str], **options):
    return [(difference.before, difference.after) for difference in compared(lines, **options).differences]


def test_what_stands_around_the_article_is_no_difference():
    comparison = compared(body())

    assert comparison.differences == ()
    assert comparison.share == 1.0


@pytest.mark.parametrize(
    "change",
    [
        ('"We could have had this cheaper,"', "“We could have had this cheaper,”"),
        ("40 million", "40\u00a0million"),
        ("harbour closes", "har\u00adbour closes"),
        (" - or", "\u2009—\u2009or"),
        (" - or", "—or"),
        ("cheaper,", "cheaper ,"),
    ],
)
def test_the_typography_of_the_website_is_no_difference(change: tuple[str, str]):
    assert found(body(change)) == []


def test_a_paragraph_that_the_page_splits_or_an_advertisement_breaks_is_no_difference():
    lines = body()
    first, second = lines[3].split(". ", 1)
    lines[3:4] = [f"{first}.", "Advertisement", second]

    assert found(lines) == []


def test_words_that_the_page_has_once_are_not_found_twice():
    blocks = placed((("paragraph", "One thing is so."), ("paragraph", "One thing is so. Another is not.")))

    [difference] = compare_page(blocks, PageText("One thing is so.\nAnother is not.")).differences

    assert difference.before == "One thing is so. Another is not."


def test_paragraphs_that_the_page_has_in_one_are_no_difference():
    lines = body()
    lines[3:5] = [f"{lines[3]} {lines[4]}"]

    assert found(lines) == []


@pytest.mark.parametrize("main", [True, False])
def test_another_number_is_a_difference_of_its_paragraph_alone(main: bool):
    assert found(body(("40 million", "43 million")), main=main) == [
        (ARTICLE[3][1], ARTICLE[3][1].replace("40", "43")),
    ]


@pytest.mark.parametrize(
    "change",
    [
        ("18,000", "18.000"),
        ("3 March", "3 may"),
        ("euros. ", "euros². "),
        ("will walk", "will not walk"),
        ("he harbour", "he Harbour"),
    ],
)
def test_a_small_change_of_meaning_is_never_taken_for_typography(change: tuple[str, str]):
    assert len(found(body(change))) == 1


@pytest.mark.parametrize("main", [True, False])
def test_words_added_inside_a_paragraph_are_a_difference(main: bool):
    line = body()[1]

    assert found(body((line, f"{line} The mayor resigned.")), main=main) == [
        (ARTICLE[1][1], f"{line} The mayor resigned.")
    ]


@pytest.mark.parametrize("main", [True, False])
def test_a_paragraph_that_was_put_in_and_one_that_was_taken_out_are_differences(main: bool):
    lines = body()
    gone = lines.pop(4)
    lines.insert(2, "The mayor of the city resigned on Tuesday.")

    assert found(lines, main=main) == [("", "The mayor of the city resigned on Tuesday."), (f"- {gone}", "")]


def test_a_correction_at_the_end_of_the_page_is_a_difference():
    note = "Correction: an earlier version gave another sum."

    assert found([*body(), note]) == [("", note)]


@pytest.mark.parametrize(
    "line", ["By Rosa Delgado", "Published: 5 February 2025", "Also read: The tunnel", "3 min read"]
)
@pytest.mark.parametrize("main", [True, False])
def test_lines_that_the_import_would_offer_to_remove_are_no_difference(line: str, main: bool):
    lines = body()
    lines.insert(1, line)

    assert found(lines, main=main) == []


def test_a_page_with_little_of_the_article_on_it_is_not_the_article():
    comparison = compared([ARTICLE[0][1], ARTICLE[1][1], "Subscribe to read on."])

    assert not comparison.is_the_article


def test_a_heavily_edited_page_still_is_the_article():
    comparison = compared(body(("40 million", "43 million"), ("18,000", "19,000"), ("3 March", "4 March")))

    assert comparison.is_the_article
    assert len(comparison.differences) == 3


def test_taking_a_difference_over_changes_its_block_and_nothing_else():
    lines = body(("18,000", "19,000"))
    gone = lines.pop(2)
    lines.insert(2, "The mayor of the city resigned on Tuesday.")
    differences = compared(lines).differences

    blocks = with_differences(placed(), differences)

    assert [(block.kind, block.text) for block in blocks] == [
        *ARTICLE[:2],
        ("paragraph", "The mayor of the city resigned on Tuesday."),
        ARTICLE[3],
        ("item", "- About 19,000 people cross the bridge every day."),
        ARTICLE[5],
    ]
    assert gone == ARTICLE[2][1]


def test_what_was_set_aside_stays_aside_and_other_words_do_not():
    [first] = compared(body(("40 million", "43 million"))).differences
    both = compared(body(("40 million", "43\u00a0million"), ("18,000", "19,000"))).differences
    other = compared(body(("40 million", "44 million"))).differences

    assert [difference.at for difference in offered(both, both, {first.key})] == [4]
    assert len(offered(other, other, {first.key})) == 1


def test_what_a_newer_revision_changed_is_not_the_page_s_doing():
    newer = [(kind, text.replace("18,000", "20,000").replace("cheaper", "sooner")) for kind, text in ARTICLE]
    page = "\n".join(body(("40 million", "43 million"), ("3 March", "4 March")))

    found = offered(
        compare_page(placed(), PageText(page)).differences, compare_page(placed(newer), PageText(page)).differences
    )

    assert [(difference.at, difference.before == newer[difference.at][1]) for difference in found] == [
        (1, True),
        (3, True),
    ]
    assert "sooner" in found[1].before
    assert "43 million" in found[1].after


@pytest.mark.parametrize(
    "page", ["", "\n" * 50_000, "word " * 200_000, "\n".join(["The same line."] * 20_000), "a\n\n" * 50_000]
)
def test_pages_made_to_keep_us_busy_are_not_the_article(page: str):
    assert not compare_page(placed(), PageText(page, page)).is_the_article


def test_a_number_that_the_page_raises_and_its_text_does_not_is_no_difference():
    blocks = placed([("paragraph", "Ten times ten, 10², is a hundred."), ("paragraph", "Another stands here.")])

    page = PageText("Ten times ten, 102, is a hundred.\nAnother stands here.")

    assert says_the_same(blocks, page)
