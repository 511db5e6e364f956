import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factcheck.articles.canonical import (
    Block,
    BlockKind,
    canonical_text,
    clean_lines,
    number_blocks,
    paragraphs,
    place_blocks,
    split_at_blocks,
)

ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]))


def blocks(*texts: str) -> list[Block]:
    return number_blocks((BlockKind.PARAGRAPH, text) for text in texts)


@settings(deadline=None, derandomize=True)
@given(ANY_TEXT)
def test_the_paragraphs_of_any_text_make_a_canonical_text(text: str):
    canonical = canonical_text(blocks(*paragraphs(clean_lines(text))))

    assert unicodedata.is_normalized("NFC", canonical)
    assert "\r" not in canonical
    assert not [character for character in canonical if unicodedata.category(character) == "Cc" and character != "\n"]
    assert clean_lines(canonical) == canonical


@settings(deadline=None, derandomize=True)
@given(ANY_TEXT)
def test_every_placed_block_stands_where_its_offsets_say(text: str):
    pieces = blocks(*paragraphs(clean_lines(text)))
    canonical = canonical_text(pieces)

    for block in place_blocks(pieces):
        assert canonical[block.start : block.end] == block.text


def test_offsets_count_code_points_and_not_utf_16_units():
    placed = place_blocks(blocks("A 😀 b", "second"))

    assert (placed[1].start, placed[1].end) == (7, 13)


def test_a_blank_line_inside_a_block_is_refused():
    with pytest.raises(ValueError, match="not a canonical block"):
        canonical_text(blocks("one\n\ntwo"))


@pytest.mark.parametrize("text", ["", " padded", "e\u0301", "a\x00b", "a\r\nb", "tab\tbed"])
def test_a_block_that_is_not_clean_is_refused(text: str):
    with pytest.raises(ValueError, match="not a canonical block"):
        canonical_text(blocks(text))


def test_a_span_over_two_blocks_becomes_one_in_each_without_the_space_around():
    placed = place_blocks(blocks("First words.", "Second words."))

    assert split_at_blocks(5, 21, placed) == [(6, 12), (14, 20)]
